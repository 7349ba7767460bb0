//! `GET /assets/…`: files whose names contain a hash of their content, so they are cached for a year.

use axum::body::Body;
use axum::response::Response;
use http::{HeaderValue, header};

use crate::pages::assets::Asset;

pub(crate) fn response(asset: &'static Asset) -> Response {
    let mut response = Response::new(Body::from(asset.body));
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, asset.content_type),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

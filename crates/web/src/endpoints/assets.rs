//! `GET /assets/…`: files whose names contain a hash of their content, so they are cached for a year.

use axum::body::Body;
use axum::response::Response;
use http::{HeaderValue, header};

use crate::pages::assets::Asset;

pub(crate) fn response(asset: &'static Asset) -> Response {
    let mut response = Response::new(Body::from(asset.body));
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static(asset.content_type),
    );
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("public, max-age=31536000, immutable"),
    );
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    response
}

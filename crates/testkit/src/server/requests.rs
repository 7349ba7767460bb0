//! Requests as clients write them.

use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{Request, header};

use crate::{encoded, secret_of};

pub const FORM: &str = "application/x-www-form-urlencoded";

/// A POST of a form.
pub fn post(path: &str, pairs: &[(&str, &str)]) -> Request<Body> {
    raw(path, FORM, encoded(pairs))
}

/// A POST of anything.
pub fn raw(path: &str, content_type: &str, body: impl Into<Body>) -> Request<Body> {
    let request = Request::post(path).header(header::CONTENT_TYPE, content_type);
    request.body(body.into()).expect("a request")
}

/// A request with one more header.
pub trait With {
    fn with(self, name: &'static str, value: &str) -> Self;
}

impl With for Request<Body> {
    fn with(mut self, name: &'static str, value: &str) -> Self {
        let value = value.parse().expect("a header value");
        self.headers_mut().append(name, value);
        self
    }
}

/// An `Authorization` header by RFC 6749 section 2.3.1.
pub fn basic(id: &str, secret: &str) -> String {
    let form = |text: &str| encoded(&[(text, "")]).trim_end_matches('=').to_owned();
    format!(
        "Basic {}",
        STANDARD.encode(format!("{}:{}", form(id), form(secret)))
    )
}

/// The `Authorization` header of a client of the realm.
pub fn authorization_of(client: &str) -> String {
    basic(client, secret_of(client).expect("a client with a secret"))
}

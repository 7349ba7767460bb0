//! CORS (Fetch section 3.2): which requests scripts of other origins may send, and which responses they may read. A
//! response is readable for the origins of the requesting client only. Requests without `Origin` are not affected.
//!
//! Credentialed requests are never allowed: no endpoint that other origins can call reads a cookie.

use axum::body::Body;
use axum::response::Response;
use grantor_core::model::client::Client;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS, ORIGIN,
    VARY,
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use crate::request::Caller;

/// Response headers that a script may read.
const EXPOSED_HEADERS: &str = "www-authenticate, x-request-id, retry-after";
/// Request headers that need a preflight and are allowed, whatever is asked for.
const ALLOWED_HEADERS: &str = "authorization, content-type";
/// The longest list of names that is allowed besides. Browsers sort it, and libraries for tracing and error reports add less.
const MAX_ASKED_BYTES: usize = 1024;
/// Not allowed to scripts: what this server believes of proxies, as which a script could pass that runs next to them.
const PROXY_HEADERS: [&str; 2] = ["forwarded", "x-forwarded-"];
/// How long browsers cache a preflight, in seconds. Chromium caches no longer than this.
const PREFLIGHT_MAX_AGE: &str = "7200";

/// Makes the response readable for the client whose request it answers, if that is known.
pub(crate) fn for_client(
    caller: &Caller,
    client: Option<&Client>,
    mut response: Response,
) -> Response {
    if !caller.headers.contains_key(ORIGIN) {
        return response;
    }
    let origin = origin(&caller.headers)
        .filter(|(_, text)| client.is_some_and(|client| client.has_origin(text)));
    let headers = response.headers_mut();
    headers.append(VARY, HeaderValue::from_static("Origin"));
    if let Some((origin, _)) = origin {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        headers.insert(
            ACCESS_CONTROL_EXPOSE_HEADERS,
            HeaderValue::from_static(EXPOSED_HEADERS),
        );
    }
    response
}

/// Makes an `invalid_client` readable for every origin, where no client is known whose origins would decide. It is the same
/// for everyone, repeats nothing of the request, and holds nothing of a client, so a script learns no more than any program
/// that asks: that no client has this id, which the authorization endpoint shows as well.
pub(crate) fn for_unknown_client(caller: &Caller, mut response: Response) -> Response {
    if caller.headers.contains_key(ORIGIN) {
        let headers = response.headers_mut();
        for (name, value) in [
            (VARY, "Origin"),
            (ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
            (ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED_HEADERS),
        ] {
            headers.append(name, HeaderValue::from_static(value));
        }
    }
    response
}

/// Makes the response readable for every origin, where no cookie counts.
pub(crate) fn for_everyone(mut response: Response) -> Response {
    for (name, value) in [
        (ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED_HEADERS),
    ] {
        let headers = response.headers_mut();
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// `None` if the header is missing or sent twice.
fn origin(headers: &HeaderMap) -> Option<(&HeaderValue, &str)> {
    let mut all = headers.get_all(ORIGIN).into_iter();
    let origin = all.next().filter(|_| all.next().is_none())?;
    Some((origin, origin.to_str().ok()?))
}

/// Answers a preflight for an endpoint with these methods.
///
/// A preflight does not name the client, so each origin may send requests: that allows no more than a program outside a
/// browser can do, as no cookie counts. The response of the actual request is readable for the client's own origins only.
/// The headers that it asks for are allowed likewise: what this server does not read, it ignores.
pub(crate) async fn preflight(methods: &'static str, request: &HeaderMap) -> Response {
    let mut asked = request.get_all(ACCESS_CONTROL_REQUEST_HEADERS).into_iter();
    let asked = asked.next().filter(|_| asked.next().is_none());
    let asked = asked.map(HeaderValue::as_bytes).unwrap_or_default();
    let allowed = HeaderValue::try_from(allowed_headers(asked));
    let allowed = allowed.unwrap_or(HeaderValue::from_static(ALLOWED_HEADERS));
    let mut response = preflight_response(methods, allowed);
    let vary = HeaderValue::from_static("Access-Control-Request-Headers");
    response.headers_mut().insert(VARY, vary);
    response
}

/// Those that are always allowed, and those of `asked` that are names of headers (RFC 9110 section 5.1).
fn allowed_headers(asked: &[u8]) -> String {
    let mut allowed = ALLOWED_HEADERS.to_owned();
    if asked.len() > MAX_ASKED_BYTES {
        return allowed;
    }
    let asked = asked.split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
    for name in asked.filter_map(|name| HeaderName::from_bytes(name).ok()) {
        let is_default = ALLOWED_HEADERS.split(", ").any(|known| name == known);
        let is_of_proxies = PROXY_HEADERS
            .iter()
            .any(|known| name.as_str().starts_with(known));
        // Alone, a star would allow every header (Fetch section 3.3.4).
        if !is_default && !is_of_proxies && name.as_str() != "*" {
            allowed.push_str(", ");
            allowed.push_str(name.as_str());
        }
    }
    allowed
}

/// Documents are public: any origin may read them.
pub(crate) async fn document_preflight() -> Response {
    preflight_response("GET, HEAD", HeaderValue::from_static("*"))
}

fn preflight_response(methods: &'static str, allowed_headers: HeaderValue) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    for (name, value) in [
        (ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (ACCESS_CONTROL_ALLOW_METHODS, methods),
        (ACCESS_CONTROL_MAX_AGE, PREFLIGHT_MAX_AGE),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, allowed_headers);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn asked_headers_are_allowed_if_they_are_names_and_no_proxys() {
        for (asked, more) in [
            ("", ""),
            ("authorization", ""),
            (
                "authorization,baggage,sentry-trace,traceparent",
                ", baggage, sentry-trace, traceparent",
            ),
            ("X-Request-ID ,\tDPoP", ", x-request-id, dpop"),
            ("a b, c:d, e\"f, \u{e9}, , *x", ", *x"),
            ("*,x-forwarded-for", ""),
            (
                "forwarded, x-forwarded-for, X-Forwarded-Proto, x-for",
                ", x-for",
            ),
        ] {
            let expected = format!("{ALLOWED_HEADERS}{more}");
            assert_eq!(allowed_headers(asked.as_bytes()), expected, "{asked}");
        }
    }

    #[test]
    fn asked_headers_cannot_end_the_line_or_fill_the_answer() {
        for asked in [
            &b"x\r\nset-cookie: a=b"[..],
            b"x\nset-cookie, \0, \xff",
            b"x\r\n\r\n<script>",
        ] {
            assert_eq!(allowed_headers(asked), ALLOWED_HEADERS);
        }
        let many: String = (0..10_000).map(|n| format!("x-{n},")).collect();
        assert_eq!(allowed_headers(many.as_bytes()), ALLOWED_HEADERS);
        let most = "a,".repeat(MAX_ASKED_BYTES / 2);
        assert!(allowed_headers(most.as_bytes()).len() <= 2 * MAX_ASKED_BYTES);
    }
}

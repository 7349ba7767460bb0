//! CORS (Fetch section 3.2): what scripts of other origins may ask and read. An answer is for the origins of the client
//! whose request it is, so a page of another client's learns nothing. Nothing here is done without an `Origin`.
//!
//! Credentials of the browser are never allowed: no endpoint that is open to other origins looks at a cookie.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use grantor_core::endpoints::cors;
use grantor_core::model::ids::ClientId;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ORIGIN, VARY,
};
use http::{HeaderMap, HeaderValue, StatusCode};

use crate::app::App;
use crate::request::{Caller, Form};

/// What a script needs of an answer beside its body.
const READABLE: &str = "www-authenticate, x-request-id, retry-after";
/// What a script may send beside what any page may.
const SENDABLE: &str = "authorization, content-type";
/// Seconds for which a browser need not ask again: as long as Chromium remembers.
const REMEMBERED: &str = "7200";

/// Lets a script read the answer to a request of its own client's, which names itself in form or header.
pub(crate) fn for_client(app: &App, form: &Form, answer: Response) -> Response {
    readable(app, &form.caller, answer, || {
        let params = form.params.as_ref().ok()?;
        cors::client_of_form(form.caller.authorization(), params)
    })
}

/// Lets a script read the answer to a request with a token of its own client's.
pub(crate) fn for_token(app: &App, form: &Form, answer: Response) -> Response {
    readable(app, &form.caller, answer, || {
        let params = form.params.as_ref().ok()?;
        cors::client_of_token(&app.realm(), form.caller.authorization(), params)
    })
}

fn readable(
    app: &App,
    caller: &Caller,
    mut answer: Response,
    client: impl FnOnce() -> Option<ClientId>,
) -> Response {
    if !caller.headers.contains_key(ORIGIN) {
        return answer;
    }
    let realm = app.realm();
    let own = || realm.clients.get(&client()?);
    let origin = origin(&caller.headers)
        .filter(|(_, text)| own().is_some_and(|client| client.has_origin(text)));
    let headers = answer.headers_mut();
    headers.append(VARY, HeaderValue::from_static("Origin"));
    if let Some((origin, _)) = origin {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        headers.insert(
            ACCESS_CONTROL_EXPOSE_HEADERS,
            HeaderValue::from_static(READABLE),
        );
    }
    answer
}

/// The origin that a browser names; of two, none.
fn origin(headers: &HeaderMap) -> Option<(&HeaderValue, &str)> {
    let mut all = headers.get_all(ORIGIN).into_iter();
    let only = all.next().filter(|_| all.next().is_none())?;
    Some((only, only.to_str().ok()?))
}

/// Answers what a browser asks before a script's request by one of these methods.
///
/// A preflight says who asks by nothing but the origin, so it is allowed where some client has that one. To be allowed
/// to ask is not to read the answer.
pub(crate) async fn preflight(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    methods: &'static str,
) -> Response {
    let allowed = origin(&headers).filter(|(_, text)| app.realm().has_origin(text));
    let mut answer = match allowed {
        Some((origin, _)) => allowing(origin.clone(), methods, SENDABLE),
        None => no_content(),
    };
    let headers = answer.headers_mut();
    headers.insert(VARY, HeaderValue::from_static("Origin"));
    answer
}

/// Documents are for everybody.
pub(crate) async fn before_document() -> Response {
    allowing(HeaderValue::from_static("*"), "GET, HEAD", "*")
}

fn allowing(origin: HeaderValue, methods: &'static str, sendable: &'static str) -> Response {
    let mut answer = no_content();
    let headers = answer.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    for (name, value) in [
        (ACCESS_CONTROL_ALLOW_METHODS, methods),
        (ACCESS_CONTROL_ALLOW_HEADERS, sendable),
        (ACCESS_CONTROL_MAX_AGE, REMEMBERED),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    answer
}

fn no_content() -> Response {
    let mut answer = Response::new(Body::empty());
    *answer.status_mut() = StatusCode::NO_CONTENT;
    answer
}

//! Responses of the protocol endpoints: JSON that is never cached, and error responses.

use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use grantor_core::base::error::{Cause, ErrorCode, Refusal};
use grantor_core::base::params::Params;
use grantor_core::client_auth::{Authenticated, ClientOperation, Credentials};
use grantor_core::endpoints::unsupported::DPOP_PROOF;
use grantor_core::engine::decide::Operation;
use grantor_core::engine::drive::Minted;
use grantor_core::engine::event::Event;
use grantor_core::model::client::Client;
use grantor_core::model::endpoint::{Clients, CrossOrigin, Endpoint};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;

use crate::app::{App, Unavailable};
use crate::cors;
use crate::refusal::{AskingClient, log_refusal, log_unavailable};
use crate::request::{Caller, Form, FormError};

/// The scheme of an endpoint's `WWW-Authenticate` challenges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Challenge {
    /// Client authentication (RFC 6749 section 5.2).
    Basic,
    /// An access token (RFC 6750 section 3).
    Bearer,
}

impl Challenge {
    /// RFC 6749 section 5.2 demands a challenge where the client used the `Authorization` header, RFC 9110 section 15.5.2 with
    /// each 401. A client that says in the body who it is gets none: Basic, the only scheme here, is not how it authenticates,
    /// and browsers would ask their user for the secret. Programs that send no credentials before they are asked name no client
    /// in the body either.
    fn new(endpoint: Endpoint, caller: &Caller, params: &Params) -> Option<Self> {
        const IN_BODY: [&str; 3] = ["client_id", "client_secret", "client_assertion"];
        match endpoint.clients() {
            Clients::None => Some(Self::Bearer),
            Clients::All | Clients::Confidential => {
                let is_in_body = IN_BODY.iter().any(|name| params.opt(name).is_some());
                (caller.authorization().is_some() || !is_in_body).then_some(Self::Basic)
            }
        }
    }
}

/// RFC 6749 section 5.2, with the trace id.
#[derive(Serialize)]
struct ErrorResponse<'a> {
    error: &'a str,
    error_description: &'a str,
    error_uri: &'a str,
    trace_id: &'a str,
}

/// Handles a request with which a client authenticates.
pub(crate) async fn handle_client<O>(
    app: &Arc<App>,
    form: &Form,
    render: impl FnOnce(O::Reply, Option<Minted>) -> Response,
) -> Response
where
    O: ClientOperation + Send + 'static,
{
    let caller = &form.caller;
    let parse = |params: &Params| {
        Authenticated::<O>::parse(caller.authorization(), params, caller.peer.clone())
    };
    handle(app, form, O::ENDPOINT, parse, render).await
}

/// Parses a request, runs its decision, and renders the response.
pub(crate) async fn handle<O>(
    app: &Arc<App>,
    form: &Form,
    endpoint: Endpoint,
    parse: impl FnOnce(&Params) -> Result<O, Refusal>,
    render: impl FnOnce(O::Reply, Option<Minted>) -> Response,
) -> Response
where
    O: Operation<Refused = Refusal> + Send + 'static,
{
    let caller = &form.caller;
    let params = match &form.params {
        Ok(params) => params,
        Err(error) => return invalid_form(app, caller, endpoint, *error),
    };
    let refused = |refusal: &Refusal, client: Option<&Client>, events: &[Event]| {
        let named = match client {
            Some(_) => None,
            None => named_client(caller, params),
        };
        let client = AskingClient {
            known: client,
            named: named.as_deref(),
        };
        let challenge = Challenge::new(endpoint, caller, params);
        refusal_response(app, caller, challenge, client, refusal, events)
    };
    // Of a request without a decision, where clients authenticate.
    let declared = || {
        // A body that may contradict the header names no one.
        let is_clear = caller.authorization().is_none() || credentials(caller, params).is_some();
        let named = named_client(caller, params).filter(|_| is_clear);
        let id = named.filter(|_| endpoint.clients() != Clients::None)?;
        app.realm().clients.get(&id.parse().ok()?).cloned()
    };
    let parsed = match secret_in_query(caller).or_else(|| dpop_proof(endpoint, caller)) {
        Some(refusal) => Err(refusal),
        None => parse(params),
    };
    let mut error = None;
    let (client, response) = match parsed {
        Err(refusal) => {
            error = Some(refusal.code);
            (declared(), refused(&refusal, None, &[]))
        }
        Ok(operation) => match app.run_traced(operation, &caller.trace).await {
            Err(error) => (declared(), unavailable(app, caller, &error)),
            Ok(outcome) => {
                let response = match outcome.reply {
                    Ok(reply) => render(reply, outcome.tokens),
                    Err(refusal) => {
                        error = Some(refusal.code);
                        refused(&refusal, outcome.client.as_deref(), &outcome.events)
                    }
                };
                (outcome.client, response)
            }
        },
    };
    match (endpoint.cross_origin(), client) {
        (CrossOrigin::OwnClient, None) if error == Some(ErrorCode::InvalidClient) => {
            cors::for_unknown_client(caller, response)
        }
        (CrossOrigin::OwnClient, client) => cors::for_client(caller, client.as_deref(), response),
        (CrossOrigin::Never | CrossOrigin::Everyone, _) => response,
    }
}

/// The client that the request names.
fn named_client(caller: &Caller, params: &Params) -> Option<String> {
    let client = credentials(caller, params).map(|credentials| credentials.client_id().clone());
    client.or_else(|| params.opt("client_id").map(ToOwned::to_owned))
}

fn credentials(caller: &Caller, params: &Params) -> Option<Credentials> {
    Credentials::parse(caller.authorization(), params).ok()
}

/// RFC 9449 section 5, where tokens are asked for. Elsewhere nothing is bound to a key, and the header is ignored.
fn dpop_proof(endpoint: Endpoint, caller: &Caller) -> Option<Refusal> {
    let asks_for_tokens = matches!(endpoint, Endpoint::Token | Endpoint::DeviceAuthorization);
    (asks_for_tokens && caller.headers.contains_key("dpop")).then_some(DPOP_PROOF)
}

/// RFC 6749 section 2.3.1: credentials "MUST NOT be included in the request URI"; RFC 6750 section 2.3 likewise, since
/// URIs are logged. Such a request is refused even if it would be valid without the secret.
fn secret_in_query(caller: &Caller) -> Option<Refusal> {
    const SECRETS: [&str; 6] = [
        "client_secret",
        "token",
        "refresh_token",
        "device_code",
        "code",
        "access_token",
    ];
    let query = caller.query().unwrap_or_default();
    let found = url::form_urlencoded::parse(query.as_bytes())
        .any(|(name, _)| SECRETS.contains(&name.as_ref()));
    found.then_some(Refusal::new(
        ErrorCode::InvalidRequest,
        "A secret is in the address; it belongs into the body or a header.",
    ))
}

/// RFC 6749 section 5.1: "Cache-Control … no-store … Pragma … no-cache".
pub(crate) fn json(status: StatusCode, body: &impl Serialize) -> Response {
    // The types of this crate always serialize.
    let body = serde_json::to_vec(body).unwrap_or_default();
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    response
}

pub(crate) fn method_not_allowed(caller: &Caller, allow: &'static str) -> Response {
    let refusal = Refusal::new(
        ErrorCode::InvalidRequest,
        "The endpoint has another method.",
    );
    let mut response = error_response(&refusal, caller, StatusCode::METHOD_NOT_ALLOWED);
    response
        .headers_mut()
        .insert(header::ALLOW, HeaderValue::from_static(allow));
    response
}

/// The response to a request without TLS, at any endpoint.
pub(crate) fn tls_required(app: &App, caller: &Caller) -> Response {
    let refusal = Refusal::new(
        ErrorCode::InvalidRequest,
        "The request came by plain http; use https.",
    );
    refusal_response(app, caller, None, AskingClient::default(), &refusal, &[])
}

fn invalid_form(app: &App, caller: &Caller, endpoint: Endpoint, reason: FormError) -> Response {
    let refusal = Refusal::new(ErrorCode::InvalidRequest, reason.text());
    let challenge = (endpoint.clients() == Clients::None).then_some(Challenge::Bearer);
    let mut response = refusal_response(
        app,
        caller,
        challenge,
        AskingClient::default(),
        &refusal,
        &[],
    );
    if reason == FormError::TooLarge {
        *response.status_mut() = StatusCode::PAYLOAD_TOO_LARGE;
    }
    response
}

fn refusal_response(
    app: &App,
    caller: &Caller,
    challenge: Option<Challenge>,
    client: AskingClient<'_>,
    refusal: &Refusal,
    events: &[Event],
) -> Response {
    log_refusal(app, caller, client, refusal, events);
    let status = StatusCode::from_u16(refusal.code.status()).unwrap_or(StatusCode::BAD_REQUEST);
    let mut response = error_response(refusal, caller, status);
    let headers = response.headers_mut();
    let challenge = challenge.and_then(|challenge| challenge_header(app, challenge, refusal));
    if let Some(challenge) = challenge {
        headers.insert(header::WWW_AUTHENTICATE, challenge);
    }
    if let Some(seconds) = refusal.retry_after {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// The response before the server is ready.
pub(crate) fn starting(app: &App, caller: &Caller) -> Response {
    let text = match app.is_ready() {
        false => "The server is starting; try again soon.",
        true => "The server cannot answer now; try again soon.",
    };
    let refusal = Refusal::new(ErrorCode::TemporarilyUnavailable, text);
    error_response(&refusal, caller, StatusCode::SERVICE_UNAVAILABLE)
}

fn unavailable(app: &App, caller: &Caller, reason: &Unavailable) -> Response {
    log_unavailable(app, caller, reason);
    app.metrics.record_error(reason.code());
    let code = reason.code();
    let description = match code {
        ErrorCode::TemporarilyUnavailable => "The server cannot answer now; try again soon.",
        _ => "The server failed; the operator finds the reason by the trace_id.",
    };
    let status = StatusCode::from_u16(code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = error_response(&Refusal::new(code, description), caller, status);
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

fn error_response(refusal: &Refusal, caller: &Caller, status: StatusCode) -> Response {
    let body = ErrorResponse {
        error: refusal.code.name(),
        error_description: &refusal.description(),
        error_uri: &refusal.code.uri(),
        trace_id: caller.trace.as_str(),
    };
    let response = json(status, &body);
    #[cfg(feature = "spans")]
    let response = crate::span::with_error(response, refusal.code);
    response
}

/// Client authentication: RFC 6749 section 5.2. Bearer tokens: RFC 6750 section 3, also with `insufficient_scope`.
fn challenge_header(app: &App, challenge: Challenge, refusal: &Refusal) -> Option<HeaderValue> {
    let (code, description) = (refusal.code, refusal.description());
    let realm = &app.snapshot().site.host;
    let text = match challenge {
        Challenge::Basic if code == ErrorCode::InvalidClient => {
            format!("Basic realm=\"{realm}\", charset=\"UTF-8\"")
        }
        Challenge::Basic => return None,
        // RFC 6750 section 3.1: "If the request lacks any authentication information (e.g., the client was unaware that
        // authentication is necessary or attempted using an unsupported authentication method), the resource server SHOULD
        // NOT include an error code or other error information."
        Challenge::Bearer
            if matches!(
                refusal.cause,
                Cause::TokenMissing | Cause::SchemeNotSupported
            ) =>
        {
            format!("Bearer realm=\"{realm}\"")
        }
        Challenge::Bearer => {
            let scope = if code == ErrorCode::InsufficientScope {
                ", scope=\"openid\""
            } else {
                ""
            };
            let error = code.name();
            format!(
                "Bearer realm=\"{realm}\", error=\"{error}\", error_description=\"{description}\"{scope}"
            )
        }
    };
    HeaderValue::try_from(text).ok()
}

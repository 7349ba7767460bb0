//! `/oauth2/authorize` (RFC 6749 section 3.1, OpenID Connect Core section 3.1.2).

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use grantor_core::base::error::{Cause, Refusal};
use grantor_core::base::params::Params;
use grantor_core::base::secret::Secret;
use grantor_core::endpoints::authorize::{
    AUTH_AFTER, AuthorizationResponse, Authorize, AuthorizeReply, ConsentDecision, ConsentPrompt,
    ResponseMode, sign_in_proof,
};
use grantor_core::model::endpoint::Endpoint;
use grantor_core::people::{Action, Binding};
use http::StatusCode;
use url::form_urlencoded::Serializer;

use super::browser::{self, ReturnTo};
use crate::app::App;
use crate::cookies::Cookie;
use crate::oauth;
use crate::pages::{Consent, Field, FormPost, PageError, destination};
use crate::request::{Caller, Form};

/// Browsers and proxies support headers of 8 KiB, but not all support more.
const MAX_REQUEST_BYTES: usize = 8 * 1024;
/// What [`AUTH_AFTER`] may add to a request.
const AUTH_AFTER_BYTES: usize = 64;

pub(crate) async fn get(State(app): State<Arc<App>>, caller: Caller) -> Response {
    let query = caller.query().unwrap_or_default().to_owned();
    handle(&app, caller, &query, None).await
}

/// RFC 6749 section 3.1: "The authorization server MUST support the use of the HTTP "GET" method … and MAY support the use of
/// the "POST" method as well."
pub(crate) async fn post(State(app): State<Arc<App>>, form: Form) -> Response {
    redirect_to_get(&app, &form, Endpoint::Authorize)
}

/// Turns a POST into a GET: the session cookie is `SameSite=Lax`, so browsers do not send it with another site's POST.
pub(super) fn redirect_to_get(app: &App, form: &Form, endpoint: Endpoint) -> Response {
    match &form.params {
        Ok(params) => {
            let (site, query) = (&app.site.path, to_query(params));
            browser::see_other(&format!("{site}{}?{query}", endpoint.path()))
        }
        Err(error) => browser::error_page(app, &form.caller, (*error).into()),
    }
}

/// Handles a request, with the user's decision after the consent page.
pub(super) async fn handle(
    app: &Arc<App>,
    mut caller: Caller,
    query: &str,
    decision: Option<ConsentDecision>,
) -> Response {
    let params = match parse(query) {
        Ok(params) => params,
        Err(error) => return browser::error_page(app, &caller, error),
    };
    caller.prefer_locales(params.opt("ui_locales"));
    let request = to_query(&params);
    // Re-encoding can make it longer, and it must still fit when it returns from sign-in.
    let extra = params.opt(AUTH_AFTER).map_or(0, |_| AUTH_AFTER_BYTES);
    if request.len() > MAX_REQUEST_BYTES + extra {
        return browser::error_page(app, &caller, PageError::TooLarge);
    }
    let authorize = Authorize {
        params,
        cookie: app.cookies.get(&caller.headers, Cookie::Session),
        decision,
        peer: caller.peer.clone(),
    };
    let reply = match app.run_traced(authorize, &caller.trace).await {
        Ok(outcome) => outcome.reply,
        Err(error) => return browser::unavailable(app, &caller, &error),
    };
    match reply {
        Ok(AuthorizeReply::Respond(response)) => respond(app, &caller, &response),
        Ok(AuthorizeReply::Consent(ask)) => consent(app, &caller, &ask, request),
        Ok(AuthorizeReply::SignIn) => {
            let request = without_auth_after(&request).finish();
            browser::redirect_to_login(app, &ReturnTo::Authorize(request))
        }
        Err(refusal) => refuse_without_redirect(app, &caller, &request, &refusal),
    }
}

pub(super) fn parse(query: &str) -> Result<Params, PageError> {
    if query.len() > MAX_REQUEST_BYTES + AUTH_AFTER_BYTES {
        return Err(PageError::TooLarge);
    }
    Params::parse(query.as_bytes()).map_err(|_| PageError::BadRequest)
}

/// Encodes the parsed parameters.
pub(super) fn to_query(params: &Params) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(params.iter()).finish()
}

fn without_auth_after(request: &str) -> Serializer<'static, String> {
    let pairs = url::form_urlencoded::parse(request.as_bytes());
    let mut query = Serializer::new(String::new());
    query.extend_pairs(pairs.filter(|(name, _)| name != AUTH_AFTER));
    query
}

/// The request for after sign-in, which proves that this session cookie is of a sign-in for it.
pub(super) fn with_sign_in(app: &App, request: &str, cookie: &Secret) -> String {
    let Ok(params) = parse(request) else {
        return request.to_owned();
    };
    let proof = sign_in_proof(&app.realm().sealing, cookie, &params);
    let mut query = without_auth_after(request);
    query.append_pair(AUTH_AFTER, &proof).finish()
}

fn respond(app: &App, caller: &Caller, response: &AuthorizationResponse) -> Response {
    if let Err(refusal) = &response.outcome {
        let client = Some(response.redirect.client().as_str());
        oauth::log_refusal(app, caller, client, refusal);
    }
    let trace = caller.trace.as_str();
    match response.redirect.mode() {
        ResponseMode::Query => browser::see_other(&response.location(trace)),
        ResponseMode::FormPost => {
            let fields = response.parameters(trace).into_iter();
            let fields = fields.map(|(name, value)| Field {
                name: name.to_owned(),
                value,
            });
            let action = response.redirect.uri().to_owned();
            let page = FormPost::new(app.site.clone(), action, fields.collect());
            let policy = page.content_security_policy();
            browser::page_with_policy(app, caller, StatusCode::OK, &page, &policy)
        }
    }
}

/// The form token is bound to the session and to this request, so the form is not valid for another one.
fn consent(app: &App, caller: &Caller, ask: &ConsentPrompt, request: String) -> Response {
    let realm = app.realm();
    let page = Consent {
        site: app.site.clone(),
        account: browser::account(app, &ask.visitor),
        form_token: Binding::Session(ask.visitor.session).token(
            &realm,
            Action::consent(&request),
            app.now(),
        ),
        request,
        client_name: ask.client_name.clone(),
        client_id: ask.client.to_string(),
        scopes: browser::scope_lines(&realm, &ask.scope),
        asked_again: ask.agreed_before,
        goes_to: destination(ask.redirect.uri()),
    };
    let redirect_uri = Some(ask.redirect.uri());
    browser::page_of_request(app, caller, StatusCode::OK, &page, redirect_uri)
}

/// RFC 6749 section 4.1.2.1: the error is shown to the user, without a redirect.
fn refuse_without_redirect(
    app: &App,
    caller: &Caller,
    request: &str,
    refusal: &Refusal,
) -> Response {
    let params = parse(request).ok();
    let client = params.as_ref().and_then(|params| params.opt("client_id"));
    oauth::log_refusal(app, caller, client, refusal);
    let fault = match refusal.cause {
        Cause::UnknownClient => PageError::UnknownClient,
        _ => PageError::RedirectUri,
    };
    browser::error_page(app, caller, fault)
}

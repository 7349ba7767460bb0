//! `/oauth2/authorize` (RFC 6749 section 3.1, OpenID Connect Core section 3.1.2): a user lets a client have a code.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use grantor_core::base::error::{Cause, Refusal};
use grantor_core::base::params::Params;
use grantor_core::endpoints::authorize::{
    AUTH_AFTER, AuthorizationResponse, Authorize, AuthorizeReply, ConsentDecision, ConsentPrompt,
    ResponseMode,
};
use grantor_core::model::endpoint::Endpoint;
use grantor_core::people::{Action, Binding};
use http::StatusCode;

use super::browser::{self, ReturnTo};
use crate::app::App;
use crate::cookies::Cookie;
use crate::oauth;
use crate::pages::{Consent, Fault, Field, FormPost, destination};
use crate::request::{Caller, Form};

/// The longest request, in bytes: servers and browsers on the way take heads of 8 KiB for granted, not more.
const LONGEST: usize = 8 * 1024;
/// What [`AUTH_AFTER`] may add to it.
const ROOM: usize = 64;

pub(crate) async fn get(State(app): State<Arc<App>>, caller: Caller) -> Response {
    let query = caller.query().unwrap_or_default().to_owned();
    answer(&app, caller, &query, None).await
}

/// A POST becomes a GET: the session's cookie is `SameSite=Lax` and does not come with another site's POST. RFC 6749
/// section 3.1: "The authorization server MUST support the use of the HTTP "GET" method … and MAY support the use of
/// the "POST" method as well."
pub(crate) async fn post(State(app): State<Arc<App>>, form: Form) -> Response {
    match &form.params {
        Ok(params) => {
            let location = format!(
                "{}{}?{}",
                app.site.path,
                Endpoint::Authorize.path(),
                query_of(params)
            );
            browser::see_other(&location)
        }
        Err(error) => browser::fault(&app, &form.caller, browser::fault_of(*error)),
    }
}

/// What comes of a request, before or after its user was asked.
pub(super) async fn answer(
    app: &Arc<App>,
    mut caller: Caller,
    query: &str,
    decision: Option<ConsentDecision>,
) -> Response {
    let params = match parse(query) {
        Ok(params) => params,
        Err(fault) => return browser::fault(app, &caller, fault),
    };
    caller.prefer_locales(params.opt("ui_locales"));
    let request = query_of(&params);
    // Written anew it can be longer, and it must come back whole from sign-in.
    let room = params.opt(AUTH_AFTER).map_or(0, |_| ROOM);
    if request.len() > LONGEST + room {
        return browser::fault(app, &caller, Fault::TooLarge);
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
        Ok(AuthorizeReply::SignIn { after }) => {
            let request = with_auth_after(&request, after.as_millis());
            browser::sign_in_first(app, &ReturnTo::Authorize(request))
        }
        Err(refusal) => unproven(app, &caller, &refusal),
    }
}

/// The parameters of a request.
pub(super) fn parse(query: &str) -> Result<Params, Fault> {
    if query.len() > LONGEST + ROOM {
        return Err(Fault::TooLarge);
    }
    Params::parse(query.as_bytes()).map_err(|_| Fault::BadRequest)
}

/// The request as text, made anew from what was understood.
pub(super) fn query_of(params: &Params) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(params.iter()).finish()
}

/// The request as it comes back from sign-in.
fn with_auth_after(request: &str, millis: u64) -> String {
    let pairs = url::form_urlencoded::parse(request.as_bytes());
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query
        .extend_pairs(pairs.filter(|(name, _)| name != AUTH_AFTER))
        .append_pair(AUTH_AFTER, &millis.to_string())
        .finish()
}

fn respond(app: &App, caller: &Caller, response: &AuthorizationResponse) -> Response {
    if let Err(refusal) = &response.outcome {
        oauth::log_refusal(app, caller, refusal);
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
            let targets = browser::form_action_targets(&app.realm(), &response.redirect);
            let policy = page.content_security_policy(&targets);
            browser::page_under(app, caller, StatusCode::OK, &page, &policy)
        }
    }
}

/// The form is bound to the session and to this very request: it can be sent for no other.
fn consent(app: &App, caller: &Caller, ask: &ConsentPrompt, request: String) -> Response {
    let realm = app.realm();
    let page = Consent {
        site: app.site.clone(),
        account: browser::account(app, &ask.visitor),
        form_token: Binding::Session(ask.visitor.session).token(&realm, Action::consent(&request)),
        request,
        client_name: ask.client_name.clone(),
        client_id: ask.client.to_string(),
        scopes: browser::scope_lines(&realm, &ask.scope),
        asked_again: ask.agreed_before,
        goes_to: destination(ask.redirect.uri()),
    };
    let targets = browser::form_action_targets(&realm, &ask.redirect);
    browser::page_to(app, caller, StatusCode::OK, &page, &targets)
}

/// RFC 6749 section 4.1.2.1: the user is told, and sent nowhere.
fn unproven(app: &App, caller: &Caller, refusal: &Refusal) -> Response {
    oauth::log_refusal(app, caller, refusal);
    let fault = match refusal.cause {
        Cause::UnknownClient => Fault::UnknownClient,
        _ => Fault::RedirectUri,
    };
    browser::fault(app, caller, fault)
}

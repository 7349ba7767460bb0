//! `/oauth2/authorize` (RFC 6749 section 3.1, OpenID Connect Core section 3.1.2).

use axum::response::Response;
use grantor_core::base::error::{Cause, Refusal};
use grantor_core::base::params::Params;
use grantor_core::base::secret::Secret;
use grantor_core::endpoints::authorize::{
    AUTH_AFTER, AuthorizationRequest, AuthorizationResponse, Authorize, AuthorizeReply,
    ConsentAnswer, ConsentPrompt, DescribeSignIn, ResponseMode, SignInContext, sign_in_proof,
};
use grantor_core::engine::event::Event;
use grantor_core::model::endpoint::Endpoint;
use grantor_core::tokens::handles::PresentedCookie;
use http::StatusCode;
use url::form_urlencoded::Serializer;

use super::browser;
use super::return_to::ReturnTo;
use crate::app::Unavailable;
use crate::context::{Context, PostedForm};
use crate::pages::{BackToClient, Consent, Field, FormPost, PageError, Withheld, destination};
use crate::refusal::{self, AskingClient};

/// Browsers and proxies support headers of 8 KiB, but not all support more.
const MAX_QUERY_BYTES: usize = 8 * 1024;
/// A request in a field of our forms. A field has at most 16 KiB.
const MAX_REQUEST_BYTES: usize = 15 * 1024;
/// What [`AUTH_AFTER`] may add to a request.
const AUTH_AFTER_BYTES: usize = 64;

pub(crate) async fn get(context: Context) -> Response {
    match parse_query(context.caller.query()) {
        Ok(params) => handle(context, &params, None).await,
        Err(error) => context.error_page(error),
    }
}

/// RFC 6749 section 3.1: "The authorization server MUST support the use of the HTTP "GET" method … and MAY support the use of
/// the "POST" method as well."
pub(crate) async fn post(posted: PostedForm) -> Response {
    let PostedForm { context, params } = posted;
    match params {
        Ok(params) if context.must_come_again() => send_again(&context, &params).await,
        Ok(params) => handle(context, &params, None).await,
        Err(error) => context.error_page(error.into()),
    }
}

/// Handles a request, with the user's decision after the consent page.
pub(super) async fn handle(
    mut context: Context,
    params: &Params,
    decision: Option<ConsentAnswer>,
) -> Response {
    context.caller.prefer_locales(params.opt("ui_locales"));
    let request = to_query(params);
    // Re-encoding can make it longer, and it must still fit when it returns from sign-in.
    let extra = params.opt(AUTH_AFTER).map_or(0, |_| AUTH_AFTER_BYTES);
    if request.len() > MAX_REQUEST_BYTES + extra {
        return context.error_page(PageError::TooLarge);
    }
    let cookie = context.cookie.clone();
    let outcome = context
        .run(operation(&context, params, cookie, decision))
        .await;
    let outcome = match outcome {
        Ok(outcome) => outcome,
        Err(error) => return context.unavailable(&error),
    };
    let asking = AskingClient {
        known: outcome.client.as_deref(),
        named: params.opt("client_id"),
    };
    let (reply, events) = (outcome.reply, &outcome.events);
    match reply {
        Ok(AuthorizeReply::Respond(response)) => respond(&context, &response, asking, events),
        Ok(AuthorizeReply::Consent(ask)) => consent(&context, &ask, request),
        Ok(AuthorizeReply::SignIn) => {
            let request = without_auth_after(params);
            context.go_to_login(&ReturnTo::Authorize(request)).await
        }
        Err(refusal) => refuse_without_redirect(&context, asking, &refusal),
    }
}

fn operation(
    context: &Context,
    params: &Params,
    cookie: Option<PresentedCookie>,
    decision: Option<ConsentAnswer>,
) -> Authorize {
    Authorize {
        request: AuthorizationRequest::parse(params),
        cookie,
        decision,
        peer: context.caller.peer.clone(),
    }
}

pub(super) fn parse_query(query: Option<&str>) -> Result<Params, PageError> {
    let query = query.unwrap_or_default();
    if query.len() > MAX_QUERY_BYTES + AUTH_AFTER_BYTES {
        return Err(PageError::TooLarge);
    }
    parse(query)
}

/// A request in a field of our forms.
pub(super) fn parse(request: &str) -> Result<Params, PageError> {
    if request.len() > MAX_REQUEST_BYTES + AUTH_AFTER_BYTES {
        return Err(PageError::TooLarge);
    }
    Params::parse(request.as_bytes()).map_err(|_| PageError::BadRequest)
}

/// Encodes the parsed parameters.
pub(super) fn to_query(params: &Params) -> String {
    let mut query = Serializer::new(String::new());
    query.extend_pairs(params.iter()).finish()
}

fn without_auth_after(params: &Params) -> String {
    let mut query = Serializer::new(String::new());
    let own = params.iter().filter(|(name, _)| *name != AUTH_AFTER);
    query.extend_pairs(own).finish()
}

/// Sends the browser to the request, as it came.
pub(super) async fn go_to(context: &Context, params: &Params) -> Response {
    match context.redirect_to(Endpoint::Authorize, &to_query(params)) {
        Some(short) => short,
        None => send_again(context, params).await,
    }
}

async fn send_again(context: &Context, params: &Params) -> Response {
    match describe(context, params, None).await {
        Ok(known) => {
            let redirect_uri = known.as_ref().map(|known| known.redirect.uri());
            context.send_again(Endpoint::Authorize, &to_query(params), redirect_uri)
        }
        Err(error) => context.unavailable(&error),
    }
}

/// What is known of a request that waits for a sign-in. Nothing is read without a session or an `id_token_hint`.
pub(super) async fn describe(
    context: &Context,
    params: &Params,
    cookie: Option<PresentedCookie>,
) -> Result<Option<SignInContext>, Unavailable> {
    let describe = DescribeSignIn {
        request: AuthorizationRequest::parse(params),
        cookie,
    };
    let Ok(known) = context.run(describe).await?.reply;
    Ok(known)
}

/// After a sign-in: on to the request, with the proof that this session cookie is of a sign-in for it. A request that is too
/// long for a redirect is handled here, so that no page comes between the form and the client; the consent page is another
/// request, since this one holds a password.
pub(super) async fn after_sign_in(context: &Context, request: &str, session: &Secret) -> Response {
    let params = match parse(request) {
        Ok(params) => params,
        Err(error) => return context.error_page(error),
    };
    let proof = sign_in_proof(&context.realm().sealing, session, &params);
    // The proof is base64url.
    let query = format!("{}&{AUTH_AFTER}={proof}", without_auth_after(&params));
    if let Some(short) = context.redirect_to(Endpoint::Authorize, &query) {
        return short;
    }
    let params = match parse(&query) {
        Ok(params) => params,
        Err(error) => return context.error_page(error),
    };
    let cookie = PresentedCookie::open(&context.realm().sealing, session.clone());
    let outcome = context.run(operation(context, &params, cookie, None)).await;
    let outcome = match outcome {
        Ok(outcome) => outcome,
        Err(error) => return context.unavailable(&error),
    };
    let asking = AskingClient {
        known: outcome.client.as_deref(),
        named: params.opt("client_id"),
    };
    let (reply, events) = (outcome.reply, &outcome.events);
    match reply {
        Ok(AuthorizeReply::Respond(response)) => respond(context, &response, asking, events),
        Ok(AuthorizeReply::Consent(ask)) => {
            let redirect_uri = Some(ask.redirect.uri());
            context.send_again(Endpoint::Authorize, &query, redirect_uri)
        }
        // The session ended meanwhile.
        Ok(AuthorizeReply::SignIn) => context.send_again(Endpoint::Authorize, &query, None),
        Err(refusal) => refuse_without_redirect(context, asking, &refusal),
    }
}

fn respond(
    context: &Context,
    response: &AuthorizationResponse,
    client: AskingClient<'_>,
    events: &[Event],
) -> Response {
    let caller = &context.caller;
    if let Err(refusal) = &response.outcome {
        refusal::log_refusal(&context.app, caller, client, refusal, events);
    }
    let trace = caller.trace.as_str();
    match response.redirect.mode() {
        ResponseMode::Query | ResponseMode::Fragment => {
            browser::see_other(&response.location(trace))
        }
        ResponseMode::FormPost => {
            let fields = response.parameters(trace).into_iter();
            let fields = fields.map(|(name, value)| Field {
                name: name.to_owned(),
                value,
            });
            let redirect_uri = response.redirect.uri();
            let site = context.site().clone();
            let page = FormPost::new(site, redirect_uri.to_owned(), fields.collect());
            context.form_post(&page, Some(redirect_uri))
        }
    }
}

/// The form token is bound to the session and to this request, so the form is not valid for another one.
fn consent(context: &Context, ask: &ConsentPrompt, request: String) -> Response {
    if let Some(why) = ask.withheld {
        let page = Withheld {
            site: context.site().clone(),
            account: context.account(&ask.visitor),
            client_name: ask.client_name.clone(),
            why: why.into(),
            back: Some(BackToClient {
                form_token: context.consent_token(ask, &request),
                request,
            }),
        };
        let redirect_uri = Some(ask.redirect.uri());
        return context.page_of_request(StatusCode::FORBIDDEN, &page, redirect_uri);
    }
    let (asked, agreed) = (&ask.asked, ask.agreed_before.as_ref());
    let is_new = |scope: &&str| agreed.is_some_and(|agreed| !agreed.scope.contains(scope));
    let is_new_claim = |claim| agreed.is_some_and(|agreed| !agreed.claims.contains(claim));
    let page = Consent {
        site: context.site().clone(),
        account: context.account(&ask.visitor),
        form_token: context.consent_token(ask, &request),
        request,
        client_name: ask.client_name.clone(),
        client_id: ask.client.to_string(),
        scopes: browser::scope_lines(context.realm(), &asked.scope),
        claims: asked.claims.clone(),
        asked_again: agreed.is_some(),
        new_scopes: asked
            .scope
            .iter()
            .filter(is_new)
            .map(ToOwned::to_owned)
            .collect(),
        new_claims: asked.claims.iter().any(is_new_claim),
        goes_to: destination(ask.redirect.uri()),
    };
    context.page_of_request(StatusCode::OK, &page, Some(ask.redirect.uri()))
}

/// RFC 6749 section 4.1.2.1: the error is shown to the user, without a redirect.
fn refuse_without_redirect(
    context: &Context,
    client: AskingClient<'_>,
    refusal: &Refusal,
) -> Response {
    refusal::log_refusal(&context.app, &context.caller, client, refusal, &[]);
    context.refusal_page(
        match refusal.cause {
            Cause::UnknownClient => PageError::UnknownClient,
            Cause::RedirectUriMissing | Cause::RedirectUriOther => PageError::RedirectUri,
            _ => PageError::NotSupported,
        },
        refusal,
    )
}

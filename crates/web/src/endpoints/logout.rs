//! `/oauth2/logout` (OpenID Connect RP-Initiated Logout) for clients, and `/logout` for users. A GET
//! asks for confirmation, which is sent as `POST /logout`; only a client that needs no consent ends the session of its own ID
//! token at once.

use axum::response::Response;
use grantor_core::base::params::Params;
use grantor_core::endpoints::logout::{Logout, LogoutPrompt, LogoutReply, LogoutRequest};
use grantor_core::model::endpoint::Endpoint;
use grantor_core::people::Action;
use http::StatusCode;

use super::{authorize, browser};
use crate::app::Unavailable;
use crate::context::{Context, PostedForm};
use crate::pages::{self, PageError, SignedOut};
use crate::refusal::{self, AskingClient};

pub(crate) async fn get(context: Context) -> Response {
    match authorize::parse_query(context.caller.query()) {
        Ok(params) => handle(context, &params, false).await,
        Err(error) => context.error_page(error),
    }
}

/// Section 2: "OpenID Providers MUST support the use of the HTTP "GET" and "POST" methods".
pub(crate) async fn post(posted: PostedForm) -> Response {
    let PostedForm { context, params } = posted;
    match params {
        Ok(params) if context.must_come_again() => {
            let query = authorize::to_query(&params);
            match redirect_uri(&context, &params).await {
                Ok(uri) => context.send_again(Endpoint::EndSession, &query, uri.as_deref()),
                Err(error) => context.unavailable(&error),
            }
        }
        Ok(params) => handle(context, &params, false).await,
        Err(error) => context.error_page(error.into()),
    }
}

pub(crate) async fn page(context: Context) -> Response {
    handle(context, &Params::default(), false).await
}

/// The user confirmed. The form token is bound to the session and to the client's request, if any.
pub(crate) async fn confirm(posted: PostedForm) -> Response {
    let PostedForm { context, params } = posted;
    let form = match params {
        Ok(form) => form,
        Err(error) => return context.error_page(error.into()),
    };
    let request = form.opt("request");
    let params = match authorize::parse(request.unwrap_or_default()) {
        Ok(params) => params,
        Err(error) => return context.error_page(error),
    };
    if context.accepts(Action::sign_out(request), &form) {
        return handle(context, &params, true).await;
    }
    // Asks again, or says that the user is signed out.
    let Some(request) = request else {
        return browser::see_other(&format!("{}/logout", context.site().path));
    };
    match redirect_uri(&context, &params).await {
        Ok(uri) => context.send_on(Endpoint::EndSession, request, uri.as_deref()),
        Err(error) => context.unavailable(&error),
    }
}

/// Where the request leads without a session.
async fn redirect_uri(context: &Context, params: &Params) -> Result<Option<String>, Unavailable> {
    let logout = Logout {
        request: LogoutRequest::parse(params),
        cookie: None,
        confirmed: false,
        peer: context.caller.peer.clone(),
    };
    Ok(match context.run(logout).await?.reply {
        Ok(LogoutReply::Redirect { location, .. }) => Some(location),
        _ => None,
    })
}

async fn handle(mut context: Context, params: &Params, confirmed: bool) -> Response {
    context.caller.prefer_locales(params.opt("ui_locales"));
    let logout = Logout {
        request: LogoutRequest::parse(params),
        cookie: context.cookie.clone(),
        confirmed,
        peer: context.caller.peer.clone(),
    };
    // Only after the session has ended, not if the store was unavailable.
    let remove_cookie = |response, ended: bool| {
        let cookies = (ended || confirmed).then(|| context.remove_session());
        browser::with_cookies(response, cookies.into_iter().flatten())
    };
    let outcome = match context.run(logout).await {
        Ok(outcome) => outcome,
        Err(error) => return context.unavailable(&error),
    };
    let client = AskingClient {
        known: outcome.client.as_deref(),
        named: params.opt("client_id"),
    };
    match outcome.reply {
        Ok(LogoutReply::Confirm(ask)) => ask_confirmation(&context, client, *ask),
        Ok(LogoutReply::Redirect { location, ended }) => {
            remove_cookie(browser::see_other(&location), ended)
        }
        Ok(LogoutReply::SignedOut { client_name, ended }) => {
            let site = context.site().clone();
            let page = SignedOut { site, client_name };
            remove_cookie(context.page(StatusCode::OK, &page), ended)
        }
        Err(refusal) => {
            refusal::log_refusal(&context.app, &context.caller, client, &refusal, &[]);
            context.refusal_page(PageError::BadLogout, &refusal)
        }
    }
}

fn ask_confirmation(context: &Context, client: AskingClient<'_>, ask: LogoutPrompt) -> Response {
    // The status and the log tell the client's developers that the request was refused.
    let status = match &ask.refused {
        Some(refusal) => {
            refusal::log_refusal(&context.app, &context.caller, client, refusal, &[]);
            StatusCode::BAD_REQUEST
        }
        None => StatusCode::OK,
    };
    let action = Action::sign_out(ask.request.as_deref());
    let page = pages::Logout {
        site: context.site().clone(),
        username: ask.visitor.username,
        form_token: context.form_token(ask.visitor.session, action),
        client_name: ask.client_name,
        request: ask.request,
        refused: ask.refused.map(|refusal| refusal.description()),
        trace_id: context.caller.trace.as_str().to_owned(),
    };
    match ask.redirect_uri.as_deref() {
        None => context.page(status, &page),
        redirect_uri => context.page_of_request(status, &page, redirect_uri),
    }
}

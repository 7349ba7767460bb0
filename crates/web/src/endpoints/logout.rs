//! `/oauth2/logout` (OpenID Connect RP-Initiated Logout) for clients, and `/logout` for users. A GET changes nothing: it
//! asks for confirmation, which is sent as `POST /logout`.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use grantor_core::endpoints::logout::{Logout, LogoutPrompt, LogoutReply};
use grantor_core::model::endpoint::Endpoint;
use grantor_core::people::{Action, Binding};
use http::StatusCode;

use super::{authorize, browser};
use crate::app::App;
use crate::cookies::Cookie;
use crate::oauth;
use crate::pages::{self, PageError, SignedOut};
use crate::request::{Caller, Form};

pub(crate) async fn get(State(app): State<Arc<App>>, caller: Caller) -> Response {
    let query = caller.query().unwrap_or_default().to_owned();
    handle(&app, caller, &query, false).await
}

/// Section 2: "OpenID Providers MUST support the use of the HTTP "GET" and "POST" methods".
pub(crate) async fn post(State(app): State<Arc<App>>, form: Form) -> Response {
    authorize::redirect_to_get(&app, &form, Endpoint::EndSession)
}

pub(crate) async fn page(State(app): State<Arc<App>>, caller: Caller) -> Response {
    handle(&app, caller, "", false).await
}

/// The user confirmed. The form token is bound to the session and to the client's request, if any.
pub(crate) async fn confirm(State(app): State<Arc<App>>, posted: Form) -> Response {
    let binding = browser::session_binding(&app, &posted.caller);
    let checked = browser::checked_form(&app, &posted, binding.as_ref(), |params| {
        Some(Action::sign_out(params.opt("request")))
    });
    match checked {
        Ok(params) => {
            let request = params.opt("request").unwrap_or_default();
            handle(&app, posted.caller.clone(), request, true).await
        }
        Err(response) => *response,
    }
}

async fn handle(app: &Arc<App>, mut caller: Caller, query: &str, confirmed: bool) -> Response {
    let params = match authorize::parse(query) {
        Ok(params) => params,
        Err(error) => return browser::error_page(app, &caller, error),
    };
    caller.prefer_locales(params.opt("ui_locales"));
    let client = params.opt("client_id").map(ToOwned::to_owned);
    let client = client.as_deref();
    let logout = Logout {
        params,
        cookie: app.cookies.get(&caller.headers, Cookie::Session),
        confirmed,
    };
    // Only after the session has ended, not if the store was unavailable.
    let remove_cookie = |response| {
        let cookie = confirmed.then(|| app.cookies.remove(Cookie::Session));
        browser::with_cookies(response, cookie)
    };
    let outcome = app.run_traced(logout, &caller.trace).await;
    match outcome.map(|outcome| outcome.reply) {
        Ok(Ok(LogoutReply::Confirm(ask))) => ask_confirmation(app, &caller, client, *ask),
        Ok(Ok(LogoutReply::Redirect(location))) => remove_cookie(browser::see_other(&location)),
        Ok(Ok(LogoutReply::SignedOut { client_name })) => {
            let site = app.site.clone();
            let page = SignedOut { site, client_name };
            remove_cookie(browser::page(app, &caller, StatusCode::OK, &page))
        }
        Ok(Err(refusal)) => {
            oauth::log_refusal(app, &caller, client, &refusal);
            browser::error_page(app, &caller, PageError::BadLogout)
        }
        Err(error) => browser::unavailable(app, &caller, &error),
    }
}

fn ask_confirmation(
    app: &App,
    caller: &Caller,
    client: Option<&str>,
    ask: LogoutPrompt,
) -> Response {
    // The status and the log tell the client's developers that the request was refused.
    let status = match &ask.refused {
        Some(refusal) => {
            oauth::log_refusal(app, caller, client, refusal);
            StatusCode::BAD_REQUEST
        }
        None => StatusCode::OK,
    };
    let action = Action::sign_out(ask.request.as_deref());
    let page = pages::Logout {
        site: app.site.clone(),
        username: ask.visitor.username,
        form_token: Binding::Session(ask.visitor.session).token(&app.realm(), action, app.now()),
        client_name: ask.client_name,
        request: ask.request,
        refused: ask.refused.is_some(),
        trace_id: caller.trace.as_str().to_owned(),
    };
    match ask.redirect_uri.as_deref() {
        None => browser::page(app, caller, status, &page),
        redirect_uri => browser::page_of_request(app, caller, status, &page, redirect_uri),
    }
}

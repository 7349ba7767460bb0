//! `/oauth2/logout` (OpenID Connect RP-Initiated Logout) and `/logout`: signing out of this browser, asked for by a client or
//! by the user alone. A GET changes nothing: it asks, and the answer comes as `POST /logout`.

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
use crate::pages::{self, Fault, SignedOut};
use crate::request::{Caller, Form};

/// A client asks.
pub(crate) async fn get(State(app): State<Arc<App>>, caller: Caller) -> Response {
    let query = caller.query().unwrap_or_default().to_owned();
    answer(&app, caller, &query, false).await
}

/// As at the authorization endpoint, a POST becomes a GET: the session's cookie does not come with another site's POST.
/// Section 2: "OpenID Providers MUST support the use of the HTTP "GET" and "POST" methods".
pub(crate) async fn post(State(app): State<Arc<App>>, form: Form) -> Response {
    match &form.params {
        Ok(params) => {
            let query = authorize::query_of(params);
            browser::see_other(&format!(
                "{}{}?{query}",
                app.site.path,
                Endpoint::EndSession.path()
            ))
        }
        Err(error) => browser::fault(&app, &form.caller, browser::fault_of(*error)),
    }
}

/// The user asks.
pub(crate) async fn page(State(app): State<Arc<App>>, caller: Caller) -> Response {
    answer(&app, caller, "", false).await
}

/// The user said yes. The form is bound to the session and, where a client asked, to its very request.
pub(crate) async fn confirm(State(app): State<Arc<App>>, posted: Form) -> Response {
    let binding = browser::session_binding(&app, &posted.caller);
    let checked = browser::checked_form(&app, &posted, binding.as_ref(), |params| {
        Some(Action::sign_out(params.opt("request")))
    });
    match checked {
        Ok(params) => {
            let request = params.opt("request").unwrap_or_default();
            answer(&app, posted.caller.clone(), request, true).await
        }
        Err(response) => *response,
    }
}

async fn answer(app: &Arc<App>, mut caller: Caller, query: &str, confirmed: bool) -> Response {
    let params = match authorize::parse(query) {
        Ok(params) => params,
        Err(fault) => return browser::fault(app, &caller, fault),
    };
    caller.prefer_locales(params.opt("ui_locales"));
    let logout = Logout {
        params,
        cookie: app.cookies.get(&caller.headers, Cookie::Session),
        confirmed,
    };
    // A cookie goes when its session has gone, and not where the store was away.
    let over = |response| {
        let cookie = confirmed.then(|| app.cookies.remove(Cookie::Session));
        browser::with_cookies(response, cookie)
    };
    let outcome = app.run_traced(logout, &caller.trace).await;
    match outcome.map(|outcome| outcome.reply) {
        Ok(Ok(LogoutReply::Confirm(ask))) => ask_first(app, &caller, *ask),
        Ok(Ok(LogoutReply::Redirect(location))) => over(browser::see_other(&location)),
        Ok(Ok(LogoutReply::SignedOut { client_name })) => {
            let site = app.site.clone();
            let page = SignedOut { site, client_name };
            over(browser::page(app, &caller, StatusCode::OK, &page))
        }
        Ok(Err(refusal)) => {
            oauth::log_refusal(app, &caller, &refusal);
            browser::fault(app, &caller, Fault::BadLogout)
        }
        Err(error) => browser::unavailable(app, &caller, &error),
    }
}

fn ask_first(app: &App, caller: &Caller, ask: LogoutPrompt) -> Response {
    // Those who made the client's request learn by status and log that nothing of it counts.
    let status = match &ask.refused {
        Some(refusal) => {
            oauth::log_refusal(app, caller, refusal);
            StatusCode::BAD_REQUEST
        }
        None => StatusCode::OK,
    };
    let action = Action::sign_out(ask.request.as_deref());
    let page = pages::Logout {
        site: app.site.clone(),
        username: ask.visitor.username,
        form_token: Binding::Session(ask.visitor.session).token(&app.realm(), action),
        client_name: ask.client_name,
        request: ask.request,
        refused: ask.refused.is_some(),
    };
    match ask.form_action_targets.as_slice() {
        [] => browser::page(app, caller, status, &page),
        form_action_targets => browser::page_to(app, caller, status, &page, form_action_targets),
    }
}

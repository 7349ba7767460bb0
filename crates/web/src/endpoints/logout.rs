//! `/logout`: signing out of this browser.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use grantor_core::interaction::{Action, Binding, SignOut};
use http::StatusCode;

use super::browser;
use crate::app::App;
use crate::cookies::Cookie;
use crate::pages::{Logout, SignedOut};
use crate::request::{Caller, Form};

/// A GET changes nothing: it asks.
pub(crate) async fn get(State(app): State<Arc<App>>, caller: Caller) -> Response {
    match browser::visitor(&app, &caller).await {
        Ok(Some(visitor)) => {
            let form_token = Binding::Session(visitor.session).token(&app.pool(), Action::SignOut);
            let logout = Logout {
                site: app.site.clone(),
                username: visitor.username,
                form_token,
                client_name: None,
                request: None,
            };
            browser::page(&app, &caller, StatusCode::OK, &logout)
        }
        Ok(None) => signed_out(&app, &caller),
        Err(error) => browser::unavailable(&app, &caller, &error),
    }
}

pub(crate) async fn post(State(app): State<Arc<App>>, posted: Form) -> Response {
    let caller = &posted.caller;
    let binding = browser::session_binding(&app, caller);
    if let Err(response) =
        browser::checked_form(&app, &posted, binding.as_ref(), |_| Some(Action::SignOut))
    {
        return *response;
    }
    let cookie = app.cookies.get(&caller.headers, Cookie::Session);
    match app.run_traced(SignOut { cookie }, &caller.trace).await {
        Ok(_) => browser::with_cookies(
            signed_out(&app, caller),
            [app.cookies.remove(Cookie::Session)],
        ),
        Err(error) => browser::unavailable(&app, caller, &error),
    }
}

fn signed_out(app: &App, caller: &Caller) -> Response {
    browser::page(
        app,
        caller,
        StatusCode::OK,
        &SignedOut {
            site: app.site.clone(),
            client_name: None,
        },
    )
}

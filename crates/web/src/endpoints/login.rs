//! `/login`: signing in with a password.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use grantor_core::interaction::{Action, Binding, SignIn, SignInReply};
use grantor_core::params::Params;
use grantor_core::secret::Secret;
use http::StatusCode;

use super::browser::{self, KNOWN_BROWSER, ReturnTo};
use crate::app::App;
use crate::cookies::Cookie;
use crate::pages::{Login, LoginProblem};
use crate::request::{Caller, Form};

pub(crate) async fn get(State(app): State<Arc<App>>, caller: Caller) -> Response {
    let query = Params::parse(caller.query().unwrap_or_default().as_bytes()).ok();
    let return_to = query.as_ref().and_then(|query| query.opt("return_to"));
    let return_to = ReturnTo::parse(return_to, &app.site.path);
    form(
        &app,
        &caller,
        StatusCode::OK,
        &return_to,
        String::new(),
        None,
    )
}

pub(crate) async fn post(State(app): State<Arc<App>>, posted: Form) -> Response {
    let caller = &posted.caller;
    let binding = pre_session(&app, caller).map(Binding::PreSession);
    let params =
        match browser::checked_form(&app, &posted, binding.as_ref(), |_| Some(Action::SignIn)) {
            Ok(params) => params,
            Err(response) => return *response,
        };
    let return_to = ReturnTo::parse(params.opt("return_to"), &app.site.path);
    let username = params.opt("username").unwrap_or_default().to_owned();
    let sign_in = SignIn {
        username: username.clone(),
        password: Secret::new(params.opt("password").unwrap_or_default()),
        previous: app.cookies.get(&caller.headers, Cookie::Session),
        known_browser: app.cookies.get(&caller.headers, Cookie::KnownBrowser),
        peer: caller.peer.clone(),
    };
    let outcome = match app.run_traced(sign_in, &caller.trace).await {
        Ok(outcome) => outcome,
        Err(error) => return browser::unavailable(&app, caller, &error),
    };
    match outcome.reply {
        Ok(SignInReply::SignedIn {
            session,
            known_browser,
        }) => {
            let cookies = [
                app.cookies.set(Cookie::Session, session.reveal(), None),
                app.cookies.set(
                    Cookie::KnownBrowser,
                    known_browser.reveal(),
                    Some(KNOWN_BROWSER),
                ),
                app.cookies.remove(Cookie::PreSession),
            ];
            browser::with_cookies(browser::see_other(&return_to.path(&app)), cookies)
        }
        Ok(SignInReply::TooMany { retry_after }) => {
            let problem = LoginProblem::TooManyTries {
                minutes: browser::minutes(retry_after),
            };
            let status = StatusCode::TOO_MANY_REQUESTS;
            let response = form(&app, caller, status, &return_to, username, Some(problem));
            browser::with_retry_after(response, retry_after)
        }
        Ok(SignInReply::Wrong) | Err(_) => {
            let problem = Some(LoginProblem::WrongCredentials);
            form(
                &app,
                caller,
                StatusCode::BAD_REQUEST,
                &return_to,
                username,
                problem,
            )
        }
    }
}

/// The sign-in form, its token bound to a cookie of this browser: nobody can sign a victim in as somebody else.
fn form(
    app: &App,
    caller: &Caller,
    status: StatusCode,
    return_to: &ReturnTo,
    username: String,
    problem: Option<LoginProblem>,
) -> Response {
    let known = pre_session(app, caller);
    let fresh = format!(
        "{:032x}",
        u128::from_be_bytes(app.seed().bytes("pre-session"))
    );
    let cookie = known.clone().unwrap_or(fresh);
    let login = Login {
        site: app.site.clone(),
        form_token: Binding::PreSession(cookie.clone()).token(&app.pool(), Action::SignIn),
        return_to: return_to.path(app),
        username,
        client_name: None,
        again: false,
        for_device: matches!(return_to, ReturnTo::Device(_)),
        problem,
    };
    let response = browser::page(app, caller, status, &login);
    let set = known
        .is_none()
        .then(|| app.cookies.set(Cookie::PreSession, &cookie, None))
        .flatten();
    browser::with_cookies(response, [set])
}

/// The browser's cookie before sign-in, if it is one of ours by its look: 32 hexadecimal digits.
fn pre_session(app: &App, caller: &Caller) -> Option<String> {
    let cookie = app.cookies.get(&caller.headers, Cookie::PreSession)?;
    let text = cookie.reveal();
    (text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit())).then(|| text.to_owned())
}

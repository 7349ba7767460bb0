//! `/login`: sign-in with a password.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use grantor_core::base::params::Params;
use grantor_core::base::secret::Secret;
use grantor_core::endpoints::authorize::resolve_client;
use grantor_core::people::{Action, Binding, KNOWN_BROWSER_LIFETIME, SignIn, SignInReply};
use http::StatusCode;

use super::authorize;
use super::browser::{self, ReturnTo};
use crate::app::App;
use crate::cookies::Cookie;
use crate::pages::{Login, LoginProblem};
use crate::request::{Caller, Form};

/// Longer hints are ignored.
const MAX_LOGIN_HINT_BYTES: usize = 256;

pub(crate) async fn get(State(app): State<Arc<App>>, mut caller: Caller) -> Response {
    let query = Params::parse(caller.query().unwrap_or_default().as_bytes()).ok();
    let return_to = query.as_ref().and_then(|query| query.opt("return_to"));
    let return_to = ReturnTo::parse(return_to, &app.site.path);
    form(&app, &mut caller, StatusCode::OK, &return_to, None, None)
}

pub(crate) async fn post(State(app): State<Arc<App>>, posted: Form) -> Response {
    let mut caller = posted.caller.clone();
    let binding = pre_session(&app, &caller).map(Binding::PreSession);
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
        Err(error) => return browser::unavailable(&app, &caller, &error),
    };
    let retry = |caller: &mut Caller, status, problem| {
        let username = Some(username);
        form(&app, caller, status, &return_to, username, Some(problem))
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
                    Some(KNOWN_BROWSER_LIFETIME),
                ),
                // The next sign-in form uses a new one, so a planted cookie is useless.
                app.cookies.remove(Cookie::PreSession),
            ];
            let return_to = match &return_to {
                ReturnTo::Authorize(request) => {
                    ReturnTo::Authorize(authorize::with_sign_in(&app, request, &session))
                }
                other => other.clone(),
            };
            browser::with_cookies(browser::see_other(&return_to.path(&app)), cookies)
        }
        Ok(SignInReply::TooMany { retry_after }) => {
            let problem = LoginProblem::TooManyTries {
                minutes: browser::minutes(retry_after),
            };
            let response = retry(&mut caller, StatusCode::TOO_MANY_REQUESTS, problem);
            browser::with_retry_after(response, retry_after)
        }
        Ok(SignInReply::Wrong) | Err(_) => retry(
            &mut caller,
            StatusCode::BAD_REQUEST,
            LoginProblem::WrongCredentials,
        ),
    }
}

/// What the sign-in form shows of the authorization request that follows.
#[derive(Default)]
struct LoginContext {
    /// OpenID Connect Core section 3.1.2.1: "Hint to the Authorization Server about the login identifier".
    login_hint: Option<String>,
    ui_locales: Option<String>,
    client_name: Option<String>,
    /// Where the redirects after sign-in may lead without another page.
    redirect_uri: Option<String>,
}

impl LoginContext {
    fn new(app: &App, return_to: &ReturnTo) -> Self {
        let ReturnTo::Authorize(request) = return_to else {
            return Self::default();
        };
        let Ok(params) = authorize::parse(request) else {
            return Self::default();
        };
        let param = |name: &str| params.opt(name).map(ToOwned::to_owned);
        let realm = app.realm();
        let resolved = resolve_client(&params, &realm).ok();
        Self {
            login_hint: param("login_hint").filter(|hint| hint.len() <= MAX_LOGIN_HINT_BYTES),
            ui_locales: param("ui_locales"),
            client_name: resolved
                .as_ref()
                .map(|resolved| resolved.client.name.clone()),
            redirect_uri: resolved.map(|resolved| resolved.redirect.uri().to_owned()),
        }
    }
}

/// The form token is bound to a cookie of this browser, which prevents login CSRF.
fn form(
    app: &App,
    caller: &mut Caller,
    status: StatusCode,
    return_to: &ReturnTo,
    typed: Option<String>,
    problem: Option<LoginProblem>,
) -> Response {
    let context = LoginContext::new(app, return_to);
    caller.prefer_locales(context.ui_locales.as_deref());
    let existing = pre_session(app, caller);
    let new = format!(
        "{:032x}",
        u128::from_be_bytes(app.seed().bytes("pre-session"))
    );
    let cookie = existing.clone().unwrap_or(new);
    let login = Login {
        site: app.site.clone(),
        form_token: Binding::PreSession(cookie.clone()).token(
            &app.realm(),
            Action::SignIn,
            app.now(),
        ),
        return_to: return_to.path(app),
        username: typed.or(context.login_hint).unwrap_or_default(),
        client_name: context.client_name,
        again: context.redirect_uri.is_some() && browser::session_binding(app, caller).is_some(),
        for_device: matches!(return_to, ReturnTo::Device(_)),
        problem,
        trace_id: caller.trace.as_str().to_owned(),
    };
    let redirect_uri = context.redirect_uri.as_deref();
    let response = browser::page_of_request(app, caller, status, &login, redirect_uri);
    let set = existing
        .is_none()
        .then(|| app.cookies.set(Cookie::PreSession, &cookie, None))
        .flatten();
    browser::with_cookies(response, [set])
}

/// The browser's pre-session cookie, if it is well-formed: 32 hexadecimal digits.
fn pre_session(app: &App, caller: &Caller) -> Option<String> {
    let cookie = app.cookies.get(&caller.headers, Cookie::PreSession)?;
    let text = cookie.reveal();
    (text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit())).then(|| text.to_owned())
}

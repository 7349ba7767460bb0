//! The sign-in page.

use serde::Serialize;

use super::Site;
use crate::render::Page;

/// `POST {site.path}/login` with `username`, `password`, `form_token`, `return_to`; `stay` where the user ticked it.
#[derive(Clone, Debug, Serialize)]
pub struct Login {
    pub site: Site,
    /// Bound to the pre-session cookie.
    pub form_token: String,
    /// Where to continue after sign-in; checked again when the form is posted.
    pub return_to: String,
    /// The previous input, a login hint, or empty.
    pub username: String,
    /// Whether the user is asked to stay signed in, and whether the last answer was yes.
    pub stay: bool,
    pub stays: bool,
    /// The name of the client that requested the sign-in.
    pub client_name: Option<String>,
    /// The user who is signed in already in this browser.
    pub signed_in: Option<String>,
    /// Whether that is the user who is asked for a password (`prompt=login`, `max_age`; OpenID Connect Core section 3.1.2.1).
    pub again: bool,
    /// Whether to offer the form without the name that is filled in: `button=another-account`, with `return_to`.
    pub another: bool,
    /// Whether the sign-in is for connecting a device; the page then says so.
    pub for_device: bool,
    pub problem: Option<LoginProblem>,
    /// With a problem, by which the operator finds it.
    pub trace_id: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum LoginProblem {
    /// The same for an unknown user, a wrong password and a disabled account, so that they cannot be distinguished.
    WrongCredentials,
    TooManyTries {
        /// Until the next attempt, rounded up.
        minutes: u64,
    },
    /// The form was older than the browser's cookies. Its password was not looked at.
    Stale,
    /// The browser sent no cookie back.
    NoCookies,
}

impl Page for Login {
    const TEMPLATE: &'static str = "login.html";

    fn samples() -> Vec<Self> {
        let plain = Self {
            site: Site::sample(),
            form_token: "sample-form-token".to_owned(),
            return_to: "/".to_owned(),
            username: String::new(),
            stay: false,
            stays: false,
            client_name: None,
            signed_in: None,
            again: false,
            another: false,
            for_device: false,
            problem: None,
            trace_id: "4bf92f3577b34da6a3ce929d0e0e4736".to_owned(),
        };
        let device = Self {
            for_device: true,
            return_to: "/device?user_code=WDJB-MJHT".to_owned(),
            ..plain.clone()
        };
        let client = Self {
            client_name: Some("Orders".to_owned()),
            return_to: "/oauth2/authorize?client_id=orders".to_owned(),
            ..plain.clone()
        };
        let again = Self {
            username: "alice@example.com".to_owned(),
            signed_in: Some("alice@example.com".to_owned()),
            again: true,
            another: true,
            ..client.clone()
        };
        let other = Self {
            username: "bob".to_owned(),
            again: false,
            ..again.clone()
        };
        let another = Self {
            username: String::new(),
            another: false,
            ..other.clone()
        };
        let again_wrong = Self {
            problem: Some(LoginProblem::WrongCredentials),
            ..again.clone()
        };
        let retried = Self {
            username: "alice@example.com".to_owned(),
            ..plain.clone()
        };
        let wrong = Self {
            problem: Some(LoginProblem::WrongCredentials),
            ..retried.clone()
        };
        let problem = |problem| Self {
            problem: Some(problem),
            ..retried.clone()
        };
        let limited = problem(LoginProblem::TooManyTries { minutes: 12 });
        let stale = problem(LoginProblem::Stale);
        let no_cookies = problem(LoginProblem::NoCookies);
        let asks_to_stay = Self {
            stay: true,
            ..plain.clone()
        };
        let stays = Self {
            stay: true,
            stays: true,
            ..wrong.clone()
        };
        vec![
            plain,
            device,
            client,
            again,
            wrong,
            limited,
            stale,
            no_cookies,
            asks_to_stay,
            stays,
            other,
            another,
            again_wrong,
        ]
    }
}

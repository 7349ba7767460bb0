//! Sign in with a name and a password.

use serde::Serialize;

use super::Site;
use crate::render::Page;

/// `POST {site.path}/login` with `username`, `password`, `form_token`, `return_to`.
#[derive(Clone, Debug, Serialize)]
pub struct Login {
    /// Whose page it is.
    pub site: Site,
    /// The form token, bound to the cookie of this browser.
    pub form_token: String,
    /// The path to go on to; the endpoint checks it again when it comes back.
    pub return_to: String,
    /// What was typed before, or empty.
    pub username: String,
    /// The name of the client that the way leads on to.
    pub client_name: Option<String>,
    /// True when somebody is signed in, and has to show once more that it is they (`prompt=login`, `max_age`; OpenID
    /// Connect Core section 3.1.2.1).
    pub again: bool,
    /// True when signing in is the first step of connecting a device: people must know why they are asked.
    pub for_device: bool,
    /// Why the last try did not work.
    pub problem: Option<LoginProblem>,
}

/// Why nobody is signed in yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum LoginProblem {
    /// One text for an unknown user, a wrong password and a disabled account, so that none can be told from another.
    WrongCredentials,
    /// Too many wrong passwords.
    TooManyTries {
        /// Until the next try, in minutes, rounded up.
        minutes: u64,
    },
}

impl Page for Login {
    const TEMPLATE: &'static str = "login.html";

    fn samples() -> Vec<Self> {
        let plain = Self {
            site: Site::sample(),
            form_token: "sample-form-token".to_owned(),
            return_to: "/".to_owned(),
            username: String::new(),
            client_name: None,
            again: false,
            for_device: false,
            problem: None,
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
            again: true,
            ..client.clone()
        };
        let retried = Self {
            username: "alice@example.com".to_owned(),
            ..plain.clone()
        };
        let wrong = Self {
            problem: Some(LoginProblem::WrongCredentials),
            ..retried.clone()
        };
        let limited = Self {
            problem: Some(LoginProblem::TooManyTries { minutes: 12 }),
            ..retried
        };
        vec![plain, device, client, again, wrong, limited]
    }
}

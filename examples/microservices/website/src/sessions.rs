//! Who has which cookie. In memory: this is an example, and with a restart everybody signs in again, without a question
//! while the session at Grantor lives.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::http::HeaderMap;
use axum::http::header::COOKIE;
use openidconnect::CsrfToken;

use crate::sign_in::{Attempt, User};

/// As many as there may be. Anybody can begin to sign in, so there must be an end.
const MOST: usize = 10_000;

pub(crate) struct Sessions {
    sessions: Mutex<HashMap<String, Session>>,
    secure: bool,
}

enum Session {
    Attempt(Attempt),
    User(User),
}

impl Sessions {
    /// `secure` where browsers come by https.
    pub(crate) fn new(secure: bool) -> Self {
        let sessions = Mutex::default();
        Self { sessions, secure }
    }

    /// Keeps an attempt to sign in, for the browser that gets this cookie.
    pub(crate) fn attempted(&self, attempt: Attempt) -> String {
        self.insert(Session::Attempt(attempt))
    }

    /// The attempt of this browser, once.
    pub(crate) fn attempt(&self, headers: &HeaderMap) -> Option<Attempt> {
        match self.sessions().remove(id(headers)?)? {
            Session::Attempt(attempt) => Some(attempt),
            Session::User(_) => None,
        }
    }

    /// Keeps a user, under an id that nobody has seen before.
    pub(crate) fn signed_in(&self, user: User) -> String {
        self.insert(Session::User(user))
    }

    pub(crate) fn user(&self, headers: &HeaderMap) -> Option<User> {
        match self.sessions().get(id(headers)?)? {
            Session::User(user) => Some(user.clone()),
            Session::Attempt(_) => None,
        }
    }

    pub(crate) fn end(&self, headers: &HeaderMap) -> Option<User> {
        match self.sessions().remove(id(headers)?)? {
            Session::User(user) => Some(user),
            Session::Attempt(_) => None,
        }
    }

    fn insert(&self, session: Session) -> String {
        let id = CsrfToken::new_random_len(32).into_secret();
        // Lax: it comes along when Grantor sends the browser back, and with no form of another site.
        let secure = if self.secure { "; Secure" } else { "" };
        let cookie = format!("shop={id}; Path=/; HttpOnly; SameSite=Lax{secure}");
        let mut sessions = self.sessions();
        if sessions.len() >= MOST {
            sessions.retain(|_, session| matches!(session, Session::User(_)));
        }
        if sessions.len() >= MOST {
            sessions.clear();
        }
        sessions.insert(id, session);
        cookie
    }

    fn sessions(&self) -> MutexGuard<'_, HashMap<String, Session>> {
        let sessions = self.sessions.lock();
        sessions.unwrap_or_else(PoisonError::into_inner)
    }
}

fn id(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get_all(COOKIE).iter();
    let mut cookies = cookies.filter_map(|header| header.to_str().ok());
    cookies.find_map(|header| {
        let mut pairs = header.split(';').map(str::trim);
        pairs.find_map(|pair| pair.strip_prefix("shop="))
    })
}

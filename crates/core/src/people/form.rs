//! Form tokens (CSRF): a POST is accepted only from a form that we made for this browser and this action.

use std::time::Duration;

use aws_lc_rs::digest;

use crate::base::sealing::SealingKeys;
use crate::base::time::Timestamp;
use crate::model::ids::{GrantId, SessionId};
use crate::model::realm::Realm;
use crate::model::user_code::UserCode;

/// How long a form can be sent after it was made.
const LIFETIME: Duration = Duration::from_secs(8 * 60 * 60);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    SignIn,
    SignOut,
    /// The SHA-256 of a client's logout request.
    Logout([u8; 32]),
    /// Looks up a user code.
    UserCode,
    /// The SHA-256 of what the page shows and of the authorization request.
    Consent([u8; 32]),
    /// Any action of the account page.
    Account,
    /// Approves or denies the device of this grant. Never bound to its code.
    Decide(GrantId),
    /// No form: this browser looked up a code, of this SHA-256, and found this grant.
    Found(GrantId, [u8; 32]),
}

impl Action {
    #[must_use]
    pub fn consent(request: &str, shown: &str) -> Self {
        Self::Consent(sha256(format!("{shown}\0{request}").as_bytes()))
    }

    #[must_use]
    pub fn found(grant: GrantId, code: &UserCode) -> Self {
        Self::Found(grant, sha256(code.normalized().as_bytes()))
    }

    /// `request` is a client's logout request.
    #[must_use]
    pub fn sign_out(request: Option<&str>) -> Self {
        request.map_or(Self::SignOut, |request| {
            Self::Logout(sha256(request.as_bytes()))
        })
    }
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut sha256 = [0; 32];
    sha256.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    sha256
}

/// The browser that a form is made for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Binding {
    /// Before sign-in: the value of a separate cookie.
    PreSession(String),
    Session(SessionId),
}

impl Binding {
    /// The token of a form that is made now: when that was, and a MAC.
    #[must_use]
    pub fn token(&self, realm: &Realm, action: Action, now: Timestamp) -> String {
        let made = now.as_secs().to_string();
        let mac = realm.sealing.form_token(&self.bytes(action, &made));
        format!("{made}.{mac}")
    }

    /// Compares in constant time.
    #[must_use]
    pub fn accepts(
        &self,
        sealing: &SealingKeys,
        action: Action,
        token: &str,
        now: Timestamp,
    ) -> bool {
        let Some((made, mac)) = token.split_once('.') else {
            return false;
        };
        let at = made.parse().map(Timestamp::from_secs);
        at.is_ok_and(|at| at.is_within(LIFETIME, now))
            && sealing.accepts_form_token(&self.bytes(action, made), mac)
    }

    fn bytes(&self, action: Action, made: &str) -> Vec<u8> {
        let action = match action {
            Action::SignIn => "sign-in".to_owned(),
            Action::SignOut => "sign-out".to_owned(),
            Action::Logout(request) => format!("logout {request:02x?}"),
            Action::UserCode => "user-code".to_owned(),
            Action::Consent(request) => format!("consent {:02x?}", request),
            Action::Account => "account".to_owned(),
            Action::Decide(grant) => format!("decide {grant}"),
            Action::Found(grant, code) => format!("found {grant} {code:02x?}"),
        };
        match self {
            Self::PreSession(cookie) => format!("pre\0{action}\0{made}\0{cookie}"),
            Self::Session(id) => format!("session\0{action}\0{made}\0{id}"),
        }
        .into_bytes()
    }
}

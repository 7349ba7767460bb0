//! Form tokens: a POST counts only if its form was made by us, for this browser, for this action.

use aws_lc_rs::digest;

use crate::base::sealing::SealingKeys;
use crate::model::ids::{GrantId, SessionId};
use crate::model::realm::Realm;

/// What a form does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Signs in.
    SignIn,
    /// Signs out.
    SignOut,
    /// Signs out as this logout request of a client asks: its SHA-256.
    Logout([u8; 32]),
    /// Looks a user code up.
    UserCode,
    /// Agrees, or not, to what this authorization request asks: its SHA-256.
    Consent([u8; 32]),
    /// Ends something on the page of the account.
    Account,
    /// Approves or denies the device of this grant: never bound to its code.
    Decide(GrantId),
}

impl Action {
    /// To agree, or not, to what this authorization request asks.
    #[must_use]
    pub fn consent(request: &str) -> Self {
        Self::Consent(sha256(request))
    }

    /// To sign out, as a client's logout request asks where there is one.
    #[must_use]
    pub fn sign_out(request: Option<&str>) -> Self {
        request.map_or(Self::SignOut, |request| Self::Logout(sha256(request)))
    }
}

fn sha256(text: &str) -> [u8; 32] {
    let mut sha256 = [0; 32];
    sha256.copy_from_slice(digest::digest(&digest::SHA256, text.as_bytes()).as_ref());
    sha256
}

/// The browser for which a form is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Binding {
    /// Before sign-in: the value of a cookie of its own.
    PreSession(String),
    /// After it.
    Session(SessionId),
}

impl Binding {
    /// The token of a form.
    #[must_use]
    pub fn token(&self, realm: &Realm, action: Action) -> String {
        realm.sealing.form_token(&self.bytes(action))
    }

    /// Whether a form's token was made for this browser and action, in constant time.
    #[must_use]
    pub fn accepts(&self, sealing: &SealingKeys, action: Action, token: &str) -> bool {
        sealing.accepts_form_token(&self.bytes(action), token)
    }

    fn bytes(&self, action: Action) -> Vec<u8> {
        let action = match action {
            Action::SignIn => "sign-in".to_owned(),
            Action::SignOut => "sign-out".to_owned(),
            Action::Logout(request) => format!("logout {request:02x?}"),
            Action::UserCode => "user-code".to_owned(),
            Action::Consent(request) => format!("consent {:02x?}", request),
            Action::Account => "account".to_owned(),
            Action::Decide(grant) => format!("decide {grant}"),
        };
        match self {
            Self::PreSession(cookie) => format!("pre\0{action}\0{cookie}"),
            Self::Session(id) => format!("session\0{action}\0{id}"),
        }
        .into_bytes()
    }
}

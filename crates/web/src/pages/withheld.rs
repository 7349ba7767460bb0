//! The page for a user who can be given nothing of what a client asks for.

use grantor_core::people;
use serde::Serialize;

use super::{Account, Site};
use crate::render::Page;

#[derive(Clone, Debug, Serialize)]
pub struct Withheld {
    pub site: Site,
    pub account: Account,
    pub client_name: String,
    pub why: WithheldReason,
    /// `None` for a device.
    pub back: Option<BackToClient>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WithheldReason {
    /// The client is for other users.
    Client,
    /// What it asks for is for members of groups.
    Scopes,
}

impl From<people::Withheld> for WithheldReason {
    fn from(why: people::Withheld) -> Self {
        match why {
            people::Withheld::Client => Self::Client,
            people::Withheld::Scopes => Self::Scopes,
        }
    }
}

/// `POST {site.path}/consent` with these and `decision=deny`: the client is told, as when a user denies.
#[derive(Clone, Debug, Serialize)]
pub struct BackToClient {
    /// Bound to the session, the client and `request`.
    pub form_token: String,
    /// The query of the authorization request.
    pub request: String,
}

impl Page for Withheld {
    const TEMPLATE: &'static str = "withheld.html";

    fn samples() -> Vec<Self> {
        let device = Self {
            site: Site::sample(),
            account: Account::sample(),
            client_name: "Living-room TV".to_owned(),
            why: WithheldReason::Scopes,
            back: None,
        };
        let app = Self {
            client_name: "A very long client name <script>alert(1)</script> that an attacker might choose & \"quote\""
                .to_owned(),
            why: WithheldReason::Client,
            back: Some(BackToClient {
                form_token: "sample-form-token".to_owned(),
                request: "client_id=orders&response_type=code".to_owned(),
            }),
            ..device.clone()
        };
        vec![device, app]
    }
}

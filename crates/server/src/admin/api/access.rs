//! Requests to the management API. Their answers are those of the API.

use std::borrow::Cow;

use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::AdminRequest;

/// A page of a list.
#[derive(Clone, Debug)]
pub struct ListPage {
    /// Below `/api/v1`.
    pub path: String,
    /// The cursor of the page before.
    pub after: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ListedPage {
    pub items: Vec<Value>,
    pub next: Option<String>,
}

impl AdminRequest for ListPage {
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/api/v1";
    type Answer = ListedPage;

    fn body(&self) -> Vec<u8> {
        Vec::new()
    }

    fn target(&self) -> Cow<'static, str> {
        // Ids and cursors have only characters that stand in an address as they are.
        let after = self.after.as_ref();
        let after = after.map_or_else(String::new, |cursor| format!("&after={cursor}"));
        format!("{}{}?limit=1000{after}", Self::PATH, self.path).into()
    }
}

macro_rules! end {
    ($(#[$doc:meta])* $Request:ident, $kind:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $Request {
            /// The `sub`.
            pub user: String,
            pub id: String,
        }

        impl AdminRequest for $Request {
            const METHOD: Method = Method::DELETE;
            const PATH: &'static str = "/api/v1/users";
            type Answer = Value;

            fn body(&self) -> Vec<u8> {
                Vec::new()
            }

            fn target(&self) -> Cow<'static, str> {
                format!("{}/{}/{}/{}", Self::PATH, self.user, $kind, self.id).into()
            }
        }
    };
}

end! {
    /// Signs a user out of one browser.
    EndSession, "sessions"
}
end! {
    /// Takes back what a user gave to an app or a device.
    EndGrant, "grants"
}

/// A refusal of the API (RFC 9457).
#[derive(Clone, Debug, Deserialize)]
pub struct ApiProblem {
    pub code: String,
    pub detail: String,
    #[serde(default)]
    pub errors: Vec<ApiMember>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct ApiMember {
    pub pointer: String,
    pub detail: String,
}

impl ApiProblem {
    /// For a terminal.
    #[must_use]
    pub fn message(&self) -> String {
        let errors = self.errors.iter();
        let errors = errors.map(|error| match &*error.pointer {
            // The object as a whole.
            "" => format!("\n  {}", error.detail),
            pointer => format!("\n  {pointer}: {}", error.detail),
        });
        format!("{}{}", self.detail, errors.collect::<String>())
    }
}

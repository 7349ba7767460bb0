//! The requests and answers of the admin socket: one type each, for the server that answers and the commands that ask.

mod access;
mod events;
mod keys;
mod reload;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::PathBuf;

use grantor_core::base::secret::Secret;
use grantor_core::exchange::Explanation;
use http::Method;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

pub use access::{ApiProblem, EndGrant, EndSession, ListPage, ListedPage};
pub use events::{GetTrace, ListEvents, Trace};
pub use keys::{KeyListing, ListedKey, ListedMasterKey, RotatedKeys};
pub use reload::{Change, Reload, Reloaded};

/// A request with its method, its path and the type of its answer.
pub trait AdminRequest {
    const METHOD: Method;
    const PATH: &'static str;
    /// Whether it is of use on a store that was never used, which it then creates.
    const CREATES_STORE: bool = false;
    /// Whether only a running server can do it.
    const NEEDS_SERVER: bool = false;
    /// One line of the answer.
    type Answer: DeserializeOwned;

    fn body(&self) -> Vec<u8>;

    /// Path and query, where they depend on what is asked for.
    fn target(&self) -> Cow<'static, str> {
        Self::PATH.into()
    }
}

/// Declares a request; with `json` it is its own body.
macro_rules! request {
    ($Request:ty, $method:ident $path:literal -> $Answer:ty $(, creates_store $creates:literal)?) => {
        impl AdminRequest for $Request {
            const METHOD: Method = Method::$method;
            const PATH: &'static str = $path;
            $( const CREATES_STORE: bool = $creates; )?
            type Answer = $Answer;

            fn body(&self) -> Vec<u8> {
                Vec::new()
            }
        }
    };
    (json $Request:ty, $method:ident $path:literal -> $Answer:ty $(, creates_store $creates:literal)?) => {
        impl AdminRequest for $Request {
            const METHOD: Method = Method::$method;
            const PATH: &'static str = $path;
            $( const CREATES_STORE: bool = $creates; )?
            type Answer = $Answer;

            fn body(&self) -> Vec<u8> {
                // Our own types always serialise.
                serde_json::to_vec(self).unwrap_or_default()
            }
        }
    };
}

#[derive(Clone, Copy, Debug)]
pub struct ListKeys;
request!(ListKeys, GET "/keys" -> KeyListing);

/// Signs with the next keys from now on.
#[derive(Clone, Copy, Debug)]
pub struct RotateKeys;
request!(RotateKeys, POST "/keys/rotate" -> RotatedKeys);

/// A user as the operator sees one.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ListedUser {
    /// The `sub`.
    pub id: String,
    pub username: String,
    pub enabled: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Whether the configuration file declares the user, or did.
    pub from_file: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddUser {
    pub username: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<String>,
    /// Where it is left out, the server makes one and answers with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
}
request!(json AddUser, POST "/users" -> AddedUser, creates_store true);

/// Adds a user who may do everything at the management API.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddAdministrator {
    pub username: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Where it is left out, the server makes one and answers with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
}
request!(json AddAdministrator, POST "/administrators" -> AddedUser, creates_store true);

#[derive(Serialize, Deserialize)]
pub struct AddedUser {
    /// The `sub`.
    pub id: String,
    pub username: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The password, where the server made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
}

/// Disables a user, whose sessions and grants end.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DisableUser {
    pub username: String,
}
request!(json DisableUser, POST "/users/disable" -> ChangedUser);

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnableUser {
    pub username: String,
}
request!(json EnableUser, POST "/users/enable" -> ChangedUser);

/// Gives a user another password, which ends sessions and grants.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetPassword {
    /// The name or the `sub`, as in the requests below.
    pub username: String,
    /// Where it is left out, the server makes one and answers with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
}
request!(json SetPassword, POST "/users/password" -> NewPassword);

#[derive(Serialize, Deserialize)]
pub struct NewPassword {
    /// The `sub`.
    pub id: String,
    pub username: String,
    /// The password, where the server made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
}

/// Changes what tokens say about a user. What is left out stays.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetUser {
    pub username: String,
    /// Empty removes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups: Option<Vec<String>>,
    /// Empty takes the user out of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<String>,
    /// `null` removes a claim.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub claims: BTreeMap<String, serde_json::Value>,
}
request!(json SetUser, POST "/users/set" -> ShownUser);

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShowUser {
    pub username: String,
}
request!(json ShowUser, POST "/users/show" -> ShownUser);

/// All that is stored of a user, but for the password.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ShownUser {
    /// The `sub`.
    pub id: String,
    pub username: String,
    pub enabled: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    pub groups: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<String>,
    pub claims: BTreeMap<String, serde_json::Value>,
    /// Whether the user has one.
    pub password: bool,
    /// What the configuration file declares, and so is changed only there.
    pub declared: Vec<String>,
    /// Whether the configuration file declares the user, or did.
    pub from_file: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RenameUser {
    pub username: String,
    pub to: String,
}
request!(json RenameUser, POST "/users/rename" -> ShownUser);

/// Deletes a user, whose sessions and grants end.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeleteUser {
    pub username: String,
}
request!(json DeleteUser, POST "/users/delete" -> DeletedUser);

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DeletedUser {
    /// The `sub`.
    pub id: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ChangedUser {
    /// The `sub`.
    pub id: String,
    pub username: String,
    /// Whether the user may sign in now.
    pub enabled: bool,
    /// Whether that is a change.
    pub changed: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Backup {
    /// An absolute path, on the server's machine.
    pub file: PathBuf,
    /// Whether an earlier backup there is replaced.
    #[serde(default)]
    pub replace: bool,
}
request!(json Backup, POST "/backup" -> BackupLine);

/// A line of the answer: any number of steps, then the end.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum BackupLine {
    /// So much is copied.
    Progress {
        /// Bytes.
        done: u64,
        /// Bytes.
        total: u64,
    },
    Done {
        file: PathBuf,
        bytes: u64,
    },
}

/// Says what a token exchange would give: the form of the token endpoint, with `client_id` and without a secret.
#[derive(Debug)]
pub struct ExplainExchange {
    /// `application/x-www-form-urlencoded`, with tokens in it.
    pub form: Secret,
}

impl AdminRequest for ExplainExchange {
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/exchange/explain";
    type Answer = Explanation;

    fn body(&self) -> Vec<u8> {
        self.form.reveal().as_bytes().to_vec()
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Problem {
    /// A code.
    pub error: String,
    #[serde(default)]
    pub error_description: String,
}

//! A user, and the unique lookup by username.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::Record;
use crate::base::row::IndexName;
use crate::base::time::Timestamp;
use crate::model::changed::Changed;
use crate::model::claims_request::UserFacts;
use crate::model::client::Client;
use crate::model::credentials::{fold_login, fold_username, verified_email};
use crate::model::ids::{Epoch, OrganizationId, UserId, UserInstance};

#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct User {
    /// `sub` in tokens.
    pub id: UserId,
    /// The name that the user signs in with.
    pub username: String,
    /// A disabled user cannot sign in, and grants of this user issue no tokens.
    pub enabled: bool,
    /// Copied by this user's grants and sessions; replacing it ends them all with one write.
    pub epoch: Epoch,
    /// The password hash, a PHC string.
    pub password: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Whether the configuration file declares this user. Such users are read-only elsewhere, and disabled once the file
    /// no longer declares them.
    #[serde(default)]
    pub from_file: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<OrganizationId>,
    /// Standard claims (OpenID Connect Core section 5.1) and others that the operator set.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub claims: BTreeMap<String, serde_json::Value>,
    /// What the configuration file declares of this user, besides name and password: [`User::EMAIL`], [`User::GROUPS`],
    /// [`User::ORGANIZATION`] and [`User::claim_member`]. Commands change the rest. Rows of older versions, without this, hold only what a file
    /// declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub declared: Option<Vec<String>>,
    /// A MAC of the password or hash that the file declares. [`User::password`] may be a later hash of the same password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub declared_credential: Option<String>,
    /// The names of this user's rows of [`super::Login`]. Users of older versions have none yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub logins: Vec<String>,
    /// The latest change by the management API.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed: Option<Changed>,
    #[serde(default, skip_serializing_if = "UserInstance::is_first")]
    pub instance: UserInstance,
}

impl User {
    pub const EMAIL: &'static str = "email";
    pub const GROUPS: &'static str = "groups";
    pub const ORGANIZATION: &'static str = "organization";

    #[must_use]
    pub fn claim_member(name: &str) -> String {
        format!("claims/{name}")
    }

    /// Whether the configuration file declares this member.
    #[must_use]
    pub fn declares(&self, member: &str) -> bool {
        let declared = self.declared.as_ref();
        self.from_file && declared.is_none_or(|all| all.iter().any(|one| one == member))
    }

    #[must_use]
    pub fn declares_password(&self) -> bool {
        self.from_file && (self.declared.is_none() || self.declared_credential.is_some())
    }

    /// The user once the file no longer declares it. Whoever is declared under its name later inherits nothing.
    #[must_use]
    pub fn withdrawn(&self, epoch: Epoch) -> Self {
        Self {
            id: self.id,
            username: self.username.clone(),
            enabled: false,
            epoch,
            password: None,
            email: None,
            from_file: true,
            groups: Vec::new(),
            organization: None,
            claims: BTreeMap::new(),
            declared: Some(Vec::new()),
            declared_credential: None,
            logins: Vec::new(),
            changed: None,
            instance: self.instance,
        }
    }

    #[must_use]
    pub fn is_withdrawn(&self) -> bool {
        *self == self.withdrawn(self.epoch)
    }

    /// The organization that the user belongs to.
    #[must_use]
    pub fn organization(&self) -> Option<&str> {
        self.organization.as_ref().map(OrganizationId::as_str)
    }

    /// The index of the users of an organization.
    #[must_use]
    pub fn organization_index(realm: &str, organization: &str) -> IndexName {
        IndexName::new(realm, "users_of", organization)
    }

    /// The address, where it is known to be the user's.
    #[must_use]
    pub fn verified_email(&self) -> Option<&str> {
        verified_email(self.email.as_deref(), &self.claims)
    }

    /// What this user signs in with, folded: the name and the verified address.
    #[must_use]
    pub fn own_logins(&self) -> Vec<String> {
        let address = self.verified_email().map(fold_login);
        let name = fold_login(&self.username);
        let address = address.filter(|address| *address != name);
        [name].into_iter().chain(address).collect()
    }

    #[must_use]
    pub fn facts(&self) -> UserFacts<'_> {
        UserFacts {
            username: &self.username,
            email: self.email.as_deref(),
            groups: &self.groups,
            claims: &self.claims,
        }
    }

    /// Whether a client is there for this user.
    #[must_use]
    pub fn may_use(&self, client: &Client) -> bool {
        client.is_available_to(self.id, self.organization.as_ref())
    }

    /// Whether grants and sessions with this epoch are still valid.
    #[must_use]
    pub fn is_current(&self, epoch: Epoch) -> bool {
        self.enabled && self.epoch == epoch
    }
}

impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("User")
            .field("id", &self.id)
            .field("enabled", &self.enabled)
            .finish_non_exhaustive()
    }
}

impl Record for User {
    const KIND: &'static str = "user";

    fn name(&self) -> String {
        self.id.to_string()
    }

    fn expires_at(&self) -> Option<Timestamp> {
        None
    }

    fn indexes(&self, realm: &str) -> Vec<IndexName> {
        let organization = self.organization().into_iter();
        let indexes = organization.map(|id| Self::organization_index(realm, id));
        indexes.collect()
    }
}

/// `username -> user`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Username {
    pub username: String,
    pub user: UserId,
}

impl Username {
    /// Normalises for comparison: case and surrounding spaces are ignored.
    #[must_use]
    pub fn fold(text: &str) -> String {
        fold_username(text)
    }
}

impl Record for Username {
    const KIND: &'static str = "username";

    fn name(&self) -> String {
        Self::fold(&self.username)
    }

    fn expires_at(&self) -> Option<Timestamp> {
        None
    }
}

//! A subject of another issuer that is one of our users.

use aws_lc_rs::digest;
use serde::{Deserialize, Serialize};

use super::Record;
use crate::base::row::Key;
use crate::base::time::Timestamp;
use crate::model::ids::UserId;

/// `(issuer, sub) -> user`, both compared byte for byte.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    pub issuer: String,
    pub sub: String,
    pub user: UserId,
    /// Whether the configuration file declares it. Such a link goes once the file no longer does.
    #[serde(default)]
    pub from_file: bool,
}

impl Link {
    #[must_use]
    pub fn key(realm: &str, issuer: &str, sub: &str) -> Key {
        super::key::<Self>(realm, &name_of(issuer, sub))
    }
}

/// Unambiguous: a hash has no slash.
fn name_of(issuer: &str, sub: &str) -> String {
    let hash = digest::digest(&digest::SHA256, issuer.as_bytes());
    let hash = hash.as_ref().iter();
    let hash: String = hash.map(|byte| format!("{byte:02x}")).collect();
    format!("{hash}/{sub}")
}

impl Record for Link {
    const KIND: &'static str = "link";

    fn name(&self) -> String {
        name_of(&self.issuer, &self.sub)
    }

    fn expires_at(&self) -> Option<Timestamp> {
        None
    }
}

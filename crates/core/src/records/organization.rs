//! An organization that was made while the server runs.

use serde::{Deserialize, Serialize};

use super::Record;
use crate::base::row::Key;
use crate::base::time::Timestamp;
use crate::model::changed::Changed;
use crate::model::ids::OrganizationId;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManagedOrganization {
    pub organization: OrganizationId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    pub enabled: bool,
    pub created: Changed,
    pub changed: Changed,
    /// The row stays once the organization is deleted: whoever made another one of that id would take over its users and
    /// clients.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deleted: bool,
}

impl ManagedOrganization {
    #[must_use]
    pub fn key(realm: &str, id: &OrganizationId) -> Key {
        super::key::<Self>(realm, id.as_str())
    }
}

impl Record for ManagedOrganization {
    const KIND: &'static str = "organization";

    fn name(&self) -> String {
        self.organization.to_string()
    }

    fn expires_at(&self) -> Option<Timestamp> {
        None
    }
}

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

//! Organizations, to which users and clients belong.

use crate::base::names::config_names;
use crate::model::client::Client;
use crate::model::ids::{OrganizationId, UserId};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Organization {
    pub id: OrganizationId,
    pub name: String,
    /// Users and clients of a disabled one are as disabled themselves.
    pub enabled: bool,
}

/// Which users a client is there for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Availability {
    #[default]
    Everyone,
    /// Those of the client's organization.
    Organization,
    /// The client's owner alone.
    Owner,
}

config_names!(Availability {
    Everyone = "everyone",
    Organization = "organization",
    Owner = "owner",
});

impl Client {
    /// Whether it is there for this user.
    #[must_use]
    pub fn is_available_to(&self, user: UserId, organization: Option<&OrganizationId>) -> bool {
        match self.availability {
            Availability::Everyone => true,
            Availability::Organization => {
                self.organization.is_some() && self.organization.as_ref() == organization
            }
            Availability::Owner => self.owner == Some(user),
        }
    }
}

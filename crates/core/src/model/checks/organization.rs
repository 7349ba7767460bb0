//! Organizations, and who belongs to them.

use super::RealmSpec;
use super::problem::{Problem, Problems, at};
use crate::model::ids::OrganizationId;

#[derive(Clone, Copy, Debug)]
pub struct OrganizationSpec<'a> {
    pub id: &'a OrganizationId,
}

/// What is wrong with the organization that a user or a client belongs to.
pub(super) fn problems(
    realm: &RealmSpec<'_>,
    organization: Option<&OrganizationId>,
) -> Vec<Problem> {
    let mut problems = Problems::default();
    if let Some(id) = organization {
        let known = || realm.organizations.iter().map(|it| it.id.as_str());
        problems.known_name(at("organization"), "organization", id.as_str(), known);
    }
    problems.into_vec()
}

//! What commands are given: names, addresses, passwords, organizations.

use grantor_core::base::secret::Secret;
use grantor_core::model::credentials::{NewPassword, ValidUsername, is_email};
use grantor_core::model::ids::{InvalidOrganizationId, OrganizationId};
use grantor_web::Entropy as _;

use crate::admin::Rejection;
use crate::generated_password::readable;
use crate::system::SystemEntropy;

/// The password that was given, or one that is made.
pub(super) fn new_password(given: Option<String>) -> Result<NewPassword, Rejection> {
    let made = || readable(SystemEntropy.seed().bytes("password"));
    NewPassword::new(Secret::new(given.unwrap_or_else(made)))
        .map_err(|why| Rejection::invalid(format!("The password {why}.")))
}

pub(super) fn valid_username(text: &str) -> Result<ValidUsername, Rejection> {
    text.parse()
        .map_err(|why| Rejection::invalid(format!("The username {text:?} {why}.")))
}

pub(super) fn check_email(email: &str) -> Result<(), Rejection> {
    if is_email(email) {
        return Ok(());
    }
    Err(Rejection::invalid(
        "The email is not an address such as name@example.com.",
    ))
}

/// Empty for none.
pub(super) fn given_organization(id: &str) -> Result<Option<OrganizationId>, Rejection> {
    if id.is_empty() {
        return Ok(None);
    }
    let id = id.parse().map(Some);
    id.map_err(|why: InvalidOrganizationId| Rejection::invalid(format!("The organization {why}.")))
}

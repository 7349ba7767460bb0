//! To which organization a user belongs.

use crate::engine::decide::Stop;
use crate::engine::env::Env;
use crate::engine::facts::Facts;
use crate::manage::caller::Caller;
use crate::manage::refusal::{ApiCode, ApiRefusal, FieldError};
use crate::records::User;

/// Whether the caller may put a user there who belonged to `before`.
///
/// # Errors
/// 403 where a caller of an organization would move a user; 422 for an organization that there is not.
pub(super) fn check(
    env: &Env<'_>,
    facts: &Facts,
    caller: &Caller,
    user: &User,
    before: Option<&str>,
) -> Result<(), Stop<ApiRefusal>> {
    if caller.organization.is_some() && user.organization() != before {
        let error = FieldError {
            pointer: "/organization".to_owned(),
            detail: "is changed by callers who belong to no organization".to_owned(),
        };
        return Err(ApiRefusal {
            errors: vec![error],
            ..ApiRefusal::new(
                ApiCode::Forbidden,
                "You may not move users between organizations.",
            )
        }
        .into());
    }
    let Some(organization) = &user.organization else {
        return Ok(());
    };
    match facts.has_organization(env, organization)? {
        true => Ok(()),
        false => Err(ApiRefusal::invalid_member(
            "/organization",
            "is not the id of an organization",
        )
        .into()),
    }
}

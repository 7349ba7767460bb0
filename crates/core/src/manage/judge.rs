//! Nobody makes, changes or takes over what holds more than they could be given themselves.

use super::caller::{Actor, Caller};
use super::refusal::{ApiCode, ApiRefusal, FieldError};
use crate::model::declared_scope::DeclaredScope;
use crate::model::realm::Realm;
use crate::model::right::{Right, Rights};
use crate::records::User;

/// What an object holds beyond what its editor could be given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Excess {
    /// A right over the API.
    Right(Right),
    /// A scope that only members of a group of the object can be given.
    Scope(String),
}

impl Caller {
    /// The first of these rights that the caller does not hold. Everyone may ask who they are.
    #[must_use]
    pub fn lacks_of(&self, rights: Rights) -> Option<Right> {
        let mut lacking = rights.iter().filter(|right| *right != Right::Me);
        lacking.find(|right| !self.rights.allows(*right))
    }

    /// Who holds all rights, and belongs to no organization, can be given everything.
    #[must_use]
    pub fn is_administrator(&self) -> bool {
        self.organization.is_none() && self.lacks_of(Rights::all()).is_none()
    }

    /// Whether the caller could be given a scope: a user by the groups, and a client that acts for itself by its own scopes.
    #[must_use]
    pub fn could_be_given(&self, token: &str, scope: &DeclaredScope) -> bool {
        match (&self.actor, &self.user) {
            (Actor::User(_), Some(user)) => scope.allows(&user.groups),
            (Actor::Machine(_), _) => self.scopes.contains(token),
            _ => false,
        }
    }
}

/// What a user of these groups and this organization could be given of the API.
#[must_use]
pub fn rights_of_user(realm: &Realm, user: &User) -> Rights {
    let rights = realm.api.rights_of_groups(&user.groups);
    match user.organization() {
        Some(_) => rights.within_an_organization(),
        None => rights,
    }
}

/// The first thing that this user could be given and the caller could not.
#[must_use]
pub fn excess_of_user(realm: &Realm, caller: &Caller, user: &User) -> Option<Excess> {
    if let Some(right) = caller.lacks_of(rights_of_user(realm, user)) {
        return Some(Excess::Right(right));
    }
    if caller.is_administrator() {
        return None;
    }
    let groups = user.groups.iter();
    let mut scopes = groups.flat_map(|group| realm.scopes_limited_to(group));
    let beyond = scopes.find(|(token, scope)| !caller.could_be_given(token, scope));
    beyond.map(|(token, _)| Excess::Scope(token))
}

/// Whether the caller may change or delete this user at all.
///
/// # Errors
/// 403 where the user could be given more rights than the caller holds.
pub(super) fn may_touch(realm: &Realm, caller: &Caller, user: &User) -> Result<(), ApiRefusal> {
    match caller.lacks_of(rights_of_user(realm, user)) {
        None => Ok(()),
        Some(right) => Err(ApiRefusal::naming(
            ApiCode::Forbidden,
            format!(
                "This user could be given the right {}, which you do not hold.",
                right.token()
            ),
        )),
    }
}

/// Whether the caller may make this user, as it would be after the change.
///
/// # Errors
/// 403 where the user could be given more than the caller.
pub(super) fn may_make(realm: &Realm, caller: &Caller, user: &User) -> Result<(), ApiRefusal> {
    let detail = match excess_of_user(realm, caller, user) {
        None => return Ok(()),
        Some(Excess::Right(right)) => format!(
            "With these groups the user could be given the right {}, which you do not hold.",
            right.token()
        ),
        Some(Excess::Scope(token)) => format!(
            "With these groups the user could be given the scope {token}, which you could not."
        ),
    };
    Err(ApiRefusal {
        errors: vec![FieldError {
            pointer: "/groups".to_owned(),
            detail,
        }],
        ..ApiRefusal::new(
            ApiCode::Forbidden,
            "The user would be given more than you could be given.",
        )
    })
}

/// Whether the caller may make `to` of a stored user. What exceeds its editor otherwise can only be disabled; `password` says
/// whether it is set, too.
///
/// # Errors
/// 403.
pub(super) fn may_change(
    realm: &Realm,
    caller: &Caller,
    stored: &User,
    to: &User,
    password: bool,
) -> Result<(), ApiRefusal> {
    may_touch(realm, caller, stored)?;
    let disabled = User {
        enabled: false,
        ..stored.clone()
    };
    if stored.enabled && *to == disabled && !password {
        return Ok(());
    }
    // What it holds now, and what it would hold: in two steps, one could take what is given back later.
    may_make(realm, caller, stored)?;
    may_make(realm, caller, to)
}

//! Scopes limited to groups: whom they can be given.

use std::time::Duration;

use crate::base::time::Timestamp;
use crate::model::declared_scope::DeclaredScope;
use crate::model::realm::Realm;
use crate::model::resource;
use crate::model::right::Rights;
use crate::model::scope::Scope;

/// By how much the clocks of nodes may differ: what one gave just after another made the scope must not count as older.
pub(crate) const CLOCKS_DIFFER: Duration = Duration::from_secs(10);

impl Realm {
    /// What is declared of a scope token. Those of OpenID Connect have no declaration.
    #[must_use]
    pub fn declared_scope(&self, token: &str) -> Option<&DeclaredScope> {
        if let Some(plain) = self.plain_scopes.get(token) {
            return Some(&plain.declared);
        }
        let (identifier, name) = resource::split(token)?;
        self.resource(identifier)?.scopes.get(name)
    }

    /// Whether only some users can be given it.
    #[must_use]
    pub fn is_limited(&self, token: &str) -> bool {
        let declared = self.declared_scope(token);
        let plain = self.plain_scopes.get(token);
        declared.is_some_and(|declared| declared.groups.is_some())
            || plain.is_some_and(|plain| !plain.gives.is_empty())
    }

    /// Whether it is a right over others at the management API, or counts as one.
    #[must_use]
    pub fn is_over_others(&self, token: &str) -> bool {
        let own = Rights::of_token(token).into_iter().collect::<Rights>();
        let given = self.plain_scopes.get(token).map(|plain| plain.gives);
        own.union(given.unwrap_or_default()).are_over_others()
    }

    /// The scopes that a user in these groups can be given, of those that were given at this time; without a user, those
    /// that are not limited. A scope that gives rights is given only to who could be given these.
    #[must_use]
    pub fn within_limits(
        &self,
        scope: &Scope,
        groups: Option<&[String]>,
        given_at: Timestamp,
    ) -> Scope {
        scope.filter(|token| {
            self.was_there(token, given_at + CLOCKS_DIFFER)
                && match groups {
                    Some(groups) => self.may_be_given(token, groups),
                    None => !self.is_limited(token),
                }
        })
    }

    /// The scopes that have been there since before they were given: one that was deleted and made again under its name is
    /// another one.
    #[must_use]
    pub fn given_since(&self, scope: &Scope, given_at: Timestamp) -> Scope {
        scope.filter(|token| self.was_there(token, given_at + CLOCKS_DIFFER))
    }

    pub(crate) fn was_there(&self, token: &str, given_at: Timestamp) -> bool {
        let since = self.managed.scopes_since.get(token);
        since.is_none_or(|since| *since <= given_at)
    }

    /// Whether a user in these groups can be given it.
    pub(crate) fn may_be_given(&self, token: &str, groups: &[String]) -> bool {
        let declared = self.declared_scope(token);
        declared.is_none_or(|declared| declared.allows(groups))
            && self.plain_scopes.get(token).is_none_or(|plain| {
                plain.gives.is_empty() || plain.gives.are_within(self.api.rights_of_groups(groups))
            })
    }
}

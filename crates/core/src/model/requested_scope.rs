//! The scope that a request asks for, within what its client may have.

use crate::base::error::{ErrorCode, Refusal};
use crate::base::names::config_names;
use crate::model::client::Client;
use crate::model::realm::Realm;
use crate::model::scope::Scope;
use crate::model::target::RequestedResources;

/// What becomes of a requested scope that is unknown, or that the client may not ask for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnknownScopes {
    /// It is left out. RFC 6749 section 3.3: "The authorization server MAY fully or partially ignore the scope requested by
    /// the client".
    #[default]
    Ignore,
    /// The request is refused.
    Refuse,
}

config_names!(UnknownScopes {
    Ignore = "ignore",
    Refuse = "refuse",
});

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestedScope {
    pub scope: Scope,
    /// What was asked for and is not in `scope`.
    pub left_out: Scope,
}

impl RequestedScope {
    /// Without a `scope` parameter it is the client's default (RFC 6749 section 3.3).
    ///
    /// # Errors
    /// `invalid_scope` that names the scope: one that is unknown or not allowed, or the first where none is left.
    pub fn new(
        client: &Client,
        realm: &Realm,
        asked: Option<&Scope>,
        resources: &RequestedResources,
        unknown: UnknownScopes,
    ) -> Result<Self, Refusal> {
        let Some(asked) = asked else {
            return Ok(Self {
                scope: default_scope(client, realm, resources),
                left_out: Scope::default(),
            });
        };
        let is_left_out = |token: &&str| !client.scopes.contains(token);
        let Some(first) = asked.iter().find(is_left_out) else {
            return Ok(Self {
                scope: asked.clone(),
                left_out: Scope::default(),
            });
        };
        let left_out = asked.filter(|token| is_left_out(&token));
        let scope = asked.intersection(&client.scopes);
        match unknown {
            UnknownScopes::Ignore if !scope.is_empty() => Ok(Self { scope, left_out }),
            _ => Err(NOT_ALLOWED.naming(first)),
        }
    }
}

impl RequestedScope {
    /// Without the scopes that this grant never gives to the client, as if it might not ask for them.
    ///
    /// # Errors
    /// `invalid_scope` where nothing is left.
    pub fn without(self, is_refused: impl Fn(&str) -> bool) -> Result<Self, Refusal> {
        let Some(first) = self.scope.iter().find(|token| is_refused(token)) else {
            return Ok(self);
        };
        let scope = self.scope.filter(|token| !is_refused(token));
        if scope.is_empty() {
            return Err(NOT_ALLOWED.naming(first));
        }
        let refused = self.scope.iter().filter(|token| is_refused(token));
        let left_out = self.left_out.iter().chain(refused).collect();
        Ok(Self { scope, left_out })
    }
}

const NOT_ALLOWED: Refusal = Refusal::new(
    ErrorCode::InvalidScope,
    "The client may not ask for this scope, or it is unknown.",
);

/// A request that names resources is for these: it gets the default scopes of each, or all that the client may have of a
/// resource that the defaults leave out.
fn default_scope(client: &Client, realm: &Realm, resources: &RequestedResources) -> Scope {
    if resources.is_empty() {
        return client.default_scopes.clone();
    }
    let owner = |token: &str| Some(&*realm.scope_owner(token)?.identifier);
    let mut tokens: Vec<&str> = client.default_scopes.iter().collect();
    tokens.retain(|token| owner(token).is_none_or(|owner| resources.contains(owner)));
    for identifier in resources.identifiers() {
        if !tokens.iter().any(|token| owner(token) == Some(identifier)) {
            let of_resource = client.scopes.iter();
            tokens.extend(of_resource.filter(|token| owner(token) == Some(identifier)));
        }
    }
    tokens.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_grant_never_gives_is_left_out_and_alone_it_is_refused() {
        let asked = |text: &str| RequestedScope {
            scope: text.parse().unwrap(),
            left_out: "bogus".parse().unwrap(),
        };
        let is_refused = |token: &str| token.starts_with("grantor/");
        let less = asked("openid grantor/keys:read").without(is_refused);
        let less = less.unwrap();
        assert_eq!(less.scope.to_string(), "openid");
        assert_eq!(less.left_out.to_string(), "bogus grantor/keys:read");
        assert_eq!(asked("openid").without(is_refused), Ok(asked("openid")));
        let alone = asked("grantor/keys:read").without(is_refused).unwrap_err();
        assert_eq!(alone, NOT_ALLOWED.naming("grantor/keys:read"));
    }
}

//! The resource that a token is for: "one token, one resource" (RFC 8707).

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::base::error::{ErrorCode, Refusal};
use crate::model::claim_mapping::ClaimSources;
use crate::model::claims_request::UserFacts;
use crate::model::client::Client;
use crate::model::realm::Realm;
use crate::model::resource::Resource;
use crate::model::scope::Scope;

/// Identifiers of known resources that `resource` parameters named.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RequestedResources(Vec<String>);

impl RequestedResources {
    /// # Errors
    /// RFC 8707 section 2: `invalid_target`, "The requested resource is invalid, missing, unknown, or malformed."
    pub fn parse(
        realm: &Realm,
        indicators: impl Iterator<Item = impl AsRef<str>>,
    ) -> Result<Self, Refusal> {
        let mut named = Vec::new();
        for indicator in indicators {
            let resource = realm.indicated_resource(indicator.as_ref());
            let resource = resource.ok_or(UNKNOWN)?;
            if !named.contains(&resource.identifier) {
                named.push(resource.identifier.clone());
            }
        }
        Ok(Self(named))
    }

    #[must_use]
    pub fn only(resource: &Resource) -> Self {
        Self(vec![resource.identifier.clone()])
    }

    #[must_use]
    pub fn is_only(&self, identifier: &str) -> bool {
        matches!(self.0.as_slice(), [one] if one == identifier)
    }

    #[must_use]
    pub fn contains(&self, identifier: &str) -> bool {
        self.identifiers().any(|one| one == identifier)
    }

    pub fn identifiers(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What each token of the grant can name: one resource, or none if the grant names none.
    pub fn each(&self) -> impl Iterator<Item = Self> {
        let none = self.0.is_empty().then(Self::default);
        none.into_iter()
            .chain(self.0.iter().map(|one| Self(vec![one.clone()])))
    }

    /// Leaves those for which `keep` is true of a token for them.
    pub fn retain(&mut self, keep: impl Fn(&Self) -> bool) {
        self.0.retain(|one| keep(&Self(vec![one.clone()])));
    }

    #[must_use]
    pub fn is_within(&self, other: &Self) -> bool {
        self.0.iter().all(|identifier| other.0.contains(identifier))
    }
}

const UNKNOWN: Refusal = Refusal::new(ErrorCode::InvalidTarget, "The resource is not known here.");
const SEVERAL: Refusal = Refusal::new(
    ErrorCode::InvalidScope,
    "The scopes belong to several resources; name one of them by resource.",
);
const ONE_EACH: Refusal = Refusal::new(
    ErrorCode::InvalidTarget,
    "A token is for one resource; name one of them by resource.",
);
const NO_SCOPE: Refusal = Refusal::new(
    ErrorCode::InvalidTarget,
    "No scope of the resource was granted.",
);
pub(crate) const NOT_GRANTED: Refusal = Refusal::new(
    ErrorCode::InvalidTarget,
    "The resource is none of those that the grant names.",
);

/// What one access token is for: a resource, or else the issuer's own endpoints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target<'p> {
    pub resource: Option<&'p Resource>,
    /// The resource's scopes and those without a resource, such as `openid`.
    pub scope: Scope,
}

impl<'p> Target<'p> {
    /// The one resource of a token with `scope`, for a request that named `named` resources.
    ///
    /// # Errors
    /// `invalid_scope` if the scope spans several resources and none is named; `invalid_target` if several are named.
    pub fn choose(
        realm: &'p Realm,
        scope: &Scope,
        named: &RequestedResources,
    ) -> Result<Self, Refusal> {
        let owners = scope.iter().filter_map(|token| realm.scope_owner(token));
        let mut owners: Vec<&Resource> = owners.collect();
        owners.dedup_by(|a, b| a.identifier == b.identifier);
        let resource = match (named.0.as_slice(), owners.as_slice()) {
            ([], []) => None,
            ([], [only]) => Some(*only),
            ([], _) => return Err(SEVERAL),
            ([one], _) => Some(realm.resource(one).ok_or(UNKNOWN)?),
            _ => return Err(ONE_EACH),
        };
        let scope = scope.filter(|token| match realm.scope_owner(token) {
            Some(owner) => resource.is_some_and(|resource| resource.identifier == owner.identifier),
            None => true,
        });
        // Without any of the resource's scopes, the token would still name it in `aud`, which nobody granted.
        let of_resource = |token| realm.scope_owner(token).is_some();
        if resource.is_some() && !scope.iter().any(of_resource) {
            return Err(NO_SCOPE);
        }
        Ok(Self { resource, scope })
    }

    #[must_use]
    pub fn audience(&self, realm: &'p Realm) -> &'p str {
        self.resource
            .map_or(realm.issuer.as_str(), Resource::audience)
    }

    /// The shorter of the client's and the resource's access token lifetime.
    #[must_use]
    pub fn lifetime(&self, client: &Client) -> Duration {
        let of_resource = self.resource.and_then(|resource| resource.lifetime);
        of_resource.map_or(client.access_lifetime, |life| {
            life.min(client.access_lifetime)
        })
    }

    /// The user's groups that the token contains. The issuer's own endpoints read them from the user's row.
    #[must_use]
    pub fn groups(&self, user: UserFacts<'_>) -> Vec<String> {
        let filter = self.resource.map(|resource| &resource.groups);
        filter.map_or_else(Vec::new, |filter| filter.apply(user.groups))
    }

    #[must_use]
    pub fn mapped_claims(&self, from: &ClaimSources<'_>) -> Map<String, Value> {
        self.resource
            .map(|resource| resource.claims.mapped_claims(from))
            .unwrap_or_default()
    }
}

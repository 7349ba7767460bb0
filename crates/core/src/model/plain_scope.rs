//! Plain scopes: those that are asked for as they stand, without the identifier of a resource.

use serde_json::{Map, Value};

use crate::model::claim_mapping::{ClaimMapping, ClaimSources};
use crate::model::declared_scope::DeclaredScope;
use crate::model::realm::Realm;
use crate::model::right::Rights;
use crate::model::scope::Scope;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlainScope {
    pub declared: DeclaredScope,
    /// The identifier of the resource whose tokens it is for. Without one it is for none, as `openid` is.
    pub resource: Option<String>,
    /// For userinfo and ID tokens.
    pub claims: ClaimMapping,
    /// What it counts as at the management API.
    pub gives: Rights,
}

impl Realm {
    /// The claims of the plain scopes among these.
    #[must_use]
    pub fn claims_of_plain_scopes(
        &self,
        scope: &Scope,
        from: &ClaimSources<'_>,
    ) -> Map<String, Value> {
        let plain = scope
            .iter()
            .filter_map(|token| self.plain_scopes.get(token));
        plain
            .flat_map(|plain| plain.claims.mapped_claims(from))
            .collect()
    }
}

//! Resources, and the claims that are mapped into tokens.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::RealmSpec;
use super::problem::{Problem, Problems, at};
use crate::model::claim_mapping::{Carrier, ClaimMapping, InvalidMapping, Source};
use crate::model::resource_uri::NormalUri;
use crate::model::right;
use crate::model::scope::is_scope_name;

#[derive(Clone, Debug)]
pub struct ResourceSpec<'a> {
    pub identifier: &'a str,
    pub uri: Option<&'a str>,
    /// The names of its scopes.
    pub scopes: Vec<&'a str>,
    pub lifetime: Option<Duration>,
    pub claims: &'a BTreeMap<String, Source>,
}

impl<'a> ResourceSpec<'a> {
    /// What its tokens name as `aud`.
    pub(super) fn audience(&self) -> &'a str {
        self.uri.unwrap_or(self.identifier)
    }

    /// What is wrong with it alone.
    #[must_use]
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems = Problems::default();
        problems.positive("lifetime", self.lifetime);
        check_claims(&mut problems, "claims", Carrier::AccessToken, self.claims);
        if self.identifier == right::RESOURCE {
            let why = "is this server's own API, which is there without a declaration: choose another identifier";
            problems.add(at("identifier"), why);
        }
        for name in self.scopes.iter().filter(|name| !is_scope_name(name)) {
            problems.add(
                at("scopes").key(name),
                format!(
                    "{name:?} cannot name a scope: it must be printable ASCII without space, slash, quote and backslash"
                ),
            );
        }
        problems.into_vec()
    }
}

/// A token names one audience, which must be one API's.
pub(super) fn check_audiences(realm: &RealmSpec<'_>, problems: &mut Problems) {
    let mut audiences = BTreeSet::new();
    let mut normal = BTreeSet::new();
    let own = NormalUri::parse(&format!("{}/api/v1", realm.issuer));
    for (index, resource) in realm.resources.iter().enumerate() {
        let audience = resource.audience();
        let key = if resource.uri.is_some() {
            "uri"
        } else {
            "identifier"
        };
        let pointer = at("resource").index(index).key(key);
        if audience.is_empty() {
            continue;
        }
        // A token without a resource names the issuer.
        let uri = NormalUri::parse(audience);
        if audience == realm.issuer || uri.is_some() && uri == NormalUri::parse(realm.issuer) {
            problems.add(pointer, "is the issuer, whose tokens are not this API's");
        } else if realm.managed_clients.has(audience) {
            problems.add(
                pointer,
                "is the id of a client, whose tokens would pass for this API's",
            );
        } else if uri.is_some() && uri == own {
            problems.add(pointer, "is this server's own API: choose another uri");
        } else if !audiences.insert(audience) {
            problems.add(
                pointer,
                format!("a [[resource]] before has the audience {audience:?} already"),
            );
        } else if uri.is_some_and(|uri| !normal.insert(uri)) {
            let why = "is the same URI as that of a [[resource]] before, only written otherwise";
            problems.add(pointer, why);
        }
    }
}

pub(super) fn check_claims(
    problems: &mut Problems,
    key: &str,
    carrier: Carrier,
    claims: &BTreeMap<String, Source>,
) {
    match ClaimMapping::new(carrier, claims.clone()) {
        Ok(_) => {}
        Err(why @ InvalidMapping::TooLong) => problems.add(at(key), why.to_string()),
        Err(_) => {
            for name in claims.keys() {
                if let Err(why) = ClaimMapping::check(carrier, name) {
                    problems.add(at(key).key(name), why.to_string());
                }
            }
        }
    }
}

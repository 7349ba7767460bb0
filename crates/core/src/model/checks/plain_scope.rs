//! Plain scopes: `[[scope]]`.

use std::collections::BTreeMap;

use super::RealmSpec;
use super::problem::{Problem, Problems, at};
use super::resource::check_claims;
use crate::model::claim_mapping::{Carrier, Source};
use crate::model::realm::OPENID_SCOPES;
use crate::model::resource::split;
use crate::model::right::{self, Right, Rights};
use crate::model::scope::ScopeToken;

#[derive(Clone, Copy, Debug)]
pub struct PlainScopeSpec<'a> {
    pub name: &'a str,
    pub resource: Option<&'a str>,
    pub claims: &'a BTreeMap<String, Source>,
    pub gives: &'a [ScopeToken],
}

impl PlainScopeSpec<'_> {
    /// What is wrong with it in this realm.
    pub(super) fn problems(&self, realm: &RealmSpec<'_>) -> Vec<Problem> {
        let mut problems = Problems::default();
        if let Some(why) = self.problem_of_name(realm) {
            problems.add(at("name"), why);
        }
        if let Some(resource) = self.resource {
            let known = || realm.resources.iter().map(|it| it.identifier);
            problems.known_name(at("resource"), "resource", resource, known);
        }
        check_claims(&mut problems, "claims", Carrier::IdToken, self.claims);
        for (index, right) in self.gives.iter().enumerate() {
            if Rights::of_token(right).is_some() {
                continue;
            }
            let known: Vec<_> = Right::ALL.iter().map(|right| right.token()).collect();
            let why = format!("{:?} is not a scope of this server's own API", &**right);
            let known = known.iter().map(String::as_str);
            problems.add_unknown(at("gives").index(index), why, right, known);
        }
        problems.into_vec()
    }

    /// A token must mean one scope, whoever reads it.
    fn problem_of_name(&self, realm: &RealmSpec<'_>) -> Option<String> {
        let name = self.name;
        let owner = split(name).map(|(identifier, _)| identifier);
        if OPENID_SCOPES.contains(&name) {
            return Some(format!("{name:?} is built in: choose another name"));
        }
        if name == right::RESOURCE || owner == Some(right::RESOURCE) {
            return Some(format!(
                "{name:?} is reserved for this server's own API: choose another name"
            ));
        }
        let mut resources = realm.resources.iter();
        let resource = resources.find(|it| owner == Some(it.identifier))?;
        Some(format!(
            "{name:?} reads as a scope of the [[resource]] {:?}: write it among its scopes, or choose another name",
            resource.identifier
        ))
    }
}

//! The scopes that clients may be given.

use std::collections::{BTreeMap, BTreeSet};

use super::plain_scope::PlainScopeSpec;
use super::problem::{Pointer, Problems};
use super::resource::ResourceSpec;
use crate::model::realm::OPENID_SCOPES;
use crate::model::resource::split;
use crate::model::right::{self, Right};

/// All scopes that a client may be given, each with the identifier of its resource.
pub(super) struct Scopes<'a> {
    scopes: BTreeMap<String, Option<&'a str>>,
    resources: BTreeSet<&'a str>,
}

impl<'a> Scopes<'a> {
    pub(super) fn new(resources: &[ResourceSpec<'a>], plain: &[PlainScopeSpec<'a>]) -> Self {
        let openid = OPENID_SCOPES
            .iter()
            .map(|scope| ((*scope).to_owned(), None));
        let declared = resources.iter().flat_map(|resource| {
            let identifier = resource.identifier;
            let names = resource.scopes.iter();
            names.map(move |name| (format!("{identifier}/{name}"), Some(identifier)))
        });
        // They are there once [api] is enabled.
        let rights = Right::ALL
            .iter()
            .map(|right| (right.token(), Some(right::RESOURCE)));
        let plain = plain.iter().map(|it| (it.name.to_owned(), it.resource));
        let scopes: BTreeMap<_, _> = openid.chain(plain).chain(declared).chain(rights).collect();
        let identifiers = resources.iter().filter(|it| !it.scopes.is_empty());
        let identifiers = identifiers.map(|it| it.identifier);
        Self {
            resources: identifiers.chain([right::RESOURCE]).collect(),
            scopes,
        }
    }

    /// The identifier of the resource that `scope` belongs to; none of those of OpenID Connect.
    pub(super) fn resource(&self, scope: &str) -> Option<&'a str> {
        self.scopes.get(scope).copied().flatten()
    }

    pub(super) fn check(&self, problems: &mut Problems, pointer: Pointer, scope: &str) {
        if self.scopes.contains_key(scope) {
            return;
        }
        let message = match split(scope) {
            Some((identifier, _)) if !self.resources.contains(identifier) => {
                format!("scope {scope:?} is of {identifier:?}, which no [[resource]] declares")
            }
            _ => format!("unknown scope {scope:?}"),
        };
        let known = self.scopes.keys().map(String::as_str);
        problems.add_unknown(pointer, message, scope, known);
    }
}

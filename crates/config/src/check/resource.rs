//! Checks of `[[resource]]`, and the scopes that it declares.

use std::collections::BTreeMap;
use std::time::Duration;

use grantor_core::model::claim_mapping::Carrier;
use grantor_core::model::realm::OPENID_SCOPES;

use super::{claims, positive, unique};
use crate::mistake::did_you_mean;
use crate::place::Place;
use crate::read::Reader;
use crate::settings::{Resource, Settings};

pub(super) fn check(settings: &Settings, reader: &mut Reader<'_>) {
    let resources = &settings.resources;
    unique(
        reader,
        "resource",
        "identifier",
        resources.iter().map(|resource| &*resource.identifier),
    );

    let mut audiences = BTreeMap::new();
    for (index, resource) in resources.iter().enumerate() {
        let place = Place::root().key("resource").row(index);
        let audience = resource.audience();
        let key = if resource.uri.is_some() {
            "uri"
        } else {
            "identifier"
        };
        // A token without a resource names the issuer.
        if audience == &*settings.issuer && !audience.is_empty() {
            reader.refuse(
                &place.key(key),
                "is the issuer, whose tokens are not this API's",
            );
        } else if !audience.is_empty() && audiences.insert(audience, index).is_some() {
            reader.refuse(
                &place.key(key),
                format!("a [[resource]] before has the audience {audience:?} already"),
            );
        }
        positive(
            reader,
            &place.key("lifetime"),
            resource.lifetime.unwrap_or(Duration::MAX),
        );
        let carrier = Carrier::AccessToken;
        claims::check(carrier, &resource.claims, &place.key("claims"), reader);
        for name in resource.scopes.keys() {
            // The scope is split at its last slash.
            if name.is_empty()
                || !name
                    .bytes()
                    .all(|b| matches!(b, 0x21 | 0x23..=0x2E | 0x30..=0x5B | 0x5D..=0x7E))
            {
                let problem =
                    "it must be printable ASCII without space, slash, quote and backslash";
                reader.refuse(
                    &place.key("scopes").key(name),
                    format!("{name:?} cannot name a scope: {problem}"),
                );
            }
        }
    }
}

/// All scopes that a client may be given, each with the identifier of its resource.
pub(super) struct Scopes<'a>(BTreeMap<String, Option<&'a str>>);

impl<'a> Scopes<'a> {
    pub(super) fn new(resources: &'a [Resource]) -> Self {
        let openid = OPENID_SCOPES
            .iter()
            .map(|scope| ((*scope).to_owned(), None));
        let declared = resources.iter().flat_map(|resource| {
            resource
                .scope_tokens()
                .map(|scope| (scope, Some(&*resource.identifier)))
        });
        Self(openid.chain(declared).collect())
    }

    /// The identifier of the resource that `scope` belongs to; none of those of OpenID Connect.
    pub(super) fn resource(&self, scope: &str) -> Option<&'a str> {
        self.0.get(scope).copied().flatten()
    }

    pub(super) fn check(&self, reader: &mut Reader<'_>, place: &Place, scope: &str) {
        if self.0.contains_key(scope) {
            return;
        }
        let hint = did_you_mean(scope, self.0.keys().map(String::as_str));
        let identifier = scope.rsplit_once('/').map(|(identifier, _)| identifier);
        let why = match identifier {
            Some(identifier) if !self.has_resource(identifier) => {
                format!(
                    "scope {scope:?} is of {identifier:?}, which no [[resource]] declares{hint}"
                )
            }
            _ => format!("unknown scope {scope:?}{hint}"),
        };
        reader.refuse(place, why);
    }

    fn has_resource(&self, identifier: &str) -> bool {
        self.0
            .values()
            .any(|resource| *resource == Some(identifier))
    }
}

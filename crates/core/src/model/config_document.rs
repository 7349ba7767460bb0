//! What is managed of the realm itself, in one document: resources, scopes and exchange rules, and which clients have an id
//! that someone chose.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::base::time::Timestamp;
use crate::model::changed::Changed;
use crate::model::ids::ClientId;

/// The row `config/current`. Nodes read it once `config/version` says that it changed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ConfigDocument {
    /// 32 random bytes in hexadecimal: the key of the MAC in drawn client ids. Whoever knows it can make up ids that cost a
    /// read each, and nothing else.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub id_key: String,
    /// The clients whose ids were chosen: at most [`Self::MAX_CHOSEN_IDS`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clients: Vec<ClientId>,
    /// Algorithms that managed clients named, each with a signing key from then on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub algorithms: Vec<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub resources: BTreeMap<String, ManagedPart>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub scopes: BTreeMap<String, ManagedPart>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub exchange_rules: BTreeMap<String, ManagedPart>,
}

/// A resource, scope or rule as it was written, without its name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ManagedPart {
    pub written: Map<String, Value>,
    pub changed: Changed,
    /// Since when each of its scopes has been there, so that one made again under a name is another scope. Those that are
    /// older than this member are not in it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub since: BTreeMap<String, Timestamp>,
}

impl ManagedPart {
    /// The part that takes the place of `before`, if there is one.
    #[must_use]
    pub fn new(
        kind: PartKind,
        name: &str,
        written: Map<String, Value>,
        changed: Changed,
        before: Option<&Self>,
    ) -> Self {
        let had = |scope: &str| {
            before.is_some_and(|before| {
                names_of_scopes(kind, name, &before.written).any(|it| it == scope)
            })
        };
        let since = names_of_scopes(kind, name, &written).filter_map(|scope| {
            let since = match had(scope) {
                true => before.and_then(|before| before.since.get(scope).copied()),
                false => Some(changed.at),
            };
            Some((scope.to_owned(), since?))
        });
        Self {
            since: since.collect(),
            written,
            changed,
        }
    }

    /// The scope tokens of the part, and since when each has been there.
    pub fn scopes_since(
        &self,
        kind: PartKind,
        name: &str,
    ) -> impl Iterator<Item = (String, Timestamp)> {
        self.since.iter().map(move |(scope, since)| {
            let token = match kind {
                PartKind::Resource => format!("{name}/{scope}"),
                PartKind::Scope | PartKind::ExchangeRule => scope.clone(),
            };
            (token, *since)
        })
    }
}

/// The names of the scopes that a part declares.
fn names_of_scopes<'p>(
    kind: PartKind,
    name: &'p str,
    written: &'p Map<String, Value>,
) -> impl Iterator<Item = &'p str> {
    let of_resource = written.get("scopes").filter(|_| kind == PartKind::Resource);
    let of_resource = of_resource.and_then(Value::as_object).into_iter();
    let own = (kind == PartKind::Scope).then_some(name);
    of_resource
        .flat_map(Map::keys)
        .map(String::as_str)
        .chain(own)
}

/// The kinds of parts, each with the table of the configuration file that it stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PartKind {
    Resource,
    Scope,
    ExchangeRule,
}

impl PartKind {
    pub const ALL: [Self; 3] = [Self::Resource, Self::Scope, Self::ExchangeRule];

    /// The table of the file.
    #[must_use]
    pub const fn table(self) -> &'static str {
        match self {
            Self::Resource => "resource",
            Self::Scope => "scope",
            Self::ExchangeRule => "exchange",
        }
    }

    /// In messages and events.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Resource => "resource",
            Self::Scope => "scope",
            Self::ExchangeRule => "exchange rule",
        }
    }

    /// The member that names one.
    #[must_use]
    pub const fn name_key(self) -> &'static str {
        match self {
            Self::Resource => "identifier",
            Self::Scope | Self::ExchangeRule => "name",
        }
    }
}

impl ConfigDocument {
    pub const MAX_CHOSEN_IDS: usize = 2000;
    /// Of the row.
    pub const MAX_BYTES: usize = 256 * 1024;

    #[must_use]
    pub const fn parts(&self, kind: PartKind) -> &BTreeMap<String, ManagedPart> {
        match kind {
            PartKind::Resource => &self.resources,
            PartKind::Scope => &self.scopes,
            PartKind::ExchangeRule => &self.exchange_rules,
        }
    }

    pub const fn parts_mut(&mut self, kind: PartKind) -> &mut BTreeMap<String, ManagedPart> {
        match kind {
            PartKind::Resource => &mut self.resources,
            PartKind::Scope => &mut self.scopes,
            PartKind::ExchangeRule => &mut self.exchange_rules,
        }
    }
}

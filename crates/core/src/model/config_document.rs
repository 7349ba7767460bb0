//! What is managed of the realm itself, in one document: resources, scopes and exchange rules, and which clients have an id
//! that someone chose.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

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

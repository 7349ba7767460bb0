//! The rows `config/current` and `config/version`.

use serde::{Deserialize, Serialize};

use super::Record;
use crate::base::row::Key;
use crate::base::time::Timestamp;
use crate::model::config_document::ConfigDocument;

const CURRENT: &str = "current";

/// The key of `config/current`, the document.
#[must_use]
pub fn config_key(realm: &str) -> Key {
    super::key::<ConfigDocument>(realm, CURRENT)
}

impl Record for ConfigDocument {
    const KIND: &'static str = "config";
    const REPLACED: &'static [&'static str] = &["/resources", "/scopes", "/exchange_rules"];

    fn name(&self) -> String {
        CURRENT.to_owned()
    }

    fn expires_at(&self) -> Option<Timestamp> {
        None
    }
}

/// The small row `config/version`, written with each change of the document, which nodes read each second.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigVersion {
    pub at: Timestamp,
}

impl ConfigVersion {
    pub const NAME: &'static str = "version";

    #[must_use]
    pub fn key(realm: &str) -> Key {
        super::key::<Self>(realm, Self::NAME)
    }
}

impl Record for ConfigVersion {
    const KIND: &'static str = "config";

    fn name(&self) -> String {
        Self::NAME.to_owned()
    }

    fn expires_at(&self) -> Option<Timestamp> {
        None
    }
}

//! Changes of the managed document, `config/current`, and with it of `config/version`.

use super::refusal::{ApiCode, ApiRefusal};
use crate::base::row::Write;
use crate::engine::decide::Stop;
use crate::engine::env::Env;
use crate::engine::facts::{Facts, Versioned};
use crate::model::config_document::ConfigDocument;
use crate::records::{self, ConfigVersion, config_key};

/// The document as it is stored; one that is empty before the first change.
pub(super) struct Stored {
    document: Option<Versioned<ConfigDocument>>,
    version: Option<Versioned<ConfigVersion>>,
}

impl Stored {
    /// # Errors
    /// [`Stop::Need`] if it was not read yet.
    pub(super) fn read(env: &Env<'_>, facts: &Facts) -> Result<Self, Stop<ApiRefusal>> {
        let realm = &env.realm.name;
        let (document, version) = (config_key(realm), ConfigVersion::key(realm));
        facts.need(&[&document, &version])?;
        Ok(Self {
            document: facts.record(env, &document)?.live(),
            version: facts.record(env, &version)?.live(),
        })
    }

    pub(super) fn content(&self) -> ConfigDocument {
        let document = self.document.as_ref();
        document.map(|it| it.record.clone()).unwrap_or_default()
    }

    /// The writes of a change.
    ///
    /// # Errors
    /// 409 if the document gets too large.
    pub(super) fn replaced_by(
        &self,
        env: &Env<'_>,
        mut document: ConfigDocument,
    ) -> Result<Vec<Write>, Stop<ApiRefusal>> {
        let realm = &env.realm.name;
        if document.id_key.is_empty() {
            document.id_key = hex::encode(env.seed.bytes::<32>("id key"));
        }
        let bytes = records::to_json(&document)?.len();
        if bytes > ConfigDocument::MAX_BYTES {
            return Err(ApiRefusal::new(
                ApiCode::Limit,
                "All that is managed of APIs, scopes and rules is more than 256 KiB: delete some, or write some into the \
                 configuration file.",
            ).into());
        }
        let version = ConfigVersion { at: env.now };
        Ok(vec![
            match &self.document {
                Some(stored) => records::update(realm, &document, &stored.row)?,
                None => records::insert(realm, &document)?,
            },
            match &self.version {
                Some(stored) => records::update(realm, &version, &stored.row)?,
                None => records::insert(realm, &version)?,
            },
        ])
    }
}

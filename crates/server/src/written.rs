//! Reads what is written of managed objects by the declarations of the file's settings.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::hmac;
use grantor_config::{self as config, Part, Settings, WithParts};
use grantor_core::base::row::Version;
use grantor_core::model::checks::{Pointer, Problem};
use grantor_core::model::client::Client;
use grantor_core::model::config_document::{ConfigDocument, PartKind};
use grantor_core::model::ids::ClientId;
use grantor_core::model::managed::{Managed, NothingManaged, WrittenObjects};
use serde_json::{Map, Value};

use crate::assemble::clients;

/// The document of a snapshot, and the version of its row.
#[derive(Clone, Debug, Default)]
pub struct Document {
    pub version: Option<Version>,
    pub content: Arc<ConfigDocument>,
}

impl Document {
    /// The settings of the file with the document's parts. Those that no longer go together with the file are logged and
    /// left out.
    #[must_use]
    pub fn merged(&self, file: &Settings) -> Arc<Settings> {
        let content = &*self.content;
        let WithParts { settings, problems } = with_parts(file, content, parts(content));
        if problems.is_empty() {
            return Arc::new(settings);
        }
        for problem in &problems {
            let table = problem.kind.table();
            let (name, why) = (&problem.name, &problem.problem);
            tracing::error!(
                "[[{table}]] {name:?}, which is managed, does not go together with the file and is left out: {} {}",
                why.pointer,
                why.message
            );
        }
        let mut kept: Vec<Part<'_>> = Vec::new();
        for part in parts(content) {
            kept.push(part);
            if !with_parts(file, content, kept.iter().copied())
                .problems
                .is_empty()
            {
                kept.pop();
            }
        }
        Arc::new(with_parts(file, content, kept.iter().copied()).settings)
    }
}

fn parts(document: &ConfigDocument) -> impl Iterator<Item = Part<'_>> {
    PartKind::ALL.into_iter().flat_map(|kind| {
        let parts = document.parts(kind).iter();
        parts.map(move |(name, part)| Part {
            kind,
            name,
            written: &part.written,
        })
    })
}

fn with_parts<'a>(
    file: &Settings,
    document: &ConfigDocument,
    parts: impl Iterator<Item = Part<'a>>,
) -> WithParts {
    let ids = ids(document, Arc::new(NothingManaged), None);
    file.with_parts(parts, &|id| is_managed(&ids, id))
}

fn is_managed(managed: &Managed, id: &str) -> bool {
    id.parse().is_ok_and(|id| managed.may_have(&id))
}

fn ids(
    document: &ConfigDocument,
    objects: Arc<dyn WrittenObjects>,
    version: Option<Version>,
) -> Managed {
    let chosen: HashSet<ClientId> = document.clients.iter().cloned().collect();
    Managed::new(version, chosen, &document.id_key, objects)
}

/// The managed part of a realm with these settings.
#[must_use]
pub fn managed(
    file: Arc<Settings>,
    merged: Arc<Settings>,
    document: &Document,
    secret_key: Arc<hmac::Key>,
) -> Managed {
    let mut scopes_since = HashMap::new();
    for kind in PartKind::ALL {
        let parts = document.content.parts(kind).iter();
        let parts = parts.filter(|(name, _)| file.declared_part(kind, name).is_none());
        scopes_since.extend(parts.flat_map(|(name, part)| part.scopes_since(kind, name)));
    }
    let objects = Written {
        file,
        merged,
        secret_key,
        document: Arc::clone(&document.content),
    };
    let mut managed = ids(&document.content, Arc::new(objects), document.version);
    managed.scopes_since = Arc::new(scopes_since);
    managed
}

struct Written {
    file: Arc<Settings>,
    merged: Arc<Settings>,
    secret_key: Arc<hmac::Key>,
    document: Arc<ConfigDocument>,
}

/// Settings have secrets.
impl fmt::Debug for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Written")
    }
}

impl Written {
    fn assembled(&self, client: &config::Client) -> Option<Client> {
        clients::client(client, &self.merged, &self.secret_key).ok()
    }

    /// Keys are kept for as long as what the file names lives.
    fn check_lifetimes(&self, client: &config::Client) -> Vec<Problem> {
        type Life = fn(&config::Client) -> Option<Duration>;
        let lifetimes = &self.file.lifetimes;
        let of_all: [(&str, Life, Duration); 4] = [
            ("access_lifetime", |it| it.access_lifetime, lifetimes.access),
            ("refresh_idle", |it| it.refresh_idle, lifetimes.refresh_idle),
            (
                "refresh_absolute",
                |it| it.refresh_absolute,
                lifetimes.refresh_absolute,
            ),
            (
                "device_lifetime",
                |it| it.device_lifetime,
                self.file.device.lifetime,
            ),
        ];
        let problems = of_all.into_iter().filter_map(|(key, of, usual)| {
            let declared = self.file.clients.iter().filter_map(of);
            let longest = declared.fold(usual, Duration::max);
            let too_long = of(client).is_some_and(|it| it > longest);
            too_long.then(|| Problem {
                pointer: Pointer::default().key(key),
                message: format!(
                    "is longer than any that the configuration file names: {}s",
                    longest.as_secs()
                ),
                unknown: None,
            })
        });
        problems.collect()
    }
}

impl WrittenObjects for Written {
    fn client(
        &self,
        id: &ClientId,
        written: &Map<String, Value>,
        confidential: bool,
    ) -> Result<Client, Vec<Problem>> {
        let managed = ids(&self.document, Arc::new(NothingManaged), None);
        let is_known = |id: &str| is_managed(&managed, id);
        let client = self
            .merged
            .managed_client(id, written, confidential, &is_known)?;
        let problems = self.check_lifetimes(&client);
        match self.assembled(&client) {
            Some(assembled) if problems.is_empty() => Ok(assembled),
            _ => Err(problems),
        }
    }

    fn stored_client(
        &self,
        id: &ClientId,
        written: &Map<String, Value>,
        confidential: bool,
    ) -> Option<Client> {
        self.assembled(&self.merged.stored_client(id, written, confidential)?)
    }

    fn declared_client(&self, id: &ClientId) -> Option<Map<String, Value>> {
        self.file.declared_client(id.as_str()).cloned()
    }

    fn declared_part(&self, kind: PartKind, name: &str) -> Option<Map<String, Value>> {
        self.file.declared_part(kind, name).cloned()
    }

    fn declared_parts(&self, kind: PartKind) -> Vec<String> {
        self.file.declared_parts(kind)
    }

    fn check(&self, document: &ConfigDocument) -> Vec<(PartKind, String, Problem)> {
        let problems = with_parts(&self.file, document, parts(document)).problems;
        let problems = problems.into_iter();
        problems.map(|it| (it.kind, it.name, it.problem)).collect()
    }
}

//! The one owner of the realm's snapshots. It builds each from the settings, the keys and the instances of clients, and
//! makes one change after another, so that none is lost.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use grantor_core::base::time::Timestamp;
use grantor_core::model::ids::{ClientId, ClientInstance};
use grantor_core::model::realm::Realm;
use grantor_jose::{KeySet, LocalSigner};
use grantor_web::{App, SnapshotParts};

use crate::assemble::{self, AssembleError, Assembled};
use crate::master_key::MasterKeys;
use crate::run::StartError;
use crate::signing_keys::Opened;
use crate::trusted_keys::KeySets;
use crate::written::Document;
use grantor_config::Settings;

pub struct RealmOwner {
    app: Arc<App>,
    masters: MasterKeys,
    /// Held while a snapshot is built and replaced: the next change starts from what this one made.
    in_use: Mutex<InUse>,
    /// Held by who makes the next settings or takes a changed document, until they are in use.
    changing: tokio::sync::Mutex<()>,
}

/// What of the settings in use the file no longer declares, and was not pruned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// Identifiers of APIs.
    pub resources: HashSet<String>,
    /// Names.
    pub scopes: HashSet<String>,
    /// Ids.
    pub organizations: HashSet<String>,
    pub clients: HashSet<ClientId>,
    /// Folded names.
    pub users: HashSet<String>,
}

impl Kept {
    /// Whether something is kept that `before` did not keep.
    #[must_use]
    pub fn has_more_than(&self, before: &Self) -> bool {
        !self.resources.is_subset(&before.resources)
            || !self.scopes.is_subset(&before.scopes)
            || !self.organizations.is_subset(&before.organizations)
            || !self.clients.is_subset(&before.clients)
            || !self.users.is_subset(&before.users)
    }
}

/// All that a snapshot is built from.
pub struct InUse {
    /// Those of the file.
    pub settings: Arc<Settings>,
    /// With what is managed.
    pub merged: Arc<Settings>,
    pub document: Document,
    pub kept: Kept,
    /// When the settings were read.
    pub read_at: Timestamp,
    pub realm: Realm,
    pub signer: Arc<LocalSigner>,
    pub trusted_keys: Arc<KeySets>,
}

impl InUse {
    /// What a server begins with. Its clients have no instances yet.
    ///
    /// # Errors
    /// [`StartError`]
    pub fn new(
        settings: &Settings,
        document: &Document,
        read_at: Timestamp,
        masters: &MasterKeys,
        keys: &Opened,
    ) -> Result<Self, StartError> {
        let file = Arc::new(settings.clone());
        let published = keys.published.clone();
        let Assembled {
            realm,
            merged,
            document,
        } = assemble::with_document(&file, document, masters, published)?;
        Ok(Self {
            settings: file,
            merged,
            document,
            kept: Kept::default(),
            read_at,
            realm,
            signer: Arc::clone(&keys.signer),
            trusted_keys: Arc::new(KeySets::from_settings(settings)?),
        })
    }

    #[must_use]
    pub fn snapshot(&self) -> SnapshotParts {
        SnapshotParts {
            realm: self.realm.clone(),
            signer: Arc::clone(&self.signer) as _,
            trusted_keys: Arc::clone(&self.trusted_keys) as _,
        }
    }
}

impl RealmOwner {
    /// The owner of the realm of `app`, which was made with the snapshot of `first`.
    #[must_use]
    pub fn new(app: Arc<App>, masters: MasterKeys, first: InUse) -> Self {
        Self {
            app,
            masters,
            in_use: Mutex::new(first),
            changing: tokio::sync::Mutex::new(()),
        }
    }

    /// The settings in use: those of the file, but with what needs a restart as it was at the start, and with the APIs,
    /// clients and users that the file no longer declares and that were not pruned.
    #[must_use]
    pub fn settings(&self) -> Arc<Settings> {
        Arc::clone(&self.in_use().settings)
    }

    #[must_use]
    pub fn kept(&self) -> Kept {
        self.in_use().kept.clone()
    }

    /// Whether a user is kept whom the file no longer declares.
    #[must_use]
    pub fn keeps_user(&self, folded_name: &str) -> bool {
        self.in_use().kept.users.contains(folded_name)
    }

    /// When the settings in use were read.
    #[must_use]
    pub fn read_at(&self) -> Timestamp {
        self.in_use().read_at
    }

    #[must_use]
    pub fn trusted_keys(&self) -> Arc<KeySets> {
        Arc::clone(&self.in_use().trusted_keys)
    }

    /// Signs and verifies with these keys from now on, and publishes them. Requests in progress keep their keys.
    pub fn set_keys(&self, signing: KeySet, signer: Arc<LocalSigner>) {
        let mut current = self.in_use();
        current.realm.signing = signing.into();
        current.signer = signer;
        self.app.replace(current.snapshot());
    }

    /// Which client each id stands for from now on.
    pub fn set_instances(&self, instances: impl IntoIterator<Item = (ClientId, ClientInstance)>) {
        let mut current = self.in_use();
        for (id, instance) in instances {
            if let Some(client) = current.realm.clients.get_mut(&id) {
                Arc::make_mut(client).instance = instance;
            }
        }
        self.app.replace(current.snapshot());
    }

    /// No one else changes settings or document while this is held.
    pub async fn changing(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.changing.lock().await
    }

    #[must_use]
    pub fn document(&self) -> Document {
        self.in_use().document.clone()
    }

    /// The realm of other settings or of another document, without keys. Slow where there are many secrets: their strength
    /// is estimated.
    ///
    /// # Errors
    /// [`AssembleError`]
    pub fn assemble(
        &self,
        settings: &Arc<Settings>,
        document: &Document,
    ) -> Result<Assembled, AssembleError> {
        assemble::with_document(settings, document, &self.masters, KeySet::default())
    }

    /// The settings in use with another document.
    ///
    /// # Errors
    /// [`AssembleError`]
    pub fn next_document(&self, document: &Document) -> Result<Next, AssembleError> {
        let settings = self.settings();
        let assembled = self.assemble(&settings, document)?;
        let current = self.in_use();
        Ok(Next {
            settings,
            kept: current.kept.clone(),
            read_at: current.read_at,
            assembled,
            instances: HashMap::new(),
            trusted_keys: Arc::clone(&current.trusted_keys),
        })
    }

    /// Serves by other settings from now on, with these keys.
    pub fn set_settings(&self, next: Next, signing: KeySet, signer: Arc<LocalSigner>) {
        let mut current = self.in_use();
        let Assembled {
            realm,
            merged,
            document,
        } = next.assembled;
        let mut realm = Realm {
            signing: signing.into(),
            ..realm
        };
        for (id, client) in &mut realm.clients {
            let before = || current.realm.clients.get(id).map(|client| client.instance);
            let instance = next.instances.get(id).copied();
            let client = Arc::make_mut(client);
            client.instance = instance.or_else(before).unwrap_or(client.instance);
        }
        // Codes of before may still be pending.
        let longest = &mut realm.device.longest_lifetime;
        *longest = (*longest).max(current.realm.device.longest_lifetime);
        *current = InUse {
            settings: next.settings,
            merged,
            document,
            kept: next.kept,
            read_at: next.read_at,
            realm,
            signer,
            trusted_keys: next.trusted_keys,
        };
        self.app.replace(current.snapshot());
    }

    fn in_use(&self) -> MutexGuard<'_, InUse> {
        self.in_use.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The settings of a changed file, and what follows from them.
pub struct Next {
    pub settings: Arc<Settings>,
    pub kept: Kept,
    pub read_at: Timestamp,
    /// Of the settings, without keys and instances.
    pub assembled: Assembled,
    /// Of the clients that the file declares. Others keep theirs.
    pub instances: HashMap<ClientId, ClientInstance>,
    pub trusted_keys: Arc<KeySets>,
}

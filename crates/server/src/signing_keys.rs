//! The realm's signing keys in the store: read, opened, and changed by one conditional write on their one row.

use std::convert::Infallible;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use grantor_core::base::error::Failure;
use grantor_core::base::row::{Row, Version};
use grantor_core::base::sealing::MasterKey;
use grantor_core::base::seed::Seed;
use grantor_core::base::time::Timestamp;
use grantor_core::engine::decide::Operation;
use grantor_core::engine::drive::{Drive, Step};
use grantor_core::model::realm::Realm;
use grantor_core::records::{self, SealedSigningKey, SigningKeys, SupersededMaster};
use grantor_core::tokens::key_life::{KeyPolicy, Plan, needed};
use grantor_core::tokens::replace_signing_keys::{ReplaceSigningKeys, Replaced};
use grantor_jose::{
    Algorithm, KeyError, KeySet, KeySetError, KeyState, LocalSigner, Pkcs8, SigningKey,
    decrypt_private_key, encrypt_private_key,
};
use grantor_store::{Store, StoreError};
use grantor_web::{Clock, Entropy};

use crate::assemble::POOL;
use crate::key_policy::Lives;
use crate::master_key::{MasterKeys, Source};

#[cfg(test)]
mod tests;

/// How often the row is read again after another node wrote it first.
const ATTEMPTS: usize = 8;

#[derive(Debug, thiserror::Error)]
pub enum SigningKeysError {
    /// Most likely the master key of another store.
    #[error(
        "{0} cannot open the store's signing keys: the store was made with another master key (or the key's row is \
         damaged). Give the key that the store was made with"
    )]
    WrongMasterKey(Source),
    /// The row, or a key in it, is damaged.
    #[error("the store's signing keys cannot be read: {0}")]
    Corrupt(String),
    /// A newer version of this program wrote the row, and this one must not.
    #[error(transparent)]
    NotOurs(#[from] Failure),
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Other nodes kept changing the row, or it is unknown whether it was written.
    #[error("the signing keys could not be written: gave up after {ATTEMPTS} conflicting commits")]
    Contention,
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error("the thread that generates keys ended")]
    Thread,
}

/// Opens, creates and changes the keys of a store.
pub struct KeyStore {
    pub store: Arc<dyn Store>,
    /// For operations on the keys; has none itself.
    pub realm: Arc<Realm>,
    /// What private keys are encrypted under.
    pub masters: MasterKeys,
    /// Where the master keys come from, for messages.
    pub source: Source,
    pub in_use: Vec<Algorithm>,
    pub lives: Lives,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
}

/// The keys of one version of the row.
pub struct Opened {
    pub record: SigningKeys,
    /// Its version; none before the first write.
    pub version: Option<Version>,
    pub signer: Arc<LocalSigner>,
    pub published: KeySet,
}

/// Reads the row of keys; none where the store was never used.
///
/// # Errors
/// When the store cannot be read.
pub async fn read(store: &dyn Store) -> Result<Option<Row>, StoreError> {
    let key = records::key::<SigningKeys>(POOL, SigningKeys::NAME);
    let rows = store.get(&[key]).await?;
    Ok(rows.into_iter().next().flatten())
}

impl KeyStore {
    /// Opens the keys, after creating those that a server needs to start.
    ///
    /// # Errors
    /// [`SigningKeysError`]
    pub async fn open(&self) -> Result<Opened, SigningKeysError> {
        self.change(|keys| needed(keys, &self.in_use)).await
    }

    #[must_use]
    pub fn policy(&self) -> KeyPolicy {
        self.lives.policy
    }

    /// Changes the keys by `plan`, and re-encrypts those that are under an older master key. Of several nodes that do so at
    /// the same time one writes; the others plan again with what it wrote.
    ///
    /// # Errors
    /// [`SigningKeysError`]
    pub async fn change(
        &self,
        plan: impl Fn(&SigningKeys) -> Plan + Send + Sync,
    ) -> Result<Opened, SigningKeysError> {
        for _ in 0..ATTEMPTS {
            let before = self.read().await?;
            let (now, seed) = (self.clock.now(), self.entropy.seed());
            let plan = plan(&before.record);
            let resealed = self.resealed(before.record.clone(), now, &seed)?;
            if plan.is_empty() && resealed == before.record {
                return Ok(before);
            }
            let made = self.make(&plan, now, &seed).await?;
            let replace = ReplaceSigningKeys {
                planned_for: before.version,
                keys: plan.apply(resealed, made, &self.policy(), now),
            };
            if self.run(replace).await? == Replaced::Written {
                let kids = |kids: &[_]| format!("{kids:?}");
                tracing::info!(
                    made = ?plan.create, promoted = kids(&plan.promote), retired = kids(&plan.retire),
                    removed = kids(&plan.remove), "changed the signing keys"
                );
                return self.read().await;
            }
        }
        Err(SigningKeysError::Contention)
    }

    /// The keys that the store holds now.
    ///
    /// # Errors
    /// [`SigningKeysError`]
    pub async fn read(&self) -> Result<Opened, SigningKeysError> {
        self.opened(read(&*self.store).await?.as_ref())
    }

    /// The keys of a row that was read.
    ///
    /// # Errors
    /// [`SigningKeysError::WrongMasterKey`], [`SigningKeysError::Corrupt`]
    pub fn opened(&self, row: Option<&Row>) -> Result<Opened, SigningKeysError> {
        let Some(row) = row else {
            return self.opened_as(SigningKeys::default(), None);
        };
        let record = serde_json::from_slice(&row.value).map_err(|error| corrupt(&error))?;
        self.opened_as(record, Some(row.version))
    }

    fn opened_as(
        &self,
        record: SigningKeys,
        version: Option<Version>,
    ) -> Result<Opened, SigningKeysError> {
        let open = |sealed: &SealedSigningKey| {
            let (pkcs8, _) = self.decrypted(sealed)?;
            let key = SigningKey::from_pkcs8(sealed.alg, pkcs8.reveal())?;
            if *key.kid() == sealed.kid {
                Ok(key)
            } else {
                let why = format!("the key {} has another id", sealed.kid);
                Err(SigningKeysError::Corrupt(why))
            }
        };
        let keys: Vec<_> = record.keys.iter().map(open).collect::<Result<_, _>>()?;
        let states = record.keys.iter().map(|sealed| sealed.state);
        let published = KeySet::new(keys.iter().map(SigningKey::jwk).zip(states))
            .map_err(|error: KeySetError| corrupt(&error))?;
        Ok(Opened {
            record,
            version,
            signer: Arc::new(keys.into_iter().collect()),
            published,
        })
    }

    /// A private key, and the master key that opens it.
    fn decrypted(
        &self,
        sealed: &SealedSigningKey,
    ) -> Result<(Pkcs8, &MasterKey), SigningKeysError> {
        let encrypted = URL_SAFE_NO_PAD
            .decode(&sealed.private)
            .map_err(|error| corrupt(&error))?;
        let open = |master: &'_ MasterKey| {
            decrypt_private_key(master.reveal(), &sealed.kid, &encrypted).ok()
        };
        self.masters
            .all()
            .find_map(|master| Some((open(master)?, master)))
            .ok_or_else(|| SigningKeysError::WrongMasterKey(self.source.clone()))
    }

    /// All keys under the current master key. The master keys that they were under are recorded as superseded.
    fn resealed(
        &self,
        mut record: SigningKeys,
        now: Timestamp,
        seed: &Seed,
    ) -> Result<SigningKeys, SigningKeysError> {
        let current = self.masters.current();
        // A key that was taken back into use is not superseded.
        record.superseded.retain(|master| master.id != current.id());
        for sealed in &mut record.keys {
            let (pkcs8, master) = self.decrypted(sealed)?;
            if master.id() == current.id() {
                continue;
            }
            sealed.private = self.encrypted(sealed, &pkcs8, seed)?;
            let id = master.id();
            if record.superseded.iter().all(|other| other.id != id) {
                record.superseded.push(SupersededMaster {
                    id,
                    at: now,
                    until: now + self.lives.sealed,
                });
            }
        }
        Ok(record)
    }

    /// Generates the keys of a plan, on a blocking thread: RSA is slow.
    async fn make(
        &self,
        plan: &Plan,
        now: Timestamp,
        seed: &Seed,
    ) -> Result<Vec<SealedSigningKey>, SigningKeysError> {
        let mut made = Vec::new();
        for &(alg, state) in &plan.create {
            let generated = tokio::task::spawn_blocking(move || SigningKey::generate(alg)).await;
            let (key, pkcs8) = generated.map_err(|_| SigningKeysError::Thread)??;
            let mut sealed = SealedSigningKey {
                kid: key.kid().clone(),
                alg,
                state: KeyState::Next,
                created_at: now,
                since: now,
                kept_secs: 0,
                private: String::new(),
            };
            sealed.private = self.encrypted(&sealed, &pkcs8, seed)?;
            made.push(match state {
                KeyState::Active => sealed.promoted(now, self.policy().kept),
                _ => sealed,
            });
        }
        Ok(made)
    }

    fn encrypted(
        &self,
        sealed: &SealedSigningKey,
        pkcs8: &Pkcs8,
        seed: &Seed,
    ) -> Result<String, SigningKeysError> {
        let nonce = seed.bytes(&format!("nonce of {}", sealed.kid));
        let master = self.masters.current().reveal();
        let encrypted = encrypt_private_key(master, &sealed.kid, pkcs8, nonce)
            .map_err(|error| corrupt(&error))?;
        Ok(URL_SAFE_NO_PAD.encode(encrypted))
    }

    /// Performs an operation on the store alone.
    async fn run<O>(&self, operation: O) -> Result<O::Reply, SigningKeysError>
    where
        O: Operation<Refused = Infallible>,
    {
        let (clock, entropy) = (&self.clock, &self.entropy);
        let realm = Arc::clone(&self.realm);
        let mut drive = Drive::new(operation, realm, clock.now(), entropy.seed());
        loop {
            match drive.step() {
                Step::Get(keys) => {
                    let rows = self.store.get(&keys).await?;
                    drive.rows(keys, rows);
                }
                Step::Commit { now, id, writes } => {
                    let committed = self.store.commit(now, id, writes).await?;
                    drive.committed(committed, clock.now(), entropy.seed(), &self.realm);
                }
                Step::Done(outcome) => {
                    let Ok(reply) = outcome.reply;
                    return Ok(reply);
                }
                Step::Failed(failure, _) => return Err(failure.into()),
                _ => return Err(Failure::Bug("a change of the signing keys needs more").into()),
            }
        }
    }
}

fn corrupt(error: &dyn std::error::Error) -> SigningKeysError {
    SigningKeysError::Corrupt(error.to_string())
}

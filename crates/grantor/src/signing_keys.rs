//! The pool's signing keys: opened from their row, and made where an algorithm has none.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use grantor_core::records::{Record as _, SealedSigningKey, SigningKeys};
use grantor_core::row::{Committed, Key, NewRow, Row, Version, Write};
use grantor_core::sealed::MasterKey;
use grantor_core::seed::Seed;
use grantor_jose::{
    Algorithm, AtRestError, KeyError, KeySet, KeySetError, KeyState, LocalSigner, SigningKey,
    decrypt_private_key, encrypt_private_key,
};
use grantor_store::{Store, StoreError};
use grantor_web::{Clock, Entropy};

use crate::master_key::Source;

/// How often the row is read again after another node wrote it first.
const ATTEMPTS: usize = 8;

/// Why there are no signing keys.
#[derive(Debug, thiserror::Error)]
pub enum SigningKeysError {
    /// Another master key, most likely.
    #[error(
        "{0} cannot open the store's signing keys: the store was made with another master key (or the key's row is \
         damaged). Give the key that the store was made with"
    )]
    WrongMasterKey(Source),
    /// The row or a key in it is not what we write.
    #[error("the store's signing keys cannot be read: {0}")]
    Corrupt(String),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Others wrote the row again and again, or the store does not say whether it was written.
    #[error("the signing keys could not be written: gave up after {ATTEMPTS} conflicting commits")]
    Contention,
    /// A key could not be made.
    #[error(transparent)]
    Key(#[from] KeyError),
}

/// Where the keys are kept: one row of the pool.
pub struct SigningKeyRow<'a> {
    store: &'a dyn Store,
    key: Key,
    found: Option<Row>,
}

/// What signs, and what of it is published.
pub struct Opened {
    /// The private halves.
    pub signer: LocalSigner,
    /// The public halves.
    pub published: KeySet,
}

impl<'a> SigningKeyRow<'a> {
    /// Reads the row.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn read(store: &'a dyn Store, pool: &str) -> Result<Self, StoreError> {
        let key = Key::new(pool, SigningKeys::KIND, SigningKeys::NAME);
        let mut row = Self {
            store,
            key,
            found: None,
        };
        row.read_again().await?;
        Ok(row)
    }

    async fn read_again(&mut self) -> Result<(), StoreError> {
        let rows = self.store.get(std::slice::from_ref(&self.key)).await?;
        self.found = rows.into_iter().next().flatten();
        Ok(())
    }

    /// Whether no node ever wrote keys into this store.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        self.found.is_none()
    }

    /// Opens the keys, after making one for each algorithm `in_use` that has none. Of nodes that start
    /// together one makes them, and the others take its keys.
    ///
    /// # Errors
    /// [`SigningKeysError`]
    pub async fn open(
        mut self,
        master: &MasterKey,
        source: &Source,
        in_use: &[Algorithm],
        clock: &dyn Clock,
        entropy: &dyn Entropy,
    ) -> Result<Opened, SigningKeysError> {
        for _ in 0..ATTEMPTS {
            let mut record = self.record()?;
            let mut signing = opened(&record, master, source)?;
            let missing: Vec<_> = in_use
                .iter()
                .copied()
                .filter(|alg| !record.has_active(*alg))
                .collect();
            if missing.is_empty() {
                return Ok(Opened {
                    published: published(&record, &signing)?,
                    signer: signing.into_iter().collect(),
                });
            }
            let seed = entropy.seed();
            for alg in missing {
                let (key, sealed) = made(alg, master, clock, &seed)?;
                tracing::info!(kid = %sealed.kid, %alg, "made a signing key");
                record.keys.push(sealed);
                signing.push(key);
            }
            // Also after an unknown end: what is there now decides.
            if self.write(&record, clock, &seed).await? == Committed::Done {
                return Ok(Opened {
                    published: published(&record, &signing)?,
                    signer: signing.into_iter().collect(),
                });
            }
            self.read_again().await?;
        }
        Err(SigningKeysError::Contention)
    }

    fn record(&self) -> Result<SigningKeys, SigningKeysError> {
        match &self.found {
            None => Ok(SigningKeys::default()),
            Some(row) => serde_json::from_slice(&row.value).map_err(|error| corrupt(&error)),
        }
    }

    async fn write(
        &self,
        record: &SigningKeys,
        clock: &dyn Clock,
        seed: &Seed,
    ) -> Result<Committed, SigningKeysError> {
        let row = NewRow {
            key: self.key.clone(),
            expires_at: record.expires_at(),
            value: serde_json::to_vec(record)
                .map_err(|error| corrupt(&error))?
                .into(),
            indexes: Vec::new(),
        };
        let write = match &self.found {
            None => Write::Insert(row),
            Some(found) => Write::Update {
                row,
                expect: found.version,
            },
        };
        let id = Version::from_bytes(seed.bytes("commit"));
        Ok(self.store.commit(clock.now(), id, vec![write]).await?)
    }
}

fn opened(
    record: &SigningKeys,
    master: &MasterKey,
    source: &Source,
) -> Result<Vec<SigningKey>, SigningKeysError> {
    let open = |sealed: &SealedSigningKey| {
        let encrypted = URL_SAFE_NO_PAD
            .decode(&sealed.private)
            .map_err(|error| corrupt(&error))?;
        let pkcs8 = decrypt_private_key(master.reveal(), &sealed.kid, &encrypted)
            .map_err(|AtRestError| SigningKeysError::WrongMasterKey(source.clone()))?;
        let key = SigningKey::from_pkcs8(sealed.alg, pkcs8.reveal())?;
        if *key.kid() == sealed.kid {
            Ok(key)
        } else {
            Err(SigningKeysError::Corrupt(format!(
                "the key {} has another id",
                sealed.kid
            )))
        }
    };
    record.keys.iter().map(open).collect()
}

fn made(
    alg: Algorithm,
    master: &MasterKey,
    clock: &dyn Clock,
    seed: &Seed,
) -> Result<(SigningKey, SealedSigningKey), SigningKeysError> {
    let (key, pkcs8) = SigningKey::generate(alg)?;
    let nonce = seed.bytes(&format!("nonce of {}", key.kid()));
    let encrypted = encrypt_private_key(master.reveal(), key.kid(), &pkcs8, nonce)
        .map_err(|error| corrupt(&error))?;
    let sealed = SealedSigningKey {
        kid: key.kid().clone(),
        alg,
        state: KeyState::Active,
        created_at: clock.now(),
        private: URL_SAFE_NO_PAD.encode(encrypted),
    };
    Ok((key, sealed))
}

/// What is published of keys that stand in the order of their record.
fn published(record: &SigningKeys, signing: &[SigningKey]) -> Result<KeySet, SigningKeysError> {
    let states = record.keys.iter().map(|sealed| sealed.state);
    KeySet::new(signing.iter().map(SigningKey::jwk).zip(states))
        .map_err(|error: KeySetError| corrupt(&error))
}

fn corrupt(error: &dyn std::error::Error) -> SigningKeysError {
    SigningKeysError::Corrupt(error.to_string())
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use futures_util::future::join;
    use grantor_jose::Signer as _;
    use grantor_store::memory::Memory;

    use super::*;
    use crate::system::{SystemClock, SystemEntropy};

    async fn open(
        store: &Memory,
        master: u8,
        in_use: &[Algorithm],
    ) -> Result<Opened, SigningKeysError> {
        let row = SigningKeyRow::read(store, "default").await?;
        let source = Source::File(PathBuf::from("grantor.key"));
        row.open(
            &MasterKey::new([master; 32]),
            &source,
            in_use,
            &SystemClock,
            &SystemEntropy,
        )
        .await
    }

    fn kids(opened: &Opened) -> Vec<String> {
        opened
            .published
            .keys()
            .iter()
            .map(|key| key.kid().to_string())
            .collect()
    }

    #[tokio::test]
    async fn keys_are_made_once_and_opened_again() {
        let store = Memory::new();
        let in_use = [Algorithm::Es256, Algorithm::EdDsa];
        let first = open(&store, 1, &in_use).await.unwrap();
        let second = open(&store, 1, &in_use).await.unwrap();
        assert_eq!(kids(&first), kids(&second));
        assert_eq!(store.rows(), 1);
        for alg in in_use {
            let kid = second.published.active(alg).unwrap().kid();
            assert!(second.signer.sign(kid, alg, b"input").await.is_ok());
        }
    }

    #[tokio::test]
    async fn an_algorithm_that_comes_into_use_gets_a_key_beside_the_others() {
        let store = Memory::new();
        let before = open(&store, 1, &[Algorithm::Es256]).await.unwrap();
        let after = open(&store, 1, &[Algorithm::Es256, Algorithm::EdDsa])
            .await
            .unwrap();
        assert_eq!(kids(&after)[..1], kids(&before));
        assert_eq!(kids(&after).len(), 2);
    }

    #[tokio::test]
    async fn nodes_that_start_together_end_with_the_same_keys() {
        let store = Memory::new();
        let read = || SigningKeyRow::read(&store, "default");
        // Both have read the empty row before either writes.
        let (one, other) = join(read(), read()).await;
        let (master, in_use) = (MasterKey::new([1; 32]), [Algorithm::Es256]);
        let mut opened = Vec::new();
        for row in [one.unwrap(), other.unwrap()] {
            opened.push(
                row.open(
                    &master,
                    &Source::Random,
                    &in_use,
                    &SystemClock,
                    &SystemEntropy,
                )
                .await
                .unwrap(),
            );
        }
        assert_eq!(kids(&opened[0]), kids(&opened[1]));
    }

    #[tokio::test]
    async fn another_master_key_is_told_by_its_name() {
        let store = Memory::new();
        open(&store, 1, &[Algorithm::Es256]).await.unwrap();
        let error = open(&store, 2, &[Algorithm::Es256])
            .await
            .err()
            .unwrap()
            .to_string();
        assert!(
            error.starts_with("key_file grantor.key cannot open the store's signing keys"),
            "{error}"
        );
        assert!(error.contains("another master key"), "{error}");
    }

    #[tokio::test]
    async fn the_store_holds_no_private_key() {
        let store = Memory::new();
        open(&store, 1, &[Algorithm::Es256]).await.unwrap();
        let row = SigningKeyRow::read(&store, "default")
            .await
            .unwrap()
            .record()
            .unwrap();
        let encrypted = URL_SAFE_NO_PAD.decode(&row.keys[0].private).unwrap();
        assert!(SigningKey::from_pkcs8(Algorithm::Es256, &encrypted).is_err());
    }
}

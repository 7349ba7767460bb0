//! Signing keys and the keys for sealing: made once, since an RSA key takes long to find.

use std::sync::LazyLock;

use grantor_core::base::sealing::{MasterKey, SealingKeys};
use grantor_jose::{Algorithm, Jwk, KeySet, KeyState, LocalSigner, SigningKey};

/// One key of each algorithm, then spare keys of ES256 for key rotation.
static KEYS: LazyLock<(LocalSigner, Vec<Jwk>)> = LazyLock::new(|| {
    let key = |alg| SigningKey::generate(alg).expect("enough memory").0;
    let spare = std::iter::repeat_n(Algorithm::Es256, 8);
    let keys = [Algorithm::Es256, Algorithm::Rs256]
        .into_iter()
        .chain(spare);
    let keys: Vec<_> = keys.map(key).collect();
    let public = keys.iter().map(SigningKey::jwk).collect();
    (keys.into_iter().collect(), public)
});

static KEY_SET: LazyLock<KeySet> = LazyLock::new(|| {
    let active = public_keys().0.iter();
    let active = active.map(|jwk| (jwk.clone(), KeyState::Active));
    KeySet::new(active).expect("different keys")
});

/// The public keys: one of each algorithm, then the spare ones.
pub fn public_keys() -> (&'static [Jwk], &'static [Jwk]) {
    KEYS.1.split_at(2)
}

/// Signs with any of the keys.
pub fn signer() -> &'static LocalSigner {
    &KEYS.0
}

/// One active key of each algorithm: the keys of every realm that a test does not change.
pub fn key_set() -> &'static KeySet {
    &KEY_SET
}

/// The keys with which every realm seals its tokens.
pub fn sealing() -> SealingKeys {
    SealingKeys::new("default", &MasterKey::new([1; 32]), &[])
}

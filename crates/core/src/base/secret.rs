//! Text that must not be seen: no `Display`, a `Debug` that says nothing, comparison in constant time.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::{constant_time, digest, hmac};
use zeroize::Zeroizing;

/// A secret that somebody presents or that we hand out: a password, a client secret, a cookie's secret.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes a text into care.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The text itself, for the one place that must have it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether nothing was given.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// What is kept of a client secret: never the secret.
#[derive(Clone)]
pub enum SecretVerifier {
    /// SHA-256 of a secret of 256 random bits.
    Sha256([u8; 32]),
    /// HMAC, under a key derived from the master key, of a secret that somebody chose.
    Hmac {
        /// The key.
        key: Arc<hmac::Key>,
        /// The tag of the right secret.
        tag: [u8; 32],
        /// Whether the secret is short enough to be guessed, so that wrong tries must be bounded.
        guessable: bool,
    },
}

impl SecretVerifier {
    /// Secrets from this many characters on need no bound on wrong tries.
    pub const UNGUESSABLE: usize = 22;

    /// Keeps what verifies `secret`.
    #[must_use]
    pub fn of(key: &Arc<hmac::Key>, secret: &Secret) -> Self {
        let mut tag = [0; 32];
        tag.copy_from_slice(hmac::sign(key, secret.reveal().as_bytes()).as_ref());
        let guessable = secret.reveal().chars().count() < Self::UNGUESSABLE;
        Self::Hmac {
            key: Arc::clone(key),
            tag,
            guessable,
        }
    }

    /// Whether `presented` is the secret, in constant time.
    #[must_use]
    pub fn accepts(&self, presented: &Secret) -> bool {
        let bytes = presented.reveal().as_bytes();
        match self {
            Self::Sha256(expected) => constant_time::verify_slices_are_equal(
                expected,
                digest::digest(&digest::SHA256, bytes).as_ref(),
            )
            .is_ok(),
            Self::Hmac { key, tag, .. } => hmac::verify(key, bytes, tag).is_ok(),
        }
    }

    /// Whether wrong tries must be bounded.
    #[must_use]
    pub const fn guessable(&self) -> bool {
        matches!(
            self,
            Self::Hmac {
                guessable: true,
                ..
            }
        )
    }
}

impl fmt::Debug for SecretVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretVerifier(…)")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_verifier_accepts_its_secret_only_and_shows_nothing() {
        let key = Arc::new(hmac::Key::new(hmac::HMAC_SHA256, &[1; 32]));
        let secret = Secret::new("s:é cret");
        let verifier = SecretVerifier::of(&key, &secret);
        assert!(verifier.accepts(&secret));
        assert!(!verifier.accepts(&Secret::new("s:é creT")));
        assert!(!verifier.accepts(&Secret::new("")));
        assert_eq!(
            format!("{secret:?}{verifier:?}"),
            "Secret(…)SecretVerifier(…)"
        );
    }

    #[test]
    fn only_a_short_secret_is_guessable() {
        let key = Arc::new(hmac::Key::new(hmac::HMAC_SHA256, &[1; 32]));
        assert!(SecretVerifier::of(&key, &Secret::new("hunter2")).guessable());
        assert!(!SecretVerifier::of(&key, &Secret::new("x".repeat(22))).guessable());
    }

    proptest! {
        #[test]
        fn a_verifier_accepts_what_is_the_same_and_nothing_else(own in ".{0,40}", other in ".{0,40}") {
            let key = Arc::new(hmac::Key::new(hmac::HMAC_SHA256, &[1; 32]));
            let mut digest = [0; 32];
            digest.copy_from_slice(digest::digest(&digest::SHA256, own.as_bytes()).as_ref());
            let (own, other) = (Secret::new(own), Secret::new(other));
            for verifier in [SecretVerifier::of(&key, &own), SecretVerifier::Sha256(digest)] {
                prop_assert!(verifier.accepts(&own));
                prop_assert_eq!(verifier.accepts(&other), own.reveal() == other.reveal());
            }
        }
    }
}

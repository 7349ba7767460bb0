//! Secret text: no `Display`, redacted `Debug`, constant-time comparison.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::{constant_time, digest, hmac};
use zeroize::Zeroizing;

use super::sealing::array;

mod strength;

/// A presented or issued secret: a password, a client secret, a token, a cookie.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether it is estimated to be easy to guess, as a client's secret that someone chose.
    #[must_use]
    pub fn is_weak(&self) -> bool {
        strength::is_weak(&self.0)
    }
}

/// In constant time, but for the length.
impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        let [one, other] = [self, other].map(|secret| secret.0.as_bytes());
        constant_time::verify_slices_are_equal(one, other).is_ok()
    }
}

impl Eq for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Verifies a client secret without storing it.
#[derive(Clone)]
pub enum SecretVerifier {
    /// SHA-256 of a secret of 256 random bits.
    Sha256([u8; 32]),
    /// HMAC of a chosen secret, under a key derived from the master key.
    Hmac {
        key: Arc<hmac::Key>,
        tag: [u8; 32],
        /// Whether the secret is weak, so that attempts must be limited.
        guessable: bool,
    },
}

impl SecretVerifier {
    #[must_use]
    pub fn new(key: &Arc<hmac::Key>, secret: &Secret) -> Self {
        Self::Hmac {
            key: Arc::clone(key),
            tag: array(hmac::sign(key, secret.reveal().as_bytes()).as_ref()),
            guessable: secret.is_weak(),
        }
    }

    /// Compares in constant time.
    #[must_use]
    pub fn accepts(&self, presented: &Secret) -> bool {
        let bytes = presented.reveal().as_bytes();
        match self {
            Self::Sha256(expected) => {
                let digest = digest::digest(&digest::SHA256, bytes);
                constant_time::verify_slices_are_equal(expected, digest.as_ref()).is_ok()
            }
            Self::Hmac { key, tag, .. } => hmac::verify(key, bytes, tag).is_ok(),
        }
    }

    /// Whether attempts must be limited.
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
    fn a_verifier_accepts_only_its_secret_and_debug_is_redacted() {
        let key = Arc::new(hmac::Key::new(hmac::HMAC_SHA256, &[1; 32]));
        let secret = Secret::new("s:é cret");
        let verifier = SecretVerifier::new(&key, &secret);
        assert!(verifier.accepts(&secret));
        assert!(!verifier.accepts(&Secret::new("s:é creT")));
        assert!(!verifier.accepts(&Secret::new("")));
        assert_eq!(
            format!("{secret:?}{verifier:?}"),
            "Secret(…)SecretVerifier(…)"
        );
    }

    #[test]
    fn a_weak_secret_is_guessable_however_long_it_is() {
        let key = Arc::new(hmac::Key::new(hmac::HMAC_SHA256, &[1; 32]));
        let guessable = |text: &str| SecretVerifier::new(&key, &Secret::new(text)).guessable();
        assert!(guessable("hunter2"));
        assert!(guessable(&"a".repeat(26)));
        assert!(!guessable("Xk29vTq8LzRw4mNbYc7PsJ3d"));
    }

    proptest! {
        #[test]
        fn a_verifier_accepts_exactly_the_same_secret(own in ".{0,40}", other in ".{0,40}") {
            let key = Arc::new(hmac::Key::new(hmac::HMAC_SHA256, &[1; 32]));
            let mut digest = [0; 32];
            digest.copy_from_slice(digest::digest(&digest::SHA256, own.as_bytes()).as_ref());
            let (own, other) = (Secret::new(own), Secret::new(other));
            for verifier in [SecretVerifier::new(&key, &own), SecretVerifier::Sha256(digest)] {
                prop_assert!(verifier.accepts(&own));
                prop_assert_eq!(verifier.accepts(&other), own.reveal() == other.reveal());
            }
        }
    }
}

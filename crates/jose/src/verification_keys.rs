//! The published keys of another issuer, for verification.

use crate::algorithm::Algorithm;
use crate::decode::{Unverified, Verified};
use crate::jwk::{Jwks, Kid};
use crate::verification::{VerificationKey, VerifyError};

/// The most keys of a set that are used: a larger set is a mistake, or an attempt to exhaust memory.
const MAX_KEYS: usize = 64;

/// The key set of another issuer. Unlike in [`KeySet`](crate::KeySet), keys may have no `kid`, and several may have the
/// same.
#[derive(Clone, Debug, Default)]
pub struct VerificationKeys(Vec<(Option<Kid>, VerificationKey)>);

impl From<&Jwks> for VerificationKeys {
    /// Prepares the keys. Unusable keys are skipped (RFC 7517 section 5).
    fn from(jwks: &Jwks) -> Self {
        let keys = jwks.keys.iter().take(MAX_KEYS);
        let ready = keys.filter_map(|jwk| Some((jwk.kid.clone(), VerificationKey::new(jwk).ok()?)));
        Self(ready.collect())
    }
}

impl VerificationKeys {
    /// Whether the set is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The number of keys.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is a key with this id for this algorithm; without an id, whether there is exactly one key for the
    /// algorithm.
    #[must_use]
    pub fn has(&self, kid: Option<&Kid>, alg: Algorithm) -> bool {
        self.find(kid, alg).is_some()
    }

    /// Verifies a token that one of these keys signed. RFC 7515 section 4.1.4: `kid` "is a hint indicating
    /// which key was used"; without it there must be exactly one key for the algorithm.
    ///
    /// # Errors
    /// [`VerifyError`]
    pub fn verify(&self, token: Unverified) -> Result<Verified, VerifyError> {
        let (kid, alg) = (token.header().kid.as_ref(), token.header().algorithm);
        let named = |own: &Option<Kid>| kid.is_some() && own.as_ref() == kid;
        let key =
            self.find(kid, alg)
                .ok_or_else(|| match self.0.iter().any(|(own, _)| named(own)) {
                    true => VerifyError::AlgorithmNotAllowed,
                    false => VerifyError::UnknownKey,
                })?;
        token.verify(key)
    }

    fn find(&self, kid: Option<&Kid>, alg: Algorithm) -> Option<&VerificationKey> {
        let mut fitting = self.0.iter().filter(|(own, key)| {
            key.algorithms().contains(&alg) && kid.is_none_or(|kid| own.as_ref() == Some(kid))
        });
        let first = fitting.next();
        // Of several keys with the token's id, the first; of several without an id in the token, none.
        match kid.is_none() && fitting.next().is_some() {
            true => None,
            false => first.map(|(_, key)| key),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::decode::decode;
    use crate::jwk::Jwk;
    use crate::key::SigningKey;

    /// A key pair with this id, and its public half as another issuer publishes it.
    fn published(alg: Algorithm, kid: Option<&str>) -> (SigningKey, Jwk) {
        let key = SigningKey::generate(alg).unwrap().0;
        let kid = kid.map(Kid::from);
        let jwk = Jwk { kid, ..key.jwk() };
        (key, jwk)
    }

    fn token(key: &SigningKey, alg: Algorithm, kid: Option<&str>) -> Unverified {
        let mut header = json!({ "alg": alg.name() });
        if let Some(kid) = kid {
            header["kid"] = kid.into();
        }
        let [header, claims] =
            [header, json!({ "sub": "x" })].map(|part| crate::base64url::encode(part.to_string()));
        let input = format!("{header}.{claims}");
        let signature = crate::base64url::encode(key.sign(alg, input.as_bytes()).unwrap());
        decode(&format!("{input}.{signature}")).unwrap()
    }

    fn outcome(keys: &VerificationKeys, token: Unverified) -> Option<VerifyError> {
        keys.verify(token).err()
    }

    #[test]
    fn rfc7515_4_1_4_kid_selects_the_key_and_without_it_there_must_be_exactly_one() {
        use Algorithm::{EdDsa, Es256};
        let (one, one_jwk) = published(Es256, Some("one"));
        let (two, two_jwk) = published(Es256, Some("two"));
        let (other, other_jwk) = published(EdDsa, None);
        let keys = [one_jwk, two_jwk, other_jwk];
        let keys = VerificationKeys::from(&Jwks { keys: keys.into() });
        assert_eq!(keys.len(), 3);
        assert_eq!(outcome(&keys, token(&one, Es256, Some("one"))), None);
        assert_eq!(outcome(&keys, token(&two, Es256, Some("two"))), None);
        assert_eq!(outcome(&keys, token(&other, EdDsa, None)), None);
        for (key, kid, expected) in [
            (&two, Some("one"), VerifyError::BadSignature),
            (&one, Some("three"), VerifyError::UnknownKey),
            (&one, None, VerifyError::UnknownKey),
        ] {
            assert_eq!(outcome(&keys, token(key, Es256, kid)), Some(expected));
        }
        let wrong_kind = token(&other, EdDsa, Some("one"));
        assert_eq!(
            outcome(&keys, wrong_kind),
            Some(VerifyError::AlgorithmNotAllowed)
        );
    }

    #[test]
    fn a_very_large_set_is_truncated() {
        let (_, jwk) = published(Algorithm::EdDsa, None);
        let keys = vec![jwk; MAX_KEYS + 1];
        assert_eq!(VerificationKeys::from(&Jwks { keys }).len(), MAX_KEYS);
    }
}

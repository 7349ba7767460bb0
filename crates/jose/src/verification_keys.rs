//! The published keys of somebody else, ready to verify with.

use crate::algorithm::Algorithm;
use crate::decode::{Unverified, Verified};
use crate::jwk::{Jwks, Kid};
use crate::verification::{VerificationKey, VerifyError};

/// The most keys of one set that are held: a set with more is somebody's mistake, or an attempt to fill our memory.
const MOST: usize = 64;

/// A foreign key set. Unlike [`KeySet`](crate::KeySet) it is not ours to name: keys without `kid` are there, and
/// several with one.
#[derive(Clone, Debug, Default)]
pub struct VerificationKeys(Vec<(Option<Kid>, VerificationKey)>);

impl From<&Jwks> for VerificationKeys {
    /// Prepares the keys. RFC 7517 section 5: those that cannot be used are left out.
    fn from(jwks: &Jwks) -> Self {
        let keys = jwks.keys.iter().take(MOST);
        let ready = keys.filter_map(|jwk| Some((jwk.kid.clone(), VerificationKey::new(jwk).ok()?)));
        Self(ready.collect())
    }
}

impl VerificationKeys {
    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether a key has this id; for a token that names none, whether there is exactly one that it can mean.
    #[must_use]
    pub fn has(&self, kid: Option<&Kid>, alg: Algorithm) -> bool {
        self.find(kid, alg).is_some()
    }

    /// Verifies a token that one of these keys must have signed. RFC 7515 section 4.1.4: `kid` "is a hint indicating
    /// which key was used"; without it there must be one key only that allows the algorithm.
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
        // Of several with the id that the token names, the first; of several that it may mean, none.
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

    /// A key pair under an id of its own, and its public half as another would publish it.
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
    fn rfc7515_4_1_4_kid_finds_the_key_and_without_it_there_must_be_one_only() {
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
    fn a_set_of_very_many_keys_is_held_in_part() {
        let (_, jwk) = published(Algorithm::EdDsa, None);
        let keys = vec![jwk; MOST + 1];
        assert_eq!(VerificationKeys::from(&Jwks { keys }).len(), MOST);
    }
}

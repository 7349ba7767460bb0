//! The public half of a realm's signing keys: the published keys, and the one that signs now.

use serde::{Deserialize, Serialize};

use crate::algorithm::Algorithm;
use crate::decode::{Unverified, Verified};
use crate::jwk::{Jwk, JwkError, Jwks, Kid};
use crate::jws::{ProtectedHeader, TokenType};
use crate::verification::{VerificationKey, VerifyError};

/// The state of a signing key. In every state it is published and used for verification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyState {
    /// Published before its first token, so that resource servers know it. It is used for verification already, since
    /// another node may have made it active a moment ago.
    Next,
    /// Signs new tokens.
    Active,
    /// Does not sign any more; published until the last token that it signed has expired.
    Retiring,
}

/// One key of a [`KeySet`].
#[derive(Clone, Debug)]
pub struct PublishedKey {
    kid: Kid,
    state: KeyState,
    jwk: Jwk,
    key: VerificationKey,
    headers: Vec<ProtectedHeader>,
}

impl PublishedKey {
    fn new(mut jwk: Jwk, state: KeyState) -> Result<Self, JwkError> {
        let key = VerificationKey::new(&jwk)?;
        let kid = jwk
            .kid
            .get_or_insert_with(|| jwk.key.thumbprint().as_str().into())
            .clone();
        let headers = key
            .algorithms()
            .iter()
            .flat_map(|alg| TokenType::ALL.map(|typ| ProtectedHeader::new(*alg, typ, &kid)))
            .collect();
        Ok(Self {
            kid,
            state,
            jwk,
            key,
            headers,
        })
    }

    /// The key's id.
    #[must_use]
    pub fn kid(&self) -> &Kid {
        &self.kid
    }

    /// The key's state.
    #[must_use]
    pub fn state(&self) -> KeyState {
        self.state
    }

    /// The published JWK.
    #[must_use]
    pub fn jwk(&self) -> &Jwk {
        &self.jwk
    }

    /// The key for verification.
    #[must_use]
    pub fn verification_key(&self) -> &VerificationKey {
        &self.key
    }

    /// The encoded header of tokens of this type, or `None` if the key is not for this algorithm.
    #[must_use]
    pub fn header(&self, alg: Algorithm, typ: TokenType) -> Option<&ProtectedHeader> {
        self.headers
            .iter()
            .find(|header| header.algorithm() == alg && header.typ() == typ)
    }
}

/// The public halves of a realm's signing keys, with their states. Immutable: a change of state makes a new set.
#[derive(Clone, Debug, Default)]
pub struct KeySet {
    keys: Vec<PublishedKey>,
}

impl KeySet {
    /// Prepares the keys. A key without `kid` gets its thumbprint as its id.
    ///
    /// # Errors
    /// [`KeySetError`]
    pub fn new(keys: impl IntoIterator<Item = (Jwk, KeyState)>) -> Result<Self, KeySetError> {
        let mut set = Self::default();
        for (jwk, state) in keys {
            let key = PublishedKey::new(jwk, state)?;
            if set.find(key.kid.as_str()).is_some() {
                return Err(KeySetError::DuplicateKid(key.kid));
            }
            let mut algorithms = key.key.algorithms().iter();
            let taken = algorithms.find(|alg| set.active(**alg).is_some());
            match taken {
                Some(alg) if state == KeyState::Active => {
                    return Err(KeySetError::TwoActive(*alg));
                }
                _ => {}
            }
            set.keys.push(key);
        }
        Ok(set)
    }

    /// The keys, in the order given.
    #[must_use]
    pub fn keys(&self) -> &[PublishedKey] {
        &self.keys
    }

    /// The key set for `jwks_uri`: every key in any state.
    #[must_use]
    pub fn jwks(&self) -> Jwks {
        Jwks {
            keys: self.keys.iter().map(|key| key.jwk.clone()).collect(),
        }
    }

    /// The key that signs with `alg` now.
    #[must_use]
    pub fn active(&self, alg: Algorithm) -> Option<&PublishedKey> {
        self.keys
            .iter()
            .find(|key| key.state == KeyState::Active && key.key.algorithms().contains(&alg))
    }

    /// The header for a new token that is signed with `alg`.
    #[must_use]
    pub fn header(&self, alg: Algorithm, typ: TokenType) -> Option<&ProtectedHeader> {
        self.active(alg)?.header(alg, typ)
    }

    /// The algorithms with an active key, as listed in the metadata.
    pub fn algorithms(&self) -> impl Iterator<Item = Algorithm> {
        Algorithm::ALL
            .into_iter()
            .filter(|alg| self.active(*alg).is_some())
    }

    /// The key with this id, in any state.
    #[must_use]
    pub fn find(&self, kid: &str) -> Option<&PublishedKey> {
        self.keys.iter().find(|key| key.kid.as_str() == kid)
    }

    /// Verifies a token that one of these keys signed. It must name the key by `kid`.
    ///
    /// # Errors
    /// [`VerifyError`]
    pub fn verify(&self, token: Unverified) -> Result<Verified, VerifyError> {
        let kid = token.header().kid.as_ref().ok_or(VerifyError::UnknownKey)?;
        let key = self.find(kid.as_str()).ok_or(VerifyError::UnknownKey)?;
        token.verify(&key.key)
    }
}

/// Why keys do not form a set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeySetError {
    /// One of them is not usable.
    #[error(transparent)]
    Jwk(#[from] JwkError),
    /// Two keys have the same id.
    #[error("two keys have the id {0}")]
    DuplicateKid(Kid),
    /// Two active keys sign with the same algorithm.
    #[error("two keys are active for {0}")]
    TwoActive(Algorithm),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::SigningKey;

    fn key(alg: Algorithm) -> Jwk {
        SigningKey::generate(alg).unwrap().0.jwk()
    }

    fn kid(jwk: &Jwk) -> &str {
        jwk.kid.as_ref().unwrap().as_str()
    }

    #[test]
    fn all_are_published_and_only_the_active_one_signs() {
        let [next, active, retiring, other] = [
            Algorithm::Es256,
            Algorithm::Es256,
            Algorithm::Es256,
            Algorithm::EdDsa,
        ]
        .map(key);
        let set = KeySet::new([
            (next.clone(), KeyState::Next),
            (active.clone(), KeyState::Active),
            (retiring.clone(), KeyState::Retiring),
            (other.clone(), KeyState::Next),
        ])
        .unwrap();
        assert_eq!(
            set.jwks().keys,
            [next.clone(), active.clone(), retiring.clone(), other]
        );
        assert_eq!(set.active(Algorithm::Es256).unwrap().jwk(), &active);
        assert!(set.active(Algorithm::EdDsa).is_none());
        assert_eq!(set.algorithms().collect::<Vec<_>>(), [Algorithm::Es256]);
        for jwk in [&next, &active, &retiring] {
            assert_eq!(set.find(kid(jwk)).unwrap().jwk(), jwk);
        }
        let header = set.header(Algorithm::Es256, TokenType::Access).unwrap();
        assert_eq!(header.kid().as_str(), kid(&active));
        assert!(set.header(Algorithm::EdDsa, TokenType::Access).is_none());
    }

    #[test]
    fn two_active_keys_of_one_algorithm_are_refused() {
        let keys =
            [key(Algorithm::EdDsa), key(Algorithm::EdDsa)].map(|jwk| (jwk, KeyState::Active));
        assert_eq!(
            KeySet::new(keys).unwrap_err(),
            KeySetError::TwoActive(Algorithm::EdDsa)
        );
    }

    #[test]
    fn two_keys_of_one_id_are_refused() {
        let mut other = key(Algorithm::EdDsa);
        let jwk = key(Algorithm::Es256);
        other.kid = jwk.kid.clone();
        let error = KeySet::new([(jwk.clone(), KeyState::Active), (other, KeyState::Active)]);
        assert_eq!(
            error.unwrap_err(),
            KeySetError::DuplicateKid(jwk.kid.unwrap())
        );
    }

    #[test]
    fn the_id_of_a_key_without_kid_is_its_thumbprint() {
        let mut jwk = key(Algorithm::Es256);
        let thumbprint = jwk.kid.take().unwrap();
        let set = KeySet::new([(jwk, KeyState::Active)]).unwrap();
        assert_eq!(set.keys()[0].kid(), &thumbprint);
        assert_eq!(set.jwks().keys[0].kid, Some(thumbprint));
    }

    #[test]
    fn states_are_stored_in_lower_case() {
        for (state, name) in [
            (KeyState::Next, "next"),
            (KeyState::Active, "active"),
            (KeyState::Retiring, "retiring"),
        ] {
            assert_eq!(serde_json::to_value(state).unwrap(), name);
            assert_eq!(
                serde_json::from_value::<KeyState>(name.into()).unwrap(),
                state
            );
        }
    }
}

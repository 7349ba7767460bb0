//! The public side of a realm's signing keys: what is published, and which key signs now.

use serde::{Deserialize, Serialize};

use crate::algorithm::Algorithm;
use crate::decode::{Unverified, Verified};
use crate::jwk::{Jwk, JwkError, Jwks, Kid};
use crate::jws::{ProtectedHeader, TokenType};
use crate::verification::{VerificationKey, VerifyError};

/// Where a signing key is in its life. In each of the three it is published and verifies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyState {
    /// Published so that resource servers know it before its first token. It verifies already,
    /// since another node may have made it active a moment ago.
    Next,
    /// Signs.
    Active,
    /// Signs no more; kept until the last token that it signed has expired.
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

    /// Its id.
    #[must_use]
    pub fn kid(&self) -> &Kid {
        &self.kid
    }

    /// Where it is in its life.
    #[must_use]
    pub fn state(&self) -> KeyState {
        self.state
    }

    /// What is published of it.
    #[must_use]
    pub fn jwk(&self) -> &Jwk {
        &self.jwk
    }

    /// The key, ready to verify with.
    #[must_use]
    pub fn verification_key(&self) -> &VerificationKey {
        &self.key
    }

    /// The header of its tokens of this type, encoded already; none for an algorithm that the key
    /// is not for.
    #[must_use]
    pub fn header(&self, alg: Algorithm, typ: TokenType) -> Option<&ProtectedHeader> {
        self.headers
            .iter()
            .find(|header| header.algorithm() == alg && header.typ() == typ)
    }
}

/// A realm's signing keys, without their private halves. Only data: what moves a key from one state
/// to the next makes a new set.
#[derive(Clone, Debug, Default)]
pub struct KeySet {
    keys: Vec<PublishedKey>,
}

impl KeySet {
    /// Prepares the keys. One without `kid` gets its thumbprint.
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
            if state == KeyState::Active
                && let Some(alg) = key
                    .key
                    .algorithms()
                    .iter()
                    .find(|alg| set.active(**alg).is_some())
            {
                return Err(KeySetError::TwoActive(*alg));
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

    /// What `jwks_uri` answers: every key, whatever its state.
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

    /// The header for a token that is signed with `alg` now: where minting begins.
    #[must_use]
    pub fn header(&self, alg: Algorithm, typ: TokenType) -> Option<&ProtectedHeader> {
        self.active(alg)?.header(alg, typ)
    }

    /// The algorithms that have an active key: what metadata advertises.
    pub fn algorithms(&self) -> impl Iterator<Item = Algorithm> {
        Algorithm::ALL
            .into_iter()
            .filter(|alg| self.active(*alg).is_some())
    }

    /// The key with this id, whatever its state.
    #[must_use]
    pub fn find(&self, kid: &str) -> Option<&PublishedKey> {
        self.keys.iter().find(|key| key.kid.as_str() == kid)
    }

    /// Verifies a token that one of these keys must have signed. It has to name the key.
    ///
    /// # Errors
    /// [`VerifyError`]
    pub fn verify(&self, token: Unverified) -> Result<Verified, VerifyError> {
        let kid = token.header().kid.as_ref().ok_or(VerifyError::UnknownKey)?;
        let key = self.find(kid.as_str()).ok_or(VerifyError::UnknownKey)?;
        token.verify(&key.key)
    }
}

/// Why keys do not make a set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeySetError {
    /// One of them is no key.
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
    fn a_key_without_an_id_is_named_by_its_thumbprint() {
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

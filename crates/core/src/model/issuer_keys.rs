//! A realm's signing keys, and the tokens that they were seen to have signed.

use std::collections::HashMap;
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_lc_rs::digest;
use grantor_jose::{KeySet, TokenType};
use serde::de::DeserializeOwned;

use crate::model::claims::{AccessTokenClaims, IdTokenClaims};

/// What is remembered at most: half of it is forgotten at once.
const MAX_TOKENS: usize = 10_000;
/// In bytes of tokens. Their claims take about as much again.
const MAX_BYTES: usize = 8 * 1024 * 1024;

/// The public keys of an issuer. A token of theirs is verified once, however often it is presented: another key set begins
/// anew. Whether the token is still live is no matter of signatures.
#[derive(Clone, Debug, Default)]
pub struct IssuerKeys {
    keys: KeySet,
    verified: Arc<Mutex<Verified>>,
}

/// Of the SHA-256 of a token.
type Digest = [u8; 32];

#[derive(Debug, Default)]
struct Verified {
    recent: Generation,
    older: Generation,
}

#[derive(Debug, Default)]
struct Generation {
    tokens: HashMap<Digest, Token>,
    bytes: usize,
}

#[derive(Clone, Debug)]
enum Token {
    Access(Arc<AccessTokenClaims>),
    Id(Arc<IdTokenClaims>),
}

impl IssuerKeys {
    /// The claims of an access token that one of the keys signed (RFC 9068 section 4: its type prevents an ID token from
    /// passing for one).
    #[must_use]
    pub fn access_token(&self, token: &str) -> Option<Arc<AccessTokenClaims>> {
        match self.known_or(token, |token| {
            self.verify_as(token, TokenType::Access).map(Token::Access)
        })? {
            Token::Access(claims) => Some(claims),
            Token::Id(_) => None,
        }
    }

    /// The claims of an ID token that one of the keys signed.
    #[must_use]
    pub fn id_token(&self, token: &str) -> Option<Arc<IdTokenClaims>> {
        match self.known_or(token, |token| {
            self.verify_as(token, TokenType::Id).map(Token::Id)
        })? {
            Token::Id(claims) => Some(claims),
            Token::Access(_) => None,
        }
    }

    fn verify_as<T: DeserializeOwned>(&self, token: &str, typ: TokenType) -> Option<Arc<T>> {
        let verified = self.keys.verify(grantor_jose::decode(token).ok()?).ok()?;
        let is_of_type = typ.is(verified.header().typ.as_deref());
        verified.claims().ok().filter(|_| is_of_type).map(Arc::new)
    }

    /// Nothing is remembered of a token that no key signed, so only our own tokens use memory.
    fn known_or(&self, token: &str, verify: impl FnOnce(&str) -> Option<Token>) -> Option<Token> {
        let mut name = Digest::default();
        name.copy_from_slice(digest::digest(&digest::SHA256, token.as_bytes()).as_ref());
        if let Some(known) = self.verified().get(&name) {
            return Some(known);
        }
        let verified = verify(token)?;
        self.verified().insert(name, verified.clone(), token.len());
        Some(verified)
    }

    fn verified(&self) -> MutexGuard<'_, Verified> {
        self.verified.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Verified {
    fn get(&self, name: &Digest) -> Option<Token> {
        let known = self.recent.tokens.get(name);
        known.or_else(|| self.older.tokens.get(name)).cloned()
    }

    fn insert(&mut self, name: Digest, token: Token, bytes: usize) {
        if self.recent.tokens.len() >= MAX_TOKENS / 2 || self.recent.bytes + bytes > MAX_BYTES / 2 {
            self.older = std::mem::take(&mut self.recent);
        }
        self.recent.tokens.insert(name, token);
        self.recent.bytes += bytes;
    }
}

impl From<KeySet> for IssuerKeys {
    fn from(keys: KeySet) -> Self {
        Self {
            keys,
            verified: Arc::default(),
        }
    }
}

impl Deref for IssuerKeys {
    type Target = KeySet;

    fn deref(&self) -> &KeySet {
        &self.keys
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use grantor_jose::{Algorithm, KeyState, SigningInput, SigningKey};

    /// An issuer's keys, and a signed token of this type for each `jti`.
    fn issuer(typ: TokenType, jtis: &[&str]) -> (IssuerKeys, Vec<String>) {
        let (key, _) = SigningKey::generate(Algorithm::EdDsa).unwrap();
        let keys = KeySet::new([(key.jwk(), KeyState::Active)]).unwrap();
        let sign = |jti: &&str| {
            let claims = serde_json::json!({
                "iss": "https://id.example", "sub": "s", "aud": "a", "exp": 2, "iat": 1, "auth_time": 1,
                "jti": jti, "client_id": "c",
            });
            let header = keys.header(Algorithm::EdDsa, typ).unwrap();
            let input = SigningInput::new(header, &claims).unwrap();
            let signature = key.sign(Algorithm::EdDsa, input.as_bytes()).unwrap();
            input.finish(&signature)
        };
        let tokens = jtis.iter().map(sign).collect();
        (keys.into(), tokens)
    }

    fn remembered(keys: &IssuerKeys) -> usize {
        let verified = keys.verified();
        verified.recent.tokens.len() + verified.older.tokens.len()
    }

    #[test]
    fn a_token_is_verified_once_and_remembered_with_its_type() {
        let (keys, tokens) = issuer(TokenType::Access, &["one"]);
        let first = keys.access_token(&tokens[0]).unwrap();
        let again = keys.access_token(&tokens[0]).unwrap();
        assert!(Arc::ptr_eq(&first, &again));
        assert!(
            keys.id_token(&tokens[0]).is_none(),
            "it stays an access token"
        );
        let (keys, tokens) = issuer(TokenType::Id, &["one"]);
        assert!(keys.id_token(&tokens[0]).is_some());
        assert!(
            keys.access_token(&tokens[0]).is_none(),
            "it stays an ID token"
        );
    }

    #[test]
    fn forged_tokens_take_no_memory_and_tokens_of_other_keys_are_not_known() {
        let (keys, tokens) = issuer(TokenType::Access, &["one"]);
        let (others, _) = issuer(TokenType::Access, &[]);
        assert!(others.access_token(&tokens[0]).is_none());
        let forged = format!("{}AAAA", &tokens[0][..tokens[0].len() - 4]);
        assert!(keys.access_token(&forged).is_none());
        assert_eq!((remembered(&keys), remembered(&others)), (0, 0));
        assert!(keys.access_token(&tokens[0]).is_some());
        assert!(
            keys.access_token(&forged).is_none(),
            "the right one is known by now"
        );
    }

    #[test]
    fn at_most_so_many_tokens_and_bytes_are_remembered() {
        let (keys, tokens) = issuer(TokenType::Access, &["one"]);
        let claims = keys.access_token(&tokens[0]).unwrap();
        let mut verified = Verified::default();
        let insert = |verified: &mut Verified, n: u64, bytes| {
            let mut name = Digest::default();
            name[..8].copy_from_slice(&n.to_be_bytes());
            verified.insert(name, Token::Access(Arc::clone(&claims)), bytes);
            assert!(verified.get(&name).is_some());
            let count = verified.recent.tokens.len() + verified.older.tokens.len();
            let bytes = verified.recent.bytes + verified.older.bytes;
            assert!(count <= MAX_TOKENS && bytes <= MAX_BYTES, "{count} {bytes}");
        };
        for n in 0..30_000 {
            insert(&mut verified, n, 700);
        }
        for n in 0..5_000 {
            insert(&mut verified, n, 7 * 1024);
        }
    }
}

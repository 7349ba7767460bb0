//! Private keys for signing.

use std::fmt;

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256,
    RSA_PSS_SHA256, RsaEncoding, RsaKeyPair,
};
use zeroize::Zeroizing;

use crate::algorithm::{Algorithm, KeyKind};
use crate::jwk::{Jwk, Kid, PublicKey};
use crate::signer::SignError;

/// A parsed and checked private key, with the algorithms that it may sign with.
pub struct SigningKey {
    kid: Kid,
    algorithms: Vec<Algorithm>,
    public: PublicKey,
    pair: KeyPair,
}

enum KeyPair {
    Rsa(RsaKeyPair),
    P256(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl SigningKey {
    /// Generates a key for `alg`; returns it and its PKCS#8 document. RSA keys have 2048 bits and take from tens of
    /// milliseconds to a second: do not generate them in a request.
    ///
    /// # Errors
    /// [`KeyError::Generation`]: the machine is out of memory or entropy.
    pub fn generate(alg: Algorithm) -> Result<(Self, Pkcs8), KeyError> {
        let (pair, pkcs8) = KeyPair::generate(alg.key_kind()).ok_or(KeyError::Generation)?;
        Ok((Self::new(alg, pair), pkcs8))
    }

    /// Reads the key in an unencrypted PKCS#8 document, to sign with `alg`.
    ///
    /// # Errors
    /// [`KeyError::Rejected`] if it is not a key of the algorithm's kind, is inconsistent, or is an RSA key outside 2048 to
    /// 8192 bits.
    pub fn from_pkcs8(alg: Algorithm, pkcs8: &[u8]) -> Result<Self, KeyError> {
        let pair = KeyPair::parse(alg.key_kind(), pkcs8).ok_or(KeyError::Rejected)?;
        Ok(Self::new(alg, pair))
    }

    /// Allows one more algorithm of the key's kind: RS256 and PS256 can share a key.
    ///
    /// # Errors
    /// [`KeyError::WrongKind`]
    pub fn allow(mut self, alg: Algorithm) -> Result<Self, KeyError> {
        if alg.key_kind() != self.kind() {
            return Err(KeyError::WrongKind);
        }
        if !self.algorithms.contains(&alg) {
            self.algorithms.push(alg);
        }
        Ok(self)
    }

    fn new(alg: Algorithm, pair: KeyPair) -> Self {
        let public = pair.public();
        let kid = Kid::from(public.thumbprint().as_str());
        Self {
            kid,
            algorithms: vec![alg],
            public,
            pair,
        }
    }

    /// The key's id: the thumbprint of its public half.
    #[must_use]
    pub fn kid(&self) -> &Kid {
        &self.kid
    }

    /// The algorithms that it may sign with.
    #[must_use]
    pub fn algorithms(&self) -> &[Algorithm] {
        &self.algorithms
    }

    /// The kind of the key.
    #[must_use]
    pub const fn kind(&self) -> KeyKind {
        self.public.kind()
    }

    /// The public key; with `alg` if the key has only one algorithm.
    #[must_use]
    pub fn jwk(&self) -> Jwk {
        let algorithm = match *self.algorithms {
            [only] => Some(only),
            _ => None,
        };
        Jwk {
            kid: Some(self.kid.clone()),
            algorithm,
            key: self.public.clone(),
        }
    }

    /// Signs `input` as a JWS does (RFC 7518 section 3). An ES256 signature is `r || s`, 64 bytes.
    ///
    /// # Errors
    /// [`SignError::AlgorithmNotAllowed`]; [`SignError::Failed`] if the library fails.
    pub fn sign(&self, alg: Algorithm, input: &[u8]) -> Result<Vec<u8>, SignError> {
        if !self.algorithms.contains(&alg) {
            return Err(SignError::AlgorithmNotAllowed);
        }
        // aws-lc-rs takes a source of randomness and uses its own instead.
        let rng = SystemRandom::new();
        let rsa = |pair: &RsaKeyPair, encoding: &'static dyn RsaEncoding| {
            let mut signature = vec![0; pair.public_modulus_len()];
            pair.sign(encoding, &rng, input, &mut signature)
                .map(|()| signature)
        };
        let signature = match (&self.pair, alg) {
            (KeyPair::Rsa(pair), Algorithm::Rs256) => rsa(pair, &RSA_PKCS1_SHA256),
            (KeyPair::Rsa(pair), Algorithm::Ps256) => rsa(pair, &RSA_PSS_SHA256),
            (KeyPair::P256(pair), Algorithm::Es256) => pair
                .sign(&rng, input)
                .map(|signature| signature.as_ref().to_vec()),
            (KeyPair::Ed25519(pair), Algorithm::EdDsa) => pair
                .try_sign(input)
                .map(|signature| signature.as_ref().to_vec()),
            _ => return Err(SignError::AlgorithmNotAllowed),
        };
        signature.map_err(|_| SignError::Failed)
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("kid", &self.kid)
            .field("algorithms", &self.algorithms)
            .finish_non_exhaustive()
    }
}

impl KeyPair {
    fn generate(kind: KeyKind) -> Option<(Self, Pkcs8)> {
        Some(match kind {
            KeyKind::Rsa => {
                let pair = RsaKeyPair::generate(KeySize::Rsa2048).ok()?;
                let pkcs8 = Pkcs8::from(pair.as_der().ok()?.as_ref());
                (Self::Rsa(pair), pkcs8)
            }
            KeyKind::P256 => {
                let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).ok()?;
                let pkcs8 = Pkcs8::from(pair.to_pkcs8v1().ok()?.as_ref());
                (Self::P256(pair), pkcs8)
            }
            KeyKind::Ed25519 => {
                let pair = Ed25519KeyPair::generate().ok()?;
                // Version 1, since OpenSSL 3.0 does not read version 2.
                let pkcs8 = Pkcs8::from(pair.to_pkcs8v1().ok()?.as_ref());
                (Self::Ed25519(pair), pkcs8)
            }
        })
    }

    fn parse(kind: KeyKind, pkcs8: &[u8]) -> Option<Self> {
        Some(match kind {
            KeyKind::Rsa => Self::Rsa(RsaKeyPair::from_pkcs8(pkcs8).ok()?),
            KeyKind::P256 => {
                let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8);
                Self::P256(pair.ok()?)
            }
            KeyKind::Ed25519 => Self::Ed25519(Ed25519KeyPair::from_pkcs8(pkcs8).ok()?),
        })
    }

    fn public(&self) -> PublicKey {
        match self {
            Self::Rsa(pair) => PublicKey::Rsa {
                n: pair
                    .public_key()
                    .modulus()
                    .big_endian_without_leading_zero()
                    .to_vec(),
                e: pair
                    .public_key()
                    .exponent()
                    .big_endian_without_leading_zero()
                    .to_vec(),
            },
            Self::P256(pair) => {
                // SEC 1 section 2.3.3: 4, then both coordinates.
                let (mut x, mut y) = ([0; 32], [0; 32]);
                x.copy_from_slice(&pair.public_key().as_ref()[1..33]);
                y.copy_from_slice(&pair.public_key().as_ref()[33..]);
                PublicKey::P256 { x, y }
            }
            Self::Ed25519(pair) => {
                let mut x = [0; 32];
                x.copy_from_slice(pair.public_key().as_ref());
                PublicKey::Ed25519 { x }
            }
        }
    }
}

/// A private key in unencrypted PKCS#8: zeroed when dropped, and never printed.
pub struct Pkcs8(Zeroizing<Vec<u8>>);

impl Pkcs8 {
    /// The document. Store it only after [`crate::encrypt_private_key`].
    #[must_use]
    pub fn reveal(&self) -> &[u8] {
        &self.0
    }
}

impl From<Zeroizing<Vec<u8>>> for Pkcs8 {
    fn from(der: Zeroizing<Vec<u8>>) -> Self {
        Self(der)
    }
}

impl From<&[u8]> for Pkcs8 {
    fn from(der: &[u8]) -> Self {
        Self(Zeroizing::new(der.to_vec()))
    }
}

impl fmt::Debug for Pkcs8 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pkcs8([redacted])")
    }
}

/// Why a signing key could not be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The library could not generate a key.
    #[error("the key could not be generated")]
    Generation,
    /// The PKCS#8 document contains no usable key of the algorithm's kind.
    #[error("the document contains no usable private key for this algorithm")]
    Rejected,
    /// The algorithm needs another kind of key.
    #[error("the algorithm needs another kind of key")]
    WrongKind,
}

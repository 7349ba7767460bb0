//! The signature algorithms, and the kind of key each of them needs.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A JWS signature algorithm (RFC 7518 section 3.1, RFC 8037 section 3.1).
///
/// Without `none` and MACs: an algorithm without a value here cannot be requested.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "&'static str", try_from = "String")]
pub enum Algorithm {
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PSS with SHA-256, MGF1 with SHA-256 and a salt of 32 bytes.
    Ps256,
    /// Ed25519.
    EdDsa,
}

impl Algorithm {
    /// Every algorithm, in the order in which metadata lists them.
    pub const ALL: [Self; 4] = [Self::Es256, Self::Rs256, Self::Ps256, Self::EdDsa];

    /// The JOSE name, the value of `alg`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Rs256 => "RS256",
            Self::Ps256 => "PS256",
            Self::EdDsa => "EdDSA",
        }
    }

    /// The kind of key that the algorithm needs.
    #[must_use]
    pub const fn key_kind(self) -> KeyKind {
        match self {
            Self::Es256 => KeyKind::P256,
            Self::Rs256 | Self::Ps256 => KeyKind::Rsa,
            Self::EdDsa => KeyKind::Ed25519,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Algorithm {
    type Err = UnsupportedAlgorithm;

    /// RFC 7515 section 4.1.1: "The "alg" value is a case-sensitive ASCII string".
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|alg| alg.name() == name)
            .ok_or(UnsupportedAlgorithm)
    }
}

impl TryFrom<String> for Algorithm {
    type Error = UnsupportedAlgorithm;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        name.parse()
    }
}

impl From<Algorithm> for &'static str {
    fn from(alg: Algorithm) -> Self {
        alg.name()
    }
}

/// The name is not ES256, RS256, PS256 or EdDSA.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("signature algorithm not supported")]
pub struct UnsupportedAlgorithm;

/// The kinds of key: `kty`, and `crv` if the kind has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyKind {
    /// `"kty":"RSA"`, of 2048 to 8192 bits.
    Rsa,
    /// `"kty":"EC","crv":"P-256"`.
    P256,
    /// `"kty":"OKP","crv":"Ed25519"`.
    Ed25519,
}

impl KeyKind {
    /// The algorithms that a key of this kind can be used with.
    #[must_use]
    pub const fn algorithms(self) -> &'static [Algorithm] {
        match self {
            Self::Rsa => &[Algorithm::Rs256, Algorithm::Ps256],
            Self::P256 => &[Algorithm::Es256],
            Self::Ed25519 => &[Algorithm::EdDsa],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_jose_in_text_and_json() {
        for (alg, name) in Algorithm::ALL
            .into_iter()
            .zip(["ES256", "RS256", "PS256", "EdDSA"])
        {
            assert_eq!(alg.to_string(), name);
            assert_eq!(name.parse(), Ok(alg));
            let json = serde_json::to_string(&alg).unwrap();
            assert_eq!(json, format!("\"{name}\""));
            assert_eq!(serde_json::from_str::<Algorithm>(&json).unwrap(), alg);
        }
    }

    #[test]
    fn none_macs_and_other_spellings_are_not_parsed() {
        for name in [
            "none", "None", "NONE", "HS256", "es256", "ES256 ", "EDDSA", "RS512", "",
        ] {
            assert_eq!(
                name.parse::<Algorithm>(),
                Err(UnsupportedAlgorithm),
                "{name}"
            );
            assert!(
                serde_json::from_value::<Algorithm>(name.into()).is_err(),
                "{name}"
            );
        }
    }

    #[test]
    fn a_kind_serves_exactly_the_algorithms_that_name_it() {
        for kind in [KeyKind::Rsa, KeyKind::P256, KeyKind::Ed25519] {
            for alg in Algorithm::ALL {
                assert_eq!(kind.algorithms().contains(&alg), alg.key_kind() == kind);
            }
        }
    }
}

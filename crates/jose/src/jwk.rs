//! Public keys as JSON (RFC 7517), their thumbprints (RFC 7638), and sets of them.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::digest;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use crate::algorithm::{Algorithm, KeyKind};
use crate::base64url;

/// A key id (`kid`): the thumbprint for our own keys, any text for others.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Kid(Arc<str>);

impl Kid {
    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Kid {
    fn from(kid: &str) -> Self {
        Self(kid.into())
    }
}

impl fmt::Display for Kid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A public key for signatures, as JSON carries it.
///
/// It cannot contain private members; JSON with one is refused. Unknown members are ignored (RFC 7517 section 4). To
/// verify signatures, make a [`VerificationKey`](crate::VerificationKey) of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Map<String, Value>", into = "Members")]
pub struct Jwk {
    /// `kid`.
    pub kid: Option<Kid>,
    /// `alg`: if present, the only algorithm that the key is for.
    pub algorithm: Option<Algorithm>,
    /// The key itself.
    pub key: PublicKey,
}

impl Jwk {
    /// The key as Grantor publishes it: its id is its thumbprint.
    #[must_use]
    pub fn new(key: PublicKey, algorithm: Option<Algorithm>) -> Self {
        Self {
            kid: Some(Kid::from(key.thumbprint().as_str())),
            algorithm,
            key,
        }
    }

    /// What the key may be used with: its `alg`, or else all that its kind can serve.
    #[must_use]
    pub fn algorithms(&self) -> &[Algorithm] {
        self.algorithm
            .as_ref()
            .map_or(self.key.kind().algorithms(), std::slice::from_ref)
    }
}

impl TryFrom<Map<String, Value>> for Jwk {
    type Error = JwkError;

    fn try_from(members: Map<String, Value>) -> Result<Self, JwkError> {
        if PRIVATE_MEMBERS
            .iter()
            .any(|name| members.contains_key(*name))
        {
            return Err(JwkError::Private);
        }
        let key = PublicKey::from_members(&members)?;
        if !is_for_verifying(&members) {
            return Err(JwkError::NotForSignatures);
        }
        let algorithm = match text(&members, "alg")? {
            None => None,
            Some(name) => match name.parse::<Algorithm>() {
                Ok(alg) if alg.key_kind() == key.kind() => Some(alg),
                _ => return Err(JwkError::UnsupportedAlgorithm),
            },
        };
        let kid = text(&members, "kid")?.map(Kid::from);
        Ok(Self {
            kid,
            algorithm,
            key,
        })
    }
}

/// The numbers of a public key, big-endian.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PublicKey {
    /// RSA (RFC 7518 section 6.3.1).
    Rsa {
        /// The modulus, 2048 to 8192 bits, no leading zero byte.
        n: Vec<u8>,
        /// The exponent, no leading zero byte.
        e: Vec<u8>,
    },
    /// A point of P-256 (RFC 7518 section 6.2.1); not checked yet to be on the curve.
    P256 {
        /// The x coordinate.
        x: [u8; 32],
        /// The y coordinate.
        y: [u8; 32],
    },
    /// Ed25519 (RFC 8037 section 2).
    Ed25519 {
        /// The encoded point.
        x: [u8; 32],
    },
}

impl PublicKey {
    /// The kind of the key.
    #[must_use]
    pub const fn kind(&self) -> KeyKind {
        match self {
            Self::Rsa { .. } => KeyKind::Rsa,
            Self::P256 { .. } => KeyKind::P256,
            Self::Ed25519 { .. } => KeyKind::Ed25519,
        }
    }

    fn from_members(members: &Map<String, Value>) -> Result<Self, JwkError> {
        match (text(members, "kty")?, text(members, "crv")?) {
            (Some("RSA"), _) => {
                let (n, e) = (integer(members, "n")?, integer(members, "e")?);
                Self::rsa(n, e)
            }
            (Some("EC"), Some("P-256")) => Ok(Self::P256 {
                x: coordinate(members, "x")?,
                y: coordinate(members, "y")?,
            }),
            (Some("OKP"), Some("Ed25519")) => Ok(Self::Ed25519 {
                x: coordinate(members, "x")?,
            }),
            _ => Err(JwkError::UnsupportedKind),
        }
    }

    /// RFC 7518 section 3.3: "A key of size 2048 bits or larger MUST be used". The upper bound
    /// limits the cost of a verification.
    fn rsa(n: Vec<u8>, e: Vec<u8>) -> Result<Self, JwkError> {
        let bits = n
            .first()
            .map_or(0, |first| n.len() * 8 - first.leading_zeros() as usize);
        if !(2048..=8192).contains(&bits) {
            return Err(JwkError::RsaSize);
        }
        Ok(Self::Rsa { n, e })
    }

    /// The SHA-256 thumbprint in base64url (RFC 7638): our `kid`, and the `jkt` of RFC 9449.
    #[must_use]
    pub fn thumbprint(&self) -> String {
        // RFC 7638 section 3: "a JSON object containing only the required members [...] with no
        // whitespace or line breaks before or after any syntactic elements and with the required
        // members ordered lexicographically". Base64url needs no escapes.
        let json = match self {
            Self::Rsa { n, e } => {
                let (n, e) = (base64url::encode(n), base64url::encode(e));
                format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#)
            }
            Self::P256 { x, y } => {
                let (x, y) = (base64url::encode(x), base64url::encode(y));
                format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#)
            }
            Self::Ed25519 { x } => {
                let x = base64url::encode(x);
                format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#)
            }
        };
        base64url::encode(digest::digest(&digest::SHA256, json.as_bytes()))
    }
}

/// Why JSON is not a usable public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JwkError {
    /// There is a private member (`d`, `p`, `k`, …).
    #[error("the key contains private members")]
    Private,
    /// An unsupported `kty` or `crv`.
    #[error("the key's type or curve is not supported")]
    UnsupportedKind,
    /// An `alg` that is not supported or does not fit the key's type.
    #[error("the key's `alg` is not supported, or does not fit its type")]
    UnsupportedAlgorithm,
    /// By `use` or `key_ops`, the key is not for verifying signatures.
    #[error("the key is not for signatures")]
    NotForSignatures,
    /// A member is missing, not canonical base64url, or of the wrong length.
    #[error("the key's member `{0}` is missing or malformed")]
    Member(&'static str),
    /// An RSA modulus outside 2048 to 8192 bits.
    #[error("the RSA modulus must have 2048 to 8192 bits")]
    RsaSize,
}

/// RFC 7518 sections 6.2.2, 6.3.2 and 6.4.1, RFC 8037 section 2.
const PRIVATE_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// RFC 7517 sections 4.2 and 4.3: `use` and `key_ops`, if present, must allow verification.
fn is_for_verifying(members: &Map<String, Value>) -> bool {
    let use_fits = members.get("use").is_none_or(|usage| usage == "sig");
    let ops_fit = members.get("key_ops").is_none_or(|ops| {
        ops.as_array()
            .is_some_and(|ops| ops.iter().any(|op| op == "verify"))
    });
    use_fits && ops_fit
}

fn text<'a>(
    members: &'a Map<String, Value>,
    name: &'static str,
) -> Result<Option<&'a str>, JwkError> {
    match members.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(JwkError::Member(name)),
    }
}

fn bytes(members: &Map<String, Value>, name: &'static str) -> Result<Vec<u8>, JwkError> {
    text(members, name)?
        .and_then(base64url::decode)
        .ok_or(JwkError::Member(name))
}

/// RFC 7518 section 6.2.1.2: "The length of this octet string MUST be the full size of a
/// coordinate for the curve".
fn coordinate(members: &Map<String, Value>, name: &'static str) -> Result<[u8; 32], JwkError> {
    bytes(members, name)?
        .try_into()
        .map_err(|_| JwkError::Member(name))
}

/// RFC 7518 section 2, Base64urlUInt: "The octet sequence MUST utilize the minimum number of
/// octets needed to represent the value". Otherwise a key would have several thumbprints.
fn integer(members: &Map<String, Value>, name: &'static str) -> Result<Vec<u8>, JwkError> {
    let bytes = bytes(members, name)?;
    match bytes.first() {
        None | Some(0) => Err(JwkError::Member(name)),
        Some(_) => Ok(bytes),
    }
}

/// The members for serialization; none is private.
#[derive(Serialize)]
struct Members {
    kty: &'static str,
    #[serde(rename = "use")]
    usage: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    alg: Option<Algorithm>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kid: Option<Kid>,
    #[serde(flatten)]
    key: KeyMembers,
}

#[derive(Serialize)]
#[serde(untagged)]
enum KeyMembers {
    Rsa {
        n: String,
        e: String,
    },
    P256 {
        crv: &'static str,
        x: String,
        y: String,
    },
    Ed25519 {
        crv: &'static str,
        x: String,
    },
}

impl From<Jwk> for Members {
    fn from(
        Jwk {
            kid,
            algorithm: alg,
            key,
        }: Jwk,
    ) -> Self {
        let (kty, key) = match key {
            PublicKey::Rsa { n, e } => (
                "RSA",
                KeyMembers::Rsa {
                    n: base64url::encode(n),
                    e: base64url::encode(e),
                },
            ),
            PublicKey::P256 { x, y } => {
                let (x, y) = (base64url::encode(x), base64url::encode(y));
                ("EC", KeyMembers::P256 { crv: "P-256", x, y })
            }
            PublicKey::Ed25519 { x } => (
                "OKP",
                KeyMembers::Ed25519 {
                    crv: "Ed25519",
                    x: base64url::encode(x),
                },
            ),
        };
        Self {
            kty,
            usage: "sig",
            alg,
            kid,
            key,
        }
    }
}

/// A JWK Set (RFC 7517 section 5), serialized as the response of `jwks_uri`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Jwks {
    /// The keys, in the order of the JSON.
    pub keys: Vec<Jwk>,
}

impl Jwks {
    /// The first key with this `kid`.
    #[must_use]
    pub fn find(&self, kid: &str) -> Option<&Jwk> {
        self.keys
            .iter()
            .find(|jwk| jwk.kid.as_ref().is_some_and(|own| own.as_str() == kid))
    }
}

/// RFC 7517 section 5: "Implementations SHOULD ignore JWKs within a JWK Set that use "kty" (key
/// type) values that are not understood by them, that are missing required members, or for which
/// values are out of the supported ranges." The private half of a key that we would use is an
/// exception: that key is compromised, and the whole set is refused.
impl<'de> Deserialize<'de> for Jwks {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Set {
            keys: Vec<Map<String, Value>>,
        }

        let mut keys = Vec::new();
        for members in Set::deserialize(deserializer)?.keys {
            // Only of a kind that we use: a symmetric key (`oct`) has no public half, and verifies nothing here.
            let is_understood = PublicKey::from_members(&members).is_ok();
            match Jwk::try_from(members) {
                Ok(jwk) => keys.push(jwk),
                Err(JwkError::Private) if is_understood => {
                    return Err(serde::de::Error::custom(JwkError::Private));
                }
                Err(_) => {}
            }
        }
        Ok(Self { keys })
    }
}

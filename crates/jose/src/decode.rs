//! JWS in compact serialisation (RFC 7515): taking tokens apart.

use std::fmt;

use serde::de::{DeserializeOwned, Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use crate::algorithm::Algorithm;
use crate::base64url;
use crate::jwk::Kid;
use crate::verification::{VerificationKey, VerifyError};

/// The longest token that [`decode`] looks at, in bytes.
pub const MAX_TOKEN_LEN: usize = 16 * 1024;

/// A token's header, parsed.
#[derive(Clone, Debug)]
pub struct Header {
    /// `alg`.
    pub algorithm: Algorithm,
    /// `typ`, as it stands there; compare it by [`TokenType::is`](crate::TokenType::is).
    pub typ: Option<String>,
    /// `kid`.
    pub kid: Option<Kid>,
    /// All members, these three included. What is in `jwk`, `jku` or `x5c` is the sender's word
    /// and proves nothing.
    pub members: Map<String, Value>,
}

/// A token taken apart. Nothing in it is to be believed yet.
#[derive(Clone)]
pub struct Unverified {
    header: Header,
    payload: Vec<u8>,
    signing_input: String,
    signature: Vec<u8>,
}

/// A token whose signature was verified by [`Unverified::verify`]: the only way to get one.
#[derive(Clone)]
pub struct Verified {
    header: Header,
    payload: Vec<u8>,
}

/// Takes a token apart.
///
/// # Errors
/// [`DecodeError`], of which the sender is guilty.
pub fn decode(token: &str) -> Result<Unverified, DecodeError> {
    if token.len() > MAX_TOKEN_LEN {
        return Err(DecodeError::TooLong);
    }
    let mut parts = token.split('.');
    let (Some(header), Some(payload), Some(signature), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(DecodeError::NotThreeParts);
    };
    let signing_input = token[..header.len() + 1 + payload.len()].to_owned();
    let bytes = |part| base64url::decode(part).ok_or(DecodeError::Base64url);
    Ok(Unverified {
        header: Header::parse(&bytes(header)?)?,
        payload: bytes(payload)?,
        signing_input,
        signature: bytes(signature)?,
    })
}

impl Unverified {
    /// The header: what the sender says.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The payload, which nobody has vouched for: good for finding the key, and for nothing else.
    #[must_use]
    pub fn unverified_payload(&self) -> &[u8] {
        &self.payload
    }

    /// The bytes that were signed.
    #[must_use]
    pub fn signing_input(&self) -> &[u8] {
        self.signing_input.as_bytes()
    }

    /// The signature.
    #[must_use]
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }

    /// Verifies the signature.
    ///
    /// # Errors
    /// [`VerifyError::AlgorithmNotAllowed`], or [`VerifyError::BadSignature`].
    pub fn verify(self, key: &VerificationKey) -> Result<Verified, VerifyError> {
        key.verify(self.header.algorithm, self.signing_input(), &self.signature)?;
        Ok(Verified {
            header: self.header,
            payload: self.payload,
        })
    }
}

impl Verified {
    /// The header.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The payload.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// The payload as claims.
    ///
    /// # Errors
    /// It is not JSON, or not of this shape.
    pub fn claims<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_slice(&self.payload)
    }
}

impl fmt::Debug for Unverified {
    /// Without payload and signature, which together are a credential.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unverified")
            .field("header", &self.header)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verified")
            .field("header", &self.header)
            .finish_non_exhaustive()
    }
}

impl Header {
    fn parse(json: &[u8]) -> Result<Self, DecodeError> {
        let UniqueMembers(members) =
            serde_json::from_slice(json).map_err(|_| DecodeError::Header)?;
        // RFC 7515 section 4.1.11: "If any of the listed extension Header Parameters are not
        // understood and supported by the recipient, then the JWS is invalid." We support none.
        if members.contains_key("crit") {
            return Err(DecodeError::Critical);
        }
        let text = |name| match members.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.as_str())),
            Some(_) => Err(DecodeError::Header),
        };
        let algorithm = text("alg")?.ok_or(DecodeError::Header)?;
        let algorithm = algorithm
            .parse()
            .map_err(|_| DecodeError::UnsupportedAlgorithm)?;
        let typ = text("typ")?.map(ToOwned::to_owned);
        let kid = text("kid")?.map(Kid::from);
        Ok(Self {
            algorithm,
            typ,
            kid,
            members,
        })
    }
}

/// RFC 7515 section 4: "The Header Parameter names within the JOSE Header MUST be unique; JWSs
/// with duplicate Header Parameter names MUST be rejected". `serde_json`'s map would keep the last.
struct UniqueMembers(Map<String, Value>);

impl<'de> Deserialize<'de> for UniqueMembers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Map<String, Value>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object with unique names")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
                let mut members = Map::new();
                while let Some((name, value)) = access.next_entry::<String, Value>()? {
                    if members.insert(name, value).is_some() {
                        return Err(A::Error::custom("duplicate name"));
                    }
                }
                Ok(members)
            }
        }

        deserializer.deserialize_map(Members).map(Self)
    }
}

/// Why a string is not a JWS that we look at further.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Longer than [`MAX_TOKEN_LEN`].
    #[error("the token is too long")]
    TooLong,
    /// Not three parts divided by two dots.
    #[error("the token does not have three parts")]
    NotThreeParts,
    /// A part is not canonical base64url without padding.
    #[error("a part of the token is not base64url")]
    Base64url,
    /// The header is not a JSON object with unique names and an `alg`, or has a member of a wrong
    /// type.
    #[error("the token's header is malformed")]
    Header,
    /// `crit` demands an extension.
    #[error("the token's header demands an extension by `crit`")]
    Critical,
    /// `alg` is none of ours; `none` is not.
    #[error("the token's signature algorithm is not supported")]
    UnsupportedAlgorithm,
}

//! JWS in compact serialization (RFC 7515): parsing tokens.

use std::fmt;

use serde::de::{DeserializeOwned, Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use crate::algorithm::Algorithm;
use crate::base64url;
use crate::jwk::Kid;
use crate::verification::{VerificationKey, VerifyError};

/// The longest token that [`decode`] accepts, in bytes.
pub const MAX_TOKEN_LEN: usize = 16 * 1024;

/// A token's header, parsed.
#[derive(Clone, Debug)]
pub struct Header {
    /// `alg`.
    pub algorithm: Algorithm,
    /// `typ` as sent; compare it by [`TokenType::is`](crate::TokenType::is).
    pub typ: Option<String>,
    /// `kid`.
    pub kid: Option<Kid>,
    /// All members, including these three. Never trust a key in `jwk`, `jku` or `x5c`: it comes from the sender.
    pub members: Map<String, Value>,
}

/// A parsed token. Nothing in it can be trusted yet.
#[derive(Clone)]
pub struct Unverified {
    header: Header,
    payload: Vec<u8>,
    signing_input: String,
    signature: Vec<u8>,
}

/// A token whose signature was verified. Only [`Unverified::verify`] creates one.
#[derive(Clone)]
pub struct Verified {
    header: Header,
    payload: Vec<u8>,
}

/// Parses a token.
///
/// # Errors
/// [`DecodeError`]: the sender's fault.
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
    /// The unverified header.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The unverified payload: use it only to find the key.
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
    /// It is not JSON, or does not match the type.
    pub fn claims<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_slice(&self.payload)
    }
}

impl fmt::Debug for Unverified {
    /// Omits payload and signature, which together are a credential.
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

/// Why a string is not an acceptable JWS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Longer than [`MAX_TOKEN_LEN`].
    #[error("the token is too long")]
    TooLong,
    /// Not three parts separated by dots.
    #[error("the token does not have three parts")]
    NotThreeParts,
    /// A part is not canonical base64url without padding.
    #[error("a part of the token is not base64url")]
    Base64url,
    /// The header is not a JSON object with unique names and an `alg`, or a member has the wrong
    /// type.
    #[error("the token's header is malformed")]
    Header,
    /// `crit` demands an extension; none is supported.
    #[error("the token's header demands an extension by `crit`")]
    Critical,
    /// `alg` is not a supported algorithm; `none` never is.
    #[error("the token's signature algorithm is not supported")]
    UnsupportedAlgorithm,
}

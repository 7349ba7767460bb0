//! JWS in compact serialization (RFC 7515): building tokens.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;
use serde_json::json;

use crate::algorithm::Algorithm;
use crate::base64url;
use crate::jwk::Kid;
use crate::signer::{SignError, Signer};

/// The kind of a token, in `typ`, so that one kind is never accepted as another (RFC 8725 section 3.11).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TokenType {
    /// An access token: `at+jwt` (RFC 9068 section 2.1).
    Access,
    /// An ID token: `JWT` (RFC 7519 section 5.1).
    Id,
    /// A logout token: `logout+jwt` (OpenID Connect Back-Channel Logout 1.0 section 2.4).
    Logout,
}

impl TokenType {
    /// Every type.
    pub const ALL: [Self; 3] = [Self::Access, Self::Id, Self::Logout];

    /// The value of `typ`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Access => "at+jwt",
            Self::Id => "JWT",
            Self::Logout => "logout+jwt",
        }
    }

    /// Whether a header's `typ` is this type. RFC 7515 section 4.1.9: a media type, compared without case, whose prefix
    /// `application/` is optional.
    #[must_use]
    pub fn is(self, typ: Option<&str>) -> bool {
        const PREFIX: &str = "application/";
        typ.is_some_and(|typ| {
            let short = match typ.split_at_checked(PREFIX.len()) {
                Some((prefix, rest)) if prefix.eq_ignore_ascii_case(PREFIX) => rest,
                _ => typ,
            };
            short.eq_ignore_ascii_case(self.name())
        })
    }
}

/// The encoded header of our own tokens, one for each key, algorithm and type. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProtectedHeader {
    algorithm: Algorithm,
    typ: TokenType,
    kid: Kid,
    encoded: Arc<str>,
}

impl ProtectedHeader {
    /// The header `{"alg", "typ", "kid"}`.
    #[must_use]
    pub fn new(algorithm: Algorithm, typ: TokenType, kid: &Kid) -> Self {
        let members = json!({ "alg": algorithm.name(), "typ": typ.name(), "kid": kid.as_str() });
        let encoded = base64url::encode(members.to_string()).into();
        Self {
            algorithm,
            typ,
            kid: kid.clone(),
            encoded,
        }
    }

    /// `alg`.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// `typ`.
    #[must_use]
    pub fn typ(&self) -> TokenType {
        self.typ
    }

    /// `kid`.
    #[must_use]
    pub fn kid(&self) -> &Kid {
        &self.kid
    }
}

/// The input of a signature, `BASE64URL(header) . BASE64URL(claims)` (RFC 7515 section 5.1), with its algorithm and key.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningInput {
    algorithm: Algorithm,
    kid: Kid,
    text: String,
}

impl SigningInput {
    /// Encodes header and claims.
    ///
    /// # Errors
    /// The claims cannot be JSON, for example a map whose keys are not strings.
    pub fn new(
        header: &ProtectedHeader,
        claims: &impl Serialize,
    ) -> Result<Self, serde_json::Error> {
        let claims = serde_json::to_vec(claims)?;
        // Room for the signature too: 342 characters of RSA-2048.
        let mut text = String::with_capacity(header.encoded.len() + claims.len() * 4 / 3 + 350);
        text.push_str(&header.encoded);
        text.push('.');
        base64url::encode_into(&claims, &mut text);
        Ok(Self {
            algorithm: header.algorithm,
            kid: header.kid.clone(),
            text,
        })
    }

    /// The algorithm to sign with.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The key to sign with.
    #[must_use]
    pub fn kid(&self) -> &Kid {
        &self.kid
    }

    /// The bytes to sign.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.text.as_bytes()
    }

    /// Completes the token with the signature over [`Self::as_bytes`].
    #[must_use]
    pub fn finish(self, signature: &[u8]) -> String {
        let mut token = self.text;
        token.push('.');
        base64url::encode_into(signature, &mut token);
        token
    }

    /// Signs with `signer`, and returns the token.
    ///
    /// # Errors
    /// The signer's error.
    pub async fn sign(self, signer: &dyn Signer) -> Result<String, SignError> {
        let signature = signer
            .sign(&self.kid, self.algorithm, self.as_bytes())
            .await?;
        Ok(self.finish(&signature))
    }
}

impl fmt::Debug for SigningInput {
    /// Omits the claims: they are personal data, and with a signature a credential.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningInput")
            .field("algorithm", &self.algorithm)
            .field("kid", &self.kid)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc7515_4_1_9_typ_is_compared_as_a_media_type() {
        for typ in [
            "at+jwt",
            "AT+JWT",
            "application/at+jwt",
            "Application/At+Jwt",
        ] {
            assert!(TokenType::Access.is(Some(typ)), "{typ}");
        }
        for typ in [
            "JWT",
            "at+jwt ",
            "text/at+jwt",
            "application/",
            "application/application/at+jwt",
        ] {
            assert!(!TokenType::Access.is(Some(typ)), "{typ}");
        }
        assert!(!TokenType::Id.is(None));
    }

    #[test]
    fn unsigned_claims_are_not_printed() {
        let header = ProtectedHeader::new(Algorithm::Es256, TokenType::Id, &Kid::from("k"));
        let input = SigningInput::new(&header, &json!({ "sub": "alice" })).unwrap();
        let expected = r#"SigningInput { algorithm: Es256, kid: Kid("k"), .. }"#;
        assert_eq!(format!("{input:?}"), expected);
    }
}

//! Proof Key for Code Exchange (RFC 7636).
//!
//! Only S256: RFC 9700 section 2.1.1: "clients SHOULD use PKCE code challenge methods that do not expose the PKCE
//! verifier in the authorization request. … Currently, S256 is the only such method."

use std::fmt;

use aws_lc_rs::{constant_time, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::base::error::{ErrorCode, Refusal};
use crate::base::secret::Secret;

/// Registered names (RFC 7636 section 6.2) of the supported methods.
pub const METHODS: [&str; 1] = ["S256"];

/// The SHA-256 of a code verifier in base64url. Not secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CodeChallenge(String);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a code challenge of S256 is 43 characters of base64url")]
pub struct InvalidChallenge;

impl CodeChallenge {
    /// The challenge of an authorization request, if it has one.
    ///
    /// # Errors
    /// RFC 7636 section 4.4.1: `invalid_request` for an unsupported method. A missing `code_challenge_method` means
    /// `plain` (section 4.3), which is unsupported.
    pub fn parse(challenge: Option<&str>, method: Option<&str>) -> Result<Option<Self>, Refusal> {
        const METHOD: Refusal = Refusal::new(
            ErrorCode::InvalidRequest,
            "The code_challenge_method must be S256.",
        );
        const MALFORMED: Refusal = Refusal::new(
            ErrorCode::InvalidRequest,
            "The code_challenge is not the SHA-256 of a verifier in base64url.",
        );
        match (challenge, method) {
            (None, None) => Ok(None),
            (Some(challenge), Some("S256")) => {
                let challenge = Self::try_from(challenge.to_owned());
                challenge.map(Some).map_err(|_| MALFORMED)
            }
            (None, Some(_)) => Err(MALFORMED),
            (Some(_), _) => Err(METHOD),
        }
    }

    /// RFC 7636 section 4.6: `BASE64URL-ENCODE(SHA256(ASCII(code_verifier))) == code_challenge`, in constant time.
    #[must_use]
    pub fn is_met_by(&self, verifier: &CodeVerifier) -> bool {
        let presented = digest::digest(&digest::SHA256, verifier.0.reveal().as_bytes());
        let presented = URL_SAFE_NO_PAD.encode(presented);
        constant_time::verify_slices_are_equal(self.0.as_bytes(), presented.as_bytes()).is_ok()
    }
}

impl TryFrom<String> for CodeChallenge {
    type Error = InvalidChallenge;

    fn try_from(text: String) -> Result<Self, InvalidChallenge> {
        let digest = URL_SAFE_NO_PAD.decode(&text);
        match digest {
            Ok(digest) if digest.len() == digest::SHA256_OUTPUT_LEN => Ok(Self(text)),
            _ => Err(InvalidChallenge),
        }
    }
}

impl From<CodeChallenge> for String {
    fn from(challenge: CodeChallenge) -> Self {
        challenge.0
    }
}

impl fmt::Display for CodeChallenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[derive(Clone, Debug)]
pub struct CodeVerifier(Secret);

impl CodeVerifier {
    /// The verifier of a token request, if it has one.
    ///
    /// # Errors
    /// `invalid_grant` unless it is `43*128unreserved` (RFC 7636 section 4.1).
    pub fn parse(text: Option<&str>) -> Result<Option<Self>, Refusal> {
        const MALFORMED: Refusal = Refusal::new(
            ErrorCode::InvalidGrant,
            "The code_verifier is not 43 to 128 unreserved characters.",
        );
        let Some(text) = text else { return Ok(None) };
        let unreserved = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
        let fits = (43..=128).contains(&text.len()) && text.bytes().all(unreserved);
        fits.then(|| Some(Self(Secret::new(text)))).ok_or(MALFORMED)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn challenge(text: &str) -> CodeChallenge {
        CodeChallenge::parse(Some(text), Some("S256"))
            .unwrap()
            .unwrap()
    }

    fn verifier(text: &str) -> CodeVerifier {
        CodeVerifier::parse(Some(text)).unwrap().unwrap()
    }

    #[test]
    fn rfc7636_appendix_b_example() {
        let challenge = challenge("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
        assert!(challenge.is_met_by(&verifier("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")));
        assert!(!challenge.is_met_by(&verifier("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXX")));
    }

    #[test]
    fn rfc7636_4_4_1_plain_is_refused_explicitly_and_by_default() {
        let text = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        for method in [None, Some("plain"), Some("s256"), Some("S512")] {
            let refused = CodeChallenge::parse(Some(text), method).unwrap_err();
            assert_eq!(refused.code, ErrorCode::InvalidRequest, "{method:?}");
        }
        assert_eq!(CodeChallenge::parse(None, None), Ok(None));
        assert!(CodeChallenge::parse(None, Some("S256")).is_err());
        for bad in [
            "",
            "short",
            &text[1..],
            &format!("{text}A"),
            &text.replace('-', "+"),
        ] {
            assert!(
                CodeChallenge::parse(Some(bad), Some("S256")).is_err(),
                "{bad}"
            );
        }
    }

    #[test]
    fn rfc7636_4_1_a_verifier_has_43_to_128_unreserved_characters() {
        for right in ["a".repeat(43), "~".repeat(128)] {
            assert!(CodeVerifier::parse(Some(&right)).is_ok());
        }
        for wrong in [
            "a".repeat(42),
            "a".repeat(129),
            format!("{}+", "a".repeat(42)),
        ] {
            let refused = CodeVerifier::parse(Some(&wrong)).unwrap_err();
            assert_eq!(refused.code, ErrorCode::InvalidGrant);
        }
    }

    proptest! {
        #[test]
        fn exactly_one_verifier_meets_a_challenge(a in "[A-Za-z0-9._~-]{43,128}", b in "[A-Za-z0-9._~-]{43,128}") {
            let digest = digest::digest(&digest::SHA256, a.as_bytes());
            let challenge = challenge(&URL_SAFE_NO_PAD.encode(digest));
            prop_assert!(challenge.is_met_by(&verifier(&a)));
            prop_assert_eq!(challenge.is_met_by(&verifier(&b)), a == b);
        }
    }
}

//! `client_secret_basic` and `client_secret_post` (RFC 6749 section 2.3.1).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::{Credentials, unsupported};
use crate::base::error::{Cause, ErrorCode, Refusal};
use crate::base::params;
use crate::base::secret::{Secret, SecretVerifier};

const MALFORMED: Refusal = Refusal::new(
    ErrorCode::InvalidClient,
    "The Authorization header is not Basic credentials.",
)
.because(Cause::BasicMalformed);

/// Reads an `Authorization: Basic` header. RFC 6749 section 2.3.1: id and secret are each form-encoded, joined by a
/// colon, and Base64-encoded. The scheme is case-insensitive (RFC 9110 section 11.1). Without a colon, the secret is
/// empty.
pub(super) fn basic(header: &[u8], id_in_body: Option<&str>) -> Result<Credentials, Refusal> {
    let scheme = header.split(|b| *b == b' ').next().unwrap_or_default();
    if !scheme.is_empty() && !scheme.eq_ignore_ascii_case(b"Basic") {
        return Err(unsupported::SCHEME);
    }
    let (_, encoded) = header.split_at_checked(6).ok_or(MALFORMED)?;
    let decoded = Zeroizing::new(
        STANDARD
            .decode(encoded.trim_ascii())
            .map_err(|_| MALFORMED)?,
    );
    let (id, secret) = match decoded.iter().position(|&b| b == b':') {
        Some(at) => (&decoded[..at], &decoded[at + 1..]),
        None => (&decoded[..], &decoded[decoded.len()..]),
    };
    let client_id = params::decode(id).map_err(|_| MALFORMED)?.to_string();
    let secret = Secret::new(params::decode(secret).map_err(|_| MALFORMED)?.as_str());
    if id_in_body.is_some_and(|id| id != client_id) {
        return Err(Refusal::new(
            ErrorCode::InvalidRequest,
            "The request names two clients.",
        ));
    }
    Ok(Credentials::Basic { client_id, secret })
}

pub(super) fn post(client_id: Option<&str>, secret: &str) -> Result<Credentials, Refusal> {
    let client_id = client_id.ok_or(Refusal::new(
        ErrorCode::InvalidRequest,
        "The parameter client_id is missing.",
    ))?;
    Ok(Credentials::Post {
        client_id: client_id.to_owned(),
        secret: Secret::new(secret),
    })
}

/// Which of the secrets it is.
pub(super) fn check(
    verifiers: &[SecretVerifier],
    basic: bool,
    post: bool,
    credentials: &Credentials,
) -> Result<usize, Cause> {
    let (allowed, secret) = match credentials {
        Credentials::Basic { secret, .. } => (basic, secret),
        Credentials::Post { secret, .. } => (post, secret),
        Credentials::None { .. } => return Err(Cause::SecretMissing),
    };
    if !allowed {
        return Err(Cause::MethodNotAllowed);
    }
    // Every verifier is tried, so that the time does not show which one matched.
    let verifiers = verifiers.iter().enumerate();
    let matching = verifiers.fold(None, |matching, (index, verifier)| {
        match verifier.accepts(secret) {
            true => Some(index),
            false => matching,
        }
    });
    matching.ok_or(Cause::WrongSecret)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(scheme: &str, text: &str) -> Vec<u8> {
        format!("{scheme} {}", STANDARD.encode(text)).into_bytes()
    }

    fn read(scheme: &str, text: &str) -> Option<(String, String)> {
        match basic(&header(scheme, text), None) {
            Ok(Credentials::Basic { client_id, secret }) => {
                Some((client_id, secret.reveal().to_owned()))
            }
            _ => None,
        }
    }

    fn pair(id: &str, secret: &str) -> Option<(String, String)> {
        Some((id.to_owned(), secret.to_owned()))
    }

    #[test]
    fn rfc6749_2_3_1_id_and_secret_are_form_encoded() {
        assert_eq!(read("Basic", "a%3Ab:c%25+d"), pair("a:b", "c% d"));
        assert_eq!(
            read("Basic", "id:se:cr:et"),
            pair("id", "se:cr:et"),
            "the first colon splits"
        );
        assert_eq!(read("Basic", "id:%zz"), None);
    }

    #[test]
    fn rfc9110_11_1_the_scheme_is_case_insensitive() {
        assert_eq!(read("bAsIc", "id:s"), pair("id", "s"));
        assert_eq!(read("Bearer", "id:s"), None);
    }

    #[test]
    fn an_id_without_a_colon_means_an_empty_secret() {
        assert_eq!(read("Basic", "tv"), pair("tv", ""));
    }

    #[test]
    fn malformed_headers_do_not_panic() {
        for bad in [
            &b""[..],
            b"Basic",
            b"Basic ",
            b"Basic !!!",
            b"Basic \xff\xff",
            b"Basic gIA=",
        ] {
            let _ = basic(bad, None);
        }
    }

    #[test]
    fn repeating_the_client_id_in_the_body_is_not_a_second_credential() {
        assert!(basic(&header("Basic", "tv:s"), Some("tv")).is_ok());
        let refusal = basic(&header("Basic", "tv:s"), Some("other")).unwrap_err();
        assert_eq!(refusal.code, ErrorCode::InvalidRequest);
    }
}

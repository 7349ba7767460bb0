//! Why a request is refused, and the response that says so (RFC 6750 section 3).

use grantor_jose::{DecodeError, VerifyError};
use http::header::{HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{Response, StatusCode};

#[cfg(feature = "fetch")]
use crate::fetch::FetchError;
#[cfg(feature = "fetch")]
use crate::keys::KeysUnavailable;
use crate::scope::Scopes;

/// Why a request is refused.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Refusal {
    /// The request has no token in the header `Authorization`.
    #[error("there is no access token")]
    NoToken,
    /// There are several tokens, or the header is malformed.
    #[error("{0}")]
    InvalidRequest(&'static str),
    /// The token is not valid, or not valid for this service.
    #[error(transparent)]
    InvalidToken(#[from] Invalid),
    /// The token is valid, but does not have all of these scopes.
    #[error("the token does not allow it")]
    InsufficientScope(Scopes),
    /// The token cannot be verified now.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Why a token is not valid for this service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// It cannot be parsed, or its header demands an unsupported extension or algorithm.
    #[error(transparent)]
    Malformed(#[from] DecodeError),
    /// Its algorithm is not one of the allowed ones.
    #[error("the token's signature algorithm is not allowed")]
    Algorithm,
    /// It is another kind of token: an ID token, for example.
    #[error("the token is no access token")]
    NotAnAccessToken,
    /// It was not signed by a key of its issuer.
    #[error(transparent)]
    Signature(#[from] VerifyError),
    /// This claim is missing or malformed.
    #[error("the token's claim {0} is missing or malformed")]
    Claim(&'static str),
    /// It was issued by another issuer.
    #[error("the token is of another issuer")]
    Issuer,
    /// It is for another service.
    #[error("the token is for another audience")]
    Audience,
    /// It has expired.
    #[error("the token has expired")]
    Expired,
    /// `nbf` or `iat` is in the future.
    #[error("the token is not valid yet")]
    NotYet,
    /// It is bound to a key (`cnf`, RFC 7800), so that the token alone must not be accepted. Proofs of possession are not
    /// supported yet.
    #[error("the token is bound to a key, and no bearer token")]
    Bound,
    /// The introspection response says that it is not active.
    #[error("the token is not active")]
    Inactive,
}

/// Why a token cannot be verified now. Which variants there are depends on the features.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Unavailable {
    /// The issuer's keys are unavailable.
    #[cfg(feature = "fetch")]
    #[error(transparent)]
    Keys(#[from] KeysUnavailable),
    /// The introspection request failed.
    #[cfg(feature = "fetch")]
    #[error("the introspection request failed")]
    Introspection(#[from] FetchError),
    /// Too many introspection requests are running.
    #[error("too many introspection requests are running")]
    Busy,
}

impl Refusal {
    /// The status of the response.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::NoToken | Self::InvalidToken(_) => StatusCode::UNAUTHORIZED,
            Self::InvalidRequest(_) => StatusCode::BAD_REQUEST,
            Self::InsufficientScope(_) => StatusCode::FORBIDDEN,
            Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The error code of RFC 6750 section 3.1. For a request without a token it says: "the resource server SHOULD NOT
    /// include an error code or other error information".
    #[must_use]
    pub const fn code(&self) -> Option<&'static str> {
        match self {
            Self::NoToken | Self::Unavailable(_) => None,
            Self::InvalidRequest(_) => Some("invalid_request"),
            Self::InvalidToken(_) => Some("invalid_token"),
            Self::InsufficientScope(_) => Some("insufficient_scope"),
        }
    }

    /// The value of `WWW-Authenticate`; `None` if the token could not be verified.
    ///
    /// Section 3: the scheme "MUST be followed by one or more auth-param values": here `realm`, the protected service.
    #[must_use]
    pub fn challenge(&self, realm: &str) -> Option<HeaderValue> {
        let mut challenge = format!("Bearer realm=\"{}\"", quotable(realm));
        match self {
            Self::Unavailable(_) => return None,
            Self::NoToken => {}
            Self::InvalidRequest(_) | Self::InvalidToken(_) | Self::InsufficientScope(_) => {
                let code = self.code().unwrap_or_default();
                let why = quotable(&self.to_string());
                challenge += &format!(", error=\"{code}\", error_description=\"{why}\"");
            }
        }
        if let Self::InsufficientScope(scopes) = self {
            challenge += &format!(", scope=\"{}\"", quotable(&scopes.to_string()));
        }
        HeaderValue::try_from(challenge).ok()
    }

    /// The response, with an empty body.
    #[must_use]
    pub fn response<B: Default>(&self, realm: &str) -> Response<B> {
        let mut response = Response::new(B::default());
        *response.status_mut() = self.status();
        let headers = response.headers_mut();
        match self.challenge(realm) {
            Some(challenge) => headers.insert(WWW_AUTHENTICATE, challenge),
            None => headers.insert(RETRY_AFTER, HeaderValue::from_static("5")),
        };
        response
    }
}

/// Section 3: values "MUST NOT include characters outside the set %x20-21 / %x23-5B / %x5D-7E".
fn quotable(text: &str) -> String {
    let is_allowed = |c: &char| matches!(c, ' '..='~') && !matches!(c, '"' | '\\');
    text.chars().filter(is_allowed).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn challenge(refusal: &Refusal) -> String {
        let challenge = refusal.challenge("orders.example.com").unwrap();
        challenge.to_str().unwrap().to_owned()
    }

    #[test]
    fn rfc6750_3_1_each_refusal_has_its_status_and_code() {
        let unavailable = Refusal::Unavailable(Unavailable::Busy);
        let scope = Refusal::InsufficientScope("a".into());
        for (refusal, status, code) in [
            (Refusal::NoToken, 401, None),
            (Refusal::InvalidRequest(""), 400, Some("invalid_request")),
            (Invalid::Expired.into(), 401, Some("invalid_token")),
            (scope, 403, Some("insufficient_scope")),
            (unavailable, 503, None),
        ] {
            let response: Response<()> = refusal.response("r");
            assert_eq!(response.status(), status, "{refusal}");
            assert_eq!(refusal.code(), code, "{refusal}");
            let headers = response.headers();
            assert_eq!(headers.contains_key(WWW_AUTHENTICATE), status != 503);
            assert_eq!(headers.contains_key(RETRY_AFTER), status == 503);
        }
    }

    #[test]
    fn rfc6750_3_challenges_have_each_attribute_once() {
        assert_eq!(
            challenge(&Refusal::NoToken),
            r#"Bearer realm="orders.example.com""#
        );
        assert_eq!(
            challenge(&Invalid::Expired.into()),
            r#"Bearer realm="orders.example.com", error="invalid_token", error_description="the token has expired""#
        );
        assert_eq!(
            challenge(&Refusal::InsufficientScope("write read".into())),
            r#"Bearer realm="orders.example.com", error="insufficient_scope", error_description="the token does not allow it", scope="read write""#
        );
    }

    #[test]
    fn rfc6750_3_values_have_no_other_characters() {
        let foreign = "a\"b\\c\r\nd\u{7f}e\u{e9}";
        let scope = Refusal::InsufficientScope(foreign.into());
        let challenge = scope.challenge(foreign).unwrap();
        let challenge = challenge.to_str().unwrap();
        assert!(challenge.starts_with(r#"Bearer realm="abcde", error"#));
        assert!(challenge.ends_with(r#"scope="abcde""#), "{challenge}");
        // Nothing has to be removed from the messages that a sender can cause.
        for invalid in [
            Invalid::Malformed(DecodeError::Critical),
            Invalid::Signature(VerifyError::UnknownKey),
            Invalid::Claim("exp"),
        ] {
            let text = invalid.to_string();
            assert_eq!(quotable(&text), text);
        }
    }
}

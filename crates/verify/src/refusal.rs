//! Why a request is not let through, and how it is told (RFC 6750 section 3).

use grantor_jose::{DecodeError, VerifyError};
use http::header::{HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{Response, StatusCode};

use crate::fetch::FetchError;
use crate::keys::KeysUnavailable;
use crate::scope::Scopes;

/// A request that is not let through.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Refusal {
    /// It has no token, or not where one is looked for.
    #[error("there is no access token")]
    NoToken,
    /// Its token cannot be read: there are several, or the header is malformed.
    #[error("{0}")]
    InvalidRequest(&'static str),
    /// The token is not good, or not good here.
    #[error("{0}")]
    InvalidToken(#[from] Invalid),
    /// The token is good, and does not have these scopes.
    #[error("the token does not allow it")]
    InsufficientScope(Scopes),
    /// Whether the token is good cannot be told now.
    #[error("{0}")]
    Unavailable(#[from] Unavailable),
}

/// Why a token is not good here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// It cannot be taken apart, or demands what is not allowed.
    #[error("{0}")]
    Malformed(#[from] DecodeError),
    /// Its algorithm is none of those that are allowed.
    #[error("the token's signature algorithm is not allowed")]
    Algorithm,
    /// It is something else: an ID token, for example.
    #[error("the token is no access token")]
    NotAnAccessToken,
    /// Its issuer did not sign it.
    #[error("{0}")]
    Signature(#[from] VerifyError),
    /// This claim is missing, or is not what it must be.
    #[error("the token's claim {0} is missing or malformed")]
    Claim(&'static str),
    /// Another issuer made it.
    #[error("the token is of another issuer")]
    Issuer,
    /// It is for somebody else.
    #[error("the token is for another audience")]
    Audience,
    /// It has ended.
    #[error("the token has expired")]
    Expired,
    /// It has not begun, or was issued in the future.
    #[error("the token is not valid yet")]
    NotYet,
    /// It is bound to a key (`cnf`, RFC 7800), so whoever only has the token must not use it. Proofs of such a key are
    /// not verified here.
    #[error("the token is bound to a key, and no bearer token")]
    Bound,
    /// Its issuer says that it is not active.
    #[error("the token is not active")]
    Inactive,
}

/// What cannot be had now.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Unavailable {
    /// The issuer's keys.
    #[error(transparent)]
    Keys(#[from] KeysUnavailable),
    /// Its word on a token.
    #[error("the issuer cannot be asked about a token: {0}")]
    Introspection(#[from] FetchError),
    /// Too many tokens are asked about at this moment.
    #[error("the issuer is being asked about too many tokens")]
    Busy,
}

impl Refusal {
    /// The status of the answer.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::NoToken | Self::InvalidToken(_) => StatusCode::UNAUTHORIZED,
            Self::InvalidRequest(_) => StatusCode::BAD_REQUEST,
            Self::InsufficientScope(_) => StatusCode::FORBIDDEN,
            Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The error code of RFC 6750 section 3.1. There, of a request without a token: "the resource server SHOULD NOT
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

    /// The value of `WWW-Authenticate`; none where it is not the token that is at fault.
    ///
    /// Section 3: the scheme "MUST be followed by one or more auth-param values": `realm`, what is protected.
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

    /// The answer, with an empty body.
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
        // What a sender can bring about has nothing to leave out.
        for invalid in [
            Invalid::Malformed(DecodeError::Critical),
            Invalid::Signature(VerifyError::UnknownKey),
            Invalid::Claim("exp"),
        ] {
            let said = invalid.to_string();
            assert_eq!(quotable(&said), said);
        }
    }
}

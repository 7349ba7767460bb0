//! The table of error codes (name, status, defining section), and failures sorted by blame.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// The text that defines a code, and where in it.
#[derive(Clone, Copy)]
enum Source {
    /// The RFC's number and the section.
    Rfc(u16, &'static str),
    /// OpenID Connect Core section 3.1.2.6.
    OpenIdCore,
    /// OpenID Connect Core Error Code `unmet_authentication_requirements`, which adds that one code.
    UnmetRequirements,
}

use Source::{OpenIdCore, Rfc, UnmetRequirements};

impl Source {
    fn uri(self) -> String {
        match self {
            Rfc(rfc, section) => {
                format!("https://datatracker.ietf.org/doc/html/rfc{rfc}#section-{section}")
            }
            OpenIdCore => {
                "https://openid.net/specs/openid-connect-core-1_0.html#AuthError".to_owned()
            }
            UnmetRequirements => {
                "https://openid.net/specs/openid-connect-unmet-authentication-requirements-1_0.html"
                    .to_owned()
            }
        }
    }
}

macro_rules! error_codes {
    ($($Code:ident => $name:literal, $status:literal, $source:expr;)+) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ErrorCode {
            $($Code),+
        }

        impl ErrorCode {
            /// In the order of the table.
            pub const ALL: [Self; [$($name),+].len()] = [$(Self::$Code),+];

            /// The value of `error`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$Code => $name),+ }
            }

            /// The HTTP status; not used for redirects.
            #[must_use]
            pub const fn status(self) -> u16 {
                match self { $(Self::$Code => $status),+ }
            }

            const fn source(self) -> Source {
                match self { $(Self::$Code => $source),+ }
            }
        }
    };
}

error_codes! {
    InvalidRequest => "invalid_request", 400, Rfc(6749, "5.2");
    // RFC 6749 section 5.2: 401 is a MUST after an Authorization header, and always allowed.
    InvalidClient => "invalid_client", 401, Rfc(6749, "5.2");
    InvalidGrant => "invalid_grant", 400, Rfc(6749, "5.2");
    UnauthorizedClient => "unauthorized_client", 400, Rfc(6749, "5.2");
    UnsupportedGrantType => "unsupported_grant_type", 400, Rfc(6749, "5.2");
    InvalidScope => "invalid_scope", 400, Rfc(6749, "5.2");
    AuthorizationPending => "authorization_pending", 400, Rfc(8628, "3.5");
    SlowDown => "slow_down", 400, Rfc(8628, "3.5");
    AccessDenied => "access_denied", 400, Rfc(8628, "3.5");
    ExpiredToken => "expired_token", 400, Rfc(8628, "3.5");
    InvalidTarget => "invalid_target", 400, Rfc(8707, "2");
    InvalidToken => "invalid_token", 401, Rfc(6750, "3.1");
    InsufficientScope => "insufficient_scope", 403, Rfc(6750, "3.1");
    ServerError => "server_error", 500, Rfc(6749, "4.1.2.1");
    TemporarilyUnavailable => "temporarily_unavailable", 503, Rfc(6749, "4.1.2.1");
    // No OAuth specification defines a code for status 429.
    TooManyRequests => "too_many_requests", 429, Rfc(6585, "4");
    UnsupportedResponseType => "unsupported_response_type", 400, Rfc(6749, "4.1.2.1");
    LoginRequired => "login_required", 400, OpenIdCore;
    ConsentRequired => "consent_required", 400, OpenIdCore;
    RequestNotSupported => "request_not_supported", 400, OpenIdCore;
    RequestUriNotSupported => "request_uri_not_supported", 400, OpenIdCore;
    RegistrationNotSupported => "registration_not_supported", 400, OpenIdCore;
    InvalidAuthorizationDetails => "invalid_authorization_details", 400, Rfc(9396, "5");
    UnmetAuthenticationRequirements => "unmet_authentication_requirements", 400, UnmetRequirements;
}

impl ErrorCode {
    /// The position in [`Self::ALL`].
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// `error_uri` for the authorization endpoint, for which RFC 6749 defines the same codes separately.
    #[must_use]
    pub fn authorization_uri(self) -> String {
        match self.source() {
            Rfc(6749 | 8628, _) => Rfc(6749, "4.1.2.1").uri(),
            other => other.uri(),
        }
    }

    /// `error_uri`: the section that defines the code.
    #[must_use]
    pub fn uri(self) -> String {
        self.source().uri()
    }
}

/// A request that is refused with a protocol error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub code: ErrorCode,
    text: &'static str,
    /// A part of the request that is refused, such as a scope token.
    named: Option<Box<str>>,
    /// For the operator; never sent.
    pub cause: Cause,
    /// Seconds after which a retry may succeed.
    pub retry_after: Option<u64>,
}

impl Refusal {
    #[must_use]
    pub const fn new(code: ErrorCode, description: &'static str) -> Self {
        Self {
            code,
            text: description,
            named: None,
            cause: Cause::AsDescribed,
            retry_after: None,
        }
    }

    /// `error_description`: public and constant. Input is never repeated, except for what [`Self::naming`] names.
    #[must_use]
    pub fn description(&self) -> Cow<'static, str> {
        match &self.named {
            None => Cow::Borrowed(self.text),
            Some(named) => format!("{}: {named}", self.text.trim_end_matches('.')).into(),
        }
    }

    /// Names a part of the request, cut to what a description may hold (RFC 6749 section 5.2) and at most 100 characters.
    #[must_use]
    pub fn naming(mut self, part: &str) -> Self {
        let allowed = |c: &char| matches!(c, ' ' | '!' | '#'..='[' | ']'..='~');
        let part: String = part.chars().filter(allowed).take(100).collect();
        self.named = Some(part.into_boxed_str());
        self
    }

    #[must_use]
    pub const fn because(mut self, cause: Cause) -> Self {
        self.cause = cause;
        self
    }

    #[must_use]
    pub const fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }
}

impl Cause {
    /// Whether there was a token to say something about.
    #[must_use]
    pub const fn is_about_a_token(self) -> bool {
        !matches!(self, Self::TokenMissing | Self::SchemeNotSupported)
    }

    /// None where the description says it all.
    #[must_use]
    pub fn logged(self) -> Option<Self> {
        (self != Self::AsDescribed).then_some(self)
    }
}

/// The private cause of a refusal, logged with its `trace_id`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The description says it all, so there is none to log.
    AsDescribed,
    UnknownClient,
    DisabledClient,
    /// The user whose client it is.
    OwnerCannotHaveClient,
    WrongSecret,
    SecretMissing,
    MethodNotAllowed,
    /// No secret, no assertion and no id.
    CredentialsMissing,
    /// `client_assertion`: `private_key_jwt`, `client_secret_jwt` and their like.
    AssertionNotSupported,
    /// An `Authorization` header of another scheme than the endpoint's.
    SchemeNotSupported,
    BasicMalformed,
    TooManyWrongSecrets,
    ForgedOrForeignToken,
    NoSuchGrant,
    RevokedGrant,
    GrantOfAnotherClient,
    CodeUsed,
    UserGone,
    UserDisabled,
    OrganizationDisabled,
    /// The client is for other users.
    ClientNotAvailable,
    /// The user is in none of the groups to which the scopes are limited.
    ScopesWithheld,
    SignedOutEverywhere,
    SessionEnded,
    RefreshReused,
    RefreshReuseAfterUnknownCommit,
    RefreshRepeatedFromElsewhere,
    RefreshExpired,
    TokenRevoked,
    TokenExpired,
    TokenMissing,
    CodeExpired,
    CodeReused,
    CodeReplayUnproven,
    CodeSeenAfterUnknownCommit,
    VerifierWrong,
    VerifierMissing,
    VerifierUnexpected,
    RedirectUriMissing,
    RedirectUriOther,
    /// A sign-out that names neither client nor ID token.
    ClientUnnamed,
    SubjectGone,
    RuleGone,
    ActorGone,
    ForeignTokenNotForUs,
    ForeignTokenTooOld,
    ForeignTokenMalformed,
    UnknownIssuer,
    UnverifiedClaim,
    WrongPassword,
    TooManyTries,
    TooManyRevoked,
    TooManyUndelivered,
}

/// Why a request failed without a decision. Sorted by who is at fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    #[error("configuration: {0}")]
    Operator(&'static str),
    /// Other requests kept changing the same rows.
    #[error("gave up after {0} conflicting commits")]
    Contention(u8),
    /// Written by a newer version, or damaged.
    #[error("row {0} cannot be read")]
    Corrupt(String),
    /// The row's `min_writer` is above our level: we may read it but not write it.
    #[error("row {0} may only be changed by a newer version of this program")]
    Newer(String),
    /// Another server that the answer depends on is unavailable.
    #[error("{0}")]
    Upstream(&'static str),
    #[error("internal error: {0}")]
    Bug(&'static str),
}

impl Failure {
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::Contention(_) | Self::Newer(_) | Self::Upstream(_) => {
                ErrorCode::TemporarilyUnavailable
            }
            Self::Operator(_) | Self::Corrupt(_) | Self::Bug(_) => ErrorCode::ServerError,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn docs_list_every_error_code_with_its_status_and_section() {
        let page = include_str!("../../../../docs/src/errors.md");
        for code in ErrorCode::ALL {
            let (name, status, uri) = (code.name(), code.status(), code.uri());
            let source = match code.source() {
                Rfc(rfc, section) => format!("RFC {rfc} section {section}"),
                OpenIdCore => "OpenID Connect Core section 3.1.2.6".to_owned(),
                UnmetRequirements => "OpenID Connect Core Error Code".to_owned(),
            };
            let head = format!("\n## `{name}`\n\nHTTP {status} · [{source}]({uri})\n");
            assert!(page.contains(&head), "docs/src/errors.md lacks {head}");
        }
        let documented = page.matches("\n## ").count();
        assert_eq!(documented, ErrorCode::ALL.len(), "no other codes");
    }

    #[test]
    fn rfc6749_5_2_a_description_names_no_more_than_it_may_hold() {
        let refusal = Refusal::new(ErrorCode::InvalidScope, "Unknown.");
        assert_eq!(refusal.description(), "Unknown.");
        let hostile = format!("a\"b\\c\r\né{}", "x".repeat(200));
        let named = refusal.naming(&hostile).description();
        assert_eq!(named, format!("Unknown: abc{}", "x".repeat(97)));
    }

    #[test]
    fn rfc6749_5_2_error_codes_and_uris_use_only_allowed_characters() {
        for code in ErrorCode::ALL {
            let (name, uri) = (code.name(), code.uri());
            let allowed = |b| matches!(b, 0x20 | 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
            assert!(!name.is_empty() && name.bytes().all(allowed), "{name}");
            assert!(uri.bytes().all(|b| b != b' ' && allowed(b)), "{uri}");
        }
    }
}

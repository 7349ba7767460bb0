//! The error table: code, status, the section that defines it; and failures sorted by blame.

/// A protocol error code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorCode {
    /// RFC 6749 section 5.2.
    InvalidRequest,
    /// RFC 6749 section 5.2.
    InvalidClient,
    /// RFC 6749 section 5.2.
    InvalidGrant,
    /// RFC 6749 section 5.2.
    UnauthorizedClient,
    /// RFC 6749 section 5.2.
    UnsupportedGrantType,
    /// RFC 6749 section 5.2.
    InvalidScope,
    /// RFC 8628 section 3.5.
    AuthorizationPending,
    /// RFC 8628 section 3.5.
    SlowDown,
    /// RFC 8628 section 3.5.
    AccessDenied,
    /// RFC 8628 section 3.5.
    ExpiredToken,
    /// RFC 8707 section 2.
    InvalidTarget,
    /// RFC 6750 section 3.1.
    InvalidToken,
    /// RFC 6750 section 3.1.
    InsufficientScope,
    /// RFC 6749 section 4.1.2.1.
    ServerError,
    /// RFC 6749 section 4.1.2.1.
    TemporarilyUnavailable,
    /// RFC 6585 section 4; no OAuth text has a code for it.
    TooManyRequests,
    /// RFC 6749 section 4.1.2.1.
    UnsupportedResponseType,
    /// OpenID Connect Core section 3.1.2.6.
    LoginRequired,
    /// OpenID Connect Core section 3.1.2.6.
    ConsentRequired,
    /// OpenID Connect Core section 3.1.2.6.
    RequestNotSupported,
    /// OpenID Connect Core section 3.1.2.6.
    RequestUriNotSupported,
    /// OpenID Connect Core section 3.1.2.6.
    RegistrationNotSupported,
    /// OpenID Connect Core Error Code unmet_authentication_requirements.
    UnmetAuthenticationRequirements,
}

/// The text that defines a code, and where in it.
#[derive(Clone, Copy)]
enum Source {
    /// An RFC, and the section.
    Rfc(u16, &'static str),
    /// OpenID Connect Core section 3.1.2.6.
    OpenIdCore,
    /// The text that adds one code to it.
    Unmet,
}

impl Source {
    fn uri(self) -> String {
        match self {
            Self::Rfc(rfc, section) => {
                format!("https://datatracker.ietf.org/doc/html/rfc{rfc}#section-{section}")
            }
            Self::OpenIdCore => {
                "https://openid.net/specs/openid-connect-core-1_0.html#AuthError".to_owned()
            }
            Self::Unmet => {
                "https://openid.net/specs/openid-connect-unmet-authentication-requirements-1_0.html"
                    .to_owned()
            }
        }
    }
}

/// One line of the table: the code on the wire, the HTTP status, and the text that says so. Where the answer is a
/// redirect, the status is not used.
type Line = (ErrorCode, &'static str, u16, Source);

const TABLE: [Line; 23] = [
    (
        ErrorCode::InvalidRequest,
        "invalid_request",
        400,
        Source::Rfc(6749, "5.2"),
    ),
    // RFC 6749 section 5.2: 401 is a MUST after an Authorization header, and allowed always.
    (
        ErrorCode::InvalidClient,
        "invalid_client",
        401,
        Source::Rfc(6749, "5.2"),
    ),
    (
        ErrorCode::InvalidGrant,
        "invalid_grant",
        400,
        Source::Rfc(6749, "5.2"),
    ),
    (
        ErrorCode::UnauthorizedClient,
        "unauthorized_client",
        400,
        Source::Rfc(6749, "5.2"),
    ),
    (
        ErrorCode::UnsupportedGrantType,
        "unsupported_grant_type",
        400,
        Source::Rfc(6749, "5.2"),
    ),
    (
        ErrorCode::InvalidScope,
        "invalid_scope",
        400,
        Source::Rfc(6749, "5.2"),
    ),
    (
        ErrorCode::AuthorizationPending,
        "authorization_pending",
        400,
        Source::Rfc(8628, "3.5"),
    ),
    (
        ErrorCode::SlowDown,
        "slow_down",
        400,
        Source::Rfc(8628, "3.5"),
    ),
    (
        ErrorCode::AccessDenied,
        "access_denied",
        400,
        Source::Rfc(8628, "3.5"),
    ),
    (
        ErrorCode::ExpiredToken,
        "expired_token",
        400,
        Source::Rfc(8628, "3.5"),
    ),
    (
        ErrorCode::InvalidTarget,
        "invalid_target",
        400,
        Source::Rfc(8707, "2"),
    ),
    (
        ErrorCode::InvalidToken,
        "invalid_token",
        401,
        Source::Rfc(6750, "3.1"),
    ),
    (
        ErrorCode::InsufficientScope,
        "insufficient_scope",
        403,
        Source::Rfc(6750, "3.1"),
    ),
    (
        ErrorCode::ServerError,
        "server_error",
        500,
        Source::Rfc(6749, "4.1.2.1"),
    ),
    (
        ErrorCode::TemporarilyUnavailable,
        "temporarily_unavailable",
        503,
        Source::Rfc(6749, "4.1.2.1"),
    ),
    (
        ErrorCode::TooManyRequests,
        "too_many_requests",
        429,
        Source::Rfc(6585, "4"),
    ),
    (
        ErrorCode::UnsupportedResponseType,
        "unsupported_response_type",
        400,
        Source::Rfc(6749, "4.1.2.1"),
    ),
    (
        ErrorCode::LoginRequired,
        "login_required",
        400,
        Source::OpenIdCore,
    ),
    (
        ErrorCode::ConsentRequired,
        "consent_required",
        400,
        Source::OpenIdCore,
    ),
    (
        ErrorCode::RequestNotSupported,
        "request_not_supported",
        400,
        Source::OpenIdCore,
    ),
    (
        ErrorCode::RequestUriNotSupported,
        "request_uri_not_supported",
        400,
        Source::OpenIdCore,
    ),
    (
        ErrorCode::RegistrationNotSupported,
        "registration_not_supported",
        400,
        Source::OpenIdCore,
    ),
    (
        ErrorCode::UnmetAuthenticationRequirements,
        "unmet_authentication_requirements",
        400,
        Source::Unmet,
    ),
];

impl ErrorCode {
    /// All of them, in the order of the table.
    pub const ALL: [Self; TABLE.len()] = {
        let mut all = [Self::InvalidRequest; TABLE.len()];
        let mut at = 0;
        while at < TABLE.len() {
            all[at] = TABLE[at].0;
            at += 1;
        }
        all
    };

    /// Its place in [`Self::ALL`].
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }

    const fn line(self) -> &'static Line {
        &TABLE[self as usize]
    }

    /// The code as it stands in `error`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.line().1
    }

    /// The HTTP status.
    #[must_use]
    pub const fn status(self) -> u16 {
        self.line().2
    }

    /// `error_uri` at the authorization endpoint, for which RFC 6749 defines codes of the same names anew.
    #[must_use]
    pub fn authorization_uri(self) -> String {
        match self.line().3 {
            Source::Rfc(6749, _) | Source::Rfc(8628, _) => Source::Rfc(6749, "4.1.2.1").uri(),
            other => other.uri(),
        }
    }

    /// `error_uri`: the section that defines the code.
    #[must_use]
    pub fn uri(self) -> String {
        self.line().3.uri()
    }
}

/// A refusal: the peer asked for what it does not get, and is told so by the protocol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The code.
    pub code: ErrorCode,
    /// `error_description`: public, constant, and never a part of the input.
    pub description: &'static str,
    /// Why, for the operator; never sent.
    pub cause: Cause,
    /// Seconds after which the same request may be answered otherwise.
    pub retry_after: Option<u64>,
}

impl Refusal {
    /// A refusal whose cause is what its description says.
    #[must_use]
    pub const fn new(code: ErrorCode, description: &'static str) -> Self {
        Self {
            code,
            description,
            cause: Cause::AsDescribed,
            retry_after: None,
        }
    }

    /// The same, with the private cause.
    #[must_use]
    pub const fn because(mut self, cause: Cause) -> Self {
        self.cause = cause;
        self
    }

    /// The same, with the seconds after which to ask again.
    #[must_use]
    pub const fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }
}

/// The private cause of a refusal, found in the log by its `trace_id`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each name says it all")]
pub enum Cause {
    AsDescribed,
    UnknownClient,
    DisabledClient,
    WrongSecret,
    SecretMissing,
    MethodNotAllowed,
    TooManyWrongSecrets,
    ForgedOrForeignToken,
    NoSuchGrant,
    RevokedGrant,
    GrantOfAnotherClient,
    CodeUsed,
    UserGone,
    UserDisabled,
    SignedOutEverywhere,
    SessionEnded,
    RefreshReused,
    RefreshReuseAfterUnknownCommit,
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
    RedirectUriOther,
    SubjectGone,
    RuleGone,
    ActorGone,
    ForeignTokenNotForUs,
    ForeignTokenTooOld,
    ForeignTokenMalformed,
    UnknownIssuer,
}

/// Why there is no answer by the protocol at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The operator's: the configuration lacks something.
    #[error("configuration: {0}")]
    Operator(&'static str),
    /// Too many others changed the same rows.
    #[error("gave up after {0} conflicting commits")]
    Contention(u8),
    /// A row that cannot be read: written by something newer, or damaged.
    #[error("row {0} cannot be read")]
    Corrupt(String),
    /// A row whose `min_writer` is above our level: it can be read, and is not ours to change.
    #[error("row {0} may only be changed by a newer version of this program")]
    Newer(String),
    /// Another server's, on which the answer depends.
    #[error("{0}")]
    Upstream(&'static str),
    /// Ours.
    #[error("a bug: {0}")]
    Bug(&'static str),
}

impl Failure {
    /// The code with which it is answered.
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
    fn the_table_stands_in_the_order_of_the_codes() {
        for (at, line) in TABLE.iter().enumerate() {
            assert_eq!(line.0 as usize, at, "{}", line.1);
        }
    }

    #[test]
    fn the_page_of_errors_has_each_code_with_its_status_and_section() {
        let page = include_str!("../../../../docs/src/errors.md");
        for (code, name, status, source) in TABLE {
            let uri = code.uri();
            let source = match source {
                Source::Rfc(rfc, section) => format!("RFC {rfc} section {section}"),
                Source::OpenIdCore => "OpenID Connect Core section 3.1.2.6".to_owned(),
                Source::Unmet => "OpenID Connect Core Error Code".to_owned(),
            };
            let head = format!("\n## `{name}`\n\nHTTP {status} · [{source}]({uri})\n");
            assert!(page.contains(&head), "docs/src/errors.md lacks {head}");
        }
        assert_eq!(page.matches("\n## ").count(), TABLE.len(), "no other codes");
    }

    #[test]
    fn rfc6749_5_2_error_uris_keep_to_their_characters() {
        for line in &TABLE {
            assert!(
                line.0
                    .uri()
                    .bytes()
                    .all(|b| matches!(b, 0x21 | 0x23..=0x5b | 0x5d..=0x7e))
            );
        }
    }
}

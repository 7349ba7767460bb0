//! The checks that decide, by the names under which events have them.

use serde::{Deserialize, Serialize};

use crate::base::error::{Cause, ErrorCode, Refusal};

/// What was checked when a request was refused, or otherwise not dealt with as usual.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// Whether the request has the form that the endpoint takes.
    Request,
    ClientAuthentication,
    GrantType,
    RedirectUri,
    /// The code verifier (PKCE).
    CodeVerifier,
    AuthorizationCode,
    DeviceCode,
    UserCode,
    RefreshToken,
    /// An access token, an ID token, or one of another issuer.
    Token,
    /// Whether the grant that a token names is live.
    Grant,
    Session,
    /// Whether the user is there, enabled, and was not signed out everywhere.
    User,
    /// Whether the client is for this user, and the organization enabled.
    Availability,
    Password,
    SignIn,
    Consent,
    /// What a user chose on a page.
    UserDecision,
    Scope,
    Resource,
    /// Whether claims have room in a token.
    TokenSize,
    ExchangeRule,
    TrustedIssuer,
    /// Whether the caller may do what it asks of the management API.
    Rights,
    /// On guesses, floods and stored things.
    Limit,
    /// Whether another server took what it was sent.
    Delivery,
    Certificate,
    Configuration,
    /// Whether this server and its store work.
    Server,
}

impl Refusal {
    /// The check that refused.
    #[must_use]
    pub const fn check(&self) -> Check {
        match self.cause {
            Cause::AsDescribed => self.code.check(),
            cause => cause.check(),
        }
    }
}

impl ErrorCode {
    /// The check of a refusal with this code and no cause of its own.
    #[must_use]
    pub const fn check(self) -> Check {
        match self {
            Self::InvalidRequest
            | Self::UnsupportedResponseType
            | Self::RequestNotSupported
            | Self::RequestUriNotSupported
            | Self::RegistrationNotSupported
            | Self::InvalidAuthorizationDetails => Check::Request,
            Self::InvalidClient => Check::ClientAuthentication,
            Self::InvalidGrant => Check::Grant,
            Self::UnauthorizedClient | Self::UnsupportedGrantType => Check::GrantType,
            Self::InvalidScope | Self::InsufficientScope => Check::Scope,
            Self::AuthorizationPending | Self::SlowDown | Self::ExpiredToken => Check::DeviceCode,
            Self::AccessDenied => Check::UserDecision,
            Self::InvalidTarget => Check::Resource,
            Self::InvalidToken => Check::Token,
            Self::ServerError | Self::TemporarilyUnavailable => Check::Server,
            Self::TooManyRequests => Check::Limit,
            Self::LoginRequired | Self::UnmetAuthenticationRequirements => Check::SignIn,
            Self::ConsentRequired => Check::Consent,
        }
    }
}

impl Cause {
    #[must_use]
    pub const fn check(self) -> Check {
        match self {
            Self::AsDescribed => Check::Request,
            Self::UnknownClient
            | Self::DisabledClient
            | Self::OwnerCannotHaveClient
            | Self::WrongSecret
            | Self::SecretMissing
            | Self::MethodNotAllowed
            | Self::CredentialsMissing
            | Self::AssertionNotSupported
            | Self::SchemeNotSupported
            | Self::BasicMalformed
            | Self::ClientUnnamed => Check::ClientAuthentication,
            Self::ForgedOrForeignToken
            | Self::TokenRevoked
            | Self::TokenExpired
            | Self::TokenMissing
            | Self::SubjectGone
            | Self::ActorGone => Check::Token,
            Self::NoSuchGrant | Self::RevokedGrant | Self::GrantOfAnotherClient => Check::Grant,
            Self::CodeUsed => Check::DeviceCode,
            Self::UserGone | Self::UserDisabled | Self::SignedOutEverywhere => Check::User,
            Self::OrganizationDisabled | Self::ClientNotAvailable => Check::Availability,
            Self::ScopesWithheld => Check::Scope,
            Self::SessionEnded => Check::Session,
            Self::RefreshReused
            | Self::RefreshReuseAfterUnknownCommit
            | Self::RefreshRepeatedFromElsewhere
            | Self::RefreshExpired => Check::RefreshToken,
            Self::CodeExpired
            | Self::CodeReused
            | Self::CodeReplayUnproven
            | Self::CodeSeenAfterUnknownCommit => Check::AuthorizationCode,
            Self::VerifierWrong | Self::VerifierMissing | Self::VerifierUnexpected => {
                Check::CodeVerifier
            }
            Self::RedirectUriMissing | Self::RedirectUriOther => Check::RedirectUri,
            Self::RuleGone => Check::ExchangeRule,
            Self::ForeignTokenNotForUs
            | Self::ForeignTokenTooOld
            | Self::ForeignTokenMalformed
            | Self::UnknownIssuer
            | Self::UnverifiedClaim => Check::TrustedIssuer,
            Self::WrongPassword => Check::Password,
            Self::TooManyWrongSecrets
            | Self::TooManyTries
            | Self::TooManyRevoked
            | Self::TooManyUndelivered => Check::Limit,
        }
    }
}

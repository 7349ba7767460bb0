//! What happened to one request, in words: from the events with its trace id.
//!
//! Events are read as they were written, also by another version: what it does not know, it names.

mod causes;
mod codes;
mod kinds;

use serde::de::value::{Error as NoName, StrDeserializer};
use serde::de::{DeserializeOwned, IntoDeserializer as _};
use serde::{Deserialize, Serialize};

use crate::base::check::Check;
use crate::base::error::{Cause, ErrorCode};
use crate::engine::event::{EventKind, EventOutcome};

/// An event, as it was recorded.
#[derive(Clone, Debug, Deserialize)]
pub struct RecordedEvent {
    pub at: String,
    pub kind: String,
    #[serde(default)]
    client: Option<String>,
    #[serde(default)]
    user: Option<String>,
    #[serde(default)]
    username: Option<String>,
    #[serde(default)]
    check: Option<String>,
    #[serde(default)]
    reason: Option<String>,
    #[serde(default)]
    request: Option<RecordedRequest>,
    #[serde(default)]
    exchange: Option<RecordedExchange>,
    #[serde(default)]
    left_out: Option<String>,
    #[serde(default)]
    peer: Option<RecordedPeer>,
}

#[derive(Clone, Debug, Deserialize)]
struct RecordedRequest {
    endpoint: String,
    error: String,
    description: String,
}

#[derive(Clone, Debug, Deserialize)]
struct RecordedExchange {
    #[serde(default)]
    refused: Option<String>,
    #[serde(default)]
    rule: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
struct RecordedPeer {
    address: String,
}

/// An event in words. Each member is one or more sentences.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explained {
    pub at: String,
    pub kind: String,
    pub outcome: EventOutcome,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<String>,
    /// Who asked, and what happened.
    pub what: String,
    /// Why it was decided so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// What to do about it. None where all is well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
}

/// Explains the events of a trace, in the order in which they come.
#[must_use]
pub fn explain(events: &[RecordedEvent]) -> Vec<Explained> {
    events.iter().map(RecordedEvent::explain).collect()
}

impl RecordedEvent {
    fn explain(&self) -> Explained {
        let kind: Option<EventKind> = named(&self.kind);
        let cause: Option<Cause> = self.reason.as_deref().and_then(named);
        let words = cause.map(causes::words).or_else(|| self.refused_words());
        let (why, advice) = words.unzip();
        let of_kind = kind.and_then(kinds::advice).filter(|_| advice.is_none());
        Explained {
            at: self.at.clone(),
            kind: self.kind.clone(),
            outcome: kind.map_or(EventOutcome::Done, EventKind::outcome),
            check: self.check.clone(),
            what: self.what(kind),
            why: why.map(ToOwned::to_owned).or_else(|| self.why_exchange()),
            advice: advice.or(of_kind).map(ToOwned::to_owned),
        }
    }

    /// By its code, where a refusal has no cause of its own. The description says what is wrong.
    fn refused_words(&self) -> Option<(&'static str, &'static str)> {
        let error = &self.request.as_ref()?.error;
        let code = ErrorCode::ALL
            .into_iter()
            .find(|code| code.name() == error)?;
        Some(codes::words(code))
    }

    fn what(&self, kind: Option<EventKind>) -> String {
        let mut text = match (&self.request, kind) {
            (Some(request), _) => {
                let RecordedRequest {
                    endpoint,
                    error,
                    description,
                } = request;
                let verb = match kind {
                    Some(EventKind::RequestFailed) => "failed",
                    _ => "was refused",
                };
                let description = description.trim_end_matches('.');
                format!("A request to {endpoint} {verb} with {error}: {description}.")
            }
            (None, Some(kind)) => kinds::sentence(kind).to_owned(),
            (None, None) => format!("An event of the kind {} was recorded.", self.kind),
        };
        let facts = [
            ("Client", self.client.as_deref()),
            ("User", self.user.as_deref()),
            ("Username", self.username.as_deref()),
            ("Left out", self.left_out.as_deref()),
            (
                "Rule",
                self.exchange.as_ref().and_then(|hop| hop.rule.as_deref()),
            ),
            (
                "Address",
                self.peer.as_ref().map(|peer| peer.address.as_str()),
            ),
        ];
        let facts: Vec<String> = facts
            .into_iter()
            .filter_map(|(name, value)| Some(format!("{name}: {}", value?)))
            .collect();
        if !facts.is_empty() {
            text = format!("{text} {}.", facts.join(", "));
        }
        text
    }

    fn why_exchange(&self) -> Option<String> {
        let refused = self.exchange.as_ref()?.refused.as_deref()?;
        Some(format!("{}.", refused.trim_end_matches('.')))
    }
}

/// What has this name in events.
#[must_use]
pub fn named<T: DeserializeOwned>(name: &str) -> Option<T> {
    let name: StrDeserializer<'_, NoName> = name.into_deserializer();
    T::deserialize(name).ok()
}

impl Check {
    /// The check of this name, in words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Request => "the form of the request",
            Self::ClientAuthentication => "client authentication",
            Self::GrantType => "whether the client may use the grant type",
            Self::RedirectUri => "the redirect URI",
            Self::CodeVerifier => "the code verifier (PKCE)",
            Self::AuthorizationCode => "the authorization code",
            Self::DeviceCode => "the device code",
            Self::UserCode => "the user code",
            Self::RefreshToken => "the refresh token",
            Self::Token => "the token that was presented",
            Self::Grant => "the grant behind the code or token",
            Self::Session => "the session of the browser",
            Self::User => "the user's account",
            Self::Availability => "whether the client is for this user",
            Self::Password => "the password",
            Self::SignIn => "whether the user is signed in",
            Self::Consent => "whether the user agreed",
            Self::UserDecision => "the user's decision",
            Self::Scope => "the scopes that the client may ask for",
            Self::Resource => "the resource that was named",
            Self::TokenSize => "the room for claims in a token",
            Self::ExchangeRule => "the rules of token exchange",
            Self::TrustedIssuer => "the token of another issuer",
            Self::Rights => "the rights of the caller",
            Self::Limit => "a limit",
            Self::Delivery => "the delivery to the app",
            Self::Certificate => "the TLS certificate",
            Self::Configuration => "the configuration file",
            Self::Server => "this server and its store",
        }
    }
}

#[cfg(test)]
mod tests;

//! The logout endpoint (OpenID Connect RP-Initiated Logout).

use std::fmt;

use url::form_urlencoded;

use super::authorize::with_query;
use super::id_token_hint::IdTokenHint;
pub use super::id_token_hint::VerifiedHint;
use crate::base::error::{Cause, ErrorCode, Refusal};
use crate::base::params::Params;
use crate::base::peer::Peer;
use crate::engine::decide::{Decision, Operation, Stop};
use crate::engine::env::Env;
use crate::engine::event::{Event, EventKind};
use crate::engine::facts::Facts;
use crate::model::claims::IdTokenClaims;
use crate::model::client::{Client, ConsentPolicy};
use crate::model::ids::ClientId;
use crate::model::realm::Realm;
use crate::people::Visitor;
use crate::people::session;
use crate::records::Session;
use crate::tokens::handles::PresentedCookie;

/// A sign-out requested by a client or, without parameters, by the user.
#[derive(Debug)]
pub struct Logout {
    pub request: LogoutRequest,
    pub cookie: Option<PresentedCookie>,
    /// Whether the user confirmed this very request on our page. Unconfirmed, only an ID token of the very session ends it,
    /// and only for a client without consent.
    pub confirmed: bool,
    pub peer: Peer,
}

/// A request as it was parsed.
pub struct LogoutRequest {
    /// `client_id`: the text, since one that cannot be a client's is an error, too.
    client: Option<String>,
    hint: Option<IdTokenHint>,
    /// `post_logout_redirect_uri` and `logout_uri`, which is Cognito's name.
    redirect_uris: Vec<String>,
    state: Option<String>,
}

impl fmt::Debug for LogoutRequest {
    /// Without what only its client may know, such as `state`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogoutRequest").finish_non_exhaustive()
    }
}

impl LogoutRequest {
    #[must_use]
    pub fn parse(params: &Params) -> Self {
        let param = |name| params.opt(name).map(ToOwned::to_owned);
        let uris = ["post_logout_redirect_uri", "logout_uri"].map(param);
        Self {
            client: param("client_id"),
            hint: IdTokenHint::from_params(params),
            redirect_uris: uris.into_iter().flatten().collect(),
            state: param("state"),
        }
    }
}

/// An invalid request without a session is refused on a page instead.
#[derive(Debug)]
pub enum LogoutReply {
    /// The user must confirm.
    Confirm(Box<LogoutPrompt>),
    /// No one is signed in any more; the browser is redirected to this URI.
    Redirect {
        location: String,
        /// Whether this request ended the session.
        ended: bool,
    },
    /// No one is signed in any more; a page says so.
    SignedOut {
        /// The name of the client that asked.
        client_name: Option<String>,
        /// Whether this request ended the session.
        ended: bool,
    },
}

/// The content of the confirmation page.
#[derive(Clone, Debug)]
pub struct LogoutPrompt {
    pub visitor: Visitor,
    pub client_name: Option<String>,
    /// The validated request, for the form to submit.
    pub request: Option<String>,
    /// Where the browser is redirected after the confirmation.
    pub redirect_uri: Option<String>,
    /// The error in the client's request. Section 4: "Not giving the End-User the opportunity to log out at the OP …
    /// would likely violate the End-User's security expectations". So the user is asked anyway, but nothing of the
    /// request is used.
    pub refused: Option<Refusal>,
}

impl Operation for Logout {
    type Parsed = VerifiedHint;
    type Reply = LogoutReply;
    /// For a page.
    type Refused = Refusal;

    fn prepare(&self, _: &Realm) -> Result<VerifiedHint, Refusal> {
        Ok(VerifiedHint::default())
    }

    fn client(&self, _: &VerifiedHint) -> Option<ClientId> {
        self.request.client.as_ref()?.parse().ok()
    }

    fn decide(
        &self,
        verified: &VerifiedHint,
        env: &Env<'_>,
        facts: &Facts,
    ) -> Result<Decision<LogoutReply>, Stop> {
        let request = match self.request.validate(verified, env, facts) {
            Ok(request) => Ok(request),
            Err(stop) => stop.recover(Err)?,
        };
        let Some(signed_in) = session::signed_in(env, facts, self.cookie.as_ref(), &[])? else {
            return Ok(Decision::reply(request?.reply(self.confirmed, false)));
        };
        let session = &signed_in.session.record;
        let needs_no_question =
            |request: &ValidLogout<'_>| request.is_of(session) && request.is_trusted(env);
        if self.confirmed || request.as_ref().is_ok_and(needs_no_question) {
            let user = session.user;
            let request = request.unwrap_or_default();
            let mut event = Event::new(EventKind::SignedOut).user(user).peer(&self.peer);
            event.client = request.client.map(|client| client.id.clone());
            return Ok(Decision::reply(request.reply(self.confirmed, true))
                .writes(session::end(env, &signed_in.session)?)
                .event(event));
        }
        let (request, refused) = match request {
            Ok(request) => (request, None),
            Err(refusal) => (ValidLogout::default(), Some(refusal)),
        };
        let prompt = LogoutPrompt {
            visitor: signed_in.visitor(),
            client_name: request.client_name(),
            request: request.to_query(),
            redirect_uri: request.redirect.map(|redirect| redirect.uri),
            refused,
        };
        Ok(Decision::reply(LogoutReply::Confirm(Box::new(prompt))).writes(signed_in.touch))
    }
}

/// A valid request. Section 4: "any operations requiring the information that failed to
/// correctly validate MUST be aborted".
#[derive(Debug, Default)]
struct ValidLogout<'e> {
    client: Option<&'e Client>,
    /// An ID token proves that the client had a user here. Only then it may redirect unconfirmed.
    hint: Option<&'e IdTokenClaims>,
    redirect: Option<Redirect>,
}

/// To a URI that the client registered.
#[derive(Debug)]
struct Redirect {
    uri: String,
    state: Option<String>,
}

const OTHER_CLIENT: Refusal = invalid(
    "The id_token_hint is of another client than client_id.",
    Cause::AsDescribed,
);
const UNKNOWN_CLIENT: Refusal = invalid("The client is not known here.", Cause::UnknownClient);
const UNNAMED_CLIENT: Refusal = invalid(
    "No client is named: client_id or id_token_hint is missing.",
    Cause::ClientUnnamed,
);
const NOT_REGISTERED: Refusal = invalid(
    "The post_logout_redirect_uri is not registered for the client.",
    Cause::RedirectUriOther,
);

const fn invalid(description: &'static str, cause: Cause) -> Refusal {
    Refusal::new(ErrorCode::InvalidRequest, description).because(cause)
}

impl LogoutRequest {
    fn validate<'e>(
        &self,
        verified: &'e VerifiedHint,
        env: &Env<'e>,
        facts: &'e Facts,
    ) -> Result<ValidLogout<'e>, Stop> {
        let hint = match &self.hint {
            Some(hint) => Some(hint.verified(verified, env.realm)?),
            None => None,
        };
        let hinted = hint.map(|hint| hint.aud.as_str());
        let named = self.client.as_deref();
        // Section 2: "When both client_id and id_token_hint are present, the OP MUST verify that the Client Identifier
        // matches the one used when issuing the ID Token."
        let both = hinted.zip(named);
        if both.is_some_and(|(hinted, named)| hinted != named) {
            return Err(OTHER_CLIENT.into());
        }
        let client = match hinted.or(named) {
            Some(id) => {
                let client = facts.client_named(env, id)?.ok_or(UNKNOWN_CLIENT)?;
                if !facts.is_enabled(env, client)? {
                    return Err(UNKNOWN_CLIENT.because(Cause::DisabledClient).into());
                }
                Some(client)
            }
            None => None,
        };
        for uri in &self.redirect_uris {
            // Section 3: "The OP also MUST NOT perform post-logout redirection if the post_logout_redirect_uri value
            // supplied does not exactly match one of the previously registered post_logout_redirect_uris values."
            let mut registered = client.ok_or(UNNAMED_CLIENT)?.logout.redirect_uris.iter();
            if !registered.any(|registered| registered.as_str() == uri) {
                return Err(NOT_REGISTERED.into());
            }
        }
        let redirect = self.redirect_uris.first().map(|uri| Redirect {
            uri: uri.clone(),
            state: self.state.clone(),
        });
        Ok(ValidLogout {
            client,
            hint,
            redirect,
        })
    }
}

impl ValidLogout<'_> {
    fn client_name(&self) -> Option<String> {
        self.client.map(|client| client.name.clone())
    }

    /// Whether the client got its ID token in this very session. Section 2 demands a question where the hint is of another
    /// one.
    fn is_of(&self, session: &Session) -> bool {
        self.hint.is_some_and(|hint| {
            hint.sid.as_deref() == Some(session.id.to_string().as_str())
                && hint.sub == session.user.to_string()
        })
    }

    /// Whether no user is asked about this client, and its ID token is current: one that leaked long ago signs no one out.
    fn is_trusted(&self, env: &Env<'_>) -> bool {
        let skips = |client: &Client| client.code.consent == ConsentPolicy::Skip;
        let is_current = |hint: &IdTokenClaims| env.now.as_secs() < hint.exp;
        self.client.is_some_and(skips) && self.hint.is_some_and(is_current)
    }

    /// The shortest form of this request. It needs no hint, because the form token is bound to this text and the session.
    fn to_query(&self) -> Option<String> {
        let mut request = form_urlencoded::Serializer::new(String::new());
        request.append_pair("client_id", self.client?.id.as_str());
        if let Some(Redirect { uri, state }) = &self.redirect {
            request.append_pair("post_logout_redirect_uri", uri);
            request.extend_pairs(state.iter().map(|state| ("state", state)));
        }
        Some(request.finish())
    }

    /// Once no one is signed in. Section 3: without an ID token "the OP MUST NOT perform post-logout redirection unless
    /// the OP has other means of confirming the legitimacy of the post-logout redirection target": the user's
    /// confirmation.
    fn reply(self, confirmed: bool, ended: bool) -> LogoutReply {
        let client_name = self.client_name();
        match self.redirect {
            Some(redirect) if self.hint.is_some() || confirmed => LogoutReply::Redirect {
                location: redirect.location(),
                ended,
            },
            _ => LogoutReply::SignedOut { client_name, ended },
        }
    }
}

impl Redirect {
    /// The URI with the client's `state`.
    fn location(self) -> String {
        let Some(state) = self.state else {
            return self.uri;
        };
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("state", &state);
        with_query(&self.uri, &query.finish())
    }
}

//! Client authentication (RFC 6749 section 2.3). An [`AuthenticatedClient`] is made here and nowhere else,
//! and each grant takes one, so no grant can forget it.

use crate::base::error::{Cause, ErrorCode, Refusal};
use crate::base::params::Params;
use crate::base::peer::Peer;
use crate::base::secret::{Secret, SecretVerifier};
use crate::engine::decide::{Facts, Stop};
use crate::engine::env::Env;
use crate::engine::limits::{Counter, LimitAnswer, LimitQuery, Quota, Window};
use crate::model::client::{Client, ClientAuth};
use crate::model::endpoint::Clients;

mod none;
mod secret;

/// The methods that `clients` authenticate with, by their registered names (RFC 8414 section 2).
#[must_use]
pub const fn methods(clients: Clients) -> &'static [&'static str] {
    match clients {
        Clients::None => &[],
        Clients::All => &["none", "client_secret_basic", "client_secret_post"],
        Clients::Confidential => &["client_secret_basic", "client_secret_post"],
    }
}

/// Wrong secrets of one client from one address, an hour, where the secret is short enough to be guessed.
const WRONG_SECRETS: u32 = 100;

/// How a request says which client sent it.
#[derive(Clone, Debug)]
pub enum Credentials {
    /// `client_id` only.
    None {
        /// The client.
        client_id: String,
    },
    /// HTTP Basic.
    Basic {
        /// The client.
        client_id: String,
        /// Empty for a public client.
        secret: Secret,
    },
    /// `client_id` and `client_secret` in the body.
    Post {
        /// The client.
        client_id: String,
        /// What it presents.
        secret: Secret,
    },
}

/// A client that proved itself, as far as it can; its enabled state is checked.
#[derive(Clone, Copy, Debug)]
pub struct AuthenticatedClient<'p>(&'p Client);

impl<'p> AuthenticatedClient<'p> {
    /// The client.
    #[must_use]
    pub const fn client(&self) -> &'p Client {
        self.0
    }

    /// The client, where it is confidential.
    ///
    /// # Errors
    /// `invalid_client` for a public one: its id alone proves nothing (RFC 6749 section 2.2).
    pub const fn confidential(self) -> Result<&'p Client, Refusal> {
        if self.0.is_confidential() {
            Ok(self.0)
        } else {
            Err(REFUSED.because(Cause::SecretMissing))
        }
    }
}

impl std::ops::Deref for AuthenticatedClient<'_> {
    type Target = Client;

    fn deref(&self) -> &Client {
        self.0
    }
}

/// One text for an unknown client, a disabled one and a wrong secret.
const REFUSED: Refusal = Refusal::new(ErrorCode::InvalidClient, "Client authentication failed.");

impl Credentials {
    /// Reads the credentials of a request from its `Authorization` header and its body.
    ///
    /// # Errors
    /// `invalid_request` where there are none, or two: RFC 6749 section 2.3: "The client MUST NOT use more than one
    /// authentication method in each request." A `client_id` in the body that equals the Basic one is no second credential.
    pub fn parse(authorization: Option<&[u8]>, params: &Params) -> Result<Self, Refusal> {
        let in_body = params.opt("client_id");
        match (authorization, params.opt("client_secret")) {
            (Some(_), Some(_)) => Err(Refusal::new(
                ErrorCode::InvalidRequest,
                "The client authenticates in two ways; one is allowed.",
            )),
            (Some(header), None) => secret::basic(header, in_body),
            (None, Some(given)) => secret::post(in_body, given),
            (None, None) => none::parse(in_body),
        }
    }

    pub(crate) const fn client_id(&self) -> &String {
        match self {
            Self::None { client_id }
            | Self::Basic { client_id, .. }
            | Self::Post { client_id, .. } => client_id,
        }
    }
}

/// Authenticates.
///
/// # Errors
/// `invalid_client`, one text for every cause; `too_many_requests` after too many wrong secrets.
pub fn authenticate<'p>(
    env: &Env<'p>,
    facts: &Facts,
    credentials: &Credentials,
    peer: &Peer,
) -> Result<AuthenticatedClient<'p>, Stop> {
    let Some(client) = env.realm.client(credentials.client_id()) else {
        return Err(REFUSED.because(Cause::UnknownClient).into());
    };
    let proof = match &client.auth {
        ClientAuth::Public => none::check(credentials),
        ClientAuth::Secret {
            verifiers,
            basic,
            post,
        } => {
            let proof = secret::check(verifiers, *basic, *post, credentials);
            if verifiers.iter().any(SecretVerifier::guessable) {
                bound(env, facts, client, peer, proof.is_err())?;
            }
            proof
        }
    };
    proof.map_err(|cause| REFUSED.because(cause))?;
    if !client.enabled {
        return Err(REFUSED.because(Cause::DisabledClient).into());
    }
    Ok(AuthenticatedClient(client))
}

/// RFC 6749 section 2.3.1: "the authorization server MUST protect any endpoint utilizing it against brute force attacks."
/// Where a secret can be guessed, wrong ones count, and beyond the limit the right one does not pass either.
fn bound(
    env: &Env<'_>,
    facts: &Facts,
    client: &Client,
    peer: &Peer,
    wrong: bool,
) -> Result<(), Stop> {
    let quotas = vec![Quota {
        counter: Counter::SecretsPerClientAndAddress,
        subject: format!("{}\0{}", client.id, peer.network()),
        limit: env.realm.per_node(WRONG_SECRETS),
    }];
    let window = Window::Hour;
    match facts.ask(LimitQuery::Check {
        quotas,
        window,
        wrong,
    })? {
        LimitAnswer::Full { retry_after } => {
            let refusal = Refusal::new(
                ErrorCode::TooManyRequests,
                "Too many failed client authentications.",
            );
            Err(refusal
                .because(Cause::TooManyWrongSecrets)
                .retry_after(retry_after)
                .into())
        }
        _ => Ok(()),
    }
}

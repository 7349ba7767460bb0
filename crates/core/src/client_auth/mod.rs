//! Client authentication (RFC 6749 section 2.3). Only this module makes an [`AuthenticatedClient`], and each grant
//! takes one, so no grant can skip it.

use crate::base::error::{Cause, ErrorCode, Refusal};
use crate::base::params::Params;
use crate::base::peer::Peer;
use crate::base::secret::Secret;
use crate::engine::decide::Stop;
use crate::engine::env::Env;
use crate::engine::facts::Facts;
use crate::engine::limits::{QuotaAnswer, QuotaQuery, UsedSecret};
use crate::model::client::{AuthMethod, Client, ClientAuth};
use crate::model::endpoint::Clients;
use crate::model::grant_type::GrantType;

mod authenticated;
mod none;
mod secret;
mod unsupported;

pub use authenticated::{Authenticated, ClientOperation};

/// The methods that `clients` may use: what the endpoints accept, and what the metadata says.
#[must_use]
pub const fn methods(clients: Clients) -> &'static [AuthMethod] {
    use AuthMethod::{None, SecretBasic, SecretPost};
    match clients {
        Clients::None => &[],
        Clients::All => &[None, SecretBasic, SecretPost],
        Clients::Confidential => &[SecretBasic, SecretPost],
    }
}

/// Per client, address and hour. It applies only to secrets that are weak enough to be guessed.
const MAX_WRONG_SECRETS: u32 = 100;

#[derive(Clone, Debug)]
pub enum Credentials {
    /// `client_id` only.
    None { client_id: String },
    Basic {
        client_id: String,
        /// Empty for a public client.
        secret: Secret,
    },
    /// `client_id` and `client_secret` in the body.
    Post { client_id: String, secret: Secret },
}

/// An enabled client that authenticated. A public client only identified itself.
#[derive(Clone, Copy, Debug)]
pub struct AuthenticatedClient<'p>(&'p Client);

impl<'p> AuthenticatedClient<'p> {
    #[must_use]
    pub const fn client(&self) -> &'p Client {
        self.0
    }

    /// # Errors
    /// `invalid_client` for a public client: its id alone proves nothing (RFC 6749 section 2.2).
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

/// The same text for an unknown client, a disabled client and a wrong secret.
const REFUSED: Refusal = Refusal::new(ErrorCode::InvalidClient, "Client authentication failed.");

const TWO_METHODS: Refusal = Refusal::new(
    ErrorCode::InvalidRequest,
    "The client authenticates in two ways; one is allowed.",
);

impl Credentials {
    /// Reads the credentials of a request from its `Authorization` header and its body.
    ///
    /// # Errors
    /// `invalid_request` for two. RFC 6749 section 2.3: "The client MUST NOT use more than one authentication method in each
    /// request." The Basic `client_id` repeated in the body is not a second credential. `invalid_client` for none, and for a
    /// method that is not supported, of whichever client (section 5.2).
    pub fn parse(authorization: Option<&[u8]>, params: &Params) -> Result<Self, Refusal> {
        let in_body = params.opt("client_id");
        let given = params.opt("client_secret");
        let is_assertion = unsupported::is_assertion(params);
        match (authorization, given) {
            (Some(_), Some(_)) => Err(TWO_METHODS),
            (Some(_), None) | (None, Some(_)) if is_assertion => Err(TWO_METHODS),
            (None, None) if is_assertion => Err(unsupported::ASSERTION),
            (Some(header), None) => secret::basic(header, in_body),
            (None, Some(given)) => secret::post(in_body, given),
            (None, None) => none::parse(in_body),
        }
    }

    /// Who the request says that it is from.
    #[must_use]
    pub const fn client_id(&self) -> &String {
        match self {
            Self::None { client_id }
            | Self::Basic { client_id, .. }
            | Self::Post { client_id, .. } => client_id,
        }
    }

    /// Whether they are the client's, and by which of its secrets.
    fn prove(&self, client: &Client) -> Result<Proof, Cause> {
        match &client.auth {
            ClientAuth::Public => none::check(self).map(|()| Proof::Nothing),
            ClientAuth::Secret {
                verifiers,
                basic,
                post,
            } => secret::check(verifiers, *basic, *post, self).map(Proof::Secret),
        }
    }

    /// An empty Basic secret is none: some public clients send `Basic base64(id)`.
    fn method(&self) -> AuthMethod {
        match self {
            Self::None { .. } => AuthMethod::None,
            Self::Basic { secret, .. } if secret.is_empty() => AuthMethod::None,
            Self::Basic { .. } => AuthMethod::SecretBasic,
            Self::Post { .. } => AuthMethod::SecretPost,
        }
    }
}

/// By what a client proved that it is one.
#[derive(Clone, Copy, Debug)]
enum Proof {
    /// A public client named itself.
    Nothing,
    /// The secret at this index.
    Secret(usize),
}

impl Proof {
    /// The secret of a managed client.
    fn used(self, client: &Client) -> Option<UsedSecret> {
        let Self::Secret(index) = self else {
            return None;
        };
        Some(UsedSecret {
            client: client.id.clone(),
            instance: client.instance,
            secret: client.secret_ids.get(index)?.clone(),
        })
    }
}

/// # Errors
/// `invalid_client` with one text for every cause; `too_many_requests` after too many wrong secrets.
fn authenticate<'p>(
    env: &Env<'p>,
    facts: &Facts,
    client: &'p Client,
    proof: Result<Proof, Cause>,
    peer: &Peer,
) -> Result<AuthenticatedClient<'p>, Stop> {
    if client.has_guessable_secret() {
        limit_guesses(env, facts, client, peer, proof.is_ok())?;
    }
    proof.map_err(|cause| REFUSED.because(cause))?;
    if !facts.is_enabled(env, client)? {
        let cause = match client.stopped_with_owner {
            true => Cause::OwnerCannotHaveClient,
            false => Cause::DisabledClient,
        };
        return Err(REFUSED.because(cause).into());
    }
    Ok(AuthenticatedClient(client))
}

/// # Errors
/// `unauthorized_client` (RFC 6749 section 5.2).
pub(crate) fn require_grant(client: &Client, grant: GrantType) -> Result<(), Refusal> {
    match client.may_use(grant) {
        true => Ok(()),
        false => Err(Refusal::new(
            ErrorCode::UnauthorizedClient,
            "The client may not use this grant type.",
        )),
    }
}

/// RFC 6749 section 2.3.1: "the authorization server MUST protect any endpoint utilizing it against brute force attacks."
fn limit_guesses(
    env: &Env<'_>,
    facts: &Facts,
    client: &Client,
    peer: &Peer,
    is_right: bool,
) -> Result<(), Stop> {
    match facts.quota(QuotaQuery::Secret {
        client: client.id.clone(),
        peer: peer.clone(),
        limit: env.realm.per_node(MAX_WRONG_SECRETS),
        is_right,
    })? {
        QuotaAnswer::Full { retry_after } => {
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

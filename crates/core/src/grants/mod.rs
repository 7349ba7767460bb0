//! The grants of the token endpoint, one file each, and the table of them.

use crate::base::error::{ErrorCode, Refusal};
use crate::base::params::Params;
use crate::base::peer::Peer;
use crate::base::secret::Secret;
use crate::client_auth::AuthenticatedClient;
use crate::engine::decide::{Decision, Facts, Stop};
use crate::engine::env::Env;

mod authorization_code;
mod client_credentials;
mod device_code;
mod refresh_token;
mod token_exchange;

pub use crate::model::grant_type::GrantType;
pub use crate::tokens::issue::TokenReply;

/// Reads the parameters of one grant.
type Read = fn(&Params) -> Result<GrantRequest, Refusal>;

/// How each grant's request is read; a grant that is not in the table is not built yet.
const TABLE: [(GrantType, Read); 5] = [
    (GrantType::AuthorizationCode, |params| {
        authorization_code::AuthorizationCodeRequest::parse(params)
            .map(GrantRequest::AuthorizationCode)
    }),
    (GrantType::ClientCredentials, |params| {
        client_credentials::ClientCredentialsRequest::parse(params)
            .map(GrantRequest::ClientCredentials)
    }),
    (GrantType::DeviceCode, |params| {
        device_code::DeviceCodeRequest::parse(params).map(GrantRequest::DeviceCode)
    }),
    (GrantType::RefreshToken, |params| {
        refresh_token::RefreshTokenRequest::parse(params).map(GrantRequest::RefreshToken)
    }),
    (GrantType::TokenExchange, |params| {
        let request = token_exchange::TokenExchangeRequest::parse(params)?;
        Ok(GrantRequest::TokenExchange(Box::new(request)))
    }),
];

/// The registered names of the grants that are built: what metadata advertises.
pub fn supported() -> impl Iterator<Item = &'static str> {
    TABLE.iter().map(|(grant, _)| grant.wire())
}

/// A token request, read and not yet decided.
#[derive(Debug)]
pub(crate) enum GrantRequest {
    AuthorizationCode(authorization_code::AuthorizationCodeRequest),
    ClientCredentials(client_credentials::ClientCredentialsRequest),
    DeviceCode(device_code::DeviceCodeRequest),
    RefreshToken(refresh_token::RefreshTokenRequest),
    TokenExchange(Box<token_exchange::TokenExchangeRequest>),
}

impl GrantRequest {
    /// Reads the request of the grant that `grant_type` names.
    ///
    /// # Errors
    /// `invalid_request` where a parameter is missing, `unsupported_grant_type` for a grant that is not in the table.
    pub(crate) fn parse(params: &Params) -> Result<(GrantType, Self), Refusal> {
        let wire = required(params, "grant_type", "The parameter grant_type is missing.")?;
        let known = TABLE.iter().find(|(grant, _)| grant.wire() == wire);
        let (grant, read) = known.ok_or(Refusal::new(
            ErrorCode::UnsupportedGrantType,
            "The grant type is not supported.",
        ))?;
        Ok((*grant, read(params)?))
    }

    pub(crate) fn decide(
        &self,
        env: &Env<'_>,
        facts: &Facts,
        client: AuthenticatedClient<'_>,
        peer: &Peer,
    ) -> Result<Decision<TokenReply>, Stop> {
        match self {
            Self::AuthorizationCode(request) => request.decide(env, facts, client, peer),
            Self::ClientCredentials(request) => request.decide(env, client),
            Self::DeviceCode(request) => request.decide(env, facts, client, peer),
            Self::RefreshToken(request) => request.decide(env, facts, client, peer),
            Self::TokenExchange(request) => request.decide(env, facts, client, peer),
        }
    }
}

fn required<'p>(params: &'p Params, name: &str, missing: &'static str) -> Result<&'p str, Refusal> {
    params
        .opt(name)
        .ok_or(Refusal::new(ErrorCode::InvalidRequest, missing))
}

fn required_secret(params: &Params, name: &str, missing: &'static str) -> Result<Secret, Refusal> {
    required(params, name, missing).map(Secret::new)
}

//! The token endpoint (RFC 6749 section 3.2): authenticates the client, then dispatches to the grant.

use crate::base::error::Refusal;
use crate::base::params::Params;
use crate::base::peer::Peer;
use crate::client_auth::{self, Credentials};
use crate::engine::decide::{Decision, Facts, Operation, Stop};
use crate::engine::env::Env;
use crate::grants::{GrantRequest, TokenReply};
use crate::model::grant_type::GrantType;

#[derive(Debug)]
pub struct Token {
    credentials: Credentials,
    grant: GrantType,
    request: GrantRequest,
    peer: Peer,
}

impl Token {
    /// # Errors
    /// A [`Refusal`] for a malformed request.
    pub fn parse(
        authorization: Option<&[u8]>,
        params: &Params,
        peer: Peer,
    ) -> Result<Self, Refusal> {
        let (grant, request) = GrantRequest::parse(params)?;
        let credentials = Credentials::parse(authorization, params)?;
        Ok(Self {
            credentials,
            grant,
            request,
            peer,
        })
    }
}

impl Operation for Token {
    type Reply = TokenReply;

    fn decide(&self, env: &Env<'_>, facts: &Facts) -> Result<Decision<TokenReply>, Stop> {
        let client = client_auth::authenticate(env, facts, &self.credentials, &self.peer)?;
        client_auth::require_grant(&client, self.grant)?;
        self.request.decide(env, facts, client, &self.peer)
    }
}

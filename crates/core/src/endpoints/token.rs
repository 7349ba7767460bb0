//! The token endpoint (RFC 6749 section 3.2): dispatches to the grant.

use super::unsupported;
use crate::base::error::Refusal;
use crate::base::params::Params;
use crate::base::peer::Peer;
use crate::client_auth::{AuthenticatedClient, ClientOperation, require_grant};
use crate::engine::decide::{Decision, Stop};
use crate::engine::env::Env;
use crate::engine::facts::Facts;
use crate::grants::{GrantRequest, PreparedGrant, TokenReply};
use crate::model::endpoint::Endpoint;
use crate::model::grant_type::GrantType;
use crate::model::realm::Realm;

#[derive(Debug)]
pub struct Token {
    grant: GrantType,
    request: GrantRequest,
}

pub struct PreparedToken(PreparedGrant);

impl ClientOperation for Token {
    type Parsed = PreparedToken;
    type Reply = TokenReply;
    const ENDPOINT: Endpoint = Endpoint::Token;

    fn parse(params: &Params) -> Result<Self, Refusal> {
        unsupported::refuse(params, &unsupported::IN_TOKEN)?;
        let (grant, request) = GrantRequest::parse(params)?;
        Ok(Self { grant, request })
    }

    fn prepare(&self, realm: &Realm) -> PreparedToken {
        PreparedToken(self.request.prepare(realm))
    }

    fn decide(
        &self,
        prepared: &PreparedToken,
        env: &Env<'_>,
        facts: &Facts,
        client: AuthenticatedClient<'_>,
        peer: &Peer,
    ) -> Result<Decision<TokenReply>, Stop> {
        require_grant(&client, self.grant)?;
        prepared.0.decide(env, facts, client, peer)
    }
}

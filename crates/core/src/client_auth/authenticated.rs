//! The wrapper that authenticates the client of a request, once for all endpoints.

use super::{AuthenticatedClient, Credentials, authenticate};
use crate::base::error::Refusal;
use crate::base::params::Params;
use crate::base::peer::Peer;
use crate::engine::decide::{Decision, Operation, Stop};
use crate::engine::env::Env;
use crate::engine::facts::Facts;
use crate::model::endpoint::Endpoint;
use crate::model::ids::ClientId;
use crate::model::realm::Realm;

/// What a client asks for. Its credentials are the wrapper's: an implementation cannot forget to look at them.
pub trait ClientOperation: Sized {
    /// As [`Operation::Parsed`].
    type Parsed: Send;
    type Reply: Send + 'static;
    /// By which methods clients authenticate here.
    const ENDPOINT: Endpoint;

    /// # Errors
    /// A [`Refusal`] for a malformed request.
    fn parse(params: &Params) -> Result<Self, Refusal>;

    /// As [`Operation::prepare`]. What it finds wrong is told once the client is authenticated.
    fn prepare(&self, realm: &Realm) -> Self::Parsed;

    /// # Errors
    /// As [`Operation::decide`].
    fn decide(
        &self,
        parsed: &Self::Parsed,
        env: &Env<'_>,
        facts: &Facts,
        client: AuthenticatedClient<'_>,
        peer: &Peer,
    ) -> Result<Decision<Self::Reply>, Stop>;
}

/// A client's request with its credentials.
#[derive(Debug)]
pub struct Authenticated<O> {
    credentials: Credentials,
    peer: Peer,
    operation: O,
}

impl<O: ClientOperation> Authenticated<O> {
    /// # Errors
    /// A [`Refusal`] for a malformed request.
    pub fn parse(
        authorization: Option<&[u8]>,
        params: &Params,
        peer: Peer,
    ) -> Result<Self, Refusal> {
        Ok(Self {
            operation: O::parse(params)?,
            credentials: Credentials::parse(authorization, params)?,
            peer,
        })
    }
}

impl<O: ClientOperation> Operation for Authenticated<O> {
    type Parsed = O::Parsed;
    type Reply = O::Reply;
    type Refused = Refusal;

    fn prepare(&self, realm: &Realm) -> Result<O::Parsed, Refusal> {
        Ok(self.operation.prepare(realm))
    }

    fn decide(
        &self,
        parsed: &O::Parsed,
        env: &Env<'_>,
        facts: &Facts,
    ) -> Result<Decision<O::Reply>, Stop> {
        let clients = O::ENDPOINT.clients();
        let client = authenticate(env, facts, &self.credentials, &self.peer, clients)?;
        self.operation
            .decide(parsed, env, facts, client, &self.peer)
    }

    fn client(&self, _: &O::Parsed) -> Option<ClientId> {
        self.credentials.client_id().parse().ok()
    }
}

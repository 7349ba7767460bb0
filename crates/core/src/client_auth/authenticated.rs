//! The wrapper that authenticates the client of a request, once for all endpoints.

use std::cell::OnceCell;

use super::{AuthenticatedClient, Credentials, Proof, REFUSED, authenticate, methods};
use crate::base::error::{Cause, Refusal};
use crate::base::params::Params;
use crate::base::peer::Peer;
use crate::engine::decide::{Decision, Operation, Stop};
use crate::engine::env::Env;
use crate::engine::facts::Facts;
use crate::engine::limits::Effect;
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
        // First: RFC 7662 section 2.3 and RFC 6749 section 5.2 have another answer for who does not authenticate.
        let credentials = Credentials::parse(authorization, params)?;
        Ok(Self {
            operation: O::parse(params)?,
            credentials,
            peer,
        })
    }
}

/// What a snapshot of the realm says of a client's request.
pub struct Prepared<P> {
    /// Whom the request names.
    client: Option<ClientId>,
    /// Whether the credentials are right, once they were compared.
    proof: OnceCell<Result<Proof, Cause>>,
    operation: P,
}

impl<O: ClientOperation> Operation for Authenticated<O> {
    type Parsed = Prepared<O::Parsed>;
    type Reply = O::Reply;
    type Refused = Refusal;

    fn prepare(&self, realm: &Realm) -> Result<Self::Parsed, Refusal> {
        Ok(Prepared {
            client: self.credentials.client_id().parse().ok(),
            proof: OnceCell::new(),
            operation: self.operation.prepare(realm),
        })
    }

    fn decide(
        &self,
        prepared: &Self::Parsed,
        env: &Env<'_>,
        facts: &Facts,
    ) -> Result<Decision<O::Reply>, Stop> {
        let client = match &prepared.client {
            Some(id) => facts.client(env, id)?,
            None => None,
        };
        let client = client.ok_or(REFUSED.because(Cause::UnknownClient))?;
        let prove = || self.credentials.prove(client);
        let proof = *prepared.proof.get_or_init(prove);
        let clients = O::ENDPOINT.clients();
        let client = authenticate(env, facts, client, proof, &self.peer)?;
        // RFC 6749 section 2.2: a public client's id alone proves nothing.
        if !methods(clients).contains(&self.credentials.method()) {
            return Err(REFUSED.because(Cause::SecretMissing).into());
        }
        let used = proof.ok().and_then(|proof| proof.used(&client));
        let decision =
            self.operation
                .decide(&prepared.operation, env, facts, client, &self.peer)?;
        Ok(match used {
            Some(used) => decision.effect(Effect::SecretUsed(used)),
            None => decision,
        })
    }

    fn client(&self, prepared: &Self::Parsed) -> Option<ClientId> {
        prepared.client.clone()
    }
}

//! Token revocation (RFC 7009).

use crate::base::error::{Cause, Refusal};
use crate::base::params::Params;
use crate::base::peer::Peer;
use crate::base::time::Timestamp;
use crate::client_auth::{self, Credentials};
use crate::engine::decide::{Decision, Found, Operation, Stop, invalid_grant};
use crate::engine::env::Env;
use crate::engine::event::{Event, EventKind};
use crate::model::client::Client;
use crate::records::{self, Grant, Revoked, State, WhyRevoked};
use crate::tokens::bearer::PresentedToken;

/// A revocation request. RFC 7009 section 2.1: a hint that does not fit is ignored; our tokens say what they are.
#[derive(Debug)]
pub struct Revoke {
    credentials: Credentials,
    token: PresentedToken,
    peer: Peer,
}

impl Revoke {
    /// Reads a revocation request.
    ///
    /// # Errors
    /// A [`Refusal`] for what cannot be read.
    pub fn parse(
        authorization: Option<&[u8]>,
        params: &Params,
        peer: Peer,
    ) -> Result<Self, Refusal> {
        Ok(Self {
            token: PresentedToken::parse(params)?,
            credentials: Credentials::parse(authorization, params)?,
            peer,
        })
    }

    fn revoke(&self, env: &Env<'_>, found: &Found, client: &Client) -> Result<Decision<()>, Stop> {
        if let Some(token) = env.pool.sealing.open_refresh_token(self.token.reveal()) {
            return self.revoke_grant(env, found, client, token.grant);
        }
        // RFC 7009 section 2.2: "invalid tokens do not cause an error response".
        let Some(claims) = self.token.claims(env) else {
            return Ok(Decision::reply(()));
        };
        if claims.client_id != client.id {
            return Err(invalid_grant(Cause::GrantOfAnotherClient).into());
        }
        if claims.exp <= env.now.as_secs() {
            return Ok(Decision::reply(()));
        }
        let revoked = Revoked {
            jti: claims.jti,
            expires_at: Timestamp::from_secs(claims.exp),
        };
        let key = records::key::<Revoked>(&env.pool.name, revoked.jti.as_str());
        if found.record::<Revoked>(env, &key)?.live().is_some() {
            return Ok(Decision::reply(()));
        }
        Ok(Decision::reply(())
            .write(records::insert(&env.pool.name, &revoked)?)
            .event(
                Event::new(EventKind::TokenRevoked)
                    .client(&client.id)
                    .peer(&self.peer),
            ))
    }

    /// RFC 7009 section 2.1: revoking a refresh token also ends every access token of the same grant.
    fn revoke_grant(
        &self,
        env: &Env<'_>,
        found: &Found,
        client: &Client,
        id: crate::model::ids::GrantId,
    ) -> Result<Decision<()>, Stop> {
        let key = records::key::<Grant>(&env.pool.name, &id.to_string());
        let Some(grant) = found.record::<Grant>(env, &key)?.live() else {
            return Ok(Decision::reply(()));
        };
        // RFC 7009 section 2.1: "verifies whether the token was issued to the client making the revocation request".
        if grant.record.client != client.id {
            return Err(invalid_grant(Cause::GrantOfAnotherClient).into());
        }
        if matches!(grant.record.state, State::Revoked(_)) {
            return Ok(Decision::reply(()));
        }
        let revoked = grant.record.revoke(WhyRevoked::ByClient, env.now);
        Ok(Decision::reply(())
            .write(records::update(&env.pool.name, &revoked, grant.version)?)
            .event(
                Event::new(EventKind::GrantRevoked)
                    .client(&client.id)
                    .grant(id)
                    .peer(&self.peer),
            ))
    }
}

impl Operation for Revoke {
    type Reply = ();

    fn decide(&self, env: &Env<'_>, found: &Found) -> Result<Decision<()>, Stop> {
        // RFC 7009 section 2.1: "first validates the client credentials (in case of a confidential client)".
        let client = client_auth::authenticate(env, found, &self.credentials, &self.peer)?;
        self.revoke(env, found, client.client())
    }
}

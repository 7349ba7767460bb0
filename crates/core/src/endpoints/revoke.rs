//! Token revocation (RFC 7009).

use crate::base::error::{Cause, ErrorCode, Refusal};
use crate::base::params::Params;
use crate::base::peer::Peer;
use crate::base::time::Timestamp;
use crate::client_auth::{AuthenticatedClient, ClientOperation};
use crate::engine::decide::{Decision, Stop, invalid_grant};
use crate::engine::env::Env;
use crate::engine::event::{Event, EventKind};
use crate::engine::facts::Facts;
use crate::engine::limits::{Counter, Quota, QuotaAnswer, QuotaQuery, Window};
use crate::model::claims::AccessTokenClaims;
use crate::model::client::Client;
use crate::model::endpoint::Endpoint;
use crate::model::ids::GrantId;
use crate::model::realm::Realm;
use crate::records::{self, Grant, GrantState, RevokedToken};
use crate::tokens::bearer::{OpenedToken, PresentedToken};

/// How many access tokens are revoked in an hour, of a user's grants at a client, and of the others of a client. Each is a
/// row until the token would have ended, and tokens are minted without end.
const MAX_REVOKED_PER_USER: u32 = 1000;
const MAX_REVOKED_PER_CLIENT: u32 = 10_000;

/// `token_type_hint` is ignored: our tokens identify their own type (RFC 7009 section 2.1).
#[derive(Debug)]
pub struct Revoke {
    token: PresentedToken,
}

impl Revoke {
    fn revoke(
        &self,
        opened: &OpenedToken,
        env: &Env<'_>,
        facts: &Facts,
        client: &Client,
        peer: &Peer,
    ) -> Result<Decision<()>, Stop> {
        if let Some(token) = opened.refresh_token() {
            return revoke_grant(env, facts, client, token.grant, peer);
        }
        // RFC 7009 section 2.2: "invalid tokens do not cause an error response".
        let Some(claims) = opened.claims(env) else {
            return Ok(Decision::reply(()));
        };
        if claims.client_id != client.id {
            return Err(invalid_grant(Cause::GrantOfAnotherClient).into());
        }
        if claims.exp <= env.now.as_secs() {
            return Ok(Decision::reply(()));
        }
        let key = records::key::<RevokedToken>(&env.realm.name, claims.jti.as_str());
        if facts.record::<RevokedToken>(env, &key)?.live().is_some() {
            return Ok(Decision::reply(()));
        }
        limit_rows(env, facts, &claims)?;
        let mut event = Event::new(EventKind::TokenRevoked)
            .client(&client.id)
            .peer(peer);
        event.user = claims.sub.parse().ok();
        let revoked = RevokedToken {
            jti: claims.jti.clone(),
            expires_at: Timestamp::from_secs(claims.exp),
        };
        Ok(Decision::reply(())
            .write(records::insert(&env.realm.name, &revoked)?)
            .event(event))
    }
}

/// RFC 7009 section 2.1: revoking a refresh token also ends every access token of the same grant.
fn revoke_grant(
    env: &Env<'_>,
    facts: &Facts,
    client: &Client,
    id: GrantId,
    peer: &Peer,
) -> Result<Decision<()>, Stop> {
    let key = records::key::<Grant>(&env.realm.name, &id.to_string());
    let Some(grant) = facts.record::<Grant>(env, &key)?.live() else {
        return Ok(Decision::reply(()));
    };
    // RFC 7009 section 2.1: "verifies whether the token was issued to the client making the revocation request".
    if !grant.record.is_of(client) {
        return Err(invalid_grant(Cause::GrantOfAnotherClient).into());
    }
    if matches!(grant.record.state, GrantState::Revoked(_)) {
        return Ok(Decision::reply(()));
    }
    let mut event = Event::new(EventKind::GrantRevoked)
        .client(&client.id)
        .grant(id)
        .peer(peer);
    event.user = grant.record.authorization().map(|of| of.user);
    Ok(Decision::reply(())
        .write(records::delete(&grant.row)?)
        .event(event))
}

/// RFC 7009 section 2.2.1 lets a client try again later. The grant's refresh token can be revoked meanwhile.
fn limit_rows(env: &Env<'_>, facts: &Facts, claims: &AccessTokenClaims) -> Result<(), Stop> {
    let client = claims.client_id.as_str();
    // A user of a public client, who needs no secret, must not use up what others of its users have.
    let (counter, subject, limit) = match claims.jti.grant() {
        Some(_) => (
            Counter::RevokedPerClientAndUser,
            format!("{client}\0{}", claims.sub),
            MAX_REVOKED_PER_USER,
        ),
        None => (
            Counter::RevokedPerClient,
            client.to_owned(),
            MAX_REVOKED_PER_CLIENT,
        ),
    };
    let quota = Quota {
        counter,
        subject,
        limit: env.realm.per_node(limit),
    };
    match facts.quota(QuotaQuery::Reserve {
        quotas: vec![quota],
        window: Window::Hour,
    })? {
        QuotaAnswer::Reserved { .. } => Ok(()),
        QuotaAnswer::Full { retry_after } => Err(Refusal::new(
            ErrorCode::TooManyRequests,
            "Too many access tokens were revoked.",
        )
        .because(Cause::TooManyRevoked)
        .retry_after(retry_after)
        .into()),
    }
}

impl ClientOperation for Revoke {
    type Parsed = OpenedToken;
    type Reply = ();
    /// RFC 7009 section 2.1: "first validates the client credentials (in case of a confidential client)".
    const ENDPOINT: Endpoint = Endpoint::Revoke;

    fn parse(params: &Params) -> Result<Self, Refusal> {
        let token = PresentedToken::parse(params)?;
        Ok(Self { token })
    }

    fn prepare(&self, realm: &Realm) -> OpenedToken {
        self.token.open(realm)
    }

    fn decide(
        &self,
        opened: &OpenedToken,
        env: &Env<'_>,
        facts: &Facts,
        client: AuthenticatedClient<'_>,
        peer: &Peer,
    ) -> Result<Decision<()>, Stop> {
        self.revoke(opened, env, facts, client.client(), peer)
    }
}

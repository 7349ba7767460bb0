//! A user takes back, by an access token, what they gave to a client.

use crate::base::error::{Cause, ErrorCode, Refusal};
use crate::base::peer::Peer;
use crate::base::row::{Index, Key};
use crate::base::secret::Secret;
use crate::engine::decide::{Decision, Operation, Stop};
use crate::engine::env::Env;
use crate::engine::event::{Event, EventKind};
use crate::engine::facts::Facts;
use crate::model::ids::{ClientId, GrantId, UserId};
use crate::model::realm::Realm;
use crate::model::right::{Right, Rights};
use crate::people::account;
use crate::records::{self, Consent, Grant};
use crate::tokens::bearer::{self, LiveToken, OpenedToken, PresentedToken};

const INVALID: Refusal = Refusal::new(
    ErrorCode::InvalidToken,
    "The access token is not valid, has ended, or was revoked.",
);

/// Of whom the token is, and where the grants are listed: what [`RevokeAppGrant`] is made with.
#[derive(Debug)]
pub struct FindAppGrants {
    token: PresentedToken,
    client: ClientId,
}

impl FindAppGrants {
    #[must_use]
    pub fn new(token: Secret, client: ClientId) -> Self {
        Self {
            token: PresentedToken::new(token),
            client,
        }
    }
}

/// A client takes back its own; another one's grants need the user's right over their own account.
fn user_of(
    env: &Env<'_>,
    facts: &Facts,
    opened: &OpenedToken,
    client: &ClientId,
    also: &[Key],
) -> Result<(LiveToken, UserId), Stop> {
    let claims = opened.claims(env);
    let claims = claims.ok_or(INVALID.because(Cause::ForgedOrForeignToken))?;
    // An API that was sent a token must not take back with it what the user gave to the client.
    if claims.aud != env.realm.issuer && claims.aud != env.realm.api_uri() {
        return Err(INVALID.because(Cause::ForgedOrForeignToken).into());
    }
    let live = bearer::verify_live(env, facts, claims, also)
        .map_err(|stop| stop.map(|cause| INVALID.because(cause)))?;
    let user = live.owner.user().map(|user| user.id);
    let user = user.ok_or(INVALID.because(Cause::UserGone))?;
    let rights = Rights::of_scope(&live.scope(env));
    if live.claims.client_id != *client && !rights.allows(Right::Me) {
        return Err(Refusal::new(
            ErrorCode::InsufficientScope,
            "The access token is of another client.",
        )
        .into());
    }
    Ok((live, user))
}

impl Operation for FindAppGrants {
    type Parsed = OpenedToken;
    /// The user, where their grants are listed, and the grant of the token itself, which is to be revoked last.
    type Reply = (UserId, Index, Option<GrantId>);
    type Refused = Refusal;

    fn prepare(&self, realm: &Realm) -> Result<OpenedToken, Refusal> {
        Ok(self.token.open(realm))
    }

    fn decide(
        &self,
        opened: &OpenedToken,
        env: &Env<'_>,
        facts: &Facts,
    ) -> Result<Decision<Self::Reply>, Stop> {
        let (live, user) = user_of(env, facts, opened, &self.client, &[])?;
        let grants = account::grants_of(env.realm, user);
        Ok(Decision::reply((user, grants, live.claims.jti.grant())))
    }
}

/// Revokes these grants of the client, and the consent. Of many it takes several operations.
#[derive(Debug)]
pub struct RevokeAppGrant {
    token: PresentedToken,
    client: ClientId,
    grants: Vec<GrantId>,
    peer: Peer,
}

impl RevokeAppGrant {
    /// With what the token depends on, these are one read.
    pub const MAX_GRANTS: usize = 8;

    #[must_use]
    pub fn new(token: Secret, client: ClientId, grants: Vec<GrantId>, peer: Peer) -> Self {
        Self {
            token: PresentedToken::new(token),
            client,
            grants,
            peer,
        }
    }
}

impl Operation for RevokeAppGrant {
    type Parsed = OpenedToken;
    type Reply = ();
    type Refused = Refusal;

    fn prepare(&self, realm: &Realm) -> Result<OpenedToken, Refusal> {
        Ok(self.token.open(realm))
    }

    fn decide(
        &self,
        opened: &OpenedToken,
        env: &Env<'_>,
        facts: &Facts,
    ) -> Result<Decision<()>, Stop> {
        let realm = &env.realm.name;
        let grants = self.grants.iter().take(Self::MAX_GRANTS);
        let keys: Vec<_> = grants
            .map(|id| records::key::<Grant>(realm, &id.to_string()))
            .collect();
        let (_, user) = user_of(env, facts, opened, &self.client, &keys)?;
        let consent = Consent::key(realm, user, &self.client);
        facts.need(&keys.iter().chain([&consent]).collect::<Vec<_>>())?;
        let mut writes = Vec::new();
        if let Some(consent) = facts.record::<Consent>(env, &consent)?.live() {
            writes.push(records::delete(&consent.row)?);
        }
        for key in &keys {
            let grant = facts.record::<Grant>(env, key)?.live();
            let is_own = |grant: &Grant| grant.client == self.client && grant.belongs_to(user);
            if let Some(grant) = grant.filter(|grant| is_own(&grant.record)) {
                writes.push(records::delete(&grant.row)?);
            }
        }
        let event = Event::new(EventKind::ClientDisconnected)
            .client(&self.client)
            .user(user)
            .peer(&self.peer);
        let event = (!writes.is_empty()).then_some(event);
        Ok(Decision::reply(()).writes(writes).events(event))
    }
}

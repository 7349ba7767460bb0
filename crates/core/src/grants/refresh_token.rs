//! Refresh (RFC 6749 section 6) with rotation (RFC 9700 section 4.14.2), safe to retry: the successor is derived,
//! so a client that lost the answer asks again within the grace and gets the same one.

use std::time::Duration;

use super::{TokenReply, required_secret};
use crate::base::error::{Cause, ErrorCode, Refusal};
use crate::base::params::Params;
use crate::base::peer::Peer;
use crate::base::secret::Secret;
use crate::base::time::Timestamp;
use crate::client_auth::AuthenticatedClient;
use crate::engine::decide::{Decision, Facts, Stop, Versioned, invalid_grant};
use crate::engine::env::Env;
use crate::engine::event::{Event, EventKind};
use crate::exchange;
use crate::model::client::Client;
use crate::model::scope::Scope;
use crate::records::{self, Grant, GrantState, RefreshTokenStatus, RevocationReason};
use crate::tokens::{grant_liveness, issue};

/// The idle life of a token that does not rotate slides at most this often.
const SLIDES_APART: Duration = Duration::from_secs(1);

/// The request.
#[derive(Debug)]
pub(crate) struct RefreshTokenRequest {
    refresh_token: Secret,
    scope: Option<Scope>,
    resources: Vec<String>,
}

impl RefreshTokenRequest {
    pub(crate) fn parse(params: &Params) -> Result<Self, Refusal> {
        let refresh_token = required_secret(
            params,
            "refresh_token",
            "The parameter refresh_token is missing.",
        )?;
        Ok(Self {
            refresh_token,
            scope: Scope::from_params(params)?,
            resources: params.resource_indicators(),
        })
    }

    pub(crate) fn decide(
        &self,
        env: &Env<'_>,
        facts: &Facts,
        client: AuthenticatedClient<'_>,
        peer: &Peer,
    ) -> Result<Decision<TokenReply>, Stop> {
        let client = client.client();
        // RFC 6749 section 6: "validate the refresh token".
        let token = env
            .realm
            .sealing
            .open_refresh_token(self.refresh_token.reveal());
        let token = token.ok_or(invalid_grant(Cause::ForgedOrForeignToken))?;
        let key = records::key::<Grant>(&env.realm.name, &token.grant.to_string());
        let grant = facts
            .record::<Grant>(env, &key)?
            .live()
            .ok_or(invalid_grant(Cause::NoSuchGrant))?;
        // RFC 6749 section 6: "ensure that the refresh token was issued to the authenticated client". Another's
        // changes nothing: a leak must not let others end grants.
        if grant.record.client != client.id {
            return Err(invalid_grant(Cause::GrantOfAnotherClient).into());
        }
        let presented = grant
            .record
            .refresh_token_status(token.generation, client.grace, env.now);
        let presented = presented.ok_or(invalid_grant(Cause::RevokedGrant))?;
        if presented == RefreshTokenStatus::Reused {
            return reused(env, facts, grant, peer);
        }
        if grant
            .record
            .refresh_ends(&client.refresh_lifetimes())
            .is_none_or(|ends| ends.is_past(env.now))
        {
            return Err(invalid_grant(Cause::RefreshExpired).into());
        }
        let dependencies = grant_liveness::require_live(env, facts, &grant.record)?;
        let user = &dependencies.user.record;
        let granted = grant_liveness::authorization(&grant.record)?;
        let scope = narrowed(self.scope.as_ref(), &granted.scope)?;
        let scope = scope.unwrap_or_else(|| granted.scope.clone());
        // What the operator took from the client since is not given any more.
        let scope = match grant.record.kind.exchanged() {
            None => scope.intersection(&client.scopes),
            // "A client's own scopes are for its own tokens": here a rule must still give it.
            Some(_) if exchange::still_given(env, &grant.record, user) => scope,
            Some(_) => return Err(invalid_grant(Cause::RuleGone).into()),
        };
        let next = successor(client, presented, token.generation);
        let event = event_of(presented, &grant.record, peer)
            .client(&client.id)
            .grant(token.grant)
            .user(user.id);
        let row = grant.row;
        let stays = stays(client, presented, &grant.record, env.now);
        let lifetimes = client.grant_lifetimes(env.realm.lifetimes.session_absolute);
        let refreshed = if stays {
            grant.record
        } else {
            grant.record.refreshed(next, env.now, &lifetimes, peer)
        };
        let asked = issue::IssueRequest {
            indicators: &self.resources,
            scope,
            nonce: None,
        };
        let decision = issue::for_user(env, client, &refreshed, user, asked)?.event(event);
        if stays {
            return Ok(decision);
        }
        Ok(decision
            .write(records::update(&env.realm.name, &refreshed, &row)?)
            .writes(dependencies.checks(env)))
    }
}

/// RFC 9700 section 4.14.2: a used token that comes again was stolen from one of two, so the grant ends, and only it.
fn reused(
    env: &Env<'_>,
    facts: &Facts,
    grant: Versioned<Grant>,
    peer: &Peer,
) -> Result<Decision<TokenReply>, Stop> {
    // Seen only after a commit whose end is unknown, the later generation may be our own.
    if facts.after_unknown() {
        return Err(invalid_grant(Cause::RefreshReuseAfterUnknownCommit).into());
    }
    let event = Event::new(EventKind::RefreshReusedGrantRevoked)
        .client(&grant.record.client)
        .grant(grant.record.id);
    let revoked = grant
        .record
        .revoke(RevocationReason::RefreshReused, env.now);
    Ok(Decision::refuse(invalid_grant(Cause::RefreshReused))
        .write(records::update(&env.realm.name, &revoked, &grant.row)?)
        .event(event.peer(peer)))
}

/// RFC 6749 section 6: "The requested scope MUST NOT include any scope not originally granted by the resource owner,
/// and if omitted is treated as equal to the scope originally granted".
fn narrowed(asked: Option<&Scope>, granted: &Scope) -> Result<Option<Scope>, Refusal> {
    match asked {
        Some(scope) if !scope.is_within(granted) => Err(Refusal::new(
            ErrorCode::InvalidScope,
            "The scope is wider than what the user granted.",
        )),
        asked => Ok(asked.cloned()),
    }
}

/// Whether nothing is to be written: a lost answer is asked for again, or a token that does not rotate was used a
/// moment ago, so that any number of simultaneous refreshes are answered and do not push each other out.
fn stays(client: &Client, presented: RefreshTokenStatus, grant: &Grant, now: Timestamp) -> bool {
    match (presented, &grant.state) {
        (RefreshTokenStatus::InGrace, _) => true,
        (RefreshTokenStatus::Current, GrantState::Active { rotated_at, .. }) => {
            !client.rotation && now.since(*rotated_at) < SLIDES_APART
        }
        _ => false,
    }
}

/// The generation that is valid after this request.
const fn successor(client: &Client, presented: RefreshTokenStatus, generation: u32) -> u32 {
    if client.rotation || !matches!(presented, RefreshTokenStatus::Current) {
        generation.saturating_add(1)
    } else {
        generation
    }
}

fn event_of(presented: RefreshTokenStatus, grant: &Grant, peer: &Peer) -> Event {
    let kind = match (presented, &grant.state) {
        (RefreshTokenStatus::Ahead, _) => EventKind::RefreshAheadOfStore,
        (RefreshTokenStatus::InGrace, GrantState::Active { rotated_by, .. })
            if rotated_by != peer =>
        {
            EventKind::RefreshRepeatedFromElsewhere
        }
        (RefreshTokenStatus::InGrace, _) => EventKind::RefreshRepeatedInGrace,
        _ => EventKind::TokensRefreshed,
    };
    Event::new(kind).peer(peer)
}

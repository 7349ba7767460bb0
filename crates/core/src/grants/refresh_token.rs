//! The refresh token grant (RFC 6749 section 6) with rotation (RFC 9700 section 4.14.2). The next token is derived,
//! so a client that lost the response retries within the grace period and gets the same one. A public client retries from
//! the network of its request.

use std::time::Duration;

use super::{GrantOperation, TokenReply, live, require_available, required_secret, scope_of_user};
use crate::base::error::{Cause, ErrorCode, Refusal};
use crate::base::params::Params;
use crate::base::peer::Peer;
use crate::base::secret::Secret;
use crate::base::time::Timestamp;
use crate::client_auth::AuthenticatedClient;
use crate::engine::decide::{Decision, Stop, invalid_grant};
use crate::engine::env::Env;
use crate::engine::event::{Event, EventKind};
use crate::engine::facts::{Facts, Versioned};
use crate::exchange;
use crate::model::client::Client;
use crate::model::realm::Realm;
use crate::model::requested_scope::UnknownScopes;
use crate::model::scope::Scope;
use crate::records::{self, Grant, GrantState, RefreshTokenStatus};
use crate::tokens::handles::RefreshToken;
use crate::tokens::{grant_liveness, issue};

/// A token that does not rotate extends its idle lifetime at most this often.
const MIN_EXTENSION_INTERVAL: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(crate) struct RefreshTokenRequest {
    refresh_token: Secret,
    scope: Option<Scope>,
    resources: Vec<String>,
}

impl GrantOperation for RefreshTokenRequest {
    type Parsed = Option<RefreshToken>;

    fn parse(params: &Params) -> Result<Self, Refusal> {
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

    fn prepare(&self, realm: &Realm) -> Option<RefreshToken> {
        realm
            .sealing
            .open_refresh_token(self.refresh_token.reveal())
    }

    fn decide(
        &self,
        token: &Option<RefreshToken>,
        env: &Env<'_>,
        facts: &Facts,
        client: AuthenticatedClient<'_>,
        peer: &Peer,
    ) -> Result<Decision<TokenReply>, Stop> {
        let client = client.client();
        // RFC 6749 section 6: "validate the refresh token".
        let token = token.ok_or(invalid_grant(Cause::ForgedOrForeignToken))?;
        let key = records::key::<Grant>(&env.realm.name, &token.grant.to_string());
        let grant = facts
            .record::<Grant>(env, &key)?
            .live()
            .ok_or(invalid_grant(Cause::NoSuchGrant))?;
        // RFC 6749 section 6: "ensure that the refresh token was issued to the authenticated client". Another
        // client's token changes nothing: a leaked token must not let others revoke the grant.
        if !grant.record.is_of(client) {
            return Err(invalid_grant(Cause::GrantOfAnotherClient).into());
        }
        let presented = grant
            .record
            .refresh_token_status(token.generation, client.grace, env.now);
        let presented = presented.ok_or(invalid_grant(Cause::RevokedGrant))?;
        match presented {
            RefreshTokenStatus::Reused => return handle_reuse(facts, &grant, peer),
            // Both were used, on two networks, so two hold this grant.
            RefreshTokenStatus::Current if grant.record.was_repeated_elsewhere() => {
                return revoke_reused(&grant, peer);
            }
            // Nothing else proves that a public client repeats its own request.
            RefreshTokenStatus::InGrace
                if !client.is_confidential() && !grant.record.was_rotated_near(peer) =>
            {
                return refuse_elsewhere(env, grant, peer);
            }
            _ => {}
        }
        if grant
            .record
            .refresh_ends(&client.refresh_lifetimes())
            .is_none_or(|ends| ends.is_past(env.now))
        {
            return Err(invalid_grant(Cause::RefreshExpired).into());
        }
        let dependencies = live(env, facts, &grant.record)?;
        let user = &dependencies.user.record;
        let granted = grant_liveness::authorization(&grant.record).map_err(invalid_grant)?;
        let is_exchanged = grant.record.kind.exchanged().is_some();
        if !is_exchanged {
            require_available(client, user)?;
        }
        let ignores = env.realm.unknown_scopes == UnknownScopes::Ignore && !is_exchanged;
        // An app asks again for what it asked for at first, of which these were left out.
        let ignored = |token: &str| {
            ignores && !client.scopes.contains(token)
                || !is_exchanged && env.realm.is_limited(token)
        };
        let scope = narrow(self.scope.as_ref(), &granted.scope, ignored)?;
        let scope = scope.unwrap_or_else(|| granted.scope.clone());
        // Scopes that the client has lost since are dropped.
        let scope = match grant.record.kind.exchanged() {
            None => scope.intersection(&client.scopes),
            // A client's own scopes do not limit exchanged tokens; a rule must still allow them.
            Some(_) if exchange::still_allowed(env, &grant.record, user) => scope,
            Some(_) => return Err(invalid_grant(Cause::RuleGone).into()),
        };
        let granted_scope = scope;
        let scope = scope_of_user(env, user, &grant.record, &granted_scope)?;
        let next = next_generation(client, presented, token.generation);
        let event = refresh_event(presented, &grant.record, peer)
            .client(&client.id)
            .grant(token.grant)
            .user(user.id);
        let row = grant.row;
        let skip_write = skip_write(client, presented, &grant.record, env.now);
        let lifetimes = client.grant_lifetimes(env.realm.lifetimes.session_absolute);
        let refreshed = if skip_write {
            grant.record
        } else {
            grant.record.refreshed(next, env.now, &lifetimes, peer)
        };
        let request = issue::IssueRequest {
            indicators: &self.resources,
            is_narrowed: scope != granted_scope,
            scope,
            nonce: None,
        };
        let decision = issue::for_user(env, client, &refreshed, user, request)?.event(event);
        if skip_write {
            return Ok(decision);
        }
        Ok(decision
            .write(records::update(&env.realm.name, &refreshed, &row)?)
            .writes(dependencies.checks(env)))
    }
}

/// RFC 9700 section 4.14.2: a reused token means that client or attacker holds a stolen one, so this grant is revoked.
fn handle_reuse(
    facts: &Facts,
    grant: &Versioned<Grant>,
    peer: &Peer,
) -> Result<Decision<TokenReply>, Stop> {
    // After a commit with an unknown outcome, the later generation may be this very request's.
    if facts.after_unknown() {
        return Err(invalid_grant(Cause::RefreshReuseAfterUnknownCommit).into());
    }
    revoke_reused(grant, peer)
}

fn revoke_reused(grant: &Versioned<Grant>, peer: &Peer) -> Result<Decision<TokenReply>, Stop> {
    let mut event = Event::new(EventKind::RefreshReusedGrantRevoked)
        .client(&grant.record.client)
        .because(Cause::RefreshReused)
        .grant(grant.record.id);
    event.user = grant.record.active().map(|of| of.user);
    Ok(Decision::refuse(invalid_grant(Cause::RefreshReused))
        .write(records::delete(&grant.row)?)
        .event(event.peer(peer)))
}

/// A public client's predecessor that comes from another network is no retry. Whether one of the two is a thief shows once
/// the successor is used as well.
fn refuse_elsewhere(
    env: &Env<'_>,
    grant: Versioned<Grant>,
    peer: &Peer,
) -> Result<Decision<TokenReply>, Stop> {
    let decision = Decision::refuse(invalid_grant(Cause::RefreshRepeatedFromElsewhere));
    // Told once: whoever has both tokens could otherwise fill the events.
    if grant.record.was_repeated_elsewhere() {
        return Ok(decision);
    }
    let mut event = Event::new(EventKind::RefreshRepeatedFromElsewhere)
        .client(&grant.record.client)
        .because(Cause::RefreshRepeatedFromElsewhere)
        .grant(grant.record.id)
        .peer(peer);
    event.user = grant.record.active().map(|of| of.user);
    let marked = grant.record.repeated_elsewhere();
    let marked = records::update(&env.realm.name, &marked, &grant.row)?;
    Ok(decision.write(marked).event(event))
}

/// RFC 6749 section 6: "The requested scope MUST NOT include any scope not originally granted by the resource owner,
/// and if omitted is treated as equal to the scope originally granted".
fn narrow(
    requested: Option<&Scope>,
    granted: &Scope,
    ignored: impl Fn(&str) -> bool,
) -> Result<Option<Scope>, Refusal> {
    let Some(requested) = requested else {
        return Ok(None);
    };
    let not_granted = || requested.iter().filter(|token| !granted.contains(token));
    let scope = requested.intersection(granted);
    let refused = match scope.is_empty() {
        true => not_granted().next(),
        false => not_granted().find(|token| !ignored(token)),
    };
    match refused {
        Some(token) => Err(WIDER.naming(token)),
        None => Ok(Some(scope)),
    }
}

const WIDER: Refusal = Refusal::new(
    ErrorCode::InvalidScope,
    "The scope is wider than what the user granted.",
);

/// A retry, or a token that does not rotate and was used a moment ago. So any number of simultaneous refreshes succeed
/// without write conflicts.
fn skip_write(
    client: &Client,
    presented: RefreshTokenStatus,
    grant: &Grant,
    now: Timestamp,
) -> bool {
    match (presented, &grant.state) {
        (RefreshTokenStatus::InGrace, _) => true,
        (RefreshTokenStatus::Current, GrantState::Active { rotated_at, .. }) => {
            !client.rotation && rotated_at.is_within(MIN_EXTENSION_INTERVAL, now)
        }
        _ => false,
    }
}

const fn next_generation(client: &Client, presented: RefreshTokenStatus, generation: u32) -> u32 {
    if client.rotation || !matches!(presented, RefreshTokenStatus::Current) {
        generation.saturating_add(1)
    } else {
        generation
    }
}

fn refresh_event(presented: RefreshTokenStatus, grant: &Grant, peer: &Peer) -> Event {
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

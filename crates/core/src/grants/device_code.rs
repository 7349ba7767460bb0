//! The device authorization grant at the token endpoint (RFC 8628 sections 3.4 and 3.5).

use super::{TokenReply, required_secret};
use crate::base::error::{Cause, ErrorCode, Refusal};
use crate::base::params::Params;
use crate::base::peer::Peer;
use crate::base::row::Row;
use crate::base::secret::Secret;
use crate::client_auth::AuthenticatedClient;
use crate::engine::decide::{Decision, Facts, Lookup, Stop, invalid_grant};
use crate::engine::env::Env;
use crate::engine::event::{Event, EventKind};
use crate::engine::limits::{Effect, LimitAnswer, LimitQuery, Poll};
use crate::model::ids::GrantId;
use crate::records::{self, DeviceCodeError, Grant};
use crate::tokens::{grant_liveness, issue};

const PENDING: Refusal = Refusal::new(
    ErrorCode::AuthorizationPending,
    "The user has not decided yet.",
);
const SLOW_DOWN: Refusal = Refusal::new(
    ErrorCode::SlowDown,
    "The user has not decided yet; poll 5 seconds less often from now on.",
);
const DENIED: Refusal = Refusal::new(ErrorCode::AccessDenied, "The user denied the request.");
const EXPIRED: Refusal = Refusal::new(ErrorCode::ExpiredToken, "The device code has expired.");

#[derive(Debug)]
pub(crate) struct DeviceCodeRequest {
    device_code: Secret,
    resources: Vec<String>,
}

impl DeviceCodeRequest {
    pub(crate) fn parse(params: &Params) -> Result<Self, Refusal> {
        let device_code = required_secret(
            params,
            "device_code",
            "The parameter device_code is missing.",
        )?;
        Ok(Self {
            device_code,
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
        let code = env
            .realm
            .sealing
            .open_device_code(self.device_code.reveal());
        // Another client's code is refused before the poll is counted: whoever leaked it must not slow down its owner.
        let code = code
            .filter(|code| code.belongs_to(&client.id))
            .ok_or(invalid_grant(Cause::ForgedOrForeignToken))?;
        let ask = LimitQuery::Poll {
            grant: code.grant,
            interval: env.realm.device.interval,
        };
        let early = match facts.ask(ask)? {
            LimitAnswer::Poll(Poll::Read { early }) => early,
            // Fast polls are answered from memory: the grant was pending within the last second.
            LimitAnswer::Poll(Poll::FromMemory { early }) if !code.expires_at.is_past(env.now) => {
                return Err(pending(early).into());
            }
            _ => return Err(EXPIRED.into()),
        };
        // RFC 8628 section 3.5: "expired_token". The code holds its expiry, so no read is needed.
        if code.expires_at.is_past(env.now) {
            return Err(EXPIRED.into());
        }
        let grant = match facts.record::<Grant>(
            env,
            &records::key::<Grant>(&env.realm.name, &code.grant.to_string()),
        )? {
            Lookup::Live(grant) => grant,
            Lookup::Expired => return Ok(final_refusal(EXPIRED, code.grant)),
            Lookup::Absent => {
                return Ok(final_refusal(invalid_grant(Cause::NoSuchGrant), code.grant));
            }
        };
        // The tag of a code names the client's id only.
        if !grant.record.is_of(&client) {
            let refusal = invalid_grant(Cause::GrantOfAnotherClient);
            return Ok(final_refusal(refusal, code.grant));
        }
        let row = grant.row;
        let lifetimes = client.grant_lifetimes(env.realm.lifetimes.session_absolute);
        match grant.record.redeem_device(env.now, &lifetimes, peer) {
            Err(DeviceCodeError::Pending) => Err(pending(early).into()),
            // `access_denied` until the code expires.
            Err(DeviceCodeError::Denied) => Ok(final_refusal(DENIED, code.grant)),
            Err(DeviceCodeError::Used) => {
                Ok(final_refusal(invalid_grant(Cause::CodeUsed), code.grant))
            }
            Ok(grant) => match self.redeem(env, facts, client, &grant, &row, peer) {
                Err(Stop::Refuse(refusal)) => Ok(final_refusal(refusal, code.grant)),
                decided => decided,
            },
        }
    }

    /// Issues tokens with a conditional write, so that only one poll wins.
    fn redeem(
        &self,
        env: &Env<'_>,
        facts: &Facts,
        client: AuthenticatedClient<'_>,
        grant: &Grant,
        row: &Row,
        peer: &Peer,
    ) -> Result<Decision<TokenReply>, Stop> {
        let dependencies = grant_liveness::require_live(env, facts, grant)?;
        let user = &dependencies.user.record;
        let event = Event::new(EventKind::TokensIssued)
            .client(&client.id)
            .grant(grant.id)
            .user(user.id)
            .peer(peer);
        let request = issue::IssueRequest {
            indicators: &self.resources,
            scope: grant_liveness::authorization(grant)?
                .scope
                .intersection(&client.scopes),
            nonce: None,
        };
        let decision = issue::for_user(env, &client, grant, user, request)?;
        Ok(decision
            .write(records::update(&env.realm.name, grant, row)?)
            .writes(dependencies.checks(env))
            .effect(Effect::ClearPoll(grant.id))
            .event(event))
    }
}

/// RFC 8628 section 3.5: `slow_down` is a variant of `authorization_pending`.
const fn pending(early: bool) -> Refusal {
    if early { SLOW_DOWN } else { PENDING }
}

/// Later polls are not answered from memory.
fn final_refusal(refusal: Refusal, grant: GrantId) -> Decision<TokenReply> {
    Decision::refuse(refusal).effect(Effect::ClearPoll(grant))
}

//! The device authorization grant at the token endpoint (RFC 8628 sections 3.4 and 3.5).

use super::{GrantOperation, TokenReply, own_code, redeem, required_secret};
use crate::base::error::{Cause, ErrorCode, Refusal};
use crate::base::params::Params;
use crate::base::peer::Peer;
use crate::base::secret::Secret;
use crate::client_auth::AuthenticatedClient;
use crate::engine::decide::{Decision, Stop, invalid_grant};
use crate::engine::env::Env;
use crate::engine::facts::{Facts, Lookup, Versioned};
use crate::engine::limits::{Effect, Poll, PollQuery};
use crate::model::realm::Realm;
use crate::records::{self, DeviceCodeError, Grant};
use crate::tokens::handles::Code;

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

impl GrantOperation for DeviceCodeRequest {
    type Parsed = Option<Code>;

    fn parse(params: &Params) -> Result<Self, Refusal> {
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

    fn prepare(&self, realm: &Realm) -> Option<Code> {
        realm.sealing.open_device_code(self.device_code.reveal())
    }

    fn decide(
        &self,
        code: &Option<Code>,
        env: &Env<'_>,
        facts: &Facts,
        client: AuthenticatedClient<'_>,
        peer: &Peer,
    ) -> Result<Decision<TokenReply>, Stop> {
        // Refused before the poll is counted: whoever leaked it must not slow down its owner.
        let code = own_code(code.as_ref(), &client)?;
        let ask = PollQuery {
            grant: code.grant,
            interval: env.realm.device.interval,
        };
        let early = match facts.poll(ask)? {
            Poll::Read { early } => early,
            // Fast polls are answered from memory: the grant was pending within the last second.
            Poll::FromMemory { early } if !code.expires_at.is_past(env.now) => {
                return Err(pending(early).into());
            }
            _ => return Err(EXPIRED.into()),
        };
        // RFC 8628 section 3.5: "expired_token". The code holds its expiry, so no read is needed.
        if code.expires_at.is_past(env.now) {
            return Err(EXPIRED.into());
        }
        // Later polls are not answered from memory.
        let forget = Effect::ClearPoll(code.grant);
        let last = |refusal| Ok(Decision::refuse(refusal).effect(forget));
        let key = records::key::<Grant>(&env.realm.name, &code.grant.to_string());
        let Versioned { record, row } = match facts.record::<Grant>(env, &key)? {
            Lookup::Live(grant) => grant,
            Lookup::Expired => return last(EXPIRED),
            Lookup::Absent => return last(invalid_grant(Cause::NoSuchGrant)),
        };
        // The tag of a code names the client's id only.
        if !record.is_of(&client) {
            return last(invalid_grant(Cause::GrantOfAnotherClient));
        }
        let lifetimes = client.grant_lifetimes(env.realm.lifetimes.session_absolute);
        let record = match record.redeem_device(env.now, &lifetimes, peer) {
            Ok(record) => record,
            Err(DeviceCodeError::Pending) => return Err(pending(early).into()),
            // `access_denied` until the code expires.
            Err(DeviceCodeError::Denied) => return last(DENIED),
            Err(DeviceCodeError::Used) => return last(invalid_grant(Cause::CodeUsed)),
        };
        let active = Versioned { record, row };
        match redeem(env, facts, &client, &active, &self.resources, None, peer) {
            Ok(decision) => Ok(decision.effect(Effect::ClearPoll(code.grant))),
            Err(Stop::Refuse(refusal)) => last(refusal),
            Err(stop) => Err(stop),
        }
    }
}

/// RFC 8628 section 3.5: `slow_down` is a variant of `authorization_pending`.
const fn pending(early: bool) -> Refusal {
    if early { SLOW_DOWN } else { PENDING }
}

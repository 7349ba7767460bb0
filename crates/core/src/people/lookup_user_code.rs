//! Looking up the device of a user code (RFC 8628 section 3.3, RFC 10027 section 6.1.14).

use std::convert::Infallible;

use super::attempt::{Attempt, LimitReached};
use super::session::{self, SignedIn, Visitor};
use super::withheld::{Grantable, Withheld};
use crate::base::error::Cause;
use crate::base::peer::Peer;
use crate::base::row::Key;
use crate::base::secret::Secret;
use crate::engine::decide::{Decision, Halt, Stop, Task};
use crate::engine::env::Env;
use crate::engine::event::{Event, EventKind};
use crate::engine::facts::Facts;
use crate::engine::limits::{Counter, Quota, Window, per_network};
use crate::model::client::{Client, DeviceApproval};
use crate::model::ids::{ClientId, GrantId};
use crate::model::scope::Scope;
use crate::model::user_code::{MAX_TRIES_PER_ACCOUNT, MAX_TRIES_PER_ADDRESS, UserCode};
use crate::records::{self, Grant, GrantState, Started, UserCodeRow};
use crate::tokens::handles::PresentedCookie;

/// From this many wrong codes per hour in the realm, an event is written and responses are delayed. Never a lockout.
const DELAY_THRESHOLD: u32 = 10_000;

#[derive(Debug)]
pub struct LookupUserCode {
    pub cookie: Option<PresentedCookie>,
    pub typed: Secret,
    pub peer: Peer,
}

#[derive(Debug)]
pub enum LookupUserCodeReply {
    /// The user is not signed in, or the sign-in is too old.
    SignIn,
    /// The same for an unknown, expired, decided and malformed code.
    NotValid {
        visitor: Visitor,
        /// Whether to delay the response, because somebody guesses codes on a large scale.
        delay: bool,
    },
    /// Too many wrong codes.
    TooMany {
        visitor: Visitor,
        /// In seconds.
        retry_after: u64,
    },
    Pending(Box<PendingDevice>),
    /// The user can be given nothing of what the device asks for.
    Withheld(WithheldDevice),
}

/// A device to which the user can give nothing.
#[derive(Clone, Debug)]
pub struct WithheldDevice {
    pub visitor: Visitor,
    pub client_name: String,
    pub why: Withheld,
}

/// A device that waits for approval, with the details to show.
#[derive(Clone, Debug)]
pub struct PendingDevice {
    pub visitor: Visitor,
    pub grant: GrantId,
    pub client: ClientId,
    pub client_name: String,
    /// What the user can give it.
    pub scope: Scope,
    /// What the client's ID tokens tell of the user besides.
    pub claims: Vec<String>,
    pub code: CodeCheck,
    pub started: Started,
    /// Whether device and browser seem to be on one network.
    pub same_network: bool,
    pub same_network_required: bool,
}

/// How the user checks that the code is the one on the device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CodeCheck {
    /// The code is shown, to compare.
    Compare(String),
    /// The code is no longer known, and nothing can be approved.
    Hidden,
    /// The code is not shown and must be typed from the device.
    Retype {
        /// Whether the last attempt was wrong.
        wrong: bool,
    },
}

impl PendingDevice {
    fn new(
        signed_in: &SignedIn,
        client: &Client,
        grant: &Grant,
        scope: Scope,
        code: &UserCode,
        peer: &Peer,
    ) -> Self {
        let code = match client.device.approval {
            DeviceApproval::Retype => CodeCheck::Retype { wrong: false },
            DeviceApproval::Warn | DeviceApproval::SameNetwork => {
                CodeCheck::Compare(code.formatted())
            }
        };
        Self::with(signed_in, client, grant, scope, code, peer)
    }

    pub(super) fn with(
        signed_in: &SignedIn,
        client: &Client,
        grant: &Grant,
        scope: Scope,
        code: CodeCheck,
        peer: &Peer,
    ) -> Self {
        Self {
            visitor: signed_in.visitor(),
            grant: grant.id,
            client: client.id.clone(),
            client_name: client.name.clone(),
            claims: client.disclosed_claims(&scope),
            scope,
            code,
            started: grant.started.clone(),
            same_network: grant.started.by.shares_network_with(peer),
            same_network_required: client.device.approval == DeviceApproval::SameNetwork,
        }
    }
}

impl WithheldDevice {
    pub(super) fn new(signed_in: &SignedIn, client: &Client, why: Withheld) -> Self {
        Self {
            visitor: signed_in.visitor(),
            client_name: client.name.clone(),
            why,
        }
    }
}

impl Task for LookupUserCode {
    type Reply = LookupUserCodeReply;

    fn decide(
        &self,
        env: &Env<'_>,
        facts: &Facts,
    ) -> Result<Decision<LookupUserCodeReply, Infallible>, Halt> {
        let Some(signed_in) = session::signed_in(env, facts, self.cookie.as_ref(), &[])? else {
            return Ok(Decision::reply(LookupUserCodeReply::SignIn));
        };
        let Some(code) = env.realm.device.user_code.read(self.typed.reveal()) else {
            return Ok(Decision::reply(LookupUserCodeReply::NotValid {
                visitor: signed_in.visitor(),
                delay: false,
            }));
        };
        let limit_reached = |limit| too_many(&signed_in, &self.peer, &limit);
        match self.look_up(env, facts, &signed_in, &code) {
            Ok(decision) => Ok(decision),
            Err(stop) => stop.recover(limit_reached),
        }
    }
}

impl LookupUserCode {
    /// # Errors
    /// [`LimitReached`] if too many wrong codes were typed.
    fn look_up(
        &self,
        env: &Env<'_>,
        facts: &Facts,
        signed_in: &SignedIn,
        code: &UserCode,
    ) -> Result<Decision<LookupUserCodeReply, Infallible>, Stop<LimitReached>> {
        let attempt = Attempt {
            quotas: quotas(env, signed_in, &self.peer),
            window: Window::Hour,
        };
        attempt.begin(facts)?;
        let found = match pending(env, facts, code)? {
            Some(grant) => facts.live_client(env, &grant)?.zip(Some(grant)),
            None => None,
        };
        let count = attempt.end(facts, found.is_some())?;
        let Some((client, grant)) = found else {
            return Ok(not_valid(env, signed_in, count, &self.peer));
        };
        if !signed_in.is_fresh(client.device.approver_max_age, env.now) {
            return Ok(Decision::reply(LookupUserCodeReply::SignIn));
        }
        let user = &signed_in.user.record;
        let grantable = Grantable::new(env, client, user, &grant.scope, &grant.resources);
        let reply = match grantable {
            Ok(Grantable { scope, .. }) => {
                let device = PendingDevice::new(signed_in, client, &grant, scope, code, &self.peer);
                LookupUserCodeReply::Pending(Box::new(device))
            }
            Err(why) => LookupUserCodeReply::Withheld(WithheldDevice::new(signed_in, client, why)),
        };
        Ok(Decision::reply(reply).writes(signed_in.touch.clone()))
    }
}

/// Per hour, 20 wrong codes for an account and 200 for an address. For the realm they are only counted.
pub(super) fn quotas(env: &Env<'_>, signed_in: &SignedIn, peer: &Peer) -> Vec<Quota> {
    let of_address = env.realm.per_node(MAX_TRIES_PER_ADDRESS);
    let mut quotas = vec![
        Quota {
            counter: Counter::UserCodesPerAccount,
            subject: signed_in.user.record.id.to_string(),
            limit: env.realm.per_node(MAX_TRIES_PER_ACCOUNT),
        },
        Quota {
            counter: Counter::UserCodesPerRealm,
            subject: String::new(),
            limit: u32::MAX,
        },
    ];
    quotas.extend(per_network(
        peer,
        Counter::UserCodesPerNetwork,
        "",
        of_address,
    ));
    quotas
}

/// The pending grant of a code. The code has another row name under each master key that is still accepted.
fn pending(env: &Env<'_>, facts: &Facts, code: &UserCode) -> Result<Option<Grant>, Halt> {
    let realm = env.realm;
    let names = realm.sealing.user_code_names(code);
    let keys = names.map(|name| records::key::<UserCodeRow>(&realm.name, &name));
    let keys: Vec<Key> = keys.collect();
    facts.need(&keys.iter().collect::<Vec<_>>())?;
    for key in &keys {
        if let Some(row) = facts.record::<UserCodeRow>(env, key)?.live() {
            let key = records::key::<Grant>(&realm.name, &row.record.grant.to_string());
            let grant = facts.record::<Grant>(env, &key)?.live();
            let grant = grant.map(|grant| grant.record);
            let is_pending =
                |grant: &Grant| matches!(grant.state, GrantState::DevicePending { .. });
            return Ok(grant.filter(is_pending));
        }
    }
    Ok(None)
}

fn too_many(
    signed_in: &SignedIn,
    peer: &Peer,
    limit: &LimitReached,
) -> Decision<LookupUserCodeReply, Infallible> {
    Decision::reply(LookupUserCodeReply::TooMany {
        visitor: signed_in.visitor(),
        retry_after: limit.retry_after,
    })
    .event(
        Event::new(EventKind::TriesUsedUp)
            .username(signed_in.user.record.username.clone())
            .because(Cause::TooManyTries)
            .user(signed_in.user.record.id)
            .peer(peer),
    )
}

fn not_valid(
    env: &Env<'_>,
    signed_in: &SignedIn,
    count: u32,
    peer: &Peer,
) -> Decision<LookupUserCodeReply, Infallible> {
    let delay = count > env.realm.per_node(DELAY_THRESHOLD);
    let reply = LookupUserCodeReply::NotValid {
        visitor: signed_in.visitor(),
        delay,
    };
    let decision = Decision::reply(reply).event(
        Event::new(EventKind::WrongUserCode)
            .username(signed_in.user.record.username.clone())
            .user(signed_in.user.record.id)
            .peer(peer),
    );
    if delay {
        decision.event(Event::new(EventKind::ManyWrongUserCodes))
    } else {
        decision
    }
}

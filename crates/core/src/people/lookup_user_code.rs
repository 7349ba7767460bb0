//! A user typed a code: which device asks, and for what? (RFC 8628 section 3.3, RFC 10027 section 6.1.14)

use super::session::{self, SignedIn, Visitor};
use crate::base::peer::Peer;
use crate::base::row::Key;
use crate::base::secret::Secret;
use crate::engine::decide::{Decision, Facts, Operation, Stop};
use crate::engine::env::Env;
use crate::engine::event::{Event, EventKind};
use crate::engine::limits::{Counter, Effect, LimitAnswer, LimitQuery, Quota, Window};
use crate::model::client::{Client, DeviceApproval};
use crate::model::ids::{ClientId, GrantId};
use crate::model::scope::Scope;
use crate::model::user_code::{MAX_TRIES_PER_ACCOUNT, MAX_TRIES_PER_ADDRESS, UserCode};
use crate::records::{self, Grant, GrantState, Started, UserCodeRow};

/// From this many wrong tries an hour in a realm on, the operator hears of it and answers are delayed. Never a lock.
const WRONG_IN_POOL: u32 = 10_000;

/// A look-up of a user code.
#[derive(Debug)]
pub struct LookupUserCode {
    /// The session cookie.
    pub cookie: Option<Secret>,
    /// What was typed.
    pub typed: Secret,
    /// The browser.
    pub peer: Peer,
}

/// What came of it.
#[derive(Debug)]
pub enum LookupUserCodeReply {
    /// Sign-in comes first; or comes again, where it is too long ago.
    SignIn,
    /// No live code is that. One answer for an unknown, expired, decided and malformed code.
    NotValid {
        /// Who tried.
        visitor: Visitor,
        /// Whether answers are to be delayed: somebody guesses on a large scale.
        strained: bool,
    },
    /// Too many wrong tries.
    TooMany {
        /// Who tried.
        visitor: Visitor,
        /// Seconds until the next.
        retry_after: u64,
    },
    /// This device.
    Pending(Box<PendingDevice>),
}

/// A device that asks, and what is to be shown of it.
#[derive(Clone, Debug)]
pub struct PendingDevice {
    /// Who is asked.
    pub visitor: Visitor,
    /// The grant.
    pub grant: GrantId,
    /// The client.
    pub client: ClientId,
    /// The client's name.
    pub client_name: String,
    /// What it asks for.
    pub scope: Scope,
    /// The code, to compare or to type again.
    pub code: CodeCheck,
    /// Where and when the device asked.
    pub started: Started,
    /// Whether device and browser seem to be on one network.
    pub same_network: bool,
    /// Whether being on one network is required.
    pub same_network_required: bool,
}

/// How a person makes sure that the code is the one on the device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CodeCheck {
    /// It is shown, to compare.
    Compare(String),
    /// It is not known any more, and nothing can be approved.
    Hidden,
    /// It is not shown, and must be typed from the device.
    Retype {
        /// Whether the last try was wrong.
        wrong: bool,
    },
}

impl PendingDevice {
    fn new(
        signed_in: &SignedIn,
        client: &Client,
        grant: &Grant,
        code: &UserCode,
        peer: &Peer,
    ) -> Self {
        let code = match client.device.approval {
            DeviceApproval::Retype => CodeCheck::Retype { wrong: false },
            DeviceApproval::Warn | DeviceApproval::SameNetwork => {
                CodeCheck::Compare(code.formatted())
            }
        };
        Self::with(signed_in, client, grant, code, peer)
    }

    pub(super) fn with(
        signed_in: &SignedIn,
        client: &Client,
        grant: &Grant,
        code: CodeCheck,
        peer: &Peer,
    ) -> Self {
        Self {
            visitor: signed_in.visitor(),
            grant: grant.id,
            client: client.id.clone(),
            client_name: client.name.clone(),
            scope: grant.scope.clone(),
            code,
            started: grant.started.clone(),
            same_network: grant.started.by.shares_network_with(peer),
            same_network_required: client.device.approval == DeviceApproval::SameNetwork,
        }
    }
}

impl Operation for LookupUserCode {
    type Reply = LookupUserCodeReply;

    fn decide(&self, env: &Env<'_>, facts: &Facts) -> Result<Decision<LookupUserCodeReply>, Stop> {
        let Some(signed_in) = session::signed_in(env, facts, self.cookie.as_ref(), &[])? else {
            return Ok(Decision::reply(LookupUserCodeReply::SignIn));
        };
        let Some(code) = env.realm.device.user_code.read(self.typed.reveal()) else {
            return Ok(Decision::reply(LookupUserCodeReply::NotValid {
                visitor: signed_in.visitor(),
                strained: false,
            }));
        };
        let quotas = quotas(env, &signed_in, &self.peer);
        let (tries, at) = match facts.ask(LimitQuery::Reserve {
            quotas: quotas.clone(),
            window: Window::Hour,
        })? {
            LimitAnswer::Reserved { count, at } => (count, at),
            LimitAnswer::Full { retry_after } => {
                return Ok(Decision::reply(LookupUserCodeReply::TooMany {
                    visitor: signed_in.visitor(),
                    retry_after,
                })
                .event(
                    Event::new(EventKind::TriesUsedUp)
                        .user(signed_in.user.record.id)
                        .peer(&self.peer),
                ));
            }
            LimitAnswer::Poll(_) => {
                return Err(
                    crate::base::error::Failure::Bug("a try was answered as a poll").into(),
                );
            }
        };
        let Some(grant) = pending(env, facts, &code)? else {
            return Ok(not_valid(env, &signed_in, tries, &self.peer));
        };
        let Some(client) = env
            .realm
            .clients
            .get(&grant.client)
            .filter(|client| client.enabled)
        else {
            return Ok(not_valid(env, &signed_in, tries, &self.peer));
        };
        // The try was right, whatever comes now.
        let release = Effect::Release {
            quotas,
            window: Window::Hour,
            at,
        };
        if !signed_in.is_fresh(client.device.approver_max_age, env.now) {
            return Ok(Decision::reply(LookupUserCodeReply::SignIn).effect(release));
        }
        let device = PendingDevice::new(&signed_in, client, &grant, &code, &self.peer);
        Ok(
            Decision::reply(LookupUserCodeReply::Pending(Box::new(device)))
                .writes(signed_in.touch)
                .effect(release),
        )
    }
}

/// 20 wrong tries an hour for an account, 200 for an address; for the realm they are only counted.
pub(super) fn quotas(env: &Env<'_>, signed_in: &SignedIn, peer: &Peer) -> Vec<Quota> {
    vec![
        Quota {
            counter: Counter::UserCodesPerAccount,
            subject: signed_in.user.record.id.to_string(),
            limit: env.realm.per_node(MAX_TRIES_PER_ACCOUNT),
        },
        Quota {
            counter: Counter::UserCodesPerAddress,
            subject: peer.network(),
            limit: env.realm.per_node(MAX_TRIES_PER_ADDRESS),
        },
        Quota {
            counter: Counter::UserCodesPerRealm,
            subject: String::new(),
            limit: u32::MAX,
        },
    ]
}

/// The grant that waits under a code. Under each master key that still opens, the code has another name.
fn pending(env: &Env<'_>, facts: &Facts, code: &UserCode) -> Result<Option<Grant>, Stop> {
    let names: Vec<Key> = env
        .realm
        .sealing
        .user_code_names(code)
        .map(|name| records::key::<UserCodeRow>(&env.realm.name, &name))
        .collect();
    facts.need(&names.iter().collect::<Vec<_>>())?;
    for name in &names {
        if let Some(row) = facts.record::<UserCodeRow>(env, name)?.live() {
            let key = records::key::<Grant>(&env.realm.name, &row.record.grant.to_string());
            let grant = facts
                .record::<Grant>(env, &key)?
                .live()
                .map(|grant| grant.record);
            return Ok(
                grant.filter(|grant| matches!(grant.state, GrantState::DevicePending { .. }))
            );
        }
    }
    Ok(None)
}

fn not_valid(
    env: &Env<'_>,
    signed_in: &SignedIn,
    tries: u32,
    peer: &Peer,
) -> Decision<LookupUserCodeReply> {
    let strained = tries > env.realm.per_node(WRONG_IN_POOL);
    let reply = LookupUserCodeReply::NotValid {
        visitor: signed_in.visitor(),
        strained,
    };
    let decision = Decision::reply(reply).event(
        Event::new(EventKind::WrongUserCode)
            .user(signed_in.user.record.id)
            .peer(peer),
    );
    if strained {
        decision.event(Event::new(EventKind::ManyWrongUserCodes))
    } else {
        decision
    }
}

//! A user approves or denies a device (RFC 8628 section 3.3).

use super::session::{self, SignedIn};
use super::who_asks;
use crate::client::DeviceApproval;
use crate::decide::{Decision, Found, Operation, Stop, Versioned};
use crate::endpoints::device_authorization;
use crate::env::Env;
use crate::event::{Event, EventKind};
use crate::id::GrantId;
use crate::limits::{Answer, Ask, Effect, Window};
use crate::peer::Peer;
use crate::records::{self, Authorization, Grant, NotPending, State, UserCodeRow};
use crate::row::Write;
use crate::secret::Secret;

/// A decision of the user of this session on this grant. The form that brings it is bound to both, never to the code.
#[derive(Debug)]
pub struct DeviceDecision {
    /// The session cookie.
    pub cookie: Option<Secret>,
    /// The grant.
    pub grant: GrantId,
    /// Yes or no.
    pub approve: bool,
    /// The code, where it had to be typed again.
    pub typed: Option<Secret>,
    /// The browser.
    pub peer: Peer,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeviceDecisionReply {
    /// Sign-in comes first; or comes again, where it is too long ago.
    SignIn,
    /// Approved: the device gets its tokens.
    Approved {
        /// The client's name.
        client: String,
    },
    /// Denied: the device is told so.
    Denied {
        /// The client's name.
        client: String,
    },
    /// Somebody decided already, or the code has ended.
    Gone,
    /// The client wants device and browser on one network, and they are not.
    OtherNetwork,
    /// The code that was typed again is not the one on the device.
    WrongCode,
    /// Too many wrong tries.
    TooMany {
        /// Seconds until the next.
        retry_after: u64,
    },
}

impl DeviceDecision {
    fn approved(
        &self,
        env: &Env<'_>,
        signed_in: &SignedIn,
        grant: Grant,
    ) -> Result<Grant, NotPending> {
        let user = &signed_in.user.record;
        let session = &signed_in.session.record;
        let authorization = Authorization {
            user: user.id,
            epoch: user.epoch,
            scope: grant.scope.clone(),
            at: env.now,
            auth_time: session.auth_time,
            amr: session.amr.clone(),
            // A device's grant does not end with the browser's session.
            session: None,
            from: self.peer.clone(),
        };
        grant.approve(authorization)
    }

    /// The code typed again, compared with the grant's own. A wrong one is a guess, and counted as such.
    fn retyped(
        &self,
        env: &Env<'_>,
        found: &Found,
        signed_in: &SignedIn,
        name: &str,
    ) -> Result<Result<Effect, DeviceDecisionReply>, Stop> {
        let typed = self
            .typed
            .as_ref()
            .and_then(|typed| env.pool.device.user_code.read(typed.reveal()));
        let Some(typed) = typed else {
            return Ok(Err(DeviceDecisionReply::WrongCode));
        };
        let quotas = who_asks::quotas(env, signed_in, &self.peer);
        if let Answer::Full { retry_after } = found.ask(Ask::Reserve {
            quotas: quotas.clone(),
            window: Window::Hour,
        })? {
            return Ok(Err(DeviceDecisionReply::TooMany { retry_after }));
        }
        if !env
            .pool
            .sealing
            .user_code_names(&typed)
            .any(|typed| typed == name)
        {
            return Ok(Err(DeviceDecisionReply::WrongCode));
        }
        Ok(Ok(Effect::GiveBack {
            quotas,
            window: Window::Hour,
            at: env.now,
        }))
    }
}

impl Operation for DeviceDecision {
    type Reply = DeviceDecisionReply;

    fn decide(&self, env: &Env<'_>, found: &Found) -> Result<Decision<DeviceDecisionReply>, Stop> {
        let key = records::key::<Grant>(env, &self.grant.to_string());
        let Some(signed_in) = session::signed_in(env, found, self.cookie.as_ref(), &[&key])? else {
            return Ok(Decision::reply(DeviceDecisionReply::SignIn));
        };
        let Some(Versioned {
            record: grant,
            version,
        }) = found.record::<Grant>(env, &key)?.live()
        else {
            return Ok(Decision::reply(DeviceDecisionReply::Gone));
        };
        let State::DevicePending { user_code } = &grant.state else {
            return Ok(Decision::reply(DeviceDecisionReply::Gone));
        };
        let Some(client) = env
            .pool
            .clients
            .get(&grant.client)
            .filter(|client| client.enabled)
        else {
            return Ok(Decision::reply(DeviceDecisionReply::Gone));
        };
        if !signed_in.is_fresh(client.device.approver_max_age, env.now) {
            return Ok(Decision::reply(DeviceDecisionReply::SignIn));
        }
        let mut give_back = None;
        if self.approve {
            let same_network = grant.started.by.shares_network_with(&self.peer);
            match client.device.approval {
                DeviceApproval::SameNetwork if !same_network => {
                    return Ok(Decision::reply(DeviceDecisionReply::OtherNetwork));
                }
                DeviceApproval::Retype => match self.retyped(env, found, &signed_in, user_code)? {
                    Ok(effect) => give_back = Some(effect),
                    Err(reply) => return Ok(Decision::reply(reply)),
                },
                DeviceApproval::Warn | DeviceApproval::SameNetwork => {}
            }
        }
        // The code has served: nobody can look it up any more.
        let code_key = records::key::<UserCodeRow>(env, user_code);
        let code = found.record::<UserCodeRow>(env, &code_key)?.live();
        let freed = device_authorization::decided(env, &grant);
        let (decided, kind, reply) = if self.approve {
            let reply = DeviceDecisionReply::Approved {
                client: client.name.clone(),
            };
            (
                self.approved(env, &signed_in, grant),
                EventKind::DeviceApproved,
                reply,
            )
        } else {
            let reply = DeviceDecisionReply::Denied {
                client: client.name.clone(),
            };
            (
                grant.deny(signed_in.user.record.id),
                EventKind::DeviceDenied,
                reply,
            )
        };
        let Ok(decided) = decided else {
            return Ok(Decision::reply(DeviceDecisionReply::Gone));
        };
        let mut decision = Decision::reply(reply)
            .write(records::update(env, &decided, version)?)
            .writes(code.map(|code| Write::Delete {
                key: code_key,
                expect: code.version,
            }))
            .writes(signed_in.checks(env))
            .effect(Effect::Decided(self.grant))
            .event(
                Event::new(kind)
                    .client(&client.id)
                    .user(signed_in.user.record.id)
                    .grant(self.grant)
                    .peer(&self.peer),
            );
        decision.writes.extend(signed_in.touch);
        decision.effects.extend(freed.into_iter().chain(give_back));
        Ok(decision)
    }
}

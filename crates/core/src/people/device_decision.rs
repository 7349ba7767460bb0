//! A user approves or denies a device (RFC 8628 section 3.3).

use super::lookup_user_code::{self, CodeCheck, PendingDevice};
use super::session::{self, SignedIn, Visitor};
use crate::base::peer::Peer;
use crate::base::secret::Secret;
use crate::engine::decide::{Decision, Facts, Operation, Stop, Versioned};
use crate::engine::env::Env;
use crate::engine::event::{Event, EventKind};
use crate::engine::limits::{Effect, LimitAnswer, LimitQuery, Window, pending};
use crate::model::claims_request::RequestedClaims;
use crate::model::client::{Client, DeviceApproval};
use crate::model::ids::GrantId;
use crate::records::{self, Authorization, Grant, GrantState, NotPending, UserCodeRow};

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
#[derive(Clone, Debug)]
pub enum DeviceDecisionReply {
    /// Sign-in comes first; or comes again, where it is too long ago.
    SignIn,
    /// Decided now.
    Decided {
        /// Who decided.
        visitor: Visitor,
        /// The client's name.
        client: String,
        /// Yes: the device gets its tokens. No: it is told so.
        approved: bool,
    },
    /// Somebody decided already, or the code has ended.
    Gone {
        /// Who came too late.
        visitor: Visitor,
    },
    /// Not decided: the code that was typed again is wrong, or the client wants device and browser on one network.
    Again(Box<PendingDevice>),
    /// Too many wrong tries.
    TooMany {
        /// Who tried.
        visitor: Visitor,
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
            offline: true,
            claims: RequestedClaims::default(),
            from: self.peer.clone(),
        };
        grant.approve(authorization)
    }

    /// The code typed again, compared with the grant's own. A wrong one is a guess, and counted as such.
    fn retyped(
        &self,
        env: &Env<'_>,
        facts: &Facts,
        signed_in: &SignedIn,
        name: &str,
    ) -> Result<Retyped, Stop> {
        let typed = self
            .typed
            .as_ref()
            .and_then(|typed| env.realm.device.user_code.read(typed.reveal()));
        let Some(typed) = typed else {
            return Ok(Retyped::Wrong);
        };
        let mut names = env.realm.sealing.user_code_names(&typed);
        let wrong = !names.any(|typed| typed == name);
        let judged = facts.ask(LimitQuery::Check {
            quotas: lookup_user_code::quotas(env, signed_in, &self.peer),
            window: Window::Hour,
            wrong,
        })?;
        Ok(match judged {
            LimitAnswer::Full { retry_after } => Retyped::TooMany(retry_after),
            _ if wrong => Retyped::Wrong,
            _ => Retyped::Right,
        })
    }

    /// What keeps the user from approving, as the client's policy has it.
    fn hindered(
        &self,
        env: &Env<'_>,
        facts: &Facts,
        signed_in: &SignedIn,
        client: &Client,
        grant: &Grant,
        code: &str,
    ) -> Result<Option<DeviceDecisionReply>, Stop> {
        let again = |code| {
            let asker = PendingDevice::with(signed_in, client, grant, code, &self.peer);
            Some(DeviceDecisionReply::Again(Box::new(asker)))
        };
        Ok(match client.device.approval {
            DeviceApproval::Warn => None,
            DeviceApproval::SameNetwork if grant.started.by.shares_network_with(&self.peer) => None,
            DeviceApproval::SameNetwork => again(CodeCheck::Hidden),
            DeviceApproval::Retype => match self.retyped(env, facts, signed_in, code)? {
                Retyped::Right => None,
                Retyped::Wrong => again(CodeCheck::Retype { wrong: true }),
                Retyped::TooMany(retry_after) => Some(DeviceDecisionReply::TooMany {
                    visitor: signed_in.visitor(),
                    retry_after,
                }),
            },
        })
    }

    /// The answer to a decision that is made: now, or by an earlier attempt whose commit was not seen to end.
    fn decided(&self, signed_in: &SignedIn, client: &Client) -> Decision<DeviceDecisionReply> {
        let visitor = signed_in.visitor();
        let kind = if self.approve {
            EventKind::DeviceApproved
        } else {
            EventKind::DeviceDenied
        };
        let event = Event::new(kind)
            .client(&client.id)
            .user(visitor.user)
            .grant(self.grant)
            .peer(&self.peer);
        let reply = DeviceDecisionReply::Decided {
            visitor,
            client: client.name.clone(),
            approved: self.approve,
        };
        Decision::reply(reply)
            .effect(Effect::ClearPoll(self.grant))
            .event(event)
    }
}

/// How the code that was typed again compares.
enum Retyped {
    Right,
    Wrong,
    TooMany(u64),
}

impl Operation for DeviceDecision {
    type Reply = DeviceDecisionReply;

    fn decide(&self, env: &Env<'_>, facts: &Facts) -> Result<Decision<DeviceDecisionReply>, Stop> {
        let key = records::key::<Grant>(&env.realm.name, &self.grant.to_string());
        let Some(signed_in) = session::signed_in(env, facts, self.cookie.as_ref(), &[&key])? else {
            return Ok(Decision::reply(DeviceDecisionReply::SignIn));
        };
        let gone = || {
            let visitor = signed_in.visitor();
            Ok(Decision::reply(DeviceDecisionReply::Gone { visitor }))
        };
        let Some(Versioned { record: grant, row }) = facts.record::<Grant>(env, &key)?.live()
        else {
            return gone();
        };
        let Some(client) = env
            .realm
            .clients
            .get(&grant.client)
            .filter(|client| client.enabled)
        else {
            return gone();
        };
        let GrantState::DevicePending { user_code } = &grant.state else {
            // After an unknown commit, a row that is not ours any more may be ours, redeemed meanwhile.
            let by = grant.active().map(|authorization| authorization.user);
            if facts.after_unknown() && self.approve && by == Some(signed_in.user.record.id) {
                return Ok(self.decided(&signed_in, client));
            }
            return gone();
        };
        if !signed_in.is_fresh(client.device.approver_max_age, env.now) {
            return Ok(Decision::reply(DeviceDecisionReply::SignIn));
        }
        if self.approve
            && let Some(reply) = self.hindered(env, facts, &signed_in, client, &grant, user_code)?
        {
            return Ok(Decision::reply(reply));
        }
        // The code has served: nobody can look it up any more.
        let code_key = records::key::<UserCodeRow>(&env.realm.name, user_code);
        let code = facts.record::<UserCodeRow>(env, &code_key)?.live();
        let mut decision = self.decided(&signed_in, client);
        decision.effects.extend(pending::release(env, &grant));
        let decided = if self.approve {
            self.approved(env, &signed_in, grant)
        } else {
            grant.deny(signed_in.user.record.id)
        };
        let Ok(decided) = decided else { return gone() };
        Ok(decision
            .write(records::update(&env.realm.name, &decided, &row)?)
            .writes(code.map(|code| records::delete(&code.row)).transpose()?)
            .writes(signed_in.checks(env))
            .writes(signed_in.touch))
    }
}

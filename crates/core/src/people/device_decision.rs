//! Approving or denying a device (RFC 8628 section 3.3).

use std::convert::Infallible;

use super::attempt::{Attempt, LimitReached};
use super::lookup_user_code::{self, CodeCheck, PendingDevice, WithheldDevice};
use super::session::{self, SignedIn, Visitor};
use super::withheld::{Grantable, Withheld};
use crate::base::peer::Peer;
use crate::base::secret::Secret;
use crate::engine::decide::{Decision, Excess, Halt, Task};
use crate::engine::env::Env;
use crate::engine::event::{Event, EventKind};
use crate::engine::facts::{Facts, Versioned};
use crate::engine::limits::{Effect, Window, pending};
use crate::model::claims_request::RequestedClaims;
use crate::model::client::{Client, DeviceApproval};
use crate::model::ids::GrantId;
use crate::model::scope::Scope;
use crate::records::{
    self, Authorization, Grant, GrantOrigin, GrantState, NotPending, UserCodeRow,
};
use crate::tokens::handles::PresentedCookie;

/// The form that submits it is bound to session and grant, never to the code.
#[derive(Debug)]
pub struct DeviceDecision {
    pub cookie: Option<PresentedCookie>,
    pub grant: GrantId,
    pub approve: bool,
    /// The user code, where it must be typed again.
    pub typed: Option<Secret>,
    /// The scopes that the page showed; all that the device asks for, if it does not say.
    pub shown: Option<Scope>,
    pub peer: Peer,
}

#[derive(Clone, Debug)]
pub enum DeviceDecisionReply {
    /// The user is not signed in, or the sign-in is too old.
    SignIn,
    Decided(DecidedDevice),
    /// Decided before by the same user: the form was sent again.
    DecidedBefore(DecidedDevice),
    /// Decided by someone else, or expired.
    Gone {
        visitor: Visitor,
    },
    /// Not decided: the retyped code is wrong, or the client requires device and browser on one network.
    Again(Box<PendingDevice>),
    /// Not decided: the user can be given nothing of what the device asks for.
    Withheld(WithheldDevice),
    /// Too many wrong codes.
    TooMany {
        visitor: Visitor,
        /// In seconds.
        retry_after: u64,
    },
}

/// A device that the user decided about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecidedDevice {
    pub visitor: Visitor,
    pub grant: GrantId,
    pub client_name: String,
    pub approved: bool,
}

impl DecidedDevice {
    /// `None` where the user has not decided about it.
    pub(super) fn new(signed_in: &SignedIn, client: &Client, grant: &Grant) -> Option<Self> {
        let user = signed_in.user.record.id;
        let (by, approved) = match (&grant.kind, &grant.state) {
            (_, GrantState::DeviceDenied { by }) => (*by, false),
            (GrantOrigin::Device, _) => (grant.authorization()?.user, true),
            _ => return None,
        };
        (by == user).then(|| Self {
            visitor: signed_in.visitor(),
            grant: grant.id,
            client_name: client.name.clone(),
            approved,
        })
    }
}

impl DeviceDecision {
    fn approved(
        &self,
        env: &Env<'_>,
        client: &Client,
        signed_in: &SignedIn,
        grant: Grant,
        given: Grantable,
    ) -> Result<Grant, NotPending> {
        let user = &signed_in.user.record;
        let session = &signed_in.session.record;
        let authorization = Authorization {
            user: user.id,
            epoch: user.epoch,
            disclosed: Some(client.disclosed_claims(&given.scope)),
            scope: given.scope,
            at: env.now,
            auth_time: session.auth_time,
            amr: session.amr.clone(),
            // A device's grant does not end with the browser's session.
            session: None,
            offline: true,
            claims: RequestedClaims::default(),
            from: self.peer.clone(),
        };
        let resources = given.resources;
        Grant { resources, ..grant }.approve(authorization)
    }

    /// What the user can give to the device, of what the page showed.
    fn grantable(
        &self,
        env: &Env<'_>,
        client: &Client,
        signed_in: &SignedIn,
        grant: &Grant,
    ) -> Result<Grantable, Withheld> {
        let shown = self.shown.as_ref();
        let asked = shown.map_or_else(
            || grant.scope.clone(),
            |shown| grant.scope.intersection(shown),
        );
        let user = &signed_in.user.record;
        Grantable::new(env, client, user, &asked, &grant.resources)
    }

    /// Compares the retyped code with the grant's. A wrong one counts as a guess.
    fn check_retyped(
        &self,
        env: &Env<'_>,
        facts: &Facts,
        signed_in: &SignedIn,
        name: &str,
    ) -> Result<Retyped, Halt> {
        let (typed, format) = (self.typed.as_ref(), &env.realm.device.user_code);
        let Some(typed) = typed.and_then(|typed| format.read(typed.reveal())) else {
            return Ok(Retyped::Wrong);
        };
        let mut names = env.realm.sealing.user_code_names(&typed);
        let wrong = !names.any(|typed| typed == name);
        let attempt = Attempt {
            quotas: lookup_user_code::quotas(env, signed_in, &self.peer),
            window: Window::Hour,
        };
        let checked = match wrong {
            true => Retyped::Wrong,
            false => Retyped::Right,
        };
        let limit_reached = |limit: LimitReached| Retyped::TooMany(limit.retry_after);
        match attempt.end(facts, !wrong) {
            Ok(_) => Ok(checked),
            Err(stop) => stop.recover(limit_reached),
        }
    }

    /// The reply where the client's policy prevents the approval.
    fn check_policy(
        &self,
        env: &Env<'_>,
        facts: &Facts,
        signed_in: &SignedIn,
        client: &Client,
        (grant, code): (&Grant, &str),
        given: &Grantable,
    ) -> Result<Option<DeviceDecisionReply>, Halt> {
        let again = |code| {
            let scope = given.scope.clone();
            let device = PendingDevice::with(signed_in, client, grant, scope, code, &self.peer);
            Some(DeviceDecisionReply::Again(Box::new(device)))
        };
        Ok(match client.device.approval {
            DeviceApproval::Warn => None,
            DeviceApproval::SameNetwork if grant.started.by.shares_network_with(&self.peer) => None,
            DeviceApproval::SameNetwork => again(CodeCheck::Hidden),
            DeviceApproval::Retype => match self.check_retyped(env, facts, signed_in, code)? {
                Retyped::Right => None,
                Retyped::Wrong => again(CodeCheck::Retype { wrong: true }),
                Retyped::TooMany(retry_after) => Some(DeviceDecisionReply::TooMany {
                    visitor: signed_in.visitor(),
                    retry_after,
                }),
            },
        })
    }

    /// The answer to a decision made now, or by an earlier attempt whose commit had an unknown outcome.
    fn decided(
        &self,
        signed_in: &SignedIn,
        client: &Client,
    ) -> Decision<DeviceDecisionReply, Infallible> {
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
        let reply = DeviceDecisionReply::Decided(DecidedDevice {
            visitor,
            grant: self.grant,
            client_name: client.name.clone(),
            approved: self.approve,
        });
        Decision::reply(reply)
            .effect(Effect::ClearPoll(self.grant))
            .event(event)
    }
}

enum Retyped {
    Right,
    Wrong,
    TooMany(u64),
}

impl Task for DeviceDecision {
    type Reply = DeviceDecisionReply;

    fn decide(
        &self,
        env: &Env<'_>,
        facts: &Facts,
    ) -> Result<Decision<DeviceDecisionReply, Infallible>, Halt> {
        let key = records::key::<Grant>(&env.realm.name, &self.grant.to_string());
        let Some(signed_in) = session::signed_in(env, facts, self.cookie.as_ref(), &[&key])? else {
            return Ok(Decision::reply(DeviceDecisionReply::SignIn));
        };
        let already_decided = || {
            let visitor = signed_in.visitor();
            Ok(Decision::reply(DeviceDecisionReply::Gone { visitor }))
        };
        let Some(Versioned { record: grant, row }) = facts.record::<Grant>(env, &key)?.live()
        else {
            return already_decided();
        };
        let Some(client) = facts.live_client(env, &grant)? else {
            return already_decided();
        };
        let GrantState::DevicePending { user_code } = &grant.state else {
            // After a commit with an unknown outcome, an active grant may be this approval, redeemed meanwhile.
            let approver = grant.active().map(|authorization| authorization.user);
            if facts.after_unknown() && self.approve && approver == Some(signed_in.user.record.id) {
                return Ok(self.decided(&signed_in, client));
            }
            return match DecidedDevice::new(&signed_in, client, &grant) {
                Some(decided) => Ok(Decision::reply(DeviceDecisionReply::DecidedBefore(decided))),
                None => already_decided(),
            };
        };
        if !signed_in.is_fresh(client.device.approver_max_age, env.now) {
            return Ok(Decision::reply(DeviceDecisionReply::SignIn));
        }
        let given = match self.approve {
            true => Some(self.grantable(env, client, &signed_in, &grant)),
            false => None,
        };
        let given = match given.transpose() {
            Ok(given) => given,
            Err(why) => {
                let withheld = WithheldDevice::new(&signed_in, client, why);
                return Ok(Decision::reply(DeviceDecisionReply::Withheld(withheld)));
            }
        };
        if let Some(given) = &given
            && let Some(reply) =
                self.check_policy(env, facts, &signed_in, client, (&grant, user_code), given)?
        {
            return Ok(Decision::reply(reply));
        }
        // The user code is used up, so its row goes.
        let code_key = records::key::<UserCodeRow>(&env.realm.name, user_code);
        let code = facts.record::<UserCodeRow>(env, &code_key)?.live();
        let mut decision = self.decided(&signed_in, client);
        decision.effects.push(pending::release(env, client, &grant));
        if self.approve {
            let user = signed_in.user.record.id;
            decision.excess = Excess::of_new_grant(self.grant, user, &client.id);
        }
        let decided = match given {
            Some(given) => self.approved(env, client, &signed_in, grant, given),
            None => grant.deny(signed_in.user.record.id),
        };
        let Ok(decided) = decided else {
            return already_decided();
        };
        Ok(decision
            .write(records::update(&env.realm.name, &decided, &row)?)
            .writes(code.map(|code| records::delete(&code.row)).transpose()?)
            .writes(signed_in.checks(env))
            .writes(signed_in.touch))
    }
}

/// What the user decided about a device, for the page that the decision leads to. A reload shows it again.
#[derive(Debug)]
pub struct ViewDecision {
    pub cookie: Option<PresentedCookie>,
    pub grant: GrantId,
}

#[derive(Clone, Debug)]
pub enum ViewDecisionReply {
    /// The user is not signed in.
    SignIn,
    Decided(DecidedDevice),
    /// Not decided by this user, or removed since.
    Gone,
}

impl Task for ViewDecision {
    type Reply = ViewDecisionReply;

    fn decide(
        &self,
        env: &Env<'_>,
        facts: &Facts,
    ) -> Result<Decision<ViewDecisionReply, Infallible>, Halt> {
        let key = records::key::<Grant>(&env.realm.name, &self.grant.to_string());
        let Some(signed_in) = session::signed_in(env, facts, self.cookie.as_ref(), &[&key])? else {
            return Ok(Decision::reply(ViewDecisionReply::SignIn));
        };
        let grant = facts.record::<Grant>(env, &key)?.live();
        let decided = match &grant {
            Some(Versioned { record, .. }) => match facts.live_client(env, record)? {
                Some(client) => DecidedDevice::new(&signed_in, client, record),
                None => None,
            },
            None => None,
        };
        let reply = decided.map_or(ViewDecisionReply::Gone, ViewDecisionReply::Decided);
        Ok(Decision::reply(reply).writes(signed_in.touch))
    }
}

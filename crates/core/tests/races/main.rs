//! Every interleaving of any two requests about one grant.
//!
//! Reads, questions to the tables in memory and commits are the only effects of a request, so an order of those is
//! all that two requests can do to each other. Each pair is run from the beginning in every order that there is, with
//! a store that answers, and with one that loses the answer of a commit.

#![expect(clippy::expect_used, reason = "a part of tests")]

mod access_limits;
mod account;
mod api;
mod check;
mod exchange;
mod groups;
mod limits;
mod logins;
mod passwords;
mod reload;
mod schedules;
mod signing_keys;

use std::convert::Infallible;

use grantor_core::base::error::ErrorCode;
use grantor_core::base::secret::Secret;
use grantor_core::engine::decide::Operation;
use grantor_core::engine::drive::Outcome;
use grantor_core::people::{Password, SignInReply};

use check::check;
use grantor_store::testing::Fault;
use grantor_testkit::world::{
    Browser, Decided, Run, Tokens, World, answer, decided, declared_user,
};
use grantor_testkit::{Codes, DEVICE_ADDRESS, Spans as _};
use schedules::every_order;

/// What may meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Request {
    /// The device polls, and redeems where it is approved.
    Poll,
    /// Alice approves.
    Approve,
    /// Alice denies.
    Deny,
    /// Bob approves.
    ApproveToo,
    /// The device refreshes the token that it holds.
    Refresh,
    /// The device refreshes the token before that one, whose answer was lost or which was stolen.
    RefreshOld,
    /// The same from another network.
    RefreshElsewhere,
    /// The device revokes its refresh token.
    Revoke,
    /// The device revokes its access token.
    RevokeAccess,
    /// Alice removes the device on her account page.
    TakeBack,
    /// Alice signs out everywhere.
    Everywhere,
    /// The operator disables Alice.
    Disable,
    /// Alice's password is changed.
    ChangePassword,
    /// Alice signs out of the browser in which she decides.
    SignOut,
    /// Alice signs in again in that browser.
    SignIn,
}

/// How a request ended.
#[derive(Clone, Debug)]
enum End {
    Tokens(Result<Tokens, ErrorCode>),
    Page(Decided),
    Code(Option<Secret>),
    SignedIn(Option<Secret>),
    Done,
    Refused(ErrorCode),
}

impl End {
    fn tokens(&self) -> Option<&Tokens> {
        match self {
            Self::Tokens(Ok(tokens)) => Some(tokens),
            _ => None,
        }
    }

    fn refused(&self) -> Option<ErrorCode> {
        match self {
            Self::Tokens(Err(code)) | Self::Refused(code) => Some(*code),
            _ => None,
        }
    }

    fn page(&self) -> Option<Decided> {
        match self {
            Self::Page(decided) => Some(*decided),
            _ => None,
        }
    }
}

/// Where a grant stands before the two requests.
#[derive(Clone, Copy, Debug)]
enum Stage {
    Pending,
    Approved,
    /// Tokens were given, and refreshed once; the grace of the first refresh token is over or not.
    Active {
        grace_over: bool,
    },
}

/// The beginning of each schedule.
struct Scene {
    world: World,
    codes: Codes,
    alice: Browser,
    bob: Browser,
    /// What the device was given before.
    old: Option<Tokens>,
    held: Option<Tokens>,
}

impl Scene {
    fn new(stage: Stage) -> Self {
        let mut world = World::new();
        // tv2's ID tokens are ES256, which is quick.
        let codes = world.device_codes("tv2");
        let (alice, bob) = (world.signed_in("alice"), world.signed_in("bob"));
        let (mut old, mut held) = (None, None);
        if !matches!(stage, Stage::Pending) {
            assert_eq!(world.decide(&alice, &codes, true), Decided::Approved);
        }
        if let Stage::Active { grace_over } = stage {
            let first = world.poll(&codes).expect("tokens");
            held = Some(world.refresh("tv2", first.refresh()).expect("tokens"));
            old = Some(first);
            if grace_over {
                world.advance(61.s());
            }
        }
        Self {
            world,
            codes,
            alice,
            bob,
            old,
            held,
        }
    }
}

impl schedules::Scene for Scene {
    type Act = Request;

    fn world(&mut self) -> &mut World {
        &mut self.world
    }

    fn begin(&mut self, request: Request) -> Box<dyn Racer> {
        let world = &mut self.world;
        let held = self.held.as_ref();
        let grant = world.grant_of(&self.codes);
        match request {
            Request::Poll => {
                let poll = world.poll_request("tv2", &self.codes.device);
                racer(world, poll, |outcome| End::Tokens(answer(outcome)))
            }
            Request::Approve | Request::Deny => {
                let approve = request == Request::Approve;
                let decision = self.alice.decide(grant, approve, None);
                racer(world, decision, |outcome| End::Page(decided(&outcome)))
            }
            Request::ApproveToo => {
                let decision = self.bob.decide(grant, true, None);
                racer(world, decision, |outcome| End::Page(decided(&outcome)))
            }
            Request::Refresh => {
                let token = held.expect("tokens").refresh();
                let refresh = world.refresh_request("tv2", token);
                racer(world, refresh, |outcome| End::Tokens(answer(outcome)))
            }
            Request::RefreshOld => {
                let token = self.old.as_ref().expect("tokens").refresh();
                let refresh = world.refresh_request("tv2", token);
                racer(world, refresh, |outcome| End::Tokens(answer(outcome)))
            }
            Request::RefreshElsewhere => {
                let token = self.old.as_ref().expect("tokens").refresh();
                let refresh = world.from("203.0.113.9").refresh_request("tv2", token);
                world.from(DEVICE_ADDRESS);
                racer(world, refresh, |outcome| End::Tokens(answer(outcome)))
            }
            Request::Revoke => {
                let revoke = world.revoke_request("tv2", held.expect("tokens").refresh());
                racer(world, revoke, refusable)
            }
            Request::RevokeAccess => {
                let revoke = world.revoke_request("tv2", &held.expect("tokens").access);
                racer(world, revoke, refusable)
            }
            Request::TakeBack => racer(world, self.alice.revoke_grant(grant), plain),
            Request::Everywhere => racer(world, self.alice.sign_out_everywhere(), plain),
            Request::Disable => racer(world, declared_user("alice", false), plain),
            Request::ChangePassword => {
                let mut user = declared_user("alice", true);
                user.password = Password::Hash("plain$new".to_owned());
                racer(world, user, plain)
            }
            Request::SignOut => racer(world, self.alice.sign_out(), refusable),
            Request::SignIn => {
                let sign_in = self.alice.sign_in("alice", "alice-password");
                racer(world, sign_in, |outcome| match outcome.reply {
                    Ok(SignInReply::SignedIn { session, .. }) => End::SignedIn(Some(session)),
                    Ok(_) => End::SignedIn(None),
                })
            }
        }
    }
}

fn plain<R>(_: Outcome<R, Infallible>) -> End {
    End::Done
}

fn refusable<R>(outcome: Outcome<R>) -> End {
    match outcome.reply {
        Ok(_) => End::Done,
        Err(refusal) => End::Refused(refusal.code),
    }
}

/// A request of any kind under way.
trait Racer {
    fn effect(&mut self, world: &mut World) -> Option<End>;
}

struct Lane<O: Operation> {
    run: Run<O>,
    end: fn(Outcome<O::Reply, O::Refused>) -> End,
}

impl<O: Operation> Racer for Lane<O> {
    fn effect(&mut self, world: &mut World) -> Option<End> {
        let end = self.run.effect(world)?;
        Some((self.end)(end.expect("two requests are no storm")))
    }
}

fn racer<O: Operation + 'static>(
    world: &mut World,
    operation: O,
    end: fn(Outcome<O::Reply, O::Refused>) -> End,
) -> Box<dyn Racer> {
    let run = Run::new(world, operation);
    Box::new(Lane { run, end })
}

/// One schedule that was run.
struct Raced {
    stage: Stage,
    pair: [Request; 2],
    scene: Scene,
    ends: [End; 2],
    /// Which request performed each effect.
    order: Vec<usize>,
    /// The effects at which a request wrote: at most one, unless the answer of a commit was lost.
    wrote: [Vec<usize>; 2],
    /// How the first commit failed, if it did.
    fault: Option<Fault>,
}

/// Runs two requests in every order of their effects, and checks each outcome. Tells how many orders there were.
fn race(stage: Stage, pair: [Request; 2], fault: Option<Fault>) -> usize {
    let new = || Scene::new(stage);
    every_order(new, pair, fault, |scene, schedule| {
        let mut wrote: [Vec<usize>; 2] = Default::default();
        for (at, step) in schedule.steps.iter().enumerate() {
            // The first commit meets no conflict, since nothing was written before it.
            let unseen = fault == Some(Fault::UnknownWritten) && step.first_commit;
            if unseen || step.wrote {
                wrote[step.lane].push(at);
            }
        }
        check(Raced {
            stage,
            pair,
            scene,
            ends: schedule.ends,
            order: schedule.steps.iter().map(|step| step.lane).collect(),
            wrote,
            fault,
        });
    })
}

/// Every pair of these, a request with its own kind among them; and the same where the answer of the first commit is
/// lost, with what it wrote or without.
fn every_pair(stage: Stage, requests: &[Request]) {
    let mut all = 0;
    for (at, first) in requests.iter().enumerate() {
        for second in &requests[at..] {
            for fault in [None, Some(Fault::UnknownWritten), Some(Fault::UnknownLost)] {
                all += race(stage, [*first, *second], fault);
            }
        }
    }
    println!("{all} schedules from {stage:?}");
    assert!(all > 1000, "they do interleave");
}

#[test]
fn every_interleaving_of_two_requests_about_a_pending_code() {
    use Request::{Approve, ApproveToo, ChangePassword, Deny, Disable, Poll, SignIn, SignOut};
    every_pair(
        Stage::Pending,
        &[
            Poll,
            Approve,
            Deny,
            ApproveToo,
            Disable,
            ChangePassword,
            SignOut,
            SignIn,
        ],
    );
}

#[test]
fn every_interleaving_of_two_requests_about_an_approved_code() {
    use Request::{Approve, ChangePassword, Deny, Disable, Poll, SignIn, SignOut};
    every_pair(
        Stage::Approved,
        &[
            Poll,
            Approve,
            Deny,
            Disable,
            ChangePassword,
            SignOut,
            SignIn,
        ],
    );
}

#[test]
fn every_interleaving_of_two_requests_about_an_active_grant() {
    use Request::{
        Approve, ChangePassword, Disable, Everywhere, Poll, Refresh, RefreshElsewhere, RefreshOld,
        Revoke, RevokeAccess, SignOut, TakeBack,
    };
    every_pair(
        Stage::Active { grace_over: false },
        &[
            Poll,
            Refresh,
            RefreshOld,
            RefreshElsewhere,
            Revoke,
            RevokeAccess,
            Disable,
            ChangePassword,
            SignOut,
            Approve,
            TakeBack,
            Everywhere,
        ],
    );
}

#[test]
fn every_interleaving_of_two_requests_about_an_active_grant_whose_grace_is_over() {
    use Request::{Disable, Poll, Refresh, RefreshOld, Revoke, RevokeAccess};
    every_pair(
        Stage::Active { grace_over: true },
        &[Poll, Refresh, RefreshOld, Revoke, RevokeAccess, Disable],
    );
}

//! A store that fails: nothing is used up, nothing is lost, and the device keeps polling.

use grantor_core::base::error::ErrorCode::{self, AuthorizationPending, InvalidGrant};
use grantor_core::base::error::Failure;
use grantor_core::client_auth::Authenticated;
use grantor_core::endpoints::token::Token;
use grantor_core::engine::drive::Outcome;
use grantor_core::grants::TokenReply;
use grantor_store::testing::Fault::{self, Commit, Get, UnknownLost, UnknownWritten};

use grantor_testkit::Spans;
use grantor_testkit::world::{
    Browser, CodeLookup, Decided, Down, Run, SignedIn, Tokens, World, answer, declared_user,
};

/// The next request meets these.
fn inject(world: &World, faults: &[Fault]) {
    for fault in faults {
        world.faults().inject(*fault);
    }
}

fn is_down<T>(result: &Result<T, Down>) -> bool {
    matches!(result, Err(Down::Store(_)))
}

#[test]
fn a_device_keeps_polling_while_the_store_is_down() {
    let mut world = World::new();
    let codes = world.device_codes("tv");
    assert_eq!(world.poll(&codes), Err(AuthorizationPending));
    world.faults().set_down(true);
    for _ in 0..3 {
        world.advance(5.s());
        assert!(is_down(&world.try_poll("tv", &codes.device)));
    }
    world.faults().set_down(false);
    world.advance(5.s());
    assert_eq!(
        world.poll(&codes),
        Err(AuthorizationPending),
        "and does not get slow_down"
    );
    world.approve("alice", &codes);
    world.advance(5.s());
    assert!(world.poll(&codes).is_ok());
}

#[test]
fn a_store_that_fails_at_any_step_uses_up_no_code() {
    for fault in [Get, Commit] {
        let mut world = World::new();
        let codes = world.device_codes("tv");
        world.approve("alice", &codes);
        inject(&world, &[fault]);
        assert!(is_down(&world.try_poll("tv", &codes.device)), "{fault:?}");
        assert!(world.poll(&codes).is_ok(), "{fault:?}");
    }
}

#[test]
fn a_store_that_fails_uses_up_no_refresh_token() {
    for fault in [Get, Commit] {
        let mut world = World::new();
        let tokens = world.device_tokens("tv", "alice");
        inject(&world, &[fault]);
        let request = world.refresh_request("tv", tokens.refresh());
        assert!(is_down(&world.run(request)), "{fault:?}");
        world.advance(1.h());
        assert!(world.refresh("tv", tokens.refresh()).is_ok(), "{fault:?}");
    }
}

#[test]
fn what_was_reserved_is_given_back_where_the_store_fails() {
    let mut world = World::with(|realm| realm.device.max_pending = 10);
    for fault in [Get, Commit] {
        for _ in 0..300 {
            let mut new = Browser::new();
            inject(&world, &[fault]);
            let sign_in = new.sign_in("alice", "alice-password");
            assert!(is_down(&world.run(sign_in)));
            assert_eq!(
                world.sign_in(&mut new, "alice", "alice-password"),
                SignedIn::Yes
            );
        }
    }
    for _ in 0..300 {
        inject(&world, &[Commit]);
        let request = world.device_request("tv", &[]).expect("a request");
        assert!(is_down(&world.run(request)));
    }
    let (browser, codes) = (world.signed_in("alice"), world.device_codes("tv"));
    for _ in 0..300 {
        let mut run = Run::new(&mut world, browser.type_code(&codes.user));
        assert!(run.effect(&mut world).is_none(), "the session is read");
        assert!(run.effect(&mut world).is_none(), "the try is reserved");
        inject(&world, &[Get]);
        assert!(run.effect(&mut world).is_some_and(|end| is_down(&end)));
    }
    assert!(matches!(
        world.type_code(&browser, &codes.user),
        CodeLookup::Asks(_)
    ));
}

/// Polls an approved code, or refreshes a token, whose commits meet these faults.
fn redeem(faults: &[Fault]) -> (World, Result<Tokens, ErrorCode>) {
    let mut world = World::new();
    let codes = world.device_codes("tv");
    world.approve("alice", &codes);
    inject(&world, faults);
    let tokens = world.poll(&codes);
    assert_eq!(world.poll(&codes), Err(InvalidGrant), "the code is used");
    (world, tokens)
}

#[test]
fn a_redeem_whose_commit_is_unknown_gives_tokens_once_whether_or_not_it_happened() {
    for faults in [
        &[UnknownWritten][..],
        &[UnknownLost],
        &[UnknownLost, UnknownLost],
        &[UnknownLost, UnknownWritten],
    ] {
        let (mut world, tokens) = redeem(faults);
        let tokens = tokens.expect("tokens");
        assert!(world.userinfo(&tokens.access).is_ok(), "{faults:?}");
        assert!(world.refresh("tv", tokens.refresh()).is_ok(), "{faults:?}");
    }
}

#[test]
fn a_refresh_whose_commit_is_unknown_gives_the_successor_whether_or_not_it_happened() {
    for faults in [
        &[UnknownWritten][..],
        &[UnknownLost],
        &[UnknownLost, UnknownWritten],
    ] {
        let mut world = World::new();
        let tokens = world.device_tokens("tv", "alice");
        inject(&world, faults);
        let next = world.refresh("tv", tokens.refresh()).expect("tokens");
        let again = world.refresh("tv", tokens.refresh()).expect("in the grace");
        assert_eq!(next.refresh, again.refresh, "{faults:?}");
        assert!(world.refresh("tv", next.refresh()).is_ok(), "{faults:?}");
    }
}

/// The effects of a request up to and with its first commit, whose answer is lost.
fn up_to_unknown(
    world: &mut World,
    request: Authenticated<Token>,
    fault: Fault,
) -> Run<Authenticated<Token>> {
    let mut run = Run::new(world, request);
    inject(world, &[fault]);
    let commits = |world: &World| world.store.counts().commits;
    let before = commits(world);
    while commits(world) == before {
        assert!(run.effect(world).is_none(), "it commits");
    }
    run
}

fn run_detached(world: &mut World, mut run: Run<Authenticated<Token>>) -> Outcome<TokenReply> {
    loop {
        if let Some(end) = run.effect(world) {
            return end.expect("the server answers");
        }
    }
}

#[test]
fn a_reuse_that_is_seen_only_after_an_unknown_commit_revokes_nothing() {
    let mut world = World::new();
    let first = world.device_tokens("tv", "alice");
    let request = world.refresh_request("tv", first.refresh());
    let run = up_to_unknown(&mut world, request, UnknownWritten);
    // Before it reads again, the device asked once more, and refreshed with the answer.
    let second = world.refresh("tv", first.refresh()).expect("in the grace");
    let third = world.refresh("tv", second.refresh()).expect("tokens");
    assert_eq!(answer(run_detached(&mut world, run)), Err(InvalidGrant));
    assert!(
        world.refresh("tv", third.refresh()).is_ok(),
        "it may have been our own write"
    );
}

#[test]
fn a_reuse_that_was_seen_before_an_unknown_commit_revokes() {
    for fault in [UnknownLost, UnknownWritten] {
        let mut world = World::new();
        let first = world.device_tokens("tv", "alice");
        let second = world.refresh("tv", first.refresh()).expect("tokens");
        world.advance(10.mins());
        inject(&world, &[fault]);
        assert_eq!(world.refresh("tv", first.refresh()), Err(InvalidGrant));
        assert_eq!(
            world.refresh("tv", second.refresh()),
            Err(InvalidGrant),
            "{fault:?}"
        );
    }
}

#[test]
fn other_requests_whose_commit_is_unknown_end_as_they_would() {
    for fault in [UnknownWritten, UnknownLost] {
        let mut world = World::new();
        inject(&world, &[fault]);
        let codes = world.device_codes("tv");
        inject(&world, &[fault]);
        let browser = world.signed_in("alice");
        inject(&world, &[fault]);
        assert_eq!(
            world.decide(&browser, &codes, true),
            Decided::Approved,
            "{fault:?}"
        );
        let tokens = world.poll(&codes).expect("tokens");
        inject(&world, &[fault]);
        assert_eq!(world.revoke("tv", &tokens.access), Ok(()));
        assert!(world.userinfo(&tokens.access).is_err(), "{fault:?}");
        inject(&world, &[fault]);
        assert_eq!(world.revoke("tv", tokens.refresh()), Ok(()));
        assert_eq!(
            world.refresh("tv", tokens.refresh()),
            Err(InvalidGrant),
            "{fault:?}"
        );
        inject(&world, &[fault]);
        world.sign_out(&browser);
        assert_eq!(world.visitor(&browser), None, "{fault:?}");
    }
}

#[test]
fn repeated_conflicts_end_in_contention() {
    let mut world = World::new();
    let tokens = world.device_tokens("tv", "alice");
    let request = world.refresh_request("tv", tokens.refresh());
    let mut run = Run::new(&mut world, request);
    let end = loop {
        // Another request changes the user's row before each commit.
        let mut user = declared_user("alice", true);
        user.groups = Some(vec![world.store.counts().gets.to_string()]);
        assert_eq!(world.provision(user), Some(true));
        if let Some(end) = run.effect(&mut world) {
            break end;
        }
    };
    let Err(Down::Core(failure)) = end else {
        panic!("it was answered");
    };
    assert_eq!(failure, Failure::Contention(5));
    assert_eq!(failure.code().status(), 503);
    assert!(
        world.refresh("tv", tokens.refresh()).is_ok(),
        "and nothing is spent"
    );
}

#[test]
fn repeated_conflicts_give_back_reserved_tries() {
    let mut world = World::new();
    for _ in 0..20 {
        let browser = Browser::new();
        let mut run = Run::new(&mut world, browser.sign_in("alice", "alice-password"));
        let end = loop {
            let mut user = declared_user("alice", true);
            user.groups = Some(vec![world.store.counts().gets.to_string()]);
            assert_eq!(world.provision(user), Some(true));
            if let Some(end) = run.effect(&mut world) {
                break end;
            }
        };
        assert!(matches!(end, Err(Down::Core(Failure::Contention(_)))));
    }
    world.signed_in("alice");
}

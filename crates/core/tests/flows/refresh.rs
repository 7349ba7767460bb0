//! Refresh with rotation, safe to retry (RFC 6749 section 6, RFC 9700 section 4.14.2).

use grantor_core::base::error::ErrorCode::{
    InvalidGrant, InvalidRequest, InvalidScope, UnauthorizedClient,
};
use grantor_core::engine::event::EventKind;
use grantor_core::grants::GrantType;
use grantor_core::tokens::handles::RefreshToken;

use grantor_testkit::world::{Run, Tokens, World, answer};
use grantor_testkit::{Spans, client, scope};

#[test]
fn each_refresh_gives_a_new_refresh_token() {
    let mut world = World::new();
    let mut tokens = world.device_tokens("tv", "alice");
    let mut seen = vec![tokens.refresh().to_owned()];
    for _ in 0..10 {
        world.advance(10.mins());
        tokens = world.refresh("tv", tokens.refresh()).expect("tokens");
        assert!(!seen.contains(&tokens.refresh().to_owned()));
        assert!(world.userinfo(&tokens.access).is_ok());
        seen.push(tokens.refresh().to_owned());
    }
}

/// An address of another network than the devices'.
const ELSEWHERE: &str = "203.0.113.9";

/// 64 refreshes of one token, in step: all have read before the first commits. Their refresh tokens, and the rows written.
fn refresh_64_times(world: &mut World, client: &str, token: &str) -> (Vec<String>, usize) {
    let mut runs: Vec<_> = (0..64)
        .map(|_| {
            let request = world.refresh_request(client, token);
            Run::new(world, request)
        })
        .collect();
    let (cost, answers) = world.cost(|world| {
        let mut answers = Vec::new();
        while !runs.is_empty() {
            runs.retain_mut(|run| match run.effect(world) {
                Some(end) => {
                    let tokens = answer(end.expect("the server answers")).expect("tokens");
                    answers.push(tokens.refresh().to_owned());
                    false
                }
                None => true,
            });
        }
        answers
    });
    assert_eq!(cost[1], 64, "all tried to commit");
    (answers, cost[2])
}

#[test]
fn of_64_simultaneous_refreshes_every_answer_has_the_same_refresh_token() {
    let mut world = World::new();
    let tokens = world.device_tokens("tv", "alice");
    let (answers, written) = refresh_64_times(&mut world, "tv", tokens.refresh());
    assert_eq!((answers.len(), written), (64, 1));
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    assert!(world.refresh("tv", &answers[0]).is_ok());
}

#[test]
fn of_64_simultaneous_refreshes_without_rotation_every_answer_has_that_token_too() {
    let mut world = World::with(|realm| client(realm, "console").rotation = false);
    let tokens = world.device_tokens("console", "alice");
    world.advance(1.h());
    let (answers, written) = refresh_64_times(&mut world, "console", tokens.refresh());
    assert_eq!((answers.len(), written), (64, 1));
    assert!(answers.iter().all(|answer| answer == tokens.refresh()));
}

#[test]
fn a_client_whose_answer_was_lost_can_repeat_the_refresh() {
    let mut world = World::new();
    let tokens = world.device_tokens("tv", "alice");
    let lost = world.refresh("tv", tokens.refresh()).expect("tokens");
    world.take_events();
    world.advance(60.s());
    let (cost, again) = world.cost(|world| world.refresh("tv", tokens.refresh()));
    let again = again.expect("tokens");
    assert_eq!(again.refresh, lost.refresh);
    assert_eq!(cost[1..], [0, 0], "nothing is written");
    assert_eq!(world.take_events(), [EventKind::RefreshRepeatedInGrace]);
    assert!(world.refresh("tv", again.refresh()).is_ok());
}

#[test]
fn a_repeated_refresh_from_another_network_is_logged_where_the_client_authenticates() {
    let mut world = World::new();
    let tokens = world.device_tokens("console", "alice");
    let next = world.refresh("console", tokens.refresh()).expect("tokens");
    world.take_events();
    let again = world.from(ELSEWHERE).refresh("console", tokens.refresh());
    assert_eq!(again.expect("tokens").refresh, next.refresh);
    assert_eq!(
        world.take_events(),
        [EventKind::RefreshRepeatedFromElsewhere]
    );
}

#[test]
fn a_public_client_retries_from_its_network_and_from_no_other() {
    for (network, elsewhere) in [
        (["192.0.2.10", "192.0.2.99"], "192.0.3.10"),
        (["192.0.2.10", "192.0.2.99"], "2001:db8:7::9"),
        (["2001:db8:7::9", "2001:db8:7:8::9"], "2001:db8:8::9"),
        (["127.0.0.1", "::1"], "192.0.2.10"),
    ] {
        let mut world = World::new();
        let tokens = world.device_tokens("tv", "alice");
        let next = world.from(network[0]).refresh("tv", tokens.refresh());
        let next = next.expect("tokens");
        world.take_events();
        let stolen = world.from(elsewhere).refresh("tv", tokens.refresh());
        assert_eq!(stolen, Err(InvalidGrant), "{elsewhere}");
        assert_eq!(
            world.take_events(),
            [EventKind::RefreshRepeatedFromElsewhere]
        );
        assert!(world.userinfo(&next.access).is_ok(), "nobody is cut off");
        let again = world.from(elsewhere).refresh("tv", tokens.refresh());
        assert_eq!(again, Err(InvalidGrant));
        assert_eq!(world.take_events(), [], "it is told once");
        let retry = world.from(network[1]).refresh("tv", tokens.refresh());
        assert_eq!(retry.expect("a retry").refresh, next.refresh);
    }
}

/// Of the two who hold a token of one grant, one is a thief.
#[test]
fn a_grant_ends_once_its_successor_was_used_and_its_predecessor_came_from_another_network() {
    for used_first in [true, false] {
        let mut world = World::new();
        let stolen = world.device_tokens("tv", "alice");
        let next = world.refresh("tv", stolen.refresh()).expect("tokens");
        let mut tokens = vec![stolen.clone(), next.clone()];
        if used_first {
            let used = world.refresh("tv", next.refresh()).expect("tokens");
            tokens.push(used);
        }
        world.take_events();
        let came = world.from(ELSEWHERE).refresh("tv", stolen.refresh());
        assert_eq!(came, Err(InvalidGrant));
        if !used_first {
            let used = world.from(ELSEWHERE).refresh("tv", next.refresh());
            assert_eq!(used, Err(InvalidGrant), "wherever it is used");
        }
        let last = world.take_events().pop();
        assert_eq!(last, Some(EventKind::RefreshReusedGrantRevoked));
        for tokens in &tokens {
            assert!(world.userinfo(&tokens.access).is_err());
            assert_eq!(world.refresh("tv", tokens.refresh()), Err(InvalidGrant));
        }
    }
}

#[test]
fn a_predecessor_from_another_network_is_one_write_however_often_it_comes() {
    let mut world = World::new();
    let tokens = world.device_tokens("tv", "alice");
    world.refresh("tv", tokens.refresh()).expect("tokens");
    world.from(ELSEWHERE);
    let (first, _) = world.cost(|world| world.refresh("tv", tokens.refresh()));
    let (second, _) = world.cost(|world| world.refresh("tv", tokens.refresh()));
    assert_eq!((first, second), ([1, 1, 1], [1, 0, 0]));
}

#[test]
fn reuse_after_the_grace_ends_that_grant_only() {
    let mut world = World::new();
    let tokens = world.device_tokens("tv", "alice");
    let bystander = world.device_tokens("tv", "alice");
    let next = world.refresh("tv", tokens.refresh()).expect("tokens");
    world.take_events();
    world.advance(60.s() + 1.ms());
    assert_eq!(world.refresh("tv", tokens.refresh()), Err(InvalidGrant));
    assert_eq!(world.take_events(), [EventKind::RefreshReusedGrantRevoked]);
    assert_eq!(
        world.refresh("tv", next.refresh()),
        Err(InvalidGrant),
        "the successor too"
    );
    for access in [&tokens.access, &next.access] {
        assert!(world.userinfo(access).is_err());
    }
    assert!(world.userinfo(&bystander.access).is_ok());
    assert!(world.refresh("tv", bystander.refresh()).is_ok());
}

#[test]
fn a_token_two_generations_old_is_a_reuse_even_inside_the_grace() {
    let mut world = World::new();
    let first = world.device_tokens("tv", "alice");
    let second = world.refresh("tv", first.refresh()).expect("tokens");
    let third = world.refresh("tv", second.refresh()).expect("tokens");
    assert_eq!(world.refresh("tv", first.refresh()), Err(InvalidGrant));
    assert_eq!(world.refresh("tv", third.refresh()), Err(InvalidGrant));
}

#[test]
fn reuse_by_another_client_does_not_end_the_grant() {
    let mut world = World::new();
    let first = world.device_tokens("tv", "alice");
    let second = world.refresh("tv", first.refresh()).expect("tokens");
    world.advance(10.mins());
    for thief in ["tv2", "console"] {
        for token in [&first, &second] {
            let (cost, reply) = world.cost(|world| world.refresh(thief, token.refresh()));
            assert_eq!((cost[1], reply), (0, Err(InvalidGrant)));
        }
    }
    assert!(world.refresh("tv", second.refresh()).is_ok());
}

#[test]
fn a_refresh_token_ends_when_it_is_idle_and_slides_while_it_is_used() {
    let mut world = World::new();
    let mut tokens = world.device_tokens("tv", "alice");
    for _ in 0..3 {
        world.advance(30.days() - 1.ms());
        tokens = world.refresh("tv", tokens.refresh()).expect("used in time");
    }
    world.advance(30.days());
    assert_eq!(world.refresh("tv", tokens.refresh()), Err(InvalidGrant));
}

#[test]
fn a_refresh_token_ends_at_its_absolute_lifetime_even_when_used() {
    let mut world = World::new();
    let mut tokens = world.device_tokens("tv", "alice");
    for _ in 0..18 {
        world.advance(20.days());
        tokens = world.refresh("tv", tokens.refresh()).expect("tokens");
    }
    world.advance(5.days() - 1.ms());
    tokens = world
        .refresh("tv", tokens.refresh())
        .expect("365 days less 1 ms");
    world.advance(1.ms());
    assert_eq!(world.refresh("tv", tokens.refresh()), Err(InvalidGrant));
    assert!(
        world.userinfo(&tokens.access).is_ok(),
        "the last access token lives its own life"
    );
    world.advance(10.mins());
    assert!(world.userinfo(&tokens.access).is_err());
}

#[test]
fn a_token_given_again_within_the_grace_does_not_outlive_its_grant() {
    let mut world = World::new();
    let mut tokens = world.device_tokens("tv", "alice");
    for _ in 0..18 {
        world.advance(20.days());
        tokens = world.refresh("tv", tokens.refresh()).expect("tokens");
    }
    world.advance(5.days() - 40.s());
    let first = world.refresh("tv", tokens.refresh()).expect("tokens");
    world.advance(30.s());
    let again = world.refresh("tv", tokens.refresh()).expect("the same");
    assert_eq!(again.refresh, first.refresh);
    let ends = |tokens: &Tokens| world.claims(&tokens.access)["exp"].as_u64();
    assert_eq!(ends(&again), ends(&first), "the row's end did not move");
    world.advance(10.mins() - 31.s());
    assert!(world.userinfo(&again.access).is_ok(), "good until its exp");
}

#[test]
fn without_rotation_the_refresh_token_stays() {
    let mut world = World::with(|realm| client(realm, "console").rotation = false);
    let tokens = world.device_tokens("console", "alice");
    for _ in 0..3 {
        world.advance(29.days());
        let next = world.refresh("console", tokens.refresh()).expect("tokens");
        assert_eq!(next.refresh, tokens.refresh);
    }
    world.advance(30.days());
    assert_eq!(
        world.refresh("console", tokens.refresh()),
        Err(InvalidGrant),
        "idle all the same"
    );
}

#[test]
fn rfc6749_6_a_narrower_scope_is_for_one_access_token() {
    let mut world = World::new();
    let tokens = world.device_tokens("tv", "alice");
    let narrow = world.refresh_with("tv", tokens.refresh(), &[("scope", "openid")]);
    let narrow = narrow.expect("tokens");
    assert_eq!(narrow.scope, "openid");
    assert!(world.userinfo(&narrow.access).is_ok());
    let whole = world.refresh("tv", narrow.refresh()).expect("tokens");
    assert_eq!(whole.scope, tokens.scope, "the grant is as wide as it was");
}

#[test]
fn rfc6749_6_a_scope_never_widens() {
    let mut world = World::new();
    let tokens = world.device_tokens_with("tv", "alice", &[("scope", "openid")]);
    for wider in [
        "openid profile",
        "profile",
        "orders.example.com/write",
        "unknown",
        "a  b",
    ] {
        let reply = world.refresh_with("tv", tokens.refresh(), &[("scope", wider)]);
        assert_eq!(reply, Err(InvalidScope), "{wider}");
    }
    let next = world
        .refresh("tv", tokens.refresh())
        .expect("a refusal spends nothing");
    assert_eq!(next.scope, "openid");
}

#[test]
fn a_refresh_token_newer_than_a_restored_store_is_accepted() {
    let mut world = World::new();
    let tokens = world.device_tokens("tv", "alice");
    let sealing = &world.realm.sealing;
    let opened = sealing.open_refresh_token(tokens.refresh()).expect("ours");
    // The store forgot five refreshes; the device's token is of generation 5.
    let held = sealing.refresh_token(&RefreshToken {
        generation: 5,
        ..opened
    });
    world.take_events();
    let next = world.refresh("tv", &held).expect("tokens");
    assert_eq!(world.take_events(), [EventKind::RefreshAheadOfStore]);
    let opened = world
        .realm
        .sealing
        .open_refresh_token(next.refresh())
        .expect("ours");
    assert_eq!(opened.generation, 6);
    assert_eq!(
        world.refresh("tv", &held).expect("in the grace").refresh,
        next.refresh
    );
    assert!(world.refresh("tv", next.refresh()).is_ok());
}

#[test]
fn a_forged_or_truncated_refresh_token_is_refused_without_a_read() {
    let mut world = World::new();
    let tokens = world.device_tokens("tv", "alice");
    let token = tokens.refresh();
    let code = token.replace("grantor_rt_", "grantor_dc_");
    for bad in [&token[..token.len() - 1], &code, "x", &tokens.access] {
        let (cost, reply) = world.cost(|world| world.refresh("tv", bad));
        assert_eq!((cost, reply), ([0, 0, 0], Err(InvalidGrant)), "{bad}");
    }
    assert_eq!(
        world
            .token_request("tv", &[("grant_type", "refresh_token")])
            .expect_err("no token"),
        InvalidRequest
    );
}

#[test]
fn a_client_that_lost_the_grant_type_cannot_refresh() {
    let mut world = World::new();
    let tokens = world.device_tokens("tv", "alice");
    world.reconfigure(|realm| client(realm, "tv").grants = vec![GrantType::DeviceCode]);
    assert_eq!(
        world.refresh("tv", tokens.refresh()),
        Err(UnauthorizedClient)
    );
}

#[test]
fn a_scope_removed_from_the_client_is_not_refreshed() {
    let mut world = World::new();
    let tokens = world.device_tokens("tv", "alice");
    world.reconfigure(|realm| client(realm, "tv").scopes = scope("openid"));
    assert_eq!(
        world.refresh("tv", tokens.refresh()).expect("tokens").scope,
        "openid"
    );
}

#[test]
fn a_clock_that_steps_back_does_not_end_a_grant() {
    let mut world = World::new();
    let tokens = world.device_tokens("tv", "alice");
    let next = world.refresh("tv", tokens.refresh()).expect("tokens");
    world.now = world.now - 1.h();
    assert!(world.refresh("tv", next.refresh()).is_ok());
}

#[test]
fn a_rotation_in_the_future_gives_no_grace() {
    let mut world = World::new();
    // As much as the clocks of nodes may differ.
    let tokens = world.device_tokens("tv", "alice");
    let next = world.refresh("tv", tokens.refresh()).expect("tokens");
    world.now = world.now - 30.s();
    let again = world.refresh("tv", tokens.refresh()).expect("in the grace");
    assert_eq!(again.refresh, next.refresh);
    // A thief's replay after a clock that leapt ahead is back.
    world.now = world.now - 1.s();
    assert!(world.refresh("tv", tokens.refresh()).is_err());
    assert!(
        world.refresh("tv", next.refresh()).is_err(),
        "the reuse ended the grant"
    );
}

//! OpenID Connect Back-Channel Logout: which clients are notified, by which token, how often.

use std::time::Duration;

use futures_util::FutureExt as _;
use grantor_core::base::error::{Cause, ErrorCode};
use grantor_core::engine::event::EventKind;
use grantor_core::people::backchannel::{Answer, Claim, Claimed, Settle};
use grantor_core::records::Outbox;
use grantor_jose::TokenType;
use serde_json::{Map, Value, json};

use super::logout::{tokens, world};
use grantor_testkit::world::{Browser, World};
use grantor_testkit::{AuthorizationRequest, ISSUER, Spans as _, client, signer, user_id};

const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// A world in which two apps have a back-channel logout URI.
fn telling() -> World {
    let mut world = world();
    world.reconfigure(|realm| {
        for id in ["site", "wiki"] {
            let uri = format!("https://{id}.example/logout?x=1");
            client(realm, id).logout.backchannel_uri = Some(uri);
        }
    });
    world
}

/// The queued logouts.
fn waiting(world: &World) -> Vec<Outbox> {
    let rows = world.list_all("outbox").into_iter();
    rows.map(|row| serde_json::from_slice(&row.value).expect("an outbox row"))
        .collect()
}

fn claim(world: &mut World) -> Option<Claimed> {
    let outbox = waiting(world).into_iter().next()?;
    world.ask(Claim { outbox }).reply.expect("no OAuth error")
}

/// One try, in which every client answers so.
fn attempt(world: &mut World, answer: Answer) {
    let claimed = claim(world).expect("it is due");
    let returned = claimed.notices.into_iter();
    let answers = returned.map(|notice| (notice.client, answer)).collect();
    let outbox = claimed.outbox;
    world
        .ask(Settle { outbox, answers })
        .reply
        .expect("no OAuth error");
}

/// A session in which the site has an app, ended.
fn ended(world: &mut World) -> Browser {
    let alice = world.signed_in("alice");
    tokens(world, &alice, "site", "openid");
    world.sign_out(&alice);
    world.events.clear();
    alice
}

fn claims(token: &str, world: &World) -> Map<String, Value> {
    world.claims(token)
}

#[test]
fn openid_backchannel_2_4_the_logout_token_of_each_client_of_the_session() {
    let mut world = telling();
    let alice = world.signed_in("alice");
    let id_token = tokens(&mut world, &alice, "site", "openid").id;
    let id_claims = claims(&id_token.expect("an ID token"), &world);
    tokens(&mut world, &alice, "wiki", "openid");
    tokens(&mut world, &alice, "site", "openid");
    world.sign_out(&alice);

    let claimed = claim(&mut world).expect("it is due at once");
    let mut ids = Vec::new();
    let clients: Vec<_> = claimed
        .notices
        .iter()
        .map(|notice| notice.client.as_str())
        .collect();
    assert_eq!(clients, ["site", "wiki"]);
    for notice in claimed.notices {
        let client = notice.client.as_str();
        assert_eq!(notice.uri, format!("https://{client}.example/logout?x=1"));
        let token = notice.token.sign(signer()).now_or_never().expect("at once");
        let token = token.expect("a signature");
        let header = grantor_jose::decode(&token)
            .expect("a JWT")
            .header()
            .clone();
        assert_eq!(header.typ.as_deref(), Some("logout+jwt"));
        let alg = world.realm.client(client).expect("a client").id_token_alg;
        assert_eq!(header.algorithm, alg, "that of its ID tokens");

        let mut claims = claims(&token, &world);
        ids.push(claims.remove("jti"));
        let now = world.now.as_secs();
        let expected = json!({
            "iss": ISSUER, "sub": id_claims["sub"], "sid": id_claims["sid"], "aud": client,
            "iat": now, "exp": now + 120, "events": { EVENT: {} },
        });
        assert_eq!(
            Value::Object(claims),
            expected,
            "no nonce, and nothing else"
        );
        // It is not accepted as an ID token anywhere.
        assert!(!TokenType::Id.is(header.typ.as_deref()));
        let browser = world.signed_in("alice");
        let hinted = AuthorizationRequest::new(client).with("id_token_hint", &token);
        let refused = world.consent(&browser, &hinted).error();
        assert_eq!(refused, ErrorCode::InvalidRequest);
        assert!(world.userinfo(&token).is_err());
    }
    assert!(ids[0].is_some() && ids[0] != ids[1]);
}

#[test]
fn ending_a_session_and_queueing_its_logout_are_one_commit() {
    let mut world = telling();
    let alice = world.signed_in("alice");
    tokens(&mut world, &alice, "site", "openid");
    let (cost, ()) = world.cost(|world| world.sign_out(&alice));
    assert_eq!(cost, [1, 1, 2]);
    let [waiting] = &waiting(&world)[..] else {
        panic!("one row");
    };
    assert_eq!(waiting.due, world.now);
    let text = world.dump();
    assert!(
        !text.contains("outbox"),
        "no secret is in the row, nor is it of a kind that has any"
    );
}

#[test]
fn signing_in_as_another_user_logs_the_first_one_out_of_clients() {
    let mut world = telling();
    let mut browser = world.signed_in("alice");
    tokens(&mut world, &browser, "site", "openid");
    world.sign_in(&mut browser, "alice", "alice-password");
    assert_eq!(waiting(&world), [], "the same session goes on");
    world.sign_in(&mut browser, "bob", "bob-password");
    let returned = claim(&mut world).expect("alice's session ended").outbox;
    assert_eq!(returned.user, user_id("alice"));
    let names: Vec<_> = returned
        .logout_subscribers
        .ids()
        .iter()
        .map(|id| id.as_str())
        .collect();
    assert_eq!(names, ["site"]);
}

#[test]
fn no_logout_is_queued_where_no_client_subscribes() {
    let mut world = world();
    let alice = world.signed_in("alice");
    tokens(&mut world, &alice, "site", "openid");
    world.sign_out(&alice);
    let bob = world.signed_in("bob");
    world.sign_out(&bob);
    assert_eq!(waiting(&world), []);
}

#[test]
fn an_outbox_row_is_claimed_by_one_node_and_retried_after_a_crash() {
    let mut world = telling();
    ended(&mut world);
    let listed = waiting(&world).remove(0);
    let first = world
        .ask(Claim {
            outbox: listed.clone(),
        })
        .reply;
    assert!(first.expect("no OAuth error").is_some());
    let second = world.ask(Claim { outbox: listed }).reply;
    assert!(
        second.expect("no OAuth error").is_none(),
        "another node was first"
    );
    assert!(claim(&mut world).is_none(), "and has a minute");
    // The node that claimed it has crashed.
    world.advance(60.s());
    let again = claim(&mut world).expect("it is due again");
    assert_eq!(again.outbox.attempts, 2);
}

#[test]
fn openid_backchannel_2_5_a_delivered_logout_is_not_sent_again() {
    let mut world = telling();
    ended(&mut world);
    attempt(&mut world, Answer::Delivered);
    assert_eq!(waiting(&world), []);
    assert_eq!(world.take_events(), [EventKind::LogoutDelivered]);
}

#[test]
fn openid_backchannel_2_5_a_client_that_refuses_is_not_asked_again() {
    let mut world = telling();
    ended(&mut world);
    attempt(&mut world, Answer::Refused);
    assert_eq!(waiting(&world), []);
    assert_eq!(world.take_events(), [EventKind::LogoutFailed]);
}

#[test]
fn openid_backchannel_2_5_a_client_that_is_away_is_tried_for_a_day_with_growing_pauses() {
    let mut world = telling();
    ended(&mut world);
    let began = world.now;
    let mut pauses = Vec::new();
    while let Some(next) = waiting(&world).first() {
        let pause = next.due.since(world.now);
        pauses.push(pause.as_secs());
        world.advance(pause.saturating_sub(1.ms()));
        if !pause.is_zero() {
            assert!(claim(&mut world).is_none(), "not before its time");
            world.advance(1.ms());
        }
        attempt(&mut world, Answer::Later);
    }
    assert_eq!(pauses[..7], [0, 10, 60, 300, 1800, 7200, 7200]);
    let tried_for = world.now.since(began);
    assert!(tried_for < 24.h() && tried_for > Duration::from_secs(21 * 3600));
    assert_eq!(world.take_events(), [EventKind::LogoutFailed]);
}

/// It would else wait as long as the clock had leapt.
#[test]
fn a_sign_out_in_the_future_is_told_at_once_and_for_a_day() {
    let mut world = telling();
    let real = world.now;
    world.now = real + 30.days();
    ended(&mut world);
    attempt(&mut world, Answer::Later);
    world.now = real;
    attempt(&mut world, Answer::Later);
    let waiting = waiting(&world).remove(0);
    assert_eq!(waiting.due, real + 60.s());
    assert_eq!(waiting.expires_at, real + 24.h());
}

/// A client is away, and a user signs in and out without end.
#[test]
fn the_sign_outs_of_a_user_that_wait_for_a_client_have_a_limit_and_each_is_tried_once() {
    let mut world = telling();
    let mut events = Vec::new();
    for _ in 0..1100 {
        ended(&mut world);
        let tried = claim(&mut world).expect("it is due");
        let notices = tried.notices.into_iter();
        let answers = notices.map(|notice| (notice.client, Answer::Later));
        let settle = Settle {
            answers: answers.collect(),
            outbox: tried.outbox,
        };
        world.ask(settle).reply.expect("no OAuth error");
        events.append(&mut world.events);
    }
    assert_eq!(waiting(&world).len(), 1000);
    assert_eq!(events.len(), 100, "what is dropped is told");
    for event in events {
        assert_eq!(event.kind, EventKind::LogoutFailed);
        assert_eq!(event.reason, Some(Cause::TooManyUndelivered));
    }
    let bob = world.signed_in("bob");
    tokens(&mut world, &bob, "site", "openid");
    world.sign_out(&bob);
    attempt(&mut world, Answer::Later);
    assert_eq!(waiting(&world).len(), 1001, "of another user");
    ended(&mut world);
    attempt(&mut world, Answer::Delivered);
    assert_eq!(world.take_events(), [EventKind::LogoutDelivered]);
    // The others go on to be tried.
    world.advance(10.s());
    attempt(&mut world, Answer::Later);
    assert_eq!(waiting(&world).len(), 1001);
}

#[test]
fn clients_that_confirmed_a_logout_are_not_sent_it_again() {
    let mut world = telling();
    let alice = world.signed_in("alice");
    tokens(&mut world, &alice, "site", "openid");
    tokens(&mut world, &alice, "wiki", "openid");
    world.sign_out(&alice);
    let claimed = claim(&mut world).expect("it is due");
    let answers = vec![(claimed.notices[0].client.clone(), Answer::Delivered)];
    let outbox = claimed.outbox;
    world
        .ask(Settle { outbox, answers })
        .reply
        .expect("no OAuth error");
    let [left] = &waiting(&world)[..] else {
        panic!("one row");
    };
    let names: Vec<_> = left
        .logout_subscribers
        .ids()
        .iter()
        .map(|id| id.as_str())
        .collect();
    assert_eq!(names, ["wiki"]);
}

#[test]
fn a_delivery_that_outlived_its_claim_settles_nothing() {
    let mut world = telling();
    ended(&mut world);
    let slow = claim(&mut world).expect("it is due");
    world.advance(60.s());
    claim(&mut world).expect("another took over");
    let outbox = slow.outbox;
    let answers = Vec::new();
    world
        .ask(Settle { outbox, answers })
        .reply
        .expect("no OAuth error");
    assert_eq!(
        waiting(&world)[0].attempts,
        2,
        "the other's row is as it was"
    );
}

#[test]
fn logout_of_a_client_without_a_backchannel_uri_is_dropped() {
    let mut world = telling();
    ended(&mut world);
    world.reconfigure(|realm| client(realm, "site").logout.backchannel_uri = None);
    assert!(claim(&mut world).is_none());
    assert_eq!(waiting(&world), []);
}

#[test]
fn the_end_of_a_session_is_not_told_to_a_later_client_of_the_same_id() {
    let mut world = telling();
    world.start();
    let alice = world.signed_in("alice");
    tokens(&mut world, &alice, "site", "openid");
    let withdrawn = world.withdraw_client("site");
    world.declare_client(withdrawn);
    world.sign_out(&alice);
    assert!(claim(&mut world).is_none(), "it never saw that session");
    assert_eq!(waiting(&world), []);
    let alice = world.signed_in("alice");
    tokens(&mut world, &alice, "site", "openid");
    world.sign_out(&alice);
    let claimed = claim(&mut world).expect("its own session");
    assert_eq!(claimed.notices.len(), 1);
}

//! Sessions and grants of one user have limits, beyond which the least recently used ends.

use grantor_core::base::error::ErrorCode::{InvalidGrant, InvalidToken};
use grantor_core::engine::decide::Excess;
use grantor_core::engine::event::EventKind;
use grantor_core::model::ids::{SessionId, UserId};
use grantor_core::model::realm::AccessLimits;
use grantor_core::people::account::end_excess::{EndExcessGrants, EndExcessSessions};

use grantor_testkit::world::{Browser, SignedIn, World};
use grantor_testkit::{AuthorizationRequest, Spans as _, client, user_id};

const OFFLINE: &str = "openid offline_access";

/// Three sessions, and three grants at a client.
fn world() -> World {
    World::with(|realm| {
        realm.access = AccessLimits {
            sessions: 3,
            grants_per_client: 3,
            grants: 7,
        };
        let uri = "https://site.example/logout".to_owned();
        client(realm, "site").logout.backchannel_uri = Some(uri);
    })
}

/// The grants of alice at this client are looked at.
fn end_excess(world: &mut World, client: &str) -> usize {
    world.end_excess(&Excess::Grants {
        user: user_id("alice"),
        client: client.parse().expect("a client id"),
    })
}

fn signed_in(world: &mut World) -> Browser {
    world.advance(1.mins());
    world.signed_in("alice")
}

#[test]
fn of_the_sessions_of_a_user_beyond_the_limit_the_least_recently_used_ends_as_if_its_user_had() {
    let mut world = world();
    let (first, second) = (signed_in(&mut world), signed_in(&mut world));
    let third = signed_in(&mut world);
    let site = AuthorizationRequest::new("site").with("scope", "openid");
    let tokens = world.app_tokens(&second, &site);
    let bob = world.signed_in("bob");
    world.advance(40.mins());
    for used in [&first, &third] {
        world.visitor(used).expect("signed in");
    }
    world.take_events();
    let fourth = signed_in(&mut world);
    assert_eq!(
        world.take_events(),
        [EventKind::SignedIn, EventKind::SessionEndedByLimit]
    );
    assert!(world.visitor(&second).is_none(), "the least recently used");
    for live in [&first, &third, &fourth, &bob] {
        assert!(world.visitor(live).is_some());
    }
    assert_eq!(world.userinfo(&tokens.access), Err(InvalidToken));
    let notices = world.list("outbox");
    assert_eq!(notices.len(), 1, "its clients get logout tokens");
}

/// The clock leapt ahead and is back.
#[test]
fn access_that_was_last_used_in_the_future_ends_before_what_is_in_use() {
    let mut world = world();
    let request = AuthorizationRequest::new("spa").with("scope", OFFLINE);
    let real = world.now;
    world.now = real + 30.days();
    for _ in 0..3 {
        let browser = signed_in(&mut world);
        world.app_tokens(&browser, &request);
    }
    world.now = real;
    let (mut browsers, mut tokens) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        let browser = signed_in(&mut world);
        tokens.push(world.app_tokens(&browser, &request));
        browsers.push(browser);
        end_excess(&mut world, "spa");
    }
    for (browser, tokens) in browsers.iter().zip(&tokens) {
        assert!(world.visitor(browser).is_some());
        assert!(world.userinfo(&tokens.access).is_ok());
    }
}

#[test]
fn a_thousand_sign_ins_leave_200_sessions() {
    let mut world = World::new();
    for n in 0..1000_u32 {
        world.advance(1.s());
        world.signed_in("alice");
        assert!(world.list_all("session").len() <= 200, "after {n}");
    }
}

#[test]
fn signing_in_again_in_the_same_browser_ends_no_other_session() {
    let mut world = world();
    let mut browsers: Vec<_> = (0..3).map(|_| signed_in(&mut world)).collect();
    for _ in 0..5 {
        world.advance(1.mins());
        let again = world.sign_in(&mut browsers[2], "alice", "alice-password");
        assert_eq!(again, SignedIn::Yes);
    }
    for browser in &browsers {
        assert!(world.visitor(browser).is_some());
    }
}

#[test]
fn a_store_with_too_many_sessions_of_before_gets_within_the_limit_by_some_sign_ins() {
    let mut world = World::with(|realm| realm.access.sessions = usize::MAX / 2);
    for _ in 0..100 {
        signed_in(&mut world);
    }
    world.reconfigure(|realm| realm.access.sessions = 3);
    let left: Vec<_> = (0..10)
        .map(|_| {
            signed_in(&mut world);
            world.list_all("session").len()
        })
        .collect();
    assert_eq!(left[..3], [89, 78, 67], "twelve at a time");
    assert_eq!(left[9], 3);
}

#[test]
fn of_the_grants_at_a_client_beyond_the_limit_the_least_recently_used_ends() {
    let mut world = world();
    let alice = world.signed_in("alice");
    let mut tokens = Vec::new();
    let request = AuthorizationRequest::new("spa").with("scope", OFFLINE);
    for _ in 0..4 {
        world.advance(1.mins());
        tokens.push(world.app_tokens(&alice, &request));
    }
    let wiki = AuthorizationRequest::new("wiki").with("scope", OFFLINE);
    let others = world.app_tokens(&alice, &wiki);
    world.advance(1.mins());
    tokens[0] = world.refresh("spa", tokens[0].refresh()).expect("tokens");
    world.take_events();
    let rows = world.list_all("grant").len();
    assert_eq!(end_excess(&mut world, "spa"), 1);
    assert_eq!(
        world.list_all("grant").len(),
        rows - 1,
        "its row is deleted"
    );
    assert_eq!(world.take_events(), [EventKind::GrantEndedByLimit]);
    assert_eq!(world.userinfo(&tokens[1].access), Err(InvalidToken));
    assert_eq!(world.refresh("spa", tokens[1].refresh()), Err(InvalidGrant));
    for live in [&tokens[0], &tokens[2], &tokens[3], &others] {
        assert!(world.userinfo(&live.access).is_ok());
    }
    assert_eq!(end_excess(&mut world, "spa"), 0);
}

/// One grant of 16 looks at the limit.
#[test]
fn grants_without_end_leave_hardly_more_rows_than_the_limit() {
    let mut world = World::new();
    let alice = world.signed_in("alice");
    let request = AuthorizationRequest::new("spa");
    world.consent(&alice, &request).code();
    let mut most = 0;
    for _ in 0..3000 {
        world.advance(10.ms());
        world.authorize(&alice, &request).code();
        most = most.max(world.list_all("grant").len());
    }
    println!("at most {most} rows of 3,000 grants");
    assert!((100..250).contains(&most), "{most}");
}

/// A website can make a browser ask for codes again and again, for any client that its user agreed to.
#[test]
fn codes_that_nobody_redeems_end_only_each_other() {
    let mut world = World::new();
    let alice = world.signed_in("alice");
    let request = AuthorizationRequest::new("spa").with("scope", OFFLINE);
    let tokens = world.app_tokens(&alice, &request);
    let codes = world.device_codes("tv");
    world.decide(&alice, &codes, true);
    for _ in 0..3000 {
        world.advance(10.ms());
        world.authorize(&alice, &request).code();
    }
    assert!(world.userinfo(&tokens.access).is_ok());
    world.refresh("spa", tokens.refresh()).expect("tokens");
    world.poll(&codes).expect("tokens");
}

#[test]
fn redeeming_looks_at_the_limit_too() {
    let mut world = World::new();
    let alice = world.signed_in("alice");
    let request = AuthorizationRequest::new("spa").with("scope", OFFLINE);
    world.consent(&alice, &request).code();
    for _ in 0..2 {
        let codes: Vec<_> = (0..99)
            .map(|_| world.authorize(&alice, &request).code())
            .collect();
        for code in codes {
            world.advance(1.ms());
            world.redeem("spa", &code).expect("tokens");
        }
    }
    let grants = world.listed_grants(user_id("alice"), "spa").len();
    assert!((100..150).contains(&grants), "{grants}");
}

#[test]
fn devices_that_are_approved_without_end_have_the_same_limit() {
    let mut world = World::new();
    let alice = world.signed_in("alice");
    for _ in 0..500 {
        world.advance(1.s());
        let codes = world.device_codes("tv");
        world.decide(&alice, &codes, true);
    }
    let grants = world.listed_grants(user_id("alice"), "tv").len();
    assert!((1..250).contains(&grants), "{grants}");
}

#[test]
fn the_grants_of_a_user_at_all_clients_together_have_a_limit() {
    let mut world = world();
    let alice = world.signed_in("alice");
    for client in ["spa", "site", "wiki"] {
        for _ in 0..3 {
            world.advance(1.mins());
            world.app_tokens(&alice, &AuthorizationRequest::new(client));
        }
    }
    assert_eq!(
        end_excess(&mut world, "wiki"),
        2,
        "nine, and seven are kept"
    );
    let user = user_id("alice");
    let left = ["spa", "site", "wiki"].map(|client| world.listed_grants(user, client).len());
    assert_eq!(left, [1, 3, 3], "the least recently used of all");
}

#[test]
fn a_grant_that_is_used_after_it_was_listed_is_kept() {
    let mut world = world();
    let alice = world.signed_in("alice");
    let request = AuthorizationRequest::new("spa").with("scope", OFFLINE);
    let tokens = world.app_tokens(&alice, &request);
    let listed = world.list_all("grant");
    let none = AccessLimits {
        grants_per_client: 0,
        ..world.realm.access
    };
    let spa = "spa".parse().expect("a client id");
    let grants = EndExcessGrants::choose(&listed, &spa, &none, world.now).expect("grants");
    assert_eq!(grants.len(), 1);
    let user = user_id("alice");
    let again = world.refresh("spa", tokens.refresh()).expect("tokens");
    let ended = world.ask(EndExcessGrants { user, grants }).reply;
    assert_eq!(ended.expect("no OAuth error"), 0);
    assert!(world.userinfo(&again.access).is_ok());
}

/// Whoever makes grants and revokes them again leaves nothing, whichever way they are revoked.
#[test]
fn revoked_grants_leave_no_rows() {
    let mut world = World::new();
    let alice = world.signed_in("alice");
    let request = AuthorizationRequest::new("spa").with("scope", OFFLINE);
    for n in 0..40 {
        world.advance(1.s());
        let code = world.consent(&alice, &request).code();
        let tokens = world.redeem("spa", &code).expect("tokens");
        match n % 4 {
            0 => world.revoke("spa", tokens.refresh()).expect("revoked"),
            1 => {
                let grants = world.listed_grants(user_id("alice"), "spa");
                world.revoke_grant(&alice, grants[0]);
            }
            2 => drop(world.disconnect(&alice, "spa")),
            _ => assert_eq!(world.redeem("spa", &code), Err(InvalidGrant), "reuse"),
        }
        assert_eq!(world.list_all("grant").len(), 0, "after {n}");
        assert_eq!(world.userinfo(&tokens.access), Err(InvalidToken));
        assert_eq!(world.refresh("spa", tokens.refresh()), Err(InvalidGrant));
        assert_eq!(world.redeem("spa", &code), Err(InvalidGrant));
        assert_eq!(
            world.revoke("spa", tokens.refresh()),
            Ok(()),
            "RFC 7009 section 2.2"
        );
    }
}

#[test]
fn the_limit_of_one_user_ends_nothing_of_another() {
    let mut world = world();
    let (bob, mine) = (world.signed_in("bob"), signed_in(&mut world));
    let tokens = world.app_tokens(&bob, &AuthorizationRequest::new("spa"));
    let user: UserId = user_id("alice");
    let grants = world.list_all("grant").into_iter();
    let grants = grants.map(|row| (row.key, row.version)).collect();
    let ended = world.ask(EndExcessGrants { user, grants }).reply;
    assert_eq!(ended.expect("no OAuth error"), 0);
    world.reconfigure(|realm| realm.access.sessions = 0);
    let listed = world.list_all("session");
    let new = SessionId::from_bytes([9; 16]);
    let ended = world.ask(EndExcessSessions { user, new, listed }).reply;
    assert_eq!(ended.expect("no OAuth error"), 1);
    assert!(world.visitor(&bob).is_some() && world.visitor(&mine).is_none());
    assert!(world.userinfo(&tokens.access).is_ok());
}

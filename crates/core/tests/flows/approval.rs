//! Who may approve a device, how, and that there is one decision (RFC 8628 section 3.3, RFC 10027 section 6.1).

use grantor_core::base::error::ErrorCode::{AccessDenied, AuthorizationPending, InvalidGrant};
use grantor_core::model::client::DeviceApproval;
use grantor_core::people::{Action, Binding, CodeCheck};

use grantor_testkit::world::{Browser, CodeLookup, Decided, World};
use grantor_testkit::{Spans, client, scope};

const AWAY: &str = "203.0.113.5";

#[test]
fn a_denial_cannot_be_changed_to_an_approval() {
    let mut world = World::new();
    let codes = world.device_codes("tv");
    let browser = world.signed_in("alice");
    assert_eq!(world.decide(&browser, &codes, false), Decided::Denied);
    assert_eq!(world.decide(&browser, &codes, true), Decided::Before);
    assert_eq!(world.poll(&codes), Err(AccessDenied));
}

#[test]
fn an_approval_cannot_be_changed_to_a_denial() {
    let mut world = World::new();
    let codes = world.device_codes("tv");
    let browser = world.signed_in("alice");
    assert_eq!(world.decide(&browser, &codes, true), Decided::Approved);
    assert_eq!(world.decide(&browser, &codes, false), Decided::Before);
    assert!(world.poll(&codes).is_ok());
    assert_eq!(world.decide(&browser, &codes, true), Decided::Before);
}

#[test]
fn the_first_of_two_decisions_counts() {
    let mut world = World::new();
    let codes = world.device_codes("tv");
    let (alice, bob) = (world.signed_in("alice"), world.signed_in("bob"));
    world.type_code(&alice, &codes.user).device();
    world.type_code(&bob, &codes.user).device();
    assert_eq!(world.decide(&bob, &codes, true), Decided::Approved);
    assert_eq!(world.decide(&alice, &codes, true), Decided::Gone);
    let tokens = world.poll(&codes).expect("tokens");
    let me = world.userinfo(&tokens.access).expect("claims");
    assert_eq!(me["preferred_username"], "bob");
}

#[test]
fn a_decided_code_cannot_be_looked_up() {
    let mut world = World::new();
    for approve in [true, false] {
        let codes = world.device_codes("tv");
        let browser = world.signed_in("alice");
        assert!(matches!(
            world.type_code(&browser, &codes.user),
            CodeLookup::Asks(_)
        ));
        world.decide(&browser, &codes, approve);
        assert!(matches!(
            world.type_code(&browser, &codes.user),
            CodeLookup::NotValid
        ));
        // The same form, sent again, decides nothing.
        assert_eq!(world.decide(&browser, &codes, !approve), Decided::Before);
    }
}

#[test]
fn an_expired_code_can_be_neither_looked_up_nor_decided() {
    let mut world = World::new();
    let codes = world.device_codes("tv");
    let browser = world.signed_in("alice");
    world.advance(10.mins());
    assert!(matches!(
        world.type_code(&browser, &codes.user),
        CodeLookup::NotValid
    ));
    assert_eq!(world.decide(&browser, &codes, true), Decided::Gone);
}

#[test]
fn a_device_decision_needs_a_session() {
    let mut world = World::new();
    let codes = world.device_codes("tv");
    let stranger = Browser::new();
    assert!(matches!(
        world.type_code(&stranger, &codes.user),
        CodeLookup::SignIn
    ));
    assert_eq!(world.decide(&stranger, &codes, true), Decided::SignIn);
    let mut gone = world.signed_in("alice");
    world.sign_out(&gone);
    assert_eq!(world.decide(&gone, &codes, true), Decided::SignIn);
    gone.session = None;
    assert_eq!(world.poll(&codes), Err(AuthorizationPending));
}

#[test]
fn looking_up_a_code_shows_the_device_and_the_code() {
    let mut world = World::new();
    let codes = world.from(AWAY).device_codes("tv");
    let browser = world.signed_in("alice");
    let pending = world.type_code(&browser, &codes.user).device();
    assert_eq!(pending.code, CodeCheck::Compare(codes.user.clone()));
    assert_eq!(pending.started.by.address.to_string(), AWAY);
    assert_eq!(pending.started.at, world.now);
    assert!(
        !pending.same_network,
        "a device elsewhere is worth a warning"
    );
    let near = world.from("192.0.2.99").device_codes("tv");
    assert!(world.type_code(&browser, &near.user).device().same_network);
    assert_eq!(
        world.decide(&browser, &codes, true),
        Decided::Approved,
        "a warning only"
    );
}

#[test]
fn a_client_can_demand_one_network() {
    let mut world =
        World::with(|realm| client(realm, "tv").device.approval = DeviceApproval::SameNetwork);
    let codes = world.from(AWAY).device_codes("tv");
    let browser = world.signed_in("alice");
    let pending = world.type_code(&browser, &codes.user).device();
    assert!(pending.same_network_required && !pending.same_network);
    assert_eq!(world.decide(&browser, &codes, true), Decided::Again);
    assert_eq!(world.poll(&codes), Err(AuthorizationPending));
    let near = Browser {
        address: "203.0.113.200".to_owned(),
        ..browser.clone()
    };
    assert_eq!(world.decide(&near, &codes, true), Decided::Approved);
    let other = world.device_codes("tv");
    assert_eq!(
        world.decide(&browser, &other, false),
        Decided::Denied,
        "from everywhere"
    );
}

#[test]
fn a_client_can_demand_that_the_code_is_typed_again() {
    let mut world =
        World::with(|realm| client(realm, "tv").device.approval = DeviceApproval::Retype);
    let (codes, other) = (world.device_codes("tv"), world.device_codes("tv"));
    let browser = world.signed_in("alice");
    let pending = world.type_code(&browser, &codes.user).device();
    assert_eq!(
        pending.code,
        CodeCheck::Retype { wrong: false },
        "it is not shown"
    );
    let wrong = [None, Some(""), Some("BCDF"), Some(other.user.as_str())];
    for typed in wrong {
        assert_eq!(
            world.decide_with(&browser, &codes, true, typed),
            Decided::Again
        );
    }
    assert_eq!(world.poll(&codes), Err(AuthorizationPending));
    let typed = codes.user.to_lowercase().replace('-', " ");
    assert_eq!(
        world.decide_with(&browser, &codes, true, Some(&typed)),
        Decided::Approved
    );
    assert_eq!(
        world.decide(&browser, &other, false),
        Decided::Denied,
        "no code is needed to deny"
    );
}

#[test]
fn typing_a_code_again_is_a_guess_like_any_other() {
    let mut world =
        World::with(|realm| client(realm, "tv").device.approval = DeviceApproval::Retype);
    let codes = world.device_codes("tv");
    let browser = world.signed_in("alice");
    for _ in 0..20 {
        assert_eq!(
            world.decide_with(&browser, &codes, true, Some("BBBB-BBBB")),
            Decided::Again
        );
    }
    assert_eq!(
        world.decide_with(&browser, &codes, true, Some(&codes.user)),
        Decided::TooMany
    );
    assert!(matches!(
        world.type_code(&browser, &codes.user),
        CodeLookup::TooMany
    ));
    world.advance(68.mins());
    let codes = world.device_codes("tv");
    for _ in 0..50 {
        world.type_code(&browser, &codes.user).device();
    }
    assert_eq!(
        world.decide_with(&browser, &codes, true, Some(&codes.user)),
        Decided::Approved,
        "right ones are given back"
    );
}

#[test]
fn an_old_sign_in_must_be_repeated_before_approval() {
    let mut world = World::with(|realm| {
        client(realm, "tv").device.approver_max_age = 1.h();
    });
    let mut browser = world.signed_in("alice");
    world.advance(1.h());
    let codes = world.device_codes("tv");
    assert!(
        world.visitor(&browser).is_some(),
        "the session itself is live"
    );
    assert!(matches!(
        world.type_code(&browser, &codes.user),
        CodeLookup::SignIn
    ));
    assert_eq!(world.decide(&browser, &codes, true), Decided::SignIn);
    assert_eq!(world.decide(&browser, &codes, false), Decided::SignIn);
    world.sign_in(&mut browser, "alice", "alice-password");
    assert_eq!(world.decide(&browser, &codes, true), Decided::Approved);
}

#[test]
fn a_device_of_a_disabled_client_cannot_be_approved() {
    let mut world = World::new();
    let codes = world.device_codes("tv");
    let browser = world.signed_in("alice");
    world.reconfigure(|realm| client(realm, "tv").enabled = false);
    assert!(matches!(
        world.type_code(&browser, &codes.user),
        CodeLookup::NotValid
    ));
    assert_eq!(world.decide(&browser, &codes, true), Decided::Gone);
}

#[test]
fn a_scope_removed_from_the_client_is_no_longer_given() {
    let mut world = World::new();
    let codes = world.device_codes("tv");
    world.approve("alice", &codes);
    world.reconfigure(|realm| client(realm, "tv").scopes = scope("openid"));
    assert_eq!(world.poll(&codes).expect("tokens").scope, "openid");
    assert_eq!(world.poll(&codes), Err(InvalidGrant));
}

#[test]
fn a_form_token_is_valid_for_one_browser_one_action_and_one_grant() {
    let mut world = World::new();
    let (one, two) = (world.device_codes("tv"), world.device_codes("tv"));
    let (one, two) = (world.grant_of(&one), world.grant_of(&two));
    let (alice, bob) = (world.signed_in("alice"), world.signed_in("bob"));
    let session = |world: &mut World, browser: &Browser| {
        Binding::Session(world.visitor(browser).expect("signed in").session)
    };
    let (hers, his) = (session(&mut world, &alice), session(&mut world, &bob));
    let token = hers.token(&world.realm, Action::Decide(one), world.now);
    let now = world.now;
    let sealing = &world.realm.sealing;
    assert!(hers.accepts(sealing, Action::Decide(one), &token, now));
    assert!(
        !hers.accepts(sealing, Action::Decide(two), &token, now),
        "another grant"
    );
    assert!(
        !hers.accepts(sealing, Action::SignOut, &token, now),
        "another action"
    );
    assert!(
        !his.accepts(sealing, Action::Decide(one), &token, now),
        "another session"
    );
    let before = Binding::PreSession("a cookie".to_owned());
    assert!(
        !before.accepts(sealing, Action::Decide(one), &token, now),
        "no session"
    );
    for bad in ["", "AAAA", &token[..token.len() - 1], &token.to_lowercase()] {
        assert!(
            !hers.accepts(sealing, Action::Decide(one), bad, now),
            "{bad}"
        );
    }
}

#[test]
fn a_form_token_ages_out_and_its_time_cannot_be_changed() {
    let world = World::new();
    let form = Binding::PreSession("a cookie".to_owned());
    let token = form.token(&world.realm, Action::SignIn, world.now);
    let accepts = |token: &str, age| {
        let at = world.now + age;
        form.accepts(&world.realm.sealing, Action::SignIn, token, at)
    };
    assert!(accepts(&token, 8.h() - 1.s()));
    assert!(!accepts(&token, 8.h()));
    let (made, mac) = token.split_once('.').expect("a time and a MAC");
    let made: u64 = made.parse().expect("seconds");
    for other in [made + 1, made + 28_800, u64::MAX] {
        assert!(!accepts(&format!("{other}.{mac}"), 1.h()), "{other}");
    }
    assert!(!accepts(mac, 1.s()), "as it was before it had a time");
}

#[test]
fn a_form_token_survives_a_new_sign_in_of_the_same_user_only() {
    let mut world = World::new();
    let mut browser = world.signed_in("alice");
    let first = world.visitor(&browser).expect("signed in").session;
    world.sign_in(&mut browser, "alice", "alice-password");
    assert_eq!(world.visitor(&browser).expect("signed in").session, first);
    world.sign_in(&mut browser, "bob", "bob-password");
    assert_ne!(world.visitor(&browser).expect("signed in").session, first);
}

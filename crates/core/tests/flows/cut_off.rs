//! A user or a client is cut off by one write, and no earlier grant gives tokens any more.

use grantor_core::base::error::ErrorCode::{InvalidClient, InvalidGrant, InvalidToken};
use grantor_core::people::Password;

use grantor_testkit::world::{Decided, SignedIn, World, declared_user};
use grantor_testkit::{Spans, client};

#[test]
fn a_device_of_a_disabled_user_gets_nothing() {
    let mut world = World::new();
    let pending = world.device_codes("tv");
    let approved = world.device_codes("tv");
    world.approve("alice", &approved);
    let tokens = world.device_tokens("tv", "alice");
    let confidential = world.device_tokens("console", "alice");
    let browser = world.signed_in("alice");
    world.set_enabled("alice", false);
    assert_eq!(world.poll(&approved), Err(InvalidGrant));
    assert_eq!(world.refresh("tv", tokens.refresh()), Err(InvalidGrant));
    assert_eq!(world.userinfo(&tokens.access), Err(InvalidToken));
    assert!(!world.is_active("console", &confidential.access));
    assert!(!world.is_active("console", confidential.refresh()));
    assert_eq!(world.visitor(&browser), None);
    assert_eq!(world.decide(&browser, &pending, true), Decided::SignIn);
}

#[test]
fn a_user_enabled_again_has_no_old_sessions_or_grants() {
    let mut world = World::new();
    let tokens = world.device_tokens("tv", "alice");
    let browser = world.signed_in("alice");
    world.set_enabled("alice", false);
    world.set_enabled("alice", true);
    assert_eq!(world.refresh("tv", tokens.refresh()), Err(InvalidGrant));
    assert_eq!(world.visitor(&browser), None);
    let anew = world.device_tokens("tv", "alice");
    assert!(world.refresh("tv", anew.refresh()).is_ok());
}

#[test]
fn a_changed_password_ends_sessions_and_grants() {
    let mut world = World::new();
    let approved = world.device_codes("tv");
    world.approve("alice", &approved);
    let tokens = world.device_tokens("tv", "alice");
    let mut browser = world.signed_in("alice");
    let mut user = declared_user("alice", true);
    user.password = Password::Hash("plain$new".to_owned());
    assert_eq!(world.provision(user), Some(true));
    assert_eq!(world.visitor(&browser), None);
    assert_eq!(world.poll(&approved), Err(InvalidGrant));
    assert_eq!(world.refresh("tv", tokens.refresh()), Err(InvalidGrant));
    assert_eq!(world.userinfo(&tokens.access), Err(InvalidToken));
    assert_eq!(
        world.sign_in(&mut browser, "alice", "alice-password"),
        SignedIn::Wrong
    );
    assert_eq!(world.sign_in(&mut browser, "alice", "new"), SignedIn::Yes);
}

#[test]
fn cutting_off_a_user_does_not_affect_others() {
    let mut world = World::new();
    let tokens = world.device_tokens("tv", "bob");
    world.set_enabled("alice", false);
    assert!(world.userinfo(&tokens.access).is_ok());
    assert!(world.refresh("tv", tokens.refresh()).is_ok());
}

#[test]
fn a_disabled_client_gets_nothing_and_its_tokens_are_inactive() {
    let mut world = World::new();
    let codes = world.device_codes("tv");
    world.approve("alice", &codes);
    let tokens = world.device_tokens("tv", "alice");
    let confidential = world.device_tokens("console", "alice");
    world.reconfigure(|realm| {
        client(realm, "tv").enabled = false;
        client(realm, "console").enabled = false;
    });
    assert_eq!(world.poll(&codes), Err(InvalidClient));
    assert_eq!(world.refresh("tv", tokens.refresh()), Err(InvalidClient));
    assert_eq!(world.revoke("tv", tokens.refresh()), Err(InvalidClient));
    assert_eq!(
        world
            .device_codes_with("tv", &[])
            .expect_err("no codes")
            .code,
        InvalidClient
    );
    assert_eq!(world.userinfo(&tokens.access), Err(InvalidToken));
    assert_eq!(
        world.introspect("console", &confidential.access),
        Err(InvalidClient)
    );
    assert!(
        !world.is_active("orders", &tokens.access),
        "nor for the API"
    );
}

#[test]
fn a_client_that_is_enabled_again_keeps_working() {
    let mut world = World::new();
    let tokens = world.device_tokens("tv", "alice");
    world.reconfigure(|realm| client(realm, "tv").enabled = false);
    world.reconfigure(|realm| client(realm, "tv").enabled = true);
    assert!(world.refresh("tv", tokens.refresh()).is_ok());
}

#[test]
fn a_removed_client_is_unknown() {
    let mut world = World::new();
    let codes = world.device_codes("tv");
    let tokens = world.device_tokens("tv", "alice");
    world.reconfigure(|realm| {
        realm.clients.retain(|id, _| id.as_str() != "tv");
    });
    assert_eq!(world.poll(&codes), Err(InvalidClient));
    assert_eq!(world.userinfo(&tokens.access), Err(InvalidToken));
}

#[test]
fn a_missing_user_row_means_refused() {
    let mut world = World::new();
    let approved = world.device_codes("tv");
    world.approve("alice", &approved);
    let tokens = world.device_tokens("tv", "alice");
    let browser = world.signed_in("alice");
    world.lose_rows("user");
    assert_eq!(world.poll(&approved), Err(InvalidGrant));
    assert_eq!(world.refresh("tv", tokens.refresh()), Err(InvalidGrant));
    assert_eq!(world.userinfo(&tokens.access), Err(InvalidToken));
    assert_eq!(world.visitor(&browser), None);
    let mut browser = browser;
    assert_eq!(
        world.sign_in(&mut browser, "alice", "alice-password"),
        SignedIn::Wrong
    );
}

#[test]
fn a_missing_grant_row_means_refused() {
    let mut world = World::new();
    let approved = world.device_codes("tv");
    world.approve("alice", &approved);
    let tokens = world.device_tokens("tv", "alice");
    world.lose_rows("grant");
    assert_eq!(world.poll(&approved), Err(InvalidGrant));
    assert_eq!(world.refresh("tv", tokens.refresh()), Err(InvalidGrant));
    assert_eq!(world.userinfo(&tokens.access), Err(InvalidToken));
    assert_eq!(
        world.revoke("tv", tokens.refresh()),
        Ok(()),
        "an unknown token"
    );
}

#[test]
fn a_missing_session_row_means_signed_out() {
    let mut world = World::new();
    let codes = world.device_codes("tv");
    let browser = world.signed_in("alice");
    world.lose_rows("session");
    assert_eq!(world.visitor(&browser), None);
    assert_eq!(world.decide(&browser, &codes, true), Decided::SignIn);
}

#[test]
fn a_devices_grant_outlives_the_approvers_session() {
    let mut world = World::new();
    let codes = world.device_codes("tv");
    let browser = world.signed_in("alice");
    assert_eq!(world.decide(&browser, &codes, true), Decided::Approved);
    world.sign_out(&browser);
    let tokens = world.poll(&codes).expect("tokens");
    world.advance(29.days());
    assert!(world.refresh("tv", tokens.refresh()).is_ok());
}

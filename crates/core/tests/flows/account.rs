//! The account: what a user sees, and takes back at once.

use grantor_core::base::error::ErrorCode::{InvalidGrant, InvalidToken};
use grantor_core::engine::event::EventKind;
use grantor_core::model::client::ConsentPolicy;
use grantor_core::model::ids::{GrantId, SessionId};
use grantor_core::people::account::{Disconnect, EndSessionReply, RemoveAccessReply};

use grantor_core::base::secret::Secret;

use grantor_testkit::world::{Browser, Decided, SignedIn, Tokens, World, declared_user};
use grantor_testkit::{AuthorizationRequest, Spans as _, client};

const SCOPE: &str = "openid files.example.com/read";
const OFFLINE: &str = "openid files.example.com/read offline_access";

fn request_for(client: &str, scope: &str) -> AuthorizationRequest {
    AuthorizationRequest::new(client).with("scope", scope)
}

/// These are refused at every endpoint.
fn assert_dead(world: &mut World, client: &str, tokens: &Tokens) {
    assert_eq!(world.userinfo(&tokens.access), Err(InvalidToken));
    assert_eq!(world.refresh(client, tokens.refresh()), Err(InvalidGrant));
    if ["console", "wiki"].contains(&client) {
        assert!(!world.is_active(client, &tokens.access));
        assert!(!world.is_active(client, tokens.refresh()));
    }
}

fn assert_live(world: &mut World, tokens: &Tokens) {
    assert!(world.userinfo(&tokens.access).is_ok());
}

fn names(world: &mut World, browser: &Browser) -> [Vec<String>; 2] {
    let view = world.view_account(browser).expect("signed in");
    [
        view.apps.into_iter().map(|app| app.name).collect(),
        view.devices.into_iter().map(|device| device.name).collect(),
    ]
}

#[test]
fn the_page_shows_sessions_apps_and_devices_of_its_user_only() {
    let mut world = World::new();
    let alice = world.signed_in("alice");
    world.advance(1.h());
    let phone = world.signed_in("alice");
    let bob = world.signed_in("bob");
    world.app_tokens(&alice, &request_for("spa", SCOPE));
    world.advance(1.s());
    world.app_tokens(&alice, &request_for("wiki", OFFLINE));
    world.app_tokens(&bob, &request_for("site", SCOPE));
    world.device_tokens("tv", "bob");
    let codes = world.device_codes("console");
    assert_eq!(world.decide(&phone, &codes, true), Decided::Approved);

    let view = world.view_account(&alice).expect("signed in");
    let (here, there) = (world.session_of(&alice).0, world.session_of(&phone).0);
    let ids: Vec<_> = view.sessions.iter().map(|session| session.id).collect();
    assert_eq!(ids, [here, there], "this browser first");
    let apps: Vec<_> = view.apps.iter().map(|app| app.client.as_str()).collect();
    assert_eq!(apps, ["wiki", "spa"], "the newest first");
    assert_eq!(view.apps[1].scope, SCOPE.parse().expect("a scope"));
    assert_eq!(view.devices.len(), 1, "also before it has its tokens");
    assert_eq!(view.devices[0].grant, world.grant_of(&codes));
    assert_eq!(view.devices[0].name, "The console");
    assert_eq!(view.devices[0].started.by, world.peer());
    let [apps, devices] = names(&mut world, &bob);
    assert_eq!(
        (apps, devices),
        (vec!["The site & Co".to_owned()], vec!["The tv".to_owned()])
    );
    assert_eq!(world.view_account(&Browser::new()), None);
}

#[test]
fn the_account_page_shows_live_entries_only() {
    let mut world = World::new();
    let mut alice = world.signed_in("alice");
    let idle = world.signed_in("alice");
    let out = world.signed_in("alice");
    world.sign_out(&out);
    // Bound to a session that ends, and without consent: nothing is left of it.
    world.reconfigure(|realm| client(realm, "site").code.consent = ConsentPolicy::Skip);
    let other = world.signed_in("alice");
    let code = world.authorize(&other, &request_for("site", SCOPE)).code();
    world.redeem("site", &code).expect("tokens");
    assert_eq!(names(&mut world, &alice)[0], ["The site & Co"]);
    world.sign_out(&other);
    let tokens = world.device_tokens("tv", "alice");
    world.revoke("tv", tokens.refresh()).expect("revoked");
    let denied = world.device_codes("tv2");
    world.deny("alice", &denied);
    world.advance(7.h());
    world.sign_in(&mut alice, "alice", "alice-password");
    world.advance(2.h());
    let view = world.view_account(&alice).expect("signed in");
    assert_eq!(
        view.sessions.len(),
        1,
        "and not {:?}",
        world.session_of(&idle).0
    );
    assert_eq!((view.apps, view.devices), (vec![], vec![]));
    // Consent stays, and is seen, when every token has ended.
    world.app_tokens(&alice, &request_for("spa", SCOPE));
    world.sign_out(&alice);
    let alice = world.signed_in("alice");
    assert_eq!(names(&mut world, &alice)[0], ["The spa & Co"]);
}

#[test]
fn the_page_of_a_hundred_sessions_reads_what_one_get_may_hold_at_a_time() {
    let mut world = World::new();
    let alice = world.signed_in("alice");
    for _ in 0..120 {
        world.signed_in("alice");
    }
    let request = world.view_account_request(&alice);
    let ([reads, ..], view) = world.cost(|world| world.ask(request).reply);
    let view = view.expect("no OAuth error").expect("signed in");
    assert!(reads <= 7, "{reads}");
    assert!(view.sessions.len() > 50, "more than are shown");
    assert_eq!(view.sessions[0].id, world.session_of(&alice).0);
}

#[test]
fn a_removed_client_is_shown_by_its_id_and_can_be_disconnected() {
    let mut world = World::new();
    let alice = world.signed_in("alice");
    world.app_tokens(&alice, &request_for("spa", OFFLINE));
    world.device_tokens("tv", "alice");
    world.reconfigure(|realm| {
        realm
            .clients
            .retain(|id, _| !["spa", "tv"].contains(&id.as_str()));
    });
    assert_eq!(names(&mut world, &alice), [["spa"], ["tv"]]);
    assert_eq!(world.disconnect(&alice, "spa"), [RemoveAccessReply::Done]);
    assert_eq!(names(&mut world, &alice)[0], [""; 0]);
}

#[test]
fn a_disconnected_device_gets_nothing_at_once() {
    let mut world = World::new();
    let alice = world.signed_in("alice");
    let (lost, kept) = (world.device_codes("console"), world.device_codes("console"));
    for codes in [&lost, &kept] {
        assert_eq!(world.decide(&alice, codes, true), Decided::Approved);
    }
    let (lost_tokens, kept_tokens) = (world.poll(&lost), world.poll(&kept));
    let grant = world.grant_of(&lost);
    world.take_events();
    assert_eq!(world.revoke_grant(&alice, grant), RemoveAccessReply::Done);
    assert_eq!(world.take_events(), [EventKind::GrantRevokedByUser]);
    assert_dead(&mut world, "console", &lost_tokens.expect("tokens"));
    assert_live(&mut world, &kept_tokens.expect("tokens"));
    assert_eq!(world.revoke_grant(&alice, grant), RemoveAccessReply::Gone);
}

#[test]
fn an_approval_can_be_revoked_before_the_device_polls() {
    let mut world = World::new();
    let alice = world.signed_in("alice");
    let codes = world.device_codes("tv");
    assert_eq!(world.decide(&alice, &codes, true), Decided::Approved);
    let grant = world.grant_of(&codes);
    assert_eq!(world.revoke_grant(&alice, grant), RemoveAccessReply::Done);
    assert_eq!(world.poll(&codes), Err(InvalidGrant));
}

#[test]
fn an_app_that_is_disconnected_gets_nothing_more_and_must_ask_again() {
    let mut world = World::new();
    let alice = world.signed_in("alice");
    let tokens = world.app_tokens(&alice, &request_for("wiki", OFFLINE));
    let again = world
        .authorize(&alice, &request_for("wiki", OFFLINE))
        .code();
    let again = world.redeem("wiki", &again).expect("tokens");
    let outstanding = world.authorize(&alice, &request_for("wiki", SCOPE)).code();
    let other = world.app_tokens(&alice, &request_for("spa", SCOPE));
    world.take_events();
    assert_eq!(world.disconnect(&alice, "wiki"), [RemoveAccessReply::Done]);
    assert_eq!(world.take_events(), [EventKind::ClientDisconnected]);
    assert_dead(&mut world, "wiki", &tokens);
    assert_dead(&mut world, "wiki", &again);
    assert_eq!(world.redeem("wiki", &outstanding), Err(InvalidGrant));
    let ask = world
        .authorize(&alice, &request_for("wiki", SCOPE))
        .consent();
    assert_eq!(ask.agreed_before, None);
    assert_live(&mut world, &other);
    world.authorize(&alice, &request_for("spa", SCOPE)).code();
    assert_eq!(world.disconnect(&alice, "wiki"), [RemoveAccessReply::Gone]);
}

#[test]
fn all_grants_of_an_app_are_taken_back_however_many_there_are() {
    let mut world = World::new();
    let alice = world.signed_in("alice");
    let tokens: Vec<_> = (0..30)
        .map(|_| world.app_tokens(&alice, &request_for("spa", SCOPE)))
        .collect();
    let bobs = world.signed_in("bob");
    let bobs = world.app_tokens(&bobs, &request_for("spa", SCOPE));
    assert_eq!(
        world.disconnect(&alice, "spa"),
        [RemoveAccessReply::Done; 3]
    );
    for tokens in &tokens {
        assert_dead(&mut world, "spa", tokens);
    }
    assert_live(&mut world, &bobs);
}

#[test]
fn disconnecting_removes_consent_before_grants() {
    let mut world = World::new();
    let alice = world.signed_in("alice");
    for _ in 0..13 {
        world.app_tokens(&alice, &request_for("spa", SCOPE));
    }
    let user = world.session_of(&alice).1;
    let mut grants = world.listed_grants(user, "spa");
    assert_eq!(grants.len(), 13);
    grants.truncate(Disconnect::MAX_GRANTS);
    // The process ends after the first part.
    let request = alice.disconnect("spa", grants);
    assert_eq!(world.ask(request).reply, Ok(RemoveAccessReply::Done));
    world
        .authorize(&alice, &request_for("spa", SCOPE))
        .consent();
    assert_eq!(
        world.listed_grants(user, "spa").len(),
        1,
        "and the rest is seen"
    );
    assert_eq!(names(&mut world, &alice)[0], ["The spa & Co"]);
    assert_eq!(world.disconnect(&alice, "spa"), [RemoveAccessReply::Done]);
}

#[test]
fn ending_another_session_ends_the_grants_bound_to_it() {
    let mut world = World::new();
    let alice = world.signed_in("alice");
    let phone = world.signed_in("alice");
    let bound = world.app_tokens(&phone, &request_for("wiki", SCOPE));
    let offline = world.app_tokens(&phone, &request_for("wiki", OFFLINE));
    let session = world.session_of(&phone).0;
    world.take_events();
    assert_eq!(world.end_session(&alice, session), EndSessionReply::Ended);
    assert_eq!(world.take_events(), [EventKind::SessionEndedByUser]);
    assert_eq!(world.visitor(&phone), None);
    assert!(world.visitor(&alice).is_some());
    assert_dead(&mut world, "wiki", &bound);
    assert_live(&mut world, &offline);
    assert_eq!(world.end_session(&alice, session), EndSessionReply::Gone);
}

#[test]
fn ending_the_current_session_signs_out() {
    let mut world = World::new();
    let alice = world.signed_in("alice");
    let session = world.session_of(&alice).0;
    world.take_events();
    assert_eq!(
        world.end_session(&alice, session),
        EndSessionReply::SignedOut
    );
    assert_eq!(world.take_events(), [EventKind::SignedOut]);
    assert_eq!(world.visitor(&alice), None);
    assert_eq!(world.end_session(&alice, session), EndSessionReply::SignIn);
}

#[test]
fn signing_out_everywhere_ends_sessions_grants_and_consent_by_one_write() {
    let mut world = World::new();
    let alice = world.signed_in("alice");
    let phone = world.signed_in("alice");
    let bob = world.signed_in("bob");
    let device = world.device_tokens("console", "alice");
    let app = world.app_tokens(&phone, &request_for("wiki", OFFLINE));
    let bobs = world.app_tokens(&bob, &request_for("wiki", OFFLINE));
    let code = world.authorize(&alice, &request_for("wiki", SCOPE)).code();
    let approved = world.device_codes("tv");
    assert_eq!(world.decide(&phone, &approved, true), Decided::Approved);
    world.take_events();
    let request = alice.sign_out_everywhere();
    let (cost, outcome) = world.cost(|world| world.ask(request));
    assert_eq!(cost, [1, 1, 2]);
    assert!(outcome.reply.is_ok());
    assert_eq!(world.take_events(), [EventKind::SignedOutEverywhere]);
    assert_eq!((world.visitor(&alice), world.visitor(&phone)), (None, None));
    assert_dead(&mut world, "console", &device);
    assert_dead(&mut world, "wiki", &app);
    assert_eq!(world.redeem("wiki", &code), Err(InvalidGrant));
    assert_eq!(world.poll(&approved), Err(InvalidGrant));
    // An app that the user does not know may be among those that were agreed to.
    let anew = world.signed_in("alice");
    assert_eq!(names(&mut world, &anew), [[""; 0], [""; 0]]);
    world
        .authorize(&anew, &request_for("wiki", SCOPE))
        .consent();
    assert_live(&mut world, &bobs);
    assert!(world.visitor(&bob).is_some());
    assert_eq!(world.sign_out_everywhere(&alice), None, "once");
    assert!(world.visitor(&anew).is_some());
}

#[test]
fn sessions_that_are_cut_off_end_by_their_rows_too_and_no_others() {
    let mut world = World::new();
    let alice = world.signed_in("alice");
    for _ in 0..20 {
        world.signed_in("alice");
    }
    let user = world.session_of(&alice).1;
    assert_eq!(world.end_cut_off(user), 0, "they live");
    assert_eq!(world.sign_out_everywhere(&alice), Some(20));
    let anew = world.signed_in("alice");
    assert_eq!(world.end_cut_off(user), 0);
    assert!(world.visitor(&anew).is_some());
}

#[test]
fn a_changed_password_ends_consent_too() {
    let mut world = World::new();
    let thief = world.signed_in("alice");
    world.app_tokens(&thief, &request_for("spa", OFFLINE));
    let mut user = declared_user("alice", true);
    user.password = grantor_core::people::Password::Hash("plain$new".to_owned());
    assert_eq!(world.provision(user), Some(true));
    let mut alice = Browser::new();
    assert_eq!(world.sign_in(&mut alice, "alice", "new"), SignedIn::Yes);
    let ask = world
        .authorize(&alice, &request_for("spa", SCOPE))
        .consent();
    assert_eq!(ask.agreed_before, None);
    // New consent covers no more than was asked for now.
    world.app_tokens(&alice, &request_for("spa", SCOPE));
    let ask = world
        .authorize(&alice, &request_for("spa", OFFLINE))
        .consent();
    assert!(ask.agreed_before.is_some());
}

#[test]
fn entries_of_another_user_look_gone_and_are_kept() {
    let mut world = World::new();
    let (alice, bob) = (world.signed_in("alice"), world.signed_in("bob"));
    let tokens = world.app_tokens(&bob, &request_for("wiki", OFFLINE));
    let codes = world.device_codes("console");
    assert_eq!(world.decide(&bob, &codes, true), Decided::Approved);
    let device = world.poll(&codes).expect("tokens");
    let (session, user) = world.session_of(&bob);
    let grants = world.listed_grants(user, "wiki");
    world.take_events();

    let missing = (SessionId::from_bytes([1; 16]), GrantId::from_bytes([1; 16]));
    for session in [session, missing.0] {
        let (cost, response) = world.cost(|world| world.end_session(&alice, session));
        assert_eq!((cost, response), ([1, 0, 0], EndSessionReply::Gone));
    }
    for grant in [world.grant_of(&codes), grants[0], missing.1] {
        let (cost, response) = world.cost(|world| world.revoke_grant(&alice, grant));
        assert_eq!((cost, response), ([1, 0, 0], RemoveAccessReply::Gone));
    }
    // The grants named by a request are not trusted.
    let request = alice.disconnect("wiki", grants.clone());
    assert_eq!(world.ask(request).reply, Ok(RemoveAccessReply::Gone));
    let request = bob.disconnect("spa", grants);
    assert_eq!(world.ask(request).reply, Ok(RemoveAccessReply::Gone));
    let waiting = world.device_codes("tv");
    let waiting = world.grant_of(&waiting);
    assert_eq!(world.revoke_grant(&alice, waiting), RemoveAccessReply::Gone);
    world.take_events();
    assert!(world.visitor(&bob).is_some());
    assert_live(&mut world, &tokens);
    assert_live(&mut world, &device);
}

#[test]
fn a_user_who_was_cut_off_cannot_remove_access() {
    let mut world = World::new();
    let (alice, phone) = (world.signed_in("alice"), world.signed_in("alice"));
    world.app_tokens(&alice, &request_for("spa", OFFLINE));
    let codes = world.device_codes("tv");
    assert_eq!(world.decide(&alice, &codes, true), Decided::Approved);
    let (session, user) = world.session_of(&phone);
    let (grant, grants) = (world.grant_of(&codes), world.listed_grants(user, "spa"));
    world.set_enabled("alice", false);
    let forged = Browser {
        session: Some(Secret::new("grantor_forged")),
        ..Browser::new()
    };
    for browser in [&alice, &Browser::new(), &forged] {
        let (cost, ()) = world.cost(|world| {
            assert_eq!(world.end_session(browser, session), EndSessionReply::SignIn);
            assert_eq!(
                world.revoke_grant(browser, grant),
                RemoveAccessReply::SignIn
            );
            let request = browser.disconnect("spa", grants.clone());
            assert_eq!(world.ask(request).reply, Ok(RemoveAccessReply::SignIn));
            assert_eq!(world.sign_out_everywhere(browser), None);
        });
        assert_eq!(cost[1..], [0, 0], "nothing is written");
    }
    assert_eq!(world.view_account(&alice), None);
}

#[test]
fn a_replaced_session_cookie_cannot_remove_access() {
    let mut world = World::new();
    let mut alice = world.signed_in("alice");
    let stolen = alice.clone();
    world.sign_in(&mut alice, "alice", "alice-password");
    let session = world.session_of(&alice).0;
    assert_eq!(world.end_session(&stolen, session), EndSessionReply::SignIn);
    assert_eq!(world.sign_out_everywhere(&stolen), None);
    assert_eq!(world.view_account(&stolen), None);
    assert!(world.visitor(&alice).is_some());
}

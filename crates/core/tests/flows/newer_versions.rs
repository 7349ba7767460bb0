//! Rows that a newer version of the program wrote: what is in them stays, and what is not ours to write is not written.

use futures_util::FutureExt as _;
use grantor_core::base::error::{ErrorCode, Failure};
use grantor_core::base::row::{Committed, NewRow, Row, Version, Write};
use grantor_core::engine::event::EventKind;
use grantor_core::people::{AddUser, SetEnabled};
use grantor_core::records::MIN_WRITER;
use grantor_store::Store as _;
use serde_json::{Value, json};

use grantor_testkit::world::{Decided, Down, World};
use grantor_testkit::{AuthorizationRequest, Spans as _};

trait NewerVersion {
    fn add_user(&mut self, username: &str);
    fn only(&self, kind: &str) -> Row;
    fn user_row(&self, username: &str) -> Row;
    fn newer(&mut self, row: &Row, change: impl FnOnce(&mut Value)) -> Row;
}

impl NewerVersion for World {
    fn add_user(&mut self, username: &str) {
        let add = AddUser {
            username: username.to_owned(),
            password: format!("plain${username}-password"),
            groups: Vec::new(),
            organization: None,
            email: None,
        };
        self.ask(add).reply.expect("no protocol");
    }

    fn only(&self, kind: &str) -> Row {
        let mut rows = self.list(kind);
        assert_eq!(rows.len(), 1, "{kind}");
        rows.remove(0)
    }

    fn user_row(&self, username: &str) -> Row {
        let name = format!("\"username\":\"{username}\"");
        let mut rows = self.list("user").into_iter();
        let row = rows.find(|row| String::from_utf8_lossy(&row.value).contains(&name));
        row.expect("a user")
    }

    /// A newer version writes a row: `change` is what it puts in.
    fn newer(&mut self, row: &Row, change: impl FnOnce(&mut Value)) -> Row {
        let mut value = json(row);
        change(&mut value);
        let row = NewRow {
            key: row.key.clone(),
            expires_at: row.expires_at,
            value: serde_json::to_vec(&value).expect("JSON").into(),
            indexes: Vec::new(),
        };
        let key = row.key.clone();
        let expect = self.row(&key).expect("it is there").version;
        let id = Version::from_bytes(self.seed().bytes("newer"));
        let commit = self
            .store
            .commit(self.now, id, vec![Write::Update { row, expect }]);
        let committed = commit.now_or_never().and_then(Result::ok);
        assert_eq!(committed, Some(Committed::Done));
        self.row(&key).expect("it is there")
    }
}

fn json(row: &Row) -> Value {
    serde_json::from_slice(&row.value).expect("JSON")
}

fn set(enabled: bool) -> SetEnabled {
    SetEnabled {
        username: "dave".to_owned(),
        enabled,
    }
}

/// Asserts that a request ended in a 503 and left the row as it was.
fn refused<T: std::fmt::Debug>(world: &World, before: &Row, answer: Result<T, Down>) {
    match answer {
        Err(Down::Core(failure @ Failure::Newer(_))) => {
            assert_eq!(failure.code(), ErrorCode::TemporarilyUnavailable);
            assert_eq!(failure.code().status(), 503);
        }
        other => panic!("{:?} was written: {other:?}", before.key),
    }
    assert_eq!(world.row(&before.key).as_ref(), Some(before));
}

#[test]
fn disabling_and_enabling_a_user_keeps_what_a_newer_version_wrote() {
    let mut world = World::new();
    world.add_user("dave");
    let row = world.user_row("dave");
    world.newer(&row, |user| {
        user["tenant"] = json!({ "id": "acme", "since": 7 })
    });
    for enabled in [false, true] {
        world.ask(set(enabled)).reply.expect("no protocol");
        let user = json(&world.user_row("dave"));
        assert_eq!(user["enabled"], enabled);
        assert_eq!(user["tenant"], json!({ "id": "acme", "since": 7 }));
    }
}

#[test]
fn a_device_keeps_what_a_newer_version_wrote_from_its_beginning_to_its_refresh() {
    let mut world = World::new();
    let codes = world.device_codes("tv");
    world.newer(&world.only("grant"), |grant| {
        grant["origin"] = json!(3);
        grant["started"]["country"] = json!("fr");
    });
    let alice = world.signed_in("alice");
    assert_eq!(world.decide(&alice, &codes, true), Decided::Approved);
    world.newer(&world.only("grant"), |grant| {
        grant["state"]["authorization"]["acr"] = json!("2");
    });
    let tokens = world.poll(&codes).expect("tokens");
    world.newer(&world.only("grant"), |grant| {
        grant["state"]["cnf"] = json!("key")
    });
    world.advance(1.mins());
    world.refresh("tv", tokens.refresh()).expect("tokens");
    let grant = json(&world.only("grant"));
    assert_eq!(grant["origin"], 3);
    assert_eq!(grant["started"]["country"], "fr");
    assert_eq!(grant["state"]["authorization"]["acr"], "2");
    assert_eq!(grant["state"]["cnf"], "key");
    assert_eq!(grant["state"]["generation"], 1);
}

#[test]
fn a_user_whom_only_a_newer_version_may_write_is_read_and_not_written() {
    let mut world = World::new();
    world.add_user("dave");
    let row = world.user_row("dave");
    let row = world.newer(&row, |user| user[MIN_WRITER] = json!(2));
    world.take_events();
    let disabled = world.run(set(false));
    refused(&world, &row, disabled.map(|outcome| outcome.reply));
    assert_eq!(
        world.take_events(),
        [] as [EventKind; 0],
        "nothing happened"
    );
    // Reading goes on.
    assert!(world.device_tokens("tv", "dave").refresh().len() > 20);
}

#[test]
fn a_grant_that_only_a_newer_version_may_write_is_read_and_not_refreshed() {
    let mut world = World::new();
    let tokens = world.device_tokens("tv", "alice");
    let row = world.newer(&world.only("grant"), |grant| grant[MIN_WRITER] = json!(2));
    let refresh = world.refresh_request("tv", tokens.refresh());
    let refreshed = world.run(refresh);
    refused(
        &world,
        &row,
        refreshed.map(|outcome| outcome.reply.map(drop)),
    );
    let revoke = world.revoke_request("tv", tokens.refresh());
    let revoked = world.run(revoke);
    refused(&world, &row, revoked.map(|outcome| outcome.reply));
    assert!(world.userinfo(&tokens.access).is_ok());
}

#[test]
fn a_session_that_only_a_newer_version_may_write_is_not_deleted() {
    let mut world = World::new();
    let alice = world.signed_in("alice");
    let row = world.newer(&world.only("session"), |session| {
        session[MIN_WRITER] = json!(2)
    });
    let signed_out = world.run(alice.sign_out());
    refused(&world, &row, signed_out.map(|_| ()));
    assert!(world.visitor(&alice).is_some());
}

#[test]
fn consent_after_a_cut_off_has_nothing_of_the_earlier_consent() {
    let mut world = World::new();
    let request = AuthorizationRequest::new("spa");
    let alice = world.signed_in("alice");
    world.consent(&alice, &request).code();
    world.newer(&world.only("consent"), |consent| {
        consent["devices"] = json!("all")
    });
    world.sign_out_everywhere(&alice);
    let alice = world.signed_in("alice");
    world.consent(&alice, &request).code();
    assert_eq!(json(&world.only("consent")).get("devices"), None);
}

#[test]
fn signing_in_again_keeps_nothing_that_was_proven_before() {
    let mut world = World::new();
    let mut alice = world.signed_in("alice");
    world.newer(&world.only("session"), |session| {
        session["second_factor_until"] = json!(9)
    });
    let password = grantor_testkit::password_of("alice");
    world.sign_in(&mut alice, "alice", &password);
    let session = json(&world.only("session"));
    assert_eq!(session.get("second_factor_until"), None);
}

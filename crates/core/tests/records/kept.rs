//! What this version does not know of a record stays in its row, whatever this version writes.

use grantor_core::base::row::{Key, Row, Version};
use grantor_core::model::ids::Epoch;
use grantor_core::records::{self, Consent, Grant, GrantOrigin, GrantState, Record, User, merged};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::samples;

pub(crate) fn stored<R: Record>(record: &R, value: &Value) -> Row {
    Row {
        key: Key::new("default", R::KIND, &record.name()),
        version: Version::from_bytes([7; 16]),
        expires_at: record.expires_at(),
        value: serde_json::to_vec(value).expect("JSON").into(),
    }
}

fn json_of<R: Record>(record: &R) -> Value {
    serde_json::to_value(record).expect("JSON")
}

/// The JSON of `new` in the place of that of `value`.
fn replaced<R: Record>(new: &R, value: &Value) -> Value {
    let merged = merged(new, &stored(new, value)).expect("it may be written");
    serde_json::from_slice(&merged).expect("JSON")
}

fn put(value: &mut Value, at: &str, name: &str, member: Value) {
    let object = value.pointer_mut(at).and_then(Value::as_object_mut);
    object.expect("an object").insert(name.to_owned(), member);
}

/// The pointers of every object in a value that is not data of a user.
fn objects(at: &str, value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            // Of an enum whose only member is its variant, another one would be another variant.
            if at != "/kind" {
                found.push(at.to_owned());
            }
            for (name, value) in members
                .iter()
                .filter(|(name, _)| *name != "claims" || !at.is_empty())
                // A map by client.
                .filter(|(name, _)| *name != "to_tell_instances")
            {
                objects(&format!("{at}/{name}"), value, found);
            }
        }
        Value::Array(elements) => {
            for (n, value) in elements.iter().enumerate() {
                objects(&format!("{at}/{n}"), value, found);
            }
        }
        _ => {}
    }
}

#[test]
fn what_is_known_is_written_as_it_always_was() {
    for grant in samples::grants() {
        let row = stored(&grant, &json_of(&grant));
        let refreshed = Grant {
            state: samples::active(),
            ..grant
        };
        let written = merged(&refreshed, &row).expect("it may be written");
        assert_eq!(written, serde_json::to_vec(&refreshed).expect("JSON"));
    }
}

#[test]
fn a_user_who_is_disabled_and_enabled_keeps_what_a_newer_version_wrote() {
    let mut value = json_of(&samples::user());
    put(&mut value, "", "tenant", json!("acme"));
    put(&mut value, "", "links", json!([{ "iss": "i", "sub": "s" }]));
    for (enabled, epoch) in [(false, 5), (true, 6)] {
        let user = User {
            enabled,
            epoch: Epoch::from_bytes([epoch; 8]),
            ..serde_json::from_value(value.clone()).expect("a user")
        };
        value = replaced(&user, &value);
        assert_eq!(
            value["enabled"], enabled,
            "what is known is what was written"
        );
        assert_eq!(value["tenant"], "acme");
        assert_eq!(value["links"], json!([{ "iss": "i", "sub": "s" }]));
    }
}

#[test]
fn a_member_that_is_known_and_left_out_does_not_come_back() {
    let mut old = samples::user();
    old.groups = Vec::new();
    old.email = None;
    let mut value = json_of(&old);
    // Written by a version that leaves nothing out.
    put(&mut value, "", "groups", json!([]));
    put(&mut value, "", "claims", json!({}));
    put(&mut value, "", "email", json!(null));
    let new = User {
        claims: Default::default(),
        ..old
    };
    assert_eq!(replaced(&new, &value), json_of(&new));

    let mut authorization = samples::authorization();
    authorization.offline = false;
    authorization.claims = Default::default();
    let grant = samples::grant(
        GrantOrigin::Code,
        GrantState::DeviceApproved { authorization },
    );
    let mut value = json_of(&grant);
    put(&mut value, "/state/authorization", "offline", json!(false));
    put(&mut value, "/state/authorization", "claims", json!({}));
    put(&mut value, "/state/authorization", "session", json!(null));
    assert_eq!(replaced(&grant, &value), json_of(&grant));

    // In one that is left out for being empty there may still be something.
    put(
        &mut value,
        "/state/authorization",
        "claims",
        json!({ "acr": ["1"] }),
    );
    let written = replaced(&grant, &value);
    assert_eq!(
        written["state"]["authorization"]["claims"],
        json!({ "acr": ["1"] })
    );
}

fn revoked(grant: &Grant) -> Grant {
    Grant {
        state: GrantState::Revoked(records::Revocation {
            why: records::RevocationReason::ByUser,
            at: samples::AT,
        }),
        ..grant.clone()
    }
}

#[test]
fn nothing_of_a_flattened_peer_is_written_twice() {
    let grant = samples::grant(GrantOrigin::Device, samples::active());
    let mut value = json_of(&grant);
    put(&mut value, "/started", "country", json!("fr"));
    let row = stored(&grant, &value);
    let new = revoked(&grant);
    let written = merged(&new, &row).expect("it may be written");
    let text = std::str::from_utf8(&written).expect("text");
    for name in [
        "\"address\":",
        "\"agent\":",
        "\"country\":",
        "\"started\":",
        "\"state\":",
    ] {
        assert_eq!(text.matches(name).count(), 1, "{name} in {text}");
    }
    let started = &serde_json::from_slice::<Value>(&written).expect("JSON")["started"];
    assert_eq!(started["country"], "fr");
    assert_eq!(started["address"], "192.0.2.10");
}

#[test]
fn members_of_a_state_end_with_it_and_what_it_hands_on_does_not() {
    let approved = GrantState::DeviceApproved {
        authorization: samples::authorization(),
    };
    let grant = samples::grant(GrantOrigin::Device, approved);
    let mut value = json_of(&grant);
    put(&mut value, "/state", "by_provider", json!("corp"));
    put(&mut value, "/state/authorization", "acr", json!("2"));
    put(
        &mut value,
        "/state/authorization/from",
        "country",
        json!("fr"),
    );
    let active = Grant {
        state: samples::active(),
        ..grant
    };
    let written = replaced(&active, &value);
    assert_eq!(written["state"].get("by_provider"), None);
    assert_eq!(written["state"]["authorization"]["acr"], "2");
    assert_eq!(written["state"]["authorization"]["from"]["country"], "fr");

    let revoked = revoked(&active);
    assert_eq!(replaced(&revoked, &written), json_of(&revoked));
}

#[test]
fn what_is_said_of_a_peer_ends_with_it() {
    let grant = samples::grant(GrantOrigin::Device, samples::active());
    let mut value = json_of(&grant);
    put(&mut value, "/state", "cnf", json!("key"));
    put(&mut value, "/state/rotated_by", "country", json!("fr"));
    let refreshed = |address: &str| {
        let mut state = samples::active();
        if let GrantState::Active {
            generation,
            rotated_by,
            ..
        } = &mut state
        {
            *generation += 1;
            rotated_by.address = address.parse().expect("an address");
        }
        Grant {
            state,
            ..grant.clone()
        }
    };
    let from_there = replaced(&refreshed("192.0.2.10"), &value);
    assert_eq!(from_there["state"]["rotated_by"]["country"], "fr");
    let from_elsewhere = replaced(&refreshed("198.51.100.1"), &value);
    assert_eq!(from_elsewhere["state"]["rotated_by"].get("country"), None);
    assert_eq!(from_elsewhere["state"]["cnf"], "key");
}

#[test]
fn elements_of_a_list_are_known_by_their_id() {
    let keys = samples::signing_keys();
    let mut value = json_of(&keys);
    for (at, mark) in [("/keys/0", 0), ("/keys/1", 1), ("/superseded/0", 2)] {
        put(&mut value, at, "hsm", json!(mark));
    }
    let mut new = keys.clone();
    let first = new.keys.remove(0);
    new.keys
        .push(first.promoted(samples::AT, std::time::Duration::from_secs(9)));
    let written = replaced(&new, &value);
    let marks: Vec<_> = written["keys"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|key| &key["hsm"])
        .collect();
    assert_eq!(marks, [&json!(1), &Value::Null, &Value::Null, &json!(0)]);
    assert_eq!(written["superseded"][0]["hsm"], 2);
}

#[test]
fn a_row_of_an_earlier_version_is_completed() {
    let mut value = json_of(&samples::user());
    value
        .as_object_mut()
        .expect("an object")
        .remove("from_file");
    let user: User = serde_json::from_value(value.clone()).expect("a user");
    assert_eq!(replaced(&user, &value), json_of(&user));
}

fn unknown() -> impl Strategy<Value = (String, Value)> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a-z/~\"é ]{0,8}".prop_map(Value::from),
    ];
    let value = leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map("[a-z~/]{1,4}", inner, 0..3)
                .prop_map(|map| Value::Object(Map::from_iter(map))),
        ]
    });
    ("new_[a-z/~ ]{0,6}", value)
}

/// Adds members to objects of the record's JSON, writes `new` over it, and looks for them in the objects at `kept`.
fn survives<R: Record>(
    old: &R,
    new: &R,
    added: &[(prop::sample::Index, (String, Value))],
    kept: impl Fn(&str) -> bool,
) -> Result<(), TestCaseError> {
    let mut value = json_of(old);
    let mut places = Vec::new();
    objects("", &value, &mut places);
    let mut expected = json_of(new);
    for (place, (name, member)) in added {
        let at = place.get(&places);
        put(&mut value, at, name, member.clone());
        if kept(at) {
            put(&mut expected, at, name, member.clone());
        }
    }
    prop_assert_eq!(replaced(new, &value), expected);
    Ok(())
}

type Added = Vec<(prop::sample::Index, (String, Value))>;

fn added() -> impl Strategy<Value = Added> {
    prop::collection::vec((any::<prop::sample::Index>(), unknown()), 0..6)
}

proptest! {
    #[test]
    fn a_user_keeps_any_unknown_member(added in added(), enabled: bool, epoch: [u8; 8], email in "[a-z]{0,4}") {
        let new = User { enabled, epoch: Epoch::from_bytes(epoch), email: Some(email), ..samples::user() };
        survives(&samples::user(), &new, &added, |_| true)?;
    }

    #[test]
    fn a_grant_keeps_any_unknown_member(added in added(), of in 0..27_usize, secs: u32) {
        let old = samples::grants().swap_remove(of);
        let expires_at = grantor_core::base::time::Timestamp::from_secs(u64::from(secs));
        let new = Grant { expires_at, ..old.clone() };
        survives(&old, &new, &added, |_| true)?;
    }

    #[test]
    fn a_refreshed_grant_keeps_any_but_those_of_the_peer(added in added(), next: u32) {
        let old = samples::grant(GrantOrigin::Code, samples::active());
        let mut new = old.clone();
        if let GrantState::Active { generation, rotated_by, .. } = &mut new.state {
            *generation = next;
            "another".clone_into(&mut rotated_by.agent);
        }
        survives(&old, &new, &added, |at| at != "/state/rotated_by")?;
    }

    #[test]
    fn a_consent_and_a_session_keep_any(added in added(), secs: u32) {
        let at = grantor_core::base::time::Timestamp::from_secs(u64::from(secs));
        survives(&samples::consent(), &Consent { at, ..samples::consent() }, &added, |_| true)?;
        let mut session = samples::session();
        session.auth_time = at;
        session.logout_subscribers = Default::default();
        survives(&samples::session(), &session, &added, |_| true)?;
    }

    #[test]
    fn the_signing_keys_keep_any(added in added(), kept: u32) {
        let old = samples::signing_keys();
        let mut new = old.clone();
        new.keys[1] = new.keys[1].clone().retired(samples::AT);
        new.keys[2].kept_secs = u64::from(kept);
        survives(&old, &new, &added, |_| true)?;
    }
}

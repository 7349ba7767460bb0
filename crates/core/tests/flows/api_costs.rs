//! What a request to the management API costs.

use grantor_core::base::secret::Secret;
use grantor_core::manage::users::{
    ChangeManagedUser, CreateUser, EndUserSession, GetUser, UserBody,
};
use grantor_core::manage::{Admission, Admitted, ApiAnswer, IdempotencyKey, Idempotent, IfMatch};
use grantor_core::model::right::Right;
use grantor_testkit::world::World;
use grantor_testkit::{api, user_id};
use serde_json::{Map, Value, json};

/// Asserts that `act` costs exactly this, and no more than the budget of the design allows.
fn costs<T>(
    world: &mut World,
    expected: [usize; 3],
    budget: [usize; 3],
    act: impl FnOnce(&mut World) -> T,
) -> T {
    let (cost, result) = world.cost(act);
    assert_eq!(cost, expected, "reads, commits, rows written");
    for (cost, budget) in cost.iter().zip(budget) {
        assert!(*cost <= budget, "{cost} of {budget}");
    }
    result
}

fn object(value: Value) -> Map<String, Value> {
    value.as_object().cloned().expect("an object")
}

#[test]
fn the_api_reads_an_object_in_one_read_and_changes_it_in_two_and_a_commit() {
    let mut world = World::with(api::serve);
    let tokens = world.machine_token(api::MACHINE, &[("scope", &api::all_rights())]);
    let token = tokens.expect("tokens").access;
    let admission = Admission::Header(Some(Secret::new(format!("Bearer {token}"))));
    let right = &[Right::UsersRead];
    let alice = user_id("alice").to_string();
    let id = alice.clone();
    costs(&mut world, [1, 0, 0], [1, 0, 0], |world| {
        world
            .ask(Admitted::new(&admission, "t", GetUser { id, right }))
            .reply
    })
    .expect("a user");

    let user =
        json!({ "username": "dora", "email": "dora@example.com", "password": "a-good-password" });
    let create = CreateUser {
        object: object(user),
    };
    let made = costs(&mut world, [1, 1, 4], [2, 1, 5], |world| {
        world.ask(Admitted::new(&admission, "t", create)).reply
    });
    let made = made.expect("a user");

    let user = json!({ "username": "eve" });
    let create = CreateUser {
        object: object(user),
    };
    let key = IdempotencyKey::parse([b"key".as_slice()].into_iter(), "POST /users", b"{}");
    let render = |_| ApiAnswer::no_content();
    let create = Idempotent::new(create, key.expect("a key"), render);
    // The row of the key is one more read where the caller is known by the token's rows only.
    costs(&mut world, [2, 1, 4], [2, 1, 5], |world| {
        world.ask(Admitted::new(&admission, "t", create)).reply
    })
    .expect("an answer");

    let change = |patch: Value| ChangeManagedUser {
        id: made.user.id.to_string(),
        if_match: IfMatch::parse(Some(made.etag().to_string().as_bytes())).expect("a version"),
        body: UserBody::Patch(object(patch)),
    };
    let groups = change(json!({ "groups": ["staff"] }));
    let made = costs(&mut world, [1, 1, 1], [2, 1, 5], |world| {
        world.ask(Admitted::new(&admission, "t", groups)).reply
    });
    let made = made.expect("a user");
    let rename = ChangeManagedUser {
        id: made.user.id.to_string(),
        if_match: IfMatch::parse(Some(made.etag().to_string().as_bytes())).expect("a version"),
        body: UserBody::Patch(object(json!({ "username": "dorothea" }))),
    };
    costs(&mut world, [2, 1, 5], [2, 1, 5], |world| {
        world.ask(Admitted::new(&admission, "t", rename)).reply
    })
    .expect("a user");

    let browser = world.signed_in("alice");
    let session = browser.cookie().expect("a session").session().to_string();
    let end = EndUserSession {
        user: alice,
        session,
    };
    costs(&mut world, [1, 1, 1], [2, 1, 2], |world| {
        world.ask(Admitted::new(&admission, "t", end)).reply
    })
    .expect("it ends");
}

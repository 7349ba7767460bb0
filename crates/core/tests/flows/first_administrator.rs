//! The first administrator, made by the code in a file.

use grantor_core::base::secret::Secret;
use grantor_core::people::{
    CreateFirstAdministrator, CreateFirstAdministratorReply as Reply, HadAdministrator,
};
use grantor_testkit::world::{Browser, SignedIn, World};
use grantor_testkit::{Spans as _, api};

fn code(world: &World) -> String {
    CreateFirstAdministrator::code(&world.realm, world.now, [7; 16])
}

fn create(world: &mut World, code: &str, username: &str, password: &str) -> Reply {
    let create = CreateFirstAdministrator {
        code: Secret::new(code),
        username: username.to_owned(),
        password: Secret::new(password),
    };
    world.ask(create).reply.expect("no OAuth error")
}

fn had(world: &mut World) -> bool {
    world.ask(HadAdministrator).reply.expect("no OAuth error")
}

#[test]
fn the_code_makes_one_administrator_with_the_password_that_was_chosen() {
    let mut world = World::with(api::serve);
    let (code, other) = (
        code(&world),
        CreateFirstAdministrator::code(&world.realm, world.now, [8; 16]),
    );
    assert!(!had(&mut world));
    let done = create(&mut world, &code, "root", "a-good-password");
    assert_eq!(
        done,
        Reply::Done {
            username: "root".to_owned()
        }
    );
    assert!(had(&mut world));
    let mut user = world.list_all("user").into_iter();
    let user = user
        .find(|row| String::from_utf8_lossy(&row.value).contains("root"))
        .expect("a row");
    assert!(String::from_utf8_lossy(&user.value).contains("\"groups\":[\"admins\"]"));
    let mut browser = Browser::new();
    assert_eq!(
        world.sign_in(&mut browser, "root", "a-good-password"),
        SignedIn::Yes
    );
    // Neither this code nor another one counts again, whoever the administrators are now.
    for code in [&code, &other] {
        assert_eq!(
            create(&mut world, code, "eve", "a-good-password"),
            Reply::NotValid
        );
    }
    world.lose_rows("user");
    assert_eq!(
        create(&mut world, &other, "eve", "a-good-password"),
        Reply::NotValid
    );
}

#[test]
fn a_code_that_is_forged_or_old_or_not_needed_makes_nobody() {
    let mut world = World::with(api::serve);
    let good = code(&world);
    let forged = format!("{}A", &good[..good.len() - 1]);
    for bad in [
        "",
        "grantor_fa_",
        &forged,
        &good[1..],
        &good.replace("_fa_", "_rt_"),
    ] {
        assert_eq!(
            create(&mut world, bad, "eve", "a-good-password"),
            Reply::NotValid,
            "{bad}"
        );
    }
    world.advance(61.mins());
    assert_eq!(
        create(&mut world, &good, "eve", "a-good-password"),
        Reply::NotValid
    );
    let good = code(&world);
    world.reconfigure(|realm| realm.api.enabled = false);
    assert_eq!(
        create(&mut world, &good, "eve", "a-good-password"),
        Reply::NotValid
    );
    world.reconfigure(|realm| realm.api.enabled = true);
    for (name, password, why) in [
        ("alice", "a-good-password", Reply::NameTaken),
        ("", "a-good-password", Reply::InvalidName),
        ("eve@example.com", "a-good-password", Reply::InvalidName),
        ("eve", "short", Reply::InvalidPassword),
    ] {
        assert_eq!(create(&mut world, &good, name, password), why, "{name}");
    }
    assert!(!had(&mut world));
    assert!(matches!(
        create(&mut world, &good, "eve", "a-good-password"),
        Reply::Done { .. }
    ));
}

//! Names and addresses to sign in with: one namespace, whoever asks for a place in it.

use grantor_core::model::credentials::fold_login;
use grantor_core::people::{
    AddUser, AddUserReply, ChangeUser, ChangeUserReply, DeleteUser, LoginRefused, MoveLogins,
    Password, Provision, RenameUser, UserChange,
};
use grantor_core::records::{Login, User};
use grantor_testkit::user_id;
use grantor_testkit::world::{Browser, SignedIn, World, declared_user};

use LoginRefused::{AddressTaken, ForeignAddress, NameTaken};

fn sign_in(world: &mut World, typed: &str, password: &str) -> SignedIn {
    world.sign_in(&mut Browser::new(), typed, password)
}

fn added(world: &mut World, username: &str, email: Option<&str>) -> AddUserReply {
    let user = AddUser {
        username: username.to_owned(),
        password: format!("plain${username}-password"),
        groups: Vec::new(),
        organization: None,
        email: email.map(ToOwned::to_owned),
    };
    world.ask(user).reply.expect("no OAuth error")
}

fn add(world: &mut World, username: &str, email: Option<&str>) -> Option<LoginRefused> {
    match added(world, username, email) {
        AddUserReply::Added { .. } => None,
        AddUserReply::Refused(why) => Some(why),
        AddUserReply::UnknownOrganization => unreachable!("none was named"),
    }
}

fn refused(reply: ChangeUserReply) -> Option<LoginRefused> {
    match reply {
        ChangeUserReply::Done { .. } => None,
        ChangeUserReply::Refused(why) => Some(why),
        other => panic!("{other:?}"),
    }
}

fn set_email(world: &mut World, username: &str, email: &str) -> Option<LoginRefused> {
    let change = ChangeUser {
        username: username.to_owned(),
        change: UserChange {
            email: Some(Some(email.to_owned())),
            ..UserChange::default()
        },
    };
    refused(world.ask(change).reply.expect("no OAuth error"))
}

fn rename(world: &mut World, username: &str, to: &str) -> Option<LoginRefused> {
    let rename = RenameUser {
        username: username.to_owned(),
        to: to.to_owned(),
    };
    refused(world.ask(rename).reply.expect("no OAuth error"))
}

fn with_email(username: &str, email: &str) -> Provision {
    Provision {
        email: Some(email.to_owned()),
        ..declared_user(username, true)
    }
}

/// As a version without these rows left a user.
fn forget_logins(world: &mut World, usernames: &[&str]) {
    world.lose_rows("login");
    for username in usernames {
        let user = world.user(user_id(username)).expect("a user");
        world.put_user(&User {
            logins: Vec::new(),
            changed: None,
            ..user
        });
    }
}

#[test]
fn users_sign_in_by_name_or_address_however_their_keyboard_writes_it() {
    let mut world = World::new();
    world.provision(with_email("zoé", "Zoé@Example.com"));
    for typed in [
        "zoé",
        "ZOE\u{301}",
        "Ｚｏé",
        " zoé@example.com ",
        "ZOE\u{301}@EXAMPLE.COM",
        "zoé＠ｅｘａｍｐｌｅ.com",
    ] {
        let mut browser = Browser::new();
        let (cost, reply) = world.cost(|world| world.sign_in(&mut browser, typed, "zoé-password"));
        assert_eq!((cost, reply), ([2, 1, 1], SignedIn::Yes), "{typed}");
        let visitor = world.visitor(&browser).expect("signed in");
        assert_eq!(visitor.username, "zoé");
    }
}

#[test]
fn an_address_that_is_not_verified_signs_nobody_in() {
    let mut world = World::new();
    let mut user = declared_user("alice", true);
    user.claims
        .insert("email_verified".to_owned(), false.into());
    world.provision(user);
    assert_eq!(
        sign_in(&mut world, "alice@example.com", "alice-password"),
        SignedIn::Wrong
    );
    assert_eq!(
        sign_in(&mut world, "alice", "alice-password"),
        SignedIn::Yes
    );
    // It is nobody's, so another user can have it.
    assert_eq!(add(&mut world, "dave", Some("alice@example.com")), None);
}

#[test]
fn an_address_that_two_users_have_signs_nobody_in() {
    let mut world = World::new();
    world.provision(with_email("bob", "ALICE@example.com"));
    for name in ["alice", "bob"] {
        let password = format!("{name}-password");
        for address in ["alice@example.com", "ALICE@example.com"] {
            assert_eq!(sign_in(&mut world, address, &password), SignedIn::Wrong);
        }
        assert_eq!(sign_in(&mut world, name, &password), SignedIn::Yes);
    }
    let (cost, changed) =
        world.cost(|world| world.provision(with_email("bob", "ALICE@example.com")));
    assert_eq!((cost, changed), ([1, 0, 0], Some(false)), "unchanged");
    // Once it is one user's again, it is that user's.
    world.provision(declared_user("bob", true));
    assert_eq!(
        sign_in(&mut world, "alice@example.com", "alice-password"),
        SignedIn::Yes
    );
}

#[test]
fn an_address_of_many_users_keeps_none_of_them_from_being_written() {
    let mut world = World::new();
    let names: Vec<_> = (0..40).map(|n| format!("user{n}")).collect();
    for written in [true, false] {
        for name in &names {
            let changed = world.provision(with_email(name, "team@example.com"));
            assert_eq!(changed, Some(written), "{name}");
        }
    }
    let typed = "team@example.com";
    assert_eq!(
        sign_in(&mut world, typed, "user0-password"),
        SignedIn::Wrong
    );
    assert_eq!(add(&mut world, "dave", Some(typed)), Some(AddressTaken));
    for name in &names[1..] {
        world.withdraw(name);
    }
    assert_eq!(sign_in(&mut world, typed, "user0-password"), SignedIn::Yes);
}

/// What looks alike and is not the same is another name, for which no password of this one counts.
#[test]
fn names_and_addresses_that_only_look_alike_are_others() {
    let mut world = World::new();
    world.provision(with_email("fiona", "fiona@example.com"));
    for alike in [
        "\u{fb01}ona",   // ligature: NFKC would make it fiona
        "f\u{456}ona",   // Cyrillic
        "f\u{131}ona",   // dotless i
        "fio\u{200b}na", // zero-width space
        "fio\u{200d}na", // zero-width joiner
        "\u{202e}anoif", // right-to-left override
        "fion\u{3b1}",   // Greek
        "f\u{130}ona",   // dotted capital I: i and a dot, in lower case
        "\u{1d41f}iona", // mathematical bold
        "fiona\u{fe0f}", // variation selector
        "fiona@ex\u{430}mple.com",
        "fiona@example\u{2024}com", // one dot leader
        "\u{fb01}ona@example.com",
        "fiona\u{fe6b}example.com", // small commercial at
    ] {
        assert_eq!(
            sign_in(&mut world, alike, "fiona-password"),
            SignedIn::Wrong,
            "{alike:?}"
        );
        assert_ne!(fold_login(alike), "fiona", "{alike:?}");
    }
    // The Kelvin sign is the letter: Unicode has it as the same text.
    assert_eq!(add(&mut world, "kim", None), None);
    assert_eq!(add(&mut world, "\u{212a}im", None), Some(NameTaken));
    assert_eq!(add(&mut world, "Ｋｉｍ", None), Some(NameTaken));
    assert_eq!(
        sign_in(&mut world, "\u{212a}im", "kim-password"),
        SignedIn::Yes
    );
    assert_eq!(add(&mut world, "\u{131}m", None), None, "another name");
}

/// Whoever gets the address of another user, or its name, gets nothing of that account.
#[test]
fn nobody_gets_the_name_or_the_address_of_another_user() {
    let mut world = World::new();
    assert_eq!(add(&mut world, "dave", Some("dave@example.com")), None);
    // By address.
    for taken in [
        "alice@example.com",
        "ALICE@example.com",
        "ａlice＠example.com",
    ] {
        assert_eq!(
            set_email(&mut world, "dave", taken),
            Some(AddressTaken),
            "{taken}"
        );
        assert_eq!(add(&mut world, "erin", Some(taken)), Some(AddressTaken));
    }
    // By name.
    for (name, why) in [
        ("alice@example.com", ForeignAddress),
        ("x@y", ForeignAddress),
        ("x\u{ff20}y", ForeignAddress),
        ("x\u{fe6b}y", ForeignAddress),
        ("ALICE", NameTaken),
    ] {
        assert_eq!(rename(&mut world, "dave", name), Some(why), "{name}");
        assert_eq!(add(&mut world, name, None), Some(why), "{name}");
    }
    assert_eq!(
        add(&mut world, "alice@example.com", Some("alice@example.com")),
        Some(NameTaken)
    );
    assert_eq!(
        sign_in(&mut world, "alice@example.com", "alice-password"),
        SignedIn::Yes
    );
    // One's own verified address is a name, and then no one else's address.
    assert_eq!(rename(&mut world, "dave", "Dave@example.com"), None);
    assert_eq!(
        add(&mut world, "erin", Some("dave@EXAMPLE.com")),
        Some(AddressTaken)
    );
    assert_eq!(
        sign_in(&mut world, "dave@example.com", "dave-password"),
        SignedIn::Yes
    );
    // The file may say otherwise: then the name is its user's still.
    world.provision(with_email("bob", "dave@example.com"));
    for (password, reply) in [
        ("dave-password", SignedIn::Yes),
        ("bob-password", SignedIn::Wrong),
    ] {
        assert_eq!(sign_in(&mut world, "dave@example.com", password), reply);
    }
}

#[test]
fn what_is_given_up_is_free() {
    let mut world = World::new();
    add(&mut world, "dave", Some("d@example.com"));
    assert_eq!(rename(&mut world, "dave", "david"), None);
    assert_eq!(set_email(&mut world, "david", "david@example.com"), None);
    assert_eq!(add(&mut world, "dave", Some("d@example.com")), None);
    assert_eq!(
        sign_in(&mut world, "d@example.com", "dave-password"),
        SignedIn::Yes
    );
    let delete = DeleteUser {
        username: "david".to_owned(),
    };
    world.ask(delete).reply.expect("no OAuth error");
    assert_eq!(add(&mut world, "david", Some("david@example.com")), None);
    // A user of the file that is withdrawn leaves both.
    world.withdraw("alice");
    assert_eq!(add(&mut world, "alice", Some("alice@example.com")), None);
    let rows = world.list("login");
    let rows = rows
        .iter()
        .map(|row| serde_json::from_slice::<Login>(&row.value));
    for row in rows.map(|row| row.expect("a row")) {
        for user in &row.users {
            let user = world.user(*user).expect("a user");
            assert!(user.logins.contains(&row.login), "{row:?}");
        }
    }
}

#[test]
fn a_user_of_an_earlier_version_signs_in_by_name_and_gets_the_rows_with_the_next_write() {
    let mut world = World::new();
    let AddUserReply::Added { id } = added(&mut world, "dave", Some("dave@example.com")) else {
        panic!("the name is free");
    };
    forget_logins(&mut world, &["alice", "bob"]);
    let dave = world.user(id).expect("a user");
    world.put_user(&User {
        logins: Vec::new(),
        changed: None,
        ..dave
    });
    for name in ["alice", "dave"] {
        let password = format!("{name}-password");
        let mut browser = Browser::new();
        let (cost, reply) = world.cost(|world| world.sign_in(&mut browser, name, &password));
        assert_eq!((cost, reply), ([2, 1, 1], SignedIn::Yes));
    }
    // A name is taken by its old row, too.
    assert_eq!(add(&mut world, "erin", None), None);
    assert_eq!(rename(&mut world, "erin", "dave"), Some(NameTaken));
    // The next start: once.
    for written in [true, false] {
        let (cost, changed) = world.cost(|world| world.provision(declared_user("alice", true)));
        assert_eq!(changed, Some(written));
        assert_eq!(cost[2], if written { 3 } else { 0 });
    }
    let dave = world.user(id).expect("a user");
    let due = MoveLogins::needed(&dave).expect("it is due");
    world.ask(due).reply.expect("no OAuth error");
    assert!(MoveLogins::needed(&world.user(id).expect("a user")).is_none());
    for name in ["alice", "dave"] {
        let (address, password) = (format!("{name}@example.com"), format!("{name}-password"));
        assert_eq!(sign_in(&mut world, &address, &password), SignedIn::Yes);
    }
}

/// It knows no rows of logins, and so leaves them as they were.
#[test]
fn a_row_that_an_earlier_version_left_behind_signs_nobody_in_and_takes_no_name() {
    let mut world = World::new();
    let AddUserReply::Added { id } = added(&mut world, "dave", Some("dave@example.com")) else {
        panic!("the name is free");
    };
    let dave = world.user(id).expect("a user");
    world.put_user(&User {
        email: Some("other@example.com".to_owned()),
        ..dave
    });
    assert_eq!(
        sign_in(&mut world, "dave@example.com", "dave-password"),
        SignedIn::Wrong
    );
    assert_eq!(add(&mut world, "erin", Some("dave@example.com")), None);
    assert_eq!(
        sign_in(&mut world, "dave@example.com", "erin-password"),
        SignedIn::Yes
    );
}

#[test]
fn neither_reads_nor_hashes_tell_whether_a_name_or_an_address_is_known() {
    let mut world = World::new();
    world.provision(with_email("bob", "alice@example.com"));
    let mut costs = Vec::new();
    for typed in [
        "alice",
        "nobody",
        "alice@example.com", // of two users
        "nobody@example.com",
        "carol@example.com", // disabled
        "zoe\u{301}",
        "\u{fb01}ona",
    ] {
        // In one form, and in two.
        for password in ["wrong", "wro\u{308}ng"] {
            let before = world.hashes;
            let (cost, reply) = world.cost(|world| sign_in(world, typed, password));
            assert_eq!(reply, SignedIn::Wrong, "{typed:?}");
            costs.push((cost, password, world.hashes - before));
        }
    }
    for (cost, password, hashes) in costs {
        assert_eq!(cost, [2, 0, 0]);
        assert_eq!(
            hashes,
            if password == "wrong" { 1 } else { 2 },
            "{password}"
        );
    }
}

#[test]
fn guesses_count_for_a_name_however_it_is_written() {
    let mut world = World::new();
    let written = ["alice", "Alice", "ａlice", "aｌice", "ALICE ", "alicｅ"];
    for (n, typed) in written.into_iter().cycle().take(10).enumerate() {
        assert_eq!(sign_in(&mut world, typed, "wrong"), SignedIn::Wrong, "{n}");
    }
    for typed in written {
        assert_eq!(
            sign_in(&mut world, typed, "alice-password"),
            SignedIn::TooMany
        );
    }
}

/// RFC 8265 since this version; the hashes of earlier ones are of what was typed.
#[test]
fn a_password_that_an_earlier_version_hashed_as_it_was_typed_goes_on_working() {
    let mut world = World::new();
    for stored in ["pa\u{30a}ss", "foo\u{1680}bar", "tab\there", "påss"] {
        let mut user = declared_user("alice", true);
        user.password = Password::Hash(format!("plain${stored}"));
        world.provision(user);
        assert_eq!(
            sign_in(&mut world, "alice", stored),
            SignedIn::Yes,
            "{stored:?}"
        );
        assert_eq!(sign_in(&mut world, "alice", "pass"), SignedIn::Wrong);
    }
    assert_eq!(sign_in(&mut world, "alice", "pa\u{30a}ss"), SignedIn::Yes);
}

//! The commands that change one user.

use std::fs;
use std::process::Stdio;

use serde_json::{Value as Json, json};

use crate::home::{Home, output, text};

const TV: &str = "[[client]]\nid = \"tv\"\ngrants = [\"device_code\", \"refresh_token\"]\n\
                  scopes = [\"openid\", \"offline_access\"]\n";
const ALICE: &str = "[[user]]\nusername = \"alice\"\npassword = \"of the file\"\n\
                     groups = [\"staff\"]\nclaims = { given_name = \"Alice\" }\n";

/// Standard output of a command that works, with this on standard input.
fn said(home: &Home, arguments: &[&str], stdin: &str) -> String {
    let file = home.path("stdin");
    fs::write(&file, stdin).expect("a file");
    let file = fs::File::open(file).expect("the file");
    let done = output(home.command(arguments).stdin(file));
    assert!(done.status.success(), "{}", text(&done.stderr));
    text(&done.stdout).to_owned()
}

fn json(home: &Home, arguments: &[&str]) -> Json {
    let said = said(home, &[arguments, &["--json"]].concat(), "");
    serde_json::from_str(&said).expect("JSON")
}

fn refused(home: &Home, arguments: &[&str]) -> String {
    let mut command = home.command(arguments);
    let done = output(command.stdin(Stdio::null()));
    assert!(!done.status.success(), "{}", text(&done.stdout));
    text(&done.stderr).to_owned()
}

#[test]
fn an_operator_changes_passwords_and_nobody_reads_them_in_the_log() {
    let home = Home::new(TV);
    let server = home.serve();
    let first = json(&home, &["user", "add", "dave"]);
    let tokens = home.device_tokens("dave", first["password"].as_str().expect("made"));
    let set = ["user", "password", "dave", "--password-stdin"];
    let done = said(&home, &set, "staple of dave\n");
    assert!(done.starts_with("Changed the password of dave: "), "{done}");
    assert!(!done.contains("staple"), "{done}");
    assert_eq!(home.refresh(&tokens).0, 400, "what was granted has ended");
    assert!(home.signs_in("dave", "staple of dave"));
    // Where no one can be asked, nothing is guessed.
    let done = output(&mut home.command(&["user", "password", "dave"]));
    assert_eq!(done.status.code(), Some(1));
    assert!(home.signs_in("dave", "staple of dave"));
    let made = json(&home, &["user", "password", "dave", "--random"]);
    assert!(home.signs_in("dave", made["password"].as_str().expect("made")));
    let short = home.path("short");
    fs::write(&short, "short\n").expect("a file");
    let short = fs::File::open(short).expect("the file");
    let done = output(home.command(&set).stdin(short));
    assert_eq!(done.status.code(), Some(1));
    let why = text(&done.stderr);
    assert!(why.contains("fewer than 8 characters"), "{why}");
    let log = server.end("TERM").stderr;
    for secret in ["staple of dave", made["password"].as_str().expect("made")] {
        assert!(!log.contains(secret), "{log}");
    }
}

#[test]
fn an_operator_shows_changes_renames_and_deletes_a_user_with_and_without_a_server() {
    let home = Home::new(TV);
    let added = json(&home, &["user", "add", "dave"]);
    let password = added["password"].as_str().expect("made");
    for served in [false, true] {
        let server = served.then(|| home.serve());
        let set = json(
            &home,
            &[
                "user",
                "set",
                "dave",
                "--name",
                "Dave D.",
                "--email",
                "dave@example.com",
                "--group",
                "staff",
                "--group",
                "admins",
                "--claim",
                "level=7",
                "--claim",
                "nickname=D",
            ],
        );
        let mut expected = json!({
            "id": added["id"], "username": "dave", "enabled": true, "email": "dave@example.com",
            "groups": ["staff", "admins"], "password": true, "declared": [], "from_file": false,
            "claims": { "level": 7, "name": "Dave D.", "nickname": "D" },
        });
        assert_eq!(set, expected);
        let shown = said(&home, &["user", "show", "Dave"], "");
        assert!(shown.contains("groups    staff, admins\n"), "{shown}");
        assert!(!shown.contains("argon2"), "{shown}");
        let emptied = ["--email", "", "--group", "", "--claim", "level="];
        let set = json(&home, &[&["user", "set", "dave"][..], &emptied].concat());
        expected["groups"] = json!([]);
        expected["claims"] = json!({ "name": "Dave D.", "nickname": "D" });
        expected.as_object_mut().expect("an object").remove("email");
        assert_eq!(set, expected);

        json(&home, &["user", "rename", "dave", "david"]);
        assert!(refused(&home, &["user", "show", "dave"]).contains("no user \"dave\""));
        if let Some(server) = server {
            assert!(home.signs_in("david", password));
            drop(server);
        }
        json(&home, &["user", "rename", "david", "dave"]);
    }
    json(&home, &["user", "delete", "dave"]);
    assert!(refused(&home, &["user", "delete", "dave"]).contains("no user \"dave\""));
    assert_eq!(json(&home, &["user", "list"]), json!([]));
    assert_ne!(json(&home, &["user", "add", "dave"])["id"], added["id"]);
}

#[test]
fn of_a_declared_user_commands_change_only_what_the_file_leaves_open() {
    let home = Home::new(&format!("{TV}{ALICE}"));
    let server = home.serve();
    home.ready();
    let shown = json(&home, &["user", "show", "alice"]);
    let sub = shown["id"].as_str().expect("a sub").to_owned();
    let sub = sub.as_str();
    for (arguments, todo) in [
        (
            &["password", "alice", "--random"][..],
            "change password (or password_hash) there, and run `grantor reload`".to_owned(),
        ),
        (
            &["set", "Alice", "--group", "admins"],
            "change groups there, and run `grantor reload`".to_owned(),
        ),
        (
            &["set", sub, "--claim", "given_name=A"],
            "change the claim \"given_name\" there, and run `grantor reload`".to_owned(),
        ),
        (
            &["rename", "alice", "alicia"],
            format!(
                "change username and write id = \"{sub}\" there, which keeps the sub, and run `grantor reload`"
            ),
        ),
        (
            &["disable", sub],
            "set enabled = false there, and run `grantor reload`".to_owned(),
        ),
        (
            &["delete", "alice"],
            format!(
                "remove it there, and run `grantor reload --prune`, which disables the user; then `grantor user delete {sub}` \
                 deletes what is stored"
            ),
        ),
    ] {
        let why = refused(&home, &[&["user"], arguments].concat());
        let expected = format!(
            "grantor: grantor.toml declares this user, in the [[user]] with username = \"alice\": {todo}.\n"
        );
        assert_eq!(why, expected);
    }
    for (claim, instead) in [
        ("sub=bob", "the server sets it"),
        ("email=a@b", "use --email"),
        ("groups=staff", "use --group"),
        ("username=a", "use `grantor user rename`"),
    ] {
        let why = refused(&home, &["user", "set", "alice", "--claim", claim]);
        assert!(why.contains(&format!("is reserved: {instead}.")), "{why}");
    }
    json(&home, &["user", "add", "dave"]);
    let why = refused(&home, &["user", "rename", "dave", "Alice"]);
    assert!(why.contains("is taken: grantor.toml declares it"), "{why}");
    json(
        &home,
        &["user", "set", "alice", "--email", "alice@example.com"],
    );
    for taken in [
        ["user", "set", "dave", "--email", "Alice@Example.com"],
        ["user", "add", "erin", "--email", "alice@example.com"],
    ] {
        let why = refused(&home, &taken);
        let said = format!(
            "The address {:?} is taken: another user signs in with it.",
            taken[4]
        );
        assert!(why.contains(&said), "{why}");
    }
    let why = refused(&home, &["user", "rename", "dave", "d@example.com"]);
    assert!(
        why.contains("holds an @ and is not the user's own e-mail address"),
        "{why}"
    );
    server.end("TERM");

    // The next start changes nothing of it.
    let server = home.serve();
    home.ready();
    let shown = json(&home, &["user", "show", "alice"]);
    assert_eq!(shown["email"], "alice@example.com");
    assert_eq!(
        shown["declared"],
        json!(["password", "groups", "claims/given_name"])
    );
    let log = server.end("TERM").stderr;
    assert!(!log.contains("wrote an account of the file"), "{log}");

    // A user whom the file no longer declares can be deleted.
    home.configure(TV);
    let _server = home.serve();
    home.ready();
    let why = refused(&home, &["user", "enable", sub]);
    assert!(
        why.contains("grantor.toml declared \"alice\" and does not any more"),
        "{why}"
    );
    json(&home, &["user", "delete", sub]);
    assert!(refused(&home, &["user", "show", sub]).contains("no user"));
}

#[test]
fn a_user_declared_without_a_password_gets_one_by_command_and_keeps_it() {
    let home = Home::new("[[user]]\nusername = \"alice\"\n");
    let server = home.serve();
    home.ready();
    let set = json(&home, &["user", "password", "alice", "--random"]);
    let password = set["password"].as_str().expect("made");
    assert!(home.signs_in("alice", password));
    let log = server.end("TERM").stderr;
    assert!(log.contains("grantor user password"), "{log}");
    let server = home.serve();
    home.ready();
    assert!(home.signs_in("alice", password));
    let log = server.end("TERM").stderr;
    assert!(!log.contains("grantor user password"), "{log}");
}

#[test]
fn what_hash_password_prints_signs_its_user_in_and_a_weak_hash_is_told_of() {
    let home = Home::new("");
    let hash = said(
        &home,
        &["hash-password", "--password-stdin"],
        "correct horse\n",
    );
    let weak = "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";
    home.configure(&format!(
        "[[user]]\nusername = \"alice\"\npassword_hash = \"{}\"\n\
         [[user]]\nusername = \"bob\"\npassword_hash = \"{weak}\"\n\
         [[user]]\nusername = \"erin\"\npassword = \"p\"\n",
        hash.trim_end()
    ));
    let advice = said(&home, &["check", "--config", "grantor.toml"], "");
    assert!(!advice.contains("\"alice\""), "{advice}");
    for sentence in [
        "User \"bob\": password_hash has m=8,t=1, below OWASP's minimum",
        "User \"erin\": the password has fewer than 8 characters",
    ] {
        assert!(advice.contains(sentence), "{advice}");
    }
    home.serve().end("TERM");
    let server = home.serve();
    home.ready();
    assert!(home.signs_in("alice", "correct horse"));
    let log = server.end("TERM").stderr;
    assert!(
        log.contains("stored password hashes are below OWASP's minimum"),
        "{log}"
    );
    assert!(
        log.contains("User \\\"erin\\\": the password has fewer"),
        "{log}"
    );

    let why = refused(&home, &["hash-password"]);
    assert!(why.contains("standard input is no terminal"), "{why}");
}

//! The commands that change a running server, and the same without one.

use std::fs;
use std::io::Write as _;
use std::os::unix::net::UnixListener;
use std::process::{Output, Stdio};

use serde_json::Value as Json;

use crate::home::{Home, mode, output, spawn, text};

const TV: &str = "[[client]]\nid = \"tv\"\ngrants = [\"device_code\", \"refresh_token\"]\n\
                  scopes = [\"openid\", \"offline_access\"]\n";
const ALICE: &str = "[[user]]\nusername = \"alice\"\npassword = \"of the file\"\n";

fn run(home: &Home, arguments: &[&str]) -> Output {
    output(&mut home.command(arguments))
}

fn json(home: &Home, arguments: &[&str]) -> Json {
    let done = run(home, &[arguments, &["--json"]].concat());
    assert!(done.status.success(), "{}", text(&done.stderr));
    serde_json::from_slice(&done.stdout).expect("JSON")
}

fn refused(home: &Home, arguments: &[&str]) -> String {
    let done = run(home, arguments);
    assert_eq!(done.status.code(), Some(1), "{}", text(&done.stdout));
    text(&done.stderr).to_owned()
}

/// The kinds of the events of today.
fn events(home: &Home) -> Vec<String> {
    let kind = |event: &Json| event["kind"].as_str().expect("a kind").to_owned();
    home.events().iter().map(kind).collect()
}

#[test]
fn disabling_a_user_of_a_running_server_ends_live_tokens_at_once() {
    let home = Home::new(TV);
    let server = home.serve();
    assert_eq!(mode(&home.path("grantor.db.sock")), 0o600);
    let added = json(
        &home,
        &["user", "add", "dave", "--email", "dave@example.com"],
    );
    let password = added["password"].as_str().expect("one is made");
    let tokens = home.device_tokens("dave", password);
    assert_eq!(home.userinfo(&tokens), 200);

    let disabled = run(&home, &["user", "disable", "Dave"]);
    assert!(
        text(&disabled.stdout).starts_with("Disabled Dave: "),
        "{disabled:?}"
    );
    assert_eq!(home.userinfo(&tokens), 401);
    let (status, error) = home.refresh(&tokens);
    assert_eq!((status, &error["error"]), (400, &"invalid_grant".into()));
    assert!(!home.signs_in("dave", password));
    assert_eq!(json(&home, &["user", "disable", "dave"])["changed"], false);

    assert_eq!(json(&home, &["user", "enable", "dave"])["changed"], true);
    assert_eq!(home.refresh(&tokens).0, 400, "what was granted stays ended");
    assert!(home.signs_in("dave", password));

    let log = server.end("TERM").stderr;
    assert!(!log.contains(password), "{log}");
    assert!(!home.path("grantor.db.sock").exists());
    let kinds = events(&home);
    for kind in ["user_added", "user_disabled", "user_enabled"] {
        assert_eq!(kinds.iter().filter(|k| *k == kind).count(), 1, "{kinds:?}");
    }
}

#[test]
fn an_added_user_outlives_restarts_and_one_of_the_file_is_the_files() {
    let home = Home::new(&format!("{TV}{ALICE}"));
    let server = home.serve();
    home.ready();
    let mut command = home.command(&["user", "add", "dave", "--password-stdin"]);
    let mut adding = spawn(command.stdin(Stdio::piped()).stdout(Stdio::piped()));
    let mut stdin = adding.stdin.take().expect("piped");
    stdin.write_all(b"staple of dave\n").expect("it reads");
    let said = adding.wait_with_output().expect("it ends");
    assert!(!text(&said.stdout).contains("Password"), "{said:?}");
    for arguments in [
        ["disable", "Alice"],
        ["enable", "alice"],
        ["add", "alice"],
        ["add", "DAVE"],
    ] {
        let why = refused(&home, &["user", arguments[0], arguments[1]]);
        assert_eq!(
            why.contains("grantor.toml declares"),
            arguments[1] != "DAVE",
            "{why}"
        );
    }
    let users = json(&home, &["user", "list"]);
    let listed = |user: &Json| (user["username"].to_string(), user["from_file"] == true);
    let listed: Vec<_> = users
        .as_array()
        .expect("a list")
        .iter()
        .map(listed)
        .collect();
    assert_eq!(
        listed,
        [
            ("\"alice\"".to_owned(), true),
            ("\"dave\"".to_owned(), false)
        ]
    );
    server.end("TERM");

    let _server = home.serve();
    home.ready();
    assert!(home.signs_in("dave", "staple of dave"));
}

#[test]
fn without_a_server_a_command_does_the_same_in_the_store() {
    let home = Home::new(TV);
    assert!(refused(&home, &["user", "list"]).contains("there is no store grantor.db yet"));
    let added = json(&home, &["user", "add", "dave"]);
    json(&home, &["user", "add", "erin"]);
    json(&home, &["user", "disable", "erin"]);
    assert_eq!(events(&home), ["user_added", "user_added", "user_disabled"]);
    assert!(refused(&home, &["user", "disable", "nobody"]).contains("no user \"nobody\""));

    let _server = home.serve();
    assert!(home.signs_in("dave", added["password"].as_str().expect("made")));
    let table = run(&home, &["user", "list"]);
    let table = text(&table.stdout).lines().map(|line| {
        let cells: Vec<_> = line.split_whitespace().take(3).collect();
        cells.join(" ")
    });
    let expected = [
        "USERNAME STATE FROM",
        "dave enabled managed",
        "erin disabled managed",
    ];
    assert_eq!(table.collect::<Vec<_>>(), expected);
}

#[test]
fn the_socket_of_a_killed_server_does_not_block_the_next_one() {
    let home = Home::new(TV);
    home.serve().end("KILL");
    assert!(home.path("grantor.db.sock").exists());
    json(&home, &["user", "add", "dave"]);
    let _server = home.serve();
    json(&home, &["user", "disable", "dave"]);
}

#[test]
fn a_store_in_use_by_an_unreachable_server_is_reported() {
    let home = Home::new(TV);
    let _server = home.serve();
    fs::remove_file(home.path("grantor.db.sock")).expect("it listens");
    let why = refused(&home, &["user", "list"]);
    assert!(why.contains("grantor.db is in use by process"), "{why}");
    assert!(
        why.contains("cannot be asked: grantor.db.sock: No such file"),
        "{why}"
    );
}

#[test]
fn a_server_whose_socket_cannot_be_made_serves_all_the_same() {
    let home = Home::new(TV);
    fs::write(home.path("grantor.db.sock"), "a letter").expect("a file");
    let server = home.serve();
    assert_eq!(home.request("GET", "/healthz", "").0, 200);
    let log = server.end("TERM").stderr;
    assert!(log.contains("grantor.db.sock is in the way"), "{log}");
    assert_eq!(
        fs::read(home.path("grantor.db.sock")).expect("it is left"),
        b"a letter"
    );
}

#[test]
fn mistakes_in_a_command_are_reported_and_a_memory_store_has_no_commands() {
    let home = Home::new(TV);
    let _server = home.serve();
    assert!(refused(&home, &["user", "add", " dave"]).contains("username"));
    let no_email = refused(&home, &["user", "add", "dave", "--email", "dave"]);
    assert!(no_email.contains("email is not an address"), "{no_email}");
    for (password, why) in [
        (String::new(), "is empty"),
        ("é".repeat(7), "has fewer than 8 characters"),
        // Sign-in would never read it.
        ("é".repeat(600), "is longer than 1024 bytes"),
    ] {
        let stdin = home.path("password");
        std::fs::write(&stdin, password).expect("a file");
        let stdin = std::fs::File::open(stdin).expect("the file");
        let mut add = home.command(&["user", "add", "dave", "--password-stdin"]);
        let said = text(&output(add.stdin(stdin)).stderr).to_owned();
        assert!(said.contains(&format!("The password {why}.")), "{said}");
    }

    let memory = Home::new("store = \"memory:\"\n");
    assert!(refused(&memory, &["user", "list"]).contains("a store in memory has no commands"));
    assert!(refused(&memory, &["reload"]).contains("send SIGHUP to the server"));
}

#[test]
fn a_server_that_closes_the_connection_is_reported() {
    let home = Home::new("");
    let listener = UnixListener::bind(home.path("grantor.db.sock")).expect("a socket");
    let hangs_up = std::thread::spawn(move || drop(listener.accept()));
    let why = refused(&home, &["user", "list"]);
    assert!(why.contains("the server did not answer"), "{why}");
    hangs_up.join().expect("it hung up");
}

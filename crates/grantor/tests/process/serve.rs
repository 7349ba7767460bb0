//! `grantor serve` as an operator runs it.

use std::fs::{self, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::process::Command;

use grantor_core::base::row::{Index, NewRow, Row, Version, Write};
use grantor_core::base::time::Timestamp;
use grantor_core::model::ids::Epoch;
use grantor_core::records::User;
use grantor_store::Store as _;
use grantor_store::sqlite::Sqlite;

use crate::home::{Home, Server, alone, free_address, mode, output, text};

const TV: &str = "[[client]]\nid = \"tv\"\ngrants = [\"device_code\"]\nscopes = [\"openid\"]\n";

fn user(name: &str, password: &str) -> String {
    format!("[[user]]\nusername = \"{name}\"\npassword = \"{password}\"\n")
}

#[test]
fn a_server_prints_its_address_and_exits_0_on_a_signal() {
    let home = Home::new("");
    for signal in ["TERM", "INT"] {
        let server = home.serve();
        home.ready();
        let ended = server.end(signal);
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        assert_eq!(
            ended.stdout,
            format!("listening on http://{}\n", home.address)
        );
    }
}

#[test]
fn the_first_start_makes_keys_that_later_ones_keep() {
    let home = Home::new("");
    let server = home.serve();
    let keys = home.published(4);
    server.end("TERM");
    assert_eq!(
        home.files(),
        [
            "events",
            "grantor.db",
            "grantor.db.lock",
            "grantor.key",
            "grantor.toml"
        ]
    );
    assert_eq!(mode(&home.path("grantor.key")), 0o600);
    let key = fs::read(home.path("grantor.key")).expect("the key");

    let _server = home.serve();
    assert_eq!(home.published(4), keys);
    assert_eq!(fs::read(home.path("grantor.key")).expect("the key"), key);
    let algorithms: Vec<_> = keys.iter().map(|key| key["alg"].clone()).collect();
    // Those that sign, and those that will.
    assert_eq!(algorithms, ["ES256", "RS256", "ES256", "RS256"]);
}

#[test]
fn a_store_made_with_another_master_key_is_refused_by_the_name_of_the_key() {
    let home = Home::new("");
    home.serve().end("TERM");
    let key = home.path("grantor.key");
    fs::write(&key, "07".repeat(32)).expect("another key");
    let refused = home.refused();
    assert_eq!(refused.status.code(), Some(1));
    let said = text(&refused.stderr);
    assert!(
        said.contains("key_file grantor.key cannot open the store's signing keys"),
        "{said}"
    );
    assert!(said.contains("another master key"), "{said}");

    fs::remove_file(&key).expect("it was there");
    let refused = home.refused();
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        text(&refused.stderr).contains("grantor.key is missing"),
        "{}",
        text(&refused.stderr)
    );
    assert!(!key.exists(), "no new key was made");
}

#[test]
fn one_process_owns_a_store() {
    let home = Home::new("");
    let _server = home.serve();
    let mut second = home.command(&["serve", "--config", "grantor.toml"]);
    let second = output(second.env("GRANTOR_LISTEN", free_address()));
    assert_eq!(second.status.code(), Some(1));
    assert!(
        text(&second.stderr).contains("grantor.db is in use by process"),
        "{}",
        text(&second.stderr)
    );
}

#[test]
fn a_server_that_cannot_listen_says_so_and_leaves_no_files() {
    let home = Home::new("");
    let _taken = TcpListener::bind(&home.address).expect("free a moment ago");
    let refused = home.refused();
    assert_eq!(refused.status.code(), Some(1));
    let expected = format!(
        "grantor: grantor.toml:2:10: cannot listen on {}: Address already in use",
        home.address
    );
    assert!(
        text(&refused.stderr).starts_with(&expected),
        "{}",
        text(&refused.stderr)
    );
    assert_eq!(home.files(), ["grantor.toml"]);
}

#[test]
fn mistakes_of_the_configuration_end_with_2_and_what_is_not_built_with_1() {
    let home = Home::new("lisen = 1\n");
    let refused = home.refused();
    assert_eq!(refused.status.code(), Some(2));
    assert!(
        text(&refused.stderr).contains("did you mean \"listen\"?"),
        "{}",
        text(&refused.stderr)
    );

    home.configure("store = \"postgres://me@localhost/grantor\"\nkey_file = \"grantor.key\"\n");
    let refused = home.refused();
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        text(&refused.stderr).contains("grantor.toml:3:9: PostgreSQL is not built yet"),
        "{}",
        text(&refused.stderr)
    );

    home.configure("");
    let mut command = home.command(&["serve", "--config", "grantor.toml"]);
    let refused = output(command.env("GRANTOR_LOG", "a=b=c"));
    assert_eq!(refused.status.code(), Some(2));
    assert!(
        text(&refused.stderr).starts_with("GRANTOR_LOG: "),
        "{}",
        text(&refused.stderr)
    );
}

#[test]
fn a_store_in_memory_leaves_no_files() {
    let home = Home::new(&format!("store = \"memory:\"\n{TV}"));
    let server = home.serve();
    let (status, _) = home.request("POST", "/oauth2/device_authorization", "client_id=tv");
    assert_eq!(status, 200);
    assert_eq!(server.end("TERM").code, Some(0));
    assert_eq!(home.files(), ["grantor.toml"]);
}

#[test]
fn an_event_is_in_the_log_and_in_the_file_of_its_day_and_a_routine_one_only_in_the_file() {
    let home = Home::new(
        "[[client]]\nid = \"orders\"\nsecret = \"correct horse battery\"\n\
         grants = [\"client_credentials\"]\nscopes = [\"orders/read\"]\n\
         [[resource]]\nidentifier = \"orders\"\nuri = \"https://orders.example.com\"\nscopes = { read = \"Read\" }\n\
         [[client]]\nid = \"tv\"\ngrants = [\"device_code\"]\n",
    );
    let server = home.serve();
    let (status, _) = home.request("POST", "/oauth2/device_authorization", "client_id=tv");
    assert_eq!(status, 200);
    let secret = "client_id=orders&client_secret=correct+horse+battery";
    let form = format!("{secret}&grant_type=client_credentials");
    let (status, answer) = home.request("POST", "/oauth2/token", &form);
    assert_eq!(status, 200, "{answer}");
    let answer: serde_json::Value = serde_json::from_str(&answer).expect("JSON");
    let token = answer["access_token"].as_str().expect("a token");
    let form = format!("{secret}&token={token}");
    assert_eq!(home.request("POST", "/oauth2/revoke", &form).0, 200);

    let log = server.end("TERM").stderr;
    let in_log: Vec<serde_json::Value> = log
        .lines()
        .filter(|line| line.contains("\"event\""))
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let kinds: Vec<_> = in_log.iter().map(|event| &event["kind"]).collect();
    assert_eq!(kinds, ["token_revoked"]);

    let mut days = fs::read_dir(home.path("events")).expect("a folder");
    let day = days.next().expect("one day").expect("a file").path();
    let lines = home.events();
    let kinds: Vec<_> = lines.iter().map(|event| &event["kind"]).collect();
    assert_eq!(kinds, ["device_authorization_started", "token_revoked"]);
    assert_eq!(lines[1]["client"], "orders");
    assert_eq!(lines[1]["trace_id"], in_log[0]["trace_id"]);
    assert_eq!(lines[1]["trace_id"].as_str().map(str::len), Some(32));
    assert_eq!(mode(&day), 0o600);
}

#[test]
fn an_unsupported_setting_is_logged_once_and_no_secret_is() {
    let home = Home::new(&format!(
        "dialects = [\"cognito_device\"]\n[[client]]\nid = \"orders\"\nsecret = \"correct horse battery\"\n\
         grants = [\"client_credentials\"]\n{}",
        user("alice", "staple of alice")
    ));
    let server = home.serve();
    let form = "grant_type=client_credentials&client_id=orders&client_secret=correct+horse+battery";
    let (status, answer) = home.request("POST", "/oauth2/token", form);
    assert_eq!(status, 200, "{answer}");
    let log = server.end("TERM").stderr;
    assert_eq!(
        log.matches("The dialect cognito_device is not built yet")
            .count(),
        1
    );
    let advice = "the secret can be guessed";
    assert_eq!(log.matches(advice).count(), 1);
    let key = fs::read_to_string(home.path("grantor.key")).expect("the key");
    let key = key.lines().last().expect("a line");
    let answer: serde_json::Value = serde_json::from_str(&answer).expect("JSON");
    let token = answer["access_token"].as_str().expect("a token");
    for secret in ["horse", "staple", key, token] {
        assert!(!log.contains(secret), "{log}");
    }
}

#[test]
fn a_template_of_the_operator_replaces_ours() {
    let home = Home::new("templates = \"pages\"\n");
    fs::create_dir(home.path("pages")).expect("a folder");
    fs::write(
        home.path("pages/home.html"),
        "<h1>{{ site.host }} of the house</h1>",
    )
    .expect("a file");
    let server = home.serve();
    let (status, page) = home.request("GET", "/", "");
    assert_eq!(status, 200);
    assert_eq!(page, format!("<h1>{} of the house</h1>", home.address));
    server.end("TERM");

    fs::write(home.path("pages/home.html"), "{{ no_such_value }}").expect("a file");
    let refused = home.refused();
    assert_eq!(refused.status.code(), Some(1));
    let said = text(&refused.stderr);
    assert!(said.starts_with("grantor: pages/home.html:1: "), "{said}");
}

/// A user's row between two runs.
#[derive(Debug, PartialEq)]
struct Stored {
    username: String,
    enabled: bool,
    epoch: Epoch,
    password: Option<String>,
    version: Version,
}

/// The store between two runs.
fn in_store<T>(home: &Home, ask: impl AsyncFnOnce(&Sqlite) -> T) -> T {
    let _alone = alone();
    let store = Sqlite::open(home.path("grantor.db")).expect("nobody has it open");
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.expect("a runtime").block_on(ask(&store))
}

fn rows_of_users(home: &Home) -> Vec<Row> {
    let index = Index::Kind {
        realm: "default".to_owned(),
        kind: "user".to_owned(),
    };
    in_store(home, async |store| store.list(&index, None, 10).await).expect("rows")
}

/// Makes every user's row one that cannot be read.
fn damage_users(home: &Home) {
    let damaged = rows_of_users(home).into_iter().map(|row| Write::Update {
        row: NewRow {
            key: row.key,
            expires_at: None,
            value: b"no record".as_slice().into(),
            indexes: Vec::new(),
        },
        expect: row.version,
    });
    let (id, now) = (Version::from_bytes([9; 16]), Timestamp::default());
    let damaged = damaged.collect();
    in_store(home, async |store| store.commit(now, id, damaged).await).expect("a commit");
}

fn users(home: &Home) -> Vec<Stored> {
    let rows = rows_of_users(home);
    let read = |row: Row| {
        let User {
            username,
            enabled,
            epoch,
            password,
            ..
        } = serde_json::from_slice(&row.value).expect("a user");
        Stored {
            username,
            enabled,
            epoch,
            password,
            version: row.version,
        }
    };
    let mut users: Vec<_> = rows.into_iter().map(read).collect();
    users.sort_by(|a, b| a.username.cmp(&b.username));
    users
}

/// Runs a server with these users until it is ready; the store's users after it.
fn run_with(home: &Home, users_of_file: &[String]) -> Vec<Stored> {
    home.configure(&users_of_file.concat());
    let server = home.serve();
    home.ready();
    assert_eq!(server.end("TERM").code, Some(0));
    users(home)
}

#[test]
fn declared_users_are_written_where_they_differ_and_cut_off_when_removed() {
    let home = Home::new("");
    let [alice, bob] = [user("alice", "a password"), user("bob", "another")];
    let first = run_with(&home, &[alice.clone(), bob.clone()]);
    assert_eq!(
        first.iter().map(|user| &*user.username).collect::<Vec<_>>(),
        ["alice", "bob"]
    );
    assert!(first.iter().all(|user| user.enabled));
    let hash = first[0].password.as_deref().expect("a hash");
    assert!(hash.starts_with("$argon2id$"), "{hash}");

    let again = run_with(&home, &[alice.clone(), bob.clone()]);
    assert_eq!(again, first, "the same users are not written again");

    let changed = run_with(&home, &[user("alice", "a new password"), bob]);
    assert_ne!(
        changed[0].epoch, first[0].epoch,
        "a new password cuts off what the old one granted"
    );
    assert_ne!(changed[0].password, first[0].password);
    assert_eq!(changed[1], first[1]);

    let without_bob = run_with(&home, &[alice]);
    assert!(!without_bob[1].enabled);
    assert_ne!(without_bob[1].epoch, first[1].epoch);
}

#[test]
fn an_account_whose_row_is_damaged_keeps_no_other_from_being_written() {
    let home = Home::new("");
    let bob = user("bob", "another");
    run_with(&home, &[user("alice", "a password")]);
    damage_users(&home);
    home.configure(&format!("{}{bob}", user("alice", "a password")));
    let server = home.serve();
    home.ready();
    let log = server.end("TERM").stderr;
    assert!(log.contains("cannot be read"), "{log}");
    assert_eq!(rows_of_users(&home).len(), 2);
}

#[test]
fn a_name_under_another_id_is_another_account_and_the_old_one_is_cut_off() {
    let home = Home::new("");
    let before = run_with(&home, &[user("alice", "a password")]);
    let id = "id = \"0b0e5bd5-8d4b-4f3e-9d1e-6d1b6b8f7a11\"\n";
    let after = run_with(&home, &[user("Alice", "another"), id.to_owned()]);
    // Sorted by name, capitals first.
    let [new, old] = &after[..] else {
        panic!("two accounts: {after:?}");
    };
    assert_eq!((&*new.username, new.enabled), ("Alice", true));
    assert_eq!((&*old.username, old.enabled), ("alice", false));
    assert_ne!(old.epoch, before[0].epoch);
}

#[test]
fn sighup_without_tls_does_not_end_a_server_and_ends_that_of_dev_cleanly() {
    let home = Home::new("");
    let server = home.serve();
    let id = server.id().to_string();
    let sent = output(Command::new("kill").args(["-s", "HUP", &id]));
    assert!(sent.status.success());
    assert_eq!(home.request("GET", "/healthz", "").0, 200);
    assert_eq!(server.end("TERM").code, Some(0));

    let dev = Server::start(home.command(&["dev", "--listen", &free_address()]));
    assert_eq!(dev.end("HUP").code, Some(0));
}

#[test]
fn serve_and_check_take_grantor_toml_where_no_file_is_named() {
    let home = Home::new("");
    let checked = output(&mut home.command(&["check"]));
    assert_eq!(checked.status.code(), Some(0), "{}", text(&checked.stderr));
    assert!(text(&checked.stdout).starts_with("grantor.toml is valid.\n"));
    let server = Server::start(home.command(&["serve"]));
    assert_eq!(server.end("TERM").code, Some(0));
}

#[test]
fn a_store_in_a_folder_that_is_not_there_is_refused_by_check_and_serve() {
    let home = Home::new("store = \"sqlite:no/such/grantor.db\"\nkey_file = \"grantor.key\"\n");
    for (command, code) in [("check", 2), ("serve", 1)] {
        let refused = output(&mut home.command(&[command]));
        assert_eq!(refused.status.code(), Some(code), "{command}");
        let said = text(&refused.stderr);
        assert!(
            said.contains("grantor.toml:3:9: store: there is no folder no/such;"),
            "{said}"
        );
        let refused = output(
            home.command(&[command])
                .env("GRANTOR_STORE", "sqlite:none/grantor.db"),
        );
        let said = text(&refused.stderr);
        assert!(
            said.contains("GRANTOR_STORE: store: there is no folder none;"),
            "{said}"
        );
    }
    assert_eq!(home.files(), ["grantor.toml"]);
}

#[test]
fn a_folder_of_events_that_is_a_link_or_that_others_write_to_is_refused() {
    let home = Home::new("");
    let (events, elsewhere) = (home.path("events"), home.path("elsewhere"));
    fs::create_dir(&elsewhere).expect("a folder");
    symlink("elsewhere", &events).expect("a link");
    let refused = home.refused();
    assert_eq!(refused.status.code(), Some(1));
    let said = text(&refused.stderr);
    assert!(
        said.contains("cannot write events to events: it is a link"),
        "{said}"
    );

    fs::remove_file(&events).expect("the link");
    fs::create_dir(&events).expect("a folder");
    for open in [0o777, 0o770, 0o702] {
        fs::set_permissions(&events, Permissions::from_mode(open)).expect("ours");
        let refused = home.refused();
        let said = text(&refused.stderr);
        assert!(said.contains("others can write to it"), "{open:o}: {said}");
    }
    fs::set_permissions(&events, Permissions::from_mode(0o755)).expect("ours");
    assert_eq!(home.serve().end("TERM").code, Some(0));
    assert_eq!(mode(&events), 0o750, "not for all to read");
}

#[test]
fn a_server_takes_as_many_open_files_as_the_system_lets_it() {
    let home = Home::new("");
    let program = env!("CARGO_BIN_EXE_grantor");
    let mut command = Command::new("/bin/sh");
    command.args(["-c", &format!("ulimit -S -n 256; exec {program} serve")]);
    let server = Server::start(home.placed(command));
    let limits = fs::read_to_string(format!("/proc/{}/limits", server.id())).expect("Linux");
    let line = limits
        .lines()
        .find(|line| line.starts_with("Max open files"));
    let words: Vec<_> = line.expect("a line").split_whitespace().collect();
    assert_eq!(words[3], words[4], "the soft limit is the hard one");
    assert_eq!(server.end("TERM").code, Some(0));
}

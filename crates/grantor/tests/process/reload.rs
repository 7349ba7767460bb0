//! A changed configuration file, taken by the running server.

use std::fs;
use std::process::Output;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use serde_json::Value as Json;

use crate::home::{Home, Server, output, text};

const SECRET: &str = "machine-secret-of-forty-characters-drawn";
const MACHINE: &str = "[[client]]\nid = \"machine\"\nsecret = \"machine-secret-of-forty-characters-drawn\"\n\
                       grants = [\"client_credentials\"]\n";
const TV: &str = "[[client]]\nid = \"tv\"\ngrants = [\"device_code\", \"refresh_token\"]\n\
                  scopes = [\"openid\", \"offline_access\"]\n";
const ALICE: &str = "[[user]]\nusername = \"alice\"\npassword = \"staple of alice\"\n";

fn run(home: &Home, arguments: &[&str]) -> Output {
    output(&mut home.command(&[&["reload"], arguments].concat()))
}

/// What `grantor reload` says of a file with these tables.
fn reload(home: &Home, tables: &str, arguments: &[&str]) -> String {
    home.configure(tables);
    let done = run(home, arguments);
    assert!(done.status.success(), "{}", text(&done.stderr));
    let path = fs::canonicalize(home.path("grantor.toml")).expect("a file");
    let path = path.display().to_string();
    assert!(text(&done.stdout).contains(&path), "{done:?}");
    text(&done.stdout).replace(&path, "grantor.toml")
}

fn token(home: &Home) -> u16 {
    let form = format!("grant_type=client_credentials&client_id=machine&client_secret={SECRET}");
    home.request("POST", "/oauth2/token", &form).0
}

/// Everything that the server wrote but its store.
fn written(home: &Home, server: Server) -> String {
    let mut all = server.end("TERM").stderr;
    for day in fs::read_dir(home.path("events")).expect("a folder") {
        let day = fs::read(day.expect("a file").path()).expect("bytes");
        all += &String::from_utf8_lossy(&day);
    }
    all
}

#[test]
fn a_reload_takes_the_file_says_what_changed_and_needs_no_restart() {
    let home = Home::new(MACHINE);
    let server = home.serve();
    home.ready();
    let tables = format!("events_max = \"1GiB\"\n{MACHINE}{TV}{ALICE}");
    let would = reload(&home, &tables, &["--dry-run"]);
    assert_eq!(
        would,
        "A reload of grantor.toml would change:\n  client: added tv\n  user: added alice\nNeeds a restart: events_max\n"
    );
    let form = "client_id=tv";
    assert_eq!(
        home.request("POST", "/oauth2/device_authorization", form).0,
        401
    );
    let did = reload(&home, &tables, &[]);
    let header = "A reload of grantor.toml would change:";
    assert_eq!(did, would.replace(header, "Reloaded grantor.toml:"));
    let tokens = home.device_tokens("alice", "staple of alice");
    assert_eq!(home.userinfo(&tokens), 200);

    // An algorithm that no one named before, and another secret.
    let signs = format!("{TV}id_token_alg = \"EdDSA\"\n");
    let other = MACHINE.replace("-drawn", "-other");
    let done = reload(&home, &format!("{other}{signs}{ALICE}"), &["--json"]);
    let answer: Json = serde_json::from_str(&done).expect("JSON");
    assert_eq!(
        answer["changes"][0]["changed"],
        serde_json::json!(["machine", "tv"])
    );
    assert_eq!(token(&home), 401);
    let jwks = home.request("GET", "/.well-known/jwks.json", "").1;
    assert!(jwks.contains("EdDSA"), "{jwks}");
    let tokens = home.device_tokens("alice", "staple of alice");
    let id_token = tokens["id_token"].as_str().expect("an ID token");
    let kid = grantor_jose::decode(id_token)
        .expect("a JWT")
        .header()
        .kid
        .clone();
    assert!(jwks.contains(kid.expect("a key id").as_str()), "{jwks}");

    // What vanished stays until it is pruned.
    let kept = reload(&home, &other, &[]);
    assert!(
        kept.starts_with(
            "Reloaded grantor.toml: nothing changed.\nNo longer in the file but still active"
        ),
        "{kept}"
    );
    assert_eq!(home.userinfo(&tokens), 200);
    assert!(home.signs_in("alice", "staple of alice"));
    let refused = output(&mut home.command(&["user", "disable", "alice"]));
    let said = text(&refused.stderr);
    assert!(
        said.contains("is kept until `grantor reload --prune`"),
        "{said}"
    );
    let refused = output(&mut home.command(&["user", "add", "Alice"]));
    let why = text(&refused.stderr);
    assert!(
        why.contains("taken by a user who is kept until `grantor reload --prune`"),
        "{why}"
    );
    let pruned = reload(&home, &other, &["--prune"]);
    assert_eq!(
        pruned,
        "Reloaded grantor.toml:\n  client: removed tv\n  user: removed alice\n"
    );
    assert_eq!(home.userinfo(&tokens), 401);
    assert!(!home.signs_in("alice", "staple of alice"));
    let nothing = "Reloaded grantor.toml: nothing changed.\n";
    assert_eq!(reload(&home, &other, &["--prune"]), nothing);

    let all = written(&home, server);
    assert!(
        all.contains(
            "\"kind\":\"realm_reloaded\",\"check\":\"configuration\",\"reload\":{\"added\":[\"client tv\",\"user alice\"]"
        ),
        "{all}"
    );
    for secret in ["forty-characters", "staple of alice"] {
        assert!(!format!("{all}{would}{done}").contains(secret), "{all}");
    }
}

#[test]
fn an_invalid_file_is_refused_as_check_does_and_a_command_without_a_server_says_so() {
    let home = Home::new(MACHINE);
    let refused = run(&home, &[]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        text(&refused.stderr).contains("no server answers for the store"),
        "{}",
        text(&refused.stderr)
    );
    let server = home.serve();
    home.ready();
    home.configure(&format!("{MACHINE}grnats = []\n"));
    let checked = output(&mut home.command(&["check"]));
    let refused = run(&home, &[]);
    assert_eq!(refused.status.code(), Some(2));
    let said = text(&refused.stderr);
    assert!(
        said.starts_with(text(&checked.stderr)) && said.contains("grantor.toml:7:1:"),
        "{said}"
    );
    assert!(said.contains("keeps its settings"), "{said}");
    assert_eq!(token(&home), 200);
    drop(server);
    let refused = run(&home, &[]);
    assert_eq!(refused.status.code(), Some(2));
}

#[test]
fn what_is_not_taken_or_not_all_of_it_ends_with_a_code_of_its_own() {
    let home = Home::new(MACHINE);
    let _server = home.serve();
    home.ready();
    // Another file with the same store.
    fs::copy(home.path("grantor.toml"), home.path("b.toml")).expect("a file");
    let other = run(&home, &["--config", "b.toml"]);
    assert_eq!(other.status.code(), Some(1));
    let why = text(&other.stderr);
    assert!(
        why.contains("grantor.toml, not /") && why.contains("b.toml: run"),
        "{why}"
    );

    assert!(
        output(&mut home.command(&["user", "add", "alice"]))
            .status
            .success()
    );
    home.configure(&format!(
        "{MACHINE}{ALICE}{}",
        ALICE.replace("alice", "bob")
    ));
    for changed in [
        "  user: added bob; left out alice\n",
        "  user: left out alice\n",
    ] {
        let done = run(&home, &[]);
        assert_eq!(done.status.code(), Some(3), "{done:?}");
        let said = text(&done.stdout);
        assert!(said.contains(changed), "{said}");
        assert!(
            said.contains("User \"alice\" was not written: another account"),
            "{said}"
        );
    }

    // Another store, of which this server does not know.
    home.configure(&format!("store = \"sqlite:other.db\"\n{MACHINE}"));
    let moved = run(&home, &[]);
    assert_eq!(moved.status.code(), Some(1));
    let why = text(&moved.stderr);
    assert!(
        why.contains("If you changed `store`, restart the server"),
        "{why}"
    );
}

/// Asks until it is told to stop; each answer is 200.
fn load(home: &Home, stopped: &AtomicBool) -> usize {
    let mut asked = 0;
    while !stopped.load(Ordering::Relaxed) {
        assert_eq!(token(home), 200);
        for document in [
            "/.well-known/openid-configuration",
            "/.well-known/jwks.json",
        ] {
            assert_eq!(home.request("GET", document, "").0, 200);
        }
        asked += 1;
    }
    asked
}

#[test]
fn sighup_under_load_takes_a_file_or_keeps_what_it_has() {
    let tables = format!("{MACHINE}{TV}{ALICE}");
    let home = Home::new(&tables);
    let mut server = home.serve();
    home.ready();
    let file = home.path("grantor.toml");
    let whole = fs::read_to_string(&file).expect("text");
    let stopped = AtomicBool::new(false);
    thread::scope(|threads| {
        let loads: Vec<_> = (0..2)
            .map(|_| threads.spawn(|| load(&home, &stopped)))
            .collect();
        // Renamed over, as editors and orchestrators do.
        let mut replace = |text: &str, says: &str| {
            fs::write(home.path("next.toml"), text).expect("a file");
            fs::rename(home.path("next.toml"), &file).expect("ours");
            server.hang_up();
            let line = server.logs("the configuration was");
            assert!(line.contains(says), "{text}: {line}");
            line
        };
        let lines: Vec<&str> = whole.lines().collect();
        // A cut in the middle of its own table would change the client that asks for tokens: two lines and four are whole.
        let cuts = (0..lines.len()).filter(|kept| !matches!(kept, 3..6));
        for kept in cuts {
            // Whole tables, or the middle of one: each is taken or refused, and nothing is withdrawn.
            let text = format!("{}\n", lines[..kept].join("\n"));
            let is_valid = grantor_config::parse(
                &text,
                "grantor.toml",
                std::path::Path::new(""),
                &grantor_config::Environment::default(),
            )
            .is_ok();
            let says = if is_valid {
                "was reloaded"
            } else {
                "was not reloaded"
            };
            replace(&text, says);
        }
        let taken = replace(&whole, "was reloaded");
        assert!(!taken.contains("added"), "nothing was withdrawn: {taken}");
        let refused = replace(&format!("{whole}issuer"), "was not reloaded");
        assert!(refused.contains("grantor.toml:"), "{refused}");
        let taken = replace(
            &format!("{whole}{}", TV.replace("tv", "radio")),
            "was reloaded",
        );
        assert!(taken.contains("client: added radio"), "{taken}");
        stopped.store(true, Ordering::Relaxed);
        for load in loads {
            assert!(load.join().expect("each answer is 200") > 10);
        }
    });
    let radio = home.request("POST", "/oauth2/device_authorization", "client_id=radio");
    assert_eq!(radio.0, 200, "{radio:?}");
    let log = server.end("TERM").stderr;
    for secret in ["forty-characters", "staple of alice"] {
        assert!(!log.contains(secret), "{log}");
    }
}

//! Backups of a running server, and what comes back from them.

use std::fs;
use std::process::Output;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use serde_json::Value as Json;

use crate::home::{Home, mode, output, text};

const TV: &str = "[[client]]\nid = \"tv\"\ngrants = [\"device_code\", \"refresh_token\"]\n\
                  scopes = [\"openid\", \"offline_access\"]\n";

fn run(home: &Home, arguments: &[&str]) -> Output {
    output(&mut home.command(arguments))
}

fn done(home: &Home, arguments: &[&str]) -> String {
    let done = run(home, arguments);
    assert!(done.status.success(), "{}", text(&done.stderr));
    text(&done.stdout).to_owned()
}

fn refused(home: &Home, arguments: &[&str]) -> String {
    let refused = run(home, arguments);
    assert_eq!(refused.status.code(), Some(1), "{}", text(&refused.stdout));
    text(&refused.stderr).to_owned()
}

/// Adds a user; the password.
fn added(home: &Home, name: &str) -> String {
    let added = done(home, &["user", "add", name, "--json"]);
    let added: Json = serde_json::from_str(&added).expect("JSON");
    added["password"].as_str().expect("one is made").to_owned()
}

#[test]
fn every_grant_that_was_answered_before_a_backup_under_load_works_in_what_is_restored() {
    let home = Home::new(TV);
    let server = home.serve();
    let password = added(&home, "dave");
    let (kept, refreshed) = (
        home.device_tokens("dave", &password),
        home.device_tokens("dave", &password),
    );
    let (codes, stop) = (Mutex::new(Vec::new()), AtomicBool::new(false));
    let before = thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    let asked = home.post("/oauth2/device_authorization", &[("client_id", "tv")]);
                    let code = asked.1["device_code"].as_str().expect("a code").to_owned();
                    codes.lock().expect("no panic").push(code);
                }
            });
        }
        while codes.lock().expect("no panic").len() < 100 {
            thread::yield_now();
        }
        let before = codes.lock().expect("no panic").len();
        let said = done(&home, &["backup", "copy.db"]);
        stop.store(true, Ordering::Relaxed);
        assert!(said.contains("keep a copy of grantor.key too"), "{said}");
        before
    });
    assert_eq!(mode(&home.path("copy.db")), 0o600);
    // A generation that the backup does not know.
    let (status, ahead) = home.refresh(&refreshed);
    assert_eq!(status, 200, "{ahead}");
    let in_use = refused(&home, &["restore", "copy.db"]);
    assert!(
        in_use.contains("grantor.db is in use by process"),
        "{in_use}"
    );
    server.end("TERM");

    let said = done(&home, &["restore", "copy.db"]);
    assert!(said.contains("grantor.db.before-restore"), "{said}");
    let server = home.serve();
    for code in &codes.lock().expect("no panic")[..before] {
        let (_, answer) = home.poll(code);
        assert_eq!(answer["error"], "authorization_pending", "{answer}");
    }
    assert_eq!(home.userinfo(&kept), 200);
    assert_eq!(home.refresh(&kept).0, 200);
    assert_eq!(home.refresh(&ahead).0, 200, "it is taken");
    assert!(home.signs_in("dave", &password));
    let log = server.end("TERM").stderr;
    assert_eq!(
        log.matches("\"kind\":\"refresh_ahead_of_store\"").count(),
        1,
        "and told"
    );
    let events = home.events();
    for kind in ["backed_up", "restored"] {
        let count = events.iter().filter(|event| event["kind"] == kind).count();
        assert_eq!(count, 1, "{kind}");
    }
}

#[test]
fn a_backup_with_its_key_is_all_that_a_new_machine_needs() {
    let home = Home::new(TV);
    assert!(refused(&home, &["backup", "copy.db"]).contains("there is no store"));
    let server = home.serve();
    let password = added(&home, "dave");
    let tokens = home.device_tokens("dave", &password);
    let keys = home.json("/.well-known/jwks.json");
    done(&home, &["backup", "copy.db", "--with-key"]);
    assert_eq!(mode(&home.path("copy.db.key")), 0o600);
    assert!(refused(&home, &["backup", "copy.db"]).contains("copy.db exists already"));
    done(&home, &["backup", "copy.db", "--with-key", "--force"]);
    server.end("TERM");
    for file in home.files() {
        if file.starts_with("grantor.") && file != "grantor.toml" {
            fs::remove_file(home.path(&file)).expect("it is there");
        }
    }

    let said = done(&home, &["restore", "copy.db"]);
    assert!(said.contains("grantor.key"), "{said}");
    assert_eq!(mode(&home.path("grantor.key")), 0o600);
    let _server = home.serve();
    // A running server may have published another next key meanwhile.
    let restored = home.json("/.well-known/jwks.json");
    for key in keys["keys"].as_array().expect("keys") {
        let all = restored["keys"].as_array().expect("keys");
        assert!(all.contains(key), "{key} is not in {restored}");
    }
    assert_eq!(home.userinfo(&tokens), 200);
    assert_eq!(home.refresh(&tokens).0, 200);
}

#[test]
fn a_backup_that_cannot_be_used_is_reported_and_nothing_is_damaged() {
    let home = Home::new(TV);
    let password = added(&home, "dave");
    // No server runs: the same by the command itself.
    done(&home, &["backup", "copy.db"]);
    let copy = fs::read(home.path("copy.db")).expect("a backup");
    fs::write(home.path("half.db"), &copy[..copy.len() / 2]).expect("a file");
    fs::write(home.path("letter.db"), "Dear Grantor").expect("a file");
    let before = home.files();
    for (file, why) in [
        ("half.db", "half.db is not a Grantor store, or is damaged"),
        ("letter.db", "letter.db is not a Grantor store"),
        ("none.db", "none.db: No such file"),
        ("grantor.db", "grantor.db is the store itself"),
    ] {
        let said = refused(&home, &["restore", file]);
        assert!(said.contains(why), "{said}");
    }

    let key = home.path("grantor.key");
    let (right, away) = (fs::read(&key).expect("a key"), home.path("away"));
    fs::write(&key, "07".repeat(32)).expect("another key");
    let said = refused(&home, &["restore", "copy.db"]);
    assert!(said.contains("another master key"), "{said}");
    fs::rename(&key, &away).expect("it is there");
    let said = refused(&home, &["restore", "copy.db"]);
    assert!(said.contains("key_file grantor.key is missing"), "{said}");
    assert!(said.contains("copy.db.key"), "{said}");
    fs::rename(&away, &key).expect("it is there");
    fs::write(&key, &right).expect("the right key again");

    assert_eq!(home.files(), before, "nothing is left behind");
    let _server = home.serve();
    assert!(home.signs_in("dave", &password));
}

//! The commands that manage a server by its API.

use std::process::Stdio;

use serde_json::{Value as Json, json};

use crate::home::{Home, mode, output, text};

const TV: &str = "[[client]]\nid = \"tv\"\ngrants = [\"device_code\", \"refresh_token\"]\n\
                  scopes = [\"openid\", \"offline_access\"]\n";

fn json_of(home: &Home, arguments: &[&str]) -> Json {
    let arguments = [arguments, &["--json"]].concat();
    let done = output(home.command(&arguments).stdin(Stdio::null()));
    assert!(done.status.success(), "{}", text(&done.stderr));
    serde_json::from_str(text(&done.stdout)).expect("JSON")
}

fn refused(home: &Home, arguments: &[&str]) -> String {
    let done = output(home.command(arguments).stdin(Stdio::null()));
    assert!(!done.status.success(), "{}", text(&done.stdout));
    text(&done.stderr).to_owned()
}

#[test]
fn an_administrator_is_made_with_a_password_that_is_printed_once() {
    let home = Home::new("[api]\nenabled = true\nadmins = [\"ops\", \"others\"]\n");
    let made = json_of(&home, &["admin", "create", "root"]);
    let password = made["password"].as_str().expect("a password");
    assert!(
        password.len() >= 16,
        "there is no default password: {password}"
    );
    let shown = json_of(&home, &["user", "show", "root"]);
    assert_eq!(shown["groups"], json!(["ops"]));
    let again = refused(&home, &["admin", "create", "root"]);
    assert!(again.contains("taken"), "{again}");
    let other = json_of(&home, &["admin", "create", "other"]);
    assert_ne!(other["password"], password, "each has its own");
    home.configure("[api]\nadmins = []\n");
    let none = refused(&home, &["admin", "create", "third"]);
    assert!(none.contains("[api] admins"), "{none}");
}

#[test]
fn sessions_and_grants_are_listed_and_ended_by_command() {
    let home = Home::new(TV);
    let server = home.serve();
    let dave = json_of(&home, &["user", "add", "dave"]);
    let password = dave["password"].as_str().expect("a password");
    let tokens = home.device_tokens("dave", password);
    let listed = |kind: &str| {
        let listed = json_of(&home, &[kind, "list", "dave"]);
        listed["items"].as_array().expect("a list").clone()
    };
    let (sessions, grants) = (listed("session"), listed("grant"));
    assert!(!sessions.is_empty(), "that of the approval");
    assert_eq!(grants.len(), 1, "{grants:?}");
    assert_eq!(grants[0]["client_id"], "tv");
    let grant = grants[0]["id"].as_str().expect("an id");
    let done = json_of(&home, &["grant", "revoke", "dave", grant]);
    assert_eq!(done, json!({ "done": true }));
    assert_eq!(home.refresh(&tokens).0, 400);
    for session in &sessions {
        let id = session["id"].as_str().expect("an id");
        json_of(&home, &["session", "end", "dave", id]);
        let again = refused(&home, &["session", "end", "dave", id]);
        assert!(again.contains("no such object"), "{again}");
    }
    assert!(listed("session").is_empty() && listed("grant").is_empty());
    let nobody = refused(&home, &["session", "list", "nobody"]);
    assert!(nobody.contains("nobody"), "{nobody}");
    drop(server);
}

#[test]
fn a_server_without_an_administrator_writes_a_code_for_making_one() {
    let home = Home::new("[api]\nenabled = true\n");
    let file = home.path("grantor.db.first-admin");
    let server = home.serve();
    home.ready();
    let text = (0..100_000).find_map(|_| {
        std::fs::read_to_string(&file)
            .ok()
            .filter(|it| it.ends_with('\n'))
    });
    let text = text.expect("the file");
    assert_eq!(mode(&file), 0o600);
    let mut lines = text.lines().skip(1);
    assert_eq!(
        lines.next(),
        Some(&*format!("http://{}/admin/first", home.address))
    );
    let code = lines.next().expect("a code").to_owned();
    let form = [
        ("code", code.as_str()),
        ("username", "root"),
        ("password", "a-good-password"),
    ];
    let body = form
        .map(|(name, value)| format!("{name}={value}"))
        .join("&");
    let (status, page) = home.request("POST", "/admin/first", &body);
    assert_eq!(status, 200, "{page}");
    let shown = json_of(&home, &["user", "show", "root"]);
    assert_eq!(shown["groups"], json!(["admins"]));
    let gone = (0..100_000).any(|_| home.request("GET", "/readyz", "").0 == 200 && !file.exists());
    assert!(gone, "once there is an administrator");
    let ended = server.end("TERM");
    assert!(
        ended.stderr.contains("grantor.db.first-admin"),
        "the path is logged"
    );
    assert!(!ended.stderr.contains(&code), "and the code is not");
    // There was an administrator: the next start offers nothing.
    let server = home.serve();
    home.ready();
    let gone = (0..100_000).any(|_| !file.exists());
    assert!(gone, "the file is removed");
    server.end("TERM");
}

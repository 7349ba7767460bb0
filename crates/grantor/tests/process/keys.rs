//! `grantor keys` as an operator runs it.

use std::fs;
use std::process::Output;

use serde_json::{Value as Json, json};

use crate::home::{Home, mode, output, text};

const CONFIG: &str = "\
[[user]]\nusername = \"alice\"\npassword = \"correct horse\"\n\
[[client]]\nid = \"tv\"\ngrants = [\"device_code\", \"refresh_token\"]\nscopes = [\"openid\", \"offline_access\"]\n\
[[client]]\nid = \"job\"\nsecret = \"0123456789abcdefghijkl\"\ngrants = [\"client_credentials\"]\n\
scopes = [\"api/read\"]\nresources = [\"api\"]\n\
[[resource]]\nidentifier = \"api\"\nscopes = { read = \"Read\" }\ntoken = \"sealed\"\n";

fn member(body: &str, name: &str) -> String {
    let body: Json = serde_json::from_str(body).expect("JSON");
    body[name].as_str().unwrap_or_default().to_owned()
}

fn device_code(home: &Home) -> String {
    let (status, codes) = home.post("/oauth2/device_authorization", &[("client_id", "tv")]);
    assert_eq!(status, 200, "{codes}");
    codes["device_code"].as_str().expect("a code").to_owned()
}

/// What a poll with this code answers.
fn poll(home: &Home, code: &str) -> String {
    home.poll(code).1["error"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

const JOB: &str = "client_id=job&client_secret=0123456789abcdefghijkl";

/// An opaque access token of the machine.
fn sealed_token(home: &Home) -> String {
    let form = format!("grant_type=client_credentials&{JOB}");
    let (status, body) = home.request("POST", "/oauth2/token", &form);
    assert_eq!(status, 200, "{body}");
    member(&body, "access_token")
}

fn is_active(home: &Home, token: &str) -> bool {
    let form = format!("token={token}&{JOB}");
    let (status, body) = home.request("POST", "/oauth2/introspect", &form);
    assert_eq!(status, 200, "{body}");
    serde_json::from_str::<Json>(&body).expect("JSON")["active"] == true
}

fn keys(home: &Home, what: &str) -> Output {
    output(&mut home.command(&["keys", what]))
}

fn rotate_master(home: &Home) -> Output {
    keys(home, "rotate-master")
}

/// The keys of the file, without its comments.
fn lines(home: &Home) -> Vec<String> {
    let file = fs::read_to_string(home.path("grantor.key")).expect("the key");
    let keys = file.lines().filter(|line| !line.starts_with('#'));
    keys.map(str::to_owned).collect()
}

#[test]
fn what_the_old_master_key_sealed_works_under_the_new_one_until_the_old_one_is_removed() {
    let home = Home::new(CONFIG);
    let server = home.serve();
    let published = home.published(4);
    home.ready();
    let tokens = home.device_tokens("alice", "correct horse");
    let (code, token) = (device_code(&home), sealed_token(&home));
    server.end("TERM");
    let old = lines(&home);

    let rotated = rotate_master(&home);
    assert_eq!(rotated.status.code(), Some(0), "{}", text(&rotated.stderr));
    let both = lines(&home);
    assert_eq!((both.len(), &both[1]), (2, &old[0]));
    assert_eq!(mode(&home.path("grantor.key")), 0o600);

    let server = home.serve();
    assert_eq!(
        home.published(4),
        published,
        "the signing keys are the same"
    );
    assert_eq!(poll(&home, &code), "authorization_pending");
    assert!(is_active(&home, &token));
    assert_eq!(home.userinfo(&tokens), 200);
    let (status, refreshed) = home.refresh(&tokens);
    assert_eq!(status, 200, "{refreshed}");
    let listed = keys(&home, "list");
    let listed = text(&listed.stdout);
    // The refresh tokens of clients that use none for a month.
    assert!(listed.contains("opens; may be removed in 30d"), "{listed}");
    let (newer, later) = (device_code(&home), sealed_token(&home));
    server.end("TERM");

    fs::write(home.path("grantor.key"), &both[0]).expect("it is ours");
    let _server = home.serve();
    assert_eq!(poll(&home, &newer), "authorization_pending");
    assert!(is_active(&home, &later));
    assert_eq!(poll(&home, &code), "invalid_grant");
    assert!(!is_active(&home, &token));
    assert_eq!(
        home.refresh(&refreshed).0,
        200,
        "what was used since is of the new key"
    );
}

/// The id of the key that signed a token.
fn kid(token: &Json) -> Json {
    let token = grantor_jose::decode(token.as_str().expect("a token")).expect("a JWT");
    json!(token.header().kid.as_ref().expect("a kid").as_str())
}

#[test]
fn signing_keys_rotate_by_command_under_a_running_server() {
    let home = Home::new(CONFIG);
    let _server = home.serve();
    home.ready();
    let before = home.published(4);
    let kids = |keys: &[Json]| {
        keys.iter()
            .map(|key| key["kid"].clone())
            .collect::<Vec<_>>()
    };
    let old = home.device_tokens("alice", "correct horse");

    let rotated = keys(&home, "rotate");
    assert_eq!(rotated.status.code(), Some(0), "{}", text(&rotated.stderr));
    let said = text(&rotated.stdout);
    assert!(
        said.contains("ES256 signs with ") && said.contains("Published only "),
        "{said}"
    );

    // Active and next of before are active and retiring, and there are new next ones.
    let after = home.published(6);
    assert_eq!(kids(&after)[..4], kids(&before));
    let new = home.device_tokens("alice", "correct horse");
    for token in ["access_token", "id_token"] {
        let (old, new) = (kid(&old[token]), kid(&new[token]));
        assert_ne!(old, new);
        assert!(kids(&before)[..2].contains(&old) && kids(&before)[2..].contains(&new));
    }
    assert_eq!((home.userinfo(&old), home.userinfo(&new)), (200, 200));

    let listed = keys(&home, "list");
    let listed = text(&listed.stdout);
    for (state, count) in [("next", 2), ("active", 2), ("retiring", 2), ("seals", 1)] {
        assert_eq!(listed.matches(state).count(), count, "{listed}");
    }
}

#[test]
fn keys_rotate_where_no_server_runs_too() {
    let home = Home::new(CONFIG);
    let server = home.serve();
    let before = home.published(4);
    server.end("TERM");
    let rotated = keys(&home, "rotate");
    assert_eq!(rotated.status.code(), Some(0), "{}", text(&rotated.stderr));
    let _server = home.serve();
    assert_eq!(home.published(6)[..4], before);
}

#[test]
fn a_rotation_interrupted_between_the_file_and_the_row_loses_nothing() {
    let home = Home::new(CONFIG);
    let server = home.serve();
    let published = home.published(4);
    let code = device_code(&home);
    server.end("TERM");
    let file = fs::read_to_string(home.path("grantor.key")).expect("the key");

    // The file is written and the row is not, as is what an operator writes by hand.
    let ahead = format!("{}\n{file}", "07".repeat(32));
    fs::write(home.path("grantor.key"), &ahead).expect("it is ours");
    let server = home.serve();
    assert_eq!(home.published(4), published);
    assert_eq!(poll(&home, &code), "authorization_pending");
    server.end("TERM");

    // The row is written and the file is that of before: no start, no harm, and the file that is right brings all back.
    fs::write(home.path("grantor.key"), &file).expect("it is ours");
    for refused in [home.refused(), rotate_master(&home)] {
        assert_eq!(refused.status.code(), Some(1));
        let said = text(&refused.stderr);
        assert!(
            said.contains("cannot open the store's signing keys"),
            "{said}"
        );
        assert_eq!(lines(&home).len(), 1, "the file is not made worse");
    }
    fs::write(home.path("grantor.key"), &ahead).expect("it is ours");
    let _server = home.serve();
    assert_eq!(home.published(4), published);
    assert_eq!(poll(&home, &code), "authorization_pending");
}

#[test]
fn a_master_key_is_rotated_only_where_that_can_be_done() {
    let home = Home::new("");
    let refused = rotate_master(&home);
    assert!(
        text(&refused.stderr).contains("never used"),
        "{}",
        text(&refused.stderr)
    );

    let server = home.serve();
    let running = rotate_master(&home);
    assert_eq!(running.status.code(), Some(1));
    assert!(
        text(&running.stderr).contains("is in use by process"),
        "{}",
        text(&running.stderr)
    );
    server.end("TERM");
    assert_eq!(lines(&home).len(), 1);

    home.configure("key_env = \"KEY\"\n");
    let mut command = home.command(&["keys", "rotate-master", "--config", "grantor.toml"]);
    let refused = output(command.env("KEY", &lines(&home)[0]));
    assert!(
        text(&refused.stderr).contains("openssl rand -hex 32"),
        "{}",
        text(&refused.stderr)
    );
}

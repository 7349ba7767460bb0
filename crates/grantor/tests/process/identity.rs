//! Names over the life of a server: whom one stands for, and who is named in the log.

use serde_json::Value as Json;

use crate::home::Home;

const TV: &str = "[[client]]\nid = \"tv\"\ngrants = [\"device_code\", \"refresh_token\"]\n\
                  scopes = [\"openid\", \"offline_access\"]\n";
const ALICE: &str = "[[user]]\nusername = \"Alice\"\npassword = \"of the file\"\n";

#[test]
fn a_client_that_was_withdrawn_and_is_declared_again_inherits_nothing() {
    let home = Home::new(&format!("{TV}{ALICE}"));
    let server = home.serve();
    home.ready();
    let tokens = home.device_tokens("alice", "of the file");
    server.end("TERM");

    let server = home.serve();
    home.ready();
    let (status, tokens) = home.refresh(&tokens);
    assert_eq!(status, 200, "a start alone ends nothing: {tokens}");
    server.end("TERM");

    for file in [ALICE.to_owned(), format!("{TV}{ALICE}")] {
        home.configure(&file);
        let server = home.serve();
        home.ready();
        assert_eq!(home.userinfo(&tokens), 401);
        server.end("TERM");
    }
    let _server = home.serve();
    home.ready();
    let (status, error) = home.refresh(&tokens);
    assert_eq!((status, &error["error"]), (400, &"invalid_grant".into()));
    let own = home.device_tokens("alice", "of the file");
    assert_eq!(home.refresh(&own).0, 200);
}

fn lines<'a>(log: &'a str, target: &'a str) -> impl Iterator<Item = Json> + 'a {
    let lines = log
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok());
    lines.filter(move |line: &Json| line["target"] == target)
}

#[test]
fn a_refusal_names_client_and_reason_and_repeats_no_unknown_name() {
    let secret = "[[client]]\nid = \"orders\"\nsecret = \"right-secret\"\n\
                  grants = [\"client_credentials\"]\nscopes = [\"openid\"]\n";
    let home = Home::new(&format!("{TV}{secret}{ALICE}"));
    let server = home.serve();
    home.ready();
    for (client, rest) in [
        (
            "orders",
            "grant_type=client_credentials&client_secret=wrong",
        ),
        (
            "my-pass-phrase",
            "grant_type=client_credentials&client_secret=x",
        ),
        ("tv", "grant_type=made_up"),
    ] {
        let form = format!("client_id={client}&{rest}");
        let (status, _) = home.request("POST", "/oauth2/token", &form);
        assert!(status >= 400);
    }
    assert!(!home.signs_in("ALICE", "wrong"));
    assert!(!home.signs_in("my-pass-phrase", "wrong"));
    let log = server.end("TERM").stderr;

    let refused: Vec<_> = lines(&log, "grantor::refusal").collect();
    let of = |line: &Json, name: &str| line[name].as_str().unwrap_or("").to_owned();
    let told: Vec<_> = refused
        .iter()
        .map(|line| (of(line, "client"), of(line, "cause")))
        .collect();
    assert_eq!(told.len(), 3, "{log}");
    assert_eq!(told[0], ("orders".to_owned(), "WrongSecret".to_owned()));
    assert_eq!(told[1].1, "UnknownClient");
    assert!(told[1].0.starts_with("unknown:"), "{told:?}");
    assert_eq!(
        told[2],
        ("tv".to_owned(), String::new()),
        "no cause is none"
    );

    let failed: Vec<_> = lines(&log, "event")
        .filter(|line| of(line, "kind").contains("sign_in_failed"))
        .map(|line| (of(&line, "username"), of(&line, "reason")))
        .collect();
    assert_eq!(failed.len(), 2, "{log}");
    assert_eq!(failed[0], ("Alice".to_owned(), "wrong_password".to_owned()));
    assert_eq!(failed[1].1, "user_gone");
    assert!(failed[1].0.starts_with("unknown:"), "{failed:?}");
    assert!(
        !log.contains("my-pass-phrase") && !log.contains("AsDescribed"),
        "{log}"
    );
}

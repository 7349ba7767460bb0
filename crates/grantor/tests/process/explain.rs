//! `grantor explain`: what would come of an exchange, asked of a running server and of a store.

use std::fs;
use std::io::Write as _;
use std::process::{Output, Stdio};

use serde_json::{Value as Json, json};

use crate::home::{Home, output, spawn, text};

const CONFIG: &str = r#"
[[user]]
username = "alice"
password = "correct horse"
groups = ["staff"]

[[resource]]
identifier = "orders.example.com"
uri = "https://orders.example.com"
scopes = { read = "Read orders" }

[[resource]]
identifier = "shipping.example.com"
uri = "https://shipping.example.com"
scopes = { read = "Read shipments", write = "Send parcels" }

[[resource]]
identifier = "files.example.com"
scopes = { read = "Read files" }

[[client]]
id = "tv"
grants = ["device_code", "refresh_token"]
scopes = ["openid", "orders.example.com/read"]

[[client]]
id = "orders"
secret = "a secret of orders, long enough"
grants = ["token_exchange"]
resources = ["orders.example.com"]

[[exchange]]
client = "orders"
audience = "files.example.com"
scopes = { "orders.example.com/read" = ["files.example.com/read"] }

[[exchange]]
name = "orders asks shipping"
client = "orders"
audience = "https://shipping.example.com"
scopes = { "orders.example.com/read" = ["shipping.example.com/read"] }
"#;

const SHIPPING: [&str; 2] = ["--audience", "https://shipping.example.com"];

/// A running server's answer, with alice's token from standard input.
fn explain(home: &Home, token: &str, more: &[&str]) -> Output {
    let arguments = [&["explain", "exchange", "--client", "orders"], more].concat();
    let mut command = home.command(&arguments);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut asking = spawn(&mut command);
    let mut stdin = asking.stdin.take().expect("piped");
    // One that is refused before it reads is gone.
    stdin.write_all(token.as_bytes()).ok();
    drop(stdin);
    asking.wait_with_output().expect("it ends")
}

fn access_token(home: &Home) -> String {
    let tokens = home.device_tokens("alice", "correct horse");
    tokens["access_token"].as_str().expect("a token").to_owned()
}

/// The text with `#` for numbers and times, and names for what each run has anew.
fn masked(home: &Home, said: &Output, sub: &str) -> String {
    let said = text(&said.stdout)
        .replace(sub, "SUB")
        .replace(&home.address, "HOST");
    let number = |word: &str| {
        let inner = word.trim_matches(['(', ')']);
        let is_number = inner.contains(|c: char| c.is_ascii_digit())
            && inner
                .chars()
                .all(|c| c.is_ascii_digit() || "-:".contains(c));
        if is_number {
            word.replace(inner, "#")
        } else {
            word.to_owned()
        }
    };
    let line = |line: &str| line.split(' ').map(number).collect::<Vec<_>>().join(" ");
    said.lines().map(|each| line(each) + "\n").collect()
}

#[test]
fn an_exchange_that_is_allowed_is_explained_to_the_last_claim() {
    let home = Home::new(CONFIG);
    let server = home.serve();
    home.ready();
    let token = access_token(&home);
    let done = explain(&home, &token, &SHIPPING);
    assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
    let told = explain(&home, &token, &[&SHIPPING[..], &["--json"]].concat());
    let told: Json = serde_json::from_slice(&told.stdout).expect("JSON");
    let sub = told["subject"]["sub"].as_str().expect("a sub");
    let expected = "\
Allowed by the rule: orders asks shipping

Subject  alice, sub SUB
         given to tv, for https://orders.example.com
         in staff
         scope openid orders.example.com/read
         until # # UTC

Rules    ✗ orders → files.example.com
           The rule is for another audience.
         ✓ orders asks shipping
           It gives shipping.example.com/read.

Token    access_token for https://shipping.example.com
         scope shipping.example.com/read
         # seconds

Claims   act        {\"client_id\":\"orders\",\"sub\":\"orders\"}
         aud        https://shipping.example.com
         auth_time  # (# # UTC)
         client_id  orders
         exp        # (# # UTC)
         groups     [\"staff\"]
         iat        # (# # UTC)
         iss        http://HOST
         jti        a new one
         scope      shipping.example.com/read
         sub        SUB
";
    let said = masked(&home, &done, sub);
    assert!(said == expected, "{said}");
    assert_eq!(told["issued"]["claims"]["act"]["sub"], "orders");
    assert_eq!(
        told["rules"][1],
        json!({
            "name": "orders asks shipping",
            "applies": true,
            "gives": "shipping.example.com/read",
        })
    );

    let ended = server.end("TERM");
    let log = ended.stdout + &ended.stderr;
    assert!(!log.contains(&token), "{log}");
}

#[test]
fn a_refusal_is_explained_rule_by_rule() {
    let home = Home::new(CONFIG);
    let _server = home.serve();
    home.ready();
    let token = access_token(&home);
    let wider = [&SHIPPING[..], &["--scope", "shipping.example.com/write"]].concat();
    let done = explain(&home, &token, &wider);
    assert_eq!(done.status.code(), Some(1), "{}", text(&done.stderr));
    let said = text(&done.stdout);
    let verdict = "Refused, invalid_scope: The scope is wider than what the subject token holds and the rule gives for it.\n\n";
    assert!(said.starts_with(verdict), "{said}");
    let rules = "\n\
Rules    ✗ orders → files.example.com
           The rule is for another audience.
         ✗ orders asks shipping
           The scope is wider than what the subject token holds and the rule gives for it.
           It gives shipping.example.com/read.
";
    assert!(said.ends_with(rules), "{said}");

    let nobody = explain(&home, &token, &["--audience", "https://nobody.example.com"]);
    assert_eq!(
        text(&nobody.stdout),
        "Refused, invalid_target: A resource or audience is not known here.\n"
    );
    let forged = explain(&home, &format!("{token}A"), &SHIPPING);
    assert_eq!(forged.status.code(), Some(1));
    assert_eq!(
        text(&forged.stdout),
        "Refused, invalid_request: The subject token is not valid, has ended, or was revoked.\n\
         The client is not told: forged or foreign token.\n"
    );
}

#[test]
fn a_user_is_assumed_where_the_operator_has_no_token_of_theirs() {
    let home = Home::new(CONFIG);
    let _server = home.serve();
    home.ready();
    let assumed = ["--user", "Alice", "--subject-client", "tv"];
    let told = |more: &[&str]| {
        let arguments = [&assumed[..], &SHIPPING, more, &["--json"]].concat();
        let told: Json =
            serde_json::from_slice(&explain(&home, "", &arguments).stdout).expect("JSON");
        told
    };
    // But for what only a session has, it is the explanation of the token that she has.
    let mut by_token: Json = {
        let done = explain(
            &home,
            &access_token(&home),
            &[&SHIPPING[..], &["--json"]].concat(),
        );
        serde_json::from_slice(&done.stdout).expect("JSON")
    };
    let mut by_name = told(&[]);
    for told in [&mut by_token, &mut by_name] {
        told["subject"]["exp"].take();
        told["issued"]["expires_in"].take();
        let claims = told["issued"]["claims"].as_object_mut().expect("claims");
        claims.retain(|name, _| !["auth_time", "exp", "iat", "jti"].contains(&name.as_str()));
    }
    assert_eq!(by_name, by_token);

    let refused = |more: &[&str]| told(more)["refusal"]["error"].clone();
    assert_eq!(
        refused(&["--subject-scope", "openid"]),
        "invalid_request",
        "it is for nobody here"
    );
    assert_eq!(
        refused(&["--subject-scope", "shipping.example.com/write"]),
        "invalid_scope"
    );
    assert_eq!(
        refused(&["--requested-token-type", "refresh_token"]),
        "invalid_request"
    );
    let nobody = ["--user", "nobody", "--subject-client", "tv"];
    let nobody = explain(&home, "", &[&nobody[..], &SHIPPING].concat());
    assert!(
        text(&nobody.stdout).contains("The client is not told: user gone."),
        "{}",
        text(&nobody.stdout)
    );
}

#[test]
fn tokens_come_from_files_and_variables_and_where_no_server_runs_the_store_is_asked() {
    let home = Home::new(CONFIG);
    let server = home.serve();
    home.ready();
    let token = access_token(&home);
    server.end("TERM");
    fs::write(home.path("token"), format!("{token}\n")).expect("a file");
    let asked = [
        &["explain", "exchange", "--client", "orders"],
        &SHIPPING[..],
    ]
    .concat();
    let by_file = [&asked[..], &["--subject-token-file", "token"]].concat();
    let by_variable = [&asked[..], &["--subject-token-env", "TOKEN"]].concat();
    let mut command = home.command(&by_variable);
    for done in [
        output(&mut home.command(&by_file)),
        output(command.env("TOKEN", &token)),
    ] {
        assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
    }
    let actor = [&by_file[..], &["--actor-token-file", "token"]].concat();
    let done = output(&mut home.command(&actor));
    assert!(
        text(&done.stdout).contains("The actor is the subject itself."),
        "{}",
        text(&done.stdout)
    );

    for (arguments, why) in [
        (
            [&asked[..], &["--subject-token-file", "nothing"]].concat(),
            "nothing: No such file",
        ),
        (
            [&asked[..], &["--subject-token-env", "NOTHING"]].concat(),
            "no environment variable NOTHING",
        ),
        (
            [&by_file[..], &["--requested-token-type", "saml"]].concat(),
            "the types are access_token",
        ),
        (asked.clone(), "there is no subject token"),
    ] {
        let done = output(home.command(&arguments).stdin(Stdio::null()));
        assert_eq!(done.status.code(), Some(2), "{}", text(&done.stdout));
        assert!(text(&done.stderr).contains(why), "{}", text(&done.stderr));
    }
    let memory = Home::new("store = \"memory:\"\n");
    let unasked = explain(&memory, "x", &[]);
    assert_eq!(
        unasked.status.code(),
        Some(2),
        "nobody said that it is refused"
    );
}

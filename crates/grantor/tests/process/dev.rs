//! `grantor dev` as a newcomer runs it.

use std::fs;

use url::Url;

use crate::home::{Home, Server, free_address, mode, output, request, text};

fn dev(home: &Home, address: &str) -> Server {
    Server::start(home.command(&["dev", "--data", "data", "--listen", address]))
}

/// The word after a label.
fn said(server: &Server, label: &str) -> String {
    let mut words = server
        .said
        .split_whitespace()
        .skip_while(|word| *word != label);
    words.nth(1).expect("it is said").to_owned()
}

#[test]
fn the_first_start_prints_address_user_and_next_command() {
    let home = Home::new("");
    let server = dev(&home, &home.address);
    let origin = format!("http://{}", home.address);
    assert_eq!(
        server.said.lines().last(),
        Some(&*format!("listening on {origin}"))
    );
    assert_eq!(
        (said(&server, "User"), said(&server, "Data")),
        ("alice".to_owned(), "data".to_owned())
    );
    assert!(said(&server, "Password").len() >= 20);
    assert_eq!(said(&server, "Admin"), "admin");
    assert_eq!(home.request("GET", "/api/v1/me", "").0, 401, "it is served");
    let device = format!(
        "device-login --issuer {origin} --client-id tv --scope \"openid profile offline_access orders.example.com/read\""
    );
    assert!(server.said.contains(&device), "{}", server.said);
    let request = format!(
        "{origin}/oauth2/authorize?client_id=spa&response_type=code&\
         redirect_uri=http%3A%2F%2F127.0.0.1%3A3000%2Fcallback&scope=openid+profile&"
    );
    assert!(server.said.contains(&request), "{}", server.said);
    assert_eq!(
        home.json("/.well-known/openid-configuration")["issuer"],
        origin
    );

    let curl = server.said.lines().find(|line| line.contains("curl"));
    let pair = curl
        .and_then(|line| line.split('\'').nth(1))
        .expect("a line for machines")
        .to_owned();
    let (id, secret) = pair.split_once(':').expect("a pair");
    let form = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}");
    let (status, answer) = home.request("POST", "/oauth2/token", &form);
    assert_eq!(status, 200, "{answer}");

    let ended = server.end("TERM");
    assert_eq!(ended.code, Some(0));
    assert!(!ended.stderr.contains(secret), "the log holds no secret");
    assert_eq!(mode(&home.path("data")), 0o700);
    assert_eq!(mode(&home.path("data/grantor.toml")), 0o600);
}

#[test]
fn a_newcomer_signs_in_to_an_app_by_the_printed_address() {
    let home = Home::new("");
    let server = dev(&home, &home.address);
    home.ready();
    let origin = format!("http://{}", home.address);
    let mut lines = server.said.lines().map(str::trim);
    let request = lines.find(|line| line.starts_with(&format!("{origin}/oauth2/authorize?")));
    let request = request.expect("a request").replace(&origin, "");
    let ends = home.agree("alice", &said(&server, "Password"), &request);
    let ends = Url::parse(&ends).expect("a URL");
    assert_eq!(ends.path(), "/callback");
    let code = ends.query_pairs().find(|(name, _)| name == "code");
    // What the book has a reader send.
    let exchange = [
        ("client_id", "spa"),
        ("grant_type", "authorization_code"),
        ("code", &*code.expect("a code").1),
        ("redirect_uri", "http://127.0.0.1:3000/callback"),
        (
            "code_verifier",
            "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
        ),
    ];
    let (status, tokens) = home.post("/oauth2/token", &exchange);
    assert_eq!(status, 200, "{tokens}");
    assert!(tokens["id_token"].is_string());
    assert_eq!(home.userinfo(&tokens), 200);
}

#[test]
fn later_runs_keep_what_the_first_one_made_wherever_they_listen() {
    let home = Home::new("");
    let first = dev(&home, &home.address);
    let password = said(&first, "Password");
    first.end("TERM");
    let file = fs::read(home.path("data/grantor.toml")).expect("the file");

    let elsewhere = free_address();
    let second = dev(&home, &elsewhere);
    assert_eq!(said(&second, "Password"), password);
    let (_, metadata) = request(&elsewhere, "GET", "/.well-known/openid-configuration", "");
    let metadata: serde_json::Value = serde_json::from_str(&metadata).expect("JSON");
    assert_eq!(metadata["issuer"], format!("http://{elsewhere}"));
    second.end("TERM");

    let third = Server::start(home.command(&["dev", "--data", "data"]));
    assert!(
        third
            .said
            .ends_with(&format!("listening on http://{}\n", home.address)),
        "where the first one did"
    );
    assert_eq!(
        fs::read(home.path("data/grantor.toml")).expect("the file"),
        file
    );
}

#[test]
fn an_address_that_others_reach_is_refused() {
    let home = Home::new("");
    let refused =
        output(&mut home.command(&["dev", "--data", "data", "--listen", "192.0.2.1:8080"]));
    assert_eq!(refused.status.code(), Some(2));
    assert!(
        text(&refused.stderr).starts_with("--listen: "),
        "{}",
        text(&refused.stderr)
    );
    assert!(!home.path("data").exists());
}

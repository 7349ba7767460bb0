//! Events as operators read them: `grantor events` and `grantor why`.

use serde_json::Value as Json;

use crate::home::{Home, output, text};

const MACHINE: &str = "[[client]]\nid = \"machine\"\nsecret = \"machine-secret-of-forty-characters-drawn\"\n\
                       grants = [\"client_credentials\"]\n\
                       [[user]]\nusername = \"alice\"\npassword = \"staple of alice\"\n";

/// The trace id of a refused request.
fn refused(home: &Home) -> String {
    let form = "grant_type=client_credentials&client_id=machine&client_secret=wrong-secret-here";
    let (status, body) = home.request("POST", "/oauth2/token", form);
    assert_eq!(status, 401, "{body}");
    let body: Json = serde_json::from_str(&body).expect("JSON");
    body["trace_id"].as_str().expect("a trace").to_owned()
}

fn said(home: &Home, arguments: &[&str]) -> String {
    let done = output(&mut home.command(arguments));
    assert!(done.status.success(), "{}", text(&done.stderr));
    text(&done.stdout).to_owned()
}

#[test]
fn why_explains_a_trace_while_the_server_runs_and_after_it() {
    let home = Home::new(MACHINE);
    let server = home.serve();
    home.ready();
    let trace = refused(&home);
    let running = said(&home, &["why", &trace]);
    for words in [
        "was refused with invalid_client: Client authentication failed.",
        "Client: machine, Address: 127.0.0.1.",
        "Check: client_authentication: client authentication.",
        "Why: The client secret is wrong.",
        "What to do: Compare the secret in the app with the current one",
    ] {
        assert!(running.contains(words), "{running}");
    }
    assert!(!running.contains("wrong-secret-here"));
    let json: Json = serde_json::from_str(&said(&home, &["why", &trace, "--json"])).expect("JSON");
    assert_eq!(json["events"][0]["check"], "client_authentication");

    // Also of a server that was killed, whose store this command opens itself.
    server.end("KILL");
    assert_eq!(said(&home, &["why", &trace]), running);

    let unknown = output(&mut home.command(&["why", "0123456789abcdef0123456789abcdef"]));
    assert_eq!(unknown.status.code(), Some(1));
    let why = text(&unknown.stderr);
    assert!(
        why.contains("There are no events of such a trace.") && why.contains("30 days"),
        "{why}"
    );
    let malformed = output(&mut home.command(&["why", "x"]));
    assert_eq!(malformed.status.code(), Some(2));
}

#[test]
fn events_are_listed_by_user_client_kind_and_time() {
    let home = Home::new(MACHINE);
    let _server = home.serve();
    home.ready();
    let traces: Vec<_> = (0..3).map(|_| refused(&home)).collect();
    assert!(!home.signs_in("alice", "wrong password"));
    let listed = said(&home, &["events", "--client", "machine", "--since", "1h"]);
    let lines: Vec<_> = listed.lines().collect();
    assert_eq!(lines.len(), 3, "{listed}");
    // Newest first.
    for (line, trace) in lines.iter().zip(traces.iter().rev()) {
        assert!(line.contains("refused") && line.contains(trace), "{line}");
    }
    let of_alice = said(
        &home,
        &[
            "events",
            "--user",
            "alice",
            "--json",
            "--outcome",
            "refused",
        ],
    );
    let of_alice: Json = serde_json::from_str(&of_alice).expect("one line of JSON");
    assert_eq!(of_alice["kind"], "sign_in_failed");
    assert_eq!(
        (&of_alice["check"], &of_alice["reason"]),
        (&"password".into(), &"wrong_password".into())
    );
    assert_eq!(
        said(&home, &["events", "--kind", "refused", "--limit", "2"])
            .lines()
            .count(),
        2
    );
    assert_eq!(
        said(&home, &["events", "--kind", "refused", "--until", "1d"]),
        ""
    );
    for (bad, says) in [
        (["--user", "nobody"], "nobody"),
        (["--kind", "nothing"], "kind is not a kind of event"),
    ] {
        let done = output(&mut home.command(&[&["events"][..], &bad].concat()));
        assert_eq!(done.status.code(), Some(1));
        assert!(text(&done.stderr).contains(says), "{}", text(&done.stderr));
    }
    let since = output(&mut home.command(&["events", "--since", "yesterday"]));
    assert_eq!(since.status.code(), Some(2));
}

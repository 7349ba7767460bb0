//! The commands over clients, organizations, resources, scopes and rules.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;

use serde_json::{Value as Json, json};

use crate::home::{Home, output, text};

fn run(home: &Home, arguments: &[&str]) -> (bool, String, String) {
    let done = output(home.command(arguments).stdin(Stdio::null()));
    let [said, complained] = [&done.stdout, &done.stderr].map(|text_of| text(text_of).to_owned());
    (done.status.success(), said, complained)
}

fn said(home: &Home, arguments: &[&str]) -> String {
    let (success, said, complained) = run(home, arguments);
    assert!(success, "{arguments:?}: {complained}");
    said
}

fn json_of(home: &Home, arguments: &[&str]) -> Json {
    let said = said(home, &[arguments, &["--json"]].concat());
    serde_json::from_str(&said).expect("JSON")
}

fn refused(home: &Home, arguments: &[&str]) -> String {
    let (success, said, complained) = run(home, arguments);
    assert!(!success, "{arguments:?}: {said}");
    complained
}

/// Everything works the same with a server and without one.
#[test]
fn objects_are_made_listed_shown_changed_and_deleted_by_command() {
    let home = Home::new("[[client]]\nid = \"tv\"\ngrants = [\"device_code\"]\n");
    for serves in [false, true] {
        let server = serves.then(|| home.serve());
        // The id of one that was deleted is not used again.
        let organization = if serves { "acme" } else { "globex" };
        let scopes = "scopes={ read = \"Read\", write = \"Write\" }";
        assert_eq!(
            said(&home, &["resource", "add", "ship", "--set", scopes]),
            "Added the resource ship.\n"
        );
        said(
            &home,
            &[
                "scope",
                "add",
                "fleet",
                "--set",
                "text=The fleet",
                "--set",
                "resource=ship",
            ],
        );
        said(&home, &["org", "add", organization, "--set", "name=Acme"]);
        let made = json_of(
            &home,
            &[
                "client",
                "add",
                "nightly",
                "--set",
                "grants=[\"client_credentials\", \"token_exchange\"]",
                "--set",
                "scopes=[\"ship/read\", \"fleet\"]",
                "--set",
                &format!("organization={organization}"),
            ],
        );
        assert!(
            made["secret"]
                .as_str()
                .expect("a secret")
                .starts_with("grantor_cs_")
        );
        let rule = [
            "--set",
            "client=nightly",
            "--set",
            "audience=ship",
            "--set",
            "scopes={ \"ship/read\" = [\"ship/read\"] }",
        ];
        said(&home, &[&["rule", "add", "r"][..], &rule].concat());

        let listed = said(&home, &["client", "list"]);
        assert!(
            listed.contains("tv  file  -\n") && listed.contains("nightly  -  -\n"),
            "{listed}"
        );
        assert_eq!(said(&home, &["rule", "list"]), "r  -  nightly -> ship\n");
        let shown = said(&home, &["resource", "show", "ship"]);
        assert_eq!(
            shown,
            "identifier = \"ship\"\n\n[scopes]\nread = \"Read\"\nwrite = \"Write\"\n"
        );

        said(
            &home,
            &[
                "client",
                "edit",
                "nightly",
                "--set",
                "name=Nightly",
                "--unset",
                "organization",
            ],
        );
        let shown = json_of(&home, &["client", "show", "nightly"]);
        assert_eq!(
            (&shown["name"], shown.get("organization")),
            (&json!("Nightly"), None)
        );
        said(&home, &["client", "disable", "nightly"]);
        assert!(said(&home, &["client", "list"]).contains("nightly  disabled  Nightly\n"));
        said(&home, &["client", "enable", "nightly"]);

        let second = said(
            &home,
            &[
                "client",
                "secret",
                "add",
                "nightly",
                "--expires",
                "2100-01-01T00:00:00Z",
            ],
        );
        assert!(second.starts_with("grantor_cs_"), "{second}");
        let third = refused(&home, &["client", "secret", "add", "nightly"]);
        assert!(third.contains("two secrets"), "{third}");
        let first = made["secret_id"].as_str().expect("an id");
        said(&home, &["client", "secret", "delete", "nightly", first]);
        let secrets = said(&home, &["client", "secret", "list", "nightly"]);
        assert_eq!(secrets.lines().count(), 1, "{secrets}");
        assert!(
            secrets.contains("2100-01-01") && !secrets.contains("grantor_cs_"),
            "{secrets}"
        );

        let needed = refused(&home, &["client", "delete", "nightly"]);
        assert!(needed.contains("\"r\""), "{needed}");
        for (kind, name) in [
            ("rule", "r"),
            ("client", "nightly"),
            ("scope", "fleet"),
            ("resource", "ship"),
            ("org", organization),
        ] {
            said(&home, &[kind, "delete", name]);
            assert!(refused(&home, &[kind, "show", name]).contains("no such object"));
        }
        let declared = refused(&home, &["client", "delete", "tv"]);
        assert!(
            declared.contains("configuration file declares"),
            "{declared}"
        );
        drop(server);
    }
}

#[test]
fn what_is_wrong_is_told_with_its_member() {
    let home = Home::new("");
    let wrong = refused(
        &home,
        &[
            "client",
            "add",
            "--set",
            "grants=[\"device_cod\"]",
            "--set",
            "nmae=x",
        ],
    );
    assert!(
        wrong.contains("/grants/0") && wrong.contains("did you mean \"device_code\""),
        "{wrong}"
    );
    assert!(
        wrong.contains("/nmae") && wrong.contains("did you mean \"name\""),
        "{wrong}"
    );
    let file = home.path("client.toml");
    fs::write(&file, "name = \"x\n").expect("a file");
    let broken = refused(
        &home,
        &["client", "add", "--file", file.to_str().expect("text")],
    );
    assert!(
        broken.contains("client.toml") && broken.contains("line 1"),
        "{broken}"
    );
}

#[test]
fn an_object_is_edited_as_toml_and_what_was_typed_is_not_lost() {
    let home = Home::new("");
    said(
        &home,
        &[
            "resource",
            "add",
            "ship",
            "--set",
            "scopes={ read = \"Read\" }",
        ],
    );
    let script = |name: &str, body: &str| {
        let path = home.path(name);
        fs::write(&path, format!("#!/bin/sh\n{body}\n")).expect("a file");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).expect("a mode");
        path
    };
    let edit = |editor: &std::path::Path| {
        let mut command = home.command(&["resource", "edit", "ship"]);
        output(
            command
                .env("EDITOR", editor)
                .env_remove("VISUAL")
                .stdin(Stdio::null()),
        )
    };
    let done = edit(&script("change", "echo 'write = \"Write\"' >> \"$1\""));
    assert!(done.status.success(), "{}", text(&done.stderr));
    let shown = json_of(&home, &["resource", "show", "ship"]);
    assert_eq!(shown["scopes"], json!({ "read": "Read", "write": "Write" }));
    let done = edit(&script("nothing", "true"));
    assert_eq!(text(&done.stdout), "Nothing was changed.\n");
    let done = edit(&script("empty", ": > \"$1\""));
    assert_eq!(text(&done.stdout), "Nothing was changed.\n");
    let after = json_of(&home, &["resource", "show", "ship"]);
    assert_eq!(after["scopes"], shown["scopes"]);
    let done = edit(&script("break", "echo '= broken' >> \"$1\""));
    let why = text(&done.stderr);
    assert_eq!(done.status.code(), Some(2), "{why}");
    let kept = why
        .split_whitespace()
        .find(|word| word.contains("grantor-"))
        .expect("its file");
    let kept = kept.trim_end_matches(':');
    assert!(
        fs::read_to_string(kept)
            .expect("it is there")
            .contains("= broken")
    );
    fs::remove_file(kept).expect("it is there");
    let none = output(
        home.command(&["resource", "edit", "ship"])
            .env_remove("EDITOR")
            .env_remove("VISUAL"),
    );
    assert!(text(&none.stderr).contains("set VISUAL or EDITOR"));
}

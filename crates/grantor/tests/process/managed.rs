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
        let listed: Vec<_> = listed
            .lines()
            .map(str::split_whitespace)
            .map(Vec::from_iter)
            .collect();
        assert_eq!(listed[0], ["ID", "STATE", "FROM", "NAME"]);
        assert!(
            listed.contains(&vec!["tv", "enabled", "file", "-"]),
            "{listed:?}"
        );
        assert!(listed.contains(&vec!["nightly", "enabled", "managed", "-"]));
        let rules = said(&home, &["rule", "list"]);
        assert!(rules.ends_with("managed  nightly -> ship\n"), "{rules}");
        let shown = said(&home, &["resource", "show", "ship"]);
        let (remarks, shown): (Vec<_>, Vec<_>) = shown
            .split_inclusive('\n')
            .partition(|line| line.starts_with('#'));
        assert!(remarks[0].starts_with("# changed: 20") && remarks[0].contains("operator:"));
        assert_eq!(
            shown.concat(),
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
        let listed = said(&home, &["client", "list"]);
        assert!(
            listed.contains("nightly  disabled  managed  Nightly\n"),
            "{listed}"
        );
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
        assert_eq!(secrets.lines().count(), 2, "with headings: {secrets}");
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
            let gone = refused(&home, &[kind, "show", name]);
            assert!(
                gone.contains("There is no ") && gone.contains(&format!("{name:?}.")),
                "{gone}"
            );
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
    // What the server refuses is kept, too, and goes on with --file.
    let done = edit(&script(
        "wrong",
        "echo 'nmae = 7' > \"$1.new\"; cat \"$1\" >> \"$1.new\"; mv \"$1.new\" \"$1\"",
    ));
    let why = text(&done.stderr);
    assert_eq!(done.status.code(), Some(1), "{why}");
    assert!(
        why.contains("/nmae: ") && why.contains("resource edit ship --file "),
        "{why}"
    );
    let kept = why.split_whitespace().last().expect("its file");
    assert!(
        fs::read_to_string(kept)
            .expect("it is there")
            .contains("nmae")
    );
    fs::remove_file(kept).expect("it is there");
    let done = edit(std::path::Path::new("no-such-editor"));
    let why = text(&done.stderr);
    assert!(
        why.contains("\"no-such-editor\" cannot be started"),
        "{why}"
    );
    let none = output(
        home.command(&["resource", "edit", "ship"])
            .env_remove("EDITOR")
            .env_remove("VISUAL"),
    );
    assert!(text(&none.stderr).contains("set VISUAL or EDITOR"));
}

#[test]
fn mistakes_on_the_command_line_are_told_by_name() {
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
    said(
        &home,
        &["client", "add", "tv", "--set", "grants=[\"device_code\"]"],
    );
    let same = said(
        &home,
        &["client", "edit", "tv", "--set", "grants=[\"device_code\"]"],
    );
    assert_eq!(same, "Nothing was changed.\n");
    for (arguments, parts) in [
        (
            &["client", "edit", "tv", "--set", "id=tv2"][..],
            &["id stays \"tv\""][..],
        ),
        (
            &["client", "edit", "tv", "--unset", "grant"],
            &["--unset grant", "did you mean \"grants\""],
        ),
        (
            &["client", "edit", "tv", "--set", "name=x", "--unset", "name"],
            &["contradict"],
        ),
        (
            &["client", "edit", "ghost", "--set", "name=x"],
            &["There is no client \"ghost\"."],
        ),
        (
            &["client", "secret", "add", "tv"],
            &["\n  the client is public"],
        ),
        (
            &["client", "secret", "add", "ghost"],
            &["There is no client \"ghost\"."],
        ),
        (
            &["client", "secret", "add", "tv", "--expires", "tomorrow"],
            &["--expires", "in how long as"],
        ),
        (
            &["client", "add", "a b", "--set", "grants=[\"device_code\"]"],
            &["/id", "has a space"],
        ),
        (&["client", "add", "--file", "nofile"], &["nofile: "]),
        (&["resource", "add"], &["resource add IDENTIFIER"]),
        (&["rule", "add"], &["rule add NAME"]),
        (
            &["events", "--trace", "zz"],
            &["--trace", "32 hexadecimal digits"],
        ),
        (&["events", "--limit", "0"], &["--limit", "1 or more"]),
        (&["events", "--kind", "nonsense"], &["kind"]),
        (
            &["events", "--outcome", "maybe"],
            &["done, refused and failed"],
        ),
        (
            &["user", "add", "ann", "--organization", "nowhere"],
            &["There is no such organization."],
        ),
    ] {
        let why = refused(&home, arguments);
        for part in parts {
            assert!(why.contains(part), "{arguments:?}: {why}");
        }
    }
    let (_, _, nothing) = run(&home, &["events", "--client", "ghost"]);
    assert!(nothing.contains("no events match"), "{nothing}");
    // What an operator got wrong stands on the terminal and is no event.
    let events = said(&home, &["events", "--kind", "refused"]);
    assert_eq!(events, "");
    let (_, _, advice) = run(&home, &["client", "add", "idle"]);
    assert!(advice.contains("has no grants"), "{advice}");
}

#[test]
fn a_user_of_a_deleted_organization_is_shown_as_one() {
    let home = Home::new("");
    said(&home, &["org", "add", "acme"]);
    said(
        &home,
        &[
            "user",
            "add",
            "ann",
            "--organization",
            "acme",
            "--group",
            "staff",
        ],
    );
    let shown = said(&home, &["user", "show", "ann"]);
    assert!(
        shown.contains("staff") && !shown.contains("note"),
        "{shown}"
    );
    said(&home, &["org", "disable", "acme"]);
    let shown = said(&home, &["user", "show", "ann"]);
    assert!(
        shown.contains("the organization acme is disabled"),
        "{shown}"
    );
    said(&home, &["org", "delete", "acme"]);
    let shown = said(&home, &["user", "show", "ann"]);
    assert!(
        shown.contains("the organization acme was deleted"),
        "{shown}"
    );
}

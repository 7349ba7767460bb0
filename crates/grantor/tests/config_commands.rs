//! `grantor config` and `grantor check` as an operator runs them.

#![expect(
    clippy::expect_used,
    reason = "what these helpers expect is the test's own footing"
)]

use std::fs;
use std::process::{Command, Output};

use tempfile::TempDir;

fn grantor(arguments: &[&str], folder: &TempDir) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_grantor"));
    command
        .args(arguments)
        .current_dir(folder.path())
        .env_clear()
        .env("ORDERS_SECRET", "hunter2");
    command.output().expect("the binary runs")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("UTF-8")
}

#[test]
fn what_config_prints_check_accepts() {
    let folder = TempDir::new().expect("a folder");
    let printed = grantor(&["config"], &folder);
    assert!(printed.status.success());
    fs::write(folder.path().join("grantor.toml"), &printed.stdout).expect("the file is written");

    let checked = grantor(&["check", "--config", "grantor.toml"], &folder);
    assert_eq!(text(&checked.stderr), "");
    assert_eq!(
        text(&checked.stdout),
        "grantor.toml is right.\nhttp://127.0.0.1:8080 on 127.0.0.1:8080, store sqlite:grantor.db\n"
    );
    assert_eq!(checked.status.code(), Some(0));
}

#[test]
fn check_counts_what_is_there_and_says_what_is_not_built() {
    let folder = TempDir::new().expect("a folder");
    let file = "issuer = \"https://id.example.com\"\nstore = \"memory:\"\ndialects = [\"iroh\"]\n\
                [[client]]\nid = \"orders\"\nsecret_env = \"ORDERS_SECRET\"\ngrants = [\"client_credentials\"]\n";
    fs::write(folder.path().join("grantor.toml"), file).expect("the file is written");
    let checked = grantor(&["check", "--config", "grantor.toml"], &folder);
    assert_eq!(
        text(&checked.stdout),
        "grantor.toml is right.\nhttps://id.example.com on 127.0.0.1:8080, store memory:\n1 client\n\
         Dialects are not built yet: their paths are not found.\n\
         The proxy that speaks https is not in trusted_proxies: everybody seems to be 127.0.0.1, shares the limits \
         of that address, and is warned of no other network. Write trusted_proxies = [\"127.0.0.1\"] if it runs here.\n\
         Client \"orders\": a secret of fewer than 22 characters can be guessed. Tries are bounded, but better make \
         one: openssl rand -hex 32\n"
    );
    assert_eq!(checked.status.code(), Some(0));
}

#[test]
fn check_has_no_advice_where_all_is_well() {
    let folder = TempDir::new().expect("a folder");
    let long = "a".repeat(22);
    for lines in [
        "issuer = \"https://id.example.com\"\ntrusted_proxies = [\"127.0.0.1\"]",
        "issuer = \"https://id.example.com\"\nlisten = \"192.0.2.1:80\"\ntrusted_proxies = [\"192.0.2.2\"]",
        "issuer = \"http://127.0.0.1:8080\"",
    ] {
        let file = format!("{lines}\n[[client]]\nid = \"orders\"\nsecret = \"{long}\"\n");
        fs::write(folder.path().join("grantor.toml"), file).expect("the file is written");
        let checked = grantor(&["check", "--config", "grantor.toml"], &folder);
        let said = text(&checked.stdout);
        assert!(said.ends_with("1 client\n"), "{said}");
    }
}

#[test]
fn check_renders_the_operators_templates() {
    let folder = TempDir::new().expect("a folder");
    fs::create_dir(folder.path().join("pages")).expect("a folder");
    let file = "issuer = \"http://127.0.0.1:8080\"\ntemplates = \"pages\"\n";
    fs::write(folder.path().join("grantor.toml"), file).expect("the file is written");
    let check = || grantor(&["check", "--config", "grantor.toml"], &folder);
    assert_eq!(text(&check().stderr), "");
    let template = folder.path().join("pages/home.html");
    fs::write(&template, "\n{{ no_such_value }}").expect("the file is written");
    let checked = check();
    assert!(
        text(&checked.stderr).starts_with("pages/home.html:2: "),
        "{}",
        text(&checked.stderr)
    );
    assert_eq!(checked.status.code(), Some(2));
}

#[test]
fn check_prints_mistakes_to_standard_error_and_exits_2() {
    let folder = TempDir::new().expect("a folder");
    fs::write(
        folder.path().join("bad.toml"),
        "isuer = \"https://id.example.com\"\n",
    )
    .expect("the file is written");
    let checked = grantor(&["check", "--config", "bad.toml"], &folder);
    assert_eq!(text(&checked.stdout), "");
    assert_eq!(
        text(&checked.stderr),
        "bad.toml:1:1: missing key \"issuer\"\nbad.toml:1:1: unknown key \"isuer\"; did you mean \"issuer\"?\n"
    );
    assert_eq!(checked.status.code(), Some(2));

    let checked = grantor(&["check", "--config", "none.toml"], &folder);
    assert!(text(&checked.stderr).starts_with("none.toml: cannot be read: "));
    assert_eq!(checked.status.code(), Some(2));
}

#[test]
fn device_login_with_a_wrong_argument_exits_2() {
    let folder = TempDir::new().expect("a folder");
    let issuer = "http://id.example.com";
    let failed = grantor(
        &["device-login", "--issuer", issuer, "--client-id", "tv"],
        &folder,
    );
    assert_eq!(
        text(&failed.stderr),
        "--issuer must be https, or http on this machine\n"
    );
    assert_eq!(failed.status.code(), Some(2));
}

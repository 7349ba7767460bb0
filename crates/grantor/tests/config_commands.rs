//! `grantor config` and `grantor check` as an operator runs them.

#![expect(
    clippy::expect_used,
    reason = "what these helpers expect is the test's own footing"
)]

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
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

/// Writes the file for its owner only, since it may hold secrets.
fn configure(folder: &TempDir, text: &str) {
    let file = folder.path().join("grantor.toml");
    fs::write(&file, text).expect("the file is written");
    fs::set_permissions(&file, Permissions::from_mode(0o600)).expect("ours");
}

#[test]
fn what_config_prints_check_accepts() {
    let folder = TempDir::new().expect("a folder");
    let printed = grantor(&["config"], &folder);
    assert!(printed.status.success());
    configure(&folder, text(&printed.stdout));

    let checked = grantor(&["check", "--config", "grantor.toml"], &folder);
    assert_eq!(text(&checked.stderr), "");
    assert_eq!(
        text(&checked.stdout),
        "grantor.toml is valid.\nhttp://127.0.0.1:8080 on 127.0.0.1:8080, store sqlite:grantor.db\n"
    );
    assert_eq!(checked.status.code(), Some(0));
}

#[test]
fn the_configuration_of_the_readme_passes_check_without_advice() {
    let readme = include_str!("../../../README.md");
    let blocks = readme.split("```toml\n").skip(1);
    let files: Vec<_> = blocks
        .filter_map(|block| block.split("```").next())
        .filter(|block| block.contains("issuer ="))
        .collect();
    assert!(!files.is_empty());
    for file in files {
        let folder = TempDir::new().expect("a folder");
        configure(&folder, file);
        let mut command = Command::new(env!("CARGO_BIN_EXE_grantor"));
        let command = command.args(["check", "--config", "grantor.toml"]);
        let secret = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";
        let command = command.current_dir(folder.path()).env_clear();
        let checked = command
            .env("ORDERS_SECRET", secret)
            .output()
            .expect("it runs");
        assert_eq!(text(&checked.stderr), "");
        assert_eq!(text(&checked.stdout).lines().count(), 3, "{checked:?}");
    }
}

#[test]
fn check_counts_what_is_there_and_says_what_is_not_built() {
    let folder = TempDir::new().expect("a folder");
    let file = "issuer = \"https://id.example.com\"\nstore = \"memory:\"\ndialects = [\"cognito_device\"]\n\
                [[client]]\nid = \"orders\"\nsecret_env = \"ORDERS_SECRET\"\ngrants = [\"client_credentials\"]\n";
    configure(&folder, file);
    let checked = grantor(&["check", "--config", "grantor.toml"], &folder);
    assert_eq!(
        text(&checked.stdout),
        "grantor.toml is valid.\nhttps://id.example.com on 127.0.0.1:8080, store memory:\n1 client\n\
         The dialect cognito_device is not built yet: its paths are not found.\n\
         The proxy that speaks https is not in trusted_proxies: every client seems to be 127.0.0.1, shares the limits \
         of that address, and is warned of no other network. Write trusted_proxies = [\"127.0.0.1\"] if it runs here.\n\
         Client \"orders\": the secret in the variable ORDERS_SECRET can be guessed: it is short, repeats itself or follows a pattern. Tries are \
         bounded, but better make one: openssl rand -hex 32\n"
    );
    assert_eq!(checked.status.code(), Some(0));
}

#[test]
fn of_several_secrets_check_names_the_weak_ones_and_shows_none() {
    let folder = TempDir::new().expect("a folder");
    let long = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";
    fs::write(folder.path().join("b"), format!("{long}\nstaple\n")).expect("ours");
    let file = "issuer = \"http://127.0.0.1:8080\"\n\
                [[client]]\nid = \"a\"\nsecrets_env = [\"NEW_SECRET\", \"ORDERS_SECRET\"]\n\
                [[client]]\nid = \"b\"\nsecret_file = \"b\"\n\
                [[client]]\nid = \"c\"\nsecret = \"battery\"\n";
    configure(&folder, file);
    let mut command = Command::new(env!("CARGO_BIN_EXE_grantor"));
    let command = command.arg("check").current_dir(folder.path()).env_clear();
    let command = command
        .env("NEW_SECRET", long)
        .env("ORDERS_SECRET", "hunter2");
    let checked = command.output().expect("it runs");
    let said = text(&checked.stdout);
    let weak: Vec<_> = said
        .lines()
        .filter_map(|line| line.split_once(" can be guessed"))
        .map(|(which, _)| which)
        .collect();
    assert_eq!(
        weak,
        [
            "Client \"a\": the secret in the variable ORDERS_SECRET",
            "Client \"b\": the secret number 2 in secret_file",
            "Client \"c\": the secret",
        ],
        "{checked:?}"
    );
    for secret in [long, "staple", "hunter2", "battery"] {
        assert!(!said.contains(secret), "{said}");
    }
}

#[test]
fn check_has_no_advice_where_all_is_well() {
    let folder = TempDir::new().expect("a folder");
    let long = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";
    for lines in [
        "issuer = \"https://id.example.com\"\ntrusted_proxies = [\"127.0.0.1\"]",
        "issuer = \"https://id.example.com\"\nlisten = \"192.0.2.1:80\"\ntrusted_proxies = [\"192.0.2.2\"]",
        "issuer = \"http://127.0.0.1:8080\"",
    ] {
        let file = format!("{lines}\n[[client]]\nid = \"orders\"\nsecret = \"{long}\"\n");
        configure(&folder, &file);
        let checked = grantor(&["check", "--config", "grantor.toml"], &folder);
        let said = text(&checked.stdout);
        assert!(said.ends_with("1 client\n"), "{said}");
    }
}

#[test]
fn check_warns_of_apps_that_can_be_impersonated_and_codes_that_can_be_swapped() {
    let folder = TempDir::new().expect("a folder");
    let long = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";
    let file = format!(
        "issuer = \"http://127.0.0.1:8080\"\n\
         [[client]]\nid = \"app\"\nconsent = \"skip\"\nredirect_uris = [\"https://app.example.com/cb\", \"com.example.app:/cb\"]\n\
         [[client]]\nid = \"cli\"\nredirect_uris = [\"http://127.0.0.1/cb\"]\n\
         [[client]]\nid = \"spa\"\nconsent = \"skip\"\nredirect_uris = [\"https://app.example.com/cb\"]\n\
         [[client]]\nid = \"web\"\nsecret = \"{long}\"\npkce = \"optional\"\nconsent = \"skip\"\nredirect_uris = [\"http://127.0.0.1/cb\"]\n"
    );
    configure(&folder, &file);
    let checked = grantor(&["check", "--config", "grantor.toml"], &folder);
    let said = text(&checked.stdout);
    let advice: Vec<_> = said.lines().skip(3).collect();
    assert_eq!(
        advice,
        [
            "Client \"app\": consent = \"skip\" without a secret, and any program can receive what goes to \
             com.example.app:/cb: it would get tokens of any user who is signed in, without asking. Better let it ask.",
            "Client \"web\": pkce = \"optional\" leaves it to the client to notice a code that is not its own. \
             Better have it use PKCE.",
        ],
        "{said}"
    );
}

#[test]
fn check_reports_each_test_setting_and_reads_the_certificates() {
    let folder = TempDir::new().expect("a folder");
    let file = "issuer = \"http://127.0.0.1:8080\"\n[test]\nextra_ca = \"ca.pem\"\nloopback = true\nwrong_passwords = 1000\n";
    configure(&folder, file);
    let check = || grantor(&["check", "--config", "grantor.toml"], &folder);

    let missing = check();
    let said = text(&missing.stderr);
    assert!(
        said.starts_with("grantor.toml:3:12: test.extra_ca: ca.pem: "),
        "{said}"
    );
    assert_eq!(missing.status.code(), Some(2));

    fs::write(folder.path().join("ca.pem"), "no certificate").expect("the file is written");
    let empty = check();
    assert_eq!(
        text(&empty.stderr),
        "grantor.toml:3:12: test.extra_ca: ca.pem holds no certificate as PEM\n"
    );

    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    fs::write(folder.path().join("ca.pem"), made.cert.pem()).expect("the file is written");
    let right = check();
    let said: Vec<_> = text(&right.stdout).lines().skip(2).collect();
    assert_eq!(
        said,
        [
            "For tests only: test.extra_ca is set, so certificates that ca.pem signed are trusted.",
            "For tests only: test.loopback is set, so this server asks others on its own machine, by plain http too.",
            "For tests only: test.wrong_passwords lets 1000 wrong passwords an hour through.",
        ],
        "{}",
        text(&right.stderr)
    );
}

#[test]
fn check_renders_the_operators_templates() {
    let folder = TempDir::new().expect("a folder");
    fs::create_dir(folder.path().join("pages")).expect("a folder");
    let file = "issuer = \"http://127.0.0.1:8080\"\ntemplates = \"pages\"\n";
    configure(&folder, file);
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

    let checked = grantor(&["check", "--config", "."], &folder);
    assert!(text(&checked.stderr).starts_with(".: cannot be read: "));
    assert_eq!(checked.status.code(), Some(2));
}

#[test]
fn a_missing_configuration_is_said_with_where_it_was_looked_for_and_what_to_do() {
    let folder = TempDir::new().expect("a folder");
    let place = folder.path().canonicalize().expect("a folder");
    for (command, file) in [
        (&["check"][..], "grantor.toml"),
        (&["serve"], "grantor.toml"),
        (&["user", "list"], "grantor.toml"),
        (&["check", "--config", "other.toml"], "other.toml"),
    ] {
        let missing = grantor(command, &folder);
        let path = place.join(file);
        let expected = format!(
            "{file}: there is no file {}: name the configuration with --config FILE, or begin with \
             `grantor config > {file}`\n",
            path.display()
        );
        assert_eq!(text(&missing.stderr), expected);
        assert_eq!(missing.status.code(), Some(2));
    }
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

#[test]
fn check_tells_of_secrets_that_others_on_the_machine_can_read() {
    let folder = TempDir::new().expect("a folder");
    let user = "[[user]]\nusername = \"alice\"\npassword = \"a long password\"\n";
    configure(
        &folder,
        &format!("issuer = \"http://127.0.0.1:8080\"\n{user}"),
    );
    let said = || {
        let checked = grantor(&["check"], &folder);
        text(&checked.stdout).to_owned()
    };
    assert!(!said().contains("Others"), "{}", said());
    let file = folder.path().join("grantor.toml");
    fs::set_permissions(file, Permissions::from_mode(0o644)).expect("ours");
    let advice = "Others on this machine can read grantor.toml, which holds secrets (of a hash, the password can be \
                  guessed): chmod o= grantor.toml\n";
    assert!(said().ends_with(advice), "{}", said());
}

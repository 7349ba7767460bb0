//! TLS as an operator sets it up, with curl as the client.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use crate::home::{Home, output, text};

/// Writes a certificate for 127.0.0.1 with its key.
fn renew(home: &Home) {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("a certificate");
    fs::write(home.path("cert.pem"), made.cert.pem()).expect("a file");
    let key = home.path("key.pem");
    fs::write(&key, made.signing_key.serialize_pem()).expect("a file");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).expect("it is ours");
}

/// A folder with a certificate, and a configuration with these keys of tls beside it.
fn with_tls(more: &str) -> Home {
    let home = Home::new("");
    renew(&home);
    let address = &home.address;
    let text = format!(
        "issuer = \"https://{address}\"\nlisten = \"{address}\"\n\
         tls = {{ cert = \"cert.pem\", key = \"key.pem\"{more} }}\n"
    );
    fs::write(home.path("grantor.toml"), text).expect("the file is written");
    home
}

/// What curl gets of the health page, trusting the certificate of this file; none where it fails.
fn curl(home: &Home, trusted: &Path, more: &[&str]) -> Option<String> {
    let url = format!("https://{}/healthz", home.address);
    let mut command = Command::new("curl");
    command.args(["--silent", "--noproxy", "*", "--cacert"]);
    let got = output(command.arg(trusted).args(more).arg(url));
    got.status.success().then(|| text(&got.stdout).to_owned())
}

/// How often an event of this kind is in the log.
fn told(log: &str, kind: &str) -> usize {
    log.lines()
        .filter(|line| line.contains("\"target\":\"event\"") && line.contains(kind))
        .count()
}

/// Tries until it is so; a hundred handshakes a second, for minutes at most.
fn until(what: &str, is_so: impl Fn() -> bool) {
    assert!((0..10_000).any(|_| is_so()), "never: {what}");
}

#[test]
fn https_is_spoken_by_tls_1_3_alone_and_plain_http_gets_no_answer_and_makes_no_noise() {
    let home = with_tls("");
    let server = home.serve();
    assert_eq!(
        server.said,
        format!("listening on https://{}\n", home.address)
    );
    let own = home.path("cert.pem");
    assert_eq!(
        curl(&home, &own, &[]).as_deref(),
        Some("{\"status\":\"ok\"}")
    );
    assert_eq!(curl(&home, &own, &["--tls-max", "1.2"]), None);
    let plain = format!("http://{}/healthz", home.address);
    let plain = output(Command::new("curl").args(["--silent", "--noproxy", "*", &plain]));
    assert!(!plain.status.success());
    let ended = server.end("TERM");
    assert_eq!(ended.code, Some(0));
    let loud = ["WARN", "ERROR"]
        .iter()
        .any(|level| ended.stderr.contains(level));
    assert!(!loud, "{}", ended.stderr);
}

#[test]
fn tls_1_2_is_offered_when_configured() {
    let home = with_tls(", min = \"1.2\"");
    let _server = home.serve();
    let own = home.path("cert.pem");
    let with = |more: &[&str]| curl(&home, &own, more).is_some();
    assert!(with(&["--tls-max", "1.2"]));
    assert!(with(&["--tlsv1.3"]));
    let gcm = "ECDHE-ECDSA-AES128-GCM-SHA256";
    assert!(with(&["--tls-max", "1.2", "--ciphers", gcm]));
    for other in ["ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-ECDSA-AES128-SHA"] {
        assert!(!with(&["--tls-max", "1.2", "--ciphers", other]), "{other}");
    }
}

#[test]
fn a_new_certificate_is_loaded_and_a_broken_one_is_logged_once() {
    let home = with_tls("");
    let server = home.serve();
    let [first, own] = [home.path("first.pem"), home.path("cert.pem")];
    fs::copy(&own, &first).expect("a copy");

    renew(&home);
    until("the new one is shown", || curl(&home, &own, &[]).is_some());
    assert_eq!(curl(&home, &first, &[]), None);

    // The key of another certificate.
    let good = home.path("good.pem");
    fs::copy(&own, &good).expect("a copy");
    let key = fs::read(home.path("key.pem")).expect("a key");
    renew(&home);
    let newer = fs::read(home.path("key.pem")).expect("a key");
    fs::write(home.path("key.pem"), &key).expect("a file");
    server.hang_up();
    assert!(curl(&home, &good, &[]).is_some(), "the one before is kept");

    fs::write(home.path("key.pem"), newer).expect("a file");
    server.hang_up();
    until("the newest is shown", || curl(&home, &own, &[]).is_some());
    let log = server.end("TERM").stderr;
    assert_eq!(told(&log, "certificate_refused"), 1, "{log}");
    assert!(
        log.contains("does not match the first certificate"),
        "{log}"
    );
    assert!(told(&log, "certificate_replaced") >= 2, "{log}");
}

#[test]
fn files_that_make_no_tls_are_refused_by_check_and_at_the_start() {
    let home = with_tls("");
    fs::remove_file(home.path("key.pem")).expect("it was there");
    let said = "grantor.toml:3:7: tls: key.pem cannot be read: No such file or directory";
    let checked = output(&mut home.command(&["check", "--config", "grantor.toml"]));
    assert_eq!(checked.status.code(), Some(2));
    assert!(
        text(&checked.stderr).starts_with(said),
        "{}",
        text(&checked.stderr)
    );
    let refused = home.refused();
    assert_eq!(refused.status.code(), Some(1));
    let started = text(&refused.stderr);
    assert!(
        started.starts_with(&format!("grantor: {said}")),
        "{started}"
    );
    assert_eq!(home.files(), ["cert.pem", "grantor.toml"]);
}

#[test]
fn check_reports_a_certificate_for_another_host() {
    let home = with_tls("");
    let text_of_file = fs::read_to_string(home.path("grantor.toml")).expect("text");
    let other = text_of_file.replace("https://127.0.0.1", "https://localhost");
    fs::write(home.path("grantor.toml"), other).expect("a file");
    let checked = output(&mut home.command(&["check", "--config", "grantor.toml"]));
    assert_eq!(checked.status.code(), Some(0));
    let said = "The certificate of cert.pem is not for localhost, the issuer's host: clients will refuse it.";
    assert!(
        text(&checked.stdout).contains(said),
        "{}",
        text(&checked.stdout)
    );
}

//! What the server asks of others, with another server of ours as the other.

use std::fs;
use std::time::Duration;

use grantor::outgoing::Outgoing;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};

use crate::home::Home;

/// A server with a certificate for 127.0.0.1 by an authority of its own, whose certificate is in `ca.pem`.
fn home() -> Home {
    let home = Home::new("");
    let mut authority = CertificateParams::new(Vec::new()).expect("no names");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let own = KeyPair::generate().expect("a key");
    let of_authority = authority.self_signed(&own).expect("a certificate");
    let authority = Issuer::new(authority, own);
    let key = KeyPair::generate().expect("a key");
    let server = CertificateParams::new(vec!["127.0.0.1".to_owned()]).expect("an address");
    let server = server.signed_by(&key, &authority).expect("a certificate");
    for (name, pem) in [
        ("ca.pem", of_authority.pem()),
        ("cert.pem", server.pem()),
        ("key.pem", key.serialize_pem()),
    ] {
        fs::write(home.path(name), pem).expect("a file");
    }
    let address = &home.address;
    let text = format!(
        "issuer = \"https://{address}\"\nlisten = \"{address}\"\n\
         tls = {{ cert = \"cert.pem\", key = \"key.pem\" }}\n"
    );
    fs::write(home.path("grantor.toml"), text).expect("the file is written");
    home
}

#[test]
fn another_is_believed_by_a_certificate_of_the_bundle() {
    let home = home();
    let _server = home.serve();
    let url = format!("https://{}/healthz", home.address);
    let bundle = Outgoing {
        extra_ca: Some(home.path("ca.pem")),
        ..Outgoing::default()
    };
    let ask = async |outgoing: Outgoing| {
        let client = outgoing.client(Duration::from_secs(60)).expect("a client");
        client
            .get(&url)
            .send()
            .await
            .map(|answer| answer.status().as_u16())
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        assert_eq!(ask(bundle).await.ok(), Some(200));
        let stranger = ask(Outgoing::default()).await;
        assert!(stranger.is_err_and(|error| error.is_connect()));
    });
}

#[test]
fn each_setting_that_is_for_tests_is_told_at_the_start() {
    let home = Home::new("[test]\nloopback = true\nwrong_passwords = 1000\n");
    let ended = home.serve().end("TERM");
    for said in [
        "For tests only: test.loopback",
        "For tests only: test.wrong_passwords",
    ] {
        let line = ended.stderr.lines().find(|line| line.contains(said));
        assert!(
            line.is_some_and(|line| line.contains("\"WARN\"")),
            "{}",
            ended.stderr
        );
    }
}

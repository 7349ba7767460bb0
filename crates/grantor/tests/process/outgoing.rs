//! What the server asks of others, with another server of ours as the other.

use std::fs;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use grantor_server::outgoing::Outgoing;
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
fn a_certificate_of_the_bundle_is_trusted() {
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
fn each_test_setting_is_logged_at_the_start() {
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

#[test]
fn an_unreachable_issuer_is_logged_once_and_requests_are_refused_meanwhile() {
    // Nobody listens there.
    const AWAY: &str = "http://127.0.0.1:1";
    let home = Home::new(&format!(
        "[[resource]]\nidentifier = \"api\"\nscopes = {{ read = \"Read\" }}\n\
         [[client]]\nid = \"gateway\"\nsecret = \"0f1e2d3c4b5a69788796a5b4c3d2e1f0\"\ngrants = [\"token_exchange\"]\n\
         [[trusted_issuer]]\nissuer = \"{AWAY}\"\n\
         [[exchange]]\nclient = \"gateway\"\naudience = \"api\"\nsubject_issuer = \"{AWAY}\"\ngives = [\"api/read\"]\n"
    ));
    let part = |json: String| URL_SAFE_NO_PAD.encode(json);
    let token = [
        part("{\"alg\":\"ES256\",\"kid\":\"one\"}".to_owned()),
        part(format!("{{\"iss\":\"{AWAY}\"}}")),
        URL_SAFE_NO_PAD.encode([7; 64]),
    ];
    let form = format!(
        "client_id=gateway&client_secret=0f1e2d3c4b5a69788796a5b4c3d2e1f0&subject_token={}\
         &grant_type=urn:ietf:params:oauth:grant-type:token-exchange\
         &subject_token_type=urn:ietf:params:oauth:token-type:jwt",
        token.join(".")
    );
    let server = home.serve();
    for _ in 0..5 {
        let (status, body) = home.request("POST", "/oauth2/token", &form);
        assert_eq!(status, 503, "{body}");
        assert!(body.contains("temporarily_unavailable"), "{body}");
    }
    let log = server.end("TERM").stderr;
    let told: Vec<&str> = log
        .lines()
        .filter(|line| line.contains("\"WARN\""))
        .collect();
    let [told] = told[..] else {
        panic!("one warning: {log}");
    };
    assert!(told.contains(&format!("\"issuer\":\"{AWAY}\"")), "{told}");
    assert!(told.contains("Connection refused"), "{told}");
    assert!(!log.contains("\"ERROR\""), "{log}");
}

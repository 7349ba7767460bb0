//! Rules that other crates judge by too: what the file accepts is what they accept.

use grantor_core::model::server_url::ServerUrl;
use grantor_verify::SecureUrl;
use proptest::prelude::*;

use super::{mistakes, read, settings};

fn is_read(rest: &str) -> bool {
    read(&format!("issuer = \"https://id.example.com\"\n{rest}"), &[]).is_ok()
}

/// What one setting accepts as this machine in plain http, all of them accept.
#[test]
fn every_setting_has_the_same_loopback_hosts() {
    for (host, is_loopback) in [
        ("localhost", true),
        ("id.localhost", true),
        ("127.0.0.1", true),
        ("127.8.9.1", true),
        ("[::1]", true),
        ("[::ffff:127.0.0.1]", true),
        ("[::ffff:7f00:1]", true),
        ("10.0.0.1", false),
        ("localhost.example.com", false),
        ("127.0.0.1.example.com", false),
        ("[::ffff:a00:1]", false),
    ] {
        for rest in [
            format!("[[client]]\nid = \"a\"\nredirect_uris = [\"http://{host}:8080/cb\"]"),
            format!(
                "[[client]]\nid = \"a\"\nsecret = \"s\"\nbackchannel_logout_uri = \"http://{host}:8080/\"\n[test]\nloopback = true"
            ),
            format!("[[trusted_issuer]]\nissuer = \"http://{host}:8080\""),
            format!(
                "[[trusted_issuer]]\nissuer = \"https://a.example\"\njwks_uri = \"http://{host}:8080/\""
            ),
            format!(
                "[[provider]]\nname = \"a\"\nissuer = \"http://{}:8080\"\nclient_id = \"a\"",
                host.replace("127.0.0.1]", "7f00:1]")
            ),
        ] {
            assert_eq!(is_read(&rest), is_loopback, "{rest}");
        }
    }
}

#[test]
fn an_address_that_only_this_machine_reaches_is_loopback_in_every_form() {
    let advice = |listen: &str| {
        let text = format!("issuer = \"https://id.example.com\"\nlisten = \"{listen}\"");
        settings(&text).advice()
    };
    assert_eq!(advice("[::ffff:127.0.0.1]:8080"), advice("127.0.0.1:8080"));
    assert!(!advice("127.0.0.1:8080").is_empty());
}

#[test]
fn a_password_that_sign_in_does_not_read_is_refused() {
    let of = |password: &str| {
        format!(
            "issuer = \"https://id.example.com\"\n[[user]]\nusername = \"a\"\npassword = \"{password}\""
        )
    };
    assert!(read(&of(&"é".repeat(512)), &[]).is_ok());
    assert_eq!(
        mistakes(&of(&"é".repeat(600))),
        "grantor.toml:4:12: password in [[user]]: is longer than 1024 bytes"
    );
}

#[test]
fn an_email_is_what_user_add_takes_too() {
    let of = |email: &str| {
        is_read(&format!(
            "[[user]]\nusername = \"a\"\npassword = \"p\"\nemail = \"{email}\""
        ))
    };
    assert!(of("alice@example.com"));
    assert!(!of("alice"));
    assert!(!of(&format!("{}@example.com", "a".repeat(250))));
}

proptest! {
    /// The core and the library for resource servers each have a type for such a URL, and share no more than `jose`.
    #[test]
    fn a_url_of_another_server_is_the_same_to_core_and_verify(
        text in "(https?|HTTP|ftp)://(|u@|:p@|u:p@)(a\\.example|localhost|b\\.localhost|127\\.0\\.0\\.1|10\\.0\\.0\\.1|\\[::1\\]|\\[::ffff:127\\.0\\.0\\.1\\]|)(:8080)?(/[a-z?#]{0,3})?"
    ) {
        prop_assert_eq!(text.parse::<ServerUrl>().is_ok(), text.parse::<SecureUrl>().is_ok());
    }
}

#[test]
fn proxies_that_are_half_the_internet_and_metrics_for_everyone_are_reported() {
    let advice = |line: &str| {
        let text =
            format!("issuer = \"https://id.example.com\"\nlisten = \"192.0.2.1:80\"\n{line}");
        settings(&text).advice().concat()
    };
    for wide in ["0.0.0.0/0", "::/0", "0.0.0.0/1", "2000::/3"] {
        let said = advice(&format!("trusted_proxies = [\"192.0.2.2\", \"{wide}\"]"));
        assert!(
            said.starts_with(&format!("trusted_proxies has {wide}: ")),
            "{said}"
        );
    }
    for narrow in [
        "10.0.0.0/8",
        "fc00::/7",
        "173.245.48.0/20",
        "2400:cb00::/32",
    ] {
        assert_eq!(advice(&format!("trusted_proxies = [\"{narrow}\"]")), "");
    }
    let proxy = "trusted_proxies = [\"192.0.2.2\"]\nadmin_listen";
    for public in [
        "0.0.0.0:9090",
        "[::]:9090",
        "192.0.2.1:9090",
        "[2001:db8::1]:9090",
    ] {
        let said = advice(&format!("{proxy} = \"{public}\""));
        assert!(
            said.starts_with(&format!("admin_listen is {public}: ")),
            "{said}"
        );
    }
    for private in [
        "127.0.0.1:9090",
        "[::1]:9090",
        "10.1.2.3:9090",
        "[fd00::1]:9090",
    ] {
        assert_eq!(advice(&format!("{proxy} = \"{private}\"")), "");
    }
}

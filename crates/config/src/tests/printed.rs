use super::{read, settings};
use crate::table::Table;
use crate::{Schema, Settings, Shape, annotated, markdown};

#[test]
fn the_printed_file_says_the_defaults() {
    let printed = settings(&annotated());
    let defaults = settings("issuer = \"http://127.0.0.1:8080\"");
    assert_eq!(format!("{printed:?}"), format!("{defaults:?}"));
    for line in [
        "listen = \"127.0.0.1:8080\"",
        "nodes = 1",
        "trusted_proxies = []",
        "[lifetimes]",
        "access = \"10m\"",
        "# [[client]]",
        "# id = \"tv\"",
    ] {
        assert!(annotated().lines().any(|printed| printed == line), "{line}");
    }
}

#[test]
fn every_setting_is_printed_with_its_words() {
    fn walk(schema: &Schema, printed: &str) {
        for setting in schema.settings {
            assert!(!setting.doc.is_empty());
            for line in setting.doc {
                assert!(printed.contains(line), "{line}");
            }
            match setting.shape {
                Shape::Table(schema) | Shape::Tables(schema) => walk(schema, printed),
                _ => assert!(
                    printed.contains(&format!("{} = ", setting.key)),
                    "{}",
                    setting.key
                ),
            }
        }
    }
    walk(Settings::SCHEMA, &annotated());
}

#[test]
fn the_page_of_the_documentation_is_what_the_settings_say() {
    let page = include_str!("../../../../docs/src/configuration.md");
    assert!(
        page == markdown(),
        "renew it: cargo run --release -- config --markdown > docs/src/configuration.md"
    );
}

/// What the examples refer to.
const SURROUNDINGS: &str = r#"
[[resource]]
identifier = "orders.example.com"
uri = "https://orders.example.com"
scopes = { read = "Read orders", write = "Change orders" }
[[resource]]
identifier = "shipping.example.com"
uri = "https://shipping.example.com"
scopes = { read = "Read shipments" }
[[provider]]
name = "corp"
issuer = "https://idp.example.com"
client_id = "grantor"
[[trusted_issuer]]
issuer = "https://idp.partner.example"
[[organization]]
id = "acme"
name = "Acme Ltd"
[[client]]
id = "website"
[[client]]
id = "orders"
secret = "a-client-secret"
grants = ["token_exchange", "authorization_code", "refresh_token"]
redirect_uris = ["https://orders.example.com/callback"]
scopes = ["openid"]
"#;

const VARIABLES: &[(&str, &str)] = &[
    ("MASTER_KEY", "k"),
    ("CORP_SECRET", "s"),
    ("ORDERS_SECRET", "s"),
    ("ORDERS_SECRET_NEW", "s"),
];

#[test]
fn every_example_and_default_is_a_value_that_the_setting_takes() {
    for setting in Settings::SCHEMA.settings {
        let (schema, header) = match setting.shape {
            Shape::Table(schema) => (schema, format!("[{}]\n", setting.key)),
            Shape::Tables(schema) => (schema, format!("[[{}]]\n", setting.key)),
            _ => {
                takes(
                    setting.key,
                    &format!("{}\n", setting.line_with(setting.example)),
                );
                continue;
            }
        };
        for setting in schema.settings {
            for text in [Some(setting.example), setting.default]
                .into_iter()
                .flatten()
            {
                takes(
                    setting.key,
                    &format!("{header}{}\n", setting.line_with(text)),
                );
            }
        }
    }
}

/// Mistakes of `key` itself are failures; that others are missing, or that a public client may not
/// do this, is not what is looked at.
fn takes(key: &str, lines: &str) {
    let issuer = if key == "issuer" && !lines.starts_with('[') {
        ""
    } else {
        "issuer = \"https://id.example.com\"\n"
    };
    let text = if lines.starts_with('[') {
        format!("{issuer}{SURROUNDINGS}{lines}")
    } else {
        format!("{issuer}{lines}{SURROUNDINGS}")
    };
    let Err(mistakes) = read(&text, VARIABLES) else {
        return;
    };
    for mistake in mistakes.iter() {
        let mistake = mistake.to_string();
        let excused = [
            "missing key",
            "missing: without",
            "is for the subjects of a subject_issuer",
            "before has",
            "needs",
            "only a client with a secret",
            "name the provider too",
            "give password",
            "not among the client's scopes",
            "is for tests, and allowed only",
            "the file that it names cannot be read",
        ];
        assert!(
            excused.iter().any(|excuse| mistake.contains(excuse)),
            "{lines}{mistake}"
        );
    }
}

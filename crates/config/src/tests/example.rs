use std::path::Path;
use std::time::Duration;

use serde_json::json;

use super::{read, settings};
use grantor_core::model::client::AuthMethod;
use grantor_core::model::grant_type::GrantType;
use grantor_core::model::resource::TokenForm;
use grantor_jose::Algorithm;

use crate::{ClientSecret, Dialect, MasterKey, Settings, Store, TlsVersion, UserPassword};

/// The file of the design, whole.
const EXAMPLE: &str = include_str!("example.toml");

fn example() -> Settings {
    read(EXAMPLE, &[("CORP_SECRET", "a-provider-secret")])
        .unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

#[test]
fn the_whole_example_is_read() {
    let settings = example();
    assert_eq!(&*settings.issuer, "https://127.0.0.1:8080");
    assert_eq!(settings.dialects, [Dialect::CognitoDevice, Dialect::Iroh]);
    assert_eq!(settings.admin_listen, "127.0.0.1:8081".parse().ok());
    assert_eq!(
        settings.tls.as_ref().map(|tls| tls.min),
        Some(TlsVersion::V1_3)
    );
    assert_eq!(
        settings.lifetimes.refresh_absolute,
        Duration::from_secs(365 * 24 * 60 * 60)
    );
    assert_eq!(settings.device.max_pending.get(), 100_000);
    assert_eq!(
        settings.providers[0]
            .client_secret_env
            .as_ref()
            .map(|s| s.secret().reveal()),
        Some("a-provider-secret")
    );

    let orders = &settings.resources[0];
    assert_eq!(orders.audience(), "https://orders.example.com");
    assert_eq!(orders.token_form(), TokenForm::Jwt(Algorithm::Es256));
    let scopes: Vec<_> = orders.scope_tokens().collect();
    assert_eq!(
        scopes,
        ["orders.example.com/read", "orders.example.com/write"]
    );

    let [tv, orders] = settings.clients.as_slice() else {
        panic!("two clients")
    };
    assert_eq!(tv.grants, [GrantType::DeviceCode, GrantType::RefreshToken]);
    assert!(tv.is_public());
    assert_eq!(tv.auth_methods(), [AuthMethod::None]);
    assert!(
        matches!(orders.credentials().next(), Some(ClientSecret::Plain(secret)) if secret.reveal() == "a-client-secret")
    );
    assert_eq!(
        orders.auth_methods(),
        [AuthMethod::SecretBasic, AuthMethod::SecretPost]
    );
    assert!(orders.enabled && orders.rotation);

    let rule = &settings.exchanges[0];
    assert_eq!(
        &*rule.scopes["orders.example.com/read"][0],
        "shipping.example.com/read"
    );
    assert!(!rule.impersonation);

    let alice = &settings.users[0];
    assert!(
        matches!(alice.credential(), Some(UserPassword::Plain(secret)) if secret.reveal() == "a-password")
    );
    assert_eq!(alice.claims["given_name"], json!("Alice"));
}

#[test]
fn each_setting_without_effect_is_reported_once() {
    assert_eq!(
        example().not_built(),
        [
            "The dialect cognito_device is not built yet: its paths are not found.",
            "Upstream providers are not built yet: no one signs in with them.",
        ]
    );
    assert!(
        settings("issuer = \"https://id.example.com\"")
            .not_built()
            .is_empty()
    );
}

#[test]
fn a_providers_tokens_are_replaced_by_our_own() {
    let tokens = "issuer = \"https://id.example.com\"\n[device]\ntokens = \"provider\"\nprovider = \"corp\"\n\
                  [[provider]]\nname = \"corp\"\nissuer = \"https://idp.example.com\"\nclient_id = \"grantor\"\n";
    assert!(settings(tokens).not_built().contains(
        &"A provider's tokens for devices are not built yet: devices get Grantor's own.".to_owned()
    ));
}

#[test]
fn relative_paths_start_at_the_folder_of_the_file() {
    let settings = example();
    assert!(
        matches!(&settings.store, Store::Sqlite(path) if path == Path::new("/etc/grantor/grantor.db"))
    );
    assert!(
        matches!(settings.master_key(), MasterKey::File(path) if path == Path::new("/etc/grantor/grantor.key"))
    );
    assert_eq!(
        settings.tls.unwrap().cert,
        Path::new("/etc/grantor/tls/cert.pem")
    );
}

#[test]
fn no_secret_shows_in_debug_output() {
    let hash = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0$NIZzwR2U5Ii0yfKmSzy1gTcrtaFsWdFF5HSD2p5QKiI";
    let digest = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
    let text = format!(
        "{EXAMPLE}\n[[user]]\nusername = \"bob\"\npassword_hash = \"{hash}\"\n\
         [[client]]\nid = \"a\"\nsecret_sha256 = \"{digest}\"\n"
    );
    let text = text.replace(
        "sqlite:grantor.db",
        "postgres://grantor:a-database-password@db/grantor",
    );
    let settings = read(&text, &[("CORP_SECRET", "a-provider-secret")]).unwrap();
    let debug = format!("{settings:?} {}", settings.store);
    for secret in [
        "a-provider-secret",
        "a-client-secret",
        "a-password",
        "a-database-password",
        "aGFzaA",
        "9f86d0",
        "159, 134",
    ] {
        assert!(!debug.contains(secret), "{secret}");
    }
    assert!(debug.contains("[redacted]"));
}

#[test]
fn claims_are_whatever_json_can_say() {
    let settings = settings(
        "issuer = \"https://id.example.com\"\n[[user]]\nusername = \"alice\"\npassword = \"p\"\n\
         claims = { birthdate = 1990-02-03, age = 35, height = 1.7, ok = true, address = { locality = \"Bern\" }, langs = [\"de\", \"fr\"] }",
    );
    assert_eq!(
        serde_json::to_value(&settings.users[0].claims).unwrap(),
        json!({
            "birthdate": "1990-02-03", "age": 35, "height": 1.7, "ok": true,
            "address": { "locality": "Bern" }, "langs": ["de", "fr"],
        })
    );
}

#[test]
fn advice_names_clients_whose_secret_is_weak_however_long_it_is() {
    let advice = |secret: &str| {
        let text = format!(
            "issuer = \"https://id.example.com\"\n[[client]]\nid = \"orders\"\nsecret = \"{secret}\"\n\
             grants = [\"client_credentials\"]\n"
        );
        let advice = settings(&text).advice().into_iter();
        advice.filter(|said| said.contains("guessed")).count()
    };
    assert_eq!(advice("hunter2"), 1);
    assert_eq!(advice(&"a".repeat(26)), 1);
    assert_eq!(advice("Xk29vTq8LzRw4mNbYc7PsJ3d"), 0);
}

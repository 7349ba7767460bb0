use std::collections::BTreeSet;
use std::time::Duration;

use super::read;
use crate::place::Place;
use crate::read::variables;
use crate::table::Table;
use crate::{Environment, MasterKey, Settings, Store};

const FILE: &str = "issuer = \"https://id.example.com\"\n[lifetimes]\naccess = \"5m\"\n";

#[test]
fn a_variable_overrides_the_file_and_the_default() {
    let settings = read(
        FILE,
        &[
            ("GRANTOR_ISSUER", "https://other.example.com"),
            ("GRANTOR_LISTEN", "[::1]:9000"),
            ("GRANTOR_STORE", "memory:"),
            ("GRANTOR_NODES", "3"),
            ("GRANTOR_LIFETIMES_ACCESS", "90s"),
            ("GRANTOR_DEVICE_LIFETIME", "30m"),
            ("GRANTOR_DEVICE_TOKEN_SET", "ACCESS"),
        ],
    )
    .unwrap();
    assert_eq!(&*settings.issuer, "https://other.example.com");
    assert_eq!(settings.listen.port(), 9000);
    assert!(matches!(settings.store, Store::Memory));
    assert_eq!(settings.nodes.get(), 3);
    assert_eq!(settings.lifetimes.access, Duration::from_secs(90));
    assert_eq!(settings.device.lifetime, Duration::from_secs(1800));
    assert!(!settings.device.token_set.id);
}

#[test]
fn variables_alone_make_up_a_file() {
    let variables = [
        ("GRANTOR_ISSUER", "https://id.example.com"),
        ("GRANTOR_TLS_CERT", "a"),
        ("GRANTOR_TLS_KEY", "b"),
    ];
    assert!(read("", &variables).unwrap().tls.is_some());
    assert!(read("", &variables[..1]).unwrap().tls.is_none());
}

#[test]
fn a_mistake_in_a_variable_names_the_variable() {
    let mistakes = read(
        FILE,
        &[
            ("GRANTOR_DEVICE_LIFETIME", "600"),
            ("GRANTOR_NODES", "0"),
            ("GRANTOR_TRUSTED_PROXIES", "10.0.0.0/8"),
            ("GRANTOR_ISUER", "https://id.example.com"),
        ],
    );
    assert_eq!(
        mistakes.unwrap_err().to_string(),
        "GRANTOR_DEVICE_LIFETIME: lifetime in [device]: \"600\" has no unit; did you mean \"600s\"?\n\
         GRANTOR_ISUER: unknown variable; did you mean \"GRANTOR_ISSUER\"?\n\
         GRANTOR_NODES: nodes: expected a whole number from 1 to 4294967295, found 0\n\
         GRANTOR_TRUSTED_PROXIES: trusted_proxies: is a list: write it in the file"
    );
}

#[test]
fn unrelated_variables_with_the_prefix_are_ignored() {
    let kubernetes = [
        ("GRANTOR_PORT", "tcp://10.0.0.1:80"),
        ("GRANTOR_SERVICE_HOST", "10.0.0.1"),
        ("GRANTOR_PORT_80_TCP_ADDR", "10.0.0.1"),
        ("GRANTOR_USER", "me"),
    ];
    assert!(read(FILE, &kubernetes).is_ok());
}

#[test]
fn the_master_key_can_come_from_a_variable() {
    let text = format!("key_env = \"MASTER_KEY\"\n{FILE}");
    let settings = read(&text, &[("MASTER_KEY", "the-master-key")]).unwrap();
    assert!(
        matches!(settings.master_key(), MasterKey::Given(secret) if secret.reveal() == "the-master-key")
    );
}

#[test]
fn the_master_key_has_one_source() {
    let text = format!("key_file = \"a\"\nkey_env = \"MASTER_KEY\"\n{FILE}");
    let mistakes = read(&text, &[("MASTER_KEY", "the-master-key")]).unwrap_err();
    assert_eq!(
        mistakes.to_string(),
        "grantor.toml:2:11: key_env: give key_file or key_env, not both"
    );
}

#[test]
fn no_two_settings_share_a_variable() {
    let mut names = Vec::new();
    variables(&Place::root(), Settings::SCHEMA, &mut names);
    let distinct: BTreeSet<_> = names.iter().collect();
    assert_eq!(distinct.len(), names.len());
}

#[test]
fn an_environment_shows_no_values() {
    let environment: Environment = [("A", "secret")].into_iter().collect();
    assert_eq!(format!("{environment:?}"), "{\"A\"}");
}

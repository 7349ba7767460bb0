//! The configuration.

use std::path::Path;

use grantor::config::{self, Environment};

/// A file is read, or refused with a place and a reason for each mistake. Neither shows a secret.
pub fn config(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let read = || {
        config::parse(
            text,
            "grantor.toml",
            Path::new("/nowhere"),
            &Environment::default(),
        )
    };
    match read() {
        Ok(settings) => {
            settings.not_built();
            settings.advice();
            let shown = format!("{settings:?}");
            let secrets = settings
                .clients
                .iter()
                .filter_map(|client| client.secret.as_ref());
            for secret in secrets.map(|secret| secret.reveal()) {
                // Short ones are found in anything.
                let elsewhere = text.matches(secret).count() > 1;
                assert!(secret.len() < 12 || elsewhere || !shown.contains(secret));
            }
            let again = read().map(|again| format!("{again:?}"));
            assert_eq!(again.ok(), Some(shown));
        }
        Err(mistakes) => {
            let said = mistakes.to_string();
            assert!(said.starts_with("grantor.toml"), "{said}");
        }
    }
}

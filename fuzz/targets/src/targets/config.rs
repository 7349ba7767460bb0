//! The configuration.

use std::path::Path;

use grantor_config::Environment;

/// A file is accepted, or each mistake is reported with its place and a reason. Debug output contains no secret.
pub fn config(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let read = || {
        grantor_config::parse(
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
            let debug = format!("{settings:?}");
            let secrets = settings
                .clients
                .iter()
                .filter_map(|client| client.secret.as_ref());
            for secret in secrets.map(|secret| secret.reveal()) {
                // Short secrets occur by coincidence.
                let elsewhere = text.matches(secret).count() > 1;
                assert!(secret.len() < 12 || elsewhere || !debug.contains(secret));
            }
            let again = read().map(|settings| format!("{settings:?}"));
            assert_eq!(again.ok(), Some(debug));
        }
        Err(mistakes) => {
            let report = mistakes.to_string();
            assert!(report.starts_with("grantor.toml"), "{report}");
        }
    }
}

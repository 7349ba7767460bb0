//! Errors about the value of a setting that only its use shows: a file that is missing, an address in use.

use std::error::Error;

use grantor_config::Settings;

/// What is wrong with the value of a setting, after where it is written.
#[derive(Debug, thiserror::Error)]
#[error("{location}")]
pub struct SettingError {
    /// `grantor.toml:2:9`, or the name of a variable.
    location: String,
    source: Box<dyn Error + Send + Sync>,
}

impl SettingError {
    /// `key` as [`Settings::location`] has it; the message of `source` names it.
    #[must_use]
    pub fn new(
        settings: &Settings,
        key: &str,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self {
            location: settings.location(key),
            source: source.into(),
        }
    }
}

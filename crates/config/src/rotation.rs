//! How often keys are rotated.

use std::time::Duration;

use grantor_core::tokens::key_life::PUBLISH_AHEAD;

use super::read::Context;
use super::table::Value;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyRotation(Option<Duration>);

impl KeyRotation {
    /// The time for which a key signs; none where only a command rotates.
    pub const fn period(self) -> Option<Duration> {
        self.0
    }
}

impl Value for KeyRotation {
    const EXPECTED: &'static str = r#"a duration such as "90d", or "off""#;

    fn parse(text: &str, context: &Context<'_>) -> Result<Self, String> {
        if text == "off" {
            return Ok(Self(None));
        }
        match Duration::parse(text, context)? {
            Duration::ZERO => Ok(Self(None)),
            short if short < PUBLISH_AHEAD => Err(format!(
                "{text:?} is too short: a key is published for an hour before it signs"
            )),
            period => Ok(Self(Some(period))),
        }
    }

    fn stand_in() -> Self {
        Self(None)
    }
}

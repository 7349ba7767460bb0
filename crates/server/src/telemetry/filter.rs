//! Which log lines are written.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::{LevelFilter, ParseError};

use grantor_config::Environment;

/// The variable with the log level, or directives such as `info,grantor_web=debug`.
const VARIABLE: &str = "GRANTOR_LOG";
const DEFAULT: &str = "info";

/// Words that other programs have for a level.
const SYNONYMS: [(&str, &str); 14] = [
    ("all", "trace"),
    ("critical", "error"),
    ("err", "error"),
    ("fatal", "error"),
    ("information", "info"),
    ("none", "off"),
    ("normal", "info"),
    ("notice", "info"),
    ("quiet", "warn"),
    ("silent", "off"),
    ("verbose", "debug"),
    ("warning", "warn"),
    ("debugging", "debug"),
    ("tracing", "trace"),
];
const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// The variable does not hold a filter.
#[derive(Debug, thiserror::Error)]
pub enum InvalidFilter {
    /// A word that the library would take for the name of a module, which silences all others.
    #[error(
        "{VARIABLE}: {word:?} is not a level (off, error, warn, info, debug, trace); did you mean {likely:?}?"
    )]
    Level { word: String, likely: String },
    #[error(
        "{VARIABLE}: not a level (off, error, warn, info, debug, trace) or a list such as info,grantor_web=debug"
    )]
    Directives(#[from] ParseError),
}

/// The filter of the environment. An empty variable is one that is not set.
pub(super) fn from_environment(environment: &Environment) -> Result<EnvFilter, InvalidFilter> {
    let text = environment.value(VARIABLE).map(str::trim);
    let text = text.filter(|text| !text.is_empty()).unwrap_or(DEFAULT);
    for directive in text.split(',').map(str::trim) {
        let level = directive
            .rsplit_once('=')
            .map_or(directive, |(_, level)| level);
        // In brackets stand fields of spans, which may hold any character.
        if level.parse::<LevelFilter>().is_err() && !text.contains('[') {
            return Err(InvalidFilter::Level {
                word: level.to_owned(),
                likely: likely(level),
            });
        }
    }
    Ok(EnvFilter::try_new(text)?)
}

fn likely(word: &str) -> String {
    let lower = word.to_lowercase();
    if lower == "event" || lower.starts_with("grantor") || lower.contains("::") {
        return format!("{word}=debug");
    }
    let synonym = SYNONYMS.iter().find(|(name, _)| *name == lower);
    let begins = || {
        let first = |level: &&&str| level.chars().next() == lower.chars().next();
        LEVELS.iter().find(first).copied()
    };
    synonym
        .map(|(_, level)| *level)
        .or_else(begins)
        .unwrap_or(DEFAULT)
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(text: &str) -> Result<String, String> {
        let environment = Environment::default().with(VARIABLE, text);
        let filter = from_environment(&environment);
        filter
            .map(|filter| filter.to_string())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_word_that_is_no_level_is_an_error_with_the_likely_one() {
        for (text, word, likely) in [
            ("verbose", "verbose", "debug"),
            ("Warning", "Warning", "warn"),
            ("inf", "inf", "info"),
            ("chatty", "chatty", "info"),
            ("info,verbose", "verbose", "debug"),
            ("grantor_web", "grantor_web", "grantor_web=debug"),
            ("info,grantor_web=dbg", "dbg", "debug"),
        ] {
            let said = filter(text).unwrap_err();
            let expected = format!("GRANTOR_LOG: {word:?} is not a level");
            assert!(said.starts_with(&expected), "{said}");
            assert!(
                said.ends_with(&format!("did you mean {likely:?}?")),
                "{said}"
            );
        }
    }

    #[test]
    fn levels_and_lists_are_taken_and_an_empty_variable_is_the_default() {
        for (text, expected) in [
            ("", "info"),
            (" ", "info"),
            ("WARN", "warn"),
            ("off", "off"),
            ("info,grantor_web=debug", "grantor_web=debug,info"),
        ] {
            assert_eq!(filter(text).as_deref(), Ok(expected), "{text:?}");
        }
    }
}

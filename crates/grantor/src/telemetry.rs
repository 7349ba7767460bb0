//! Logs, on standard error. They never hold a secret, code or token.

mod log_limit;

use std::io::{self, IsTerminal as _};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use grantor_config::Environment;
use log_limit::LogLimit;

/// The variable with the log level, or directives such as `info,grantor_web=debug`.
const VARIABLE: &str = "GRANTOR_LOG";
const DEFAULT: &str = "info";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One JSON object for each line.
    Json,
    /// One line of text, coloured on a terminal.
    Human,
}

/// The variable does not hold a filter.
#[derive(Debug, thiserror::Error)]
#[error("{VARIABLE}: not a level (error, warn, info, debug, trace) or a list of directives")]
pub struct InvalidFilter(#[from] tracing_subscriber::filter::ParseError);

/// Starts logging to standard error. Only the first call of a process has an effect.
///
/// # Errors
/// [`InvalidFilter`]
pub fn start(format: Format, environment: &Environment) -> Result<(), InvalidFilter> {
    let filter = EnvFilter::try_new(environment.value(VARIABLE).unwrap_or(DEFAULT))?;
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr);
    // Without its thread there is no limit.
    let limit = LogLimit::start().ok();
    match format {
        Format::Json => lines
            .json()
            .flatten_event(true)
            .with_span_list(false)
            .finish()
            .with(limit)
            .try_init(),
        Format::Human => lines
            .with_ansi(io::stderr().is_terminal())
            .finish()
            .with(limit)
            .try_init(),
    }
    // A test may have set another subscriber, which stays.
    .ok();
    Ok(())
}

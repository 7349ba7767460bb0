//! Logs, on standard error. They never hold a secret, code or token, and a log that cannot be written stops nothing.

mod filter;
mod log_limit;
mod queue;

use std::io::{self, IsTerminal as _};

use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use grantor_config::Environment;
use log_limit::LogLimit;

pub use filter::InvalidFilter;
pub use queue::LogQueue;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One JSON object for each line.
    Json,
    /// One line of text, coloured on a terminal.
    Human,
}

/// Whether the environment's filter can be used.
///
/// # Errors
/// [`InvalidFilter`]
pub fn check(environment: &Environment) -> Result<(), InvalidFilter> {
    filter::from_environment(environment).map(drop)
}

/// Starts logging to standard error. Only the first call of a process has an effect. The queue holds what is not written
/// yet.
///
/// # Errors
/// [`InvalidFilter`]
pub fn start(format: Format, environment: &Environment) -> Result<LogQueue, InvalidFilter> {
    let filter = filter::from_environment(environment)?;
    let queue = LogQueue::start(io::stderr());
    let writer = queue.clone();
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        // These errors would go to standard error as well, and panic there.
        .log_internal_errors(false)
        .with_writer(move || writer.clone());
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
    Ok(queue)
}

//! How commands end: 0 for success, 1 for failure, 2 for wrong usage or a wrong configuration.

use std::error::Error;
use std::fmt::Display;
use std::process::ExitCode;

use grantor_server::cause::Causes;

/// The command was used wrongly, or its configuration is wrong.
pub const USAGE: u8 = 2;

/// Prints why a command failed, with all causes.
pub fn failure(error: &(dyn Error + 'static)) -> ExitCode {
    eprintln!("grantor: {}", Causes(error));
    ExitCode::FAILURE
}

/// Prints what is wrong with the command line or the configuration.
pub fn usage(why: &dyn Display) -> ExitCode {
    eprintln!("{why}");
    ExitCode::from(USAGE)
}

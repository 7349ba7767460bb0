//! How commands end: 0 for success, 1 for failure, 2 for wrong usage or a wrong configuration (and 3 where a
//! reload left something out). And how they print.

use std::error::Error;
use std::fmt::Display;
use std::io::{self, Write as _};
use std::process::ExitCode;

use grantor_server::cause::Causes;

/// The command was used wrongly, or its configuration is wrong.
pub const USAGE: u8 = 2;

/// Prints why a command failed, with all causes.
pub fn failure(error: &(dyn Error + 'static)) -> ExitCode {
    complain(&format_args!("grantor: {}", Causes(error)));
    ExitCode::FAILURE
}

/// Prints what is wrong with the command line or the configuration.
pub fn usage(why: &dyn Display) -> ExitCode {
    complain(why);
    ExitCode::from(USAGE)
}

/// Prints a line to standard error. No command fails because there is no reader or no room for it.
pub fn complain(line: &dyn Display) {
    writeln!(io::stderr(), "{line}").ok();
}

/// Prints text to standard output, likewise.
pub fn print(text: &dyn Display) {
    write!(io::stdout(), "{text}").ok();
}

//! `grantor config`: every setting with its default.

use std::io::{self, Write};
use std::process::ExitCode;

use grantor_config as config;

/// Prints the annotated file, or the page of the documentation.
pub fn run(markdown: bool) -> ExitCode {
    let text = if markdown {
        config::markdown()
    } else {
        config::annotated()
    };
    // A reader that has seen enough (`| head`) closes the pipe; that is no failure.
    io::stdout().write_all(text.as_bytes()).ok();
    ExitCode::SUCCESS
}

//! `grantor hash-password`: a hash to declare instead of a password.

use std::process::ExitCode;

use clap::Args;
use grantor_server::system::SystemEntropy;
use grantor_web::{Entropy as _, hash_password};

use super::password_input::new_password;
use crate::exit;

#[derive(Debug, Args)]
pub struct Arguments {
    /// Read the password from the first line of standard input
    #[arg(long)]
    password_stdin: bool,
}

pub fn run(arguments: &Arguments) -> ExitCode {
    let password = match new_password(arguments.password_stdin, "") {
        Ok(password) => password,
        Err(error) => return error.exit(),
    };
    let hash = hash_password(&password, SystemEntropy.seed().bytes("salt"));
    exit::print(&format_args!("{hash}\n"));
    ExitCode::SUCCESS
}

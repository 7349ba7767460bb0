//! `grantor admin`: who manages the server by its API.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use grantor_config::Environment;
use grantor_server::admin::api::AddAdministrator;

use super::administer::{Common, administer};
use super::password_input::{PasswordError, first_line};
use super::user::render_added;
use crate::exit;

#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    what: What,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Add a user to the first group of `[api] admins`; prints the password that is made where none is given
    #[command(after_help = "Example: grantor admin create root")]
    Create {
        /// The name to sign in with
        name: String,
        /// The e-mail address
        #[arg(long, value_name = "ADDRESS")]
        email: Option<String>,
        /// Read the password from the first line of standard input
        #[arg(long)]
        password_stdin: bool,
    },
}

pub fn run(arguments: &Arguments, environment: &Environment) -> ExitCode {
    let common = &arguments.common;
    let settings = match common.settings(environment) {
        Ok(settings) => settings,
        Err(code) => return code,
    };
    let What::Create {
        name,
        email,
        password_stdin,
    } = &arguments.what;
    let password = match password_stdin.then(first_line).transpose() {
        Ok(password) => password,
        Err(error) => return exit::failure(&PasswordError::Read(error)),
    };
    let request = AddAdministrator {
        username: name.clone(),
        email: email.clone(),
        password: password.map(|password| password.as_str().to_owned()),
    };
    administer(common, &settings, &request, |added| {
        Some(render_added(&added))
    })
}

//! `grantor user`: who may sign in.

use std::io::{self, BufRead as _};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use grantor_config::Environment;
use grantor_server::admin::api::{
    AddUser, AddedUser, DisableUser, EnableUser, ListUsers, ListedUser,
};
use zeroize::Zeroizing;

use super::administer::{Common, administer};
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
    /// Add a user; prints the password that is made where none is given
    Add {
        /// The name to sign in with
        name: String,
        /// The e-mail address
        #[arg(long, value_name = "ADDRESS")]
        email: Option<String>,
        /// Read the password from the first line of standard input
        #[arg(long)]
        password_stdin: bool,
    },
    /// Disable a user: sessions and whatever was granted end at once
    Disable {
        /// The name
        name: String,
    },
    /// Enable a user again; what was granted before stays ended
    Enable {
        /// The name
        name: String,
    },
    /// List the users
    List,
}

pub fn run(arguments: &Arguments, environment: &Environment) -> ExitCode {
    let common = &arguments.common;
    let settings = match common.settings(environment) {
        Ok(settings) => settings,
        Err(code) => return code,
    };
    match &arguments.what {
        What::Add {
            name,
            email,
            password_stdin,
        } => {
            let password = match password_stdin.then(first_line).transpose() {
                Ok(password) => password,
                Err(error) => return exit::failure(&PasswordError(error)),
            };
            let request = AddUser {
                username: name.clone(),
                email: email.clone(),
                password: password.map(|password| password.as_str().to_owned()),
            };
            administer(common, &settings, &request, |added| {
                Some(render_added(&added))
            })
        }
        What::Disable { name } => {
            let request = DisableUser {
                username: name.clone(),
            };
            administer(common, &settings, &request, |user| {
                Some(if user.changed {
                    format!("Disabled {name}: sessions and whatever was granted have ended.\n")
                } else {
                    format!("{name} was disabled already.\n")
                })
            })
        }
        What::Enable { name } => {
            let request = EnableUser {
                username: name.clone(),
            };
            administer(common, &settings, &request, |user| {
                Some(if user.changed {
                    format!("Enabled {name}.\n")
                } else {
                    format!("{name} was enabled already.\n")
                })
            })
        }
        What::List => administer(common, &settings, &ListUsers, |users| Some(table(&users))),
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the password cannot be read")]
struct PasswordError(#[source] io::Error);

fn render_added(user: &AddedUser) -> String {
    let mut text = format!("Added {} with sub {}.\n", user.username, user.id);
    if let Some(password) = &user.password {
        text += &format!("Password: {password}\n");
    }
    text
}

/// Names, states, origins, ids and addresses, in columns.
fn table(users: &[ListedUser]) -> String {
    let widths = users.iter().map(|user| user.username.chars().count());
    let width = widths.max().unwrap_or_default();
    let line = |user: &ListedUser| {
        let ListedUser {
            id,
            username,
            enabled,
            email,
            from_file,
        } = user;
        let state = if *enabled { "enabled " } else { "disabled" };
        let origin = if *from_file { "file   " } else { "command" };
        let email = email.as_deref().unwrap_or_default();
        let line = format!("{username:width$}  {state}  {origin}  {id}  {email}");
        format!("{}\n", line.trim_end())
    };
    users.iter().map(line).collect()
}

fn first_line() -> io::Result<Zeroizing<String>> {
    let mut line = Zeroizing::new(String::new());
    io::stdin().lock().read_line(&mut line)?;
    let end = line.trim_end_matches(['\r', '\n']).len();
    line.truncate(end);
    Ok(line)
}

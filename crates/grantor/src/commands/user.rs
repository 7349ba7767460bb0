//! `grantor user`: who may sign in.

use std::io::{self, BufRead as _};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use http::Method;
use serde_json::{Value as Json, json};
use zeroize::Zeroizing;

use super::administer::{Common, administer};
use crate::admin::client::{Ask, Content};
use crate::config::Environment;

/// The arguments of `grantor user`.
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

/// Carries the command out.
pub fn run(arguments: &Arguments, environment: &Environment) -> ExitCode {
    let ask = |method, path, body, makes_store| Ask {
        method,
        path,
        body,
        makes_store,
    };
    let common = &arguments.common;
    match &arguments.what {
        What::Add {
            name,
            email,
            password_stdin,
        } => {
            let mut user = json!({ "username": name });
            if let Some(email) = email {
                user["email"] = email.as_str().into();
            }
            if *password_stdin {
                match first_line() {
                    Ok(password) => user["password"] = password.as_str().into(),
                    Err(error) => {
                        eprintln!("grantor: the password cannot be read: {error}");
                        return ExitCode::FAILURE;
                    }
                }
            }
            let ask = ask(Method::POST, "/users", Content::Json(user), true);
            administer(common, environment, ask, |added| {
                let mut said = format!(
                    "Added {} with sub {}.\n",
                    text(added, "username"),
                    text(added, "id")
                );
                if let Some(password) = added["password"].as_str() {
                    said += &format!("Password: {password}\n");
                }
                Some(said)
            })
        }
        What::Disable { name } => {
            let ask = ask(
                Method::POST,
                "/users/disable",
                Content::Json(json!({ "username": name })),
                false,
            );
            administer(common, environment, ask, |done| match done["changed"] {
                Json::Bool(false) => Some(format!("{name} was disabled already.\n")),
                _ => Some(format!(
                    "Disabled {name}: sessions and whatever was granted have ended.\n"
                )),
            })
        }
        What::Enable { name } => {
            let ask = ask(
                Method::POST,
                "/users/enable",
                Content::Json(json!({ "username": name })),
                false,
            );
            administer(common, environment, ask, |done| match done["changed"] {
                Json::Bool(false) => Some(format!("{name} was enabled already.\n")),
                _ => Some(format!("Enabled {name}.\n")),
            })
        }
        What::List => administer(
            common,
            environment,
            ask(Method::GET, "/users", Content::None, false),
            |users| Some(table(users)),
        ),
    }
}

/// Names, states, where they come from, ids and addresses, in columns.
fn table(users: &Json) -> String {
    let users = users.as_array().map_or(&[][..], |users| &users[..]);
    let width = users
        .iter()
        .map(|user| text(user, "username").chars().count());
    let width = width.max().unwrap_or_default();
    let line = |user: &Json| {
        let state = if user["enabled"] == true {
            "enabled "
        } else {
            "disabled"
        };
        let origin = if user["from_file"] == true {
            "file   "
        } else {
            "command"
        };
        let (name, id, email) = (
            text(user, "username"),
            text(user, "id"),
            text(user, "email"),
        );
        let line = format!("{name:width$}  {state}  {origin}  {id}  {email}");
        format!("{}\n", line.trim_end())
    };
    users.iter().map(line).collect()
}

fn text<'a>(value: &'a Json, member: &str) -> &'a str {
    value[member].as_str().unwrap_or_default()
}

fn first_line() -> io::Result<Zeroizing<String>> {
    let mut line = Zeroizing::new(String::new());
    io::stdin().lock().read_line(&mut line)?;
    let end = line.trim_end_matches(['\r', '\n']).len();
    line.truncate(end);
    Ok(line)
}

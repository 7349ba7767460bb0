//! `grantor user`: who may sign in.

use std::fmt::Write as _;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use grantor_config::{Environment, Settings};
use grantor_core::model::credentials::fold_username;
use grantor_server::admin::api::{
    AddUser, AddedUser, DeleteUser, DisableUser, EnableUser, ListedUser, RenameUser, SetPassword,
    SetUser, ShowUser, ShownUser,
};
use grantor_server::admin::{CHANGE_PASSWORD_THERE, declared_message};
use serde_json::Value as Json;

use super::access::all_pages;
use super::administer::{Common, administer, print};
use super::managed::path_of;
use super::password_input::{PasswordError, first_line, new_password};
use super::table::table;
use crate::exit;
use grantor_server::admin::client::{AdminError, ApiCall, ask, call};
use http::Method;

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
        /// A group; may be given several times
        #[arg(long = "group", value_name = "GROUP")]
        groups: Vec<String>,
        /// The organization
        #[arg(long, value_name = "ID")]
        organization: Option<String>,
        /// Read the password from the first line of standard input
        #[arg(long)]
        password_stdin: bool,
    },
    /// Disable a user: sessions and whatever was granted end at once
    Disable {
        /// Username or sub
        name: String,
    },
    /// Enable a user again; what was granted before stays ended
    Enable {
        /// Username or sub
        name: String,
    },
    /// Give a user another password, typed at the terminal. Sessions and whatever was granted end at once
    Password {
        /// Username or sub
        name: String,
        /// Read the password from the first line of standard input
        #[arg(long)]
        password_stdin: bool,
        /// Make a random one, and print it
        #[arg(long, conflicts_with = "password_stdin")]
        random: bool,
    },
    /// Change what tokens say about a user; an empty value removes
    Set(SetArguments),
    /// Show what is stored of a user
    Show {
        /// Username or sub
        name: String,
    },
    /// Give a user another name to sign in with; the sub stays
    Rename {
        /// Username or sub
        name: String,
        /// The new name to sign in with
        to: String,
    },
    /// Delete a user: sessions and whatever was granted end at once
    Delete {
        /// Username or sub
        name: String,
    },
    /// List the users
    List,
}

#[derive(Debug, Args)]
struct SetArguments {
    /// Username or sub
    name: String,
    /// The full name: the claim name
    #[arg(long = "name", value_name = "TEXT")]
    full_name: Option<String>,
    /// The e-mail address
    #[arg(long, value_name = "ADDRESS")]
    email: Option<String>,
    /// A group, instead of all before; may be given several times
    #[arg(long = "group", value_name = "GROUP")]
    groups: Vec<String>,
    /// The organization
    #[arg(long, value_name = "ID")]
    organization: Option<String>,
    /// A claim: JSON where it reads as such, else a text; may be given several times
    #[arg(long = "claim", value_name = "K=V", value_parser = claim)]
    claims: Vec<(String, Json)>,
}

fn claim(text: &str) -> Result<(String, Json), String> {
    let (name, value) = text.split_once('=').ok_or("is not K=V")?;
    if name.is_empty() {
        return Err("has no name before =".to_owned());
    }
    let value = match value {
        "" => Json::Null,
        text => serde_json::from_str(text).unwrap_or_else(|_| text.into()),
    };
    Ok((name.to_owned(), value))
}

impl SetArguments {
    fn changes_nothing(&self) -> bool {
        self.full_name.is_none()
            && self.email.is_none()
            && self.groups.is_empty()
            && self.organization.is_none()
            && self.claims.is_empty()
    }

    fn request(&self) -> SetUser {
        let full_name = self.full_name.as_ref().map(|name| {
            let value = if name.is_empty() {
                Json::Null
            } else {
                name.as_str().into()
            };
            ("name".to_owned(), value)
        });
        let groups = self.groups.iter().filter(|group| !group.is_empty());
        SetUser {
            username: self.name.clone(),
            email: self.email.clone(),
            groups: (!self.groups.is_empty()).then(|| groups.cloned().collect()),
            organization: self.organization.clone(),
            claims: self.claims.iter().cloned().chain(full_name).collect(),
        }
    }
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
            groups,
            organization,
            password_stdin,
        } => {
            let password = match password_stdin.then(first_line).transpose() {
                Ok(password) => password,
                Err(error) => return exit::failure(&PasswordError::Read(error)),
            };
            let request = AddUser {
                username: name.clone(),
                email: email.clone(),
                groups: groups.clone(),
                organization: organization.clone(),
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
        What::Password {
            name,
            password_stdin,
            random,
        } => set_password(common, &settings, name, *password_stdin, *random),
        What::Set(arguments) if arguments.changes_nothing() => exit::usage(
            &"nothing to change: give --name, --email, --group, --organization or --claim",
        ),
        What::Set(arguments) => administer(common, &settings, &arguments.request(), |user| {
            Some(format!(
                "Changed {name}.\n{}",
                render_user(&user),
                name = user.username
            ))
        }),
        What::Show { name } => {
            let request = ShowUser {
                username: name.clone(),
            };
            let mut organization = None;
            let code = administer(common, &settings, &request, |user| {
                let text = render_user(&user);
                organization = user.organization;
                Some(text)
            });
            if let Some(id) = organization.filter(|_| !common.json) {
                print(&state_of(common, &settings, &id).unwrap_or_default());
            }
            code
        }
        What::Rename { name, to } => {
            let request = RenameUser {
                username: name.clone(),
                to: to.clone(),
            };
            administer(common, &settings, &request, |user| {
                Some(if user.username == *name {
                    format!("{name} has that name already.\n")
                } else {
                    format!("{name} is {} now.\n", user.username)
                })
            })
        }
        What::Delete { name } => {
            let request = DeleteUser {
                username: name.clone(),
            };
            administer(common, &settings, &request, |_| {
                Some(format!(
                    "Deleted {name}: sessions and whatever was granted have ended.\n"
                ))
            })
        }
        What::List => list(common, &settings),
    }
}

fn set_password(
    common: &Common,
    settings: &Settings,
    name: &str,
    from_stdin: bool,
    random: bool,
) -> ExitCode {
    // No one types a password for nothing.
    if !random
        && !from_stdin
        && let Err(code) = check_changeable(common, settings, name)
    {
        return code;
    }
    let given = (!random).then(|| new_password(from_stdin, ", or --random to have one made"));
    let password = match given.transpose() {
        Ok(password) => password,
        Err(error) => return error.exit(),
    };
    let request = SetPassword {
        username: name.to_owned(),
        password: password.map(|password| password.secret().reveal().to_owned()),
    };
    administer(common, settings, &request, |set| {
        let mut text = format!(
            "Changed the password of {name}: sessions and whatever was granted have ended.\n"
        );
        if let Some(password) = &set.password {
            text += &format!("Password: {password}\n");
        }
        Some(text)
    })
}

/// Whether there is the user, and the file does not declare the password.
fn check_changeable(common: &Common, settings: &Settings, name: &str) -> Result<(), ExitCode> {
    let request = ShowUser {
        username: name.to_owned(),
    };
    let mut declares = None;
    ask(settings, &common.config, &request, |line| {
        let user = line.answer;
        let declared = user.filter(|user| user.declared.iter().any(|member| member == "password"));
        declares = declared.map(|user| user.username);
    })
    .map_err(|error| exit::failure(&error))?;
    let Some(username) = declares else {
        return Ok(());
    };
    let mut users = settings.users.iter();
    let is_declared =
        users.any(|user| fold_username(user.username.as_str()) == fold_username(&username));
    let file = &common.config;
    let message = declared_message(file, is_declared, &username, CHANGE_PASSWORD_THERE);
    Err(exit::failure(&AdminError::Refused(message)))
}

pub(super) fn render_added(user: &AddedUser) -> String {
    let mut text = format!("Added {} with sub {}.\n", user.username, user.id);
    if let Some(password) = &user.password {
        text += &format!("Password: {password}\n");
    }
    text
}

/// A line for each member.
fn render_user(user: &ShownUser) -> String {
    let ShownUser {
        id,
        username,
        enabled,
        email,
        groups,
        organization,
        claims,
        password,
        declared,
        from_file: _,
    } = user;
    let mut text = String::new();
    let mut line = |member: &str, name: &str, value: &str| {
        let by_file = declared.iter().any(|declared| declared == member);
        let origin = if by_file {
            "  (declared in the file)"
        } else {
            ""
        };
        // Writing to a string cannot fail.
        writeln!(text, "{name:8}  {value}{origin}").ok();
    };
    line("", "username", username);
    line("", "sub", id);
    line("", "state", if *enabled { "enabled" } else { "disabled" });
    line(
        "password",
        "password",
        if *password { "set" } else { "none" },
    );
    if let Some(email) = email {
        line("email", "email", email);
    }
    if !groups.is_empty() {
        line("groups", "groups", &groups.join(", "));
    }
    if let Some(organization) = organization {
        line("organization", "org", organization);
    }
    for (name, value) in claims {
        line(
            &format!("claims/{name}"),
            "claim",
            &format!("{name} = {value}"),
        );
    }
    text
}

/// Sorted by name.
fn list(common: &Common, settings: &Settings) -> ExitCode {
    let items = match all_pages(common, settings, "/users") {
        Ok(items) => items,
        Err(error) => return exit::failure(&error),
    };
    let mut users: Vec<ListedUser> = items.iter().map(listed).collect();
    users.sort_by(|a, b| a.username.cmp(&b.username));
    print(&match common.json {
        // Our own types always serialize.
        true => format!("{}\n", serde_json::to_string(&users).unwrap_or_default()),
        false => users_table(&users),
    });
    ExitCode::SUCCESS
}

/// A user of the API's list.
fn listed(user: &Json) -> ListedUser {
    let text = |name: &str| user[name].as_str().map(ToOwned::to_owned);
    ListedUser {
        id: text("id").unwrap_or_default(),
        username: text("username").unwrap_or_default(),
        enabled: user["enabled"] == true,
        email: text("email"),
        from_file: user["declared"]
            .as_array()
            .is_some_and(|all| !all.is_empty()),
    }
}

/// Names, states, origins, ids and addresses, in columns.
fn users_table(users: &[ListedUser]) -> String {
    let row = |user: &ListedUser| {
        let state = if user.enabled { "enabled" } else { "disabled" };
        let from = if user.from_file { "file" } else { "managed" };
        let email = user.email.clone().unwrap_or_default();
        let cells = [user.username.as_str(), state, from, &user.id, &email];
        cells.map(ToOwned::to_owned)
    };
    let columns = ["USERNAME", "STATE", "FROM", "SUB", "EMAIL"];
    table(columns, users.iter().map(row))
}

/// Why a user of this organization cannot be one, whose own state says nothing of it.
fn state_of(common: &Common, settings: &Settings, id: &str) -> Option<String> {
    let request = ApiCall {
        method: Method::GET,
        path: path_of("/organizations", id),
        body: None,
        if_match: None,
    };
    let why = match call(settings, &common.config, &request) {
        Ok(found) if found.body["enabled"] == false => "is disabled",
        Err(AdminError::NotFound) => "was deleted",
        _ => return None,
    };
    Some(format!(
        "note      the organization {id} {why}: the user cannot sign in\n"
    ))
}

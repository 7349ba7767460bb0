//! `grantor client`, `org`, `resource`, `scope` and `rule`: what is managed while the server runs, in the words of the
//! configuration file.

mod editor;
mod object;

use std::fs;
use std::io::{self, Read as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use grantor_config::{Environment, Settings};
use http::Method;
use serde_json::{Map, Value as Json, json};

use super::access::all_pages;
use super::administer::{Common, print};
use crate::exit;
use grantor_server::admin::client::{AdminError, ApiCall, ApiReply, call};

pub use object::Kind;
use object::{assignment, path_of, read_only, shown, toml_of};

#[derive(Debug, Args)]
pub struct Arguments<W: Subcommand> {
    #[command(subcommand)]
    what: W,
    #[command(flatten)]
    common: Common,
}

/// What can be done with a client.
#[derive(Debug, Subcommand)]
pub enum WithClient {
    #[command(flatten)]
    Object(WithObject),
    #[command(flatten)]
    Switch(Switch),
    /// The secrets of a client: two count at a time, so that one is replaced without a gap
    Secret {
        #[command(subcommand)]
        what: Secrets,
    },
}

/// What can be done with an organization.
#[derive(Debug, Subcommand)]
pub enum WithOrganization {
    #[command(flatten)]
    Object(WithObject),
    #[command(flatten)]
    Switch(Switch),
}

#[derive(Debug, Subcommand)]
pub enum Switch {
    /// Disable one: what it was given ends at once
    #[command(after_help = "Example: grantor client disable tv")]
    Disable { name: String },
    /// Enable one again
    #[command(after_help = "Example: grantor client enable tv")]
    Enable { name: String },
}

/// What can be done with any object.
#[derive(Debug, Subcommand)]
pub enum WithObject {
    /// Create one from members in TOML
    #[command(
        after_help = "Example: grantor client add --set 'grants=[\"client_credentials\"]' --set 'scopes=[\"orders.example.com/read\"]'\n\
                            Example: grantor resource add orders.example.com --set 'scopes={ read = \"Read orders\" }'\n\
                            Example: grantor client add tv --file tv.toml"
    )]
    Add {
        /// Its id, identifier or name. That of a client is drawn, if left out
        name: Option<String>,
        #[command(flatten)]
        members: Members,
    },
    /// List them, those of the configuration file too
    #[command(after_help = "Example: grantor client list --json")]
    List,
    /// Show one
    #[command(after_help = "Example: grantor client show tv")]
    Show { name: String },
    /// Change one in an editor ($VISUAL or $EDITOR), as TOML; or by --set and --unset
    #[command(
        after_help = "Example: grantor client edit tv --set 'name=\"The TV\"' --unset description"
    )]
    Edit {
        name: String,
        #[command(flatten)]
        members: Members,
        /// A member that is removed; may be given several times
        #[arg(long, value_name = "KEY")]
        unset: Vec<String>,
    },
    /// Delete one: what it was given ends, and another one of that name inherits nothing
    #[command(after_help = "Example: grantor scope delete inspect")]
    Delete { name: String },
}

#[derive(Debug, Args)]
pub struct Members {
    /// A member, its value as in the configuration file; may be given several times
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = assignment)]
    set: Vec<(String, Json)>,
    /// A file with members as in the table of the configuration file; - for standard input
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub enum Secrets {
    /// Draw another secret, which is printed once
    #[command(after_help = "Example: grantor client secret add nightly")]
    Add {
        name: String,
        /// When it ends (RFC 3339); else once it is deleted
        #[arg(long, value_name = "TIME")]
        expires: Option<String>,
    },
    /// List the secrets that count, without their texts
    #[command(after_help = "Example: grantor client secret list nightly")]
    List { name: String },
    /// Delete a secret
    #[command(after_help = "Example: grantor client secret delete nightly 0123456789abcdef")]
    Delete { name: String, id: String },
}

/// What a command line asks for.
pub enum Asked<'a> {
    Object(&'a WithObject),
    Switch(&'a Switch),
    Secret(&'a Secrets),
}

impl<'a> From<&'a WithObject> for Asked<'a> {
    fn from(what: &'a WithObject) -> Self {
        Self::Object(what)
    }
}

impl<'a> From<&'a WithOrganization> for Asked<'a> {
    fn from(what: &'a WithOrganization) -> Self {
        match what {
            WithOrganization::Object(what) => Self::Object(what),
            WithOrganization::Switch(what) => Self::Switch(what),
        }
    }
}

impl<'a> From<&'a WithClient> for Asked<'a> {
    fn from(what: &'a WithClient) -> Self {
        match what {
            WithClient::Object(what) => Self::Object(what),
            WithClient::Switch(what) => Self::Switch(what),
            WithClient::Secret { what } => Self::Secret(what),
        }
    }
}

pub fn run<'a, W: Subcommand>(
    kind: Kind,
    arguments: &'a Arguments<W>,
    environment: &Environment,
) -> ExitCode
where
    &'a W: Into<Asked<'a>>,
{
    let common = &arguments.common;
    let settings = match common.settings(environment) {
        Ok(settings) => settings,
        Err(code) => return code,
    };
    let command = Command {
        kind,
        common,
        settings: &settings,
    };
    let done = match (&arguments.what).into() {
        Asked::Object(what) => command.run(what, environment),
        Asked::Switch(Switch::Disable { name }) => command.set_enabled(name, false),
        Asked::Switch(Switch::Enable { name }) => command.set_enabled(name, true),
        Asked::Secret(what) => command.secret(what),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(CommandError::Usage(why)) => exit::usage(&format_args!("grantor: {why}")),
        Err(CommandError::Failed(error)) => exit::failure(&error),
    }
}

/// Why a command did nothing.
pub(super) enum CommandError {
    Usage(String),
    Failed(AdminError),
}

impl From<AdminError> for CommandError {
    fn from(error: AdminError) -> Self {
        Self::Failed(error)
    }
}

struct Command<'a> {
    kind: Kind,
    common: &'a Common,
    settings: &'a Settings,
}

impl Command<'_> {
    fn run(&self, what: &WithObject, environment: &Environment) -> Result<(), CommandError> {
        match what {
            WithObject::Add { name, members } => self.add(name.as_deref(), members),
            WithObject::List => {
                let items = all_pages(self.common, self.settings, &self.path())?;
                let lines = items.iter().map(|item| self.kind.line(item));
                self.say(&json!({ "items": items }), &lines.collect::<String>());
                Ok(())
            }
            WithObject::Show { name } => {
                let read = self.get(name)?;
                let text = toml_of(&shown(&read.body));
                self.say(&read.body, &text);
                Ok(())
            }
            WithObject::Edit {
                name,
                members,
                unset,
            } => self.edit(name, members, unset, environment),
            WithObject::Delete { name } => {
                let read = self.get(name)?;
                self.change(Method::DELETE, name, None, read.etag)?;
                let text = format!("Deleted the {} {name}.\n", self.kind.word());
                self.say(&json!({ "deleted": name }), &text);
                Ok(())
            }
        }
    }

    fn add(&self, name: Option<&str>, members: &Members) -> Result<(), CommandError> {
        let mut body = members.read()?;
        if let Some(name) = name {
            body.insert(self.kind.name_key().to_owned(), name.into());
        }
        let made = self.call(Method::POST, self.path(), Some(body.into()), None)?;
        let name = made.body[self.kind.name_key()].as_str().unwrap_or_default();
        let mut text = format!("Added the {} {name}.\n", self.kind.word());
        if let Some(secret) = made.body["secret"].as_str() {
            text.push_str("Its secret, which is shown this once: ");
            text.push_str(secret);
            text.push('\n');
        }
        self.say(&made.body, &text);
        Ok(())
    }

    fn edit(
        &self,
        name: &str,
        members: &Members,
        unset: &[String],
        environment: &Environment,
    ) -> Result<(), CommandError> {
        let read = self.get(name)?;
        let mut body = shown(&read.body);
        if members.is_empty() && unset.is_empty() {
            if read.body["declared"] == true {
                let why = format!("the configuration file declares {name}: change it there");
                return Err(CommandError::Usage(why));
            }
            let Some(edited) = editor::edit(&body, environment)? else {
                self.say(&json!({ "changed": false }), "Nothing was changed.\n");
                return Ok(());
            };
            body = edited;
        } else {
            body.extend(members.read()?);
            body.retain(|key, _| !unset.contains(key));
        }
        let changed = self.change(Method::PUT, name, Some(body.into()), read.etag)?;
        let text = format!("Changed the {} {name}.\n", self.kind.word());
        self.say(&changed.body, &text);
        Ok(())
    }

    fn set_enabled(&self, name: &str, enabled: bool) -> Result<(), CommandError> {
        let read = self.get(name)?;
        let body = json!({ "enabled": enabled });
        let changed = self.change(Method::PATCH, name, Some(body), read.etag)?;
        let done = if enabled { "Enabled" } else { "Disabled" };
        let text = format!("{done} the {} {name}.\n", self.kind.word());
        self.say(&changed.body, &text);
        Ok(())
    }

    fn secret(&self, what: &Secrets) -> Result<(), CommandError> {
        let (Secrets::Add { name, .. } | Secrets::List { name } | Secrets::Delete { name, .. }) =
            what;
        let path = format!("{}/secrets", path_of(&self.path(), name));
        match what {
            Secrets::Add { expires, .. } => {
                let expires = expires.iter();
                let body: Map<String, Json> = expires
                    .map(|at| ("expires_at".to_owned(), at.as_str().into()))
                    .collect();
                let made = self.call(Method::POST, path, Some(body.into()), None)?;
                let text = made.body["secret"].as_str().unwrap_or_default();
                self.say(&made.body, &format!("{text}\n"));
            }
            Secrets::List { .. } => {
                let listed = self.call(Method::GET, path, None, None)?;
                let items = listed.body["items"].as_array().cloned().unwrap_or_default();
                let lines = items.iter().map(|item| {
                    let text = |key: &str| item[key].as_str().unwrap_or("-").to_owned();
                    format!(
                        "{}  {}  {}  {}\n",
                        text("id"),
                        text("created"),
                        text("expires_at"),
                        text("last_used")
                    )
                });
                self.say(&listed.body, &lines.collect::<String>());
            }
            Secrets::Delete { id, .. } => {
                self.call(Method::DELETE, path_of(&path, id), None, None)?;
                self.say(
                    &json!({ "deleted": id }),
                    &format!("Deleted the secret {id}.\n"),
                );
            }
        }
        Ok(())
    }

    fn path(&self) -> String {
        self.kind.path().to_owned()
    }

    fn get(&self, name: &str) -> Result<ApiReply, AdminError> {
        self.call(Method::GET, path_of(&self.path(), name), None, None)
    }

    fn change(
        &self,
        method: Method,
        name: &str,
        body: Option<Json>,
        if_match: Option<String>,
    ) -> Result<ApiReply, AdminError> {
        self.call(method, path_of(&self.path(), name), body, if_match)
    }

    fn call(
        &self,
        method: Method,
        path: String,
        body: Option<Json>,
        if_match: Option<String>,
    ) -> Result<ApiReply, AdminError> {
        let request = ApiCall {
            method,
            path,
            body,
            if_match,
        };
        call(self.settings, &self.common.config, &request)
    }

    fn say(&self, json: &Json, text: &str) {
        match self.common.json {
            true => print(&format!("{json}\n")),
            false => print(text),
        }
    }
}

impl Members {
    fn is_empty(&self) -> bool {
        self.set.is_empty() && self.file.is_none()
    }

    /// Those of the file, and over them those that were set.
    fn read(&self) -> Result<Map<String, Json>, CommandError> {
        let mut members = match &self.file {
            None => Map::new(),
            Some(file) => {
                let mut text = String::new();
                let read = match file.as_os_str() == "-" {
                    true => io::stdin().read_to_string(&mut text).map(|_| text),
                    false => fs::read_to_string(file),
                };
                let text = read.map_err(AdminError::Io)?;
                let members = object::members(&text);
                members.map_err(|why| CommandError::Usage(format!("{}: {why}", file.display())))?
            }
        };
        members.retain(|key, _| !read_only(key));
        members.extend(self.set.iter().cloned());
        Ok(members)
    }
}

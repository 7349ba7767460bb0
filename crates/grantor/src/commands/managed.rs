//! `grantor client`, `org`, `resource`, `scope` and `rule`: what is managed while the server runs, in the words of the
//! configuration file.

mod editor;
mod members;
mod object;

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use grantor_config::{Environment, Settings, did_you_mean};
use http::Method;
use serde_json::{Map, Value as Json, json};

use super::access::all_pages;
use super::administer::{Common, print};
use super::moment::future;
use crate::exit;
use grantor_server::admin::client::{AdminError, ApiCall, ApiReply, call};

use super::table::table;
use members::Members;
pub use object::Kind;
pub(super) use object::path_of;
use object::{remarks, shown, toml_of};

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
    Disable {
        /// Its id
        name: String,
    },
    /// Enable one again
    #[command(after_help = "Example: grantor client enable tv")]
    Enable {
        /// Its id
        name: String,
    },
}

/// What can be done with any object.
#[derive(Debug, Subcommand)]
pub enum WithObject {
    /// Create one from members in TOML
    #[command(after_help = "Examples:\n  \
                      grantor client add nightly --set 'grants=[\"client_credentials\"]' --set 'scopes=[\"orders.example.com/read\"]'\n  \
                      grantor client add tv --file tv.toml\n  \
                      grantor org add acme --set 'name=Acme'\n  \
                      grantor resource add orders.example.com --set 'scopes={ read = \"Read orders\" }'\n  \
                      grantor scope add inspect --set 'text=Look into your orders'\n  \
                      grantor rule add r --set client=a --set audience=b --set 'scopes={ \"a/read\" = [\"b/read\"] }'")]
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
    Show {
        /// Its id, identifier or name
        name: String,
    },
    /// Change one in an editor ($VISUAL or $EDITOR), as TOML; or by --set and --unset
    #[command(
        after_help = "Example: grantor client edit tv --set 'name=\"The TV\"' --unset description"
    )]
    Edit {
        /// Its id, identifier or name
        name: String,
        #[command(flatten)]
        members: Members,
        /// A member that is removed; may be given several times
        #[arg(long, value_name = "KEY")]
        unset: Vec<String>,
    },
    /// Delete one: what it was given ends, and another one of that name inherits nothing
    #[command(after_help = "Example: grantor scope delete inspect")]
    Delete {
        /// Its id, identifier or name
        name: String,
    },
}

#[derive(Debug, Subcommand)]
pub enum Secrets {
    /// Draw another secret, which is printed once
    #[command(after_help = "Example: grantor client secret add nightly")]
    Add {
        /// The client's id
        name: String,
        /// When it ends, as 2027-01-31T00:00:00Z, or in how long, as 90d; else once it is deleted
        #[arg(long, value_name = "TIME", value_parser = future)]
        expires: Option<String>,
    },
    /// List the secrets that count, without their texts
    #[command(after_help = "Example: grantor client secret list nightly")]
    List {
        /// The client's id
        name: String,
    },
    /// Delete a secret
    #[command(after_help = "Example: grantor client secret delete nightly 0123456789abcdef")]
    Delete {
        /// The client's id
        name: String,
        /// The id in the list
        id: String,
    },
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
                self.say(&json!({ "items": items }), &self.kind.table(&items));
                Ok(())
            }
            WithObject::Show { name } => {
                let read = self.get(name)?;
                let text = remarks(&read.body) + &toml_of(&shown(&read.body));
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
        let key = self.kind.name_key();
        if let Some(name) = name {
            body.insert(key.to_owned(), name.into());
        }
        if self.kind != Kind::Client && !body.contains_key(key) {
            let command = self.kind.command();
            let why = format!("which one? grantor {command} add {}", key.to_uppercase());
            return Err(CommandError::Usage(why));
        }
        if self.kind == Kind::Client && !body.contains_key("grants") {
            let advice = "grantor: the client has no grants, so it can do nothing yet: --set 'grants=[\"device_code\"]'\n";
            io::stderr().write_all(advice.as_bytes()).ok();
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
        if let Some((key, _)) = members.set.iter().find(|(key, _)| unset.contains(key)) {
            let why = format!("--set {key} and --unset {key} contradict each other");
            return Err(CommandError::Usage(why));
        }
        let read = self.get(name)?;
        let before = shown(&read.body);
        let mut body = before.clone();
        let mut edited_file = None;
        if members.is_empty() && unset.is_empty() {
            if read.body["declared"] == true {
                let why = format!("the configuration file declares {name}: change it there");
                return Err(CommandError::Usage(why));
            }
            let resume = |file: &str| self.resume(name, file);
            match editor::edit(&body, environment, &resume)? {
                Some(edited) => (body, edited_file) = (edited.members, Some(edited.file)),
                None => body.clone_from(&before),
            }
        } else {
            if let Some(key) = unset.iter().find(|key| !before.contains_key(*key)) {
                let known = did_you_mean(key, before.keys().map(String::as_str));
                let why = format!("--unset {key}: {name} has no such member{known}");
                return Err(CommandError::Usage(why));
            }
            body.extend(members.read()?);
            body.retain(|key, _| !unset.contains(key));
        }
        let key = self.kind.name_key();
        let done = match body.get(key).and_then(Json::as_str) {
            Some(same) if same == name => match body == before {
                true => {
                    self.say(&json!({ "changed": false }), "Nothing was changed.\n");
                    return Ok(());
                }
                false => self.change(Method::PUT, name, Some(body.into()), read.etag),
            },
            _ => Err(AdminError::Refused(format!(
                "{key} stays {name:?}: to have another one, add a new {} and delete this one",
                self.kind.word()
            ))),
        };
        let changed = done.map_err(|error| match edited_file {
            // What was typed is not lost.
            Some(file) => match editor::keep(file) {
                Ok(file) => AdminError::Refused(format!("{error}\n{}", self.resume(name, &file))),
                Err(_) => error,
            },
            None => error,
        })?;
        let text = format!("Changed the {} {name}.\n", self.kind.word());
        self.say(&changed.body, &text);
        Ok(())
    }

    /// How an edit goes on that was refused.
    fn resume(&self, name: &str, file: &str) -> String {
        format!(
            "What you wrote is kept. Correct it and run: grantor {} edit {name} --file {file}",
            self.kind.command()
        )
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
                let made = self.call(Method::POST, path, Some(body.into()), None);
                let made = made.map_err(|error| self.no_such(error, name))?;
                let text = made.body["secret"].as_str().unwrap_or_default();
                self.say(&made.body, &format!("{text}\n"));
            }
            Secrets::List { .. } => {
                let listed = self.call(Method::GET, path, None, None);
                let listed = listed.map_err(|error| self.no_such(error, name))?;
                let items = listed.body["items"].as_array().cloned().unwrap_or_default();
                let rows = items.iter().map(|item| {
                    let text = |key: &str| item[key].as_str().unwrap_or("-").to_owned();
                    [
                        text("id"),
                        text("created"),
                        text("expires_at"),
                        text("last_used"),
                    ]
                });
                let columns = ["ID", "CREATED", "EXPIRES", "LAST USED"];
                self.say(&listed.body, &table(columns, rows));
            }
            Secrets::Delete { id, .. } => {
                self.get(name)?;
                let deleted = self.call(Method::DELETE, path_of(&path, id), None, None);
                deleted.map_err(|error| match error {
                    AdminError::NotFound => {
                        AdminError::Refused(format!("The client {name} has no secret {id:?}."))
                    }
                    other => other,
                })?;
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
        let read = self.call(Method::GET, path_of(&self.path(), name), None, None);
        read.map_err(|error| self.no_such(error, name))
    }

    /// Says what there is not.
    fn no_such(&self, error: AdminError, name: &str) -> AdminError {
        match error {
            AdminError::NotFound => {
                AdminError::Refused(format!("There is no {} {name:?}.", self.kind.word()))
            }
            other => other,
        }
    }

    fn change(
        &self,
        method: Method,
        name: &str,
        body: Option<Json>,
        if_match: Option<String>,
    ) -> Result<ApiReply, AdminError> {
        let done = self.call(method, path_of(&self.path(), name), body, if_match);
        done.map_err(|error| self.no_such(error, name))
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

//! `grantor session` and `grantor grant`: where a user is signed in, and what the user gave to apps and devices.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use grantor_config::{Environment, Settings};
use grantor_server::admin::api::{EndGrant, EndSession, ListPage, ListedPage, ShowUser};
use serde_json::Value as Json;

use super::administer::{Common, administer, print};
use super::table::table;
use crate::exit;
use grantor_server::admin::client::{AdminError, ask};

#[derive(Debug, Args)]
pub struct SessionArguments {
    #[command(subcommand)]
    what: Sessions,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Subcommand)]
enum Sessions {
    /// List the browsers in which a user is signed in
    #[command(after_help = "Example: grantor session list alice")]
    List {
        /// Username or sub
        name: String,
    },
    /// Sign a user out of one browser
    #[command(after_help = "Example: grantor session end alice 0123456789abcdef0123456789abcdef")]
    End {
        /// Username or sub
        name: String,
        /// The id in the list
        id: String,
    },
}

#[derive(Debug, Args)]
pub struct GrantArguments {
    #[command(subcommand)]
    what: Grants,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Subcommand)]
enum Grants {
    /// List what a user gave to apps and devices
    #[command(after_help = "Example: grantor grant list alice")]
    List {
        /// Username or sub
        name: String,
    },
    /// Take back what a user gave to an app or a device
    #[command(after_help = "Example: grantor grant revoke alice 0123456789abcdef0123456789abcdef")]
    Revoke {
        /// Username or sub
        name: String,
        /// The id in the list
        id: String,
    },
}

pub fn sessions(arguments: &SessionArguments, environment: &Environment) -> ExitCode {
    let common = &arguments.common;
    let settings = match common.settings(environment) {
        Ok(settings) => settings,
        Err(code) => return code,
    };
    match &arguments.what {
        Sessions::List { name } => {
            let columns = [
                ("ID", "/id"),
                ("USED", "/used"),
                ("SIGNED IN", "/signed_in"),
                ("ADDRESS", "/started/address"),
                ("BROWSER", "/started/agent"),
            ];
            list(common, &settings, name, "sessions", columns)
        }
        Sessions::End { name, id } => end(common, &settings, name, "Signed out", |user| {
            let id = id.clone();
            let request = EndSession { user, id };
            administer(common, &settings, &request, |_| None)
        }),
    }
}

pub fn grants(arguments: &GrantArguments, environment: &Environment) -> ExitCode {
    let common = &arguments.common;
    let settings = match common.settings(environment) {
        Ok(settings) => settings,
        Err(code) => return code,
    };
    match &arguments.what {
        Grants::List { name } => {
            let columns = [
                ("ID", "/id"),
                ("USED", "/used"),
                ("CLIENT", "/client_id"),
                ("SCOPE", "/scope"),
                ("ADDRESS", "/started/address"),
            ];
            list(common, &settings, name, "grants", columns)
        }
        Grants::Revoke { name, id } => end(common, &settings, name, "Revoked", |user| {
            let id = id.clone();
            let request = EndGrant { user, id };
            administer(common, &settings, &request, |_| None)
        }),
    }
}

/// The `sub` of a user of this name or `sub`.
fn user_id(common: &Common, settings: &Settings, name: &str) -> Result<String, AdminError> {
    let request = ShowUser {
        username: name.to_owned(),
    };
    let mut id = None;
    ask(settings, &common.config, &request, |line| {
        id = line.answer.map(|user| user.id);
    })?;
    id.ok_or_else(|| AdminError::Refused(format!("There is no user {name:?}.")))
}

/// `columns`: headings, and pointers into an item.
fn list<const N: usize>(
    common: &Common,
    settings: &Settings,
    name: &str,
    kind: &'static str,
    columns: [(&str, &str); N],
) -> ExitCode {
    let listed = user_id(common, settings, name)
        .and_then(|user| all_pages(common, settings, &format!("/users/{user}/{kind}")));
    let items: Vec<Json> = match listed {
        Ok(items) => items,
        Err(error) => return exit::failure(&error),
    };
    let text = match common.json {
        true => format!("{}\n", serde_json::json!({ "items": items })),
        false => {
            let row = |item: &Json| {
                columns.map(|(_, pointer)| {
                    let value = item.pointer(pointer).and_then(Json::as_str);
                    value.unwrap_or("-").to_owned()
                })
            };
            table(columns.map(|(heading, _)| heading), items.iter().map(row))
        }
    };
    print(&text);
    ExitCode::SUCCESS
}

/// A list of the API, page by page, so that each answer is bounded.
pub(super) fn all_pages(
    common: &Common,
    settings: &Settings,
    path: &str,
) -> Result<Vec<Json>, AdminError> {
    let (mut items, mut after) = (Vec::new(), None);
    loop {
        let path = path.to_owned();
        let mut page: Option<ListedPage> = None;
        ask(
            settings,
            &common.config,
            &ListPage { path, after },
            |line| {
                page = line.answer;
            },
        )?;
        let Some(page) = page else { return Ok(items) };
        items.extend(page.items);
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(items),
        }
    }
}

fn end(
    common: &Common,
    settings: &Settings,
    name: &str,
    done: &str,
    run: impl FnOnce(String) -> ExitCode,
) -> ExitCode {
    let user = match user_id(common, settings, name) {
        Ok(user) => user,
        Err(error) => return exit::failure(&error),
    };
    let code = run(user);
    if code == ExitCode::SUCCESS {
        print(&match common.json {
            true => format!("{}\n", serde_json::json!({ "done": true })),
            false => format!("{done}: {name}.\n"),
        });
    }
    code
}

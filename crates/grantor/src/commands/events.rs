//! `grantor events`: what happened, newest first.

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::Args;
use grantor_config::{Environment, Settings};
use grantor_core::engine::explain::{RecordedEvent, explain};
use grantor_core::model::ids::UserId;
use grantor_server::admin::api::{ListEvents, ListedPage, ShowUser};
use serde_json::Value as Json;

use super::administer::Common;
use super::moment::past;
use crate::exit;
use grantor_server::admin::client::{AdminError, ask};

const MAX_PAGE: usize = 1000;

#[derive(Debug, Args)]
pub struct Arguments {
    /// Only of this user, by name or sub
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// Only of this client
    #[arg(long, value_name = "ID")]
    client: Option<String>,
    /// Only of this kind, such as refused or signed_in
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,
    /// Only what was done, refused or failed
    #[arg(long, value_name = "OUTCOME")]
    outcome: Option<String>,
    /// Only of this trace
    #[arg(long, value_name = "TRACE_ID", value_parser = trace_id)]
    trace: Option<String>,
    /// From this time on: RFC 3339, or how long ago, such as 30m, 1h or 7d
    #[arg(long, value_name = "TIME", value_parser = past)]
    since: Option<String>,
    /// Before this time, likewise
    #[arg(long, value_name = "TIME", value_parser = past)]
    until: Option<String>,
    /// How many at most
    #[arg(long, value_name = "COUNT", default_value_t = 100, value_parser = count)]
    limit: usize,
    #[command(flatten)]
    common: Common,
}

pub fn run(arguments: &Arguments, environment: &Environment) -> ExitCode {
    let settings = match arguments.common.settings(environment) {
        Ok(settings) => settings,
        Err(code) => return code,
    };
    match list(arguments, &settings) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => exit::failure(&error),
    }
}

/// Page by page: one that found nothing may have another after it.
fn list(arguments: &Arguments, settings: &Settings) -> Result<(), AdminError> {
    let file = &arguments.common.config;
    let user = match &arguments.user {
        Some(name) => Some(user_id(arguments, settings, name)?),
        None => None,
    };
    let filter = [
        ("user", &user),
        ("client", &arguments.client),
        ("kind", &arguments.kind),
        ("outcome", &arguments.outcome),
        ("trace_id", &arguments.trace),
        ("since", &arguments.since),
        ("until", &arguments.until),
    ];
    let filter = filter
        .into_iter()
        .filter_map(|(name, value)| Some((name, value.clone()?)));
    let mut request = ListEvents {
        filter: filter.collect(),
        ..ListEvents::default()
    };
    let mut left = arguments.limit;
    let mut found = false;
    while left > 0 {
        request.limit = left.min(MAX_PAGE);
        let mut page = None;
        ask(settings, file, &request, |line| page = line.answer)?;
        let Some(ListedPage { items, next }) = page else {
            break;
        };
        left = left.saturating_sub(items.len());
        found |= !items.is_empty();
        for event in items {
            let text = match arguments.common.json {
                true => event.to_string(),
                false => line(event),
            };
            exit::print(&format_args!("{text}\n"));
        }
        if next.is_none() {
            break;
        }
        request.after = next;
    }
    if !found {
        // Not on standard output, which others read.
        io::stderr().write_all(b"grantor: no events match\n").ok();
    }
    Ok(())
}

/// The `sub` of a user, who may be deleted.
fn user_id(arguments: &Arguments, settings: &Settings, name: &str) -> Result<String, AdminError> {
    if name.parse::<UserId>().is_ok() {
        return Ok(name.to_owned());
    }
    let mut id = None;
    let request = ShowUser {
        username: name.to_owned(),
    };
    let file = &arguments.common.config;
    ask(settings, file, &request, |line| {
        id = line.answer.map(|user| user.id);
    })?;
    Ok(id.unwrap_or_else(|| name.to_owned()))
}

fn line(event: Json) -> String {
    let member = |name: &str| {
        event
            .get(name)
            .and_then(Json::as_str)
            .map(ToOwned::to_owned)
    };
    let (trace, network) = (member("trace_id"), member("network"));
    let count = event.get("count").and_then(Json::as_u64);
    let (at, kind) = (member("at"), member("kind"));
    let mut text = format!("{}  {}", at.unwrap_or_default(), kind.unwrap_or_default());
    if let Some(count) = count {
        text += &format!("  {count} more");
        return match network {
            Some(network) => format!("{text} from {network}"),
            None => text,
        };
    }
    for (label, name) in [("", "object"), ("by ", "by")] {
        if let Some(value) = member(name) {
            text += &format!("  {label}{value}");
        }
    }
    if let Ok(recorded) = serde_json::from_value::<RecordedEvent>(event) {
        for event in explain(&[recorded]) {
            text += &format!("  {}", event.what);
            if let Some(why) = event.why {
                text += &format!(" {why}");
            }
        }
    }
    if let Some(trace) = trace {
        text += &format!("  [{trace}]");
    }
    text
}

pub(super) fn trace_id(text: &str) -> Result<String, String> {
    let id = text.trim().to_ascii_lowercase();
    match id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit()) {
        true => Ok(id),
        false => Err("a trace id has 32 hexadecimal digits".to_owned()),
    }
}

fn count(text: &str) -> Result<usize, String> {
    let count = text.parse().ok().filter(|count| *count > 0);
    count.ok_or_else(|| "it is a number, 1 or more".to_owned())
}

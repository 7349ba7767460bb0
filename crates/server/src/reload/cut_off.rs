//! A file that seems to be cut off: its end is missing, so things vanished from it, and what it ends in has changed.

use grantor_config::Settings;

use crate::admin::api::{Change, Reloaded};

/// The kind and the name of the last table of the text.
pub(super) fn last_table(text: &[u8], file: &Settings) -> Option<(String, String)> {
    let text = std::str::from_utf8(text).ok()?;
    let mut tables = text.lines().rev().filter_map(header);
    let known = |kind: &String| {
        let kind = kind.as_str();
        Settings::NAMED_TABLES.contains(&kind)
            || Settings::TAKEN_BY_RELOAD.contains(&kind)
            || ["tls", "test"].contains(&kind)
    };
    // A line of a list may begin with a bracket as well. [client.x] belongs to the [[client]] before it.
    let kind = tables.find(known)?;
    let name = match &*kind {
        "resource" => file.resources.last()?.identifier.to_string(),
        "client" => file.clients.last()?.id.to_string(),
        "exchange" => file.exchange_names().pop()?,
        "trusted_issuer" => file.trusted_issuers.last()?.issuer.to_string(),
        "user" => file.users.last()?.username.to_string(),
        _ => return Some(("setting".to_owned(), kind)),
    };
    Some((kind, name))
}

/// The first name of a table's header.
fn header(line: &str) -> Option<String> {
    let names = line.trim_start().strip_prefix('[')?;
    let names = names.trim_start_matches('[').trim_start();
    let name = names.split([']', '.', ' ', '\t']).next()?;
    Some(name.trim_matches(['"', '\'']).to_owned())
}

/// Whether the file may be taken. `keeps_others` tells whether others are kept than before.
///
/// # Errors
/// Why it seems cut off.
pub(super) fn check(
    text: &[u8],
    last_table: Option<(String, String)>,
    changes: &Reloaded,
    keeps_others: bool,
    prune: bool,
) -> Result<(), String> {
    let any = |of: &dyn Fn(&Change) -> bool| changes.changes.iter().any(of);
    let vanished = keeps_others || any(&|change| !change.removed.is_empty());
    let changed = any(&|change| !change.changed.is_empty());
    if (vanished || changed) && !text.ends_with(b"\n") {
        return Err(": it ends without a line break".to_owned());
    }
    let Some((kind, name)) = last_table else {
        return Ok(());
    };
    let is_last = |it: &String| {
        let setting = || it.split('.').next() == Some(&*name);
        *it == name || (kind == "setting" && setting())
    };
    let last_changed = any(&|it| it.kind == kind && it.changed.iter().any(is_last));
    if !prune && vanished && last_changed {
        return Err(format!(
            " in its last table: {kind} {name}; if it is meant, reload with --prune"
        ));
    }
    Ok(())
}

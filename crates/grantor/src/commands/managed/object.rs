//! Managed objects, between the JSON of the API and the TOML of the file.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value as Json};

use crate::commands::table::table;

/// A kind of objects, as its command calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Client,
    Organization,
    Resource,
    Scope,
    Rule,
}

impl Kind {
    pub(super) const fn path(self) -> &'static str {
        match self {
            Self::Client => "/clients",
            Self::Organization => "/organizations",
            Self::Resource => "/resources",
            Self::Scope => "/scopes",
            Self::Rule => "/exchange-rules",
        }
    }

    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Organization => "organization",
            Self::Resource => "resource",
            Self::Scope => "scope",
            Self::Rule => "exchange rule",
        }
    }

    /// The member that names one.
    pub(super) const fn name_key(self) -> &'static str {
        match self {
            Self::Client | Self::Organization => "id",
            Self::Resource => "identifier",
            Self::Scope | Self::Rule => "name",
        }
    }

    /// Its command.
    pub(super) const fn command(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Organization => "org",
            Self::Resource => "resource",
            Self::Scope => "scope",
            Self::Rule => "rule",
        }
    }

    /// A list: the name, whether it is of the file or disabled, and what tells most about it.
    pub(super) fn table(self, items: &[Json]) -> String {
        let rows = items.iter().map(|item| {
            let text = |key: &str| item[key].as_str().unwrap_or("-").to_owned();
            let tells = match self {
                Self::Client | Self::Organization => text("name"),
                Self::Resource => text("uri"),
                Self::Scope => text("text"),
                Self::Rule => format!("{} -> {}", text("client"), text("audience")),
            };
            let state = match item["enabled"] == false {
                true => "disabled",
                false => "enabled",
            };
            let from = match item["declared"] == true {
                true => "file",
                false => "managed",
            };
            [
                text(self.name_key()),
                state.to_owned(),
                from.to_owned(),
                tells,
            ]
        });
        let tells = match self {
            Self::Client | Self::Organization => "NAME",
            Self::Resource => "URI",
            Self::Scope => "TEXT",
            Self::Rule => "CLIENT -> AUDIENCE",
        };
        let name = match self.name_key() {
            "id" => "ID",
            "identifier" => "IDENTIFIER",
            _ => "NAME",
        };
        table([name, "STATE", "FROM", tells], rows)
    }
}

/// Members that the API adds and that are not written.
pub(super) fn read_only(key: &str) -> bool {
    const ADDED: [&str; 7] = [
        "declared",
        "owner",
        "created",
        "changed",
        "effective_at",
        "secret",
        "secret_id",
    ];
    ADDED.contains(&key)
}

/// What may be written of an object.
pub(super) fn shown(object: &Json) -> Map<String, Json> {
    let members = object.as_object().into_iter().flatten();
    let written = members.filter(|(key, _)| !read_only(key));
    written
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

/// What the API adds, as comments: where the object comes from, whose it is, and who changed it last.
pub(super) fn remarks(object: &Json) -> String {
    let mut text = String::new();
    if object["declared"] == true {
        text.push_str("# of the configuration file\n");
    }
    if let Some(owner) = object["owner"].as_str() {
        text += &format!("# owner: {owner}\n");
    }
    for line in ["created", "changed"] {
        let of = |member: &str| object[line][member].as_str();
        if let (Some(at), Some(by)) = (of("at"), of("by")) {
            text += &format!("# {line}: {at} by {by}\n");
        }
    }
    text
}

/// As the table of the configuration file has it.
pub(super) fn toml_of(members: &Map<String, Json>) -> String {
    toml::to_string(members).unwrap_or_default()
}

/// The members of a table.
///
/// # Errors
/// What is wrong, and where.
pub(super) fn members(text: &str) -> Result<Map<String, Json>, String> {
    toml::from_str(text).map_err(|error| error.to_string())
}

/// `KEY=VALUE`: the value as in the configuration file; what is none there is a text.
pub(super) fn assignment(text: &str) -> Result<(String, Json), String> {
    let (key, value) = text.split_once('=').ok_or("is not KEY=VALUE")?;
    let key = key.trim();
    if key.is_empty() {
        return Err("has no key".to_owned());
    }
    let read = members(&format!("value = {value}\n"));
    let value = match read.ok().filter(|read| read.len() == 1) {
        Some(mut read) => read.remove("value").unwrap_or_default(),
        None => value.into(),
    };
    Ok((key.to_owned(), value))
}

/// The path of one of these.
pub(in crate::commands) fn path_of(all: &str, name: &str) -> String {
    const UNRESERVED: AsciiSet = NON_ALPHANUMERIC
        .remove(b'-')
        .remove(b'.')
        .remove(b'_')
        .remove(b'~');
    format!("{all}/{}", utf8_percent_encode(name, &UNRESERVED))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_value_is_read_as_in_the_file_and_else_is_a_text() {
        for (text, value) in [
            ("enabled=true", json!(true)),
            ("grants=[\"device_code\"]", json!(["device_code"])),
            ("scopes={ read = \"Read\" }", json!({ "read": "Read" })),
            ("name=The TV", json!("The TV")),
            ("name=\"The TV\"", json!("The TV")),
            ("access_lifetime=5m", json!("5m")),
            ("name=a=b", json!("a=b")),
            ("name=1\nid = 2", json!("1\nid = 2")),
        ] {
            let (key, read) = assignment(text).unwrap();
            assert_eq!(read, value, "{text}");
            assert!(text.starts_with(&key));
        }
        assert!(assignment("name").is_err() && assignment("=x").is_err());
    }

    #[test]
    fn a_name_is_one_segment_of_the_path() {
        assert_eq!(path_of("/scopes", "a/b ?"), "/scopes/a%2Fb%20%3F");
        assert_eq!(
            path_of("/clients", "client-1.2_3~"),
            "/clients/client-1.2_3~"
        );
    }
}

//! What is managed while the server runs: JSON objects with the members of the file's tables, read and checked as those
//! are.

use std::collections::BTreeMap;
use std::path::Path;

use grantor_core::model::checks::{Given, Pointer, PointerStep, Problem};
use grantor_core::model::config_document::PartKind;
use grantor_core::model::ids::ClientId;
use serde_json::{Map, Value as Json};
use toml::de::{DeTable, DeValue};

use super::check::hint;
use super::environment::Environment;
use super::place::Place;
use super::read::{Context, Reader, Written};
use super::settings::{Client, Exchange, PlainScope, Resource, Settings};
use super::table::Table;

/// The members of `[[client]]` that are not written: a managed client's secrets are drawn by the server. Those that name
/// variables and files would show what is on the server's machine.
pub const CLIENT_SECRETS: [&str; 5] = [
    "secret",
    "secret_env",
    "secrets_env",
    "secret_file",
    "secret_sha256",
];

/// Stands for the secrets of a client that has some.
const SOME_SECRET: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// A resource, scope or rule, as it was written.
#[derive(Clone, Copy, Debug)]
pub struct Part<'a> {
    pub kind: PartKind,
    pub name: &'a str,
    pub written: &'a Map<String, Json>,
}

/// A problem of a part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartProblem {
    pub kind: PartKind,
    pub name: String,
    pub problem: Problem,
}

/// The settings of the file with managed parts behind its own.
#[derive(Debug)]
pub struct WithParts {
    pub settings: Settings,
    /// Of parts that were left out, and of those that do not go together with the rest.
    pub problems: Vec<PartProblem>,
}

impl Settings {
    /// The settings with these parts. Of one that the file declares too, the file's counts.
    #[must_use]
    pub fn with_parts<'a>(
        &self,
        parts: impl IntoIterator<Item = Part<'a>>,
        is_managed_client: &dyn Fn(&str) -> bool,
    ) -> WithParts {
        let mut settings = self.clone();
        let (mut problems, mut given) = (Vec::new(), BTreeMap::new());
        let mut rows: Vec<(&'static str, usize, PartKind, &str)> = Vec::new();
        for part in parts {
            if self.declares(part.kind, part.name) {
                continue;
            }
            match settings.push(part) {
                Ok((row, keys)) => {
                    let table = part.kind.table();
                    rows.push((table, row, part.kind, part.name));
                    given.insert((table, row), keys);
                }
                Err(found) => problems.extend(found.into_iter().map(|problem| PartProblem {
                    kind: part.kind,
                    name: part.name.to_owned(),
                    problem,
                })),
            }
        }
        for problem in settings.problems_among(&given, is_managed_client) {
            let of_row = |(table, row, ..): &&(&'static str, usize, PartKind, &str)| {
                matches!(problem.pointer.steps(), [PointerStep::Key(key), PointerStep::Index(index), ..]
                    if key == table && index == row)
            };
            let (kind, name, problem) = match rows.iter().find(of_row) {
                Some((.., kind, name)) => (*kind, *name, below(problem, 2)),
                // Of what the file declares, together with one of the parts.
                None => match rows.last() {
                    Some((.., kind, name)) => (*kind, *name, elsewhere(problem)),
                    None => continue,
                },
            };
            problems.push(PartProblem {
                kind,
                name: name.to_owned(),
                problem,
            });
        }
        WithParts { settings, problems }
    }

    /// Whether the file declares a part of this name.
    #[must_use]
    pub fn declares(&self, kind: PartKind, name: &str) -> bool {
        self.declared_part(kind, name).is_some()
    }

    /// What the file says of a part, as JSON.
    #[must_use]
    pub fn declared_part(&self, kind: PartKind, name: &str) -> Option<&Map<String, Json>> {
        match kind {
            PartKind::Resource => {
                let found = self.resources.iter().find(|it| *it.identifier == *name);
                found.map(|it| &it.written.0)
            }
            PartKind::ExchangeRule => {
                let names = self.exchange_names().into_iter();
                let found = names.zip(&self.exchanges).find(|(it, _)| it == name);
                found.map(|(_, it)| &it.written.0)
            }
            PartKind::Scope => {
                let found = self.scopes.iter().find(|it| *it.name == *name);
                found.map(|it| &it.written.0)
            }
        }
    }

    /// The names of the parts that the file declares.
    #[must_use]
    pub fn declared_parts(&self, kind: PartKind) -> Vec<String> {
        match kind {
            PartKind::Resource => {
                let resources = self.resources.iter();
                resources.map(|it| it.identifier.to_string()).collect()
            }
            PartKind::ExchangeRule => self.exchange_names(),
            PartKind::Scope => self.scopes.iter().map(|it| it.name.to_string()).collect(),
        }
    }

    /// What the file says of a client, as JSON without secrets.
    #[must_use]
    pub fn declared_client(&self, id: &str) -> Option<&Map<String, Json>> {
        self.client(id).map(|client| &client.written.0)
    }

    fn push(&mut self, part: Part<'_>) -> Result<(usize, Given), Vec<Problem>> {
        let named = (part.kind.name_key(), part.name);
        Ok(match part.kind {
            PartKind::Resource => {
                let (resource, keys) = read::<Resource>("resource", Some(named), part.written)?;
                self.resources.push(resource);
                (self.resources.len() - 1, keys)
            }
            PartKind::ExchangeRule => {
                let (rule, keys) = read::<Exchange>("exchange", Some(named), part.written)?;
                self.exchanges.push(rule);
                (self.exchanges.len() - 1, keys)
            }
            PartKind::Scope => {
                let (scope, keys) = read::<PlainScope>("scope", Some(named), part.written)?;
                self.scopes.push(scope);
                (self.scopes.len() - 1, keys)
            }
        })
    }

    /// The client of these members, checked as one of the file.
    ///
    /// # Errors
    /// What is wrong, at pointers in the object.
    pub fn managed_client(
        &self,
        id: &ClientId,
        written: &Map<String, Json>,
        confidential: bool,
        is_managed_client: &dyn Fn(&str) -> bool,
    ) -> Result<Client, Vec<Problem>> {
        let (client, given) = read_client(id, written, confidential)?;
        let problems = self.problems_of_client(&client, given, is_managed_client);
        match problems.is_empty() {
            true => Ok(client),
            false => Err(problems.into_iter().map(hinted).collect()),
        }
    }

    /// The client of a row, which was checked when it was written. What the realm no longer has is left out.
    #[must_use]
    pub fn stored_client(
        &self,
        id: &ClientId,
        written: &Map<String, Json>,
        confidential: bool,
    ) -> Option<Client> {
        let (mut client, _) = read_client(id, written, confidential).ok()?;
        client
            .resources
            .retain(|name| self.resource(name).is_some());
        Some(client)
    }
}

fn read_client(
    id: &ClientId,
    written: &Map<String, Json>,
    confidential: bool,
) -> Result<(Client, Given), Vec<Problem>> {
    let refused = CLIENT_SECRETS
        .iter()
        .filter(|key| written.contains_key(**key));
    let refused: Vec<_> = refused
        .map(|key| Problem {
            pointer: Pointer::default().key(key),
            message: "the server draws the secrets of such a client: ask for one at its secrets"
                .to_owned(),
            unknown: None,
        })
        .collect();
    if !refused.is_empty() {
        return Err(refused);
    }
    let mut written = written.clone();
    if confidential {
        written.insert("secret_sha256".to_owned(), SOME_SECRET.into());
    }
    read::<Client>("client", Some(("id", id.as_str())), &written)
}

/// Reads an object as the file's table, with its name, which is not among what is written.
fn read<T: Table>(
    table: &str,
    name: Option<(&str, &str)>,
    written: &Map<String, Json>,
) -> Result<(T, Given), Vec<Problem>> {
    let mut object = written.clone();
    if let Some((key, name)) = name {
        object.insert(key.to_owned(), name.into());
    }
    let mut nulls = Vec::new();
    find_null(
        &Pointer::default(),
        &Json::Object(object.clone()),
        &mut nulls,
    );
    if !nulls.is_empty() {
        return Err(nulls);
    }
    let unreadable = || Problem {
        pointer: Pointer::default(),
        message: "holds a number that is too large".to_owned(),
        unknown: None,
    };
    let text = toml::to_string(&object).map_err(|_| vec![unreadable()])?;
    let root = DeTable::parse(&text).map_err(|_| vec![unreadable()])?;
    let environment = Environment::default();
    let mut reader = Reader::new(Context {
        folder: Path::new(""),
        environment: &environment,
    });
    let place = Place::root().key(table).row(0);
    let root = DeValue::Table(root.into_inner());
    let read: T = reader.table(&place, Written::Toml(&root));
    let given = reader.keys(&place);
    let problems = reader.problems_in(&place);
    match problems.is_empty() {
        true => Ok((read, given)),
        false => Err(problems),
    }
}

/// TOML has no null, and neither has what is written: a member is left out.
fn find_null(pointer: &Pointer, value: &Json, found: &mut Vec<Problem>) {
    match value {
        Json::Null => found.push(Problem {
            pointer: pointer.clone(),
            message: "null is no value: leave it out".to_owned(),
            unknown: None,
        }),
        Json::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                find_null(&pointer.clone().index(index), item, found);
            }
        }
        Json::Object(members) => {
            for (key, member) in members {
                find_null(&pointer.clone().key(key), member, found);
            }
        }
        _ => {}
    }
}

/// The problem as seen from the object, whose pointer has this many steps.
fn below(problem: Problem, depth: usize) -> Problem {
    let pointer = problem.pointer.from(depth);
    hinted(Problem { pointer, ..problem })
}

fn elsewhere(problem: Problem) -> Problem {
    let message = format!("{} {}", problem.pointer, problem.message);
    Problem {
        pointer: Pointer::default(),
        message,
        unknown: problem.unknown,
    }
}

/// With the name that was likely meant.
fn hinted(problem: Problem) -> Problem {
    let message = format!("{}{}", problem.message, hint(&problem));
    Problem { message, ..problem }
}

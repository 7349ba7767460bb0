//! Reads the parsed file and the environment, and collects the mistakes.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use grantor_core::model::checks::{Given, Problem};
use serde_json::{Map, Value as Json};
use toml::de::{DeTable, DeValue};

use super::Settings;
use super::environment::Environment;
use super::mistake::{Lines, Location, Mistakes, WrittenPlaces, did_you_mean};
use super::place::Place;
use super::table::{Schema, Shape, Table, Value};
use super::values::from_toml;

/// What a value may depend on in addition to its text.
#[derive(Clone, Copy)]
pub(super) struct Context<'a> {
    pub(super) folder: &'a Path,
    pub(super) environment: &'a Environment,
}

/// A value in the file or in a variable.
#[derive(Clone, Copy)]
pub(super) enum Written<'a> {
    Toml(&'a DeValue<'a>),
    /// The text of an environment variable.
    Variable(&'a str),
}

/// What a TOML value is, for a message.
pub(super) fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "a number",
        DeValue::Float(_) => "a decimal number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

enum Origin {
    File(Range<usize>),
    Variable(String),
}

/// Reads values, records where each came from, and collects what is wrong with them.
pub(super) struct Reader<'a> {
    context: Context<'a>,
    origins: BTreeMap<Place, Origin>,
    refusals: BTreeMap<Place, String>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(context: Context<'a>) -> Self {
        let origins = BTreeMap::from([(Place::root(), Origin::File(0..0))]);
        Self {
            context,
            origins,
            refusals: BTreeMap::new(),
        }
    }

    pub(super) fn context(&self) -> &Context<'a> {
        &self.context
    }

    /// Reads the whole file.
    pub(super) fn settings(&mut self, root: &DeTable<'_>) -> Settings {
        let settings = self.fields(&Place::root(), Some(root));
        self.refuse_misspelt_variables();
        settings
    }

    /// Reports what is wrong with the value at `place`. Only the first report of a place is kept, and none inside a place
    /// that has one: the others would be its consequences.
    pub(super) fn refuse(&mut self, place: &Place, why: impl AsRef<str>) {
        self.complain(place, format!("{place}: {}", why.as_ref()));
    }

    fn complain(&mut self, place: &Place, message: String) {
        let mut ancestors = std::iter::successors(Some(place.clone()), Place::parent);
        if !ancestors.any(|place| self.refusals.contains_key(&place)) {
            self.refusals.insert(place.clone(), message);
        }
    }

    /// Whether something was written at `place`, in the file or in a variable.
    pub(super) fn given(&self, place: &Place) -> bool {
        self.origins.contains_key(place)
    }

    /// The keys that were written in the table at `place`.
    pub(super) fn keys(&self, table: &Place) -> Given {
        let inside = self.origins.range(table..).map(|(place, _)| place);
        inside
            .take_while(|place| place.is_in(table))
            .filter_map(|place| place.key_in(table))
            .collect()
    }

    /// Remembers that the value at `place` stands at `span` of the file.
    pub(super) fn found(&mut self, place: &Place, span: Range<usize>) {
        self.origins.insert(place.clone(), Origin::File(span));
    }

    /// What is wrong in the table at `place`, at pointers in it.
    pub(super) fn problems_in(&self, place: &Place) -> Vec<Problem> {
        let refusals = self.refusals.iter();
        let problems = refusals.map(|(at, message)| {
            // The pointer says where it is.
            let said = format!("{at}: ");
            Problem {
                pointer: at.pointer_in(place),
                message: message.strip_prefix(&said).unwrap_or(message).to_owned(),
                unknown: None,
            }
        });
        problems.collect()
    }

    /// Where each setting is written, or what is wrong.
    pub(super) fn finish(self, lines: &Lines<'_>) -> Result<WrittenPlaces, Mistakes> {
        let origins = &self.origins;
        if self.refusals.is_empty() {
            let locate = |(place, origin): (&Place, &Origin)| {
                // Those of tables in lists are named by what they are, and may be many.
                let location = place.variable().map(|_| match origin {
                    Origin::File(span) => lines.location(span.start),
                    Origin::Variable(name) => Location::Variable(name.clone()),
                });
                Some((place.clone(), location?))
            };
            let places = origins.iter().filter_map(locate).collect();
            return Ok(lines.places(places));
        }
        let locate = |(place, message): (Place, String)| {
            let mut ancestors = std::iter::successors(Some(place), Place::parent);
            match ancestors.find_map(|place| origins.get(&place)) {
                Some(Origin::File(span)) => lines.at(span.start, message),
                Some(Origin::Variable(name)) => lines.of_variable(name, message),
                None => lines.at(0, message),
            }
        };
        Err(self.refusals.into_iter().map(locate).collect())
    }

    /// The value that is written at `place`; where there is none, why is reported.
    pub(super) fn read<T: Value>(&mut self, place: &Place, written: Written<'_>) -> Option<T> {
        let read = T::read(self, place, written);
        read.map_err(|why| self.refuse(place, why)).ok()
    }

    pub(super) fn table<T: Table>(&mut self, place: &Place, written: Written<'_>) -> T {
        let table = match written {
            Written::Toml(DeValue::Table(table)) => Some(table),
            Written::Toml(other) => {
                self.refuse(place, format!("expected a table, found {}", kind(other)));
                None
            }
            // Tables have no variable of their own, only their keys have.
            Written::Variable(_) => None,
        };
        self.fields(place, table)
    }

    /// Reads a table that is not written: its defaults, and what variables say.
    pub(super) fn empty_table<T: Table>(&mut self, place: &Place) -> T {
        self.fields(place, None)
    }

    pub(super) fn stand_in_table<T: Table>() -> T {
        let environment = Environment::default();
        let mut reader = Reader::new(Context {
            folder: Path::new(""),
            environment: &environment,
        });
        reader.empty_table(&Place::root())
    }

    /// Whether a variable sets a key of the table at `place`.
    pub(super) fn has_variables(&self, place: &Place, schema: &Schema) -> bool {
        schema.settings.iter().any(|setting| {
            let variable = place.key(setting.key).variable();
            variable.is_some_and(|name| self.context.environment.value(&name).is_some())
        })
    }

    fn fields<T: Table>(&mut self, place: &Place, table: Option<&DeTable<'_>>) -> T {
        for key in table.into_iter().flat_map(DeTable::keys) {
            let name: &str = key.get_ref();
            if !T::SCHEMA.settings.iter().any(|setting| setting.key == name) {
                let place_of_key = place.key(name);
                self.found(&place_of_key, key.span());
                let hint = hint_for_key(name, T::SCHEMA);
                self.complain(
                    &place_of_key,
                    format!("unknown key {name:?}{}{hint}", place.inside()),
                );
            }
        }
        T::read_fields(&mut Fields {
            reader: self,
            place: place.clone(),
            table,
        })
    }

    /// A misspelt variable would silently leave the file's value in force. Only near misses are
    /// refused: others set `GRANTOR_…` too (Kubernetes does for a service of that name).
    fn refuse_misspelt_variables(&mut self) {
        const MISSPELT: usize = 2;
        let mut known = Vec::new();
        variables(&Place::root(), Settings::SCHEMA, &mut known);
        let names = self.context.environment.names();
        for name in names.filter(|name| name.starts_with("GRANTOR_")) {
            let nearest = known
                .iter()
                .map(|known| (strsim::osa_distance(name, known), known))
                .min_by_key(|(distance, _)| *distance);
            if let Some((1..=MISSPELT, known)) = nearest {
                let place = Place::root().key(name);
                self.origins
                    .insert(place.clone(), Origin::Variable(name.to_owned()));
                self.complain(&place, format!("unknown variable; did you mean {known:?}?"));
            }
        }
    }
}

/// The nearest key of the table, or the table that the key is really of: what follows a `[table]`
/// belongs to it, which is easily forgotten.
fn hint_for_key(name: &str, schema: &Schema) -> String {
    let has = |schema: &Schema| schema.settings.iter().any(|setting| setting.key == name);
    if has(Settings::SCHEMA) {
        return "; it is a key of the top level: write it before the first table".to_owned();
    }
    let near = did_you_mean(name, schema.settings.iter().map(|setting| setting.key));
    if !near.is_empty() {
        return near;
    }
    let others = Settings::SCHEMA.settings.iter();
    let mut titles = others.filter_map(|setting| match setting.shape {
        Shape::Table(table) if has(table) => Some(format!("[{}]", setting.key)),
        Shape::Tables(table) if has(table) => Some(format!("[[{}]]", setting.key)),
        _ => None,
    });
    let title = titles.next();
    title.map_or_else(String::new, |title| format!("; it is a key of {title}"))
}

/// The names of all variables that override a setting.
pub(super) fn variables(place: &Place, schema: &Schema, names: &mut Vec<String>) {
    for setting in schema.settings {
        let place = place.key(setting.key);
        match setting.shape {
            Shape::String | Shape::Bare => names.extend(place.variable()),
            Shape::Table(schema) => variables(&place, schema, names),
            Shape::List | Shape::Map | Shape::Tables(_) => {}
        }
    }
}

/// The fields of one table, while they are read.
pub(super) struct Fields<'r, 'a> {
    reader: &'r mut Reader<'a>,
    place: Place,
    table: Option<&'r DeTable<'r>>,
}

impl Fields<'_, '_> {
    /// What was written, as JSON, without these members.
    pub(super) fn json_without(&self, left_out: &[&str]) -> Map<String, Json> {
        let entries = self.table.into_iter().flat_map(DeTable::iter);
        let entries = entries.filter(|(key, _)| !left_out.contains(&&**key.get_ref()));
        entries
            .filter_map(|(key, value)| {
                Some((key.get_ref().to_string(), from_toml(value.get_ref()).ok()?))
            })
            .collect()
    }

    /// Reads one: the variable, else the file, else the default.
    pub(super) fn field<T: Value>(&mut self, key: &str, default: Option<&str>) -> T {
        let place = self.place.key(key);
        let environment = self.reader.context.environment;
        let variable = match T::SHAPE {
            Shape::String | Shape::Bare | Shape::List => place.variable(),
            Shape::Map | Shape::Table(_) | Shape::Tables(_) => None,
        };
        let variable = variable.and_then(|name| Some((environment.value(&name)?, name)));
        let value = if let Some((text, name)) = variable {
            self.reader
                .origins
                .insert(place.clone(), Origin::Variable(name));
            self.reader.read(&place, Written::Variable(text))
        } else if let Some(value) = self.table.and_then(|table| table.get(key)) {
            self.reader.found(&place, value.span());
            self.reader.read(&place, Written::Toml(value.get_ref()))
        } else if default.is_some() {
            None
        } else if let Some(value) = T::absent(self.reader, &place) {
            Some(value)
        } else {
            let inside = self.place.inside();
            self.reader
                .complain(&place, format!("missing key {key:?}{inside}"));
            None
        };
        value
            .or_else(|| T::parse(default?, self.reader.context()).ok())
            .unwrap_or_else(T::stand_in)
    }
}

//! What a newer version of this program wrote into a row stays there when this version writes the row.
//!
//! Serde drops the members that a type does not have, so a row that is decoded, changed and encoded again would lose
//! them. They are found by comparing what is stored with what this version would have written, which costs one decode
//! and one encode where nothing is unknown, and put into the new JSON where the same object still stands:
//!
//! - The record itself, and the objects in it, as long as they have the same place. Unknown members of a tagged object
//!   (`is`) end with its state; objects inside a state outlive it where they are taken over unchanged.
//! - Objects that are replaced as a whole ([`Record::REPLACED`]) keep them only while nothing else in them changes.
//! - Elements of an array are matched by `kid` or `id`, others by being equal.
//!
//! A member that this version knows is its own to write, and to leave out.
//!
//! Of numbers, only integers of 64 bits are kept to the last digit: records hold no others. A row that has expired counts as
//! none, so it is replaced and swept whoever wrote it.

use serde_json::{Map, Value};

use super::{Record, to_json};
use crate::base::error::Failure;
use crate::base::row::Row;

/// The level of this version as a writer. A version that writes what this one must not change has a higher one, and says
/// so in the rows in question.
pub const WRITER_LEVEL: u64 = 1;
/// The member that names the lowest level that may write or delete its row. No record has it as a member of its own.
pub const MIN_WRITER: &str = "min_writer";

/// The member that says which state an object is in.
const TAG: &str = "is";

/// The JSON of `record`, which replaces that of `row`.
///
/// # Errors
/// [`Failure::Newer`] where only a newer version may write the row; [`Failure::Corrupt`] where it holds no such record.
pub fn merged<T: Record>(record: &T, row: &Row) -> Result<Vec<u8>, Failure> {
    let corrupt = |_| Failure::Corrupt(format!("{:?}", row.key));
    let new = to_json(record)?;
    let old: T = serde_json::from_slice(&row.value).map_err(corrupt)?;
    if *to_json(&old)? == *row.value {
        return Ok(new);
    }
    let stored: Map<String, Value> = serde_json::from_slice(&row.value).map_err(corrupt)?;
    may_write(row, stored.get(MIN_WRITER))?;
    let (known, ours) = (object(&old)?, object(record)?);
    let mut merged = ours.clone();
    let mut merge = Merge::<T> {
        probed: Value::Object(stored.clone()),
        known: &known,
        replaced: T::REPLACED,
        marker: std::marker::PhantomData,
    };
    merge.object("", &stored, &known, &mut merged);
    if merged == ours {
        return Ok(new);
    }
    let merged = to_json(&merged)?;
    // What was added must mean nothing to this version.
    let again: T = serde_json::from_slice(&merged).map_err(corrupt)?;
    if to_json(&again)? == new {
        Ok(merged)
    } else {
        Err(Failure::Bug("an unknown member changes a record"))
    }
}

/// Whether this version may delete a row.
///
/// # Errors
/// [`Failure::Newer`] where only a newer one may.
pub(super) fn may_delete(row: &Row) -> Result<(), Failure> {
    let stored: Map<String, Value> = serde_json::from_slice(&row.value)
        .map_err(|_| Failure::Corrupt(format!("{:?}", row.key)))?;
    may_write(row, stored.get(MIN_WRITER))
}

/// A level in a form that this version does not know is a newer one.
fn may_write(row: &Row, min_writer: Option<&Value>) -> Result<(), Failure> {
    let level = min_writer.map_or(Some(0), Value::as_u64);
    match level {
        Some(level) if level <= WRITER_LEVEL => Ok(()),
        _ => Err(Failure::Newer(format!("{:?}", row.key))),
    }
}

fn object<T: Record>(record: &T) -> Result<Map<String, Value>, Failure> {
    match serde_json::to_value(record) {
        Ok(Value::Object(members)) => Ok(members),
        _ => Err(Failure::Bug("a record is no JSON object")),
    }
}

struct Merge<'k, T> {
    /// What is stored, to try other values in.
    probed: Value,
    /// What this version would have stored instead.
    known: &'k Map<String, Value>,
    replaced: &'static [&'static str],
    marker: std::marker::PhantomData<T>,
}

impl<T: Record> Merge<'_, T> {
    /// Adds the unknown members of an object of `stored`, which stands at the pointer `at`, to `new`.
    fn object(
        &mut self,
        at: &str,
        stored: &Map<String, Value>,
        known: &Map<String, Value>,
        new: &mut Map<String, Value>,
    ) {
        let same_state = known.get(TAG) == new.get(TAG);
        for (name, value) in stored {
            let at = format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
            match known.get(name) {
                Some(known) if known == value => {}
                Some(known) => {
                    let in_place = same_state && !self.replaced.contains(&at.as_str());
                    let new = new.get_mut(name);
                    if let Some(new) = new.filter(|new| in_place || *known == **new) {
                        self.value(&at, value, known, new);
                    }
                }
                None if !same_state => {}
                None if self.is_unknown(&at) => {
                    new.entry(name).or_insert_with(|| value.clone());
                }
                // Known, and left out for being empty: what this version does not know may still be in it.
                None => {
                    if let Value::Object(value) = value {
                        let mut inside = match new.get(name) {
                            Some(Value::Object(new)) => new.clone(),
                            _ => Map::new(),
                        };
                        self.object(&at, value, &Map::new(), &mut inside);
                        if !inside.is_empty() {
                            new.insert(name.clone(), inside.into());
                        }
                    }
                }
            }
        }
    }

    fn value(&mut self, at: &str, stored: &Value, known: &Value, new: &mut Value) {
        match (stored, known, new) {
            (Value::Object(stored), Value::Object(known), Value::Object(new)) => {
                self.object(at, stored, known, new);
            }
            (Value::Array(stored), Value::Array(known), Value::Array(new))
                if stored.len() == known.len() =>
            {
                for (n, (stored, element)) in stored.iter().zip(known).enumerate() {
                    if let Some(new) = only(known, element).and_then(|_| only_mut(new, element)) {
                        self.value(&format!("{at}/{n}"), stored, element, new);
                    }
                }
            }
            _ => {}
        }
    }

    /// Whether the member at `at`, which this version would not have written, is one that it does not know: then any other
    /// value changes nothing. One that it knows but leaves out, such as `"offline": false`, takes some values and refuses
    /// others.
    fn is_unknown(&mut self, at: &str) -> bool {
        let probes = [Value::from(7), serde_json::json!({ "seven": 7 })];
        probes.into_iter().all(|probe| {
            let Some(place) = self.probed.pointer_mut(at) else {
                return false;
            };
            let stored = std::mem::replace(place, probe);
            let read = T::deserialize(&self.probed);
            if let Some(place) = self.probed.pointer_mut(at) {
                *place = stored;
            }
            read.is_ok_and(|read| object(&read).is_ok_and(|read| read == *self.known))
        })
    }
}

/// By what an element of an array is known again.
fn identity(element: &Value) -> &Value {
    let id = element.get("kid").or_else(|| element.get("id"));
    id.filter(|id| id.is_string()).unwrap_or(element)
}

/// The one element that is known by the same as `like`.
fn only<'a>(elements: &'a [Value], like: &Value) -> Option<&'a Value> {
    let mut facts = elements.iter().filter(|it| identity(it) == identity(like));
    facts.next().filter(|_| facts.next().is_none())
}

fn only_mut<'a>(elements: &'a mut [Value], like: &Value) -> Option<&'a mut Value> {
    let mut facts = elements
        .iter_mut()
        .filter(|it| identity(it) == identity(like));
    let one = facts.next();
    one.filter(|_| facts.next().is_none())
}

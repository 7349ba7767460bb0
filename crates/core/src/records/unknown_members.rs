//! Keeps members that a newer version of this program wrote into a row when this version rewrites it.
//!
//! Serde drops unknown members, so decoding, changing and encoding a row would lose them. They are found by comparing
//! the stored JSON with what this version would have written, and added to the new JSON where the same object still
//! exists. Rows in which [`member_names`] finds nothing to keep are not decoded.
//!
//! - The record and its nested objects, matched by path. Unknown members of a tagged object (`is`) are dropped when its
//!   state changes; objects inside a state are kept if they are carried over unchanged.
//! - Objects that are replaced as a whole ([`Record::REPLACED`]) keep them only if nothing else in them changes.
//! - Array elements are matched by `kid` or `id`, others by equality.
//!
//! Members that this version knows are written or omitted as it decides.
//!
//! Of numbers, only 64-bit integers are kept exactly; records have no others. Expired rows count as absent, so they are
//! replaced and swept regardless of `min_writer`.

use serde_json::{Map, Value};

use super::{Record, member_names, to_json};
use crate::base::error::Failure;
use crate::base::row::Row;

/// This version's writer level. A version that writes rows which this one must not change has a higher level, and
/// records it in those rows.
pub const WRITER_LEVEL: u64 = 1;
/// The member with the lowest level that may write or delete the row. No record declares it.
pub const MIN_WRITER: &str = "min_writer";

/// The serde tag of state enums.
pub(super) const TAG: &str = "is";

/// The JSON of `record`, with the unknown members of `row`.
///
/// # Errors
/// [`Failure::Newer`] if only a newer version may write the row; [`Failure::Corrupt`] if it has no such record.
pub fn merged<T: Record>(record: &T, row: &Row) -> Result<Vec<u8>, Failure> {
    let corrupt = |_| Failure::Corrupt(format!("{:?}", row.key));
    let new = to_json(record)?;
    if member_names::none_missing(&row.value, &new) {
        return Ok(new);
    }
    let old: T = serde_json::from_slice(&row.value).map_err(corrupt)?;
    if *to_json(&old)? == *row.value {
        return Ok(new);
    }
    let stored: Map<String, Value> = serde_json::from_slice(&row.value).map_err(corrupt)?;
    check_may_write(row, stored.get(MIN_WRITER))?;
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
    // The added members must have no meaning to this version.
    let again: T = serde_json::from_slice(&merged).map_err(corrupt)?;
    if to_json(&again)? == new {
        Ok(merged)
    } else {
        Err(Failure::Bug("an unknown member changes a record"))
    }
}

/// # Errors
/// [`Failure::Newer`] if only a newer version may delete or replace the row.
pub(super) fn check_may_overwrite(row: &Row) -> Result<(), Failure> {
    let stored: Map<String, Value> = serde_json::from_slice(&row.value)
        .map_err(|_| Failure::Corrupt(format!("{:?}", row.key)))?;
    check_may_write(row, stored.get(MIN_WRITER))
}

/// A level of an unknown type counts as newer.
fn check_may_write(row: &Row, min_writer: Option<&Value>) -> Result<(), Failure> {
    let level = min_writer.map_or(Some(0), Value::as_u64);
    match level {
        Some(level) if level <= WRITER_LEVEL => Ok(()),
        _ => Err(Failure::Newer(format!("{:?}", row.key))),
    }
}

fn object<T: Record>(record: &T) -> Result<Map<String, Value>, Failure> {
    match serde_json::to_value(record) {
        Ok(Value::Object(members)) => Ok(members),
        _ => Err(Failure::Bug("a record is not a JSON object")),
    }
}

struct Merge<'k, T> {
    /// The stored JSON, for probing with other values.
    probed: Value,
    /// What this version would have stored.
    known: &'k Map<String, Value>,
    replaced: &'static [&'static str],
    marker: std::marker::PhantomData<T>,
}

impl<T: Record> Merge<'_, T> {
    /// Adds the unknown members of the object `stored`, at JSON pointer `at`, to `new`.
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
                // Known, but omitted for being empty: it may still contain unknown members.
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
                    if let (Some(_), Some(place)) = (only(known, element), only(new, element)) {
                        self.value(&format!("{at}/{n}"), stored, element, &mut new[place]);
                    }
                }
            }
            _ => {}
        }
    }

    /// Whether the member at `at`, which this version would not have written, is unknown: then any value decodes to the
    /// same record. A known member that is omitted by default, such as `"offline": false`, rejects some values.
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

/// What identifies an array element.
fn identity(element: &Value) -> &Value {
    let id = element.get("kid").or_else(|| element.get("id"));
    id.filter(|id| id.is_string()).unwrap_or(element)
}

/// The place of the only element with the same identity as `like`.
fn only(elements: &[Value], like: &Value) -> Option<usize> {
    let is_like = |element: &Value| identity(element) == identity(like);
    let first = elements.iter().position(is_like)?;
    (!elements[first + 1..].iter().any(is_like)).then_some(first)
}

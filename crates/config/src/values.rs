//! How the general types are read: texts, numbers, durations, addresses, lists and maps.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use serde_json::{Value as Json, json};
use toml::de::DeValue;
use uuid::Uuid;

use super::place::Place;
use super::read::{Context, Reader, Written, kind};
use super::table::{Shape, Value, expected};

impl Value for String {
    const EXPECTED: &'static str = "a string";

    fn parse(text: &str, _: &Context<'_>) -> Result<Self, String> {
        if text.is_empty() || text.chars().any(char::is_control) {
            return Err("is empty or holds a control character".to_owned());
        }
        Ok(text.to_owned())
    }

    fn stand_in() -> Self {
        Self::new()
    }
}

impl Value for PathBuf {
    const EXPECTED: &'static str = "a path";

    fn parse(text: &str, context: &Context<'_>) -> Result<Self, String> {
        if text.is_empty() {
            return Err("is empty".to_owned());
        }
        Ok(context.folder.join(text))
    }

    fn stand_in() -> Self {
        Self::new()
    }
}

impl Value for Duration {
    const EXPECTED: &'static str = r#"a duration such as "10m""#;

    fn parse(text: &str, _: &Context<'_>) -> Result<Self, String> {
        // A bound that no sum with a time of today can overflow.
        const HUNDRED_YEARS: u64 = 36_525 * 24 * 60 * 60;
        let digits = text
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(text.len());
        let (number, unit) = text.split_at(digits);
        let unit = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 60 * 60,
            "d" => 24 * 60 * 60,
            "" if digits > 0 => {
                return Err(format!("{text:?} has no unit; did you mean \"{text}s\"?"));
            }
            _ => {
                return Err(format!(
                    "{text:?} is not a duration; write whole seconds, minutes, hours or days: \
                     \"30s\", \"10m\", \"8h\", \"30d\""
                ));
            }
        };
        number
            .parse::<u64>()
            .ok()
            .and_then(|number| number.checked_mul(unit))
            .filter(|seconds| *seconds <= HUNDRED_YEARS)
            .map(Self::from_secs)
            .ok_or_else(|| format!("{text:?} is not between 0s and 100 years"))
    }

    fn json_schema() -> Json {
        json!({ "type": "string", "pattern": "^[0-9]+[smhd]$" })
    }

    fn stand_in() -> Self {
        Self::ZERO
    }
}

impl Value for SocketAddr {
    const EXPECTED: &'static str = "an address and port";

    fn parse(text: &str, _: &Context<'_>) -> Result<Self, String> {
        text.parse().map_err(|_| {
            format!(
                "{text:?} is not an IP address and port, such as \"127.0.0.1:8080\" or \"[::]:8080\""
            )
        })
    }

    fn stand_in() -> Self {
        Self::from(([0, 0, 0, 0], 0))
    }
}

impl Value for IpNet {
    const EXPECTED: &'static str = "a network or an address";

    fn parse(text: &str, _: &Context<'_>) -> Result<Self, String> {
        text.parse()
            .or_else(|_| text.parse::<std::net::IpAddr>().map(Self::from))
            .map_err(|_| {
                format!("{text:?} is not a network, such as \"10.0.0.0/8\", nor an address")
            })
    }

    fn stand_in() -> Self {
        Self::default()
    }
}

impl Value for Uuid {
    const EXPECTED: &'static str = "a UUID";

    fn parse(text: &str, _: &Context<'_>) -> Result<Self, String> {
        Self::parse_str(text).map_err(|_| format!("{text:?} is not a UUID"))
    }

    fn json_schema() -> Json {
        json!({ "type": "string", "format": "uuid" })
    }

    fn stand_in() -> Self {
        Self::nil()
    }
}

impl Value for bool {
    const EXPECTED: &'static str = "true or false";
    const SHAPE: Shape = Shape::Bare;

    fn parse(text: &str, _: &Context<'_>) -> Result<Self, String> {
        text.parse()
            .map_err(|_| format!("expected true or false, found {text:?}"))
    }

    fn read(reader: &mut Reader<'_>, _: &Place, written: Written<'_>) -> Result<Self, String> {
        match written {
            Written::Toml(DeValue::Boolean(value)) => Ok(*value),
            Written::Toml(other) => Err(expected::<Self>(other)),
            Written::Variable(text) => Self::parse(text, reader.context()),
        }
    }

    fn json_schema() -> Json {
        json!({ "type": "boolean" })
    }

    fn stand_in() -> Self {
        false
    }
}

impl Value for NonZeroU32 {
    const EXPECTED: &'static str = "a whole number from 1";
    const SHAPE: Shape = Shape::Bare;

    fn parse(text: &str, _: &Context<'_>) -> Result<Self, String> {
        text.parse()
            .map_err(|_| format!("expected {} to {}, found {text}", Self::EXPECTED, u32::MAX))
    }

    fn read(reader: &mut Reader<'_>, _: &Place, written: Written<'_>) -> Result<Self, String> {
        match written {
            Written::Toml(DeValue::Integer(integer)) => {
                let number = u32::from_str_radix(integer.as_str(), integer.radix()).ok();
                let number = number.and_then(Self::new).map(Ok);
                number.unwrap_or_else(|| Self::parse(integer.as_str(), reader.context()))
            }
            Written::Toml(other) => Err(expected::<Self>(other)),
            Written::Variable(text) => Self::parse(text, reader.context()),
        }
    }

    fn json_schema() -> Json {
        json!({ "type": "integer", "minimum": 1, "maximum": u32::MAX })
    }

    fn stand_in() -> Self {
        Self::MIN
    }
}

impl<T: Value> Value for Option<T> {
    const EXPECTED: &'static str = T::EXPECTED;
    const SHAPE: Shape = T::SHAPE;
    const OPTIONAL: bool = true;

    fn parse(text: &str, context: &Context<'_>) -> Result<Self, String> {
        T::parse(text, context).map(Some)
    }

    fn read(reader: &mut Reader<'_>, place: &Place, written: Written<'_>) -> Result<Self, String> {
        T::read(reader, place, written).map(Some)
    }

    fn json_schema() -> Json {
        T::json_schema()
    }

    fn absent(reader: &mut Reader<'_>, place: &Place) -> Option<Self> {
        match T::SHAPE {
            // The variables alone may make up the whole table.
            Shape::Table(schema) if reader.has_variables(place, schema) => {
                T::absent(reader, place).map(Some)
            }
            _ => Some(None),
        }
    }

    fn stand_in() -> Self {
        None
    }
}

impl<T: Value> Value for Vec<T> {
    const EXPECTED: &'static str = "a list";
    const SHAPE: Shape = match T::SHAPE {
        Shape::Table(schema) => Shape::Tables(schema),
        _ => Shape::List,
    };
    const OPTIONAL: bool = true;
    const WHEN_LEFT_OUT: Option<&'static str> = Some("[]");

    fn parse(_: &str, _: &Context<'_>) -> Result<Self, String> {
        Err("is a list: write it in the file".to_owned())
    }

    fn read(reader: &mut Reader<'_>, place: &Place, written: Written<'_>) -> Result<Self, String> {
        let array = match (written, Self::SHAPE) {
            (Written::Toml(DeValue::Array(array)), _) => array,
            (Written::Toml(DeValue::Table(_)), Shape::Tables(_)) => {
                return Err(format!("there may be several: write [[{place}]]"));
            }
            (Written::Toml(other), Shape::Tables(_)) => {
                let found = kind(other);
                return Err(format!("expected tables, found {found}: write [[{place}]]"));
            }
            (Written::Toml(other), _) => {
                return Err(format!("{}: write it in [ ]", expected::<Self>(other)));
            }
            (Written::Variable(text), _) => return Self::parse(text, reader.context()),
        };
        let items = array.iter().enumerate().map(|(index, value)| {
            let place = match T::SHAPE {
                Shape::Table(_) => place.row(index),
                _ => place.item(index),
            };
            reader.found(&place, value.span());
            // A stand-in keeps the others at their index.
            let value = reader.read(&place, Written::Toml(value.get_ref()));
            value.unwrap_or_else(T::stand_in)
        });
        Ok(items.collect())
    }

    fn json_schema() -> Json {
        json!({ "type": "array", "items": T::json_schema() })
    }

    fn absent(_: &mut Reader<'_>, _: &Place) -> Option<Self> {
        Some(Self::new())
    }

    fn stand_in() -> Self {
        Self::new()
    }
}

impl<T: Value> Value for BTreeMap<String, T> {
    const EXPECTED: &'static str = "a table";
    const SHAPE: Shape = Shape::Map;
    const OPTIONAL: bool = true;
    const WHEN_LEFT_OUT: Option<&'static str> = Some("{}");

    fn parse(_: &str, _: &Context<'_>) -> Result<Self, String> {
        Err("is a table: write it in the file".to_owned())
    }

    fn read(reader: &mut Reader<'_>, place: &Place, written: Written<'_>) -> Result<Self, String> {
        let table = match written {
            Written::Toml(DeValue::Table(table)) => table,
            Written::Toml(other) => {
                let found = kind(other);
                return Err(format!("expected names and values in {{ }}, found {found}"));
            }
            Written::Variable(text) => return Self::parse(text, reader.context()),
        };
        let entries = table.iter().map(|(key, value)| {
            let place = place.key(key.get_ref());
            // The key's own span: a mistake in a name is as likely as one in its value.
            reader.found(&place, key.span());
            let value = reader.read(&place, Written::Toml(value.get_ref()));
            (key.get_ref().to_string(), value.unwrap_or_else(T::stand_in))
        });
        Ok(entries.collect())
    }

    fn json_schema() -> Json {
        json!({ "type": "object", "additionalProperties": T::json_schema() })
    }

    fn absent(_: &mut Reader<'_>, _: &Place) -> Option<Self> {
        Some(Self::new())
    }

    fn stand_in() -> Self {
        Self::new()
    }
}

/// The value of a claim: whatever JSON can say.
impl Value for Json {
    const EXPECTED: &'static str = "a value";

    fn parse(text: &str, _: &Context<'_>) -> Result<Self, String> {
        Ok(Self::from(text))
    }

    fn read(_: &mut Reader<'_>, _: &Place, written: Written<'_>) -> Result<Self, String> {
        match written {
            Written::Toml(value) => from_toml(value),
            Written::Variable(text) => Ok(Self::from(text)),
        }
    }

    fn json_schema() -> Json {
        json!({})
    }

    fn stand_in() -> Self {
        Self::Null
    }
}

pub(super) fn from_toml(value: &DeValue<'_>) -> Result<Json, String> {
    to_json(value).ok_or_else(|| "holds a number that JSON cannot".to_owned())
}

fn to_json(value: &DeValue<'_>) -> Option<Json> {
    Some(match value {
        DeValue::String(text) => Json::from(text.as_ref()),
        DeValue::Integer(number) => {
            Json::from(i64::from_str_radix(number.as_str(), number.radix()).ok()?)
        }
        DeValue::Float(number) => {
            Json::Number(serde_json::Number::from_f64(number.as_str().parse().ok()?)?)
        }
        DeValue::Boolean(value) => Json::from(*value),
        // OpenID Connect Core 5.1 writes dates as text (`birthdate`).
        DeValue::Datetime(date) => Json::from(date.to_string()),
        DeValue::Array(items) => {
            let items = items.iter().map(|item| to_json(item.get_ref()));
            Json::Array(items.collect::<Option<_>>()?)
        }
        DeValue::Table(entries) => {
            let entry = |(key, value): (&toml::Spanned<_>, &toml::Spanned<DeValue<'_>>)| {
                let key: &std::borrow::Cow<'_, str> = key.get_ref();
                Some((key.to_string(), to_json(value.get_ref())?))
            };
            Json::Object(entries.iter().map(entry).collect::<Option<_>>()?)
        }
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Environment;

    proptest! {
        #[test]
        fn a_duration_is_a_number_and_a_unit_and_nothing_else(number: u32, text in "[0-9]{0,4}[smhdw ]{0,2}") {
            let environment = Environment::default();
            let context = Context { folder: std::path::Path::new(""), environment: &environment };
            let parse = |text: &str| Duration::parse(text, &context);
            for (unit, seconds) in [("s", 1), ("m", 60), ("h", 3600), ("d", 86_400)] {
                let whole = u64::from(number) * seconds;
                let read = parse(&format!("{number}{unit}"));
                prop_assert_eq!(read.ok(), (whole <= 36_525 * 86_400).then(|| Duration::from_secs(whole)));
            }
            let one_unit = text.len() >= 2 && text[..text.len() - 1].bytes().all(|b| b.is_ascii_digit());
            let is_one = one_unit && text.ends_with(['s', 'm', 'h', 'd']);
            prop_assert_eq!(parse(&text).is_ok(), is_one);
        }
    }
}

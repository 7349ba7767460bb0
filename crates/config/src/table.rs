//! The declaration of settings: `table!` makes, of one list, the struct that holds the values, the
//! code that reads them, and the [`Schema`] that describes them.

use std::str::FromStr;

use serde_json::{Value as Json, json};
use toml::de::DeValue;

use super::place::Place;
use super::read::{Context, Fields, Reader, Written, kind};

/// A table of the file, described.
#[derive(Debug)]
pub struct Schema {
    /// What the table is for; one string for each line.
    pub doc: &'static [&'static str],
    /// Its settings, in the order in which they are printed.
    pub settings: &'static [Setting],
}

/// One setting, described. Defaults and examples of single values are plain text, as an
/// environment variable would hold them; those of lists and maps are TOML.
#[derive(Debug)]
pub struct Setting {
    pub key: &'static str,
    /// Its documentation, one string for each line.
    pub doc: &'static [&'static str],
    pub shape: Shape,
    /// Whether it may be left out although it has no default.
    pub optional: bool,
    /// The value where it is left out.
    pub default: Option<&'static str>,
    pub example: &'static str,
    /// Its values as JSON.
    pub(super) json: fn() -> Json,
}

#[derive(Debug, Clone, Copy)]
pub enum Shape {
    /// A quoted string.
    String,
    /// A number, `true` or `false`.
    Bare,
    /// A list of values.
    List,
    Map,
    /// `[key]`.
    Table(&'static Schema),
    /// `[[key]]`, any number of times.
    Tables(&'static Schema),
}

/// A type that a setting can have.
pub(super) trait Value: Sized {
    /// What is expected, for a message: "a duration".
    const EXPECTED: &'static str;
    const SHAPE: Shape = Shape::String;
    /// Whether it has a value when it is left out.
    const OPTIONAL: bool = false;
    /// That value as TOML, if TOML can say it.
    const WHEN_LEFT_OUT: Option<&'static str> = None;

    /// Reads a text: a string of the file, a variable or a default. The refusal says what is wrong,
    /// and repeats the text only if it cannot be a secret.
    fn parse(text: &str, context: &Context<'_>) -> Result<Self, String>;

    /// Reads a value. What is wrong with a part of it is reported to `reader`, at the part's own place.
    fn read(reader: &mut Reader<'_>, _: &Place, written: Written<'_>) -> Result<Self, String> {
        match written {
            Written::Variable(text) => Self::parse(text, reader.context()),
            Written::Toml(DeValue::String(text)) => Self::parse(text, reader.context()),
            Written::Toml(other) => Err(expected::<Self>(other)),
        }
    }

    /// Its values as JSON, in JSON Schema.
    fn json_schema() -> Json {
        match Self::SHAPE {
            Shape::String => json!({ "type": "string", "minLength": 1 }),
            Shape::Bare => json!({}),
            Shape::List | Shape::Tables(_) => json!({ "type": "array" }),
            Shape::Map | Shape::Table(_) => json!({ "type": "object" }),
        }
    }

    /// The value of a setting that is left out and has no default.
    fn absent(_reader: &mut Reader<'_>, _place: &Place) -> Option<Self> {
        None
    }

    /// Replaces a refused value, so that reading continues. It is never returned, since no settings are returned after a
    /// refusal.
    fn stand_in() -> Self;
}

/// What is said of a value of another kind than `T`.
pub(super) fn expected<T: Value>(found: &DeValue<'_>) -> String {
    format!("expected {}, found {}", T::EXPECTED, kind(found))
}

/// A constant text as a checked value, to stand in for a refused one.
pub(super) fn constant<T: FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    #[expect(
        clippy::expect_used,
        reason = "a constant, which each mistake of a test reads"
    )]
    text.parse().expect("the text of a stand-in")
}

/// A table declared by `table!`.
pub(super) trait Table: Sized {
    const SCHEMA: &'static Schema;

    fn read_fields(fields: &mut Fields<'_, '_>) -> Self;
}

/// What the reader adds to a table beside its settings.
pub(super) trait Added: Default {
    fn of(_: &Fields<'_, '_>) -> Self {
        Self::default()
    }
}

macro_rules! table {
    (
        $(#[doc = $about:literal])+
        pub struct $Name:ident {
            $(
                $(#[doc = $doc:literal])+
                $field:ident $(as $key:ident)? : $T:ty $(= $default:literal)?, example $example:literal;
            )+
            // No setting, but what the reader adds.
            $( ..$added:ident: $Added:ty )?
        }
    ) => {
        $(#[doc = $about])+
        #[derive(Debug, Clone, PartialEq)]
        pub struct $Name {
            $( $(#[doc = $doc])+ pub $field: $T, )+
            $( pub(crate) $added: $Added, )?
        }

        impl $Name {
            /// The keys whose values differ, in the order of their declaration.
            pub fn differing_keys(&self, other: &Self) -> Vec<&'static str> {
                let differs = [$( (table!(@key $field $($key)?), self.$field != other.$field), )+];
                differs.into_iter().filter(|(_, differs)| *differs).map(|(key, _)| key).collect()
            }
        }

        impl $crate::table::Table for $Name {
            const SCHEMA: &'static $crate::Schema = &$crate::Schema {
                doc: &[$($about),+],
                settings: &[$(
                    $crate::Setting {
                        key: table!(@key $field $($key)?),
                        doc: &[$($doc),+],
                        shape: <$T as $crate::table::Value>::SHAPE,
                        optional: <$T as $crate::table::Value>::OPTIONAL,
                        default: match table!(@default $($default)?) {
                            Some(default) => Some(default),
                            None => <$T as $crate::table::Value>::WHEN_LEFT_OUT,
                        },
                        example: $example,
                        json: <$T as $crate::table::Value>::json_schema,
                    },
                )+],
            };

            fn read_fields(fields: &mut $crate::read::Fields<'_, '_>) -> Self {
                Self {
                    $( $field: fields.field(table!(@key $field $($key)?), table!(@default $($default)?)), )+
                    $( $added: <$Added as $crate::table::Added>::of(fields), )?
                }
            }
        }

        impl $crate::table::Value for $Name {
            const EXPECTED: &'static str = "a table";
            const SHAPE: $crate::Shape =
                $crate::Shape::Table(<Self as $crate::table::Table>::SCHEMA);
            const OPTIONAL: bool = true;

            fn parse(_: &str, _: &$crate::read::Context<'_>) -> Result<Self, String> {
                Err("is a table: set its keys one by one".to_owned())
            }

            fn read(
                reader: &mut $crate::read::Reader<'_>,
                place: &$crate::place::Place,
                written: $crate::read::Written<'_>,
            ) -> Result<Self, String> {
                Ok(reader.table(place, written))
            }

            fn json_schema() -> serde_json::Value {
                $crate::json_schema::object(<Self as $crate::table::Table>::SCHEMA)
            }

            fn absent(
                reader: &mut $crate::read::Reader<'_>,
                place: &$crate::place::Place,
            ) -> Option<Self> {
                Some(reader.empty_table(place))
            }

            fn stand_in() -> Self {
                $crate::read::Reader::stand_in_table()
            }
        }
    };
    (@key $field:ident $key:ident) => { stringify!($key) };
    (@key $field:ident) => { stringify!($field) };
    (@default $default:literal) => { Some($default) };
    (@default) => { None };
}
pub(super) use table;

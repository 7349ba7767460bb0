//! Settings as JSON: the members of what the management API takes and answers.

use serde_json::{Map, Value as Json, json};
use toml::de::DeTable;

use super::settings::Settings;
use super::table::{Schema, Setting, Shape, Table as _};
use super::values::from_toml;

impl Schema {
    /// The table of the file with this key: `client` for `[[client]]`.
    #[must_use]
    pub fn of_table(key: &str) -> Option<&'static Self> {
        let mut settings = Settings::SCHEMA.settings.iter();
        let setting = settings.find(|setting| setting.key == key)?;
        match setting.shape {
            Shape::Table(schema) | Shape::Tables(schema) => Some(schema),
            _ => None,
        }
    }

    /// What the table is for.
    #[must_use]
    pub fn words(&self) -> String {
        words(self.doc)
    }
}

impl Setting {
    /// Its values in JSON Schema, with its words, default and example.
    #[must_use]
    pub fn json_schema(&self) -> Json {
        let mut schema = (self.json)();
        let default = self.default.and_then(|text| self.as_json(text));
        let described = [
            ("description", Some(Json::from(words(self.doc)))),
            ("default", default),
            ("examples", self.as_json(self.example).map(|it| json!([it]))),
        ];
        if let Json::Object(schema) = &mut schema {
            let described = described.into_iter();
            let described = described.filter_map(|(key, value)| Some((key.to_owned(), value?)));
            schema.extend(described.collect::<Map<_, _>>());
        }
        schema
    }

    /// A text of the declaration as the value that it stands for.
    fn as_json(&self, text: &str) -> Option<Json> {
        let line = self.line_with(text);
        let table = DeTable::parse(&line).ok()?;
        from_toml(table.get_ref().get(self.key)?.get_ref()).ok()
    }

    #[must_use]
    pub fn is_required(&self) -> bool {
        self.default.is_none() && !self.optional
    }
}

/// A table as an object.
pub(super) fn object(schema: &Schema) -> Json {
    let settings = schema.settings.iter();
    let properties = settings.map(|setting| (setting.key.to_owned(), setting.json_schema()));
    let required = schema.settings.iter().filter(|it| it.is_required());
    let required: Vec<_> = required.map(|setting| setting.key).collect();
    json!({
        "type": "object",
        "properties": properties.collect::<Map<_, _>>(),
        "required": required,
        "additionalProperties": false,
    })
}

/// The lines of a setting's words as one.
pub(super) fn words(doc: &[&str]) -> String {
    let lines: Vec<&str> = doc.iter().map(|line| line.trim()).collect();
    lines.join(" ")
}

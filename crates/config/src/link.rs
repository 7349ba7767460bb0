//! Subjects of other issuers that are users of this server.

use grantor_core::model::checks::LinkSpec;
use grantor_core::model::trusted_issuer::may_be_subject;
use serde_json::{Value as Json, json};
use toml::de::DeValue;

use super::place::Place;
use super::read::{Context, Reader, Written, kind};
use super::table::{Value, expected};

/// `{ issuer = "…", sub = "…" }`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserLink {
    pub issuer: String,
    pub sub: String,
}

impl UserLink {
    pub(super) fn spec(&self) -> LinkSpec<'_> {
        LinkSpec {
            issuer: &self.issuer,
            sub: &self.sub,
        }
    }

    fn from_toml(value: &DeValue<'_>) -> Result<Self, String> {
        let DeValue::Table(table) = value else {
            return Err(expected::<Self>(value));
        };
        let text = |key: &str| match table.get(key).map(|value| value.get_ref()) {
            Some(DeValue::String(text)) => Ok(text.to_string()),
            Some(other) => Err(format!("expected a string as {key}, found {}", kind(other))),
            None => Err(format!("{key} is missing: write {}", Self::EXPECTED)),
        };
        let link = Self {
            issuer: text("issuer")?,
            sub: text("sub")?,
        };
        if table.len() > 2 {
            return Err(format!("holds more than {}", Self::EXPECTED));
        }
        if !may_be_subject(&link.sub) {
            return Err("sub is not 1 to 255 bytes without control characters".to_owned());
        }
        Ok(link)
    }
}

impl Value for UserLink {
    const EXPECTED: &'static str = r#"{ issuer = "…", sub = "…" }"#;

    fn parse(_: &str, _: &Context<'_>) -> Result<Self, String> {
        Err(format!("is a table: write {}", Self::EXPECTED))
    }

    fn read(reader: &mut Reader<'_>, _: &Place, written: Written<'_>) -> Result<Self, String> {
        match written {
            Written::Toml(value) => Self::from_toml(value),
            Written::Variable(text) => Self::parse(text, reader.context()),
        }
    }

    fn json_schema() -> Json {
        json!({
            "type": "object",
            "properties": {
                "issuer": { "type": "string" },
                "sub": { "type": "string", "minLength": 1, "maxLength": 255 },
            },
            "required": ["issuer", "sub"],
            "additionalProperties": false,
        })
    }

    fn stand_in() -> Self {
        Self {
            issuer: String::new(),
            sub: String::new(),
        }
    }
}

//! `grantor config`: every setting with its words, as a file that can be used as it is.

use std::fmt::Write;

use super::settings::Settings;
use super::table::{Schema, Setting, Shape, Table};

/// The file that says every default. What has none is commented out, with its example; only what
/// must be given is set to it.
pub fn annotated() -> String {
    let mut file = String::new();
    file.push_str("# Every setting of Grantor, at its default. Durations: 30s, 10m, 8h, 30d.\n");
    file.push_str("# A variable overrides a setting that is no list: GRANTOR_LISTEN, GRANTOR_LIFETIMES_ACCESS.\n");
    file.push_str(
        "# GRANTOR_LOG says what is logged: error, warn, info (the default), debug or trace.\n",
    );
    for setting in Settings::SCHEMA.settings {
        match setting.shape {
            Shape::Table(schema) => table(
                &mut file,
                setting,
                schema,
                "[",
                "]",
                setting.optional_table(),
            ),
            Shape::Tables(schema) => table(&mut file, setting, schema, "[[", "]]", true),
            _ => value(&mut file, setting, false),
        }
    }
    file
}

impl Setting {
    /// Whether the table may be absent as a whole: it then has a key that must be given.
    fn optional_table(&self) -> bool {
        let Shape::Table(schema) = self.shape else {
            return false;
        };
        schema
            .settings
            .iter()
            .any(|setting| setting.default.is_none() && !setting.optional)
    }

    /// The setting with `text` as its value, as TOML.
    pub(super) fn line_with(&self, text: &str) -> String {
        match self.shape {
            Shape::String => format!("{} = {text:?}", self.key),
            _ => format!("{} = {text}", self.key),
        }
    }
}

fn table(
    file: &mut String,
    setting: &Setting,
    schema: &Schema,
    open: &str,
    close: &str,
    absent: bool,
) {
    let mark = if absent { "# " } else { "" };
    file.push('\n');
    words(file, setting.doc);
    writeln!(file, "{mark}{open}{}{close}", setting.key).ok();
    for setting in schema.settings {
        value(file, setting, absent);
    }
}

fn value(file: &mut String, setting: &Setting, absent: bool) {
    file.push('\n');
    words(file, setting.doc);
    let required = setting.default.is_none() && !setting.optional;
    if required {
        file.push_str("# It must be given.\n");
    } else if setting
        .default
        .is_some_and(|default| default != setting.example)
    {
        writeln!(file, "# Example: {}", setting.line_with(setting.example)).ok();
    }
    let mark = if absent || setting.default.is_none() && !required {
        "# "
    } else {
        ""
    };
    writeln!(
        file,
        "{mark}{}",
        setting.line_with(setting.default.unwrap_or(setting.example))
    )
    .ok();
}

fn words(file: &mut String, doc: &[&str]) {
    for line in doc {
        writeln!(file, "#{line}").ok();
    }
}

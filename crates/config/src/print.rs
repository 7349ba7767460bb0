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
            Shape::Table(schema) => {
                // Without a key that must be given, the table is there with its defaults.
                let absent = schema.settings.iter().any(Setting::is_required);
                table(&mut file, setting, schema, ("[", "]"), absent);
            }
            Shape::Tables(schema) => table(&mut file, setting, schema, ("[[", "]]"), true),
            _ => value(&mut file, setting, false),
        }
    }
    file
}

impl Setting {
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
    (open, close): (&str, &str),
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
    match setting.default {
        None if setting.is_required() => file.push_str("# It must be given.\n"),
        Some(default) if default != setting.example => {
            writeln!(file, "# Example: {}", setting.line_with(setting.example)).ok();
        }
        _ => {}
    }
    let is_set = setting.default.is_some() || setting.is_required();
    let mark = if absent || !is_set { "# " } else { "" };
    let line = setting.line_with(setting.default.unwrap_or(setting.example));
    writeln!(file, "{mark}{line}").ok();
}

fn words(file: &mut String, doc: &[&str]) {
    for line in doc {
        writeln!(file, "#{line}").ok();
    }
}

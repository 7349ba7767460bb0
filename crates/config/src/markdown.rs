//! `grantor config --markdown`: every setting with its words, as the page `docs/src/configuration.md`.

use std::fmt::Write;

use super::json_schema::words;
use super::settings::Settings;
use super::table::{Setting, Shape, Table};

const HEAD: &str = "\
<!-- Made by `grantor config --markdown`: change the words in crates/config/src/settings.rs. -->

# Configuration

One TOML file says everything. `grantor config` prints it with every setting at its default; `grantor check` says what is wrong with `grantor.toml` in this folder, or with the file that `--config` names: line, key, and the name that was likely meant. It also says which settings have no effect in this version.

- A path counts from the file's own folder.
- A duration is a number and `s`, `m`, `h` or `d`: `30s`, `10m`, `8h`, `30d`.
- A size is a whole number and `MiB` or `GiB`: `256MiB`, `2GiB`.
- An environment variable overrides any setting that is no list: `GRANTOR_LISTEN`, `GRANTOR_LIFETIMES_ACCESS`.
- A setting whose name ends in `_env` holds the name of a variable, and the value is read from that variable. Secrets need not stand in the file.
- `GRANTOR_LOG` says what is logged: `off`, `error`, `warn`, `info` (the default), `debug`, `trace`, or a list such as `info,grantor_web=debug`.
- The file is read at start. To change something, change the file and [reload](operations/reload.md) it, or restart.
";

pub fn markdown() -> String {
    let mut page = HEAD.to_owned();
    let (tables, values): (Vec<&Setting>, Vec<&Setting>) = Settings::SCHEMA
        .settings
        .iter()
        .partition(|setting| matches!(setting.shape, Shape::Table(_) | Shape::Tables(_)));
    section(&mut page, "The server", "", values);
    for setting in tables {
        let (title, schema, often) = match setting.shape {
            Shape::Table(schema) => (format!("[{}]", setting.key), schema, ""),
            Shape::Tables(schema) => {
                let title = format!("[[{}]]", setting.key);
                (title, schema, " Any number of times.")
            }
            _ => continue,
        };
        let title = format!("`{title}`");
        let words = format!("{}{often}", words(setting.doc));
        section(&mut page, &title, &words, schema.settings.iter().collect());
    }
    page
}

fn section(page: &mut String, title: &str, about: &str, settings: Vec<&Setting>) {
    write!(page, "\n## {title}\n\n").ok();
    if !about.is_empty() {
        write!(page, "{about}\n\n").ok();
    }
    page.push_str("| setting | default | what it is |\n|---|---|---|\n");
    for setting in settings {
        let default = match setting.default {
            Some(default) => cell(default),
            None if setting.optional => String::new(),
            None => "must be given".to_owned(),
        };
        let example = match setting.default == Some(setting.example) {
            true => String::new(),
            false => format!(" Example: {}", cell(&setting.line_with(setting.example))),
        };
        let (key, words) = (setting.key, words(setting.doc).replace('|', "\\|"));
        writeln!(page, "| `{key}` | {default} | {words}{example} |").ok();
    }
}

/// Text as code in a cell of a table.
fn cell(text: &str) -> String {
    format!("`{}`", text.replace('|', "\\|"))
}

//! The configuration: one TOML file, and environment variables that override it.
//!
//! What belongs here: the declaration of each setting, the reader of the file, the checks across tables, the advice that
//! `check` gives, and the documentation made from the declarations. What settings become at run time does not: that is
//! `grantor-server`.
//!
//! Each setting is declared once, in `settings.rs`, with its type, default, example and words;
//! reading, `grantor config` and the docs page all come from that one declaration. Reading goes
//! on after a mistake, so that an operator sees all of them at once: a value that is refused is
//! replaced by a stand-in, the checks across tables still run, and [`Settings`] are handed out
//! only if nothing was refused.

// Printing panics where it cannot be written.
#![deny(clippy::print_stdout, clippy::print_stderr)]

mod advice;
mod check;
mod claims;
mod docs_client;
mod environment;
mod json_schema;
mod link;
mod managed;
mod markdown;
mod mistake;
mod names;
mod not_built;
mod place;
mod print;
mod read;
mod reload;
mod remote;
mod rotation;
mod secret;
mod settings;
mod size;
mod spec;
mod table;
mod text;
mod values;
mod written;

#[cfg(test)]
mod tests;

use std::fs;
use std::io;
use std::path::{self, Path};

use toml::de::DeTable;
use zeroize::Zeroizing;

use mistake::Lines;
use read::{Context, Reader};

pub use environment::Environment;
pub use link::UserLink;
pub use managed::{CLIENT_SECRETS, Part, PartProblem, WithParts};
pub use markdown::markdown;
pub use mistake::{Location, Mistake, Mistakes, did_you_mean};
pub use names::{DeviceTokens, Dialect, Pkce, TlsVersion};
pub use print::annotated;
pub use rotation::KeyRotation;
pub use secret::{SecretVariable, Sha256Digest};
pub use settings::{
    Api, Client, ClientSecret, Device, Exchange, Lifetimes, MasterKey, Organization, PlainScope,
    Provider, Resource, ResourceScope, ScopeTable, Settings, Test, Tls, TrustedIssuer, User,
    UserPassword,
};
pub use table::{Schema, Setting, Shape};
pub use text::{Issuer, Origin, PasswordHash, ProviderIssuer, ResourceUri, Store};
pub use written::WrittenJson;

/// How many syntax errors are reported. The others are mostly consequences: a bracket that is never closed causes
/// thousands, each with a line to be counted.
const MAX_SYNTAX_MISTAKES: usize = 20;

/// Reads the settings from `file`, with `environment` over them.
///
/// # Errors
/// All mistakes found, in the order of the file; or the one that the file cannot be read.
pub fn load(file: &Path, environment: &Environment) -> Result<Settings, Mistakes> {
    let name = file.display().to_string();
    let unreadable = |why: String| Mistakes::from(Mistake::of_file(&name, why));
    let bytes = fs::read(file).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => unreadable(missing(file)),
        _ => unreadable(format!("cannot be read: {error}")),
    });
    let bytes = Zeroizing::new(bytes?);
    let text =
        std::str::from_utf8(&bytes).map_err(|_| unreadable("is not UTF-8 text".to_owned()))?;
    let folder = file.parent().unwrap_or(Path::new(""));
    parse(text, &name, folder, environment)
}

/// What was looked for, and what to do.
fn missing(file: &Path) -> String {
    let looked_for = path::absolute(file);
    let looked_for = looked_for.as_deref().unwrap_or(file).display();
    format!(
        "there is no file {looked_for}: name the configuration with --config FILE, or begin with \
         `grantor config > {}`",
        file.display()
    )
}

/// Reads the settings from the text of a file called `name` in mistakes, whose relative paths
/// start at `folder`.
///
/// # Errors
/// All mistakes found, in the order of the text. Broken TOML is reported alone, since what would
/// be found in its remains are mostly consequences.
pub fn parse(
    text: &str,
    name: &str,
    folder: &Path,
    environment: &Environment,
) -> Result<Settings, Mistakes> {
    let lines = Lines::new(name, text);
    let (root, broken) = DeTable::parse_recoverable(text);
    if !broken.is_empty() {
        let first = broken.iter().take(MAX_SYNTAX_MISTAKES);
        return Err(first.map(|error| lines.syntax(error)).collect());
    }

    let mut reader = Reader::new(Context {
        folder,
        environment,
    });
    let mut settings = reader.settings(root.get_ref());
    check::check(&settings, &mut reader);
    settings.places = reader.finish(&lines)?;
    Ok(settings)
}

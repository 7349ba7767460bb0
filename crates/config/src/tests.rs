//! The configuration as an operator meets it: files in, settings or mistakes out.

mod claims;
mod environment;
mod example;
mod exchange;
mod identity;
mod mistakes;
mod printed;
mod redirect_uris;
mod scopes;
mod shared_rules;

use std::path::Path;

use super::{Environment, Mistakes, Settings, parse};

/// Reads a file at `/etc/grantor/grantor.toml`, which mistakes call `grantor.toml`.
fn read(text: &str, variables: &[(&str, &str)]) -> Result<Settings, Mistakes> {
    let environment = variables.iter().copied().collect::<Environment>();
    parse(
        text,
        "grantor.toml",
        Path::new("/etc/grantor"),
        &environment,
    )
}

fn settings(text: &str) -> Settings {
    read(text, &[]).unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

fn mistakes(text: &str) -> String {
    read(text, &[])
        .expect_err("the file has a mistake")
        .to_string()
}

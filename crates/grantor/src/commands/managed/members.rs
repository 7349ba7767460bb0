//! The members of an object, as the command line or a file gives them.

use std::fs;
use std::io::{self, Read as _};
use std::path::PathBuf;

use clap::Args;
use serde_json::{Map, Value as Json};

use super::CommandError;
use super::object::{assignment, members, read_only};

#[derive(Debug, Args)]
pub struct Members {
    /// A member, its value as in the configuration file; may be given several times
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = assignment)]
    pub(super) set: Vec<(String, Json)>,
    /// A file with members as in the table of the configuration file; - for standard input
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
}

impl Members {
    pub(super) fn is_empty(&self) -> bool {
        self.set.is_empty() && self.file.is_none()
    }

    /// Those of the file, and over them those that were set.
    pub(super) fn read(&self) -> Result<Map<String, Json>, CommandError> {
        let mut members = match &self.file {
            None => Map::new(),
            Some(file) => {
                let mut text = String::new();
                let read = match file.as_os_str() == "-" {
                    true => io::stdin().read_to_string(&mut text).map(|_| text),
                    false => fs::read_to_string(file),
                };
                let named = |error| CommandError::Usage(format!("{}: {error}", file.display()));
                let text = read.map_err(named)?;
                let read = members(&text);
                read.map_err(|why| CommandError::Usage(format!("{}: {why}", file.display())))?
            }
        };
        members.retain(|key, _| !read_only(key));
        members.extend(self.set.iter().cloned());
        Ok(members)
    }
}

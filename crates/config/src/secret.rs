//! Secrets.

use std::fmt;
use std::fs::{self, File, Metadata};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use grantor_core::base::secret::Secret;
use zeroize::Zeroizing;

use super::read::Context;
use super::table::Value;

impl Value for Secret {
    const EXPECTED: &'static str = "a string";

    fn parse(text: &str, _: &Context<'_>) -> Result<Self, String> {
        if text.is_empty() {
            return Err("is empty".to_owned());
        }
        Ok(Self::new(text))
    }

    fn stand_in() -> Self {
        Self::new("")
    }
}

/// A secret that the file does not hold: it names the environment variable that does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretVariable {
    variable: String,
    secret: Secret,
}

impl SecretVariable {
    pub fn variable(&self) -> &str {
        &self.variable
    }

    /// What the variable held.
    pub fn secret(&self) -> &Secret {
        &self.secret
    }
}

impl Value for SecretVariable {
    const EXPECTED: &'static str = "the name of an environment variable";

    fn parse(variable: &str, context: &Context<'_>) -> Result<Self, String> {
        // Only a text that looks like the name of a variable is repeated: it could be a secret written here by mistake.
        let named = if looks_like_variable(variable) {
            format!("the environment variable {variable}")
        } else {
            "the environment variable that it names".to_owned()
        };
        match context.environment.value(variable) {
            None => Err(format!("{named} is not set{}", context.environment.place())),
            Some("") => Err(format!("{named} is empty")),
            Some(secret) => Ok(Self {
                variable: variable.to_owned(),
                secret: Secret::new(secret),
            }),
        }
    }

    fn stand_in() -> Self {
        Self {
            variable: String::new(),
            secret: Secret::new(""),
        }
    }
}

/// A file of secrets, one a line, as orchestrators mount them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretFile {
    path: PathBuf,
    secrets: Vec<Secret>,
}

/// More than any file of secrets has.
const MAX_FILE_BYTES: u64 = 64 * 1024;

impl SecretFile {
    pub fn secrets(&self) -> &[Secret] {
        &self.secrets
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its text. A device or a pipe might have no end.
    fn read(path: &Path) -> io::Result<Zeroizing<String>> {
        // Looked at before, too: opening a pipe waits for its other end.
        let is_file = |found: io::Result<Metadata>| match found?.is_file() {
            true => Ok(()),
            false => Err(io::Error::other("it is not a file")),
        };
        is_file(fs::metadata(path))?;
        let file = File::open(path)?;
        is_file(file.metadata())?;
        let mut text = Zeroizing::new(String::new());
        let length = file.take(MAX_FILE_BYTES + 1).read_to_string(&mut text)?;
        if length as u64 > MAX_FILE_BYTES {
            return Err(io::Error::other("it holds more than 64 KiB"));
        }
        Ok(text)
    }
}

impl Value for SecretFile {
    const EXPECTED: &'static str = "a path";

    fn parse(text: &str, context: &Context<'_>) -> Result<Self, String> {
        // Its name is not repeated: it could be a secret written here by mistake.
        let path = PathBuf::parse(text, context)?;
        let text = Self::read(&path)
            .map_err(|error| format!("the file that it names cannot be read: {error}"))?;
        let lines = text.lines().filter(|line| !line.is_empty());
        let secrets: Vec<_> = lines.map(Secret::new).collect();
        if secrets.is_empty() {
            return Err("the file that it names is empty".to_owned());
        }
        Ok(Self { path, secrets })
    }

    fn stand_in() -> Self {
        Self {
            path: PathBuf::new(),
            secrets: Vec::new(),
        }
    }
}

fn looks_like_variable(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_uppercase())
        && text
            .chars()
            .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}

/// The SHA-256 of a client secret, written as 64 hexadecimal digits.
#[derive(Clone, PartialEq, Eq)]
pub struct Sha256Digest([u8; 32]);

impl Sha256Digest {
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for Sha256Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl Value for Sha256Digest {
    const EXPECTED: &'static str = "the SHA-256 of the secret in hexadecimal";

    fn parse(text: &str, _: &Context<'_>) -> Result<Self, String> {
        let mut digest = [0; 32];
        hex::decode_to_slice(text, &mut digest)
            .map_err(|_| "is not 64 hexadecimal digits".to_owned())?;
        Ok(Self(digest))
    }

    fn stand_in() -> Self {
        Self([0; 32])
    }
}

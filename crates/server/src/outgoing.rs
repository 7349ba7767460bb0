//! Requests of this server to other servers: which certificates are trusted, and the HTTP client for them.
//!
//! The policy of that client (no redirects, no proxy variables, bounded time) is one function,
//! [`grantor_verify::http_client_builder`]; `clippy.toml` bans the other ways to make one.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use grantor_config::Settings;
use grantor_verify::http_client_builder;

use crate::setting_error::SettingError;

#[derive(Clone, Debug, Default)]
pub struct Outgoing {
    /// A PEM file of certificates that are trusted in addition to the system's.
    pub extra_ca: Option<PathBuf>,
    /// Whether other servers may be on this machine, where the operator did not write their address.
    pub loopback: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum OutgoingError {
    #[error("test.extra_ca: {}", file.display())]
    File {
        file: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("test.extra_ca: {} holds no certificate as PEM", .0.display())]
    NoCertificate(PathBuf),
    /// The library refuses to make a client.
    #[error("cannot make an HTTP client for requests to other servers")]
    Client(#[from] reqwest::Error),
}

impl Outgoing {
    #[must_use]
    pub fn from_settings(settings: &Settings) -> Self {
        Self {
            extra_ca: settings.test.extra_ca.clone(),
            loopback: settings.test.loopback,
        }
    }

    /// A client whose requests may take `timeout`.
    pub fn client(&self, timeout: Duration) -> Result<reqwest::Client, OutgoingError> {
        let client = http_client_builder(timeout)
            .user_agent(concat!("grantor/", env!("CARGO_PKG_VERSION")))
            .tls_certs_merge(self.certificates()?);
        Ok(client.build()?)
    }

    /// Reads the certificates of the settings, as [`Outgoing::client`] will.
    ///
    /// # Errors
    /// [`SettingError`] of an [`OutgoingError`]
    pub fn check(settings: &Settings) -> Result<(), SettingError> {
        let read = Self::from_settings(settings).certificates();
        let unusable = |error| SettingError::new(settings, "test.extra_ca", error);
        read.map(drop).map_err(unusable)
    }

    fn certificates(&self) -> Result<Vec<reqwest::Certificate>, OutgoingError> {
        let Some(file) = &self.extra_ca else {
            return Ok(Vec::new());
        };
        let pem = fs::read(file).map_err(|source| OutgoingError::File {
            file: file.clone(),
            source,
        })?;
        match reqwest::Certificate::from_pem_bundle(&pem) {
            Ok(certificates) if !certificates.is_empty() => Ok(certificates),
            _ => Err(OutgoingError::NoCertificate(file.clone())),
        }
    }
}

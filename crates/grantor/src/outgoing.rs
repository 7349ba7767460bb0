//! The server's own requests to others: where they may go, and whom they believe.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::config::Settings;

/// How long a connection may take.
const CONNECT_TIME: Duration = Duration::from_secs(5);

/// What the settings say of requests to others.
#[derive(Clone, Debug, Default)]
pub struct Outgoing {
    /// Certificates, as PEM, that are trusted beside the system's.
    pub extra_ca: Option<PathBuf>,
    /// Whether others may be on this machine, where it was not the operator who wrote their address.
    pub loopback: bool,
}

/// Why no requests can be made.
#[derive(Debug, thiserror::Error)]
pub enum OutgoingError {
    /// The file of certificates.
    #[error("test.extra_ca: {}: {error}", file.display())]
    File {
        /// Its path.
        file: PathBuf,
        /// The system's answer.
        error: io::Error,
    },
    /// There is none in it.
    #[error("test.extra_ca: {} holds no certificate as PEM", .0.display())]
    NoCertificate(PathBuf),
    /// The library.
    #[error("no requests to others can be made: {0}")]
    Client(#[from] reqwest::Error),
}

impl Outgoing {
    /// As the settings have it.
    #[must_use]
    pub fn of(settings: &Settings) -> Self {
        Self {
            extra_ca: settings.test.extra_ca.clone(),
            loopback: settings.test.loopback,
        }
    }

    /// A client for requests that end within `time`. It follows no redirect, which would lead to where nobody checked,
    /// and asks no proxy of the environment.
    ///
    /// # Errors
    /// [`OutgoingError`]
    pub fn client(&self, time: Duration) -> Result<reqwest::Client, OutgoingError> {
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .connect_timeout(CONNECT_TIME)
            .timeout(time)
            .user_agent(concat!("grantor/", env!("CARGO_PKG_VERSION")));
        Ok(client.tls_certs_merge(self.certificates()?).build()?)
    }

    fn certificates(&self) -> Result<Vec<reqwest::Certificate>, OutgoingError> {
        let Some(file) = &self.extra_ca else {
            return Ok(Vec::new());
        };
        let pem = fs::read(file).map_err(|error| OutgoingError::File {
            file: file.clone(),
            error,
        })?;
        match reqwest::Certificate::from_pem_bundle(&pem) {
            Ok(certificates) if !certificates.is_empty() => Ok(certificates),
            _ => Err(OutgoingError::NoCertificate(file.clone())),
        }
    }
}

//! Watches the certificate's files: a new certificate is used without a restart, an unusable one is logged once.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use grantor_core::base::time::Timestamp;
use grantor_core::engine::event::{Event, EventKind};
use grantor_web::{Certificate, Clock, Entropy, EventSink, Tls};
use tokio::signal::unix::Signal;
use tokio::time::{MissedTickBehavior, interval};

use super::{read, validity};
use crate::cause::Causes;
use grantor_config as config;

const CHECK_INTERVAL: Duration = Duration::from_secs(2);
/// How often a certificate that expires soon is logged.
const WARN_INTERVAL: Duration = Duration::from_secs(24 * 60 * 60);

/// Checks the files of the certificate, and replaces it when they change.
pub struct Watch {
    pub tls: Arc<Tls>,
    pub files: config::Tls,
    pub certificate: Certificate,
    /// The files when they were last read.
    pub stamps: Stamps,
    pub clock: Arc<dyn Clock>,
    /// For the trace ids of events.
    pub entropy: Arc<dyn Entropy>,
    pub events: Arc<dyn EventSink>,
}

/// Identifies the contents of the two files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamps([Option<Stamp>; 2]);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    changed: (i64, i64),
}

impl Stamps {
    /// The files as they are now.
    #[must_use]
    pub fn read(files: &config::Tls) -> Self {
        // Follows links, so that a link with another target is a change.
        let stamp = |file: &Path| {
            let file = fs::metadata(file).ok()?;
            Some(Stamp {
                device: file.dev(),
                inode: file.ino(),
                size: file.size(),
                changed: (file.mtime(), file.mtime_nsec()),
            })
        };
        Self([stamp(&files.cert), stamp(&files.key)])
    }
}

impl Watch {
    /// Checks every two seconds, and at each `hangup`.
    pub async fn run(mut self, mut hangup: Signal) {
        let mut times = interval(CHECK_INTERVAL);
        times.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut seen, mut warned) = (self.stamps, None);
        loop {
            let asked = tokio::select! {
                _ = times.tick() => false,
                Some(()) = hangup.recv() => true,
            };
            let stamps = Stamps::read(&self.files);
            // Two files are never replaced at the same moment: they are read when one check found no further change.
            if asked || (stamps != self.stamps && stamps == seen) {
                self.stamps = stamps;
                self.read();
                warned = None;
            }
            seen = stamps;
            self.warn_of_expiry(&mut warned);
        }
    }

    /// Uses the certificate of the files, or logs why the previous one is kept.
    fn read(&mut self) {
        match read(&self.files) {
            Ok((new, _)) => {
                self.tls.replace(new.clone());
                self.certificate = new;
                let trace_id = self.record(EventKind::CertificateReplaced);
                tracing::info!(trace_id, "the certificate was replaced");
            }
            Err(error) => {
                let trace_id = self.record(EventKind::CertificateRefused);
                tracing::error!(trace_id, reason = %Causes(&error), "the new certificate cannot be used; the previous one is kept");
            }
        }
    }

    fn warn_of_expiry(&self, warned: &mut Option<Timestamp>) {
        let now = self.clock.now();
        if warned.is_some_and(|warned| warned.is_within(WARN_INTERVAL, now)) {
            return;
        }
        if let Some(sentence) = validity(&self.certificate, now) {
            *warned = Some(now);
            let trace_id = self.record(EventKind::CertificateEnds);
            tracing::warn!(trace_id, "{sentence}");
        }
    }

    /// Records an event with a new trace id, by which the reason is found in the log.
    fn record(&self, kind: EventKind) -> String {
        let trace_id = hex::encode(self.entropy.seed().bytes::<16>("trace id"));
        let now = self.clock.now();
        self.events.record(now, &trace_id, &Event::new(kind));
        trace_id
    }
}

//! The watch over the certificate's files: a new certificate is taken without a restart, a broken one is told of once.

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
use crate::config;

const LOOKED_EVERY: Duration = Duration::from_secs(2);
/// How often an operator is told that the certificate ends.
const TOLD_EVERY: Duration = Duration::from_secs(24 * 60 * 60);

/// Looks at the files of the certificate, and replaces it when they change.
pub struct Watch {
    /// What the server speaks with.
    pub tls: Arc<Tls>,
    /// Its files.
    pub files: config::Tls,
    /// The certificate that was read last.
    pub certificate: Certificate,
    /// What the files were then.
    pub stamps: Stamps,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// For the trace ids of events.
    pub entropy: Arc<dyn Entropy>,
    /// Where events go.
    pub events: Arc<dyn EventSink>,
}

/// What tells the files of certificate and key from others of the same names.
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
    /// Of the files that are there now.
    #[must_use]
    pub fn of(files: &config::Tls) -> Self {
        // What a name leads to, so that a link that points elsewhere is another file.
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
    /// Looks every two seconds, and whenever `hangup` says so.
    pub async fn run(mut self, mut hangup: Signal) {
        let mut times = interval(LOOKED_EVERY);
        times.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut seen, mut told) = (self.stamps, None);
        loop {
            let asked = tokio::select! {
                _ = times.tick() => false,
                Some(()) = hangup.recv() => true,
            };
            let stamps = Stamps::of(&self.files);
            // Two files do not change at once: they are read when they have stayed the same for one look.
            if asked || (stamps != self.stamps && stamps == seen) {
                self.stamps = stamps;
                self.read();
                told = None;
            }
            seen = stamps;
            self.tell_validity(&mut told);
        }
    }

    /// Takes the certificate that the files hold now, or keeps the one before and says why.
    fn read(&mut self) {
        match read(&self.files) {
            Ok((new, _)) => {
                self.tls.replace(new.clone());
                self.certificate = new;
                let trace_id = self.tell(EventKind::CertificateReplaced);
                tracing::info!(trace_id, "the certificate is replaced");
            }
            Err(error) => {
                let trace_id = self.tell(EventKind::CertificateRefused);
                tracing::error!(trace_id, reason = %error, "the new certificate is refused, and the one before kept");
            }
        }
    }

    fn tell_validity(&self, told: &mut Option<Timestamp>) {
        let now = self.clock.now();
        if told.is_some_and(|told| now.since(told) < TOLD_EVERY) {
            return;
        }
        if let Some(sentence) = validity(&self.certificate, now) {
            *told = Some(now);
            let trace_id = self.tell(EventKind::CertificateEnds);
            tracing::warn!(trace_id, "{sentence}");
        }
    }

    /// Records an event, with a trace id of its own, by which its reason is found in the log.
    fn tell(&self, kind: EventKind) -> String {
        let trace_id = hex::encode(self.entropy.seed().bytes::<16>("trace id"));
        let now = self.clock.now();
        self.events.record(now, &trace_id, &Event::new(kind));
        trace_id
    }
}

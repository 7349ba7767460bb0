//! The figures that were measured, and the rows of the report.

use std::collections::BTreeMap;

use crate::load::Load;

/// A row of the report: one kind of request, or a floor.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) connections: usize,
    /// The row of the bare handler that it is compared with.
    pub(crate) floor: &'static str,
    /// The signatures that the request needs.
    pub(crate) signatures: &'static [&'static str],
    /// The aim: at most so many times floor and signatures.
    pub(crate) aim: Option<f64>,
}

/// Connections of most cases.
pub(crate) const CONNECTIONS: usize = 8;
/// Connections over which many devices begin at the same time.
pub(crate) const WRITERS: usize = 64;

/// The bare handler, which gets a form.
pub(crate) const FLOOR_FORM: &str = "floor: a form";
/// The same, over `WRITERS` connections.
pub(crate) const FLOOR_WRITERS: &str = "floor: a form, 64 connections";
/// The bare handler, which returns a document.
pub(crate) const FLOOR_DOCUMENT: &str = "floor: a document";

const fn row(name: &'static str, signatures: &'static [&'static str], aim: Option<f64>) -> Row {
    Row {
        name,
        connections: CONNECTIONS,
        floor: FLOOR_FORM,
        signatures,
        aim,
    }
}

/// In the order of the table.
pub(crate) const ROWS: &[Row] = &[
    row("client_credentials, ES256", &["ES256"], Some(1.5)),
    row("client_credentials, EdDSA", &["EdDSA"], Some(1.5)),
    row("client_credentials, RS256", &["RS256"], Some(1.5)),
    row("client_credentials, sealed", &[], Some(1.5)),
    row("poll, pending", &[], Some(1.5)),
    row("poll, too fast", &[], Some(1.5)),
    row("device_authorization", &[], None),
    Row {
        name: "device_authorization, 64 writers",
        connections: WRITERS,
        floor: FLOOR_WRITERS,
        signatures: &[],
        aim: Some(4.0),
    },
    row("redeem", &["ES256"], None),
    row("redeem with ID token", &["ES256", "RS256"], None),
    row("refresh", &["ES256"], None),
    // Of a token that comes again, the signature was verified.
    row("introspect, a machine's token", &[], Some(3.5)),
    row("introspect, a user's token", &[], Some(5.5)),
    row("token exchange", &["ES256"], None),
    row("exchange of an ID token", &["ES256"], None),
    Row {
        floor: FLOOR_DOCUMENT,
        ..row("authorize with id_token_hint", &[], None)
    },
    Row {
        floor: FLOOR_DOCUMENT,
        ..row("userinfo", &[], None)
    },
    Row {
        floor: FLOOR_DOCUMENT,
        ..row("userinfo, by a script", &[], None)
    },
    Row {
        floor: FLOOR_DOCUMENT,
        ..row("JWKS", &[], None)
    },
    row(FLOOR_FORM, &[], None),
    Row {
        name: FLOOR_WRITERS,
        connections: WRITERS,
        floor: FLOOR_WRITERS,
        signatures: &[],
        aim: None,
    },
    Row {
        floor: FLOOR_DOCUMENT,
        ..row(FLOOR_DOCUMENT, &[], None)
    },
];

/// Everything that a run measured.
#[derive(Default)]
pub(crate) struct Results {
    /// The profile with which the server was built.
    pub(crate) profile: String,
    pub(crate) rounds: Rounds,
    /// The best figure of each signature, in microseconds.
    pub(crate) signatures: BTreeMap<String, f64>,
    pub(crate) memory: Option<Memory>,
    pub(crate) growth: Vec<Level>,
    pub(crate) managed: Vec<ManagedLevel>,
}

/// The loads of each case.
#[derive(Default)]
pub(crate) struct Rounds(BTreeMap<&'static str, Vec<Load>>);

impl Rounds {
    pub(crate) fn add(&mut self, case: &'static str, load: Load) {
        self.0.entry(case).or_default().push(load);
    }

    /// CPU time of one request in microseconds: the best round, and the median.
    pub(crate) fn cpu_us(&self, case: &str) -> Option<(f64, f64)> {
        let mut all: Vec<f64> = self.0.get(case)?.iter().map(Load::cpu_us).collect();
        all.sort_unstable_by(f64::total_cmp);
        Some((*all.first()?, *all.get(all.len() / 2)?))
    }

    /// The round with the most requests per second.
    pub(crate) fn fastest(&self, case: &str) -> Option<&Load> {
        let rate = |a: &&Load, b: &&Load| a.per_second().total_cmp(&b.per_second());
        self.0.get(case)?.iter().max_by(rate)
    }
}

impl Results {
    /// Floor and signatures of a row, in microseconds.
    pub(crate) fn least_us(&self, row: &Row) -> Option<(f64, f64)> {
        let (floor, _) = self.rounds.cpu_us(row.floor)?;
        let signatures = row.signatures.iter();
        let signatures: Option<f64> = signatures.map(|name| self.signatures.get(*name)).sum();
        Some((floor, signatures?))
    }
}

/// Sizes in bytes, times in milliseconds.
#[derive(Default)]
pub(crate) struct Memory {
    pub(crate) devices: u32,
    /// Resident memory, and the part of it that is not backed by files.
    pub(crate) idle: (f64, f64),
    pub(crate) with_devices: (f64, f64),
    /// After each device has polled once.
    pub(crate) with_polled: (f64, f64),
    /// Start to first answer, time and CPU time: when keys must be generated, with keys, and with the pending devices.
    pub(crate) first_start_ms: (f64, f64),
    pub(crate) start_ms: (f64, f64),
    pub(crate) start_with_devices_ms: (f64, f64),
    pub(crate) store_of_devices: f64,
}

/// What requests cost while the store holds so many grants.
pub(crate) struct Level {
    pub(crate) grants: u32,
    pub(crate) store_of_grants: f64,
    pub(crate) rounds: Rounds,
}

/// What a server costs while so many clients and users are managed.
pub(crate) struct ManagedLevel {
    pub(crate) count: u32,
    pub(crate) rounds: Rounds,
    /// Start to first answer, time and CPU time in milliseconds.
    pub(crate) start_ms: (f64, f64),
    /// Resident memory in bytes, and the part of it that is not backed by files.
    pub(crate) idle: (f64, f64),
}

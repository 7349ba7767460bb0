//! What was measured: which cases there are, and the best of their rounds.

use std::collections::BTreeMap;

use crate::load::Load;

/// One kind of request.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) connections: usize,
    /// The case of the bare handler that it is compared with.
    pub(crate) floor: &'static str,
    /// The signatures that it cannot do without.
    pub(crate) signatures: &'static [&'static str],
    /// At most so many times floor and signatures.
    pub(crate) aim: Option<f64>,
}

/// How many ask at once, where nothing else is said.
pub(crate) const CONNECTIONS: usize = 8;
/// How many devices begin at once.
pub(crate) const WRITERS: usize = 64;

/// The bare handler, asked with a form.
pub(crate) const FLOOR_FORM: &str = "floor: a form";
/// The same, from as many connections as there are writers.
pub(crate) const FLOOR_WRITERS: &str = "floor: a form, 64 connections";
/// The bare handler, asked for a document.
pub(crate) const FLOOR_DOCUMENT: &str = "floor: a document";

const fn case(name: &'static str, signatures: &'static [&'static str], aim: Option<f64>) -> Case {
    Case {
        name,
        connections: CONNECTIONS,
        floor: FLOOR_FORM,
        signatures,
        aim,
    }
}

/// In the order of the table.
pub(crate) const CASES: &[Case] = &[
    case("client_credentials, ES256", &["ES256"], Some(1.5)),
    case("client_credentials, EdDSA", &["EdDSA"], Some(1.5)),
    case("client_credentials, RS256", &["RS256"], Some(1.5)),
    case("client_credentials, sealed", &[], Some(1.5)),
    case("poll, pending", &[], Some(1.5)),
    case("poll, too fast", &[], Some(1.5)),
    case("device_authorization", &[], None),
    Case {
        name: "device_authorization, 64 writers",
        connections: WRITERS,
        floor: FLOOR_WRITERS,
        signatures: &[],
        aim: Some(4.0),
    },
    case("redeem", &["ES256"], None),
    case("redeem with ID token", &["ES256", "RS256"], None),
    case("refresh", &["ES256"], None),
    case("introspect, a machine's token", &["ES256 verified"], None),
    case("introspect, a user's token", &["ES256 verified"], None),
    case("token exchange", &["ES256 verified", "ES256"], None),
    Case {
        floor: FLOOR_DOCUMENT,
        ..case("userinfo", &["ES256 verified"], None)
    },
    Case {
        floor: FLOOR_DOCUMENT,
        ..case("JWKS", &[], None)
    },
    case(FLOOR_FORM, &[], None),
    Case {
        name: FLOOR_WRITERS,
        connections: WRITERS,
        floor: FLOOR_WRITERS,
        signatures: &[],
        aim: None,
    },
    Case {
        floor: FLOOR_DOCUMENT,
        ..case(FLOOR_DOCUMENT, &[], None)
    },
];

/// All that a run measured.
#[derive(Default)]
pub(crate) struct Results {
    /// The profile with which the server was built.
    pub(crate) profile: String,
    pub(crate) rounds: Rounds,
    /// The least of each signature, in microseconds.
    pub(crate) signatures: BTreeMap<String, f64>,
    pub(crate) memory: Option<Memory>,
    pub(crate) growth: Vec<Level>,
}

/// The loads of each case.
#[derive(Default)]
pub(crate) struct Rounds(BTreeMap<&'static str, Vec<Load>>);

impl Rounds {
    pub(crate) fn add(&mut self, case: &'static str, load: Load) {
        self.0.entry(case).or_default().push(load);
    }

    /// CPU time of one request in microseconds: the least of the rounds, and their median.
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
    /// Floor and signatures of a case, in microseconds.
    pub(crate) fn least_us(&self, case: &Case) -> Option<(f64, f64)> {
        let (floor, _) = self.rounds.cpu_us(case.floor)?;
        let signatures = case.signatures.iter();
        let signatures: Option<f64> = signatures.map(|name| self.signatures.get(*name)).sum();
        Some((floor, signatures?))
    }
}

/// Sizes in bytes, times in milliseconds.
#[derive(Default)]
pub(crate) struct Memory {
    pub(crate) devices: u32,
    /// Resident memory, and the part of it that is no file's.
    pub(crate) idle: (f64, f64),
    pub(crate) with_devices: (f64, f64),
    /// After each device has polled once.
    pub(crate) with_polled: (f64, f64),
    /// Start to first answer: time and CPU time, where keys must be made, with keys, and with the devices waiting.
    pub(crate) first_start_ms: (f64, f64),
    pub(crate) start_ms: (f64, f64),
    pub(crate) start_with_devices_ms: (f64, f64),
    pub(crate) store_of_devices: f64,
}

/// What requests cost beside so many grants.
pub(crate) struct Level {
    pub(crate) grants: u32,
    pub(crate) store_of_grants: f64,
    pub(crate) rounds: Rounds,
}

//! What is counted of requests, in a fixed number of atomics: counting one costs a clock and four additions, no lock
//! and no allocation.

use std::array;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use grantor_core::base::error::ErrorCode;
use grantor_core::model::endpoint::Endpoint;
use http::StatusCode;

/// What a request is for, below the `prefix` of the issuer. Paths are not counted as they come: anyone can make up
/// others, and these are all one.
pub(crate) fn endpoint_of(path: &str, prefix: &str) -> Option<Endpoint> {
    let path = path.strip_prefix(prefix).unwrap_or(path);
    Endpoint::from_path(path).or_else(|| {
        // Of an issuer with a path, that stands after the document's.
        let metadata = Endpoint::OauthAuthorizationServer;
        path.starts_with(metadata.path()).then_some(metadata)
    })
}

/// The name in metrics of what is no endpoint: styles, and what is not there.
const OTHER: &str = "other";

/// The label of a request.
#[cfg(feature = "spans")]
pub(crate) fn label(endpoint: Option<Endpoint>) -> &'static str {
    endpoint.map_or(OTHER, Endpoint::label)
}

/// The place of an endpoint's counters; the last one is of what is no endpoint.
fn place(endpoint: Option<Endpoint>) -> usize {
    endpoint.map_or(Endpoint::ALL.len(), |endpoint| endpoint as usize)
}

/// The statuses that we answer with; 0 stands for any other.
const STATUSES: [u16; 15] = [
    200, 302, 303, 304, 400, 401, 403, 404, 405, 408, 413, 429, 500, 503, 0,
];

/// The upper bounds of the buckets of latencies, in microseconds. Above the last there is one more bucket.
pub const BOUNDS: [u64; 14] = [
    100, 250, 500, 1000, 2500, 5000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000,
    5_000_000,
];
const BUCKETS: usize = BOUNDS.len() + 1;

/// The counters of one application.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    endpoints: [OfEndpoint; Endpoint::ALL.len() + 1],
    refusals: [AtomicU64; ErrorCode::ALL.len()],
}

#[derive(Debug)]
struct OfEndpoint {
    statuses: [AtomicU64; STATUSES.len()],
    latencies: [AtomicU64; BUCKETS],
    micros: AtomicU64,
}

impl Default for OfEndpoint {
    fn default() -> Self {
        Self {
            statuses: array::from_fn(|_| AtomicU64::new(0)),
            latencies: array::from_fn(|_| AtomicU64::new(0)),
            micros: AtomicU64::new(0),
        }
    }
}

impl Metrics {
    /// Counts a request that was answered.
    pub(crate) fn answered(&self, endpoint: Option<Endpoint>, status: StatusCode, took: Duration) {
        let counts = &self.endpoints[place(endpoint)];
        let known = STATUSES.iter().position(|known| *known == status.as_u16());
        add(&counts.statuses[known.unwrap_or(STATUSES.len() - 1)], 1);
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        add(
            &counts.latencies[BOUNDS.partition_point(|bound| *bound < micros)],
            1,
        );
        add(&counts.micros, micros);
    }

    /// Counts an answer with an error code.
    pub(crate) fn refused(&self, code: ErrorCode) {
        add(&self.refusals[code.index()], 1);
    }

    /// What was counted so far.
    pub(crate) fn read(&self) -> Figures {
        let mut labels: Vec<&'static str> = Endpoint::ALL.map(Endpoint::label).to_vec();
        labels.push(OTHER);
        let mut of_labels: Vec<(&'static str, [u64; STATUSES.len()], Latencies)> = Vec::new();
        for (label, counts) in labels.into_iter().zip(&self.endpoints) {
            let known = of_labels.iter().position(|(known, ..)| *known == label);
            let place = known.unwrap_or_else(|| {
                of_labels.push((label, Default::default(), Latencies::default()));
                of_labels.len() - 1
            });
            let (_, statuses, latencies) = &mut of_labels[place];
            for (sum, count) in statuses.iter_mut().zip(&counts.statuses) {
                *sum += get(count);
            }
            for (sum, count) in latencies.buckets.iter_mut().zip(&counts.latencies) {
                *sum += get(count);
            }
            latencies.sum += Duration::from_micros(get(&counts.micros));
        }
        let requests = of_labels.iter().flat_map(|(label, statuses, _)| {
            let statuses = STATUSES.iter().zip(statuses);
            statuses.map(|(status, count)| (*label, *status, *count))
        });
        let requests: Vec<_> = requests.filter(|(_, _, count)| *count > 0).collect();
        let latencies = of_labels
            .into_iter()
            .map(|(label, _, latencies)| (label, latencies));
        let refusals = ErrorCode::ALL.iter().zip(&self.refusals);
        Figures {
            requests,
            latencies: latencies
                .filter(|(_, latencies)| latencies.count() > 0)
                .collect(),
            refusals: refusals.map(|(code, count)| (*code, get(count))).collect(),
        }
    }
}

fn add(counter: &AtomicU64, n: u64) {
    counter.fetch_add(n, Ordering::Relaxed);
}

fn get(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

/// What was counted of requests since the start.
#[derive(Clone, Debug)]
pub struct Figures {
    /// Answered requests, by the label of their endpoint and HTTP status; the status 0 stands for any that is not usual. Those that
    /// never came are left out.
    pub requests: Vec<(&'static str, u16, u64)>,
    /// How long they took, from their head to the head of the answer.
    pub latencies: Vec<(&'static str, Latencies)>,
    /// Answers with an error code.
    pub refusals: Vec<(ErrorCode, u64)>,
}

/// How long requests took.
#[derive(Clone, Debug, Default)]
pub struct Latencies {
    /// How many took longer than the bound before and not longer than this one of [`BOUNDS`]; the last, longer than all.
    pub buckets: [u64; BUCKETS],
    /// All together.
    pub sum: Duration,
}

impl Latencies {
    /// How many there were.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_anyone_makes_up_are_no_endpoint() {
        assert_eq!(endpoint_of("/oauth2/token", ""), Some(Endpoint::Token));
        assert_eq!(
            endpoint_of("/id/oauth2/token", "/id"),
            Some(Endpoint::Token)
        );
        let metadata = "/.well-known/oauth-authorization-server/id";
        assert_eq!(
            endpoint_of(metadata, "/id"),
            Some(Endpoint::OauthAuthorizationServer)
        );
        for other in ["/oauth2/token/1", "/account/1", "/wp-login.php", "*", ""] {
            assert_eq!(endpoint_of(other, ""), None, "{other}");
        }
    }

    #[test]
    fn endpoints_of_one_label_are_counted_together() {
        let metrics = Metrics::default();
        for endpoint in [
            Some(Endpoint::Account),
            Some(Endpoint::AccountApp),
            Some(Endpoint::Home),
            None,
        ] {
            metrics.answered(endpoint, StatusCode::OK, Duration::ZERO);
        }
        let figures = metrics.read();
        assert_eq!(figures.requests, [("account", 200, 2), ("other", 200, 2)]);
        let counts = figures
            .latencies
            .iter()
            .map(|(label, it)| (*label, it.count()));
        assert_eq!(counts.collect::<Vec<_>>(), [("account", 2), ("other", 2)]);
    }

    #[test]
    fn a_latency_is_in_the_bucket_whose_bound_it_does_not_exceed() {
        let metrics = Metrics::default();
        for micros in [0, 100, 101, 5_000_000, 5_000_001] {
            let took = Duration::from_micros(micros);
            metrics.answered(Some(Endpoint::Token), StatusCode::OK, took);
        }
        metrics.answered(
            Some(Endpoint::Token),
            StatusCode::IM_A_TEAPOT,
            Duration::ZERO,
        );
        let figures = metrics.read();
        let [("token", latencies)] = &figures.latencies[..] else {
            panic!("{figures:?}");
        };
        let buckets = latencies.buckets;
        assert_eq!(
            (buckets[0], buckets[1], buckets[13], buckets[14]),
            (3, 1, 1, 1)
        );
        assert_eq!(figures.requests, [("token", 200, 5), ("token", 0, 1)]);
    }
}

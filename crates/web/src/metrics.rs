//! Request metrics in a fixed number of atomics: one request costs a clock read and four additions, without locks or
//! allocations.

use std::array;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use grantor_core::base::error::ErrorCode;
use grantor_core::model::endpoint::Endpoint;
use http::StatusCode;

/// The endpoint at a path below the issuer's `prefix`. Unknown paths are counted together, since clients can invent any
/// number of them.
pub(crate) fn endpoint_for_path(path: &str, prefix: &str) -> Option<Endpoint> {
    let path = path.strip_prefix(prefix).unwrap_or(path);
    let below = |parent: Endpoint| path.starts_with(parent.path()).then_some(parent);
    Endpoint::from_path(path)
        // RFC 8414 section 3.1: the path of the issuer follows that of the document.
        .or_else(|| below(Endpoint::OauthAuthorizationServer))
        .or_else(|| below(Endpoint::Account).filter(|_| path.starts_with("/account/")))
}

/// The label for assets and unknown paths.
const OTHER: &str = "other";

pub(crate) fn label(endpoint: Option<Endpoint>) -> &'static str {
    endpoint.map_or(OTHER, Endpoint::label)
}

/// The last index is for requests without an endpoint.
fn index(endpoint: Option<Endpoint>) -> usize {
    endpoint.map_or(Endpoint::ALL.len(), |endpoint| endpoint as usize)
}

/// The statuses that the server answers with; 0 stands for any other.
const STATUSES: [u16; 22] = [
    200, 201, 204, 302, 303, 304, 400, 401, 403, 404, 405, 408, 409, 412, 413, 415, 422, 428, 429,
    500, 503, 0,
];

/// The upper bounds of the latency buckets, in microseconds. One more bucket is for longer ones.
pub const LATENCY_BOUNDS_MICROS: [u64; 14] = [
    100, 250, 500, 1000, 2500, 5000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000,
    5_000_000,
];
const BUCKETS: usize = LATENCY_BOUNDS_MICROS.len() + 1;

#[derive(Debug, Default)]
pub(crate) struct Metrics {
    endpoints: [EndpointCounters; Endpoint::ALL.len() + 1],
    refusals: [AtomicU64; ErrorCode::ALL.len()],
}

#[derive(Debug)]
struct EndpointCounters {
    statuses: [AtomicU64; STATUSES.len()],
    latencies: [AtomicU64; BUCKETS],
    micros: AtomicU64,
}

impl Default for EndpointCounters {
    fn default() -> Self {
        Self {
            statuses: array::from_fn(|_| AtomicU64::new(0)),
            latencies: array::from_fn(|_| AtomicU64::new(0)),
            micros: AtomicU64::new(0),
        }
    }
}

impl Metrics {
    pub(crate) fn record_response(
        &self,
        endpoint: Option<Endpoint>,
        status: StatusCode,
        took: Duration,
    ) {
        let counters = &self.endpoints[index(endpoint)];
        let position = STATUSES.iter().position(|known| *known == status.as_u16());
        add(
            &counters.statuses[position.unwrap_or(STATUSES.len() - 1)],
            1,
        );
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        add(
            &counters.latencies[LATENCY_BOUNDS_MICROS.partition_point(|bound| *bound < micros)],
            1,
        );
        add(&counters.micros, micros);
    }

    pub(crate) fn record_error(&self, code: ErrorCode) {
        add(&self.refusals[code.index()], 1);
    }

    /// Endpoints with the same label are added up.
    pub(crate) fn snapshot(&self) -> MetricsSnapshot {
        let mut labels: Vec<&'static str> = Endpoint::ALL.map(Endpoint::label).to_vec();
        labels.push(OTHER);
        let mut by_label: Vec<(&'static str, [u64; STATUSES.len()], Latencies)> = Vec::new();
        for (label, counters) in labels.into_iter().zip(&self.endpoints) {
            let position = by_label.iter().position(|(known, ..)| *known == label);
            let index = position.unwrap_or_else(|| {
                by_label.push((label, Default::default(), Latencies::default()));
                by_label.len() - 1
            });
            let (_, statuses, latencies) = &mut by_label[index];
            for (sum, count) in statuses.iter_mut().zip(&counters.statuses) {
                *sum += get(count);
            }
            for (sum, count) in latencies.buckets.iter_mut().zip(&counters.latencies) {
                *sum += get(count);
            }
            latencies.sum += Duration::from_micros(get(&counters.micros));
        }
        let requests = by_label.iter().flat_map(|(label, statuses, _)| {
            let statuses = STATUSES.iter().zip(statuses);
            statuses.map(|(status, count)| (*label, *status, *count))
        });
        let requests: Vec<_> = requests.filter(|(_, _, count)| *count > 0).collect();
        let latencies = by_label
            .into_iter()
            .map(|(label, _, latencies)| (label, latencies));
        let refusals = ErrorCode::ALL.iter().zip(&self.refusals);
        MetricsSnapshot {
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

/// Counts since the start.
#[derive(Clone, Debug)]
pub struct MetricsSnapshot {
    /// The number of responses by label and HTTP status; the status 0 stands for any unusual one. Zero counts are left
    /// out.
    pub requests: Vec<(&'static str, u16, u64)>,
    /// By label, from the headers of the request to those of the response.
    pub latencies: Vec<(&'static str, Latencies)>,
    /// The number of responses with each error code.
    pub refusals: Vec<(ErrorCode, u64)>,
}

#[derive(Clone, Debug, Default)]
pub struct Latencies {
    /// Requests above the previous bound of [`LATENCY_BOUNDS_MICROS`] and up to this one; the last bucket has no bound.
    pub buckets: [u64; BUCKETS],
    pub sum: Duration,
}

impl Latencies {
    #[must_use]
    pub fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_paths_are_not_endpoints() {
        assert_eq!(
            endpoint_for_path("/oauth2/token", ""),
            Some(Endpoint::Token)
        );
        assert_eq!(
            endpoint_for_path("/id/oauth2/token", "/id"),
            Some(Endpoint::Token)
        );
        let metadata = "/.well-known/oauth-authorization-server/id";
        assert_eq!(
            endpoint_for_path(metadata, "/id"),
            Some(Endpoint::OauthAuthorizationServer)
        );
        for other in ["/oauth2/token/1", "/accounts", "/wp-login.php", "*", ""] {
            assert_eq!(endpoint_for_path(other, ""), None, "{other}");
        }
    }

    #[test]
    fn endpoints_with_the_same_label_are_counted_together() {
        let metrics = Metrics::default();
        for endpoint in [
            Some(Endpoint::Account),
            Some(Endpoint::AccountApp),
            Some(Endpoint::Home),
            None,
        ] {
            metrics.record_response(endpoint, StatusCode::OK, Duration::ZERO);
        }
        let snapshot = metrics.snapshot();
        assert_eq!(snapshot.requests, [("account", 200, 2), ("other", 200, 2)]);
        let counts = snapshot
            .latencies
            .iter()
            .map(|(label, latencies)| (*label, latencies.count()));
        assert_eq!(counts.collect::<Vec<_>>(), [("account", 2), ("other", 2)]);
    }

    #[test]
    fn a_latency_falls_into_the_first_bucket_whose_bound_it_does_not_exceed() {
        let metrics = Metrics::default();
        for micros in [0, 100, 101, 5_000_000, 5_000_001] {
            let took = Duration::from_micros(micros);
            metrics.record_response(Some(Endpoint::Token), StatusCode::OK, took);
        }
        metrics.record_response(
            Some(Endpoint::Token),
            StatusCode::IM_A_TEAPOT,
            Duration::ZERO,
        );
        let snapshot = metrics.snapshot();
        let [("token", latencies)] = &snapshot.latencies[..] else {
            panic!("{snapshot:?}");
        };
        let buckets = latencies.buckets;
        assert_eq!(
            (buckets[0], buckets[1], buckets[13], buckets[14]),
            (3, 1, 1, 1)
        );
        assert_eq!(snapshot.requests, [("token", 200, 5), ("token", 0, 1)]);
    }
}

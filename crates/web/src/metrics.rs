//! What is counted of requests, in a fixed number of atomics: counting one costs a clock and four additions, no lock
//! and no allocation.

use std::array;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use grantor_core::base::error::ErrorCode;
use grantor_core::model::endpoint::path;
use http::StatusCode;

/// What a request was for. Paths are not counted as they come: anybody can make up others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// RFC 6749 section 3.1.
    Authorize,
    /// RFC 6749 section 3.2.
    Token,
    /// RFC 8628 section 3.1.
    DeviceAuthorization,
    /// RFC 7662.
    Introspect,
    /// RFC 7009.
    Revoke,
    /// OpenID Connect Core section 5.3.
    Userinfo,
    /// RFC 8414 and OpenID Connect Discovery.
    Metadata,
    /// RFC 7517 section 5.
    Jwks,
    /// Where a user code is typed.
    Device,
    /// Approve or deny.
    DeviceDecision,
    /// What a user says to a client's request.
    Consent,
    /// Sign-in.
    Login,
    /// OpenID Connect RP-Initiated Logout section 2.
    EndSession,
    /// Sign-out.
    Logout,
    /// What a user sees of their account, and takes back.
    Account,
    /// `/healthz` and `/readyz`.
    Health,
    /// All others: the start page, styles, what is not there.
    Other,
}

impl Endpoint {
    /// All of them, in their order.
    pub const ALL: [Self; 17] = [
        Self::Authorize,
        Self::Token,
        Self::DeviceAuthorization,
        Self::Introspect,
        Self::Revoke,
        Self::Userinfo,
        Self::Metadata,
        Self::Jwks,
        Self::Device,
        Self::DeviceDecision,
        Self::Consent,
        Self::Login,
        Self::EndSession,
        Self::Logout,
        Self::Account,
        Self::Health,
        Self::Other,
    ];

    /// Its name in metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Authorize => "authorize",
            Self::Token => "token",
            Self::DeviceAuthorization => "device_authorization",
            Self::Introspect => "introspect",
            Self::Revoke => "revoke",
            Self::Userinfo => "userinfo",
            Self::Metadata => "metadata",
            Self::Jwks => "jwks",
            Self::Device => "device",
            Self::DeviceDecision => "device_decision",
            Self::Consent => "consent",
            Self::Login => "login",
            Self::EndSession => "end_session",
            Self::Logout => "logout",
            Self::Account => "account",
            Self::Health => "health",
            Self::Other => "other",
        }
    }

    /// Its path below the issuer's, the first one where it has two; none of [`Self::Health`] and [`Self::Other`], which have several.
    #[cfg(feature = "spans")]
    #[must_use]
    pub const fn route(self) -> Option<&'static str> {
        Some(match self {
            Self::Authorize => path::AUTHORIZE,
            Self::Token => path::TOKEN,
            Self::DeviceAuthorization => path::DEVICE_AUTHORIZATION,
            Self::Introspect => path::INTROSPECT,
            Self::Revoke => path::REVOKE,
            Self::Userinfo => path::USERINFO,
            Self::Metadata => path::OPENID_CONFIGURATION,
            Self::Jwks => path::JWKS,
            Self::Device => path::DEVICE,
            Self::DeviceDecision => "/device/decision",
            Self::Consent => "/consent",
            Self::Login => "/login",
            Self::EndSession => path::LOGOUT,
            Self::Logout => "/logout",
            Self::Account => "/account",
            Self::Health | Self::Other => return None,
        })
    }

    /// What a path is for, below the `prefix` of the issuer.
    pub(crate) fn of(request: &str, prefix: &str) -> Self {
        match request.strip_prefix(prefix).unwrap_or(request) {
            path::AUTHORIZE => Self::Authorize,
            path::TOKEN => Self::Token,
            path::DEVICE_AUTHORIZATION => Self::DeviceAuthorization,
            path::INTROSPECT => Self::Introspect,
            path::REVOKE => Self::Revoke,
            path::USERINFO | "/oauth2/userInfo" => Self::Userinfo,
            path::OPENID_CONFIGURATION => Self::Metadata,
            path::JWKS => Self::Jwks,
            path::DEVICE => Self::Device,
            "/device/decision" => Self::DeviceDecision,
            "/consent" => Self::Consent,
            "/login" => Self::Login,
            path::LOGOUT => Self::EndSession,
            "/logout" => Self::Logout,
            account if account == "/account" || account.starts_with("/account/") => Self::Account,
            "/healthz" | "/readyz" => Self::Health,
            // Of an issuer with a path, it stands after the document's.
            other if other.starts_with(path::OAUTH_AUTHORIZATION_SERVER) => Self::Metadata,
            _ => Self::Other,
        }
    }
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
    endpoints: [OfEndpoint; Endpoint::ALL.len()],
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
    pub(crate) fn answered(&self, endpoint: Endpoint, status: StatusCode, took: Duration) {
        let counts = &self.endpoints[endpoint as usize];
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
        let counted = |endpoint: &Endpoint| (*endpoint, &self.endpoints[*endpoint as usize]);
        let requests = Endpoint::ALL
            .iter()
            .map(counted)
            .flat_map(|(endpoint, counts)| {
                let statuses = STATUSES.iter().zip(&counts.statuses);
                statuses.map(move |(status, count)| (endpoint, *status, get(count)))
            });
        let latencies = Endpoint::ALL.iter().map(counted).map(|(endpoint, counts)| {
            let latencies = Latencies {
                buckets: counts.latencies.each_ref().map(get),
                sum: Duration::from_micros(get(&counts.micros)),
            };
            (endpoint, latencies)
        });
        let refusals = ErrorCode::ALL.iter().zip(&self.refusals);
        Figures {
            requests: requests.filter(|(_, _, count)| *count > 0).collect(),
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
    /// Answered requests, by endpoint and HTTP status; the status 0 stands for any that is not usual. Those that
    /// never came are left out.
    pub requests: Vec<(Endpoint, u16, u64)>,
    /// How long they took, from their head to the head of the answer.
    pub latencies: Vec<(Endpoint, Latencies)>,
    /// Answers with an error code.
    pub refusals: Vec<(ErrorCode, u64)>,
}

/// How long requests took.
#[derive(Clone, Debug)]
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
    fn each_endpoint_has_the_place_of_its_number() {
        for (at, endpoint) in Endpoint::ALL.iter().enumerate() {
            assert_eq!(*endpoint as usize, at);
        }
    }

    #[test]
    fn paths_that_anybody_makes_up_are_one_endpoint() {
        assert_eq!(Endpoint::of("/oauth2/token", ""), Endpoint::Token);
        assert_eq!(Endpoint::of("/id/oauth2/token", "/id"), Endpoint::Token);
        let metadata = "/.well-known/oauth-authorization-server/id";
        assert_eq!(Endpoint::of(metadata, "/id"), Endpoint::Metadata);
        for other in ["/", "/oauth2/token/1", "/wp-login.php", "*", ""] {
            assert_eq!(Endpoint::of(other, ""), Endpoint::Other, "{other}");
        }
    }

    #[test]
    fn a_latency_is_in_the_bucket_whose_bound_it_does_not_exceed() {
        let metrics = Metrics::default();
        for micros in [0, 100, 101, 5_000_000, 5_000_001] {
            let took = Duration::from_micros(micros);
            metrics.answered(Endpoint::Token, StatusCode::OK, took);
        }
        metrics.answered(Endpoint::Token, StatusCode::IM_A_TEAPOT, Duration::ZERO);
        let figures = metrics.read();
        let [(Endpoint::Token, latencies)] = &figures.latencies[..] else {
            panic!("{figures:?}");
        };
        let buckets = latencies.buckets;
        assert_eq!(
            (buckets[0], buckets[1], buckets[13], buckets[14]),
            (3, 1, 1, 1)
        );
        assert_eq!(
            figures.requests,
            [(Endpoint::Token, 200, 5), (Endpoint::Token, 0, 1)]
        );
    }
}

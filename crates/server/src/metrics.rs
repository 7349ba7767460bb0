//! `/metrics`, for Prometheus, with `/healthz` and `/readyz`, on the listener of `admin_listen`.

use std::fmt;
use std::fs;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use grantor_core::base::error::ErrorCode;
use grantor_core::base::time::Timestamp;
use grantor_jose::KeyState;
use grantor_store::sqlite::{self, Sqlite};
use grantor_web::metrics::{LATENCY_BOUNDS_MICROS, Latencies, MetricsSnapshot};
use grantor_web::{App, Clock as _};
use http::{StatusCode, header};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;

use crate::admin::api::KeyListing;
use crate::key_ring::KeyRing;
use crate::realm_owner::RealmOwner;
use crate::system::SystemClock;

pub struct Sources {
    pub app: Arc<App>,
    pub owner: Arc<RealmOwner>,
    pub keys: Arc<KeyRing>,
    /// Its store, unless it is in memory.
    pub sqlite: Option<Arc<Sqlite>>,
    pub started: Timestamp,
}

/// The routes of `admin_listen`.
pub fn router(sources: Arc<Sources>) -> Router {
    let probes = grantor_web::probes(Arc::clone(&sources.app));
    Router::new()
        .route("/metrics", get(metrics))
        .with_state(sources)
        .merge(probes)
}

async fn metrics(State(sources): State<Arc<Sources>>) -> Response {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(sources.read().await));
    let mut text = String::new();
    match encode(&mut text, &registry) {
        Ok(()) => {
            let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            ([(header::CONTENT_TYPE, kind)], text).into_response()
        }
        Err(fmt::Error) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

impl Sources {
    async fn read(&self) -> Reading {
        Reading {
            figures: self.app.request_metrics(),
            pending: self.app.pending_devices(),
            keys: self.keys.list().await,
            store: self.sqlite.as_ref().map(|store| store.figures()),
            started: self.started,
            configured: self.owner.read_at(),
            now: SystemClock.now(),
            resident: resident_bytes(),
        }
    }
}

/// All figures at one moment.
#[derive(Debug)]
struct Reading {
    figures: MetricsSnapshot,
    pending: u32,
    keys: KeyListing,
    store: Option<sqlite::Figures>,
    started: Timestamp,
    configured: Timestamp,
    now: Timestamp,
    resident: Option<u64>,
}

impl Collector for Reading {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut out = Out(encoder);
        self.requests(&mut out)?;
        self.devices(&mut out)?;
        self.store(&mut out)?;
        self.keys(&mut out)?;
        self.process(&mut out)
    }
}

impl Reading {
    fn requests(&self, out: &mut Out<'_>) -> fmt::Result {
        let help =
            "Requests answered, by endpoint and HTTP status; the status 0 stands for unusual ones";
        let mut requests = out.metric("grantor_requests", help, MetricType::Counter)?;
        for (endpoint, status, count) in &self.figures.requests {
            let status = status.to_string();
            let labels = [("endpoint", *endpoint), ("status", &status)];
            counter(requests.encode_family(&labels)?, *count)?;
        }
        let help = "Answers with an error, by its code";
        let mut refusals = out.metric("grantor_refusals", help, MetricType::Counter)?;
        for (code, count) in &self.figures.refusals {
            counter(refusals.encode_family(&[("error", code.name())])?, *count)?;
        }
        let help = "Time from the head of a request to the head of its answer, by endpoint";
        let name = "grantor_request_duration_seconds";
        let mut durations = out.metric(name, help, MetricType::Histogram)?;
        for (endpoint, latencies) in &self.figures.latencies {
            let labels = [("endpoint", *endpoint)];
            histogram(durations.encode_family(&labels)?, latencies)?;
        }
        Ok(())
    }

    fn devices(&self, out: &mut Out<'_>) -> fmt::Result {
        let help = "Device codes that wait for their users, as far as this node counts them";
        out.gauge("grantor_pending_devices", help, f64::from(self.pending))?;
        let of = |code| {
            let mut all = self.figures.refusals.iter();
            all.find(|(counted, _)| *counted == code)
                .map_or(0, |(_, count)| *count)
        };
        let help = "Polls answered authorization_pending: usual";
        let pending = of(ErrorCode::AuthorizationPending);
        out.counter("grantor_authorization_pending", help, pending)?;
        let help = "Polls answered slow_down: devices that hurry";
        out.counter("grantor_slow_down", help, of(ErrorCode::SlowDown))
    }

    fn store(&self, out: &mut Out<'_>) -> fmt::Result {
        let Some(store) = self.store else {
            return Ok(());
        };
        out.counter(
            "grantor_store_commits",
            "Commits carried out",
            store.commits,
        )?;
        let help = "Transactions synced to the disk; grantor_store_commits_total by this is commits per fsync";
        out.counter("grantor_store_syncs", help, store.syncs)?;
        let help = "Commits and sweeps that wait for the writer";
        out.gauge("grantor_store_queue", help, float(store.waiting))
    }

    fn keys(&self, out: &mut Out<'_>) -> fmt::Result {
        let help = "Time since a signing key was made";
        let name = "grantor_signing_key_age_seconds";
        let mut ages = out.metric(name, help, MetricType::Gauge)?;
        for key in &self.keys.keys {
            let (kid, alg) = (key.kid.to_string(), key.alg.to_string());
            let state = match key.state {
                KeyState::Next => "next",
                KeyState::Active => "active",
                KeyState::Retiring => "retiring",
            };
            let labels = [("kid", &*kid), ("alg", &*alg), ("state", state)];
            let age = self.now.since(key.created_at).as_secs_f64();
            ages.encode_family(&labels)?.encode_gauge(&age)?;
        }
        let Some(due) = self.keys.due else {
            return Ok(());
        };
        let help = "When something is next due with the signing keys, in Unix time";
        out.gauge(
            "grantor_signing_keys_due_seconds",
            help,
            float(due.as_secs()),
        )
    }

    fn process(&self, out: &mut Out<'_>) -> fmt::Result {
        let help = "What this server is";
        let mut build = out.metric("grantor_build", help, MetricType::Info)?;
        build.encode_info(&[("version", env!("CARGO_PKG_VERSION"))])?;
        let help = "When the process started, in Unix time";
        out.gauge(
            "process_start_time_seconds",
            help,
            float(self.started.as_secs()),
        )?;
        let help = "When the configuration in use was read, in Unix time";
        out.gauge(
            "grantor_config_last_reload_success_timestamp_seconds",
            help,
            float(self.configured.as_secs()),
        )?;
        let Some(resident) = self.resident else {
            return Ok(());
        };
        let help = "Memory that the process holds";
        out.gauge("process_resident_memory_bytes", help, float(resident))
    }
}

struct Out<'a>(DescriptorEncoder<'a>);

impl Out<'_> {
    fn metric<'s>(
        &'s mut self,
        name: &'s str,
        help: &str,
        kind: MetricType,
    ) -> Result<MetricEncoder<'s>, fmt::Error> {
        self.0.encode_descriptor(name, help, None, kind)
    }

    fn counter(&mut self, name: &str, help: &str, value: u64) -> fmt::Result {
        counter(self.metric(name, help, MetricType::Counter)?, value)
    }

    fn gauge(&mut self, name: &str, help: &str, value: f64) -> fmt::Result {
        self.metric(name, help, MetricType::Gauge)?
            .encode_gauge(&value)
    }
}

fn counter(mut metric: MetricEncoder<'_>, value: u64) -> fmt::Result {
    metric.encode_counter::<NoLabelSet, _, u64>(&value, None)
}

fn histogram(mut metric: MetricEncoder<'_>, latencies: &Latencies) -> fmt::Result {
    let bounds = LATENCY_BOUNDS_MICROS
        .iter()
        .map(|micros| float(*micros) / 1e6);
    let bounds = bounds.chain([f64::INFINITY]);
    let buckets: Vec<_> = bounds.zip(latencies.buckets).collect();
    let (sum, count) = (latencies.sum.as_secs_f64(), latencies.count());
    metric.encode_histogram::<NoLabelSet>(sum, count, &buckets, None)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a figure of more than 2^53 may lose its last digits"
)]
const fn float(n: u64) -> f64 {
    n as f64
}

/// The resident memory of this process, on Linux.
fn resident_bytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kibibytes * 1024)
}

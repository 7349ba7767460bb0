//! Traces for OpenTelemetry: a span of each request, in batches, by OTLP (protobuf over HTTP) to a collector.
//!
//! A request only puts its span into a bounded queue, which a thread of the SDK reads. Spans are lost where the collector is
//! too slow or unavailable; no request waits for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use grantor_web::{Span, SpanSink};
use http::header::CONTENT_TYPE;
use opentelemetry::trace::{
    SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState,
};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::transform::common::tonic::ResourceAttributesWithSchema;
use opentelemetry_proto::transform::trace::tonic::group_spans_by_resource_and_scope;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{
    BatchSpanProcessor, SpanData, SpanEvents, SpanExporter, SpanLinks, SpanProcessor,
};
use prost::Message as _;
use tokio::runtime::Handle;
use url::Url;

use crate::cause::innermost;
use crate::outgoing::{Outgoing, OutgoingError};
use grantor_config::Environment;

/// The base URL of the collector.
const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
/// The name of this server in traces.
const SERVICE_NAME: &str = "OTEL_SERVICE_NAME";
/// How long the collector may take for a batch: the default of the OTLP specification.
const EXPORT_TIME: Duration = Duration::from_secs(10);
/// How long the last batches may take at shutdown.
const FINISH_TIME: Duration = Duration::from_secs(5);

#[derive(Debug, thiserror::Error)]
pub enum TracesError {
    /// The value is not repeated, since it may hold a secret.
    #[error("{ENDPOINT}: not the URL of a collector, such as http://localhost:4318")]
    Endpoint,
    #[error(transparent)]
    Outgoing(#[from] OutgoingError),
}

#[derive(Debug)]
pub struct Traces {
    batches: BatchSpanProcessor,
    scope: InstrumentationScope,
}

/// Starts the export of traces, if the environment names a collector. Must be called in the runtime of the server, which
/// sends them.
///
/// # Errors
/// [`TracesError`]
pub fn start(environment: &Environment) -> Result<Option<Arc<Traces>>, TracesError> {
    let set = |name| environment.value(name).filter(|value| !value.is_empty());
    let Some(endpoint) = set(ENDPOINT) else {
        return Ok(None);
    };
    let resource = Resource::builder_empty()
        .with_service_name(set(SERVICE_NAME).unwrap_or("grantor").to_owned())
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .build();
    let collector = Collector {
        http: Outgoing::default().client(EXPORT_TIME)?,
        url: traces_url(endpoint).ok_or(TracesError::Endpoint)?,
        resource: ResourceAttributesWithSchema::from(&resource),
        runtime: Handle::current(),
        is_failing: AtomicBool::new(false),
    };
    Ok(Some(Arc::new(Traces {
        batches: BatchSpanProcessor::builder(collector).build(),
        scope: InstrumentationScope::builder("grantor").build(),
    })))
}

/// OpenTelemetry Protocol Exporter, "Endpoint URLs for OTLP/HTTP": "`OTEL_EXPORTER_OTLP_ENDPOINT` is used as a base URL …
/// Traces: `v1/traces` relative to `OTEL_EXPORTER_OTLP_ENDPOINT`".
fn traces_url(endpoint: &str) -> Option<Url> {
    let mut url = Url::parse(endpoint).ok()?;
    let is_base = matches!(url.scheme(), "http" | "https")
        && url.query().is_none()
        && url.fragment().is_none();
    let mut path = url.path_segments_mut().ok()?;
    path.pop_if_empty().extend(["v1", "traces"]);
    drop(path);
    is_base.then_some(url)
}

impl Traces {
    /// Sends what is queued, for five seconds at most.
    pub async fn finish(self: Arc<Self>) {
        let flushed = tokio::task::spawn_blocking(move || {
            // A failed export was logged when it was attempted.
            self.batches.shutdown_with_timeout(FINISH_TIME).ok();
        });
        flushed.await.ok();
    }
}

impl SpanSink for Traces {
    fn record(&self, span: Span) {
        let route = span.route();
        let start_time = UNIX_EPOCH + Duration::from_millis(span.began.as_millis());
        self.batches.on_end(SpanData {
            span_context: SpanContext::new(
                TraceId::from_bytes(span.trace_id),
                SpanId::from_bytes(span.span_id),
                TraceFlags::SAMPLED,
                false,
                TraceState::NONE,
            ),
            parent_span_id: SpanId::INVALID,
            parent_span_is_remote: false,
            span_kind: SpanKind::Server,
            name: route.map_or(span.method.into(), |route| {
                format!("{} {route}", span.method).into()
            }),
            start_time,
            end_time: start_time + span.took,
            attributes: attributes(&span),
            dropped_attributes_count: 0,
            events: SpanEvents::default(),
            links: SpanLinks::default(),
            // Semantic conventions for HTTP: in a server's span, only 5xx is an error.
            status: if span.status.is_server_error() {
                Status::error("")
            } else {
                Status::Unset
            },
            instrumentation_scope: self.scope.clone(),
        });
    }
}

/// Follows the semantic conventions for HTTP, without the URL: the client's path and query can hold secrets.
fn attributes(span: &Span) -> Vec<KeyValue> {
    let status = i64::from(span.status.as_u16());
    let mut attributes = vec![
        KeyValue::new("http.request.method", span.method),
        KeyValue::new("http.response.status_code", status),
        KeyValue::new("grantor.endpoint", span.label()),
    ];
    let route = span.route();
    attributes.extend(route.map(|route| KeyValue::new("http.route", route)));
    let traceparent = span.traceparent.clone();
    attributes.extend(traceparent.map(|caller| KeyValue::new("grantor.traceparent", caller)));
    let error = span.error.map(|code| code.name());
    attributes.extend(error.map(|error| KeyValue::new("error.type", error)));
    attributes
}

#[derive(Debug)]
struct Collector {
    http: reqwest::Client,
    url: Url,
    resource: ResourceAttributesWithSchema,
    /// Runs the requests: the batch thread has no runtime.
    runtime: Handle,
    is_failing: AtomicBool,
}

impl SpanExporter for Collector {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let message = ExportTraceServiceRequest {
            resource_spans: group_spans_by_resource_and_scope(batch, &self.resource),
        };
        let request = self
            .http
            .post(self.url.clone())
            .header(CONTENT_TYPE, "application/x-protobuf")
            .body(message.encode_to_vec());
        let sent = self.runtime.spawn(async move {
            let answer = request.send().await.map_err(reqwest::Error::without_url)?;
            answer
                .error_for_status()
                .map_err(reqwest::Error::without_url)
        });
        let failure = match sent.await {
            Ok(Ok(_)) => {
                if self.is_failing.swap(false, Ordering::Relaxed) {
                    tracing::info!("the collector accepts traces again");
                }
                return Ok(());
            }
            Ok(Err(error)) => innermost(&error),
            Err(error) => error.to_string(),
        };
        if !self.is_failing.swap(true, Ordering::Relaxed) {
            tracing::warn!(reason = failure, "traces cannot be exported and are lost");
        }
        Err(OTelSdkError::InternalFailure(failure))
    }
}

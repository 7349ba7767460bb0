//! A span for each request, for exporters of traces. Compiled with the feature `spans` only, so it costs nothing
//! otherwise.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::Request;
use axum::response::Response;
use grantor_core::base::error::ErrorCode;
use grantor_core::base::time::Timestamp;
use grantor_core::model::endpoint::{Endpoint, EndpointKind};
use http::{Method, StatusCode};

use crate::app::App;
use crate::metrics;
use crate::trace::{self, TraceId};

pub trait SpanSink: Send + Sync {
    /// Must not block: a span may be lost, but no request waits.
    fn record(&self, span: Span);
}

/// A request with its response. Apart from `traceparent` it contains no client input: path, query, headers and body may
/// contain secrets.
#[derive(Clone, Debug)]
pub struct Span {
    /// The same as the `trace_id` of the response.
    pub trace_id: [u8; 16],
    pub span_id: [u8; 8],
    /// The caller's `traceparent`, if it is valid.
    pub traceparent: Option<String>,
    pub endpoint: Option<Endpoint>,
    /// `_OTHER` if it is not one of HTTP's.
    pub method: &'static str,
    pub status: StatusCode,
    pub error: Option<ErrorCode>,
    /// When the headers of the request were read.
    pub began: Timestamp,
    /// Until the headers of the response.
    pub took: Duration,
}

impl Span {
    /// The endpoint's label in metrics.
    #[must_use]
    pub fn label(&self) -> &'static str {
        metrics::label(self.endpoint)
    }

    /// The endpoint's path below the issuer's; the first one if several share the label. `None` for probes, the home page
    /// and unknown paths.
    #[must_use]
    pub fn route(&self) -> Option<&'static str> {
        let label = self.label();
        let mut endpoints = Endpoint::ALL.into_iter();
        let first = endpoints.find(|endpoint| endpoint.label() == label)?;
        (first.kind() != EndpointKind::Probe && first != Endpoint::Home).then(|| first.path())
    }
}

/// The span of a request in progress.
pub(crate) struct PendingSpan {
    sink: Arc<dyn SpanSink>,
    span: Span,
}

impl PendingSpan {
    /// `None` without a sink, or if the caller's `sampled` flag is not set (W3C Trace Context section 3.2.2.5.1).
    pub(crate) fn new(
        app: &App,
        endpoint: Option<Endpoint>,
        trace: &TraceId,
        request: &Request,
    ) -> Option<Self> {
        let sink = Arc::clone(app.spans.get()?);
        let traceparent = trace::traceparent(request.headers());
        if traceparent.is_some_and(|parent| !trace::is_sampled(parent)) {
            return None;
        }
        let span = Span {
            trace_id: trace.bytes(),
            span_id: app.seed().bytes("span id"),
            traceparent: traceparent.map(ToOwned::to_owned),
            endpoint,
            method: method_name(request.method()),
            status: StatusCode::OK,
            error: None,
            began: app.now(),
            took: Duration::ZERO,
        };
        Some(Self { sink, span })
    }

    pub(crate) fn finish(self, response: &Response, took: Duration) {
        self.sink.record(Span {
            status: response.status(),
            error: response.extensions().get().copied(),
            took,
            ..self.span
        });
    }
}

/// Attaches the error code to the response, for its span.
pub(crate) fn with_error(mut response: Response, code: ErrorCode) -> Response {
    response.extensions_mut().insert(code);
    response
}

/// Clients can invent methods; those become `_OTHER`.
fn method_name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::PATCH => "PATCH",
        Method::TRACE => "TRACE",
        Method::CONNECT => "CONNECT",
        _ => "_OTHER",
    }
}

//! What each request was, for whoever writes traces. Compiled with the feature `spans` only: without it no request
//! pays for it.

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

/// Takes what requests were. It must not wait: a span may be lost, a request never waits.
pub trait SpanSink: Send + Sync {
    /// Takes a request that was answered.
    fn answered(&self, span: Span);
}

/// One answered request. But for the ids of its trace nothing in it is the client's: no path, query, header or body,
/// which can hold secrets.
#[derive(Clone, Debug)]
pub struct Span {
    /// Of the trace that it belongs to: what the peer was given as `trace_id`.
    pub trace_id: [u8; 16],
    /// Its own.
    pub span_id: [u8; 8],
    /// The caller's span, where it sent a `traceparent`.
    pub parent: Option<[u8; 8]>,
    /// What it was for.
    pub endpoint: Option<Endpoint>,
    /// The method, `_OTHER` where it is none of HTTP's.
    pub method: &'static str,
    /// With which it was answered.
    pub status: StatusCode,
    /// The error code of the answer.
    pub error: Option<ErrorCode>,
    /// When its head was read.
    pub began: Timestamp,
    /// From there to the head of the answer.
    pub took: Duration,
}

impl Span {
    /// What it was for, as metrics call it.
    #[must_use]
    pub fn label(&self) -> &'static str {
        metrics::label(self.endpoint)
    }

    /// The path below the issuer's, the first one where several have one label; none where anyone can make them up, and
    /// none of probes.
    #[must_use]
    pub fn route(&self) -> Option<&'static str> {
        let label = self.label();
        let mut of_label = Endpoint::ALL.into_iter();
        let first = of_label.find(|endpoint| endpoint.label() == label)?;
        (first.kind() != EndpointKind::Probe && first != Endpoint::Home).then(|| first.path())
    }
}

/// A request that is being answered.
pub(crate) struct Begun {
    sink: Arc<dyn SpanSink>,
    span: Span,
}

impl Begun {
    /// Nothing where nobody takes spans, or where the caller does not want this one: W3C Trace Context section 3.2.2.5.1, the flag
    /// `sampled`.
    pub(crate) fn of(
        app: &App,
        endpoint: Option<Endpoint>,
        trace: &TraceId,
        request: &Request,
    ) -> Option<Self> {
        let sink = Arc::clone(app.spans.get()?);
        let caller = trace::caller(request.headers());
        if caller.as_ref().is_some_and(|caller| !caller.sampled) {
            return None;
        }
        let span = Span {
            trace_id: trace.bytes(),
            span_id: app.seed().bytes("span id"),
            parent: caller.map(|caller| caller.span_id),
            endpoint,
            method: known(request.method()),
            status: StatusCode::OK,
            error: None,
            began: app.now(),
            took: Duration::ZERO,
        };
        Some(Self { sink, span })
    }

    pub(crate) fn answered(self, response: &Response, took: Duration) {
        self.sink.answered(Span {
            status: response.status(),
            error: response.extensions().get().copied(),
            took,
            ..self.span
        });
    }
}

/// An answer that says its error code to whoever writes traces, and to nobody else.
pub(crate) fn with_error(mut response: Response, code: ErrorCode) -> Response {
    response.extensions_mut().insert(code);
    response
}

/// Anybody can make up methods.
fn known(method: &Method) -> &'static str {
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

//! Requests that are refused, or fail: what the log says of them, and the events that explain their trace ids.

use grantor_core::base::cause::Causes;
use grantor_core::base::error::{ErrorCode, Failure, Refusal};
use grantor_core::engine::event::{Event, EventOutcome};
use grantor_core::model::endpoint::Endpoint;

use crate::app::{App, Unavailable};
use crate::metrics;
use crate::request::Caller;
use crate::trace;

/// Counts a refusal, logs it with its trace id, and records it, unless one of the decision's own `events` tells of it.
/// `client` is who the request says that it is from.
pub(crate) fn log_refusal(
    app: &App,
    caller: &Caller,
    client: Option<&str>,
    refusal: &Refusal,
    events: &[Event],
) {
    app.metrics.record_error(refusal.code);
    // Neither logged nor recorded: a waiting device polls every few seconds.
    if matches!(
        refusal.code,
        ErrorCode::AuthorizationPending | ErrorCode::SlowDown
    ) {
        return;
    }
    let client = client.map(|id| logged_client(app, id));
    tracing::info!(
        target: "grantor::refusal",
        trace_id = caller.trace.as_str(),
        endpoint = caller.path(),
        client = client.as_deref(),
        error = refusal.code.name(),
        description = &*refusal.description(),
        cause = refusal.cause.logged().map(tracing::field::debug),
        traceparent = trace::traceparent(&caller.headers),
        address = %caller.peer,
        "refused"
    );
    let is_told = |event: &Event| event.kind.outcome() == EventOutcome::Refused;
    if !events.iter().any(is_told) {
        record(app, caller, client, refusal);
    }
}

/// `client` is as the log has it.
pub(crate) fn record(app: &App, caller: &Caller, client: Option<String>, refusal: &Refusal) {
    let mut event = Event::refused(endpoint(caller), refusal).peer(&caller.peer);
    event.client = client.and_then(|id| id.parse().ok());
    app.record_traced(&event, &caller.trace);
}

/// The name of the endpoint, which is not the peer's to choose.
fn endpoint(caller: &Caller) -> &'static str {
    metrics::label(Endpoint::from_path(caller.path()))
}

/// An id that nobody has may be a secret in the wrong field.
fn logged_client(app: &App, id: &str) -> String {
    let realm = app.realm();
    match realm.client(id) {
        Some(client) => client.id.to_string(),
        None => realm.sealing.unknown_name(id),
    }
}

/// Logs a request that could not be decided, and records it.
pub(crate) fn log_unavailable(app: &App, caller: &Caller, reason: &Unavailable) {
    let why = Causes(reason).to_string();
    let event = Event::request_failed(endpoint(caller), reason.code(), &why);
    app.record_traced(&event.peer(&caller.peer), &caller.trace);
    // A failure of another server is logged where that server is called. The request itself is no reason for an alert,
    // and neither are more sign-ins than there are places.
    if matches!(
        reason,
        Unavailable::Failure(Failure::Upstream(_)) | Unavailable::Busy
    ) {
        tracing::info!(
            target: "grantor::refusal",
            trace_id = caller.trace.as_str(),
            endpoint = caller.path(),
            error = reason.code().name(),
            cause = why,
            address = %caller.peer,
            "refused"
        );
        return;
    }
    tracing::error!(
        target: "grantor::failure",
        trace_id = caller.trace.as_str(),
        endpoint = caller.path(),
        error = reason.code().name(),
        reason = why,
        "request failed"
    );
}

//! Requests that are refused, or fail: what the log says of them, and the events that explain their trace ids.

use grantor_core::base::cause::Causes;
use grantor_core::base::error::{ErrorCode, Failure, Refusal};
use grantor_core::engine::event::{Event, EventOutcome};
use grantor_core::model::client::Client;
use grantor_core::model::endpoint::Endpoint;

use crate::app::{App, Unavailable};
use crate::metrics;
use crate::request::Caller;
use crate::trace;

/// Counts a refusal, logs it with its trace id, and records it, unless one of the decision's own `events` tells of it.
pub(crate) fn log_refusal(
    app: &App,
    caller: &Caller,
    client: AskingClient<'_>,
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
    let id = client.logged_id(app);
    tracing::info!(
        target: "grantor::refusal",
        trace_id = caller.trace.as_str(),
        endpoint = caller.path(),
        client = id.as_deref(),
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

pub(crate) fn record(app: &App, caller: &Caller, client: AskingClient<'_>, refusal: &Refusal) {
    let mut event = Event::refused(endpoint(caller), refusal).peer(&caller.peer);
    event.client = client.logged_id(app).and_then(|id| id.parse().ok());
    let organization = client.known.and_then(|client| client.organization.as_ref());
    event.organization = organization.map(|id| id.as_str().into());
    app.record_traced(&event, &caller.trace);
}

/// Who the request is from.
#[derive(Clone, Copy, Default)]
pub(crate) struct AskingClient<'a> {
    pub(crate) known: Option<&'a Client>,
    /// What the request says, where that is no client that is known here.
    pub(crate) named: Option<&'a str>,
}

impl AskingClient<'_> {
    /// As log and events have it: an id that nobody has may be a secret in the wrong field.
    fn logged_id(self, app: &App) -> Option<String> {
        let known = self.known.map(|client| client.id.to_string());
        known.or_else(|| {
            let (realm, id) = (app.realm(), self.named?);
            let declared = realm.client(id).map(|client| client.id.to_string());
            Some(declared.unwrap_or_else(|| realm.sealing.unknown_name(id)))
        })
    }
}

/// The name of the endpoint, which is not the peer's to choose.
fn endpoint(caller: &Caller) -> &'static str {
    metrics::label(Endpoint::from_path(caller.path()))
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

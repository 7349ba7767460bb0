//! `/events` and `/traces/{trace_id}`: what happened, and why. A caller of an organization sees what belongs to it.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use grantor_core::base::error::Failure;
use grantor_core::base::params::Params;
use grantor_core::base::time::Timestamp;
use grantor_core::engine::explain::{Explained, RecordedEvent, explain, named};
use grantor_core::manage::{Admit, ApiCode, ApiRefusal, Caller, PageRequest};
use grantor_core::model::right::Right;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::list::{self, ListError, Page};
use super::operation::{Query, QueryForm};
use super::problem;
use super::request::ApiRequest;
use super::routes::json;
use crate::app::{App, Unavailable};
use crate::event_log::{EventFilter, EventLogError, EventPage, EventQuery, MAX_PAGE_EVENTS};
use crate::trace;

/// An event, or several that were folded into one: those have a `count`, and no trace.
#[derive(JsonSchema, Serialize, Deserialize)]
pub(super) struct EventBody {
    /// RFC 3339.
    #[schemars(extend("format" = "date-time"))]
    at: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    trace_id: Option<String>,
    kind: String,
    /// `done`, `refused` or `failed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    outcome: Option<String>,
    /// What decided, such as `client_authentication`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    check: Option<String>,
    /// The private cause, such as `wrong_secret`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    client: Option<String>,
    /// The `sub` of the user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    /// The name that was typed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    username: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    organization: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    grant: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    request: Option<RequestBody>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    peer: Option<PeerBody>,
    /// Of a token exchange: subject, audience, rule and actors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    exchange: Option<Value>,
    /// Of a reload: what was added, changed and removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reload: Option<Value>,
    /// Scopes or claims.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    left_out: Option<String>,
    /// Who made a change, such as `operator:0`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    by: Option<String>,
    /// What was changed, such as `resource orders`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    object: Option<String>,
    /// Of folded events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    network: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    count: Option<u32>,
    /// The first users, grants or clients of folded events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    subjects: Option<Vec<String>>,
}

/// A request that was refused, or that failed.
#[derive(JsonSchema, Serialize, Deserialize)]
struct RequestBody {
    endpoint: String,
    error: String,
    description: String,
}

#[derive(JsonSchema, Serialize, Deserialize)]
struct PeerBody {
    address: String,
    agent: String,
}

/// What happened to one request, in words.
#[derive(JsonSchema, Serialize)]
pub(super) struct TraceBody {
    trace_id: String,
    /// Oldest first.
    events: Vec<StepBody>,
}

#[derive(JsonSchema, Serialize)]
struct StepBody {
    /// RFC 3339.
    #[schemars(extend("format" = "date-time"))]
    at: String,
    kind: String,
    /// `done`, `refused` or `failed`.
    outcome: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    check: Option<String>,
    /// Who asked, and what happened.
    what: String,
    /// Why it was decided so.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    advice: Option<String>,
}

impl From<Explained> for StepBody {
    fn from(step: Explained) -> Self {
        Self {
            at: step.at,
            kind: step.kind,
            outcome: step.outcome.to_string(),
            check: step.check,
            what: step.what,
            why: step.why,
            advice: step.advice,
        }
    }
}

const fn by(name: &'static str, doc: &'static str, form: QueryForm) -> Query {
    Query { name, doc, form }
}

/// What a list can be narrowed by.
pub(super) const FILTERS: &[Query] = &[
    by("trace_id", "Only events of this trace.", QueryForm::Text),
    by(
        "user",
        "Only events of the user with this id.",
        QueryForm::Text,
    ),
    by("client", "Only events of this client.", QueryForm::Text),
    by(
        "kind",
        "Only events of this kind, such as `refused`.",
        QueryForm::Text,
    ),
    by(
        "outcome",
        "Only what was `done`, `refused` or `failed`.",
        QueryForm::Text,
    ),
    by("since", "From this time on.", QueryForm::Time),
    by("until", "Before this time.", QueryForm::Time),
];

const READ: &[Right] = &[Right::EventsRead];

pub(super) async fn list(State(app): State<Arc<App>>, request: ApiRequest) -> Response {
    let page = page(&app, &request).await;
    list::answer(&app, &request, page)
}

async fn page(app: &Arc<App>, request: &ApiRequest) -> Result<Page, ListError> {
    let caller = request.run(app, Admit(READ)).await?.reply?;
    let names: Vec<_> = FILTERS.iter().map(|filter| filter.name).collect();
    let (page, params) = PageRequest::parse(request.caller.query(), &names)?;
    let query = EventQuery {
        filter: filter(&params, &caller)?,
        after: page.after,
        limit: page.limit,
    };
    let EventPage { events, next } = read(app, query).await?;
    let bodies = events.into_iter().filter_map(|event| {
        let body: EventBody = serde_json::from_value(event).ok()?;
        serde_json::to_value(body).ok()
    });
    Ok(Page {
        items: bodies.collect(),
        next,
    })
}

pub(super) async fn trace(State(app): State<Arc<App>>, request: ApiRequest) -> Response {
    match explained(&app, &request).await {
        Ok(body) => json(&body),
        Err(ListError::Refused(refusal)) => problem::response(&app, &request, &refusal),
        Err(ListError::Unavailable(error)) => problem::unavailable(&app, &request, &error),
    }
}

async fn explained(app: &Arc<App>, request: &ApiRequest) -> Result<TraceBody, ListError> {
    const UNKNOWN: ApiRefusal = ApiRefusal::new(
        ApiCode::NotFound,
        "There are no events of such a trace. Events are kept for 30 days; and of many refusals of one kind, from one network \
             within a minute, only the first are recorded, and the rest is counted: look for the kind refused at that time.",
    );
    let caller = request.run(app, Admit(READ)).await?.reply?;
    let trace_id = request.path("trace_id");
    if !trace::is_id(trace_id) {
        return Err(UNKNOWN.into());
    }
    let query = EventQuery {
        filter: EventFilter {
            trace_id: Some(trace_id.to_owned()),
            ..of_caller(&caller)
        },
        after: None,
        limit: MAX_PAGE_EVENTS,
    };
    let events = read(app, query).await?.events.into_iter().rev();
    let events: Vec<RecordedEvent> = events
        .filter_map(|event| serde_json::from_value(event).ok())
        .collect();
    if events.is_empty() {
        return Err(UNKNOWN.into());
    }
    Ok(TraceBody {
        trace_id: trace_id.to_owned(),
        events: explain(&events).into_iter().map(StepBody::from).collect(),
    })
}

async fn read(app: &App, query: EventQuery) -> Result<EventPage, ListError> {
    const FOREIGN: ApiRefusal = ApiRefusal::new(
        ApiCode::Malformed,
        "after is not a cursor of this list, with this filter and for this caller.",
    );
    let Some(log) = app.event_log() else {
        return Ok(EventPage::default());
    };
    log.page(query).await.map_err(|error| match error {
        EventLogError::Cursor => FOREIGN.into(),
        EventLogError::Unavailable(why) => {
            tracing::error!(target: "grantor::failure", reason = why, "events cannot be read");
            let failure = Failure::Upstream("the events cannot be read");
            ListError::Unavailable(Unavailable::Failure(failure))
        }
    })
}

/// All that the caller may see.
fn of_caller(caller: &Caller) -> EventFilter {
    EventFilter {
        organization: caller.organization.as_ref().map(ToString::to_string),
        ..EventFilter::default()
    }
}

fn filter(params: &Params, caller: &Caller) -> Result<EventFilter, ApiRefusal> {
    let malformed = |why| ApiRefusal::new(ApiCode::Malformed, why);
    fn parsed<T>(
        params: &Params,
        name: &str,
        parse: impl FnOnce(&str) -> Option<T>,
        refusal: ApiRefusal,
    ) -> Result<Option<T>, ApiRefusal> {
        match params.opt(name) {
            None => Ok(None),
            Some(text) => parse(text).map(Some).ok_or(refusal),
        }
    }
    Ok(EventFilter {
        trace_id: parsed(
            params,
            "trace_id",
            |id| trace::is_id(id).then(|| id.to_owned()),
            malformed("trace_id is not 32 lower-case hexadecimal digits."),
        )?,
        user: parsed(
            params,
            "user",
            |id| id.parse().ok(),
            malformed("user is not the id of a user."),
        )?,
        client: params.opt("client").map(ToOwned::to_owned),
        kind: parsed(
            params,
            "kind",
            named,
            malformed("kind is not a kind of event."),
        )?,
        outcome: parsed(
            params,
            "outcome",
            named,
            malformed("outcome is none of done, refused and failed."),
        )?,
        since: parsed(
            params,
            "since",
            moment,
            malformed("since is not a time in the form of RFC 3339."),
        )?,
        until: parsed(
            params,
            "until",
            moment,
            malformed("until is not a time in the form of RFC 3339."),
        )?,
        ..of_caller(caller)
    })
}

fn moment(text: &str) -> Option<Timestamp> {
    let moment: jiff::Timestamp = text.parse().ok()?;
    let millis = u64::try_from(moment.as_millisecond()).ok()?;
    Some(Timestamp::from_millis(millis))
}

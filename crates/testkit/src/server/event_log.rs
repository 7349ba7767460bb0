//! The events of a test, as they can be read: a list in memory, with a cursor that names its filter.

use std::future::ready;
use std::sync::Mutex;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use grantor_core::base::time::Timestamp;
use grantor_core::engine::event::Event;
use grantor_web::{EventFilter, EventLog, EventLogError, EventPage, EventQuery};
use serde_json::{Value, json};

#[derive(Debug, Default)]
pub(super) struct Log(Mutex<Vec<(Timestamp, Value)>>);

impl Log {
    pub(super) fn record(&self, at: Timestamp, trace_id: &str, event: &Event) {
        let mut line = serde_json::to_value(event).expect("JSON");
        line["at"] = json!(at.as_millis().to_string());
        line["trace_id"] = json!(trace_id);
        line["outcome"] = json!(event.kind.outcome());
        let mut log = self.0.lock().expect("no panic under the lock");
        log.push((at, line));
    }

    fn find(&self, query: &EventQuery) -> Result<EventPage, EventLogError> {
        let log = self.0.lock().expect("no panic under the lock");
        let bound = format!("{:?}", query.filter);
        let before = match &query.after {
            None => log.len(),
            Some(cursor) => cursor
                .strip_suffix(&bound)
                .and_then(|position| position.parse().ok())
                .ok_or(EventLogError::Cursor)?,
        };
        let found = (0..before)
            .rev()
            .filter(|n| matches(&query.filter, &log[*n]));
        let found: Vec<_> = found.take(query.limit).collect();
        let next = found.last().filter(|_| found.len() == query.limit);
        Ok(EventPage {
            next: next.map(|next| format!("{next}{bound}")),
            events: found.iter().map(|n| log[*n].1.clone()).collect(),
        })
    }
}

fn matches(filter: &EventFilter, (at, line): &(Timestamp, Value)) -> bool {
    [
        ("trace_id", filter.trace_id.clone()),
        ("user", filter.user.map(|it| it.to_string())),
        ("client", filter.client.clone()),
        ("kind", filter.kind.map(|it| it.to_string())),
        ("outcome", filter.outcome.map(|it| it.to_string())),
        ("organization", filter.organization.clone()),
    ]
    .into_iter()
    .all(|(name, value)| value.is_none_or(|value| line[name] == value.as_str()))
        && filter.since.is_none_or(|since| since <= *at)
        && filter.until.is_none_or(|until| *at < until)
}

impl EventLog for Log {
    fn page(&self, query: EventQuery) -> BoxFuture<'_, Result<EventPage, EventLogError>> {
        ready(self.find(&query)).boxed()
    }
}

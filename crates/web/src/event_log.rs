//! What can be read of the events that were recorded.

use futures_util::future::BoxFuture;
use grantor_core::base::time::Timestamp;
use grantor_core::engine::event::{EventKind, EventOutcome};
use grantor_core::model::ids::UserId;
use serde::Serialize;
use serde_json::Value as Json;

pub trait EventLog: Send + Sync {
    /// The newest events that match, and where the next page begins. It looks at a bounded number of events, whatever it
    /// finds, and blocks neither its caller nor those who record.
    ///
    /// # Errors
    /// [`EventLogError`]
    fn page(&self, query: EventQuery) -> BoxFuture<'_, Result<EventPage, EventLogError>>;
}

#[derive(Clone, Debug, Default)]
pub struct EventQuery {
    pub filter: EventFilter,
    /// The `next` of the page before, which had this filter.
    pub after: Option<String>,
    /// Of 1 to [`MAX_PAGE_EVENTS`].
    pub limit: usize,
}

pub const MAX_PAGE_EVENTS: usize = 1000;

/// What all events of a page have.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct EventFilter {
    pub trace_id: Option<String>,
    pub user: Option<UserId>,
    /// An id, or what stands for one that no client has.
    pub client: Option<String>,
    pub kind: Option<EventKind>,
    pub outcome: Option<EventOutcome>,
    pub since: Option<Timestamp>,
    /// Exclusive.
    pub until: Option<Timestamp>,
    /// Of someone who sees only what belongs to their organization.
    pub organization: Option<String>,
}

#[derive(Clone, Debug, Default)]
pub struct EventPage {
    /// Newest first.
    pub events: Vec<Json>,
    /// `None` at the end. A page that found nothing may have one, too.
    pub next: Option<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum EventLogError {
    #[error("the cursor is not one of a list with this filter")]
    Cursor,
    #[error("the events cannot be read: {0}")]
    Unavailable(String),
}

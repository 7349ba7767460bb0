//! Lists, page by page. A page is bounded work, and costs the same at the end as at the beginning.

use std::sync::Arc;

use axum::response::Response;
use grantor_core::base::row::{Index, Key, MAX_KEYS, Row};
use grantor_core::manage::{ApiRefusal, CursorScope, PageRequest};
use serde::Serialize;
use serde_json::Value;

use super::problem;
use super::request::ApiRequest;
use super::routes::json;
use crate::app::{App, Unavailable};
use crate::lists::first_rows_by;

/// The most rows of one `list`: a page of the usual size takes one.
const ROWS_AT_ONCE: usize = 128;

#[derive(Debug, Serialize)]
pub(super) struct Page<T = Value> {
    pub(super) items: Vec<T>,
    /// The cursor of the next page. A page may have fewer objects than its limit, and even none, though more follow.
    pub(super) next: Option<String>,
}

/// Why a list was not answered.
pub(super) enum ListError {
    Refused(ApiRefusal),
    Unavailable(Unavailable),
}

impl From<ApiRefusal> for ListError {
    fn from(refusal: ApiRefusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Unavailable> for ListError {
    fn from(error: Unavailable) -> Self {
        Self::Unavailable(error)
    }
}

pub(super) fn answer<T: Serialize>(
    app: &App,
    request: &ApiRequest,
    page: Result<Page<T>, ListError>,
) -> Response {
    match page {
        Ok(page) => json(&page),
        Err(error) => refused(app, request, error),
    }
}

pub(super) fn refused(app: &App, request: &ApiRequest, error: ListError) -> Response {
    match error {
        ListError::Refused(refusal) => problem::response(app, request, &refusal),
        ListError::Unavailable(error) => problem::unavailable(app, request, &error),
    }
}

/// Rows of an index, and after which key the next ones come.
pub(super) struct Rows {
    pub(super) rows: Vec<Row>,
    pub(super) next: Option<Key>,
}

/// At most so many rows after this one.
pub(super) async fn rows(
    app: &App,
    index: &Index,
    after: Option<&Key>,
    limit: usize,
) -> Result<Rows, Unavailable> {
    let listed = first_rows_by(app, index, after.cloned(), limit + 1, ROWS_AT_ONCE).await?;
    let mut rows = listed.rows;
    let next = match rows.len() > limit {
        true => rows[..limit].last().map(|row| row.key.clone()),
        false => None,
    };
    rows.truncate(limit);
    Ok(Rows { rows, next })
}

/// These rows, in as few reads as possible and in the same order.
pub(super) async fn get(app: &App, keys: &[Key]) -> Result<Vec<Option<Row>>, Unavailable> {
    let mut rows = Vec::with_capacity(keys.len());
    for keys in keys.chunks(MAX_KEYS) {
        rows.extend(app.store().get(keys).await?);
    }
    Ok(rows)
}

/// Where a page begins, and the cursor of the next.
pub(super) struct Position<'a> {
    app: &'a Arc<App>,
    scope: CursorScope,
}

impl<'a> Position<'a> {
    pub(super) const fn new(app: &'a Arc<App>, scope: CursorScope) -> Self {
        Self { app, scope }
    }

    /// The key after which the page begins.
    pub(super) fn begin(&self, page: &PageRequest) -> Result<Option<Key>, ApiRefusal> {
        let position = page.after.as_deref();
        let position = position.map(|cursor| self.scope.open(&self.app.realm(), cursor));
        Ok(position.transpose()?.map(|key| Key::from_stored(&key)))
    }

    pub(super) fn page(&self, items: Vec<Value>, next: Option<&Key>) -> Page {
        let nonce = || self.app.seed().bytes("cursor");
        let realm = self.app.realm();
        let next = next.and_then(|key| self.scope.seal(&realm, key.as_str(), nonce()));
        Page { items, next }
    }
}

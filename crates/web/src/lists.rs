//! Reads lists of the store while others have their turn.

use grantor_core::base::row::{Index, Key};
use grantor_core::people::account::Listed;

use crate::app::{App, Unavailable};

/// The most rows of one `list`. Other requests wait for no more than these.
pub(crate) const ROWS_AT_ONCE: usize = 64;

/// The first `max` rows of an index after a key.
pub(crate) async fn first_rows(
    app: &App,
    index: &Index,
    after: Option<Key>,
    max: usize,
) -> Result<Listed, Unavailable> {
    first_rows_by(app, index, after, max, ROWS_AT_ONCE).await
}

/// The same with at most so many rows of one `list`.
pub(crate) async fn first_rows_by(
    app: &App,
    index: &Index,
    after: Option<Key>,
    max: usize,
    at_once: usize,
) -> Result<Listed, Unavailable> {
    let (mut rows, mut after) = (Vec::new(), after);
    while rows.len() < max {
        let page_size = at_once.min(max - rows.len());
        let page = app.store().list(index, after.as_ref(), page_size).await?;
        if page.len() < page_size {
            rows.extend(page);
            return Ok(Listed { rows, more: false });
        }
        after = page.last().map(|row| row.key.clone());
        rows.extend(page);
        tokio::task::yield_now().await;
    }
    Ok(Listed { rows, more: true })
}

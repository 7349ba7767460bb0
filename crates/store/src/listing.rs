//! Reads a whole index, page by page.

use futures_util::stream::{self, BoxStream, try_unfold};
use futures_util::{StreamExt as _, TryStreamExt as _};
use grantor_core::base::row::{Index, Key, Row};

use crate::contract::{Store, StoreError};

/// Streams the rows of an index in the order of their keys. They are read as [`list_pages`] describes.
pub fn list_all<'a, S: Store + ?Sized>(
    store: &'a S,
    index: &'a Index,
    page_size: usize,
) -> BoxStream<'a, Result<Row, StoreError>> {
    let pages = list_pages(store, index, page_size);
    let rows = pages.map_ok(|page| stream::iter(page.into_iter().map(Ok)));
    rows.try_flatten().boxed()
}

/// Streams the rows of an index in the order of their keys, in pages of `page_size` rows (at least one); only the last
/// page may have fewer, and none is empty.
///
/// - A page is read when the stream is polled for it, so at most one page is in memory, and a caller that stops early
///   saves the other reads.
/// - `n` rows cost `n / page_size + 1` calls of `list`: after a full page one more is needed to see the end.
/// - It is not a snapshot. No key comes twice. A row that is inserted or deleted meanwhile may be included or not; an
///   updated row comes as it was when its page was read. As with every [`Store::list`], the rows may lag behind commits,
///   and expired rows are included.
/// - After an error the stream ends.
pub fn list_pages<'a, S: Store + ?Sized>(
    store: &'a S,
    index: &'a Index,
    page_size: usize,
) -> BoxStream<'a, Result<Vec<Row>, StoreError>> {
    let page_size = page_size.max(1);
    try_unfold(Position::Start, move |position| async move {
        let after = match &position {
            Position::Start => None,
            Position::After(key) => Some(key),
            Position::End => return Ok(None),
        };
        let page = store.list(index, after, page_size).await?;
        let Some(last) = page.last() else {
            return Ok(None);
        };
        let next = match page.len() < page_size {
            true => Position::End,
            false => Position::After(last.key.clone()),
        };
        Ok(Some((page, next)))
    })
    .boxed()
}

/// How far an index was read.
enum Position {
    Start,
    After(Key),
    End,
}

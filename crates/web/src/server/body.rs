//! Bodies that a handler does not read. Left in the socket, they would end a kept connection without a word.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::Bytes;
use http::header::{CONNECTION, EXPECT};
use http::{HeaderMap, HeaderValue, Response};
use http_body_util::BodyExt as _;
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};
use tokio::time::timeout;

use super::activity::Activity;

/// Of a longer body no more is read; the connection is closed after the answer.
const MAX_DRAINED_BYTES: u64 = 64 * 1024;

/// A request's body. What its handler leaves of it goes back to the connection.
struct Reclaimed {
    body: Option<Incoming>,
    activity: Arc<Activity>,
}

/// The body for a handler.
pub(super) fn reclaimed(body: Incoming, activity: &Arc<Activity>) -> Body {
    if body.is_end_stream() {
        return Body::empty();
    }
    Body::new(Reclaimed {
        body: Some(body),
        activity: Arc::clone(activity),
    })
}

/// Whether the client waits for leave to send its body.
pub(super) fn waits_to_send(headers: &HeaderMap) -> bool {
    headers.contains_key(EXPECT)
}

/// Reads the rest of the request's body, within bounds. If there is more, the answer says that the connection ends.
pub(super) async fn drain(activity: &Activity, waits_to_send: bool, response: &mut Response<Body>) {
    let Some(body) = activity.take_unread() else {
        return;
    };
    let is_short = !waits_to_send && body.size_hint().lower() <= MAX_DRAINED_BYTES;
    let is_read = is_short && {
        let rest = timeout(activity.timeouts.drain, is_read(body));
        rest.await.unwrap_or_default()
    };
    if !is_read {
        activity.set_unread_body();
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(CONNECTION, close);
    }
}

async fn is_read(mut body: Incoming) -> bool {
    let mut left = MAX_DRAINED_BYTES;
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else { return false };
        let length = frame.data_ref().map_or(0, Bytes::len) as u64;
        match left.checked_sub(length) {
            Some(rest) => left = rest,
            None => return false,
        }
    }
    true
}

impl HttpBody for Reclaimed {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let Some(body) = &mut self.body else {
            return Poll::Ready(None);
        };
        let polled = Pin::new(body).poll_frame(context);
        if let Poll::Ready(None | Some(Err(_))) = polled {
            self.body = None;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body
            .as_ref()
            .map_or_else(|| SizeHint::with_exact(0), HttpBody::size_hint)
    }
}

impl Drop for Reclaimed {
    fn drop(&mut self) {
        if let Some(body) = self.body.take_if(|body| !body.is_end_stream()) {
            self.activity.keep_unread(body);
        }
    }
}

//! The socket of a connection, with a limit on the time for writing, and an end that delivers the last answer.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};

use super::activity::Activity;

/// What is read and dropped at the end of a connection, at most.
const MAX_DISCARDED_BYTES: usize = 1024 * 1024;

pub(super) struct Stream {
    tcp: TcpStream,
    activity: Arc<Activity>,
    /// Runs while an answer waits for its reader.
    blocked: Option<Pin<Box<Sleep>>>,
    /// Runs at the end.
    closing: Option<Pin<Box<Sleep>>>,
    discarded: usize,
}

impl Stream {
    pub(super) fn new(tcp: TcpStream, activity: Arc<Activity>) -> Self {
        Self {
            tcp,
            activity,
            blocked: None,
            closing: None,
            discarded: 0,
        }
    }

    /// Fails a write that waits too long. A little progress does not extend the time: a client could read one byte a
    /// minute.
    fn limited<T>(
        &mut self,
        context: &mut Context<'_>,
        polled: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if polled.is_ready() {
            return polled;
        }
        let activity = &self.activity;
        let timer = self.blocked.get_or_insert_with(|| {
            activity.set_blocked(true);
            Box::pin(sleep(activity.timeouts.write))
        });
        ready!(timer.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.tcp).poll_read(context, buffer))?;
        if buffer.filled().len() > before {
            self.activity.received();
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.tcp).poll_write(context, bytes);
        self.limited(context, polled)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.tcp).poll_write_vectored(context, slices);
        self.limited(context, polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.tcp.is_write_vectored()
    }

    /// Called once all is written.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.tcp).poll_flush(context))?;
        if self.blocked.take().is_some() {
            self.activity.set_blocked(false);
        }
        Poll::Ready(Ok(()))
    }

    /// A socket that is closed with unread bytes resets the connection, which can destroy the answer on its way. So what a
    /// client still sends is read for a while.
    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.closing.is_none() {
            ready!(Pin::new(&mut this.tcp).poll_shutdown(context))?;
            if !this.activity.is_client_sending() {
                return Poll::Ready(Ok(()));
            }
        }
        let drain = this.activity.timeouts.drain;
        let timer = this.closing.get_or_insert_with(|| Box::pin(sleep(drain)));
        let mut bytes = [0; 4096];
        loop {
            if timer.as_mut().poll(context).is_ready() || this.discarded > MAX_DISCARDED_BYTES {
                return Poll::Ready(Ok(()));
            }
            let mut buffer = ReadBuf::new(&mut bytes);
            let read = ready!(Pin::new(&mut this.tcp).poll_read(context, &mut buffer));
            let length = buffer.filled().len();
            if read.is_err() || length == 0 {
                return Poll::Ready(Ok(()));
            }
            this.discarded += length;
        }
    }
}

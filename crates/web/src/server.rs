//! The accept loop: limits on connections, handshakes and headers, and graceful shutdown.

mod activity;
mod body;
mod connection_limits;
mod handshake;
mod seats;
mod stream;
#[cfg(test)]
mod tests;

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::io::{self, Read as _, Write as _};
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use axum::extract::Request;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::Service;

use crate::app::App;
use crate::peer::Proxies;
use crate::request::Socket;
use crate::router::Router;
use crate::tls::Tls;
use activity::{Activity, Timeouts};
use connection_limits::ConnectionLimits;
use handshake::Handshake;
use seats::{Seat, Seats};
use stream::Stream;

/// A further connection takes the place of an idle one. Where there is none, it gets 503 or is closed.
const MAX_CONNECTIONS: usize = 10_000;
/// For one IPv4 address or IPv6 /64, and more for wider networks; further connections are closed. It bounds the memory for
/// headers per client.
const MAX_CONNECTIONS_PER_ADDRESS: usize = 1000;
/// How long shutdown waits for requests in progress.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(10);
/// The pause after a failed accept, such as when no file descriptor is left.
const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(100);
const MAX_HEADER_BYTES: usize = 24 * 1024;
/// For a connection without a seat. It may send more, which is not read.
const BUSY: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

/// Serves until `stop`, then waits for requests in progress. Without `tls` it speaks plain HTTP; the configuration
/// allows that on loopback and behind trusted proxies only.
///
/// # Errors
/// None at present: a failed accept is retried.
pub async fn serve(
    app: Arc<App>,
    listener: TcpListener,
    tls: Option<Arc<Tls>>,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let router = Router::new(Arc::clone(&app));
    let listener = Listener::new(listener, tls);
    let limit = |address: &IpAddr| connection_limit(address, &app.proxies);
    let connections = accept_until(stop, router, listener, limit).await;
    let drained = async {
        connections.wait().await;
        app.finish_tasks().await;
    };
    if tokio::time::timeout(SHUTDOWN_TIMEOUT, drained)
        .await
        .is_err()
    {
        tracing::warn!("shutdown timed out with requests in progress");
    }
    Ok(())
}

/// Serves what operators and their monitoring ask, by plain HTTP, with the same limits, until it is dropped.
pub async fn serve_operators(listener: TcpListener, router: axum::Router) {
    let listener = Listener::new(listener, None);
    accept_until(std::future::pending(), router, listener, |_| usize::MAX).await;
}

/// No limit for loopback and trusted proxies: their connections carry the requests of many clients.
fn connection_limit(address: &IpAddr, proxies: &Proxies) -> usize {
    if address.is_loopback() || proxies.is_trusted(address) {
        usize::MAX
    } else {
        MAX_CONNECTIONS_PER_ADDRESS
    }
}

struct Listener {
    tcp: TcpListener,
    tls: Option<Arc<Tls>>,
    max_connections: usize,
    timeouts: Timeouts,
}

impl Listener {
    fn new(tcp: TcpListener, tls: Option<Arc<Tls>>) -> Self {
        Self {
            tcp,
            tls,
            max_connections: MAX_CONNECTIONS,
            timeouts: Timeouts::default(),
        }
    }
}

/// Accepts connections until `stop`. Open connections continue with the request that they answer; the tracker waits for
/// them.
async fn accept_until(
    stop: impl Future<Output = ()>,
    router: impl HttpService,
    listener: Listener,
    connection_limit: impl Fn(&IpAddr) -> usize,
) -> TaskTracker {
    let seats = Seats::new(listener.max_connections);
    let limits = ConnectionLimits::default();
    let connections = TaskTracker::new();
    let stopping = CancellationToken::new();
    let _stopping = stopping.clone().drop_guard();
    tokio::pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = listener.tcp.accept() => accepted,
            () = &mut stop => {
                connections.close();
                return connections;
            }
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(reason = %error, "cannot accept a connection");
                seats.evict();
                tokio::time::sleep(ACCEPT_RETRY_DELAY).await;
                continue;
            }
        };
        let address = peer.ip().to_canonical();
        let Some(permit) = limits.try_acquire(address, connection_limit(&address)) else {
            tracing::debug!(%address, "connection closed: too many from this network");
            continue;
        };
        let activity = Arc::new(Activity::new(listener.timeouts));
        let Some(seat) = seats.take(&activity, &stopping) else {
            if listener.tls.is_none() {
                refuse(stream).ok();
            }
            continue;
        };
        // It only makes answers faster; a connection that is closed already is noticed when it is read.
        stream.set_nodelay(true).ok();
        let socket = Socket {
            address: peer,
            tls: listener.tls.is_some(),
        };
        let stream = Stream::new(stream, Arc::clone(&activity));
        let connection = Connection {
            activity,
            seat,
            socket,
        };
        let router = router.clone();
        // Separate tasks: a plain connection does not pay for the larger future of a TLS one.
        match &listener.tls {
            None => connections.spawn(async move {
                connection.serve_http(stream, router).await;
                drop(permit);
            }),
            Some(tls) => {
                let handshake = Handshake {
                    acceptor: tls.acceptor(),
                    timeout: listener.timeouts.header,
                    closing: connection.seat.closing.clone(),
                };
                connections.spawn(async move {
                    if let Some(stream) = handshake.accept_tls(stream, address).await {
                        connection.activity.handshake_done();
                        connection.serve_http(stream, router).await;
                    }
                    drop(permit);
                })
            }
        };
    }
}

/// Answers at once, without reading the request. What came of it is taken from the socket, so that closing does not reset
/// the connection.
fn refuse(stream: TcpStream) -> io::Result<()> {
    // It does not block.
    let mut stream = stream.into_std()?;
    stream.write_all(BUSY)?;
    stream.read(&mut [0; 4096]).map(drop)
}

trait HttpService:
    Service<Request, Response = Response, Error = Infallible, Future: Send>
    + Clone
    + Send
    + Sync
    + 'static
{
}

impl<S> HttpService for S where
    S: Service<Request, Response = Response, Error = Infallible, Future: Send>
        + Clone
        + Send
        + Sync
        + 'static
{
}

/// One connection, apart from its stream.
struct Connection {
    activity: Arc<Activity>,
    seat: Seat,
    socket: Socket,
}

impl Connection {
    /// Serves a connection until either side closes it, it is too slow, or it is idle and another needs its seat.
    async fn serve_http<S>(self, stream: S, router: impl HttpService)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let Self {
            activity,
            seat,
            socket,
        } = &self;
        let service = hyper::service::service_fn(|request: hyper::Request<Incoming>| {
            activity.request_started();
            let waits_to_send = body::waits_to_send(request.headers());
            let mut request = request.map(|body| body::reclaimed(body, activity));
            request.extensions_mut().insert(*socket);
            // The router is always ready.
            let response = router.clone().call(request);
            async move {
                let mut response = response.await?;
                body::drain(activity, waits_to_send, &mut response).await;
                activity.request_answered();
                Ok::<_, Infallible>(response)
            }
        });
        let connection = http1::Builder::new()
            .max_buf_size(MAX_HEADER_BYTES)
            .serve_connection(TokioIo::new(stream), service);
        let mut connection = pin!(connection);
        let mut too_late = pin!(until_deadline(activity));
        // A failed connection affects its own client only.
        tokio::select! {
            biased;
            _ = connection.as_mut() => return,
            () = &mut too_late => return,
            () = seat.closing.cancelled() => {}
        }
        // A request that has come is answered, and is the last.
        connection.as_mut().graceful_shutdown();
        tokio::select! {
            biased;
            _ = connection => {}
            () = too_late => {}
        }
    }
}

/// Ends when the connection must be closed. It must be polled after the connection, which moves the deadline.
async fn until_deadline(activity: &Activity) {
    let mut timer = pin!(sleep_until(Instant::now() + activity.timeouts.header));
    poll_fn(|context| {
        let Some(deadline) = activity.deadline() else {
            return Poll::Pending;
        };
        if timer.deadline() != deadline {
            timer.as_mut().reset(deadline);
        }
        timer.as_mut().poll(context)
    })
    .await;
}

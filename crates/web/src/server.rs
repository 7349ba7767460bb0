//! The accept loop: bounded connections, a limit on slow headers, and a graceful end.

mod seats;

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower::Service;

use crate::app::App;
use crate::peer::Proxies;
use crate::request::Socket;
use crate::router::Router;
use seats::{Seat, Seats};

/// Connections at once; the next one waits in the kernel's queue.
const CONNECTIONS: usize = 10_000;
/// Connections at once of one address, a /64 in IPv6; the next one is closed. What all of them can make the
/// server hold is this many heads.
const CONNECTIONS_OF_ADDRESS: usize = 1000;
/// How long a client may take to send the head of a request, and to begin another on an open connection.
const HEAD_TIME: Duration = Duration::from_secs(15);
/// How long requests that have begun may take to end once the server is told to stop.
const DRAIN_TIME: Duration = Duration::from_secs(10);
/// After a failed accept (no file descriptor left), the pause before the next.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// The largest head of a request, in bytes.
const HEAD_BYTES: usize = 24 * 1024;

/// Serves until `stop`, then lets what has begun end.
///
/// # Errors
/// None at present: a failed accept is waited out.
pub async fn serve(
    app: Arc<App>,
    listener: TcpListener,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let router = Router::new(Arc::clone(&app));
    let graceful = accept_until(stop, router, listener, |address| {
        most_of(address, &app.proxies)
    })
    .await;
    let drained = async {
        graceful.shutdown().await;
        app.settled().await;
    };
    if tokio::time::timeout(DRAIN_TIME, drained).await.is_err() {
        tracing::warn!("some requests did not end in time");
    }
    Ok(())
}

/// How many connections an address may have. This machine and the trusted proxies bring those of others.
fn most_of(address: &IpAddr, proxies: &Proxies) -> usize {
    if address.is_loopback() || proxies.trust(address) {
        usize::MAX
    } else {
        CONNECTIONS_OF_ADDRESS
    }
}

/// Accepts until `stop`, of each address at most so many at once; what has begun goes on.
async fn accept_until(
    stop: impl Future<Output = ()>,
    router: impl Answer,
    listener: TcpListener,
    most_of: impl Fn(&IpAddr) -> usize,
) -> GracefulShutdown {
    let slots = Arc::new(Semaphore::new(CONNECTIONS));
    let seats = Seats::default();
    let graceful = GracefulShutdown::new();
    tokio::pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &slots) => accepted,
            () = &mut stop => return graceful,
        };
        match accepted {
            Ok((stream, socket, slot)) => {
                let address = socket.0.ip().to_canonical();
                match seats.take(address, most_of(&address)) {
                    Some(seat) => connection(&router, &graceful, stream, socket, (slot, seat)),
                    None => tracing::debug!(%address, "closed: too many connections"),
                }
            }
            Err(error) => {
                tracing::warn!(reason = %error, "cannot accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn accept(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
) -> io::Result<(TcpStream, Socket, OwnedSemaphorePermit)> {
    // The semaphore is never closed.
    let slot = Arc::clone(slots)
        .acquire_owned()
        .await
        .map_err(io::Error::other)?;
    let (stream, address) = listener.accept().await?;
    stream.set_nodelay(true)?;
    Ok((stream, Socket(address), slot))
}

/// What answers requests.
trait Answer:
    Service<Request, Response = Response, Error = Infallible, Future: Send> + Clone + Send + 'static
{
}

impl<S> Answer for S where
    S: Service<Request, Response = Response, Error = Infallible, Future: Send>
        + Clone
        + Send
        + 'static
{
}

fn connection(
    router: &impl Answer,
    graceful: &GracefulShutdown,
    stream: TcpStream,
    socket: Socket,
    place: (OwnedSemaphorePermit, Seat),
) {
    let router = router.clone();
    let service = hyper::service::service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(socket);
        // It is always ready.
        router.clone().call(request.map(Body::new))
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .max_buf_size(HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service);
    let watched = graceful.watch(connection);
    tokio::spawn(async move {
        // What a client does to its own connection concerns nobody else.
        let _ = watched.await;
        drop(place);
    });
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::{SocketAddr, TcpStream};

    use axum::routing::get;
    use tokio::sync::oneshot;

    use super::*;

    /// A connection that has been answered and stays open; none where the server closed it.
    fn connected(address: SocketAddr) -> Option<TcpStream> {
        let mut stream = TcpStream::connect(address).unwrap();
        let _ = stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).ok()?;
        assert_eq!(&answer, b"HTTP/1.1 200");
        Some(stream)
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn an_address_with_all_its_connections_gets_another_once_one_has_ended() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = axum::Router::new().route("/", get(async || "here"));
        let (stop, stopped) = oneshot::channel::<()>();
        let stopped = async { drop(stopped.await) };
        let served = tokio::spawn(accept_until(stopped, router, listener, |_| 2));

        let first = connected(address).unwrap();
        let second = connected(address).unwrap();
        for _ in 0..3 {
            assert!(connected(address).is_none());
        }
        drop(first);
        // The server sees the end when it reads next.
        let third = std::iter::repeat_with(|| connected(address)).find_map(|third| third);
        assert!(connected(address).is_none());
        drop((second, third));
        stop.send(()).unwrap();
        served.await.unwrap();
    }

    #[test]
    fn this_machine_and_the_proxies_bring_the_connections_of_others() {
        let proxies = Proxies {
            trusted: vec!["10.0.0.0/8".parse().unwrap()],
            ..Proxies::default()
        };
        let most = |address: &str| most_of(&address.parse().unwrap(), &proxies);
        assert_eq!(["127.0.0.1", "::1", "10.1.2.3"].map(most), [usize::MAX; 3]);
        assert_eq!(most("192.0.2.1"), CONNECTIONS_OF_ADDRESS);
    }
}

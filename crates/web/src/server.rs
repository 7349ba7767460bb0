//! The accept loop: bounded connections, a limit on slow handshakes and headers, and a graceful end.

mod handshake;
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
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tower::Service;

use crate::app::App;
use crate::peer::Proxies;
use crate::request::Socket;
use crate::router::Router;
use crate::tls::Tls;
use handshake::Handshake;
use seats::Seats;

/// Connections at once; the next one waits in the kernel's queue.
const CONNECTIONS: usize = 10_000;
/// Connections at once of one address, a /64 in IPv6; the next one is closed. What all of them can make the
/// server hold is this many heads.
const CONNECTIONS_OF_ADDRESS: usize = 1000;
/// How long a client may take to send the head of a request, to begin another on an open connection, and before
/// the first for the handshake of TLS.
const HEAD_TIME: Duration = Duration::from_secs(15);
/// How long requests that have begun may take to end once the server is told to stop.
const DRAIN_TIME: Duration = Duration::from_secs(10);
/// After a failed accept (no file descriptor left), the pause before the next.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// The largest head of a request, in bytes.
const HEAD_BYTES: usize = 24 * 1024;

/// Serves until `stop`, then lets what has begun end. Without `tls` it speaks plain http, which is for loopback and
/// for trusted proxies; the configuration sees to that.
///
/// # Errors
/// None at present: a failed accept is waited out.
pub async fn serve(
    app: Arc<App>,
    listener: TcpListener,
    tls: Option<Arc<Tls>>,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let router = Router::new(Arc::clone(&app));
    let door = Door {
        listener,
        tls,
        patience: HEAD_TIME,
    };
    let graceful = accept_until(stop, router, door, |address| most_of(address, &app.proxies)).await;
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

/// Where connections come in.
struct Door {
    listener: TcpListener,
    /// What is spoken before http.
    tls: Option<Arc<Tls>>,
    /// How long that may take.
    patience: Duration,
}

/// Accepts until `stop`, of each address at most so many at once; what has begun goes on.
async fn accept_until(
    stop: impl Future<Output = ()>,
    router: impl Answer,
    door: Door,
    most_of: impl Fn(&IpAddr) -> usize,
) -> GracefulShutdown {
    let slots = Arc::new(Semaphore::new(CONNECTIONS));
    let seats = Seats::default();
    let graceful = GracefulShutdown::new();
    // Who has not even shaken hands is not waited for.
    let stopping = CancellationToken::new();
    let _stopping = stopping.clone().drop_guard();
    tokio::pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = accept(&door, &slots) => accepted,
            () = &mut stop => return graceful,
        };
        match accepted {
            Ok((stream, socket, slot)) => {
                let address = socket.address.ip().to_canonical();
                let Some(seat) = seats.take(address, most_of(&address)) else {
                    tracing::debug!(%address, "closed: too many connections");
                    continue;
                };
                let handshake = door.tls.as_deref().map(|tls| Handshake {
                    acceptor: tls.acceptor(),
                    patience: door.patience,
                    stopping: stopping.clone(),
                });
                let (router, watcher) = (router.clone(), graceful.watcher());
                // A task of each kind: a plain connection does not pay for the size of the other.
                match handshake {
                    None => tokio::spawn(async move {
                        http(stream, socket, router, watcher).await;
                        drop((slot, seat));
                    }),
                    Some(handshake) => tokio::spawn(async move {
                        if let Some(stream) = handshake.shake(stream, address).await {
                            http(stream, socket, router, watcher).await;
                        }
                        drop((slot, seat));
                    }),
                };
            }
            Err(error) => {
                tracing::warn!(reason = %error, "cannot accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn accept(
    door: &Door,
    slots: &Arc<Semaphore>,
) -> io::Result<(TcpStream, Socket, OwnedSemaphorePermit)> {
    // The semaphore is never closed.
    let slot = Arc::clone(slots)
        .acquire_owned()
        .await
        .map_err(io::Error::other)?;
    let (stream, address) = door.listener.accept().await?;
    stream.set_nodelay(true)?;
    let tls = door.tls.is_some();
    Ok((stream, Socket { address, tls }, slot))
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

/// Speaks http on a connection until either side ends it.
async fn http<S>(stream: S, socket: Socket, router: impl Answer, watcher: Watcher)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
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
    // What a client does to its own connection concerns nobody else.
    let _ = watcher.watch(connection).await;
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
        let door = Door {
            listener,
            tls: None,
            patience: HEAD_TIME,
        };
        let served = tokio::spawn(accept_until(stopped, router, door, |_| 2));

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

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn who_is_slow_to_shake_hands_holds_a_place_and_is_cut() {
        let folder = tempfile::TempDir::new().unwrap();
        let file = folder.path().join("both.pem");
        let made = rcgen::generate_simple_self_signed(["a.example".to_owned()]).unwrap();
        std::fs::write(&file, made.cert.pem() + &made.signing_key.serialize_pem()).unwrap();
        let certificate = crate::Certificate::read(&file, &file).unwrap();
        let tls = Some(Arc::new(
            Tls::new(certificate, crate::OldestTls::V1_3).unwrap(),
        ));

        for patience in [Duration::from_millis(50), HEAD_TIME] {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let (stop, stopped) = oneshot::channel::<()>();
            let stopped = async { drop(stopped.await) };
            let tls = tls.clone();
            let door = Door {
                listener,
                tls,
                patience,
            };
            let served = tokio::spawn(accept_until(stopped, axum::Router::new(), door, |_| 1));

            let mut silent = TcpStream::connect(address).unwrap();
            let mut second = TcpStream::connect(address).unwrap();
            assert_eq!(second.read(&mut [0]).unwrap(), 0, "there is one place");
            if patience < HEAD_TIME {
                assert_eq!(silent.read(&mut [0]).unwrap(), 0, "it is cut");
            }
            stop.send(()).unwrap();
            // A stop waits for no handshake: the patience of the second round is beyond it.
            served.await.unwrap().shutdown().await;
            assert_eq!(silent.read(&mut [0]).unwrap(), 0);
        }
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

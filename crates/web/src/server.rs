//! The accept loop: limits on connections, handshakes and headers, and graceful shutdown.

mod connection_limits;
mod handshake;

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
use connection_limits::ConnectionLimits;
use handshake::Handshake;

/// Further connections wait in the kernel's queue.
const MAX_CONNECTIONS: usize = 10_000;
/// For one IPv4 address or IPv6 /64; further connections are closed. It bounds the memory for headers per client.
const MAX_CONNECTIONS_PER_ADDRESS: usize = 1000;
/// For the TLS handshake, for the headers of a request, and between requests on one connection.
const HEADER_TIMEOUT: Duration = Duration::from_secs(15);
/// How long shutdown waits for requests in progress.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(10);
/// The pause after a failed accept, such as when no file descriptor is left.
const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(100);
const MAX_HEADER_BYTES: usize = 24 * 1024;

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
    let listener = Listener {
        tcp: listener,
        tls,
        timeout: HEADER_TIMEOUT,
    };
    let limit = |address: &IpAddr| connection_limit(address, &app.proxies);
    let graceful = accept_until(stop, router, listener, limit).await;
    let drained = async {
        graceful.shutdown().await;
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
    /// For the TLS handshake.
    timeout: Duration,
}

/// Accepts connections until `stop`. Open connections continue.
async fn accept_until(
    stop: impl Future<Output = ()>,
    router: impl HttpService,
    listener: Listener,
    connection_limit: impl Fn(&IpAddr) -> usize,
) -> GracefulShutdown {
    let slots = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let limits = ConnectionLimits::default();
    let graceful = GracefulShutdown::new();
    // Shutdown does not wait for handshakes.
    let stopping = CancellationToken::new();
    let _stopping = stopping.clone().drop_guard();
    tokio::pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &slots) => accepted,
            () = &mut stop => return graceful,
        };
        match accepted {
            Ok((stream, socket, slot)) => {
                let address = socket.address.ip().to_canonical();
                let Some(permit) = limits.try_acquire(address, connection_limit(&address)) else {
                    tracing::debug!(%address, "connection closed: too many from this address");
                    continue;
                };
                let handshake = listener.tls.as_deref().map(|tls| Handshake {
                    acceptor: tls.acceptor(),
                    timeout: listener.timeout,
                    stopping: stopping.clone(),
                });
                let (router, watcher) = (router.clone(), graceful.watcher());
                // Separate tasks: a plain connection does not pay for the larger future of a TLS one.
                match handshake {
                    None => tokio::spawn(async move {
                        serve_http(stream, socket, router, watcher).await;
                        drop((slot, permit));
                    }),
                    Some(handshake) => tokio::spawn(async move {
                        if let Some(stream) = handshake.accept_tls(stream, address).await {
                            serve_http(stream, socket, router, watcher).await;
                        }
                        drop((slot, permit));
                    }),
                };
            }
            Err(error) => {
                tracing::warn!(reason = %error, "cannot accept a connection");
                tokio::time::sleep(ACCEPT_RETRY_DELAY).await;
            }
        }
    }
}

async fn accept(
    listener: &Listener,
    slots: &Arc<Semaphore>,
) -> io::Result<(TcpStream, Socket, OwnedSemaphorePermit)> {
    // The semaphore is never closed.
    let slot = Arc::clone(slots)
        .acquire_owned()
        .await
        .map_err(io::Error::other)?;
    let (stream, address) = listener.tcp.accept().await?;
    stream.set_nodelay(true)?;
    let tls = listener.tls.is_some();
    Ok((stream, Socket { address, tls }, slot))
}

trait HttpService:
    Service<Request, Response = Response, Error = Infallible, Future: Send> + Clone + Send + 'static
{
}

impl<S> HttpService for S where
    S: Service<Request, Response = Response, Error = Infallible, Future: Send>
        + Clone
        + Send
        + 'static
{
}

/// Serves a connection until either side closes it.
async fn serve_http<S>(stream: S, socket: Socket, router: impl HttpService, watcher: Watcher)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = hyper::service::service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(socket);
        // The router is always ready.
        router.clone().call(request.map(Body::new))
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_buf_size(MAX_HEADER_BYTES)
        .serve_connection(TokioIo::new(stream), service);
    // A failed connection affects its own client only.
    let _ = watcher.watch(connection).await;
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::{SocketAddr, TcpStream};

    use axum::routing::get;
    use tokio::sync::oneshot;

    use super::*;

    /// An open connection on which one request was answered. `None` if the server closed it.
    fn connect(address: SocketAddr) -> Option<TcpStream> {
        let mut stream = TcpStream::connect(address).unwrap();
        let _ = stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).ok()?;
        assert_eq!(&answer, b"HTTP/1.1 200");
        Some(stream)
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn an_address_at_its_limit_can_connect_again_after_a_connection_closes() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = axum::Router::new().route("/", get(async || "ok"));
        let (stop, stopped) = oneshot::channel::<()>();
        let stopped = async { drop(stopped.await) };
        let listener = Listener {
            tcp: listener,
            tls: None,
            timeout: HEADER_TIMEOUT,
        };
        let served = tokio::spawn(accept_until(stopped, router, listener, |_| 2));

        let first = connect(address).unwrap();
        let second = connect(address).unwrap();
        for _ in 0..3 {
            assert!(connect(address).is_none());
        }
        drop(first);
        // The server notices the closed connection when it next reads.
        let third = std::iter::repeat_with(|| connect(address)).find_map(|third| third);
        assert!(connect(address).is_none());
        drop((second, third));
        stop.send(()).unwrap();
        served.await.unwrap();
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_slow_handshake_counts_as_a_connection_and_times_out() {
        let folder = tempfile::TempDir::new().unwrap();
        let file = folder.path().join("both.pem");
        let generated = rcgen::generate_simple_self_signed(["a.example".to_owned()]).unwrap();
        std::fs::write(
            &file,
            generated.cert.pem() + &generated.signing_key.serialize_pem(),
        )
        .unwrap();
        let certificate = crate::Certificate::read(&file, &file).unwrap();
        let tls = Some(Arc::new(
            Tls::new(certificate, crate::MinTlsVersion::V1_3).unwrap(),
        ));

        for timeout in [Duration::from_millis(50), HEADER_TIMEOUT] {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let (stop, stopped) = oneshot::channel::<()>();
            let stopped = async { drop(stopped.await) };
            let tls = tls.clone();
            let listener = Listener {
                tcp: listener,
                tls,
                timeout,
            };
            let router = axum::Router::new();
            let served = tokio::spawn(accept_until(stopped, router, listener, |_| 1));

            let mut silent = TcpStream::connect(address).unwrap();
            let mut second = TcpStream::connect(address).unwrap();
            assert_eq!(
                second.read(&mut [0]).unwrap(),
                0,
                "the limit is one connection"
            );
            if timeout < HEADER_TIMEOUT {
                assert_eq!(silent.read(&mut [0]).unwrap(), 0, "timed out");
            }
            stop.send(()).unwrap();
            // Shutdown does not wait for the long timeout of the second round.
            served.await.unwrap().shutdown().await;
            assert_eq!(silent.read(&mut [0]).unwrap(), 0);
        }
    }

    #[test]
    fn loopback_and_trusted_proxies_have_no_connection_limit() {
        let proxies = Proxies {
            trusted: vec!["10.0.0.0/8".parse().unwrap()],
            ..Proxies::default()
        };
        let limit = |address: &str| connection_limit(&address.parse().unwrap(), &proxies);
        assert_eq!(["127.0.0.1", "::1", "10.1.2.3"].map(limit), [usize::MAX; 3]);
        assert_eq!(limit("192.0.2.1"), MAX_CONNECTIONS_PER_ADDRESS);
    }
}

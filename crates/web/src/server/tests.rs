//! Limits of connections, on real sockets.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use axum::routing::get;
use tokio::sync::oneshot;

use super::*;

/// For a time-out that a test waits for.
const SOON: Duration = Duration::from_millis(50);
/// For one that must not end a test's connection.
const NEVER: Duration = Duration::from_secs(3600);
const TIMEOUTS: Timeouts = Timeouts {
    header: NEVER,
    idle: NEVER,
    write: NEVER,
    drain: NEVER,
};

/// A server that runs until it is dropped.
struct Served {
    address: SocketAddr,
    _stop: oneshot::Sender<()>,
}

async fn serve_with(
    router: axum::Router,
    timeouts: Timeouts,
    max_connections: usize,
    per_address: usize,
) -> Served {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let stopped = async { drop(stopped.await) };
    let listener = Listener {
        tcp: listener,
        tls: None,
        max_connections,
        timeouts,
    };
    tokio::spawn(accept_until(stopped, router, listener, move |_| {
        per_address
    }));
    Served {
        address,
        _stop: stop,
    }
}

fn router() -> axum::Router {
    axum::Router::new().route("/", get(async || "ok"))
}

/// Another request on this connection. `None` if the server closed it.
fn again(stream: &mut TcpStream) -> Option<String> {
    stream
        .write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        .ok()?;
    let mut answer = [0; 4096];
    let read = stream.read(&mut answer).ok().filter(|read| *read > 0)?;
    Some(String::from_utf8_lossy(&answer[..read]).into_owned())
}

/// An open connection on which one request was answered. `None` if the server closed it.
fn connect(address: SocketAddr) -> Option<TcpStream> {
    let mut stream = TcpStream::connect(address).unwrap();
    let _ = stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    let mut answer = [0; 4096];
    let read = stream.read(&mut answer).ok().filter(|read| *read > 0)?;
    assert!(answer[..read].starts_with(b"HTTP/1.1 200"));
    Some(stream)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_at_its_limit_can_connect_again_after_a_connection_closes() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = axum::Router::new().route("/", get(async || "ok"));
    let (stop, stopped) = oneshot::channel::<()>();
    let stopped = async { drop(stopped.await) };
    let listener = Listener::new(listener, None);
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

    for timeout in [SOON, NEVER] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let stopped = async { drop(stopped.await) };
        let tls = tls.clone();
        let mut listener = Listener::new(listener, tls);
        listener.timeouts.header = timeout;
        let router = axum::Router::new();
        let served = tokio::spawn(accept_until(stopped, router, listener, |_| 1));

        let mut silent = TcpStream::connect(address).unwrap();
        let mut second = TcpStream::connect(address).unwrap();
        assert_eq!(
            second.read(&mut [0]).unwrap(),
            0,
            "the limit is one connection"
        );
        if timeout == SOON {
            assert_eq!(silent.read(&mut [0]).unwrap(), 0, "timed out");
        }
        stop.send(()).unwrap();
        // Shutdown does not wait for the long timeout of the second round.
        served.await.unwrap().wait().await;
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_never_reads_is_closed_and_gives_its_place_back() {
    let large = axum::Router::new().route("/", get(async || "x".repeat(1024 * 1024)));
    let timeouts = Timeouts {
        write: SOON,
        ..TIMEOUTS
    };
    let server = serve_with(large, timeouts, 10, 1).await;
    let mut silent = TcpStream::connect(server.address).unwrap();
    // More answers than the buffers of both sides take.
    let requests = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n".repeat(128);
    silent.write_all(&requests).unwrap();
    let second = std::iter::repeat_with(|| connect(server.address)).find_map(|second| second);
    drop((second, silent));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_all_seats_are_taken_the_longest_idle_connection_makes_room() {
    let server = serve_with(router(), TIMEOUTS, 3, usize::MAX).await;
    // One that never sent anything, and two that did.
    let mut unused = TcpStream::connect(server.address).unwrap();
    let mut first = connect(server.address).unwrap();
    let mut second = connect(server.address).unwrap();
    let third = connect(server.address).unwrap();
    assert_eq!(unused.read(&mut [0]).unwrap(), 0, "it made room");
    assert!(again(&mut first).unwrap().starts_with("HTTP/1.1 200"));
    let fourth = connect(server.address).unwrap();
    assert_eq!(second.read(&mut [0]).unwrap(), 0, "it made room");
    assert!(again(&mut first).unwrap().starts_with("HTTP/1.1 200"));
    drop((third, fourth));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_all_connections_are_busy_a_new_one_gets_503_at_once() {
    let (started, mut starts) = tokio::sync::mpsc::channel(1);
    let (open, gate) = oneshot::channel::<()>();
    let gate = Arc::new(tokio::sync::Mutex::new(Some(gate)));
    let slow = async move || {
        started.send(()).await.unwrap();
        let gate = gate.lock().await.take().unwrap();
        gate.await.unwrap();
        "ok"
    };
    let router = axum::Router::new().route("/", get(slow));
    let server = serve_with(router, TIMEOUTS, 1, usize::MAX).await;
    let mut busy = TcpStream::connect(server.address).unwrap();
    busy.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        .unwrap();
    starts.recv().await.unwrap();

    let mut refused = TcpStream::connect(server.address).unwrap();
    let mut answer = String::new();
    refused.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    assert!(answer.contains("retry-after: 1"), "{answer}");

    open.send(()).unwrap();
    let mut answer = [0; 12];
    busy.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200", "its request was not cut off");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_used_connection_outlasts_the_time_for_headers_and_ends_with_the_idle_time() {
    let timeouts = Timeouts {
        header: SOON,
        ..TIMEOUTS
    };
    let server = serve_with(router(), timeouts, 10, usize::MAX).await;
    let (mut used, mut slow) = (connect(server.address), connect(server.address));
    let (used, slow) = (used.as_mut().unwrap(), slow.as_mut().unwrap());
    slow.write_all(b"GET / HT").unwrap();
    let mut unused = TcpStream::connect(server.address).unwrap();
    assert_eq!(unused.read(&mut [0]).unwrap(), 0, "it sent nothing");
    assert_eq!(slow.read(&mut [0]).unwrap(), 0, "it was slow");
    assert!(again(used).unwrap().starts_with("HTTP/1.1 200"));

    let timeouts = Timeouts {
        idle: SOON,
        ..TIMEOUTS
    };
    let server = serve_with(router(), timeouts, 10, usize::MAX).await;
    let mut used = connect(server.address).unwrap();
    assert_eq!(used.read(&mut [0]).unwrap(), 0, "it was idle");
    // nginx keeps a connection to a server for 60 seconds by default, HAProxy and Envoy for up to an hour; 75 is nginx's
    // own limit for clients.
    assert_eq!(Timeouts::default().idle, Duration::from_secs(75));
}

/// What the server answers to this, until it closes the connection.
fn talk(server: &Served, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(server.address).unwrap();
    stream.write_all(request).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_no_handler_reads_does_not_cut_a_kept_connection() {
    let server = serve_with(router(), TIMEOUTS, 10, usize::MAX).await;
    let last = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let body = "x".repeat(60 * 1024);
    let sized = format!("Content-Length: {}\r\n\r\n{body}", body.len());
    let chunked = format!(
        "Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n",
        body.len()
    );
    for rest in [sized, chunked] {
        let request = format!("POST /no/such/path HTTP/1.1\r\nHost: x\r\n{rest}{last}");
        let answer = talk(&server, request.as_bytes());
        assert!(answer.starts_with("HTTP/1.1 404 "), "{answer}");
        assert!(answer.contains("HTTP/1.1 200 OK"), "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_answer_to_a_body_that_is_too_long_to_read_says_that_the_connection_ends_and_arrives() {
    let timeouts = Timeouts {
        drain: SOON,
        ..TIMEOUTS
    };
    let server = serve_with(router(), timeouts, 10, usize::MAX).await;
    let body = "x".repeat(512 * 1024);
    for rest in [
        format!("Content-Length: {}\r\n\r\n{body}", 100 * body.len()),
        format!(
            "Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{body}",
            body.len()
        ),
        "Content-Length: 10\r\nExpect: 100-continue\r\n\r\n".to_owned(),
        // It never comes.
        "Content-Length: 10\r\n\r\n".to_owned(),
    ] {
        let request = format!("POST /no/such/path HTTP/1.1\r\nHost: x\r\n{rest}");
        let answer = talk(&server, request.as_bytes());
        assert!(answer.starts_with("HTTP/1.1 404 "), "{answer}");
        assert!(answer.contains("connection: close"), "{answer}");
    }
}

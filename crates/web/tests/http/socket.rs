//! What only a real socket shows: the peer's address, a body that never ends, and a graceful stop.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::oneshot;

use grantor_testkit::server::TestServer;

/// Serves on a free port of the loopback; the sender stops it.
async fn serve(server: &TestServer) -> (String, oneshot::Sender<()>, tokio::task::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address").to_string();
    let (stop, stopped) = oneshot::channel();
    let stopped = async {
        let _ = stopped.await;
    };
    let served = grantor_web::serve(Arc::clone(&server.app), listener, None, stopped);
    let served = tokio::spawn(async { served.await.expect("it ends well") });
    (address, stop, served)
}

/// Sends this text on a new connection, and reads until the server closes.
fn talk(address: &str, text: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("it listens");
    // A server that does not read the rest may reset the connection after its answer.
    let _ = stream.write_all(text.as_bytes());
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

const HEALTHY: &str = "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

fn post(path: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nHost: id.example.com\r\nConnection: close\r\nUser-Agent: Socket/1\r\n\
         X-Forwarded-For: 203.0.113.5\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forwarded_headers_of_untrusted_peers_are_ignored() {
    let server = TestServer::new().await;
    let (address, stop, served) = serve(&server).await;
    let answer = talk(
        &address,
        &post("/oauth2/device_authorization", "client_id=tv"),
    );
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    let (_, body) = answer.split_once("\r\n\r\n").expect("a head");
    let codes: serde_json::Value = serde_json::from_str(body).expect("JSON");
    let mut alice = server.signed_in("alice").await;
    let page = alice
        .type_code(codes["user_code"].as_str().expect("a code"))
        .await;
    assert!(
        page.body.contains("<bdi id=\"device-address\">127.0.0.1"),
        "{page:?}"
    );
    stop.send(()).expect("it serves");
    served.await.expect("it stops");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_claims_or_turns_out_to_be_too_large_is_refused() {
    let server = TestServer::new().await;
    let (address, stop, served) = serve(&server).await;
    let large = "x".repeat(70_000);
    assert!(talk(&address, &post("/oauth2/token", &large)).starts_with("HTTP/1.1 413 "));
    let chunk = format!("{:x}\r\n{large}\r\n0\r\n\r\n", large.len());
    let head = "POST /oauth2/token HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n";
    assert!(talk(&address, &format!("{head}{chunk}")).starts_with("HTTP/1.1 413 "));
    stop.send(()).expect("it serves");
    served.await.expect("it stops");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_head_of_more_than_24_kib_is_refused() {
    let server = TestServer::new().await;
    let (address, stop, served) = serve(&server).await;
    for (cookie, status) in [(20, 200), (25, 431)] {
        let cookie = "x".repeat(cookie * 1024);
        let head = HEALTHY.trim_end();
        let request = format!("{head}\r\nCookie: {cookie}\r\n\r\n");
        let answer = talk(&address, &request);
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{answer}"
        );
    }
    stop.send(()).expect("it serves");
    served.await.expect("it stops");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn malformed_http_ends_the_connection_and_the_server_keeps_running() {
    let server = TestServer::new().await;
    let (address, stop, served) = serve(&server).await;
    for text in [
        "\r\n\r\n\r\n",
        "GET\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "POST /oauth2/token HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        "POST /oauth2/token HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "GET / HTTP/1.1\r\nbad header\r\n\r\n",
        "\u{0}\u{1}\u{2}\r\n\r\n",
    ] {
        let mut stream = TcpStream::connect(&address).expect("it listens");
        stream.write_all(text.as_bytes()).expect("it reads");
        stream.shutdown(Shutdown::Write).expect("our end");
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer);
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 4"),
            "{text:?}: {answer}"
        );
    }
    assert!(talk(&address, HEALTHY).starts_with("HTTP/1.1 200 OK"));
    stop.send(()).expect("it serves");
    served.await.expect("it stops");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_in_progress_is_answered_after_shutdown_begins() {
    let server = TestServer::new().await;
    let (address, stop, served) = serve(&server).await;
    let request = post("/oauth2/device_authorization", "client_id=tv");
    let (first, rest) = request.split_at(request.len() - 3);
    let mut stream = TcpStream::connect(&address).expect("it listens");
    stream.write_all(first.as_bytes()).expect("it reads");
    // An answer on another connection: by then the server has taken the first.
    assert!(talk(&address, HEALTHY).starts_with("HTTP/1.1 200 OK"));
    stop.send(()).expect("it serves");
    stream.write_all(rest.as_bytes()).expect("it still reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("text");
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    served.await.expect("it stops");
    assert!(
        TcpStream::connect(&address).is_err(),
        "the listener is closed"
    );
}

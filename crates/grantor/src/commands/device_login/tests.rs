use std::cell::RefCell;
use std::time::Duration;

use serde_json::{Map, Value as Json, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::Device;
use super::client::{Client, Reply, issuer};
use super::failure::Failure;
use super::pace::{Pace, Step};
use super::screen::{Screen, printable, qr_code};

const SECONDS: fn(u64) -> Duration = Duration::from_secs;

#[test]
fn an_issuer_that_would_expose_credentials_is_refused() {
    for text in [
        "http://id.example.com",
        "ftp://id.example.com",
        "id.example.com",
        "https://a/?b",
    ] {
        assert!(matches!(issuer(text), Err(Failure::Usage(_))), "{text}");
    }
}

fn reply(status: u16, body: Json) -> Result<Reply, Failure> {
    let body = body.as_object().cloned().unwrap_or_default();
    Ok(Reply {
        url: "http://127.0.0.1/token".to_owned(),
        status,
        retry_after: None,
        body,
    })
}

fn unreachable() -> Result<Reply, Failure> {
    Err(Failure::Unreachable {
        url: String::new(),
        cause: String::new(),
    })
}

#[test]
fn rfc8628_3_5_slow_down_adds_five_seconds_for_good() {
    let mut pace = Pace::new(SECONDS(5));
    assert!(matches!(
        pace.judge(reply(400, json!({ "error": "slow_down" }))),
        Step::Again
    ));
    assert_eq!(pace.next(), SECONDS(10));
    assert!(matches!(
        pace.judge(reply(400, json!({ "error": "authorization_pending" }))),
        Step::Again
    ));
    assert_eq!(pace.next(), SECONDS(10));
    pace.judge(reply(400, json!({ "error": "slow_down" })));
    assert_eq!(pace.next(), SECONDS(15));
}

#[test]
fn rfc8628_3_5_the_pace_halves_with_each_lost_connection_and_recovers() {
    let mut pace = Pace::new(SECONDS(5));
    let mut paces = Vec::new();
    for _ in 0..5 {
        assert!(matches!(pace.judge(unreachable()), Step::Again));
        paces.push(pace.next().as_secs());
    }
    assert_eq!(paces, [10, 20, 40, 60, 60]);
    pace.judge(reply(400, json!({ "error": "authorization_pending" })));
    assert_eq!(pace.next(), SECONDS(5));
}

#[test]
fn a_server_that_cannot_answer_now_is_asked_again() {
    let mut pace = Pace::new(SECONDS(5));
    for status in [429, 502, 503, 504] {
        assert!(
            matches!(pace.judge(reply(status, Json::Null)), Step::Again),
            "{status}"
        );
    }
    let mut late = reply(503, json!({ "error": "temporarily_unavailable" }))
        .ok()
        .unwrap();
    late.retry_after = Some(SECONDS(17));
    assert!(matches!(pace.judge(Ok(late)), Step::Again));
    assert_eq!(pace.next(), SECONDS(17));
}

#[test]
fn a_refusal_stops_with_error_description_and_trace_id() {
    let body = json!({ "error": "access_denied", "error_description": "The user said no.", "trace_id": "4bf9" });
    let Step::Stop(failure) = Pace::new(SECONDS(5)).judge(reply(400, body)) else {
        panic!("it went on")
    };
    assert_eq!(
        failure.to_string(),
        "access_denied: The user said no. (trace_id 4bf9)"
    );
    let Step::Stop(failure) = Pace::new(SECONDS(5)).judge(reply(404, Json::Null)) else {
        panic!("it went on")
    };
    assert!(failure.to_string().contains("status 404"), "{failure}");
}

#[test]
fn the_qr_code_in_half_blocks_holds_every_module_and_a_quiet_zone() {
    let uri = "https://id.example.com/device?user_code=WDJB-MJHT";
    let code = qrcode::QrCode::with_error_correction_level(uri, qrcode::EcLevel::L).unwrap();
    let text = qr_code(uri, false).unwrap();
    let lines: Vec<Vec<char>> = text.lines().map(|line| line.chars().collect()).collect();
    // ISO/IEC 18004: four modules of quiet on each side. Two modules to a line.
    let (width, quiet) = (code.width(), 4);
    assert!(lines.iter().all(|line| line.len() == width + 2 * quiet));
    let light = |x: usize, y: usize| {
        let upper = y.is_multiple_of(2);
        match lines[y / 2][x] {
            '█' => true,
            '▀' => upper,
            '▄' => !upper,
            _ => false,
        }
    };
    for y in 0..width + 2 * quiet {
        for x in 0..width + 2 * quiet {
            let inside = (quiet..width + quiet).contains(&x) && (quiet..width + quiet).contains(&y);
            let expected = !inside || code[(x - quiet, y - quiet)] == qrcode::Color::Light;
            assert_eq!(light(x, y), expected, "module {x}, {y}");
        }
    }
}

#[test]
fn a_server_cannot_steer_the_terminal() {
    assert_eq!(
        printable("\x1b[2Jcode\r\n"),
        "\u{fffd}[2Jcode\u{fffd}\u{fffd}"
    );
}

/// A server on loopback that gives one scripted answer to each request, and keeps the requests.
/// The real server is driven by the black-box tests; this one fails in ways that it does not.
async fn serve(listener: TcpListener, answers: Vec<(u16, Json)>) -> Vec<String> {
    let mut requests = Vec::new();
    for (status, body) in answers {
        let (mut stream, _) = listener.accept().await.unwrap();
        requests.push(request(&mut stream).await);
        let body = body.to_string();
        let head = format!(
            "HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        stream
            .write_all(format!("{head}{body}").as_bytes())
            .await
            .unwrap();
    }
    requests
}

/// The request line, the `Authorization` header if there is one, and the body.
async fn request(stream: &mut TcpStream) -> String {
    let mut reader = BufReader::new(stream);
    let (mut kept, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).await.unwrap();
        let lower = line.to_lowercase();
        if let Some(value) = lower.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if kept.is_empty() || lower.starts_with("authorization:") {
            kept.push_str(line.trim_end());
            kept.push('\n');
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).await.unwrap();
    kept + std::str::from_utf8(&body).unwrap()
}

struct Login {
    outcome: Result<(), Failure>,
    events: Vec<Map<String, Json>>,
    pauses: Vec<u64>,
    requests: Vec<String>,
}

async fn log_in(secret: Option<&str>, answers: Vec<(u16, Json)>) -> Login {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let issuer = format!("http://{}", listener.local_addr().unwrap());
    let metadata = json!({
        "issuer": issuer,
        "device_authorization_endpoint": format!("{issuer}/oauth2/device_authorization"),
        "token_endpoint": format!("{issuer}/oauth2/token"),
    });
    let answers = std::iter::once((200, metadata)).chain(answers).collect();

    let client = Client::new("tv".to_owned(), secret).unwrap();
    let device = Device {
        issuer: issuer.parse().unwrap(),
        scope: Some("openid profile".to_owned()),
        client,
    };
    let mut out = Vec::new();
    let pauses = RefCell::new(Vec::new());
    let mut screen = Screen::new(&mut out, true, false);
    let (outcome, requests) = tokio::join!(
        device.log_in(&mut screen, async |time: Duration| pauses
            .borrow_mut()
            .push(time.as_secs())),
        serve(listener, answers),
    );
    let events = out.split(|b| *b == b'\n').filter(|line| !line.is_empty());
    let events = events
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect();
    Login {
        outcome,
        events,
        pauses: pauses.into_inner(),
        requests,
    }
}

fn codes() -> (u16, Json) {
    let body = json!({
        "device_code": "grantor_dc_1", "user_code": "WDJB-MJHT", "expires_in": 600,
        "verification_uri": "http://127.0.0.1/device",
    });
    (200, body)
}

#[tokio::test]
async fn a_device_polls_at_the_servers_interval_until_tokens_arrive() {
    let login = log_in(
        None,
        vec![
            codes(),
            (400, json!({ "error": "authorization_pending" })),
            (400, json!({ "error": "slow_down" })),
            (503, json!({ "error": "temporarily_unavailable" })),
            (
                200,
                json!({ "access_token": "at", "token_type": "Bearer", "event": "code" }),
            ),
        ],
    )
    .await;

    login.outcome.unwrap();
    assert_eq!(login.pauses, [5, 5, 10, 20]);
    let [code, tokens] = login.events.as_slice() else {
        panic!("{:?}", login.events)
    };
    assert_eq!(
        (&code["event"], &code["user_code"]),
        (&json!("code"), &json!("WDJB-MJHT"))
    );
    assert!(!code.contains_key("device_code"));
    assert_eq!(
        (&tokens["event"], &tokens["access_token"]),
        (&json!("tokens"), &json!("at"))
    );
    assert_eq!(
        login.requests[0],
        "GET /.well-known/oauth-authorization-server HTTP/1.1\n"
    );
    assert_eq!(
        login.requests[1],
        "POST /oauth2/device_authorization HTTP/1.1\nscope=openid+profile&client_id=tv"
    );
    assert_eq!(
        login.requests[2],
        "POST /oauth2/token HTTP/1.1\ngrant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code\
         &device_code=grantor_dc_1&client_id=tv"
    );
}

#[tokio::test]
async fn a_client_with_a_secret_sends_it_by_basic_alone() {
    let refusal = json!({ "error": "invalid_client", "error_description": "Unknown client." });
    let login = log_in(Some("s"), vec![(401, refusal)]).await;
    assert_eq!(
        login.outcome.unwrap_err().to_string(),
        "invalid_client: Unknown client."
    );
    assert_eq!(
        login.requests[1].to_lowercase(),
        "post /oauth2/device_authorization http/1.1\nauthorization: basic dhy6cw==\nscope=openid+profile"
    );
}

#[tokio::test]
async fn a_code_that_has_expired_is_not_polled_for_ever() {
    let (status, mut body) = codes();
    body["expires_in"] = json!(0);
    let login = log_in(
        None,
        vec![
            (status, body),
            (400, json!({ "error": "authorization_pending" })),
        ],
    )
    .await;
    assert!(matches!(login.outcome, Err(Failure::Expired)));
}

#[tokio::test]
async fn the_openid_metadata_serve_where_the_server_has_no_oauth_metadata() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let metadata = |issuer: &str| {
        json!({
            "issuer": issuer,
            "device_authorization_endpoint": format!("{url}/device"),
            "token_endpoint": format!("{url}/token"),
        })
    };
    let answers = vec![
        (404, Json::Null),
        (200, metadata(&url)),
        (200, metadata("https://another.example")),
    ];
    let client = Client::new("tv".to_owned(), None).unwrap();
    let issuer = issuer(&url).unwrap();
    let discovered = async {
        let found = client.discover(&issuer).await.unwrap();
        (found, client.discover(&issuer).await.err().unwrap())
    };
    let ((found, refused), requests) = tokio::join!(discovered, serve(listener, answers));
    assert_eq!(found.token.as_ref().as_str(), format!("{url}/token"));
    assert!(matches!(refused, Failure::Fetch(_)), "{refused}");
    let well_known = ["oauth-authorization-server", "openid-configuration"];
    assert_eq!(
        requests[..2],
        well_known.map(|name| format!("GET /.well-known/{name} HTTP/1.1\n"))
    );
}

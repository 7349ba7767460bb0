//! What a collector of traces gets: a real one of OTLP by protobuf over HTTP, on this machine.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value::Value};
use opentelemetry_proto::tonic::trace::v1::{Span, span::SpanKind, status::StatusCode};
use prost::Message as _;

use crate::home::{Home, Server, free_address, text};

const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
const SECRET: &str = "a-secret-of-orders-that-is-long-enough";
const CLIENTS: &str = "[[resource]]\nidentifier = \"https://orders.example.com\"\nscopes = { read = \"Read\" }\n\
     [[client]]\nid = \"orders\"\nsecret = \"a-secret-of-orders-that-is-long-enough\"\n\
     grants = [\"client_credentials\"]\nscopes = [\"https://orders.example.com/read\"]\n\
     [[client]]\nid = \"tv\"\ngrants = [\"device_code\", \"refresh_token\"]\nscopes = [\"openid\"]\n";
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

/// What was posted to a collector.
struct Export {
    head: String,
    body: Vec<u8>,
}

/// A collector on a free port, and what it gets.
fn collector() -> (String, Receiver<Export>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let (sender, exports) = channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(export) = take(stream.expect("a connection")) else {
                continue;
            };
            if sender.send(export).is_err() {
                return;
            }
        }
    });
    (format!("http://{address}"), exports)
}

fn take(stream: TcpStream) -> std::io::Result<Export> {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") && reader.read_line(&mut head)? > 0 {}
    let head = head.to_ascii_lowercase();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .map_or(0, |length| length.parse().expect("a number"));
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    reader
        .get_mut()
        .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")?;
    Ok(Export { head, body })
}

/// A server with these variables.
fn serve(home: &Home, variables: &[(&str, &str)]) -> Server {
    let mut command = home.command(&["serve", "--config", "grantor.toml"]);
    command.envs(variables.iter().copied());
    Server::start(command)
}

/// One request as it stands, and its whole answer.
fn send(home: &Home, line: &str, headers: &str, form: &str) -> String {
    let mut stream = TcpStream::connect(&home.address).expect("it listens");
    let (address, length) = (&home.address, form.len());
    let request = format!(
        "{line} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n{headers}\
         content-type: application/x-www-form-urlencoded\r\ncontent-length: {length}\r\n\r\n{form}"
    );
    stream.write_all(request.as_bytes()).expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    answer
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    let (_, rest) = text.split_once(start).expect(start);
    rest.split_once(end).expect(end).0
}

/// An attribute as text.
fn attribute(attributes: &[KeyValue], key: &str) -> Option<String> {
    let found = attributes.iter().find(|attribute| attribute.key == key)?;
    match found.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) => Some(text.clone()),
        Value::IntValue(number) => Some(number.to_string()),
        other => panic!("{key}: {other:?}"),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn each_request_is_a_span_of_its_own_trace_and_contains_no_secret() {
    let (endpoint, exports) = collector();
    let home = Home::new(CLIENTS);
    let server = serve(
        &home,
        &[(ENDPOINT, &endpoint), ("OTEL_SERVICE_NAME", "house")],
    );
    let sampled = format!("traceparent: 00-{TRACE}-{PARENT}-01\r\n");
    let unsampled = "traceparent: 00-11111111111111111111111111111111-00f067aa0ba902b7-00\r\n";

    let form = format!("grant_type=client_credentials&client_id=orders&client_secret={SECRET}");
    let token = send(&home, "POST /oauth2/token", &sampled, &form);
    let token = between(&token, "\"access_token\":\"", "\"").to_owned();
    let codes = send(
        &home,
        "POST /oauth2/device_authorization",
        "",
        "client_id=tv",
    );
    let trace_of_codes = between(&codes, "x-request-id: ", "\r\n").to_owned();
    let device_code = between(&codes, "\"device_code\":\"", "\"").to_owned();
    let user_code = between(&codes, "\"user_code\":\"", "\"").to_owned();
    let poll = format!(
        "grant_type=urn:ietf:params:oauth:grant-type:device_code&client_id=tv&device_code={device_code}"
    );
    send(&home, "POST /oauth2/token", "", &poll);
    send(&home, "POST /oauth2/introspect", unsampled, &form);
    send(&home, &format!("GET /device?user_code={user_code}"), "", "");
    send(
        &home,
        &format!("GET /made/up/{SECRET}?token={token}"),
        "",
        "",
    );
    send(&home, "MADEUP /oauth2/token", "", "");
    let ended = server.end("TERM");
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);

    let exports: Vec<Export> = exports.try_iter().collect();
    let mut spans: Vec<Span> = Vec::new();
    for export in &exports {
        assert!(
            export.head.starts_with("post /v1/traces http/1.1\r\n"),
            "{}",
            export.head
        );
        assert!(
            export
                .head
                .contains("content-type: application/x-protobuf\r\n"),
            "{}",
            export.head
        );
        for secret in [
            SECRET,
            &token,
            &device_code,
            &user_code,
            "made/up",
            "MADEUP",
        ] {
            let told = export
                .body
                .windows(secret.len())
                .any(|part| part == secret.as_bytes());
            assert!(
                !told,
                "{secret} in {:?}",
                String::from_utf8_lossy(&export.body)
            );
        }
        let message = ExportTraceServiceRequest::decode(&*export.body).expect("OTLP");
        for of_resource in message.resource_spans {
            let resource = of_resource.resource.expect("a resource");
            let name = attribute(&resource.attributes, "service.name");
            assert_eq!(name.as_deref(), Some("house"));
            let scopes = of_resource.scope_spans.into_iter();
            spans.extend(scopes.flat_map(|of_scope| of_scope.spans));
        }
    }

    let told: Vec<_> = spans
        .iter()
        .map(|span| {
            let told = |key| attribute(&span.attributes, key).unwrap_or_default();
            let [status, route, error] =
                ["http.response.status_code", "http.route", "error.type"].map(told);
            (span.name.as_str(), status, route, error)
        })
        .collect();
    let expected = [
        ("POST /oauth2/token", "200", "/oauth2/token", ""),
        (
            "POST /oauth2/device_authorization",
            "200",
            "/oauth2/device_authorization",
            "",
        ),
        (
            "POST /oauth2/token",
            "400",
            "/oauth2/token",
            "authorization_pending",
        ),
        ("GET /device", "303", "/device", ""),
        ("GET", "404", "", ""),
        (
            "_OTHER /oauth2/token",
            "405",
            "/oauth2/token",
            "invalid_request",
        ),
    ]
    .map(|(name, status, route, error)| {
        (name, status.to_owned(), route.to_owned(), error.to_owned())
    });
    assert_eq!(told, expected);
    for span in &spans {
        assert_eq!(span.kind(), SpanKind::Server);
        assert!(span.start_time_unix_nano > 1_700_000_000_000_000_000);
        assert!(span.end_time_unix_nano > span.start_time_unix_nano);
        let status = span.status.as_ref().expect("a status");
        assert_eq!(status.code(), StatusCode::Unset);
    }
    assert_ne!(hex(&spans[0].trace_id), TRACE, "each trace is ours");
    assert!(spans[0].parent_span_id.is_empty());
    let caller = attribute(&spans[0].attributes, "grantor.traceparent");
    assert_eq!(caller, Some(format!("00-{TRACE}-{PARENT}-01")));
    assert_eq!(
        hex(&spans[1].trace_id),
        trace_of_codes,
        "what the device was told"
    );
    assert!(spans[1].parent_span_id.is_empty());
}

#[test]
fn a_collector_that_is_down_fails_no_request_and_is_logged_once() {
    let home = Home::new("");
    let away = format!("http://{}", free_address());
    // Each span is sent by itself.
    let server = serve(
        &home,
        &[(ENDPOINT, &away), ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "1")],
    );
    for _ in 0..10 {
        assert_eq!(home.request("GET", "/healthz", "").0, 200);
    }
    let ended = server.end("TERM");
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let told = ended
        .stderr
        .lines()
        .filter(|line| line.contains("traces cannot be exported"));
    assert_eq!(told.count(), 1, "{}", ended.stderr);
}

#[test]
fn an_endpoint_that_is_no_url_is_refused_and_not_repeated() {
    let home = Home::new("");
    for no_url in [
        "collector:4318",
        "ftp://collector",
        "http://:4318",
        "http://c/?key=s3cr3t",
    ] {
        let mut command = home.command(&["serve", "--config", "grantor.toml"]);
        let refused = crate::home::output(command.env(ENDPOINT, no_url));
        let said = text(&refused.stderr);
        assert!(said.contains(ENDPOINT) && !said.contains(no_url), "{said}");
        assert_eq!(refused.status.code(), Some(1));
        assert_eq!(home.files(), ["grantor.toml"], "no files are left");
    }
}

//! Just enough HTTP/1.1 to load a server: kept connections, and requests that are serialized beforehand.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::net::TcpStream;
use url::form_urlencoded::Serializer;

/// A serialized request, which can be sent any number of times.
#[derive(Clone)]
pub(crate) struct Request(Vec<u8>);

impl Request {
    pub(crate) fn get(path: &str, headers: &[(&str, &str)]) -> Self {
        Self(format!("{}\r\n", head("GET", path, headers)).into_bytes())
    }

    pub(crate) fn post(path: &str, headers: &[(&str, &str)], form: &[(&str, &str)]) -> Self {
        let body = Serializer::new(String::new()).extend_pairs(form).finish();
        let head = head("POST", path, headers);
        let length = body.len();
        Self(
            format!(
                "{head}Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n{body}"
            )
            .into_bytes(),
        )
    }
}

fn head(method: &str, path: &str, headers: &[(&str, &str)]) -> String {
    let mut head = format!(
        "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: grantor-bench/1.0\r\nAccept: */*\r\n"
    );
    for (name, value) in headers {
        head.extend([name, ": ", value, "\r\n"]);
    }
    head
}

/// RFC 6749 section 2.3.1. The id and secret used here need no form encoding.
pub(crate) fn basic(id: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")))
}

/// A complete answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// Every value of a header.
    pub(crate) fn headers<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        values(&self.head, name)
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A string member of a JSON body.
    pub(crate) fn member(&self, name: &str) -> Option<String> {
        let json: serde_json::Value = serde_json::from_slice(&self.body).ok()?;
        json.get(name)?.as_str().map(ToOwned::to_owned)
    }
}

fn values<'a>(head: &'a str, name: &'a str) -> impl Iterator<Item = &'a str> {
    head.lines()
        .filter_map(|line| line.split_once(": "))
        .filter(move |(known, _)| known.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
}

/// A kept connection.
pub(crate) struct Connection {
    stream: TcpStream,
    received: Vec<u8>,
    chunk: Box<[u8; CHUNK]>,
}

/// Bytes per read.
const CHUNK: usize = 16 * 1024;

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            received: Vec::with_capacity(CHUNK),
            chunk: Box::new([0; CHUNK]),
        })
    }

    pub(crate) async fn send(&mut self, request: &Request) -> io::Result<Answer> {
        let mut rest = request.0.as_slice();
        while !rest.is_empty() {
            match self.stream.try_write(rest) {
                Ok(sent) => rest = &rest[sent..],
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.stream.writable().await?;
                }
                Err(error) => return Err(error),
            }
        }
        loop {
            if let Some(answer) = self.take()? {
                return Ok(answer);
            }
            self.stream.readable().await?;
            match self.stream.try_read(&mut *self.chunk) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(read) => self.received.extend_from_slice(&self.chunk[..read]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// The answer, once all of it has been received.
    fn take(&mut self) -> io::Result<Option<Answer>> {
        const END: &[u8] = b"\r\n\r\n";
        let Some(end) = self.received.windows(END.len()).position(|at| at == END) else {
            return Ok(None);
        };
        let bad = |what: &str| io::Error::new(ErrorKind::InvalidData, what.to_owned());
        let head = str::from_utf8(&self.received[..end]).map_err(io::Error::other)?;
        let status = head.get(9..12).and_then(|status| status.parse().ok());
        let status = status.ok_or_else(|| bad("no status"))?;
        let length: Option<usize> = values(head, "content-length")
            .next()
            .and_then(|length| length.parse().ok());
        // The servers under test always send it.
        let length = length.ok_or_else(|| bad("no content-length"))?;
        let body = end + END.len();
        if self.received.len() < body + length {
            return Ok(None);
        }
        let answer = Answer {
            status,
            head: head.to_owned(),
            body: self.received[body..body + length].to_vec(),
        };
        self.received.drain(..body + length);
        Ok(Some(answer))
    }
}

//! A server that is killed while the management API changes its document has one whole version after a restart.

use std::collections::BTreeSet;
use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};

use crate::home::{Home, text};

const KILLS: usize = 24;
/// Changes that are answered before each kill, which interrupts another one.
const ANSWERS: usize = 6;

const MACHINE: &str = "store = \"sqlite:grantor.db\"\n\
    [api]\nenabled = true\n\
    [[client]]\nid = \"keeper\"\nsecret = \"0123456789abcdef0123456789abcdef\"\n\
    grants = [\"client_credentials\"]\nscopes = [\"grantor/config:write\", \"grantor/clients:write\"]\n";

/// One change of the document. A client's chosen id stands in it, beside the client's row.
#[derive(Clone, Debug)]
enum Change {
    AddResource(usize),
    AddClient(usize),
    DeleteResource(usize),
    DeleteClient(usize),
}

/// What is managed, by path.
type State = BTreeSet<String>;

impl Change {
    fn of_step(step: usize) -> Self {
        let round = step / 4;
        match step % 4 {
            0 => Self::AddResource(round),
            1 => Self::AddClient(round),
            2 => Self::DeleteResource(round.saturating_sub(2)),
            _ => Self::DeleteClient(round.saturating_sub(2)),
        }
    }

    fn path(&self) -> String {
        match self {
            Self::AddResource(n) | Self::DeleteResource(n) => format!("/resources/api-{n}"),
            Self::AddClient(n) | Self::DeleteClient(n) => format!("/clients/machine-{n}"),
        }
    }

    fn apply(&self, state: &mut State) {
        match self {
            Self::AddResource(_) | Self::AddClient(_) => state.insert(self.path()),
            Self::DeleteResource(_) | Self::DeleteClient(_) => state.remove(&self.path()),
        };
    }

    fn send(&self, api: &Api) -> io::Result<u16> {
        match self {
            Self::AddResource(n) => {
                let body =
                    json!({ "identifier": format!("api-{n}"), "scopes": { "read": "Read" } });
                Ok(api.send("POST", "/resources", "", &body.to_string())?.0)
            }
            Self::AddClient(n) => {
                let body =
                    json!({ "id": format!("machine-{n}"), "grants": ["client_credentials"] });
                Ok(api.send("POST", "/clients", "", &body.to_string())?.0)
            }
            Self::DeleteResource(_) | Self::DeleteClient(_) => {
                let (status, etag, _) = api.send("GET", &self.path(), "", "")?;
                match status {
                    200 => Ok(api.send("DELETE", &self.path(), &etag, "")?.0),
                    status => Ok(status),
                }
            }
        }
    }
}

/// A machine that manages the server.
struct Api {
    address: String,
    token: String,
}

impl Api {
    fn new(home: &Home) -> Self {
        home.ready();
        let form = "grant_type=client_credentials&client_id=keeper&client_secret=0123456789abcdef0123456789abcdef";
        let (status, answer) = home.request("POST", "/oauth2/token", form);
        assert_eq!(status, 200, "{answer}");
        let answer: Json = serde_json::from_str(&answer).expect("JSON");
        Self {
            address: home.address.clone(),
            token: answer["access_token"].as_str().expect("a token").to_owned(),
        }
    }

    /// Status, entity tag and body.
    fn send(
        &self,
        method: &str,
        path: &str,
        etag: &str,
        body: &str,
    ) -> io::Result<(u16, String, Json)> {
        let (address, token, length) = (&self.address, &self.token, body.len());
        let condition = match etag {
            "" => String::new(),
            etag => format!("if-match: {etag}\r\n"),
        };
        let mut stream = TcpStream::connect(address)?;
        write!(
            stream,
            "{method} /api/v1{path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\nauthorization: Bearer {token}\r\n\
             {condition}content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        )?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        let (head, body) = text(&answer)
            .split_once("\r\n\r\n")
            .ok_or(io::ErrorKind::UnexpectedEof)?;
        let status = head.split(' ').nth(1).and_then(|it| it.parse().ok());
        let etag = head.lines().find_map(|line| line.strip_prefix("etag: "));
        Ok((
            status.ok_or(io::ErrorKind::InvalidData)?,
            etag.unwrap_or_default().to_owned(),
            serde_json::from_str(body).unwrap_or_default(),
        ))
    }

    /// All that is managed, as the lists have it; each object answers by itself, too.
    fn state(&self) -> State {
        let mut state = State::new();
        for (list, key) in [("/resources", "identifier"), ("/clients", "id")] {
            let (status, _, page) = self
                .send("GET", &format!("{list}?limit=1000"), "", "")
                .expect("an answer");
            assert_eq!((status, &page["next"]), (200, &Json::Null), "{page}");
            let items = page["items"].as_array().expect("a list").iter();
            for item in items.filter(|item| item["declared"] == false) {
                let path = format!("{list}/{}", item[key].as_str().expect("a name"));
                let (status, _, _) = self.send("GET", &path, "", "").expect("an answer");
                assert_eq!(status, 200, "{path}");
                state.insert(path);
            }
        }
        state
    }
}

/// Makes one change after another, until the server is gone; says when each is sent and when it is answered.
fn keep_changing(api: &Api, first: usize, said: &Sender<(usize, bool)>) {
    for step in first.. {
        said.send((step, false)).expect("the test listens");
        match Change::of_step(step).send(api) {
            Ok(200 | 201 | 204 | 404) => said.send((step, true)).expect("the test listens"),
            Ok(status) => panic!("step {step}: {status}"),
            Err(_) => return,
        }
    }
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "the kill is to fall into a change, which takes real time"
)]
fn a_kill_at_any_step_of_a_change_leaves_one_whole_version() {
    let home = Home::new(MACHINE);
    let (mut expected, mut next) = (State::new(), 0);
    for kill in 0..KILLS {
        let server = home.serve();
        let api = Api::new(&home);
        let (say, hear) = channel();
        let changing = thread::spawn(move || keep_changing(&api, next, &say));
        let mut answered = next;
        let began = Instant::now();
        while answered < next + ANSWERS {
            if let (step, true) = hear.recv().expect("it goes on") {
                Change::of_step(step).apply(&mut expected);
                answered = step + 1;
            }
        }
        // Somewhere within the next change, which takes about as long as those before.
        let usual = began.elapsed() / u32::try_from(ANSWERS).expect("few");
        let moment = usual.mul_f64((kill as f64 + 0.5) / KILLS as f64) + Duration::from_micros(1);
        let from = Instant::now();
        while from.elapsed() < moment {
            std::hint::spin_loop();
        }
        server.end("KILL");
        changing.join().expect("it ends with the server");
        let mut sent = answered;
        for (step, is_answered) in hear.try_iter() {
            sent = step;
            if is_answered {
                Change::of_step(step).apply(&mut expected);
                answered = step + 1;
            }
        }
        let server = home.serve();
        let found = Api::new(&home).state();
        let mut with_last = expected.clone();
        if sent >= answered {
            Change::of_step(sent).apply(&mut with_last);
        }
        assert!(
            found == expected || found == with_last,
            "kill {kill}: {found:?}; answered: {expected:?}; in progress: {:?}",
            Change::of_step(sent)
        );
        (expected, next) = (found, sent + 1);
        server.end("TERM");
    }
}

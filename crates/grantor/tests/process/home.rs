//! The binary as an operator runs it: in a folder of its own, on a free port of this machine.

use std::fs::{self, Permissions};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdout, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{PoisonError, RwLock, RwLockWriteGuard};

use serde_json::Value as Json;
use tempfile::TempDir;

/// A folder with a configuration, and servers that run there one after another.
pub(crate) struct Home {
    folder: TempDir,
    pub(crate) address: String,
}

impl Home {
    /// A folder whose `grantor.toml` has these lines after issuer and listen.
    pub(crate) fn new(more: &str) -> Self {
        let home = Self {
            folder: TempDir::new().expect("a folder"),
            address: free_address(),
        };
        home.configure(more);
        home
    }

    pub(crate) fn configure(&self, more: &str) {
        let address = &self.address;
        let text = format!("issuer = \"http://{address}\"\nlisten = \"{address}\"\n{more}");
        let file = self.path("grantor.toml");
        fs::write(&file, text).expect("the file is written");
        // It may hold secrets.
        fs::set_permissions(&file, Permissions::from_mode(0o600)).expect("ours");
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The names of what is in the folder, sorted.
    pub(crate) fn files(&self) -> Vec<String> {
        let name = |file: std::io::Result<fs::DirEntry>| file.expect("a file").file_name();
        let files = fs::read_dir(self.folder.path()).expect("the folder");
        let mut names: Vec<_> = files
            .map(name)
            .map(|name| name.into_string().expect("a name"))
            .collect();
        names.sort();
        names
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_grantor"));
        command.args(arguments);
        self.placed(command)
    }

    /// A command in this folder, with an empty environment.
    pub(crate) fn placed(&self, mut command: Command) -> Command {
        command.current_dir(self.folder.path()).env_clear();
        command
    }

    /// Runs `grantor serve`, which is expected to fail.
    pub(crate) fn refused(&self) -> Output {
        output(&mut self.command(&["serve", "--config", "grantor.toml"]))
    }

    pub(crate) fn serve(&self) -> Server {
        Server::start(self.command(&["serve", "--config", "grantor.toml"]))
    }

    /// Waits until the users of the file are written: on a busy machine, later than it says that it listens.
    pub(crate) fn ready(&self) {
        let ready = (0..100_000).any(|_| self.request("GET", "/readyz", "").0 == 200);
        assert!(ready, "the users of the file are never written");
    }

    /// The published keys, once there are so many: the next ones are made after the start.
    pub(crate) fn published(&self, count: usize) -> Vec<Json> {
        let keys = || {
            let mut set = self.json("/.well-known/jwks.json");
            let keys = set["keys"].as_array_mut().expect("a list");
            std::mem::take(keys)
        };
        let found = (0..100_000)
            .map(|_| keys())
            .find(|keys| keys.len() >= count);
        found.expect("the keys are never published")
    }

    /// The events of all days, as SQLite reads them.
    pub(crate) fn events(&self) -> Vec<Json> {
        let days = fs::read_dir(self.path("events")).expect("a folder");
        let days = days.map(|day| day.expect("a file").path());
        let mut days: Vec<_> = days
            .filter(|day| day.extension().is_some_and(|end| end == "db"))
            .collect();
        days.sort();
        let mut events = Vec::new();
        for day in days {
            let day = rusqlite::Connection::open(day).expect("a file of SQLite");
            let select = day.prepare("SELECT line FROM events ORDER BY id");
            let mut select = select.expect("a table");
            let lines = select.query_map([], |row| row.get::<_, String>(0));
            let lines = lines.expect("rows").map(|line| line.expect("text"));
            events.extend(lines.map(|line| serde_json::from_str::<Json>(&line).expect("JSON")));
        }
        events
    }

    /// One request, with a form where there is a body.
    pub(crate) fn request(&self, method: &str, path: &str, form: &str) -> (u16, String) {
        request(&self.address, method, path, form)
    }

    pub(crate) fn json(&self, path: &str) -> Json {
        let (status, body) = self.request("GET", path, "");
        assert_eq!(status, 200, "{path}: {body}");
        serde_json::from_str(&body).expect("JSON")
    }
}

/// A running server; killed when dropped.
pub(crate) struct Server {
    child: Child,
    stdout: BufReader<ChildStdout>,
    stderr: BufReader<ChildStderr>,
    /// The lines of its log that were read already.
    log: String,
    /// What it said on standard output until it was listening, that line among it.
    pub(crate) said: String,
}

/// How a server ended.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Server {
    pub(crate) fn start(mut command: Command) -> Self {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = spawn(&mut command);
        let stdout = BufReader::new(child.stdout.take().expect("piped"));
        let stderr = BufReader::new(child.stderr.take().expect("piped"));
        let mut server = Self {
            child,
            stdout,
            stderr,
            log: String::new(),
            said: String::new(),
        };
        while !server
            .said
            .lines()
            .any(|line| line.starts_with("listening on "))
        {
            if server.stdout.read_line(&mut server.said).expect("text") == 0 {
                panic!("the server ended: {}", server.end("KILL").stderr);
            }
        }
        server
    }

    /// The id of its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Reads the log up to the next line that holds this.
    pub(crate) fn logs(&mut self, words: &str) -> String {
        loop {
            let mut line = String::new();
            let read = self.stderr.read_line(&mut line).expect("text");
            assert!(read > 0, "it ended without {words:?}: {}", self.log);
            self.log += &line;
            if line.contains(words) {
                return line;
            }
        }
    }

    /// Asks it to reload.
    pub(crate) fn hang_up(&self) {
        let id = self.id().to_string();
        let sent = output(Command::new("kill").args(["-s", "HUP", &id]));
        assert!(sent.status.success());
    }

    /// Sends a signal by its name and waits for the end.
    pub(crate) fn end(mut self, signal: &str) -> Ended {
        let id = self.child.id().to_string();
        let sent = spawn(Command::new("kill").args(["-s", signal, &id])).wait();
        assert!(sent.is_ok_and(|status| status.success()) || signal == "KILL");
        let (mut stderr, mut rest) = (std::mem::take(&mut self.log), String::new());
        self.stderr.read_to_string(&mut stderr).expect("text");
        self.stdout.read_to_string(&mut rest).expect("text");
        let code = self.child.wait().expect("it ended").code();
        Ended {
            code,
            stdout: std::mem::take(&mut self.said) + &rest,
            stderr,
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Shared while a process begins, alone while this one has a store open: until a child runs its own program, it
/// has what its parent has open, the store's lock too.
static BEGINNING: RwLock<()> = RwLock::new(());

pub(crate) fn spawn(command: &mut Command) -> Child {
    let _beginning = BEGINNING.read().unwrap_or_else(PoisonError::into_inner);
    command.spawn().expect("the binary runs")
}

/// Runs a command to its end.
pub(crate) fn output(command: &mut Command) -> Output {
    let child = spawn(command.stdout(Stdio::piped()).stderr(Stdio::piped()));
    child.wait_with_output().expect("it ends")
}

/// While this is held, no process begins.
pub(crate) fn alone() -> RwLockWriteGuard<'static, ()> {
    BEGINNING.write().unwrap_or_else(PoisonError::into_inner)
}

/// An address that was free a moment ago, and that nobody else here gets: below the ports that Linux gives to
/// outgoing connections, and another one for each caller.
pub(crate) fn free_address() -> String {
    static CALLERS: AtomicU32 = AtomicU32::new(0);
    loop {
        let caller = CALLERS.fetch_add(1, Ordering::Relaxed);
        let address = format!(
            "127.0.0.1:{}",
            10_000 + (std::process::id() * 64 + caller) % 20_000
        );
        if TcpListener::bind(&address).is_ok() {
            return address;
        }
    }
}

pub(crate) fn request(address: &str, method: &str, path: &str, form: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).expect("it listens");
    let length = form.len();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\
         content-type: application/x-www-form-urlencoded\r\ncontent-length: {length}\r\n\r\n{form}"
    );
    stream.write_all(head.as_bytes()).expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    (status.expect("a status"), body.to_owned())
}

pub(crate) fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("UTF-8")
}

pub(crate) fn mode(path: &Path) -> u32 {
    fs::metadata(path)
        .expect("it is there")
        .permissions()
        .mode()
        & 0o777
}

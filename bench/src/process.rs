//! A server as a process of its own, on a CPU of its own; what it uses is read from `/proc`.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use crate::Result;
use crate::http::Request;
use crate::load::ask;

/// How long a server may take to answer first, and to stop.
const PATIENCE: Duration = Duration::from_secs(60);

/// How servers are run.
#[derive(Clone, Debug)]
pub(crate) struct Bench {
    /// The CPU of the servers; the client has another.
    pub(crate) cpu: usize,
    /// Whether servers get the greatest share of it (`--favour`).
    pub(crate) favour: bool,
}

/// A running server; stopped when it is dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
    /// From the start of the process to its first right answer: time, and CPU time.
    pub(crate) first_answer: (Duration, Duration),
}

impl Server {
    /// Starts a program, with its log in the file `log`, and waits until it answers `path`.
    pub(crate) async fn start(
        bench: &Bench,
        program: &Path,
        arguments: &[&str],
        (address, path): (SocketAddr, &str),
        log: &Path,
    ) -> Result<Self> {
        let mut command = Command::new(if bench.favour { "setsid" } else { "taskset" });
        if bench.favour {
            command.arg("taskset");
        }
        command
            .args(["-c", &bench.cpu.to_string()])
            .arg(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(log)?);
        let started = Instant::now();
        let mut server = Self {
            child: command.spawn()?,
            address,
            first_answer: Default::default(),
        };
        if bench.favour {
            // Until then it has become a session of its own.
            sleep(Duration::from_millis(2)).await;
            favour(server.child.id());
        }
        server.wait_for(path).await?;
        server.first_answer = (started.elapsed(), server.cpu()?);
        Ok(server)
    }

    /// Waits until a path is answered with 200.
    pub(crate) async fn wait_for(&mut self, path: &str) -> Result<()> {
        let request = Request::get(path, &[]);
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            let answered = timeout(Duration::from_secs(5), ask(self.address, &request)).await;
            if matches!(answered, Ok(Ok(answer)) if answer.status == 200) {
                return Ok(());
            }
            if let Some(status) = self.child.try_wait()? {
                return Err(format!("the server ended with {status}").into());
            }
            sleep(Duration::from_millis(1)).await;
        }
        Err(format!("no answer to {path}").into())
    }

    /// CPU time of all its threads so far.
    pub(crate) fn cpu(&self) -> Result<Duration> {
        let mut nanoseconds = 0;
        for thread in fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            // A thread may have ended meanwhile.
            let used = fs::read_to_string(thread?.path().join("schedstat")).unwrap_or_default();
            nanoseconds += used
                .split(' ')
                .next()
                .and_then(|used| used.parse::<u64>().ok())
                .unwrap_or_default();
        }
        Ok(Duration::from_nanos(nanoseconds))
    }

    /// Resident memory in bytes: all of it, and the part that is no file's.
    pub(crate) fn memory(&self) -> Result<(f64, f64)> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.split_whitespace().next()?.parse::<f64>().ok()
        };
        let bytes = |name| field(name).map(|kib| kib * 1024.0).ok_or("no such field");
        Ok((bytes("VmRSS:")?, bytes("RssAnon:")?))
    }

    /// Asks it to end, and waits until it has.
    pub(crate) async fn stop(mut self) -> Result<()> {
        let id = self.child.id().to_string();
        Command::new("kill").args(["-TERM", &id]).status()?;
        let began = Instant::now();
        while self.child.try_wait()?.is_none() {
            if began.elapsed() > PATIENCE {
                return Err("a server does not stop".into());
            }
            sleep(Duration::from_millis(5)).await;
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Ended already where `stop` was called.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Moves this process to a CPU of its own.
pub(crate) fn pin_client(bench: &Bench, cpu: usize) -> Result<()> {
    let id = std::process::id().to_string();
    let moved = Command::new("taskset")
        .args(["-a", "-c", "-p", &cpu.to_string(), &id])
        .stdout(Stdio::null())
        .status()?;
    if !moved.success() {
        return Err("taskset cannot move the client to its CPU".into());
    }
    if bench.favour {
        favour(std::process::id());
    }
    Ok(())
}

/// Gives a session the greatest weight: between sessions, Linux heeds no `nice`. It takes root.
fn favour(process: u32) {
    fs::write(format!("/proc/{process}/autogroup"), "-20").ok();
}

/// An address that is free now.
pub(crate) fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

/// Held while something is measured, where several agree on a file.
pub(crate) struct Turn(Option<PathBuf>);

impl Turn {
    pub(crate) const fn by(file: Option<PathBuf>) -> Self {
        Self(file)
    }

    /// Waits for the file; the lock ends with what is returned.
    pub(crate) fn take(&self) -> Result<Option<File>> {
        let Some(path) = &self.0 else {
            return Ok(None);
        };
        let file = File::options().append(true).create(true).open(path)?;
        file.lock()?;
        Ok(Some(file))
    }
}

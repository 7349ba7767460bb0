//! A server as a separate process on its own CPU; its CPU time and memory are read from `/proc`.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use crate::Result;
use crate::http::Request;
use crate::load::send;

/// How long a server may take to start, and to stop.
const START_STOP_TIMEOUT: Duration = Duration::from_secs(60);

/// Where servers run, and with which priority.
#[derive(Clone, Debug)]
pub(crate) struct Placement {
    /// The CPU of the servers; the client has another.
    pub(crate) cpu: usize,
    /// Whether servers get the greatest share of that CPU (`--favour`).
    pub(crate) favour: bool,
}

/// A running server; killed when it is dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
    /// From the start of the process to its first expected answer: time, and CPU time.
    pub(crate) first_answer: (Duration, Duration),
}

impl Server {
    /// Starts a program that logs to the file `log`, and waits until it answers `path`.
    pub(crate) async fn start(
        placement: &Placement,
        program: &Path,
        arguments: &[&str],
        (address, path): (SocketAddr, &str),
        log: &Path,
    ) -> Result<Self> {
        let mut command = Command::new(if placement.favour {
            "setsid"
        } else {
            "taskset"
        });
        if placement.favour {
            command.arg("taskset");
        }
        command
            .args(["-c", &placement.cpu.to_string()])
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
        if placement.favour {
            // By then it has its own session.
            sleep(Duration::from_millis(2)).await;
            favour(server.child.id());
        }
        server.wait_for(path).await?;
        let cpu = server.cpu()?.since(&CpuTimes::default());
        server.first_answer = (started.elapsed(), cpu);
        Ok(server)
    }

    /// Waits until `path` is answered with 200.
    pub(crate) async fn wait_for(&mut self, path: &str) -> Result<()> {
        let request = Request::get(path, &[]);
        let started = Instant::now();
        while started.elapsed() < START_STOP_TIMEOUT {
            let answered = timeout(Duration::from_secs(5), send(self.address, &request)).await;
            if matches!(answered, Ok(Ok(answer)) if answer.status == 200) {
                return Ok(());
            }
            if let Some(status) = self.child.try_wait()? {
                return Err(format!("the server exited with {status}").into());
            }
            sleep(Duration::from_millis(1)).await;
        }
        Err(format!("no answer to {path} within a minute").into())
    }

    /// CPU time of its threads so far.
    pub(crate) fn cpu(&self) -> Result<CpuTimes> {
        let mut times = CpuTimes::default();
        for thread in fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            let thread = thread?;
            // The thread may have ended in the meantime.
            let used = fs::read_to_string(thread.path().join("schedstat")).unwrap_or_default();
            let used = used.split(' ').next().and_then(|used| used.parse().ok());
            times.0.insert(thread.file_name(), used.unwrap_or_default());
        }
        Ok(times)
    }

    /// Resident memory in bytes: all of it, and the part that is not backed by files.
    pub(crate) fn memory(&self) -> Result<(f64, f64)> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.split_whitespace().next()?.parse::<f64>().ok()
        };
        let bytes = |name| field(name).map(|kib| kib * 1024.0).ok_or("no such field");
        Ok((bytes("VmRSS:")?, bytes("RssAnon:")?))
    }

    /// Sends SIGTERM, and waits until the server has exited.
    pub(crate) async fn stop(mut self) -> Result<()> {
        let id = self.child.id().to_string();
        Command::new("kill").args(["-TERM", &id]).status()?;
        let started = Instant::now();
        while self.child.try_wait()?.is_none() {
            if started.elapsed() > START_STOP_TIMEOUT {
                return Err("the server did not stop within a minute".into());
            }
            sleep(Duration::from_millis(5)).await;
        }
        Ok(())
    }
}

/// Nanoseconds of CPU of each thread.
#[derive(Default)]
pub(crate) struct CpuTimes(BTreeMap<OsString, u64>);

impl CpuTimes {
    /// What the threads used since `earlier`. A thread that ended in between had been idle for long, and does not count:
    /// a difference of sums would subtract all that it ever used.
    pub(crate) fn since(&self, earlier: &Self) -> Duration {
        let used = self.0.iter().map(|(thread, used)| {
            let before = earlier.0.get(thread).copied().unwrap_or_default();
            used.saturating_sub(before)
        });
        Duration::from_nanos(used.sum())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // After `stop` there is no process left.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Moves this process to the client's CPU.
pub(crate) fn pin_client(placement: &Placement, cpu: usize) -> Result<()> {
    let id = std::process::id().to_string();
    let moved = Command::new("taskset")
        .args(["-a", "-c", "-p", &cpu.to_string(), &id])
        .stdout(Stdio::null())
        .status()?;
    if !moved.success() {
        return Err("taskset could not move the client to its CPU".into());
    }
    if placement.favour {
        favour(std::process::id());
    }
    Ok(())
}

/// Gives a session the greatest weight; Linux ignores `nice` between sessions. Takes root.
fn favour(process: u32) {
    fs::write(format!("/proc/{process}/autogroup"), "-20").ok();
}

/// An address that is free now.
pub(crate) fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

/// Held during a measurement, so that several people can share a machine.
pub(crate) struct MeasurementLock(Option<PathBuf>);

impl MeasurementLock {
    pub(crate) const fn new(file: Option<PathBuf>) -> Self {
        Self(file)
    }

    /// Waits for the lock; it is released when the returned file is dropped.
    pub(crate) fn acquire(&self) -> Result<Option<File>> {
        let Some(path) = &self.0 else {
            return Ok(None);
        };
        let file = File::options().append(true).create(true).open(path)?;
        file.lock()?;
        Ok(Some(file))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::CpuTimes;

    #[test]
    fn a_thread_that_ended_takes_nothing_from_the_others() {
        let times = |threads: &[(&str, u64)]| {
            let threads = threads.iter();
            CpuTimes(threads.map(|(id, used)| ((*id).into(), *used)).collect())
        };
        let before = times(&[("1", 100), ("2", 900)]);
        let after = times(&[("1", 150), ("3", 7)]);
        assert_eq!(after.since(&before), Duration::from_nanos(57));
    }
}

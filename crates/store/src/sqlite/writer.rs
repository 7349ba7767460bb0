//! The writer thread: many commits, one transaction, one fsync.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use grantor_core::base::row::{Committed, Version, Write};
use grantor_core::base::time::Timestamp;
use rusqlite::{Connection, ErrorCode, TransactionBehavior};
use tokio::sync::oneshot;

use super::open_files::OpenFiles;
use super::{change, store_error};
use crate::contract::{SWEEP_GRACE, StoreError};

/// The most commits of one transaction.
const MAX_BATCH: usize = 256;
/// The most waiting commits: a few tenths of a second of work. More are refused at once.
const MAX_QUEUED: usize = 4096;
/// The most rows that a sweep deletes in one transaction: commits wait for it.
const MAX_SWEPT_AT_ONCE: usize = 200;

/// How long the writer waits for more commits if there are concurrent ones: less than the fsync that it saves.
const GATHER_TIME: Duration = Duration::from_micros(250);

type Answer = Result<Committed, StoreError>;

/// The writer thread and its queue.
#[derive(Debug)]
pub(super) struct Writer {
    // `None` while dropping: the thread ends when the queue is closed and empty.
    queue: Option<SyncSender<Job>>,
    thread: Option<JoinHandle<()>>,
    files: Arc<OpenFiles>,
    counts: Arc<Counts>,
}

/// The writer's counters.
#[derive(Debug, Default)]
struct Counts {
    commits: AtomicU64,
    syncs: AtomicU64,
    waiting: AtomicU64,
}

/// Counters of a store since it was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Figures {
    /// Successful commits.
    pub commits: u64,
    /// Transactions that were synced to disk, each with many commits or a sweep.
    pub syncs: u64,
    /// Commits and sweeps that are waiting for the writer.
    pub waiting: u64,
}

#[derive(Debug)]
enum Job {
    Commit(Commit),
    Sweep {
        until: Timestamp,
        limit: usize,
        reply: oneshot::Sender<Result<usize, StoreError>>,
    },
}

#[derive(Debug)]
struct Commit {
    now: Timestamp,
    id: Version,
    writes: Vec<Write>,
    reply: oneshot::Sender<Answer>,
}

impl Writer {
    pub(super) fn start(connection: Connection, files: Arc<OpenFiles>) -> io::Result<Self> {
        let (queue, jobs) = sync_channel(MAX_QUEUED);
        let (thread_files, counts) = (Arc::clone(&files), Arc::<Counts>::default());
        let thread_counts = Arc::clone(&counts);
        let thread = thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || run(connection, &thread_files, &thread_counts, &jobs))?;
        Ok(Self {
            queue: Some(queue),
            thread: Some(thread),
            files,
            counts,
        })
    }

    pub(super) async fn commit(&self, now: Timestamp, id: Version, writes: Vec<Write>) -> Answer {
        let (reply, answer) = oneshot::channel();
        self.enqueue(Job::Commit(Commit {
            now,
            id,
            writes,
            reply,
        }))?;
        // No answer means that the thread panicked during the commit.
        answer.await.unwrap_or(Ok(Committed::Unknown))
    }

    pub(super) async fn sweep(&self, now: Timestamp, limit: usize) -> Result<usize, StoreError> {
        let until = now - SWEEP_GRACE;
        // `now` is so early that `until` saturated: no row can have expired that long ago.
        if now.since(until) < SWEEP_GRACE {
            return Ok(0);
        }
        let mut swept = 0;
        while swept < limit {
            let batch = MAX_SWEPT_AT_ONCE.min(limit - swept);
            let (reply, answer) = oneshot::channel();
            self.enqueue(Job::Sweep {
                until,
                limit: batch,
                reply,
            })?;
            let gone = answer.await.unwrap_or_else(|_| Err(stopped()))?;
            swept += gone;
            if gone < batch {
                break;
            }
        }
        Ok(swept)
    }

    pub(super) fn figures(&self) -> Figures {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Figures {
            commits: read(&self.counts.commits),
            syncs: read(&self.counts.syncs),
            waiting: read(&self.counts.waiting),
        }
    }

    /// Whether the writer thread runs and the files are in place.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        self.files.check()?;
        match &self.thread {
            Some(thread) if !thread.is_finished() => Ok(()),
            _ => Err(stopped()),
        }
    }

    fn enqueue(&self, job: Job) -> Result<(), StoreError> {
        let queue = self.queue.as_ref().ok_or_else(stopped)?;
        // Before sending: the job may be taken at once.
        self.counts.waiting.fetch_add(1, Ordering::Relaxed);
        queue.try_send(job).map_err(|error| {
            self.counts.waiting.fetch_sub(1, Ordering::Relaxed);
            match error {
                TrySendError::Full(_) => {
                    StoreError::Unavailable(format!("{MAX_QUEUED} commits are waiting already"))
                }
                TrySendError::Disconnected(_) => stopped(),
            }
        })
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.queue.take());
        if let Some(thread) = self.thread.take() {
            // A panic of the thread was printed when it happened.
            let _ = thread.join();
        }
    }
}

fn stopped() -> StoreError {
    StoreError::Unavailable("its writer has stopped".to_owned())
}

fn run(mut connection: Connection, files: &OpenFiles, counts: &Counts, jobs: &Receiver<Job>) {
    let add = |counter: &AtomicU64, n: usize| counter.fetch_add(n as u64, Ordering::Relaxed);
    let mut next = None;
    let mut failed = false;
    let mut has_concurrent_commits = false;
    while let Some(job) = next.take().or_else(|| jobs.recv().ok()) {
        match job {
            // A closed reply channel does not undo anything.
            Job::Sweep {
                until,
                limit,
                reply,
            } => {
                counts.waiting.fetch_sub(1, Ordering::Relaxed);
                let swept = sweep(&mut connection, files, until, limit);
                add(&counts.syncs, usize::from(matches!(swept, Ok(1..))));
                let _ = reply.send(swept);
            }
            Job::Commit(commit) => {
                if has_concurrent_commits {
                    thread::sleep(GATHER_TIME);
                }
                let mut batch = vec![commit];
                while batch.len() < MAX_BATCH {
                    match jobs.try_recv() {
                        Ok(Job::Commit(commit)) => batch.push(commit),
                        Ok(other) => {
                            next = Some(other);
                            break;
                        }
                        Err(_) => break,
                    }
                }
                has_concurrent_commits = batch.len() > 1;
                if failed {
                    checkpoint(&connection);
                }
                counts
                    .waiting
                    .fetch_sub(batch.len() as u64, Ordering::Relaxed);
                let answers = commit_checked(&mut connection, files, &batch);
                failed = answers
                    .iter()
                    .any(|answer| matches!(answer, Err(_) | Ok(Committed::Unknown)));
                let done = answers
                    .iter()
                    .filter(|answer| **answer == Ok(Committed::Done));
                let done = done.count();
                add(&counts.commits, done);
                add(&counts.syncs, usize::from(done > 0));
                for (commit, answer) in batch.into_iter().zip(answers) {
                    let _ = commit.reply.send(answer);
                }
            }
        }
    }
}

/// Checkpoints the log, so that it is reused from its start: on a full disk it could not grow, and SQLite itself
/// checkpoints only after a successful commit.
fn checkpoint(connection: &Connection) {
    if let Err(error) = connection.query_row("PRAGMA wal_checkpoint", [], |_| Ok(())) {
        tracing::warn!(%error, "the checkpoint of the store's log failed");
    }
}

fn sweep(
    connection: &mut Connection,
    files: &OpenFiles,
    until: Timestamp,
    limit: usize,
) -> Result<usize, StoreError> {
    files.check()?;
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(store_error)?;
    let count = change::sweep(&transaction, until, limit).map_err(store_error)?;
    transaction.commit().map_err(store_error)?;
    Ok(count)
}

/// Carries out a batch if the files are still in place; returns an answer for each commit, in order.
fn commit_checked(connection: &mut Connection, files: &OpenFiles, batch: &[Commit]) -> Vec<Answer> {
    if let Err(moved) = files.check() {
        return vec![Err(moved); batch.len()];
    }
    let mut answers = commit_all(connection, batch);
    if let Err(error) = files.check() {
        tracing::error!(%error, "the store was moved or deleted during a commit");
        for answer in answers.iter_mut().filter(|answer| answer.is_ok()) {
            *answer = Ok(Committed::Unknown);
        }
    }
    answers
}

/// Carries out a batch in one transaction; returns an answer for each commit, in order.
fn commit_all(connection: &mut Connection, batch: &[Commit]) -> Vec<Answer> {
    let none_written = |error| vec![Err(store_error(error)); batch.len()];
    let transaction = match connection.transaction_with_behavior(TransactionBehavior::Immediate) {
        Ok(transaction) => transaction,
        Err(error) => return none_written(error),
    };
    let mut answers = Vec::with_capacity(batch.len());
    for commit in batch {
        match commit_one(&transaction, commit) {
            Ok(committed) => answers.push(Ok(committed)),
            // For example a full disk: SQLite rolled back the whole transaction.
            Err(error) if transaction.is_autocommit() => return none_written(error),
            Err(error) => answers.push(Err(store_error(error))),
        }
    }
    if let Err(error) = transaction.commit() {
        let failed = failed_commit(error);
        for answer in answers
            .iter_mut()
            .filter(|answer| **answer == Ok(Committed::Done))
        {
            answer.clone_from(&failed);
        }
    }
    answers
}

/// The answer for a batch whose COMMIT failed.
fn failed_commit(error: rusqlite::Error) -> Answer {
    match error.sqlite_error_code() {
        // Nothing was written, and the transaction is rolled back.
        Some(ErrorCode::DatabaseBusy) => Err(store_error(error)),
        // The log may contain it or not: after a failed sync, only a later read can show it.
        _ => {
            tracing::error!(%error, "it is unknown whether the last commits were written");
            Ok(Committed::Unknown)
        }
    }
}

/// Carries out one commit of a transaction, or rolls back only this commit.
fn commit_one(connection: &Connection, commit: &Commit) -> rusqlite::Result<Committed> {
    let run = |sql| connection.prepare_cached(sql)?.execute([]);
    run("SAVEPOINT one")?;
    let done = write_all(connection, commit);
    if !matches!(done, Ok(Committed::Done)) && !connection.is_autocommit() {
        run("ROLLBACK TO one")?;
    }
    if !connection.is_autocommit() {
        run("RELEASE one")?;
    }
    done
}

fn write_all(connection: &Connection, commit: &Commit) -> rusqlite::Result<Committed> {
    for write in &commit.writes {
        if !change::apply(connection, commit.now, commit.id, write)? {
            return Ok(Committed::Conflict(write.key().clone()));
        }
    }
    Ok(Committed::Done)
}

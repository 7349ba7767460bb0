//! The one thread that writes: many commits, one transaction, one fsync.

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

use super::place::Place;
use super::{change, store_error};
use crate::contract::{SWEEP_GRACE, StoreError};

/// The most commits of one transaction.
const BATCH: usize = 256;
/// The most commits that wait: some tenths of a second of work. More are refused, so that a
/// flood is answered instead of queued.
const QUEUE: usize = 4096;
/// The most rows that one job of a sweep deletes: commits wait no longer than for these.
const SWEEP: usize = 200;

/// How long a batch is gathered while several ask at once: an fsync takes longer than this, and serves all of them.
const GATHERED: Duration = Duration::from_micros(250);

type Answer = Result<Committed, StoreError>;

/// The writing thread, and the way to it.
#[derive(Debug)]
pub(super) struct Writer {
    // Taken when dropped: the thread ends once the queue is closed and empty.
    queue: Option<SyncSender<Job>>,
    thread: Option<JoinHandle<()>>,
    place: Arc<Place>,
    counts: Arc<Counts>,
}

/// What the writer counts.
#[derive(Debug, Default)]
struct Counts {
    commits: AtomicU64,
    syncs: AtomicU64,
    waiting: AtomicU64,
}

/// What a store has done since it was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Figures {
    /// Commits that were carried out.
    pub commits: u64,
    /// Transactions that were synced to the disk; each carried out many commits, or a sweep.
    pub syncs: u64,
    /// Commits and sweeps that wait for the writer.
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
    pub(super) fn start(connection: Connection, place: Arc<Place>) -> io::Result<Self> {
        let (queue, jobs) = sync_channel(QUEUE);
        let (its_place, counts) = (Arc::clone(&place), Arc::<Counts>::default());
        let its_counts = Arc::clone(&counts);
        let thread = thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || work(connection, &its_place, &its_counts, &jobs))?;
        Ok(Self {
            queue: Some(queue),
            thread: Some(thread),
            place,
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
        // Without an answer the thread died with the commit in its hands.
        answer.await.unwrap_or(Ok(Committed::Unknown))
    }

    pub(super) async fn sweep(&self, now: Timestamp, limit: usize) -> Result<usize, StoreError> {
        let until = now - SWEEP_GRACE;
        // A clock that young has seen nothing end so long ago; `until` saturated.
        if now.since(until) < SWEEP_GRACE {
            return Ok(0);
        }
        let mut swept = 0;
        while swept < limit {
            let batch = SWEEP.min(limit - swept);
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

    /// Whether there is somebody to write, and somewhere.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        self.place.check()?;
        match &self.thread {
            Some(thread) if !thread.is_finished() => Ok(()),
            _ => Err(stopped()),
        }
    }

    fn enqueue(&self, job: Job) -> Result<(), StoreError> {
        let queue = self.queue.as_ref().ok_or_else(stopped)?;
        // Before it is there: it may be taken at once.
        self.counts.waiting.fetch_add(1, Ordering::Relaxed);
        queue.try_send(job).map_err(|error| {
            self.counts.waiting.fetch_sub(1, Ordering::Relaxed);
            match error {
                TrySendError::Full(_) => {
                    StoreError::Unavailable(format!("{QUEUE} commits wait already"))
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
            // A panic of the thread was printed as it happened.
            let _ = thread.join();
        }
    }
}

fn stopped() -> StoreError {
    StoreError::Unavailable("its writer has stopped".to_owned())
}

fn work(mut connection: Connection, place: &Place, counts: &Counts, jobs: &Receiver<Job>) {
    let add = |counter: &AtomicU64, n: usize| counter.fetch_add(n as u64, Ordering::Relaxed);
    let mut next = None;
    let mut failed = false;
    let mut crowded = false;
    while let Some(job) = next.take().or_else(|| jobs.recv().ok()) {
        match job {
            // Whoever asked may be gone; that undoes nothing.
            Job::Sweep {
                until,
                limit,
                reply,
            } => {
                counts.waiting.fetch_sub(1, Ordering::Relaxed);
                let swept = sweep(&mut connection, place, until, limit);
                add(&counts.syncs, usize::from(matches!(swept, Ok(1..))));
                let _ = reply.send(swept);
            }
            Job::Commit(commit) => {
                if crowded {
                    thread::sleep(GATHERED);
                }
                let mut batch = vec![commit];
                while batch.len() < BATCH {
                    match jobs.try_recv() {
                        Ok(Job::Commit(commit)) => batch.push(commit),
                        Ok(other) => {
                            next = Some(other);
                            break;
                        }
                        Err(_) => break,
                    }
                }
                crowded = batch.len() > 1;
                if failed {
                    make_room(&connection);
                }
                counts
                    .waiting
                    .fetch_sub(batch.len() as u64, Ordering::Relaxed);
                let answers = commit_in_place(&mut connection, place, &batch);
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

/// Folds the log into the file, so that it is begun anew: on a full disk it could not grow, and
/// SQLite by itself folds only after a commit that succeeded.
fn make_room(connection: &Connection) {
    if let Err(error) = connection.query_row("PRAGMA wal_checkpoint", [], |_| Ok(())) {
        tracing::warn!(%error, "the store's log could not be folded into its file");
    }
}

fn sweep(
    connection: &mut Connection,
    place: &Place,
    until: Timestamp,
    limit: usize,
) -> Result<usize, StoreError> {
    place.check()?;
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(store_error)?;
    let count = change::sweep(&transaction, until, limit).map_err(store_error)?;
    transaction.commit().map_err(store_error)?;
    Ok(count)
}

/// Carries out a batch where the store still has its name; an answer for each, in order.
fn commit_in_place(connection: &mut Connection, place: &Place, batch: &[Commit]) -> Vec<Answer> {
    if let Err(moved) = place.check() {
        return vec![Err(moved); batch.len()];
    }
    let mut answers = commit_all(connection, batch);
    if let Err(error) = place.check() {
        tracing::error!(%error, "the store was taken away while it was written");
        for answer in answers.iter_mut().filter(|answer| answer.is_ok()) {
            *answer = Ok(Committed::Unknown);
        }
    }
    answers
}

/// Carries out a batch in one transaction; an answer for each, in order.
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
            // A full disk and the like: SQLite has rolled the whole transaction back.
            Err(error) if transaction.is_autocommit() => return none_written(error),
            Err(error) => answers.push(Err(store_error(error))),
        }
    }
    if let Err(error) = transaction.commit() {
        let lost = lost(error);
        for answer in answers
            .iter_mut()
            .filter(|answer| **answer == Ok(Committed::Done))
        {
            answer.clone_from(&lost);
        }
    }
    answers
}

/// What became of a batch whose COMMIT failed.
fn lost(error: rusqlite::Error) -> Answer {
    match error.sqlite_error_code() {
        // Refused before anything was written, and rolled back since.
        Some(ErrorCode::DatabaseBusy) => Err(store_error(error)),
        // The log may hold it or not: after a failed sync only what is read next can tell.
        _ => {
            tracing::error!(%error, "the store cannot tell whether its last commits were written");
            Ok(Committed::Unknown)
        }
    }
}

/// Carries out one commit of a transaction, or undoes its own part of it.
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
        if !change::carry_out(connection, commit.now, commit.id, write)? {
            return Ok(Committed::Conflict(write.key().clone()));
        }
    }
    Ok(Committed::Done)
}

//! A power cut loses no answered commit, and leaves no commit in part.
//!
//! The store runs on a virtual disk that records every write and sync of SQLite. From the record, the files are
//! reconstructed as a power cut would leave them, at each sync, between syncs and during recovery, and opened as a store.
//! Runs with lower settings of `synchronous` show that the test can fail.

use std::fs;
use std::path::{Path, PathBuf};

use grantor_store::sqlite::Sqlite;
use sqlite_faults::{Image, Kept, Recording, Seed, Synchronous, Trace};

use crate::folder;
use crate::ledger::{self, Answered, Ledger, WRITERS};

/// The initial length of the log, which is created outside the recording.
const GROWN: usize = 8 << 20;

/// The recorded operations of a store, and the commits that were answered meanwhile.
struct Run {
    trace: Trace,
    answered: Answered,
    /// The position in the trace at which the store was open.
    opened: u64,
}

#[tokio::test]
async fn a_power_cut_at_any_sync_loses_no_answered_commit() {
    let run = record(80, Synchronous::AsRequested).await;
    assert!(
        run.trace.syncs_of_database() >= 5,
        "there are power cuts during checkpoints: {}",
        run.trace.syncs_of_database()
    );
    for (round, n) in run.trace.before_syncs().into_iter().enumerate() {
        for (kept, log) in [
            (Kept::Nothing, round * 12_345 % GROWN),
            (Kept::Some(Seed::new(n as u64)), [0, GROWN][round % 2]),
        ] {
            let what = format!("cut after event {n}, {kept:?}, log of {log}");
            run.survives(n, &kept, log)
                .await
                .unwrap_or_else(|lost| panic!("{what}: {lost}"));
        }
    }
}

#[tokio::test]
async fn a_power_cut_between_syncs_loses_no_answered_commit() {
    let run = record(80, Synchronous::AsRequested).await;
    let mut seed = Seed::new(8628);
    for round in 0..100 {
        let n = seed.below(run.trace.len() + 1);
        let kept = match round % 3 {
            0 => Kept::Nothing,
            1 => Kept::Some(seed.clone()),
            _ => Kept::Everything,
        };
        let log = seed.below(GROWN);
        let what = format!("cut after event {n}, {kept:?}, log of {log}");
        run.survives(n, &kept, log)
            .await
            .unwrap_or_else(|lost| panic!("{what}: {lost}"));
    }
}

#[tokio::test]
async fn repeated_power_cuts_lose_no_answered_commit() {
    let mut seed = Seed::new(7662);
    let mut image = Image::default();
    let mut ledger = Ledger::default();
    for round in 0..40 {
        let folder = folder::in_memory();
        let path = put(folder.path(), &image);
        let recording =
            Recording::start(&path, Synchronous::AsRequested).expect("it can be recorded");
        let store = Sqlite::open(&path).expect("the files can be opened after a power cut");
        let mut answered = Answered::from(ledger.clone());
        let position = || recording.position().expect("it is recorded");
        for _ in 0..seed.below(12) {
            answered.write(&store, position).await;
        }
        drop(store);

        let trace = recording.finish().expect("it was recorded");
        let n = seed.below(trace.len() + 1);
        let kept = [Kept::Nothing, Kept::Some(seed.clone())][round % 2].clone();
        image = trace.cut_after(n, &kept);
        image.lengthen_log(seed.below(GROWN));
        let (least, most) = (answered.until(trace.position(n)), answered.all());
        ledger = survives(&image, &least, &most)
            .await
            .unwrap_or_else(|lost| panic!("round {round}, cut after event {n}, {kept:?}: {lost}"));
    }
    assert!(
        ledger.commits() > 400,
        "{} are enough for the test",
        ledger.commits()
    );
}

/// Each commit is then only as safe as the last checkpoint.
#[tokio::test]
async fn with_synchronous_normal_the_same_test_fails() {
    let run = record(10, Synchronous::Normal).await;
    let lost = first_failure(&run).await;
    assert!(lost.contains("was answered and is lost"), "{lost}");
}

#[tokio::test]
async fn with_synchronous_off_the_same_test_fails() {
    let run = record(10, Synchronous::Off).await;
    let end = run.trace.len();
    let syncs = run.trace.before_syncs().into_iter();
    let since: Vec<_> = syncs
        .filter(|n| run.trace.position(*n) >= run.opened)
        .collect();
    assert_eq!(since, [end], "nothing is synced");
    let lost = run.survives(end, &Kept::Nothing, 0).await;
    assert!(lost.is_err(), "all was answered, and none is there");
    let lost = first_failure(&run).await;
    assert!(lost.contains("was answered and is lost"), "{lost}");
    // A crash of the process alone loses nothing.
    run.survives(end / 2, &Kept::Everything, 0)
        .await
        .expect("the writes are there");
}

/// The first loss by a power cut in the run.
async fn first_failure(run: &Run) -> String {
    for n in 0..run.trace.len() {
        if run.answered.until(run.trace.position(n)).commits() == 0 {
            continue;
        }
        if let Err(lost) = run.survives(n, &Kept::Nothing, 0).await {
            return lost;
        }
    }
    panic!("nothing was lost");
}

// The log has no second copy: a damaged frame ends it, like a torn one.
#[tokio::test]
async fn a_damaged_log_leaves_complete_commits_up_to_the_damage() {
    let run = record(6, Synchronous::AsRequested).await;
    let last = run
        .trace
        .before_syncs()
        .into_iter()
        .rfind(|n| run.trace.cut_after(*n, &Kept::Nothing).log().is_some());
    let last = last.expect("there was a log");
    let mut seed = Seed::new(404);
    for round in 0..20 {
        let mut image = run.trace.cut_after(last, &Kept::Nothing);
        let log = image.log().expect("there is a log");
        let at = seed.below(log.len());
        log[at] ^= 1 << seed.below(8);
        survives(&image, &Ledger::default(), &run.answered.all())
            .await
            .unwrap_or_else(|lost| panic!("round {round}, byte {at} of the log: {lost}"));
    }
}

/// Opens a new store, writes to it, and closes it.
async fn record(rounds: usize, synchronous: Synchronous) -> Run {
    let folder = folder::in_memory();
    let path = folder.path().join("a.db");
    let recording = Recording::start(&path, synchronous).expect("it can be recorded");
    let store = Sqlite::open(&path).expect("it can be made");
    let position = || recording.position().expect("it is recorded");
    let opened = position();
    let mut answered = Answered::default();
    for _ in 0..rounds {
        answered.write(&store, position).await;
    }
    assert_eq!(answered.all().commits(), rounds * WRITERS);
    let log = fs::metadata(folder.path().join("a.db-wal")).expect("it has a log");
    assert!(log.len() >= GROWN as u64, "the log did not grow");
    drop(store);
    let trace = recording.finish().expect("it was recorded");
    Run {
        trace,
        answered,
        opened,
    }
}

impl Run {
    /// Checks the store after a power cut after `n` events: it must contain every commit answered until then. `log` is the
    /// length of its log before.
    async fn survives(&self, n: usize, kept: &Kept, log: usize) -> Result<Ledger, String> {
        let mut image = self.trace.cut_after(n, kept);
        image.lengthen_log(log);
        let position = self.trace.position(n);
        let least = self.answered.until(position);
        assert!(position >= self.opened || least.commits() == 0);
        survives(&image, &least, &self.answered.all()).await
    }
}

/// Opens the files as a store: it must contain at least `least`, at most `most`, no commit in part, and accept new commits.
async fn survives(image: &Image, least: &Ledger, most: &Ledger) -> Result<Ledger, String> {
    let folder = folder::in_memory();
    let path = put(folder.path(), image);
    let store = Sqlite::open(&path).map_err(|error| error.to_string())?;
    let found = Ledger::read(&store).await?;
    found.is_between(least, most)?;
    ledger::check_integrity(&path)?;
    let mut more = Answered::from(found.clone());
    more.write(&store, || 0).await;
    if Ledger::read(&store).await? != more.all() {
        return Err("it accepts no commits".to_owned());
    }
    Ok(found)
}

/// Writes the files, and those that a dead process leaves: its lock file and stale shared memory.
fn put(folder: &Path, image: &Image) -> PathBuf {
    let path = folder.join("a.db");
    image.write(&path).expect("it can be written");
    fs::write(folder.join("a.db-shm"), [0xee; 32 * 1024]).expect("it can be written");
    path
}

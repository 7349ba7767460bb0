//! What was done to the files, and what remains of it after a power cut.

use std::ffi::OsString;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use crate::seed::Seed;

/// Bytes that a disk writes completely or not at all.
const SECTOR: usize = 512;
/// The suffixes of the three files, in the order of their numbers in the trace.
const SUFFIXES: [&str; 3] = ["", "-wal", "-journal"];
const LOG: usize = 1;

/// Which of the changes that were not synced survive a power cut.
#[derive(Clone, Debug)]
pub enum Kept {
    /// None.
    Nothing,
    /// A random selection of sectors of writes, of truncations and of deletions.
    Some(Seed),
    /// All: the process crashed, not the machine.
    Everything,
}

/// The contents of a database, its log and its journal; `None` for a file that does not exist.
#[derive(Clone, Debug, Default)]
pub struct Image([Option<Vec<u8>>; 3]);

/// Everything that happened to the files, in order.
#[derive(Debug)]
pub struct Trace {
    before: Image,
    events: Vec<Event>,
}

#[derive(Debug)]
struct Event {
    /// The length of the trace including this event.
    end: u64,
    file: usize,
    action: Action,
}

#[derive(Clone, Debug)]
enum Action {
    Write { at: usize, bytes: Vec<u8> },
    Truncate(usize),
    Sync { folder: bool },
    Delete { synced: bool },
}

impl Trace {
    pub(crate) fn read(before: Image, mut bytes: &[u8]) -> Self {
        let whole = bytes.len();
        let mut events = Vec::new();
        while !bytes.is_empty() {
            let [action, file] = take_u32s(&mut bytes);
            let (at, length) = (take_usize(&mut bytes), take_usize(&mut bytes));
            let action = match action {
                0 => Action::Write {
                    at,
                    bytes: take(&mut bytes, length).to_vec(),
                },
                1 => Action::Truncate(at),
                2 => Action::Sync { folder: false },
                3 => Action::Sync { folder: true },
                4 => Action::Delete { synced: false },
                5 => Action::Delete { synced: true },
                other => panic!("the trace has an unknown action {other}"),
            };
            events.push(Event {
                end: (whole - bytes.len()) as u64,
                file: file as usize,
                action,
            });
        }
        Self { before, events }
    }

    /// The number of events. A power cut after `n` events happens before the event `n`.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.events.len()
    }

    /// Whether there are no events.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// The length of the trace after `n` events.
    #[must_use]
    pub fn position(&self, n: usize) -> u64 {
        n.checked_sub(1).map_or(0, |last| self.events[last].end)
    }

    /// The moments just before each sync, when most data is at risk, and the end.
    #[must_use]
    pub fn before_syncs(&self) -> Vec<usize> {
        let syncs =
            (0..self.len()).filter(|n| matches!(self.events[*n].action, Action::Sync { .. }));
        syncs.chain([self.len()]).collect()
    }

    /// How often the database file itself was synced: by each checkpoint, and when the file was
    /// created.
    #[must_use]
    pub fn syncs_of_database(&self) -> usize {
        let is_database_sync =
            |event: &&Event| event.file == 0 && matches!(event.action, Action::Sync { .. });
        self.events.iter().filter(is_database_sync).count()
    }

    /// The files as a power cut after `n` events leaves them.
    #[must_use]
    pub fn cut_after(&self, n: usize, kept: &Kept) -> Image {
        let mut image = self.before.clone();
        let mut unsynced: [Vec<&Action>; 3] = Default::default();
        for event in &self.events[..n] {
            let (file, pending) = (&mut image.0[event.file], &mut unsynced[event.file]);
            match &event.action {
                Action::Sync { .. } => pending.drain(..).for_each(|action| action.apply(file)),
                change => pending.push(change),
            }
            if let Action::Sync { folder: true } | Action::Delete { synced: true } = event.action {
                for (file, pending) in image.0.iter_mut().zip(&mut unsynced) {
                    sync_deletion(file, pending);
                }
            }
        }
        for (file, pending) in image.0.iter_mut().zip(unsynced) {
            match kept.clone() {
                Kept::Nothing => {}
                Kept::Some(mut seed) => {
                    // Out of eight changes.
                    let surviving = [1, 4, 7][seed.below(3)];
                    for action in pending {
                        action.apply_partially(file, || seed.below(8) < surviving);
                    }
                }
                Kept::Everything => pending.into_iter().for_each(|action| action.apply(file)),
            }
        }
        image
    }
}

impl Action {
    fn apply(&self, file: &mut Option<Vec<u8>>) {
        self.apply_partially(file, || true);
    }

    /// Applies the parts for which `survives` returns true.
    fn apply_partially(&self, file: &mut Option<Vec<u8>>, mut survives: impl FnMut() -> bool) {
        match self {
            Self::Write { at, bytes } => {
                let (mut at, mut bytes) = (*at, &bytes[..]);
                while !bytes.is_empty() {
                    let (sector, rest) = bytes.split_at(bytes.len().min(SECTOR - at % SECTOR));
                    if survives() {
                        let file = file.get_or_insert_default();
                        file.resize(file.len().max(at + sector.len()), 0);
                        file[at..at + sector.len()].copy_from_slice(sector);
                    }
                    at += sector.len();
                    bytes = rest;
                }
            }
            Self::Truncate(size) => {
                if let Some(file) = file
                    && survives()
                {
                    file.resize(*size, 0);
                }
            }
            Self::Delete { .. } => {
                if survives() {
                    *file = None;
                }
            }
            Self::Sync { .. } => {}
        }
    }
}

/// Makes a deletion durable, and discards earlier changes of the deleted file.
fn sync_deletion(file: &mut Option<Vec<u8>>, pending: &mut Vec<&Action>) {
    let is_deletion = |action: &&Action| matches!(action, Action::Delete { .. });
    if let Some(last) = pending.iter().rposition(is_deletion) {
        pending.drain(..=last);
        *file = None;
    }
}

impl Image {
    /// Reads the present files.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn of(store: &Path) -> io::Result<Self> {
        let mut image = Self::default();
        for (file, suffix) in image.0.iter_mut().zip(SUFFIXES) {
            *file = match fs::read(sibling(store, suffix)) {
                Ok(contents) => Some(contents),
                Err(error) if error.kind() == ErrorKind::NotFound => None,
                Err(error) => return Err(error),
            };
        }
        Ok(image)
    }

    /// Whether the database file exists; it may be empty.
    #[must_use]
    pub const fn has_database(&self) -> bool {
        self.0[0].is_some()
    }

    /// The log, for tests that damage it.
    pub const fn log(&mut self) -> Option<&mut Vec<u8>> {
        self.0[LOG].as_mut()
    }

    /// Extends the log with zeros to `size`, as if space had been allocated beforehand.
    pub fn lengthen_log(&mut self, size: usize) {
        if let Some(log) = &mut self.0[LOG] {
            log.resize(log.len().max(size), 0);
        }
    }

    /// Writes the database to `store`, and log and journal next to it.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn write(&self, store: &Path) -> io::Result<()> {
        for (contents, suffix) in self.0.iter().zip(SUFFIXES) {
            if let Some(contents) = contents {
                fs::write(sibling(store, suffix), contents)?;
            }
        }
        Ok(())
    }
}

pub(crate) fn sibling(store: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(store);
    name.push(suffix);
    name.into()
}

fn take<'a>(bytes: &mut &'a [u8], length: usize) -> &'a [u8] {
    let (taken, rest) = bytes.split_at(length);
    *bytes = rest;
    taken
}

fn take_u32s(bytes: &mut &[u8]) -> [u32; 2] {
    [(); 2].map(|()| u32::from_ne_bytes(take(bytes, 4).try_into().expect("four bytes were taken")))
}

fn take_usize(bytes: &mut &[u8]) -> usize {
    let number = u64::from_ne_bytes(take(bytes, 8).try_into().expect("eight were taken"));
    usize::try_from(number).expect("files of tests are small")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(file: usize, action: Action) -> Event {
        Event {
            end: 0,
            file,
            action,
        }
    }

    fn write(at: usize, byte: u8, length: usize) -> Action {
        Action::Write {
            at,
            bytes: vec![byte; length],
        }
    }

    #[test]
    fn a_power_cut_loses_only_what_was_not_synced() {
        let trace = Trace {
            before: Image([Some(vec![1; 4]), None, None]),
            events: vec![
                event(0, write(2, 2, 4)),
                event(1, write(0, 3, 2)),
                event(1, Action::Sync { folder: true }),
                event(0, Action::Sync { folder: false }),
                event(1, Action::Delete { synced: false }),
                event(2, write(0, 4, 1)),
                event(2, Action::Sync { folder: true }),
            ],
        };
        let cut = |n, kept| trace.cut_after(n, &kept).0;
        let (old, new, log) = (vec![1; 4], vec![1, 1, 2, 2, 2, 2], vec![3, 3]);
        assert_eq!(cut(2, Kept::Nothing), [Some(old.clone()), None, None]);
        assert_eq!(
            cut(2, Kept::Everything),
            [Some(new.clone()), Some(log.clone()), None]
        );
        assert_eq!(cut(3, Kept::Nothing), [Some(old), Some(log.clone()), None]);
        assert_eq!(cut(5, Kept::Nothing), [Some(new.clone()), Some(log), None]);
        assert_eq!(cut(5, Kept::Everything), [Some(new.clone()), None, None]);
        assert_eq!(cut(7, Kept::Nothing), [Some(new), None, Some(vec![4])]);
        assert_eq!(trace.before_syncs(), [2, 3, 6, 7]);
    }

    #[test]
    fn a_write_is_applied_sector_by_sector() {
        let mut file = None;
        let mut turn = 0;
        write(500, 9, 600).apply_partially(&mut file, || {
            turn += 1;
            turn != 2
        });
        let file = file.unwrap();
        let kept = |range: std::ops::Range<usize>| file[range].iter().all(|byte| *byte == 9);
        assert!(kept(500..512) && !kept(512..1024) && kept(1024..1100));
        assert_eq!((turn, file.len()), (3, 1100));
    }
}

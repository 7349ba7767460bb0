//! What was done to the files, and what a power cut leaves of it.

use std::ffi::OsString;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use crate::seed::Seed;

/// What a disk writes whole or not at all.
const SECTOR: usize = 512;
/// The three files, in the order of their numbers in the trace.
const SUFFIXES: [&str; 3] = ["", "-wal", "-journal"];
const LOG: usize = 1;

/// What becomes of the changes that were not synced when the power was cut.
#[derive(Clone, Debug)]
pub enum Kept {
    /// None has reached the disk.
    Nothing,
    /// Each sector of each write by chance, and each truncation and deletion too.
    Some(Seed),
    /// All has: a crash of the process, not of the machine.
    Everything,
}

/// The contents of a database, its log and its journal; `None` where there is no such file.
#[derive(Clone, Debug, Default)]
pub struct Image([Option<Vec<u8>>; 3]);

/// All that happened to them, in order.
#[derive(Debug)]
pub struct Trace {
    before: Image,
    events: Vec<Event>,
}

#[derive(Debug)]
struct Event {
    /// How long the trace is with it.
    end: u64,
    file: usize,
    act: Act,
}

#[derive(Clone, Debug)]
enum Act {
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
            let [head_a, head_b] = take_u32s(&mut bytes);
            let (at, length) = (take_usize(&mut bytes), take_usize(&mut bytes));
            let act = match head_a {
                0 => Act::Write {
                    at,
                    bytes: take(&mut bytes, length).to_vec(),
                },
                1 => Act::Truncate(at),
                2 => Act::Sync { folder: false },
                3 => Act::Sync { folder: true },
                4 => Act::Delete { synced: false },
                5 => Act::Delete { synced: true },
                other => panic!("the trace tells of an act {other}"),
            };
            events.push(Event {
                end: (whole - bytes.len()) as u64,
                file: head_b as usize,
                act,
            });
        }
        Self { before, events }
    }

    /// How many events it has. A power cut after `n` of them is one before the event `n`.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.events.len()
    }

    /// Whether nothing happened.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// How long the trace was after `n` events.
    #[must_use]
    pub fn position(&self, n: usize) -> u64 {
        n.checked_sub(1).map_or(0, |last| self.events[last].end)
    }

    /// The moments just before each sync, when most is at stake, and the end.
    #[must_use]
    pub fn before_syncs(&self) -> Vec<usize> {
        let syncs = (0..self.len()).filter(|n| matches!(self.events[*n].act, Act::Sync { .. }));
        syncs.chain([self.len()]).collect()
    }

    /// How many syncs of the database itself there were: each is that of a checkpoint, but for
    /// those that made it.
    #[must_use]
    pub fn syncs_of_database(&self) -> usize {
        let of_it = |event: &&Event| event.file == 0 && matches!(event.act, Act::Sync { .. });
        self.events.iter().filter(of_it).count()
    }

    /// The files as a power cut after `n` events leaves them.
    #[must_use]
    pub fn cut_after(&self, n: usize, kept: &Kept) -> Image {
        let mut image = self.before.clone();
        let mut unsynced: [Vec<&Act>; 3] = Default::default();
        for event in &self.events[..n] {
            let (file, waiting) = (&mut image.0[event.file], &mut unsynced[event.file]);
            match &event.act {
                Act::Sync { .. } => waiting.drain(..).for_each(|act| act.happen(file)),
                change => waiting.push(change),
            }
            if let Act::Sync { folder: true } | Act::Delete { synced: true } = event.act {
                for (file, waiting) in image.0.iter_mut().zip(&mut unsynced) {
                    sync_deletion(file, waiting);
                }
            }
        }
        for (file, waiting) in image.0.iter_mut().zip(unsynced) {
            match kept.clone() {
                Kept::Nothing => {}
                Kept::Some(mut seed) => {
                    let chance = [1, 4, 7][seed.below(3)];
                    for act in waiting {
                        act.happen_in_part(file, || seed.below(8) < chance);
                    }
                }
                Kept::Everything => waiting.into_iter().for_each(|act| act.happen(file)),
            }
        }
        image
    }
}

impl Act {
    fn happen(&self, file: &mut Option<Vec<u8>>) {
        self.happen_in_part(file, || true);
    }

    /// Happens as far as `reached` says of each of its parts.
    fn happen_in_part(&self, file: &mut Option<Vec<u8>>, mut reached: impl FnMut() -> bool) {
        match self {
            Self::Write { at, bytes } => {
                let (mut at, mut bytes) = (*at, &bytes[..]);
                while !bytes.is_empty() {
                    let (sector, rest) = bytes.split_at(bytes.len().min(SECTOR - at % SECTOR));
                    if reached() {
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
                    && reached()
                {
                    file.resize(*size, 0);
                }
            }
            Self::Delete { .. } => {
                if reached() {
                    *file = None;
                }
            }
            Self::Sync { .. } => {}
        }
    }
}

/// Syncs that a name is gone, and with it what was done to the file that had it.
fn sync_deletion(file: &mut Option<Vec<u8>>, waiting: &mut Vec<&Act>) {
    let deletion = |act: &&Act| matches!(act, Act::Delete { .. });
    if let Some(last) = waiting.iter().rposition(deletion) {
        waiting.drain(..=last);
        *file = None;
    }
}

impl Image {
    /// The files as they are.
    ///
    /// # Errors
    /// When one cannot be read.
    pub fn of(store: &Path) -> io::Result<Self> {
        let mut image = Self::default();
        for (file, suffix) in image.0.iter_mut().zip(SUFFIXES) {
            *file = match fs::read(beside(store, suffix)) {
                Ok(contents) => Some(contents),
                Err(error) if error.kind() == ErrorKind::NotFound => None,
                Err(error) => return Err(error),
            };
        }
        Ok(image)
    }

    /// Whether there is a database in it, be it an empty one.
    #[must_use]
    pub const fn has_database(&self) -> bool {
        self.0[0].is_some()
    }

    /// The log, to be damaged.
    pub const fn log(&mut self) -> Option<&mut Vec<u8>> {
        self.0[LOG].as_mut()
    }

    /// Lengthens the log with zeros to `size`, as one who makes room for it beforehand does.
    pub fn lengthen_log(&mut self, size: usize) {
        if let Some(log) = &mut self.0[LOG] {
            log.resize(log.len().max(size), 0);
        }
    }

    /// Writes the files as `store` and beside it.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn put(&self, store: &Path) -> io::Result<()> {
        for (contents, suffix) in self.0.iter().zip(SUFFIXES) {
            if let Some(contents) = contents {
                fs::write(beside(store, suffix), contents)?;
            }
        }
        Ok(())
    }
}

pub(crate) fn beside(store: &Path, suffix: &str) -> PathBuf {
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
    [(); 2].map(|()| u32::from_ne_bytes(take(bytes, 4).try_into().expect("four were taken")))
}

fn take_usize(bytes: &mut &[u8]) -> usize {
    let number = u64::from_ne_bytes(take(bytes, 8).try_into().expect("eight were taken"));
    usize::try_from(number).expect("a file of a test is small")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(file: usize, act: Act) -> Event {
        Event { end: 0, file, act }
    }

    fn write(at: usize, byte: u8, length: usize) -> Act {
        Act::Write {
            at,
            bytes: vec![byte; length],
        }
    }

    #[test]
    fn a_power_cut_takes_what_was_not_synced_and_nothing_else() {
        let trace = Trace {
            before: Image([Some(vec![1; 4]), None, None]),
            events: vec![
                event(0, write(2, 2, 4)),
                event(1, write(0, 3, 2)),
                event(1, Act::Sync { folder: true }),
                event(0, Act::Sync { folder: false }),
                event(1, Act::Delete { synced: false }),
                event(2, write(0, 4, 1)),
                event(2, Act::Sync { folder: true }),
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
    fn a_write_reaches_the_disk_by_sectors() {
        let mut file = None;
        let mut turn = 0;
        write(500, 9, 600).happen_in_part(&mut file, || {
            turn += 1;
            turn != 2
        });
        let file = file.unwrap();
        let kept = |range: std::ops::Range<usize>| file[range].iter().all(|byte| *byte == 9);
        assert!(kept(500..512) && !kept(512..1024) && kept(1024..1100));
        assert_eq!((turn, file.len()), (3, 1100));
    }
}

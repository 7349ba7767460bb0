//! Performs the steps of a request: all at once, or one effect at a time.

use std::sync::Arc;

use futures_util::FutureExt;
use grantor_core::base::error::Failure;
use grantor_core::base::row::{Committed, Key, Version, Write};
use grantor_core::base::time::Timestamp;
use grantor_core::engine::decide::Operation;
use grantor_core::engine::drive::{Drive, Outcome, Step};
use grantor_core::engine::facts::FoundClients;
use grantor_core::engine::limits::{Effect, Poll};
use grantor_core::manage::resolve;
use grantor_core::model::credentials::{password_forms, password_to_hash};
use grantor_core::model::ids::ClientId;
use grantor_core::model::password_hash::StoredHash;
use grantor_core::records::ManagedClient;
use grantor_jose::Signer as _;
use grantor_store::{Store, StoreError};

use super::World;
use crate::signer;

/// Why there was no answer by the protocol: what a client sees as 500 or 503.
#[derive(Debug)]
pub enum Down {
    Core(Failure),
    Store(StoreError),
}

/// How a request ended.
pub type Ended<O> = Result<Outcome<<O as Operation>::Reply, <O as Operation>::Refused>, Down>;

/// A request under way. Other requests can see three effects of it: a read, a question to the tables in memory, a
/// commit; and at its end, what it writes to those tables.
pub struct Run<O: Operation> {
    drive: Drive<O>,
    /// The effect that comes next, where it is known.
    next: Option<Step<O::Reply, O::Refused>>,
    /// What the last effect was, for tests that need it.
    pub seen: Option<Seen>,
}

/// An effect that was performed.
#[derive(Debug)]
pub enum Seen {
    /// The tables in memory answered; a poll's answer is there.
    Asked(Option<Poll>),
    /// A commit was tried; whether it happened can be seen in the row.
    Tried {
        /// The time of the attempt.
        at: Timestamp,
        id: Version,
        /// The first row that it changes.
        key: Key,
        /// Whether its answer was lost.
        unknown: bool,
    },
}

impl<O: Operation> Run<O> {
    pub fn new(world: &mut World, operation: O) -> Self {
        let seed = world.seed();
        let drive = Drive::new(operation, world.realm.clone(), world.now, seed);
        Self {
            drive,
            next: None,
            seen: None,
        }
    }

    /// Whether the next effect is a commit.
    pub const fn is_about_to_commit(&self) -> bool {
        matches!(self.next, Some(Step::Commit { .. }))
    }

    /// Goes on until the next effect is performed, and further while no other request could see a difference; returns
    /// the end, if it is reached.
    pub fn effect(&mut self, world: &mut World) -> Option<Ended<O>> {
        let mut performed = false;
        loop {
            let step = self.next.take().unwrap_or_else(|| self.drive.step());
            let visible = match &step {
                Step::Password { .. }
                | Step::HashPassword { .. }
                | Step::Keys(_)
                | Step::Sign(_) => false,
                Step::Get(_)
                | Step::Clients(_)
                | Step::Quota(_)
                | Step::Poll(_)
                | Step::Commit { .. } => true,
                Step::Done(outcome) => !outcome.effects.is_empty(),
                Step::Failed(_, effects) => !effects.is_empty(),
            };
            if visible && performed {
                self.next = Some(step);
                return None;
            }
            performed |= visible;
            if let Some(end) = self.perform(world, step) {
                return Some(end);
            }
        }
    }

    fn perform(&mut self, world: &mut World, step: Step<O::Reply, O::Refused>) -> Option<Ended<O>> {
        match step {
            Step::Password { hash, password, .. } => {
                let right = password_forms(&password).any(|form| {
                    world.hashes += 1;
                    let hash = hash.as_ref();
                    hash.is_some_and(|hash| matches(hash, form.reveal()))
                });
                self.drive.password(right);
            }
            Step::HashPassword { password, queue } => {
                world.hashes += 1;
                world.hashed_in.push(queue);
                let password = password_to_hash(&password);
                self.drive.hashed(format!("plain${}", password.reveal()));
            }
            Step::Keys(ask) => {
                let sets = &world.trusted_keys;
                let of_issuer = sets.iter().find(|(issuer, _)| *issuer == ask.issuer);
                self.drive
                    .keys(ask.clone(), of_issuer.map(|(_, keys)| Arc::clone(keys)));
            }
            Step::Sign(input) => {
                let signature = signer().sign(input.kid(), input.algorithm(), input.as_bytes());
                let signature = signature
                    .now_or_never()
                    .expect("the keys are in this process");
                let signature = signature.expect("a key of this realm");
                self.drive.signature(input, &signature);
            }
            Step::Get(keys) => match now(world.store.get(&keys)) {
                Ok(rows) => self.drive.rows(keys, rows),
                Err(error) => return Some(Err(self.abandon(world, error))),
            },
            Step::Clients(ids) => match managed_clients(world, ids) {
                Ok(clients) => self.drive.clients(clients),
                Err(Down::Store(error)) => return Some(Err(self.abandon(world, error))),
                Err(error) => return Some(Err(error)),
            },
            Step::Quota(ask) => {
                let answer = world.limits.quota(world.monotonic, &ask);
                self.seen = Some(Seen::Asked(None));
                self.drive.quota(ask, answer);
            }
            Step::Poll(ask) => {
                let poll = world.limits.poll(world.monotonic, &ask);
                self.seen = Some(Seen::Asked(Some(poll)));
                self.drive.poll(ask, poll);
            }
            Step::Commit {
                now: at,
                id,
                writes,
            } => {
                let changed = writes.iter().find(|write| write.changes()).map(Write::key);
                let key = changed.expect("it changes something").clone();
                match now(world.store.commit(at, id, writes)) {
                    Ok(committed) => {
                        let unknown = committed == Committed::Unknown;
                        self.seen = Some(Seen::Tried {
                            at,
                            id,
                            key,
                            unknown,
                        });
                        let (now, seed) = (world.now, world.seed());
                        self.drive.committed(committed, now, seed, &world.realm);
                    }
                    Err(error) => return Some(Err(self.abandon(world, error))),
                }
            }
            Step::Done(outcome) => {
                apply(world, &outcome.effects);
                world.events.extend(outcome.events.iter().cloned());
                return Some(Ok(outcome));
            }
            Step::Failed(failure, effects) => {
                apply(world, &effects);
                return Some(Err(Down::Core(failure)));
            }
        }
        None
    }

    fn abandon(&mut self, world: &mut World, error: StoreError) -> Down {
        apply(world, &self.drive.abandon());
        Down::Store(error)
    }
}

/// Whether a password has this hash: `plain$` and the password, or a real one, which should be a cheap one.
fn matches(hash: &str, password: &str) -> bool {
    let Ok(StoredHash {
        argon2,
        salt,
        output,
        ..
    }) = StoredHash::parse(hash)
    else {
        return hash == format!("plain${password}");
    };
    let mut computed = vec![0; output.len()];
    let done = argon2.hash_password_into(password.as_bytes(), &salt, &mut computed);
    done.is_ok() && computed == output
}

fn now<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().expect("memory is ready at once")
}

fn apply(world: &mut World, effects: &[Effect]) {
    let now = world.monotonic;
    effects
        .iter()
        .for_each(|effect| world.limits.apply(now, effect));
}

impl World {
    /// A request from its beginning to its end.
    pub fn run<O: Operation>(&mut self, operation: O) -> Ended<O> {
        let mut run = Run::new(self, operation);
        loop {
            if let Some(end) = run.effect(self) {
                return end;
            }
        }
    }

    /// The same where it must not fail, and what follows it.
    pub fn ask<O: Operation>(&mut self, operation: O) -> Outcome<O::Reply, O::Refused> {
        let outcome = self.run(operation).expect("the server answers");
        if let Some(excess) = &outcome.excess {
            self.end_excess(excess);
        }
        outcome
    }
}

/// As the shell does, without remembering any.
fn managed_clients(world: &World, ids: Vec<ClientId>) -> Result<FoundClients, Down> {
    let realm = &world.realm;
    let get = |keys: &[Key]| match keys.is_empty() {
        true => Ok(Vec::new()),
        false => now(world.store.get(keys)).map_err(Down::Store),
    };
    let mut found = Vec::new();
    for id in ids {
        let rows = get(&[ManagedClient::key(&realm.name, &id)])?;
        let client = match rows.into_iter().flatten().next() {
            None => None,
            Some(row) => {
                let record = resolve::read(&row).map_err(Down::Core)?;
                let rows = get(&resolve::dependencies(realm, &record))?;
                resolve::client(realm, &record, &rows, world.now).map_err(Down::Core)?
            }
        };
        found.push((id, client.map(Arc::new)));
    }
    Ok(found)
}

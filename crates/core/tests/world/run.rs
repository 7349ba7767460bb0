//! Performs the steps of a request: all at once, or one effect at a time.

use futures_util::FutureExt;
use grantor_core::decide::Operation;
use grantor_core::drive::{Drive, Outcome, Step};
use grantor_core::error::Failure;
use grantor_jose::Signer as _;
use grantor_store::{Store, StoreError};

use super::World;
use super::house::signer;

/// Why there was no answer by the protocol: what a client sees as 500 or 503.
#[derive(Debug)]
pub(crate) enum Down {
    Core(Failure),
    Store(StoreError),
}

/// A request under way. What others can see of it is one of three effects: a read, a question to the tables in
/// memory, a commit; and at its end, what the tables learn.
pub(crate) struct Run<O: Operation>(Drive<O>);

impl<O: Operation> Run<O> {
    pub(crate) fn new(world: &mut World, operation: O) -> Self {
        let seed = world.seed();
        Self(Drive::new(operation, world.pool.clone(), world.now, seed))
    }

    /// Goes on up to and with the next effect; the end, if it was the last.
    pub(crate) fn effect(&mut self, world: &mut World) -> Option<Result<Outcome<O::Reply>, Down>> {
        loop {
            match self.0.step() {
                Step::Password { hash, password } => {
                    let right =
                        hash.is_some_and(|hash| hash == format!("plain${}", password.reveal()));
                    self.0.password(right);
                }
                Step::Sign(input) => {
                    let signature = signer().sign(input.kid(), input.algorithm(), input.as_bytes());
                    let signature = signature
                        .now_or_never()
                        .expect("the signer is of this process");
                    self.0
                        .signature(input, &signature.expect("the world has every key"));
                }
                Step::Get(keys) => {
                    let rows = world
                        .store
                        .get(&keys)
                        .now_or_never()
                        .expect("memory is ready at once");
                    match rows {
                        Ok(rows) => self.0.rows(keys, rows),
                        Err(error) => return Some(Err(self.abandon(world, error))),
                    }
                    return None;
                }
                Step::Table(ask) => {
                    let answer = world.limits.answer(world.now, &ask);
                    self.0.answer(ask, answer);
                    return None;
                }
                Step::Commit { now, id, writes } => {
                    let committed = world.store.commit(now, id, writes).now_or_never();
                    match committed.expect("memory is ready at once") {
                        Ok(committed) => {
                            let (now, seed) = (world.now, world.seed());
                            self.0.committed(committed, now, seed);
                        }
                        Err(error) => return Some(Err(self.abandon(world, error))),
                    }
                    return None;
                }
                Step::Done(outcome) => {
                    outcome
                        .effects
                        .iter()
                        .for_each(|effect| world.limits.apply(effect));
                    world.events.extend(outcome.events.iter().cloned());
                    return Some(Ok(outcome));
                }
                Step::Failed(failure, effects) => {
                    effects.iter().for_each(|effect| world.limits.apply(effect));
                    return Some(Err(Down::Core(failure)));
                }
            }
        }
    }

    fn abandon(&mut self, world: &mut World, error: StoreError) -> Down {
        self.0
            .abandon()
            .iter()
            .for_each(|effect| world.limits.apply(effect));
        Down::Store(error)
    }
}

impl World {
    /// A request from its beginning to its end.
    pub(crate) fn run<O: Operation>(&mut self, operation: O) -> Result<Outcome<O::Reply>, Down> {
        let mut run = Run::new(self, operation);
        loop {
            if let Some(end) = run.effect(self) {
                return end;
            }
        }
    }

    /// The same, where the house is up.
    pub(crate) fn ask<O: Operation>(&mut self, operation: O) -> Outcome<O::Reply> {
        self.run(operation).expect("the house answers")
    }
}

//! Argon2id (RFC 9106) on dedicated threads: hashing is slow on purpose and must not block anything else.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use grantor_core::base::secret::Secret;
use grantor_core::engine::decide::PasswordQueue;
use grantor_core::model::password_hash::StoredHash;
use tokio::sync::oneshot;

mod queue;
use queue::Queue;

/// How long an idle worker keeps its memory (19 MiB with the default parameters).
const MEMORY_IDLE_TIME: Duration = Duration::from_secs(1);
const HASH_BYTES: usize = 32;

pub(crate) struct Passwords(Arc<Shared>);

struct Shared {
    jobs: Mutex<Jobs>,
    /// Notified of each job, and of the end.
    added: Condvar,
}

struct Jobs {
    queue: Queue<Job>,
    /// The application has ended.
    ended: bool,
}

enum Job {
    Verify {
        hash: Option<String>,
        password: Secret,
        reply: oneshot::Sender<bool>,
    },
    Hash {
        password: Secret,
        salt: [u8; 16],
        reply: oneshot::Sender<Option<String>>,
    },
}

impl Passwords {
    /// Starts one worker for every two cores.
    pub(crate) fn start() -> std::io::Result<Self> {
        let shared = Arc::new(Shared {
            jobs: Mutex::new(Jobs {
                queue: Queue::new(),
                ended: false,
            }),
            added: Condvar::new(),
        });
        let cores = thread::available_parallelism().map_or(2, std::num::NonZero::get);
        for number in 0..(cores / 2).max(1) {
            let shared = Arc::clone(&shared);
            thread::Builder::new()
                .name(format!("password-{number}"))
                .spawn(move || {
                    let mut worker = Worker { memory: Vec::new() };
                    while let Some(job) = shared.next(&mut worker) {
                        worker.run(job);
                    }
                })?;
        }
        Ok(Self(shared))
    }

    /// Whether the password matches the hash. Without a hash it takes as long and does not match. `None` if too busy.
    pub(crate) async fn verify(
        &self,
        queue: &PasswordQueue,
        hash: Option<String>,
        password: Secret,
    ) -> Option<bool> {
        let (reply, answer) = oneshot::channel();
        let job = Job::Verify {
            hash,
            password,
            reply,
        };
        self.0.add(queue, job)?;
        answer.await.ok()
    }

    /// `None` if too busy.
    pub(crate) async fn hash(&self, password: Secret, salt: [u8; 16]) -> Option<String> {
        let (reply, answer) = oneshot::channel();
        let job = Job::Hash {
            password,
            salt,
            reply,
        };
        self.0.add(&PasswordQueue::Operator, job)?;
        answer.await.ok().flatten()
    }
}

impl Drop for Passwords {
    fn drop(&mut self) {
        self.0.lock().ended = true;
        self.0.added.notify_all();
    }
}

impl Shared {
    /// `None` if there is no place.
    fn add(&self, queue: &PasswordQueue, job: Job) -> Option<()> {
        let added = self.lock().queue.push(queue, job);
        self.added.notify_one();
        added.then_some(())
    }

    /// Waits for the next job. An idle worker gives its memory back after a while.
    fn next(&self, worker: &mut Worker) -> Option<Job> {
        let mut jobs = self.lock();
        loop {
            if let Some(job) = jobs.queue.pop() {
                return Some(job);
            }
            if jobs.ended {
                return None;
            }
            jobs = if worker.memory.is_empty() {
                let waited = self.added.wait(jobs);
                waited.unwrap_or_else(PoisonError::into_inner)
            } else {
                let waited = self.added.wait_timeout(jobs, MEMORY_IDLE_TIME);
                let (jobs, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
                if timeout.timed_out() {
                    worker.memory = Vec::new();
                }
                jobs
            };
        }
    }

    fn lock(&self) -> MutexGuard<'_, Jobs> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Worker {
    memory: Vec<Block>,
}

impl Worker {
    fn run(&mut self, job: Job) {
        match job {
            Job::Verify {
                hash,
                password,
                reply,
            } => {
                let matches = self.verify(hash.as_deref(), &password);
                // It fails when the browser has disconnected.
                let _ = reply.send(matches);
            }
            Job::Hash {
                password,
                salt,
                reply,
            } => {
                let _ = reply.send(self.hash(&password, salt));
            }
        }
    }

    fn verify(&mut self, hash: Option<&str>, password: &Secret) -> bool {
        let parsed = hash.and_then(|hash| StoredHash::parse(hash).ok());
        let (argon2, salt, expected) = match &parsed {
            Some(StoredHash {
                argon2,
                salt,
                output,
            }) => (argon2.clone(), salt.as_slice(), output.as_slice()),
            None => (default_argon2(), &[0; 16][..], &[0; HASH_BYTES][..]),
        };
        let matches = self
            .compute(&argon2, password, salt, expected.len())
            .is_some_and(|output| {
                aws_lc_rs::constant_time::verify_slices_are_equal(&output, expected).is_ok()
            });
        matches && parsed.is_some()
    }

    fn hash(&mut self, password: &Secret, salt: [u8; 16]) -> Option<String> {
        let argon2 = default_argon2();
        let output = self.compute(&argon2, password, &salt, HASH_BYTES)?;
        let hash = PasswordHash {
            algorithm: Algorithm::Argon2id.ident(),
            version: Some(Version::V0x13.into()),
            params: ParamsString::try_from(argon2.params()).ok()?,
            salt: Some(Salt::new(&salt).ok()?),
            hash: Some(Output::new(&output).ok()?),
        };
        Some(hash.to_string())
    }

    fn compute(
        &mut self,
        argon2: &Argon2<'_>,
        password: &Secret,
        salt: &[u8],
        length: usize,
    ) -> Option<Vec<u8>> {
        let blocks = argon2.params().block_count();
        if self.memory.len() < blocks {
            self.memory.resize(blocks, Block::default());
        }
        let mut output = vec![0; length];
        let bytes = password.reveal().as_bytes();
        argon2
            .hash_password_into_with_memory(bytes, salt, &mut output, &mut self.memory[..blocks])
            .ok()?;
        Some(output)
    }
}

/// For new hashes: 19 MiB, two passes, one lane, as the crate and OWASP recommend.
fn default_argon2() -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_matches_its_own_hash_only() {
        let mut worker = Worker { memory: Vec::new() };
        let hash = worker.hash(&Secret::new("correct horse"), [7; 16]).unwrap();
        assert!(
            hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{hash}"
        );
        assert!(worker.verify(Some(&hash), &Secret::new("correct horse")));
        assert!(!worker.verify(Some(&hash), &Secret::new("correct horsf")));
        assert!(!worker.verify(None, &Secret::new("correct horse")));
        assert!(!worker.verify(Some("$argon2id$broken"), &Secret::new("correct horse")));
    }

    #[test]
    fn rfc9106_a_hash_of_another_implementation_is_verified() {
        // From the tests of the reference implementation (password, somesalt, t=2, m=2^8 KiB, p=1, Argon2id).
        let hash =
            "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";
        let mut worker = Worker { memory: Vec::new() };
        assert!(worker.verify(Some(hash), &Secret::new("password")));
    }

    #[test]
    fn verification_without_a_hash_costs_as_much_as_with_one() {
        let memory = [None, Some("broken")].map(|hash| {
            let mut worker = Worker { memory: Vec::new() };
            assert!(!worker.verify(hash, &Secret::new("correct horse")));
            worker.memory.len()
        });
        let mut worker = Worker { memory: Vec::new() };
        let hash = worker.hash(&Secret::new("x"), [7; 16]).unwrap();
        worker.memory.clear();
        assert!(!worker.verify(Some(&hash), &Secret::new("correct horse")));
        assert_eq!(memory, [worker.memory.len(); 2]);
        assert!(memory[0] > 0);
    }
}

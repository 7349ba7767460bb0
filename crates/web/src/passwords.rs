//! Argon2id (RFC 9106) on workers of their own: hashing is slow on purpose, and must starve nothing else.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use grantor_core::base::secret::Secret;
use grantor_core::model::password_hash::StoredHash;
use tokio::sync::oneshot;

/// How many passwords may wait. Beyond it the answer is "unavailable", soon.
const QUEUE: usize = 64;
/// How long a worker keeps its memory (19 MiB for hashes of ours) after a password.
const KEPT: Duration = Duration::from_secs(1);
/// Bytes of a hash that is made here.
const OUTPUT: usize = 32;

/// The workers.
#[derive(Clone)]
pub(crate) struct Passwords(mpsc::SyncSender<Job>);

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
    /// Starts half as many workers as there are cores; each keeps its memory from one password to the next, where
    /// the next is not long in coming.
    pub(crate) fn start() -> std::io::Result<Self> {
        let (jobs, queue) = mpsc::sync_channel::<Job>(QUEUE);
        let queue = std::sync::Arc::new(std::sync::Mutex::new(queue));
        let cores = thread::available_parallelism().map_or(2, std::num::NonZero::get);
        for number in 0..(cores / 2).max(1) {
            let queue = std::sync::Arc::clone(&queue);
            thread::Builder::new()
                .name(format!("password-{number}"))
                .spawn(move || {
                    let mut worker = Worker { memory: Vec::new() };
                    loop {
                        // One worker waits for a job, the others for the queue.
                        let job = match queue.lock() {
                            Ok(queue) if worker.memory.is_empty() => queue.recv().ok(),
                            Ok(queue) => match queue.recv_timeout(KEPT) {
                                Err(mpsc::RecvTimeoutError::Timeout) => {
                                    worker.memory = Vec::new();
                                    continue;
                                }
                                job => job.ok(),
                            },
                            Err(_) => None,
                        };
                        let Some(job) = job else { return };
                        worker.run(job);
                    }
                })?;
        }
        Ok(Self(jobs))
    }

    /// Whether a password is that of a hash; without a hash the same time goes by, and it is not. None: too busy.
    pub(crate) async fn verify(&self, hash: Option<String>, password: Secret) -> Option<bool> {
        let (reply, answer) = oneshot::channel();
        self.0
            .try_send(Job::Verify {
                hash,
                password,
                reply,
            })
            .ok()?;
        answer.await.ok()
    }

    /// The hash of a password. None: too busy.
    pub(crate) async fn hash(&self, password: Secret, salt: [u8; 16]) -> Option<String> {
        let (reply, answer) = oneshot::channel();
        self.0
            .try_send(Job::Hash {
                password,
                salt,
                reply,
            })
            .ok()?;
        answer.await.ok().flatten()
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
                let right = self.verify(hash.as_deref(), &password);
                // Nobody waits any more: the browser went away.
                let _ = reply.send(right);
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
            None => (ours(), &[0; 16][..], &[0; OUTPUT][..]),
        };
        let right = self
            .output(&argon2, password, salt, expected.len())
            .is_some_and(|output| {
                aws_lc_rs::constant_time::verify_slices_are_equal(&output, expected).is_ok()
            });
        right && parsed.is_some()
    }

    fn hash(&mut self, password: &Secret, salt: [u8; 16]) -> Option<String> {
        let argon2 = ours();
        let output = self.output(&argon2, password, &salt, OUTPUT)?;
        let hash = PasswordHash {
            algorithm: Algorithm::Argon2id.ident(),
            version: Some(Version::V0x13.into()),
            params: ParamsString::try_from(argon2.params()).ok()?,
            salt: Some(Salt::new(&salt).ok()?),
            hash: Some(Output::new(&output).ok()?),
        };
        Some(hash.to_string())
    }

    fn output(
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

/// What new hashes are made with: Argon2id, 19 MiB, two passes, one lane (the crate's and OWASP's recommendation).
fn ours() -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_fits_its_own_hash_only() {
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
    fn rfc9106_a_hash_of_another_implementation_is_read() {
        // From the reference implementation's own test list (password, somesalt, t=2, m=2^8 KiB, p=1, Argon2id).
        let hash =
            "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";
        let mut worker = Worker { memory: Vec::new() };
        assert!(worker.verify(Some(hash), &Secret::new("password")));
    }

    #[test]
    fn without_a_hash_as_much_is_computed_as_with_one_of_ours() {
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

//! Argon2id (RFC 9106) on dedicated threads: hashing is slow on purpose and must not block anything else.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use grantor_core::base::secret::Secret;
use grantor_core::engine::facts::PasswordQueue;
use grantor_core::model::credentials::{NewPassword, password_forms, password_to_hash};
use grantor_core::model::password_hash::{Cost, StoredHash};
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
    costliest: Arc<Costliest>,
}

struct Jobs {
    queue: Queue<Job>,
    /// The application has ended.
    ended: bool,
}

/// The cost of the costliest stored hash that is known. Every comparison costs as much, so that its time tells nothing
/// about the account: not whether it exists, nor whether its hash is from elsewhere.
struct Costliest(AtomicU64);

impl Costliest {
    fn new() -> Self {
        Self(AtomicU64::new(Self::pack(Cost::NEW)))
    }

    fn pack(cost: Cost) -> u64 {
        u64::from(cost.memory_kib) << 32 | u64::from(cost.passes)
    }

    fn unpack(packed: u64) -> Cost {
        let [memory_kib, passes] = [packed >> 32, packed & u64::from(u32::MAX)]
            .map(|half| u32::try_from(half).unwrap_or(u32::MAX));
        Cost::new(memory_kib, passes)
    }

    /// Returns the costliest, this one included.
    fn include(&self, cost: Cost) -> Cost {
        let grow = |known| Some(Self::pack(Self::unpack(known).max(cost)));
        let order = Ordering::Relaxed;
        let before = self.0.fetch_update(order, order, grow);
        Self::unpack(before.unwrap_or_else(|known| known)).max(cost)
    }
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
            costliest: Arc::new(Costliest::new()),
        });
        let cores = thread::available_parallelism().map_or(2, std::num::NonZero::get);
        for number in 0..(cores / 2).max(1) {
            let shared = Arc::clone(&shared);
            thread::Builder::new()
                .name(format!("password-{number}"))
                .spawn(move || {
                    let mut worker = Worker::new(Arc::clone(&shared.costliest));
                    while let Some(job) = shared.next(&mut worker) {
                        worker.run(job);
                    }
                })?;
        }
        Ok(Self(shared))
    }

    /// A hash of this cost is stored.
    pub(crate) fn include_cost(&self, cost: Cost) {
        self.0.costliest.include(cost);
    }

    /// Whether the password matches the hash. Every hash takes as long as the costliest; no hash does too, and does not
    /// match. `None` if too busy.
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
    pub(crate) async fn hash(
        &self,
        queue: &PasswordQueue,
        password: Secret,
        salt: [u8; 16],
    ) -> Option<String> {
        let (reply, answer) = oneshot::channel();
        let job = Job::Hash {
            password,
            salt,
            reply,
        };
        self.0.add(queue, job)?;
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

/// A new hash of a password, a PHC string, made in this thread: for commands.
#[must_use]
pub fn hash_password(password: &NewPassword, salt: [u8; 16]) -> String {
    let hash = Worker::new(Arc::new(Costliest::new())).hash(password.secret(), salt);
    #[expect(
        clippy::expect_used,
        reason = "the parameters are ours, and a checked password is not too long for Argon2"
    )]
    hash.expect("a hash")
}

struct Worker {
    memory: Vec<Block>,
    costliest: Arc<Costliest>,
    /// How many blocks of a KiB were computed.
    blocks: u64,
}

impl Worker {
    const fn new(costliest: Arc<Costliest>) -> Self {
        Self {
            memory: Vec::new(),
            costliest,
            blocks: 0,
        }
    }

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
        password_forms(password).any(|form| self.verify_form(hash, &form))
    }

    fn verify_form(&mut self, hash: Option<&str>, password: &Secret) -> bool {
        let before = self.blocks;
        let parsed = hash.and_then(|hash| StoredHash::parse(hash).ok());
        let matches = match &parsed {
            Some(stored) => {
                let expected = &stored.output;
                self.compute(&stored.argon2, password, &stored.salt, expected.len())
                    .is_some_and(|output| {
                        aws_lc_rs::constant_time::verify_slices_are_equal(&output, expected).is_ok()
                    })
            }
            // First what a new hash costs, then the padding: in the same order, and so in the same memory, as for most
            // accounts.
            None => {
                if let Some(argon2) = argon2(Cost::NEW) {
                    self.compute(&argon2, password, &[0; 16], HASH_BYTES);
                }
                false
            }
        };
        let own = parsed.map_or(Cost::NEW, |stored| stored.cost());
        let costliest = self.costliest.include(own);
        for cost in costliest.padding(self.blocks - before) {
            if let Some(argon2) = argon2(cost) {
                self.compute(&argon2, password, &[0; 16], HASH_BYTES);
            }
        }
        matches
    }

    fn hash(&mut self, password: &Secret, salt: [u8; 16]) -> Option<String> {
        let argon2 = argon2(Cost::NEW)?;
        let password = password_to_hash(password);
        let output = self.compute(&argon2, &password, &salt, HASH_BYTES)?;
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
        self.blocks += Cost::new(argon2.params().m_cost(), argon2.params().t_cost()).blocks();
        let mut output = vec![0; length];
        let bytes = password.reveal().as_bytes();
        argon2
            .hash_password_into_with_memory(bytes, salt, &mut output, &mut self.memory[..blocks])
            .ok()?;
        Some(output)
    }
}

fn argon2(cost: Cost) -> Option<Argon2<'static>> {
    let params = Params::new(cost.memory_kib, cost.passes, Params::DEFAULT_P_COST, None).ok()?;
    Some(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn worker() -> Worker {
        Worker::new(Arc::new(Costliest::new()))
    }

    #[test]
    fn a_password_matches_its_own_hash_only() {
        let mut worker = worker();
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
        let mut worker = worker();
        assert!(worker.verify(Some(hash), &Secret::new("password")));
    }

    /// A real hash of `password`, with these parameters.
    fn hash_with(worker: &mut Worker, params: &str, password: &str) -> String {
        let [m, t, p] = params
            .split(',')
            .map(|pair| pair[2..].parse::<u32>().unwrap())
            .collect::<Vec<_>>()[..]
        else {
            panic!("three parameters");
        };
        let params = Params::new(m, t, p, None).unwrap();
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let salt = [7; 16];
        let output = worker.compute(&argon2, &Secret::new(password), &salt, 32);
        let hash = PasswordHash {
            algorithm: Algorithm::Argon2id.ident(),
            version: Some(Version::V0x13.into()),
            params: ParamsString::try_from(argon2.params()).unwrap(),
            salt: Some(Salt::new(&salt).unwrap()),
            hash: Some(Output::new(&output.unwrap()).unwrap()),
        };
        hash.to_string()
    }

    /// Those of `cargo`'s users: our own, OWASP's other choices, and what came from elsewhere.
    const FIVE_KINDS: [&str; 5] = [
        "m=19456,t=2,p=1",
        "m=256,t=2,p=1",
        "m=4096,t=3,p=1",
        "m=47104,t=1,p=1",
        "m=65536,t=3,p=4",
    ];

    #[test]
    fn an_unknown_name_and_every_stored_hash_cost_what_the_costliest_costs() {
        let mut worker = worker();
        let hashes = FIVE_KINDS.map(|params| hash_with(&mut worker, params, "right"));
        let costliest = Cost::new(65_536, 3);
        worker.costliest.include(costliest);
        let [right, wrong] = ["right", "wrong"].map(Secret::new);
        let mut cost = |hash: Option<&str>, password: &Secret| {
            let before = worker.blocks;
            let matches = worker.verify(hash, password);
            (matches, worker.blocks - before)
        };
        let all = costliest.blocks();
        for hash in &hashes {
            assert_eq!(cost(Some(hash), &right), (true, all), "{hash}");
            assert_eq!(cost(Some(hash), &wrong), (false, all), "{hash}");
        }
        for unknown in [None, Some("broken"), Some("$argon2id$broken")] {
            assert_eq!(cost(unknown, &right), (false, all));
        }
    }

    #[test]
    fn a_costlier_hash_that_comes_to_be_known_raises_what_all_cost() {
        let mut worker = worker();
        let cost = |worker: &mut Worker, hash: Option<&str>| {
            let before = worker.blocks;
            worker.verify(hash, &Secret::new("x"));
            worker.blocks - before
        };
        assert_eq!(cost(&mut worker, None), Cost::NEW.blocks());
        let hash = hash_with(&mut worker, "m=65536,t=3,p=4", "right");
        assert_eq!(cost(&mut worker, Some(&hash)), 65_536 * 3);
        assert_eq!(cost(&mut worker, None), 65_536 * 3);
    }

    #[test]
    fn verification_without_a_hash_costs_as_much_as_with_one() {
        let memory = [None, Some("broken")].map(|hash| {
            let mut worker = worker();
            assert!(!worker.verify(hash, &Secret::new("correct horse")));
            worker.memory.len()
        });
        let mut worker = worker();
        let hash = worker.hash(&Secret::new("x"), [7; 16]).unwrap();
        worker.memory.clear();
        assert!(!worker.verify(Some(&hash), &Secret::new("correct horse")));
        assert_eq!(memory, [worker.memory.len(); 2]);
        assert!(memory[0] > 0);
    }
}

//! The only place where reading, deciding, minting and committing meet: a step machine that says what it wants next.
//!
//! ```text
//! step() ─▶ Get / Table / Keys / Password ─▶ step() ─▶ … ─▶ Sign ─▶ … ─▶ Commit ─▶ Done
//!    ▲                                                               │ Conflict, Unknown: read again, decide again
//!    └───────────────────────────────────────────────────────────────┘
//! ```
//! It performs nothing. The web shell performs its steps with the real store and signer; tests perform them one at
//! a time, in any order. Order is mint, commit, then answer: no code is burnt by a signer that is down, and no token
//! leaves without its commit.

use std::sync::Arc;

use grantor_jose::{SigningInput, TokenType, VerificationKeys, left_half_hash};

use crate::base::error::{Failure, Refusal};
use crate::base::row::{Committed, Key, MAX_KEYS, Row, Version, Write};
use crate::base::secret::Secret;
use crate::base::seed::Seed;
use crate::base::time::Timestamp;
use crate::engine::decide::KeyQuery;
use crate::engine::decide::{Decision, Facts, Mint, Need, Operation, Stop, Unsigned};
use crate::engine::env::Env;
use crate::engine::event::Event;
use crate::engine::limits::{Answer, Ask, Effect};
use crate::model::realm::Realm;

/// Attempts of one request, the first one included.
const ATTEMPTS: u8 = 5;
/// Rounds of questions within one attempt: more is a bug, since each answers what it was asked.
const ROUNDS: u8 = 12;

/// What the machine wants next.
#[derive(Debug)]
pub enum Step<R> {
    /// Read these rows, in one `get`; then [`Drive::rows`].
    Get(Vec<Key>),
    /// Ask the tables in memory; then [`Drive::answer`].
    Table(Ask),
    /// Verify a password; then [`Drive::password`].
    Password {
        /// The hash, if the user is known and has one.
        hash: Option<String>,
        /// What was presented.
        password: Secret,
    },
    /// Have the keys of a trusted issuer; then [`Drive::keys`].
    Keys(KeyQuery),
    /// Sign; then [`Drive::signature`].
    Sign(SigningInput),
    /// Commit; then [`Drive::committed`].
    Commit {
        /// The commit's time.
        now: Timestamp,
        /// The commit's id.
        id: Version,
        /// What to write.
        writes: Vec<Write>,
    },
    /// Answer. The effects go to the tables in memory, the events to the operator.
    Done(Outcome<R>),
    /// There is no answer by the protocol. The effects give back what was reserved.
    Failed(Failure, Vec<Effect>),
}

/// How a request ended.
#[derive(Debug)]
pub struct Outcome<R> {
    /// The answer.
    pub reply: Result<R, Refusal>,
    /// The tokens that go with it.
    pub tokens: Option<Minted>,
    /// What the tables in memory learn.
    pub effects: Vec<Effect>,
    /// What the operator is told.
    pub events: Vec<Event>,
}

/// Tokens, ready to leave.
#[derive(Debug)]
pub struct Minted {
    /// The access token; none where another token was exchanged for.
    pub access: Option<Secret>,
    /// The ID token.
    pub id: Option<Secret>,
    /// The refresh token.
    pub refresh: Option<Secret>,
}

/// What the machine waits for.
enum Stage<R> {
    Deciding(Vec<Need>),
    Access(Decision<R>, Option<SigningInput>, Rest),
    Id(
        Decision<R>,
        Option<SigningInput>,
        Option<Secret>,
        Option<Secret>,
    ),
    Committing(Version, Decision<R>, Option<Minted>),
    /// After an `Unknown` commit: reading what was written, to learn whether it happened.
    Asking(Version, Decision<R>, Option<Minted>),
    Settled(Decision<R>, Option<Minted>),
    Failed(Failure),
    Over,
}

/// What is minted after the access token.
struct Rest {
    id: Option<Box<crate::model::claims::IdTokenClaims>>,
    refresh: Option<Secret>,
}

/// The step machine of one request.
pub struct Drive<O: Operation> {
    operation: O,
    realm: Arc<Realm>,
    now: Timestamp,
    seed: Seed,
    facts: Facts,
    /// The hash with which a password is being compared.
    comparing: Option<String>,
    stage: Stage<O::Reply>,
    attempt: u8,
    round: u8,
}

impl<O: Operation> Drive<O> {
    /// Begins, at this time, with a fresh seed.
    #[must_use]
    pub fn new(operation: O, realm: Arc<Realm>, now: Timestamp, seed: Seed) -> Self {
        let mut drive = Self {
            operation,
            realm,
            now,
            seed,
            facts: Facts::default(),
            comparing: None,
            stage: Stage::Over,
            attempt: 1,
            round: 0,
        };
        drive.decide();
        drive
    }

    /// What to do now. It must be done, and its result handed in, before this is asked again.
    #[must_use]
    pub fn step(&mut self) -> Step<O::Reply> {
        match std::mem::replace(&mut self.stage, Stage::Over) {
            Stage::Deciding(needs) => self.ask(needs),
            Stage::Access(decision, input, rest) => self.sign(input, |drive| {
                drive.stage = Stage::Access(decision, None, rest);
            }),
            Stage::Id(decision, input, access, refresh) => self.sign(input, |drive| {
                drive.stage = Stage::Id(decision, None, access, refresh);
            }),
            Stage::Committing(id, mut decision, minted) => {
                let writes = decision.writes.clone();
                decision.writes.retain(Write::changes);
                self.stage = Stage::Committing(id, decision, minted);
                Step::Commit {
                    now: self.now,
                    id,
                    writes,
                }
            }
            Stage::Asking(id, decision, minted) => {
                let keys = decision
                    .writes
                    .iter()
                    .map(|write| write.key().clone())
                    .take(MAX_KEYS)
                    .collect();
                self.stage = Stage::Asking(id, decision, minted);
                Step::Get(keys)
            }
            Stage::Settled(
                Decision {
                    reply,
                    effects,
                    events,
                    ..
                },
                tokens,
            ) => Step::Done(Outcome {
                reply,
                tokens,
                effects,
                events,
            }),
            Stage::Failed(failure) => Step::Failed(failure, self.abandon()),
            Stage::Over => Step::Failed(
                Failure::Bug("a request was driven beyond its end"),
                Vec::new(),
            ),
        }
    }

    /// The rows that were read, in the order of their keys.
    pub fn rows(&mut self, keys: Vec<Key>, rows: Vec<Option<Row>>) {
        if let Stage::Asking(id, decision, minted) = std::mem::replace(&mut self.stage, Stage::Over)
        {
            // A row that carries our id: the commit happened.
            if rows.iter().flatten().any(|row| row.version == id) {
                self.stage = Stage::Settled(decision, minted);
                return;
            }
            // A reuse that was seen before that commit was not made by it, and is still to be revoked.
            self.facts.after_unknown |= decision.reply.is_ok();
            return self.again();
        }
        self.facts.rows.extend(keys.into_iter().zip(rows));
        self.decide();
    }

    /// What the tables in memory answered.
    pub fn answer(&mut self, ask: Ask, answer: Answer) {
        self.facts.answers.push((ask, answer));
        self.decide();
    }

    /// Whether the password is right.
    pub fn password(&mut self, right: bool) {
        self.facts.password = Some((self.comparing.take(), right));
        self.decide();
    }

    /// The keys that were asked for; none where they cannot be had.
    pub fn keys(&mut self, ask: KeyQuery, keys: Option<Arc<VerificationKeys>>) {
        self.facts.keys.push((ask, keys));
        self.decide();
    }

    /// The signature that was asked for.
    pub fn signature(&mut self, input: SigningInput, signature: &[u8]) {
        match std::mem::replace(&mut self.stage, Stage::Over) {
            Stage::Access(decision, _, rest) => {
                let access = Secret::new(input.finish(signature));
                self.access_minted(decision, Some(access), rest)
            }
            Stage::Id(decision, _, access, refresh) => {
                let id = Some(Secret::new(input.finish(signature)));
                self.minted(
                    decision,
                    Some(Minted {
                        access,
                        id,
                        refresh,
                    }),
                );
            }
            _ => self.stage = Stage::Failed(Failure::Bug("a signature that nobody asked for")),
        }
    }

    /// How the commit ended; with the time and a fresh seed for another attempt, if it takes one.
    pub fn committed(&mut self, committed: Committed, now: Timestamp, seed: Seed) {
        let Stage::Committing(id, decision, minted) =
            std::mem::replace(&mut self.stage, Stage::Over)
        else {
            self.stage = Stage::Failed(Failure::Bug("a commit that nobody asked for"));
            return;
        };
        match committed {
            Committed::Done => self.stage = Stage::Settled(decision, minted),
            Committed::Conflict(_) => {
                (self.now, self.seed) = (now, seed);
                self.again();
            }
            Committed::Unknown => {
                (self.now, self.seed) = (now, seed);
                self.stage = Stage::Asking(id, decision, minted);
            }
        }
    }

    /// Gives up: what was reserved in memory goes back.
    #[must_use]
    pub fn abandon(&mut self) -> Vec<Effect> {
        self.stage = Stage::Over;
        let reserved =
            self.facts
                .answers
                .drain(..)
                .filter_map(|(ask, answer)| match (ask, answer) {
                    (Ask::Reserve { quotas, window }, Answer::Reserved { at, .. }) => {
                        Some(Effect::GiveBack { quotas, window, at })
                    }
                    _ => None,
                });
        reserved.collect()
    }

    fn env(&self) -> Env<'_> {
        Env {
            now: self.now,
            seed: &self.seed,
            realm: &self.realm,
        }
    }

    /// Rows are read again and everything else is kept: a password that was right stays right, while its hash stays.
    fn again(&mut self) {
        self.facts.rows.clear();
        self.attempt += 1;
        self.round = 0;
        if self.attempt > ATTEMPTS {
            self.stage = Stage::Failed(Failure::Contention(ATTEMPTS));
            return;
        }
        self.decide();
    }

    fn decide(&mut self) {
        self.round += 1;
        if self.round > ROUNDS {
            self.stage = Stage::Failed(Failure::Bug("a decision that never ends"));
            return;
        }
        match self.operation.decide(&self.env(), &self.facts) {
            Ok(decision) => self.mint(decision),
            Err(Stop::Need(needs)) => self.stage = Stage::Deciding(needs),
            Err(Stop::Refuse(refusal)) => {
                self.stage = Stage::Settled(Decision::refuse(refusal), None)
            }
            Err(Stop::Fail(failure)) => self.stage = Stage::Failed(failure),
        }
    }

    /// Rows are read together; of other needs, one at a time.
    fn ask(&mut self, needs: Vec<Need>) -> Step<O::Reply> {
        let mut keys = Vec::new();
        for need in needs {
            match need {
                Need::Row(key) => keys.push(key),
                Need::Table(ask) if keys.is_empty() => return Step::Table(ask),
                Need::Keys(ask) if keys.is_empty() => return Step::Keys(ask),
                Need::Password { hash, password } if keys.is_empty() => {
                    self.comparing.clone_from(&hash);
                    return Step::Password { hash, password };
                }
                Need::Table(_) | Need::Keys(_) | Need::Password { .. } => {}
            }
        }
        Step::Get(keys)
    }

    fn sign(
        &mut self,
        input: Option<SigningInput>,
        wait: impl FnOnce(&mut Self),
    ) -> Step<O::Reply> {
        match input {
            Some(input) => {
                wait(self);
                Step::Sign(input)
            }
            None => Step::Failed(
                Failure::Bug("a signature was asked for twice"),
                self.abandon(),
            ),
        }
    }

    fn mint(&mut self, mut decision: Decision<O::Reply>) {
        let Some(Mint {
            access,
            id,
            refresh,
        }) = decision.mint.take()
        else {
            return self.minted(decision, None);
        };
        let rest = Rest { id, refresh };
        match access {
            Some(Unsigned::Jwt(input)) => {
                self.stage = Stage::Access(decision, Some(input), rest);
            }
            Some(Unsigned::Sealed(token)) => self.access_minted(decision, Some(token), rest),
            None => self.access_minted(decision, None, rest),
        }
    }

    fn access_minted(
        &mut self,
        decision: Decision<O::Reply>,
        access: Option<Secret>,
        Rest { id, refresh }: Rest,
    ) {
        let Some(mut claims) = id else {
            return self.minted(
                decision,
                Some(Minted {
                    access,
                    id: None,
                    refresh,
                }),
            );
        };
        // OpenID Connect Core section 3.1.3.6: at_hash, by the hash of the ID token's own algorithm.
        claims.at_hash = access
            .as_ref()
            .map(|access| left_half_hash(claims.alg, access.reveal()));
        let input = self
            .realm
            .header(claims.alg, TokenType::Id)
            .and_then(|header| {
                SigningInput::new(header, &*claims).map_err(|_| Failure::Bug("claims are no JSON"))
            });
        self.stage = match input {
            Ok(input) => Stage::Id(decision, Some(input), access, refresh),
            Err(failure) => Stage::Failed(failure),
        };
    }

    fn minted(&mut self, decision: Decision<O::Reply>, minted: Option<Minted>) {
        self.stage = if decision.writes.is_empty() {
            Stage::Settled(decision, minted)
        } else {
            let id = Version::from_bytes(self.seed.bytes("commit"));
            Stage::Committing(id, decision, minted)
        };
    }
}

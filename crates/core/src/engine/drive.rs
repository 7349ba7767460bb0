//! The state machine of one request, where reading, deciding, minting and committing meet.
//!
//! ```text
//! step() ─▶ Get / Quota / Poll / Keys / Password ─▶ step() ─▶ … ─▶ Sign ─▶ … ─▶ Commit ─▶ Done
//!    ▲                                                               │ Conflict, Unknown: read and decide again
//!    └───────────────────────────────────────────────────────────────┘
//! ```
//! It performs no I/O. The web shell performs its steps with the real store and signer; tests perform them one at a
//! time, in any interleaving. The order is mint, commit, then answer: a failing signer uses up no code, and no token
//! is sent without its commit.

use std::sync::Arc;
use std::time::Duration;

use grantor_jose::{SigningInput, TokenType, VerificationKeys, left_half_hash};

use crate::base::error::Failure;
use crate::base::row::{Committed, Key, MAX_KEYS, Row, Version, Write};
use crate::base::secret::Secret;
use crate::base::seed::Seed;
use crate::base::time::Timestamp;
use crate::engine::decide::{Decision, Mint, Operation, Stop, UnsignedToken};
use crate::engine::env::Env;
use crate::engine::facts::{Facts, FoundClients, KeyQuery, Need};
use crate::engine::limits::{Effect, Poll, PollQuery, QuotaAnswer, QuotaQuery};
pub use crate::engine::step::{Minted, Outcome, Step};
use crate::model::client::Client;
use crate::model::realm::Realm;

/// Including the first.
const MAX_ATTEMPTS: u8 = 5;
/// Rounds of needs within one attempt. More are a bug, since each round provides what was needed.
const MAX_ROUNDS: u8 = 12;

enum Stage<R, E> {
    Deciding(Vec<Need>),
    Access(Decision<R, E>, Option<SigningInput>, Rest),
    Id(
        Decision<R, E>,
        Option<SigningInput>,
        Option<Secret>,
        Option<Secret>,
    ),
    Committing(Version, Decision<R, E>, Option<Minted>),
    /// After an `Unknown` commit: reads what was written, to learn whether it happened.
    CheckingCommit(Version, Decision<R, E>, Option<Minted>),
    Settled(Decision<R, E>, Option<Minted>),
    Failed(Failure),
    Ended,
}

/// What remains to mint after the access token.
struct Rest {
    id: Option<Box<crate::model::claims::IdTokenClaims>>,
    refresh: Option<Secret>,
}

/// The state machine of one request.
pub struct Drive<O: Operation> {
    operation: O,
    realm: Arc<Realm>,
    /// For another attempt.
    newest: Option<Arc<Realm>>,
    /// `None` until it is prepared for this realm.
    parsed: Option<O::Parsed>,
    now: Timestamp,
    seed: Seed,
    facts: Facts,
    /// The hash that a password is being compared with.
    comparing: Option<String>,
    stage: Stage<O::Reply, O::Refused>,
    attempt: u8,
    round: u8,
}

impl<O: Operation> Drive<O> {
    /// `seed` must be fresh.
    #[must_use]
    pub fn new(operation: O, realm: Arc<Realm>, now: Timestamp, seed: Seed) -> Self {
        let mut drive = Self {
            operation,
            realm,
            newest: None,
            parsed: None,
            now,
            seed,
            facts: Facts::default(),
            comparing: None,
            stage: Stage::Ended,
            attempt: 1,
            round: 0,
        };
        drive.decide();
        drive
    }

    /// The next step. Call the method that takes its result before calling this again.
    #[must_use]
    pub fn step(&mut self) -> Step<O::Reply, O::Refused> {
        match std::mem::replace(&mut self.stage, Stage::Ended) {
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
            Stage::CheckingCommit(id, decision, minted) => {
                let keys = decision
                    .writes
                    .iter()
                    .map(|write| write.key().clone())
                    .take(MAX_KEYS)
                    .collect();
                self.stage = Stage::CheckingCommit(id, decision, minted);
                Step::Get(keys)
            }
            Stage::Settled(
                Decision {
                    reply,
                    effects,
                    mut events,
                    excess,
                    ..
                },
                tokens,
            ) => {
                self.facts.name_organizations(&self.env(), &mut events);
                Step::Done(Outcome {
                    reply,
                    client: self.asking_client(),
                    tokens,
                    effects,
                    events,
                    excess,
                })
            }
            Stage::Failed(failure) => Step::Failed(failure, self.abandon()),
            Stage::Ended => Step::Failed(
                Failure::Bug("a finished request was driven further"),
                Vec::new(),
            ),
        }
    }

    /// The requested rows, in the order of `keys`.
    pub fn rows(&mut self, keys: Vec<Key>, rows: Vec<Option<Row>>) {
        if let Stage::CheckingCommit(id, decision, minted) =
            std::mem::replace(&mut self.stage, Stage::Ended)
        {
            // A row with our id shows that the commit happened.
            if rows.iter().flatten().any(|row| row.version == id) {
                self.stage = Stage::Settled(decision, minted);
                return;
            }
            // Reuse that was detected before that commit was not caused by it, and must still revoke.
            self.facts.after_unknown |= decision.reply.is_ok();
            return self.retry();
        }
        self.facts.rows.extend(keys.into_iter().zip(rows));
        self.decide();
    }

    /// Each of the clients, if there is one of that id.
    pub fn clients(&mut self, clients: FoundClients) {
        self.facts.clients.extend(clients);
        self.decide();
    }

    pub fn quota(&mut self, ask: QuotaQuery, answer: QuotaAnswer) {
        self.facts.quotas.push((ask, answer));
        self.decide();
    }

    pub fn poll(&mut self, ask: PollQuery, poll: Poll) {
        self.facts.polls.push((ask, poll));
        self.decide();
    }

    pub fn password(&mut self, right: bool) {
        self.facts.password = Some((self.comparing.take(), right));
        self.decide();
    }

    /// `hash` is a PHC string.
    pub fn hashed(&mut self, hash: String) {
        self.facts.hashed = Some(hash);
        self.decide();
    }

    /// `None` if the keys are unavailable.
    pub fn keys(&mut self, ask: KeyQuery, keys: Option<Arc<VerificationKeys>>) {
        self.facts.keys.push((ask, keys));
        self.decide();
    }

    pub fn signature(&mut self, input: SigningInput, signature: &[u8]) {
        match std::mem::replace(&mut self.stage, Stage::Ended) {
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
            _ => self.stage = Stage::Failed(Failure::Bug("an unexpected signature")),
        }
    }

    /// The result of the commit, with the time, a fresh seed and the newest realm for another attempt.
    pub fn committed(
        &mut self,
        committed: Committed,
        now: Timestamp,
        seed: Seed,
        realm: &Arc<Realm>,
    ) {
        let Stage::Committing(id, decision, minted) =
            std::mem::replace(&mut self.stage, Stage::Ended)
        else {
            self.stage = Stage::Failed(Failure::Bug("an unexpected commit"));
            return;
        };
        match committed {
            Committed::Done => self.stage = Stage::Settled(decision, minted),
            Committed::Conflict(_) => {
                (self.now, self.seed) = (now, seed);
                self.newest = Some(Arc::clone(realm));
                self.retry();
            }
            Committed::Unknown => {
                (self.now, self.seed) = (now, seed);
                self.newest = Some(Arc::clone(realm));
                self.stage = Stage::CheckingCommit(id, decision, minted);
            }
        }
    }

    /// Goes on with a newer realm, after a wait. Nothing happens once the decision is made.
    /// Returns whether it does: tokens must then be signed with that realm's keys.
    #[must_use]
    pub fn renew(&mut self, realm: &Arc<Realm>) -> bool {
        let renews = matches!(self.stage, Stage::Deciding(_)) && self.take(realm);
        if renews {
            self.round = 0;
            self.decide();
        }
        renews
    }

    /// Gives up, and releases reservations.
    #[must_use]
    pub fn abandon(&mut self) -> Vec<Effect> {
        self.stage = Stage::Ended;
        let reserved =
            self.facts
                .quotas
                .drain(..)
                .filter_map(|(ask, answer)| match (ask, answer) {
                    (QuotaQuery::Reserve { quotas, window }, QuotaAnswer::Reserved { .. }) => {
                        Some(Effect::Release {
                            quotas,
                            window,
                            age: Duration::ZERO,
                        })
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

    fn asking_client(&self) -> Option<Arc<Client>> {
        let id = self.operation.client(self.parsed.as_ref()?)?;
        self.facts.known_client(&self.env(), &id).map(Arc::clone)
    }

    /// Whether it is another realm, for which the request must be prepared again.
    fn take(&mut self, realm: &Arc<Realm>) -> bool {
        if Arc::ptr_eq(&self.realm, realm) {
            return false;
        }
        self.realm = Arc::clone(realm);
        self.parsed = None;
        // They may be of an issuer that is trusted no more.
        self.facts.keys.clear();
        // They were read by the settings of before.
        self.facts.clients.clear();
        true
    }

    /// Rows and clients are read again; other facts are kept.
    fn retry(&mut self) {
        if let Some(newest) = self.newest.take() {
            self.take(&newest);
        }
        self.facts.rows.clear();
        self.facts.clients.clear();
        self.attempt += 1;
        self.round = 0;
        if self.attempt > MAX_ATTEMPTS {
            self.stage = Stage::Failed(Failure::Contention(MAX_ATTEMPTS));
            return;
        }
        self.decide();
    }

    fn decide(&mut self) {
        self.round += 1;
        if self.round > MAX_ROUNDS {
            self.stage = Stage::Failed(Failure::Bug("a decision that never finishes"));
            return;
        }
        let parsed = match self.parsed.take() {
            Some(parsed) => parsed,
            None => match self.operation.prepare(&self.realm) {
                Ok(parsed) => parsed,
                Err(refused) => {
                    self.stage = Stage::Settled(Decision::refuse(refused), None);
                    return;
                }
            },
        };
        let decided = self.operation.decide(&parsed, &self.env(), &self.facts);
        self.parsed = Some(parsed);
        match decided {
            Ok(decision) => self.mint(decision),
            Err(Stop::Need(needs)) => self.stage = Stage::Deciding(needs),
            Err(Stop::Refuse(refusal)) => {
                self.stage = Stage::Settled(Decision::refuse(refusal), None)
            }
            Err(Stop::Fail(failure)) => self.stage = Stage::Failed(failure),
        }
    }

    /// Rows are read together; other needs one at a time.
    fn ask(&mut self, needs: Vec<Need>) -> Step<O::Reply, O::Refused> {
        let mut keys = Vec::new();
        for need in needs {
            match need {
                Need::Row(key) => keys.push(key),
                Need::Clients(ids) if keys.is_empty() => return Step::Clients(ids),
                Need::Quota(ask) if keys.is_empty() => return Step::Quota(ask),
                Need::Poll(ask) if keys.is_empty() => return Step::Poll(ask),
                Need::Keys(ask) if keys.is_empty() => return Step::Keys(ask),
                Need::Password {
                    hash,
                    password,
                    queue,
                } if keys.is_empty() => {
                    self.comparing.clone_from(&hash);
                    return Step::Password {
                        hash,
                        password,
                        queue,
                    };
                }
                Need::HashPassword { password, queue } if keys.is_empty() => {
                    return Step::HashPassword { password, queue };
                }
                Need::Clients(_)
                | Need::Quota(_)
                | Need::Poll(_)
                | Need::Keys(_)
                | Need::Password { .. }
                | Need::HashPassword { .. } => {}
            }
        }
        Step::Get(keys)
    }

    fn sign(
        &mut self,
        input: Option<SigningInput>,
        wait: impl FnOnce(&mut Self),
    ) -> Step<O::Reply, O::Refused> {
        match input {
            Some(input) => {
                wait(self);
                Step::Sign(input)
            }
            None => Step::Failed(
                Failure::Bug("a signature was requested twice"),
                self.abandon(),
            ),
        }
    }

    fn mint(&mut self, mut decision: Decision<O::Reply, O::Refused>) {
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
            Some(UnsignedToken::Jwt(input)) => {
                self.stage = Stage::Access(decision, Some(input), rest);
            }
            Some(UnsignedToken::Sealed(token)) => self.access_minted(decision, Some(token), rest),
            None => self.access_minted(decision, None, rest),
        }
    }

    fn access_minted(
        &mut self,
        decision: Decision<O::Reply, O::Refused>,
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
        // OpenID Connect Core section 3.1.3.6: at_hash uses the hash of the ID token's algorithm.
        claims.at_hash = access
            .as_ref()
            .map(|access| left_half_hash(claims.alg, access.reveal()));
        let input = self
            .realm
            .header(claims.alg, TokenType::Id)
            .and_then(|header| {
                SigningInput::new(header, &*claims)
                    .map_err(|_| Failure::Bug("claims cannot be serialised"))
            });
        self.stage = match input {
            Ok(input) => Stage::Id(decision, Some(input), access, refresh),
            Err(failure) => Stage::Failed(failure),
        };
    }

    fn minted(&mut self, decision: Decision<O::Reply, O::Refused>, minted: Option<Minted>) {
        self.stage = if decision.writes.is_empty() {
            Stage::Settled(decision, minted)
        } else {
            let id = self.env().commit_version();
            Stage::Committing(id, decision, minted)
        };
    }
}

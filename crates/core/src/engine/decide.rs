//! The contract between a decision and its driver.
//!
//! A decision is straight-line code. A missing fact stops it ([`Stop::Need`]); the driver gets the fact
//! and calls it again. It performs no writes: it returns a [`Decision`].

use std::sync::Arc;

use grantor_jose::{Algorithm, Kid, VerificationKeys};

use crate::base::error::{Cause, Failure, Refusal};
use crate::base::peer::Peer;
use crate::base::row::{Key, Row, Write};
use crate::base::secret::Secret;
use crate::base::time::Timestamp;
use crate::engine::env::Env;
use crate::engine::event::Event;
use crate::engine::limits::{Effect, LimitAnswer, LimitQuery};
use crate::model::claims::IdTokenClaims;
use crate::model::ids::{ClientId, GrantId, SessionId, UserId};
use crate::records::Record;

/// A parsed request, ready to be decided.
pub trait Operation {
    type Reply;

    /// # Errors
    /// [`Stop`] if a fact is missing, or to refuse without writes.
    fn decide(&self, env: &Env<'_>, facts: &Facts) -> Result<Decision<Self::Reply>, Stop>;
}

#[derive(Clone, Debug)]
pub enum Need {
    Row(Key),
    /// An answer of the in-memory limits.
    Table(LimitQuery),
    /// The keys of a trusted issuer.
    Keys(KeyQuery),
    /// Whether a password is correct. Slow on purpose; runs on separate workers.
    Password {
        /// The hash (PHC string); `None` for an unknown user, which takes the same time.
        hash: Option<String>,
        password: Secret,
        queue: PasswordQueue,
    },
    /// A new hash of a password (PHC string), by the same workers.
    HashPassword {
        password: Secret,
        queue: PasswordQueue,
    },
}

/// Where a password waits for its turn, since hashing is slow. The queue is fair among the networks of new browsers and
/// among the users of known ones, and keeps room for the latter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PasswordQueue {
    Network(Peer),
    KnownBrowser(UserId),
    /// A password that the operator sets.
    Operator,
}

/// The key that verifies a foreign token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyQuery {
    pub issuer: String,
    pub kid: Option<Kid>,
    pub algorithm: Algorithm,
}

#[derive(Clone, Debug)]
pub enum Stop {
    Need(Vec<Need>),
    /// Refused, and nothing is written.
    Refuse(Refusal),
    /// No decision is possible.
    Fail(Failure),
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refuse(refusal)
    }
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Fail(failure)
    }
}

#[derive(Debug)]
pub struct Decision<R> {
    /// Committed atomically; no commit if empty.
    pub writes: Vec<Write>,
    /// Tokens to issue before the commit.
    pub mint: Option<Mint>,
    /// A refusal here is committed *with* its writes, such as reuse that revokes a grant.
    pub reply: Result<R, Refusal>,
    /// Applied to the in-memory limits after the commit.
    pub effects: Vec<Effect>,
    /// Reported after the commit.
    pub events: Vec<Event>,
    /// What to check after the commit.
    pub excess: Option<Excess>,
}

/// Access that this commit added, of which a user can have so much only ([`crate::people::account::end_excess`]).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Excess {
    Sessions { user: UserId, new: SessionId },
    Grants { user: UserId, client: ClientId },
}

impl Excess {
    /// A grant of a user was made, or its code redeemed. Its limit is checked at one grant of 16, drawn with the grant's id:
    /// a list costs more than the rest of the request, and so the limit is exceeded by a few dozen at most.
    pub(crate) fn of_new_grant(grant: GrantId, user: UserId, client: &ClientId) -> Option<Self> {
        grant.as_bytes()[15]
            .is_multiple_of(16)
            .then(|| Self::Grants {
                user,
                client: client.clone(),
            })
    }
}

impl<R> Decision<R> {
    #[must_use]
    pub const fn reply(reply: R) -> Self {
        Self::new(Ok(reply))
    }

    /// A refusal that may have writes.
    #[must_use]
    pub const fn refuse(refusal: Refusal) -> Self {
        Self::new(Err(refusal))
    }

    const fn new(reply: Result<R, Refusal>) -> Self {
        Self {
            writes: Vec::new(),
            mint: None,
            reply,
            effects: Vec::new(),
            events: Vec::new(),
            excess: None,
        }
    }

    #[must_use]
    pub fn write(mut self, write: Write) -> Self {
        self.writes.push(write);
        self
    }

    #[must_use]
    pub fn writes(mut self, writes: impl IntoIterator<Item = Write>) -> Self {
        self.writes.extend(writes);
        self
    }

    #[must_use]
    pub fn mint(mut self, mint: Mint) -> Self {
        self.mint = Some(mint);
        self
    }

    #[must_use]
    pub fn effect(mut self, effect: Effect) -> Self {
        self.effects.push(effect);
        self
    }

    #[must_use]
    pub fn event(mut self, event: Event) -> Self {
        self.events.push(event);
        self
    }

    #[must_use]
    pub fn excess(mut self, excess: Option<Excess>) -> Self {
        self.excess = excess;
        self
    }
}

/// Tokens to issue. The access token is signed first, since the ID token contains its hash.
#[derive(Debug, Default)]
pub struct Mint {
    pub access: Option<UnsignedToken>,
    pub id: Option<Box<IdTokenClaims>>,
    /// Already sealed.
    pub refresh: Option<Secret>,
}

#[derive(Debug)]
pub enum UnsignedToken {
    Jwt(grantor_jose::SigningInput),
    /// An opaque token, already sealed.
    Sealed(Secret),
}

/// The facts gathered so far.
#[derive(Debug, Default)]
pub struct Facts {
    pub(crate) rows: Vec<(Key, Option<Row>)>,
    pub(crate) answers: Vec<(LimitQuery, LimitAnswer)>,
    /// `None` if the keys are unavailable.
    pub(crate) keys: Vec<(KeyQuery, Option<Arc<VerificationKeys>>)>,
    /// The hash that the password was compared with, and whether it matched.
    pub(crate) password: Option<(Option<String>, bool)>,
    /// The new hash. An operation hashes one password only.
    pub(crate) hashed: Option<String>,
    /// Whether an earlier commit ended in [`crate::base::row::Committed::Unknown`].
    pub(crate) after_unknown: bool,
}

/// A record and its row: a write needs the row's version, and keeps its unknown members.
#[derive(Clone, Debug)]
pub struct Versioned<T> {
    pub record: T,
    pub row: Row,
}

impl<T> Versioned<T> {
    /// The commit fails if the row changed since it was read.
    #[must_use]
    pub fn unchanged(&self) -> Write {
        Write::Check {
            key: self.row.key.clone(),
            expect: self.row.version,
        }
    }
}

/// The result of a lookup. The core decides about expiry, by its own clock.
#[derive(Clone, Debug)]
pub enum Lookup<T> {
    Live(Versioned<T>),
    Expired,
    Absent,
}

impl<T> Lookup<T> {
    #[must_use]
    pub fn live(self) -> Option<Versioned<T>> {
        match self {
            Self::Live(record) => Some(record),
            Self::Expired | Self::Absent => None,
        }
    }
}

impl Facts {
    /// Looks a record up.
    ///
    /// # Errors
    /// [`Stop::Need`] if it was not read yet.
    pub fn record<T: Record>(&self, env: &Env<'_>, key: &Key) -> Result<Lookup<T>, Stop> {
        let Some((_, row)) = self.rows.iter().find(|(known, _)| known == key) else {
            return Err(Stop::Need(vec![Need::Row(key.clone())]));
        };
        Ok(row
            .as_ref()
            .map_or(Ok(Lookup::Absent), |row| open(row, env.now))?)
    }

    /// Requests all missing rows at once, so that they are read together.
    ///
    /// # Errors
    /// [`Stop::Need`] with the rows that were not read yet.
    pub fn need(&self, keys: &[&Key]) -> Result<(), Stop> {
        let known = |key: &Key| self.rows.iter().any(|(k, _)| k == key);
        let missing: Vec<Need> = keys
            .iter()
            .filter(|key| !known(key))
            .map(|key| Need::Row((*key).clone()))
            .collect();
        if missing.is_empty() {
            Ok(())
        } else {
            Err(Stop::Need(missing))
        }
    }

    /// Asks the in-memory limits.
    ///
    /// # Errors
    /// [`Stop::Need`] if it was not asked yet.
    pub fn ask(&self, ask: LimitQuery) -> Result<LimitAnswer, Stop> {
        let known = self.answers.iter().find(|(known, _)| *known == ask);
        known
            .map(|(_, answer)| *answer)
            .ok_or_else(|| Stop::Need(vec![Need::Table(ask)]))
    }

    /// # Errors
    /// [`Stop::Need`] if they were not requested yet; [`Failure::Upstream`] if they are unavailable.
    pub fn keys(&self, ask: KeyQuery) -> Result<&VerificationKeys, Stop> {
        match self.keys.iter().find(|(known, _)| *known == ask) {
            None => Err(Stop::Need(vec![Need::Keys(ask)])),
            Some((_, Some(keys))) => Ok(keys),
            Some((_, None)) => {
                Err(Failure::Upstream("the keys of a trusted issuer are unavailable").into())
            }
        }
    }

    /// Whether a password that the operator set is still the stored one.
    ///
    /// # Errors
    /// [`Stop::Need`] if it was not compared yet.
    pub fn password(&self, hash: Option<&str>, password: &Secret) -> Result<bool, Stop> {
        self.password_in(PasswordQueue::Operator, hash, password)
    }

    /// Whether the password is correct. Compared again if the hash changed in between.
    ///
    /// # Errors
    /// [`Stop::Need`] if it was not compared yet.
    pub fn password_in(
        &self,
        queue: PasswordQueue,
        hash: Option<&str>,
        password: &Secret,
    ) -> Result<bool, Stop> {
        match &self.password {
            Some((compared, right)) if compared.as_deref() == hash => Ok(*right),
            _ => Err(Stop::Need(vec![Need::Password {
                hash: hash.map(ToOwned::to_owned),
                password: password.clone(),
                queue,
            }])),
        }
    }

    /// A new hash of a password that the operator sets.
    ///
    /// # Errors
    /// [`Stop::Need`] if it was not computed yet.
    pub fn hash_password(&self, password: &Secret) -> Result<String, Stop> {
        self.hash_password_in(PasswordQueue::Operator, password)
    }

    /// A new hash of the one password that the operation hashes. It waits where the request's comparison does.
    ///
    /// # Errors
    /// [`Stop::Need`] if it was not computed yet.
    pub fn hash_password_in(
        &self,
        queue: PasswordQueue,
        password: &Secret,
    ) -> Result<String, Stop> {
        let hashed = self.hashed.clone();
        hashed.ok_or_else(|| {
            Stop::Need(vec![Need::HashPassword {
                password: password.clone(),
                queue,
            }])
        })
    }

    /// Whether an earlier attempt's commit may have happened. Reuse that is detected now may be due to our
    /// own write, so it revokes nothing.
    #[must_use]
    pub const fn after_unknown(&self) -> bool {
        self.after_unknown
    }
}

/// Reads a row.
///
/// # Errors
/// [`Failure::Corrupt`] if the row has no such record.
pub(crate) fn open<T: Record>(row: &Row, now: Timestamp) -> Result<Lookup<T>, Failure> {
    if row.expires_at.is_some_and(|at| at.is_past(now)) {
        return Ok(Lookup::Expired);
    }
    let record = serde_json::from_slice(&row.value);
    let record = record.map_err(|_| Failure::Corrupt(format!("{:?}", row.key)))?;
    Ok(Lookup::Live(Versioned {
        record,
        row: row.clone(),
    }))
}

/// One text for all causes, so that clients learn nothing about them.
pub(crate) const fn invalid_grant(cause: Cause) -> Refusal {
    Refusal::new(
        crate::base::error::ErrorCode::InvalidGrant,
        "The code or token is not valid, has ended, was revoked, or was given to another client.",
    )
    .because(cause)
}

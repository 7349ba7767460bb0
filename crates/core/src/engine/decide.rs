//! The contract between a decision and whoever drives it.
//!
//! A decision is written straight through. What it does not know yet stops it ([`Stop::Need`]); the
//! driver finds out and calls it again. It writes nothing itself: it returns a [`Decision`].

use std::sync::Arc;

use grantor_jose::{Algorithm, Kid, VerificationKeys};

use crate::base::error::{Cause, Failure, Refusal};
use crate::base::row::{Key, Row, Write};
use crate::base::secret::Secret;
use crate::base::time::Timestamp;
use crate::engine::env::Env;
use crate::engine::event::Event;
use crate::engine::limits::{Answer, Ask, Effect};
use crate::model::claims::IdTokenClaims;
use crate::records::Record;

/// A request that was parsed and is ready to be decided.
pub trait Operation {
    /// What it is answered with.
    type Reply;

    /// Decides, from what is found.
    ///
    /// # Errors
    /// [`Stop`] where something is not known yet, or where nothing but a refusal is to be said.
    fn decide(&self, env: &Env<'_>, facts: &Facts) -> Result<Decision<Self::Reply>, Stop>;
}

/// What a decision must know before it can go on.
#[derive(Clone, Debug)]
pub enum Need {
    /// A row, or that there is none.
    Row(Key),
    /// An answer of the tables in memory.
    Table(Ask),
    /// The keys of a trusted issuer, among them the one that a token names.
    Keys(KeyQuery),
    /// Whether a password is right: slow on purpose, and done by workers of their own.
    Password {
        /// The hash (PHC string) to compare with; none for an unknown user, which costs the same time.
        hash: Option<String>,
        /// What was presented.
        password: Secret,
    },
}

/// Which key is needed to verify a foreign token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyQuery {
    /// The issuer: a trusted one.
    pub issuer: String,
    /// The key that the token names.
    pub kid: Option<Kid>,
    /// How the token says that it is signed.
    pub algorithm: Algorithm,
}

/// Why a decision stopped.
#[derive(Clone, Debug)]
pub enum Stop {
    /// These must be known first.
    Need(Vec<Need>),
    /// The protocol refuses, and nothing is written.
    Refuse(Refusal),
    /// There is no answer by the protocol.
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

/// What was decided: what to write, what to mint, what to answer.
#[derive(Debug)]
pub struct Decision<R> {
    /// Committed all together or not at all; nothing to write where empty.
    pub writes: Vec<Write>,
    /// Tokens to make before the commit.
    pub mint: Option<Mint>,
    /// The answer. A refusal here comes *with* its writes: a reuse that revokes.
    pub reply: Result<R, Refusal>,
    /// What the tables in memory learn after the commit.
    pub effects: Vec<Effect>,
    /// What the operator is told after the commit.
    pub events: Vec<Event>,
}

impl<R> Decision<R> {
    /// An answer that writes nothing.
    #[must_use]
    pub const fn reply(reply: R) -> Self {
        Self::of(Ok(reply))
    }

    /// A refusal, to which writes can be added.
    #[must_use]
    pub const fn refuse(refusal: Refusal) -> Self {
        Self::of(Err(refusal))
    }

    const fn of(reply: Result<R, Refusal>) -> Self {
        Self {
            writes: Vec::new(),
            mint: None,
            reply,
            effects: Vec::new(),
            events: Vec::new(),
        }
    }

    /// With this write.
    #[must_use]
    pub fn write(mut self, write: Write) -> Self {
        self.writes.push(write);
        self
    }

    /// With these writes.
    #[must_use]
    pub fn writes(mut self, writes: impl IntoIterator<Item = Write>) -> Self {
        self.writes.extend(writes);
        self
    }

    /// With tokens to mint.
    #[must_use]
    pub fn mint(mut self, mint: Mint) -> Self {
        self.mint = Some(mint);
        self
    }

    /// With this effect on the tables in memory.
    #[must_use]
    pub fn effect(mut self, effect: Effect) -> Self {
        self.effects.push(effect);
        self
    }

    /// With this event.
    #[must_use]
    pub fn event(mut self, event: Event) -> Self {
        self.events.push(event);
        self
    }
}

/// Tokens to make: access, ID and refresh token, in that order, since an ID token holds the access token's hash.
#[derive(Debug, Default)]
pub struct Mint {
    /// The access token.
    pub access: Option<Unsigned>,
    /// The ID token's claims, and how it is signed.
    pub id: Option<Box<IdTokenClaims>>,
    /// The refresh token: sealed already.
    pub refresh: Option<Secret>,
}

/// An access token before it is signed.
#[derive(Debug)]
pub enum Unsigned {
    /// A JWT that waits for its signature.
    Jwt(grantor_jose::SigningInput),
    /// An opaque one: sealed already.
    Sealed(Secret),
}

/// What the driver found so far.
#[derive(Debug, Default)]
pub struct Facts {
    pub(crate) rows: Vec<(Key, Option<Row>)>,
    pub(crate) answers: Vec<(Ask, Answer)>,
    /// Key sets, or that there is none to be had.
    pub(crate) keys: Vec<(KeyQuery, Option<Arc<VerificationKeys>>)>,
    /// A hash with which the password was compared, and whether it was right.
    pub(crate) password: Option<(Option<String>, bool)>,
    /// Whether an earlier attempt's commit ended in [`crate::base::row::Committed::Unknown`].
    pub(crate) after_unknown: bool,
}

/// A record and the row in which it was read: a write names the row's version, and keeps what else is in it.
#[derive(Clone, Debug)]
pub struct Versioned<T> {
    /// The record.
    pub record: T,
    /// Its row.
    pub row: Row,
}

/// What a look-up found: live, expired, or nothing. The core judges expiry, by its own time.
#[derive(Clone, Debug)]
pub enum Lookup<T> {
    /// It is there.
    Live(Versioned<T>),
    /// It is there, but its time is over.
    Expired,
    /// It is not there.
    Absent,
}

impl<T> Lookup<T> {
    /// The live record.
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
    /// [`Stop::Need`] where it was not read yet.
    pub fn record<T: Record>(&self, env: &Env<'_>, key: &Key) -> Result<Lookup<T>, Stop> {
        let Some((_, row)) = self.rows.iter().find(|(known, _)| known == key) else {
            return Err(Stop::Need(vec![Need::Row(key.clone())]));
        };
        Ok(row
            .as_ref()
            .map_or(Ok(Lookup::Absent), |row| open(row, env.now))?)
    }

    /// Says at once which of these rows are not known, so that one read brings them all.
    ///
    /// # Errors
    /// [`Stop::Need`] with those that were not read yet.
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

    /// Asks the tables in memory.
    ///
    /// # Errors
    /// [`Stop::Need`] where it was not asked yet.
    pub fn ask(&self, ask: Ask) -> Result<Answer, Stop> {
        let known = self.answers.iter().find(|(known, _)| *known == ask);
        known
            .map(|(_, answer)| *answer)
            .ok_or_else(|| Stop::Need(vec![Need::Table(ask)]))
    }

    /// The keys of a trusted issuer.
    ///
    /// # Errors
    /// [`Stop::Need`] where they were not asked for yet; [`Failure::Upstream`] where they cannot be had.
    pub fn keys(&self, ask: KeyQuery) -> Result<&VerificationKeys, Stop> {
        match self.keys.iter().find(|(known, _)| *known == ask) {
            None => Err(Stop::Need(vec![Need::Keys(ask)])),
            Some((_, Some(keys))) => Ok(keys),
            Some((_, None)) => {
                Err(Failure::Upstream("the keys of a trusted issuer cannot be had").into())
            }
        }
    }

    /// Whether the password is right. An answer holds for the hash with which it was compared: one that was changed
    /// meanwhile is compared anew.
    ///
    /// # Errors
    /// [`Stop::Need`] where it was not verified yet.
    pub fn password(&self, hash: Option<&str>, password: &Secret) -> Result<bool, Stop> {
        match &self.password {
            Some((compared, right)) if compared.as_deref() == hash => Ok(*right),
            _ => Err(Stop::Need(vec![Need::Password {
                hash: hash.map(ToOwned::to_owned),
                password: password.clone(),
            }])),
        }
    }

    /// Whether this attempt runs because the commit of an earlier one may have happened: a reuse that is
    /// seen now may be our own write, and revokes nothing.
    #[must_use]
    pub const fn after_unknown(&self) -> bool {
        self.after_unknown
    }
}

/// Reads a row.
///
/// # Errors
/// [`Failure::Corrupt`] where it holds no such record.
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

/// The refusal of a grant that is gone: one text for all causes.
pub(crate) const fn invalid_grant(cause: Cause) -> Refusal {
    Refusal::new(
        crate::base::error::ErrorCode::InvalidGrant,
        "The code or token is not valid, has ended, was revoked, or was given to another client.",
    )
    .because(cause)
}

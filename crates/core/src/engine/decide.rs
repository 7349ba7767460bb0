//! The contract between a decision and its driver.
//!
//! A decision is straight-line code. A missing fact stops it ([`Stop::Need`]); the driver gets the fact
//! and calls it again. It performs no writes: it returns a [`Decision`].

use std::convert::Infallible;

use crate::base::error::{Cause, Failure, Refusal};
use crate::base::row::Write;
use crate::base::secret::Secret;
use crate::engine::env::Env;
use crate::engine::event::Event;
use crate::engine::facts::{Facts, Need};
use crate::engine::limits::Effect;
use crate::model::claims::IdTokenClaims;
use crate::model::ids::{ClientId, GrantId, SessionId, UserId};
use crate::model::realm::Realm;

/// A request, ready to be decided.
pub trait Operation {
    /// What [`Self::prepare`] opened and looked up. It belongs to one snapshot of the realm.
    type Parsed: Send;
    type Reply: Send + 'static;
    /// How it can be refused: [`Refusal`], or [`Infallible`] where each outcome is a reply.
    type Refused: Send + 'static;

    /// Does once what the repetitions of [`Self::decide`] have in common and what costs a MAC at most. It runs again only
    /// if the realm is replaced meanwhile.
    ///
    /// # Errors
    /// The refusal.
    fn prepare(&self, realm: &Realm) -> Result<Self::Parsed, Self::Refused>;

    /// # Errors
    /// [`Stop`] if a fact is missing, or to refuse without writes.
    fn decide(
        &self,
        parsed: &Self::Parsed,
        env: &Env<'_>,
        facts: &Facts,
    ) -> Decided<Self::Reply, Self::Refused>;

    /// The client that asks, as far as the request proves or claims it.
    fn client(&self, _: &Self::Parsed) -> Option<ClientId> {
        None
    }
}

/// What came of an attempt to decide.
pub type Decided<R, E> = Result<Decision<R, E>, Stop<E>>;

/// An operation of people or operators. It has nothing to prepare, and each outcome is a reply.
pub trait Task {
    type Reply: Send + 'static;

    /// # Errors
    /// [`Halt`] if a fact is missing.
    fn decide(
        &self,
        env: &Env<'_>,
        facts: &Facts,
    ) -> Result<Decision<Self::Reply, Infallible>, Halt>;
}

impl<T: Task> Operation for T {
    type Parsed = ();
    type Reply = T::Reply;
    type Refused = Infallible;

    fn prepare(&self, _: &Realm) -> Result<(), Infallible> {
        Ok(())
    }

    fn decide(&self, (): &(), env: &Env<'_>, facts: &Facts) -> Decided<Self::Reply, Infallible> {
        Ok(Task::decide(self, env, facts)?)
    }
}

/// Why there is no decision yet, or none at all.
#[derive(Clone, Debug)]
pub enum Stop<R = Refusal> {
    Need(Vec<Need>),
    /// Refused, and nothing is written.
    Refuse(R),
    /// No decision is possible.
    Fail(Failure),
}

/// A [`Stop`] of what cannot refuse.
#[derive(Clone, Debug)]
pub enum Halt {
    Need(Vec<Need>),
    Fail(Failure),
}

impl<R> Stop<R> {
    /// Refuses for the same reason in other words.
    #[must_use]
    pub fn map<S>(self, refuse: impl FnOnce(R) -> S) -> Stop<S> {
        match self {
            Self::Need(needs) => Stop::Need(needs),
            Self::Refuse(refused) => Stop::Refuse(refuse(refused)),
            Self::Fail(failure) => Stop::Fail(failure),
        }
    }

    /// Goes on after a refusal.
    ///
    /// # Errors
    /// [`Halt`] if it was none.
    pub fn recover<T>(self, go_on: impl FnOnce(R) -> T) -> Result<T, Halt> {
        match self {
            Self::Need(needs) => Err(Halt::Need(needs)),
            Self::Refuse(refused) => Ok(go_on(refused)),
            Self::Fail(failure) => Err(Halt::Fail(failure)),
        }
    }
}

impl<R> From<Halt> for Stop<R> {
    fn from(halt: Halt) -> Self {
        match halt {
            Halt::Need(needs) => Self::Need(needs),
            Halt::Fail(failure) => Self::Fail(failure),
        }
    }
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refuse(refusal)
    }
}

impl From<Cause> for Stop<Cause> {
    fn from(cause: Cause) -> Self {
        Self::Refuse(cause)
    }
}

impl<R> From<Failure> for Stop<R> {
    fn from(failure: Failure) -> Self {
        Self::Fail(failure)
    }
}

impl From<Failure> for Halt {
    fn from(failure: Failure) -> Self {
        Self::Fail(failure)
    }
}

#[derive(Debug)]
pub struct Decision<R, E = Refusal> {
    /// Committed atomically; no commit if empty.
    pub writes: Vec<Write>,
    /// Tokens to issue before the commit.
    pub mint: Option<Mint>,
    /// A refusal here is committed *with* its writes, such as reuse that revokes a grant.
    pub reply: Result<R, E>,
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

impl<R, E> Decision<R, E> {
    #[must_use]
    pub const fn reply(reply: R) -> Self {
        Self::new(Ok(reply))
    }

    /// A refusal that may have writes.
    #[must_use]
    pub const fn refuse(refusal: E) -> Self {
        Self::new(Err(refusal))
    }

    const fn new(reply: Result<R, E>) -> Self {
        Self {
            writes: Vec::new(),
            mint: None,
            reply,
            effects: Vec::new(),
            events: Vec::new(),
            excess: None,
        }
    }

    /// The same decision with another reply.
    #[must_use]
    pub fn map_reply<S>(self, map: impl FnOnce(R) -> S) -> Decision<S, E> {
        Decision {
            writes: self.writes,
            mint: self.mint,
            reply: self.reply.map(map),
            effects: self.effects,
            events: self.events,
            excess: self.excess,
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
    pub fn events(mut self, events: impl IntoIterator<Item = Event>) -> Self {
        self.events.extend(events);
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

/// One text for all causes, so that clients learn nothing about them.
pub(crate) const fn invalid_grant(cause: Cause) -> Refusal {
    Refusal::new(
        crate::base::error::ErrorCode::InvalidGrant,
        "The code or token is not valid, has ended, was revoked, or was given to another client.",
    )
    .because(cause)
}

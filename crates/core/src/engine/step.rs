//! The steps of a request that the shell performs, and how it ends.

use std::sync::Arc;

use grantor_jose::SigningInput;

use crate::base::error::{Failure, Refusal};
use crate::base::row::{Key, Version, Write};
use crate::base::secret::Secret;
use crate::base::time::Timestamp;
use crate::engine::decide::Excess;
use crate::engine::event::Event;
use crate::engine::facts::{KeyQuery, PasswordQueue};
use crate::engine::limits::{Effect, PollQuery, QuotaQuery};
use crate::model::client::Client;
use crate::model::ids::ClientId;

#[derive(Debug)]
pub enum Step<R, E = Refusal> {
    /// Read these rows in one `get`, then call [`super::drive::Drive::rows`].
    Get(Vec<Key>),
    /// Find clients in the store, or in what is remembered of it, then call [`super::drive::Drive::clients`].
    Clients(Vec<ClientId>),
    /// Ask the in-memory limits, then call [`super::drive::Drive::quota`].
    Quota(QuotaQuery),
    /// Ask the poll clock, then call [`super::drive::Drive::poll`].
    Poll(PollQuery),
    /// Verify a password, then call [`super::drive::Drive::password`].
    Password {
        /// `None` if the user is unknown or has no password.
        hash: Option<String>,
        password: Secret,
        queue: PasswordQueue,
    },
    /// Hash a password, then call [`super::drive::Drive::hashed`].
    HashPassword {
        password: Secret,
        queue: PasswordQueue,
    },
    /// Get the keys of a trusted issuer, then call [`super::drive::Drive::keys`].
    Keys(KeyQuery),
    /// Sign, then call [`super::drive::Drive::signature`].
    Sign(SigningInput),
    /// Commit, then call [`super::drive::Drive::committed`].
    Commit {
        now: Timestamp,
        id: Version,
        writes: Vec<Write>,
    },
    /// Apply the effects, report the events and answer.
    Done(Outcome<R, E>),
    /// No decision was possible. The effects release reservations.
    Failed(Failure, Vec<Effect>),
}

#[derive(Debug)]
pub struct Outcome<R, E = Refusal> {
    pub reply: Result<R, E>,
    /// The client that asked, as far as the request proved or claimed it.
    pub client: Option<Arc<Client>>,
    pub tokens: Option<Minted>,
    pub effects: Vec<Effect>,
    pub events: Vec<Event>,
    pub excess: Option<Excess>,
}

#[derive(Debug)]
pub struct Minted {
    /// `None` if another kind of token was requested by exchange.
    pub access: Option<Secret>,
    pub id: Option<Secret>,
    pub refresh: Option<Secret>,
}

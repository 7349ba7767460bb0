//! What a decision knows so far, and how it asks for more.

use std::sync::Arc;

use grantor_jose::{Algorithm, Kid, VerificationKeys};

use crate::base::error::Failure;
use crate::base::peer::Peer;
use crate::base::row::{Key, Row, Write};
use crate::base::secret::Secret;
use crate::base::time::Timestamp;
use crate::engine::decide::Halt;
use crate::engine::env::Env;
use crate::engine::event::Event;
use crate::engine::limits::{Poll, PollQuery, QuotaAnswer, QuotaQuery};
use crate::model::client::Client;
use crate::model::ids::{ClientId, OrganizationId, UserId};
use crate::model::scope_limits::CLOCKS_DIFFER;
use crate::records::{self, Grant, ManagedOrganization, Record, User};

#[derive(Clone, Debug)]
pub enum Need {
    Row(Key),
    /// Clients that the store may have.
    Clients(Vec<ClientId>),
    /// Whether the in-memory limits leave room.
    Quota(QuotaQuery),
    /// Whether a device polls too fast.
    Poll(PollQuery),
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

/// Clients that were asked for, where there is one of that id.
pub type FoundClients = Vec<(ClientId, Option<Arc<Client>>)>;

/// The key that verifies a foreign token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyQuery {
    pub issuer: String,
    pub kid: Option<Kid>,
    pub algorithm: Algorithm,
}

/// The facts gathered so far.
#[derive(Debug, Default)]
pub struct Facts {
    pub(crate) rows: Vec<(Key, Option<Row>)>,
    pub(crate) clients: FoundClients,
    pub(crate) quotas: Vec<(QuotaQuery, QuotaAnswer)>,
    pub(crate) polls: Vec<(PollQuery, Poll)>,
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
    /// [`Halt::Need`] if it was not read yet.
    pub fn record<T: Record>(&self, env: &Env<'_>, key: &Key) -> Result<Lookup<T>, Halt> {
        let Some((_, row)) = self.rows.iter().find(|(known, _)| known == key) else {
            return Err(Halt::Need(vec![Need::Row(key.clone())]));
        };
        Ok(row
            .as_ref()
            .map_or(Ok(Lookup::Absent), |row| open(row, env.now))?)
    }

    /// Requests all missing rows at once, so that they are read together.
    ///
    /// # Errors
    /// [`Halt::Need`] with the rows that were not read yet.
    pub fn need(&self, keys: &[&Key]) -> Result<(), Halt> {
        let known = |key: &Key| self.rows.iter().any(|(k, _)| k == key);
        let missing: Vec<Need> = keys
            .iter()
            .filter(|key| !known(key))
            .map(|key| Need::Row((*key).clone()))
            .collect();
        if missing.is_empty() {
            Ok(())
        } else {
            Err(Halt::Need(missing))
        }
    }

    /// A client by its id. Those that the file declares are known without a question, and ids that are made up are no
    /// question either.
    ///
    /// # Errors
    /// [`Halt::Need`] if it was not asked for yet.
    pub fn client<'f>(&'f self, env: &Env<'f>, id: &ClientId) -> Result<Option<&'f Client>, Halt> {
        if let Some(client) = self.known_client(env, id) {
            return Ok(Some(client));
        }
        let asked = self.clients.iter().any(|(known, _)| known == id);
        match asked || !env.realm.managed.may_have(id) {
            true => Ok(None),
            false => Err(Halt::Need(vec![Need::Clients(vec![id.clone()])])),
        }
    }

    /// Asks for several clients at once, so that they are read together. [`Self::client`] then has them.
    ///
    /// # Errors
    /// [`Halt::Need`] with those that were not asked for yet.
    pub fn need_clients<'i>(
        &self,
        env: &Env<'_>,
        ids: impl IntoIterator<Item = &'i ClientId>,
    ) -> Result<(), Halt> {
        let mut missing: Vec<ClientId> = Vec::new();
        for id in ids {
            let is_known = env.realm.clients.contains_key(id)
                || missing.contains(id)
                || self.clients.iter().any(|(known, _)| known == id);
            if !is_known && env.realm.managed.may_have(id) {
                missing.push(id.clone());
            }
        }
        match missing.is_empty() {
            true => Ok(()),
            false => Err(Halt::Need(vec![Need::Clients(missing)])),
        }
    }

    /// Names in events whose they are: of their client's organization, else of their user's, as far as that was read.
    pub(crate) fn name_organizations(&self, env: &Env<'_>, events: &mut [Event]) {
        for event in events.iter_mut().filter(|it| it.organization.is_none()) {
            let client = event.client.as_ref();
            let client = client.and_then(|id| self.known_client(env, id));
            let of_client = client.and_then(|client| client.organization.clone());
            let of_user = || {
                let user = event.user.filter(|_| !event.kind.is_routine())?;
                let key = records::key::<User>(&env.realm.name, &user.to_string());
                let user = self.record::<User>(env, &key).ok()?.live()?;
                user.record.organization
            };
            let organization = of_client.or_else(of_user);
            event.organization = organization.map(|id| id.as_str().into());
        }
    }

    pub(crate) fn known_client<'f>(
        &'f self,
        env: &Env<'f>,
        id: &ClientId,
    ) -> Option<&'f Arc<Client>> {
        let managed = || {
            let mut managed = self.clients.iter();
            managed.find(|(known, _)| known == id)?.1.as_ref()
        };
        env.realm.clients.get(id).or_else(managed)
    }

    /// The client of an id that may be anything.
    ///
    /// # Errors
    /// As [`Self::client`].
    pub fn client_named<'f>(&'f self, env: &Env<'f>, id: &str) -> Result<Option<&'f Client>, Halt> {
        match id.parse() {
            Ok(id) => self.client(env, &id),
            Err(_) => Ok(None),
        }
    }

    /// # Errors
    /// As [`Self::client`].
    pub fn enabled_client<'f>(
        &'f self,
        env: &Env<'f>,
        id: &ClientId,
    ) -> Result<Option<&'f Client>, Halt> {
        match self.client(env, id)? {
            Some(client) if self.is_enabled(env, client)? => Ok(Some(client)),
            _ => Ok(None),
        }
    }

    /// The enabled client of this id that was there at a time; one that was made since is another one.
    ///
    /// # Errors
    /// As [`Self::client`].
    pub fn client_since<'f>(
        &'f self,
        env: &Env<'f>,
        id: &ClientId,
        at: Timestamp,
    ) -> Result<Option<&'f Client>, Halt> {
        let client = self.enabled_client(env, id)?;
        Ok(client.filter(|client| {
            client
                .made_at
                .is_none_or(|made_at| made_at <= at + CLOCKS_DIFFER)
        }))
    }

    /// Whether a client may get and use tokens. One of a disabled organization is as disabled.
    ///
    /// # Errors
    /// [`Halt::Need`] if the organization was not read yet.
    pub fn is_enabled(&self, env: &Env<'_>, client: &Client) -> Result<bool, Halt> {
        Ok(client.enabled && self.is_of_enabled(env, client.organization.as_ref())?)
    }

    /// Whether a user may sign in, and has tokens that count. One of a disabled organization is as disabled.
    ///
    /// # Errors
    /// [`Halt::Need`] if the organization was not read yet.
    pub fn is_enabled_user(&self, env: &Env<'_>, user: &User) -> Result<bool, Halt> {
        Ok(user.enabled && self.is_of_enabled(env, user.organization.as_ref())?)
    }

    /// Whether there is such an organization.
    ///
    /// # Errors
    /// [`Halt::Need`] if it was not read yet.
    pub fn has_organization(&self, env: &Env<'_>, id: &OrganizationId) -> Result<bool, Halt> {
        Ok(env.realm.organizations.contains_key(id)
            || self.managed_organization(env, id)?.is_some())
    }

    /// # Errors
    /// [`Halt::Need`] if it was not read yet.
    pub fn organization_name(
        &self,
        env: &Env<'_>,
        id: &OrganizationId,
    ) -> Result<Option<String>, Halt> {
        if let Some(declared) = env.realm.organizations.get(id) {
            return Ok(Some(declared.name.clone()));
        }
        let managed = self.managed_organization(env, id)?;
        Ok(managed.and_then(|managed| managed.record.name))
    }

    fn managed_organization(
        &self,
        env: &Env<'_>,
        id: &OrganizationId,
    ) -> Result<Option<Versioned<ManagedOrganization>>, Halt> {
        let key = ManagedOrganization::key(&env.realm.name, id);
        let row = self.record::<ManagedOrganization>(env, &key)?.live();
        Ok(row.filter(|row| !row.record.deleted))
    }

    /// An organization that is gone counts as disabled.
    fn is_of_enabled(&self, env: &Env<'_>, id: Option<&OrganizationId>) -> Result<bool, Halt> {
        let Some(id) = id else {
            return Ok(true);
        };
        if let Some(declared) = env.realm.organizations.get(id) {
            return Ok(declared.enabled);
        }
        let managed = self.managed_organization(env, id)?;
        Ok(managed.is_some_and(|managed| managed.record.enabled))
    }

    /// The client that a grant was given to, if it is enabled. A client that was declared later under the same id is
    /// another one.
    ///
    /// # Errors
    /// As [`Self::client`].
    pub fn live_client<'f>(
        &'f self,
        env: &Env<'f>,
        grant: &Grant,
    ) -> Result<Option<&'f Client>, Halt> {
        let client = self.enabled_client(env, &grant.client)?;
        Ok(client.filter(|client| grant.is_of(client)))
    }

    /// Asks the in-memory limits.
    ///
    /// # Errors
    /// [`Halt::Need`] if they were not asked yet.
    pub fn quota(&self, ask: QuotaQuery) -> Result<QuotaAnswer, Halt> {
        let known = self.quotas.iter().find(|(known, _)| *known == ask);
        known
            .map(|(_, answer)| *answer)
            .ok_or_else(|| Halt::Need(vec![Need::Quota(ask)]))
    }

    /// Asks the poll clock.
    ///
    /// # Errors
    /// [`Halt::Need`] if it was not asked yet.
    pub fn poll(&self, ask: PollQuery) -> Result<Poll, Halt> {
        let known = self.polls.iter().find(|(known, _)| *known == ask);
        known
            .map(|(_, answer)| *answer)
            .ok_or_else(|| Halt::Need(vec![Need::Poll(ask)]))
    }

    /// # Errors
    /// [`Halt::Need`] if they were not requested yet; [`Failure::Upstream`] if they are unavailable.
    pub fn keys(&self, ask: &KeyQuery) -> Result<&VerificationKeys, Halt> {
        match self.keys.iter().find(|(known, _)| known == ask) {
            None => Err(Halt::Need(vec![Need::Keys(ask.clone())])),
            Some((_, Some(keys))) => Ok(keys),
            Some((_, None)) => {
                Err(Failure::Upstream("the keys of a trusted issuer are unavailable").into())
            }
        }
    }

    /// Whether a password that the operator set is still the stored one.
    ///
    /// # Errors
    /// [`Halt::Need`] if it was not compared yet.
    pub fn password(&self, hash: Option<&str>, password: &Secret) -> Result<bool, Halt> {
        self.password_in(PasswordQueue::Operator, hash, password)
    }

    /// Whether the password is correct. Compared again if the hash changed in between.
    ///
    /// # Errors
    /// [`Halt::Need`] if it was not compared yet.
    pub fn password_in(
        &self,
        queue: PasswordQueue,
        hash: Option<&str>,
        password: &Secret,
    ) -> Result<bool, Halt> {
        match &self.password {
            Some((compared, right)) if compared.as_deref() == hash => Ok(*right),
            _ => Err(Halt::Need(vec![Need::Password {
                hash: hash.map(ToOwned::to_owned),
                password: password.clone(),
                queue,
            }])),
        }
    }

    /// A new hash of a password that the operator sets.
    ///
    /// # Errors
    /// [`Halt::Need`] if it was not computed yet.
    pub fn hash_password(&self, password: &Secret) -> Result<String, Halt> {
        self.hash_password_in(PasswordQueue::Operator, password)
    }

    /// A new hash of the one password that the operation hashes. It waits where the request's comparison does.
    ///
    /// # Errors
    /// [`Halt::Need`] if it was not computed yet.
    pub fn hash_password_in(
        &self,
        queue: PasswordQueue,
        password: &Secret,
    ) -> Result<String, Halt> {
        let hashed = self.hashed.clone();
        hashed.ok_or_else(|| {
            Halt::Need(vec![Need::HashPassword {
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

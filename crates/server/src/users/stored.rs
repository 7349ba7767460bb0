//! The users of the store, as a start finds them.

use std::collections::{HashMap, HashSet};

use futures_util::TryStreamExt as _;
use grantor_core::base::row::{Index, MAX_KEYS, Row};
use grantor_core::model::ids::UserId;
use grantor_core::model::password_hash::{Cost, StoredHash};
use grantor_core::people::{Deprovision, MoveLogins, Password, Provision};
use grantor_core::records::{self, DeclaredUsers, Record as _, User};
use grantor_store::{Store, list_all};
use grantor_web::Unavailable;

use super::PAGE;
use crate::assemble::POOL;

/// What there is to do about users of the store, and what an operator should know.
pub(super) struct StoredUsers {
    /// Those that the file declares, by id, and whether it enables them.
    declared: HashMap<UserId, bool>,
    /// Those that the file does not declare any more, or disables.
    pub(super) due: Vec<Deprovision>,
    pub(super) costliest: Cost,
    /// Those whose names and addresses an earlier version wrote.
    pub(super) unmoved: Vec<MoveLogins>,
    /// How many users who may sign in have a hash below OWASP's minimum.
    pub(super) below_minimum: usize,
    /// The declared ones that have a password.
    with_password: HashSet<UserId>,
}

impl StoredUsers {
    /// Before any was looked at.
    pub(super) fn new(users: &[Provision]) -> Self {
        let mut costliest = Cost::NEW;
        // Before they are stored: the first try at such an account must not take longer than others did before.
        for user in users {
            if let Password::Hash(hash) = &user.password
                && let Ok(hash) = StoredHash::parse(hash)
            {
                costliest = costliest.max(hash.cost());
            }
        }
        Self {
            declared: users.iter().map(|user| (user.id, user.enabled)).collect(),
            due: Vec::new(),
            costliest,
            unmoved: Vec::new(),
            below_minimum: 0,
            with_password: HashSet::new(),
        }
    }

    fn add_row(&mut self, row: &Row) {
        if let Some(user) = super::read::<User>(row) {
            self.add(&user);
        }
    }

    pub(super) fn add(&mut self, user: &User) {
        let enabled = self.declared.get(&user.id);
        if enabled != Some(&true) {
            self.due
                .extend(Deprovision::needed(user, enabled.is_some()));
        }
        self.unmoved.extend(MoveLogins::needed(user));
        if user.password.is_some() && enabled.is_some() {
            self.with_password.insert(user.id);
        }
        let hash = user.password.as_deref().map(StoredHash::parse);
        if let Some(Ok(hash)) = hash {
            self.costliest = self.costliest.max(hash.cost());
            let is_below = user.enabled && hash.cost().is_below_minimum();
            self.below_minimum += usize::from(is_below);
        }
    }

    /// How many declared users can only sign in once a command gave them a password.
    pub(super) fn without_password(&self, users: &[Provision]) -> usize {
        let lacks = |user: &&Provision| {
            let declares_none = matches!(user.password, Password::None);
            declares_none && user.enabled && !self.with_password.contains(&user.id)
        };
        users.iter().filter(lacks).count()
    }

    /// Looks at those whom the file declares, and declared at the latest start. Without a memory of these, at all.
    pub(super) async fn look(
        store: &dyn Store,
        users: &[Provision],
    ) -> Result<(Self, LookedAt), Unavailable> {
        let mut stored = Self::new(users);
        let Some(before) = declared_before(store).await? else {
            let index = all();
            let mut rows = list_all(store, &index, PAGE);
            while let Some(row) = rows.try_next().await? {
                stored.add_row(&row);
            }
            return Ok((stored, LookedAt::All));
        };
        let ids: HashSet<_> = before
            .into_iter()
            .chain(stored.declared.keys().copied())
            .collect();
        let keys: Vec<_> = ids
            .iter()
            .map(|id| records::key::<User>(POOL, &id.to_string()))
            .collect();
        for keys in keys.chunks(MAX_KEYS) {
            let rows = store.get(keys).await?;
            rows.iter().flatten().for_each(|row| stored.add_row(row));
        }
        Ok((stored, LookedAt::Declared))
    }
}

/// Which users a start has looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LookedAt {
    All,
    Declared,
}

async fn declared_before(store: &dyn Store) -> Result<Option<Vec<UserId>>, Unavailable> {
    let rows = store.get(&[DeclaredUsers::key(POOL)]).await?;
    let declared = rows.first().and_then(Option::as_ref);
    let declared = declared.and_then(super::read::<DeclaredUsers>);
    Ok(declared.map(|declared| declared.users))
}

/// The index of all users.
pub(super) fn all() -> Index {
    Index::Kind {
        realm: POOL.to_owned(),
        kind: User::KIND.to_owned(),
    }
}

//! Lists users: all of them in the order of their `sub`, or those whose name or verified address begins with a text.

use std::collections::BTreeSet;

use serde_json::Value;

use super::view::view;
use crate::base::row::{Index, Key, Row};
use crate::base::time::Timestamp;
use crate::engine::facts;
use crate::manage::caller::Caller;
use crate::model::credentials::fold_login;
use crate::model::realm::Realm;
use crate::records::{self, Login, Record, User};

/// How many users of one address are looked up. One that many share signs nobody in.
const MAX_EXAMINED: usize = 8;

/// Where the caller's users are listed: who belongs to an organization reads nothing of others.
#[must_use]
pub fn listed_in(realm: &Realm, caller: &Caller) -> Index {
    match &caller.organization {
        Some(id) => Index::Named(User::organization_index(&realm.name, id.as_str())),
        None => Index::Kind {
            realm: realm.name.clone(),
            kind: User::KIND.to_owned(),
        },
    }
}

/// The users of these rows whom the caller sees; with a search, those whom it finds.
#[must_use]
pub fn listed_users(
    caller: &Caller,
    search: Option<&UserSearch>,
    rows: &[Row],
    now: Timestamp,
) -> Vec<Value> {
    let users = open::<User>(rows, now).into_iter();
    let seen = users.filter(|user| caller.sees(user.organization()));
    let seen = seen.filter(|user| search.is_none_or(|search| search.first_match(user).is_some()));
    seen.map(|user| Value::Object(view(&user))).collect()
}

/// A search for users by the beginning of a name or an address.
#[derive(Clone, Debug)]
pub struct UserSearch {
    prefix: String,
}

impl UserSearch {
    #[must_use]
    pub fn new(typed: &str) -> Self {
        Self {
            prefix: fold_login(typed),
        }
    }

    fn first_match(&self, user: &User) -> Option<String> {
        let own = user.own_logins().into_iter();
        own.filter(|login| login.starts_with(&self.prefix)).min()
    }

    /// The row of the text itself, after which the others come.
    #[must_use]
    pub fn key(&self, realm: &Realm) -> Key {
        records::key::<Login>(&realm.name, &self.prefix)
    }

    /// Whether a row belongs to the search. Once one does not, none after it does.
    #[must_use]
    pub fn has(&self, realm: &Realm, key: &Key) -> bool {
        key.as_str().starts_with(self.key(realm).as_str())
    }

    /// The rows of the users who have these names and addresses.
    #[must_use]
    pub fn users(&self, realm: &Realm, logins: &[Row], now: Timestamp) -> Vec<Key> {
        let logins = open::<Login>(logins, now).into_iter();
        let users = logins.flat_map(|login| login.users.into_iter().take(MAX_EXAMINED));
        let mut seen = BTreeSet::new();
        let users = users.filter(|user| seen.insert(*user));
        users
            .map(|user| records::key::<User>(&realm.name, &user.to_string()))
            .collect()
    }

    /// Of these users those whom the caller sees, each on one page only: that of the first of its names that matches.
    #[must_use]
    pub fn found(
        &self,
        caller: &Caller,
        logins: &[Row],
        users: &[Row],
        now: Timestamp,
    ) -> Vec<Value> {
        let logins = open::<Login>(logins, now).into_iter();
        let logins: BTreeSet<String> = logins.map(|login| login.login).collect();
        let matches = |user: &User| {
            let first = self.first_match(user);
            first.is_some_and(|first| logins.contains(&first))
        };
        let users = open::<User>(users, now).into_iter();
        let seen = users.filter(|user| caller.sees(user.organization()) && matches(user));
        seen.map(|user| Value::Object(view(&user))).collect()
    }
}

/// A row that cannot be read is left out: a damaged one must not hide all others. Who asks for it is told.
fn open<T: Record>(rows: &[Row], now: Timestamp) -> Vec<T> {
    let open = rows
        .iter()
        .filter_map(|row| facts::open::<T>(row, now).ok());
    open.filter_map(|row| row.live().map(|row| row.record))
        .collect()
}

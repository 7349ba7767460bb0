//! The names and addresses by which users sign in, and the rows that say whose they are.
//!
//! A username has a row `username/` too, by the folding of earlier versions: those look users up by it, and so does an
//! exchange. It goes on being written, so that an installation can go back to them.

use std::convert::Infallible;

use super::administer::username_key;
use crate::base::row::{Key, Write};
use crate::engine::decide::{Decision, Halt, Task};
use crate::engine::env::Env;
use crate::engine::facts::{Facts, Versioned};
use crate::model::credentials::fold_login;
use crate::model::ids::UserId;
use crate::model::precis::nfkc;
use crate::records::{self, Login, User, Username};
use crate::tokens::grant_liveness;

/// Why a user cannot have a name or an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginRefused {
    /// Another user has the name, as a name or an address.
    NameTaken,
    /// Another user has the address, as a name or an address.
    AddressTaken,
    /// The name holds an `@`, and is not the user's own verified address.
    ForeignAddress,
}

/// What becomes of a name or an address that another user has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sharing {
    /// A command is refused.
    Refused,
    /// The file and earlier versions may have given it to both. Then it signs nobody in.
    Kept,
}

/// How many users of one address are looked up.
const MAX_EXAMINED: usize = 8;

pub(super) fn login_key(env: &Env<'_>, login: &str) -> Key {
    records::key::<Login>(&env.realm.name, login)
}

/// Whether the user may have this name.
pub(super) fn check_name(user: &User) -> Result<(), LoginRefused> {
    let name = &user.username;
    let is_own = user.verified_email().map(fold_login) == Some(fold_login(name));
    if nfkc(name).contains('@') && !is_own {
        return Err(LoginRefused::ForeignAddress);
    }
    Ok(())
}

/// Gives a user the rows of these names and addresses, and frees those of before.
pub(super) fn assign(
    env: &Env<'_>,
    facts: &Facts,
    before: &[String],
    user: &mut User,
    wanted: Vec<String>,
    sharing: Sharing,
) -> Result<Result<Vec<Write>, LoginRefused>, Halt> {
    let mut writes = Vec::new();
    if before == wanted {
        user.logins = wanted;
        return Ok(Ok(writes));
    }
    let mut all: Vec<&String> = before.iter().chain(&wanted).collect();
    all.sort_unstable();
    all.dedup();
    let keys: Vec<Key> = all.iter().map(|login| login_key(env, login)).collect();
    facts.need(&keys.iter().collect::<Vec<_>>())?;
    for (login, key) in all.into_iter().zip(&keys) {
        let row = facts.record::<Login>(env, key)?.live();
        let users = row.iter().flat_map(|row| &row.record.users).copied();
        let others = users.filter(|other| *other != user.id).collect();
        let mut users = who_have(env, facts, login, others)?;
        let is_wanted = wanted.contains(login);
        if is_wanted && sharing == Sharing::Refused && !before.contains(login) {
            let named = facts.record::<Username>(env, &username_key(env, login))?;
            let is_anothers = named.live().is_some_and(|row| row.record.user != user.id);
            if !users.is_empty() || is_anothers {
                let is_name = fold_login(&user.username) == *login;
                return Ok(Err(match is_name {
                    true => LoginRefused::NameTaken,
                    false => LoginRefused::AddressTaken,
                }));
            }
        }
        users.extend(is_wanted.then_some(user.id));
        users.sort_unstable();
        let record = Login {
            login: login.clone(),
            users,
        };
        writes.extend(match row {
            None if record.users.is_empty() => None,
            None => Some(records::insert(&env.realm.name, &record)?),
            Some(row) if record.users.is_empty() => Some(records::delete(&row.row)?),
            Some(row) if row.record == record => None,
            Some(row) => Some(records::update(&env.realm.name, &record, &row.row)?),
        });
    }
    user.logins = wanted;
    Ok(Ok(writes))
}

/// The same with what the user has.
pub(super) fn assign_own(
    env: &Env<'_>,
    facts: &Facts,
    before: Option<&User>,
    user: &mut User,
    sharing: Sharing,
) -> Result<Result<Vec<Write>, LoginRefused>, Halt> {
    let before = before.map_or(&[][..], |before| &before.logins);
    let wanted = user.own_logins();
    assign(env, facts, before, user, wanted, sharing)
}

/// Those of the users who have the name or the address. Where an earlier version deleted or renamed one, a row names one who
/// has it no more. One that many share signs nobody in anyway, and is left as it is.
fn who_have(
    env: &Env<'_>,
    facts: &Facts,
    login: &str,
    users: Vec<UserId>,
) -> Result<Vec<UserId>, Halt> {
    if users.len() > MAX_EXAMINED {
        return Ok(users);
    }
    let keys = users
        .iter()
        .map(|user| grant_liveness::user_key(env, *user));
    let keys: Vec<Key> = keys.collect();
    facts.need(&keys.iter().collect::<Vec<_>>())?;
    let mut found = Vec::new();
    for (user, key) in users.into_iter().zip(&keys) {
        let record = facts.record::<User>(env, key)?.live();
        if record.is_some_and(|it| it.record.own_logins().iter().any(|own| own == login)) {
            found.push(user);
        }
    }
    Ok(found)
}

/// The user whom a typed name or address is of. With `also`, two reads, whether or not there is one.
pub(super) fn find_by_login(
    env: &Env<'_>,
    facts: &Facts,
    typed: &str,
    also: Option<&Key>,
) -> Result<Option<Versioned<User>>, Halt> {
    let login = fold_login(typed);
    let (login_key, name_key) = (login_key(env, &login), username_key(env, typed));
    let keys = also.into_iter().chain([&login_key, &name_key]);
    facts.need(&keys.collect::<Vec<_>>())?;
    // What was typed is somebody's name, letter by letter as earlier versions compared it.
    let named = facts.record::<Username>(env, &name_key)?.live();
    let named = named.map(|row| row.record.user);
    let by_login = facts.record::<Login>(env, &login_key)?.live();
    let by_login = by_login.and_then(|row| row.record.only());
    // An unknown one reads a user that does not exist, so that the number of reads reveals nothing.
    let id = named.or(by_login);
    let id = id.unwrap_or_else(|| UserId::from_username("nobody", &login));
    let user = facts.record::<User>(env, &grant_liveness::user_key(env, id))?;
    let is_own = |user: &User| named.is_some() || user.own_logins().contains(&login);
    Ok(user.live().filter(|user| is_own(&user.record)))
}

/// Gives a user of an earlier version the rows of name and address.
#[derive(Clone, Debug)]
pub struct MoveLogins {
    pub id: UserId,
}

impl MoveLogins {
    /// Users of the file get theirs with it.
    #[must_use]
    pub fn needed(user: &User) -> Option<Self> {
        (!user.from_file && user.logins != user.own_logins()).then_some(Self { id: user.id })
    }
}

impl Task for MoveLogins {
    type Reply = ();

    fn decide(&self, env: &Env<'_>, facts: &Facts) -> Result<Decision<(), Infallible>, Halt> {
        let key = grant_liveness::user_key(env, self.id);
        let stored = facts.record::<User>(env, &key)?.live();
        let Some(stored) = stored.filter(|stored| Self::needed(&stored.record).is_some()) else {
            return Ok(Decision::reply(()));
        };
        let mut user = stored.record.clone();
        let writes = assign_own(env, facts, Some(&stored.record), &mut user, Sharing::Kept)?;
        Ok(Decision::reply(())
            .write(records::update(&env.realm.name, &user, &stored.row)?)
            .writes(writes.unwrap_or_default()))
    }
}

//! Remembers that there is an administrator.

use crate::base::row::Write;
use crate::engine::decide::Halt;
use crate::engine::env::Env;
use crate::engine::facts::Facts;
use crate::records::{self, FirstAdministrator, User};

/// The row that says so, where this user becomes the first one. It costs a read where a user becomes an administrator, and
/// nothing else.
pub(super) fn remembered(
    env: &Env<'_>,
    facts: &Facts,
    before: Option<&User>,
    to: &User,
) -> Result<Option<Write>, Halt> {
    let admins = &env.realm.api.admins;
    let is_one = |user: &User| user.groups.iter().any(|group| admins.contains(group));
    if !is_one(to) || before.is_some_and(is_one) {
        return Ok(None);
    }
    let key = FirstAdministrator::key(&env.realm.name);
    if facts
        .record::<FirstAdministrator>(env, &key)?
        .live()
        .is_some()
    {
        return Ok(None);
    }
    let first = FirstAdministrator {
        user: to.id,
        at: env.now,
    };
    Ok(Some(records::insert(&env.realm.name, &first)?))
}

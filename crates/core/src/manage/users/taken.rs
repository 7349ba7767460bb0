//! Names that someone has. Who belongs to an organization does not see the users of others, and so may not find out by
//! guessing who they are.

use crate::base::row::Key;
use crate::engine::decide::Stop;
use crate::engine::env::Env;
use crate::engine::facts::Facts;
use crate::engine::limits::{Counter, Guess, Quota, QuotaAnswer, QuotaQuery, Window};
use crate::manage::caller::Caller;
use crate::manage::refusal::{ApiCode, ApiRefusal, FieldError};
use crate::model::credentials::fold_login;
use crate::model::realm::Realm;
use crate::people::LoginRefused;
use crate::records::{self, Login, Username};

/// How many taken names a caller of an organization may hit in an hour.
const MAX_TAKEN_PER_HOUR: u32 = 30;

/// Asks before a name or an address is looked up.
pub(super) fn may_ask(
    env: &Env<'_>,
    facts: &Facts,
    caller: &Caller,
) -> Result<(), Stop<ApiRefusal>> {
    ask(env, facts, caller, Guess::NotCompared)
}

/// The refusal of a name or an address that is taken, which counts.
pub(super) fn refused(
    env: &Env<'_>,
    facts: &Facts,
    caller: &Caller,
    why: LoginRefused,
) -> Stop<ApiRefusal> {
    let (pointer, detail) = match why {
        LoginRefused::NameTaken => ("/username", "is taken"),
        LoginRefused::AddressTaken => ("/email", "is taken: another user signs in with it"),
        LoginRefused::ForeignAddress => {
            let why = "holds an @ and is not the user's own e-mail address";
            return Stop::Refuse(ApiRefusal::invalid_member("/username", why));
        }
    };
    if let Err(stop) = ask(env, facts, caller, Guess::Wrong) {
        return stop;
    }
    let error = FieldError {
        pointer: pointer.to_owned(),
        detail: detail.to_owned(),
    };
    Stop::Refuse(ApiRefusal {
        errors: vec![error],
        ..ApiRefusal::new(ApiCode::Taken, "The name or the address is taken.")
    })
}

fn ask(
    env: &Env<'_>,
    facts: &Facts,
    caller: &Caller,
    guess: Guess,
) -> Result<(), Stop<ApiRefusal>> {
    if caller.organization.is_none() {
        return Ok(());
    }
    let quota = Quota {
        counter: Counter::TakenNamesPerCaller,
        subject: caller.actor.to_string(),
        limit: env.realm.per_node(MAX_TAKEN_PER_HOUR),
    };
    let answer = facts.quota(QuotaQuery::Check {
        quotas: vec![quota],
        window: Window::Hour,
        guess,
    })?;
    match answer {
        QuotaAnswer::Reserved { .. } => Ok(()),
        QuotaAnswer::Full { retry_after } => Err(ApiRefusal {
            retry_after: Some(retry_after),
            ..ApiRefusal::new(
                ApiCode::TooManyRequests,
                "Too many names that are taken. Try again later.",
            )
        }
        .into()),
    }
}

/// The rows that say who has a name and an address.
pub(super) fn keys(realm: &Realm, username: Option<&str>, email: Option<&str>) -> Vec<Key> {
    let mut keys = Vec::new();
    for name in [username, email].into_iter().flatten() {
        let login = fold_login(name);
        let folded = [Username::fold(name), Username::fold(&login)];
        keys.extend(folded.map(|name| records::key::<Username>(&realm.name, &name)));
        keys.push(records::key::<Login>(&realm.name, &login));
    }
    keys.retain(|key| key.as_str().len() <= MAX_KEY_BYTES);
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// Longer ones are no names.
const MAX_KEY_BYTES: usize = 1200;

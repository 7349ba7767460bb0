//! Signing in with a password.

use super::session;
use crate::base::error::Failure;
use crate::base::peer::Peer;
use crate::base::row::Write;
use crate::base::secret::Secret;
use crate::engine::decide::{Decision, Facts, Operation, Stop, Versioned};
use crate::engine::env::Env;
use crate::engine::event::{Event, EventKind};
use crate::engine::limits::{Answer, Ask, Counter, Effect, Quota, Window};
use crate::model::credentials::{InvalidPassword, check_password, may_be_username};
use crate::model::ids::SessionId;
use crate::records::{self, Session, Started, User, Username};
use crate::tokens::grant_liveness;
use crate::tokens::handles::SessionCookie;

/// A sign-in.
#[derive(Debug)]
pub struct SignIn {
    /// The name that was typed.
    pub username: String,
    /// The password that was typed.
    pub password: Secret,
    /// The session cookie that the browser sent, if any.
    pub previous: Option<Secret>,
    /// The cookie that shows that this browser signed in before.
    pub known_browser: Option<Secret>,
    /// Who asks.
    pub peer: Peer,
}

/// What came of it.
#[derive(Debug)]
pub enum SignInReply {
    /// Signed in: the new cookies.
    SignedIn {
        /// The session cookie: never one that the browser had before.
        session: Secret,
        /// The cookie that shows, later, that this browser signed in.
        known_browser: Secret,
    },
    /// One answer for an unknown user, a disabled one and a wrong password.
    Wrong,
    /// Too many wrong tries.
    TooMany {
        /// Seconds until the next.
        retry_after: u64,
    },
}

impl SignIn {
    /// A try is reserved before the password is looked at, so parallel guesses stay inside the limits. A browser
    /// that signed in to the account before skips the account's own limit: an attacker delays new browsers only.
    fn quotas(&self, env: &Env<'_>, account: &str) -> Vec<Quota> {
        let address = self.peer.network();
        let limits = env.realm.sign_in;
        let quota = |what, whom, limit| Quota {
            what,
            whom,
            limit: env.realm.share(limit),
        };
        let mut quotas = vec![
            quota(
                Counter::PasswordsOfAccountAndAddress,
                format!("{account}\0{address}"),
                limits.from_one_address,
            ),
            quota(Counter::PasswordsOfAddress, address, limits.in_all),
        ];
        let known = self.known_browser.as_ref();
        if !known.is_some_and(|cookie| env.realm.sealing.is_known_browser(cookie.reveal(), account))
        {
            quotas.push(quota(
                Counter::PasswordsOfAccount,
                account.to_owned(),
                limits.in_all,
            ));
        }
        quotas
    }

    /// The account of a name, if there is one: two reads, whether or not it exists.
    fn user(
        &self,
        env: &Env<'_>,
        facts: &Facts,
        account: &str,
    ) -> Result<Option<Versioned<User>>, Stop> {
        let name = records::key::<Username>(&env.realm.name, account);
        let previous = self
            .previous(env)
            .map(|cookie| session::key(env, cookie.id));
        facts.need(&previous.iter().chain([&name]).collect::<Vec<_>>())?;
        // An unknown name reads a user too, one that does not exist: the number of reads tells nothing.
        let user = match facts.record::<Username>(env, &name)?.live() {
            Some(name) => name.record.user,
            None => crate::model::ids::UserId::derived("nobody", account),
        };
        Ok(facts
            .record::<User>(env, &grant_liveness::key(env, user))?
            .live())
    }

    fn previous(&self, env: &Env<'_>) -> Option<SessionCookie> {
        env.realm
            .sealing
            .open_session_cookie(self.previous.as_ref()?.reveal())
    }

    /// Signing in again as the same user keeps the session and rotates its secret; as another, it ends the session.
    fn session(
        &self,
        env: &Env<'_>,
        facts: &Facts,
        user: &User,
    ) -> Result<(SessionCookie, Vec<Write>), Stop> {
        // A cookie whose secret was rotated away is dead: it neither keeps the session nor ends it.
        let previous = match self.previous(env) {
            Some(cookie) => facts
                .record::<Session>(env, &session::key(env, cookie.id))?
                .live()
                .filter(|old| session::is_secret(&old.record, &cookie)),
            None => None,
        };
        let kept = previous
            .as_ref()
            .filter(|old| old.record.user == user.id && user.is_current(old.record.epoch));
        let id = kept.map_or_else(
            || SessionId::from_bytes(env.seed.bytes("session")),
            |old| old.record.id,
        );
        let cookie = SessionCookie {
            id,
            user: user.id,
            secret: env.seed.bytes("session secret"),
        };
        let record = Session {
            id,
            user: user.id,
            epoch: user.epoch,
            secret: session::digest_of(&cookie.secret),
            auth_time: env.now,
            amr: vec!["pwd".to_owned()],
            started: Some(
                kept.and_then(|old| old.record.started.clone())
                    .unwrap_or(Started {
                        at: env.now,
                        by: self.peer.clone(),
                    }),
            ),
            to_tell: kept.map_or_else(Vec::new, |old| old.record.to_tell.clone()),
            expires_at: env.now + env.realm.lifetimes.session_absolute,
        };
        let writes = match (kept, &previous) {
            (Some(old), _) => vec![records::update(&env.realm.name, &record, &old.row)?],
            (None, Some(old)) => {
                let mut writes = vec![records::insert(&env.realm.name, &record)?];
                writes.extend(session::end(env, old)?);
                writes
            }
            (None, None) => vec![records::insert(&env.realm.name, &record)?],
        };
        Ok((cookie, writes))
    }
}

impl Operation for SignIn {
    type Reply = SignInReply;

    fn decide(&self, env: &Env<'_>, facts: &Facts) -> Result<Decision<SignInReply>, Stop> {
        let account = Username::fold(&self.username);
        let is_too_long = check_password(&self.password) == Err(InvalidPassword::Long);
        if is_too_long || !may_be_username(&account) {
            return Ok(Decision::reply(SignInReply::Wrong));
        }
        let quotas = self.quotas(env, &account);
        let reserved = facts.ask(Ask::Reserve {
            quotas: quotas.clone(),
            window: Window::Hour,
        })?;
        let at = match reserved {
            Answer::Reserved { at, .. } => at,
            Answer::Full { retry_after } => {
                return Ok(Decision::reply(SignInReply::TooMany { retry_after })
                    .event(Event::new(EventKind::TriesUsedUp).peer(&self.peer)));
            }
            Answer::Poll(_) => return Err(Failure::Bug("a try was answered as a poll").into()),
        };
        let user = self.user(env, facts, &account)?;
        let hash = user
            .as_ref()
            .and_then(|user| user.record.password.as_deref());
        let right = facts.password(hash, &self.password)?;
        let known = user.as_ref().map(|user| user.record.id);
        let Some(user) = user.filter(|user| right && user.record.enabled) else {
            let mut event = Event::new(EventKind::SignInFailed).peer(&self.peer);
            event.user = known;
            return Ok(Decision::reply(SignInReply::Wrong).event(event));
        };
        let (cookie, writes) = self.session(env, facts, &user.record)?;
        Ok(Decision::reply(SignInReply::SignedIn {
            session: Secret::new(env.realm.sealing.session_cookie(&cookie)),
            known_browser: Secret::new(env.realm.sealing.known_browser(&account)),
        })
        .writes(writes)
        .write(Write::Check {
            key: grant_liveness::key(env, user.record.id),
            expect: user.row.version,
        })
        .effect(Effect::GiveBack {
            quotas,
            window: Window::Hour,
            at,
        })
        .event(
            Event::new(EventKind::SignedIn)
                .user(user.record.id)
                .peer(&self.peer),
        ))
    }
}

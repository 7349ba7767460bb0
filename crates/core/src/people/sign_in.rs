//! Sign-in with a password.

use super::attempt::{Attempt, LimitReached};
use super::session;
use crate::base::peer::Peer;
use crate::base::row::Write;
use crate::base::secret::Secret;
use crate::engine::decide::{Decision, Excess, Facts, Operation, Stop, Versioned};
use crate::engine::env::Env;
use crate::engine::event::{Event, EventKind};
use crate::engine::limits::{Counter, Quota};
use crate::model::credentials::{InvalidPassword, check_password, may_be_username};
use crate::model::ids::{SessionId, UserId};
use crate::records::{self, Session, Started, User, Username};
use crate::tokens::grant_liveness;
use crate::tokens::handles::SessionCookie;

#[derive(Debug)]
pub struct SignIn {
    pub username: String,
    pub password: Secret,
    /// The browser's current session cookie.
    pub previous: Option<Secret>,
    /// The cookie that proves an earlier sign-in in this browser.
    pub known_browser: Option<Secret>,
    pub peer: Peer,
}

#[derive(Debug)]
pub enum SignInReply {
    SignedIn {
        /// The session cookie, always with a new secret.
        session: Secret,
        /// The cookie that proves this sign-in later.
        known_browser: Secret,
    },
    /// The same for an unknown user, a disabled user and a wrong password.
    Wrong,
    TooMany {
        /// In seconds.
        retry_after: u64,
    },
}

impl SignIn {
    /// A known browser skips the limit of the account, so an attacker can only lock out new browsers.
    fn quotas(&self, env: &Env<'_>, account: &str) -> Vec<Quota> {
        let address = self.peer.network();
        let limits = env.realm.sign_in;
        let quota = |counter, subject, limit| Quota {
            counter,
            subject,
            limit: env.realm.per_node(limit),
        };
        let mut quotas = vec![
            quota(
                Counter::PasswordsPerAccountAndAddress,
                format!("{account}\0{address}"),
                limits.per_account_and_address,
            ),
            quota(Counter::PasswordsPerAddress, address, limits.in_all),
        ];
        let known = self.known_browser.as_ref();
        if !known.is_some_and(|cookie| env.realm.sealing.is_known_browser(cookie.reveal(), account))
        {
            quotas.push(quota(
                Counter::PasswordsPerAccount,
                account.to_owned(),
                limits.in_all,
            ));
        }
        quotas
    }

    /// Two reads, whether or not the user exists.
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
        // An unknown name reads a user that does not exist, so that the number of reads reveals nothing.
        let user = match facts.record::<Username>(env, &name)?.live() {
            Some(name) => name.record.user,
            None => UserId::from_username("nobody", account),
        };
        Ok(facts
            .record::<User>(env, &grant_liveness::user_key(env, user))?
            .live())
    }

    fn previous(&self, env: &Env<'_>) -> Option<SessionCookie> {
        env.realm
            .sealing
            .open_session_cookie(self.previous.as_ref()?.reveal())
    }

    /// The same user keeps the session with a new secret. Another user ends it.
    fn session(
        &self,
        env: &Env<'_>,
        facts: &Facts,
        user: &User,
    ) -> Result<(SessionCookie, Vec<Write>), Stop> {
        // A cookie with an old secret neither keeps the session nor ends it.
        let previous = match self.previous(env) {
            Some(cookie) => facts
                .record::<Session>(env, &session::key(env, cookie.id))?
                .live()
                .filter(|old| session::matches_secret(&old.record, &cookie)),
            None => None,
        };
        let kept = previous
            .as_ref()
            .filter(|old| old.record.user == user.id && user.is_current(old.record.epoch));
        let id = kept.map_or_else(
            || SessionId::newest_first(env.now, env.seed.bytes("session")),
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
            secret: session::secret_digest(&cookie.secret),
            auth_time: env.now,
            amr: vec!["pwd".to_owned()],
            started: Some(
                kept.and_then(|old| old.record.started.clone())
                    .unwrap_or(Started {
                        at: env.now,
                        by: self.peer.clone(),
                    }),
            ),
            logout_subscribers: kept
                .map_or_else(Vec::new, |old| old.record.logout_subscribers.clone()),
            expires_at: env.now + env.realm.lifetimes.session_absolute,
        };
        let mut writes = vec![match kept {
            // What was proven at the earlier sign-in does not count for this one.
            Some(old) => records::replace(&env.realm.name, &record, &old.row)?,
            None => records::insert(&env.realm.name, &record)?,
        }];
        if kept.is_none()
            && let Some(old) = &previous
        {
            writes.extend(session::end(env, old)?);
        }
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
        let attempt = match Attempt::reserve(facts, self.quotas(env, &account))? {
            Ok(attempt) => attempt,
            Err(LimitReached { retry_after }) => {
                return Ok(Decision::reply(SignInReply::TooMany { retry_after })
                    .event(Event::new(EventKind::TriesUsedUp).peer(&self.peer)));
            }
        };
        let user = self.user(env, facts, &account)?;
        let hash = user
            .as_ref()
            .and_then(|user| user.record.password.as_deref());
        let is_right = facts.password(hash, &self.password)?;
        let known_user = user.as_ref().map(|user| user.record.id);
        let Some(user) = user.filter(|user| is_right && user.record.enabled) else {
            let mut event = Event::new(EventKind::SignInFailed).peer(&self.peer);
            event.user = known_user;
            return Ok(Decision::reply(SignInReply::Wrong).event(event));
        };
        let (cookie, writes) = self.session(env, facts, &user.record)?;
        let kept = self.previous(env).map(|previous| previous.id) == Some(cookie.id);
        let excess = (!kept).then(|| Excess::Sessions {
            user: user.record.id,
            new: cookie.id,
        });
        Ok(Decision::reply(SignInReply::SignedIn {
            session: Secret::new(env.realm.sealing.session_cookie(&cookie)),
            known_browser: Secret::new(env.realm.sealing.known_browser(&account)),
        })
        .writes(writes)
        .write(Write::Check {
            key: grant_liveness::user_key(env, user.record.id),
            expect: user.row.version,
        })
        .effect(attempt.release())
        .excess(excess)
        .event(
            Event::new(EventKind::SignedIn)
                .user(user.record.id)
                .peer(&self.peer),
        ))
    }
}

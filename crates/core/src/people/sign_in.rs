//! Sign-in with a password.

use std::convert::Infallible;
use std::time::Duration;

use super::attempt::{Attempt, LimitReached};
use super::establish_session::{Authenticated, Established, establish_session};
use super::logins::find_by_login;
use super::session;
use crate::base::error::Cause;
use crate::base::peer::{Peer, Width};
use crate::base::row::Write;
use crate::base::secret::Secret;
use crate::engine::decide::{Decision, Halt, Stop, Task};
use crate::engine::env::Env;
use crate::engine::event::{Event, EventKind};
use crate::engine::facts::{Facts, PasswordQueue, Versioned};
use crate::engine::limits::{Counter, Quota, Window, per_network};
use crate::model::claims::ACR;
use crate::model::credentials::{InvalidPassword, check_password, fold_login, may_be_username};
use crate::model::password_hash::StoredHash;
use crate::records::{self, User};
use crate::tokens::grant_liveness;
use crate::tokens::handles::{KnownBrowser, PresentedCookie};

#[derive(Debug)]
pub struct SignIn {
    pub username: String,
    pub password: Secret,
    /// Whether the user ticked "Stay signed in".
    pub stay: bool,
    /// The browser's current session.
    pub previous: Option<PresentedCookie>,
    /// The cookie of an earlier sign-in in this browser.
    pub known_browser: Option<Secret>,
    pub peer: Peer,
}

#[derive(Debug)]
pub enum SignInReply {
    SignedIn {
        /// The session cookie, always with a new secret.
        session: Secret,
        /// How long the browser keeps it. `None`: until it closes.
        lasts: Option<Duration>,
        /// The cookie by which this browser is known later, for [`KNOWN_BROWSER_LIFETIME`]. One that is still valid
        /// stays as it is, so that its count does.
        known_browser: Secret,
    },
    /// The same for an unknown user, a disabled user and a wrong password.
    Wrong,
    TooMany {
        /// In seconds.
        retry_after: u64,
    },
}

/// How long a browser is known after a sign-in.
pub const KNOWN_BROWSER_LIFETIME: Duration = Duration::from_secs(180 * 24 * 3600);

impl SignIn {
    /// Of a browser without a cookie of this user.
    fn quotas(&self, env: &Env<'_>, account: &str) -> Vec<Quota> {
        let limits = env.realm.sign_in;
        let address = self.peer.network(Width::Address);
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
            quota(
                Counter::PasswordsPerAccount,
                account.to_owned(),
                limits.in_all,
            ),
        ];
        let of_address = env.realm.per_node(limits.in_all);
        quotas.extend(per_network(
            &self.peer,
            Counter::PasswordsPerNetwork,
            "",
            of_address,
        ));
        quotas
    }

    /// The cookie of an earlier sign-in, not yet compared with the user.
    fn known_browser(&self, env: &Env<'_>) -> Option<KnownBrowser> {
        let cookie = self.known_browser.as_ref()?;
        let known = env.realm.sealing.open_known_browser(cookie.reveal())?;
        // A cookie that was made in the future would last for longer.
        let since = known.expires_at - KNOWN_BROWSER_LIFETIME;
        since
            .is_within(KNOWN_BROWSER_LIFETIME, env.now)
            .then_some(known)
    }

    /// What a wrong password counts for, and where this one waits. A known browser has a count of its own, so no one
    /// else can lock it out, and all of a user's have one, since each right sign-in can make one. Once either is used up,
    /// it counts like any other.
    fn attempt(
        &self,
        env: &Env<'_>,
        facts: &Facts,
        account: &str,
    ) -> Result<(Attempt, PasswordQueue), Stop<LimitReached>> {
        if let Some(known) = self.known_browser(env)
            && let Some(user) = self.user(env, facts)?
            && is_of(&known, &user.record)
        {
            let limits = env.realm.sign_in;
            let attempt = Attempt {
                quotas: vec![
                    Quota {
                        counter: Counter::PasswordsPerKnownBrowser,
                        subject: known.id_text(),
                        limit: env.realm.per_node(limits.per_account_and_address),
                    },
                    Quota {
                        counter: Counter::PasswordsInKnownBrowsersPerAccount,
                        subject: known.user.to_string(),
                        limit: env.realm.per_node(limits.in_all),
                    },
                ],
                window: Window::Day,
            };
            match attempt.begin(facts) {
                Ok(()) => return Ok((attempt, PasswordQueue::KnownBrowser(known.user))),
                Err(stop) => stop.recover(|_: LimitReached| ())?,
            }
        }
        let attempt = Attempt {
            quotas: self.quotas(env, account),
            window: Window::Hour,
        };
        let queue = PasswordQueue::Network(self.peer.clone());
        attempt.begin(facts)?;
        Ok((attempt, queue))
    }

    fn too_many(
        &self,
        env: &Env<'_>,
        account: &str,
        limit: &LimitReached,
    ) -> Decision<SignInReply, Infallible> {
        let event = Event::new(EventKind::TriesUsedUp)
            .username(env.realm.sealing.unknown_name(account))
            .because(Cause::TooManyTries);
        Decision::reply(SignInReply::TooMany {
            retry_after: limit.retry_after,
        })
        .event(event.peer(&self.peer))
    }

    /// Two reads, whether or not the user exists.
    fn user(&self, env: &Env<'_>, facts: &Facts) -> Result<Option<Versioned<User>>, Halt> {
        let previous = self.previous.as_ref();
        let previous = previous.map(|cookie| session::key(env, cookie.session()));
        find_by_login(env, facts, &self.username, previous.as_ref())
    }

    /// The user as it was read, with a new hash of the password where the stored one is weak. The epoch stays, so that this
    /// ends nothing.
    fn keep_or_raise(
        &self,
        env: &Env<'_>,
        facts: &Facts,
        queue: PasswordQueue,
        user: &Versioned<User>,
    ) -> Result<Write, Halt> {
        let stored = user.record.password.as_deref();
        if !stored.is_some_and(|hash| StoredHash::parse(hash).is_ok_and(|hash| hash.is_weak())) {
            return Ok(Write::Check {
                key: grant_liveness::user_key(env, user.record.id),
                expect: user.row.version,
            });
        }
        let raised = User {
            password: Some(facts.hash_password_in(queue, &self.password)?),
            ..user.record.clone()
        };
        Ok(records::update(&env.realm.name, &raised, &user.row)?)
    }
}

fn is_of(known: &KnownBrowser, user: &User) -> bool {
    known.user == user.id && user.is_current(known.epoch)
}

impl Task for SignIn {
    type Reply = SignInReply;

    fn decide(
        &self,
        env: &Env<'_>,
        facts: &Facts,
    ) -> Result<Decision<SignInReply, Infallible>, Halt> {
        let account = fold_login(&self.username);
        let is_too_long = check_password(&self.password) == Err(InvalidPassword::Long);
        if is_too_long || !may_be_username(&account) {
            return Ok(Decision::reply(SignInReply::Wrong));
        }
        match self.sign_in(env, facts, &account) {
            Ok(decision) => Ok(decision),
            Err(stop) => stop.recover(|limit| self.too_many(env, &account, &limit)),
        }
    }
}

impl SignIn {
    /// # Errors
    /// [`LimitReached`] if too many wrong passwords were tried.
    fn sign_in(
        &self,
        env: &Env<'_>,
        facts: &Facts,
        account: &str,
    ) -> Result<Decision<SignInReply, Infallible>, Stop<LimitReached>> {
        let (attempt, queue) = self.attempt(env, facts, account)?;
        let user = self.user(env, facts)?;
        let hash = user
            .as_ref()
            .and_then(|user| user.record.password.as_deref());
        let is_right = facts.password_in(queue.clone(), hash, &self.password)?;
        let known = user
            .as_ref()
            .map(|user| (user.record.id, user.record.username.clone()));
        // Asked only then, so that what it costs shows nothing of other names.
        let is_enabled = match &user {
            Some(user) if is_right => facts.is_enabled_user(env, &user.record)?,
            _ => false,
        };
        let is_of_disabled = user.as_ref().is_some_and(|user| user.record.enabled) && !is_enabled;
        let user = user.filter(|_| is_enabled);
        attempt.end(facts, user.is_some())?;
        let Some(user) = user else {
            let mut event = Event::new(EventKind::SignInFailed).because(match (&known, is_right) {
                (None, _) => Cause::UserGone,
                (Some(_), false) => Cause::WrongPassword,
                (Some(_), true) if is_of_disabled => Cause::OrganizationDisabled,
                (Some(_), true) => Cause::UserDisabled,
            });
            event.peer = Some(self.peer.clone());
            event.user = known.as_ref().map(|(id, _)| *id);
            let unknown = || env.realm.sealing.unknown_name(account);
            event.username = Some(known.map_or_else(unknown, |(_, username)| username));
            return Ok(Decision::reply(SignInReply::Wrong).event(event));
        };
        let keep_user = self.keep_or_raise(env, facts, queue, &user)?;
        let authenticated = Authenticated {
            user: &user.record,
            amr: &["pwd"],
            acr: ACR[0],
            at: env.now,
            stay: self.stay,
        };
        let previous = self.previous.as_ref();
        let Established {
            cookie,
            lasts,
            writes,
            excess,
        } = establish_session(env, facts, &authenticated, previous, &self.peer)?;
        let known = self
            .known_browser(env)
            .filter(|known| is_of(known, &user.record))
            .unwrap_or_else(|| KnownBrowser {
                id: env.seed.bytes("known browser"),
                user: user.record.id,
                epoch: user.record.epoch,
                expires_at: env.now + KNOWN_BROWSER_LIFETIME,
            });
        Ok(Decision::reply(SignInReply::SignedIn {
            session: Secret::new(env.realm.sealing.session_cookie(&cookie)),
            lasts,
            known_browser: Secret::new(env.realm.sealing.known_browser(&known)),
        })
        .writes(writes)
        .write(keep_user)
        .excess(excess)
        .event(
            Event::new(EventKind::SignedIn)
                .user(user.record.id)
                .peer(&self.peer),
        ))
    }
}

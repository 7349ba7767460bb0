//! The user changes the password. Whoever is at the browser must know the old one.

use std::convert::Infallible;
use std::time::Duration;

use crate::base::error::Cause;
use crate::base::peer::Peer;
use crate::base::secret::Secret;
use crate::engine::decide::{Decision, Halt, Stop, Task};
use crate::engine::env::Env;
use crate::engine::event::{Event, EventKind};
use crate::engine::facts::{Facts, PasswordQueue};
use crate::engine::limits::{Counter, Quota, Window};
use crate::model::credentials::{InvalidPassword, NewPassword, check_password};
use crate::model::ids::{Epoch, SessionId, UserId};
use crate::people::attempt::{Attempt, LimitReached};
use crate::people::session::{self, SignedIn};
use crate::records::{self, Session, User};
use crate::tokens::handles::{PresentedCookie, SessionCookie};

/// A new password and a new epoch, which ends every other session, grant and consent. This browser's session goes on, with
/// a new secret: its cookie of before may be what was stolen.
#[derive(Debug)]
pub struct ChangePassword {
    pub cookie: Option<PresentedCookie>,
    pub current: Secret,
    pub new: Secret,
    pub peer: Peer,
}

#[derive(Debug)]
pub enum ChangePasswordReply {
    /// The user is not signed in.
    SignIn,
    /// The user cannot change the password here: see `may_change_password`.
    NotHere,
    WrongPassword,
    Unfit(InvalidPassword),
    TooMany {
        /// In seconds.
        retry_after: u64,
    },
    /// Invalid rows of other sessions remain. [`super::EndRevokedSessions`] ends them, so that their clients are notified.
    Changed {
        user: UserId,
        /// The session cookie.
        session: Secret,
        /// How long the browser keeps it. `None`: until it closes.
        lasts: Option<Duration>,
    },
}

/// Not where the configuration file declares the password, nor where there is none yet.
pub(super) fn may_change_password(user: &User) -> bool {
    user.password.is_some() && !user.declares_password()
}

/// Of how many sessions an account has the wrong tries.
const SESSIONS_WORTH: u32 = 5;

impl ChangePassword {
    /// Counts of their own: guesses here lock nobody out of signing in, and come from someone who is signed in. Whoever
    /// holds one session uses up that one's.
    fn quotas(env: &Env<'_>, session: SessionId, user: UserId) -> Vec<Quota> {
        let limit = env.realm.sign_in.per_account_and_address;
        vec![
            Quota {
                counter: Counter::PasswordChangesPerSession,
                subject: session.to_string(),
                limit: env.realm.per_node(limit),
            },
            Quota {
                counter: Counter::PasswordChangesPerAccount,
                subject: user.to_string(),
                limit: env.realm.per_node(limit.saturating_mul(SESSIONS_WORTH)),
            },
        ]
    }
}

impl Task for ChangePassword {
    type Reply = ChangePasswordReply;

    fn decide(
        &self,
        env: &Env<'_>,
        facts: &Facts,
    ) -> Result<Decision<ChangePasswordReply, Infallible>, Halt> {
        let Some(signed_in) = session::signed_in(env, facts, self.cookie.as_ref(), &[])? else {
            return Ok(Decision::reply(ChangePasswordReply::SignIn));
        };
        let user = &signed_in.user.record;
        if !may_change_password(user) {
            return Ok(Decision::reply(ChangePasswordReply::NotHere));
        }
        let new = match NewPassword::new(self.new.clone()) {
            Ok(new) => new,
            Err(why) => return Ok(Decision::reply(ChangePasswordReply::Unfit(why))),
        };
        let event = Event::new(EventKind::TriesUsedUp)
            .username(user.username.clone())
            .because(Cause::TooManyTries)
            .user(user.id);
        let too_many = |limit: LimitReached| {
            let retry_after = limit.retry_after;
            Decision::reply(ChangePasswordReply::TooMany { retry_after })
                .event(event.peer(&self.peer))
        };
        match self.change(env, facts, signed_in, &new) {
            Ok(decision) => Ok(decision),
            Err(stop) => stop.recover(too_many),
        }
    }
}

impl ChangePassword {
    /// # Errors
    /// [`LimitReached`] if too many wrong passwords were tried.
    fn change(
        &self,
        env: &Env<'_>,
        facts: &Facts,
        signed_in: SignedIn,
        new: &NewPassword,
    ) -> Result<Decision<ChangePasswordReply, Infallible>, Stop<LimitReached>> {
        let user = &signed_in.user.record;
        let id = user.id;
        let attempt = Attempt {
            quotas: Self::quotas(env, signed_in.session.record.id, id),
            window: Window::Hour,
        };
        attempt.begin(facts)?;
        let (hash, queue) = (user.password.as_deref(), PasswordQueue::KnownBrowser(id));
        let is_right = check_password(&self.current).is_ok()
            && facts.password_in(queue.clone(), hash, &self.current)?;
        attempt.end(facts, is_right)?;
        if !is_right {
            let event = Event::new(EventKind::SignInFailed)
                .username(user.username.clone())
                .because(Cause::WrongPassword)
                .user(id);
            return Ok(
                Decision::reply(ChangePasswordReply::WrongPassword).event(event.peer(&self.peer))
            );
        }
        let changed = User {
            password: Some(facts.hash_password_in(queue, new.secret())?),
            epoch: Epoch::from_bytes(env.seed.bytes("epoch")),
            ..user.clone()
        };
        let cookie = SessionCookie {
            id: signed_in.session.record.id,
            user: id,
            secret: env.seed.bytes("session secret"),
        };
        let mut session = Session {
            epoch: changed.epoch,
            secret: session::secret_digest(&cookie.secret),
            ..signed_in.session.record
        };
        session.prove_again("pwd", env.now);
        Ok(Decision::reply(ChangePasswordReply::Changed {
            user: id,
            session: Secret::new(env.realm.sealing.session_cookie(&cookie)),
            lasts: session.cookie_lasts(env.now),
        })
        .write(records::update(
            &env.realm.name,
            &changed,
            &signed_in.user.row,
        )?)
        .write(records::update(
            &env.realm.name,
            &session,
            &signed_in.session.row,
        )?)
        .event(
            Event::new(EventKind::PasswordChanged)
                .user(id)
                .peer(&self.peer),
        ))
    }
}

//! Back-channel logout (OpenID Connect Back-Channel Logout): whom to tell that a session ended, when, by which token, and
//! what an answer means. The binary sends.
//!
//! A row is due, is claimed by one conditional write, tried, and settled by another: by whatever a crash comes between, the
//! clients are told once more, never not at all.

use std::time::Duration;

use grantor_jose::{SigningInput, TokenType};

use crate::base::error::Failure;
use crate::base::row::{Key, Write};
use crate::engine::decide::{Decision, Facts, Operation, Stop, Versioned};
use crate::engine::env::Env;
use crate::engine::event::{Event, EventKind};
use crate::model::claims::LogoutTokenClaims;
use crate::model::client::Client;
use crate::model::ids::{ClientId, Jti};
use crate::records::{self, Outbox, Record as _};

/// How long a row is left to whoever claimed it: longer than any request takes.
const LEASE: Duration = Duration::from_secs(60);
/// The pauses between the tries; the last one again and again, until the row ends. Section 2.5: "the OP SHOULD delay
/// retransmission for an appropriate amount of time to avoid overwhelming the RP."
const PAUSES: [Duration; 5] = [
    Duration::from_secs(10),
    Duration::from_secs(60),
    Duration::from_secs(5 * 60),
    Duration::from_secs(30 * 60),
    Duration::from_secs(2 * 60 * 60),
];
/// How long a logout token lives: it is sent at once, and each try has its own.
const TOKEN_LIFE: Duration = Duration::from_secs(2 * 60);

/// Takes a row that was listed as due, so that nobody else tries it meanwhile.
#[derive(Debug)]
pub struct Claim {
    /// The row as it was listed.
    pub outbox: Outbox,
}

/// A row that is ours to try for a minute.
#[derive(Debug)]
pub struct Claimed {
    /// The row, for [`Settle`].
    pub outbox: Outbox,
    /// What to send.
    pub notices: Vec<Notice>,
}

/// A request to one client (section 2.5).
#[derive(Debug)]
pub struct Notice {
    /// The client.
    pub client: ClientId,
    /// Its `backchannel_logout_uri`.
    pub uri: String,
    /// The logout token, before it is signed.
    pub token: SigningInput,
}

impl Operation for Claim {
    /// None where somebody else was first.
    type Reply = Option<Claimed>;

    fn decide(&self, env: &Env<'_>, facts: &Facts) -> Result<Decision<Self::Reply>, Stop> {
        let Some(row) = facts.record::<Outbox>(env, &key(env, &self.outbox))?.live() else {
            return Ok(Decision::reply(None));
        };
        if !row.record.due.is_past(env.now) {
            return Ok(Decision::reply(None));
        }
        let mut outbox = row.record.clone();
        let mut notices = Vec::new();
        // What the operator took from a client since is not used any more.
        for client in &outbox.logout_subscribers {
            let client = env.realm.clients.get(client);
            if let Some((client, uri)) =
                client.and_then(|client| Some((client, client.logout.backchannel_uri.clone()?)))
            {
                notices.push(Notice {
                    client: client.id.clone(),
                    uri,
                    token: logout_token(env, &outbox, client)?,
                });
            }
        }
        if notices.is_empty() {
            return Ok(Decision::reply(None).write(records::delete(&row.row)?));
        }
        outbox.logout_subscribers = notices.iter().map(|notice| notice.client.clone()).collect();
        outbox.attempts = outbox.attempts.saturating_add(1);
        outbox.due = env.now + LEASE;
        let writes = moved(env, &row, &outbox)?;
        Ok(Decision::reply(Some(Claimed { outbox, notices })).writes(writes))
    }
}

/// Section 2.4: "The same keys are used to sign … Logout Tokens as are used for ID Tokens."
fn logout_token(env: &Env<'_>, outbox: &Outbox, client: &Client) -> Result<SigningInput, Failure> {
    let jti = Jti::for_machine(env.seed.bytes(&format!("jti {}", client.id)));
    let claims = LogoutTokenClaims {
        iss: env.realm.issuer.clone(),
        sub: outbox.user.to_string(),
        aud: client.id.clone(),
        sid: outbox.session.to_string(),
        iat: env.now.as_secs(),
        exp: (env.now + TOKEN_LIFE).as_secs(),
        jti,
        events: LogoutTokenClaims::events(),
    };
    let header = env.realm.header(client.id_token_alg, TokenType::Logout)?;
    SigningInput::new(header, &claims).map_err(|_| Failure::Bug("claims are no JSON"))
}

/// What a client's answer means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It knows.
    Delivered,
    /// It does not, and would not at another try.
    Refused,
    /// It may at another try.
    Later,
}

impl Answer {
    /// The meaning of an HTTP status. Section 2.5: requests are sent again only after "potentially recoverable errors (such as
    /// network outage or temporary service interruption at either the OP or RP)"; section 2.8: 400 says that "the logout
    /// request was invalid or the logout failed".
    #[must_use]
    pub const fn of_status(status: u16) -> Self {
        match status {
            // Section 2.8: "OPs should be prepared to also process an HTTP 204 No Content response as a successful
            // response."
            200 | 204 => Self::Delivered,
            408 | 425 | 429 | 500..=599 => Self::Later,
            _ => Self::Refused,
        }
    }
}

/// Writes down what came of a try.
#[derive(Debug)]
pub struct Settle {
    /// The row, as [`Claim`] gave it.
    pub outbox: Outbox,
    /// What each client answered. One that is missing did not.
    pub answers: Vec<(ClientId, Answer)>,
}

impl Settle {
    fn answered(&self, answer: Answer) -> impl Iterator<Item = &ClientId> {
        let clients = self.outbox.logout_subscribers.iter();
        clients.filter(move |client| self.of(client) == answer)
    }

    fn of(&self, client: &ClientId) -> Answer {
        let mut answers = self.answers.iter();
        let found = answers.find(|(known, _)| known == client);
        found.map_or(Answer::Later, |(_, answer)| *answer)
    }

    /// The row for the next try; none where there is nobody to try, or no time.
    fn next(&self, env: &Env<'_>) -> Option<Outbox> {
        let logout_subscribers: Vec<ClientId> = self.answered(Answer::Later).cloned().collect();
        let tries = usize::try_from(self.outbox.attempts).unwrap_or(usize::MAX);
        let pause = PAUSES[tries.saturating_sub(1).min(PAUSES.len() - 1)];
        let due = env.now + pause;
        (!logout_subscribers.is_empty() && due < self.outbox.expires_at).then(|| Outbox {
            logout_subscribers,
            due,
            ..self.outbox.clone()
        })
    }
}

impl Operation for Settle {
    type Reply = ();

    fn decide(&self, env: &Env<'_>, facts: &Facts) -> Result<Decision<()>, Stop> {
        let key = key(env, &self.outbox);
        let row = facts.record::<Outbox>(env, &key)?.live();
        let next = self.next(env);
        let gave_up = next.is_none().then(|| self.answered(Answer::Later));
        let failed = self
            .answered(Answer::Refused)
            .chain(gave_up.into_iter().flatten());
        let event = |kind| {
            move |client| {
                let event = Event::new(kind).user(self.outbox.user);
                event.client(client)
            }
        };
        let events: Vec<Event> = self
            .answered(Answer::Delivered)
            .map(event(EventKind::LogoutDelivered))
            .chain(failed.map(event(EventKind::LogoutFailed)))
            .collect();
        // Without the row, somebody took it over after our minute, and tells whom it names once more.
        let writes = match (row, next) {
            (None, _) => Vec::new(),
            (Some(row), None) => vec![records::delete(&row.row)?],
            (Some(row), Some(next)) => moved(env, &row, &next)?,
        };
        let mut decision = Decision::reply(()).writes(writes);
        decision.events = events;
        Ok(decision)
    }
}

fn key(env: &Env<'_>, outbox: &Outbox) -> Key {
    records::key::<Outbox>(&env.realm.name, &outbox.name())
}

/// The row under the name of its new time.
fn moved(env: &Env<'_>, row: &Versioned<Outbox>, next: &Outbox) -> Result<Vec<Write>, Failure> {
    if next.due == row.record.due {
        return Ok(vec![records::update(&env.realm.name, next, &row.row)?]);
    }
    Ok(records::rename(&env.realm.name, next, &row.row)?.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn openid_backchannel_logout_2_8_200_and_204_are_success_and_400_is_final() {
        for (status, answer) in [
            (200, Answer::Delivered),
            (204, Answer::Delivered),
            (202, Answer::Refused),
            (302, Answer::Refused),
            (400, Answer::Refused),
            (404, Answer::Refused),
            (408, Answer::Later),
            (429, Answer::Later),
            (500, Answer::Later),
            (503, Answer::Later),
        ] {
            assert_eq!(Answer::of_status(status), answer, "{status}");
        }
    }
}

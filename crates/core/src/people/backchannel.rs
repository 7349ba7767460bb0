//! Back-channel logout (OpenID Connect Back-Channel Logout): which clients to notify of a session's end, when, with which
//! token, and what a response means. The server sends the requests.
//!
//! A due row is claimed by one conditional write, tried, and settled by another. After a crash in between, the clients are
//! notified again: delivery is at least once.

use std::convert::Infallible;
use std::time::Duration;

use grantor_jose::{SigningInput, TokenType};

use crate::base::error::{Cause, Failure};
use crate::base::row::{Key, Write};
use crate::engine::decide::{Decision, Halt, Task};
use crate::engine::env::Env;
use crate::engine::event::{Event, EventKind};
use crate::engine::facts::{Facts, Versioned};
use crate::engine::limits::{Counter, Quota, QuotaAnswer, QuotaQuery, Window};
use crate::model::claims::LogoutTokenClaims;
use crate::model::client::Client;
use crate::model::ids::{ClientId, Jti};
use crate::records::{self, Outbox, Record as _};

/// How long a claimed row is left to its claimer. Longer than any request takes.
const LEASE: Duration = Duration::from_secs(60);
/// The delays between attempts; the last one repeats until the row expires. Section 2.5: "the OP SHOULD delay
/// retransmission for an appropriate amount of time to avoid overwhelming the RP."
const RETRY_DELAYS: [Duration; 5] = [
    Duration::from_secs(10),
    Duration::from_secs(60),
    Duration::from_secs(5 * 60),
    Duration::from_secs(30 * 60),
    Duration::from_secs(2 * 60 * 60),
];
/// A user's sign-outs in a day whose first attempt failed and that are tried again. Each is a row for a day while its client
/// is away, and signing in and out makes such rows without end.
const MAX_UNDELIVERED_PER_USER: u32 = 1000;
/// Short, because each attempt sends a new token at once.
const LOGOUT_TOKEN_LIFETIME: Duration = Duration::from_secs(2 * 60);

/// Claims a row that was listed as due, so that no other node tries it meanwhile.
#[derive(Debug)]
pub struct Claim {
    pub outbox: Outbox,
}

/// A row claimed for a minute.
#[derive(Debug)]
pub struct Claimed {
    /// For [`Settle`].
    pub outbox: Outbox,
    pub notices: Vec<Notice>,
}

/// The request to one client (section 2.5).
#[derive(Debug)]
pub struct Notice {
    pub client: ClientId,
    /// Its `backchannel_logout_uri`.
    pub uri: String,
    /// The logout token, not yet signed.
    pub token: SigningInput,
}

impl Task for Claim {
    /// None where another node claimed it first.
    type Reply = Option<Claimed>;

    fn decide(
        &self,
        env: &Env<'_>,
        facts: &Facts,
    ) -> Result<Decision<Self::Reply, Infallible>, Halt> {
        let Some(row) = facts.record::<Outbox>(env, &key(env, &self.outbox))?.live() else {
            return Ok(Decision::reply(None));
        };
        if !row.record.is_due(env.now) {
            return Ok(Decision::reply(None));
        }
        let mut outbox = row.record.clone().claimed(env.now + LEASE, env.now);
        let mut notices = Vec::new();
        facts.need_clients(env, row.record.logout_subscribers.ids())?;
        // Clients that were removed since, or lost their URI, are skipped.
        for id in row.record.logout_subscribers.ids() {
            let client = facts.client(env, id)?;
            let client = client.filter(|client| outbox.logout_subscribers.contains(client));
            if let Some(client) = client
                && let Some(uri) = client.logout.backchannel_uri.clone()
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
        let noticed = |id: &ClientId| notices.iter().any(|notice| notice.client == *id);
        outbox.logout_subscribers = outbox.logout_subscribers.only(noticed);
        let writes = reschedule(env, &row, &outbox)?;
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
        exp: (env.now + LOGOUT_TOKEN_LIFETIME).as_secs(),
        jti,
        events: LogoutTokenClaims::events(),
    };
    let header = env.realm.header(client.id_token_alg, TokenType::Logout)?;
    SigningInput::new(header, &claims).map_err(|_| Failure::Bug("claims do not serialize"))
}

/// The meaning of a client's response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    Delivered,
    /// Another attempt would fail too.
    Refused,
    /// Another attempt may succeed.
    Later,
}

impl Answer {
    /// Section 2.5: requests are sent again only after "potentially recoverable errors (such as
    /// network outage or temporary service interruption at either the OP or RP)"; section 2.8: 400 says that "the logout
    /// request was invalid or the logout failed".
    #[must_use]
    pub const fn from_status(status: u16) -> Self {
        match status {
            // Section 2.8: "OPs should be prepared to also process an HTTP 204 No Content response as a successful
            // response."
            200 | 204 => Self::Delivered,
            408 | 425 | 429 | 500..=599 => Self::Later,
            _ => Self::Refused,
        }
    }
}

/// Records the outcome of an attempt.
#[derive(Debug)]
pub struct Settle {
    /// From [`Claimed`].
    pub outbox: Outbox,
    /// A client without an entry did not answer.
    pub answers: Vec<(ClientId, Answer)>,
}

impl Settle {
    fn clients_with(&self, answer: Answer) -> impl Iterator<Item = &ClientId> {
        let clients = self.outbox.logout_subscribers.ids().iter();
        clients.filter(move |client| self.answer_of(client) == answer)
    }

    fn answer_of(&self, client: &ClientId) -> Answer {
        let mut answers = self.answers.iter();
        let found = answers.find(|(known, _)| known == client);
        found.map_or(Answer::Later, |(_, answer)| *answer)
    }

    /// The row for the next attempt; none where no client is left or the row would expire first.
    fn next(&self, env: &Env<'_>) -> Option<Outbox> {
        let later = |id: &ClientId| self.answer_of(id) == Answer::Later;
        let logout_subscribers = self.outbox.logout_subscribers.only(later);
        let attempts = usize::try_from(self.outbox.attempts).unwrap_or(usize::MAX);
        let delay = RETRY_DELAYS[attempts.saturating_sub(1).min(RETRY_DELAYS.len() - 1)];
        let due = env.now + delay;
        (!logout_subscribers.is_empty() && due < self.outbox.expires_at).then(|| Outbox {
            logout_subscribers,
            due,
            ..self.outbox.clone()
        })
    }
}

/// Whether one more sign-out of the user may wait for its clients.
fn may_wait(env: &Env<'_>, facts: &Facts, outbox: &Outbox) -> Result<bool, Halt> {
    // Counted once. A first attempt that ended with its process is not counted.
    if outbox.attempts > 1 {
        return Ok(true);
    }
    let quota = Quota {
        counter: Counter::UndeliveredPerUser,
        subject: outbox.user.to_string(),
        limit: env.realm.per_node(MAX_UNDELIVERED_PER_USER),
    };
    let answer = facts.quota(QuotaQuery::Reserve {
        quotas: vec![quota],
        window: Window::Day,
    })?;
    Ok(!matches!(answer, QuotaAnswer::Full { .. }))
}

impl Task for Settle {
    type Reply = ();

    fn decide(&self, env: &Env<'_>, facts: &Facts) -> Result<Decision<(), Infallible>, Halt> {
        let key = key(env, &self.outbox);
        let row = facts.record::<Outbox>(env, &key)?.live();
        let mut next = self.next(env);
        let is_dropped = next.is_some() && !may_wait(env, facts, &self.outbox)?;
        if is_dropped {
            next = None;
        }
        let event = |kind| {
            move |client| {
                let event = Event::new(kind).user(self.outbox.user);
                event.client(client)
            }
        };
        let delivered = self.clients_with(Answer::Delivered);
        let refused = self.clients_with(Answer::Refused);
        let mut events: Vec<Event> = delivered
            .map(event(EventKind::LogoutDelivered))
            .chain(refused.map(event(EventKind::LogoutFailed)))
            .collect();
        if next.is_none() {
            let gave_up = self.clients_with(Answer::Later);
            let gave_up = gave_up.map(event(EventKind::LogoutFailed));
            events.extend(gave_up.map(|event| match is_dropped {
                true => event.because(Cause::TooManyUndelivered),
                false => event,
            }));
        }
        // Without the row, our lease ran out and another node claimed it.
        let writes = match (row, next) {
            (None, _) => Vec::new(),
            (Some(row), None) => vec![records::delete(&row.row)?],
            (Some(row), Some(next)) => reschedule(env, &row, &next)?,
        };
        let mut decision = Decision::reply(()).writes(writes);
        decision.events = events;
        Ok(decision)
    }
}

fn key(env: &Env<'_>, outbox: &Outbox) -> Key {
    records::key::<Outbox>(&env.realm.name, &outbox.name())
}

/// A row's name begins with its due time, so a new time needs a new row.
fn reschedule(
    env: &Env<'_>,
    row: &Versioned<Outbox>,
    next: &Outbox,
) -> Result<Vec<Write>, Failure> {
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
            assert_eq!(Answer::from_status(status), answer, "{status}");
        }
    }
}

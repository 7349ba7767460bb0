//! Requests that may be sent again: with an `Idempotency-Key`, a POST is done once, and its retry gets the same answer.

use std::fmt;
use std::time::Duration;

use aws_lc_rs::digest;

use super::admitted::ApiOperation;
use super::answer::ApiAnswer;
use super::caller::Caller;
use super::refusal::{ApiCode, ApiRefusal};
use crate::base::error::Failure;
use crate::base::row::{Key, Write};
use crate::base::sealing::EncryptedKind;
use crate::engine::decide::{Decision, Halt, Stop};
use crate::engine::env::Env;
use crate::engine::facts::{Facts, Need};
use crate::engine::limits::{Counter, Quota, QuotaAnswer, QuotaQuery, Window};
use crate::model::realm::Realm;
use crate::model::right::Right;
use crate::records::{self, IdempotentAnswer};

const LIFETIME: Duration = Duration::from_secs(24 * 3600);
/// How many answers are kept for one caller.
const MAX_PER_CALLER: u32 = 1000;
const MAX_KEY_BYTES: usize = 255;

/// The key of a request, and what it was sent with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey {
    key: String,
    /// SHA-256 of route and body.
    request: String,
}

impl IdempotencyKey {
    /// The header's values, of which there may be one.
    ///
    /// # Errors
    /// 400 for several, and for one that is not 1 to 255 visible ASCII characters.
    pub fn parse<'h>(
        mut values: impl Iterator<Item = &'h [u8]>,
        route: &str,
        body: &[u8],
    ) -> Result<Option<Self>, ApiRefusal> {
        let (Some(key), other) = (values.next(), values.next()) else {
            return Ok(None);
        };
        let is_valid =
            (1..=MAX_KEY_BYTES).contains(&key.len()) && key.iter().all(u8::is_ascii_graphic);
        let key = std::str::from_utf8(key)
            .ok()
            .filter(|_| is_valid && other.is_none());
        let key = key.ok_or(ApiRefusal::new(
            ApiCode::Malformed,
            "Idempotency-Key is not 1 to 255 visible ASCII characters.",
        ))?;
        Ok(Some(Self {
            key: key.to_owned(),
            request: sha256(&[route.as_bytes(), b"\0", body]),
        }))
    }
}

/// An operation whose answer is kept where the request has a key.
pub struct Idempotent<O, F> {
    operation: O,
    key: Option<IdempotencyKey>,
    render: F,
}

impl<O: ApiOperation, F: Fn(O::Reply) -> ApiAnswer> Idempotent<O, F> {
    #[must_use]
    pub const fn new(operation: O, key: Option<IdempotencyKey>, render: F) -> Self {
        Self {
            operation,
            key,
            render,
        }
    }
}

impl<O: fmt::Debug, F> fmt::Debug for Idempotent<O, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.operation.fmt(f)
    }
}

impl<O: ApiOperation, F: Fn(O::Reply) -> ApiAnswer> ApiOperation for Idempotent<O, F> {
    type Reply = ApiAnswer;

    fn needs(&self) -> &'static [Right] {
        self.operation.needs()
    }

    fn reads(&self, realm: &Realm) -> Vec<Key> {
        self.operation.reads(realm)
    }

    fn decide(
        &self,
        env: &Env<'_>,
        facts: &Facts,
        caller: &Caller,
    ) -> Result<Decision<ApiAnswer, ApiRefusal>, Stop<ApiRefusal>> {
        let decide = || self.operation.decide(env, facts, caller);
        let Some(sent) = &self.key else {
            return Ok(decide()?.map_reply(&self.render));
        };
        let mut record = IdempotentAnswer {
            caller: caller_name(caller),
            key: sent.key.clone(),
            request: sent.request.clone(),
            answer: String::new(),
            expires_at: env.now + LIFETIME,
        };
        let key =
            records::key::<IdempotentAnswer>(&env.realm.name, &records::Record::name(&record));
        let stored = match facts.record::<IdempotentAnswer>(env, &key) {
            Ok(stored) => stored.live(),
            Err(Halt::Fail(failure)) => return Err(failure.into()),
            Err(Halt::Need(mut needs)) => {
                // Together with the rows that the operation reads first.
                let is_row = |need: &Need| matches!(need, Need::Row(_));
                if let Err(Stop::Need(first)) = decide()
                    && first.iter().all(is_row)
                {
                    needs.extend(first);
                }
                return Err(Stop::Need(needs));
            }
        };
        if let Some(stored) = stored {
            let answer = repeated(env, sent, &stored.record)?;
            return Ok(Decision::reply(answer));
        }
        let decision = decide()?.map_reply(&self.render);
        let Ok(answer) = &decision.reply else {
            return Ok(decision);
        };
        reserve(env, facts, &record.caller)?;
        record.answer = sealed(env, &record, answer)?;
        let write: Write = records::insert(&env.realm.name, &record)?;
        Ok(decision.write(write))
    }
}

/// What stands for a caller in the row's name. A client or user that is made again under the same name is another one, and
/// so is a caller with other rights or of another organization.
fn caller_name(caller: &Caller) -> String {
    let Caller {
        actor,
        rights,
        organization,
        user,
        token,
        instance,
        ..
    } = caller;
    let client = token.as_ref().map(|token| token.client_id.as_str());
    let epoch = user.as_ref().map(|user| user.epoch);
    let who = format!("{client:?} {instance:?} {epoch:?} {organization:?} {rights:?}");
    format!("{actor}.{}", &sha256(&[who.as_bytes()])[..16])
}

fn repeated(
    env: &Env<'_>,
    sent: &IdempotencyKey,
    stored: &IdempotentAnswer,
) -> Result<ApiAnswer, ApiRefusal> {
    const OTHER: ApiRefusal = ApiRefusal::new(
        ApiCode::IdempotencyKeyReused,
        "This Idempotency-Key was sent with another request.",
    );
    if stored.request != sent.request {
        return Err(OTHER);
    }
    let plain = env
        .realm
        .sealing
        .decrypt(EncryptedKind::ApiAnswer, &bound(stored), &stored.answer);
    // The key that sealed it may be gone.
    plain
        .and_then(|plain| serde_json::from_slice(&plain).ok())
        .ok_or(OTHER)
}

fn sealed(env: &Env<'_>, record: &IdempotentAnswer, answer: &ApiAnswer) -> Result<String, Failure> {
    let plain = records::to_json(answer)?;
    let nonce = env.seed.bytes("idempotent answer");
    env.realm
        .sealing
        .encrypt(EncryptedKind::ApiAnswer, &bound(record), plain, nonce)
        .ok_or(Failure::Bug("an answer cannot be sealed"))
}

/// An answer opens in its own row only.
fn bound(record: &IdempotentAnswer) -> Vec<u8> {
    [
        records::Record::name(record).as_bytes(),
        b"\0",
        record.request.as_bytes(),
    ]
    .concat()
}

/// Counted in memory, so that a request costs the same however many there are.
fn reserve(env: &Env<'_>, facts: &Facts, caller: &str) -> Result<(), Stop<ApiRefusal>> {
    let quota = Quota {
        counter: Counter::IdempotencyKeysPerCaller,
        subject: caller.to_owned(),
        limit: env.realm.per_node(MAX_PER_CALLER),
    };
    let answer = facts.quota(QuotaQuery::Reserve {
        quotas: vec![quota],
        window: Window::Day,
    })?;
    match answer {
        QuotaAnswer::Reserved { .. } => Ok(()),
        QuotaAnswer::Full { retry_after } => Err(ApiRefusal {
            retry_after: Some(retry_after),
            ..ApiRefusal::new(
                ApiCode::TooManyRequests,
                "Too many Idempotency-Keys of the last 24 hours: 1,000 are kept.",
            )
        }
        .into()),
    }
}

fn sha256(parts: &[&[u8]]) -> String {
    let mut context = digest::Context::new(&digest::SHA256);
    parts.iter().for_each(|part| context.update(part));
    context
        .finish()
        .as_ref()
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_one_header_of_visible_characters_and_names_route_and_body() {
        let parse = |values: &[&str], route: &str, body: &str| {
            let values: Vec<_> = values.iter().map(|value| value.as_bytes()).collect();
            IdempotencyKey::parse(values.into_iter(), route, body.as_bytes())
        };
        assert_eq!(parse(&[], "POST /users", "{}"), Ok(None));
        let one = parse(&["k"], "POST /users", "{}");
        assert_eq!(one, parse(&["k"], "POST /users", "{}"));
        assert_ne!(one, parse(&["k"], "POST /users", "{ }"));
        assert_ne!(one, parse(&["k"], "POST /clients", "{}"));
        for bad in [
            &["a", "b"][..],
            &[""],
            &["a b"],
            &["é"],
            &["a".repeat(256).as_str()],
        ] {
            let code = parse(bad, "POST /users", "{}").map_err(|it| it.code);
            assert_eq!(code, Err(ApiCode::Malformed), "{bad:?}");
        }
    }
}

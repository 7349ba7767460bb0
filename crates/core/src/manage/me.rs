//! Who the caller is.

use super::admitted::ApiOperation;
use super::caller::{Actor, Caller};
use super::refusal::ApiRefusal;
use crate::engine::decide::{Decision, Stop};
use crate::engine::env::Env;
use crate::engine::facts::Facts;
use crate::model::right::Right;

/// Any live token that the API takes may ask.
#[derive(Clone, Copy, Debug)]
pub struct Me;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MeReply {
    /// Of a token; the operator has none.
    pub sub: Option<String>,
    pub username: Option<String>,
    pub client_id: Option<String>,
    /// Whether a client acts for itself.
    pub machine: bool,
    pub organization: Option<String>,
    pub groups: Vec<String>,
    pub rights: Vec<&'static str>,
    /// Seconds since the epoch.
    pub auth_time: Option<u64>,
    pub amr: Vec<String>,
    pub grant: Option<String>,
    /// `operator:UID`, `user:SUB` or `client:ID`, as changes name it.
    pub actor: String,
}

impl ApiOperation for Me {
    type Reply = MeReply;

    fn needs(&self) -> &'static [Right] {
        &[]
    }

    fn decide(
        &self,
        _: &Env<'_>,
        _: &Facts,
        caller: &Caller,
    ) -> Result<Decision<MeReply, ApiRefusal>, Stop<ApiRefusal>> {
        let (token, user) = (caller.token.as_ref(), caller.user.as_ref());
        let authorization = caller.authorization.as_ref();
        let grant = token.and_then(|token| token.jti.grant());
        Ok(Decision::reply(MeReply {
            sub: token.map(|token| token.sub.clone()),
            username: user.map(|user| user.username.clone()),
            client_id: token.map(|token| token.client_id.to_string()),
            machine: matches!(caller.actor, Actor::Machine(_)),
            organization: caller.organization.as_ref().map(ToString::to_string),
            groups: user.map(|user| user.groups.clone()).unwrap_or_default(),
            rights: caller.rights.iter().map(Right::name).collect(),
            auth_time: authorization.map(|it| it.auth_time.as_secs()),
            amr: authorization.map(|it| it.amr.clone()).unwrap_or_default(),
            grant: grant.map(|grant| grant.to_string()),
            actor: caller.actor.to_string(),
        }))
    }
}

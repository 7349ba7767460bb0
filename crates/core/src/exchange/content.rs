//! The content of the issued token.

use std::time::Duration;

use super::decision::{Granted, Issuable, UserGrant};
use super::party::Party;
use crate::base::error::Failure;
use crate::base::time::Timestamp;
use crate::engine::env::Env;
use crate::model::claim_mapping::ClaimSources;
use crate::model::claims::{ACR, AccessTokenClaims, IdTokenClaims};
use crate::model::client::Client;
use crate::model::ids::Jti;
use crate::model::resource::Resource;
use crate::model::target;
use crate::model::target::RequestedResources;
use crate::records::{Authorization, Exchanged, NewGrant, User};
use crate::tokens::bearer::TokenOwner;
use crate::tokens::issue::{self, TokenSubject};
use crate::tokens::user_claims::{self, Agreed, LeftOut};

/// Before it is signed, sealed or stored.
#[derive(Debug)]
pub(crate) enum Content<'p> {
    Access(Box<AccessTokenClaims>, &'p Resource),
    Id(Box<IdTokenClaims>, LeftOut),
    Refresh(Box<NewGrant>),
}

impl Content<'_> {
    pub(crate) fn ends_at(&self) -> Timestamp {
        match self {
            Self::Access(claims, _) => Timestamp::from_secs(claims.exp),
            Self::Id(claims, _) => Timestamp::from_secs(claims.exp),
            Self::Refresh(new) => new.exchanged.ends_at,
        }
    }

    /// # Errors
    /// [`Failure::Operator`] where the claims would be too long.
    pub(crate) fn new<'p>(
        env: &Env<'_>,
        client: &Client,
        subject: &Party,
        granted: &Granted<'p>,
    ) -> Result<Content<'p>, Failure> {
        Ok(match &granted.issuable {
            Issuable::Access(resource) => {
                let claims = access_token(env, client, subject, resource, granted);
                Content::Access(Box::new(claims), resource)
            }
            Issuable::Id(given) => {
                let (claims, left_out) = id_token(env, client, subject, given, granted)?;
                Content::Id(Box::new(claims), left_out)
            }
            Issuable::Refresh(resource, given) => {
                let UserGrant {
                    grant,
                    authorization,
                } = given;
                Content::Refresh(Box::new(NewGrant {
                    exchanged: Exchanged {
                        parent: grant.id,
                        given_to: subject.client.clone().unwrap_or_else(|| client.id.clone()),
                        act: granted.act.clone(),
                        ends_at: granted.ends_at.min(grant.expires_at),
                    },
                    resources: RequestedResources::only(resource),
                    authorization: Authorization {
                        scope: granted.scope.clone(),
                        ..authorization.clone()
                    },
                }))
            }
        })
    }
}

fn access_token(
    env: &Env<'_>,
    client: &Client,
    subject: &Party,
    resource: &Resource,
    granted: &Granted<'_>,
) -> AccessTokenClaims {
    let target = target::Target {
        resource: Some(resource),
        scope: granted.scope.clone(),
    };
    let jti = match &subject.owner {
        TokenOwner::Grant(grant) => Jti::for_grant(grant.0.record.id, env.seed.bytes("jti")),
        TokenOwner::User(user) => Jti::for_user(user.epoch, env.seed.bytes("jti")),
        TokenOwner::None => Jti::for_machine(env.seed.bytes("jti")),
    };
    let token_subject = TokenSubject {
        sub: subject.sub.clone(),
        jti,
        ends_at: expiry(env, target.lifetime(client), granted),
        user: subject.owner.user(),
        grant: subject.owner.grant(),
        act: granted.act.clone(),
    };
    issue::access_claims(env, client, &target, token_subject)
}

fn id_token(
    env: &Env<'_>,
    client: &Client,
    subject: &Party,
    given: &UserGrant,
    granted: &Granted<'_>,
) -> Result<(IdTokenClaims, LeftOut), Failure> {
    let UserGrant {
        grant,
        authorization,
    } = given;
    let sources = ClaimSources {
        user: subject.owner.user().map(User::facts),
        client_id: &client.id,
        client_name: &client.name,
        grant: Some(grant.facts()),
    };
    // The rule decides what the client is told.
    let (agreed, mut left_out) = (Agreed::default(), LeftOut::default());
    let further = user_claims::id_token_claims(
        env.realm,
        client,
        &granted.scope,
        agreed,
        &sources,
        &mut left_out,
    )?;
    let claims = IdTokenClaims {
        iss: env.realm.issuer.clone(),
        sub: authorization.user.to_string(),
        aud: client.id.clone(),
        exp: expiry(env, env.realm.lifetimes.id, granted).as_secs(),
        iat: env.now.as_secs(),
        auth_time: authorization.auth_time.as_secs(),
        amr: authorization.amr.clone(),
        acr: Some(ACR[0].to_owned()),
        sid: authorization.session.map(|id| id.to_string()),
        // No grant in the jti: otherwise exchanging this token would give the full scope of the grant.
        jti: Jti::for_machine(env.seed.bytes("id_jti")),
        act: granted.act.clone(),
        nonce: None,
        further,
        at_hash: None,
        alg: client.id_token_alg,
    };
    Ok((claims, left_out))
}

/// Never later than the subject token's.
fn expiry(env: &Env<'_>, lifetime: Duration, granted: &Granted<'_>) -> Timestamp {
    (env.now + lifetime).min(granted.ends_at)
}

//! Verifies our own access tokens: first the signature or seal, then the rows that they depend on.

use std::cell::OnceCell;
use std::sync::Arc;

use crate::base::error::{Cause, ErrorCode, Refusal};
use crate::base::params::Params;
use crate::base::row::Key;
use crate::base::secret::Secret;
use crate::base::time::Timestamp;
use crate::engine::decide::{Halt, Stop};
use crate::engine::env::Env;
use crate::engine::facts::{Facts, Versioned};
use crate::model::claims::AccessTokenClaims;
use crate::model::claims_request::RequestedClaims;
use crate::model::ids::UserId;
use crate::model::realm::Realm;
use crate::model::scope::Scope;
use crate::records::{self, Grant, RevokedToken, Session, User};
use crate::tokens::grant_liveness::{self, GrantDependencies};
use crate::tokens::handles::RefreshToken;

/// A token that a request presents.
#[derive(Clone, Debug)]
pub(crate) struct PresentedToken(Arc<Secret>);

/// What this realm reads in a token. Its signature is verified when that is asked for, and once, since decisions are
/// repeated and signatures are expensive to verify.
pub struct OpenedToken {
    token: PresentedToken,
    refresh_token: Option<RefreshToken>,
    claims: OnceCell<Option<Arc<AccessTokenClaims>>>,
}

impl PresentedToken {
    pub(crate) fn new(token: Secret) -> Self {
        Self(Arc::new(token))
    }

    /// The parameter `token` (RFC 7009 section 2.1, RFC 7662 section 2.1).
    pub(crate) fn parse(params: &Params) -> Result<Self, Refusal> {
        let missing = Refusal::new(ErrorCode::InvalidRequest, "The parameter token is missing.");
        let token = params.opt("token").ok_or(missing)?;
        Ok(Self::new(Secret::new(token)))
    }

    pub(crate) fn reveal(&self) -> &str {
        self.0.reveal()
    }

    pub(crate) fn open(&self, realm: &Realm) -> OpenedToken {
        OpenedToken {
            token: self.clone(),
            refresh_token: realm.sealing.open_refresh_token(self.reveal()),
            claims: OnceCell::new(),
        }
    }
}

impl OpenedToken {
    /// A refresh token that this realm issued.
    pub(crate) const fn refresh_token(&self) -> Option<RefreshToken> {
        self.refresh_token
    }

    /// The claims of an access token that this realm issued, live or not. `env` has the realm that opened it.
    pub(crate) fn claims(&self, env: &Env<'_>) -> Option<Arc<AccessTokenClaims>> {
        let verify = || open(env.realm, self.token.reveal());
        self.claims.get_or_init(verify).clone()
    }

    /// The claims, if they were asked for.
    pub(crate) fn known_claims(&self) -> Option<&AccessTokenClaims> {
        self.claims.get()?.as_deref()
    }
}

/// The claims of an access token that this realm issued, live or not.
fn open(realm: &Realm, token: &str) -> Option<Arc<AccessTokenClaims>> {
    let claims = match realm.sealing.open_access_token(token) {
        Some(sealed) => Arc::new(serde_json::from_slice::<AccessTokenClaims>(&sealed).ok()?),
        None => realm.signing.access_token(token)?,
    };
    (claims.iss == realm.issuer).then_some(claims)
}

#[derive(Debug)]
pub(crate) struct LiveToken {
    pub(crate) claims: Arc<AccessTokenClaims>,
    pub(crate) owner: TokenOwner,
}

/// What a token depends on in addition to its clients.
#[derive(Debug)]
pub(crate) enum TokenOwner {
    /// Nothing: the subject is a machine, or another issuer's.
    None,
    /// A user whom a trusted issuer vouched for.
    User(Box<User>),
    /// A user's grant.
    Grant(Box<(Versioned<Grant>, GrantDependencies)>),
}

impl TokenOwner {
    pub(crate) fn user(&self) -> Option<&User> {
        match self {
            Self::None => None,
            Self::User(user) => Some(user),
            Self::Grant(grant) => Some(&grant.1.user.record),
        }
    }

    pub(crate) fn grant(&self) -> Option<&Grant> {
        match self {
            Self::Grant(grant) => Some(&grant.0.record),
            Self::None | Self::User(_) => None,
        }
    }
}

impl LiveToken {
    /// Its scope, without what its user can no longer be given.
    pub(crate) fn scope(&self, env: &Env<'_>) -> Scope {
        let (scope, issued_at) = (&self.claims.scope, Timestamp::from_secs(self.claims.iat));
        match self.owner.user() {
            Some(user) => env
                .realm
                .within_limits(scope, Some(&user.groups), issued_at),
            None => env.realm.given_since(scope, issued_at),
        }
    }

    /// # Errors
    /// [`Halt`] if the client is not known yet.
    pub(crate) fn requested(&self, env: &Env<'_>, facts: &Facts) -> Result<RequestedClaims, Halt> {
        let authorization = self.owner.grant().and_then(Grant::active);
        let both = authorization.zip(facts.client(env, &self.claims.client_id)?);
        Ok(
            both.map_or_else(RequestedClaims::default, |(authorization, client)| {
                authorization.claims.clone().within(&client.scopes)
            }),
        )
    }
}

/// Whether a token has not expired. One that was signed in the future has an end that no one meant: the clock has stepped
/// back since.
pub(crate) fn is_current(iat: u64, exp: u64, now: Timestamp) -> bool {
    exp > now.as_secs() && Timestamp::from_secs(iat).age(now).is_some()
}

/// Checks that an access token is not expired or revoked, that its client and actors are enabled, and that a user's
/// token has a live grant and user. The rows of `also` are read together with those that this needs.
pub(crate) fn verify_live(
    env: &Env<'_>,
    facts: &Facts,
    claims: Arc<AccessTokenClaims>,
    also: &[Key],
) -> Result<LiveToken, Stop<Cause>> {
    if !is_current(claims.iat, claims.exp, env.now) {
        return Err(Cause::TokenExpired.into());
    }
    let issued_at = Timestamp::from_secs(claims.iat);
    if facts
        .client_since(env, &claims.client_id, issued_at)?
        .is_none()
    {
        return Err(Cause::DisabledClient.into());
    }
    let revoked = records::key::<RevokedToken>(&env.realm.name, claims.jti.as_str());
    let (grant, epoch) = (claims.jti.grant(), claims.jti.epoch());
    let grant = grant.map(|id| records::key::<Grant>(&env.realm.name, &id.to_string()));
    // The token names its user and session, so one read gets them all. Without a grant it is a machine's, or exchanged for
    // a machine's or a trusted issuer's token.
    let user = claims.sub.parse::<UserId>().ok();
    let user = user.filter(|_| grant.is_some() || epoch.is_some());
    let user = user.map(|user| grant_liveness::user_key(env, user));
    let session = claims.sid.as_deref().filter(|_| grant.is_some());
    let session = session.map(|session| records::key::<Session>(&env.realm.name, session));
    let actors = grant_liveness::actor_keys(env, facts, claims.act.as_ref())?;
    let keys = [&revoked].into_iter().chain(&grant).chain(&user);
    // One row of them may be the user's own.
    let also = also.iter().filter(|key| Some(*key) != user.as_ref());
    let keys = keys.chain(&session).chain(&actors).chain(also);
    facts.need(&keys.collect::<Vec<_>>())?;
    let revoked = facts.record::<RevokedToken>(env, &revoked)?;
    if revoked.live().is_some() {
        return Err(Cause::TokenRevoked.into());
    }
    grant_liveness::check_actors(env, facts, claims.act.as_ref(), issued_at)?;
    let owner = match (grant, epoch.zip(user)) {
        (Some(grant), _) => live_grant(env, facts, &grant)?,
        (None, Some((epoch, key))) => {
            let user = grant_liveness::user_at_epoch(env, facts, &key, epoch)?;
            TokenOwner::User(Box::new(user.record))
        }
        (None, None) if grant_liveness::knows_subject(env, facts, &claims.sub, issued_at)? => {
            TokenOwner::None
        }
        (None, None) => return Err(Cause::SubjectGone.into()),
    };
    Ok(LiveToken { claims, owner })
}

/// The live grant with this key, if its client is enabled.
pub(crate) fn live_grant(
    env: &Env<'_>,
    facts: &Facts,
    key: &Key,
) -> Result<TokenOwner, Stop<Cause>> {
    let Some(grant) = facts.record::<Grant>(env, key)?.live() else {
        return Err(Cause::NoSuchGrant.into());
    };
    if grant.record.active().is_none() {
        return Err(Cause::RevokedGrant.into());
    }
    if facts.live_client(env, &grant.record)?.is_none() {
        return Err(Cause::DisabledClient.into());
    }
    let dependencies = grant_liveness::check(env, facts, &grant.record)?;
    Ok(TokenOwner::Grant(Box::new((grant, dependencies))))
}

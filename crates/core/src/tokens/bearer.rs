//! Verifies our own access tokens: first the signature or seal, then the rows that they depend on.

use std::cell::OnceCell;

use grantor_jose::TokenType;

use crate::base::error::{Cause, ErrorCode, Refusal};
use crate::base::params::Params;
use crate::base::row::Key;
use crate::base::secret::Secret;
use crate::base::time::Timestamp;
use crate::engine::decide::{Facts, Stop, Versioned};
use crate::engine::env::Env;
use crate::model::claims::AccessTokenClaims;
use crate::model::claims_request::RequestedClaims;
use crate::model::ids::UserId;
use crate::model::realm::Realm;
use crate::records::{self, Grant, RevokedToken, Session, User};
use crate::tokens::grant_liveness::{self, GrantDependencies};

/// A presented token. Verified once, since decisions are repeated and signatures are expensive to verify.
#[derive(Debug)]
pub(crate) struct PresentedToken {
    token: Secret,
    claims: OnceCell<Option<AccessTokenClaims>>,
}

impl PresentedToken {
    pub(crate) const fn new(token: Secret) -> Self {
        Self {
            token,
            claims: OnceCell::new(),
        }
    }

    /// The parameter `token` (RFC 7009 section 2.1, RFC 7662 section 2.1).
    pub(crate) fn parse(params: &Params) -> Result<Self, Refusal> {
        let missing = Refusal::new(ErrorCode::InvalidRequest, "The parameter token is missing.");
        let token = params.opt("token").ok_or(missing)?;
        Ok(Self::new(Secret::new(token)))
    }

    pub(crate) fn reveal(&self) -> &str {
        self.token.reveal()
    }

    /// The claims of an access token that this realm issued, live or not. Cached: one drive has one realm.
    pub(crate) fn claims(&self, env: &Env<'_>) -> Option<AccessTokenClaims> {
        self.claims
            .get_or_init(|| open(env.realm, self.token.reveal()))
            .clone()
    }
}

/// The claims of an access token that this realm issued, live or not.
pub(crate) fn open(realm: &Realm, token: &str) -> Option<AccessTokenClaims> {
    let claims = match realm.sealing.open_access_token(token) {
        Some(sealed) => serde_json::from_slice::<AccessTokenClaims>(&sealed).ok()?,
        None => {
            let verified = realm
                .signing
                .verify(grantor_jose::decode(token).ok()?)
                .ok()?;
            // RFC 9068 section 4: the type prevents an ID token from passing for an access token.
            if !TokenType::Access.is(verified.header().typ.as_deref()) {
                return None;
            }
            verified.claims().ok()?
        }
    };
    (claims.iss == realm.issuer).then_some(claims)
}

#[derive(Debug)]
pub(crate) struct LiveToken {
    pub(crate) claims: AccessTokenClaims,
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
    pub(crate) fn requested(&self, realm: &Realm) -> RequestedClaims {
        let authorization = self.owner.grant().and_then(Grant::active);
        let client = realm.clients.get(&self.claims.client_id);
        let both = authorization.zip(client);
        both.map_or_else(RequestedClaims::default, |(authorization, client)| {
            authorization.claims.clone().within(&client.scopes)
        })
    }
}

/// Whether a token has not expired. One that was signed in the future has an end that no one meant: the clock has stepped
/// back since.
pub(crate) fn is_current(iat: u64, exp: u64, now: Timestamp) -> bool {
    exp > now.as_secs() && Timestamp::from_secs(iat).age(now).is_some()
}

/// Checks that an access token is not expired or revoked, that its client and actors are enabled, and that a user's
/// token has a live grant and user.
pub(crate) fn verify_live(
    env: &Env<'_>,
    facts: &Facts,
    claims: AccessTokenClaims,
) -> Result<Result<LiveToken, Cause>, Stop> {
    if !is_current(claims.iat, claims.exp, env.now) {
        return Ok(Err(Cause::TokenExpired));
    }
    if !env.realm.is_enabled(&claims.client_id) {
        return Ok(Err(Cause::DisabledClient));
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
    let actors: Vec<_> = grant_liveness::actor_keys(env, claims.act.as_ref()).collect();
    let keys = [&revoked].into_iter().chain(&grant).chain(&user);
    facts.need(&keys.chain(&session).chain(&actors).collect::<Vec<_>>())?;
    let revoked = facts.record::<RevokedToken>(env, &revoked)?;
    if revoked.live().is_some() {
        return Ok(Err(Cause::TokenRevoked));
    }
    if let Err(cause) = grant_liveness::check_actors(env, facts, claims.act.as_ref())? {
        return Ok(Err(cause));
    }
    let owner = match (grant, epoch.zip(user)) {
        (Some(grant), _) => live_grant(env, facts, &grant)?,
        (None, Some((epoch, key))) => {
            let user = grant_liveness::user_at_epoch(env, facts, &key, epoch)?;
            user.map(|user| TokenOwner::User(Box::new(user.record)))
        }
        (None, None) if env.realm.knows_subject(&claims.sub) => Ok(TokenOwner::None),
        (None, None) => Err(Cause::SubjectGone),
    };
    Ok(owner.map(|owner| LiveToken { claims, owner }))
}

/// The live grant with this key, if its client is enabled.
pub(crate) fn live_grant(
    env: &Env<'_>,
    facts: &Facts,
    key: &Key,
) -> Result<Result<TokenOwner, Cause>, Stop> {
    let Some(grant) = facts.record::<Grant>(env, key)?.live() else {
        return Ok(Err(Cause::NoSuchGrant));
    };
    if grant.record.active().is_none() {
        return Ok(Err(Cause::RevokedGrant));
    }
    if grant.record.live_client(env.realm).is_none() {
        return Ok(Err(Cause::DisabledClient));
    }
    let dependencies = grant_liveness::check(env, facts, &grant.record)?;
    Ok(dependencies.map(|dependencies| TokenOwner::Grant(Box::new((grant, dependencies)))))
}

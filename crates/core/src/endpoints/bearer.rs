//! Our own access tokens, read back: by the signature or the seal first, then by the rows on which they depend.

use std::cell::OnceCell;

use grantor_jose::TokenType;

use crate::claims::AccessTokenClaims;
use crate::claims_request::RequestedClaims;
use crate::decide::{Found, Stop};
use crate::env::Env;
use crate::error::{Cause, ErrorCode, Refusal};
use crate::id::UserId;
use crate::params::Params;
use crate::pool::Pool;
use crate::records::{self, Grant, Revoked, Session, User};
use crate::secret::Secret;
use crate::users;

/// A presented token, opened once: a decision may be made several times, and a signature is dear to verify.
#[derive(Debug)]
pub(super) struct PresentedToken {
    token: Secret,
    claims: OnceCell<Option<AccessTokenClaims>>,
}

impl PresentedToken {
    pub(super) const fn new(token: Secret) -> Self {
        Self {
            token,
            claims: OnceCell::new(),
        }
    }

    /// The parameter `token` (RFC 7009 section 2.1, RFC 7662 section 2.1).
    pub(super) fn parse(params: &Params) -> Result<Self, Refusal> {
        let missing = Refusal::new(ErrorCode::InvalidRequest, "The parameter token is missing.");
        let token = params.opt("token").ok_or(missing)?;
        Ok(Self::new(Secret::new(token)))
    }

    pub(super) fn reveal(&self) -> &str {
        self.token.reveal()
    }

    /// The claims of an access token of this pool, if we made it; live or not. One drive has one pool.
    pub(super) fn claims(&self, env: &Env<'_>) -> Option<AccessTokenClaims> {
        self.claims
            .get_or_init(|| open(env.pool, self.token.reveal()))
            .clone()
    }
}

/// The claims of an access token of this pool, if we made it.
pub(super) fn open(pool: &Pool, token: &str) -> Option<AccessTokenClaims> {
    let claims = match pool.sealing.open_access_token(token) {
        Some(sealed) => serde_json::from_slice::<AccessTokenClaims>(&sealed).ok()?,
        None => {
            let verified = pool
                .signing
                .verify(grantor_jose::decode(token).ok()?)
                .ok()?;
            // RFC 9068 section 4: the type keeps an ID token from passing for an access token.
            if !TokenType::Access.is(verified.header().typ.as_deref()) {
                return None;
            }
            verified.claims().ok()?
        }
    };
    (claims.iss == pool.issuer).then_some(claims)
}

/// An access token that is good now, and its user if it has one.
#[derive(Debug)]
pub(super) struct Live {
    pub(super) claims: AccessTokenClaims,
    pub(super) user: Option<User>,
    /// The claims that its client asked for one by one.
    pub(super) requested: RequestedClaims,
}

/// Whether an access token is good now: not expired, not revoked, its client enabled, and for a user's token
/// its grant active and its user behind it. "A user token without a live grant is inactive."
pub(super) fn live(
    env: &Env<'_>,
    found: &Found,
    claims: AccessTokenClaims,
) -> Result<Result<Live, Cause>, Stop> {
    if claims.exp <= env.now.as_secs() {
        return Ok(Err(Cause::TokenExpired));
    }
    let client = env.pool.clients.get(&claims.client_id);
    let Some(client) = client.filter(|client| client.enabled) else {
        return Ok(Err(Cause::DisabledClient));
    };
    let revoked = records::key::<Revoked>(env, claims.jti.as_str());
    let Some(id) = claims.jti.grant() else {
        return Ok(match found.record::<Revoked>(env, &revoked)?.live() {
            Some(_) => Err(Cause::TokenRevoked),
            None => Ok(Live {
                claims,
                user: None,
                requested: RequestedClaims::default(),
            }),
        });
    };
    let grant = records::key::<Grant>(env, &id.to_string());
    // The token names its user and its session, so they come with the same read.
    let user = claims.sub.parse::<UserId>().ok();
    let user = user.map(|user| users::key(env, user));
    let session = claims.sid.as_deref();
    let session = session.map(|session| records::key::<Session>(env, session));
    found.need(
        &[&revoked, &grant]
            .into_iter()
            .chain(&user)
            .chain(&session)
            .collect::<Vec<_>>(),
    )?;
    if found.record::<Revoked>(env, &revoked)?.live().is_some() {
        return Ok(Err(Cause::TokenRevoked));
    }
    let Some(grant) = found.record::<Grant>(env, &grant)?.live() else {
        return Ok(Err(Cause::NoSuchGrant));
    };
    let Some(authorization) = grant.record.active() else {
        return Ok(Err(Cause::RevokedGrant));
    };
    Ok(users::behind(env, found, &grant.record)?.map(|user| Live {
        claims,
        user: Some(user.record),
        requested: authorization.claims.clone().within(&client.scopes),
    }))
}

//! Subject and actor tokens: opening them, and the party that each identifies.

use std::cell::OnceCell;
use std::sync::Arc;

use serde_json::Value;

use super::assertion::{Assertion, Claims};
use super::policy::still_allowed;
use crate::base::error::{Cause, ErrorCode, Refusal};
use crate::base::secret::Secret;
use crate::base::time::Timestamp;
use crate::engine::decide::Stop;
use crate::engine::env::Env;
use crate::engine::facts::{Facts, Lookup};
use crate::model::actor::{Actor, MayAct};
use crate::model::claims::{AccessTokenClaims, IdTokenClaims};
use crate::model::client::Client;
use crate::model::exchange_rule::TokenKind;
use crate::model::ids::{ClientId, GrantId, UserId};
use crate::model::realm::Realm;
use crate::model::scope::Scope;
use crate::model::token_type::TokenType;
use crate::model::trusted_issuer::TrustedIssuer;
use crate::records::{self, Grant, Link, RefreshTokenStatus, Session, User, Username};
use crate::tokens::bearer::{self, OpenedToken, PresentedToken, TokenOwner};
use crate::tokens::grant_liveness;
use crate::tokens::handles::RefreshToken;

#[derive(Debug)]
pub(crate) struct PresentedParty {
    token: PresentedToken,
    typ: TokenType,
}

/// The party that a valid, live token identifies.
#[derive(Debug)]
pub(crate) struct Party {
    /// The trusted issuer; none for our own tokens.
    pub(crate) issuer: Option<String>,
    pub(crate) kind: TokenKind,
    /// The `sub` in our own tokens.
    pub(crate) sub: String,
    /// The trusted issuer's `sub`.
    pub(crate) foreign_sub: Option<String>,
    /// The client to which our token was issued.
    pub(crate) client: Option<ClientId>,
    pub(crate) aud: Option<String>,
    /// The widest scope that an exchange can give.
    pub(crate) max_scope: Scope,
    pub(crate) expires_at: Timestamp,
    /// The current actor.
    pub(crate) act: Option<Actor>,
    pub(crate) may_act: Option<MayAct>,
    pub(crate) owner: TokenOwner,
}

/// The parameter that held the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Subject,
    Actor,
}

impl Role {
    /// RFC 8693 section 2.2.2: "if either the subject_token or actor_token are invalid for any reason […] The value of
    /// the error parameter MUST be the invalid_request error code."
    const fn invalid(self, cause: Cause) -> Refusal {
        let text = match self {
            Self::Subject => "The subject token is not valid, has ended, or was revoked.",
            Self::Actor => "The actor token is not valid, has ended, or was revoked.",
        };
        Refusal::new(ErrorCode::InvalidRequest, text).because(cause)
    }
}

/// ID tokens and refresh tokens are for their own client only.
const OTHER_CLIENT: Refusal = Refusal::new(
    ErrorCode::InvalidRequest,
    "An ID token or refresh token is exchanged only by the client to which it was given.",
);
/// Tokens with `cnf` are refused until sender-constrained tokens are supported.
const SENDER_CONSTRAINED: Refusal = Refusal::new(
    ErrorCode::InvalidRequest,
    "A token that is bound to a key cannot be exchanged.",
);
const HAS_ACTOR: Refusal = Refusal::new(
    ErrorCode::InvalidRequest,
    "The token is of a party for whom somebody else acts already.",
);

/// What this realm reads in a presented token. The signature of a JWT is verified once, after client authentication.
pub(crate) enum OpenedParty {
    Access(OpenedToken),
    Refresh(Option<RefreshToken>),
    Id(PresentedToken, OnceCell<Option<Arc<IdTokenClaims>>>),
    Foreign(Box<Assertion>),
}

impl PresentedParty {
    pub(crate) fn new(token: Secret, typ: TokenType) -> Self {
        let token = PresentedToken::new(token);
        Self { token, typ }
    }

    pub(crate) fn prepare(&self, realm: &Realm) -> OpenedParty {
        match self.typ {
            TokenType::AccessToken => OpenedParty::Access(self.token.open(realm)),
            TokenType::RefreshToken => {
                OpenedParty::Refresh(realm.sealing.open_refresh_token(self.token.reveal()))
            }
            TokenType::Jwt | TokenType::IdToken => match Assertion::prepare(realm, &self.token) {
                Some(foreign) => OpenedParty::Foreign(Box::new(foreign)),
                None if self.typ == TokenType::Jwt => OpenedParty::Access(self.token.open(realm)),
                None => OpenedParty::Id(self.token.clone(), OnceCell::new()),
            },
        }
    }
}

impl OpenedParty {
    /// # Errors
    /// `invalid_request` for a token that is not valid, not live or another client's.
    pub(crate) fn open(
        &self,
        env: &Env<'_>,
        facts: &Facts,
        client: &Client,
        role: Role,
    ) -> Result<Party, Stop> {
        match self {
            Self::Access(opened) => access_token(env, facts, opened.claims(env), role),
            Self::Refresh(token) => refresh_token(env, facts, client, *token, role),
            Self::Id(token, claims) => {
                let verify = || env.realm.signing.id_token(token.reveal());
                let claims = claims.get_or_init(verify).as_deref();
                id_token(env, facts, client, claims, role)
            }
            Self::Foreign(assertion) => foreign(env, facts, assertion, role),
        }
    }
}

fn access_token(
    env: &Env<'_>,
    facts: &Facts,
    claims: Option<Arc<AccessTokenClaims>>,
    role: Role,
) -> Result<Party, Stop> {
    let claims = claims.ok_or(role.invalid(Cause::ForgedOrForeignToken))?;
    refuse_cnf(claims.cnf.as_ref())?;
    // Refused before the rows of the chain are read.
    if role == Role::Actor && claims.act.is_some() {
        return Err(HAS_ACTOR.into());
    }
    let live = bearer::verify_live(env, facts, claims, &[]);
    let live = live.map_err(|stop| stop.map(|cause| role.invalid(cause)))?;
    let max_scope = live.scope(env);
    let claims = Arc::unwrap_or_clone(live.claims);
    Ok(Party {
        issuer: None,
        kind: TokenKind::AccessToken,
        sub: claims.sub,
        foreign_sub: None,
        client: Some(claims.client_id),
        aud: Some(claims.aud),
        max_scope,
        expires_at: Timestamp::from_secs(claims.exp),
        act: claims.act,
        may_act: claims.may_act,
        owner: live.owner,
    })
}

/// Like a refresh token, limited by the scope of its grant.
fn id_token(
    env: &Env<'_>,
    facts: &Facts,
    client: &Client,
    claims: Option<&IdTokenClaims>,
    role: Role,
) -> Result<Party, Stop> {
    let claims = claims.ok_or(role.invalid(Cause::ForgedOrForeignToken))?;
    if claims.aud != client.id {
        return Err(OTHER_CLIENT.because(Cause::GrantOfAnotherClient).into());
    }
    if !bearer::is_current(claims.iat, claims.exp, env.now) {
        return Err(role.invalid(Cause::TokenExpired).into());
    }
    let id = claims.jti.grant();
    let id = id.ok_or(role.invalid(Cause::NoSuchGrant))?;
    // The token names its user and session, so one read brings all rows.
    let grant = records::key::<Grant>(&env.realm.name, &id.to_string());
    let user = claims.sub.parse::<UserId>().ok();
    let user = user.map(|user| grant_liveness::user_key(env, user));
    let session = claims.sid.as_deref();
    let session = session.map(|session| records::key::<Session>(&env.realm.name, session));
    let keys = [&grant].into_iter().chain(&user).chain(&session);
    facts.need(&keys.collect::<Vec<_>>())?;
    let mut party = grant_party(env, facts, client, id, role)?;
    party.kind = TokenKind::IdToken;
    party.expires_at = Timestamp::from_secs(claims.exp).min(party.expires_at);
    Ok(party)
}

fn refresh_token(
    env: &Env<'_>,
    facts: &Facts,
    client: &Client,
    token: Option<RefreshToken>,
    role: Role,
) -> Result<Party, Stop> {
    let token = token.ok_or(role.invalid(Cause::ForgedOrForeignToken))?;
    let mut party = grant_party(env, facts, client, token.grant, role)?;
    let Some(grant) = party.owner.grant() else {
        return Err(role.invalid(Cause::NoSuchGrant).into());
    };
    // An exchange does not rotate the token, so nothing is written.
    match grant.refresh_token_status(token.generation, client.grace, env.now) {
        Some(
            RefreshTokenStatus::Current | RefreshTokenStatus::InGrace | RefreshTokenStatus::Ahead,
        ) => {}
        Some(RefreshTokenStatus::Reused) | None => {
            return Err(role.invalid(Cause::RefreshReused).into());
        }
    }
    let expires_at = grant.refresh_ends(&client.refresh_lifetimes());
    let expires_at = expires_at.filter(|expires_at| !expires_at.is_past(env.now));
    party.expires_at = expires_at.ok_or(role.invalid(Cause::RefreshExpired))?;
    Ok(party)
}

fn foreign(env: &Env<'_>, facts: &Facts, assertion: &Assertion, role: Role) -> Result<Party, Stop> {
    let verified = assertion.verify(env, facts);
    let (issuer, claims) = verified.map_err(|stop| stop.map(|cause| role.invalid(cause)))?;
    refuse_cnf(claims.cnf.as_ref())?;
    // We cannot name actors of another issuer, and must not drop them from the chain.
    if claims.act.is_some() {
        return Err(HAS_ACTOR.into());
    }
    let user = foreign_user(env, facts, issuer, claims, role)?;
    let sub = match &user {
        Some(user) => user.id.to_string(),
        None => issuer.qualified_subject(&claims.sub),
    };
    let expires_at = claims.expires_at();
    Ok(Party {
        issuer: Some(issuer.issuer.clone()),
        kind: TokenKind::AccessToken,
        sub,
        foreign_sub: Some(claims.sub.clone()),
        client: None,
        aud: None,
        max_scope: Scope::default(),
        expires_at,
        act: None,
        may_act: claims.may_act.clone(),
        owner: user.map_or(TokenOwner::None, |user| TokenOwner::User(Box::new(user))),
    })
}

impl Party {
    /// # Errors
    /// `invalid_request` for a party with an actor: an actor must act for itself.
    pub(crate) fn require_no_actor(self) -> Result<Self, Refusal> {
        match self.act {
            None => Ok(self),
            Some(_) => Err(HAS_ACTOR),
        }
    }

    /// Whether the client may present the token: it was issued to the client, or for one of its resources. The audience
    /// of a foreign token was checked when it was opened.
    pub(crate) fn is_for(&self, env: &Env<'_>, client: &Client) -> bool {
        let is_own_resource = |aud: &str| {
            let ids = client.resources.iter();
            let mut resources = ids.filter_map(|id| env.realm.resource(id));
            resources.any(|resource| resource.audience() == aud)
        };
        self.issuer.is_some()
            || self.client.as_ref() == Some(&client.id)
            || self.aud.as_deref().is_some_and(is_own_resource)
    }
}

fn refuse_cnf(cnf: Option<&Value>) -> Result<(), Refusal> {
    cnf.map_or(Ok(()), |_| Err(SENDER_CONSTRAINED))
}

/// The party of a token of one of the client's active grants.
fn grant_party(
    env: &Env<'_>,
    facts: &Facts,
    client: &Client,
    id: GrantId,
    role: Role,
) -> Result<Party, Stop> {
    let key = records::key::<Grant>(&env.realm.name, &id.to_string());
    let owner = bearer::live_grant(env, facts, &key);
    let owner = owner.map_err(|stop| stop.map(|cause| role.invalid(cause)))?;
    let authorization = owner.grant().and_then(Grant::active).cloned();
    let (Some(grant), Some(authorization)) = (owner.grant(), authorization) else {
        return Err(role.invalid(Cause::RevokedGrant).into());
    };
    if !grant.is_of(client) {
        return Err(OTHER_CLIENT.because(Cause::GrantOfAnotherClient).into());
    }
    let exchanged = grant.kind.exchanged();
    let Some(user) = owner.user() else {
        return Err(role.invalid(Cause::UserGone).into());
    };
    match exchanged {
        Some(_) if !still_allowed(env, grant, user) => {
            return Err(role.invalid(Cause::RuleGone).into());
        }
        // As at its refresh.
        None if !user.may_use(client) => {
            return Err(role.invalid(Cause::ClientNotAvailable).into());
        }
        _ => {}
    }
    // Scopes that the client has lost since are dropped.
    let max_scope = match exchanged {
        Some(_) => authorization.scope,
        None => authorization.scope.intersection(&client.scopes),
    };
    let groups = Some(&*user.groups);
    let max_scope = env
        .realm
        .within_limits(&max_scope, groups, grant.given_at());
    Ok(Party {
        issuer: None,
        kind: TokenKind::RefreshToken,
        sub: authorization.user.to_string(),
        foreign_sub: None,
        client: Some(client.id.clone()),
        aud: None,
        max_scope,
        expires_at: grant.expires_at,
        act: exchanged.and_then(|exchanged| exchanged.act.clone()),
        may_act: None,
        owner,
    })
}

/// The user whom a trusted issuer's token is for: the one that its subject is linked to, else the one that the issuer names.
/// None where it does neither, and the subject stays the issuer's own.
fn foreign_user(
    env: &Env<'_>,
    facts: &Facts,
    issuer: &TrustedIssuer,
    claims: &Claims,
    role: Role,
) -> Result<Option<User>, Stop> {
    if issuer.has_links {
        let key = Link::key(&env.realm.name, &issuer.issuer, &claims.sub);
        if let Lookup::Live(link) = facts.record::<Link>(env, &key)? {
            return user_of(env, facts, link.record.user, role).map(Some);
        }
    }
    let Some(claim) = &issuer.user_claim else {
        return Ok(None);
    };
    if !claims.is_verified(claim) {
        return Err(role.invalid(Cause::UnverifiedClaim).into());
    }
    let username = claims.text(claim);
    let username = username.ok_or(role.invalid(Cause::UserGone))?;
    let user = find_user(env, facts, username, role)?;
    // Of two subjects that differ in case only, at most one is our user.
    if user.username != username {
        return Err(role.invalid(Cause::UserGone).into());
    }
    Ok(Some(user))
}

/// The name is folded, as a person types it.
///
/// # Errors
/// `invalid_request` for an unknown or disabled user.
pub(super) fn find_user(
    env: &Env<'_>,
    facts: &Facts,
    username: &str,
    role: Role,
) -> Result<User, Stop> {
    let key = records::key::<Username>(&env.realm.name, &Username::fold(username));
    let Lookup::Live(row) = facts.record::<Username>(env, &key)? else {
        return Err(role.invalid(Cause::UserGone).into());
    };
    user_of(env, facts, row.record.user, role)
}

fn user_of(env: &Env<'_>, facts: &Facts, user: UserId, role: Role) -> Result<User, Stop> {
    let key = grant_liveness::user_key(env, user);
    match facts.record::<User>(env, &key)? {
        Lookup::Live(user) if facts.is_enabled_user(env, &user.record)? => Ok(user.record),
        Lookup::Live(_) => Err(role.invalid(Cause::UserDisabled).into()),
        _ => Err(role.invalid(Cause::UserGone).into()),
    }
}

//! The tokens that an exchange presents, opened: who they speak of, and how far.

use grantor_jose::TokenType as Typ;
use serde_json::Value;

use super::assertion;
use super::policy::still_given;
use crate::base::error::{Cause, ErrorCode, Refusal};
use crate::base::secret::Secret;
use crate::base::time::Timestamp;
use crate::engine::decide::{Facts, Lookup, Stop};
use crate::engine::env::Env;
use crate::model::actor::{Actor, MayAct};
use crate::model::claims::IdTokenClaims;
use crate::model::client::Client;
use crate::model::exchange_rule::TokenKind;
use crate::model::ids::{ClientId, GrantId, UserId};
use crate::model::scope::Scope;
use crate::model::token_type::TokenType;
use crate::records::{self, Grant, RefreshTokenStatus, Session, User, Username};
use crate::tokens::bearer::{self, PresentedToken, TokenOwner};
use crate::tokens::grant_liveness;

/// A subject or actor token as it is presented.
#[derive(Debug)]
pub(crate) struct PresentedParty {
    token: PresentedToken,
    typ: TokenType,
}

/// Whom a token speaks of, proven and good now.
#[derive(Debug)]
pub(crate) struct Party {
    /// The trusted issuer of the token; none where it is ours.
    pub(crate) issuer: Option<String>,
    /// What kind of token it is.
    pub(crate) kind: TokenKind,
    /// What we call the party.
    pub(crate) sub: String,
    /// What its trusted issuer calls it.
    pub(crate) foreign_sub: Option<String>,
    /// The client to which the token was given, where it is ours.
    pub(crate) client: Option<ClientId>,
    /// Whom it is for.
    pub(crate) aud: Option<String>,
    /// The most that can come of it.
    pub(crate) max_scope: Scope,
    /// When it ends.
    pub(crate) expires_at: Timestamp,
    /// Who acts by it already.
    pub(crate) act: Option<Actor>,
    /// Who may act.
    pub(crate) may_act: Option<MayAct>,
    /// On whom it depends.
    pub(crate) owner: TokenOwner,
}

/// As what a token is presented, for the texts that clients read.
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

/// An ID token or refresh token says nothing to anybody but its client.
const OF_ANOTHER: Refusal = Refusal::new(
    ErrorCode::InvalidRequest,
    "An ID token or refresh token is exchanged only by the client to which it was given.",
);
/// "A subject with cnf is refused until sender-constrained tokens are built."
const BOUND: Refusal = Refusal::new(
    ErrorCode::InvalidRequest,
    "A token that is bound to a key cannot be exchanged.",
);
const ACTED_FOR: Refusal = Refusal::new(
    ErrorCode::InvalidRequest,
    "The token is of a party for whom somebody else acts already.",
);

impl PresentedParty {
    pub(crate) const fn new(token: Secret, typ: TokenType) -> Self {
        let token = PresentedToken::new(token);
        Self { token, typ }
    }

    /// Opens the token by the rules of its type, and looks whether it still counts.
    ///
    /// # Errors
    /// `invalid_request` where it is not good, or of another client; [`Stop`] where more must be known.
    pub(crate) fn open(
        &self,
        env: &Env<'_>,
        facts: &Facts,
        client: &Client,
        role: Role,
    ) -> Result<Party, Stop> {
        match self.typ {
            TokenType::AccessToken => self.access_token(env, facts, role),
            TokenType::RefreshToken => self.refresh_token(env, facts, client, role),
            TokenType::Jwt if self.is_ours(env) => self.access_token(env, facts, role),
            TokenType::IdToken if self.is_ours(env) => self.id_token(env, facts, client, role),
            TokenType::Jwt | TokenType::IdToken => self.foreign(env, facts, role),
        }
    }

    /// Whether a JWT says that it is ours; one that says nothing is nobody's.
    fn is_ours(&self, env: &Env<'_>) -> bool {
        let decoded = grantor_jose::decode(self.token.reveal()).ok();
        let issuer = decoded.and_then(|token| assertion::issuer_of(&token));
        issuer.as_deref() == Some(&env.realm.issuer)
    }

    fn access_token(&self, env: &Env<'_>, facts: &Facts, role: Role) -> Result<Party, Stop> {
        let claims = self.token.claims(env);
        let claims = claims.ok_or(role.invalid(Cause::ForgedOrForeignToken))?;
        unbound(claims.cnf.as_ref())?;
        // Refused before the rows of a chain are read.
        if role == Role::Actor && claims.act.is_some() {
            return Err(ACTED_FOR.into());
        }
        let live = bearer::verify_live(env, facts, claims)?.map_err(|cause| role.invalid(cause))?;
        let claims = live.claims;
        Ok(Party {
            issuer: None,
            kind: TokenKind::AccessToken,
            sub: claims.sub,
            foreign_sub: None,
            client: Some(claims.client_id),
            aud: Some(claims.aud),
            max_scope: claims.scope,
            expires_at: Timestamp::from_secs(claims.exp),
            act: claims.act,
            may_act: claims.may_act,
            owner: live.owner,
        })
    }

    /// "The ceiling of an ID or refresh token is its grant's scopes, and it must be the client's own".
    fn id_token(
        &self,
        env: &Env<'_>,
        facts: &Facts,
        client: &Client,
        role: Role,
    ) -> Result<Party, Stop> {
        let forged = role.invalid(Cause::ForgedOrForeignToken);
        let decoded = grantor_jose::decode(self.token.reveal()).map_err(|_| forged.clone())?;
        let verified = env.realm.signing.verify(decoded);
        let verified = verified.map_err(|_| forged.clone())?;
        if !Typ::Id.is(verified.header().typ.as_deref()) {
            return Err(forged.into());
        }
        let claims: IdTokenClaims = verified.claims().map_err(|_| forged)?;
        if claims.aud != client.id {
            return Err(OF_ANOTHER.because(Cause::GrantOfAnotherClient).into());
        }
        if claims.exp <= env.now.as_secs() {
            return Err(role.invalid(Cause::TokenExpired).into());
        }
        let id = claims.jti.grant();
        let id = id.ok_or(role.invalid(Cause::NoSuchGrant))?;
        // The token names its user and its session, so they come with the same read.
        let grant = records::key::<Grant>(&env.realm.name, &id.to_string());
        let user = claims.sub.parse::<UserId>().ok();
        let user = user.map(|user| grant_liveness::user_key(env, user));
        let session = claims.sid.as_deref();
        let session = session.map(|session| records::key::<Session>(&env.realm.name, session));
        let keys = [&grant].into_iter().chain(&user).chain(&session);
        facts.need(&keys.collect::<Vec<_>>())?;
        let mut party = granted(env, facts, client, id, role)?;
        party.kind = TokenKind::IdToken;
        party.expires_at = Timestamp::from_secs(claims.exp).min(party.expires_at);
        Ok(party)
    }

    fn refresh_token(
        &self,
        env: &Env<'_>,
        facts: &Facts,
        client: &Client,
        role: Role,
    ) -> Result<Party, Stop> {
        let token = env.realm.sealing.open_refresh_token(self.token.reveal());
        let token = token.ok_or(role.invalid(Cause::ForgedOrForeignToken))?;
        let mut party = granted(env, facts, client, token.grant, role)?;
        let Some(grant) = party.owner.grant() else {
            return Err(role.invalid(Cause::NoSuchGrant).into());
        };
        // A token that was used is not used up once more by being exchanged: nothing is written.
        match grant.refresh_token_status(token.generation, client.grace, env.now) {
            Some(
                RefreshTokenStatus::Current
                | RefreshTokenStatus::InGrace
                | RefreshTokenStatus::Ahead,
            ) => {}
            Some(RefreshTokenStatus::Reused) | None => {
                return Err(role.invalid(Cause::RefreshReused).into());
            }
        }
        let ends = grant.refresh_ends(&client.refresh_lifetimes());
        let ends = ends.filter(|ends| !ends.is_past(env.now));
        party.expires_at = ends.ok_or(role.invalid(Cause::RefreshExpired))?;
        Ok(party)
    }

    fn foreign(&self, env: &Env<'_>, facts: &Facts, role: Role) -> Result<Party, Stop> {
        let vouched = assertion::open(env, facts, self.token.reveal())?;
        let vouched = vouched.map_err(|cause| role.invalid(cause))?;
        let (by, claims) = (vouched.by, vouched.claims);
        unbound(claims.cnf.as_ref())?;
        // Who acted elsewhere has no name here, and a chain that left them out would not be true.
        if claims.act.is_some() {
            return Err(ACTED_FOR.into());
        }
        let user = match &by.user_claim {
            None => None,
            Some(claim) => {
                let username = claims.text(claim);
                let username = username.ok_or(role.invalid(Cause::UserGone))?;
                Some(user_named(env, facts, username, role)?)
            }
        };
        let sub = match &user {
            Some(user) => user.id.to_string(),
            None => by.qualified_subject(&claims.sub),
        };
        let expires_at = claims.expires_at();
        Ok(Party {
            issuer: Some(by.issuer.clone()),
            kind: TokenKind::AccessToken,
            sub,
            foreign_sub: Some(claims.sub),
            client: None,
            aud: None,
            max_scope: Scope::default(),
            expires_at,
            act: None,
            may_act: claims.may_act,
            owner: user.map_or(TokenOwner::None, |user| TokenOwner::User(Box::new(user))),
        })
    }
}

impl Party {
    /// An actor, who must act for nobody's sake but its own.
    ///
    /// # Errors
    /// `invalid_request` where somebody acts for the party already.
    pub(crate) fn alone(self) -> Result<Self, Refusal> {
        match self.act {
            None => Ok(self),
            Some(_) => Err(ACTED_FOR),
        }
    }

    /// Whether the client may present the token: it is for one of the client's own resources, or was given to it.
    /// Whom a trusted issuer's token is for was asked when it was opened.
    pub(crate) fn is_for(&self, env: &Env<'_>, client: &Client) -> bool {
        let of_client = |aud: &str| {
            let mut own = client.resources.iter();
            own.any(|own| {
                env.realm
                    .resource(own)
                    .is_some_and(|own| own.audience() == aud)
            })
        };
        self.issuer.is_some()
            || self.client.as_ref() == Some(&client.id)
            || self.aud.as_deref().is_some_and(of_client)
    }
}

fn unbound(cnf: Option<&Value>) -> Result<(), Refusal> {
    cnf.map_or(Ok(()), |_| Err(BOUND))
}

/// What an active grant of the client allows, in one read where its user is known.
fn granted(
    env: &Env<'_>,
    facts: &Facts,
    client: &Client,
    id: GrantId,
    role: Role,
) -> Result<Party, Stop> {
    let key = records::key::<Grant>(&env.realm.name, &id.to_string());
    let owner = bearer::live_grant(env, facts, &key)?.map_err(|cause| role.invalid(cause))?;
    let authorization = owner.grant().and_then(Grant::active).cloned();
    let (Some(grant), Some(authorization)) = (owner.grant(), authorization) else {
        return Err(role.invalid(Cause::RevokedGrant).into());
    };
    if grant.client != client.id {
        return Err(OF_ANOTHER.because(Cause::GrantOfAnotherClient).into());
    }
    let exchanged = grant.kind.exchanged();
    let given = |user| exchanged.is_none() || still_given(env, grant, user);
    if !owner.user().is_some_and(given) {
        return Err(role.invalid(Cause::RuleGone).into());
    }
    // What the operator took from the client since is not given any more.
    let max_scope = match exchanged {
        Some(_) => authorization.scope,
        None => authorization.scope.intersection(&client.scopes),
    };
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

/// The user of this name, if there is such a one who may sign in.
pub(super) fn user_named(
    env: &Env<'_>,
    facts: &Facts,
    username: &str,
    role: Role,
) -> Result<User, Stop> {
    let key = records::key::<Username>(&env.realm.name, &Username::fold(username));
    let Lookup::Live(row) = facts.record::<Username>(env, &key)? else {
        return Err(role.invalid(Cause::UserGone).into());
    };
    let key = grant_liveness::user_key(env, row.record.user);
    match facts.record::<User>(env, &key)? {
        Lookup::Live(user) if user.record.enabled => Ok(user.record),
        Lookup::Live(_) => Err(role.invalid(Cause::UserDisabled).into()),
        _ => Err(role.invalid(Cause::UserGone).into()),
    }
}

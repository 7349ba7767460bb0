//! Issuing tokens: claims, lifetimes and forms.

use grantor_jose::{SigningInput, TokenType as Typ};
use serde_json::Map;

use crate::base::error::{Cause, Failure};
use crate::base::secret::Secret;
use crate::base::time::Timestamp;
use crate::engine::decide::{Decision, Mint, Stop, UnsignedToken, invalid_grant};
use crate::engine::env::Env;
use crate::model::actor::Actor;
use crate::model::claim_mapping::ClaimSources;
use crate::model::claims::{ACR, AccessTokenClaims, IdTokenClaims};
use crate::model::client::Client;
use crate::model::grant_type::GrantType;
use crate::model::ids::Jti;
use crate::model::realm::TokenSet;
use crate::model::resource::{Resource, TokenForm};
use crate::model::scope::Scope;
use crate::model::target::{NOT_GRANTED, RequestedResources, Target};
use crate::model::token_type::TokenType;
use crate::records::{Grant, GrantOrigin, GrantState, User, to_json};
use crate::tokens::grant_liveness;
use crate::tokens::handles::RefreshToken;
use crate::tokens::user_claims::{Agreed, LeftOut, id_token_claims};

/// The maximum size of an access token without its signature: many servers limit request heads to 8 KiB. Also limits
/// the user's claims in an ID token, which is sent in URLs as `id_token_hint`.
pub(super) const MAX_TOKEN_BYTES: usize = 7 * 1024;

/// The token response without the tokens (RFC 6749 section 5.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenReply {
    /// Seconds.
    pub expires_in: u64,
    pub scope: Scope,
    /// `issued_token_type` (RFC 8693 section 2.2.1), for token exchange.
    pub issued: Option<TokenType>,
}

/// The subject of one access token.
pub(crate) struct TokenSubject<'a> {
    pub(crate) sub: String,
    pub(crate) jti: Jti,
    pub(crate) ends_at: Timestamp,
    /// The user, if the subject is one of ours.
    pub(crate) user: Option<&'a User>,
    pub(crate) grant: Option<&'a Grant>,
    pub(crate) act: Option<Actor>,
}

/// The claims of an access token (RFC 9068 section 2.2).
pub(crate) fn access_claims(
    env: &Env<'_>,
    client: &Client,
    target: &Target<'_>,
    subject: TokenSubject<'_>,
) -> AccessTokenClaims {
    let authorization = subject.grant.and_then(Grant::active);
    let from = ClaimSources {
        user: subject.user.map(User::facts),
        client_id: &client.id,
        client_name: &client.name,
        grant: subject.grant.map(Grant::facts),
    };
    AccessTokenClaims {
        iss: env.realm.issuer.clone(),
        sub: subject.sub,
        aud: target.audience(env.realm).to_owned(),
        exp: subject.ends_at.as_secs(),
        iat: env.now.as_secs(),
        jti: subject.jti,
        client_id: client.id.clone(),
        scope: target.scope.clone(),
        auth_time: authorization.map(|authorization| authorization.auth_time.as_secs()),
        sid: authorization.and_then(|it| it.session.map(|id| id.to_string())),
        groups: subject
            .user
            .map(|user| target.groups(user.facts()))
            .unwrap_or_default(),
        act: subject.act,
        may_act: subject.user.and_then(|_| client.may_act()),
        cnf: None,
        mapped: target.mapped_claims(&from),
    }
}

/// A machine's token, without user, grant or row.
pub(crate) fn for_machine(
    env: &Env<'_>,
    client: &Client,
    target: &Target<'_>,
) -> Result<Decision<TokenReply>, Stop> {
    let lifetime = target.lifetime(client);
    let subject = TokenSubject {
        // RFC 9068 section 2.2: "sub … SHOULD correspond to an identifier the authorization server uses to
        // indicate the client application".
        sub: client.id.to_string(),
        jti: Jti::for_machine(env.seed.bytes("jti")),
        ends_at: env.now + lifetime,
        user: None,
        grant: None,
        act: None,
    };
    let mut claims = access_claims(env, client, target, subject);
    let (access, _) = access_token(env, target.resource, &mut claims)?;
    let reply = TokenReply {
        expires_in: lifetime.as_secs(),
        scope: claims.scope,
        issued: None,
    };
    Ok(Decision::reply(reply).mint(Mint {
        access: Some(access),
        ..Mint::default()
    }))
}

/// The parameters of a token request in addition to its grant.
#[derive(Debug, Default)]
pub(crate) struct IssueRequest<'r> {
    /// `resource` parameters.
    pub(crate) indicators: &'r [String],
    /// The scope of the access token: granted, still allowed for the client, and requested.
    pub(crate) scope: Scope,
    /// Whether the user can no longer be given some of the granted scope.
    pub(crate) is_narrowed: bool,
    /// For the ID token of an authorization code. OpenID Connect Core section 12.2: that of a refresh "SHOULD NOT have
    /// a nonce Claim".
    pub(crate) nonce: Option<String>,
}

pub(crate) fn for_user(
    env: &Env<'_>,
    client: &Client,
    grant: &Grant,
    user: &User,
    request: IssueRequest<'_>,
) -> Result<Decision<TokenReply>, Stop> {
    let authorization = grant_liveness::authorization(grant).map_err(invalid_grant)?;
    let asked = RequestedResources::parse(env.realm, request.indicators.iter())?;
    // RFC 8707 section 2.2: a token request may name a subset of the grant's resources.
    if !grant.resources.is_empty() && !asked.is_within(&grant.resources) {
        return Err(NOT_GRANTED.into());
    }
    let named = match asked.is_empty() {
        true => &grant.resources,
        false => &asked,
    };
    let target = Target::choose(env.realm, &request.scope, named);
    let target = target.map_err(|refusal| match request.is_narrowed && asked.is_empty() {
        // Of what the grant is for, nothing is left.
        true => invalid_grant(Cause::ScopesWithheld),
        false => refusal,
    })?;
    let now = env.now.as_secs();
    // No token outlives its grant: a repeated answer within the grace period does not extend the row's expiry.
    let ends = (env.now + target.lifetime(client)).min(grant.expires_at);
    let from = ClaimSources {
        user: Some(user.facts()),
        client_id: &client.id,
        client_name: &client.name,
        grant: Some(grant.facts()),
    };
    let exchanged = grant.kind.exchanged();
    let subject = TokenSubject {
        sub: user.id.to_string(),
        jti: Jti::for_grant(grant.id, env.seed.bytes("jti")),
        ends_at: ends,
        user: Some(user),
        grant: Some(grant),
        act: exchanged.and_then(|exchanged| exchanged.act.clone()),
    };
    let mut claims = access_claims(env, client, &target, subject);
    let (access, mut left_out) = access_token(env, target.resource, &mut claims)?;
    let wanted = match &grant.kind {
        GrantOrigin::Device => env.realm.device.tokens,
        GrantOrigin::Code => TokenSet::ALL,
        GrantOrigin::Exchange(_) => TokenSet {
            id: false,
            ..TokenSet::ALL
        },
    };
    let has_id = wanted.id && request.scope.contains("openid");
    let further = match has_id {
        true => id_token_claims(
            env.realm,
            client,
            &request.scope,
            Agreed::new(client, authorization),
            &from,
            &mut left_out,
        )?,
        false => Map::new(),
    };
    let id = has_id.then(|| {
        Box::new(IdTokenClaims {
            iss: env.realm.issuer.clone(),
            sub: claims.sub.clone(),
            aud: client.id.clone(),
            exp: (env.now + env.realm.lifetimes.id).as_secs(),
            iat: now,
            auth_time: authorization.auth_time.as_secs(),
            amr: authorization.amr.clone(),
            acr: Some(ACR[0].to_owned()),
            sid: claims.sid.clone(),
            jti: Jti::for_grant(grant.id, env.seed.bytes("id_jti")),
            act: None,
            nonce: request.nonce,
            further,
            at_hash: None,
            alg: client.id_token_alg,
        })
    });
    let refresh = (wanted.refresh && client.may_use(GrantType::RefreshToken))
        .then(|| refresh_token(env, grant))
        .flatten();
    let reply = TokenReply {
        expires_in: claims.exp - now,
        scope: claims.scope,
        issued: None,
    };
    let event = left_out
        .event(client, Some(user.id))
        .map(|it| it.grant(grant.id));
    Ok(Decision::reply(reply).events(event).mint(Mint {
        access: Some(access),
        id,
        refresh,
    }))
}

/// The current refresh token. Derived from the grant, so that it can be issued again.
fn refresh_token(env: &Env<'_>, grant: &Grant) -> Option<Secret> {
    let GrantState::Active { generation, .. } = grant.state else {
        return None;
    };
    let grant = grant.id;
    let token = RefreshToken { grant, generation };
    Some(Secret::new(env.realm.sealing.refresh_token(&token)))
}

/// With the names of claims that it has no room for.
///
/// # Errors
/// [`Failure::Operator`] where it is too long without any claim that depends on the user.
pub(crate) fn access_token(
    env: &Env<'_>,
    resource: Option<&Resource>,
    claims: &mut AccessTokenClaims,
) -> Result<(UnsignedToken, LeftOut), Failure> {
    let mut left_out = LeftOut::default();
    loop {
        let (length, token) = unsigned_access_token(env, resource, claims)?;
        if length <= MAX_TOKEN_BYTES {
            return Ok((token, left_out));
        }
        if !left_out.largest_of_access_token(claims, resource) {
            return Err(Failure::Operator(
                "an access token would be too long for HTTP headers: give the resource fewer claims",
            ));
        }
    }
}

fn unsigned_access_token(
    env: &Env<'_>,
    resource: Option<&Resource>,
    claims: &AccessTokenClaims,
) -> Result<(usize, UnsignedToken), Failure> {
    let form = resource.map_or(TokenForm::Jwt(env.realm.access_token_alg), |resource| {
        resource.token
    });
    Ok(match form {
        TokenForm::Jwt(alg) => {
            let header = env.realm.header(alg, Typ::Access)?;
            let input = SigningInput::new(header, claims)
                .map_err(|_| Failure::Bug("claims cannot be serialised"))?;
            (input.as_bytes().len(), UnsignedToken::Jwt(input))
        }
        TokenForm::Sealed => {
            let (claims, nonce) = (to_json(claims)?, env.seed.bytes("nonce"));
            let sealed = env.realm.sealing.access_token(claims, nonce);
            let sealed = sealed.ok_or(Failure::Bug("the claims cannot be sealed"))?;
            (sealed.len(), UnsignedToken::Sealed(Secret::new(sealed)))
        }
    })
}

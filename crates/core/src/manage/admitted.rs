//! The wrapper that admits a caller, once for all operations of the API.

use std::sync::Arc;

use super::caller::{Actor, Caller};
use super::refusal::{ApiCode, ApiRefusal};
use crate::base::error::Cause;
use crate::base::row::Key;
use crate::base::secret::Secret;
use crate::engine::decide::{Decision, Operation, Stop};
use crate::engine::env::Env;
use crate::engine::facts::Facts;
use crate::model::claims::AccessTokenClaims;
use crate::model::ids::ClientId;
use crate::model::realm::Realm;
use crate::model::right::{Right, Rights};
use crate::model::scope::Scope;
use crate::tokens::bearer::{self, LiveToken, OpenedToken, PresentedToken};

/// What a caller asks for. Who may ask is the wrapper's: an implementation cannot forget it.
pub trait ApiOperation: Sized {
    type Reply: Send + 'static;

    /// Any of these rights is needed; none for what every caller may.
    fn needs(&self) -> &'static [Right];

    /// Rows that it reads whatever it finds, so that they are read together with those of the token.
    fn reads(&self, _realm: &Realm) -> Vec<Key> {
        Vec::new()
    }

    /// # Errors
    /// As [`Operation::decide`].
    fn decide(
        &self,
        env: &Env<'_>,
        facts: &Facts,
        caller: &Caller,
    ) -> Result<Decision<Self::Reply, ApiRefusal>, Stop<ApiRefusal>>;
}

/// Admits a caller to what is read afterwards, such as a list.
#[derive(Clone, Copy, Debug)]
pub struct Admit(pub &'static [Right]);

impl ApiOperation for Admit {
    type Reply = Caller;

    fn needs(&self) -> &'static [Right] {
        self.0
    }

    fn decide(
        &self,
        _: &Env<'_>,
        _: &Facts,
        caller: &Caller,
    ) -> Result<Decision<Caller, ApiRefusal>, Stop<ApiRefusal>> {
        Ok(Decision::reply(caller.clone()))
    }
}

/// By what a caller is admitted.
#[derive(Clone, Debug)]
pub enum Admission {
    /// The value of the `Authorization` header, if there is one.
    Header(Option<Secret>),
    /// A connection to the admin socket, by this user id of the system.
    Operator(u32),
}

/// An operation with its caller.
#[derive(Debug)]
pub struct Admitted<O> {
    admission: Presented,
    trace_id: Arc<str>,
    operation: O,
}

#[derive(Debug)]
enum Presented {
    Token(PresentedToken),
    /// No token, or something else.
    Nothing(ApiRefusal),
    Operator(u32),
}

const MISSING: ApiRefusal = ApiRefusal::new(
    ApiCode::InvalidToken,
    "Send an access token for this API: Authorization: Bearer TOKEN.",
)
.because(Cause::TokenMissing);

const INVALID: ApiRefusal = ApiRefusal::new(
    ApiCode::InvalidToken,
    "The access token is not valid here, has ended, or was revoked.",
);

impl<O: ApiOperation> Admitted<O> {
    #[must_use]
    pub fn new(admission: &Admission, trace_id: &str, operation: O) -> Self {
        let admission = match admission {
            Admission::Operator(uid) => Presented::Operator(*uid),
            Admission::Header(header) => match header.as_ref().map(bearer_token) {
                None => Presented::Nothing(MISSING),
                Some(None) => Presented::Nothing(MISSING.because(Cause::SchemeNotSupported)),
                Some(Some(token)) => Presented::Token(PresentedToken::new(token)),
            },
        };
        Self {
            admission,
            trace_id: trace_id.into(),
            operation,
        }
    }
}

/// RFC 6750 section 2.1.
fn bearer_token(header: &Secret) -> Option<Secret> {
    let (scheme, token) = header.reveal().split_once(' ')?;
    let is_bearer = scheme.eq_ignore_ascii_case("Bearer");
    is_bearer.then(|| Secret::new(token.trim()))
}

impl<O: ApiOperation> Operation for Admitted<O> {
    /// None of the operator.
    type Parsed = Option<OpenedToken>;
    type Reply = O::Reply;
    type Refused = ApiRefusal;

    fn prepare(&self, realm: &Realm) -> Result<Self::Parsed, ApiRefusal> {
        match &self.admission {
            Presented::Token(token) => Ok(Some(token.open(realm))),
            Presented::Nothing(refusal) => Err(refusal.clone()),
            Presented::Operator(_) => Ok(None),
        }
    }

    fn client(&self, opened: &Self::Parsed) -> Option<ClientId> {
        let claims = opened.as_ref()?.known_claims()?;
        Some(claims.client_id.clone())
    }

    fn decide(
        &self,
        opened: &Self::Parsed,
        env: &Env<'_>,
        facts: &Facts,
    ) -> Result<Decision<O::Reply, ApiRefusal>, Stop<ApiRefusal>> {
        let caller = match opened {
            Some(opened) => self.admit(opened, env, facts)?,
            None => self.operator(),
        };
        let needed = self.operation.needs();
        if !needed.is_empty() && !needed.iter().any(|right| caller.rights.allows(*right)) {
            return Err(ApiRefusal::lacks(needed[0]).into());
        }
        let reads = self.operation.reads(env.realm);
        facts.need(&reads.iter().collect::<Vec<_>>())?;
        let decision = self.operation.decide(env, facts, &caller)?;
        let check = caller.check(env, facts, &decision.writes)?;
        Ok(decision.writes(check))
    }
}

impl<O: ApiOperation> Admitted<O> {
    /// The operator, who may do everything.
    fn operator(&self) -> Caller {
        let uid = match self.admission {
            Presented::Operator(uid) => uid,
            Presented::Token(_) | Presented::Nothing(_) => 0,
        };
        Caller {
            actor: Actor::Operator(uid),
            rights: Rights::all(),
            organization: None,
            user: None,
            authorization: None,
            scopes: Scope::default(),
            instance: None,
            token: None,
            trace_id: Arc::clone(&self.trace_id),
        }
    }

    fn admit(
        &self,
        opened: &OpenedToken,
        env: &Env<'_>,
        facts: &Facts,
    ) -> Result<Caller, Stop<ApiRefusal>> {
        let claims = opened.claims(env);
        let claims = claims.ok_or(INVALID.because(Cause::ForgedOrForeignToken))?;
        let named = rights_named(env.realm, &claims);
        let named = named.ok_or(INVALID.because(Cause::ForgedOrForeignToken))?;
        let reads = self.operation.reads(env.realm);
        let live = bearer::verify_live(env, facts, claims, &reads)
            .map_err(|stop| stop.map(|cause| INVALID.because(cause)))?;
        self.caller(env, facts, named, live)
    }

    /// The rights of now: those of the token that its user, or its client for itself, could still be given.
    fn caller(
        &self,
        env: &Env<'_>,
        facts: &Facts,
        named: Rights,
        live: LiveToken,
    ) -> Result<Caller, Stop<ApiRefusal>> {
        // A scope that its user can no longer be given counts for nothing.
        let named = named.intersection(rights_of(env.realm, &live.scope(env)));
        let LiveToken { claims, owner } = live;
        let user = owner.user().cloned();
        let authorization = owner.grant().and_then(|grant| grant.active()).cloned();
        let client = facts.enabled_client(env, &claims.client_id)?;
        let client = client.ok_or(INVALID.because(Cause::DisabledClient))?;
        // Rights by name are for clients that the file declares. Others have what their scopes give.
        let is_declared = env.realm.clients.contains_key(&client.id);
        let by_name = [Right::Me].into_iter().collect::<Rights>();
        let by_name = by_name.union(env.realm.rights_given_by(&claims.scope));
        let named = if is_declared {
            named
        } else {
            named.intersection(by_name)
        };
        let (actor, given, organization, scopes) = match &user {
            Some(user) => {
                let given = env.realm.api.rights_of_groups(&user.groups);
                let organization = user.organization.clone();
                (Actor::User(user.id), given, organization, Scope::default())
            }
            None if claims.sub == client.id.as_str() => {
                let given = rights_of(env.realm, &client.scopes);
                let (organization, scopes) = (client.organization.clone(), client.scopes.clone());
                (
                    Actor::Machine(client.id.clone()),
                    given,
                    organization,
                    scopes,
                )
            }
            // Of another issuer: nobody here.
            None => return Err(INVALID.because(Cause::SubjectGone).into()),
        };
        let rights = named.intersection(given);
        Ok(Caller {
            actor,
            rights: match &organization {
                Some(_) => rights.within_an_organization(),
                None => rights,
            },
            organization,
            user,
            authorization,
            scopes,
            instance: Some(client.instance),
            token: Some(claims),
            trace_id: Arc::clone(&self.trace_id),
        })
    }
}

/// The rights that a token names: one for this API, or one for the issuer with scopes that stand for rights. None if it is
/// for something else.
fn rights_named(realm: &Realm, claims: &AccessTokenClaims) -> Option<Rights> {
    if claims.aud == realm.api_uri() {
        return Some(rights_of(realm, &claims.scope));
    }
    let given = realm.rights_given_by(&claims.scope);
    (claims.aud == realm.issuer && !given.is_empty()).then_some(given)
}

fn rights_of(realm: &Realm, scope: &Scope) -> Rights {
    Rights::of_scope(scope).union(realm.rights_given_by(scope))
}

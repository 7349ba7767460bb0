//! The grants of the token endpoint: one file and one line of the table each.

use std::sync::Arc;

use crate::base::error::{Cause, ErrorCode, Refusal};
use crate::base::params::Params;
use crate::base::peer::Peer;
use crate::base::secret::Secret;
use crate::client_auth::AuthenticatedClient;
use crate::engine::decide::{Decision, Stop, invalid_grant};
use crate::engine::env::Env;
use crate::engine::event::{Event, EventKind};
use crate::engine::facts::{Facts, Versioned};
use crate::model::client::Client;
use crate::model::realm::Realm;
use crate::model::scope::Scope;
use crate::records::{self, Grant, User};
use crate::tokens::grant_liveness::GrantDependencies;
use crate::tokens::handles::Code;
use crate::tokens::{grant_liveness, issue};

mod authorization_code;
mod client_credentials;
mod device_code;
mod refresh_token;
mod token_exchange;

pub use crate::model::grant_type::GrantType;
pub use crate::tokens::issue::TokenReply;

/// A request of one grant.
pub(crate) trait GrantOperation: Sized {
    /// What is opened once ([`crate::engine::decide::Operation::prepare`]).
    type Parsed: Send;

    fn parse(params: &Params) -> Result<Self, Refusal>;

    fn prepare(&self, realm: &Realm) -> Self::Parsed;

    fn decide(
        &self,
        parsed: &Self::Parsed,
        env: &Env<'_>,
        facts: &Facts,
        client: AuthenticatedClient<'_>,
        peer: &Peer,
    ) -> Result<Decision<TokenReply>, Stop>;
}

macro_rules! grants {
    ($($Grant:ident => $module:ident::$Request:ident;)+) => {
        /// A token request that was parsed and not yet decided.
        #[derive(Debug)]
        pub(crate) enum GrantRequest {
            $($Grant(Arc<$module::$Request>)),+
        }

        /// With what the realm says of it.
        pub(crate) enum PreparedGrant {
            $($Grant(Arc<$module::$Request>, <$module::$Request as GrantOperation>::Parsed)),+
        }

        impl GrantRequest {
            fn parse_as(grant: GrantType, params: &Params) -> Result<Self, Refusal> {
                match grant {
                    $(GrantType::$Grant => {
                        let request = $module::$Request::parse(params)?;
                        Ok(Self::$Grant(Arc::new(request)))
                    })+
                }
            }

            pub(crate) fn prepare(&self, realm: &Realm) -> PreparedGrant {
                match self {
                    $(Self::$Grant(request) => {
                        let parsed = request.prepare(realm);
                        PreparedGrant::$Grant(Arc::clone(request), parsed)
                    })+
                }
            }
        }

        impl PreparedGrant {
            pub(crate) fn decide(
                &self,
                env: &Env<'_>,
                facts: &Facts,
                client: AuthenticatedClient<'_>,
                peer: &Peer,
            ) -> Result<Decision<TokenReply>, Stop> {
                match self {
                    $(Self::$Grant(request, parsed) => {
                        request.decide(parsed, env, facts, client, peer)
                    })+
                }
            }
        }
    };
}

grants! {
    AuthorizationCode => authorization_code::AuthorizationCodeRequest;
    ClientCredentials => client_credentials::ClientCredentialsRequest;
    DeviceCode => device_code::DeviceCodeRequest;
    RefreshToken => refresh_token::RefreshTokenRequest;
    TokenExchange => token_exchange::TokenExchangeRequest;
}

impl GrantRequest {
    /// Reads the request of the grant that `grant_type` names.
    ///
    /// # Errors
    /// `invalid_request` if a parameter is missing, `unsupported_grant_type` for an unknown grant type.
    pub(crate) fn parse(params: &Params) -> Result<(GrantType, Self), Refusal> {
        let wire = required(params, "grant_type", "The parameter grant_type is missing.")?;
        let grant = GrantType::from_wire(wire).ok_or(Refusal::new(
            ErrorCode::UnsupportedGrantType,
            "The grant type is not supported.",
        ))?;
        Ok((grant, Self::parse_as(grant, params)?))
    }
}

/// Issues the tokens of a grant that this request made active, with a conditional write: of several requests one wins.
fn redeem(
    env: &Env<'_>,
    facts: &Facts,
    client: &Client,
    active: &Versioned<Grant>,
    indicators: &[String],
    nonce: Option<String>,
    peer: &Peer,
) -> Result<Decision<TokenReply>, Stop> {
    let Versioned { record: grant, row } = active;
    let dependencies = live(env, facts, grant)?;
    let user = &dependencies.user.record;
    let granted = &grant_liveness::authorization(grant)
        .map_err(invalid_grant)?
        .scope;
    require_available(client, user)?;
    let granted = granted.intersection(&client.scopes);
    let scope = scope_of_user(env, user, grant, &granted)?;
    let request = issue::IssueRequest {
        indicators,
        is_narrowed: scope != granted,
        scope,
        nonce,
    };
    let event = Event::new(EventKind::TokensIssued)
        .client(&client.id)
        .grant(grant.id)
        .user(user.id)
        .peer(peer);
    let decision = issue::for_user(env, client, grant, user, request)?;
    Ok(decision
        .write(records::update(&env.realm.name, grant, row)?)
        .writes(dependencies.checks(env))
        .event(event))
}

/// # Errors
/// `invalid_grant` where the client is for other users.
fn require_available(client: &Client, user: &User) -> Result<(), Refusal> {
    match user.may_use(client) {
        true => Ok(()),
        false => Err(invalid_grant(Cause::ClientNotAvailable)),
    }
}

/// The scope without what the user can no longer be given. The grant keeps it, so who rejoins a group has it back.
///
/// # Errors
/// `invalid_grant` where nothing is left.
fn scope_of_user(
    env: &Env<'_>,
    user: &User,
    grant: &Grant,
    granted: &Scope,
) -> Result<Scope, Refusal> {
    let groups = Some(&*user.groups);
    let scope = env.realm.within_limits(granted, groups, grant.given_at());
    match scope.is_empty() && !granted.is_empty() {
        true => Err(invalid_grant(Cause::ScopesWithheld)),
        false => Ok(scope),
    }
}

/// What the grant depends on.
fn live(env: &Env<'_>, facts: &Facts, grant: &Grant) -> Result<GrantDependencies, Stop> {
    grant_liveness::check(env, facts, grant).map_err(|stop| stop.map(invalid_grant))
}

/// The content of a code, if it was issued to this client. Another client's code changes nothing.
fn own_code(code: Option<&Code>, client: &Client) -> Result<Code, Refusal> {
    let own = code.copied().filter(|code| code.belongs_to(&client.id));
    own.ok_or(invalid_grant(Cause::ForgedOrForeignToken))
}

fn required<'p>(params: &'p Params, name: &str, missing: &'static str) -> Result<&'p str, Refusal> {
    params
        .opt(name)
        .ok_or(Refusal::new(ErrorCode::InvalidRequest, missing))
}

fn required_secret(params: &Params, name: &str, missing: &'static str) -> Result<Secret, Refusal> {
    required(params, name, missing).map(Secret::new)
}

//! The grants of the token endpoint: one file and one line of the table each.

use crate::base::error::{ErrorCode, Refusal};
use crate::base::params::Params;
use crate::base::peer::Peer;
use crate::base::secret::Secret;
use crate::client_auth::AuthenticatedClient;
use crate::engine::decide::{Decision, Facts, Stop};
use crate::engine::env::Env;

mod authorization_code;
mod client_credentials;
mod device_code;
mod refresh_token;
mod token_exchange;

pub use crate::model::grant_type::GrantType;
pub use crate::tokens::issue::TokenReply;

macro_rules! grants {
    ($($Grant:ident => $module:ident::$Request:ident;)+) => {
        /// A token request that was parsed and not yet decided.
        #[derive(Debug)]
        pub(crate) enum GrantRequest {
            $($Grant(Box<$module::$Request>)),+
        }

        impl GrantRequest {
            fn parse_as(grant: GrantType, params: &Params) -> Result<Self, Refusal> {
                match grant {
                    $(GrantType::$Grant => {
                        let request = $module::$Request::parse(params)?;
                        Ok(Self::$Grant(Box::new(request)))
                    })+
                }
            }

            pub(crate) fn decide(
                &self,
                env: &Env<'_>,
                facts: &Facts,
                client: AuthenticatedClient<'_>,
                peer: &Peer,
            ) -> Result<Decision<TokenReply>, Stop> {
                match self {
                    $(Self::$Grant(request) => request.decide(env, facts, client, peer),)+
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

fn required<'p>(params: &'p Params, name: &str, missing: &'static str) -> Result<&'p str, Refusal> {
    params
        .opt(name)
        .ok_or(Refusal::new(ErrorCode::InvalidRequest, missing))
}

fn required_secret(params: &Params, name: &str, missing: &'static str) -> Result<Secret, Refusal> {
    required(params, name, missing).map(Secret::new)
}

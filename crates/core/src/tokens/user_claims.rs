//! What tokens say of a user, and what they have no room for.

use serde_json::{Map, Value};

use super::issue::MAX_TOKEN_BYTES;
use crate::base::error::Failure;
use crate::engine::event::{Event, EventKind};
use crate::model::claim_mapping::ClaimSources;
use crate::model::claims::AccessTokenClaims;
use crate::model::claims_request::{self, RequestedClaims};
use crate::model::client::{Client, ConsentPolicy, IdTokenContent};
use crate::model::ids::UserId;
use crate::model::realm::Realm;
use crate::model::resource::Resource;
use crate::model::scope::Scope;
use crate::records::{Authorization, to_json};

/// The names of claims that a token has no room for. Only what depends on the user is left out, the largest first: someone in
/// many groups can still sign in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct LeftOut(Vec<String>);

impl LeftOut {
    /// What operators learn of it.
    pub(crate) fn event(&self, client: &Client, user: Option<UserId>) -> Option<Event> {
        if self.0.is_empty() {
            return None;
        }
        let mut event = Event::new(EventKind::ClaimsLeftOut).client(&client.id);
        event.user = user;
        Some(event.left_out(self.0.iter().map(String::as_str)))
    }

    /// Leaves out the largest claim. False where none depends on the user.
    pub(super) fn largest_of_access_token(
        &mut self,
        claims: &mut AccessTokenClaims,
        resource: Option<&Resource>,
    ) -> bool {
        let groups: usize = claims.groups.iter().map(|name| name.len() + 3).sum();
        let of_user = |name: &str| resource.is_some_and(|it| it.claims.is_of_user(name));
        let largest = largest(&claims.mapped, of_user);
        match largest {
            Some((name, size)) if size > groups => {
                claims.mapped.remove(&name);
                self.0.push(name);
            }
            _ if groups > 0 => {
                claims.groups = Vec::new();
                self.0.push("groups".to_owned());
            }
            _ => return false,
        }
        true
    }
}

/// The largest of these claims, and its size as JSON.
fn largest(claims: &Map<String, Value>, among: impl Fn(&str) -> bool) -> Option<(String, usize)> {
    let sizes = claims.iter().filter(|(name, _)| among(name));
    let sizes = sizes.map(|(name, value)| (name.clone(), value.to_string().len()));
    sizes.max_by_key(|(_, size)| *size)
}

/// What a user agreed to besides the scopes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Agreed<'a> {
    /// What the request asked for by name.
    requested: RequestedClaims,
    /// `None`: whatever the operator has the client told.
    disclosed: Option<&'a [String]>,
}

impl<'a> Agreed<'a> {
    pub(crate) fn new(client: &Client, authorization: &'a Authorization) -> Self {
        Self {
            requested: authorization.claims.clone().within(&client.scopes),
            disclosed: match client.code.consent {
                ConsentPolicy::Ask => authorization.disclosed.as_deref(),
                ConsentPolicy::Skip => None,
            },
        }
    }
}

/// The claims of an ID token besides those of the protocol: of the granted scopes as the client is set, what the request
/// named, those of plain scopes, and the client's mapped claims, which win.
///
/// # Errors
/// [`Failure::Operator`] where they are too long without any claim that depends on the user.
pub(crate) fn id_token_claims(
    realm: &Realm,
    client: &Client,
    scope: &Scope,
    agreed: Agreed<'_>,
    from: &ClaimSources<'_>,
    left_out: &mut LeftOut,
) -> Result<Map<String, Value>, Failure> {
    let Agreed {
        requested,
        disclosed,
    } = agreed;
    let scopes: Scope = scope.iter().chain(requested.scopes().iter()).collect();
    let mut claims = match from.user {
        None => Map::new(),
        Some(user) => {
            let of_scopes = claims_request::scope_claims(scope);
            let of_scopes = of_scopes.filter(|name| match client.id_token_claims {
                IdTokenContent::Scopes => true,
                IdTokenContent::Requested => *name == "groups",
            });
            let of_scopes: Vec<&str> = of_scopes.collect();
            let named = requested.id_token.iter().map(String::as_str);
            claims_request::user_claims(user, named.chain(of_scopes))
        }
    };
    claims.extend(realm.claims_of_plain_scopes(scope, from));
    claims.extend(client.id_claims.claims_within(&scopes, disclosed, from));
    while to_json(&claims)?.len() > MAX_TOKEN_BYTES {
        let of_client =
            |name: &str| client.id_claims.has(name) && !client.id_claims.is_of_user(name);
        let Some((name, _)) = largest(&claims, |name| !of_client(name)) else {
            return Err(Failure::Operator(
                "an ID token would be too long: give the client fewer id_claims",
            ));
        };
        claims.remove(&name);
        left_out.0.push(name);
    }
    Ok(claims)
}

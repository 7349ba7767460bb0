//! The resources of the settings.

use grantor_core::model::claim_mapping::{Carrier, ClaimMapping, InvalidMapping};
use grantor_core::model::resource::{Resource, TokenForm};

use super::algorithm;
use crate::config::{self, TokenFormat};

pub(super) fn resource(resource: &config::Resource) -> Result<Resource, InvalidMapping> {
    let claims = resource.claims.clone();
    Ok(Resource {
        identifier: resource.identifier.to_string(),
        uri: resource.uri.as_ref().map(ToString::to_string),
        scopes: resource.scopes.clone(),
        token: token_form(resource),
        lifetime: resource.lifetime,
        groups: resource.groups.clone(),
        claims: ClaimMapping::new(Carrier::AccessToken, claims)?,
    })
}

pub(super) fn token_form(resource: &config::Resource) -> TokenForm {
    match resource.token {
        TokenFormat::Jwt => TokenForm::Jwt(algorithm(resource.alg)),
        TokenFormat::Sealed => TokenForm::Sealed,
    }
}

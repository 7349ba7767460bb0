//! The resources of the settings.

use grantor_core::model::claim_mapping::{Carrier, ClaimMapping, InvalidMapping};
use grantor_core::model::resource::Resource;
use grantor_core::model::resource_uri::NormalUri;

use grantor_config as config;

pub(super) fn resource(resource: &config::Resource) -> Result<Resource, InvalidMapping> {
    let claims = resource.claims.clone();
    Ok(Resource {
        identifier: resource.identifier.to_string(),
        normal: NormalUri::parse(resource.audience()),
        uri: resource.uri.as_ref().map(ToString::to_string),
        scopes: resource.scopes.clone(),
        token: resource.token_form(),
        lifetime: resource.lifetime,
        groups: resource.groups.clone(),
        claims: ClaimMapping::new(Carrier::AccessToken, claims)?,
    })
}

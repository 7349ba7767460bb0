//! The resources of the settings.

use grantor_core::model::claim_mapping::{Carrier, ClaimMapping, InvalidMapping};
use grantor_core::model::group_filter::GroupFilter;
use grantor_core::model::resource::{Resource, TokenForm};
use grantor_core::model::resource_uri::NormalUri;
use grantor_core::model::right::{self, Right};

use super::ACCESS_TOKEN_ALG;
use grantor_config::{self as config, Settings};

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

/// The management API, whose scopes are the rights over it.
pub(super) fn built_in(settings: &Settings) -> Option<Resource> {
    let uri = format!("{}/api/v1", settings.issuer);
    let scopes = Right::ALL.iter();
    let scopes = scopes.map(|right| (right.name().to_owned(), right.text().to_owned()));
    settings.api.enabled.then(|| Resource {
        identifier: right::RESOURCE.to_owned(),
        normal: NormalUri::parse(&uri),
        uri: Some(uri),
        scopes: scopes.collect(),
        token: TokenForm::Jwt(ACCESS_TOKEN_ALG),
        lifetime: None,
        groups: GroupFilter::NONE,
        claims: ClaimMapping::default(),
    })
}

//! The resources and scopes of the settings.

use grantor_core::model::claim_mapping::{Carrier, ClaimMapping, InvalidMapping};
use grantor_core::model::declared_scope::DeclaredScope;
use grantor_core::model::group_filter::GroupFilter;
use grantor_core::model::plain_scope::PlainScope;
use grantor_core::model::resource::{Resource, TokenForm};
use grantor_core::model::resource_uri::NormalUri;
use grantor_core::model::right::{self, Right, Rights};

use super::ACCESS_TOKEN_ALG;
use grantor_config::{self as config, Settings};

pub(super) fn resource(resource: &config::Resource) -> Result<Resource, InvalidMapping> {
    let claims = resource.claims.clone();
    let scopes = resource.scopes.iter();
    let scopes = scopes.map(|(name, scope)| (name.clone(), scope.declared()));
    Ok(Resource {
        identifier: resource.identifier.to_string(),
        normal: NormalUri::parse(resource.audience()),
        uri: resource.uri.as_ref().map(ToString::to_string),
        scopes: scopes.collect(),
        token: resource.token_form(),
        lifetime: resource.lifetime,
        groups: resource.groups.clone(),
        claims: ClaimMapping::new(Carrier::AccessToken, claims)?,
    })
}

/// The management API, whose scopes are the rights over it, limited to who may be given these.
pub(super) fn built_in(settings: &Settings) -> Option<Resource> {
    let uri = format!("{}/api/v1", settings.issuer);
    let api = super::api(settings);
    let scopes = Right::ALL.iter().map(|right| {
        let scope = DeclaredScope {
            text: right.text().to_owned(),
            groups: api.groups_of(*right),
            machines: false,
        };
        (right.name().to_owned(), scope)
    });
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

pub(super) fn plain_scope(scope: &config::PlainScope) -> Result<PlainScope, InvalidMapping> {
    Ok(PlainScope {
        declared: scope.declared(),
        resource: scope.resource.as_ref().map(ToString::to_string),
        claims: ClaimMapping::new(Carrier::IdToken, scope.claims.clone())?,
        gives: Rights::of_scope(&super::clients::scope(&scope.gives)),
    })
}

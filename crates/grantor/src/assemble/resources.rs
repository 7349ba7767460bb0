//! The resources of the settings.

use grantor_core::resource::{Resource, TokenForm};

use super::algorithm;
use crate::config::{self, TokenFormat};

pub(super) fn resource(resource: &config::Resource) -> Resource {
    Resource {
        identifier: resource.identifier.to_string(),
        uri: resource.uri.as_ref().map(ToString::to_string),
        scopes: resource.scopes.clone(),
        token: token_form(resource),
    }
}

pub(super) fn token_form(resource: &config::Resource) -> TokenForm {
    match resource.token {
        TokenFormat::Jwt => TokenForm::Jwt(algorithm(resource.alg)),
        TokenFormat::Sealed => TokenForm::Sealed,
    }
}

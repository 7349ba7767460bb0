//! The management API in a realm of tests.

use grantor_core::model::group_filter::GroupFilter;
use grantor_core::model::realm::Realm;
use grantor_core::model::resource::{Resource, TokenForm};
use grantor_core::model::right::{self, ApiSettings, Right};
use grantor_jose::Algorithm;

use crate::{ISSUER, PORTAL, client, resource, scope};

/// The machine whose tokens hold what it asks for.
pub const MACHINE: &str = "orders";

/// Where the API is.
pub fn uri() -> String {
    format!("{ISSUER}/api/v1")
}

/// All rights, as a scope.
pub fn all_rights() -> String {
    let rights = Right::ALL.iter().map(|right| right.token());
    rights.collect::<Vec<_>>().join(" ")
}

/// Serves the API: `admins` may do everything, `developers` may have clients of their own, and [`PORTAL`] and [`MACHINE`] may
/// ask for every right.
pub fn serve(realm: &mut Realm) {
    realm.api = ApiSettings {
        enabled: true,
        admins: vec!["admins".to_owned()],
        developers: vec!["developers".to_owned()],
    };
    let rights: Vec<_> = Right::ALL.iter().map(|it| (it.name(), it.text())).collect();
    let form = TokenForm::Jwt(Algorithm::Es256);
    let mut api = Resource {
        groups: GroupFilter::NONE,
        ..resource(right::RESOURCE, Some(&uri()), &rights, form)
    };
    for right in Right::ALL {
        let scope = api.scopes.get_mut(right.name()).expect("a scope");
        scope.groups = realm.api.groups_of(*right);
    }
    realm.resources.push(api);
    for id in [PORTAL, MACHINE] {
        let client = client(realm, id);
        let own = client.scopes.to_string();
        client.scopes = scope(&format!("{own} {}", all_rights()));
    }
}

//! A user as the API shows one.

use serde_json::{Map, Value, json};

use crate::base::row::Version;
use crate::records::User;

/// A user and the version of its row.
#[derive(Clone, Debug)]
pub struct ManagedUser {
    pub user: User,
    pub version: Version,
}

impl ManagedUser {
    /// Everything but the password.
    #[must_use]
    pub fn json(&self) -> Value {
        Value::Object(view(&self.user))
    }
}

/// The members that may be written, as they are; the keys are those of the configuration file.
pub(super) fn document(user: &User) -> Map<String, Value> {
    let mut document = Map::new();
    document.insert("username".to_owned(), json!(user.username));
    document.insert("enabled".to_owned(), json!(user.enabled));
    document.insert("groups".to_owned(), json!(user.groups));
    document.insert("claims".to_owned(), json!(user.claims));
    if let Some(email) = &user.email {
        document.insert("email".to_owned(), json!(email));
    }
    if let Some(organization) = &user.organization {
        document.insert("organization".to_owned(), json!(organization));
    }
    document
}

pub(super) fn view(user: &User) -> Map<String, Value> {
    let mut view = document(user);
    view.insert("id".to_owned(), json!(user.id.to_string()));
    view.insert("declared".to_owned(), json!(declared(user)));
    if let Some(changed) = &user.changed {
        view.insert("changed".to_owned(), changed.json());
    }
    view
}

/// The members that the configuration file declares, and that are changed only there.
pub(super) fn declared(user: &User) -> Vec<String> {
    let own = ["username", "enabled"].map(ToOwned::to_owned);
    let own = own.into_iter().filter(|_| user.from_file);
    let password = user.declares_password().then(|| "password".to_owned());
    let claims = user.claims.keys().map(|name| User::claim_member(name));
    let members = [User::EMAIL, User::GROUPS, User::ORGANIZATION].map(ToOwned::to_owned);
    let members = members.into_iter().chain(claims);
    let members = members.filter(|member| user.declares(member));
    own.chain(password).chain(members).collect()
}

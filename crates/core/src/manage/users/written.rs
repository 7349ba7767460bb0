//! What a caller wrote of a user, judged as the configuration file is.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::view;
use crate::base::secret::Secret;
use crate::manage::refusal::{ApiRefusal, FieldError};
use crate::model::checks::{Given, UserSpec};
use crate::model::credentials::{NewPassword, ValidUsername};
use crate::model::ids::{InvalidOrganizationId, OrganizationId};
use crate::records::User;

/// The most bytes of a user as JSON.
const MAX_USER_BYTES: usize = 64 * 1024;
/// What the server sets.
const READ_ONLY: [&str; 3] = ["id", "declared", "changed"];

/// The members of a user, after the checks.
#[derive(Debug)]
pub(super) struct WrittenUser {
    pub(super) username: ValidUsername,
    enabled: bool,
    email: Option<String>,
    groups: Vec<String>,
    pub(super) organization: Option<OrganizationId>,
    claims: BTreeMap<String, Value>,
    pub(super) password: Option<NewPassword>,
}

impl WrittenUser {
    /// Reads a whole object. What is read-only must be as it is in `stored`.
    ///
    /// # Errors
    /// 422 with everything that is wrong.
    pub(super) fn read(
        mut object: Map<String, Value>,
        stored: Option<&User>,
    ) -> Result<Self, ApiRefusal> {
        let mut errors = Vec::new();
        let current = stored.map(view::view).unwrap_or_default();
        for name in READ_ONLY {
            let given = object.remove(name);
            if given.is_some() && given.as_ref() != current.get(name) {
                errors.push(error(&format!("/{name}"), "is read-only"));
            }
        }
        let keys: Vec<String> = object.keys().cloned().collect();
        let password = text(&mut object, "password", &mut errors);
        // Without the password, whose length has its own limit.
        let length = serde_json::to_string(&object).map_or(usize::MAX, |it| it.len());
        if length > MAX_USER_BYTES {
            errors.push(error("", "is larger than 64 KiB"));
        }
        let username = text(&mut object, "username", &mut errors);
        let email = text(&mut object, "email", &mut errors);
        let enabled = match object.remove("enabled") {
            None => true,
            Some(Value::Bool(enabled)) => enabled,
            Some(_) => {
                errors.push(error("/enabled", "is true or false"));
                true
            }
        };
        let groups = groups(&mut object, &mut errors);
        let organization = text(&mut object, "organization", &mut errors);
        let organization = match organization.as_deref().map(str::parse) {
            Some(Err(why)) => {
                let why: InvalidOrganizationId = why;
                errors.push(error("/organization", why));
                None
            }
            organization => organization.and_then(Result::ok),
        };
        let claims = match object.remove("claims") {
            None => BTreeMap::new(),
            Some(Value::Object(claims)) => claims.into_iter().collect(),
            Some(_) => {
                errors.push(error("/claims", "is an object"));
                BTreeMap::new()
            }
        };
        for name in object.keys() {
            let pointer = format!("/{}", name.replace('~', "~0").replace('/', "~1"));
            errors.push(error(&pointer, "is not a member of a user"));
        }
        let username = match username.as_deref().map(str::parse::<ValidUsername>) {
            Some(Ok(username)) => Some(username),
            Some(Err(why)) => {
                errors.push(error("/username", why));
                None
            }
            None if errors.iter().any(|error| error.pointer == "/username") => None,
            None => {
                errors.push(error("/username", "is missing"));
                None
            }
        };
        let password = match password.map(|text| NewPassword::new(Secret::new(text))) {
            Some(Err(why)) => {
                errors.push(error("/password", why));
                None
            }
            password => password.and_then(Result::ok),
        };
        if let Some(username) = &username {
            let spec = UserSpec {
                given: keys.into_iter().collect::<Given>(),
                username,
                id: None,
                // Checked above, as a new one.
                password: None,
                email: email.as_deref(),
                claims: &claims,
                organization: organization.as_ref(),
                links: Vec::new(),
            };
            errors.extend(spec.problems().into_iter().map(FieldError::from));
        }
        match username {
            Some(username) if errors.is_empty() => Ok(Self {
                username,
                enabled,
                email,
                groups,
                organization,
                claims,
                password,
            }),
            _ => Err(ApiRefusal::invalid(errors)),
        }
    }

    /// The user with these members, and with all else as it is.
    pub(super) fn applied(&self, user: &User) -> User {
        User {
            username: self.username.to_string(),
            enabled: self.enabled,
            email: self.email.clone(),
            groups: self.groups.clone(),
            organization: self.organization.clone(),
            claims: self.claims.clone(),
            ..user.clone()
        }
    }
}

fn text(
    object: &mut Map<String, Value>,
    name: &str,
    errors: &mut Vec<FieldError>,
) -> Option<String> {
    match object.remove(name) {
        None => None,
        Some(Value::String(text)) => Some(text),
        Some(_) => {
            errors.push(error(&format!("/{name}"), "is a text"));
            None
        }
    }
}

fn groups(object: &mut Map<String, Value>, errors: &mut Vec<FieldError>) -> Vec<String> {
    let written = match object.remove("groups") {
        None => return Vec::new(),
        Some(Value::Array(groups)) => groups,
        Some(_) => {
            errors.push(error("/groups", "is a list of texts"));
            return Vec::new();
        }
    };
    let mut groups = Vec::new();
    for (index, group) in written.into_iter().enumerate() {
        match group {
            Value::String(group) => groups.push(group),
            _ => errors.push(error(&format!("/groups/{index}"), "is a text")),
        }
    }
    groups
}

fn error(pointer: &str, why: impl ToString) -> FieldError {
    FieldError {
        pointer: pointer.to_owned(),
        detail: why.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pointers(object: Value) -> Vec<String> {
        let Value::Object(object) = object else {
            panic!("an object")
        };
        match WrittenUser::read(object, None) {
            Ok(_) => Vec::new(),
            Err(refusal) => refusal.errors.into_iter().map(|it| it.pointer).collect(),
        }
    }

    #[test]
    fn members_are_judged_as_in_the_file_and_no_other_is_taken() {
        for (object, wrong) in [
            (json!({ "username": "dora" }), &[][..]),
            (json!({}), &["/username"]),
            (json!({ "username": 7 }), &["/username"]),
            (json!({ "username": " dora" }), &["/username"]),
            (json!({ "username": "dora@example.com" }), &["/username"]),
            (json!({ "username": "dora", "email": "dora" }), &["/email"]),
            (
                json!({ "username": "dora", "password": "short" }),
                &["/password"],
            ),
            (
                json!({ "username": "dora", "enabled": "yes" }),
                &["/enabled"],
            ),
            (
                json!({ "username": "dora", "groups": ["a", 1] }),
                &["/groups/1"],
            ),
            (
                json!({ "username": "dora", "claims": { "sub": "x" } }),
                &["/claims/sub"],
            ),
            (
                json!({ "username": "dora", "claims": { "email_verified": "yes" } }),
                &["/claims/email_verified"],
            ),
            (json!({ "username": "dora", "id": "x" }), &["/id"]),
            (
                json!({ "username": "dora", "claims": { "c": "x".repeat(65_536) } }),
                &[""],
            ),
        ] {
            assert_eq!(pointers(object.clone()), wrong, "{object}");
        }
        // What the row has and nobody may write.
        for name in [
            "epoch",
            "from_file",
            "logins",
            "declared_credential",
            "password_hash",
            "min_writer",
            "a/b",
        ] {
            let pointer = format!("/{}", name.replace('/', "~1"));
            let object = json!({ "username": "dora", name: "x" });
            assert_eq!(pointers(object), [pointer]);
        }
    }
}

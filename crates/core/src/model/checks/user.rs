//! Users.

use std::collections::BTreeMap;

use serde_json::Value;
use uuid::Uuid;

use super::Given;
use super::problem::{Problem, Problems, at};
use crate::base::secret::Secret;
use crate::model::claim_mapping::is_reserved;
use crate::model::credentials::{ValidUsername, check_password, fold_username, is_email};

/// Claims that have a setting of their own.
const OWN_KEYS: [&str; 3] = ["username", "email", "groups"];

/// Whether an operator may give a user this claim.
#[must_use]
pub fn is_user_claim(name: &str) -> bool {
    !is_reserved(name) && !OWN_KEYS.contains(&name)
}

#[derive(Clone, Debug)]
pub struct UserSpec<'a> {
    pub given: Given,
    pub username: &'a ValidUsername,
    pub id: Option<Uuid>,
    pub password: Option<&'a Secret>,
    pub email: Option<&'a str>,
    pub claims: &'a BTreeMap<String, Value>,
}

impl UserSpec<'_> {
    /// What is wrong with it alone.
    #[must_use]
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems = Problems::default();
        if self.given.has("password") && self.given.has("password_hash") {
            problems.add(
                at("password_hash"),
                "give password or password_hash, not both",
            );
        }
        if let Some(Err(why)) = self.password.map(check_password) {
            problems.add(at("password"), why.to_string());
        }
        if self.email.is_some_and(|email| !is_email(email)) {
            problems.add(at("email"), "is not an e-mail address");
        }
        for claim in self.claims.keys().filter(|claim| !is_user_claim(claim)) {
            let why = format!(
                "the claim {claim:?} is reserved: the server sets it, or it is a key of [[user]]"
            );
            problems.add(at("claims").key(claim), why);
        }
        problems.into_vec()
    }
}

pub(super) fn check_unique(users: &[UserSpec<'_>], problems: &mut Problems) {
    let names = users.iter();
    let names = names.map(|user| fold_username(user.username.as_str()));
    problems.unique("user", "username", names);
    let ids = users.iter();
    let ids = ids.map(|user| user.id.map(|id| id.to_string()).unwrap_or_default());
    problems.unique("user", "id", ids);
}

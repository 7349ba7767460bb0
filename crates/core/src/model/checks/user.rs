//! Users.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use uuid::Uuid;

use super::problem::{Problem, Problems, at};
use super::{Given, RealmSpec};
use crate::base::secret::Secret;
use crate::model::claim_mapping::is_reserved;
use crate::model::credentials::{
    ValidUsername, check_password, fold_login, fold_username, is_email, verified_email,
};
use crate::model::ids::{OrganizationId, UserId};
use crate::model::precis::nfkc;
use crate::model::realm::DEFAULT_NAME;

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
    pub organization: Option<&'a OrganizationId>,
    pub links: Vec<LinkSpec<'a>>,
}

/// A subject of a trusted issuer that is this user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LinkSpec<'a> {
    pub issuer: &'a str,
    pub sub: &'a str,
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
        if nfkc(self.username.as_str()).contains('@') && !self.is_named_by_own_address() {
            let why = "holds an @ and is not the user's own e-mail address: give the same address as email, or choose a \
                       username without @";
            problems.add(at("username"), why);
        }
        for claim in self.claims.keys().filter(|claim| !is_user_claim(claim)) {
            let why = format!(
                "the claim {claim:?} is reserved: the server sets it, or it is a key of [[user]]"
            );
            problems.add(at("claims").key(claim), why);
        }
        // OpenID Connect Core section 5.1.
        for claim in ["email_verified", "phone_number_verified"] {
            if self.claims.get(claim).is_some_and(|it| !it.is_boolean()) {
                problems.add(at("claims").key(claim), "is true or false, without quotes");
            }
        }
        problems.into_vec()
    }

    fn is_named_by_own_address(&self) -> bool {
        let address = self.verified_email().map(fold_login);
        address == Some(fold_login(self.username.as_str()))
    }

    fn verified_email(&self) -> Option<&str> {
        verified_email(self.email, self.claims)
    }
}

/// The addresses that several users have, each with those: they sign nobody in.
#[must_use]
pub fn shared_addresses(users: &[UserSpec<'_>]) -> Vec<(String, Vec<String>)> {
    let mut all = BTreeMap::<String, Vec<String>>::new();
    for user in users {
        let name = user.username.as_str();
        if let Some(address) = user.verified_email() {
            let of_address = all.entry(fold_login(address)).or_default();
            of_address.push(name.to_owned());
        }
    }
    all.retain(|_, users| users.len() > 1);
    all.into_iter().collect()
}

/// A link leads to one user, and from an issuer that is asked about.
pub(super) fn check_links(realm: &RealmSpec<'_>, problems: &mut Problems) {
    let mut seen = BTreeSet::new();
    for (row, user) in realm.users.iter().enumerate() {
        for (index, link) in user.links.iter().enumerate() {
            let pointer = at("user").index(row).key("links").index(index);
            let known = || realm.trusted_issuers.iter().map(|trusted| trusted.issuer);
            if known().all(|known| known != link.issuer) {
                let why = format!("unknown trusted_issuer {:?}", link.issuer);
                problems.add_unknown(pointer, why, link.issuer, known());
            } else if !seen.insert(link) {
                problems.add(pointer, "the subject is linked to a [[user]] already");
            }
        }
    }
}

pub(super) fn check_unique(users: &[UserSpec<'_>], problems: &mut Problems) {
    let names = users.iter();
    let names = names.map(|user| fold_login(user.username.as_str()));
    problems.unique("user", "username", names);
    let by_name: BTreeMap<_, _> = users
        .iter()
        .map(|user| (fold_login(user.username.as_str()), user.username))
        .collect();
    for (row, user) in users.iter().enumerate() {
        let address = user.verified_email().map(fold_login);
        let other = address.and_then(|address| by_name.get(&address));
        if let Some(other) = other.filter(|other| **other != user.username) {
            let why = format!("is the username of another [[user]], {:?}", other.as_str());
            problems.add(at("user").index(row).key("email"), why);
        }
    }
    let ids = users.iter();
    let ids = ids.map(|user| user.id.map(|id| id.to_string()).unwrap_or_default());
    problems.unique("user", "id", ids);
    // The id of a user without one is derived from the name.
    let derived: BTreeMap<_, _> = users
        .iter()
        .filter(|user| !user.given.has("id"))
        .map(|user| (derived_id(user.username), user.username))
        .collect();
    for (row, user) in users.iter().enumerate() {
        let id = user.id.map(UserId::new);
        if let Some(other) = id.and_then(|id| derived.get(&id)) {
            let pointer = at("user").index(row).key("id");
            let other = other.as_str();
            let why = format!("is the id derived for the user {other:?}: give that one an id, too");
            problems.add(pointer, why);
        }
    }
}

fn derived_id(username: &ValidUsername) -> UserId {
    UserId::from_username(DEFAULT_NAME, &fold_username(username.as_str()))
}

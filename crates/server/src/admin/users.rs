//! `/users`: the accounts.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use futures_util::TryStreamExt as _;
use grantor_core::base::row::Index;
use grantor_core::base::secret::Secret;
use grantor_core::people::{AddUser, AddUserReply, SetEnabled, SetEnabledReply};
use grantor_core::records::{Record as _, User};
use grantor_store::list_all;
use grantor_web::Entropy as _;
use http::StatusCode;

use super::api::{
    self, AddedUser, AdminRequest as _, ChangedUser, DisableUser, EnableUser, ListUsers, ListedUser,
};
use super::{Admin, Rejection, answer, read};
use crate::assemble::POOL;
use crate::password::readable;
use crate::system::SystemEntropy;
use grantor_config::Username;

/// Rows of one read.
const PAGE: usize = 500;
/// NIST SP 800-63B section 3.1.1.2: passwords have a minimum of eight characters.
const MIN_PASSWORD_CHARS: usize = 8;
/// What the sign-in form sends at most.
const MAX_PASSWORD_CHARS: usize = 1024;

pub(super) fn routes() -> Router<Arc<Admin>> {
    Router::new()
        .route(ListUsers::PATH, get(list))
        .route(api::AddUser::PATH, post(add))
        .route(DisableUser::PATH, post(disable))
        .route(EnableUser::PATH, post(enable))
}

async fn add(State(admin): State<Arc<Admin>>, body: Bytes) -> Result<Response, Rejection> {
    let api::AddUser {
        username,
        email,
        password,
    } = read(&body)?;
    let username = Username::new(&username)
        .map_err(|why| Rejection::invalid(format!("The username {why}.")))?;
    if email.as_deref().is_some_and(|email| !is_email(email)) {
        return Err(Rejection::invalid(
            "The email is not an address such as name@example.com.",
        ));
    }
    let made = password.is_none();
    let password =
        Secret::new(password.unwrap_or_else(|| readable(SystemEntropy.seed().bytes("password"))));
    if !(MIN_PASSWORD_CHARS..=MAX_PASSWORD_CHARS).contains(&password.reveal().chars().count()) {
        return Err(Rejection::invalid(format!(
            "A password has {MIN_PASSWORD_CHARS} to {MAX_PASSWORD_CHARS} characters."
        )));
    }
    let taken = |whose: &str| {
        let message = format!("The name {:?} is taken{whose}.", &*username);
        Rejection::new(StatusCode::CONFLICT, "name_taken", message)
    };
    if admin.declares(&username) {
        let file = admin.file.display();
        return Err(taken(&format!(": {file} declares it")));
    }
    let user = AddUser {
        username: username.to_string(),
        email: email.clone(),
        password: admin.app.hash_password(password.clone()).await?,
    };
    match admin.run(user).await? {
        AddUserReply::Added { id } => {
            let added = AddedUser {
                id: id.to_string(),
                username: username.to_string(),
                email,
                password: made.then(|| password.reveal().to_owned()),
            };
            Ok(answer(StatusCode::CREATED, &added))
        }
        AddUserReply::NameTaken => Err(taken("")),
    }
}

fn is_email(text: &str) -> bool {
    let plain = |c: char| !c.is_control() && !c.is_whitespace();
    text.len() <= 254
        && text.chars().all(plain)
        && text
            .rsplit_once('@')
            .is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty())
}

async fn disable(State(admin): State<Arc<Admin>>, body: Bytes) -> Result<Response, Rejection> {
    let DisableUser { username } = read(&body)?;
    set_enabled(&admin, username, false).await
}

async fn enable(State(admin): State<Arc<Admin>>, body: Bytes) -> Result<Response, Rejection> {
    let EnableUser { username } = read(&body)?;
    set_enabled(&admin, username, true).await
}

async fn set_enabled(
    admin: &Admin,
    username: String,
    enabled: bool,
) -> Result<Response, Rejection> {
    let set = SetEnabled {
        username: username.clone(),
        enabled,
    };
    match admin.run(set).await? {
        SetEnabledReply::Done { id, changed } => {
            let done = ChangedUser {
                id: id.to_string(),
                username,
                enabled,
                changed,
            };
            Ok(answer(StatusCode::OK, &done))
        }
        SetEnabledReply::Unknown if !admin.declares(&username) => {
            let message = format!("There is no user {username:?}.");
            let status = StatusCode::NOT_FOUND;
            Err(Rejection::new(status, "unknown_user", message))
        }
        SetEnabledReply::Unknown | SetEnabledReply::DeclaredInConfig => {
            let message = format!(
                "{} declares {username:?}: set enabled = {enabled} there, and restart the server.",
                admin.file.display()
            );
            let status = StatusCode::CONFLICT;
            Err(Rejection::new(status, "declared_in_file", message))
        }
    }
}

async fn list(State(admin): State<Arc<Admin>>) -> Result<Response, Rejection> {
    let index = Index::Kind {
        realm: POOL.to_owned(),
        kind: User::KIND.to_owned(),
    };
    let mut users = Vec::new();
    let mut rows = list_all(&*admin.store, &index, PAGE);
    while let Some(row) = rows.try_next().await? {
        match serde_json::from_slice::<User>(&row.value) {
            Ok(user) => users.push(ListedUser {
                id: user.id.to_string(),
                username: user.username,
                enabled: user.enabled,
                email: user.email,
                from_file: user.from_file,
            }),
            Err(_) => tracing::error!(row = ?row.key, "the row of a user cannot be read"),
        }
    }
    users.sort_by(|a, b| a.username.cmp(&b.username));
    Ok(answer(StatusCode::OK, &users))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_email_has_two_parts_and_no_spaces() {
        assert!(is_email("alice@example.com"));
        for bad in [
            "",
            "alice",
            "@example.com",
            "alice@",
            "a b@example.com",
            "a@b\n",
        ] {
            assert!(!is_email(bad), "{bad:?}");
        }
    }
}

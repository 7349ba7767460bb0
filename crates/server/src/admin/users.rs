//! `/users`: the accounts.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use futures_util::TryStreamExt as _;
use grantor_core::base::row::Index;
use grantor_core::people::{AddUser, AddUserReply, SetEnabled, SetEnabledReply};
use grantor_core::records::{Record as _, User};
use grantor_store::list_all;
use http::StatusCode;

use super::api::{
    self, AddedUser, AdminRequest as _, ChangedUser, DisableUser, EnableUser, ListUsers, ListedUser,
};
use super::change_user::{check_email, name_taken, new_password, unknown, valid_username};
use super::{Admin, Rejection, answer, read};
use crate::assemble::POOL;

/// Rows of one read.
const PAGE: usize = 500;

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
    let username = valid_username(&username)?;
    if let Some(email) = &email {
        check_email(email)?;
    }
    let made = password.is_none();
    let password = new_password(password)?;
    if admin.declares(username.as_str()) {
        return Err(name_taken(&admin, username.as_str(), true));
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
        AddUserReply::NameTaken => Err(name_taken(&admin, username.as_str(), false)),
    }
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
        SetEnabledReply::Unknown if !admin.declares(&username) => Err(unknown(admin, &username)),
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

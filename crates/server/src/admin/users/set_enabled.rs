//! Disables and enables a user.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use grantor_core::people::{SetEnabled, SetEnabledReply};
use http::StatusCode;

use super::refusals::{declared, unknown};
use crate::admin::api::{ChangedUser, DisableUser, EnableUser};
use crate::admin::{Admin, Rejection, answer, read};

pub(super) async fn disable(
    State(admin): State<Arc<Admin>>,
    body: Bytes,
) -> Result<Response, Rejection> {
    let DisableUser { username } = read(&body)?;
    set_enabled(&admin, username, false).await
}

pub(super) async fn enable(
    State(admin): State<Arc<Admin>>,
    body: Bytes,
) -> Result<Response, Rejection> {
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
        // The name of a declared user who is disabled is free.
        SetEnabledReply::Unknown if !admin.declares(&username) => Err(unknown(admin, &username)),
        SetEnabledReply::Unknown | SetEnabledReply::DeclaredInConfig => {
            let todo = |_: &str| format!("set enabled = {enabled} there, and run `grantor reload`");
            Err(declared(admin, &username, todo).await?)
        }
    }
}

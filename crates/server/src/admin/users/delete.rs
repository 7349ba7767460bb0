//! Deletes a user.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use grantor_core::people::{self, ChangeUserReply};
use http::StatusCode;

use super::refusals::{declared, done};
use crate::admin::api::{DeleteUser, DeletedUser};
use crate::admin::{Admin, Rejection, answer, read};

pub(super) async fn delete(
    State(admin): State<Arc<Admin>>,
    body: Bytes,
) -> Result<Response, Rejection> {
    let DeleteUser { username } = read(&body)?;
    let delete = people::DeleteUser {
        username: username.clone(),
    };
    let reply = admin.run(delete).await?;
    if matches!(reply, ChangeUserReply::Declared(_)) {
        let todo = |sub: &str| {
            format!(
                "remove it there, and run `grantor reload --prune`, which disables the user; then `grantor user delete {sub}` \
                 deletes what is stored"
            )
        };
        return Err(declared(&admin, &username, todo).await?);
    }
    let id = done(&admin, &username, reply).await?;
    Ok(answer(StatusCode::OK, &DeletedUser { id }))
}

//! Lists the users.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use futures_util::TryStreamExt as _;
use grantor_core::base::row::Index;
use grantor_core::records::{Record as _, User};
use grantor_store::list_all;
use http::StatusCode;

use crate::admin::api::ListedUser;
use crate::admin::{Admin, Rejection, answer};
use crate::assemble::POOL;

/// Rows of one read.
const PAGE: usize = 500;

pub(super) async fn list(State(admin): State<Arc<Admin>>) -> Result<Response, Rejection> {
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

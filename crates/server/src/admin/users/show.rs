//! Shows what is stored of a user.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use grantor_core::people::FindUser;
use grantor_core::records::User;
use http::StatusCode;

use super::refusals::unknown;
use crate::admin::api::{ShowUser, ShownUser};
use crate::admin::{Admin, Rejection, answer, read};

pub(super) async fn show(
    State(admin): State<Arc<Admin>>,
    body: Bytes,
) -> Result<Response, Rejection> {
    let ShowUser { username } = read(&body)?;
    shown(&admin, &username).await
}

/// The answer with the user of this name or `sub`.
pub(super) async fn shown(admin: &Admin, username: &str) -> Result<Response, Rejection> {
    let find = FindUser {
        username: username.to_owned(),
    };
    let found = admin.run(find).await?;
    let user = *found.ok_or_else(|| unknown(admin, username))?;
    Ok(answer(StatusCode::OK, &render(user)))
}

fn render(user: User) -> ShownUser {
    let claims = user.claims.keys().map(|name| User::claim_member(name));
    let members = [User::EMAIL, User::GROUPS, User::ORGANIZATION].map(ToOwned::to_owned);
    let declared = members.into_iter().chain(claims);
    let declared = declared.filter(|member| user.declares(member));
    let password = user.declares_password().then(|| "password".to_owned());
    ShownUser {
        declared: password.into_iter().chain(declared).collect(),
        id: user.id.to_string(),
        enabled: user.enabled,
        password: user.password.is_some(),
        from_file: user.from_file,
        username: user.username,
        email: user.email,
        groups: user.groups,
        organization: user.organization.map(|id| id.to_string()),
        claims: user.claims,
    }
}

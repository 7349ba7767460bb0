//! Gives a user another name.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use grantor_core::model::credentials::fold_username;
use grantor_core::people::{self, ChangeUserReply};

use super::given::valid_username;
use super::refusals::{done, login_refused, name_taken};
use super::show::shown;
use crate::admin::api::RenameUser;
use crate::admin::{Admin, Rejection, read};

pub(super) async fn rename(
    State(admin): State<Arc<Admin>>,
    body: Bytes,
) -> Result<Response, Rejection> {
    let RenameUser { username, to } = read(&body)?;
    let to = valid_username(&to)?;
    let is_new = fold_username(to.as_str()) != fold_username(&username);
    if is_new && admin.declares(to.as_str()) {
        return Err(name_taken(&admin, to.as_str(), true));
    }
    let rename = people::RenameUser {
        username: username.clone(),
        to: to.to_string(),
    };
    let reply = admin.run(rename).await?;
    if let ChangeUserReply::Refused(why) = reply {
        return Err(login_refused(&admin, why, to.as_str(), ""));
    }
    let id = done(&admin, &username, reply).await?;
    shown(&admin, &id).await
}

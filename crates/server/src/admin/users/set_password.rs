//! Gives a user another password.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use grantor_core::people;
use http::StatusCode;

use super::given::new_password;
use super::refusals::done;
use crate::admin::api::{NewPassword, SetPassword};
use crate::admin::{Admin, Rejection, answer, read};

pub(super) async fn set_password(
    State(admin): State<Arc<Admin>>,
    body: Bytes,
) -> Result<Response, Rejection> {
    let SetPassword { username, password } = read(&body)?;
    let made = password.is_none();
    let password = new_password(password)?;
    let set = people::SetPassword {
        username: username.clone(),
        password: password.secret().clone(),
    };
    let id = done(&admin, &username, admin.run(set).await?).await?;
    let set = NewPassword {
        id,
        username,
        password: made.then(|| password.secret().reveal().to_owned()),
    };
    Ok(answer(StatusCode::OK, &set))
}

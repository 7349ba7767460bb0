//! Adds a user.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use grantor_core::people::{self, AddUserReply};
use http::StatusCode;

use super::given::{check_email, given_organization, new_password, valid_username};
use super::refusals::{login_refused, name_taken};
use crate::admin::api::{AddAdministrator, AddUser, AddedUser};
use crate::admin::{Admin, Rejection, answer, read};

pub(super) async fn add(
    State(admin): State<Arc<Admin>>,
    body: Bytes,
) -> Result<Response, Rejection> {
    let add: AddUser = read(&body)?;
    add_user(&admin, add, |user| admin.run(user)).await
}

pub(super) async fn add_administrator(
    State(admin): State<Arc<Admin>>,
    body: Bytes,
) -> Result<Response, Rejection> {
    let AddAdministrator {
        username,
        email,
        password,
    } = read(&body)?;
    if admin.app.realm().api.admins.is_empty() {
        return Err(Rejection::invalid(
            "[api] admins names no group: its members would be the administrators.",
        ));
    }
    let add = AddUser {
        username,
        email,
        groups: Vec::new(),
        organization: None,
        password,
    };
    add_user(&admin, add, |user| {
        admin.run(people::AddAdministrator(user))
    })
    .await
}

async fn add_user<F>(
    admin: &Admin,
    add: AddUser,
    run: impl FnOnce(people::AddUser) -> F,
) -> Result<Response, Rejection>
where
    F: Future<Output = Result<AddUserReply, Rejection>>,
{
    let AddUser {
        username,
        email,
        groups,
        organization,
        password,
    } = add;
    let organization = organization
        .map(|id| given_organization(&id))
        .transpose()?
        .flatten();
    let username = valid_username(&username)?;
    if let Some(email) = &email {
        check_email(email)?;
    }
    let made = password.is_none();
    let password = new_password(password)?;
    if admin.declares(username.as_str()) {
        return Err(name_taken(admin, username.as_str(), true));
    }
    let user = people::AddUser {
        username: username.to_string(),
        email: email.clone(),
        groups,
        organization,
        password: admin.app.hash_password(password.secret().clone()).await?,
    };
    match run(user).await? {
        AddUserReply::Added { id } => {
            let added = AddedUser {
                id: id.to_string(),
                username: username.to_string(),
                email: email.clone(),
                password: made.then(|| password.secret().reveal().to_owned()),
            };
            Ok(answer(StatusCode::CREATED, &added))
        }
        AddUserReply::UnknownOrganization => {
            Err(Rejection::invalid("There is no such organization."))
        }
        AddUserReply::Refused(why) => {
            let address = email.unwrap_or_default();
            Err(login_refused(admin, why, username.as_str(), &address))
        }
    }
}

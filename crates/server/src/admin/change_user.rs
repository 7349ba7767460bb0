//! `/users/…`: one account.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use axum::routing::post;
use grantor_core::base::secret::Secret;
use grantor_core::model::checks::is_user_claim;
use grantor_core::model::credentials::{
    ValidUsername, check_new_password, fold_username, is_email,
};
use grantor_core::people::{self, ChangeUser, ChangeUserReply, FindUser, UserChange};
use grantor_core::records::User;
use grantor_web::Entropy as _;
use http::StatusCode;

use super::api::{
    AdminRequest as _, DeleteUser, DeletedUser, NewPassword, RenameUser, SetPassword, SetUser,
    ShowUser, ShownUser,
};
use super::{Admin, Rejection, answer, read};
use crate::password::readable;
use crate::system::SystemEntropy;

pub(super) fn routes() -> Router<Arc<Admin>> {
    Router::new()
        .route(SetPassword::PATH, post(set_password))
        .route(SetUser::PATH, post(set))
        .route(ShowUser::PATH, post(show))
        .route(RenameUser::PATH, post(rename))
        .route(DeleteUser::PATH, post(delete))
}

async fn set_password(State(admin): State<Arc<Admin>>, body: Bytes) -> Result<Response, Rejection> {
    let SetPassword { username, password } = read(&body)?;
    let made = password.is_none();
    let password = new_password(password)?;
    let set = people::SetPassword {
        username: username.clone(),
        password: password.clone(),
    };
    let id = done(&admin, &username, admin.run(set).await?)?;
    let set = NewPassword {
        id,
        username,
        password: made.then(|| password.reveal().to_owned()),
    };
    Ok(answer(StatusCode::OK, &set))
}

/// The password that was given, or one that is made.
pub(super) fn new_password(given: Option<String>) -> Result<Secret, Rejection> {
    let made = || readable(SystemEntropy.seed().bytes("password"));
    let password = Secret::new(given.unwrap_or_else(made));
    check_new_password(&password)
        .map_err(|why| Rejection::invalid(format!("The password {why}.")))?;
    Ok(password)
}

pub(super) fn valid_username(text: &str) -> Result<ValidUsername, Rejection> {
    text.parse()
        .map_err(|why| Rejection::invalid(format!("The username {text:?} {why}.")))
}

pub(super) fn check_email(email: &str) -> Result<(), Rejection> {
    if is_email(email) {
        return Ok(());
    }
    Err(Rejection::invalid(
        "The email is not an address such as name@example.com.",
    ))
}

async fn set(State(admin): State<Arc<Admin>>, body: Bytes) -> Result<Response, Rejection> {
    let SetUser {
        username,
        email,
        groups,
        claims,
    } = read(&body)?;
    let email = email.map(|email| Some(email).filter(|email| !email.is_empty()));
    if let Some(Some(email)) = &email {
        check_email(email)?;
    }
    if let Some(claim) = claims.keys().find(|claim| !is_user_claim(claim)) {
        return Err(Rejection::invalid(format!(
            "The claim {claim:?} is reserved: the server sets it, or it has an option of its own."
        )));
    }
    let claims = claims.into_iter();
    let change = UserChange {
        email,
        groups,
        claims: claims
            .map(|(name, value)| (name, Some(value).filter(|value| !value.is_null())))
            .collect(),
    };
    let change = ChangeUser {
        username: username.clone(),
        change,
    };
    let id = done(&admin, &username, admin.run(change).await?)?;
    shown(&admin, &id).await
}

async fn show(State(admin): State<Arc<Admin>>, body: Bytes) -> Result<Response, Rejection> {
    let ShowUser { username } = read(&body)?;
    shown(&admin, &username).await
}

async fn rename(State(admin): State<Arc<Admin>>, body: Bytes) -> Result<Response, Rejection> {
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
    if reply == ChangeUserReply::NameTaken {
        return Err(name_taken(&admin, to.as_str(), false));
    }
    let id = done(&admin, &username, reply)?;
    shown(&admin, &id).await
}

async fn delete(State(admin): State<Arc<Admin>>, body: Bytes) -> Result<Response, Rejection> {
    let DeleteUser { username } = read(&body)?;
    let delete = people::DeleteUser {
        username: username.clone(),
    };
    let reply = admin.run(delete).await?;
    if matches!(reply, ChangeUserReply::Declared(_)) {
        let file = admin.file.display();
        return Err(Rejection::new(
            StatusCode::CONFLICT,
            "declared_in_file",
            format!(
                "{file} declares {username:?}: remove the [[user]] there, and restart the server, which disables the \
                 user. To delete what is stored then, too, name the user by its sub."
            ),
        ));
    }
    let id = done(&admin, &username, reply)?;
    Ok(answer(StatusCode::OK, &DeletedUser { id }))
}

/// The `sub`, where it was done.
fn done(admin: &Admin, username: &str, reply: ChangeUserReply) -> Result<String, Rejection> {
    match reply {
        ChangeUserReply::Done { id, .. } => Ok(id.to_string()),
        ChangeUserReply::Declared(member) => Err(declared(admin, username, &member)),
        ChangeUserReply::NameTaken => Err(name_taken(admin, username, false)),
        ChangeUserReply::Unknown => Err(unknown(admin, username)),
    }
}

fn declared(admin: &Admin, username: &str, member: &str) -> Rejection {
    let file = admin.file.display();
    let what = match member.split_once('/') {
        Some((_, claim)) => format!("the claim {claim:?}"),
        None => format!("the {member}"),
    };
    Rejection::new(
        StatusCode::CONFLICT,
        "declared_in_file",
        format!("{file} declares {what} of {username:?}: change it there, and restart the server."),
    )
}

pub(super) fn unknown(admin: &Admin, username: &str) -> Rejection {
    let (status, code) = (StatusCode::NOT_FOUND, "unknown_user");
    if admin.declares(username) {
        let file = admin.file.display();
        let message = format!(
            "{file} declares {username:?}, and the store does not hold that user yet: start the server first."
        );
        return Rejection::new(status, code, message);
    }
    Rejection::new(status, code, format!("There is no user {username:?}."))
}

pub(super) fn name_taken(admin: &Admin, username: &str, by_file: bool) -> Rejection {
    let by = if by_file {
        format!(": {} declares it", admin.file.display())
    } else {
        String::new()
    };
    let message = format!("The name {username:?} is taken{by}.");
    Rejection::new(StatusCode::CONFLICT, "name_taken", message)
}

async fn shown(admin: &Admin, username: &str) -> Result<Response, Rejection> {
    let find = FindUser {
        username: username.to_owned(),
    };
    let found = admin.run(find).await?;
    let user = *found.ok_or_else(|| unknown(admin, username))?;
    Ok(answer(StatusCode::OK, &render(user)))
}

fn render(user: User) -> ShownUser {
    let claims = user.claims.keys().map(|name| User::claim_member(name));
    let members = [User::EMAIL, User::GROUPS].map(ToOwned::to_owned);
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
        claims: user.claims,
    }
}

//! `/users`: who may sign in.

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
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Admin, Refused, answer, read};
use crate::assemble::POOL;
use crate::config::Username;
use crate::password::readable;
use crate::system::SystemEntropy;

/// How many rows are read at once.
const PAGE: usize = 500;
/// NIST SP 800-63B section 3.1.1.2: passwords have a minimum of eight characters.
const SHORTEST: usize = 8;
/// What the sign-in form sends at most.
const LONGEST: usize = 1024;

pub(super) fn routes() -> Router<Arc<Admin>> {
    Router::new()
        .route("/users", get(list).post(add))
        .route("/users/disable", post(disable))
        .route("/users/enable", post(enable))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewUser {
    username: String,
    email: Option<String>,
    /// Made here, and answered, where it is left out.
    password: Option<String>,
}

async fn add(State(admin): State<Arc<Admin>>, body: Bytes) -> Result<Response, Refused> {
    let NewUser {
        username,
        email,
        password,
    } = read(&body)?;
    let username =
        Username::new(&username).map_err(|why| Refused::invalid(format!("The username {why}.")))?;
    if email.as_deref().is_some_and(|email| !is_email(email)) {
        return Err(Refused::invalid(
            "The email is not an address such as name@example.com.",
        ));
    }
    let made = password.is_none();
    let password =
        Secret::new(password.unwrap_or_else(|| readable(SystemEntropy.seed().bytes("password"))));
    if !(SHORTEST..=LONGEST).contains(&password.reveal().chars().count()) {
        return Err(Refused::invalid(format!(
            "A password has {SHORTEST} to {LONGEST} characters."
        )));
    }
    let taken = |whose: &str| {
        let message = format!("The name {:?} is taken{whose}.", &*username);
        Refused::new(StatusCode::CONFLICT, "name_taken", message)
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
            let mut added = json!({ "id": id, "username": &*username });
            if let Some(email) = email {
                added["email"] = email.into();
            }
            if made {
                added["password"] = password.reveal().into();
            }
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    username: String,
}

async fn disable(State(admin): State<Arc<Admin>>, body: Bytes) -> Result<Response, Refused> {
    set_enabled(&admin, &body, false).await
}

async fn enable(State(admin): State<Arc<Admin>>, body: Bytes) -> Result<Response, Refused> {
    set_enabled(&admin, &body, true).await
}

async fn set_enabled(admin: &Admin, body: &[u8], enabled: bool) -> Result<Response, Refused> {
    let Named { username } = read(body)?;
    let set = SetEnabled {
        username: username.clone(),
        enabled,
    };
    match admin.run(set).await? {
        SetEnabledReply::Done { id, changed } => {
            let done =
                json!({ "id": id, "username": username, "enabled": enabled, "changed": changed });
            Ok(answer(StatusCode::OK, &done))
        }
        SetEnabledReply::Unknown if !admin.declares(&username) => {
            let message = format!("There is no user {username:?}.");
            Err(Refused::new(StatusCode::NOT_FOUND, "unknown_user", message))
        }
        SetEnabledReply::Unknown | SetEnabledReply::OfTheFile => {
            let message = format!(
                "{} declares {username:?}: set enabled = {enabled} there, and restart the server.",
                admin.file.display()
            );
            Err(Refused::new(
                StatusCode::CONFLICT,
                "declared_in_file",
                message,
            ))
        }
    }
}

/// A user as the operator sees one.
#[derive(Serialize)]
struct Listed {
    id: String,
    username: String,
    enabled: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    /// Whether the configuration file declares the user, or did.
    from_file: bool,
}

async fn list(State(admin): State<Arc<Admin>>) -> Result<Response, Refused> {
    let index = Index::Kind {
        realm: POOL.to_owned(),
        kind: User::KIND.to_owned(),
    };
    let mut users = Vec::new();
    let mut rows = list_all(&*admin.store, &index, PAGE);
    while let Some(row) = rows.try_next().await? {
        match serde_json::from_slice::<User>(&row.value) {
            Ok(user) => users.push(Listed {
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

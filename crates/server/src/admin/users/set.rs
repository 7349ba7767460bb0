//! Changes what tokens say about a user.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use grantor_core::model::checks::is_user_claim;
use grantor_core::people::{ChangeUser, ChangeUserReply, UserChange};

use super::given::{check_email, given_organization};
use super::refusals::{done, login_refused};
use super::show::shown;
use crate::admin::api::SetUser;
use crate::admin::{Admin, Rejection, read};

pub(super) async fn set(
    State(admin): State<Arc<Admin>>,
    body: Bytes,
) -> Result<Response, Rejection> {
    let SetUser {
        username,
        email,
        groups,
        organization,
        claims,
    } = read(&body)?;
    let email = email.map(|email| Some(email).filter(|email| !email.is_empty()));
    if let Some(Some(email)) = &email {
        check_email(email)?;
    }
    let organization = organization.map(|id| given_organization(&id)).transpose()?;
    if let Some(claim) = claims.keys().find(|claim| !is_user_claim(claim)) {
        let instead = match claim.as_str() {
            "email" => "use --email",
            "groups" => "use --group",
            "organization" => "use --organization",
            "username" => "use `grantor user rename`",
            _ => "the server sets it",
        };
        return Err(Rejection::invalid(format!(
            "The claim {claim:?} is reserved: {instead}."
        )));
    }
    let address = email.clone().flatten().unwrap_or_default();
    let claims = claims.into_iter();
    let change = UserChange {
        email,
        groups,
        organization,
        claims: claims
            .map(|(name, value)| (name, Some(value).filter(|value| !value.is_null())))
            .collect(),
    };
    let change = ChangeUser {
        username: username.clone(),
        change,
    };
    let reply = admin.run(change).await?;
    if let ChangeUserReply::Refused(why) = reply {
        return Err(login_refused(&admin, why, &username, &address));
    }
    let id = done(&admin, &username, reply).await?;
    shown(&admin, &id).await
}

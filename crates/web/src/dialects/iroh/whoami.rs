//! `GET /iroh/profile/whoami`: who the token is of.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use grantor_core::base::error::{Cause, ErrorCode, Refusal};
use grantor_core::base::params::Params;
use grantor_core::base::secret::Secret;
use grantor_core::endpoints::whoami::{Whoami, WhoamiReply};
use grantor_core::model::endpoint::Endpoint;
use http::StatusCode;
use serde_json::{Value, json};

use super::answer::{Asks, translated};
use crate::app::App;
use crate::oauth;
use crate::request::{Caller, Form, FormError};

pub(super) const NEEDED: Refusal =
    Refusal::new(ErrorCode::InvalidToken, "An access token is needed.")
        .because(Cause::TokenMissing);

pub(super) async fn get(State(app): State<Arc<App>>, caller: Caller) -> Response {
    let form = without_body(caller);
    let parse = |_: &Params| bearer(&form.caller).map(Whoami::new).ok_or(NEEDED);
    let response = oauth::handle(&app, &form, Endpoint::Userinfo, parse, |reply, _| {
        oauth::json(StatusCode::OK, &shown(reply))
    });
    translated(response.await, None, Asks::ForElse, |answer| answer).await
}

fn shown(reply: WhoamiReply) -> Value {
    let WhoamiReply {
        sub,
        username,
        email,
        scope,
        organization,
    } = reply;
    let mut user = json!({
        "user-id": sub,
        "scopes": scope.iter().collect::<Vec<_>>(),
        "enabled?": true,
        "idp-mappings": [],
    });
    for (name, value) in [("user-name", username), ("user-email", email)] {
        if let Some(value) = value {
            user[name] = value.into();
        }
    }
    let mut answer = json!({});
    if let Some((id, name)) = organization {
        user["org-id"] = id.as_str().into();
        answer["org"] = json!({ "id": id, "name": name, "enabled?": true });
    }
    answer["user"] = user;
    answer
}

pub(super) fn without_body(caller: Caller) -> Form {
    let params = Params::parse(b"").map_err(FormError::Params);
    Form { caller, params }
}

/// The token of the `Authorization` header (RFC 6750 section 2.1).
pub(super) fn bearer(caller: &Caller) -> Option<Secret> {
    let header = std::str::from_utf8(caller.authorization()?).ok()?;
    let (scheme, token) = header.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("Bearer")
        .then(|| Secret::new(token.trim()))
}

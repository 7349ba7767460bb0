//! `/me`: who the caller is.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use grantor_core::manage::{Me, MeReply};
use schemars::JsonSchema;
use serde::Serialize;

use super::request::ApiRequest;
use super::routes::answer;
use crate::app::App;

#[derive(JsonSchema, Serialize)]
pub(super) struct Body {
    /// The subject of the token. The operator has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    sub: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<String>,
    /// Whether a client acts for itself.
    machine: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    organization: Option<String>,
    groups: Vec<String>,
    /// Those of now: with the user's groups, or with the scopes of a client that acts for itself.
    rights: Vec<&'static str>,
    /// Seconds since the epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_time: Option<u64>,
    amr: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    grant: Option<String>,
    /// As changes name the caller: `operator:UID`, `user:SUB` or `client:ID`.
    actor: String,
}

pub(super) async fn get(State(app): State<Arc<App>>, request: ApiRequest) -> Response {
    answer(&app, &request, Me, |reply| {
        let MeReply {
            sub,
            username,
            client_id,
            machine,
            organization,
            groups,
            rights,
            auth_time,
            amr,
            grant,
            actor,
        } = reply;
        super::routes::json(&Body {
            sub,
            username,
            client_id,
            machine,
            organization,
            groups,
            rights,
            auth_time,
            amr,
            grant,
            actor,
        })
    })
    .await
}

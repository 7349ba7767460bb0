//! `/me`: who the caller is.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use grantor_core::manage::{Me, MeReply};
use serde::Serialize;

use super::request::ApiRequest;
use super::routes::answer;
use crate::app::App;

#[derive(Serialize)]
struct Body {
    #[serde(skip_serializing_if = "Option::is_none")]
    sub: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<String>,
    machine: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    organization: Option<String>,
    groups: Vec<String>,
    rights: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_time: Option<u64>,
    amr: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    grant: Option<String>,
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

//! `/keys`: the keys that sign tokens.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use grantor_core::base::error::Failure;
use grantor_core::manage::{Admit, PageRequest};
use grantor_core::model::right::Right;
use grantor_jose::KeyState;
use schemars::JsonSchema;
use serde::Serialize;

use super::list::{self, ListError};
use super::request::ApiRequest;
use super::routes::json;
use crate::app::{App, Unavailable};
use crate::system::{Management, SigningKey};

/// A key that signs, signed or will sign. Its private half is never shown.
#[derive(JsonSchema, Serialize)]
pub(super) struct Key {
    kid: String,
    alg: &'static str,
    /// `next`, `active` or `retiring`.
    state: &'static str,
    /// RFC 3339.
    #[schemars(extend("format" = "date-time"))]
    created_at: String,
    /// When it entered its state, by RFC 3339.
    #[schemars(extend("format" = "date-time"))]
    since: String,
}

/// The keys that sign from now on.
#[derive(JsonSchema, Serialize)]
pub(super) struct Rotated {
    promoted: Vec<Key>,
}

impl From<SigningKey> for Key {
    fn from(key: SigningKey) -> Self {
        Self {
            kid: key.kid,
            alg: key.alg,
            state: match key.state {
                KeyState::Next => "next",
                KeyState::Active => "active",
                KeyState::Retiring => "retiring",
            },
            created_at: key.created_at.rfc3339(),
            since: key.since.rfc3339(),
        }
    }
}

fn management(app: &App) -> Result<&Arc<dyn Management>, Unavailable> {
    const NONE: Failure = Failure::Upstream("the server is not there to manage its keys");
    app.management().ok_or(Unavailable::Failure(NONE))
}

pub(super) async fn list(State(app): State<Arc<App>>, request: ApiRequest) -> Response {
    let keys = listed(&app, &request).await;
    list::answer(&app, &request, keys)
}

/// There are few, so all of them are one page.
async fn listed(app: &Arc<App>, request: &ApiRequest) -> Result<list::Page<Key>, ListError> {
    request.run(app, Admit(&[Right::KeysRead])).await?.reply?;
    let (page, _) = PageRequest::parse(request.caller.query(), &[])?;
    if page.after.is_some() {
        return Err(PageRequest::FOREIGN_CURSOR.into());
    }
    let keys = management(app)?.keys().await.into_iter();
    Ok(list::Page {
        items: keys.map(Key::from).collect(),
        next: None,
    })
}

pub(super) async fn rotate(State(app): State<Arc<App>>, request: ApiRequest) -> Response {
    match rotated(&app, &request).await {
        Ok(rotated) => json(&rotated),
        Err(error) => list::refused(&app, &request, error),
    }
}

async fn rotated(app: &Arc<App>, request: &ApiRequest) -> Result<Rotated, ListError> {
    let caller = request.run(app, Admit(&[Right::KeysWrite])).await?.reply?;
    let keys = management(app)?.rotate_keys().await?;
    tracing::info!(
        trace_id = request.caller.trace.as_str(),
        by = %caller.actor,
        keys = keys.len(),
        "the API rotated the signing keys"
    );
    Ok(Rotated {
        promoted: keys.into_iter().map(Key::from).collect(),
    })
}

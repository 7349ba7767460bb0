//! `DELETE /iroh/oauth2/app-grant/{client}`: a user takes back what they gave to a client.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use futures_util::TryStreamExt as _;
use grantor_core::base::error::{ErrorCode, Refusal};
use grantor_core::base::params::Params;
use grantor_core::base::row::Index;
use grantor_core::endpoints::app_grant::{FindAppGrants, RevokeAppGrant};
use grantor_core::model::endpoint::Endpoint;
use grantor_core::model::ids::{ClientId, GrantId, UserId};
use grantor_core::people::account::Disconnect;
use grantor_store::list_pages;
use http::StatusCode;

use super::answer::{Asks, translated};
use super::whoami::{NEEDED, bearer, without_body};
use crate::app::{App, Unavailable};
use crate::lists::ROWS_AT_ONCE;
use crate::oauth;
use crate::request::{Caller, Form};

const UNKNOWN: Refusal = Refusal::new(ErrorCode::InvalidRequest, "There is no such client.");

pub(super) async fn delete(
    State(app): State<Arc<App>>,
    Path(client): Path<String>,
    caller: Caller,
) -> Response {
    let form = without_body(caller);
    let answer = revoke(&app, &form, &client).await;
    translated(answer, Some(&client), Asks::ForElse, |answer| answer).await
}

async fn revoke(app: &Arc<App>, form: &Form, client: &str) -> Response {
    let mut found = None;
    let parse = |_: &Params| {
        let token = bearer(&form.caller).ok_or(NEEDED)?;
        let client: ClientId = client.parse().map_err(|_| UNKNOWN)?;
        Ok(FindAppGrants::new(token, client))
    };
    let answer = oauth::handle(app, form, Endpoint::Userinfo, parse, |reply, _| {
        found = Some(reply);
        StatusCode::NO_CONTENT.into_response()
    });
    let answer = answer.await;
    let (Some((user, index, own)), Ok(client)) = (found, client.parse::<ClientId>()) else {
        return answer;
    };
    let Ok(grants) = grants_of(app, &index, user, &client, own).await else {
        return oauth::starting(app, &form.caller);
    };
    // The consent goes with the first of them, the token itself with the last.
    let mut chunks: Vec<&[GrantId]> = grants.chunks(RevokeAppGrant::MAX_GRANTS).collect();
    if chunks.is_empty() {
        chunks.push(&[]);
    }
    for chunk in chunks {
        let parse = |_: &Params| {
            let token = bearer(&form.caller).ok_or(NEEDED)?;
            let peer = form.caller.peer.clone();
            Ok(RevokeAppGrant::new(
                token,
                client.clone(),
                chunk.to_vec(),
                peer,
            ))
        };
        let done = oauth::handle(app, form, Endpoint::Userinfo, parse, |(), _| {
            StatusCode::NO_CONTENT.into_response()
        });
        let done = done.await;
        if !done.status().is_success() {
            return done;
        }
    }
    answer
}

/// The client's grants in the user's list, the token's own at the end.
async fn grants_of(
    app: &App,
    index: &Index,
    user: UserId,
    client: &ClientId,
    own: Option<GrantId>,
) -> Result<Vec<GrantId>, Unavailable> {
    let mut pages = list_pages(app.store(), index, ROWS_AT_ONCE);
    let mut grants = Vec::new();
    while let Some(rows) = pages.try_next().await? {
        grants.extend(Disconnect::listed(&rows, user, client, app.now())?);
        tokio::task::yield_now().await;
    }
    grants.sort_by_key(|grant| Some(*grant) == own);
    Ok(grants)
}

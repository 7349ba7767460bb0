//! `/users`: people who sign in, and where they are signed in.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use grantor_core::base::row::{Index, Key, Row};
use grantor_core::manage::users::{
    self, ChangeManagedUser, CreateUser, DeleteManagedUser, EndUserSession, GetUser, ManagedUser,
    RevokeUserGrant, UserBody, UserSearch,
};
use grantor_core::manage::{Admit, ApiAnswer, Caller, CursorScope, PageRequest};
use grantor_core::model::ids::OrganizationId;
use grantor_core::model::right::Right;
use grantor_core::people::account;
use grantor_core::records::{Login, Record as _, User};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::changed::ChangedBody;
use super::list::{self, ListError, Page, Position, Rows};
use super::request::{ApiRequest, JSON, MERGE_PATCH};
use super::routes::{self, answer_with};
use crate::app::{App, Unavailable};

/// What answers have besides the members of `[[user]]`. Passwords are never shown.
#[derive(JsonSchema, Serialize)]
pub(super) struct Added {
    /// The subject of the user's tokens.
    id: String,
    /// The members that the configuration file declares, and that are changed only there.
    declared: Vec<String>,
    /// The latest change by the API.
    #[serde(skip_serializing_if = "Option::is_none")]
    changed: Option<ChangedBody>,
}

/// Where a user is signed in.
#[derive(JsonSchema, Serialize)]
pub(super) struct SessionBody {
    id: String,
    /// RFC 3339, like the others: the latest sign-in in this browser.
    #[schemars(extend("format" = "date-time"))]
    signed_in: String,
    /// To about half an hour.
    #[schemars(extend("format" = "date-time"))]
    used: String,
    #[schemars(extend("format" = "date-time"))]
    expires_at: String,
    /// How the user signed in (RFC 8176).
    amr: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    started: Option<StartedBody>,
}

/// What a user gave to an app or a device.
#[derive(JsonSchema, Serialize)]
pub(super) struct GrantBody {
    id: String,
    /// `device_code`, `authorization_code` or `token_exchange`.
    kind: String,
    client_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_name: Option<String>,
    scope: String,
    /// RFC 3339, like the others.
    #[schemars(extend("format" = "date-time"))]
    approved: String,
    #[schemars(extend("format" = "date-time"))]
    used: String,
    #[schemars(extend("format" = "date-time"))]
    expires_at: String,
    started: StartedBody,
}

#[derive(JsonSchema, Serialize)]
struct StartedBody {
    #[schemars(extend("format" = "date-time"))]
    at: String,
    address: String,
    /// The `User-Agent` header.
    agent: String,
}

const READ: &[Right] = &[Right::UsersRead];
const READ_ACCESS: &[Right] = &[Right::GrantsRead];

fn shown(found: &ManagedUser) -> ApiAnswer {
    ApiAnswer::ok(found.json()).etag(&found.etag())
}

pub(super) async fn read(State(app): State<Arc<App>>, request: ApiRequest) -> Response {
    let id = request.path("id").to_owned();
    let operation = Ok(GetUser { id, right: READ });
    answer_with(&app, &request, operation, |found| shown(&found)).await
}

pub(super) async fn create(State(app): State<Arc<App>>, request: ApiRequest) -> Response {
    let operation = request.object(JSON).map(|object| CreateUser { object });
    routes::create(&app, &request, operation, |made: ManagedUser| {
        let location = format!("/users/{}", made.user.id);
        ApiAnswer::created(location, made.json()).etag(&made.etag())
    })
    .await
}

pub(super) async fn change(State(app): State<Arc<App>>, request: ApiRequest) -> Response {
    let body = request.object(MERGE_PATCH).map(UserBody::Patch);
    changed(&app, &request, body).await
}

pub(super) async fn replace(State(app): State<Arc<App>>, request: ApiRequest) -> Response {
    let body = request.object(JSON).map(UserBody::Put);
    changed(&app, &request, body).await
}

async fn changed(
    app: &Arc<App>,
    request: &ApiRequest,
    body: Result<UserBody, grantor_core::manage::ApiRefusal>,
) -> Response {
    let operation = request.if_match().and_then(|if_match| {
        Ok(ChangeManagedUser {
            id: request.path("id").to_owned(),
            if_match,
            body: body?,
        })
    });
    answer_with(app, request, operation, |changed| shown(&changed)).await
}

pub(super) async fn delete(State(app): State<Arc<App>>, request: ApiRequest) -> Response {
    let operation = request.if_match().map(|if_match| DeleteManagedUser {
        id: request.path("id").to_owned(),
        if_match,
    });
    answer_with(&app, &request, operation, |()| ApiAnswer::no_content()).await
}

pub(super) async fn list(State(app): State<Arc<App>>, request: ApiRequest) -> Response {
    let page = users_page(&app, &request).await;
    list::answer(&app, &request, page)
}

async fn users_page(app: &Arc<App>, request: &ApiRequest) -> Result<Page, ListError> {
    let caller = request.run(app, Admit(READ)).await?.reply?;
    let (page, _) = PageRequest::parse(request.caller.query(), &["q"])?;
    let filter = page.q.as_deref().unwrap_or_default();
    let scope = CursorScope::new(
        "/users",
        filter,
        caller.organization.as_ref().map(OrganizationId::as_str),
    );
    let position = Position::new(app, scope);
    let search = page.q.as_deref().map(UserSearch::new);
    if let (Some(search), None) = (&search, &caller.organization) {
        return found(app, &caller, &page, &position, search).await;
    }
    // Of an organization's users each is looked at: the names of others tell nothing then, not even by the time.
    let index = users::listed_in(&app.realm(), &caller);
    let after = position.begin(&page)?;
    let Rows { rows, next } = list::rows(app, &index, after.as_ref(), page.limit).await?;
    let items = users::listed_users(&caller, search.as_ref(), &rows, app.now());
    Ok(position.page(items, next.as_ref()))
}

/// Those whose name or address begins with a text.
async fn found(
    app: &Arc<App>,
    caller: &Caller,
    page: &PageRequest,
    position: &Position<'_>,
    search: &UserSearch,
) -> Result<Page, ListError> {
    let (realm, now) = (app.realm(), app.now());
    let index = Index::Kind {
        realm: realm.name.clone(),
        kind: Login::KIND.to_owned(),
    };
    let begin = position.begin(page)?;
    let after = begin.clone().unwrap_or_else(|| search.key(&realm));
    let Rows { rows, next } = list::rows(app, &index, Some(&after), page.limit).await?;
    let more = rows.last().is_some_and(|row| search.has(&realm, &row.key));
    let mut logins: Vec<Row> = rows;
    logins.retain(|row| search.has(&realm, &row.key));
    if begin.is_none() {
        let exact = list::get(app, &[search.key(&realm)]).await?;
        logins.splice(0..0, exact.into_iter().flatten());
    }
    let keys = search.users(&realm, &logins, now);
    let rows = there(app, &keys).await?;
    let items = search.found(caller, &logins, &rows, now);
    Ok(position.page(items, next.as_ref().filter(|_| more)))
}

async fn there(app: &App, keys: &[Key]) -> Result<Vec<Row>, Unavailable> {
    let rows = list::get(app, keys).await?;
    Ok(rows.into_iter().flatten().collect())
}

pub(super) async fn sessions(State(app): State<Arc<App>>, request: ApiRequest) -> Response {
    let page = sessions_page(&app, &request).await;
    list::answer(&app, &request, page)
}

async fn sessions_page(app: &Arc<App>, request: &ApiRequest) -> Result<Page, ListError> {
    access_page(
        app,
        request,
        "sessions",
        async |user: &User, rows: &[Row]| {
            let (realm, now) = (app.realm(), app.now());
            let seen = there(app, &users::seen_keys(&realm, rows, now)?).await?;
            Ok(users::listed_sessions(&realm, user, rows, &seen, now)?)
        },
    )
    .await
}

pub(super) async fn grants(State(app): State<Arc<App>>, request: ApiRequest) -> Response {
    let page = grants_page(&app, &request).await;
    list::answer(&app, &request, page)
}

async fn grants_page(app: &Arc<App>, request: &ApiRequest) -> Result<Page, ListError> {
    access_page(app, request, "grants", async |user: &User, rows: &[Row]| {
        let (realm, now) = (app.realm(), app.now());
        let others = there(app, &users::dependency_keys(&realm, rows, now)?).await?;
        Ok(users::listed_grants(&realm, user, rows, &others, now)?)
    })
    .await
}

/// A page of what one user has.
async fn access_page(
    app: &Arc<App>,
    request: &ApiRequest,
    kind: &str,
    view: impl AsyncFnOnce(&User, &[Row]) -> Result<Vec<Value>, Unavailable>,
) -> Result<Page, ListError> {
    let id = request.path("id").to_owned();
    let right = READ_ACCESS;
    let found = request.run(app, GetUser { id, right }).await?.reply?;
    let (page, _) = PageRequest::parse(request.caller.query(), &[])?;
    let user = &found.user;
    let index = match kind {
        "sessions" => account::sessions_of(&app.realm(), user.id),
        _ => account::grants_of(&app.realm(), user.id),
    };
    let path = format!("/users/{}/{kind}", user.id);
    // Who sees the user sees all of it.
    let position = Position::new(app, CursorScope::new(&path, "", None));
    let after = position.begin(&page)?;
    let Rows { rows, next } = list::rows(app, &index, after.as_ref(), page.limit).await?;
    let items = view(user, &rows).await?;
    Ok(position.page(items, next.as_ref()))
}

pub(super) async fn end_session(State(app): State<Arc<App>>, request: ApiRequest) -> Response {
    let operation = Ok(EndUserSession {
        user: request.path("id").to_owned(),
        session: request.path("session").to_owned(),
    });
    answer_with(&app, &request, operation, |()| ApiAnswer::no_content()).await
}

pub(super) async fn revoke_grant(State(app): State<Arc<App>>, request: ApiRequest) -> Response {
    let operation = Ok(RevokeUserGrant {
        user: request.path("id").to_owned(),
        grant: request.path("grant").to_owned(),
    });
    answer_with(&app, &request, operation, |()| ApiAnswer::no_content()).await
}

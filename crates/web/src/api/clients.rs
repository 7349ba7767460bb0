//! `/clients`: applications that ask for tokens, and their secrets.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use grantor_core::base::row::{Index, Key};
use grantor_core::base::time::Timestamp;
use grantor_core::manage::clients::{
    AddSecret, ChangeClient, ClientView, CreateClient, CreatedClient, DeleteClient, DeleteSecret,
    ListClients, ListSecrets, NewSecret, ReadClient, view_row,
};
use grantor_core::manage::{
    Admit, ApiAnswer, ApiCode, ApiRefusal, CursorScope, Edit, PageRequest, effective_at,
};
use grantor_core::model::ids::OrganizationId;
use grantor_core::records::{ManagedClient, Record as _};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use super::changed::ChangedBody;
use super::list::{self, ListError, Page, Position, Rows};
use super::problem;
use super::request::{ApiRequest, JSON, MERGE_PATCH};
use super::routes::{self, READ_CLIENTS, WRITE_CLIENTS, answer_with};
use crate::app::{App, Unavailable};

/// What answers have besides the members of `[[client]]`.
#[derive(JsonSchema, Serialize)]
pub(super) struct Added {
    /// Whether the client authenticates. If left out at creation, it does where one of its grants needs it.
    confidential: bool,
    /// Whether the configuration file declares it: then it is changed only there.
    declared: bool,
    /// The `sub` of the user who made it for themselves.
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    created: Option<ChangedBody>,
    /// The latest change.
    #[serde(skip_serializing_if = "Option::is_none")]
    changed: Option<ChangedBody>,
    /// When each node goes by this change (RFC 3339); in the answer to a change.
    #[schemars(extend("format" = "date-time"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    effective_at: Option<String>,
}

/// What a body may have besides the members of `[[client]]`.
#[derive(JsonSchema, Serialize)]
pub(super) struct Body {
    /// Whether the client authenticates. If left out at creation, it does where one of its grants needs it.
    #[serde(skip_serializing_if = "Option::is_none")]
    confidential: Option<bool>,
}

/// The secret of a new client, shown once.
#[derive(JsonSchema, Serialize)]
pub(super) struct Once {
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_id: Option<String>,
}

/// What a new secret is drawn with.
#[derive(JsonSchema, Serialize)]
pub(super) struct NewSecretBody {
    /// RFC 3339. Without it, it counts until it is deleted.
    #[schemars(extend("format" = "date-time"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
}

/// A secret, without its text.
#[derive(JsonSchema, Serialize)]
pub(super) struct SecretBody {
    id: String,
    /// RFC 3339.
    #[schemars(extend("format" = "date-time"))]
    created: String,
    /// RFC 3339. Without it, until it is deleted.
    #[schemars(extend("format" = "date-time"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
    /// RFC 3339, to the hour. Without it, it was not used.
    #[schemars(extend("format" = "date-time"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    last_used: Option<String>,
    /// In the answer to its creation only, like what follows.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
    /// When each node takes it (RFC 3339).
    #[schemars(extend("format" = "date-time"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    effective_at: Option<String>,
}

fn with_effect(mut json: Map<String, Value>, effective: Timestamp) -> Value {
    json.insert("effective_at".to_owned(), effective.rfc3339().into());
    json.into()
}

fn effective(app: &App) -> Timestamp {
    effective_at(&app.realm(), app.now())
}

pub(crate) async fn read(State(app): State<Arc<App>>, request: ApiRequest) -> Response {
    let id = request.path("id").to_owned();
    answer_with(&app, &request, Ok(ReadClient { id }), |view| {
        ApiAnswer::ok(view.json().into()).etag(&view.etag)
    })
    .await
}

pub(crate) async fn create(State(app): State<Arc<App>>, request: ApiRequest) -> Response {
    let body = request.object(JSON);
    let chooses = body.as_ref().is_ok_and(|body| body.contains_key("id"));
    let _changing = match chooses {
        true => match routes::exclusive(&app, &request, WRITE_CLIENTS).await {
            Ok(held) => Some(held),
            Err(response) => return response,
        },
        false => None,
    };
    if let Err(response) = has_room(&app, &request).await {
        return response;
    }
    let operation = body.map(|body| CreateClient { body });
    let effective = effective(&app);
    let response = routes::create(&app, &request, operation, move |made: CreatedClient| {
        let CreatedClient { view, secret } = made;
        let mut json = view.json();
        if let Some(NewSecret { view, secret }) = secret {
            json.insert("secret".to_owned(), secret.reveal().into());
            json.insert("secret_id".to_owned(), view.id.into());
        }
        let location = routes::location("/clients", view.id.as_str());
        ApiAnswer::created(location, with_effect(json, effective)).etag(&view.etag)
    })
    .await;
    // The snapshot must know a chosen id, and the key of drawn ones.
    let is_new = chooses || !app.realm().managed.has_id_key();
    if response.status().is_success() && is_new {
        app.config_taken().await;
    }
    response
}

pub(super) async fn change(State(app): State<Arc<App>>, request: ApiRequest) -> Response {
    let edit = request.object(MERGE_PATCH).map(Edit::Merge);
    changed(&app, &request, edit).await
}

pub(super) async fn replace(State(app): State<Arc<App>>, request: ApiRequest) -> Response {
    let edit = request.object(JSON).map(Edit::Replace);
    changed(&app, &request, edit).await
}

async fn changed(app: &Arc<App>, request: &ApiRequest, edit: Result<Edit, ApiRefusal>) -> Response {
    let operation = request.if_match().and_then(|if_match| {
        Ok(ChangeClient {
            id: request.path("id").to_owned(),
            edit: edit?,
            if_match,
        })
    });
    let effective = effective(app);
    answer_with(app, request, operation, |view| {
        ApiAnswer::ok(with_effect(view.json(), effective)).etag(&view.etag)
    })
    .await
}

pub(crate) async fn delete(State(app): State<Arc<App>>, request: ApiRequest) -> Response {
    let operation = request.if_match().map(|if_match| DeleteClient {
        id: request.path("id").to_owned(),
        if_match,
    });
    let _changing = match routes::exclusive(&app, &request, WRITE_CLIENTS).await {
        Ok(held) => held,
        Err(response) => return response,
    };
    answer_with(&app, &request, operation, |()| ApiAnswer::no_content()).await
}

/// How many clients a user may have of their own.
const MAX_OWN: usize = 100;

/// Whether a caller who has clients of their own alone may have another one. A list may lag, so the limit is exceeded by what
/// is made meanwhile.
async fn has_room(app: &Arc<App>, request: &ApiRequest) -> Result<(), Response> {
    let listed = match request.run(app, ListClients).await {
        Ok(outcome) => outcome.reply,
        Err(error) => return Err(problem::unavailable(app, request, &error)),
    };
    // What is refused is told by the request itself.
    let Some(listed) = listed.ok().filter(|listed| listed.is_own) else {
        return Ok(());
    };
    match list::rows(app, &listed.index, None, MAX_OWN).await {
        Ok(Rows { rows, .. }) if rows.len() >= MAX_OWN => {
            let why = "You have 100 clients of your own: delete one first.";
            let why = ApiRefusal::new(ApiCode::Limit, why);
            Err(problem::response(app, request, &why))
        }
        Ok(_) => Ok(()),
        Err(error) => Err(problem::unavailable(app, request, &error)),
    }
}

pub(crate) async fn list(State(app): State<Arc<App>>, request: ApiRequest) -> Response {
    let page = clients_page(&app, &request).await;
    list::answer(&app, &request, page)
}

/// Those of the file first, by id; then those of the store.
async fn clients_page(app: &Arc<App>, request: &ApiRequest) -> Result<Page, ListError> {
    let listed = request.run(app, ListClients).await?.reply?;
    let (index, sees_declared) = (listed.index, listed.sees_declared);
    let caller = request.run(app, Admit(READ_CLIENTS)).await?.reply?;
    let (page, _) = PageRequest::parse(request.caller.query(), &["q"])?;
    let prefix = page.q.as_deref().unwrap_or_default();
    let of = caller.organization.as_ref().map(OrganizationId::as_str);
    let owner = match &index {
        Index::Named(name) => name.as_str(),
        Index::Kind { .. } => "",
    };
    let scope = CursorScope::new("/clients", &format!("{prefix}\0{owner}"), of);
    let position = Position::new(app, scope);
    let begin = position.begin(&page)?;
    let realm = app.realm();
    let kind = |name: &str| Key::new(&realm.name, ManagedClient::KIND, name);
    let declared_kind = |name: &str| Key::new(&realm.name, DECLARED, name);
    let (mut items, mut last) = (Vec::new(), None);
    let in_store = begin
        .as_ref()
        .is_some_and(|key| key.kind() == ManagedClient::KIND);
    if sees_declared && !in_store {
        let after = begin.as_ref().map(Key::name);
        let mut ids: Vec<_> = realm.clients.keys().collect();
        ids.retain(|id| {
            id.as_str().starts_with(prefix) && after.is_none_or(|after| id.as_str() > after)
        });
        ids.sort_unstable();
        let shown = ids.into_iter().take(page.limit + 1);
        for view in shown.filter_map(|id| ClientView::declared(&realm, id)) {
            if items.len() == page.limit {
                return Ok(position.page(items, last.as_ref()));
            }
            last = Some(declared_kind(view.id.as_str()));
            items.push(view.json().into());
        }
    }
    let room = page.limit - items.len();
    let begin = begin.filter(|_| in_store);
    // A prefix is where its rows begin, less the row that is called so itself.
    let begin = begin.or_else(|| (!prefix.is_empty()).then(|| before(&kind, prefix)));
    let Rows { rows, next } = list::rows(app, &index, begin.as_ref(), room).await?;
    let ends = rows
        .last()
        .is_some_and(|row| !row.key.name().starts_with(prefix));
    for row in rows.iter().filter(|row| row.key.name().starts_with(prefix)) {
        if realm.clients.keys().any(|id| id.as_str() == row.key.name()) {
            continue;
        }
        let view = view_row(row).map_err(Unavailable::from)?;
        items.push(view.json().into());
    }
    let next = match room {
        // The page is full: the store begins the next one.
        0 => Some(begin.unwrap_or_else(|| kind(""))),
        _ => next,
    };
    Ok(position.page(items, next.as_ref().filter(|_| !ends)))
}

/// In positions of lists: the clients of the file.
const DECLARED: &str = "declared";

/// The last key before those that begin so.
fn before(kind: &impl Fn(&str) -> Key, prefix: &str) -> Key {
    let mut bytes = prefix.as_bytes().to_vec();
    // Ids are printable ASCII, so that a step back of the last character and the greatest one after it come before.
    if let Some(last) = bytes.last_mut() {
        *last -= 1;
    }
    let text = String::from_utf8_lossy(&bytes).into_owned();
    kind(&format!("{text}\u{7f}"))
}

pub(super) async fn secrets(State(app): State<Arc<App>>, request: ApiRequest) -> Response {
    let client = request.path("id").to_owned();
    answer_with(&app, &request, Ok(ListSecrets { client }), |secrets| {
        let items: Vec<Value> = secrets.iter().map(|it| it.json().into()).collect();
        ApiAnswer::ok(serde_json::json!({ "items": items, "next": null }))
    })
    .await
}

pub(super) async fn add_secret(State(app): State<Arc<App>>, request: ApiRequest) -> Response {
    let operation = request.optional_object(JSON).and_then(|body| {
        Ok(AddSecret {
            client: request.path("id").to_owned(),
            expires_at: expires_at(&body)?,
        })
    });
    let client = request.path("id").to_owned();
    let effective = effective(&app);
    routes::create(&app, &request, operation, move |made: NewSecret| {
        let mut json = made.view.json();
        json.insert("secret".to_owned(), made.secret.reveal().into());
        let json = with_effect(json, effective);
        let path = format!("/clients/{}/secrets", routes::encoded(&client));
        ApiAnswer::created(routes::location(&path, &made.view.id), json)
    })
    .await
}

fn expires_at(body: &Map<String, Value>) -> Result<Option<Timestamp>, ApiRefusal> {
    if let Some(key) = body.keys().find(|key| *key != "expires_at") {
        let why = format!("unknown key {key:?}");
        return Err(ApiRefusal::invalid_member(format!("/{key}"), why));
    }
    let Some(value) = body.get("expires_at") else {
        return Ok(None);
    };
    let at = value
        .as_str()
        .and_then(|text| text.parse::<jiff::Timestamp>().ok());
    let millis = at.and_then(|at| u64::try_from(at.as_millisecond()).ok());
    let refused = || ApiRefusal::invalid_member("/expires_at", "is not a time by RFC 3339");
    millis
        .map(|millis| Some(Timestamp::from_millis(millis)))
        .ok_or_else(refused)
}

pub(super) async fn delete_secret(State(app): State<Arc<App>>, request: ApiRequest) -> Response {
    let operation = Ok(DeleteSecret {
        client: request.path("id").to_owned(),
        secret: request.path("secret").to_owned(),
    });
    answer_with(&app, &request, operation, |()| ApiAnswer::no_content()).await
}

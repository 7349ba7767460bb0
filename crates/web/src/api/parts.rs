//! `/resources`, `/scopes` and `/exchange-rules`: what is managed of the realm itself.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use axum::routing::{MethodRouter, get};
use grantor_core::base::row::Key;
use grantor_core::manage::parts::{
    ChangePart, CreatePart, DeletePart, ListParts, PartView, ReadPart,
};
use grantor_core::manage::{
    ApiAnswer, ApiOperation, ApiRefusal, CursorScope, Edit, PageRequest, effective_at,
};
use grantor_core::model::config_document::PartKind;
use grantor_core::model::right::Right;
use schemars::JsonSchema;
use serde::Serialize;

use super::changed::ChangedBody;
use super::list::{self, ListError, Page, Position};
use super::request::{ApiRequest, JSON, MERGE_PATCH};
use super::routes::{self, answer_with};
use crate::app::App;

/// What answers have besides the members of the file's table.
#[derive(JsonSchema, Serialize)]
pub(super) struct Added {
    /// Whether the configuration file declares it: then it is changed only there.
    declared: bool,
    /// The latest change.
    #[serde(skip_serializing_if = "Option::is_none")]
    changed: Option<ChangedBody>,
    /// When each node goes by this change (RFC 3339); in the answer to a change.
    #[schemars(extend("format" = "date-time"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    effective_at: Option<String>,
}

const WRITE: &[Right] = &[Right::ConfigWrite];

/// Where the parts of a kind are.
const fn path(kind: PartKind) -> &'static str {
    match kind {
        PartKind::Resource => "/resources",
        PartKind::Scope => "/scopes",
        PartKind::ExchangeRule => "/exchange-rules",
    }
}

/// GET and POST of all.
pub(super) fn all(kind: PartKind) -> MethodRouter<Arc<App>> {
    get(
        async move |State(app): State<Arc<App>>, request: ApiRequest| {
            let page = parts_page(&app, &request, kind).await;
            list::answer(&app, &request, page)
        },
    )
    .post(
        async move |State(app): State<Arc<App>>, request: ApiRequest| {
            let operation = request.object(JSON).map(|body| CreatePart { kind, body });
            let effective = effective_at(&app.realm(), app.now()).rfc3339();
            let _changing = match routes::exclusive(&app, &request, WRITE).await {
                Ok(held) => held,
                Err(response) => return response,
            };
            let response = routes::create(&app, &request, operation, move |view: PartView| {
                let location = routes::location(path(kind), &view.name);
                changed_view(&view, effective.clone(), |body| {
                    ApiAnswer::created(location, body)
                })
            })
            .await;
            taken(&app, response).await
        },
    )
}

/// GET, PUT, PATCH and DELETE of one.
pub(super) fn one(kind: PartKind) -> MethodRouter<Arc<App>> {
    get(
        async move |State(app): State<Arc<App>>, request: ApiRequest| {
            let name = request.path("name").to_owned();
            let operation = Ok(ReadPart { kind, name });
            answer_with(&app, &request, operation, |view| {
                ApiAnswer::ok(view.json().into()).etag(&view.etag)
            })
            .await
        },
    )
    .put(
        async move |State(app): State<Arc<App>>, request: ApiRequest| {
            let edit = request.object(JSON).map(Edit::Replace);
            change(&app, &request, kind, edit).await
        },
    )
    .patch(
        async move |State(app): State<Arc<App>>, request: ApiRequest| {
            let edit = request.object(MERGE_PATCH).map(Edit::Merge);
            change(&app, &request, kind, edit).await
        },
    )
    .delete(
        async move |State(app): State<Arc<App>>, request: ApiRequest| {
            let operation = request.if_match().map(|if_match| DeletePart {
                kind,
                name: request.path("name").to_owned(),
                if_match,
            });
            run(&app, &request, operation, |()| ApiAnswer::no_content()).await
        },
    )
}

async fn change(
    app: &Arc<App>,
    request: &ApiRequest,
    kind: PartKind,
    edit: Result<Edit, ApiRefusal>,
) -> Response {
    let operation = request.if_match().and_then(|if_match| {
        Ok(ChangePart {
            kind,
            name: request.path("name").to_owned(),
            edit: edit?,
            if_match,
        })
    });
    let effective = effective_at(&app.realm(), app.now()).rfc3339();
    run(app, request, operation, |view| {
        changed_view(&view, effective, ApiAnswer::ok)
    })
    .await
}

/// Changes of the document by one process wait for each other, so that none is lost to a conflict.
async fn run<O>(
    app: &Arc<App>,
    request: &ApiRequest,
    operation: Result<O, ApiRefusal>,
    render: impl FnOnce(O::Reply) -> ApiAnswer,
) -> Response
where
    O: ApiOperation + Send + 'static,
{
    let _changing = match routes::exclusive(app, request, WRITE).await {
        Ok(held) => held,
        Err(response) => return response,
    };
    let response = answer_with(app, request, operation, render).await;
    taken(app, response).await
}

/// The node that changed the document goes by it once it answers.
async fn taken(app: &App, response: Response) -> Response {
    if response.status().is_success() {
        app.config_taken().await;
    }
    response
}

fn changed_view(
    view: &PartView,
    effective: String,
    answer: impl FnOnce(serde_json::Value) -> ApiAnswer,
) -> ApiAnswer {
    let mut json = view.json();
    json.insert("effective_at".to_owned(), effective.into());
    answer(json.into()).etag(&view.etag)
}

async fn parts_page(
    app: &Arc<App>,
    request: &ApiRequest,
    kind: PartKind,
) -> Result<Page, ListError> {
    let (page, _) = PageRequest::parse(request.caller.query(), &[])?;
    let position = Position::new(app, CursorScope::new(path(kind), "", None));
    let begin = position.begin(&page)?;
    let operation = ListParts {
        kind,
        after: begin.map(|key| key.name().to_owned()),
        limit: page.limit,
    };
    let (parts, more) = request.run(app, operation).await?.reply?;
    let last = parts.last().filter(|_| more);
    let realm = app.realm();
    let next = last.map(|part| Key::new(&realm.name, "part", &part.name));
    let items = parts.iter().map(|part| part.json().into()).collect();
    Ok(position.page(items, next.as_ref()))
}

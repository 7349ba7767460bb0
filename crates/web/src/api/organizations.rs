//! `/organizations`: to which users and clients belong.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use grantor_core::base::row::Key;
use grantor_core::manage::organizations::{
    ChangeOrganization, CreateOrganization, DeleteOrganization, ListOrganizations,
    OrganizationView, ReadOrganization, view_row,
};
use grantor_core::manage::{ApiAnswer, ApiRefusal, CursorScope, Edit, PageRequest};
use grantor_core::records::{ManagedOrganization, Record as _};
use schemars::JsonSchema;
use serde::Serialize;

use super::changed::ChangedBody;
use super::list::{self, ListError, Page, Position, Rows};
use super::request::{ApiRequest, JSON, MERGE_PATCH};
use super::routes::{self, answer_with};
use crate::app::{App, Unavailable};

/// What answers have besides the members of `[[organization]]`.
#[derive(JsonSchema, Serialize)]
pub(super) struct Added {
    /// Whether the configuration file declares it: then it is changed only there.
    declared: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    created: Option<ChangedBody>,
    /// The latest change.
    #[serde(skip_serializing_if = "Option::is_none")]
    changed: Option<ChangedBody>,
}

fn shown(view: &OrganizationView) -> ApiAnswer {
    ApiAnswer::ok(view.json().into()).etag(&view.etag)
}

pub(super) async fn read(State(app): State<Arc<App>>, request: ApiRequest) -> Response {
    let id = request.path("id").to_owned();
    answer_with(&app, &request, Ok(ReadOrganization { id }), |view| {
        shown(&view)
    })
    .await
}

pub(super) async fn create(State(app): State<Arc<App>>, request: ApiRequest) -> Response {
    let operation = request.object(JSON).map(|body| CreateOrganization { body });
    routes::create(&app, &request, operation, |view: OrganizationView| {
        let location = routes::location("/organizations", view.id.as_str());
        ApiAnswer::created(location, view.json().into()).etag(&view.etag)
    })
    .await
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
        Ok(ChangeOrganization {
            id: request.path("id").to_owned(),
            edit: edit?,
            if_match,
        })
    });
    answer_with(app, request, operation, |view| shown(&view)).await
}

pub(super) async fn delete(State(app): State<Arc<App>>, request: ApiRequest) -> Response {
    let operation = request.if_match().map(|if_match| DeleteOrganization {
        id: request.path("id").to_owned(),
        if_match,
    });
    answer_with(&app, &request, operation, |()| ApiAnswer::no_content()).await
}

pub(super) async fn list(State(app): State<Arc<App>>, request: ApiRequest) -> Response {
    let page = organizations_page(&app, &request).await;
    list::answer(&app, &request, page)
}

/// In positions of lists: the organizations of the file.
const DECLARED: &str = "declared";

/// Those of the file first, by id; then those of the store.
async fn organizations_page(app: &Arc<App>, request: &ApiRequest) -> Result<Page, ListError> {
    let index = request.run(app, ListOrganizations).await?.reply?;
    let (page, _) = PageRequest::parse(request.caller.query(), &[])?;
    let position = Position::new(app, CursorScope::new("/organizations", "", None));
    let begin = position.begin(&page)?;
    let realm = app.realm();
    let in_store = begin.as_ref().filter(|key| key.kind() != DECLARED);
    let (mut items, mut last) = (Vec::new(), None);
    if in_store.is_none() {
        let after = begin.as_ref().map(Key::name);
        let all = OrganizationView::all_declared(&realm).into_iter();
        for view in all.filter(|view| after.is_none_or(|after| view.id.as_str() > after)) {
            if items.len() == page.limit {
                return Ok(position.page(items, last.as_ref()));
            }
            last = Some(Key::new(&realm.name, DECLARED, view.id.as_str()));
            items.push(view.json().into());
        }
    }
    let room = page.limit - items.len();
    if room == 0 {
        let next = Key::new(&realm.name, ManagedOrganization::KIND, "");
        return Ok(position.page(items, Some(&next)));
    }
    let Rows { rows, next } = list::rows(app, &index, in_store, room).await?;
    for row in &rows {
        let view = view_row(row).map_err(Unavailable::from)?;
        let view = view.filter(|view| !realm.organizations.contains_key(&view.id));
        items.extend(view.map(|view| view.json().into()));
    }
    Ok(position.page(items, next.as_ref()))
}

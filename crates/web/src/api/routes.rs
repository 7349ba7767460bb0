//! The table of paths: each with its methods, and what the documentation says of them.
//!
//! To add an operation: a line in `operations` of its path, and its handler in `handlers`; a test compares them. A line is a kind (it tells method, status, body, conditions and most refusals), the operation id,
//! the object, and a summary; then `.needs(…)` with the rights of the operation, any of which is enough, `.query(…)` with
//! parameters besides `limit` and `after`, and `.refuses(…)` with refusals that its kind has not.
//!
//! To add a kind of object: a line among the objects. One that is only read derives `schemars::JsonSchema` on the struct from
//! which it is serialized; doc comments of its members become the words of the document. One of the file's tables has its
//! members from there: only those that the API adds are a struct.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{MethodRouter, get};
use grantor_core::manage::{ApiCode, ApiOperation, ApiRefusal};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;

use super::operation::{Kind, Object, Operation};
use super::request::ApiRequest;
use super::{me, problem};
use crate::app::App;

pub struct Route {
    /// Below `/api/v1`.
    pub path: &'static str,
    pub operations: &'static [Operation],
    handlers: fn() -> MethodRouter<Arc<App>>,
}

const ME: Object = Object::answer::<me::Body>("Me", "Callers");

pub const ROUTES: &[Route] = &[Route {
    path: "/me",
    handlers: || get(me::get),
    operations: &[Operation::new(
        Kind::Read,
        "get_me",
        &ME,
        "Who the caller is",
    )],
}];

/* The lines of the paths to come. Whoever adds the handlers moves them into the tables above.

const CLIENT: Object = Object::managed::<clients::Added>("Client", "Clients", "client").gives_once::<clients::Secret>();
const SECRET: Object = Object::written::<secrets::Body, secrets::Secret>("ClientSecret", "Clients").gives_once::<…>();
const USER: Object = Object::managed::<users::Added>("User", "Users", "user");
const SESSION: Object = Object::answer::<sessions::Session>("Session", "Users");
const GRANT: Object = Object::answer::<grants::Grant>("Grant", "Users");
const ORGANIZATION: Object = Object::managed::<…>("Organization", "Organizations", "organization");
const RESOURCE: Object = Object::managed::<…>("Resource", "Configuration", "resource");
const SCOPE: Object = Object::managed::<…>("Scope", "Configuration", "scope");
const EXCHANGE_RULE: Object = Object::managed::<…>("ExchangeRule", "Configuration", "exchange");
const KEY: Object = Object::answer::<keys::Key>("Key", "Keys");
const EVENT: Object = Object::answer::<events::Event>("Event", "Events");
const TRACE: Object = Object::answer::<traces::Trace>("Trace", "Events");

const Q: Query = Query { name: "q", doc: "…", form: QueryForm::Text };

    Route {
        path: "/clients",
        handlers: || get(clients::list).post(clients::create),
        operations: &[
            Operation::new(Kind::List, "list_clients", &CLIENT, "List clients").needs(&[Right::ClientsRead, Right::ClientsOwn]).query(&[Q]),
            Operation::new(Kind::Create, "create_client", &CLIENT, "Create a client").needs(…).refuses(&[ApiCode::Taken, ApiCode::Limit]),
        ],
    },
    Route {
        path: "/clients/{id}",
        handlers: || get(clients::read).put(clients::replace).patch(clients::change).delete(clients::delete),
        operations: &[
            Operation::new(Kind::Read, "get_client", &CLIENT, "Read a client").needs(…),
            Operation::new(Kind::Replace, "replace_client", &CLIENT, "Replace a client").needs(…),
            Operation::new(Kind::Change, "update_client", &CLIENT, "Change members of a client").needs(…),
            Operation::new(Kind::Delete, "delete_client", &CLIENT, "Delete a client").needs(…),
        ],
    },

The others likewise: list_client_secrets, create_client_secret, delete_client_secret (Kind::End); list_users, create_user, get_user,
replace_user, update_user, delete_user; list_user_sessions, end_user_session, list_user_grants, end_user_grant (Kind::End);
…_organization, …_resource, …_scope, …_exchange_rule; list_keys, rotate_keys; list_events, get_trace.
*/

impl Route {
    /// Its handlers, with the response to other methods.
    pub(super) fn handlers(&'static self) -> MethodRouter<Arc<App>> {
        let operations = self.operations.iter();
        let allowed: Vec<_> = operations.map(|it| it.kind.method()).collect();
        let allowed = allowed.join(", ");
        (self.handlers)().fallback(
            async move |State(app): State<Arc<App>>, request: ApiRequest| {
                let why = ApiRefusal::new(ApiCode::MethodNotAllowed, "The path has other methods.");
                let mut response = problem::response(&app, &request, &why);
                if let Ok(allowed) = HeaderValue::try_from(&allowed) {
                    response.headers_mut().insert(header::ALLOW, allowed);
                }
                response
            },
        )
    }
}

/// Runs an operation, and renders what it replies.
pub(super) async fn answer<O>(
    app: &Arc<App>,
    request: &ApiRequest,
    operation: O,
    render: impl FnOnce(O::Reply) -> Response,
) -> Response
where
    O: ApiOperation + Send + 'static,
{
    match request.run(app, operation).await {
        Ok(outcome) => match outcome.reply {
            Ok(reply) => render(reply),
            Err(refusal) => problem::response(app, request, &refusal),
        },
        Err(error) => problem::unavailable(app, request, &error),
    }
}

pub(super) fn json(body: &impl Serialize) -> Response {
    // The types of this crate always serialize.
    let mut response = Response::new(Body::from(serde_json::to_vec(body).unwrap_or_default()));
    *response.status_mut() = StatusCode::OK;
    let headers = response.headers_mut();
    let media_type = HeaderValue::from_static("application/json");
    headers.insert(header::CONTENT_TYPE, media_type);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    response
}

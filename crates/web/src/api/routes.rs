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
use axum::routing::{MethodRouter, delete, get};
use grantor_core::model::right::Right;
use grantor_core::manage::{ApiAnswer, ApiCode, ApiOperation, ApiRefusal, Idempotent};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;

use super::operation::{Kind, Object, Operation, Query, QueryForm};
use super::request::ApiRequest;
use super::{me, problem, users};
use crate::app::App;

pub struct Route {
    /// Below `/api/v1`.
    pub path: &'static str,
    pub operations: &'static [Operation],
    handlers: fn() -> MethodRouter<Arc<App>>,
}

const ME: Object = Object::answer::<me::Body>("Me", "Callers");

const USER: Object = Object::managed::<users::Added>("User", "Users", "user");
const SESSION: Object = Object::answer::<users::SessionBody>("Session", "Users");
const GRANT: Object = Object::answer::<users::GrantBody>("Grant", "Users");

const USER_Q: Query = Query {
    name: "q",
    doc: "Only users whose name or verified address begins with it.",
    form: QueryForm::Text,
};

pub const ROUTES: &[Route] = &[
    Route {
        path: "/me",
        handlers: || get(me::get),
        operations: &[Operation::new(
            Kind::Read,
            "get_me",
            &ME,
            "Who the caller is",
        )],
    },
    Route {
        path: "/users",
        handlers: || get(users::list).post(users::create),
        operations: &[
            Operation::new(Kind::List, "list_users", &USER, "List users")
                .needs(&[Right::UsersRead])
                .query(&[USER_Q]),
            Operation::new(Kind::Create, "create_user", &USER, "Create a user")
                .needs(&[Right::UsersWrite])
                .refuses(&[ApiCode::Taken]),
        ],
    },
    Route {
        path: "/users/{id}",
        handlers: || {
            get(users::read)
                .patch(users::change)
                .put(users::replace)
                .delete(users::delete)
        },
        operations: &[
            Operation::new(Kind::Read, "get_user", &USER, "Read a user").needs(&[Right::UsersRead]),
            Operation::new(
                Kind::Change,
                "update_user",
                &USER,
                "Change members of a user",
            )
            .needs(&[Right::UsersWrite])
            .refuses(&[ApiCode::Taken]),
            Operation::new(Kind::Replace, "replace_user", &USER, "Replace a user")
                .needs(&[Right::UsersWrite])
                .refuses(&[ApiCode::Taken]),
            Operation::new(Kind::Delete, "delete_user", &USER, "Delete a user")
                .needs(&[Right::UsersWrite]),
        ],
    },
    Route {
        path: "/users/{id}/sessions",
        handlers: || get(users::sessions),
        operations: &[Operation::new(
            Kind::List,
            "list_user_sessions",
            &SESSION,
            "List where a user is signed in",
        )
        .needs(&[Right::GrantsRead])],
    },
    Route {
        path: "/users/{id}/sessions/{session}",
        handlers: || delete(users::end_session),
        operations: &[Operation::new(
            Kind::End,
            "end_user_session",
            &SESSION,
            "Sign a user out",
        )
        .needs(&[Right::GrantsWrite])],
    },
    Route {
        path: "/users/{id}/grants",
        handlers: || get(users::grants),
        operations: &[Operation::new(
            Kind::List,
            "list_user_grants",
            &GRANT,
            "List what a user gave to apps and devices",
        )
        .needs(&[Right::GrantsRead])],
    },
    Route {
        path: "/users/{id}/grants/{grant}",
        handlers: || delete(users::revoke_grant),
        operations: &[Operation::new(
            Kind::End,
            "end_user_grant",
            &GRANT,
            "Take back what a user gave to an app or a device",
        )
        .needs(&[Right::GrantsWrite])],
    },
];

/* The lines of the paths to come. Whoever adds the handlers moves them into the tables above.

const CLIENT: Object = Object::managed::<clients::Added>("Client", "Clients", "client").gives_once::<clients::Secret>();
const SECRET: Object = Object::written::<secrets::Body, secrets::Secret>("ClientSecret", "Clients").gives_once::<…>();
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

The others likewise: list_client_secrets, create_client_secret, delete_client_secret (Kind::End);
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

/// The same for an operation that may be refused before it runs.
pub(super) async fn answer_with<O>(
    app: &Arc<App>,
    request: &ApiRequest,
    operation: Result<O, ApiRefusal>,
    render: impl FnOnce(O::Reply) -> ApiAnswer,
) -> Response
where
    O: ApiOperation + Send + 'static,
{
    match operation {
        Ok(operation) => answer(app, request, operation, |reply| send(app, &render(reply))).await,
        Err(refusal) => problem::response(app, request, &refusal),
    }
}

/// Any POST that makes something: with an `Idempotency-Key` it is done once, and its retry gets the same answer.
pub(super) async fn create<O>(
    app: &Arc<App>,
    request: &ApiRequest,
    operation: Result<O, ApiRefusal>,
    render: impl Fn(O::Reply) -> ApiAnswer + Send + 'static,
) -> Response
where
    O: ApiOperation + Send + 'static,
{
    let key = request.idempotency_key();
    let operation = operation.and_then(|operation| Ok(Idempotent::new(operation, key?, render)));
    answer_with(app, request, operation, |answer| answer).await
}

fn send(app: &App, answer: &ApiAnswer) -> Response {
    let mut response = match &answer.body {
        Some(body) => json(body),
        None => Response::new(Body::empty()),
    };
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or_default();
    let path = |path: &String| format!("{}{}{path}", app.snapshot().site.path, super::PATH);
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    for (name, value) in [
        (header::LOCATION, answer.location.as_ref().map(path)),
        (header::ETAG, answer.etag.clone()),
    ] {
        if let Some(Ok(value)) = value.map(HeaderValue::try_from) {
            headers.insert(name, value);
        }
    }
    response
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

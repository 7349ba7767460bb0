//! The OpenAPI 3.1 document of the management API, made from the table of its paths and the declarations of settings.

mod schemas;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use grantor_core::manage::ApiCode;
use grantor_core::model::right::Right;
use grantor_web::api::{self, Kind, Operation, Query, QueryForm, Route};
use serde_json::{Map, Value, json};

const ABOUT: &str = "\
Clients, users, organizations and what they may do, changed while the server runs.

A change names the version that it replaces: read the object, and send its `ETag` as `If-Match`. A list ends with `next`; send \
it as `after` for the next page, until it is null. Errors are `application/problem+json` (RFC 9457) with a `code`, a \
`trace_id`, and JSON pointers to what is wrong. A `POST` with an `Idempotency-Key` can be sent again: it creates one object.";

const IF_MATCH: &str = "The ETag of the version that this changes.";
const IDEMPOTENCY_KEY: &str = "Any text of the caller's. The same request with the same key within a day has the same \
     answer, and creates nothing again.";

/// The document as JSON, for an issuer.
#[must_use]
pub fn document(issuer: &str) -> String {
    let mut document = json!({
        "openapi": "3.1.1",
        "info": {
            "title": "Grantor management API",
            "version": env!("CARGO_PKG_VERSION"),
            "description": ABOUT,
        },
        "servers": [{ "url": format!("{issuer}{}", api::PATH) }],
        "tags": tags(),
        "paths": paths(),
        "components": {
            "schemas": schemas::all(),
            "responses": refusals(issuer),
            "headers": headers(),
            "securitySchemes": { "oauth2": security_scheme(issuer) },
        },
    });
    document.sort_all_objects();
    document.to_string()
}

fn tags() -> Vec<Value> {
    let operations = api::ROUTES.iter().flat_map(|route| route.operations);
    let tags: BTreeSet<_> = operations.map(|operation| operation.object.tag).collect();
    tags.into_iter().map(|tag| json!({ "name": tag })).collect()
}

fn paths() -> Map<String, Value> {
    let paths = api::ROUTES.iter().map(|route| {
        let operations = route.operations.iter().map(|operation| {
            let method = operation.kind.method().to_ascii_lowercase();
            (method, self::operation(route, operation))
        });
        let mut item: Map<_, _> = operations.collect();
        let parameters: Vec<_> = path_parameters(route.path).collect();
        if !parameters.is_empty() {
            item.insert("parameters".to_owned(), parameters.into());
        }
        (route.path.to_owned(), item.into())
    });
    paths.collect()
}

/// `{id}` of `/users/{id}`.
fn path_parameters(path: &str) -> impl Iterator<Item = Value> {
    let names = path
        .split('/')
        .filter_map(|step| step.strip_prefix('{')?.strip_suffix('}'));
    names.map(|name| {
        json!({
            "name": name,
            "in": "path",
            "required": true,
            "schema": { "type": "string", "minLength": 1 },
        })
    })
}

fn operation(route: &Route, operation: &Operation) -> Value {
    let kind = operation.kind;
    let mut described = json!({
        "operationId": operation.id,
        "summary": operation.summary,
        "tags": [operation.object.tag],
        "security": security(operation),
        "responses": responses(route, operation),
    });
    let parameters = parameters(operation);
    if !parameters.is_empty() {
        described["parameters"] = parameters.into();
    }
    if let Some(media_type) = kind.body() {
        let schema = schemas::body(operation);
        described["requestBody"] =
            json!({ "required": true, "content": { media_type: { "schema": schema } } });
    }
    if !operation.rights.is_empty() {
        let rights: Vec<_> = operation
            .rights
            .iter()
            .map(|right| format!("`{}`", right.token()))
            .collect();
        described["description"] = format!("Needs the right {}.", rights.join(" or ")).into();
    }
    described
}

/// One of these is enough.
fn security(operation: &Operation) -> Vec<Value> {
    if operation.rights.is_empty() {
        return vec![json!({ "oauth2": [] })];
    }
    let rights = operation.rights.iter();
    rights
        .map(|right| json!({ "oauth2": [right.token()] }))
        .collect()
}

fn parameters(operation: &Operation) -> Vec<Value> {
    const PAGE: [Query; 2] = [
        Query {
            name: "limit",
            doc: "The most items of the page.",
            form: QueryForm::Number {
                usual: 100,
                most: 1000,
            },
        },
        Query {
            name: "after",
            doc: "The `next` of the page before.",
            form: QueryForm::Text,
        },
    ];
    let page = match operation.kind {
        Kind::List => &PAGE[..],
        _ => &[],
    };
    let query = page.iter().chain(operation.query).map(|query| {
        let schema = match query.form {
            QueryForm::Text => json!({ "type": "string", "minLength": 1 }),
            QueryForm::Time => json!({ "type": "string", "format": "date-time" }),
            QueryForm::Number { usual, most } => {
                json!({ "type": "integer", "minimum": 1, "maximum": most, "default": usual })
            }
        };
        json!({ "name": query.name, "in": "query", "description": query.doc, "schema": schema })
    });
    let header = |name: &str, required: bool, doc: &str| {
        json!({
            "name": name,
            "in": "header",
            "required": required,
            "description": doc,
            "schema": { "type": "string", "minLength": 1 },
        })
    };
    let condition = operation.kind.is_conditional();
    let condition = condition.then(|| header("If-Match", true, IF_MATCH));
    let creates = operation.kind == Kind::Create;
    let key = creates.then(|| header("Idempotency-Key", false, IDEMPOTENCY_KEY));
    query.chain(condition).chain(key).collect()
}

fn responses(route: &Route, operation: &Operation) -> Value {
    let kind = operation.kind;
    let mut success = match kind {
        Kind::Delete | Kind::End => json!({ "description": "It is gone." }),
        _ => json!({
            "description": match kind {
                Kind::List => "A page of them.",
                Kind::Create => "It was created.",
                Kind::Replace | Kind::Change | Kind::Act => "It was changed.",
                _ => "The object.",
            },
            "content": { "application/json": { "schema": schemas::answer(operation) } },
        }),
    };
    let mut headers = Map::new();
    let mut add = |name: &str| {
        let reference = json!({ "$ref": format!("#/components/headers/{name}") });
        headers.insert(name.to_owned(), reference)
    };
    if operation.object.has_versions()
        && matches!(
            kind,
            Kind::Read | Kind::Create | Kind::Replace | Kind::Change
        )
    {
        add("ETag");
    }
    if kind == Kind::Create {
        add("Location");
    }
    if !headers.is_empty() {
        success["headers"] = headers.into();
    }
    let mut responses = Map::from_iter([(kind.status().to_string(), success)]);
    for status in statuses(route, operation) {
        let reference = json!({ "$ref": format!("#/components/responses/Problem{status}") });
        responses.insert(status.to_string(), reference);
    }
    responses.into()
}

/// The statuses of refusals.
fn statuses(route: &Route, operation: &Operation) -> BTreeSet<u16> {
    let kind = operation.kind;
    let mut codes = vec![
        ApiCode::InvalidToken,
        ApiCode::ServerError,
        ApiCode::Unavailable,
    ];
    codes.extend(kind.refusals());
    codes.extend(operation.refusals);
    if !operation.rights.is_empty() {
        codes.push(ApiCode::InsufficientScope);
    }
    if route.path.contains('{') {
        codes.push(ApiCode::NotFound);
    }
    if kind.is_conditional() {
        codes.extend([ApiCode::PreconditionFailed, ApiCode::PreconditionRequired]);
    }
    codes.into_iter().map(ApiCode::status).collect()
}

/// The answer of each status that is a refusal.
fn refusals(issuer: &str) -> Map<String, Value> {
    let mut by_status: BTreeMap<u16, Vec<ApiCode>> = BTreeMap::new();
    for code in ApiCode::ALL {
        by_status.entry(code.status()).or_default().push(code);
    }
    let responses = by_status.into_iter().map(|(status, codes)| {
        let titles = codes
            .iter()
            .map(|code| format!("`{}`: {}.", code.name(), code.title()));
        let titles: Vec<_> = titles.collect();
        let mut response = json!({
            "description": titles.join(" "),
            "content": {
                "application/problem+json": {
                    "schema": schemas::reference("Problem"),
                    "example": schemas::problem_example(issuer, codes[0]),
                },
            },
        });
        let header = match status {
            401 | 403 => Some("WWW-Authenticate"),
            429 | 503 => Some("Retry-After"),
            _ => None,
        };
        if let Some(header) = header {
            response["headers"] =
                json!({ header: { "$ref": format!("#/components/headers/{header}") } });
        }
        (format!("Problem{status}"), response)
    });
    responses.collect()
}

fn headers() -> Value {
    let text =
        |description: &str| json!({ "description": description, "schema": { "type": "string" } });
    json!({
        "ETag": text("The version of the object, for If-Match."),
        "Location": text("Where the object is."),
        "WWW-Authenticate": text("The challenge of RFC 6750."),
        "Retry-After": {
            "description": "Seconds after which a retry may succeed.",
            "schema": { "type": "integer", "minimum": 0 },
        },
    })
}

fn security_scheme(issuer: &str) -> Value {
    let scopes = Right::ALL
        .iter()
        .map(|right| (right.token(), right.text().into()));
    let scopes = scopes.collect::<Map<_, _>>();
    let token_url = format!("{issuer}/oauth2/token");
    json!({
        "type": "oauth2",
        "description": "People sign in by the authorization code with PKCE; programs use their client credentials.",
        "flows": {
            "authorizationCode": {
                "authorizationUrl": format!("{issuer}/oauth2/authorize"),
                "tokenUrl": token_url,
                "scopes": scopes,
            },
            "clientCredentials": { "tokenUrl": token_url, "scopes": scopes },
        },
    })
}

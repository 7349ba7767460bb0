//! The lines of the table.

use axum::routing::{delete, get, post};
use grantor_core::manage::ApiCode;
use grantor_core::model::config_document::PartKind;
use grantor_core::model::right::Right;

use super::super::operation::{Kind, Object, Operation, Query, QueryForm};
use super::super::{clients, events, keys, me, organizations, parts, users};
use super::Route;

const ME: Object = Object::answer::<me::Body>("Me", "Callers");

const USER: Object = Object::managed::<users::Added>("User", "Users", "user")
    .without(&["id", "password_hash", "links"])
    .secret(&["password"]);
const SESSION: Object = Object::answer::<users::SessionBody>("Session", "Users");
const GRANT: Object = Object::answer::<users::GrantBody>("Grant", "Users");
const KEY: Object = Object::answer::<keys::Key>("Key", "Keys");
const ROTATED_KEYS: Object = Object::answer::<keys::Rotated>("RotatedKeys", "Keys");

const CLIENT: Object = Object::managed::<clients::Added>("Client", "Clients", "client")
    .without(&[
        "secret",
        "secret_env",
        "secrets_env",
        "secret_file",
        "secret_sha256",
    ])
    .given(&["id"])
    .body::<clients::Body>()
    .gives_once::<clients::Once>();
const SECRET: Object =
    Object::written::<clients::NewSecretBody, clients::SecretBody>("ClientSecret", "Clients");
const ORGANIZATION: Object =
    Object::managed::<organizations::Added>("Organization", "Organizations", "organization");
const RESOURCE: Object = Object::managed::<parts::Added>("Resource", "Configuration", "resource");
const SCOPE: Object =
    Object::managed::<parts::Added>("Scope", "Configuration", "scope").without(&["gives"]);
const EXCHANGE_RULE: Object =
    Object::managed::<parts::Added>("ExchangeRule", "Configuration", "exchange")
        .required(&["name"]);

const EVENT: Object = Object::answer::<events::EventBody>("Event", "Events");
const TRACE: Object = Object::answer::<events::TraceBody>("Trace", "Events");

pub(in crate::api) const READ_CLIENTS: &[Right] = &[Right::ClientsRead, Right::ClientsOwn];
pub(in crate::api) const WRITE_CLIENTS: &[Right] = &[Right::ClientsWrite, Right::ClientsOwn];

const CLIENT_Q: Query = Query {
    name: "q",
    doc: "Only clients whose id begins with it.",
    form: QueryForm::Text,
};

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
        operations: &[
            Operation::new(Kind::End, "end_user_session", &SESSION, "Sign a user out")
                .needs(&[Right::GrantsWrite]),
        ],
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
    Route {
        path: "/clients",
        handlers: || get(clients::list).post(clients::create),
        operations: &[
            Operation::new(Kind::List, "list_clients", &CLIENT, "List clients")
                .needs(READ_CLIENTS)
                .query(&[CLIENT_Q]),
            Operation::new(Kind::Create, "create_client", &CLIENT, "Create a client")
                .needs(WRITE_CLIENTS)
                .refuses(&[ApiCode::Taken, ApiCode::Limit]),
        ],
    },
    Route {
        path: "/clients/{id}",
        handlers: || {
            get(clients::read)
                .patch(clients::change)
                .put(clients::replace)
                .delete(clients::delete)
        },
        operations: &[
            Operation::new(Kind::Read, "get_client", &CLIENT, "Read a client").needs(READ_CLIENTS),
            Operation::new(
                Kind::Change,
                "update_client",
                &CLIENT,
                "Change members of a client",
            )
            .needs(WRITE_CLIENTS)
            .refuses(&[ApiCode::Limit]),
            Operation::new(Kind::Replace, "replace_client", &CLIENT, "Replace a client")
                .needs(WRITE_CLIENTS)
                .refuses(&[ApiCode::Limit]),
            Operation::new(Kind::Delete, "delete_client", &CLIENT, "Delete a client")
                .needs(WRITE_CLIENTS)
                .refuses(&[ApiCode::InUse]),
        ],
    },
    Route {
        path: "/clients/{id}/secrets",
        handlers: || get(clients::secrets).post(clients::add_secret),
        operations: &[
            Operation::new(
                Kind::List,
                "list_client_secrets",
                &SECRET,
                "List the secrets of a client",
            )
            .needs(READ_CLIENTS),
            Operation::new(
                Kind::Create,
                "create_client_secret",
                &SECRET,
                "Draw another secret for a client",
            )
            .needs(WRITE_CLIENTS)
            .refuses(&[ApiCode::Limit]),
        ],
    },
    Route {
        path: "/clients/{id}/secrets/{secret}",
        handlers: || delete(clients::delete_secret),
        operations: &[Operation::new(
            Kind::End,
            "delete_client_secret",
            &SECRET,
            "Delete a secret of a client",
        )
        .needs(WRITE_CLIENTS)],
    },
    Route {
        path: "/organizations",
        handlers: || get(organizations::list).post(organizations::create),
        operations: &[
            Operation::new(
                Kind::List,
                "list_organizations",
                &ORGANIZATION,
                "List organizations",
            )
            .needs(&[Right::OrganizationsRead]),
            Operation::new(
                Kind::Create,
                "create_organization",
                &ORGANIZATION,
                "Create an organization",
            )
            .needs(&[Right::OrganizationsWrite])
            .refuses(&[ApiCode::Taken, ApiCode::Limit]),
        ],
    },
    Route {
        path: "/organizations/{id}",
        handlers: || {
            get(organizations::read)
                .patch(organizations::change)
                .put(organizations::replace)
                .delete(organizations::delete)
        },
        operations: &[
            Operation::new(
                Kind::Read,
                "get_organization",
                &ORGANIZATION,
                "Read an organization",
            )
            .needs(&[Right::OrganizationsRead]),
            Operation::new(
                Kind::Change,
                "update_organization",
                &ORGANIZATION,
                "Change members of an organization",
            )
            .needs(&[Right::OrganizationsWrite])
            .refuses(&[ApiCode::Limit]),
            Operation::new(
                Kind::Replace,
                "replace_organization",
                &ORGANIZATION,
                "Replace an organization",
            )
            .needs(&[Right::OrganizationsWrite])
            .refuses(&[ApiCode::Limit]),
            Operation::new(
                Kind::Delete,
                "delete_organization",
                &ORGANIZATION,
                "Delete an organization",
            )
            .needs(&[Right::OrganizationsWrite])
            .refuses(&[ApiCode::InUse]),
        ],
    },
    Route {
        path: "/resources",
        handlers: || parts::all(PartKind::Resource),
        operations: &[
            Operation::new(Kind::List, "list_resources", &RESOURCE, "List resources")
                .needs(&[Right::ConfigRead]),
            Operation::new(
                Kind::Create,
                "create_resource",
                &RESOURCE,
                "Create a resource",
            )
            .needs(&[Right::ConfigWrite])
            .refuses(&[ApiCode::Taken, ApiCode::Limit]),
        ],
    },
    Route {
        path: "/resources/{name}",
        handlers: || parts::one(PartKind::Resource),
        operations: &[
            Operation::new(Kind::Read, "get_resource", &RESOURCE, "Read a resource")
                .needs(&[Right::ConfigRead]),
            Operation::new(
                Kind::Change,
                "update_resource",
                &RESOURCE,
                "Change members of a resource",
            )
            .needs(&[Right::ConfigWrite])
            .refuses(&[ApiCode::Limit]),
            Operation::new(
                Kind::Replace,
                "replace_resource",
                &RESOURCE,
                "Replace a resource",
            )
            .needs(&[Right::ConfigWrite])
            .refuses(&[ApiCode::Limit]),
            Operation::new(
                Kind::Delete,
                "delete_resource",
                &RESOURCE,
                "Delete a resource",
            )
            .needs(&[Right::ConfigWrite])
            .refuses(&[ApiCode::InUse]),
        ],
    },
    Route {
        path: "/scopes",
        handlers: || parts::all(PartKind::Scope),
        operations: &[
            Operation::new(Kind::List, "list_scopes", &SCOPE, "List scopes")
                .needs(&[Right::ConfigRead]),
            Operation::new(Kind::Create, "create_scope", &SCOPE, "Create a scope")
                .needs(&[Right::ConfigWrite])
                .refuses(&[ApiCode::Taken, ApiCode::Limit]),
        ],
    },
    Route {
        path: "/scopes/{name}",
        handlers: || parts::one(PartKind::Scope),
        operations: &[
            Operation::new(Kind::Read, "get_scope", &SCOPE, "Read a scope")
                .needs(&[Right::ConfigRead]),
            Operation::new(
                Kind::Change,
                "update_scope",
                &SCOPE,
                "Change members of a scope",
            )
            .needs(&[Right::ConfigWrite])
            .refuses(&[ApiCode::Limit]),
            Operation::new(Kind::Replace, "replace_scope", &SCOPE, "Replace a scope")
                .needs(&[Right::ConfigWrite])
                .refuses(&[ApiCode::Limit]),
            Operation::new(Kind::Delete, "delete_scope", &SCOPE, "Delete a scope")
                .needs(&[Right::ConfigWrite])
                .refuses(&[ApiCode::InUse]),
        ],
    },
    Route {
        path: "/exchange-rules",
        handlers: || parts::all(PartKind::ExchangeRule),
        operations: &[
            Operation::new(
                Kind::List,
                "list_exchange_rules",
                &EXCHANGE_RULE,
                "List exchange rules",
            )
            .needs(&[Right::ConfigRead]),
            Operation::new(
                Kind::Create,
                "create_exchange_rule",
                &EXCHANGE_RULE,
                "Create an exchange rule",
            )
            .needs(&[Right::ConfigWrite])
            .refuses(&[ApiCode::Taken, ApiCode::Limit]),
        ],
    },
    Route {
        path: "/exchange-rules/{name}",
        handlers: || parts::one(PartKind::ExchangeRule),
        operations: &[
            Operation::new(
                Kind::Read,
                "get_exchange_rule",
                &EXCHANGE_RULE,
                "Read an exchange rule",
            )
            .needs(&[Right::ConfigRead]),
            Operation::new(
                Kind::Change,
                "update_exchange_rule",
                &EXCHANGE_RULE,
                "Change members of an exchange rule",
            )
            .needs(&[Right::ConfigWrite])
            .refuses(&[ApiCode::Limit]),
            Operation::new(
                Kind::Replace,
                "replace_exchange_rule",
                &EXCHANGE_RULE,
                "Replace an exchange rule",
            )
            .needs(&[Right::ConfigWrite])
            .refuses(&[ApiCode::Limit]),
            Operation::new(
                Kind::Delete,
                "delete_exchange_rule",
                &EXCHANGE_RULE,
                "Delete an exchange rule",
            )
            .needs(&[Right::ConfigWrite])
            .refuses(&[ApiCode::InUse]),
        ],
    },
    Route {
        path: "/keys",
        handlers: || get(keys::list),
        operations: &[
            Operation::new(Kind::List, "list_keys", &KEY, "List the signing keys")
                .needs(&[Right::KeysRead]),
        ],
    },
    Route {
        path: "/keys/rotate",
        handlers: || post(keys::rotate),
        operations: &[Operation::new(
            Kind::Act,
            "rotate_keys",
            &ROTATED_KEYS,
            "Sign with the next keys from now on",
        )
        .needs(&[Right::KeysWrite])],
    },
    Route {
        path: "/events",
        handlers: || get(events::list),
        operations: &[Operation::new(
            Kind::List,
            "list_events",
            &EVENT,
            "List events, newest first",
        )
        .needs(&[Right::EventsRead])
        .query(events::FILTERS)],
    },
    Route {
        path: "/traces/{trace_id}",
        handlers: || get(events::trace),
        operations: &[Operation::new(
            Kind::Read,
            "get_trace",
            &TRACE,
            "Explain what happened to a request",
        )
        .needs(&[Right::EventsRead])],
    },
];

//! The schemas of the document: of objects, of the bodies that write them, of lists and of refusals.

use grantor_config::Schema;
use grantor_core::manage::ApiCode;
use grantor_web::api::{self, Kind, Members, Object, Operation, Table, Type};
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

pub(super) fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

/// Of the body of an operation.
pub(super) fn body(operation: &Operation) -> Value {
    reference(&body_name(operation.kind, operation.object))
}

fn body_name(kind: Kind, object: &Object) -> String {
    match kind {
        Kind::Change => format!("{}Patch", object.name),
        _ => format!("{}Input", object.name),
    }
}

/// Of the answer of an operation.
pub(super) fn answer(operation: &Operation) -> Value {
    reference(&answer_name(operation.kind, operation.object))
}

fn answer_name(kind: Kind, object: &Object) -> String {
    let name = object.name;
    match kind {
        Kind::List => format!("{name}List"),
        Kind::Create if object.created.is_some() => format!("Created{name}"),
        _ => name.to_owned(),
    }
}

/// Those to which operations refer.
pub(super) fn all() -> Map<String, Value> {
    let mut schemas = Map::new();
    schemas.insert("Problem".to_owned(), problem());
    for operation in api::ROUTES.iter().flat_map(|route| route.operations) {
        let (kind, object) = (operation.kind, operation.object);
        if kind.body().is_some() {
            schemas.insert(body_name(kind, object), written(kind, object));
        }
        if !matches!(kind, Kind::Delete | Kind::End) {
            schemas.insert(object.name.to_owned(), read(object));
            let name = answer_name(kind, object);
            match (kind, object.created) {
                (Kind::List, _) => schemas.insert(name, list(object)),
                (Kind::Create, Some(once)) => schemas.insert(name, created(object, once)),
                _ => None,
            };
        }
    }
    schemas
}

/// A type of the web crate, as it is serialized or read. Nothing in it refers to other schemas.
fn of_type(of: Type, answers: bool) -> Value {
    let settings =
        SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    let settings = match answers {
        true => settings.for_serialize(),
        false => settings.for_deserialize(),
    };
    let mut schema = of(&mut settings.into_generator()).to_value();
    without_null(&mut schema);
    schema
}

/// What may be left out is left out where there is none, and never null.
fn without_null(schema: &mut Value) {
    let required = schema
        .get("required")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    let Some(Value::Object(properties)) = schema.get_mut("properties") else {
        return;
    };
    for (name, property) in properties {
        let is_required = required.iter().any(|it| it == name.as_str());
        if let Some(Value::Array(types)) = property.get_mut("type").filter(|_| !is_required) {
            types.retain(|it| it != "null");
            if let [only] = &types[..] {
                property["type"] = only.clone();
            }
        }
    }
}

/// Members with their schemas, and the names of those that are always there.
#[derive(Default)]
struct Described {
    properties: Map<String, Value>,
    required: Vec<Value>,
}

impl Described {
    fn add_type(&mut self, of: Type, answers: bool) {
        let mut schema = of_type(of, answers);
        if let Some(Value::Object(properties)) = schema.get_mut("properties").map(Value::take) {
            self.properties.extend(properties);
        }
        if let Some(Value::Array(required)) = schema.get_mut("required").map(Value::take) {
            self.required.extend(required);
        }
    }

    /// The settings of the table.
    fn add_table(&mut self, table: &Table, answers: bool) {
        let settings = Schema::of_table(table.key).map_or(&[][..], |schema| schema.settings);
        for setting in settings {
            let is_secret = table.secret.contains(&setting.key);
            if table.without.contains(&setting.key) || (answers && is_secret) {
                continue;
            }
            let mut schema = setting.json_schema();
            if is_secret {
                schema["writeOnly"] = true.into();
            }
            self.properties.insert(setting.key.to_owned(), schema);
            let is_given = table.given.contains(&setting.key);
            let is_required = setting.is_required() || table.required.contains(&setting.key);
            if is_required && (answers || !is_given) {
                self.required.push(setting.key.into());
            }
        }
    }

    fn object(mut self, closed: bool) -> Value {
        self.required.sort_by_key(ToString::to_string);
        self.required.dedup();
        let mut schema = json!({ "type": "object", "properties": self.properties });
        if !self.required.is_empty() {
            schema["required"] = self.required.into();
        }
        if closed {
            schema["additionalProperties"] = false.into();
        }
        schema
    }
}

/// What answers hold.
fn read(object: &Object) -> Value {
    let mut members = Described::default();
    match &object.members {
        Members::Table(table) => {
            members.add_table(table, true);
            members.add_type(table.added, true);
            let words = Schema::of_table(table.key).map(Schema::words);
            let mut schema = members.object(false);
            schema["description"] = words.unwrap_or_default().into();
            schema
        }
        Members::Answer(of) | Members::Written(_, of) => of_type(*of, true),
    }
}

/// What bodies hold. Unknown members are refused, so that a misspelt one has no silent effect.
fn written(kind: Kind, object: &Object) -> Value {
    let mut members = Described::default();
    match &object.members {
        Members::Table(table) => {
            members.add_table(table, false);
            if let Some(body) = table.body {
                members.add_type(body, false);
            }
        }
        Members::Written(of, _) => members.add_type(*of, false),
        Members::Answer(_) => {}
    }
    if kind == Kind::Change {
        members.required.clear();
        for schema in members.properties.values_mut() {
            // RFC 7396: null removes a member.
            let value = schema.take();
            *schema = json!({ "anyOf": [value, { "type": "null" }] });
        }
    }
    members.object(true)
}

fn list(object: &Object) -> Value {
    json!({
        "type": "object",
        "properties": {
            "items": { "type": "array", "items": reference(object.name) },
            "next": {
                "type": ["string", "null"],
                "description": "For `after` of the next page; null on the last one.",
            },
        },
        "required": ["items", "next"],
    })
}

fn created(object: &Object, once: Type) -> Value {
    json!({ "allOf": [reference(object.name), of_type(once, true)] })
}

pub(super) fn problem_example(issuer: &str, code: ApiCode) -> Value {
    json!({
        "type": format!("{issuer}/errors/{}", code.name()),
        "title": code.title(),
        "status": code.status(),
        "detail": format!("{}.", code.title()),
        "code": code.name(),
        "trace_id": "b23386289034ed46ca8c1258bc2ab665",
    })
}

/// RFC 9457.
fn problem() -> Value {
    let codes: Vec<_> = ApiCode::ALL.iter().map(|code| code.name()).collect();
    json!({
        "type": "object",
        "description": "Why a request was refused (RFC 9457).",
        "properties": {
            "type": { "type": "string", "format": "uri", "description": "ISSUER/errors/CODE" },
            "title": { "type": "string" },
            "status": { "type": "integer" },
            "detail": { "type": "string" },
            "code": { "type": "string", "enum": codes },
            "trace_id": {
                "type": "string",
                "description": "Names the request in the log and in the events.",
            },
            "errors": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "pointer": { "type": "string", "description": "A JSON pointer (RFC 6901) in the body." },
                        "detail": { "type": "string" },
                    },
                    "required": ["pointer", "detail"],
                },
            },
        },
        "required": ["type", "title", "status", "detail", "code", "trace_id"],
    })
}

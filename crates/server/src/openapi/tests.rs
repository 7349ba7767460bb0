//! The document is whole: it has each operation, and each reference leads somewhere. That it is valid OpenAPI, and that its
//! examples are valid, is shown by `tests/python`.

use std::collections::BTreeSet;

use grantor_web::api::{Kind, ROUTES};
use serde_json::Value;

use super::document;

fn read() -> Value {
    serde_json::from_str(&document("https://id.example.com/tenant")).unwrap()
}

#[test]
fn the_document_has_the_operations_of_the_table_and_no_others() {
    let document = read();
    let paths = document["paths"].as_object().unwrap();
    let documented = paths.iter().flat_map(|(path, item)| {
        let methods = item.as_object().unwrap().iter();
        let methods = methods.filter(|(key, _)| *key != "parameters");
        methods.map(move |(method, operation)| {
            let id = operation["operationId"].as_str().unwrap();
            (path.clone(), method.to_uppercase(), id.to_owned())
        })
    });
    let table = ROUTES.iter().flat_map(|route| {
        route.operations.iter().map(|operation| {
            let method = operation.kind.method().to_owned();
            (route.path.to_owned(), method, operation.id.to_owned())
        })
    });
    let (documented, table): (Vec<_>, Vec<_>) = (documented.collect(), table.collect());
    let ids: BTreeSet<_> = table.iter().map(|(_, _, id)| id).collect();
    assert_eq!(ids.len(), table.len(), "an operation id stands twice");
    let sorted = |mut all: Vec<_>| {
        all.sort();
        all
    };
    assert_eq!(sorted(documented), sorted(table));
}

#[test]
fn each_reference_leads_to_something_and_everything_is_referred_to() {
    fn references(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(members) => {
                if let Some(Value::String(to)) = members.get("$ref") {
                    found.insert(to.clone());
                }
                members.values().for_each(|it| references(it, found));
            }
            Value::Array(items) => items.iter().for_each(|it| references(it, found)),
            _ => {}
        }
    }
    let document = read();
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    for reference in &found {
        let target = document.pointer(reference.strip_prefix('#').unwrap());
        assert!(target.is_some(), "{reference}");
    }
    for name in document["components"]["schemas"]
        .as_object()
        .unwrap()
        .keys()
    {
        let reference = format!("#/components/schemas/{name}");
        assert!(found.contains(&reference), "nothing refers to {name}");
    }
}

#[test]
fn what_an_operation_needs_is_said_of_it() {
    let document = read();
    for route in ROUTES {
        for operation in route.operations {
            let method = operation.kind.method().to_lowercase();
            let said = &document["paths"][route.path][&method];
            let has = |status: &str| said["responses"].get(status).is_some();
            let id = operation.id;
            assert!(
                has(&operation.kind.status().to_string()) && has("401") && has("503"),
                "{id}"
            );
            assert_eq!(
                has("403"),
                !operation.rights.is_empty() || operation.kind.changes(),
                "{id}"
            );
            assert_eq!(has("428"), operation.kind.is_conditional(), "{id}");
            assert_eq!(
                said.get("requestBody").is_some(),
                operation.kind.body().is_some(),
                "{id}"
            );
            assert!(operation.kind != Kind::List || has("400"), "{id}");
            let security = said["security"].as_array().unwrap();
            assert_eq!(security.len(), operation.rights.len().max(1), "{id}");
        }
    }
}

#[test]
fn addresses_are_those_of_the_issuer() {
    let document = read();
    let issuer = "https://id.example.com/tenant";
    assert_eq!(document["servers"][0]["url"], format!("{issuer}/api/v1"));
    let flows = &document["components"]["securitySchemes"]["oauth2"]["flows"];
    let code = &flows["authorizationCode"];
    assert_eq!(
        code["authorizationUrl"],
        format!("{issuer}/oauth2/authorize")
    );
    assert_eq!(code["tokenUrl"], format!("{issuer}/oauth2/token"));
    assert_eq!(flows["clientCredentials"]["tokenUrl"], code["tokenUrl"]);
}

//! `/iroh/oauth2-clients/clients`: the clients of the management API, in IROH's words.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use grantor_core::manage::{ApiRefusal, Me};
use http::header;
use serde_json::{Map, Value};

use super::answer::{Asks, renamed, translated};
use crate::api::clients as native;
use crate::api::problem;
use crate::api::request::{ApiRequest, JSON};
use crate::app::App;

/// Grants, as IROH calls them. Refresh tokens are not a grant there: whoever signs users in has them.
const GRANTS: [(&str, &str); 3] = [
    ("device-grant", "device_code"),
    ("auth-code", "authorization_code"),
    ("client-creds", "client_credentials"),
];
const REFRESH: &str = "refresh_token";
const AVAILABILITIES: [(&str, &str); 3] = [
    ("org", "organization"),
    ("everyone", "everyone"),
    ("user", "owner"),
];

fn to_native(table: &[(&str, &str)], name: &str) -> String {
    let known = table.iter().find(|(iroh, _)| *iroh == name);
    known.map_or(name, |(_, native)| *native).to_owned()
}

fn to_iroh(table: &[(&str, &str)], name: &str) -> String {
    let known = table.iter().find(|(_, native)| *native == name);
    known.map_or(name, |(iroh, _)| *iroh).to_owned()
}

/// `POST`: the answer has the password, this once.
pub(super) async fn create(State(app): State<Arc<App>>, request: ApiRequest) -> Response {
    let params = match request.object(JSON) {
        Ok(params) => params,
        Err(refusal) => return shown(problem::response(&app, &request, &refusal)).await,
    };
    // Who belongs to an organization makes clients for it, unless the request says otherwise.
    let organization = match request.run(&app, Me).await {
        Ok(outcome) => outcome.reply.ok().and_then(|me| me.organization),
        Err(error) => return shown(problem::unavailable(&app, &request, &error)).await,
    };
    match native_client(&params, organization.is_some()) {
        Ok(client) => shown(native::create(State(app), request.with_object(&client)).await).await,
        Err(refusal) => shown(problem::response(&app, &request, &refusal)).await,
    }
}

pub(super) async fn read(app: State<Arc<App>>, request: ApiRequest) -> Response {
    shown(native::read(app, request).await).await
}

/// An array.
pub(super) async fn list(app: State<Arc<App>>, request: ApiRequest) -> Response {
    let listed = native::list(app, request).await;
    translated(listed, None, Asks::ForElse, |listed| {
        let items = listed["items"].as_array().into_iter().flatten();
        items.cloned().map(iroh_client).collect()
    })
    .await
}

/// Whatever version it has: clients of IROH know none.
pub(super) async fn delete(State(app): State<Arc<App>>, request: ApiRequest) -> Response {
    let again = request.for_same_object();
    let read = native::read(State(Arc::clone(&app)), request).await;
    match read.headers().get(header::ETAG).cloned() {
        Some(etag) => shown(native::delete(State(app), again.with_if_match(etag)).await).await,
        None => shown(read).await,
    }
}

async fn shown(response: Response) -> Response {
    translated(response, None, Asks::ForElse, iroh_client).await
}

/// What the management API takes for `CreateClientParams`.
fn native_client(
    params: &Map<String, Value>,
    has_organization: bool,
) -> Result<Map<String, Value>, ApiRefusal> {
    let mut client = Map::new();
    for (key, value) in params {
        let native = match key.as_str() {
            "scopes" | "description" | "name" => key.as_str(),
            "redirects" => "redirect_uris",
            "grants" | "availability" | "client-type" => continue,
            key => {
                let why = format!("unknown key {key:?}");
                return Err(ApiRefusal::invalid_member(format!("/{key}"), why));
            }
        };
        client.insert(native.to_owned(), value.clone());
    }
    let listed = params.get("grants").and_then(Value::as_array);
    let listed = listed.into_iter().flatten().filter_map(Value::as_str);
    let mut grants: Vec<String> = listed.map(|name| to_native(&GRANTS, name)).collect();
    if grants.iter().any(|grant| grant != "client_credentials") {
        grants.push(REFRESH.to_owned());
    }
    client.insert("grants".to_owned(), grants.into());
    let is_public = params.get("client-type").and_then(Value::as_str) == Some("public");
    client.insert("confidential".to_owned(), (!is_public).into());
    let availability = params.get("availability").and_then(Value::as_str);
    let availability = availability.or(has_organization.then_some("org"));
    if let Some(availability) = availability {
        let native = to_native(&AVAILABILITIES, availability);
        client.insert("availability".to_owned(), native.into());
    }
    Ok(client)
}

fn iroh_client(native: Value) -> Value {
    let Value::Object(native) = native else {
        return native;
    };
    let texts = |key: &str| {
        let all = native.get(key).and_then(Value::as_array);
        all.into_iter().flatten().filter_map(Value::as_str)
    };
    let mut client = Map::new();
    for (key, name) in [
        ("id", "id"),
        ("name", "name"),
        ("description", "description"),
        ("organization", "org-id"),
        ("owner", "owner-id"),
        ("secret", "password"),
    ] {
        renamed(&native, key, &mut client, name);
    }
    let grants = texts("grants").filter(|grant| *grant != REFRESH);
    let grants = grants
        .map(|grant| to_iroh(&GRANTS, grant))
        .collect::<Vec<_>>();
    let availability = native.get("availability").and_then(Value::as_str);
    let availability = to_iroh(&AVAILABILITIES, availability.unwrap_or("everyone"));
    let kind = match native.get("confidential") == Some(&Value::Bool(true)) {
        true => "confidential",
        false => "public",
    };
    let created = native.get("created").and_then(|created| created.get("at"));
    for (name, value) in [
        ("scopes", texts("scopes").collect::<Vec<_>>().into()),
        (
            "redirects",
            texts("redirect_uris").collect::<Vec<_>>().into(),
        ),
        ("grants", grants.into()),
        ("availability", availability.into()),
        ("client-type", kind.into()),
        (
            "enabled?",
            (native.get("enabled") != Some(&Value::Bool(false))).into(),
        ),
        ("approved?", true.into()),
        ("approval-status", "approved".into()),
        ("created-at", created.cloned().unwrap_or_default()),
    ] {
        client.insert(name.to_owned(), value);
    }
    client.into()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn params_of_the_seed_are_members_of_the_api_and_back() {
        let params = json!({
            "scopes": ["profile", "inspect"], "description": "d", "name": "n", "grants": ["device-grant"],
        });
        let params = params.as_object().expect("an object");
        let native = native_client(params, true).expect("members that are known");
        let expected = json!({
            "scopes": ["profile", "inspect"], "description": "d", "name": "n",
            "grants": ["device_code", "refresh_token"], "confidential": true, "availability": "organization",
        });
        assert_eq!(Value::from(native.clone()), expected);
        let without = native_client(params, false).expect("members that are known");
        assert!(
            !without.contains_key("availability"),
            "the API's own default"
        );
        let shown = iroh_client(native.into());
        for (name, value) in params {
            assert_eq!(shown[name], *value, "{name}");
        }
        assert_eq!(
            (&shown["availability"], &shown["client-type"]),
            (&json!("org"), &json!("confidential"))
        );
    }

    #[test]
    fn what_is_no_member_there_is_refused() {
        for key in ["consent", "id", "resources", "enabled", "owner-id"] {
            let params = Map::from_iter([(key.to_owned(), Value::Null)]);
            assert!(native_client(&params, false).is_err(), "{key}");
        }
    }
}

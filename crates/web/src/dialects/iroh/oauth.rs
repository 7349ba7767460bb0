//! `/iroh/oauth2`: the endpoints of OAuth under IROH's paths.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse as _, Redirect, Response};
use grantor_core::client_auth::Credentials;
use grantor_core::model::endpoint::Endpoint;
use grantor_core::model::grant_type::GrantType;
use serde_json::{Map, Value};

use super::answer::{Asks, renamed, translated};
use crate::app::App;
use crate::endpoints;
use crate::request::{Caller, Form};

/// `POST /iroh/oauth2/token`. A refresh does not repeat the scope.
pub(super) async fn token(State(app): State<Arc<App>>, form: Form) -> Response {
    let client = client_of(&form);
    let param = |name| {
        form.params
            .as_ref()
            .ok()
            .and_then(|params| params.opt(name))
    };
    let grant = param("grant_type").and_then(GrantType::from_wire);
    let asks = match grant {
        Some(GrantType::DeviceCode) => Asks::ForDeviceTokens,
        _ => Asks::ForElse,
    };
    let response = endpoints::token::post(State(app), form).await;
    translated(response, client.as_deref(), asks, |answer| {
        let Value::Object(answer) = answer else {
            return answer;
        };
        let mut tokens = Map::new();
        renamed(&answer, "access_token", &mut tokens, "access_token");
        if grant != Some(GrantType::RefreshToken) {
            renamed(&answer, "scope", &mut tokens, "scope");
        }
        tokens.insert("token_type".to_owned(), "bearer".into());
        renamed(&answer, "expires_in", &mut tokens, "expires_in");
        renamed(&answer, "refresh_token", &mut tokens, "refresh_token");
        tokens.into()
    })
    .await
}

/// `POST /iroh/oauth2/device_authorization`. User codes have no dash.
pub(super) async fn device_authorization(State(app): State<Arc<App>>, form: Form) -> Response {
    let client = client_of(&form);
    let uri = format!("{}/iroh/oauth2/device", app.realm().issuer);
    let response = endpoints::device_authorization::post(State(app), form).await;
    translated(response, client.as_deref(), Asks::ForElse, |mut codes| {
        let code = codes["user_code"]
            .as_str()
            .unwrap_or_default()
            .replace('-', "");
        codes["verification_uri_complete"] = format!("{uri}?user_code={code}").into();
        codes["verification_uri"] = uri.into();
        codes["user_code"] = code.into();
        codes
    })
    .await
}

/// `GET /iroh/oauth2/authorize`: the authorization endpoint, with the same query.
pub(super) async fn authorize(State(app): State<Arc<App>>, caller: Caller) -> Response {
    moved(&app, &caller, Endpoint::Authorize)
}

/// `GET /iroh/oauth2/device`: the page for the user's code.
pub(super) async fn device(State(app): State<Arc<App>>, caller: Caller) -> Response {
    moved(&app, &caller, Endpoint::Device)
}

fn moved(app: &App, caller: &Caller, to: Endpoint) -> Response {
    let query = caller.query().map(|query| format!("?{query}"));
    let path = &app.snapshot().site.path;
    let to = format!("{path}{}{}", to.path(), query.unwrap_or_default());
    Redirect::temporary(&to).into_response()
}

fn client_of(form: &Form) -> Option<String> {
    let params = form.params.as_ref().ok()?;
    let credentials = Credentials::parse(form.caller.authorization(), params).ok()?;
    Some(credentials.client_id().clone())
}

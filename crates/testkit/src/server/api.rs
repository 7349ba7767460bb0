//! Callers of the management API.

use axum::body::Body;
use http::Request;
use serde_json::Value;

use super::{Answer, TestServer, With as _};
use crate::{AuthorizationRequest, PORTAL, api, password_of};

/// A request to the API, to be changed by a test.
pub fn api_request(method: &str, path: &str, body: Option<&Value>) -> Request<Body> {
    let content_type = match method {
        "PATCH" => "application/merge-patch+json",
        _ => "application/json",
    };
    let body = body.map_or_else(Body::empty, |body| body.to_string().into());
    let request = Request::builder()
        .method(method)
        .uri(format!("/api/v1{path}"))
        .body(body)
        .expect("a request");
    request.with("content-type", content_type)
}

impl TestServer {
    /// A user's token for the API with these scopes, without `grantor/`.
    pub async fn api_token(&self, user: &str, rights: &[&str]) -> String {
        self.api_token_with(user, &password_of(user), rights).await
    }

    /// The same with another password.
    pub async fn api_token_with(&self, user: &str, password: &str, rights: &[&str]) -> String {
        let rights: Vec<_> = rights.iter().map(|it| format!("grantor/{it}")).collect();
        let scope = format!("openid {}", rights.join(" "));
        let request = AuthorizationRequest::new(PORTAL).with("scope", &scope);
        let mut browser = self.browser();
        browser.sign_in(user, password).await;
        let ended = browser.authorize_with(&request, user, "approve").await;
        let tokens = self.redeem(PORTAL, &ended.code()).await;
        tokens.member("access_token")
    }

    /// The token of a machine with these scopes, without `grantor/`.
    pub async fn api_machine_token(&self, rights: &[&str]) -> String {
        let rights: Vec<_> = rights.iter().map(|it| format!("grantor/{it}")).collect();
        let tokens = self
            .machine_token(api::MACHINE, &[("scope", &rights.join(" "))])
            .await;
        tokens.member("access_token")
    }

    /// Asks the API with a token.
    pub async fn api(&self, token: &str, method: &str, path: &str, body: Option<&Value>) -> Answer {
        self.api_with(token, method, path, body, &[]).await
    }

    /// The same with more headers.
    pub async fn api_with(
        &self,
        token: &str,
        method: &str,
        path: &str,
        body: Option<&Value>,
        headers: &[(&'static str, &str)],
    ) -> Answer {
        let request = api_request(method, path, body);
        let request = request.with("authorization", &format!("Bearer {token}"));
        let more = headers.iter();
        self.send(more.fold(request, |request, (name, value)| request.with(name, value)))
            .await
    }
}

impl Answer {
    /// The JSON of the API's answer, an error too.
    pub fn api_json(&self) -> Value {
        assert_eq!(self.header("cache-control"), "no-store", "{self:?}");
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    /// The status and the code of a problem, with what each problem has (RFC 9457).
    pub fn problem(&self) -> (u16, String) {
        assert_eq!(
            self.header("content-type"),
            "application/problem+json",
            "{self:?}"
        );
        let json = self.api_json();
        let text = |name: &str| json[name].as_str().unwrap_or_default().to_owned();
        assert_eq!(json["status"], self.status);
        assert!(
            text("type").ends_with(&format!("/errors/{}", text("code"))),
            "{json}"
        );
        assert_eq!(text("trace_id"), self.header("x-request-id"));
        assert!(
            !text("title").is_empty() && !text("detail").is_empty(),
            "{json}"
        );
        (self.status, text("code"))
    }

    /// The JSON pointers of what is wrong.
    pub fn pointers(&self) -> Vec<String> {
        let json = self.api_json();
        let errors = json["errors"].as_array().cloned().unwrap_or_default();
        let pointers = errors.iter().map(|error| error["pointer"].as_str());
        pointers.flatten().map(ToOwned::to_owned).collect()
    }
}

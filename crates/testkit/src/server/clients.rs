//! Devices, machines and resource servers: what they send.

use axum::body::Body;
use http::Request;

use super::{Answer, TestServer, With as _, authorization_of, post};
use crate::{Codes, DEVICE_CODE, merged, secret_of};

pub const TOKEN: &str = "/oauth2/token";
pub const DEVICE_AUTHORIZATION: &str = "/oauth2/device_authorization";
pub const INTROSPECT: &str = "/oauth2/introspect";
pub const REVOKE: &str = "/oauth2/revoke";
pub const USERINFO: &str = "/oauth2/userinfo";
/// The endpoints that take a form from a client.
pub const FORMS: [&str; 4] = [TOKEN, DEVICE_AUTHORIZATION, INTROSPECT, REVOKE];

impl TestServer {
    /// Posts a form with the client's credentials: by Basic where it has a secret, else with its `client_id`.
    pub async fn post_as(&self, path: &str, client: &str, pairs: &[(&str, &str)]) -> Answer {
        if secret_of(client).is_some() {
            let request = post(path, pairs).with("authorization", &authorization_of(client));
            self.send(request).await
        } else {
            let pairs = [&[("client_id", client)], pairs].concat();
            self.post(path, &pairs).await
        }
    }

    /// A request to the token endpoint, with the client's credentials.
    pub async fn request_tokens(&self, client: &str, pairs: &[(&str, &str)]) -> Answer {
        self.post_as(TOKEN, client, pairs).await
    }

    /// A device of this client asks for codes.
    pub async fn device_codes(&self, client: &str) -> Codes {
        self.device_codes_with(client, &[]).await
    }

    pub async fn device_codes_with(&self, client: &str, more: &[(&str, &str)]) -> Codes {
        let answer = self.post_as(DEVICE_AUTHORIZATION, client, more).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        Codes {
            client: client.to_owned(),
            device: answer.member("device_code"),
            user: answer.member("user_code"),
            link: answer.member("verification_uri_complete"),
        }
    }

    pub async fn poll(&self, codes: &Codes) -> Answer {
        let pairs = [("grant_type", DEVICE_CODE), ("device_code", &codes.device)];
        self.request_tokens(&codes.client, &pairs).await
    }

    /// The user signs in in a new browser and approves.
    pub async fn approve(&self, username: &str, codes: &Codes) {
        self.signed_in(username).await.decide(codes, true).await;
    }

    /// The same, and denies.
    pub async fn deny(&self, username: &str, codes: &Codes) {
        self.signed_in(username).await.decide(codes, false).await;
    }

    /// A device of this client gets its tokens, with this user's approval.
    pub async fn device_tokens(&self, client: &str, username: &str) -> Answer {
        self.device_tokens_with(client, username, &[]).await
    }

    pub async fn device_tokens_with(
        &self,
        client: &str,
        username: &str,
        more: &[(&str, &str)],
    ) -> Answer {
        let codes = self.device_codes_with(client, more).await;
        self.approve(username, &codes).await;
        let tokens = self.poll(&codes).await;
        assert_eq!(tokens.status, 200, "{tokens:?}");
        tokens
    }

    /// A machine asks for a token.
    pub async fn machine_token(&self, client: &str, more: &[(&str, &str)]) -> Answer {
        let pairs = merged(&[("grant_type", "client_credentials")], more);
        self.request_tokens(client, &pairs).await
    }

    pub async fn refresh(&self, client: &str, token: &str) -> Answer {
        self.refresh_with(client, token, &[]).await
    }

    pub async fn refresh_with(&self, client: &str, token: &str, more: &[(&str, &str)]) -> Answer {
        let pairs = [("grant_type", "refresh_token"), ("refresh_token", token)];
        self.request_tokens(client, &merged(&pairs, more)).await
    }

    pub async fn revoke(&self, client: &str, token: &str) -> Answer {
        self.post_as(REVOKE, client, &[("token", token)]).await
    }

    pub async fn introspect(&self, client: &str, token: &str) -> Answer {
        self.post_as(INTROSPECT, client, &[("token", token)]).await
    }

    pub async fn userinfo(&self, token: &str) -> Answer {
        let request = Request::get(USERINFO).body(Body::empty());
        let request = request.expect("a request");
        self.send(request.with("authorization", &format!("Bearer {token}")))
            .await
    }
}

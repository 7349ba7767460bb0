//! The client that is there without being declared: the page of the API's documentation.

use std::path::Path;

use grantor_core::model::right::{DOCS_CLIENT, Right};

use super::{Client, Environment, Settings, parse};

/// Where its users come back to, below the issuer.
const REDIRECT_PATH: &str = "/api/docs/oauth2-redirect.html";

impl Settings {
    /// A public client, as if the file had it, while `[api]` is enabled. It has no refresh token: its access tokens are in the
    /// memory of a page.
    #[must_use]
    pub fn docs_client(&self) -> Option<Client> {
        if !self.api.enabled {
            return None;
        }
        let issuer = &self.issuer;
        let scopes: Vec<String> = Right::ALL.iter().map(|right| right.token()).collect();
        // The id of any other client: no file may have this one's.
        let file = format!(
            "issuer = \"{issuer}\"\n[[client]]\nid = \"docs\"\nname = \"API documentation\"\n\
             grants = [\"authorization_code\"]\nscopes = {scopes:?}\nredirect_uris = [\"{issuer}{REDIRECT_PATH}\"]\n"
        );
        let read = parse(&file, "", Path::new(""), &Environment::default()).ok()?;
        let mut client = read.clients.into_iter().next()?;
        client.id = DOCS_CLIENT.parse().ok()?;
        Some(client)
    }
}

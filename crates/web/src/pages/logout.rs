//! Asks before it signs out, so that no link can do it.

use serde::Serialize;

use super::Site;
use crate::render::Page;

/// `POST {site.path}/logout` with `form_token` and, where a client asks, `request`.
#[derive(Clone, Debug, Serialize)]
pub struct Logout {
    /// Whose page it is.
    pub site: Site,
    /// Who is signed in.
    pub username: String,
    /// The form token, bound to the session.
    pub form_token: String,
    /// The name of the client that asks (OpenID Connect RP-Initiated Logout section 2).
    pub client_name: Option<String>,
    /// What it asks, to come back with the form.
    pub request: Option<String>,
    /// Whether what it asks is not valid, so that nothing of it counts.
    pub refused: bool,
}

impl Page for Logout {
    const TEMPLATE: &'static str = "logout.html";

    fn samples() -> Vec<Self> {
        let own = Self {
            site: Site::sample(),
            username: "alice@example.com".to_owned(),
            form_token: "sample-form-token".to_owned(),
            client_name: None,
            request: None,
            refused: false,
        };
        let asked = Self {
            client_name: Some("Orders".to_owned()),
            request: Some("client_id=orders&state=af0ifjsldkj".to_owned()),
            ..own.clone()
        };
        let refused = Self {
            refused: true,
            ..own.clone()
        };
        vec![own, asked, refused]
    }
}

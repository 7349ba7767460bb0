//! Asks for confirmation of a sign-out, so that a link alone cannot cause one.

use std::borrow::Cow;

use serde::Serialize;

use super::Site;
use crate::render::Page;

/// `POST {site.path}/logout` with `form_token` and, if a client requested it, `request`.
#[derive(Clone, Debug, Serialize)]
pub struct Logout {
    pub site: Site,
    pub username: String,
    /// Bound to the session and to `request`.
    pub form_token: String,
    /// The client that requested the logout (OpenID Connect RP-Initiated Logout section 2).
    pub client_name: Option<String>,
    /// The query of the client's request, to be sent with the form.
    pub request: Option<String>,
    /// Why the client's request is not valid and therefore ignored, in English, for its developers.
    pub refused: Option<Cow<'static, str>>,
    /// Where it is refused, by which the operator finds it.
    pub trace_id: String,
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
            refused: None,
            trace_id: "4bf92f3577b34da6a3ce929d0e0e4736".to_owned(),
        };
        let asked = Self {
            client_name: Some("Orders".to_owned()),
            request: Some("client_id=orders&state=af0ifjsldkj".to_owned()),
            ..own.clone()
        };
        let refused = Self {
            refused: Some("The post_logout_redirect_uri is not registered for the client.".into()),
            ..own.clone()
        };
        vec![own, asked, refused]
    }
}

//! Asks before it signs out, so that no link can do it.

use serde::Serialize;

use super::Site;
use crate::render::Page;

/// `POST {site.path}/logout` with `form_token`.
#[derive(Clone, Debug, Serialize)]
pub struct Logout {
    /// Whose page it is.
    pub site: Site,
    /// Who is signed in.
    pub username: String,
    /// The form token, bound to the session.
    pub form_token: String,
}

impl Page for Logout {
    const TEMPLATE: &'static str = "logout.html";

    fn samples() -> Vec<Self> {
        vec![Self {
            site: Site::sample(),
            username: "alice@example.com".to_owned(),
            form_token: "sample-form-token".to_owned(),
        }]
    }
}

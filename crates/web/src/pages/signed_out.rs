//! The page after a sign-out.

use serde::Serialize;

use super::Site;
use crate::render::Page;

#[derive(Clone, Debug, Serialize)]
pub struct SignedOut {
    pub site: Site,
    /// The client that requested it, if the browser is not redirected there.
    pub client_name: Option<String>,
}

impl Page for SignedOut {
    const TEMPLATE: &'static str = "signed_out.html";

    fn samples() -> Vec<Self> {
        [None, Some("Orders".to_owned())]
            .map(|client_name| Self {
                site: Site::sample(),
                client_name,
            })
            .into()
    }
}

//! Signed out.

use serde::Serialize;

use super::Site;
use crate::render::Page;

/// Nobody is signed in any more.
#[derive(Clone, Debug, Serialize)]
pub struct SignedOut {
    /// Whose page it is.
    pub site: Site,
    /// The name of the client that asked, where the browser is not sent back to it.
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

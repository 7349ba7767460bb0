//! Signed out.

use serde::Serialize;

use super::Site;
use crate::render::Page;

/// Nobody is signed in any more.
#[derive(Clone, Debug, Serialize)]
pub struct SignedOut {
    /// Whose page it is.
    pub site: Site,
}

impl Page for SignedOut {
    const TEMPLATE: &'static str = "signed_out.html";

    fn samples() -> Vec<Self> {
        vec![Self {
            site: Site::sample(),
        }]
    }
}

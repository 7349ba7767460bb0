//! The home page.

use serde::Serialize;

use super::{Account, Site};
use crate::render::Page;

/// The page at `{site.path}/`.
#[derive(Clone, Debug, Serialize)]
pub struct Home {
    pub site: Site,
    pub account: Option<Account>,
}

impl Page for Home {
    const TEMPLATE: &'static str = "home.html";

    fn samples() -> Vec<Self> {
        [None, Some(Account::sample())]
            .map(|account| Self {
                site: Site::sample(),
                account,
            })
            .into()
    }
}

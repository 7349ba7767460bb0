//! The page after a device was approved or denied.

use serde::Serialize;

use super::{Account, Site};
use crate::render::Page;

#[derive(Clone, Debug, Serialize)]
pub struct DeviceDone {
    pub site: Site,
    pub account: Account,
    pub client_name: String,
    pub outcome: Outcome,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Approved,
    /// The device receives `access_denied`.
    Denied,
}

impl Page for DeviceDone {
    const TEMPLATE: &'static str = "device_done.html";

    fn samples() -> Vec<Self> {
        [Outcome::Approved, Outcome::Denied]
            .map(|outcome| Self {
                site: Site::sample(),
                account: Account::sample(),
                client_name: "Living-room TV".to_owned(),
                outcome,
            })
            .into()
    }
}

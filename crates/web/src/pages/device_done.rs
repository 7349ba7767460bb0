//! Decided: back to the device.

use serde::Serialize;

use super::{Account, Site};
use crate::render::Page;

/// The end of the way on this screen.
#[derive(Clone, Debug, Serialize)]
pub struct DeviceDone {
    /// Whose page it is.
    pub site: Site,
    /// Who is signed in.
    pub account: Account,
    /// The client's name.
    pub client_name: String,
    /// What was decided.
    pub outcome: Outcome,
}

/// What was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The device gets its tokens.
    Approved,
    /// The device gets `access_denied`.
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

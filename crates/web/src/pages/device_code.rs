//! Type the code that a device shows, or find it filled in (RFC 8628 section 3.3).

use serde::Serialize;

use super::{Account, Site};
use crate::render::Page;

/// `POST {site.path}/device` with `user_code`, `form_token`.
#[derive(Clone, Debug, Serialize)]
pub struct DeviceCode {
    /// Whose page it is.
    pub site: Site,
    /// Who is signed in.
    pub account: Account,
    /// The form token, bound to the session.
    pub form_token: String,
    /// What is in the field: nothing, what was typed before, or the code of `verification_uri_complete`.
    pub user_code: String,
    /// True when `user_code` came with the link and not from the person's hand.
    pub prefilled: bool,
    /// True when codes hold digits only, so that a phone shows its number keys.
    pub numeric: bool,
    /// Why the last try did not work.
    pub problem: Option<DeviceCodeProblem>,
}

/// Why a code led nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum DeviceCodeProblem {
    /// One text for unknown, expired, used and decided codes, so that a guess learns nothing.
    NotValid,
    /// Too many wrong codes.
    TooManyTries {
        /// Until the next try, in minutes, rounded up.
        minutes: u64,
    },
}

impl Page for DeviceCode {
    const TEMPLATE: &'static str = "device_code.html";

    fn samples() -> Vec<Self> {
        let empty = Self {
            site: Site::sample(),
            account: Account::sample(),
            form_token: "sample-form-token".to_owned(),
            user_code: String::new(),
            prefilled: false,
            numeric: false,
            problem: None,
        };
        let prefilled = Self {
            user_code: "WDJB-MJHT".to_owned(),
            prefilled: true,
            ..empty.clone()
        };
        let numeric = Self {
            numeric: true,
            ..empty.clone()
        };
        let typed = Self {
            user_code: "WDJB-MJHX".to_owned(),
            ..empty.clone()
        };
        let wrong = Self {
            problem: Some(DeviceCodeProblem::NotValid),
            ..typed.clone()
        };
        let limited = Self {
            problem: Some(DeviceCodeProblem::TooManyTries { minutes: 1 }),
            ..typed
        };
        vec![empty, prefilled, numeric, wrong, limited]
    }
}

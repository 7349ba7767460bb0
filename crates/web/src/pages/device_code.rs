//! The page for entering the code of a device (RFC 8628 section 3.3).

use serde::Serialize;

use super::{Account, Site};
use crate::render::Page;

/// `POST {site.path}/device` with `user_code`, `form_token`.
#[derive(Clone, Debug, Serialize)]
pub struct DeviceCode {
    pub site: Site,
    pub account: Account,
    /// Bound to the session.
    pub form_token: String,
    /// The field's content: empty, the previous input, or the code of `verification_uri_complete`.
    pub user_code: String,
    /// Whether `user_code` came from the link instead of the user.
    pub prefilled: bool,
    /// Whether codes contain digits only, so that phones show a numeric keyboard.
    pub numeric: bool,
    pub problem: Option<DeviceCodeProblem>,
    /// With a problem, by which the operator finds it.
    pub trace_id: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum DeviceCodeProblem {
    /// The same for unknown, expired, used and decided codes, so that guesses reveal nothing.
    NotValid,
    TooManyTries {
        /// Until the next attempt, rounded up.
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
            trace_id: "4bf92f3577b34da6a3ce929d0e0e4736".to_owned(),
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

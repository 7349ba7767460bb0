//! The HTML pages. Each has a file with its values, and a template with the same name.
//!
//! To add a page: `pages/NAME.rs` with a struct that implements [`Page`], `templates/NAME.html`, its sentences in
//! `locales/`, and one line in the table below. The tests and the check at start then include it.

pub mod assets;

mod account;
mod admin_first;
mod agent;
mod consent;
mod device_code;
mod device_confirm;
mod device_done;
mod error;
mod form_post;
mod home;
mod login;
mod logout;
mod policy;
mod relative_time;
mod signed_out;
#[cfg(test)]
mod tests;
mod withheld;

use minijinja::value::{Serde, Value};
use serde::Serialize;

pub use self::{
    account::{
        AccountPage, AppRow, DeviceRow, List, MAX_ROWS, Notice, PasswordProblem, SessionRow,
    },
    admin_first::{AdminFirst, AdminFirstProblem},
    agent::Agent,
    consent::Consent,
    device_code::{DeviceCode, DeviceCodeProblem},
    device_confirm::{CodeCheck, DeviceConfirm, Network, ScopeLine},
    device_done::{DeviceDone, Outcome},
    error::{ErrorPage, PageError},
    form_post::{Field, FormPost},
    home::Home,
    login::{Login, LoginProblem},
    logout::Logout,
    policy::{CONTENT_SECURITY_POLICY, content_security_policy, destination},
    relative_time::RelativeTime,
    signed_out::SignedOut,
    withheld::{BackToClient, Withheld, WithheldReason},
};
use crate::render::Page;

/// The issuer, as pages show it.
#[derive(Clone, Debug, Serialize)]
pub struct Site {
    /// Host, and port if it is not the default one. Shown as the brand on each page.
    pub host: String,
    /// The prefix of every path: the issuer's path without a trailing slash.
    pub path: String,
}

#[derive(Clone, Debug, Serialize)]
pub struct Account {
    pub username: String,
    /// The form token for the sign-out button.
    pub sign_out_token: String,
}

/// A page with the values of one of its samples.
#[derive(Clone, Debug)]
pub struct Sample {
    pub template: &'static str,
    /// From 1.
    pub number: usize,
    pub(crate) context: Value,
}

/// One line for each page, and one for each shared template.
macro_rules! table {
    (pages { $($page:ident $file:literal)* } shared { $($shared:literal)* }) => {
        /// The templates by file name.
        pub(crate) const TEMPLATES: [(&str, &str); [$($file,)* $($shared,)*].len()] = [
            $(($file, include_str!(concat!("../../templates/", $file))),)*
            $(($shared, include_str!(concat!("../../templates/", $shared))),)*
        ];

        /// All samples of all pages.
        pub fn samples() -> Vec<Sample> {
            let mut all = Vec::new();
            $(all.extend(samples_of::<$page>());)*
            all
        }
    };
}

table! {
    pages {
        AccountPage   "account.html"
        AdminFirst    "admin_first.html"
        Consent       "consent.html"
        DeviceCode    "device_code.html"
        DeviceConfirm "device_confirm.html"
        DeviceDone    "device_done.html"
        ErrorPage     "error.html"
        FormPost      "form_post.html"
        Home          "home.html"
        Login         "login.html"
        Logout        "logout.html"
        SignedOut     "signed_out.html"
        Withheld      "withheld.html"
    }
    shared {
        "account_line.html"
        "layout.html"
        "parts.html"
        "trace_id.html"
    }
}

fn samples_of<P: Page>() -> impl Iterator<Item = Sample> {
    P::samples()
        .into_iter()
        .zip(1..)
        .map(|(page, number)| Sample {
            template: P::TEMPLATE,
            number,
            context: Value::from(Serde(page)),
        })
}

impl Sample {
    /// # Errors
    /// As [`Pages::render`](crate::render::Pages::render).
    pub fn render(
        &self,
        pages: &crate::render::Pages,
        locale: crate::locale::Locale,
    ) -> Result<String, crate::render::RenderError> {
        pages.render_context(self.template, self.context.clone(), locale)
    }
}

impl Site {
    fn sample() -> Self {
        Self {
            host: "id.example.com".to_owned(),
            path: String::new(),
        }
    }
}

impl Account {
    fn sample() -> Self {
        Self {
            username: "alice@example.com".to_owned(),
            sign_out_token: "sample-sign-out-token".to_owned(),
        }
    }
}

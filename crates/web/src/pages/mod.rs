//! The pages that people see: one file for each page's values, one template of the same name for its markup.
//!
//! To add a page: `pages/NAME.rs` with a struct that implements [`Page`], `templates/NAME.html`, its sentences in
//! `locales/`, and one line in the table below. The tests and the check at start take it from there.

pub mod assets;

mod account;
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
mod moment;
mod policy;
mod signed_out;
#[cfg(test)]
mod tests;

use minijinja::value::{Serde, Value};
use serde::Serialize;

pub use self::{
    account::{AccountPage, AppRow, DeviceRow, List, MAX_ROWS, Notice, SessionRow},
    agent::Agent,
    consent::Consent,
    device_code::{DeviceCode, DeviceCodeProblem},
    device_confirm::{CodeCheck, DeviceConfirm, Network, ScopeLine},
    device_done::{DeviceDone, Outcome},
    error::{ErrorPage, Fault},
    form_post::{Field, FormPost},
    home::Home,
    login::{Login, LoginProblem},
    logout::Logout,
    moment::Moment,
    policy::{CONTENT_SECURITY_POLICY, content_security_policy, destination},
    signed_out::SignedOut,
};
use crate::render::Page;

/// Whose pages these are: an issuer, which is a realm.
#[derive(Clone, Debug, Serialize)]
pub struct Site {
    /// The issuer's host, and its port where it is not the scheme's own: the brand on each page.
    pub host: String,
    /// What every path of the realm begins with: empty, or `/pools/NAME`.
    pub path: String,
}

/// Who is signed in.
#[derive(Clone, Debug, Serialize)]
pub struct Account {
    /// The user's name, as typed to sign in.
    pub username: String,
    /// The form token of the sign-out button.
    pub sign_out_token: String,
}

/// A page with the values of one of its samples.
#[derive(Clone, Debug)]
pub struct Sample {
    /// The template's file name.
    pub template: &'static str,
    /// Which of the page's samples, from 1.
    pub number: usize,
    /// What the template is rendered with.
    pub(crate) context: Value,
}

/// One line for each page, and one for each piece that pages share.
macro_rules! table {
    (pages { $($page:ident $file:literal)* } shared { $($shared:literal)* }) => {
        /// Every template by its file name.
        pub(crate) const TEMPLATES: [(&str, &str); [$($file,)* $($shared,)*].len()] = [
            $(($file, include_str!(concat!("../../templates/", $file))),)*
            $(($shared, include_str!(concat!("../../templates/", $shared))),)*
        ];

        /// Every page with every one of its samples.
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
    }
    shared {
        "account_line.html"
        "layout.html"
        "parts.html"
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
    /// The sample as HTML: what a designer looks at.
    ///
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

//! The answer of the authorization endpoint by POST: OAuth 2.0 Form Post Response Mode.

use serde::Serialize;

use super::{Site, policy};
use crate::render::Page;

/// A form that the browser sends to `action`: by itself where scripts run, else by the person's hand.
#[derive(Clone, Debug, Serialize)]
pub struct FormPost {
    /// Whose page it is.
    pub site: Site,
    /// The redirect URI, proven to be the client's.
    pub action: String,
    /// The parameters of the answer.
    pub fields: Vec<Field>,
    /// `action`'s host, or its scheme where it has no host.
    goes_to: String,
}

/// One parameter of an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

impl FormPost {
    /// The page that takes the fields to the redirect URI.
    pub fn new(site: Site, action: String, fields: Vec<Field>) -> Self {
        Self {
            goes_to: policy::destination(&action),
            site,
            action,
            fields,
        }
    }

    /// The page's own Content-Security-Policy: it alone has a script. `form_targets` are where its form leads, and on to.
    pub fn content_security_policy(&self, form_targets: &[String]) -> String {
        format!(
            "{}; script-src 'self'",
            policy::content_security_policy(form_targets)
        )
    }
}

impl Page for FormPost {
    const TEMPLATE: &'static str = "form_post.html";

    fn samples() -> Vec<Self> {
        let field = |name: &str, value: &str| Field {
            name: name.to_owned(),
            value: value.to_owned(),
        };
        vec![Self::new(
            Site::sample(),
            "https://orders.example.com/callback".to_owned(),
            vec![
                field("code", "sample-code"),
                field("state", "af0ifjsldkj"),
                field("iss", "https://id.example.com"),
            ],
        )]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_with_the_script_may_run_our_own_and_no_other() {
        let page = FormPost::samples().remove(0);
        assert_eq!(
            page.content_security_policy(std::slice::from_ref(&page.action)),
            "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self' https://orders.example.com; \
             frame-ancestors 'none'; base-uri 'none'; script-src 'self'"
        );
        assert_eq!(page.goes_to, "orders.example.com");
    }
}

//! A form that sends itself: the authorization response by POST (OAuth 2.0 Form Post Response Mode), and requests to us that
//! are too long for a redirect or came from another site.

use serde::Serialize;

use super::{Site, policy};
use crate::render::Page;

/// A form that a script submits to `action`. Without scripts, the user submits it.
#[derive(Clone, Debug, Serialize)]
pub struct FormPost {
    pub site: Site,
    pub action: String,
    pub fields: Vec<Field>,
    /// The host of `action`, or its scheme if it has no host.
    goes_to: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Field {
    pub name: String,
    pub value: String,
}

impl FormPost {
    /// `action` must be a verified redirect URI.
    pub fn new(site: Site, action: String, fields: Vec<Field>) -> Self {
        Self {
            goes_to: policy::destination(&action),
            site,
            action,
            fields,
        }
    }

    /// A request to us, which the browser sends from a page of ours.
    pub fn to_ourselves(site: Site, action: String, fields: Vec<Field>) -> Self {
        Self {
            goes_to: site.host.clone(),
            site,
            action,
            fields,
        }
    }

    /// The Content-Security-Policy of this page, the only one with a script. `redirect_uri` is where the form or the redirects
    /// after it lead.
    pub fn content_security_policy(&self, redirect_uri: Option<&str>) -> String {
        let policy = policy::content_security_policy(redirect_uri);
        format!("{policy}; script-src 'self'")
    }
}

impl Page for FormPost {
    const TEMPLATE: &'static str = "form_post.html";

    fn samples() -> Vec<Self> {
        let field = |name: &str, value: &str| Field {
            name: name.to_owned(),
            value: value.to_owned(),
        };
        let response = Self::new(
            Site::sample(),
            "https://orders.example.com/callback".to_owned(),
            vec![
                field("code", "sample-code"),
                field("state", "af0ifjsldkj"),
                field("iss", "https://id.example.com"),
            ],
        );
        let request = Self::to_ourselves(
            Site::sample(),
            "/oauth2/authorize?sent-itself".to_owned(),
            vec![field("client_id", "orders"), field("state", "af0ifjsldkj")],
        );
        vec![response, request]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_allows_scripts_of_this_server_only() {
        let page = FormPost::samples().remove(0);
        assert_eq!(
            page.content_security_policy(Some(&page.action)),
            "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self' https:; \
             frame-ancestors 'none'; base-uri 'none'; script-src 'self'"
        );
        assert_eq!(page.goes_to, "orders.example.com");
    }
}

//! What browsers are shown, and what they are told to do with it.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{self, HeaderValue, ORIGIN};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Response};
use common::{Fault, Refused};
use minijinja::Environment;
use minijinja::value::Serde;
use serde_json::{Value, json};

use crate::Website;
use crate::sign_in::SignInError;
use crate::tries::{TRIES, Tried};

pub(crate) const STYLE: &str = include_str!("../templates/style.css");

pub(crate) struct Pages {
    templates: Environment<'static>,
    issuer: String,
    own: String,
    policy: HeaderValue,
}

impl Pages {
    pub(crate) fn new(issuer: &str, own: &str) -> Result<Self, Fault> {
        let mut templates = Environment::new();
        templates.add_template("layout.html", include_str!("../templates/layout.html"))?;
        templates.add_template(
            "signed_in.html",
            include_str!("../templates/signed_in.html"),
        )?;
        templates.add_template(
            "signed_out.html",
            include_str!("../templates/signed_out.html"),
        )?;
        // The form that signs out leads to the issuer, by a redirect.
        let policy = format!(
            "default-src 'none'; style-src 'self'; img-src data:; form-action 'self' {issuer}; \
             base-uri 'none'; frame-ancestors 'none'"
        );
        Ok(Self {
            templates,
            issuer: issuer.to_owned(),
            own: own.to_owned(),
            policy: policy.try_into()?,
        })
    }

    pub(crate) fn signed_out(&self) -> Response {
        self.page(StatusCode::OK, "signed_out.html", &json!({}))
    }

    pub(crate) fn problem(&self, problem: &SignInError) -> Response {
        let status = match problem {
            SignInError::Grantor(why) => {
                eprintln!("{why}");
                StatusCode::BAD_GATEWAY
            }
            _ => StatusCode::BAD_REQUEST,
        };
        let page = json!({ "problem": problem.to_string() });
        self.page(status, "signed_out.html", &page)
    }

    pub(crate) fn signed_in(
        &self,
        name: &str,
        orders: Result<Value, Refused>,
        tried: Option<Tried>,
    ) -> Response {
        let (answer, problem) = match orders {
            Ok(answer) => (Some(answer), None),
            Err(refused) => (None, Some(refused)),
        };
        let page = json!({
            "name": name,
            "answer": answer,
            "problem": problem,
            "tries": TRIES,
            "tried": tried,
            "account": format!("{}/account", self.issuer),
        });
        self.page(StatusCode::OK, "signed_in.html", &page)
    }

    fn page(&self, status: StatusCode, name: &str, page: &Value) -> Response {
        let page = minijinja::Value::from(Serde(page));
        let template = self.templates.get_template(name);
        match template.and_then(|template| template.render(page)) {
            Ok(page) => (status, Html(page)).into_response(),
            Err(why) => {
                eprintln!("{name}: {why}");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
        }
    }
}

/// Takes forms of this website alone, and tells browsers to do nothing with a page but what it needs.
pub(crate) async fn guard(
    State(site): State<Arc<Website>>,
    request: Request,
    next: Next,
) -> Response {
    let origin = request.headers().get(ORIGIN);
    let is_own = origin.is_some_and(|origin| origin.as_bytes() == site.pages.own.as_bytes());
    if request.method() == Method::POST && !is_own {
        return StatusCode::FORBIDDEN.into_response();
    }
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, site.pages.policy.clone());
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

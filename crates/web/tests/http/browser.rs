//! A browser: it keeps cookies, follows nothing by itself, and sends the forms that it was given.

use std::collections::BTreeMap;

use axum::body::Body;
use http::Request;

use crate::house::{House, PASSWORD};
use crate::wire::{Answer, With, post};

pub(crate) struct Browser<'h> {
    house: &'h House,
    pub(crate) cookies: BTreeMap<String, String>,
    /// Where it is.
    pub(crate) address: &'static str,
}

/// A form of a page: where it goes, and its hidden fields.
#[derive(Clone, Debug)]
pub(crate) struct Form {
    pub(crate) action: String,
    pub(crate) fields: BTreeMap<String, String>,
}

impl Form {
    /// The form of the page that goes to `action`.
    pub(crate) fn of(page: &Answer, action: &str) -> Self {
        let forms = page.body.split("<form method=\"post\" action=\"").skip(1);
        let mut forms = forms.filter_map(|form| form.split_once('"'));
        let form = forms.find(|(to, _)| unescaped(to) == action);
        let (_, rest) = form.unwrap_or_else(|| panic!("no form for {action} on {}", page.body));
        let inside = rest.split("</form>").next().unwrap_or_default();
        let hidden = inside.split("<input type=\"hidden\" name=\"").skip(1);
        let fields = hidden.filter_map(|input| {
            let (name, rest) = input.split_once("\" value=\"")?;
            let (value, _) = rest.split_once('"')?;
            Some((name.to_owned(), unescaped(value)))
        });
        Self {
            action: action.to_owned(),
            fields: fields.collect(),
        }
    }

    /// With a field filled in.
    pub(crate) fn fill(mut self, name: &str, value: &str) -> Self {
        self.fields.insert(name.to_owned(), value.to_owned());
        self
    }
}

impl<'h> Browser<'h> {
    pub(crate) fn new(house: &'h House) -> Self {
        Self {
            house,
            cookies: BTreeMap::new(),
            address: "192.0.2.77",
        }
    }

    /// A browser in which this user just signed in.
    pub(crate) async fn signed_in(house: &'h House, username: &str) -> Self {
        let mut browser = Self::new(house);
        let answer = browser.sign_in(username, PASSWORD).await;
        assert_eq!(answer.status, 303, "{answer:?}");
        browser
    }

    pub(crate) async fn sign_in(&mut self, username: &str, password: &str) -> Answer {
        let page = self.get("/login").await;
        let form = Form::of(&page, "/login");
        let filled = form.fill("username", username).fill("password", password);
        self.submit(filled).await
    }

    /// Types a code; the page says who asks.
    pub(crate) async fn type_code(&mut self, code: &str) -> Answer {
        let page = self.get("/device").await;
        self.submit(Form::of(&page, "/device").fill("user_code", code))
            .await
    }

    pub(crate) async fn approve(&mut self, code: &str) {
        self.decide(code, "approve").await;
    }

    pub(crate) async fn decide(&mut self, code: &str, decision: &str) {
        let asked = self.type_code(code).await;
        let form = Form::of(&asked, "/device/decision").fill("decision", decision);
        let done = self.submit(form).await;
        assert!(done.body.contains("id=\"done\""), "{done:?}");
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        let request = Request::get(path).body(Body::empty());
        self.send(request.expect("a request")).await
    }

    pub(crate) async fn submit(&mut self, form: Form) -> Answer {
        let pairs: Vec<_> = form
            .fields
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        self.send(post(&form.action, &pairs)).await
    }

    /// Sends a request with this browser's cookies, and keeps those of the answer.
    pub(crate) async fn send(&mut self, request: Request<Body>) -> Answer {
        let cookies: Vec<_> = self
            .cookies
            .iter()
            .map(|(n, v)| format!("{n}={v}"))
            .collect();
        let mut request = request.with("x-forwarded-for", self.address);
        if !cookies.is_empty() {
            request = request.with("cookie", &cookies.join("; "));
        }
        let answer = self.house.send(request).await;
        for set in answer.headers.get_all("set-cookie") {
            let set = set.to_str().expect("text");
            let (name, rest) = set.split_once('=').expect("a cookie");
            let value = rest.split(';').next().unwrap_or_default();
            if value.is_empty() {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        answer
    }
}

fn unescaped(text: &str) -> String {
    [
        ("&#x2f;", "/"),
        ("&#x27;", "'"),
        ("&quot;", "\""),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&amp;", "&"),
    ]
    .iter()
    .fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

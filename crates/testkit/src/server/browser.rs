//! A browser: keeps cookies, sends the forms of pages, and follows no redirect by itself.

use std::collections::BTreeMap;

use axum::body::Body;
use http::Request;

use super::{Answer, TestServer, With as _, post};
use crate::{BROWSER_ADDRESS, Codes, password_of};

#[derive(Clone)]
pub struct Browser<'s> {
    server: &'s TestServer,
    pub cookies: BTreeMap<String, String>,
    /// Its network address.
    pub address: &'static str,
}

/// A form of a page: where it goes, and its hidden fields.
#[derive(Clone, Debug)]
pub struct Form {
    pub action: String,
    pub fields: BTreeMap<String, String>,
}

impl Form {
    /// The form of the page that goes to `action`.
    pub fn of(page: &Answer, action: &str) -> Self {
        let forms = page.body.split("<form method=\"post\" action=\"").skip(1);
        let mut forms = forms.filter_map(|form| form.split_once('"'));
        let form = forms.find(|(to, _)| unescaped(to).split('#').next() == Some(action));
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
    pub fn fill(mut self, name: &str, value: &str) -> Self {
        self.fields.insert(name.to_owned(), value.to_owned());
        self
    }
}

impl<'s> Browser<'s> {
    fn new(server: &'s TestServer) -> Self {
        Self {
            server,
            cookies: BTreeMap::new(),
            address: BROWSER_ADDRESS,
        }
    }

    pub async fn sign_in(&mut self, username: &str, password: &str) -> Answer {
        let page = self.get("/login").await;
        let form = Form::of(&page, "/login");
        let filled = form.fill("username", username).fill("password", password);
        self.submit(filled).await
    }

    /// Types a user code; the page shows the device.
    pub async fn type_code(&mut self, code: &str) -> Answer {
        let page = self.get("/device").await;
        self.submit(Form::of(&page, "/device").fill("user_code", code))
            .await
    }

    pub async fn approve(&mut self, codes: &Codes) {
        self.decide(codes, true).await;
    }

    /// Types the code and decides on the page that follows.
    pub async fn decide(&mut self, codes: &Codes, approve: bool) {
        let decision = if approve { "approve" } else { "deny" };
        let page = self.type_code(&codes.user).await;
        let form = Form::of(&page, "/device/decision").fill("decision", decision);
        let done = self.submit_and_follow(form).await;
        assert!(done.body.contains("id=\"done\""), "{done:?}");
    }

    pub async fn get(&mut self, path: &str) -> Answer {
        let request = Request::get(path).body(Body::empty());
        self.send(request.expect("a request")).await
    }

    pub async fn submit(&mut self, form: Form) -> Answer {
        let pairs: Vec<_> = form
            .fields
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        self.send(post(&form.action, &pairs)).await
    }

    /// Sends a form, and follows where it leads within our pages.
    pub async fn submit_and_follow(&mut self, form: Form) -> Answer {
        let mut answer = self.submit(form).await;
        while answer.status == 303 && answer.header("location").starts_with('/') {
            let location = answer.header("location").to_owned();
            answer = self.get(&location).await;
        }
        answer
    }

    /// Sends a request with this browser's cookies, and keeps those of the answer.
    pub async fn send(&mut self, request: Request<Body>) -> Answer {
        let cookies: Vec<_> = self
            .cookies
            .iter()
            .map(|(n, v)| format!("{n}={v}"))
            .collect();
        let mut request = request.with("x-forwarded-for", self.address);
        if !cookies.is_empty() {
            request = request.with("cookie", &cookies.join("; "));
        }
        let answer = self.server.send(request).await;
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

impl TestServer {
    /// A new browser, without cookies.
    pub fn browser(&self) -> Browser<'_> {
        Browser::new(self)
    }

    /// A new browser in which this user just signed in.
    pub async fn signed_in(&self, username: &str) -> Browser<'_> {
        let mut browser = self.browser();
        let answer = browser.sign_in(username, &password_of(username)).await;
        assert_eq!(answer.status, 303, "{answer:?}");
        browser
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

//! A person with a browser, a device, and an app's redirects: what it takes to get tokens over HTTP.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use serde_json::Value as Json;
use url::form_urlencoded::Serializer;
use url::{Position, Url};

use crate::home::Home;

/// A browser that keeps its cookies.
pub(crate) struct Browser<'a> {
    home: &'a Home,
    cookies: BTreeMap<String, String>,
}

/// What came: a page, or where to go on.
struct Answer {
    status: u16,
    location: Option<String>,
    body: String,
}

impl Answer {
    /// Whether it has a button of this value.
    fn has(&self, button: &str) -> bool {
        self.body.contains(&format!(" value=\"{button}\""))
    }
}

impl Browser<'_> {
    /// Sends a form, or none for a page; the status and body of the answer.
    fn go(&mut self, path: &str, fields: &[(&str, &str)]) -> (u16, String) {
        let answer = self.send(path, fields);
        (answer.status, answer.body)
    }

    /// Sends a form, or none for a page; where the answer leads.
    fn led(&mut self, path: &str, fields: &[(&str, &str)]) -> String {
        let Answer { location, body, .. } = self.send(path, fields);
        location.unwrap_or_else(|| panic!("it leads nowhere: {body}"))
    }

    /// Sends the fields that the page holds under these names, and those that are typed.
    fn submit(
        &mut self,
        path: &str,
        page: &str,
        hidden: &[&str],
        typed: &[(&str, &str)],
    ) -> Answer {
        let hidden: Vec<_> = hidden
            .iter()
            .map(|name| (*name, Self::hidden(page, name)))
            .collect();
        let hidden = hidden.iter().map(|(name, value)| (*name, value.as_str()));
        self.send(
            path,
            &hidden.chain(typed.iter().copied()).collect::<Vec<_>>(),
        )
    }

    /// Follows an app's request to sign in or out through the pages, doing what they ask; the address in the app to which it
    /// leads.
    pub(crate) fn follow(&mut self, request: &Url, user: &str, password: &str) -> Url {
        let mut answer = self.send(&request[Position::BeforePath..], &[]);
        for _ in 0..10 {
            answer = if let Some(location) = &answer.location {
                let url = request.join(location).expect("an address");
                if url.origin() != request.origin() {
                    return url;
                }
                self.send(&url[Position::BeforePath..], &[])
            } else if answer.has("sign-in") {
                let typed = [("username", user), ("password", password)];
                self.submit("/login", &answer.body, &["form_token", "return_to"], &typed)
            } else if answer.has("approve") {
                let typed = [("decision", "approve")];
                self.submit("/consent", &answer.body, &["form_token", "request"], &typed)
            } else if answer.has("sign-out") {
                self.submit("/logout", &answer.body, &["form_token", "request"], &[])
            } else {
                panic!("{}: {}", answer.status, answer.body);
            };
        }
        panic!("too many redirects, the last to {:?}", answer.location);
    }

    fn send(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let method = if fields.is_empty() { "GET" } else { "POST" };
        let form = form(fields);
        let cookies: Vec<_> = self
            .cookies
            .iter()
            .map(|(n, v)| format!("{n}={v}"))
            .collect();
        let (address, length) = (&self.home.address, form.len());
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncookie: {}\r\n\
             content-type: application/x-www-form-urlencoded\r\ncontent-length: {length}\r\n\r\n{form}",
            cookies.join("; ")
        );
        let mut stream = TcpStream::connect(address).expect("it listens");
        stream.write_all(head.as_bytes()).expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        let mut location = None;
        for line in head.lines() {
            if let Some(address) = line.strip_prefix("location: ") {
                location = Some(address.to_owned());
            }
            if let Some(cookie) = line.strip_prefix("set-cookie: ")
                && let Some((name, value)) =
                    cookie.split(';').next().and_then(|c| c.split_once('='))
            {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        let status = head
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok());
        Answer {
            status: status.expect("a status"),
            location,
            body: body.to_owned(),
        }
    }

    /// Fills in the form of a page that has this field hidden.
    fn hidden(page: &str, name: &str) -> String {
        let from = format!("name=\"{name}\" value=\"");
        let value = page
            .split(&*from)
            .nth(1)
            .and_then(|rest| rest.split('"').next());
        value
            .unwrap_or_else(|| panic!("no {name} in\n{page}"))
            .replace("&#x2f;", "/")
            .replace("&quot;", "\"")
            .replace("&amp;", "&")
    }
}

pub(crate) fn form(fields: &[(&str, &str)]) -> String {
    Serializer::new(String::new()).extend_pairs(fields).finish()
}

impl Home {
    pub(crate) fn post(&self, path: &str, fields: &[(&str, &str)]) -> (u16, Json) {
        let (status, body) = self.request("POST", path, &form(fields));
        (status, serde_json::from_str(&body).expect("JSON"))
    }

    /// Whether a user can sign in.
    pub(crate) fn signs_in(&self, user: &str, password: &str) -> bool {
        self.signed_in(user, password).is_some()
    }

    pub(crate) fn browser(&self) -> Browser<'_> {
        Browser {
            home: self,
            cookies: BTreeMap::new(),
        }
    }

    fn signed_in(&self, user: &str, password: &str) -> Option<Browser<'_>> {
        let mut browser = self.browser();
        let (_, page) = browser.go("/login", &[]);
        let [token, back] = ["form_token", "return_to"].map(|name| Browser::hidden(&page, name));
        let fields = [
            ("form_token", &*token),
            ("return_to", &*back),
            ("username", user),
            ("password", password),
        ];
        (browser.go("/login", &fields).0 == 303).then_some(browser)
    }

    /// Where the browser of a user ends who signs in and agrees to an authorization request.
    pub(crate) fn agree(&self, user: &str, password: &str, request: &str) -> String {
        let mut browser = self.signed_in(user, password).expect("the right password");
        let (_, page) = browser.go(request, &[]);
        let [token, asked] = ["form_token", "request"].map(|name| Browser::hidden(&page, name));
        let decision = [
            ("form_token", &*token),
            ("request", &*asked),
            ("decision", "approve"),
        ];
        browser.led("/consent", &decision)
    }

    /// Signs a user in, to an app that asks nobody too, and out.
    pub(crate) fn come_and_go(&self, user: &str, password: &str, request: &str) {
        let mut browser = self.signed_in(user, password).expect("the right password");
        assert!(browser.led(request, &[]).contains("code="));
        let (_, page) = browser.go("/logout", &[]);
        let token = Browser::hidden(&page, "form_token");
        assert_eq!(browser.go("/logout", &[("form_token", &token)]).0, 200);
    }

    /// The tokens of a device of the client `tv` that this user approved.
    pub(crate) fn device_tokens(&self, user: &str, password: &str) -> Json {
        let (status, codes) = self.post("/oauth2/device_authorization", &[("client_id", "tv")]);
        assert_eq!(status, 200, "{codes}");
        let code = codes["user_code"].as_str().expect("a code");
        let mut browser = self.signed_in(user, password).expect("the right password");
        let (_, page) = browser.go("/device", &[]);
        let token = Browser::hidden(&page, "form_token");
        let (_, page) = browser.go("/device", &[("form_token", &token), ("user_code", code)]);
        let [token, grant] = ["form_token", "grant"].map(|name| Browser::hidden(&page, name));
        let decision = [
            ("form_token", &*token),
            ("grant", &*grant),
            ("decision", "approve"),
        ];
        let decided = browser.led("/device/decision", &decision);
        assert!(browser.go(&decided, &[]).1.contains("id=\"done\""));
        let (status, tokens) = self.poll(codes["device_code"].as_str().expect("a code"));
        assert_eq!(status, 200, "{tokens}");
        tokens
    }

    pub(crate) fn poll(&self, device_code: &str) -> (u16, Json) {
        let grant = "urn:ietf:params:oauth:grant-type:device_code";
        let fields = [
            ("grant_type", grant),
            ("client_id", "tv"),
            ("device_code", device_code),
        ];
        self.post("/oauth2/token", &fields)
    }

    pub(crate) fn refresh(&self, tokens: &Json) -> (u16, Json) {
        let token = tokens["refresh_token"].as_str().expect("a token");
        let fields = [
            ("grant_type", "refresh_token"),
            ("client_id", "tv"),
            ("refresh_token", token),
        ];
        self.post("/oauth2/token", &fields)
    }

    pub(crate) fn userinfo(&self, tokens: &Json) -> u16 {
        let token = tokens["access_token"].as_str().expect("a token");
        self.request(
            "POST",
            "/oauth2/userinfo",
            &form(&[("access_token", token)]),
        )
        .0
    }
}

//! A person with the plainest of browsers, who approves whatever asks.

use std::net::SocketAddr;

use crate::Result;
use crate::http::{Answer, Connection, Request};
use crate::setup::{PASSWORD, USER};

/// A browser in which the user has signed in.
pub(crate) struct Browser {
    connection: Connection,
    cookies: Vec<(String, String)>,
    /// The form token of the form for codes: the session's, and so the same for all of them.
    codes_token: String,
}

impl Browser {
    pub(crate) async fn sign_in(address: SocketAddr) -> Result<Self> {
        let mut browser = Self {
            connection: Connection::open(address).await?,
            cookies: Vec::new(),
            codes_token: String::new(),
        };
        let form = browser.get("/login").await?;
        let token = field(&form, "form_token")?;
        let credentials = [
            ("form_token", token.as_str()),
            ("username", USER),
            ("password", PASSWORD),
        ];
        let signed_in = browser.post("/login", &credentials).await?;
        if signed_in.status != 303 {
            return Err(format!("signing in was answered {}", signed_in.status).into());
        }
        let form = browser.get("/device").await?;
        browser.codes_token = field(&form, "form_token")?;
        Ok(browser)
    }

    /// Types a code, and approves.
    pub(crate) async fn approve(&mut self, user_code: &str) -> Result<()> {
        let token = self.codes_token.clone();
        let asked = [("form_token", token.as_str()), ("user_code", user_code)];
        let page = self.post("/device", &asked).await?;
        let (token, grant) = (field(&page, "form_token")?, field(&page, "grant")?);
        let decision = [
            ("form_token", token.as_str()),
            ("grant", &grant),
            ("decision", "approve"),
        ];
        let done = self.post("/device/decision", &decision).await?;
        if done.status == 200 {
            Ok(())
        } else {
            Err(format!("an approval was answered {}", done.status).into())
        }
    }

    async fn get(&mut self, path: &str) -> Result<Answer> {
        let request = Request::get(path, &[("Cookie", &self.cookie())]);
        self.send(request).await
    }

    async fn post(&mut self, path: &str, form: &[(&str, &str)]) -> Result<Answer> {
        let request = Request::post(path, &[("Cookie", &self.cookie())], form);
        self.send(request).await
    }

    async fn send(&mut self, request: Request) -> Result<Answer> {
        let answer = self.connection.send(&request).await?;
        let set = answer.headers("set-cookie").filter_map(|set| {
            let (name, value) = set.split(';').next()?.split_once('=')?;
            Some((name.to_owned(), value.to_owned()))
        });
        let set: Vec<_> = set.collect();
        self.cookies
            .retain(|(known, _)| set.iter().all(|(name, _)| name != known));
        self.cookies
            .extend(set.into_iter().filter(|(_, value)| !value.is_empty()));
        Ok(answer)
    }

    fn cookie(&self) -> String {
        let pairs = self.cookies.iter();
        let pairs: Vec<_> = pairs
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        pairs.join("; ")
    }
}

/// The value of a hidden field.
fn field(page: &Answer, name: &str) -> Result<String> {
    let text = page.text();
    let value = text
        .split_once(&format!("name=\"{name}\" value=\""))
        .and_then(|(_, rest)| rest.split_once('"'));
    let value = value.map(|(value, _)| value.to_owned());
    value.ok_or_else(|| format!("no field {name}, but {} {text}", page.status).into())
}

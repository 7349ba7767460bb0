//! A minimal browser whose user signs in and approves devices through the pages.

use std::net::SocketAddr;

use crate::Result;
use crate::http::{Answer, Connection, Request, basic};
use crate::installation::{PASSWORD, PORTAL, PORTAL_CALLBACK, SECRET, username};
use crate::workload::path;

/// A browser in which the user has signed in.
pub(crate) struct Browser {
    connection: Connection,
    cookies: Vec<(String, String)>,
    /// The form token of the page that takes user codes. It belongs to the session, so one serves for all codes.
    user_code_token: String,
}

impl Browser {
    pub(crate) async fn sign_in(address: SocketAddr, user: usize) -> Result<Self> {
        let mut browser = Self {
            connection: Connection::open(address).await?,
            cookies: Vec::new(),
            user_code_token: String::new(),
        };
        let form = browser.get("/login").await?;
        let token = field(&form, "form_token")?;
        let username = username(user);
        let credentials = [
            ("form_token", token.as_str()),
            ("username", username.as_str()),
            ("password", PASSWORD),
        ];
        let signed_in = browser.post("/login", &credentials).await?;
        if signed_in.status != 303 {
            return Err(format!("sign-in got status {}", signed_in.status).into());
        }
        let form = browser.get("/device").await?;
        browser.user_code_token = field(&form, "form_token")?;
        Ok(browser)
    }

    /// Enters a user code and approves the device.
    pub(crate) async fn approve(&mut self, user_code: &str) -> Result<()> {
        let token = self.user_code_token.clone();
        let code = [("form_token", token.as_str()), ("user_code", user_code)];
        let page = self.post("/device", &code).await?;
        let (token, grant) = (field(&page, "form_token")?, field(&page, "grant")?);
        let decision = [
            ("form_token", token.as_str()),
            ("grant", &grant),
            ("decision", "approve"),
        ];
        let answer = self.post("/device/decision", &decision).await?;
        // A redirect to the page that says so; earlier commits answered with the page itself.
        if matches!(answer.status, 200 | 303) {
            Ok(())
        } else {
            Err(format!("approval got status {}", answer.status).into())
        }
    }

    /// The request with which the browser comes from a website that knows its user by an ID token.
    pub(crate) fn authorization(&self, id_token: Option<&str>) -> Request {
        let mut query = format!(
            "{}?response_type=code&client_id={PORTAL}&redirect_uri={PORTAL_CALLBACK}&scope=openid%20es256%2Fread&prompt=none",
            path::AUTHORIZE
        );
        if let Some(hint) = id_token {
            query += &format!("&id_token_hint={hint}");
        }
        Request::get(&query, &[("Cookie", &self.cookie())])
    }

    /// The tokens of a website in which the user signs in.
    pub(crate) async fn tokens_of_website(&mut self) -> Result<Answer> {
        let answer = self.send(self.authorization(None)).await?;
        let location = answer.headers("location").next().unwrap_or_default();
        let code = location.split_once("code=").map(|(_, rest)| rest);
        let code = code.and_then(|rest| rest.split('&').next());
        let code = code.ok_or_else(|| format!("no code in {} {location}", answer.status))?;
        let redeem = Request::post(
            path::TOKEN,
            &[("Authorization", &basic(PORTAL, SECRET))],
            &[
                ("grant_type", "authorization_code"),
                ("code", code),
                ("redirect_uri", PORTAL_CALLBACK),
            ],
        );
        self.send(redeem).await
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
    value.ok_or_else(|| format!("no field {name} in answer {} {text}", page.status).into())
}

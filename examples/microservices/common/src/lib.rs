//! What the services of the example have in common: their settings, how they ask each other, and what they tell of a
//! token that they saw.

use std::error::Error;
use std::time::Duration;

use axum::Router;
use grantor_verify::{AccessToken, BearerToken, TokenError};
use reqwest::header::WWW_AUTHENTICATE;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::net::TcpListener;

/// Why a service does not start.
pub type Fault = Box<dyn Error + Send + Sync>;

/// How long a service waits for another one's answer.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// A setting of a service: a variable of its environment, so that no secret stands on a command line.
///
/// # Errors
/// It is not set.
pub fn setting(name: &str) -> Result<String, String> {
    #[expect(
        clippy::disallowed_methods,
        reason = "settings of a service are its environment"
    )]
    std::env::var(name).map_err(|why| format!("{name}: {why}"))
}

/// Answers at the address `LISTEN` until the process is stopped.
///
/// # Errors
/// Nobody can listen there.
pub async fn serve(app: Router) -> Result<(), Fault> {
    let listener = TcpListener::bind(setting("LISTEN")?).await?;
    Ok(axum::serve(listener, app).await?)
}

/// Another service.
#[derive(Clone, Debug)]
pub struct Service {
    name: &'static str,
    url: String,
    http: reqwest::Client,
}

/// Somebody said no.
#[derive(Clone, Debug, Serialize, Deserialize, thiserror::Error)]
#[error("{by}: {said}")]
pub struct Refused {
    /// Who.
    pub by: String,
    /// In these words.
    pub said: String,
}

impl Service {
    /// The service at the address that `setting` holds.
    ///
    /// # Errors
    /// It is not set.
    pub fn new(name: &'static str, setting: &str, http: reqwest::Client) -> Result<Self, String> {
        let url = self::setting(setting)?;
        Ok(Self { name, url, http })
    }

    /// What it has for whoever bears this token.
    ///
    /// # Errors
    /// It refuses, or does not answer.
    pub async fn get(&self, path: &str, token: &BearerToken) -> Result<Value, Refused> {
        let no = |said| Refused {
            by: self.name.to_owned(),
            said,
        };
        // reqwest's errors name the address that was asked; where a service is, is nothing for others to read.
        let away = |why: reqwest::Error| no(why.without_url().to_string());
        let request = self.http.get(format!("{}{path}", self.url));
        let request = request.bearer_auth(token.reveal()).timeout(PATIENCE);
        let answer = request.send().await;
        let answer = answer.map_err(away)?;
        if !answer.status().is_success() {
            let challenge = answer.headers().get(WWW_AUTHENTICATE);
            let challenge = challenge.and_then(|text| text.to_str().ok());
            let said = format!("{} {}", answer.status(), challenge.unwrap_or_default());
            return Err(no(said));
        }
        answer.json().await.map_err(away)
    }
}

impl From<TokenError> for Refused {
    fn from(error: TokenError) -> Self {
        let said = match error {
            TokenError::Refused { error, description } => {
                format!("{error}: {}", description.unwrap_or_default())
            }
            other => other.to_string(),
        };
        let by = "Grantor".to_owned();
        Self { by, said }
    }
}

/// What a service learned of its caller: by the token, and by nothing else in the request.
#[derive(Debug, Serialize)]
pub struct Seen {
    service: &'static str,
    /// `sub`: for whom.
    subject: String,
    /// `act`: who acts for them, and before it who acted before.
    actors: Vec<String>,
    /// `client_id`: to whom the token was given.
    client: Option<String>,
    /// `aud`: for which API.
    audience: Vec<String>,
    /// `scope`: for what.
    scope: String,
}

impl Seen {
    /// What `service` sees in a token.
    #[must_use]
    pub fn by(service: &'static str, token: &AccessToken) -> Self {
        let act = token.act.iter();
        let actors = act.flat_map(|act| [act.current()].into_iter().chain(act.prior()));
        Self {
            service,
            subject: token.subject.clone(),
            actors: actors.map(|actor| actor.subject.clone()).collect(),
            client: token.client_id.clone(),
            audience: token.audience.clone(),
            scope: token.scope.to_string(),
        }
    }
}

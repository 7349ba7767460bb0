//! `grantor device-login`: be a device. It asks for a code, shows it, waits for a user to approve
//! it in a browser, and prints the tokens (RFC 8628).

mod client;
mod failure;
mod pace;
mod screen;

use std::io::IsTerminal;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use serde::Deserialize;
use serde_json::{Map, Value as Json};
use tokio::time::Instant;

use crate::exit;
use client::{Client, Endpoints, Reply};
use failure::Failure;
use grantor_config::Environment;
use grantor_verify::IssuerUrl;
use pace::{Pace, Step};
use screen::Screen;

/// The registered name of the device grant (RFC 8628 section 3.4).
const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";

#[derive(Debug, Args)]
pub struct Arguments {
    /// The URL that names the server
    #[arg(long, value_name = "URL")]
    issuer: String,
    /// The client to be
    #[arg(long, value_name = "ID")]
    client_id: String,
    /// The environment variable that holds the client's secret
    #[arg(long, value_name = "VARIABLE")]
    client_secret_env: Option<String>,
    /// The scopes to ask for, separated by spaces; else the client's defaults
    #[arg(long, value_name = "SCOPES")]
    scope: Option<String>,
    /// Print one JSON object for each event, and nothing else
    #[arg(long)]
    json: bool,
}

/// Runs until the tokens are there, or can no longer come.
pub fn run(arguments: &Arguments, environment: &Environment) -> ExitCode {
    let terminal = std::io::stdout().is_terminal();
    let mut screen = Screen::new(std::io::stdout(), arguments.json, terminal);
    let outcome = device(arguments, environment).and_then(|device| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let progress = !arguments.json && std::io::stderr().is_terminal();
        runtime
            .block_on(device.log_in(&mut screen, async |time| screen::wait(time, progress).await))
    });
    let Err(failure) = outcome else {
        return ExitCode::SUCCESS;
    };
    screen.failed(&failure).ok();
    match failure {
        Failure::Usage(_) => ExitCode::from(exit::USAGE),
        _ => ExitCode::FAILURE,
    }
}

fn device(arguments: &Arguments, environment: &Environment) -> Result<Device, Failure> {
    let secret = |variable: &String| {
        let missing = || Failure::Usage(format!("the environment variable {variable} is not set"));
        environment.value(variable).ok_or_else(missing)
    };
    let secret = arguments.client_secret_env.as_ref().map(secret);
    Ok(Device {
        issuer: client::issuer(&arguments.issuer)?,
        scope: arguments.scope.clone(),
        client: Client::new(arguments.client_id.clone(), secret.transpose()?)?,
    })
}

struct Device {
    issuer: IssuerUrl,
    scope: Option<String>,
    client: Client,
}

/// The device authorization response (RFC 8628 section 3.2).
#[derive(Deserialize)]
struct Codes {
    device_code: String,
    user_code: String,
    verification_uri: String,
    verification_uri_complete: Option<String>,
    expires_in: u64,
    /// "If no value is provided, clients MUST use 5 as the default."
    #[serde(default = "five_seconds")]
    interval: u64,
}

fn five_seconds() -> u64 {
    5
}

impl Device {
    /// The whole login. `pause` lets time pass between polls.
    async fn log_in(
        &self,
        screen: &mut Screen<impl std::io::Write>,
        mut pause: impl AsyncFnMut(Duration),
    ) -> Result<(), Failure> {
        let endpoints = self.client.discover(&self.issuer).await?;
        let codes = self.authorize(&endpoints).await?;
        screen.codes(&codes)?;
        let tokens = self.poll(&endpoints, &codes, &mut pause).await?;
        screen.tokens(tokens)?;
        Ok(())
    }

    async fn authorize(&self, endpoints: &Endpoints) -> Result<Codes, Failure> {
        let scope = self.scope.as_deref().map(|scope| ("scope", scope));
        let form: Vec<_> = scope.into_iter().collect();
        let reply = self
            .client
            .post(&endpoints.device_authorization, &form)
            .await?;
        if reply.status != 200 {
            return Err(Failure::refused(&reply));
        }
        serde_json::from_value(Json::Object(reply.body)).map_err(|error| {
            Failure::Protocol(format!(
                "the device authorization response is wrong: {error}"
            ))
        })
    }

    async fn poll(
        &self,
        endpoints: &Endpoints,
        codes: &Codes,
        pause: &mut impl AsyncFnMut(Duration),
    ) -> Result<Map<String, Json>, Failure> {
        let form = [
            ("grant_type", DEVICE_CODE),
            ("device_code", &codes.device_code),
        ];
        let started = Instant::now();
        let lifetime = Duration::from_secs(codes.expires_in);
        let mut pace = Pace::new(Duration::from_secs(codes.interval));
        loop {
            pause(pace.next()).await;
            let reply = self.client.post(&endpoints.token, &form).await;
            match pace.judge(reply) {
                Step::Done(tokens) => return Ok(tokens),
                Step::Stop(failure) => return Err(failure),
                // The last poll may come after the end: the server knows best whether it is.
                Step::Again if started.elapsed() > lifetime => return Err(Failure::Expired),
                Step::Again => {}
            }
        }
    }
}

#[cfg(test)]
mod tests;

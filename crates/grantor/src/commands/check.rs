//! `grantor check`: whether a configuration file is valid.

use std::error::Error;
use std::fmt::Write;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use grantor_web::Clock as _;
use grantor_web::render::Pages;

use crate::exit;
use grantor_config::{self as config, Environment, Settings};
use grantor_server::cause::Causes;
use grantor_server::files;
use grantor_server::outgoing::Outgoing;
use grantor_server::setting_error::SettingError;
use grantor_server::system::SystemClock;
use grantor_server::telemetry;
use grantor_server::tls;

/// Prints the mistakes of the file and of the templates to standard error, or a summary of the file.
pub fn run(file: &Path, environment: &Environment) -> ExitCode {
    let refuse = |error: &(dyn Error + 'static)| exit::usage(&Causes(error));
    let settings = match config::load(file, environment) {
        Ok(settings) => settings,
        Err(mistakes) => return refuse(&mistakes),
    };
    if let Err(error) = telemetry::check(environment) {
        return refuse(&error);
    }
    if let Err(error) = files::check(&settings) {
        return refuse(&error);
    }
    if let Err(error) = Pages::new(settings.templates.as_deref()) {
        return refuse(&error);
    }
    let certificate = match certificate(&settings) {
        Ok(advice) => advice,
        Err(error) => return refuse(&error),
    };
    if let Err(error) = Outgoing::from_settings(&settings).client(Duration::ZERO) {
        return refuse(&error);
    }
    exit::print(&summary(file, &settings, &certificate));
    ExitCode::SUCCESS
}

/// Advice on the certificate, if it can be used.
fn certificate(settings: &Settings) -> Result<Vec<String>, SettingError> {
    let read = settings.tls.as_ref().zip(tls::of_settings(settings)?);
    let Some((files, (certificate, _))) = read else {
        return Ok(Vec::new());
    };
    let validity = tls::validity(&certificate, SystemClock.now());
    let advice = tls::advice(settings, files, &certificate);
    Ok(advice.into_iter().chain(validity).collect())
}

fn summary(file: &Path, settings: &Settings, certificate: &[String]) -> String {
    let Settings {
        issuer,
        listen,
        store,
        ..
    } = settings;
    let counts = [
        ("resource", settings.resources.len()),
        ("client", settings.clients.len()),
        ("exchange rule", settings.exchanges.len()),
        ("trusted issuer", settings.trusted_issuers.len()),
        ("user", settings.users.len()),
        ("provider", settings.providers.len()),
    ];
    let counts: Vec<_> = counts
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .map(|(noun, count)| format!("{count} {noun}{}", if count == 1 { "" } else { "s" }))
        .collect();

    let mut text = format!("{} is valid.\n", file.display());
    // Writing to a string cannot fail.
    writeln!(text, "{issuer} on {listen}, store {store}").ok();
    if !counts.is_empty() {
        writeln!(text, "{}", counts.join(", ")).ok();
    }
    let advice = settings.not_built().into_iter().chain(settings.advice());
    let advice = advice.chain(files::advice(settings, file));
    for sentence in advice.chain(certificate.iter().cloned()) {
        writeln!(text, "{sentence}").ok();
    }
    text
}

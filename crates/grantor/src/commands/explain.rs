//! `grantor explain`: what the server would decide, and why.

mod render;

use std::fs::File;
use std::io::{self, IsTerminal as _, Read};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use grantor_core::base::params::MAX_BYTES;
use grantor_core::base::secret::Secret;
use grantor_core::model::token_type::TokenType;
use url::form_urlencoded::Serializer;
use zeroize::Zeroizing;

use super::administer::{Common, administer};
use crate::exit;
use grantor_config::Environment;
use grantor_server::admin::api::ExplainExchange;

#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    what: What,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Subcommand)]
enum What {
    /// What would come of a token exchange: which rule decides, which do not apply and why, what the token would say.
    ///
    /// Nothing is issued. Tokens come from files, the environment or standard input, never by the command line, where other processes see
    /// them. Ends with 0 where a token would be issued, with 1 where not, and with 2 where the server cannot be asked.
    Exchange(Exchange),
}

#[derive(Debug, Args)]
struct Exchange {
    /// The client that exchanges
    #[arg(long, value_name = "ID")]
    client: String,
    /// A file with the subject token; standard input, where neither this nor a variable nor a user is named
    #[arg(long, value_name = "FILE")]
    subject_token_file: Option<PathBuf>,
    /// An environment variable with the subject token
    #[arg(long, value_name = "NAME", conflicts_with = "subject_token_file")]
    subject_token_env: Option<String>,
    /// What the subject token is: access_token, id_token, refresh_token, jwt
    #[arg(long, value_name = "TYPE", default_value = "access_token", value_parser = token_type)]
    subject_token_type: TokenType,
    /// A user, for whom an access token is assumed: instead of a subject token
    #[arg(long, value_name = "NAME", requires = "subject_client",
          conflicts_with_all = ["subject_token_file", "subject_token_env"])]
    user: Option<String>,
    /// The client by which the user would have the assumed token
    #[arg(long, value_name = "ID", requires = "user")]
    subject_client: Option<String>,
    /// The scope of the assumed token; the client's default, where it is left out
    #[arg(long, value_name = "SCOPE", requires = "user")]
    subject_scope: Option<String>,
    /// Whom the assumed token would be for, where the scope does not say it
    #[arg(long, value_name = "NAME", requires = "user")]
    subject_audience: Option<String>,
    /// A file with the actor token
    #[arg(long, value_name = "FILE")]
    actor_token_file: Option<PathBuf>,
    /// An environment variable with the actor token
    #[arg(long, value_name = "NAME", conflicts_with = "actor_token_file")]
    actor_token_env: Option<String>,
    /// What the actor token is: access_token, id_token, jwt
    #[arg(long, value_name = "TYPE", default_value = "access_token", value_parser = token_type)]
    actor_token_type: TokenType,
    /// Whom the new token shall be for, by name
    #[arg(long, value_name = "NAME")]
    audience: Vec<String>,
    /// Whom the new token shall be for, by URI
    #[arg(long, value_name = "URI")]
    resource: Vec<String>,
    /// The scope that is asked for; all that can be had, where it is left out
    #[arg(long)]
    scope: Option<String>,
    /// What is asked for: access_token, id_token, refresh_token, jwt; an access token, where it is left out
    #[arg(long, value_name = "TYPE", value_parser = token_type)]
    requested_token_type: Option<TokenType>,
}

pub fn run(arguments: &Arguments, environment: &Environment) -> ExitCode {
    let What::Exchange(exchange) = &arguments.what;
    let form = match exchange.form(environment) {
        Ok(form) => form,
        Err(why) => return exit::usage(&format_args!("grantor: {why}")),
    };
    let settings = match arguments.common.settings(environment) {
        Ok(settings) => settings,
        Err(code) => return code,
    };
    let mut allowed = None;
    let request = ExplainExchange { form };
    administer(&arguments.common, &settings, &request, |explanation| {
        allowed = Some(explanation.allowed);
        Some(render::text(&explanation))
    });
    match allowed {
        Some(true) => ExitCode::SUCCESS,
        Some(false) => ExitCode::FAILURE,
        None => ExitCode::from(exit::USAGE),
    }
}

impl Exchange {
    /// The request as the client would send it, with its id and without its secret.
    fn form(&self, environment: &Environment) -> Result<Secret, String> {
        let given = |file: &Option<PathBuf>, variable: &Option<String>| match (file, variable) {
            (Some(file), _) => read_file(file).map(Some),
            (None, Some(variable)) => {
                let value = environment.value(variable);
                let missing = || format!("there is no environment variable {variable}");
                value.map(token).ok_or_else(missing).map(Some)
            }
            (None, None) => Ok(None),
        };
        let actor = given(&self.actor_token_file, &self.actor_token_env)?;

        let mut form = Serializer::new(String::new());
        form.append_pair("client_id", &self.client);
        if let Some(user) = &self.user {
            form.append_pair("assumed_user", user);
            let assumed = [
                ("assumed_client", &self.subject_client),
                ("assumed_scope", &self.subject_scope),
                ("assumed_audience", &self.subject_audience),
            ];
            let assumed = assumed
                .iter()
                .filter_map(|(name, value)| Some((name, value.as_ref()?)));
            form.extend_pairs(assumed);
        } else {
            let subject = match given(&self.subject_token_file, &self.subject_token_env)? {
                Some(token) => token,
                None => read_stdin()?,
            };
            if subject.is_empty() {
                return Err("there is no subject token".to_owned());
            }
            form.append_pair("subject_token", subject.reveal())
                .append_pair("subject_token_type", self.subject_token_type.uri());
        }
        if let Some(actor) = &actor {
            form.append_pair("actor_token", actor.reveal())
                .append_pair("actor_token_type", self.actor_token_type.uri());
        }
        form.extend_pairs(self.audience.iter().map(|name| ("audience", name)));
        form.extend_pairs(self.resource.iter().map(|uri| ("resource", uri)));
        form.extend_pairs(self.scope.iter().map(|scope| ("scope", scope)));
        let requested = self.requested_token_type.map(TokenType::uri);
        form.extend_pairs(requested.map(|uri| ("requested_token_type", uri)));
        Ok(Secret::new(form.finish()))
    }
}

fn read_file(path: &PathBuf) -> Result<Secret, String> {
    let read = File::open(path).and_then(read);
    read.map_err(|error| format!("{}: {error}", path.display()))
}

fn read_stdin() -> Result<Secret, String> {
    let stdin = io::stdin();
    if stdin.is_terminal() {
        exit::complain(&"The subject token, then Ctrl-D:");
    }
    let read = read(stdin.lock());
    read.map_err(|error| format!("the subject token cannot be read from standard input: {error}"))
}

/// Reads no more than a server would accept.
fn read(from: impl Read) -> io::Result<Secret> {
    let mut text = Zeroizing::new(String::new());
    let most = u64::try_from(MAX_BYTES).unwrap_or(u64::MAX);
    from.take(most).read_to_string(&mut text)?;
    Ok(token(&text))
}

/// Without the line break at the end of a file. Tokens have no spaces.
fn token(text: &str) -> Secret {
    Secret::new(text.trim())
}

/// A token type by its registered identifier, or the end of it.
fn token_type(text: &str) -> Result<TokenType, String> {
    let mut all = TokenType::ALL.into_iter();
    let known = all.find(|typ| typ.uri() == text || short(typ.uri()) == text);
    known.ok_or_else(|| {
        let names = TokenType::ALL.map(|typ| short(typ.uri()));
        format!("the types are {}", names.join(", "))
    })
}

/// `access_token`, of `urn:ietf:params:oauth:token-type:access_token`.
fn short(uri: &str) -> &str {
    uri.rsplit(':').next().unwrap_or(uri)
}

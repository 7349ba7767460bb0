//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::commands::managed::{Kind, WithClient, WithObject, WithOrganization};
use crate::commands::{
    access, admin, backup, check, config, dev, device_login, events, explain, hash_password, keys,
    managed, reload, restore, serve, user, why,
};
use grantor_config::Environment;

/// The configuration file, where no other is named.
pub const CONFIG: &str = "grantor.toml";

/// A self-hosted OAuth 2.x authorization server and OpenID Provider.
#[derive(Debug, Parser)]
#[command(version, about)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server that a file configures
    Serve {
        /// The configuration file
        #[arg(long, value_name = "FILE", default_value = CONFIG)]
        config: PathBuf,
    },
    /// Run a server to try things out, without a file: it makes a user and three clients
    Dev {
        /// The address and port to listen on; else those of the first run, 127.0.0.1:8080 by default
        #[arg(long, value_name = "ADDR")]
        listen: Option<SocketAddr>,
        /// The folder for its data
        #[arg(long, value_name = "DIR", default_value = "grantor-dev")]
        data: PathBuf,
    },
    /// Reload the configuration file of the running server
    Reload(reload::Arguments),
    /// Check a configuration file, and list what of it is not built yet
    Check {
        /// The configuration file
        #[arg(long, value_name = "FILE", default_value = CONFIG)]
        config: PathBuf,
    },
    /// Print every setting with its default, as a configuration file
    Config {
        /// As a page of the documentation instead
        #[arg(long)]
        markdown: bool,
    },
    /// List the keys that sign and seal, or rotate them
    Keys(keys::Arguments),
    /// Add, change, disable, delete or list users, in the running server or, where none runs, in its store
    User(user::Arguments),
    /// List and end the sessions of a user: where the user is signed in
    Session(access::SessionArguments),
    /// List and revoke the grants of a user: what apps and devices were given
    Grant(access::GrantArguments),
    /// Make, change, disable or delete clients while the server runs, and give them secrets
    Client(managed::Arguments<WithClient>),
    /// Make, change, disable or delete organizations, to which users and clients belong
    Org(managed::Arguments<WithOrganization>),
    /// Make, change or delete the APIs that scopes and tokens are for
    Resource(managed::Arguments<WithObject>),
    /// Make, change or delete scopes that are asked for as they stand
    Scope(managed::Arguments<WithObject>),
    /// Make, change or delete rules of token exchange
    Rule(managed::Arguments<WithObject>),
    /// Make an administrator of the management API
    Admin(admin::Arguments),
    /// Print the hash of a password, for password_hash of a [[user]]
    HashPassword(hash_password::Arguments),
    /// Say what the server would decide, and why, without doing it
    Explain(Box<explain::Arguments>),
    /// List what happened, newest first: refusals, sign-ins, what was granted and changed
    ///
    /// Example: grantor events --user alice --outcome refused --since 1h
    Events(events::Arguments),
    /// Explain what happened to a request: what was decided, by which check, and what to do
    ///
    /// Example: grantor why d5065b294f6c2dec0f5d91e818a6677b
    Why(why::Arguments),
    /// Copy the store to a file, while the server runs or not
    Backup(backup::Arguments),
    /// Put a backup in the place of the store, while no server runs; keeps what was there
    Restore(restore::Arguments),
    /// Be a device: show a code, wait for a user to approve it, print the tokens
    DeviceLogin(device_login::Arguments),
}

/// Runs the command that was asked for; its exit code is the process's.
pub fn run(cli: Cli, environment: &Environment) -> ExitCode {
    match cli.command {
        Command::Serve { config } => serve::run(&config, environment),
        Command::Dev { listen, data } => dev::run(listen, &data, environment),
        Command::Reload(arguments) => reload::run(&arguments, environment),
        Command::Check { config } => check::run(&config, environment),
        Command::Config { markdown } => config::run(markdown),
        Command::Keys(arguments) => keys::run(&arguments, environment),
        Command::User(arguments) => user::run(&arguments, environment),
        Command::Session(arguments) => access::sessions(&arguments, environment),
        Command::Grant(arguments) => access::grants(&arguments, environment),
        Command::Client(arguments) => managed::run(Kind::Client, &arguments, environment),
        Command::Org(arguments) => managed::run(Kind::Organization, &arguments, environment),
        Command::Resource(arguments) => managed::run(Kind::Resource, &arguments, environment),
        Command::Scope(arguments) => managed::run(Kind::Scope, &arguments, environment),
        Command::Rule(arguments) => managed::run(Kind::Rule, &arguments, environment),
        Command::Admin(arguments) => admin::run(&arguments, environment),
        Command::HashPassword(arguments) => hash_password::run(&arguments),
        Command::Explain(arguments) => explain::run(&arguments, environment),
        Command::Events(arguments) => events::run(&arguments, environment),
        Command::Why(arguments) => why::run(&arguments, environment),
        Command::Backup(arguments) => backup::run(&arguments, environment),
        Command::Restore(arguments) => restore::run(&arguments, environment),
        Command::DeviceLogin(arguments) => device_login::run(&arguments, environment),
    }
}

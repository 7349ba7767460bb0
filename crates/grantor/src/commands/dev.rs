//! `grantor dev`: a server to try things out. The first run creates a folder with a configuration file, a user and four
//! clients; later runs use them.

mod file;
mod welcome;

use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::process::ExitCode;

use grantor_core::model::server_url::is_loopback_address;
use grantor_web::Entropy as _;
use url::Url;

use crate::commands::serve::{listening, run_server};
use crate::exit;
use grantor_config::{self as config, Environment};
use grantor_server::cause::Causes;
use grantor_server::run::Hangup;
use grantor_server::system::SystemEntropy;
use grantor_server::telemetry::{self, Format};
use welcome::Welcome;

/// The configuration file, in the data folder.
const FILE: &str = "grantor.toml";
const LISTEN: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8080);

/// Runs a server with generated users and clients, until a signal stops it.
pub fn run(listen: Option<SocketAddr>, data: &Path, environment: &Environment) -> ExitCode {
    let address = listen.unwrap_or(LISTEN);
    let issuer = match issuer(address) {
        Ok(issuer) => issuer,
        Err(why) => return exit::usage(&why),
    };
    let file = data.join(FILE);
    if let Err(error) = make(data, &file, &issuer, address) {
        exit::complain(&format_args!(
            "grantor: cannot make {}: {error}",
            file.display()
        ));
        return ExitCode::FAILURE;
    }
    let mut environment = environment.clone();
    if listen.is_some() {
        environment = environment
            .with("GRANTOR_ISSUER", issuer)
            .with("GRANTOR_LISTEN", address.to_string());
    }
    let settings = match config::load(&file, &environment) {
        Ok(settings) => settings,
        Err(mistakes) => return exit::usage(&mistakes),
    };
    let log = match telemetry::start(Format::Human, &environment) {
        Ok(log) => log,
        Err(error) => return exit::usage(&Causes(&error)),
    };
    let welcome = Welcome::new(&settings, data, &environment).to_string();
    let announce = move |at: &str| {
        io::stdout().write_all(welcome.as_bytes()).ok();
        listening(at);
    };
    // It ends with its terminal.
    let on_hangup = Hangup::Stop;
    run_server(&settings, &file, &environment, &log, on_hangup, announce)
}

/// The issuer of a server that listens there and speaks plain HTTP: one of this machine.
fn issuer(listen: SocketAddr) -> Result<String, &'static str> {
    if listen.port() == 0 {
        return Err("--listen: give a port; the issuer, which is in every token, holds it");
    }
    let host = match listen.ip() {
        ip if is_loopback_address(ip) => listen.to_string(),
        _ => {
            return Err(
                "--listen: grantor dev speaks plain http, which is for this machine only: give a loopback address",
            );
        }
    };
    // As clients compare it: without the port where it is 80.
    Url::parse(&format!("http://{host}"))
        .map(|url| url.as_str().trim_end_matches('/').to_owned())
        .map_err(|_| "--listen: the address makes no URL")
}

/// Creates the configuration file if it does not exist. Only its owner can read it, since it holds secrets.
fn make(folder: &Path, file: &Path, issuer: &str, listen: SocketAddr) -> io::Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)?;
    let made = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file);
    match made {
        Ok(mut made) => {
            made.write_all(file::text(issuer, listen, &SystemEntropy.seed()).as_bytes())
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_issuer_is_one_of_this_machine() {
        let of = |listen: &str| issuer(listen.parse().unwrap());
        assert_eq!(of("127.0.0.1:8080"), Ok("http://127.0.0.1:8080".to_owned()));
        assert_eq!(of("[::1]:8080"), Ok("http://[::1]:8080".to_owned()));
        assert_eq!(of("127.0.0.1:80"), Ok("http://127.0.0.1".to_owned()));
        assert!(of("192.0.2.1:8080").is_err());
        assert!(of("0.0.0.0:8080").is_err());
        assert!(of("127.0.0.1:0").is_err());
    }
}

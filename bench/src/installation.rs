//! An installation of the server under test: its folder, its configuration, its start.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::Result;
use crate::fill;
use crate::server::{Placement, Server, free_address};
use crate::workload::path;

/// Each approves a part of the devices: a user has a limited number of grants at a client.
pub(crate) const USERS: usize = 24;
pub(crate) const PASSWORD: &str = "a password for measuring";
pub(crate) const MACHINE: &str = "machine";
/// A website whose users sign in, and which exchanges their ID tokens. Its script is of another origin.
pub(crate) const PORTAL: &str = "portal";
pub(crate) const PORTAL_ORIGIN: &str = "https://portal.example.com";
pub(crate) const PORTAL_CALLBACK: &str = "https://portal.example.com/callback";
pub(crate) const SECRET: &str = "a-secret-for-measuring-0123456789abcdef";
/// The scopes of a device without an ID token, and of one with.
pub(crate) const DEVICE: &str = "offline_access es256/read";
pub(crate) const DEVICE_OPENID: &str = "openid profile offline_access es256/read";

/// What [`Installation::with_managed`] adds.
const API: &str = r#"
[api]
enabled = true

[[client]]
id = "reader"
secret = "a-secret-for-measuring-0123456789abcdef"
grants = ["client_credentials"]
scopes = ["grantor/clients:read", "grantor/users:read"]
"#;

/// A server's program and folder.
pub(crate) struct Installation {
    program: PathBuf,
    folder: PathBuf,
    address: SocketAddr,
}

impl Installation {
    /// Empties the folder and writes a configuration into it.
    pub(crate) fn new(program: &Path, folder: &Path) -> Result<Self> {
        if folder.exists() {
            fs::remove_dir_all(folder)?;
        }
        fs::create_dir_all(folder)?;
        let address = free_address()?;
        fs::write(folder.join("grantor.toml"), configuration(address))?;
        Ok(Self {
            program: program.to_owned(),
            folder: folder.to_owned(),
            address,
        })
    }

    /// An installation whose API is enabled, with so many managed clients and users. Its machine may read them.
    pub(crate) async fn with_managed(self, count: u32) -> Result<Self> {
        let file = self.folder.join("grantor.toml");
        let text = fs::read_to_string(&file)? + API;
        fs::write(&file, text)?;
        fill::managed(&self.store(), count, SECRET).await?;
        Ok(self)
    }

    /// Starts the server, and waits until its users can sign in. `first_answer` is that of the metadata.
    pub(crate) async fn start(&self, placement: &Placement) -> Result<Server> {
        let file = self.folder.join("grantor.toml");
        let file = file.to_str().ok_or("the data folder's path is not UTF-8")?;
        let mut server = Server::start(
            placement,
            &self.program,
            &["serve", "--config", file],
            (self.address, path::OPENID_CONFIGURATION),
            &self.folder.join("log"),
        )
        .await?;
        server.wait_for("/readyz").await?;
        Ok(server)
    }

    /// Writes grants into the store, while no server has it open.
    pub(crate) async fn fill(&self, grants: u32) -> Result<()> {
        fill::fill(&self.store(), grants).await
    }

    /// The size of the store's file, once its server has stopped and checkpointed the log.
    #[expect(
        clippy::cast_precision_loss,
        reason = "stores here are far smaller than 2^52 bytes"
    )]
    pub(crate) fn store_bytes(&self) -> Result<f64> {
        Ok(fs::metadata(self.store())?.len() as f64)
    }

    fn store(&self) -> PathBuf {
        self.folder.join("grantor.db")
    }
}

pub(crate) fn username(number: usize) -> String {
    format!("alice{}", number % USERS)
}

fn configuration(address: SocketAddr) -> String {
    let mut text = format!(
        r#"issuer = "http://{address}"
listen = "{address}"
store = "sqlite:grantor.db"
key_file = "grantor.key"

[device]
lifetime = "60m"
max_pending = 100000000

[[client]]
id = "tv"
name = "Television"
grants = ["device_code", "refresh_token"]
scopes = ["openid", "profile", "offline_access", "es256/read"]

[[client]]
id = "{PORTAL}"
secret = "{SECRET}"
grants = ["authorization_code", "token_exchange"]
redirect_uris = ["{PORTAL_CALLBACK}"]
scopes = ["openid", "es256/read"]
pkce = "optional"
consent = "skip"

[[client]]
id = "{MACHINE}"
secret = "{SECRET}"
grants = ["client_credentials", "token_exchange"]
scopes = ["es256/read", "rs256/read", "eddsa/read", "sealed/read"]
default_scopes = ["es256/read"]
resources = ["es256", "rs256", "eddsa", "sealed"]

[[exchange]]
client = "{MACHINE}"
audience = "next"
scopes = {{ "es256/read" = ["next/read"] }}

[[exchange]]
client = "{PORTAL}"
audience = "next"
subject_tokens = ["id_token"]
scopes = {{ "es256/read" = ["next/read"] }}

"#
    );
    for number in 0..USERS {
        let name = username(number);
        text += &format!(
            "\n[[user]]\nusername = \"{name}\"\npassword = \"{PASSWORD}\"\nemail = \"{name}@example.com\"\n\
             claims = {{ given_name = \"Alice\" }}\n"
        );
    }
    for (identifier, kind) in [
        ("es256", "alg = \"ES256\""),
        ("next", "alg = \"ES256\""),
        ("rs256", "alg = \"RS256\""),
        ("eddsa", "alg = \"EdDSA\""),
        ("sealed", "token = \"sealed\""),
    ] {
        text += &format!(
            "\n[[resource]]\nidentifier = \"{identifier}\"\nscopes = {{ read = \"Read\" }}\n{kind}\n"
        );
    }
    text
}

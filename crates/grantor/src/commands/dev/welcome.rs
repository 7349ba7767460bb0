//! The text of `grantor dev`: addresses, accounts, and what to try first.

use std::fmt::{self, Display, Formatter};
use std::io::IsTerminal as _;
use std::path::Path;

use grantor_core::model::endpoint::Endpoint;
use url::Url;

use grantor_config::{Client, ClientSecret, Environment, Settings, User, UserPassword};
use grantor_core::model::grant_type::GrantType;

/// What the device in the tour asks for, where its client may.
const DEVICE_SCOPES: [&str; 4] = [
    "openid",
    "profile",
    "offline_access",
    "orders.example.com/read",
];

/// The challenge of the verifier that RFC 7636 appendix B shows: for requests by hand.
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// The text, made of the settings as they are: its reader may have changed them.
pub(super) struct Welcome<'a> {
    settings: &'a Settings,
    data: &'a Path,
    program: String,
    bold: bool,
}

impl<'a> Welcome<'a> {
    pub(super) fn new(settings: &'a Settings, data: &'a Path, environment: &Environment) -> Self {
        // `cargo run` sets CARGO. Otherwise the program is started by the same name again.
        let program = match environment.value("CARGO") {
            Some(_) => "cargo run --release --".to_owned(),
            None => std::env::args()
                .next()
                .unwrap_or_else(|| "grantor".to_owned()),
        };
        Self {
            settings,
            data,
            program,
            bold: std::io::stdout().is_terminal(),
        }
    }

    fn title(&self, text: &str) -> String {
        if self.bold {
            format!("\x1b[1m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }

    /// The first user of whom this is so, with the password.
    fn user(&self, is_so: impl Fn(&User) -> bool) -> Option<(&User, &str)> {
        let mut users = self.settings.users.iter().filter(|user| is_so(user));
        users.find_map(|user| match user.credential()? {
            UserPassword::Plain(password) if user.enabled => Some((user, password.reveal())),
            _ => None,
        })
    }

    fn administrator(&self) -> Option<(&User, &str)> {
        let admins = self.settings.api.effective_admins();
        let groups = |user: &User| user.groups.clone().unwrap_or_default();
        let is_one = |user: &User| groups(user).iter().any(|group| admins.contains(group));
        self.user(is_one).filter(|_| self.settings.api.enabled)
    }

    fn device(&self) -> Option<&Client> {
        self.settings
            .clients
            .iter()
            .find(|client| client.grants.contains(&GrantType::DeviceCode) && client.is_public())
    }

    /// An authorization request of an app that keeps no secret.
    fn authorization_request(&self) -> Option<Url> {
        let app = self.settings.clients.iter().find(|client| {
            client.grants.contains(&GrantType::AuthorizationCode) && client.is_public()
        })?;
        let endpoint = format!("{}{}", self.settings.issuer, Endpoint::Authorize.path());
        let asked = [
            ("client_id", app.id.as_str()),
            ("response_type", "code"),
            ("redirect_uri", app.redirect_uris.first()?.as_str()),
            ("scope", "openid profile"),
            ("code_challenge_method", "S256"),
            ("code_challenge", CHALLENGE),
        ];
        Url::parse_with_params(&endpoint, asked).ok()
    }

    fn machine(&self) -> Option<(&Client, &str)> {
        self.settings
            .clients
            .iter()
            .find_map(|client| match client.credentials().next()? {
                ClientSecret::Plain(secret)
                    if client.grants.contains(&GrantType::ClientCredentials) =>
                {
                    Some((client, secret.reveal()))
                }
                _ => None,
            })
    }
}

impl Display for Welcome<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let issuer = &self.settings.issuer;
        writeln!(f, "\n  {}  {issuer}\n", self.title("Grantor"))?;
        if let Some((user, password)) = self.user(|_| true) {
            writeln!(f, "  User      {}\n  Password  {password}", user.username)?;
        }
        if let Some((user, password)) = self.administrator() {
            writeln!(f, "  Admin     {}\n  Password  {password}", user.username)?;
            writeln!(f, "  API       {issuer}/api/v1, by {issuer}/api/docs/")?;
        }
        writeln!(
            f,
            "  Data      {} (delete it to start over)",
            self.data.display()
        )?;
        if let Some(client) = self.device() {
            let asked = DEVICE_SCOPES.into_iter();
            let scope: Vec<_> = asked
                .filter(|scope| client.scopes.iter().any(|may| &**may == *scope))
                .collect();
            let scope = scope.join(" ");
            writeln!(
                f,
                "\n  {}, in another terminal, and approve it in a browser:\n",
                self.title("Be a device")
            )?;
            let (program, id) = (&self.program, &client.id);
            writeln!(
                f,
                "    {program} device-login --issuer {issuer} --client-id {id} --scope \"{scope}\""
            )?;
        }
        if let Some(request) = self.authorization_request() {
            writeln!(
                f,
                "\n  {}: open this, sign in, and read the code in the address at which the browser ends:\n",
                self.title("Be an app")
            )?;
            writeln!(f, "    {request}")?;
        }
        if let Some((client, secret)) = self.machine() {
            writeln!(f, "\n  {}:\n", self.title("Be a machine"))?;
            let id = &client.id;
            writeln!(
                f,
                "    curl -u '{id}:{secret}' -d grant_type=client_credentials {issuer}/oauth2/token"
            )?;
        }
        writeln!(f)
    }
}

//! The file that the first run makes.

use std::net::SocketAddr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use grantor_core::base::seed::Seed;
use zeroize::Zeroizing;

use grantor_server::generated_password::readable;

/// The settings: an API, one client of each kind, and a user with every standard claim (OpenID Connect
/// Core section 5.1). Password and secrets are drawn from the seed.
pub(super) fn text(issuer: &str, listen: SocketAddr, seed: &Seed) -> Zeroizing<String> {
    let password = Zeroizing::new(readable(seed.bytes("password")));
    let admin = Zeroizing::new(readable(seed.bytes("password of admin")));
    let secret = |of| Zeroizing::new(URL_SAFE_NO_PAD.encode(seed.bytes::<32>(of)));
    let (website, orders) = (secret("secret of website"), secret("client secret"));
    let (password, admin) = (password.as_str(), admin.as_str());
    let (website, orders) = (website.as_str(), orders.as_str());
    Zeroizing::new(format!(
        r#"# What `grantor dev` runs with, made by its first run. Change it as you like, or delete the folder to start over.
# `grantor config` prints every setting there is.
issuer = "{issuer}"
listen = "{listen}"
store = "sqlite:grantor.db"
key_file = "grantor.key"

# The management API, at /api, and its documentation, at /api/docs/.
[api]
enabled = true

# An API that tokens are for.
[[resource]]
identifier = "orders.example.com"
scopes = {{ read = "Read your orders" }}

# Another one, which the first asks for the same user.
[[resource]]
identifier = "shipping.example.com"
scopes = {{ read = "Read your shipments" }}

# A device without a keyboard. It is public: it can keep no secret.
[[client]]
id = "tv"
name = "Living-room TV"
grants = ["device_code", "refresh_token"]
scopes = ["openid", "profile", "email", "offline_access", "orders.example.com/read"]

# An app in the browser. It is public too. Its origin, http://127.0.0.1:3000, may call this server (CORS).
[[client]]
id = "spa"
name = "Browser app"
grants = ["authorization_code", "refresh_token"]
scopes = ["openid", "profile", "email", "address", "phone", "groups", "offline_access", "orders.example.com/read"]
redirect_uris = ["http://127.0.0.1:3000/callback"]
post_logout_redirect_uris = ["http://127.0.0.1:3000/"]

# An app with a server of its own, which keeps the secret.
[[client]]
id = "website"
name = "Website"
secret = "{website}"
grants = ["authorization_code", "refresh_token"]
scopes = ["openid", "profile", "email", "address", "phone", "groups", "offline_access", "orders.example.com/read"]
redirect_uris = ["http://127.0.0.1:4000/callback"]
post_logout_redirect_uris = ["http://127.0.0.1:4000/"]

# A machine. It is the API too, so it may introspect tokens for it, and exchange them as a rule below allows.
[[client]]
id = "orders"
name = "Orders"
secret = "{orders}"
grants = ["client_credentials", "token_exchange"]
scopes = ["orders.example.com/read"]
resources = ["orders.example.com"]

# What it may do for whoever called it: with their token that reads orders, get one that reads shipments.
[[exchange]]
client = "orders"
audience = "shipping.example.com"
scopes = {{ "orders.example.com/read" = ["shipping.example.com/read"] }}

[[user]]
username = "alice"
password = "{password}"
email = "alice@example.com"
groups = ["staff"]

[user.claims]
name = "Alice Ann Example"
given_name = "Alice"
middle_name = "Ann"
family_name = "Example"
nickname = "Al"
preferred_username = "alice"
profile = "https://alice.example.com/about"
picture = "https://alice.example.com/picture.png"
website = "https://alice.example.com"
email_verified = true
gender = "female"
birthdate = "1990-04-01"
zoneinfo = "Europe/Paris"
locale = "en-GB"
phone_number = "+44 20 7946 0000"
phone_number_verified = true
updated_at = 1767225600
address = {{ formatted = "1 High Street\nLondon\nSW1A 1AA\nUnited Kingdom", street_address = "1 High Street", locality = "London", region = "Greater London", postal_code = "SW1A 1AA", country = "United Kingdom" }}

# Who may do everything at the management API.
[[user]]
username = "admin"
password = "{admin}"
groups = ["admins"]
"#
    ))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use grantor_core::model::realm::OPENID_SCOPES;

    use super::*;
    use grantor_config::{Environment, parse};

    fn made(seed: u8) -> Zeroizing<String> {
        let listen = "127.0.0.1:8080".parse().unwrap();
        text(
            "http://127.0.0.1:8080",
            listen,
            &Seed::from_bytes([seed; 32]),
        )
    }

    #[test]
    fn the_file_is_right_and_its_user_has_every_standard_claim() {
        let settings = parse(
            &made(1),
            "grantor.toml",
            Path::new(""),
            &Environment::default(),
        )
        .unwrap();
        let user = &settings.users[0];
        // OpenID Connect Core section 5.1, without sub and email, which are no claims of the file.
        let standard = "name given_name family_name middle_name nickname preferred_username profile picture website \
                        email_verified gender birthdate zoneinfo locale phone_number phone_number_verified address \
                        updated_at";
        let standard: BTreeSet<_> = standard.split_whitespace().collect();
        assert_eq!(
            user.claims
                .keys()
                .map(String::as_str)
                .collect::<BTreeSet<_>>(),
            standard
        );
        assert!(user.email.is_some());
        let said = [settings.not_built(), settings.advice()].concat();
        assert!(said.is_empty(), "{said:?}");
        for id in ["spa", "website"] {
            let client = settings
                .clients
                .iter()
                .find(|client| client.id.as_str() == id);
            let scopes = &client.unwrap().scopes;
            assert!(
                OPENID_SCOPES
                    .iter()
                    .all(|name| scopes.iter().any(|scope| &**scope == *name)),
                "{id} can ask for every claim"
            );
        }
    }

    #[test]
    fn each_installation_has_its_own_password_and_secrets() {
        let [one, other] = [made(1), made(2)];
        let value = |text: &str, key: &str| {
            let lines = text.lines().filter(|line| line.starts_with(key));
            lines
                .map(|line| line.split('"').nth(1).unwrap().to_owned())
                .collect::<Vec<_>>()
        };
        for (key, count) in [("password", 2), ("secret", 2)] {
            let all: BTreeSet<_> = [&one, &other]
                .into_iter()
                .flat_map(|text| value(text, key))
                .collect();
            assert_eq!(all.len(), 2 * count, "{key}");
        }
    }

    #[test]
    fn a_password_has_64_syllables_to_draw_twelve_from() {
        let syllables: BTreeSet<_> = (0..=255)
            .map(|byte| readable([byte; 12])[..2].to_owned())
            .collect();
        assert_eq!(syllables.len(), 64);
        assert_eq!(
            readable([0x00, 0x13, 0x22, 0x31, 0xf3, 0, 0, 0, 0, 0, 0, 0]),
            "badufo-gizuba-bababa-bababa"
        );
    }
}

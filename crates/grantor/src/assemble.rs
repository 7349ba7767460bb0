//! From the settings, in the words of the file, to the pool, in the words of the core.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::hmac;
use grantor_core::client::{
    self, ClientAuth, CodePolicy, ConsentPolicy, DevicePolicy, LogoutPolicy,
};
use grantor_core::grants::GrantType;
use grantor_core::id::InvalidClientId;
use grantor_core::id::UserId;
use grantor_core::interaction::{Password, Provision};
use grantor_core::pool::{self, DeviceSettings, Pool, SignInLimits, TokenSet};
use grantor_core::records::Username;
use grantor_core::resource::{self, TokenForm};
use grantor_core::scope::Scope;
use grantor_core::sealed::SealingKeys;
use grantor_core::secret::{Secret, SecretVerifier};
use grantor_core::user_code::{InvalidFormat, UserCodeFormat};
use grantor_jose::{Algorithm, KeySet};
use grantor_web::{ForwardedHeader, Proxies};
use url::Url;

use crate::config::{
    self, AuthMethod, ClientSecret, ScopeToken, Settings, TokenFormat, UserPassword,
};
use crate::master_key::MasterKeys;

/// The one pool there is.
pub const POOL: &str = "default";

/// The algorithm of access tokens for the issuer's own endpoints.
const ACCESS_TOKEN_ALG: Algorithm = Algorithm::Es256;

/// The grace of clients that prove themselves, and of devices, which lose connections most.
const LONG_GRACE: Duration = Duration::from_secs(60);
/// The grace of other public clients.
const SHORT_GRACE: Duration = Duration::from_secs(10);

/// Why settings make no pool. Reading them checks the same, so an operator does not see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AssembleError {
    /// A client's id.
    #[error("client: {0}")]
    ClientId(#[from] InvalidClientId),
    /// The format of user codes.
    #[error("device.user_code_format: {0}")]
    UserCode(#[from] InvalidFormat),
}

/// The algorithms for which a key is needed. Each issuer has ES256, for access tokens, and RS256: OpenID
/// Connect Discovery section 3 of `id_token_signing_alg_values_supported`: "The algorithm RS256 MUST be included."
#[must_use]
pub fn algorithms(settings: &Settings) -> Vec<Algorithm> {
    let of_resources =
        settings
            .resources
            .iter()
            .filter_map(|resource| match token_form(resource) {
                TokenForm::Jwt(alg) => Some(alg),
                TokenForm::Sealed => None,
            });
    let of_clients = settings
        .clients
        .iter()
        .map(|client| algorithm(client.id_token_alg));
    let all: BTreeSet<_> = [ACCESS_TOKEN_ALG, Algorithm::Rs256]
        .into_iter()
        .chain(of_resources)
        .chain(of_clients)
        .collect();
    all.into_iter().collect()
}

/// The pool that the settings describe, with these keys.
///
/// # Errors
/// [`AssembleError`]
pub fn pool(
    settings: &Settings,
    masters: &MasterKeys,
    signing: KeySet,
) -> Result<Pool, AssembleError> {
    let sealing = SealingKeys::new(POOL, masters.current(), masters.older());
    let secret_key = Arc::new(sealing.client_secret_key());
    let client =
        |client| client_of(client, settings, &secret_key).map(|client| (client.id.clone(), client));
    Ok(Pool {
        name: POOL.to_owned(),
        issuer: settings.issuer.to_string(),
        signing,
        clients: settings
            .clients
            .iter()
            .map(client)
            .collect::<Result<_, _>>()?,
        resources: settings.resources.iter().map(resource_of).collect(),
        access_token_alg: ACCESS_TOKEN_ALG,
        lifetimes: pool::Lifetimes {
            id: settings.lifetimes.id,
            session_idle: settings.lifetimes.session_idle,
            session_absolute: settings.lifetimes.session_absolute,
        },
        device: device_of(settings)?,
        sign_in: sign_in_of(settings),
        nodes: settings.nodes.get(),
        sealing,
    })
}

/// The proxies in front, as the web shell knows them.
#[must_use]
pub fn proxies(settings: &Settings) -> Proxies {
    Proxies {
        trusted: settings.trusted_proxies.clone(),
        header: match settings.forwarded_header {
            config::ForwardedHeader::XForwardedFor => ForwardedHeader::XForwardedFor,
            config::ForwardedHeader::Forwarded => ForwardedHeader::Forwarded,
        },
    }
}

fn sign_in_of(settings: &Settings) -> SignInLimits {
    let usual = SignInLimits::default();
    match settings.test.wrong_passwords {
        None => usual,
        Some(limit) => SignInLimits {
            from_one_address: usual.from_one_address.max(limit.get()),
            in_all: usual.in_all.max(limit.get()),
        },
    }
}

fn device_of(settings: &Settings) -> Result<DeviceSettings, InvalidFormat> {
    let device = &settings.device;
    let length = usize::try_from(device.user_code_length.get()).unwrap_or(usize::MAX);
    Ok(DeviceSettings {
        interval: device.interval,
        user_code: UserCodeFormat::new(device.user_code_format.as_str(), length)?,
        longest_lifetime: settings
            .clients
            .iter()
            .filter_map(|client| client.device_lifetime)
            .fold(device.lifetime, Duration::max),
        max_pending: device.max_pending.get(),
        max_pending_of_address: device.max_pending_per_address.get(),
        tokens: TokenSet {
            id: device.token_set.id,
            refresh: device.token_set.refresh,
        },
    })
}

fn resource_of(resource: &config::Resource) -> resource::Resource {
    resource::Resource {
        identifier: resource.identifier.to_string(),
        uri: resource.uri.as_ref().map(ToString::to_string),
        scopes: resource.scopes.clone(),
        token: token_form(resource),
    }
}

fn token_form(resource: &config::Resource) -> TokenForm {
    match resource.token {
        TokenFormat::Jwt => TokenForm::Jwt(algorithm(resource.alg)),
        TokenFormat::Sealed => TokenForm::Sealed,
    }
}

fn client_of(
    client: &config::Client,
    settings: &Settings,
    secret_key: &Arc<hmac::Key>,
) -> Result<client::Client, AssembleError> {
    let auth = auth_of(client, secret_key);
    let public = matches!(auth, ClientAuth::Public);
    let lifetimes = &settings.lifetimes;
    Ok(client::Client {
        id: client.id.parse()?,
        name: client.name.clone().unwrap_or_else(|| client.id.to_string()),
        enabled: client.enabled,
        grants: client.grants.iter().copied().map(grant).collect(),
        scopes: scope(&client.scopes),
        default_scopes: scope(client.effective_default_scopes()),
        resources: client.resources.clone(),
        access_lifetime: client.access_lifetime.unwrap_or(lifetimes.access),
        refresh_idle: client.refresh_idle.unwrap_or(lifetimes.refresh_idle),
        refresh_absolute: client
            .refresh_absolute
            .unwrap_or(lifetimes.refresh_absolute),
        grace: client.grace.unwrap_or(match public {
            true if !client.grants.contains(&config::Grant::DeviceCode) => SHORT_GRACE,
            _ => LONG_GRACE,
        }),
        // RFC 9700 section 2.2.2: refresh tokens of public clients are sender-constrained or rotated.
        rotation: client.rotation || public,
        id_token_alg: algorithm(client.id_token_alg),
        device: DevicePolicy {
            lifetime: client.device_lifetime.unwrap_or(settings.device.lifetime),
            approval: approval(client.device_approval),
            approver_max_age: client.device_approval_max_age,
        },
        code: CodePolicy {
            redirect_uris: client.redirect_uris.clone(),
            pkce_required: public || client.pkce == config::Pkce::Required,
            lifetime: lifetimes.code,
            consent: match client.consent {
                config::Consent::Ask => ConsentPolicy::Ask,
                config::Consent::Skip => ConsentPolicy::Skip,
            },
        },
        logout: LogoutPolicy {
            redirect_uris: client.post_logout_redirect_uris.clone(),
            backchannel_uri: client
                .backchannel_logout_uri
                .as_ref()
                .map(ToString::to_string),
        },
        origins: origins(client),
        auth,
    })
}

/// The origins of a client's pages: those that the file names, else those of its redirect URIs.
fn origins(client: &config::Client) -> Vec<String> {
    let origins: BTreeSet<String> = match &client.origins {
        Some(named) => named.iter().map(ToString::to_string).collect(),
        None => {
            let urls = client.redirect_uris.iter();
            urls.filter_map(|uri| Url::parse(uri.as_str()).ok())
                .filter(|url| matches!(url.scheme(), "http" | "https"))
                .map(|url| url.origin().ascii_serialization())
                .collect()
        }
    };
    origins.into_iter().collect()
}

fn auth_of(client: &config::Client, secret_key: &Arc<hmac::Key>) -> ClientAuth {
    let verifier = match client.credential() {
        None => return ClientAuth::Public,
        Some(ClientSecret::Plain(secret)) => {
            SecretVerifier::of(secret_key, &Secret::new(secret.reveal()))
        }
        Some(ClientSecret::Sha256(digest)) => SecretVerifier::Sha256(*digest.as_bytes()),
    };
    let allowed = |method| client.auth_methods().contains(&method);
    ClientAuth::Secret {
        verifiers: vec![verifier],
        basic: allowed(AuthMethod::SecretBasic),
        post: allowed(AuthMethod::SecretPost),
    }
}

/// A user of the file, to be written as rows. Without an id it is derived from the name as it is
/// compared, so that another case of a letter does not make another person.
#[must_use]
pub fn provision(user: &config::User) -> Provision {
    let id = user.id.map(UserId::new);
    Provision {
        id: id.unwrap_or_else(|| UserId::derived(POOL, &Username::fold(&user.username))),
        username: user.username.to_string(),
        enabled: user.enabled,
        password: match user.credential() {
            None => Password::None,
            Some(UserPassword::Hash(hash)) => Password::Hash(hash.secret().reveal().to_owned()),
            Some(UserPassword::Plain(password)) => Password::Plain {
                password: Secret::new(password.reveal()),
                hash: None,
            },
        },
        email: user.email.clone(),
        groups: user.groups.clone(),
        claims: user.claims.clone(),
    }
}

fn scope(tokens: &[ScopeToken]) -> Scope {
    tokens.iter().map(|token| &**token).collect()
}

const fn algorithm(alg: config::Algorithm) -> Algorithm {
    match alg {
        config::Algorithm::Rs256 => Algorithm::Rs256,
        config::Algorithm::Ps256 => Algorithm::Ps256,
        config::Algorithm::Es256 => Algorithm::Es256,
        config::Algorithm::EdDsa => Algorithm::EdDsa,
    }
}

const fn grant(grant: config::Grant) -> GrantType {
    match grant {
        config::Grant::AuthorizationCode => GrantType::AuthorizationCode,
        config::Grant::ClientCredentials => GrantType::ClientCredentials,
        config::Grant::DeviceCode => GrantType::DeviceCode,
        config::Grant::RefreshToken => GrantType::RefreshToken,
        config::Grant::TokenExchange => GrantType::TokenExchange,
    }
}

const fn approval(approval: config::DeviceApproval) -> client::DeviceApproval {
    match approval {
        config::DeviceApproval::Warn => client::DeviceApproval::Warn,
        config::DeviceApproval::SameNetwork => client::DeviceApproval::SameNetwork,
        config::DeviceApproval::Retype => client::DeviceApproval::Retype,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use grantor_core::sealed::MasterKey;

    use super::*;
    use crate::config::Environment;

    fn settings(tables: &str) -> Settings {
        let text = format!("issuer = \"https://id.example.com\"\n{tables}");
        let environment: Environment = [("SECRET", "from the environment")].into_iter().collect();
        config::parse(&text, "grantor.toml", Path::new(""), &environment).unwrap()
    }

    fn assembled(tables: &str) -> Pool {
        pool(
            &settings(tables),
            &MasterKey::new([1; 32]).into(),
            KeySet::default(),
        )
        .unwrap()
    }

    #[test]
    fn a_secret_from_the_file_the_environment_or_a_digest_is_verified_alike() {
        use aws_lc_rs::digest::{SHA256, digest};
        let digest = hex::encode(digest(&SHA256, b"from a digest"));
        let pool = assembled(&format!(
            "[[client]]\nid = \"a\"\nsecret = \"from the file\"\n\
             [[client]]\nid = \"b\"\nsecret_env = \"SECRET\"\nauth = \"client_secret_post\"\n\
             [[client]]\nid = \"c\"\nsecret_sha256 = \"{digest}\"\n"
        ));
        for (id, right, only_post) in [
            ("a", "from the file", false),
            ("b", "from the environment", true),
            ("c", "from a digest", false),
        ] {
            let ClientAuth::Secret {
                verifiers,
                basic,
                post,
            } = &pool.client(id).unwrap().auth
            else {
                panic!("{id} is confidential");
            };
            assert!(verifiers[0].accepts(&Secret::new(right)), "{id}");
            assert!(!verifiers[0].accepts(&Secret::new("another")), "{id}");
            assert_eq!((*basic, *post), (!only_post, true), "{id}");
        }
    }

    #[test]
    fn the_grace_is_long_for_those_who_prove_themselves_and_for_devices() {
        let pool = assembled(
            "[[client]]\nid = \"confidential\"\nsecret = \"s\"\n\
             [[client]]\nid = \"device\"\ngrants = [\"device_code\"]\n\
             [[client]]\nid = \"browser\"\ngrants = [\"refresh_token\"]\n\
             [[client]]\nid = \"own\"\ngrace = \"3s\"\n",
        );
        let grace = |id| pool.client(id).unwrap().grace.as_secs();
        assert_eq!(
            ["confidential", "device", "browser", "own"].map(grace),
            [60, 60, 10, 3]
        );
    }

    #[test]
    fn the_proxies_write_the_header_that_the_operator_names() {
        let named = "trusted_proxies = [\"10.0.0.1\"]\nforwarded_header = \"forwarded\"\n";
        let (default, named) = (proxies(&settings("")), proxies(&settings(named)));
        assert_eq!(default.header, ForwardedHeader::XForwardedFor);
        assert_eq!(named.header, ForwardedHeader::Forwarded);
        assert_eq!(named.trusted, ["10.0.0.1/32".parse().unwrap()]);
    }

    #[test]
    fn a_client_has_its_own_lives_or_those_of_all() {
        let pool = assembled(
            "[lifetimes]\naccess = \"5m\"\n[device]\nlifetime = \"20m\"\n\
             [[client]]\nid = \"all\"\n\
             [[client]]\nid = \"own\"\naccess_lifetime = \"1m\"\ndevice_lifetime = \"2m\"\nrefresh_idle = \"3d\"\n",
        );
        let lives = |id| {
            let client = pool.client(id).unwrap();
            [
                client.access_lifetime,
                client.device.lifetime,
                client.refresh_idle,
            ]
            .map(|life| life.as_secs())
        };
        assert_eq!(lives("all"), [300, 1200, 30 * 86400]);
        assert_eq!(lives("own"), [60, 120, 3 * 86400]);
    }

    #[test]
    fn the_lives_that_the_conformance_suite_needs_can_be_set() {
        let pool = assembled(
            "[lifetimes]\ncode = \"60s\"\n\
             [[client]]\nid = \"suite\"\nsecret = \"s\"\ngrace = \"60s\"\npkce = \"optional\"\nconsent = \"skip\"\n\
             backchannel_logout_uri = \"https://app.example.com/logout\"\n",
        );
        let client = pool.client("suite").unwrap();
        assert_eq!(client.code.lifetime, Duration::from_secs(60));
        assert_eq!(client.grace, Duration::from_secs(60));
        assert!(!client.code.pkce_required);
        assert_eq!(client.code.consent, ConsentPolicy::Skip);
        let told = client.logout.backchannel_uri.as_deref();
        assert_eq!(told, Some("https://app.example.com/logout"));
    }

    #[test]
    fn the_origins_of_a_client_are_those_of_its_redirect_uris_unless_it_names_them() {
        let uris = "redirect_uris = [\"https://app.example.com/a\", \"https://app.example.com/b\", \
                    \"https://app.example.com:8443/a\", \"com.example.app:/cb\", \"http://127.0.0.1:3000/cb\"]\n";
        let pool = assembled(&format!(
            "[[client]]\nid = \"all\"\n{uris}\
             [[client]]\nid = \"own\"\n{uris}origins = [\"https://other.example.com\"]\n\
             [[client]]\nid = \"none\"\n{uris}origins = []\n"
        ));
        let origins = |id| &*pool.client(id).unwrap().origins;
        assert_eq!(
            origins("all"),
            [
                "http://127.0.0.1:3000",
                "https://app.example.com",
                "https://app.example.com:8443"
            ]
        );
        assert_eq!(origins("own"), ["https://other.example.com"]);
        assert!(origins("none").is_empty());
    }

    #[test]
    fn tests_may_let_more_wrong_passwords_through_and_never_fewer() {
        let limits = |tables: &str| {
            let text = format!("issuer = \"http://127.0.0.1:8080\"\n{tables}");
            let environment = Environment::default();
            let settings = config::parse(&text, "grantor.toml", Path::new(""), &environment);
            let limits = sign_in_of(&settings.unwrap());
            (limits.from_one_address, limits.in_all)
        };
        assert_eq!(limits(""), (10, 100));
        assert_eq!(limits("[test]\nwrong_passwords = 5000"), (5000, 5000));
        assert_eq!(limits("[test]\nwrong_passwords = 50"), (50, 100));
        assert_eq!(limits("[test]\nwrong_passwords = 1"), (10, 100));
    }

    #[test]
    fn scopes_default_to_all_that_a_client_may_ask_for() {
        let pool = assembled(
            "[[client]]\nid = \"all\"\nscopes = [\"openid\", \"email\"]\n\
             [[client]]\nid = \"some\"\nscopes = [\"openid\", \"email\"]\ndefault_scopes = [\"openid\"]\n",
        );
        let defaults = |id| pool.client(id).unwrap().default_scopes.to_string();
        assert_eq!(
            [defaults("all"), defaults("some")],
            ["email openid", "openid"]
        );
    }

    #[test]
    fn each_algorithm_in_use_needs_a_key_and_two_always_do() {
        assert_eq!(
            algorithms(&settings("")),
            [Algorithm::Es256, Algorithm::Rs256]
        );
        let more = settings(
            "[[resource]]\nidentifier = \"api\"\nalg = \"EdDSA\"\n\
             [[resource]]\nidentifier = \"other\"\nalg = \"PS256\"\ntoken = \"sealed\"\n",
        );
        assert_eq!(
            algorithms(&more),
            [Algorithm::Es256, Algorithm::Rs256, Algorithm::EdDsa]
        );
    }

    #[test]
    fn a_user_is_the_same_person_in_another_case() {
        let id = |name: &str| {
            let user = format!("[[user]]\nusername = \"{name}\"\npassword = \"p\"\n");
            provision(&settings(&user).users[0]).id
        };
        assert_eq!(id("alice"), id("Alice"));
        assert_ne!(id("alice"), id("bob"));
    }
}

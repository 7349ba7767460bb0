//! Every setting, declared once.

mod exchange;
mod organization;
mod resource;
mod user;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

use grantor_core::base::peer::ForwardedHeader;
use grantor_core::base::secret::Secret;
use grantor_core::model::claim_mapping::Source;
use grantor_core::model::client::{AuthMethod, ConsentPolicy, DeviceApproval, IdTokenContent};
use grantor_core::model::grant_type::GrantType;
use grantor_core::model::ids::{ClientId, OrganizationId};
use grantor_core::model::organization::Availability;
use grantor_core::model::realm::{CookieLife, TokenSet};
use grantor_core::model::redirect_uri::RedirectUri;
use grantor_core::model::requested_scope::UnknownScopes;
use grantor_core::model::scope::ScopeToken;
use grantor_core::model::server_url::ServerUrl;
use grantor_core::model::user_code::UserCodeAlphabet;
use grantor_jose::Algorithm;
use ipnet::IpNet;

use super::mistake::WrittenPlaces;
use super::names::{DeviceTokens, Dialect, Pkce, TlsVersion};
use super::place::Place;
use super::rotation::KeyRotation;
use super::secret::{SecretFile, SecretVariable, Sha256Digest};
use super::size::FileSize;
use super::table::table;
use super::text::{Issuer, Origin, ProviderIssuer, Store};
use super::written::WrittenJson;

pub use exchange::{Exchange, TrustedIssuer};
pub use organization::Organization;
pub use resource::{PlainScope, Resource, ResourceScope, ScopeTable};
pub use user::{User, UserPassword};

table! {
    /// The configuration of a server.
    pub struct Settings {
        /// The URL that names this server in every token, without a trailing slash.
        /// https, except on a loopback host.
        issuer: Issuer, example "http://127.0.0.1:8080";

        /// The address and port to listen on. One that others can reach needs tls, or a proxy
        /// among trusted_proxies that speaks TLS.
        listen: SocketAddr = "127.0.0.1:8080", example "[::1]:8080";

        /// Where grants, users and sessions live: memory:, sqlite:FILE or postgres://USER@HOST/DB.
        store: Store = "sqlite:grantor.db", example "sqlite:/var/lib/grantor/grantor.db";

        /// The file of the master key. It is made at the first start, readable by its owner only;
        /// with PostgreSQL it must be given. Of several lines the first seals, and the others
        /// open what they sealed: `grantor keys rotate-master` writes such a file.
        key_file: PathBuf = "grantor.key", example "/etc/grantor/grantor.key";

        /// The environment variable that holds the master key, instead of key_file; after a space,
        /// older ones that only open.
        key_env: Option<SecretVariable>, example "MASTER_KEY";

        /// The largest size of a day's file of events. At half of it routine events stop, at three quarters
        /// all but reuse, revocation, and changes of keys and accounts.
        events_max: FileSize = "256MiB", example "1GiB";

        /// How long a signing key signs before the next one does, which is published long before;
        /// 0s or off: until `grantor keys rotate`.
        key_rotation: KeyRotation = "90d", example "30d";

        /// How many servers share the store. Each allows its share of what is limited.
        nodes: NonZeroU32 = "1", example "3";

        /// The address and port of /metrics, /healthz and /readyz in plain http, for the operator only.
        /// Without it there are no metrics.
        admin_listen: Option<SocketAddr>, example "127.0.0.1:8081";

        /// The proxies in front, as networks or addresses: what they forward counts.
        trusted_proxies: Vec<IpNet>, example r#"["10.0.0.0/8"]"#;

        /// The header in which they write whom they ask for: x-forwarded-for or forwarded
        /// (RFC 7239). The other one is ignored, since clients can write it.
        forwarded_header: ForwardedHeader = "x-forwarded-for", example "forwarded";

        /// The folder of templates that replace those of the pages, by their names.
        templates: Option<PathBuf>, example "templates";

        /// What becomes of a scope that nobody knows or its client may not ask for, where users sign in and
        /// devices start: ignore leaves it out, and the answer and the log say so; refuse ends the
        /// request. The token endpoint always refuses it.
        unknown_scopes: UnknownScopes = "ignore", example "refuse";

        /// Translations for the clients of other systems: cognito_device, iroh.
        dialects: Vec<Dialect>, example r#"["cognito_device"]"#;

        /// TLS, where no proxy speaks it.
        tls: Option<Tls>, example "";

        /// How long things live: a number and s, m, h or d.
        lifetimes: Lifetimes, example "";

        /// The device grant (RFC 8628).
        device: Device, example "";

        /// An upstream OpenID provider, for sign-in or for a device's tokens.
        providers as provider: Vec<Provider>, example "";

        /// A protected API.
        resources as resource: Vec<Resource>, example "";

        /// A scope that is asked for as it stands, besides those of an API, which are IDENTIFIER/NAME.
        scopes as scope: Vec<PlainScope>, example "";

        /// To which users and applications belong.
        organizations as organization: Vec<Organization>, example "";

        /// An application that asks for tokens.
        clients as client: Vec<Client>, example "";

        /// Who may exchange which token for what (RFC 8693). Without a rule, nobody. Of a client's rules for
        /// an audience, the first in the file that allows the whole request decides.
        exchanges as exchange: Vec<Exchange>, example "";

        /// Another issuer, whose JWTs rules of exchange may take: by subject_issuer and actor_issuer.
        trusted_issuers as trusted_issuer: Vec<TrustedIssuer>, example "";

        /// A person who signs in.
        users as user: Vec<User>, example "";

        /// The management API.
        api: Api, example "";

        /// What only tests need. Each of these that is set is told at every start.
        test: Test, example "";

        ..places: WrittenPlaces
    }
}

/// Where the master key comes from.
#[derive(Debug, Clone, Copy)]
pub enum MasterKey<'a> {
    /// A file, made at the first start unless it exists.
    File(&'a Path),
    /// The environment.
    Given(&'a Secret),
}

impl Settings {
    /// Where a setting is written, for messages: `grantor.toml:2:9`, a variable, or the file where it has its default. The
    /// key in a table is that of TOML: `test.extra_ca`.
    #[must_use]
    pub fn location(&self, key: &str) -> String {
        let steps = key.split('.');
        let place = steps.fold(Place::root(), |place, key| place.key(key));
        self.places.location(&place)
    }

    pub fn master_key(&self) -> MasterKey<'_> {
        match &self.key_env {
            Some(variable) => MasterKey::Given(variable.secret()),
            None => MasterKey::File(&self.key_file),
        }
    }

    pub fn client(&self, id: &str) -> Option<&Client> {
        self.clients.iter().find(|client| client.id.as_str() == id)
    }

    /// The resource of this uri or identifier.
    pub fn resource(&self, name: &str) -> Option<&Resource> {
        let mut resources = self.resources.iter();
        resources.find(|resource| resource.audience() == name || *resource.identifier == *name)
    }
}

table! {
    /// TLS, where no proxy speaks it.
    pub struct Tls {
        /// The certificate chain, as PEM.
        cert: PathBuf, example "tls/cert.pem";

        /// The private key, as PEM.
        key: PathBuf, example "tls/key.pem";

        /// The oldest version that is spoken; 1.2 allows ECDHE with AES-GCM only.
        min: TlsVersion = "1.3", example "1.2";
    }
}

table! {
    /// How long things live.
    pub struct Lifetimes {
        /// An access token.
        access: Duration = "10m", example "5m";

        /// An ID token.
        id: Duration = "10m", example "5m";

        /// An authorization code; 10m at most.
        code: Duration = "60s", example "30s";

        /// A refresh token that is not used.
        refresh_idle: Duration = "30d", example "14d";

        /// Refreshing as a whole, counted from the authorization.
        refresh_absolute: Duration = "365d", example "90d";

        /// A session in which nothing happens.
        session_idle: Duration = "8h", example "30m";

        /// A session as a whole.
        session_absolute: Duration = "7d", example "12h";

        /// The cookie of a session: browser, until the browser closes, or persistent, as long as session_absolute
        /// where the user ticks "Stay signed in". session_idle ends it all the same.
        session_cookie: CookieLife = "browser", example "persistent";

        /// How far the clocks of others may be off.
        skew: Duration = "60s", example "30s";
    }
}

table! {
    /// The device grant.
    pub struct Device {
        /// How long a device may wait for its user.
        lifetime: Duration = "10m", example "30m";

        /// How long a device waits between two polls, at first.
        interval: Duration = "5s", example "2s";

        /// The letters of a user code, by class: # digits, a A letters, b B letters without vowels
        /// and y, ! special characters. Codes are compared without case, dashes and spaces.
        user_code_format: UserCodeAlphabet = "B", example "#B";

        /// How many letters a user code has; more while many codes are alive.
        user_code_length: NonZeroU32 = "8", example "9";

        /// Whose tokens a device gets: own, or provider for those of the upstream provider.
        tokens: DeviceTokens = "own", example "provider";

        /// The name of that provider.
        provider: Option<String>, example "corp";

        /// Which tokens a device gets: ID, ACCESS and REFRESH, joined by +.
        token_set: TokenSet = "ID+ACCESS+REFRESH", example "ACCESS+REFRESH";

        /// How many codes of one client may wait for their users; while several networks ask, a tenth of them from each.
        max_pending: NonZeroU32 = "100000", example "1000";

        /// How many codes asked for from one address may wait; loopback has no limit.
        max_pending_per_address: NonZeroU32 = "1000", example "50";
    }
}

table! {
    /// An upstream OpenID provider.
    pub struct Provider {
        /// Its name in this file.
        name: String, example "corp";

        /// The URL that names it.
        issuer: ProviderIssuer, example "https://idp.example.com";

        /// The client id that it knows this server by.
        client_id: String, example "grantor";

        /// The environment variable that holds the secret of that client.
        client_secret_env: Option<SecretVariable>, example "CORP_SECRET";
    }
}

table! {
    /// An application that asks for tokens.
    pub struct Client {
        /// Its client_id.
        id: ClientId, example "tv";

        /// Its name, as users read it; the id, if left out.
        name: Option<String>, example "Living-room TV";

        /// What it is for, for those who manage it.
        description: Option<String>, example "The TVs in the meeting rooms";

        /// Its secret. A client without any is public.
        secret: Option<Secret>, example "correct horse battery staple";

        /// The environment variable that holds its secret.
        secret_env: Option<SecretVariable>, example "ORDERS_SECRET";

        /// Several such variables, each with a secret that counts: to replace one without a gap,
        /// name the new one too, and leave the old one out once the client has the new one.
        secrets_env: Option<Vec<SecretVariable>>, example r#"["ORDERS_SECRET", "ORDERS_SECRET_NEW"]"#;

        /// The file that holds its secret; of several lines each is a secret that counts.
        secret_file: Option<SecretFile>, example "/run/secrets/orders";

        /// The SHA-256 of its secret, in hexadecimal; only for random secrets.
        secret_sha256: Option<Sha256Digest>, example "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

        /// How it authenticates: client_secret_basic, client_secret_post or none.
        /// If left out, both of the first with a secret, and none without.
        auth: Option<AuthMethod>, example "client_secret_basic";

        /// Whether it may get and use tokens.
        enabled: bool = "true", example "false";

        /// How it may get tokens: authorization_code, device_code, client_credentials,
        /// refresh_token, token_exchange.
        grants: Vec<GrantType>, example r#"["device_code", "refresh_token"]"#;

        /// What it may ask for.
        scopes: Vec<ScopeToken>, example r#"["openid", "profile", "orders.example.com/read"]"#;

        /// What it gets when it asks for none; all of its scopes, if left out.
        default_scopes: Option<Vec<ScopeToken>>, example r#"["openid"]"#;

        /// The APIs that it is: it may introspect tokens for them, and exchange them.
        resources: Vec<String>, example r#"["orders.example.com"]"#;

        /// Where browsers are sent back to after sign-in: https, the app's own scheme, or http on
        /// this machine. Requests name one of these as it is written here; http on the address
        /// 127.0.0.1 or ::1 with any port (RFC 8252), and on localhost if written without one.
        redirect_uris: Vec<RedirectUri>, example r#"["https://app.example.com/callback"]"#;

        /// Where browsers are sent back to after sign-out: such addresses, as they are written here.
        post_logout_redirect_uris: Vec<RedirectUri>, example r#"["https://app.example.com/"]"#;

        /// The origins whose scripts may call the endpoints for tokens, userinfo, revocation and
        /// devices as this client (CORS); those of redirect_uris, if left out. http on 127.0.0.1,
        /// ::1 or localhost without a port is for every port.
        origins: Option<Vec<Origin>>, example r#"["https://app.example.com"]"#;

        /// What is told when a session ends in which it got tokens: https; for a client with a secret
        /// also http on this machine, where the issuer is there or test.loopback is set.
        backchannel_logout_uri: Option<ServerUrl>, example "https://app.example.com/logout";

        /// The life of its access tokens, instead of lifetimes.access.
        access_lifetime: Option<Duration>, example "5m";

        /// The life of its unused refresh tokens, instead of lifetimes.refresh_idle.
        refresh_idle: Option<Duration>, example "14d";

        /// How long it may refresh, instead of lifetimes.refresh_absolute.
        refresh_absolute: Option<Duration>, example "90d";

        /// How long a used refresh token may be sent again, by a client that lost the answer; 5m at most.
        /// If left out, 60s for clients with a secret and for devices, and 10s for others.
        grace: Option<Duration>, example "30s";

        /// Whether each refresh gives a new refresh token; only clients with a secret may do without.
        rotation: bool = "true", example "false";

        /// Whether it must use PKCE with S256: required, or optional for clients with a secret.
        pkce: Pkce = "required", example "optional";

        /// Whether users are asked before it gets their tokens: ask, or skip for your own apps.
        consent: ConsentPolicy = "ask", example "skip";

        /// The algorithm that signs its ID tokens: RS256, PS256, ES256, EdDSA.
        id_token_alg: Algorithm = "RS256", example "ES256";

        /// The further claims of its ID tokens, each with its source, like claims of a resource. What a scope
        /// stands for needs that scope; the rest is shown where users consent.
        id_claims: BTreeMap<String, Source>, example r#"{ "cognito:groups" = "groups", app = "client.name" }"#;

        /// Which claims its ID tokens have besides: requested for those that the app asks for by the claims
        /// parameter, scopes for those of the granted scopes too (name, email, …), for apps that
        /// do not ask userinfo.
        id_token_claims: IdTokenContent = "requested", example "scopes";

        /// The organization that it belongs to. While that is disabled, so is the client.
        organization: Option<OrganizationId>, example "acme";

        /// Who may sign in to it: everyone, organization for the users of its organization alone, or owner for
        /// the user who made it, which a client of this file does not have.
        availability: Availability = "everyone", example "organization";

        /// The client that may act for its users: their access tokens name it (RFC 8693 section 4.4).
        may_act: Option<ClientId>, example "orders";

        /// How long its devices may wait, instead of device.lifetime.
        device_lifetime: Option<Duration>, example "5m";

        /// How users approve its devices: warn when device and browser are on different networks,
        /// same_network to refuse that, retype to have the code typed from the device.
        device_approval: DeviceApproval = "warn", example "retype";

        /// How long ago the user who approves a device may have signed in.
        device_approval_max_age: Duration = "12h", example "10m";

        ..written: WrittenJson
    }
}

/// What a client proves itself with.
#[derive(Debug, Clone, Copy)]
pub enum ClientSecret<'a> {
    Plain(&'a Secret),
    Sha256(&'a Sha256Digest),
}

impl Client {
    /// Its secrets, each of which counts; a public client has none.
    pub fn credentials(&self) -> impl Iterator<Item = ClientSecret<'_>> {
        let several = self.secrets_env.iter().flatten();
        let variables = self.secret_env.iter().chain(several);
        let file = self.secret_file.iter().flat_map(SecretFile::secrets);
        let plain = self.secret.iter();
        let plain = plain
            .chain(variables.map(SecretVariable::secret))
            .chain(file);
        let digests = self.secret_sha256.iter().map(ClientSecret::Sha256);
        plain.map(ClientSecret::Plain).chain(digests)
    }

    pub fn is_public(&self) -> bool {
        self.credentials().next().is_none()
    }

    pub fn auth_methods(&self) -> &[AuthMethod] {
        match &self.auth {
            Some(method) => std::slice::from_ref(method),
            None if !self.is_public() => &[AuthMethod::SecretBasic, AuthMethod::SecretPost],
            None => &[AuthMethod::None],
        }
    }

    pub fn effective_default_scopes(&self) -> &[ScopeToken] {
        self.default_scopes.as_deref().unwrap_or(&self.scopes)
    }
}

table! {
    /// The management API. `grantor` commands work without it, on this machine.
    pub struct Api {
        /// Whether the API and its documentation are served, at /api.
        enabled: bool = "false", example "true";

        /// The groups whose members may do everything there; ["admins"], if left out.
        admins: Option<Vec<String>>, example r#"["admins"]"#;

        /// The groups whose members may have clients of their own there, within their own scopes.
        developers: Vec<String>, example r#"["developers"]"#;
    }
}

impl Api {
    pub fn effective_admins(&self) -> Vec<String> {
        let usual = || vec!["admins".to_owned()];
        self.admins.clone().unwrap_or_else(usual)
    }
}

table! {
    /// What only tests need. Each of these that is set is told at every start.
    pub struct Test {
        /// Certificates that are trusted beside the system's where this server asks others, as PEM.
        extra_ca: Option<PathBuf>, example "tests/ca.pem";

        /// Whether this server may ask others on its own machine, by plain http too.
        loopback: bool = "false", example "true";

        /// How many wrong passwords an hour are let through, instead of 10 for an account from an
        /// address and 100 in all; only where the issuer is on this machine.
        wrong_passwords: Option<NonZeroU32>, example "10000";
    }
}

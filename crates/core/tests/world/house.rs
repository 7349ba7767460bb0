//! The house: its keys, resources and clients.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use grantor_core::base::sealing::{MasterKey, SealingKeys};
use grantor_core::base::secret::{Secret, SecretVerifier};
use grantor_core::grants::GrantType;
use grantor_core::model::claim_mapping::ClaimMapping;
use grantor_core::model::client::{
    Client, ClientAuth, CodePolicy, ConsentPolicy, DeviceApproval, DevicePolicy, LogoutPolicy,
};
use grantor_core::model::group_filter::GroupFilter;
use grantor_core::model::realm::{DeviceSettings, Lifetimes, Realm, SignInLimits, TokenSet};
use grantor_core::model::resource::{Resource, TokenForm};
use grantor_core::model::scope::Scope;
use grantor_core::model::user_code::UserCodeFormat;
use grantor_jose::{Algorithm, Jwk, KeySet, KeyState, LocalSigner, SigningKey};

use super::Spans;
use super::web_apps::callback;

pub(crate) const ISSUER: &str = "https://house.example";
/// Too long to be guessed.
pub(crate) const CONSOLE_SECRET: &str = "console:secret/with 22+ characters";
/// Of each app that has one.
pub(crate) const SITE_SECRET: &str = "a site's secret of 22+ characters";
/// Short enough to be guessed, so wrong ones are counted.
pub(crate) const ORDERS_SECRET: &str = "s3cr3t";

/// A key of each algorithm, then keys of ES256 that a test may put into their place; made once, since an RSA key is slow
/// to find.
static KEYS: LazyLock<(LocalSigner, Vec<Jwk>)> = LazyLock::new(|| {
    let key = |alg| SigningKey::generate(alg).expect("the machine has memory").0;
    let spare = std::iter::repeat_n(Algorithm::Es256, 8);
    let keys = [Algorithm::Es256, Algorithm::Rs256]
        .into_iter()
        .chain(spare);
    let keys: Vec<_> = keys.map(key).collect();
    let public = keys.iter().map(SigningKey::jwk).collect();
    (keys.into_iter().collect(), public)
});

/// The public keys: one of each algorithm, then the spare ones.
pub(crate) fn public_keys() -> (&'static [Jwk], &'static [Jwk]) {
    KEYS.1.split_at(2)
}

pub(crate) fn signer() -> &'static LocalSigner {
    &KEYS.0
}

pub(crate) fn realm() -> Realm {
    let sealing = SealingKeys::new("default", &MasterKey::new([1; 32]), &[]);
    let secret_key = Arc::new(sealing.client_secret_key());
    let secret = |secret: &str| ClientAuth::Secret {
        verifiers: vec![SecretVerifier::new(&secret_key, &Secret::new(secret))],
        basic: true,
        post: true,
    };
    let clients = [
        device("tv", ClientAuth::Public),
        device("tv2", ClientAuth::Public),
        Client {
            resources: vec!["files.example.com".to_owned()],
            ..device("console", secret(CONSOLE_SECRET))
        },
        Client {
            grants: vec![GrantType::ClientCredentials],
            scopes: scope(
                "openid orders.example.com/read orders.example.com/write files.example.com/read",
            ),
            default_scopes: scope("openid orders.example.com/read"),
            resources: vec!["orders.example.com".to_owned()],
            ..device("orders", secret(ORDERS_SECRET))
        },
        app("spa", ClientAuth::Public),
        app("site", secret(SITE_SECRET)),
        app("shop", secret(SITE_SECRET)),
    ];
    Realm {
        name: "default".to_owned(),
        issuer: ISSUER.to_owned(),
        sealing,
        signing: KeySet::new(
            public_keys()
                .0
                .iter()
                .map(|jwk| (jwk.clone(), KeyState::Active)),
        )
        .expect("different keys"),
        clients: clients.map(|client| (client.id.clone(), client)).into(),
        resources: vec![
            resource(
                "orders.example.com",
                Some("https://orders.example.com"),
                &[("read", "Read orders"), ("write", "Change orders")],
                TokenForm::Jwt(Algorithm::Es256),
            ),
            resource(
                "files.example.com",
                None,
                &[("read", "Read files")],
                TokenForm::Sealed,
            ),
        ],
        exchange: Vec::new(),
        trusted_issuers: Vec::new(),
        access_token_alg: Algorithm::Es256,
        lifetimes: Lifetimes {
            id: 10.mins(),
            session_idle: 8.h(),
            session_absolute: 7.days(),
        },
        device: DeviceSettings {
            interval: 5.s(),
            user_code: UserCodeFormat::new("B", 8).expect("the default format"),
            max_pending: 100_000,
            longest_lifetime: 10.mins(),
            max_pending_per_address: 1000,
            tokens: TokenSet {
                id: true,
                access: true,
                refresh: true,
            },
        },
        sign_in: SignInLimits::default(),
        nodes: 1,
    }
}

/// A client whose devices get every kind of token.
pub(crate) fn device(id: &str, auth: ClientAuth) -> Client {
    Client {
        id: id.parse().expect("a client id"),
        name: format!("The {id}"),
        enabled: true,
        auth,
        grants: vec![GrantType::DeviceCode, GrantType::RefreshToken],
        scopes: scope(
            "openid profile email orders.example.com/read orders.example.com/write files.example.com/read",
        ),
        default_scopes: scope("openid profile orders.example.com/read"),
        resources: Vec::new(),
        access_lifetime: 10.mins(),
        refresh_idle: 30.days(),
        refresh_absolute: 365.days(),
        grace: 60.s(),
        rotation: true,
        // The tv's is RS256, the default; the others' ES256.
        id_token_alg: if id == "tv" {
            Algorithm::Rs256
        } else {
            Algorithm::Es256
        },
        id_claims: ClaimMapping::default(),
        actor: None,
        device: DevicePolicy {
            lifetime: 10.mins(),
            approval: DeviceApproval::Warn,
            approver_max_age: 12.h(),
        },
        code: CodePolicy::NONE,
        logout: LogoutPolicy::default(),
        origins: Vec::new(),
    }
}

/// A client that signs its users in by a redirect.
fn app(id: &str, auth: ClientAuth) -> Client {
    let uri = |text: &str| text.parse().expect("a redirect URI");
    Client {
        grants: vec![GrantType::AuthorizationCode, GrantType::RefreshToken],
        scopes: scope(
            "openid profile email phone address offline_access orders.example.com/read orders.example.com/write \
             files.example.com/read",
        ),
        default_scopes: scope("openid profile"),
        grace: 10.s(),
        code: CodePolicy {
            redirect_uris: vec![uri(&callback(id)), uri("http://127.0.0.1:3000/cb")],
            pkce_required: true,
            lifetime: 60.s(),
            consent: ConsentPolicy::Ask,
        },
        ..device(id, auth)
    }
}

pub(crate) fn resource(
    identifier: &str,
    uri: Option<&str>,
    scopes: &[(&str, &str)],
    token: TokenForm,
) -> Resource {
    let scopes: BTreeMap<_, _> = scopes
        .iter()
        .map(|(name, words)| ((*name).to_owned(), (*words).to_owned()))
        .collect();
    Resource {
        identifier: identifier.to_owned(),
        uri: uri.map(ToOwned::to_owned),
        scopes,
        token,
        lifetime: None,
        groups: GroupFilter::All,
        claims: ClaimMapping::default(),
    }
}

pub(crate) fn scope(text: &str) -> Scope {
    text.parse().expect("a scope")
}

/// A client of the realm, to be changed.
pub(crate) fn client<'p>(realm: &'p mut Realm, id: &str) -> &'p mut Client {
    let id = id.parse().expect("a client id");
    realm.clients.get_mut(&id).expect("a client of the house")
}

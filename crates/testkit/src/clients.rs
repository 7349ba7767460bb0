//! The clients of the standard realm, and presets for others.
//!
//! | client | kind | secret | notes |
//! |---|---|---|---|
//! | `tv`, `tv2` | device app | none | ID tokens of `tv` are RS256, of `tv2` ES256 |
//! | `console` | device app | [`CONSOLE_SECRET`] | the resource server `files.example.com` |
//! | `orders` | machine | [`ORDERS_SECRET`] | the resource server `orders.example.com` |
//! | [`SPA`] | app in a browser | none | one redirect URI, PKCE |
//! | [`SITE`] | app on a server | [`APP_SECRET`] | PKCE, and a second redirect URI on this machine |
//! | [`WIKI`] | app on a server | [`APP_SECRET`] | PKCE, one redirect URI |
//! | [`SHOP`] | app on a server | [`APP_SECRET`] | no PKCE, a second redirect URI with a query |
//! | [`FORUM`] | app on a server | [`APP_SECRET`] | no PKCE, one redirect URI |
//! | [`PORTAL`] | app on a server | [`APP_SECRET`] | no PKCE; users are not asked for consent |
//! | [`NATIVE`] | native app | none | PKCE, loopback redirect URIs and a scheme of its own |

use std::sync::Arc;

use grantor_core::base::secret::{Secret, SecretVerifier};
use grantor_core::grants::GrantType;
use grantor_core::model::claim_mapping::ClaimMapping;
use grantor_core::model::client::{
    Client, ClientAuth, CodePolicy, ConsentPolicy, DeviceApproval, DevicePolicy, IdTokenContent,
    LogoutPolicy,
};
use grantor_core::model::organization::Availability;
use grantor_core::model::scope::Scope;
use grantor_jose::Algorithm;

use crate::{Spans as _, sealing};

/// Too long to be guessed, and with characters that Basic must encode.
pub const CONSOLE_SECRET: &str = "console:secret/with 22+ characters";
/// The secret of each app that has one, and of each service.
pub const APP_SECRET: &str = "app:secret/with 22+ characters";
/// Short enough to be guessed, so wrong ones are counted.
pub const ORDERS_SECRET: &str = "s3cr3t";
/// A service whose id looks like a user's.
pub const ROBOT: &str = "0b0e5bd5-8d4b-4f3e-9d1e-6d1b6b8f7a11";

/// An app in a browser.
pub const SPA: &str = "spa";
/// An app on a server that uses PKCE.
pub const SITE: &str = "site";
/// An app on a server that does not use PKCE.
pub const SHOP: &str = "shop";
/// Another app on a server that uses PKCE.
pub const WIKI: &str = "wiki";
/// Another app on a server that does not use PKCE, with one redirect URI.
pub const FORUM: &str = "forum";
/// The operator's own app: users are not asked for consent.
pub const PORTAL: &str = "portal";
/// A native app.
pub const NATIVE: &str = "native";

/// The second redirect URI of [`SITE`].
pub const SITE_ON_LOOPBACK: &str = "http://127.0.0.1:3000/cb";
/// The second redirect URI of [`SHOP`].
pub const SHOP_WITH_QUERY: &str = "https://shop.example.com/callback?tenant=a%20b&x=1";

/// What every app may ask for.
pub const APP_SCOPES: &str = "openid profile email address phone offline_access orders.example.com/read orders.example.com/write files.example.com/read";

/// The secret that a client of these ids has.
pub fn secret_of(client: &str) -> Option<&'static str> {
    match client {
        "console" => Some(CONSOLE_SECRET),
        "orders" => Some(ORDERS_SECRET),
        SITE | WIKI | SHOP | FORUM | PORTAL | "shipping" | "files" | ROBOT => Some(APP_SECRET),
        _ => None,
    }
}

/// Where an app waits for its users: the first of its redirect URIs, or one of them for [`NATIVE`].
pub fn redirect_uri(client: &str) -> &'static str {
    match client {
        SPA => "https://spa.example.com/callback",
        SITE => "https://site.example.com/callback",
        WIKI => "https://wiki.example.com/callback",
        SHOP => "https://shop.example.com/callback",
        FORUM => "https://forum.example.com/callback",
        PORTAL => "https://portal.example.com/callback",
        NATIVE => "http://127.0.0.1:49152/cb",
        // Of no client: what is not an app has none.
        _ => "https://unregistered.example.com/callback",
    }
}

/// Whether an app uses PKCE, and has to.
pub fn uses_pkce(client: &str) -> bool {
    matches!(client, SPA | SITE | WIKI | NATIVE)
}

/// Authentication by a secret, by header or in the form.
pub fn secret_auth(secret: &str) -> ClientAuth {
    let key = Arc::new(sealing().client_secret_key());
    ClientAuth::Secret {
        verifiers: vec![SecretVerifier::new(&key, &Secret::new(secret))],
        basic: true,
        post: true,
    }
}

fn auth_of(client: &str) -> ClientAuth {
    secret_of(client).map_or(ClientAuth::Public, secret_auth)
}

pub fn scope(text: &str) -> Scope {
    text.parse().expect("a scope")
}

/// A client whose devices get every kind of token.
pub fn device_app(id: &str) -> Client {
    Client {
        id: id.parse().expect("a client id"),
        instance: grantor_core::model::ids::ClientInstance::FIRST,
        name: format!("The {id}"),
        enabled: true,
        organization: None,
        made_at: None,
        stopped_with_owner: false,
        secret_ids: Vec::new(),
        owner: None,
        availability: Availability::Everyone,
        auth: auth_of(id),
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
        // Both algorithms are in use.
        id_token_alg: if id == "tv" {
            Algorithm::Rs256
        } else {
            Algorithm::Es256
        },
        id_claims: ClaimMapping::default(),
        id_token_claims: IdTokenContent::Requested,
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

/// A client that acts for itself, and is this resource server.
pub fn machine(id: &str, resource: &str) -> Client {
    Client {
        grants: vec![GrantType::ClientCredentials],
        scopes: scope(
            "openid orders.example.com/read orders.example.com/write files.example.com/read",
        ),
        default_scopes: scope("openid orders.example.com/read"),
        resources: vec![resource.to_owned()],
        ..device_app(id)
    }
}

/// An app that signs its users in by a redirect to one of these URIs.
pub fn app(id: &str, redirect_uris: &[&str]) -> Client {
    let redirect_uris = redirect_uris.iter();
    let redirect_uris = redirect_uris.map(|uri| uri.parse().expect("a redirect URI"));
    Client {
        name: format!("The {id} & Co"),
        grants: vec![GrantType::AuthorizationCode, GrantType::RefreshToken],
        scopes: scope(APP_SCOPES),
        default_scopes: scope("openid profile"),
        grace: 10.s(),
        code: CodePolicy {
            redirect_uris: redirect_uris.collect(),
            pkce_required: uses_pkce(id),
            lifetime: 60.s(),
            consent: ConsentPolicy::Ask,
        },
        ..device_app(id)
    }
}

/// A service that is this resource server and may exchange the tokens it is called with. It has no scopes of its own.
pub fn service(id: &str, resource: &str) -> Client {
    Client {
        grants: vec![GrantType::TokenExchange, GrantType::RefreshToken],
        scopes: scope(""),
        default_scopes: scope(""),
        resources: vec![resource.to_owned()],
        ..device_app(id)
    }
}

/// The clients of the standard realm.
pub(crate) fn standard() -> [Client; 11] {
    let mut portal = app(PORTAL, &[redirect_uri(PORTAL)]);
    portal.code.consent = ConsentPolicy::Skip;
    [
        device_app("tv"),
        device_app("tv2"),
        Client {
            resources: vec!["files.example.com".to_owned()],
            ..device_app("console")
        },
        machine("orders", "orders.example.com"),
        app(SPA, &[redirect_uri(SPA)]),
        app(SITE, &[redirect_uri(SITE), SITE_ON_LOOPBACK]),
        app(WIKI, &[redirect_uri(WIKI)]),
        app(SHOP, &[redirect_uri(SHOP), SHOP_WITH_QUERY]),
        app(FORUM, &[redirect_uri(FORUM)]),
        portal,
        app(
            NATIVE,
            &[
                "http://127.0.0.1/cb",
                "http://[::1]/cb",
                "http://localhost:3000/cb",
                "com.example.native:/cb",
            ],
        ),
    ]
}

//! For tests only: realms, a simulated world, and a server in this process. Always a dev-dependency.
//!
//! A test of what is decided stands on [`world::World`]: one thread, time that the test sets, requests that run one
//! effect at a time. A test of what goes over HTTP stands on `server::TestServer` (feature `server`): the real router,
//! pages and workers over a store in memory. Both have the same realm ([`RealmBuilder::standard`]), users ([`users`])
//! and clients ([`clients`]), and the same names for the same things. A name that ends in `_with` takes more parameters,
//! or other ones instead; a name that ends in `_request` makes an operation without running it.
//!
//! | to | in the world | on the server |
//! |---|---|---|
//! | start | `World::new()` | `TestServer::new().await` |
//! | start with another configuration | `World::with(\|realm\| …)` | `TestServer::with(\|realm\| …).await` |
//! | change the configuration later | `world.reconfigure(\|realm\| …)` | `server.restarted(\|realm\| …)` |
//! | build a realm by itself | [`RealmBuilder`] | the same |
//! | make a client | [`device_app`], [`app`], [`machine`], [`service`] | the same |
//! | change a client of a realm | [`client`] | the same |
//! | replace the realm of a running server | | `server.replace(realm, signer)` |
//! | let time pass | `world.advance(5.s())` | `server.advance(5.s())` |
//! | see what was recorded | `world.take_events()` | `server.take_events()` |
//! | let the store fail | `world.faults().inject(…)` | `server.store.inject(…)` |
//! | let the signer fail | | `server.set_signer_down(true)` |
//! | count reads and writes | `world.cost(\|world\| …)` | |
//! | run any operation | `world.ask(operation)`, `world.run(operation)` | `server.app.run(operation)` |
//! | run one effect at a time | [`world::Run`] | |
//! | send any request | | `server.get(path)`, `server.post(path, pairs)`, `server.send(request)` |
//! | start a device | `world.device_codes(client)` | `server.device_codes(client)` |
//! | poll | `world.poll(&codes)` | `server.poll(&codes)` |
//! | approve or deny in a new browser | `world.approve(user, &codes)`, `deny` | `server.approve(user, &codes)`, `deny` |
//! | get a device's tokens | `world.device_tokens(client, user)` | `server.device_tokens(client, user)` |
//! | send an app's user here | `world.authorize(&browser, &request)` | `browser.authorize(&request)` |
//! | make an app's request | [`AuthorizationRequest`] | the same |
//! | redeem an app's code | `world.redeem(client, &code)` | `server.redeem(client, &code)` |
//! | get an app's tokens | `world.app_tokens(&browser, &request)` | `server.app_tokens(&request)` |
//! | refresh | `world.refresh(client, &token)` | `server.refresh(client, &token)` |
//! | get a machine's token | `world.machine_token(client, &[])` | `server.machine_token(client, &[])` |
//! | ask the token endpoint | `world.request_tokens(client, pairs)` | `server.request_tokens(client, pairs)` |
//! | exchange a token | `world.exchange(client, &token, pairs)` | `server.request_tokens(client, pairs)` |
//! | introspect, revoke | `world.introspect(client, &token)`, `revoke` | `server.introspect(client, &token)`, `revoke` |
//! | ask userinfo | `world.userinfo(&token)` | `server.userinfo(&token)` |
//! | read a JWT of ours | `world.claims(&token)` | `server::claims(&token)`, `server::jose_header(&token)` |
//! | open a browser | `Browser::new()` | `server.browser()` |
//! | sign in in a new browser | `world.signed_in(user)` | `server.signed_in(user)` |
//! | sign in in a browser | `world.sign_in(&mut browser, user, password)` | `browser.sign_in(user, password)` |
//! | type a user code | `world.type_code(&browser, code)` | `browser.type_code(code)` |
//! | decide about a device | `world.decide(&browser, &codes, approve)` | `browser.decide(&codes, approve)` |
//! | serve the management API | `World::with(api::serve)` | `TestServer::with(api::serve).await` |
//! | get an API token of a user | | `server.api_token(user, scope).await` |
//! | add or change a user | `world.provision(user)` | `server.add_user(name, claims)` |
//! | trust another issuer | `world.with_trusted()`, [`ExternalIssuer`] | `server.trust_keys_of(&issuer)` |
//! | sign another issuer's JWT | `world.statement(issuer, sub, changes)` | `issuer.jwt(header, claims)` |
//! | draw what can be drawn again | [`Chance`] | the same |

#![expect(clippy::expect_used, reason = "a part of tests")]

pub mod api;
mod authorization_request;
mod chance;
pub mod clients;
pub mod exchange;
mod external;
mod keys;
mod realm;
mod seeds;
#[cfg(feature = "server")]
pub mod server;
mod time;
pub mod users;
pub mod world;

pub use authorization_request::{
    AUTHORIZE, AuthorizationRequest, CHALLENGE, OTHER_VERIFIER, VERIFIER, challenge, encoded,
    merged,
};
pub use chance::Chance;
pub use clients::{
    APP_SECRET, CONSOLE_SECRET, FORUM, NATIVE, ORDERS_SECRET, PORTAL, ROBOT, SHOP, SHOP_WITH_QUERY,
    SITE, SITE_ON_LOOPBACK, SPA, WIKI, app, device_app, machine, redirect_uri, scope, secret_auth,
    secret_of, service, uses_pkce,
};
pub use exchange::{
    ACCESS_TOKEN, EXCHANGE, ID_TOKEN, JWT, REFRESH_TOKEN, SHIPPING, add_services, rule,
};
pub use external::{CORP, ExternalIssuer, IDP, changed, jws, trusted_issuer};
pub use keys::{key_set, public_keys, sealing, signer};
pub use realm::{ISSUER, RealmBuilder, client, declared, limit, resource};
pub use seeds::Seeds;
pub use time::{START, Spans};
pub use users::{password_of, user_id, user_with_hash, weak_hash};

/// The grant type of RFC 8628.
pub const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";
/// Where devices and browsers are unless a test moves them: on one network, at different addresses.
pub const DEVICE_ADDRESS: &str = "192.0.2.10";
pub const BROWSER_ADDRESS: &str = "192.0.2.77";

/// The codes that a device got.
#[derive(Clone, Debug)]
pub struct Codes {
    pub client: String,
    pub device: String,
    pub user: String,
    /// The verification URI with the code in it.
    pub link: String,
}

//! The checks across settings: values that are valid alone, but not together.

mod claims;
mod client;
mod exchange;
mod resource;
mod user;

use std::collections::BTreeMap;
use std::time::Duration;

use grantor_core::model::user_code::UserCodeFormat;

use super::mistake::did_you_mean;
use super::names::DeviceTokens;
use super::place::Place;
use super::read::Reader;
use super::settings::{Device, Lifetimes, Settings};
use super::text::Store;

use resource::Scopes;

/// The longest life of an authorization code.
const MAX_CODE_LIFETIME: Duration = Duration::from_secs(10 * 60);

/// Reports to `reader` what is wrong with `settings` as a whole.
pub(super) fn check(settings: &Settings, reader: &mut Reader<'_>) {
    transport(settings, reader);
    master_key(settings, reader);
    lifetimes(&settings.lifetimes, reader);
    device(settings, reader);

    let names = settings
        .providers
        .iter()
        .map(|provider| provider.name.as_str());
    unique(reader, "provider", "name", names);
    resource::check(settings, reader);
    let scopes = Scopes::new(&settings.resources);
    client::check(settings, &scopes, reader);
    exchange::check(settings, &scopes, reader);
    user::check(&settings.users, reader);
    test(settings, reader);
}

/// RFC 6749 section 3.2: "the authorization server MUST require the use of TLS". Plain http is for this machine, and for
/// proxies that speak TLS themselves.
fn transport(settings: &Settings, reader: &mut Reader<'_>) {
    let tls = settings.tls.is_some() || reader.given(&Place::root().key("tls"));
    let here = settings.listen.ip().to_canonical().is_loopback();
    if !tls && !here && settings.trusted_proxies.is_empty() {
        reader.refuse(
            &Place::root().key("listen"),
            "others can reach this address, and plain http would show their secrets to the network: let the server \
             speak TLS (tls = { cert = \"…\", key = \"…\" }), or name the proxy in front that does \
             (trusted_proxies = [\"…\"])",
        );
    }
    if tls && settings.issuer.starts_with("http:") {
        reader.refuse(
            &Place::root().key("issuer"),
            "is http, and with tls the server speaks https: write https://…",
        );
    }
}

fn master_key(settings: &Settings, reader: &mut Reader<'_>) {
    let file = reader.given(&Place::root().key("key_file"));
    let variable = reader.given(&Place::root().key("key_env"));
    if file && variable {
        reader.refuse(
            &Place::root().key("key_env"),
            "give key_file or key_env, not both",
        );
    }
    // Several servers share a database, and each would create another key.
    if matches!(settings.store, Store::Postgres(_)) && !file && !variable {
        reader.refuse(
            &Place::root().key("store"),
            "with PostgreSQL, give key_file or key_env too",
        );
    }
}

fn lifetimes(lifetimes: &Lifetimes, reader: &mut Reader<'_>) {
    let place = Place::root().key("lifetimes");
    // Not the skew: the clocks may be taken to agree.
    for (key, duration) in [
        ("access", lifetimes.access),
        ("id", lifetimes.id),
        ("code", lifetimes.code),
        ("refresh_idle", lifetimes.refresh_idle),
        ("refresh_absolute", lifetimes.refresh_absolute),
        ("session_idle", lifetimes.session_idle),
        ("session_absolute", lifetimes.session_absolute),
    ] {
        positive(reader, &place.key(key), duration);
    }
    // RFC 6749 section 4.1.2: "A maximum authorization code lifetime of 10 minutes is RECOMMENDED."
    if lifetimes.code > MAX_CODE_LIFETIME {
        reader.refuse(&place.key("code"), "is longer than 10m");
    }
    let pairs = [
        (
            "refresh_idle",
            lifetimes.refresh_idle,
            "refresh_absolute",
            lifetimes.refresh_absolute,
        ),
        (
            "session_idle",
            lifetimes.session_idle,
            "session_absolute",
            lifetimes.session_absolute,
        ),
    ];
    for (idle, idle_life, absolute, absolute_life) in pairs {
        if idle_life > absolute_life {
            reader.refuse(&place.key(idle), format!("is longer than {absolute}"));
        }
    }
}

fn device(settings: &Settings, reader: &mut Reader<'_>) {
    let device = &settings.device;
    let place = Place::root().key("device");
    positive(reader, &place.key("lifetime"), device.lifetime);
    positive(reader, &place.key("interval"), device.interval);
    if device.interval >= device.lifetime {
        reader.refuse(&place.key("interval"), "is not shorter than the lifetime");
    }
    user_code_strength(device, &place, reader);

    let known = || {
        settings
            .providers
            .iter()
            .map(|provider| provider.name.as_str())
    };
    match &device.provider {
        Some(name) => known_name(reader, &place.key("provider"), "provider", name, known()),
        None if device.tokens == DeviceTokens::Provider => {
            reader.refuse(
                &place.key("tokens"),
                "name the provider too: provider = \"…\"",
            );
        }
        None => {}
    }
}

/// RFC 8628 section 5.1: "The user code SHOULD have enough entropy that, when combined with rate-limiting and other
/// mitigations, a brute-force attack becomes infeasible."
fn user_code_strength(device: &Device, place: &Place, reader: &mut Reader<'_>) {
    let length = usize::try_from(device.user_code_length.get()).unwrap_or(usize::MAX);
    if let Err(error) = UserCodeFormat::with_alphabet(device.user_code_format.clone(), length) {
        let written = reader.given(&place.key("user_code_length"));
        let key = if written {
            "user_code_length"
        } else {
            "user_code_format"
        };
        reader.refuse(&place.key(key), error.to_string());
    }
}

/// A setting that weakens sign-in is refused where the server can be reached from elsewhere. One that only lets this server
/// call an address that the operator wrote is allowed anywhere, and logged at every start.
fn test(settings: &Settings, reader: &mut Reader<'_>) {
    if settings.test.wrong_passwords.is_some() && !settings.issuer.is_loopback() {
        reader.refuse(
            &Place::root().key("test").key("wrong_passwords"),
            "is for tests, and allowed only where the issuer is on this machine",
        );
    }
}

fn positive(reader: &mut Reader<'_>, place: &Place, duration: Duration) {
    if duration.is_zero() {
        reader.refuse(place, "must be more than 0s");
    }
}

/// Refuses a name of `kind` that is not among those `known`.
fn known_name<'a>(
    reader: &mut Reader<'_>,
    place: &Place,
    kind: &str,
    name: &str,
    known: impl Iterator<Item = &'a str> + Clone,
) {
    if known.clone().any(|known| known == name) {
        return;
    }
    let hint = did_you_mean(name, known.filter(|known| !known.trim().is_empty()));
    reader.refuse(place, format!("unknown {kind} {name:?}{hint}"));
}

/// Refuses the second of two rows of `table` with the same value of `key`.
fn unique<S: AsRef<str>>(
    reader: &mut Reader<'_>,
    table: &str,
    key: &str,
    values: impl Iterator<Item = S>,
) {
    let mut seen = BTreeMap::new();
    for (index, value) in values.enumerate() {
        let value = value.as_ref();
        // Empty stands in for one that was refused.
        if !value.is_empty() && seen.insert(value.to_owned(), index).is_some() {
            let place = Place::root().key(table).row(index).key(key);
            reader.refuse(
                &place,
                format!("a [[{table}]] before has {value:?} already"),
            );
        }
    }
}

//! The checks across settings. The rules are the core's; here they get file and line. Only what is of a file or a process,
//! such as where it listens, is checked here.

use grantor_core::model::checks::{Pointer, PointerStep, Problem};
use grantor_core::model::server_url::is_loopback_address;
use grantor_core::model::user_code::UserCodeFormat;

use super::mistake::did_you_mean;
use super::names::DeviceTokens;
use super::place::Place;
use super::read::Reader;
use super::settings::Settings;
use super::text::Store;

/// Reports to `reader` what is wrong with `settings` as a whole.
pub(super) fn check(settings: &Settings, reader: &mut Reader<'_>) {
    transport(settings, reader);
    master_key(settings, reader);
    user_code_strength(settings, reader);
    providers(settings, reader);
    test(settings, reader);
    for problem in settings.realm_spec(reader).problems() {
        report(&problem, reader);
    }
}

fn report(problem: &Problem, reader: &mut Reader<'_>) {
    reader.refuse(
        &place(&problem.pointer),
        format!("{}{}", problem.message, hint(problem)),
    );
}

/// The name that was likely meant.
pub(super) fn hint(problem: &Problem) -> String {
    let hint = problem.unknown.as_ref().map(|unknown| {
        let known = unknown.known.iter().map(String::as_str);
        // Blank stands in for one that was refused.
        did_you_mean(
            &unknown.name,
            known.filter(|known| !known.trim().is_empty()),
        )
    });
    hint.unwrap_or_default()
}

fn place(pointer: &Pointer) -> Place {
    let steps = pointer.steps().iter().enumerate();
    steps.fold(Place::root(), |place, (depth, step)| match step {
        PointerStep::Key(key) => place.key(key),
        // Lists of the top level are tables.
        PointerStep::Index(index) if depth == 1 => place.row(*index),
        PointerStep::Index(index) => place.item(*index),
    })
}

/// RFC 6749 section 3.2: "the authorization server MUST require the use of TLS". Plain http is for this machine, and for
/// proxies that speak TLS themselves.
fn transport(settings: &Settings, reader: &mut Reader<'_>) {
    let tls = settings.tls.is_some() || reader.given(&Place::root().key("tls"));
    let here = is_loopback_address(settings.listen.ip());
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

/// RFC 8628 section 5.1: "The user code SHOULD have enough entropy that, when combined with rate-limiting and other
/// mitigations, a brute-force attack becomes infeasible."
fn user_code_strength(settings: &Settings, reader: &mut Reader<'_>) {
    let (device, place) = (&settings.device, Place::root().key("device"));
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

fn providers(settings: &Settings, reader: &mut Reader<'_>) {
    let names = || {
        let providers = settings.providers.iter();
        providers.map(|provider| provider.name.as_str())
    };
    for (index, name) in names().enumerate() {
        // Empty stands in for one that was refused.
        if !name.is_empty() && names().take(index).any(|before| before == name) {
            let place = Place::root().key("provider").row(index).key("name");
            reader.refuse(
                &place,
                format!("a [[provider]] before has {name:?} already"),
            );
        }
    }
    let place = Place::root().key("device");
    match &settings.device.provider {
        Some(name) if !names().any(|known| known == name) => {
            let hint = did_you_mean(name, names().filter(|known| !known.is_empty()));
            let why = format!("unknown provider {name:?}{hint}");
            reader.refuse(&place.key("provider"), why);
        }
        None if settings.device.tokens == DeviceTokens::Provider => {
            let why = "name the provider too: provider = \"…\"";
            reader.refuse(&place.key("tokens"), why);
        }
        _ => {}
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

//! Checks of `[[client]]`.

use std::collections::{BTreeSet, HashSet};
use std::time::Duration;

use grantor_core::model::claim_mapping::Carrier;
use grantor_core::model::grant_type::GrantType;

use super::resource::Scopes;
use super::{claims, known_name, positive, unique};
use crate::mistake::did_you_mean;
use crate::names::{AuthMethod, Pkce};
use crate::place::Place;
use crate::read::Reader;
use crate::settings::{Client, Settings};
use crate::text::{BackchannelUri, ScopeToken};

pub(super) fn check(settings: &Settings, scopes: &Scopes<'_>, reader: &mut Reader<'_>) {
    unique(
        reader,
        "client",
        "id",
        settings.clients.iter().map(|client| client.id.as_str()),
    );
    for (index, client) in settings.clients.iter().enumerate() {
        let place = Place::root().key("client").row(index);
        let secret = Secret::written(reader, &place);
        authentication(client, secret, &place, reader);
        grants(client, secret, &place, reader);
        client_scopes(client, scopes, &place, reader);
        lives(client, settings, &place, reader);
        backchannel(client, secret, settings, &place, reader);
        let carrier = Carrier::IdToken;
        claims::check(carrier, &client.id_claims, &place.key("id_claims"), reader);
        if let Some(actor) = &client.may_act {
            let known = settings.clients.iter().map(|client| client.id.as_str());
            known_name(
                reader,
                &place.key("may_act"),
                "client",
                actor.as_str(),
                known,
            );
        }
        for (index, resource) in client.resources.iter().enumerate() {
            let known = settings
                .resources
                .iter()
                .map(|resource| &*resource.identifier);
            known_name(
                reader,
                &place.key("resources").item(index),
                "resource",
                resource,
                known,
            );
        }
    }
}

/// Whether a client has a secret. Taken from what is written, so that a secret that was refused
/// does not make its client public.
#[derive(Clone, Copy, PartialEq)]
enum Secret {
    Absent,
    Given,
}

impl Secret {
    fn written(reader: &mut Reader<'_>, place: &Place) -> Self {
        let keys = ["secret", "secret_env", "secret_sha256"];
        let given: Vec<_> = keys
            .into_iter()
            .filter(|key| reader.given(&place.key(key)))
            .collect();
        match given.as_slice() {
            [] => Self::Absent,
            [_] => Self::Given,
            [first, second, ..] => {
                reader.refuse(
                    &place.key(second),
                    format!("the client has {first} already; give one of them"),
                );
                Self::Given
            }
        }
    }
}

fn authentication(client: &Client, secret: Secret, place: &Place, reader: &mut Reader<'_>) {
    match (client.auth, secret) {
        (Some(AuthMethod::None), Secret::Given) => {
            reader.refuse(
                &place.key("auth"),
                "is \"none\", but the client has a secret",
            );
        }
        (Some(AuthMethod::SecretBasic | AuthMethod::SecretPost), Secret::Absent) => {
            reader.refuse(&place.key("auth"), "needs a secret");
        }
        _ => {}
    }
    // RFC 6749 appendix A.2: client-secret = *VSCHAR.
    let plain = [
        ("secret", client.secret.as_ref()),
        (
            "secret_env",
            client.secret_env.as_ref().map(|variable| variable.secret()),
        ),
    ];
    for (key, secret) in plain {
        if secret.is_some_and(|secret| !secret.reveal().bytes().all(|b| matches!(b, 0x20..=0x7E))) {
            reader.refuse(&place.key(key), "a secret must be printable ASCII");
        }
    }
    if secret == Secret::Absent {
        if !client.rotation {
            // RFC 9700 section 4.14.2: refresh tokens of public clients are rotated or bound.
            reader.refuse(
                &place.key("rotation"),
                "only a client with a secret may do without rotation",
            );
        }
        if client.pkce == Pkce::Optional {
            // RFC 9700 section 2.1.1: public clients MUST use PKCE.
            reader.refuse(
                &place.key("pkce"),
                "only a client with a secret may do without PKCE",
            );
        }
    }
}

fn grants(client: &Client, secret: Secret, place: &Place, reader: &mut Reader<'_>) {
    let mut seen = HashSet::new();
    for (index, grant) in client.grants.iter().enumerate() {
        let place = place.key("grants").item(index);
        if !seen.insert(grant) {
            reader.refuse(&place, format!("{} stands there twice", grant.short()));
            continue;
        }
        match grant {
            // RFC 6749 section 4.4: "The client credentials grant type MUST only be used by
            // confidential clients."
            GrantType::ClientCredentials if secret == Secret::Absent => {
                reader.refuse(&place, "client_credentials needs a secret");
            }
            // RFC 8693 section 2.1: "omitting client authentication allows for a compromised token to be
            // leveraged via an STS into other tokens by anyone possessing the compromised token."
            GrantType::TokenExchange if secret == Secret::Absent => {
                reader.refuse(&place, "token_exchange needs a secret");
            }
            GrantType::AuthorizationCode if client.redirect_uris.is_empty() => {
                reader.refuse(&place, "authorization_code needs redirect_uris");
            }
            _ => {}
        }
    }
}

fn client_scopes(client: &Client, scopes: &Scopes<'_>, place: &Place, reader: &mut Reader<'_>) {
    for (index, scope) in client.scopes.iter().enumerate() {
        scopes.check(reader, &place.key("scopes").item(index), scope);
    }
    let allowed = || client.scopes.iter().map(|scope| &**scope);
    for (index, scope) in client.default_scopes.iter().flatten().enumerate() {
        if !allowed().any(|allowed| allowed == &**scope) {
            let hint = did_you_mean(scope, allowed());
            let place = place.key("default_scopes").item(index);
            reader.refuse(
                &place,
                format!("scope {scope:?} is not among the client's scopes{hint}"),
            );
        }
    }
    defaults_of_one_resource(client, scopes, place, reader);
}

/// A token is for one API. Defaults of two could never be answered when the client asks for
/// nothing, as it then names no `resource` either.
fn defaults_of_one_resource(
    client: &Client,
    scopes: &Scopes<'_>,
    place: &Place,
    reader: &mut Reader<'_>,
) {
    let defaults: &[ScopeToken] = client.effective_default_scopes();
    let resources: BTreeSet<_> = defaults
        .iter()
        .filter_map(|scope| scopes.resource(scope))
        .collect();
    let mut resources = resources.into_iter();
    if let (Some(first), Some(second)) = (resources.next(), resources.next()) {
        let of_two =
            format!("are of two resources, {first:?} and {second:?}, and a token is for one");
        if client.default_scopes.is_some() {
            reader.refuse(&place.key("default_scopes"), of_two);
        } else {
            reader.refuse(
                &place.key("scopes"),
                format!("without default_scopes all are the default, but they {of_two}"),
            );
        }
    }
}

/// OpenID Connect Back-Channel Logout section 2.2: "it MAY use the http scheme, provided that the Client Type is
/// confidential … and provided the OP allows the use of http RP URIs."
fn backchannel(
    client: &Client,
    secret: Secret,
    settings: &Settings,
    place: &Place,
    reader: &mut Reader<'_>,
) {
    let uri = client.backchannel_logout_uri.as_ref();
    if !uri.is_some_and(BackchannelUri::is_plain) {
        return;
    }
    let place = place.key("backchannel_logout_uri");
    if secret == Secret::Absent {
        reader.refuse(&place, "is http, and the client has no secret: use https");
    } else if !settings.issuer.is_loopback() && !settings.test.loopback {
        reader.refuse(
            &place,
            "is http, and the issuer is not on this machine: use https",
        );
    }
}

fn lives(client: &Client, settings: &Settings, place: &Place, reader: &mut Reader<'_>) {
    for (key, duration) in [
        ("access_lifetime", client.access_lifetime),
        ("refresh_idle", client.refresh_idle),
        ("refresh_absolute", client.refresh_absolute),
        ("device_lifetime", client.device_lifetime),
        (
            "device_approval_max_age",
            Some(client.device_approval_max_age),
        ),
    ] {
        positive(reader, &place.key(key), duration.unwrap_or(Duration::MAX));
    }
    let idle = client
        .refresh_idle
        .unwrap_or(settings.lifetimes.refresh_idle);
    let absolute = client
        .refresh_absolute
        .unwrap_or(settings.lifetimes.refresh_absolute);
    if client.refresh_idle.is_some() && idle > absolute {
        reader.refuse(
            &place.key("refresh_idle"),
            "is longer than refresh_absolute",
        );
    }
    if client
        .device_lifetime
        .is_some_and(|lifetime| lifetime <= settings.device.interval)
    {
        reader.refuse(
            &place.key("device_lifetime"),
            "is not longer than the interval of [device]",
        );
    }
}

//! What a changed file means for a running server: which settings it uses from now on, and what is said of the change.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;

use grantor_config::{Client, Organization, PlainScope, Resource, Settings, User};
use grantor_core::model::ids::UserId;
use grantor_core::records::Username;

use crate::admin::api::{Change, Reloaded};
use crate::assemble::user_id;
use crate::realm_owner::Kept;

/// The settings of a server with a changed file, and what of it changed.
pub(super) struct Merged {
    pub(super) settings: Settings,
    pub(super) kept: Kept,
    pub(super) changes: Reloaded,
}

/// What `running` becomes by the settings of its changed file. What needs a restart stays as it runs, and unless `prune`
/// is set, APIs, scopes, organizations, clients and users stay that the file no longer declares; `kept_before` are those that stayed already.
pub(super) fn merge(
    running: &Settings,
    kept_before: &Kept,
    mut file: Settings,
    prune: bool,
) -> Merged {
    let mut kept = Vanished::default();
    if !prune {
        kept.resources = vanished(&running.resources, &file.resources, identifier);
        kept.scopes = vanished_scopes(running, &file);
        kept.organizations = vanished(&running.organizations, &file.organizations, |it| {
            it.id.to_string()
        });
        // They have their scopes still, and so do the clients that vanished with them.
        file.resources.extend(kept.resources.iter().cloned());
        file.scopes.extend(kept.scopes.iter().cloned());
        file.organizations
            .extend(kept.organizations.iter().cloned());
        kept.clients = vanished_clients(running, &file);
        kept.users = vanished_users(running, &file);
    }
    let mut changes = changes(running, &file, &kept);
    add_declared_again(&mut changes, kept_before, &file);
    let changes = Reloaded {
        changes,
        needs_restart: needs_restart(running, &file),
        ..Reloaded::default()
    };
    let now = Kept {
        resources: kept.resources.iter().map(identifier).collect(),
        scopes: kept.scopes.iter().map(|it| it.name.to_string()).collect(),
        organizations: (kept.organizations.iter().map(|it| it.id.to_string())).collect(),
        clients: kept
            .clients
            .iter()
            .map(|client| client.id.clone())
            .collect(),
        users: kept.users.iter().map(folded).collect(),
    };
    file.clients.extend(kept.clients);
    file.users.extend(kept.users);
    Merged {
        settings: running.reloaded(file),
        kept: now,
        changes,
    }
}

/// What the file no longer declares, and stays.
#[derive(Default)]
struct Vanished {
    resources: Vec<Resource>,
    scopes: Vec<PlainScope>,
    organizations: Vec<Organization>,
    clients: Vec<Client>,
    users: Vec<User>,
}

fn identifier(api: &Resource) -> String {
    api.identifier.to_string()
}

fn vanished<T: Clone>(running: &[T], file: &[T], name: impl Fn(&T) -> String) -> Vec<T> {
    let declared: HashSet<_> = file.iter().map(&name).collect();
    let vanished = running.iter().filter(|it| !declared.contains(&name(it)));
    vanished.cloned().collect()
}

/// The scopes that `file` no longer declares, but for those that read as a scope of an API of the file.
fn vanished_scopes(running: &Settings, file: &Settings) -> Vec<PlainScope> {
    let mut scopes = vanished(&running.scopes, &file.scopes, |it| it.name.to_string());
    scopes.retain(|scope| {
        let owner = scope.name.rsplit_once('/').map(|(owner, _)| owner);
        file.resources
            .iter()
            .all(|api| Some(&*api.identifier) != owner)
    });
    scopes
}

fn folded(user: &User) -> String {
    Username::fold(user.username.as_str())
}

/// Those that were kept have what they were given before: an operator must know.
fn add_declared_again(changes: &mut Vec<Change>, kept: &Kept, file: &Settings) {
    let clients = file.clients.iter();
    let clients = clients.filter(|client| kept.clients.contains(&client.id));
    let users = file.users.iter();
    let users = users.filter(|user| kept.users.contains(&folded(user)));
    let again: [(&str, Vec<String>); 2] = [
        ("client", clients.map(|it| it.id.to_string()).collect()),
        ("user", users.map(|it| it.username.to_string()).collect()),
    ];
    for (kind, names) in again {
        match changes.iter_mut().find(|change| change.kind == kind) {
            _ if names.is_empty() => {}
            Some(change) => change.declared_again = names,
            None => changes.push(Change {
                declared_again: names,
                ..Change::of(kind)
            }),
        }
    }
}

/// The clients that `file` no longer declares, without what it took away: a scope that its API has no longer.
fn vanished_clients(running: &Settings, file: &Settings) -> Vec<Client> {
    let declared: HashSet<_> = file.clients.iter().map(|client| &client.id).collect();
    let vanished = running.clients.iter();
    let vanished = vanished.filter(|client| !declared.contains(&client.id));
    let scopes = |settings: &Settings| -> HashSet<String> {
        let resources = settings.resources.iter();
        let plain = settings.scopes.iter().map(|it| it.name.to_string());
        let of_resources = resources.flat_map(Resource::scope_tokens);
        of_resources.chain(plain).collect()
    };
    let gone = &scopes(running) - &scopes(file);
    let stripped = vanished.map(|client| {
        let mut client = client.clone();
        client.scopes.retain(|scope| !gone.contains(&**scope));
        if let Some(scopes) = &mut client.default_scopes {
            scopes.retain(|scope| !gone.contains(&**scope));
        }
        client
            .resources
            .retain(|name| file.resource(name).is_some());
        client
    });
    stripped.collect()
}

/// The users that `file` no longer declares, without the links to issuers that it no longer trusts.
fn vanished_users(running: &Settings, file: &Settings) -> Vec<User> {
    let declared: HashSet<UserId> = file.users.iter().map(user_id).collect();
    let vanished = running.users.iter();
    let vanished = vanished.filter(|user| !declared.contains(&user_id(user)));
    let trusted = |issuer: &str| {
        file.trusted_issuers
            .iter()
            .any(|it| it.issuer.as_str() == issuer)
    };
    let stripped = vanished.map(|user| {
        let mut user = user.clone();
        user.links.retain(|link| trusted(&link.issuer));
        user
    });
    stripped.collect()
}

/// The settings that differ and that only a start reads.
fn needs_restart(running: &Settings, file: &Settings) -> Vec<String> {
    let mut names = Vec::new();
    for key in running.differing_keys(file) {
        let parts = match (key, &running.tls, &file.tls) {
            ("tls", Some(one), Some(other)) => one.differing_keys(other),
            ("test", ..) => running.test.differing_keys(&file.test),
            _ => Vec::new(),
        };
        if Settings::NAMED_TABLES.contains(&key) || Settings::TAKEN_BY_RELOAD.contains(&key) {
            continue;
        }
        names.extend(named(key, parts));
    }
    names
}

fn named(key: &str, parts: Vec<&str>) -> Vec<String> {
    if parts.is_empty() {
        return vec![key.to_owned()];
    }
    parts
        .into_iter()
        .map(|part| format!("{key}.{part}"))
        .collect()
}

/// What differs of the rest, by kind and name. Values are never said: they may be secret.
fn changes(running: &Settings, file: &Settings, kept: &Vanished) -> Vec<Change> {
    let rules = |settings: &Settings| -> Vec<_> {
        let rules = settings.exchange_names().into_iter();
        rules.zip(settings.exchanges.clone()).collect()
    };
    let (rules_before, rules_now) = (rules(running), rules(file));
    let mut exchange = change(
        "exchange",
        (&rules_before, &rules_now),
        |(name, _)| name.clone(),
        |(name, _)| name.clone(),
    );
    add_moved(&mut exchange, &rules_before, &rules_now);
    let of_clients = change(
        "client",
        (&running.clients, &file.clients),
        |client| client.id.clone(),
        |client| client.id.to_string(),
    );
    let of_users = change("user", (&running.users, &file.users), user_id, |user| {
        user.username.to_string()
    });
    let of_resources = change(
        "resource",
        (&running.resources, &file.resources),
        identifier,
        identifier,
    );
    let of_scopes = change(
        "scope",
        (&running.scopes, &file.scopes),
        |it| it.name.clone(),
        |it| it.name.to_string(),
    );
    let of_organizations = change(
        "organization",
        (&running.organizations, &file.organizations),
        |it| it.id.clone(),
        |it| it.id.to_string(),
    );
    let resources = kept.resources.iter().map(identifier);
    let scopes = kept.scopes.iter().map(|it| it.name.to_string());
    let organizations = kept.organizations.iter().map(|it| it.id.to_string());
    let clients = kept.clients.iter().map(|client| client.id.to_string());
    let users = kept.users.iter().map(|user| user.username.to_string());
    let all = [
        settings_change(running, file),
        keep(of_resources, resources),
        keep(of_scopes, scopes),
        keep(of_organizations, organizations),
        keep(of_clients, clients),
        exchange,
        change(
            "trusted_issuer",
            (&running.trusted_issuers, &file.trusted_issuers),
            |it| it.issuer.to_string(),
            |it| it.issuer.to_string(),
        ),
        keep(of_users, users),
    ];
    all.into_iter()
        .filter(|change| !change.is_empty())
        .collect()
}

fn settings_change(running: &Settings, file: &Settings) -> Change {
    let keys = running.differing_keys(file).into_iter();
    let changed = keys
        .filter(|key| Settings::TAKEN_BY_RELOAD.contains(key))
        .flat_map(|key| {
            let parts = match key {
                "lifetimes" => running.lifetimes.differing_keys(&file.lifetimes),
                "device" => running.device.differing_keys(&file.device),
                _ => Vec::new(),
            };
            named(key, parts)
        });
    Change {
        changed: changed.collect(),
        ..Change::of("setting")
    }
}

fn change<T: PartialEq, K: Eq + Hash>(
    kind: &str,
    (before, now): (&[T], &[T]),
    key: impl Fn(&T) -> K,
    name: impl Fn(&T) -> String,
) -> Change {
    let by_key = |items: &[T]| -> HashMap<K, usize> {
        items
            .iter()
            .enumerate()
            .map(|(row, it)| (key(it), row))
            .collect()
    };
    let (old, new) = (by_key(before), by_key(now));
    let mut change = Change::of(kind);
    for item in now {
        match old.get(&key(item)).and_then(|row| before.get(*row)) {
            None => change.added.push(name(item)),
            Some(before) if before != item => change.changed.push(name(item)),
            Some(_) => {}
        }
    }
    let gone = before.iter().filter(|item| !new.contains_key(&key(item)));
    change.removed = gone.map(name).collect();
    change
}

/// Rules are tried in their order.
fn add_moved<T>(change: &mut Change, before: &[(String, T)], now: &[(String, T)]) {
    let common = |rules: &[(String, T)], others: &[(String, T)]| -> Vec<String> {
        let names = rules.iter().map(|(name, _)| name.clone());
        names
            .filter(|name| others.iter().any(|(other, _)| other == name))
            .collect()
    };
    let moved = common(before, now).into_iter().zip(common(now, before));
    for (was, is) in moved {
        if was != is && !change.changed.contains(&is) {
            change.changed.push(is);
        }
    }
}

/// What vanished, and stays.
fn keep(change: Change, kept: impl Iterator<Item = String>) -> Change {
    let kept: Vec<String> = kept.collect();
    Change {
        removed: if kept.is_empty() {
            change.removed
        } else {
            Vec::new()
        },
        kept,
        ..change
    }
}

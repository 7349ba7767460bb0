//! Clients that are made while the server runs, and those of the file as they are seen beside them.

mod change;
mod create;
mod delete;
mod read;
mod rights;
mod secret_uses;
mod secrets;

pub use change::ChangeClient;
pub use create::{CreateClient, CreatedClient};
pub use delete::DeleteClient;
pub use read::{ListClients, ListedClients, ReadClient, view_row};
pub use secret_uses::RecordSecretUses;
pub use secrets::{AddSecret, DeleteSecret, ListSecrets, NewSecret, SecretView};

use serde_json::{Map, Value};

use super::caller::Caller;
use super::precondition::ETag;
use super::refusal::{ApiCode, ApiRefusal, FieldError};
use crate::base::row::Key;
use crate::engine::decide::Stop;
use crate::engine::env::Env;
use crate::engine::facts::{Facts, Versioned};
use crate::model::changed::Changed;
use crate::model::client::Client;
use crate::model::grant_type::GrantType;
use crate::model::ids::{ClientId, UserId};
use crate::model::organization::Availability;
use crate::model::realm::Realm;
use crate::records::ManagedClient;

/// Members that the API adds. They are sent back by who replaces an object, and not taken.
pub const READ_ONLY: [&str; 7] = [
    "id",
    "declared",
    "owner",
    "created",
    "changed",
    "effective_at",
    "secrets",
];
/// Whether the client authenticates: of the API alone, since the file gives secrets.
pub const CONFIDENTIAL: &str = "confidential";

/// A client as the API shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct ClientView {
    pub id: ClientId,
    /// The members of `[[client]]`, as they were written.
    pub written: Map<String, Value>,
    pub confidential: bool,
    /// Whether the configuration file declares it.
    pub declared: bool,
    pub owner: Option<UserId>,
    pub created: Option<Changed>,
    pub changed: Option<Changed>,
    pub etag: ETag,
}

impl ClientView {
    fn of_record(record: &ManagedClient, etag: ETag) -> Self {
        Self {
            id: record.client.clone(),
            written: record.written.clone(),
            confidential: record.confidential,
            declared: false,
            owner: record.owner,
            created: Some(record.created.clone()),
            changed: Some(record.changed.clone()),
            etag,
        }
    }

    /// As answers have it.
    #[must_use]
    pub fn json(&self) -> Map<String, Value> {
        let mut json = self.written.clone();
        let owner = self.owner.map(|owner| ("owner", owner.to_string().into()));
        let line = |changed: &Option<Changed>| changed.as_ref().map(Changed::json);
        let created = line(&self.created).map(|it| ("created", it));
        let changed = line(&self.changed).map(|it| ("changed", it));
        let added = [
            Some(("id", self.id.as_str().into())),
            Some((CONFIDENTIAL, self.confidential.into())),
            Some(("declared", self.declared.into())),
            owner,
            created,
            changed,
        ];
        let added = added.into_iter().flatten();
        json.extend(added.map(|(key, value): (&str, Value)| (key.to_owned(), value)));
        json
    }

    /// A client of the file.
    #[must_use]
    pub fn declared(realm: &Realm, id: &ClientId) -> Option<Self> {
        let mut written = realm.managed.objects.declared_client(id)?;
        let client = realm.clients.get(id)?;
        written.remove("id");
        let canonical = Value::Object(written.clone()).to_string();
        Some(Self {
            id: id.clone(),
            written,
            confidential: client.is_confidential(),
            declared: true,
            owner: None,
            created: None,
            changed: None,
            etag: ETag::of_content(canonical.as_bytes()),
        })
    }
}

/// The row of a client that the caller sees and may change.
///
/// # Errors
/// 404 if there is none for the caller, 409 if the file declares it.
fn managed(
    env: &Env<'_>,
    facts: &Facts,
    caller: &Caller,
    id: &str,
) -> Result<Versioned<ManagedClient>, Stop<ApiRefusal>> {
    if is_declared(env.realm, id) && rights::sees_declared(caller) {
        return Err(ApiRefusal::new(
            ApiCode::Declared,
            "The configuration file declares this client: change it there.",
        )
        .into());
    }
    let row = seen(env, facts, caller, id)?;
    match is_declared(env.realm, id) {
        true => Err(ApiRefusal::not_found().into()),
        false => Ok(row),
    }
}

/// The row of a client that the caller sees, which the file may declare by now.
///
/// # Errors
/// 404 if there is none for the caller.
fn seen(
    env: &Env<'_>,
    facts: &Facts,
    caller: &Caller,
    id: &str,
) -> Result<Versioned<ManagedClient>, Stop<ApiRefusal>> {
    let key = key_of(env.realm, id).ok_or_else(ApiRefusal::not_found)?;
    let row = facts.record::<ManagedClient>(env, &key)?.live();
    let row = row.filter(|row| is_seen(caller, &row.record));
    Ok(row.ok_or_else(ApiRefusal::not_found)?)
}

/// The rows of an operation on one client.
fn reads(realm: &Realm, id: &str) -> Vec<Key> {
    key_of(realm, id).into_iter().collect()
}

fn key_of(realm: &Realm, id: &str) -> Option<Key> {
    let id: ClientId = id.parse().ok()?;
    Some(ManagedClient::key(&realm.name, &id))
}

fn is_declared(realm: &Realm, id: &str) -> bool {
    let id = id.parse::<ClientId>();
    id.is_ok_and(|id| realm.clients.contains_key(&id))
}

/// Whether the client is there for the caller.
fn is_seen(caller: &Caller, record: &ManagedClient) -> bool {
    match rights::reads_all(caller) {
        true => caller.sees(record.organization()),
        false => record.owner.is_some() && record.owner == caller.user.as_ref().map(|user| user.id),
    }
}

/// The most bytes of what is written of a client.
const MAX_BYTES: usize = 64 * 1024;

/// What was written, checked as the file's clients are.
///
/// # Errors
/// 422 with what is wrong.
fn checked(
    realm: &Realm,
    id: &ClientId,
    written: &Map<String, Value>,
    confidential: bool,
) -> Result<Client, Stop<ApiRefusal>> {
    let bytes = serde_json::to_vec(written).map_or(usize::MAX, |json| json.len());
    if bytes > MAX_BYTES {
        return Err(ApiRefusal::invalid_member("", "the client has more than 64 KiB").into());
    }
    let client = realm.managed.objects.client(id, written, confidential);
    client.map_err(|problems| {
        let errors: Vec<FieldError> = problems.into_iter().map(FieldError::from).collect();
        ApiRefusal::invalid(errors).into()
    })
}

/// What a check of the members alone cannot know.
///
/// # Errors
/// 422 for an organization that is not there, or an owner's client without an owner.
fn check_owner_and_organization(
    env: &Env<'_>,
    facts: &Facts,
    client: &Client,
    owner: Option<UserId>,
) -> Result<(), Stop<ApiRefusal>> {
    if let Some(organization) = &client.organization
        && !facts.has_organization(env, organization)?
    {
        let why = format!("unknown organization {:?}", organization.as_str());
        return Err(ApiRefusal::invalid_member("/organization", why).into());
    }
    if client.availability == Availability::Owner && owner.is_none() {
        let why = "is for clients that a user made for themselves: write \"everyone\" or \"organization\"";
        return Err(ApiRefusal::invalid_member("/availability", why).into());
    }
    Ok(())
}

/// The client that a row stands for; none if this version cannot read it.
fn stored(realm: &Realm, record: &ManagedClient) -> Option<Client> {
    let objects = &realm.managed.objects;
    objects.stored_client(&record.client, &record.written, record.confidential)
}

/// Takes `confidential` out of the members, or says what follows from the grants.
///
/// # Errors
/// 422 if it is no boolean.
fn take_confidential(
    written: &mut Map<String, Value>,
    before: Option<bool>,
) -> Result<bool, Stop<ApiRefusal>> {
    match written.remove(CONFIDENTIAL) {
        Some(Value::Bool(confidential)) => Ok(confidential),
        Some(_) => Err(ApiRefusal::invalid_member(
            format!("/{CONFIDENTIAL}"),
            "expected true or false",
        )
        .into()),
        None => Ok(before.unwrap_or_else(|| {
            let grants = written.get("grants").and_then(Value::as_array);
            let mut grants = grants.into_iter().flatten().filter_map(Value::as_str);
            let need = [GrantType::ClientCredentials, GrantType::TokenExchange];
            grants.any(|name| need.iter().any(|grant| grant.short() == name))
        })),
    }
}

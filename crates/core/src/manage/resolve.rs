//! The client that a row stands for: what was written, within what its owner could be given now.

use std::sync::Arc;

use crate::base::error::Failure;
use crate::base::row::{Key, Row};
use crate::base::secret::SecretVerifier;
use crate::base::time::Timestamp;
use crate::model::client::{Client, ClientAuth};
use crate::model::grant_type::GrantType;
use crate::model::realm::Realm;
use crate::records::{self, ManagedClient, User};

/// # Errors
/// [`Failure::Corrupt`] if the row has no such record.
pub fn read(row: &Row) -> Result<ManagedClient, Failure> {
    serde_json::from_slice(&row.value).map_err(|_| Failure::Corrupt(format!("{:?}", row.key)))
}

/// The rows that it depends on: its owner.
#[must_use]
pub fn dependencies(realm: &Realm, record: &ManagedClient) -> Vec<Key> {
    let owner = record.owner.iter();
    let owner = owner.map(|owner| records::key::<User>(&realm.name, &owner.to_string()));
    owner.collect()
}

/// The client, with the rows of its [`dependencies`]. None if this version cannot read what was written.
///
/// # Errors
/// [`Failure::Corrupt`] if a row has no such record.
pub fn client(
    realm: &Realm,
    record: &ManagedClient,
    rows: &[Option<Row>],
    now: Timestamp,
) -> Result<Option<Client>, Failure> {
    let written = &record.written;
    let objects = Arc::clone(&realm.managed.objects);
    let Some(mut client) = objects.stored_client(&record.client, written, record.confidential)
    else {
        return Ok(None);
    };
    client.instance = record.instance;
    client.made_at = Some(record.created.at);
    if let ClientAuth::Secret { verifiers, .. } = &mut client.auth {
        (client.secret_ids, *verifiers) = verifiers_of(record, now);
    }
    // What the realm no longer has.
    client.scopes = realm.scopes().intersection(&client.scopes);
    client.owner = record.owner;
    if record.owner.is_some() {
        let owner = rows.iter().flatten().next();
        let owner: Option<User> = owner
            .map(|row| {
                serde_json::from_slice(&row.value)
                    .map_err(|_| Failure::Corrupt(format!("{:?}", row.key)))
            })
            .transpose()?;
        // The same person, and where the client belongs.
        let may_have_it = owner.as_ref().is_some_and(|owner| {
            owner.enabled
                && owner.instance == record.owner_instance
                && owner.organization == client.organization
        });
        client.stopped_with_owner = client.enabled && !may_have_it;
        client.enabled &= may_have_it;
        // What the owner could be given now.
        let groups = owner.map(|owner| owner.groups).unwrap_or_default();
        client.scopes = client
            .scopes
            .filter(|token| realm.may_be_given(token, &groups));
    } else if client.may_use(GrantType::ClientCredentials) {
        // A limited scope that was deleted and made again is to be given again.
        let judged_at = record.judged_at.unwrap_or(record.created.at);
        client.scopes = client
            .scopes
            .filter(|token| !realm.is_limited(token) || realm.was_there(token, judged_at));
    }
    client.default_scopes = client.default_scopes.intersection(&client.scopes);
    Ok(Some(client))
}

fn verifiers_of(record: &ManagedClient, now: Timestamp) -> (Vec<Box<str>>, Vec<SecretVerifier>) {
    let secrets = record.live_secrets(now);
    let digests = secrets.filter_map(|secret| {
        let mut digest = [0; 32];
        hex::decode_to_slice(&secret.sha256, &mut digest).ok()?;
        Some((secret.id.as_str().into(), SecretVerifier::Sha256(digest)))
    });
    digests.unzip()
}

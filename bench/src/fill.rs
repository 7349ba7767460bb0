//! Writes many grants, clients and users through the store's own commits.

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::digest::{SHA256, digest};
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use grantor_core::base::peer::Peer;
use grantor_core::base::row::{Committed, Key, MAX_WRITES, NewRow, Version, Write};
use grantor_core::base::time::Timestamp;
use grantor_core::model::changed::Changed;
use grantor_core::model::claims_request::RequestedClaims;
use grantor_core::model::config_document::ConfigDocument;
use grantor_core::model::ids::{ClientId, ClientInstance, Epoch, GrantId, UserId, UserInstance};
use grantor_core::model::managed::Managed;
use grantor_core::records::{
    Authorization, ClientSecret, ConfigVersion, Grant, GrantOrigin, GrantState, Login,
    ManagedClient, Record, Started, User, Username,
};
use grantor_store::Store as _;
use grantor_store::sqlite::Sqlite;
use serde_json::json;

use crate::Result;

const POOL: &str = "default";
/// Concurrent commits: as many as one transaction of the store takes.
const CONCURRENT: usize = 256;
const GRANTS_PER_USER: u32 = 3;

/// Writes `count` grants of signed-in devices; their ids are distributed like random ones.
pub(crate) async fn fill(store: &Path, count: u32) -> Result<()> {
    let now = now();
    write(store, (0..count).map(|number| grant(now, number))).await
}

/// Writes rows, many at a time.
async fn write(store: &Path, mut rows: impl Iterator<Item = Result<NewRow>>) -> Result<()> {
    let store = Sqlite::open(store)?;
    let now = now();
    let mut running = FuturesUnordered::new();
    let mut commits = 0;
    loop {
        while running.len() < CONCURRENT {
            let writes = rows.by_ref().take(MAX_WRITES);
            let writes = writes.map(|row| row.map(Write::Insert));
            let writes = writes.collect::<Result<Vec<_>>>()?;
            if writes.is_empty() {
                break;
            }
            let id = Version::from_bytes(pseudorandom("commit", commits));
            running.push(store.commit(now, id, writes));
            commits += 1;
        }
        match running.next().await {
            None => return Ok(()),
            Some(Ok(Committed::Done)) => {}
            Some(other) => return Err(format!("a commit failed: {other:?}").into()),
        }
    }
}

/// The key of the MAC in the ids of [`managed`].
const ID_KEY: &str = "0123456789abcdef0123456789abcdef";

/// The id of a managed client.
pub(crate) fn client_id(number: u32) -> Result<ClientId> {
    let id = Managed::draw_id(ID_KEY, pseudorandom("client", number));
    id.ok_or_else(|| "no client id".into())
}

/// Writes so many managed clients, all with the same secret, and as many users. Only once for a store.
pub(crate) async fn managed(store: &Path, count: u32, secret: &str) -> Result<()> {
    let now = now();
    let document = ConfigDocument {
        id_key: ID_KEY.to_owned(),
        ..ConfigDocument::default()
    };
    let document = [new_row(&document), new_row(&ConfigVersion { at: now })];
    let sha256 = hex(digest(&SHA256, secret.as_bytes()).as_ref());
    let clients = (0..count).map(|number| new_row(&client(now, number, &sha256)?));
    let users = (0..count).flat_map(|number| {
        let user = user(number);
        let (username, login) = (
            Username {
                username: user.username.clone(),
                user: user.id,
            },
            Login {
                login: user.username.clone(),
                users: vec![user.id],
            },
        );
        [new_row(&user), new_row(&username), new_row(&login)]
    });
    write(store, document.into_iter().chain(clients).chain(users)).await
}

fn client(now: Timestamp, number: u32, sha256: &str) -> Result<ManagedClient> {
    let written = json!({
        "name": format!("Machine {number}"), "grants": ["client_credentials"], "scopes": ["es256/read"],
    });
    let changed = Changed {
        at: now,
        by: "operator:0".to_owned(),
        trace_id: String::new(),
    };
    Ok(ManagedClient {
        client: client_id(number)?,
        instance: ClientInstance::FIRST,
        written: written.as_object().cloned().unwrap_or_default(),
        confidential: true,
        secrets: vec![ClientSecret {
            id: "0".to_owned(),
            sha256: sha256.to_owned(),
            created: now,
            expires_at: None,
        }],
        owner: None,
        owner_instance: UserInstance::default(),
        created: changed.clone(),
        changed,
        judged_at: Some(now),
    })
}

fn user(number: u32) -> User {
    let username = format!("user{number:06}");
    User {
        id: UserId::from_bytes(pseudorandom("managed user", number)),
        enabled: true,
        epoch: Epoch::from_bytes([7; 8]),
        password: None,
        email: None,
        from_file: false,
        groups: Vec::new(),
        organization: None,
        claims: Default::default(),
        declared: None,
        declared_credential: None,
        logins: vec![username.clone()],
        username,
        changed: None,
        instance: UserInstance::default(),
    }
}

fn new_row<R: Record>(record: &R) -> Result<NewRow> {
    Ok(NewRow {
        key: Key::new(POOL, R::KIND, &record.name()),
        expires_at: record.expires_at(),
        value: serde_json::to_vec(record)?.into(),
        indexes: record.indexes(POOL),
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn grant(now: Timestamp, number: u32) -> Result<NewRow> {
    let peer = Peer::new("192.0.2.1".parse()?, "device/1.0");
    let scope: grantor_core::model::scope::Scope = "offline_access orders/read".parse()?;
    let grant = Grant {
        id: GrantId::from_bytes(pseudorandom("grant", number)),
        kind: GrantOrigin::Device,
        client: "tv".parse()?,
        instance: Default::default(),
        scope: scope.clone(),
        resources: Default::default(),
        started: Started {
            at: now,
            by: peer.clone(),
        },
        expires_at: now + Duration::from_secs(30 * 24 * 3600),
        state: GrantState::Active {
            authorization: Authorization {
                user: UserId::from_bytes(pseudorandom("user", number / GRANTS_PER_USER)),
                epoch: Epoch::from_bytes([7; 8]),
                scope,
                at: now,
                auth_time: now,
                amr: vec!["pwd".to_owned()],
                session: None,
                offline: true,
                claims: RequestedClaims::default(),
                disclosed: None,
                from: peer.clone(),
            },
            code_challenge: None,
            generation: 0,
            rotated_at: now,
            rotated_by: peer,
            repeated_elsewhere: false,
        },
    };
    new_row(&grant)
}

/// Sixteen bytes that look random, and are the same in each run.
fn pseudorandom(what: &str, number: u32) -> [u8; 16] {
    let digest = digest(&SHA256, format!("{what} {number}").as_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest.as_ref()[..16]);
    bytes
}

fn now() -> Timestamp {
    #[expect(clippy::disallowed_methods, reason = "the rows must not have expired")]
    let now = SystemTime::now();
    Timestamp::default() + now.duration_since(UNIX_EPOCH).unwrap_or_default()
}

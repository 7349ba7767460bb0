//! Writes many grants through the store's own commits.

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::digest::{SHA256, digest};
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use grantor_core::base::peer::Peer;
use grantor_core::base::row::{Committed, Key, MAX_WRITES, NewRow, Version, Write};
use grantor_core::base::time::Timestamp;
use grantor_core::model::claims_request::RequestedClaims;
use grantor_core::model::ids::Epoch;
use grantor_core::model::ids::{GrantId, UserId};
use grantor_core::records::{Authorization, Grant, GrantOrigin, GrantState, Record, Started};
use grantor_store::Store as _;
use grantor_store::sqlite::Sqlite;

use crate::Result;

const POOL: &str = "default";
/// Concurrent commits: as many as one transaction of the store takes.
const CONCURRENT: usize = 256;
const GRANTS_PER_USER: u32 = 3;

/// Writes `count` grants of signed-in devices; their ids are distributed like random ones.
pub(crate) async fn fill(store: &Path, count: u32) -> Result<()> {
    let store = Sqlite::open(store)?;
    let now = now();
    let mut running = FuturesUnordered::new();
    let mut next = 0;
    loop {
        while next < count && running.len() < CONCURRENT {
            let end = count.min(next + u32::try_from(MAX_WRITES)?);
            let writes = (next..end).map(|number| row(now, number).map(Write::Insert));
            let writes = writes.collect::<Result<Vec<_>>>()?;
            let id = Version::from_bytes(pseudorandom("commit", next));
            running.push(store.commit(now, id, writes));
            next = end;
        }
        match running.next().await {
            None => return Ok(()),
            Some(Ok(Committed::Done)) => {}
            Some(other) => return Err(format!("a commit failed: {other:?}").into()),
        }
    }
}

fn row(now: Timestamp, number: u32) -> Result<NewRow> {
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
    Ok(NewRow {
        key: Key::new(POOL, Grant::KIND, &grant.name()),
        expires_at: grant.expires_at(),
        value: serde_json::to_vec(&grant)?.into(),
        indexes: grant.indexes(POOL),
    })
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

//! The schema and the statements, in plain SQL for other engines with this protocol.
//!
//! Keys and index names are `bytea`: PostgreSQL's `text` holds no NUL, and its order depends on a locale.

use grantor_core::base::row::Version;
use tokio_postgres::{Client, Error, Statement};

/// The version of the schema.
pub(crate) const SCHEMA: i32 = 1;

/// An empty store.
pub(crate) const CREATE: &str = "
    CREATE TABLE rows (
        key bytea PRIMARY KEY,
        version bytea NOT NULL,
        expires_at bigint,
        value bytea NOT NULL,
        indexes bytea[] NOT NULL
    );
    CREATE INDEX ends ON rows (expires_at) WHERE expires_at IS NOT NULL;
    CREATE INDEX listed ON rows USING gin (indexes);
    CREATE TABLE schema (version integer NOT NULL);
    INSERT INTO schema VALUES (1);
";

/// Statements that a connection has prepared.
pub(crate) struct Statements {
    pub(crate) get: Statement,
    pub(crate) list_kind: Statement,
    pub(crate) list_named: Statement,
    pub(crate) insert: Statement,
    pub(crate) update: Statement,
    pub(crate) delete: Statement,
    pub(crate) check: Statement,
    pub(crate) sweep: Statement,
    pub(crate) health: Statement,
}

impl Statements {
    pub(crate) async fn prepare(client: &Client) -> Result<Self, Error> {
        Ok(Self {
            get: client
                .prepare("SELECT key, version, expires_at, value FROM rows WHERE key = ANY ($1)")
                .await?,
            list_kind: client
                .prepare(
                    "SELECT key, version, expires_at, value FROM rows
                     WHERE key >= $1 AND key < $2 ORDER BY key LIMIT $3",
                )
                .await?,
            list_named: client
                .prepare(
                    "SELECT key, version, expires_at, value FROM rows
                     WHERE indexes @> ARRAY[$1::bytea] AND key >= $2 ORDER BY key LIMIT $3",
                )
                .await?,
            insert: client
                .prepare(&guarded(
                    "INSERT INTO rows VALUES ($2, $3, $4, $5, $6)
                     ON CONFLICT (key) DO UPDATE SET version = excluded.version,
                         expires_at = excluded.expires_at, value = excluded.value,
                         indexes = excluded.indexes
                     WHERE rows.expires_at <= $7 RETURNING 1",
                ))
                .await?,
            update: client
                .prepare(&guarded(
                    "UPDATE rows SET version = $3, expires_at = $4, value = $5, indexes = $6
                     WHERE key = $2 AND version = $7 RETURNING 1",
                ))
                .await?,
            delete: client
                .prepare(&guarded(
                    "DELETE FROM rows WHERE key = $2 AND version = $3 RETURNING 1",
                ))
                .await?,
            // Not FOR KEY SHARE: an UPDATE of other columns than the key would pass it.
            check: client
                .prepare(&guarded(
                    "SELECT 1 FROM rows WHERE key = $2 AND version = $3 FOR SHARE",
                ))
                .await?,
            // Rows by expiry are not in the order of keys, in which commits lock: a sweep must never wait.
            sweep: client
                .prepare(
                    "WITH gone AS (
                         DELETE FROM rows WHERE expires_at <= $1 AND key = ANY (ARRAY(
                             SELECT key FROM rows WHERE expires_at <= $1
                             ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED))
                         RETURNING 1)
                     SELECT count(*) FROM gone",
                )
                .await?,
            health: client
                .prepare(
                    "SELECT version, (extract(epoch FROM clock_timestamp()) * 1000)::bigint
                     FROM schema",
                )
                .await?,
        })
    }
}

/// The first statements of a commit: later ones write only if these succeeded.
pub(crate) fn begin(id: Version) -> String {
    format!("BEGIN; SELECT set_config('grantor.commit', '{id:?}', true)")
}

/// Raises `division_by_zero` unless `write` finds its one row, inside the commit that `$1` names.
///
/// The statements of a commit are sent before the first is answered. If BEGIN failed, each of them
/// would be a transaction by itself; the setting, local to the commit's transaction, prevents it.
fn guarded(write: &str) -> String {
    format!(
        "WITH held AS ({write})
         SELECT 1 / count(*) FROM held WHERE current_setting('grantor.commit', true) = $1"
    )
}

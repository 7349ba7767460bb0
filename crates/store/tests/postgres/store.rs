//! A small store in PostgreSQL: enough to show that the contract fits a server over a network.

use std::sync::{Mutex, PoisonError};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use grantor_core::base::row::{Committed, Index, Key, Row, Version, Write};
use grantor_core::base::time::Timestamp;
use grantor_store::backend::{admit_keys, admit_writes, first_after, kind_bounds};
use grantor_store::{Health, SWEEP_GRACE, Store, StoreError};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Config, Error, Statement};

use crate::connection::{Connection, Ended, connect, is_lost, is_retryable, millis};
use crate::statements::{self, Statements};

/// Connections of one store.
const CONNECTIONS: usize = 8;
/// The attempts for a transaction that the server rolls back because of a concurrent one.
const ATTEMPTS: usize = 100;

/// A store in the schema that the connections' `search_path` names.
pub(crate) struct Postgres {
    config: Config,
    permits: Semaphore,
    idle: Mutex<Vec<Connection>>,
}

/// A connection in exclusive use.
///
/// If it is dropped before [`Postgres::keep`], it completes the requests that were sent and is closed.
struct Lent<'a>(
    Connection,
    #[expect(dead_code, reason = "held")] SemaphorePermit<'a>,
);

impl Postgres {
    /// Opens the store, or creates one.
    pub(crate) async fn open(config: Config) -> Result<Self, StoreError> {
        let client = connect(&config).await.map_err(store_error)?;
        let is_there = client.query_one("SELECT to_regclass('rows') IS NOT NULL", &[]);
        if !is_there.await.map_err(store_error)?.get::<_, bool>(0) {
            let create = client.batch_execute(statements::CREATE);
            create.await.map_err(store_error)?;
        }
        Ok(Self {
            config,
            permits: Semaphore::new(CONNECTIONS),
            idle: Mutex::default(),
        })
    }

    async fn connection(&self) -> Result<Lent<'_>, StoreError> {
        let permit = self.permits.acquire().await;
        let permit = permit.map_err(|_| StoreError::Unavailable("closed".to_owned()))?;
        let idle = self.idle().pop().filter(Connection::is_open);
        let connection = match idle {
            Some(connection) => connection,
            None => Connection::open(&self.config).await.map_err(store_error)?,
        };
        Ok(Lent(connection, permit))
    }

    fn keep(&self, lent: Lent<'_>) {
        self.idle().push(lent.0);
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Executes one statement; again if the server asks for a retry or was restarted.
    async fn ask(
        &self,
        statement: fn(&Statements) -> &Statement,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<tokio_postgres::Row>, StoreError> {
        let mut lent = self.connection().await?;
        for _ in 0..ATTEMPTS {
            match lent.0.ask(statement, parameters).await {
                Err(error) if is_retryable(&error) => {}
                Err(error) if is_lost(&error) => {
                    self.idle().clear();
                    lent.0 = Connection::open(&self.config).await.map_err(store_error)?;
                }
                answer => {
                    self.keep(lent);
                    return answer.map_err(store_error);
                }
            }
        }
        Err(contended())
    }
}

impl Store for Postgres {
    fn get(&self, keys: &[Key]) -> BoxFuture<'_, Result<Vec<Option<Row>>, StoreError>> {
        let keys = keys.to_vec();
        async move {
            admit_keys(&keys)?;
            let wanted: Vec<&[u8]> = keys.iter().map(|key| key.as_str().as_bytes()).collect();
            let found = rows(self.ask(|all| &all.get, &[&wanted]).await?)?;
            let find = |key: &Key| found.iter().find(|row| row.key == *key).cloned();
            Ok(keys.iter().map(find).collect())
        }
        .boxed()
    }

    fn list(
        &self,
        index: &Index,
        after: Option<&Key>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Row>, StoreError>> {
        let (index, first, limit) = (index.clone(), first_after(after), count(limit));
        async move {
            let found = match index {
                Index::Kind { realm, kind } => {
                    let (low, end) = kind_bounds(&realm, &kind);
                    let (low, end) = (low.max(first).into_bytes(), end.into_bytes());
                    self.ask(|all| &all.list_kind, &[&low, &end, &limit]).await
                }
                Index::Named(name) => {
                    let (name, first) = (name.as_str().as_bytes(), first.into_bytes());
                    self.ask(|all| &all.list_named, &[&name, &first, &limit])
                        .await
                }
            };
            rows(found?)
        }
        .boxed()
    }

    fn commit(
        &self,
        now: Timestamp,
        id: Version,
        mut writes: Vec<Write>,
    ) -> BoxFuture<'_, Result<Committed, StoreError>> {
        async move {
            admit_writes(&writes)?;
            // All commits lock in one order: none waits for another that waits for it.
            writes.sort_unstable_by(|a, b| a.key().cmp(b.key()));
            let lent = self.connection().await?;
            for _ in 0..ATTEMPTS {
                let answer = match lent.0.commit(now, id, &writes).await {
                    Ended::Retry => continue,
                    Ended::As(committed) => Ok(committed),
                    Ended::Refused(error) => Err(store_error(error)),
                };
                if answer != Ok(Committed::Unknown) {
                    self.keep(lent);
                }
                return answer;
            }
            Err(contended())
        }
        .boxed()
    }

    fn sweep(&self, now: Timestamp, limit: usize) -> BoxFuture<'_, Result<usize, StoreError>> {
        async move {
            if now.since(Timestamp::default()) < SWEEP_GRACE {
                return Ok(0);
            }
            let (until, limit) = (millis(now - SWEEP_GRACE), count(limit));
            let swept = self.ask(|all| &all.sweep, &[&until, &limit]).await?;
            let swept: i64 = only(&swept)?.try_get(0).map_err(damaged)?;
            Ok(usize::try_from(swept).unwrap_or_default())
        }
        .boxed()
    }

    fn check(&self, now: Timestamp) -> BoxFuture<'_, Result<Health, StoreError>> {
        async move {
            let rows = self.ask(|all| &all.health, &[]).await?;
            let health = only(&rows)?;
            let schema: i32 = health.try_get(0).map_err(damaged)?;
            if schema != statements::SCHEMA {
                return Err(StoreError::Corrupt(format!(
                    "its schema is version {schema}"
                )));
            }
            let clock: i64 = health.try_get(1).map_err(damaged)?;
            let clock = Timestamp::from_millis(clock.unsigned_abs());
            Ok(Health {
                schema: schema.unsigned_abs(),
                clock_skew: clock.since(now).max(now.since(clock)),
            })
        }
        .boxed()
    }
}

/// Reads rows of `key, version, expires_at, value`.
fn rows(found: Vec<tokio_postgres::Row>) -> Result<Vec<Row>, StoreError> {
    let read = |row: tokio_postgres::Row| {
        let key = str::from_utf8(row.try_get(0).map_err(damaged)?).map_err(damaged)?;
        let version = row.try_get::<_, &[u8]>(1).map_err(damaged)?;
        let expires_at: Option<i64> = row.try_get(2).map_err(damaged)?;
        Ok(Row {
            key: Key::from_stored(key),
            version: Version::from_bytes(version.try_into().map_err(damaged)?),
            expires_at: expires_at.map(|at| Timestamp::from_millis(at.unsigned_abs())),
            value: row.try_get::<_, &[u8]>(3).map_err(damaged)?.into(),
        })
    };
    found.into_iter().map(read).collect()
}

fn only(rows: &[tokio_postgres::Row]) -> Result<&tokio_postgres::Row, StoreError> {
    let missing = || StoreError::Corrupt("a row of its own is missing".to_owned());
    rows.first().ok_or_else(missing)
}

fn count(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

fn contended() -> StoreError {
    StoreError::Unavailable(format!("refused {ATTEMPTS} times for the sake of others"))
}

fn damaged(error: impl std::fmt::Display) -> StoreError {
    StoreError::Corrupt(error.to_string())
}

fn store_error(error: Error) -> StoreError {
    let damages = [
        SqlState::DATA_CORRUPTED,
        SqlState::INDEX_CORRUPTED,
        SqlState::UNDEFINED_TABLE,
        SqlState::UNDEFINED_COLUMN,
    ];
    let text = error
        .as_db_error()
        .map_or_else(|| error.to_string(), |server| server.message().to_owned());
    if error.code().is_some_and(|code| damages.contains(code)) {
        StoreError::Corrupt(text)
    } else {
        StoreError::Unavailable(text)
    }
}

//! One connection, and the messages of a commit.

use std::pin::Pin;
use std::task::Poll;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, MaybeDone, maybe_done, poll_fn};
use grantor_core::base::row::{Committed, NewRow, Version, Write};
use grantor_core::base::time::Timestamp;
use tokio_postgres::error::{Severity, SqlState};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Config, Error, NoTls, Row, Statement};

use crate::statements::{Statements, begin};

/// A connection with its statements prepared.
pub(crate) struct Connection {
    client: Client,
    statements: Statements,
}

/// How an attempt to commit ended.
pub(crate) enum Ended {
    As(Committed),
    /// Nothing is written.
    Refused(Error),
    /// Nothing is written, and it may be tried again.
    Retry,
}

/// Connects; requests that were sent are still carried out if the client is dropped.
pub(crate) async fn connect(config: &Config) -> Result<Client, Error> {
    let (client, connection) = config.connect(NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

impl Connection {
    pub(crate) async fn open(config: &Config) -> Result<Self, Error> {
        let client = connect(config).await?;
        let statements = Statements::prepare(&client).await?;
        Ok(Self { client, statements })
    }

    pub(crate) fn is_open(&self) -> bool {
        !self.client.is_closed()
    }

    pub(crate) async fn ask(
        &self,
        statement: fn(&Statements) -> &Statement,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, Error> {
        let statement = statement(&self.statements);
        self.client.query(statement, parameters).await
    }

    /// Commits in one round trip: all statements are sent before the first answer is awaited.
    ///
    /// When this is dropped after its first poll, the commit is still carried out.
    pub(crate) async fn commit(&self, now: Timestamp, id: Version, writes: &[Write]) -> Ended {
        let (commit, begin) = (format!("{id:?}"), begin(id));
        let mut steps = vec![step(self.client.batch_execute(&begin))];
        let write = |write| step(self.execute(&commit, now, id, write));
        steps.extend(writes.iter().map(write));
        send(&mut steps).await;
        // If a statement could not be sent, the commit must not succeed without it.
        let failed = |step: &Step<'_>| matches!(step, MaybeDone::Done(Err(_)));
        let whole = !steps.iter().any(failed);
        let end = if whole { "COMMIT" } else { "ROLLBACK" };
        steps.push(step(self.client.batch_execute(end)));
        send(&mut steps).await;

        let last = steps.len() - 1;
        for (n, mut step) in steps.into_iter().enumerate() {
            (&mut step).await;
            let Some(Err(error)) = Pin::new(&mut step).take_output() else {
                continue;
            };
            // The first error is the cause of all others.
            return match error.code() {
                _ if whole && is_lost(&error) => Ended::As(Committed::Unknown),
                _ if is_retryable(&error) => Ended::Retry,
                Some(&SqlState::DIVISION_BY_ZERO) if (1..last).contains(&n) => {
                    Ended::As(Committed::Conflict(writes[n - 1].key().clone()))
                }
                // It may have been carried out by then.
                _ if whole && n == last => Ended::As(Committed::Unknown),
                _ => Ended::Refused(error),
            };
        }
        Ended::As(Committed::Done)
    }

    async fn execute(
        &self,
        commit: &str,
        now: Timestamp,
        id: Version,
        write: &Write,
    ) -> Result<(), Error> {
        let (all, key) = (&self.statements, write.key().as_str().as_bytes());
        let (id, now) = (&id.as_bytes()[..], millis(now));
        let put = async |statement, row: &NewRow, condition: &(dyn ToSql + Sync)| {
            let ends = row.expires_at.map(millis);
            let names: Vec<&[u8]> = row.indexes.iter().map(|i| i.as_str().as_bytes()).collect();
            let row: [&(dyn ToSql + Sync); 7] =
                [&commit, &key, &id, &ends, &&*row.value, &names, condition];
            self.client.execute(statement, &row).await
        };
        let done = match write {
            Write::Insert(row) => put(&all.insert, row, &now).await,
            Write::Update { row, expect } => put(&all.update, row, &&expect.as_bytes()[..]).await,
            Write::Delete { expect, .. } => {
                let expect = &expect.as_bytes()[..];
                self.client
                    .execute(&all.delete, &[&commit, &key, &expect])
                    .await
            }
            Write::Check { expect, .. } => {
                let expect = &expect.as_bytes()[..];
                self.client
                    .execute(&all.check, &[&commit, &key, &expect])
                    .await
            }
        };
        done.map(drop)
    }
}

/// One statement of a commit. The first poll sends it.
type Step<'a> = MaybeDone<BoxFuture<'a, Result<(), Error>>>;

fn step<'a>(statement: impl Future<Output = Result<(), Error>> + Send + 'a) -> Step<'a> {
    maybe_done(statement.boxed())
}

/// Sends the statements that were not sent yet, in order.
async fn send(steps: &mut [Step<'_>]) {
    poll_fn(|context| {
        for step in &mut *steps {
            let _ = Pin::new(step).poll(context);
        }
        Poll::Ready(())
    })
    .await;
}

/// Whether the server rolled back a transaction because of a concurrent one.
pub(crate) fn is_retryable(error: &Error) -> bool {
    let retryable = [
        SqlState::T_R_SERIALIZATION_FAILURE,
        SqlState::T_R_DEADLOCK_DETECTED,
    ];
    error.code().is_some_and(|code| retryable.contains(code))
}

/// Whether the connection was lost.
pub(crate) fn is_lost(error: &Error) -> bool {
    error.as_db_error().is_none_or(|said| {
        matches!(
            said.parsed_severity(),
            Some(Severity::Fatal | Severity::Panic)
        )
    })
}

/// A time as PostgreSQL's signed integer; saturates.
pub(crate) fn millis(at: Timestamp) -> i64 {
    i64::try_from(at.as_millis()).unwrap_or(i64::MAX)
}

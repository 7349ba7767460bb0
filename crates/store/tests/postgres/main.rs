//! The contract over a network: a small store in PostgreSQL, which is not shipped.

#![expect(clippy::expect_used, reason = "a part of tests")]

mod connection;
mod lost;
mod server;
mod statements;
mod store;

use std::time::{Duration, SystemTime};

use grantor_core::base::time::Timestamp;
use grantor_store::{Store as _, conformance};
use tokio_postgres::Config;
use tokio_postgres::error::SqlState;

use connection::connect;
use server::Server;
use statements::Statements;
use store::Postgres;

async fn open(config: Config) -> Postgres {
    Postgres::open(config).await.expect("the store opens")
}

/// The same schema, with one more server setting for each connection.
fn with(mut config: Config, setting: &str) -> Config {
    let before = config.get_options().unwrap_or_default();
    let options = format!("{before} -c {setting}");
    config.options(options);
    config
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn postgres_conforms() {
    conformance::run(|| async { open(Server::get().fresh().await).await }).await;
}

/// The server then rolls back transactions that would otherwise wait for row locks, as CockroachDB always does.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn postgres_conforms_when_every_transaction_is_serializable() {
    conformance::run(|| async {
        let config = Server::get().fresh().await;
        open(with(config, "default_transaction_isolation=serializable")).await
    })
    .await;
}

#[tokio::test]
async fn postgres_survives_reopening() {
    let config = Server::get().fresh().await;
    conformance::survives_reopening(|| open(config.clone())).await;
}

#[tokio::test]
async fn a_clock_that_is_wrong_is_seen() {
    let store = open(Server::get().fresh().await).await;
    #[expect(clippy::disallowed_methods, reason = "the server's clock is this one")]
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap();
    let now = Timestamp::from_secs(now.as_secs());
    let hour = Duration::from_secs(60 * 60);
    assert!(store.check(now).await.unwrap().is_ready());
    assert!(!store.check(now + hour).await.unwrap().is_ready());
    assert!(!store.check(now - hour).await.unwrap().is_ready());
}

#[tokio::test]
async fn a_statement_outside_its_commit_writes_nothing() {
    let config = Server::get().fresh().await;
    open(config.clone()).await;
    let client = connect(&config).await.unwrap();
    let insert = Statements::prepare(&client).await.unwrap().insert;
    let (commit, key, version, value) = ("5a", &b"a"[..], &[0x5a_u8; 16][..], &b"{}"[..]);
    let (ends, indexes, now) = (None::<i64>, Vec::<&[u8]>::new(), 0_i64);
    let row: [&(dyn tokio_postgres::types::ToSql + Sync); 7] =
        [&commit, &key, &version, &ends, &value, &indexes, &now];
    // As if BEGIN had failed: before any commit, and after one over the same connection.
    for _ in 0..2 {
        let refused = client.execute(&insert, &row).await.unwrap_err();
        assert_eq!(
            refused.code(),
            Some(&SqlState::DIVISION_BY_ZERO),
            "{refused:?}"
        );
        let other = "BEGIN; SELECT set_config('grantor.commit', '5a', true); COMMIT";
        client.batch_execute(other).await.unwrap();
    }
    let rows = client.query("SELECT FROM rows", &[]).await.unwrap();
    assert!(rows.is_empty());
}

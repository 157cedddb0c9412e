//! Every statement is prepared on both databases.

use super::*;
use sqlx::{Executor, SqlSafeStr};

const STATEMENTS: &[(&str, &[(&str, &str)])] = &[
    ("cases", cases::ALL),
    ("desks", desks::ALL),
    ("hearings", hearings::ALL),
    ("inbound", inbound::ALL),
    ("lines", lines::ALL),
    ("outbox", outbox::ALL),
    ("people", people::ALL),
    ("recordings", recordings::ALL),
    ("web", web::ALL),
];

/// Where the tests' PostgreSQL is; `tests/run` starts one and says so.
fn postgres_url() -> Option<String> {
    let url = std::env::var("HUB_TEST_POSTGRES").ok();
    if url.is_none() {
        eprintln!("SKIPPED: HUB_TEST_POSTGRES is not set, PostgreSQL was not tried. `bash tests/run` starts one.");
    }
    url
}

#[tokio::test]
async fn every_statement_prepares_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open_sqlite(&folder.path().join("hub.db")).await.unwrap();
    let Store::Sqlite { writer, .. } = &store else { panic!("not SQLite") };
    let mut connection = writer.acquire().await.unwrap();
    for (file, list) in STATEMENTS {
        for (name, sql) in list.iter().filter(|(name, _)| !name.ends_with("_POSTGRES")) {
            let prepared = connection.prepare((*sql).into_sql_str()).await;
            assert!(prepared.is_ok(), "{file}::{name}: {:?}", prepared.err());
        }
    }
}

#[tokio::test]
async fn every_statement_prepares_on_postgres() {
    let Some(url) = postgres_url() else { return };
    let store = Store::open_postgres(&url).await.unwrap();
    let Store::Postgres(pool) = &store else { panic!("not PostgreSQL") };
    let mut connection = pool.acquire().await.unwrap();
    for (file, list) in STATEMENTS {
        for (name, sql) in list.iter() {
            let prepared = connection.prepare((*sql).into_sql_str()).await;
            assert!(prepared.is_ok(), "{file}::{name}: {:?}", prepared.err());
        }
    }
}

//! Which database a hub of the tests keeps its cases in.

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use std::sync::atomic::{AtomicU32, Ordering};

/// A database of one hub.
pub enum Database {
    /// The embedded one, in the hub's data folder.
    Sqlite,
    /// One of PostgreSQL: its address, and the server's for removing it.
    Postgres { url: String, server: String },
}

static MADE: AtomicU32 = AtomicU32::new(0);

impl Database {
    /// A new one in the tests' PostgreSQL. `tests/run` starts a server and says where it is.
    pub async fn postgres() -> Option<Self> {
        let Ok(server) = std::env::var("HUB_TEST_POSTGRES") else {
            eprintln!(
                "SKIPPED: HUB_TEST_POSTGRES is not set, the story was not told on PostgreSQL. `bash tests/run` starts one."
            );
            return None;
        };
        let name = format!("hub_story_{}_{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
        run(&server, format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await.unwrap();
        run(&server, format!("CREATE DATABASE {name}")).await.unwrap();
        let mut url = url::Url::parse(&server).unwrap();
        url.set_path(&name);
        Some(Self::Postgres { url: url.into(), server })
    }

    pub fn url(&self) -> Option<&str> {
        match self {
            Self::Sqlite => None,
            Self::Postgres { url, .. } => Some(url),
        }
    }
}

async fn run(server: &str, statement: String) -> sqlx::Result<()> {
    let mut connection = PgConnection::connect(server).await?;
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await?;
    connection.close().await
}

impl Drop for Database {
    fn drop(&mut self) {
        let Self::Postgres { url, server } = self else { return };
        let name = url::Url::parse(url).unwrap().path().trim_start_matches('/').to_owned();
        let server = server.clone();
        // The test's own runtime may be on its way out already.
        let removed = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(run(&server, format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")))
        });
        let _ = removed.join();
    }
}

//! The two databases behind one face. The seams between them are here and nowhere else.

use crate::domain::calendar::Timestamp;
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions, PgRow};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteRow, SqliteSynchronous};
use sqlx::{PgPool, Postgres, Sqlite, SqlitePool, Transaction};
use std::borrow::Cow;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

/// How long a statement waits for SQLite's one writer.
const BUSY_TIMEOUT: Duration = Duration::from_secs(20);
const SQLITE_READERS: u32 = 4;
const POSTGRES_CONNECTIONS: u32 = 16;

/// Migrations in order: number, name, text for SQLite, text for PostgreSQL. A merged one is never edited.
const MIGRATIONS: &[(i64, &str, &str, &str)] = &[
    (
        1,
        "spine",
        include_str!("../../migrations/sqlite/0001_spine.sql"),
        include_str!("../../migrations/postgres/0001_spine.sql"),
    ),
    (
        2,
        "lines",
        include_str!("../../migrations/sqlite/0002_lines.sql"),
        include_str!("../../migrations/postgres/0002_lines.sql"),
    ),
];

/// What can go wrong in the database.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A row of that key exists already.
    #[error("the constraint {constraint} stands against it")]
    Taken {
        /// Name of the constraint, or SQLite's list of its columns.
        constraint: String,
    },
    /// A stored value does not read back.
    #[error("stored value of {what} does not read back")]
    Corrupt {
        /// Column or thing.
        what: &'static str,
    },
    /// A column is missing or has another type.
    #[error("column {column} could not be read")]
    Column {
        /// Its name.
        column: String,
    },
    /// Somebody else changed the row meanwhile.
    #[error("somebody else changed it meanwhile")]
    Stale,
    /// The database did not do it.
    #[error("database: {0}")]
    Database(#[source] sqlx::Error),
    /// The schema could not be brought up to date.
    #[error("migration: {0}")]
    Migration(#[from] sqlx::migrate::MigrateError),
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match error.as_database_error() {
            Some(db) if db.is_unique_violation() => {
                Self::Taken { constraint: db.constraint().map_or_else(|| db.message().to_owned(), str::to_owned) }
            }
            _ => Self::Database(error),
        }
    }
}

/// An argument of a statement. Empty values keep their type, which PostgreSQL insists on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Text, or no text.
    Text(Option<String>),
    /// A whole number, or none.
    Int(Option<i64>),
}

macro_rules! value_from {
    ($($from:ty => |$v:ident| $make:expr;)*) => {$(
        impl From<$from> for Value {
            fn from($v: $from) -> Self { $make }
        }
    )*};
}
value_from! {
    &str => |v| Self::Text(Some(v.to_owned()));
    String => |v| Self::Text(Some(v));
    &String => |v| Self::Text(Some(v.clone()));
    Option<String> => |v| Self::Text(v);
    Option<&str> => |v| Self::Text(v.map(str::to_owned));
    i64 => |v| Self::Int(Some(v));
    Option<i64> => |v| Self::Int(v);
    bool => |v| Self::Int(Some(i64::from(v)));
    Timestamp => |v| Self::Int(Some(v.millis()));
    Option<Timestamp> => |v| Self::Int(v.map(Timestamp::millis));
}

/// A row of an answer.
#[derive(Debug)]
pub enum Row {
    /// From SQLite.
    Sqlite(SqliteRow),
    /// From PostgreSQL.
    Postgres(PgRow),
}

impl Row {
    /// A text column.
    ///
    /// # Errors
    /// When it is missing, empty or of another type.
    pub fn text(&self, column: &str) -> Result<String, StoreError> {
        self.opt_text(column)?.ok_or_else(|| StoreError::Column { column: column.to_owned() })
    }

    /// A text column that may be empty.
    ///
    /// # Errors
    /// When it is missing or of another type.
    pub fn opt_text(&self, column: &str) -> Result<Option<String>, StoreError> {
        use sqlx::Row as _;
        match self {
            Self::Sqlite(row) => row.try_get(column),
            Self::Postgres(row) => row.try_get(column),
        }
        .map_err(|_| StoreError::Column { column: column.to_owned() })
    }

    /// A whole number.
    ///
    /// # Errors
    /// When it is missing, empty or of another type.
    pub fn int(&self, column: &str) -> Result<i64, StoreError> {
        self.opt_int(column)?.ok_or_else(|| StoreError::Column { column: column.to_owned() })
    }

    /// A whole number that may be empty.
    ///
    /// # Errors
    /// When it is missing or of another type.
    pub fn opt_int(&self, column: &str) -> Result<Option<i64>, StoreError> {
        use sqlx::Row as _;
        match self {
            Self::Sqlite(row) => row.try_get(column),
            Self::Postgres(row) => row.try_get(column),
        }
        .map_err(|_| StoreError::Column { column: column.to_owned() })
    }

    /// A truth value.
    ///
    /// # Errors
    /// When it is missing.
    pub fn flag(&self, column: &str) -> Result<bool, StoreError> {
        Ok(self.int(column)? != 0)
    }

    /// A moment.
    ///
    /// # Errors
    /// When it is missing.
    pub fn time(&self, column: &str) -> Result<Timestamp, StoreError> {
        Ok(Timestamp::from_millis(self.int(column)?))
    }

    /// A moment that may be empty.
    ///
    /// # Errors
    /// When it is missing.
    pub fn opt_time(&self, column: &str) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.opt_int(column)?.map(Timestamp::from_millis))
    }

    /// An identifier or another type that parses from text.
    ///
    /// # Errors
    /// When it is missing or does not parse.
    pub fn parsed<T: FromStr>(&self, column: &'static str) -> Result<T, StoreError> {
        self.text(column)?.parse().map_err(|_| StoreError::Corrupt { what: column })
    }

    /// Like [`Row::parsed`] for a column that may be empty.
    ///
    /// # Errors
    /// When it is missing or does not parse.
    pub fn opt_parsed<T: FromStr>(&self, column: &'static str) -> Result<Option<T>, StoreError> {
        self.opt_text(column)?.map(|text| text.parse().map_err(|_| StoreError::Corrupt { what: column })).transpose()
    }

    /// A JSON column.
    ///
    /// # Errors
    /// When it is missing or does not fit.
    pub fn json<T: serde::de::DeserializeOwned>(&self, column: &'static str) -> Result<T, StoreError> {
        serde_json::from_str(&self.text(column)?).map_err(|_| StoreError::Corrupt { what: column })
    }
}

/// The database.
#[derive(Debug, Clone)]
pub enum Store {
    /// Embedded: one writer, several readers.
    Sqlite {
        /// The one connection that writes.
        writer: SqlitePool,
        /// Those that read.
        readers: SqlitePool,
    },
    /// A server.
    Postgres(PgPool),
}

/// A transaction. Dropped without [`Tx::commit`], nothing happened.
#[derive(Debug)]
pub enum Tx {
    /// In SQLite.
    Sqlite(Transaction<'static, Sqlite>),
    /// In PostgreSQL.
    Postgres(Transaction<'static, Postgres>),
}

impl Store {
    /// Opens an SQLite file, made when missing, and brings its schema up to date.
    ///
    /// # Errors
    /// When the file cannot be opened or the schema not be brought up to date.
    pub async fn open_sqlite(path: &Path) -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // An acknowledged complaint must outlive a power cut, not only a killed process.
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT);
        let writer = SqlitePoolOptions::new().max_connections(1).connect_with(options.clone()).await?;
        let store = Self::Sqlite {
            readers: SqlitePoolOptions::new().max_connections(SQLITE_READERS).connect_lazy_with(options),
            writer,
        };
        store.migrate().await?;
        Ok(store)
    }

    /// Connects to PostgreSQL and brings its schema up to date.
    ///
    /// # Errors
    /// When there is no connection or the schema cannot be brought up to date.
    pub async fn open_postgres(url: &str) -> Result<Self, StoreError> {
        let options = PgConnectOptions::from_str(url)?;
        let store =
            Self::Postgres(PgPoolOptions::new().max_connections(POSTGRES_CONNECTIONS).connect_with(options).await?);
        store.migrate().await?;
        Ok(store)
    }

    /// Opens what an address names: `postgres://…`, or `sqlite:PATH`.
    ///
    /// # Errors
    /// As the two above.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        match url.strip_prefix("sqlite:") {
            Some(path) => Self::open_sqlite(Path::new(path.trim_start_matches("//"))).await,
            None => Self::open_postgres(url).await,
        }
    }

    async fn migrate(&self) -> Result<(), StoreError> {
        let migrations = MIGRATIONS
            .iter()
            .map(|&(number, name, sqlite, postgres)| {
                let sql = match self {
                    Self::Sqlite { .. } => sqlite,
                    Self::Postgres(_) => postgres,
                };
                let text = sqlx::SqlSafeStr::into_sql_str(sql);
                Migration::new(number, Cow::Borrowed(name), MigrationType::Simple, text, false)
            })
            .collect();
        let migrator = Migrator::with_migrations(migrations);
        match self {
            Self::Sqlite { writer, .. } => migrator.run(writer).await?,
            Self::Postgres(pool) => migrator.run(pool).await?,
        }
        Ok(())
    }

    /// Begins a transaction that may write.
    ///
    /// # Errors
    /// When there is no connection.
    pub async fn write(&self) -> Result<Tx, StoreError> {
        Ok(match self {
            // IMMEDIATE: a transaction that reads first and writes later would otherwise fail on the upgrade.
            Self::Sqlite { writer, .. } => Tx::Sqlite(writer.begin_with("BEGIN IMMEDIATE").await?),
            Self::Postgres(pool) => Tx::Postgres(pool.begin().await?),
        })
    }

    /// Begins a transaction that only reads.
    ///
    /// # Errors
    /// When there is no connection.
    pub async fn read(&self) -> Result<Tx, StoreError> {
        Ok(match self {
            Self::Sqlite { readers, .. } => Tx::Sqlite(readers.begin().await?),
            Self::Postgres(pool) => Tx::Postgres(pool.begin().await?),
        })
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// Why it does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        let mut tx = self.read().await?;
        tx.all("SELECT CAST(1 AS BIGINT) AS one", &[]).await.map(|_| ())
    }

    /// Which database this is, for people.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Sqlite { .. } => "SQLite",
            Self::Postgres(_) => "PostgreSQL",
        }
    }

    /// Closes all connections; SQLite folds its log into the file.
    pub async fn close(&self) {
        match self {
            Self::Sqlite { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
            Self::Postgres(pool) => pool.close().await,
        }
    }

    /// Seam 1: the tail of a statement that picks rows nobody else is working on.
    pub(super) const fn claim_sql<'a>(&self, sqlite: &'a str, postgres: &'a str) -> &'a str {
        match self {
            Self::Sqlite { .. } => sqlite,
            Self::Postgres(_) => postgres,
        }
    }
}

macro_rules! bound {
    ($sql:expr, $args:expr) => {{
        let mut query = sqlx::query($sql);
        for value in $args {
            query = match value {
                Value::Text(v) => query.bind(v.as_deref()),
                Value::Int(v) => query.bind(*v),
            };
        }
        query
    }};
}

impl Tx {
    /// Runs a statement; answers the number of rows it changed.
    ///
    /// # Errors
    /// [`StoreError::Taken`] for a broken constraint, else what the database says.
    pub async fn run(&mut self, sql: &'static str, args: &[Value]) -> Result<u64, StoreError> {
        Ok(match self {
            Self::Sqlite(tx) => bound!(sql, args).execute(&mut **tx).await?.rows_affected(),
            Self::Postgres(tx) => bound!(sql, args).execute(&mut **tx).await?.rows_affected(),
        })
    }

    /// Runs a statement that must change exactly one row.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when it changed none, else as [`Tx::run`].
    pub async fn run_one(&mut self, sql: &'static str, args: &[Value]) -> Result<(), StoreError> {
        if self.run(sql, args).await? == 1 { Ok(()) } else { Err(StoreError::Stale) }
    }

    /// All rows of an answer.
    ///
    /// # Errors
    /// What the database says.
    pub async fn all(&mut self, sql: &'static str, args: &[Value]) -> Result<Vec<Row>, StoreError> {
        Ok(match self {
            Self::Sqlite(tx) => {
                let rows = bound!(sql, args).fetch_all(&mut **tx).await?;
                rows.into_iter().map(Row::Sqlite).collect()
            }
            Self::Postgres(tx) => {
                let rows = bound!(sql, args).fetch_all(&mut **tx).await?;
                rows.into_iter().map(Row::Postgres).collect()
            }
        })
    }

    /// The first row of an answer.
    ///
    /// # Errors
    /// What the database says.
    pub async fn first(&mut self, sql: &'static str, args: &[Value]) -> Result<Option<Row>, StoreError> {
        Ok(match self {
            Self::Sqlite(tx) => bound!(sql, args).fetch_optional(&mut **tx).await?.map(Row::Sqlite),
            Self::Postgres(tx) => bound!(sql, args).fetch_optional(&mut **tx).await?.map(Row::Postgres),
        })
    }

    /// Makes it so.
    ///
    /// # Errors
    /// When the database could not; then nothing happened.
    pub async fn commit(self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(tx) => tx.commit().await?,
            Self::Postgres(tx) => tx.commit().await?,
        }
        Ok(())
    }
}

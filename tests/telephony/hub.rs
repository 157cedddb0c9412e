//! A demo hub of a test's own, in a folder and a database of its own.

use champions_hub::domain::case::{Case, CaseEvent};
use champions_hub::id::InboundId;
use champions_hub::store::cases::{Attachment, Filter, HistoryLine};
use champions_hub::store::outbox::Message;
use champions_hub::store::{Store, cases, inbound, outbox, people};
use champions_hub::time::Timestamp;
use serde_json::Value;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long anything that must happen may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
const LOOK: Duration = Duration::from_millis(50);

/// The databases to tell a story on: `None` is SQLite in the data folder.
pub async fn databases() -> Vec<Option<String>> {
    let Ok(server) = std::env::var("HUB_TEST_POSTGRES") else {
        eprintln!("SKIPPED: HUB_TEST_POSTGRES is not set, PostgreSQL was not tried. `bash tests/run` starts one.");
        return vec![None];
    };
    vec![None, Some(new_database(&server).await)]
}

async fn new_database(server: &str) -> String {
    let name = format!("hub_{}", InboundId::generate(0).as_str());
    let pool = sqlx::PgPool::connect(server).await.unwrap();
    let create = sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"));
    sqlx::query(create).execute(&pool).await.unwrap();
    pool.close().await;
    let (base, _) = server.rsplit_once('/').unwrap();
    format!("{base}/{name}")
}

/// A running demo.
pub struct Hub {
    program: Child,
    folder: TempDir,
    database: Option<String>,
    more: Vec<String>,
    /// What the demo says of itself.
    pub facts: Value,
    /// Its database, seen from outside.
    pub store: Store,
    pub client: reqwest::Client,
}

impl Hub {
    pub async fn start(database: Option<String>) -> Self {
        Self::start_with(database, &[]).await
    }

    pub async fn start_with(database: Option<String>, more: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let more: Vec<String> = more.iter().map(|&option| option.to_owned()).collect();
        let program = spawn(&folder, database.as_ref(), &more);
        let facts = facts_of(&folder).await;
        let store = open(&folder, database.as_ref()).await;
        let client = reqwest::Client::builder().timeout(PATIENCE).build().unwrap();
        let hub = Self { program, folder, database, more, facts, store, client };
        hub.answers().await;
        hub
    }

    /// Ends it without a word.
    pub fn kill(&mut self) {
        self.program.kill().unwrap();
        self.program.wait().unwrap();
        std::fs::remove_file(self.folder.path().join("demo.json")).unwrap();
    }

    /// Starts it again on what it left.
    pub async fn started_again(mut self) -> Self {
        self.program = spawn(&self.folder, self.database.as_ref(), &self.more);
        self.facts = facts_of(&self.folder).await;
        self.answers().await;
        self
    }

    /// How to reach it, for others to use while it runs.
    pub fn line(&self) -> Line {
        Line { facts: self.facts.clone(), client: self.client.clone() }
    }

    async fn answers(&self) {
        let url = self.url("/livez");
        until("the hub answers", async || self.client.get(&url).send().await.ok().map(drop)).await;
    }

    pub fn url(&self, path: &str) -> String {
        url(&self.facts, path)
    }

    pub fn file(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    pub async fn cases_of(&self, number: &str) -> Vec<Case> {
        cases::by_mobile(&mut self.store.read().await.unwrap(), number).await.unwrap()
    }

    /// The one case of a number.
    pub async fn case_of(&self, number: &str) -> Case {
        let mut cases = self.cases_of(number).await;
        assert_eq!(cases.len(), 1, "{number} has {} cases", cases.len());
        cases.remove(0)
    }

    pub async fn all_cases(&self) -> Vec<Case> {
        let mut tx = self.store.read().await.unwrap();
        cases::newest_first(&mut tx, &Filter::default(), None, 100_000).await.unwrap()
    }

    /// Events that were stored and not done with.
    pub async fn open_events(&self) -> usize {
        let mut tx = self.store.read().await.unwrap();
        inbound::left_open(&mut tx, Timestamp::from_millis(i64::MAX), 10_000).await.unwrap().len()
    }

    pub async fn sounds_of(&self, case: &Case) -> Vec<Attachment> {
        cases::attachments(&mut self.store.read().await.unwrap(), &case.id).await.unwrap()
    }

    pub async fn history_of(&self, case: &Case) -> Vec<HistoryLine<CaseEvent>> {
        cases::history(&mut self.store.read().await.unwrap(), &case.id).await.unwrap()
    }

    /// What was written to a number.
    pub async fn texts_to(&self, number: &str) -> Vec<Message> {
        outbox::to_recipient(&mut self.store.read().await.unwrap(), number, "sms").await.unwrap()
    }

    pub async fn officer_of(&self, case: &Case) -> String {
        let account = case.assignee.as_ref().unwrap();
        let mut tx = self.store.read().await.unwrap();
        people::by_id(&mut tx, account.as_str()).await.unwrap().unwrap().username
    }

    pub async fn stored_events(&self) -> usize {
        let mut tx = self.store.read().await.unwrap();
        let mut count = 0;
        for kind in ["call", "sms", "delivery"] {
            count += inbound::newest_of_kind(&mut tx, kind, 10_000).await.unwrap().len();
        }
        count
    }

    pub async fn counter(&self, line: &str) -> u64 {
        let metrics = self.client.get(self.url("/metrics")).send().await.unwrap().text().await.unwrap();
        let value = metrics.lines().find_map(|l| l.strip_prefix(line)).unwrap_or("0");
        value.trim().parse().unwrap()
    }
}

/// How a hub is reached.
pub struct Line {
    pub facts: Value,
    pub client: reqwest::Client,
}

/// What a provider needs of a hub to call it.
pub trait Reached {
    fn facts(&self) -> &Value;
    fn client(&self) -> &reqwest::Client;
}

impl Reached for Hub {
    fn facts(&self) -> &Value {
        &self.facts
    }
    fn client(&self) -> &reqwest::Client {
        &self.client
    }
}

impl Reached for Line {
    fn facts(&self) -> &Value {
        &self.facts
    }
    fn client(&self) -> &reqwest::Client {
        &self.client
    }
}

pub fn url(facts: &Value, path: &str) -> String {
    format!("{}{path}", facts["plain_url"].as_str().unwrap())
}

impl Drop for Hub {
    fn drop(&mut self) {
        let _gone_already = self.program.kill();
        let _reaped = self.program.wait();
    }
}

/// Looks again until there is something to see.
pub async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(seen) = look().await {
            return seen;
        }
        assert!(begun.elapsed() < PATIENCE, "{what}: not within {PATIENCE:?}");
        tokio::time::sleep(LOOK).await;
    }
}

fn spawn(folder: &TempDir, database: Option<&String>, more: &[String]) -> Child {
    let any = "127.0.0.1:0";
    let mut command = Command::new(env!("CARGO_BIN_EXE_champions-hub"));
    command.arg("demo").arg("--data").arg(folder.path()).args(["--listen", any, "--plain-http", any, "--media", any]);
    if let Some(url) = database {
        command.args(["--database", url]);
    }
    command.args(more).stdout(Stdio::null()).spawn().unwrap()
}

async fn facts_of(folder: &TempDir) -> Value {
    let path = folder.path().join("demo.json");
    until("demo.json", async || serde_json::from_slice(&std::fs::read(&path).ok()?).ok()).await
}

async fn open(folder: &TempDir, database: Option<&String>) -> Store {
    match database {
        Some(url) => Store::open(url).await.unwrap(),
        None => Store::open_sqlite(&folder.path().join("hub.db")).await.unwrap(),
    }
}

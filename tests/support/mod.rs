//! A real hub as a child process, and those who use it: programs over HTTP, people in a hearing room.
//!
//! [`Hub`] starts `champions-hub demo` in a folder of its own on ports of loopback, and kills it at the end. [`client`] signs in and asks,
//! [`room`] sits in a hearing, [`database`] says which database the hub keeps its cases in, [`filing`] makes cases to work on.

#![allow(dead_code, reason = "each test file takes the part that it needs")]
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "test code")]

pub mod client;
pub mod database;
pub mod filing;
pub mod mail;
pub mod room;

use client::{Answer, Client};
use database::Database;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

const PROGRAM: &str = env!("CARGO_BIN_EXE_champions-hub");
/// How long anything may take on a machine that is busy with other things.
const PATIENCE: Duration = Duration::from_secs(60);
const BETWEEN_LOOKS: Duration = Duration::from_millis(25);

/// Looks until there is something to see.
pub async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(seen) = look().await {
            return seen;
        }
        assert!(Instant::now() < end, "waited in vain for this: {what}");
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
}

/// A hub that runs.
pub struct Hub {
    folder: TempDir,
    database: Database,
    child: Child,
    facts: Value,
    http: reqwest::Client,
}

impl Hub {
    /// A new hub with the demo's world.
    pub async fn open(database: Database) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let http = reqwest::Client::builder().timeout(PATIENCE).build().unwrap();
        let (child, facts) = start(Command::new(PROGRAM), folder.path(), &database).await;
        let hub = Self { folder, database, child, facts, http };
        hub.ready().await;
        hub
    }

    /// The same, its recordings on a disk of so many octets. None where a test may not mount one.
    pub async fn on_a_small_disk(database: Database, octets: u64) -> Option<Self> {
        let may_mount = Command::new("unshare").args(["-Urm", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]).status();
        if !may_mount.is_ok_and(|status| status.success()) {
            eprintln!("SKIPPED: no file system may be mounted here, no disk ran full");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let http = reqwest::Client::builder().timeout(PATIENCE).build().unwrap();
        let recordings = folder.path().join("data/recordings");
        std::fs::create_dir_all(&recordings).unwrap();
        // The mount is the process's own: nobody else sees it, and it ends with it. Each program becomes the next, so the child is the hub.
        let mut command = Command::new("unshare");
        let mount = format!("mount -t tmpfs -o size={octets} tmpfs \"$0\" && exec \"$@\"");
        command.args(["-Urm", "sh", "-c", &mount]).arg(recordings).arg(PROGRAM);
        let (child, facts) = start(command, folder.path(), &database).await;
        let hub = Self { folder, database, child, facts, http };
        hub.ready().await;
        Some(hub)
    }

    /// Where the hub itself sees its recordings.
    pub fn recordings(&self) -> PathBuf {
        let seen = self.data().join("recordings");
        Path::new("/proc").join(self.child.id().to_string()).join("root").join(seen.strip_prefix("/").unwrap())
    }

    /// Kills the process, as `kill -9` does.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it again over the same data, on other ports, as far as it knows its addresses.
    pub async fn come_up(&mut self) {
        (self.child, self.facts) = start(Command::new(PROGRAM), self.folder.path(), &self.database).await;
    }

    /// Asks the process to stop, and waits until it has.
    pub async fn stop(&mut self) {
        let asked = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(asked.success());
        until("the hub stops", async || self.child.try_wait().unwrap()).await;
    }

    /// Waits until it can work.
    pub async fn ready(&self) {
        let visitor = self.visitor();
        until("the hub is ready", async || {
            let answer = visitor.try_get("/readyz").await.ok()?;
            (answer.status == 200).then_some(())
        })
        .await;
    }

    /// What the demo says of itself.
    pub fn facts(&self) -> &Value {
        &self.facts
    }

    /// Where it is reached without TLS.
    pub fn url(&self) -> String {
        // `localhost` may be asked for at ::1 first, where nobody listens.
        self.facts["plain_url"].as_str().unwrap().replace("localhost", "127.0.0.1")
    }

    /// The data folder.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// All that it wrote to its standard error so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("stderr.txt")).unwrap()
    }

    /// Somebody who has not signed in.
    pub fn visitor(&self) -> Client {
        Client::new(self.http.clone(), self.url(), None)
    }

    /// Somebody who has a token already.
    pub fn bearer(&self, token: &str) -> Client {
        Client::new(self.http.clone(), self.url(), Some(token.to_owned()))
    }

    /// Somebody of the demo's accounts, signed in.
    pub async fn sign_in(&self, username: &str) -> Client {
        let account = self.facts["accounts"].as_array().unwrap().iter().find(|a| a["username"] == username);
        let password = &account.unwrap_or_else(|| panic!("no account {username}"))["password"];
        let session =
            self.visitor().post("/api/v1/session", json!({ "username": username, "password": password })).await.ok();
        self.bearer(session["token"].as_str().unwrap())
    }

    /// Moves the hub's clock ahead and tells its time.
    pub async fn advance(&self, span: &str) -> jiff::Timestamp {
        let answer: Answer = self.visitor().post("/demo/clock", json!({ "advance": span })).await;
        answer.ok()["now"].as_str().unwrap().parse().unwrap()
    }

    /// The hub's time.
    pub async fn now(&self) -> jiff::Timestamp {
        self.advance("PT0S").await
    }

    /// The mails that went out to an address.
    pub fn mails(&self, to: &str) -> Vec<mail::Mail> {
        mail::read_all(&self.data().join("mails")).into_iter().filter(|mail| mail.to.contains(to)).collect()
    }

    /// The text messages that the demo's handset shows for a number, oldest first.
    pub async fn texts(&self, number: &str) -> Vec<String> {
        let digits = number.trim_start_matches('+');
        let thread = self.visitor().get(&format!("/demo/phone/messages?number=%2B{digits}")).await.ok();
        thread["items"].as_array().unwrap().iter().map(|line| line["text"].as_str().unwrap().to_owned()).collect()
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn start(mut command: Command, folder: &Path, database: &Database) -> (Child, Value) {
    let data = folder.join("data");
    let facts = data.join("demo.json");
    let _ = std::fs::remove_file(&facts);
    let log = folder.join("stderr.txt");
    command
        .args(["demo", "--listen", "127.0.0.1:0", "--plain-http", "127.0.0.1:0", "--media", "127.0.0.1:0", "--data"])
        .arg(&data);
    if let Some(url) = database.url() {
        command.args(["--database", url]);
    }
    let stderr = std::fs::OpenOptions::new().create(true).append(true).open(&log).unwrap();
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(stderr).spawn().unwrap();
    let facts = until("the hub tells its addresses", async || {
        if let Some(status) = child.try_wait().unwrap() {
            panic!("the hub ended with {status}:\n{}", std::fs::read_to_string(&log).unwrap_or_default());
        }
        std::fs::read(&facts).ok()
    })
    .await;
    (child, serde_json::from_slice(&facts).unwrap())
}

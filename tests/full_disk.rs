//! The disk of the recordings is full in the middle of a hearing: a session that cannot be recorded does not go on, everybody is told, and
//! when there is room again the officer goes on by hand; the recording says what it lacks.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

mod support;

use serde_json::{Value, json};
use std::fs::File;
use std::io::Write as _;
use support::client::Client;
use support::database::Database;
use support::filing::{self, NAME, id};
use support::room::{Seat, ticket};
use support::{Hub, until};

const DISK_OCTETS: u64 = 256 * 1024;

#[tokio::test]
async fn a_session_that_cannot_be_recorded_is_paused_on_sqlite() {
    told(Database::Sqlite).await;
}

#[tokio::test]
async fn a_session_that_cannot_be_recorded_is_paused_on_postgres() {
    let Some(database) = Database::postgres().await else { return };
    told(database).await;
}

async fn told(database: Database) {
    let Some(hub) = Hub::on_a_small_disk(database, DISK_OCTETS).await else { return };
    let officer = hub.sign_in("officer.finance").await;
    let number = filing::decided(&officer, filing::complaint(), "adverse", json!({})).await;
    let hearing = filing::hearing(&officer, &number, "video", hub.now().await).await;
    let (id, room) = (id(&hearing), hearing["room"].as_str().unwrap());
    let (token, party) = ticket(&officer, room, NAME, "party").await;
    officer.hear(&id, "start", json!({})).await.ok();
    let mut unit = Seat::enter(&hub, room, &token).await;
    unit.hear("waiting").await;
    officer.hear(&id, "admit", json!({ "member": party })).await.ok();
    unit.hear("admitted").await;

    let full = fill(&hub);
    // A hand is a line of the chain, and a line must be on the disk. Half a page may be left for one or two.
    let mut up = false;
    let paused = until("the session is paused", async || {
        up = !up;
        unit.say(json!({ "type": "hand", "up": up })).await;
        let hearing = officer.hearing(&id).await;
        (hearing["status"] == "paused").then_some(hearing)
    })
    .await;
    assert_eq!(paused["ended_at"], Value::Null);
    session(&mut unit, "paused", "failed").await;
    until("the officer is told by mail", async || {
        let mails = hub.mails("officer.finance@hub.example");
        mails.iter().any(|mail| mail.text.contains(&number) && mail.text.contains("No space left")).then_some(())
    })
    .await;
    officer.hear(&id, "resume", json!({})).await.refused(503, "recording-unavailable");
    assert_eq!(officer.hearing(&id).await["status"], "paused", "a refusal changes nothing");
    assert!(failure(&officer, &id).await.is_some_and(|why| why.contains("No space left")));

    std::fs::remove_file(full).unwrap();
    session(&mut unit, "paused", "on").await;
    assert_eq!(officer.hearing(&id).await["status"], "paused", "the officer goes on, nobody else");
    officer.hear(&id, "resume", json!({})).await.ok();
    session(&mut unit, "in_session", "on").await;
    officer.hear(&id, "end", json!({})).await.ok();

    let recordings = officer.get(&format!("/api/v1/hearings/{id}/recordings")).await.ok();
    let recording = recordings["items"][0]["id"].as_str().unwrap().to_owned();
    let verdict = officer.get(&format!("/api/v1/recordings/{recording}/verify")).await.ok();
    assert_eq!(verdict["whole"], true, "{verdict}");
    let manifest = officer.get(&format!("/api/v1/recordings/{recording}/files/manifest.jsonl")).await.text;
    let events: Vec<Value> = manifest.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let gaps = events.iter().filter(|line| line["data"]["event"] == "gap").count();
    assert_eq!(gaps, 1, "{manifest}");
}

/// Takes all room that is left. Removing the file gives it back.
fn fill(hub: &Hub) -> std::path::PathBuf {
    let path = hub.recordings().join("filler");
    let mut file = File::create(&path).unwrap();
    while file.write_all(&[0; 4096]).is_ok() {}
    path
}

/// Waits until the room tells of this.
async fn session(seat: &mut Seat, state: &str, recording: &str) {
    loop {
        let told = seat.hear("session").await;
        if told["state"] == state && told["recording"] == recording {
            return;
        }
    }
}

async fn failure(officer: &Client, hearing: &str) -> Option<String> {
    let recordings = officer.get(&format!("/api/v1/hearings/{hearing}/recordings")).await.ok();
    recordings["items"][0]["failure"].as_str().map(str::to_owned)
}

//! How somebody's line was is kept with the hearing, on both databases, and read by the officer afterwards; also when the hub went down
//! meanwhile.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

mod support;

use serde_json::{Value, json};
use support::database::Database;
use support::filing::{self, NAME, id};
use support::room::{Seat, ticket};
use support::{Hub, until};

#[tokio::test]
async fn a_poor_line_is_on_file_on_sqlite() {
    told(Hub::open(Database::Sqlite).await).await;
}

#[tokio::test]
async fn a_poor_line_is_on_file_on_postgres() {
    let Some(database) = Database::postgres().await else { return };
    told(Hub::open(database).await).await;
}

async fn told(mut hub: Hub) {
    let officer = hub.sign_in("officer.finance").await;
    let number = filing::decided(&officer, filing::complaint(), "adverse", json!({})).await;
    let hearing = filing::hearing(&officer, &number, "video", hub.now().await).await;
    let (id, room) = (id(&hearing), hearing["room"].as_str().unwrap().to_owned());
    let (token, party) = ticket(&officer, &room, NAME, "party").await;
    officer.hear(&id, "start", json!({})).await.ok();
    let mut unit = Seat::enter(&hub, &room, &token).await;
    unit.hear("waiting").await;
    officer.hear(&id, "admit", json!({ "member": party })).await.ok();
    unit.hear("admitted").await;
    assert_eq!(officer.hearing(&id).await["lines"], json!([]), "a good line is no news");

    unit.say(json!({ "type": "stats", "rtt_ms": 640, "loss": 0.22, "jitter_ms": 55.0, "freezes": 2, "layer": "low" }))
        .await;
    until("the reading is in the file", async || readings(&hub, &officer, &id, 1).await).await;
    hub.advance("PT3M").await;
    unit.say(json!({ "type": "stats", "rtt_ms": 40, "loss": 0.0 })).await;
    let line = until("the poor line has an end", async || {
        // What is not over yet goes on with the clock.
        let before = officer.hearing(&id).await["lines"].clone();
        hub.advance("PT10S").await;
        let after = officer.hearing(&id).await["lines"].clone();
        (before == after).then(|| after[0].clone())
    })
    .await;
    assert_eq!((line["member"].as_str(), line["trouble"].as_str()), (Some(party.as_str()), Some("poor")));
    assert_eq!((&line["loss_percent"], &line["round_trip_ms"]), (&json!(22), &json!(640)));
    assert!(seconds(&line) >= 180, "{line}");

    hub.kill();
    hub.come_up().await;
    hub.ready().await;
    let officer = hub.sign_in("officer.finance").await;
    assert_eq!(officer.hearing(&id).await["lines"], json!([line]), "it is kept");
    officer.hear(&id, "end", json!({})).await.ok();
    assert_eq!(officer.hearing(&id).await["lines"], json!([line]));
}

/// The clock is ahead, so that a spell which is not over yet would be long already.
async fn readings(hub: &Hub, officer: &support::client::Client, id: &str, count: usize) -> Option<()> {
    hub.advance("PT6S").await;
    (officer.hearing(id).await["lines"].as_array().unwrap().len() == count).then_some(())
}

fn seconds(line: &Value) -> i64 {
    let at = |key: &str| line[key].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    at("until").as_second() - at("from").as_second()
}

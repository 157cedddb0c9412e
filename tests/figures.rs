//! What monitoring reads at `/metrics` while a hearing goes on: how many, never who.

#![expect(clippy::unwrap_used, reason = "test code")]

mod support;

use serde_json::json;
use support::database::Database;
use support::filing::{self, NAME, id};
use support::room::{Seat, ticket};
use support::{Hub, until};

#[tokio::test]
async fn rooms_are_counted_and_nobody_is_named() {
    let hub = Hub::open(Database::Sqlite).await;
    let officer = hub.sign_in("officer.finance").await;
    let number = filing::decided(&officer, filing::complaint(), "adverse", json!({})).await;
    let hearing = filing::hearing(&officer, &number, "video", hub.now().await).await;
    let (id, room) = (id(&hearing), hearing["room"].as_str().unwrap());
    assert_eq!(figure(&hub, "hub_rooms").await, 0.0);
    assert_eq!(figure(&hub, "hub_media_packets_dropped").await, 0.0, "a counter is there before it counts");
    assert_eq!(figure(&hub, r#"hub_media_viewers_by_estimate{le="+Inf"}"#).await, 0.0);

    let (token, party) = ticket(&officer, room, NAME, "party").await;
    let mut unit = Seat::enter(&hub, room, &token).await;
    unit.hear("waiting").await;
    officer.hear(&id, "start", json!({})).await.ok();
    until("the recorded room is counted", async || (figure(&hub, "hub_rooms_recorded").await == 1.0).then_some(()))
        .await;
    assert_eq!(figure(&hub, "hub_rooms").await, 1.0);

    let text = hub.visitor().get("/metrics").await.text;
    for personal in [NAME, &party, room, &id, &number, &token, "127.0.0.1"] {
        assert!(!text.contains(personal), "{personal}");
    }
    officer.hear(&id, "end", json!({})).await.ok();
    until("the room is gone", async || (figure(&hub, "hub_rooms").await == 0.0).then_some(())).await;
}

async fn figure(hub: &Hub, name: &str) -> f64 {
    let text = hub.visitor().get("/metrics").await.text;
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ').map(str::to_owned));
    line.unwrap_or_else(|| unreachable!("no {name} in\n{text}")).parse().unwrap()
}

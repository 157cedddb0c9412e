//! The hub goes down in the middle of a hearing and is up again: the room is there, and whoever was in it comes back in by itself.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

mod support;

use support::client::Client;
use support::database::Database;
use support::filing::{self, NAME, id};
use support::room::{Seat, ticket};
use support::{Hub, until};

#[tokio::test]
async fn an_admitted_unit_is_not_asked_to_wait_again_on_sqlite() {
    killed_and_stopped(Hub::open(Database::Sqlite).await).await;
}

#[tokio::test]
async fn an_admitted_unit_is_not_asked_to_wait_again_on_postgres() {
    let Some(database) = Database::postgres().await else { return };
    killed_and_stopped(Hub::open(database).await).await;
}

async fn killed_and_stopped(mut hub: Hub) {
    let officer = hub.sign_in("officer.finance").await;
    let number = filing::decided(&officer, filing::complaint(), "adverse", serde_json::json!({})).await;
    let hearing = filing::hearing(&officer, &number, "video", hub.now().await).await;
    let (id, room) = (id(&hearing), hearing["room"].as_str().unwrap().to_owned());
    let (partys, party) = ticket(&officer, &room, NAME, "party").await;
    let (witnesss, witness) = ticket(&officer, &room, "Usha Kale", "witness").await;
    officer.hear(&id, "start", serde_json::json!({})).await.ok();
    let mut unit = Seat::enter(&hub, &room, &partys).await;
    let mut other = Seat::enter(&hub, &room, &witnesss).await;
    for (seat, member) in [(&mut unit, &party), (&mut other, &witness)] {
        seat.hear("waiting").await;
        officer.hear(&id, "admit", serde_json::json!({ "member": member })).await.ok();
        seat.hear("admitted").await;
    }
    officer.hear(&id, "send_back", serde_json::json!({ "member": witness })).await.ok();
    until("the ledger shows that the witness is outside", async || seen(&officer, &id, &witness, "sent_back").await)
        .await;

    hub.kill();
    let officer = up_again(&mut hub).await;
    assert_eq!(officer.hearing(&id).await["status"], "in_session");
    let mut unit = Seat::enter(&hub, &room, &partys).await;
    unit.hear("admitted").await;
    assert!(!unit.has_heard("waiting"), "let in before the hub went down");
    let mut other = Seat::enter(&hub, &room, &witnesss).await;
    other.hear("waiting").await;
    assert!(!other.has_heard("admitted"), "was outside, and is");
    until("the ledger shows the return", async || seen(&officer, &id, &party, "reconnected").await).await;

    // The same when the hub is asked to stop: it closes its rooms, which is nobody's going.
    hub.stop().await;
    let officer = up_again(&mut hub).await;
    let mut unit = Seat::enter(&hub, &room, &partys).await;
    unit.hear("admitted").await;
    assert!(!unit.has_heard("waiting"));
    unit.say(serde_json::json!({ "type": "leave" })).await;
    until("the ledger shows the going", async || gone(&officer, &id, &party).await).await;

    hub.kill();
    up_again(&mut hub).await;
    let mut unit = Seat::enter(&hub, &room, &partys).await;
    unit.hear("waiting").await;
    assert!(!unit.has_heard("admitted"), "who went of their own will knocks again");
}

async fn up_again(hub: &mut Hub) -> Client {
    hub.come_up().await;
    hub.ready().await;
    hub.sign_in("officer.finance").await
}

async fn seen(officer: &Client, hearing: &str, member: &str, what: &str) -> Option<()> {
    let hearing = officer.hearing(hearing).await;
    hearing["presence"].as_array().unwrap().iter().any(|l| l["member"] == member && l["what"] == what).then_some(())
}

/// By their own will, not with the hub.
async fn gone(officer: &Client, hearing: &str, member: &str) -> Option<()> {
    let hearing = officer.hearing(hearing).await;
    let last = hearing["presence"].as_array().unwrap().iter().rfind(|l| l["member"] == member)?;
    (last["what"] == "left" && last["detail"] == "left").then_some(())
}

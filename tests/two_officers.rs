//! Two people at once at one case: what one did is never lost under what the other did.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

mod support;

use futures_util::future::join_all;
use serde_json::{Value, json};
use support::Hub;
use support::client::{Answer, Client};
use support::database::Database;
use support::filing;

/// Cases for each race: one may happen to go one after the other.
const RACES: usize = 10;

#[tokio::test]
async fn two_officers_at_once_on_sqlite() {
    every_race(&Hub::open(Database::Sqlite).await).await;
}

#[tokio::test]
async fn two_officers_at_once_on_postgres() {
    let Some(database) = Database::postgres().await else { return };
    every_race(&Hub::open(database).await).await;
}

async fn every_race(hub: &Hub) {
    let people =
        [hub.sign_in("officer.finance").await, hub.sign_in("head.finance").await, hub.sign_in("secretary").await];
    for _ in 0..RACES {
        one_attends(&people).await;
        decisions_stand_one_after_the_other(&people).await;
        one_closes(&people).await;
    }
}

async fn at_once(people: &[Client], number: &str, step: &str, body: impl Fn(usize) -> Value) -> Vec<Answer> {
    join_all(people.iter().enumerate().map(|(place, person)| person.act(number, step, body(place)))).await
}

/// Exactly one is done; the others are told which rule stood against it. The history has the one.
async fn one_won(by: &Client, number: &str, kind: &str, answers: &[Answer], rule: &str) {
    let (done, refused): (Vec<&Answer>, Vec<&Answer>) = answers.iter().partition(|answer| answer.status == 200);
    assert_eq!(done.len(), 1, "{answers:?}");
    for answer in refused {
        let meanwhile = answer.json()["type"].as_str().unwrap().ends_with("/changed-meanwhile");
        answer.refused(409, if meanwhile { "changed-meanwhile" } else { rule });
    }
    assert_eq!(lines(by, number, kind).await.len(), 1);
}

async fn lines(by: &Client, number: &str, kind: &str) -> Vec<Value> {
    by.history(number).await.into_iter().filter(|line| line["kind"] == kind).collect()
}

async fn one_attends(people: &[Client; 3]) {
    let [officer, ..] = people;
    let number = filing::file(officer, filing::complaint_without_address()).await;
    let answers = at_once(people, &number, "attend", |place| json!({ "note": format!("by {place}") })).await;
    one_won(officer, &number, "attended", &answers, "already-attended").await;
}

/// A case may be decided again before it is closed, so more than one may be done: but each stands in the history, and the last one holds.
async fn decisions_stand_one_after_the_other(people: &[Client; 3]) {
    let [officer, ..] = people;
    let number = filing::file(officer, filing::complaint_without_address()).await;
    officer.act(&number, "attend", json!({})).await.ok();
    let reasons = |place: usize| json!({ "outcome": "favourable", "reasons": format!("reason {place}") });
    let answers = at_once(people, &number, "decide", reasons).await;
    let (done, refused): (Vec<&Answer>, Vec<&Answer>) = answers.iter().partition(|answer| answer.status == 200);
    for answer in refused {
        answer.refused(409, "changed-meanwhile");
    }
    let decided = lines(officer, &number, "decided").await;
    assert!(!done.is_empty());
    assert_eq!(decided.len(), done.len(), "{decided:?}");
    let last = decided.last().and_then(|line| line["detail"]["reasons"].as_str()).unwrap();
    assert_eq!(officer.case(&number).await["reasons"], last);
}

async fn one_closes(people: &[Client; 3]) {
    let [officer, ..] = people;
    let number = filing::decided(officer, filing::complaint_without_address(), "favourable", json!({})).await;
    let answers = at_once(people, &number, "close", |place| json!({ "text": format!("by {place}") })).await;
    one_won(officer, &number, "closed", &answers, "case-closed").await;
}

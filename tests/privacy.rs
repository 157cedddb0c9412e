//! What the hub logs names nobody: after a whole story, and after everything that goes wrong in one, its log holds no name, number,
//! address, word, password or token of those who were in it.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

mod support;

use jiff::ToSpan as _;
use reqwest::Method;
use serde_json::json;
use support::client::Client;
use support::database::Database;
use support::filing::{self, EMAIL, NAME, TEXT};
use support::room::{Seat, ticket};
use support::{Hub, until};

const PASSWORD: &str = "a-password-typed-wrong";
const CHAT: &str = "Namaste, says the unit";
const RECORD: &str = "The unit spoke of its furnace.";
const TEXTED: &str = "The buyer in Surat owes me eleven lakh";
const TEXTER: &str = "+919812340077";
const STRANGER: &str = "+919812340088";
const REPLY: &str = "We wrote to your bank on Tuesday.";

#[tokio::test]
async fn the_log_names_nobody() {
    let mut hub = Hub::open(Database::Sqlite).await;
    let officer = hub.sign_in("officer.finance").await;
    let mut secrets: Vec<String> =
        [NAME, "Pawar", "9812345670", "98123 45670", EMAIL, TEXT, "working capital loan", PASSWORD, CHAT]
            .into_iter()
            .chain([RECORD, "furnace", TEXTED, "eleven lakh", "9812340077", "9812340088", REPLY])
            .map(str::to_owned)
            .collect();
    secrets.push(officer.token().to_owned());

    what_goes_wrong(&hub, &officer).await;
    texted_and_rung(&hub).await;
    secrets.extend(heard(&hub, &officer).await);
    hub.stop().await;

    let log = hub.log();
    assert!(log.contains("stopping"), "the log tells what the hub does: {log}");
    for secret in secrets {
        assert!(!log.contains(&secret), "{secret:?} stands in the log:\n{log}");
    }
}

async fn what_goes_wrong(hub: &Hub, officer: &Client) {
    let visitor = hub.visitor();
    let credentials = json!({ "username": NAME, "password": PASSWORD });
    visitor.post("/api/v1/session", credentials).await.refused(401, "wrong-password");
    let mut wrong = filing::complaint();
    wrong["applicant"]["email"] = json!(format!("{NAME} at home"));
    wrong["applicant"]["mobile"] = json!("98123 45670 in the evening");
    officer.post("/api/v1/cases", wrong).await.refused(422, "invalid");
    let broken = officer
        .request(Method::POST, "/api/v1/cases")
        .header("content-type", "application/json")
        .body(format!("{{\"{NAME}\": {TEXT}"));
    officer.send(broken).await.refused(422, "not-understood");
    assert_eq!(officer.get(&format!("/api/v1/cases/{EMAIL}")).await.status, 404);
    let forged = officer.request(Method::POST, "/telephony/twilio/sms").header("x-twilio-signature", "forged");
    let forged = officer.send(forged.form(&[("From", STRANGER), ("Body", TEXTED), ("MessageSid", "SM1")])).await;
    assert_eq!(forged.status, 403);
}

async fn texted_and_rung(hub: &Hub) {
    let visitor = hub.visitor();
    visitor.post("/demo/phone/sms", json!({ "from": TEXTER, "text": TEXTED })).await.ok();
    until("the text is answered", async || hub.texts(TEXTER).await.into_iter().find(|text| text != TEXTED)).await;
    visitor.post("/demo/phone/sms", json!({ "from": TEXTER, "text": "\u{0}".repeat(100_000) })).await;
    visitor.post("/demo/phone/calls", json!({ "from": TEXTER })).await.ok();
}

/// A hearing from the filing to the closing; answers the keys and tokens that it needed.
async fn heard(hub: &Hub, officer: &Client) -> Vec<String> {
    let number = filing::decided(officer, filing::complaint(), "adverse", json!({ "harassment": true })).await;
    officer.act(&number, "reply", json!({ "text": REPLY })).await.ok();
    let hearing = filing::hearing(officer, &number, "video", hub.now().await + 1.hour()).await;
    let (id, room) = (filing::id(&hearing), hearing["room"].as_str().unwrap());
    let link = format!("/hearings/{id}?k=");
    let mail =
        until("the unit gets its link", async || hub.mails(EMAIL).into_iter().find(|mail| mail.text.contains(&link)))
            .await;
    let key = mail.text.split_once(&link).unwrap().1.split_whitespace().next().unwrap().to_owned();
    let track = hub
        .mails(EMAIL)
        .iter()
        .find_map(|mail| Some(mail.text.split_once("/track/")?.1.split_once("k=")?.1.to_owned()))
        .unwrap();
    let track = track.split_whitespace().next().unwrap().to_owned();
    let visitor = hub.visitor();
    assert_eq!(visitor.get(&format!("/hearings/{id}?k={key}")).await.status, 200);
    assert_eq!(visitor.get(&format!("/track/{number}?k={track}")).await.status, 200);
    assert_ne!(visitor.get(&format!("/track/{number}?k={key}")).await.status, 200);

    let (officers, _) = ticket(officer, room, "", "presiding_officer").await;
    let (partys, party) = ticket(officer, room, NAME, "party").await;
    assert!(Seat::open(hub, "hearing-elsewhere", &partys).await.is_err());
    let mut presiding = Seat::enter(hub, room, &officers).await;
    let mut unit = Seat::enter(hub, room, &partys).await;
    unit.hear("waiting").await;
    until("the knock is on file", async || {
        let hearing = officer.hearing(&id).await;
        hearing["presence"]
            .as_array()
            .unwrap()
            .iter()
            .any(|line| line["member"] == party && line["what"] == "knocked")
            .then_some(())
    })
    .await;
    officer.hear(&id, "start", json!({})).await.ok();
    officer.hear(&id, "admit", json!({ "member": party })).await.ok();
    unit.hear("admitted").await;
    unit.say(json!({ "type": "offer", "sdp": format!("v=0 {NAME} {CHAT}") })).await;
    unit.hear("error").await;
    unit.say(json!({ "type": CHAT })).await;
    unit.hear("error").await;
    unit.say(json!({ "type": "chat", "text": CHAT })).await;
    presiding.hear("chat").await;
    officer.hear(&id, "end", json!({})).await.ok();
    officer.hear(&id, "record", json!({ "text": RECORD })).await.ok();
    officer.hear(&id, "order", json!({ "findings": [{ "issue": RECORD, "finding": RECORD }] })).await.ok();
    officer.act(&number, "close", json!({ "text": RECORD })).await.ok();
    vec![key, track, officers, partys]
}

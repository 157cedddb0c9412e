//! The job that the hub is for, through its interface, on both databases: a complaint becomes a case, is attended, decided, heard on
//! recorded video, and closed. And the two roads beside it: a case past its seventh day, and a unit that does not come.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

mod support;

use jiff::ToSpan as _;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;
use support::client::Client;
use support::database::Database;
use support::filing::{self, EMAIL, MOBILE, NAME, id};
use support::room::{Seat, ticket};
use support::{Hub, until};

#[tokio::test]
async fn a_complaint_is_heard_and_closed_on_sqlite() {
    every_story(&Hub::open(Database::Sqlite).await).await;
}

#[tokio::test]
async fn a_complaint_is_heard_and_closed_on_postgres() {
    let Some(database) = Database::postgres().await else { return };
    every_story(&Hub::open(database).await).await;
}

async fn every_story(hub: &Hub) {
    let people = People {
        room: hub.sign_in("room.mum").await,
        officer: hub.sign_in("officer.finance").await,
        head: hub.sign_in("head.finance").await,
        secretary: hub.sign_in("secretary").await,
    };
    the_unit_is_heard(hub, &people).await;
    a_unit_that_waits_is_not_absent(hub, &people).await;
    nobody_came_and_nobody_was_reached(hub, &people).await;
    a_session_without_the_unit_is_no_hearing(hub, &people).await;
    past_the_seventh_day(hub, &people).await;
}

struct People {
    room: Client,
    officer: Client,
    head: Client,
    secretary: Client,
}

async fn the_unit_is_heard(hub: &Hub, people: &People) {
    let officer = &people.officer;
    let number = filed_and_routed(people).await;
    attended_and_answered(people, &number).await;
    decided_against_the_unit(people, &number).await;
    let hearing = filing::hearing(officer, &number, "video", hub.now().await + 1.hour()).await;
    everybody_is_told(hub, &number, &id(&hearing)).await;
    held_on_video(hub, officer, &hearing).await;
    written_down_and_ordered(officer, &id(&hearing)).await;

    let closed =
        officer.act(&number, "close", json!({ "text": "The unit was heard; the order is with it." })).await.ok();
    assert_eq!(closed["status"], "closed");
    assert!(closed["concluded_at"].is_string());
    officer.act(&number, "close", json!({ "text": "once more" })).await.refused(409, "case-closed");

    the_recording_verifies(hub, officer, &id(&hearing)).await;
    the_history_is_whole(people, &number).await;
}

async fn filed_and_routed(people: &People) -> String {
    let case = people.room.post("/api/v1/cases", filing::complaint()).await;
    assert_eq!(case.status, 201);
    let case = case.json();
    assert_eq!(case["status"], "routed");
    assert_eq!((case["assignee"].as_str(), case["subject"].as_str()), (Some("officer.finance"), Some("finance")));
    assert_eq!((case["state"].as_str(), case["district"].as_str()), (Some("MH"), Some("Pune")));
    assert_eq!(case["applicant"]["mobile"], MOBILE);
    let filed: jiff::civil::Date = case["filed_at"].as_str().unwrap()[..10].parse().unwrap();
    assert_eq!(case["attend_by"], format!("{}T23:59:59+05:30", filed + 3.days()));
    assert_eq!(case["conclude_by"], format!("{}T23:59:59+05:30", filed + 7.days()));
    assert_eq!(
        (&case["attended_at"], &case["outcome"], &case["hearing_required"]),
        (&Value::Null, &Value::Null, &json!(false))
    );
    filing::number(&case)
}

async fn attended_and_answered(people: &People, number: &str) {
    let officer = &people.officer;
    let mine = officer.get("/api/v1/cases?assignee=me&status=routed&limit=1000").await.ok();
    assert!(mine["items"].as_array().unwrap().iter().any(|case| case["number"] == number), "the officer sees the case");
    let decision = json!({ "outcome": "adverse", "reasons": "no", "grounds": {} });
    officer.act(number, "decide", decision).await.refused(409, "not-attended");
    let attended = officer.act(number, "attend", json!({ "note": "I have asked the bank." })).await.ok();
    assert_eq!(attended["status"], "attended");
    assert!(attended["attended_at"].is_string());
    officer.act(number, "reply", json!({ "text": "We have asked your bank for its reasons." })).await.ok();
}

async fn decided_against_the_unit(people: &People, number: &str) {
    let decision = json!({ "outcome": "adverse", "reasons": "The bank's reasons hold." });
    people.officer.act(number, "decide", decision).await.refused(422, "invalid");
    let grounds = json!({ "humanitarian": true, "injustice": false, "harassment": false, "undue_delay": false });
    let decision = json!({ "outcome": "adverse", "reasons": "The bank's reasons hold.", "grounds": grounds });
    let decided = people.officer.act(number, "decide", decision).await.ok();
    assert_eq!((decided["status"].as_str(), decided["outcome"].as_str()), (Some("decided"), Some("adverse")));
    assert_eq!((&decided["grounds"], &decided["hearing_required"]), (&grounds, &json!(true)));
    for person in [&people.officer, &people.head, &people.secretary] {
        let before = people.officer.case(number).await;
        person.act(number, "close", json!({ "text": "closed" })).await.refused(409, "hearing-required");
        assert_eq!(people.officer.case(number).await, before, "a refusal changes nothing");
    }
}

async fn everybody_is_told(hub: &Hub, number: &str, hearing: &str) {
    let page = format!("/hearings/{hearing}");
    let of_the_unit = format!("{page}?k=party.");
    for (address, link) in
        [(EMAIL, &of_the_unit), ("officer.finance@hub.example", &page), ("room.mum@hub.example", &page)]
    {
        let text = until(&format!("{address} gets a mail"), async || {
            hub.mails(address)
                .into_iter()
                .map(|mail| mail.text)
                .find(|text| text.contains(number) && text.contains(link.as_str()))
        })
        .await;
        assert!(address == EMAIL || !text.contains("?k="), "the unit's own link goes to the unit alone: {text}");
    }
    let texts = hub.texts(MOBILE).await;
    assert!(texts.iter().any(|text| text.contains(number) && text.contains(&of_the_unit)), "{texts:?}");
    let officer = hub.sign_in("officer.finance").await;
    until("the notice counts as served", async || {
        officer.hearing(hearing).await["served_at"].as_str().map(str::to_owned)
    })
    .await;
}

async fn held_on_video(hub: &Hub, officer: &Client, hearing: &Value) {
    let (id, room) = (id(hearing), hearing["room"].as_str().unwrap());
    let (officers_token, _) = ticket(officer, room, "", "presiding_officer").await;
    let (partys_token, party) = ticket(officer, room, NAME, "party").await;
    let mut presiding = Seat::enter(hub, room, &officers_token).await;
    presiding.hear("admitted").await;
    let mut unit = Seat::enter(hub, room, &partys_token).await;
    assert_eq!(unit.hear("waiting").await["position"], 1);
    until("the ledger shows the knock", async || has_line(officer, &id, &party, "knocked", "not_started").await).await;
    until("the ledger shows the notice", async || {
        has_line(officer, &id, &party, "notice_acknowledged", "not_started").await
    })
    .await;

    officer.hear(&id, "admit", json!({ "member": party })).await.refused(409, "not-in-session");
    officer.hear(&id, "record", json!({ "text": "too early" })).await.refused(409, "hearing-not-ended");
    assert!(folders(hub).is_empty(), "nothing is recorded before the start");
    let begun = officer.hear(&id, "start", json!({})).await.ok();
    assert_eq!(begun["status"], "in_session");
    let folder = folders(hub).pop().unwrap();
    assert!(folder.join("manifest.jsonl").is_file(), "the recording runs before anybody is let in");
    assert!(!unit.has_heard("admitted"));

    officer.hear(&id, "admit", json!({ "member": party })).await.ok();
    unit.hear("admitted").await;
    has_line(officer, &id, &party, "admitted", "in_session").await.unwrap();
    assert_eq!(officer.hearing(&id).await["party_heard"], false, "the session still goes on");
    unit.say(json!({ "type": "chat", "text": "Good morning" })).await;
    let line = presiding.hear("chat").await;
    assert_eq!((line["name"].as_str(), line["text"].as_str()), (Some(NAME), Some("Good morning")));
    officer.hear(&id, "ex_parte", json!({ "reason": "absent" })).await.refused(409, "party-was-present");

    let ended = officer.hear(&id, "end", json!({})).await.ok();
    assert_eq!((ended["status"].as_str(), &ended["party_heard"]), (Some("ended"), &json!(true)));
    unit.hear("ended").await;
    presiding.hear("ended").await;
    assert_eq!(Seat::open(hub, room, &partys_token).await.err(), Some(409), "the room is closed");
}

async fn has_line(officer: &Client, hearing: &str, member: &str, what: &str, session: &str) -> Option<()> {
    let hearing = officer.hearing(hearing).await;
    let fits = |line: &&Value| line["member"] == member && line["what"] == what && line["session"] == session;
    let line = hearing["presence"].as_array().unwrap().iter().find(fits)?;
    assert_eq!((line["name"].as_str(), line["role"].as_str()), (Some(NAME), Some("party")));
    Some(())
}

async fn written_down_and_ordered(officer: &Client, hearing: &str) {
    let findings = json!({
        "findings": [{ "issue": "Working capital", "finding": "Refused for want of security." }],
        "reasons": "The unit offered none, and said so at the hearing.",
    });
    officer.hear(hearing, "order", findings.clone()).await.refused(409, "record-missing");
    officer.hear(hearing, "record", json!({ "text": " " })).await.refused(422, "invalid");
    officer
        .hear(hearing, "record", json!({ "text": "Present: the unit. It said what it had said in writing." }))
        .await
        .ok();
    officer.hear(hearing, "order", json!({ "findings": [] })).await.refused(422, "invalid");
    officer
        .hear(hearing, "order", json!({ "findings": [{ "issue": "Working capital", "finding": "" }] }))
        .await
        .refused(422, "invalid");
    let ordered = officer.hear(hearing, "order", findings.clone()).await.ok();
    assert_eq!(ordered["order"], findings);
    assert!(ordered["signed_at"].is_string());
    officer.hear(hearing, "record", json!({ "text": "otherwise" })).await.refused(409, "order-signed");
    officer.hear(hearing, "order", findings).await.refused(409, "order-signed");
}

async fn the_recording_verifies(hub: &Hub, officer: &Client, hearing: &str) {
    let recordings = officer.get(&format!("/api/v1/hearings/{hearing}/recordings")).await.ok();
    let recordings = recordings["items"].as_array().unwrap();
    assert_eq!(recordings.len(), 1);
    let (recording, head) = (id(&recordings[0]), recordings[0]["head"].as_str().unwrap());
    assert!(recordings[0]["ended_at"].is_string() && recordings[0]["failure"].is_null());
    let verdict = officer.get(&format!("/api/v1/recordings/{recording}/verify")).await.ok();
    assert_eq!((&verdict["whole"], verdict["head"].as_str()), (&json!(true), Some(head)));

    let folder = hub.data().join("recordings").join(&recording);
    let said = verify(&folder).unwrap();
    assert!(said.contains(head), "{said}");

    let file = format!("/api/v1/recordings/{recording}/files/manifest.jsonl");
    let whole = officer.get(&file).await;
    let part = officer.send(officer.request(reqwest::Method::GET, &file).header("range", "bytes=0-9")).await;
    assert_eq!((part.status, part.text.as_str()), (206, &whole.text[..10]));
    officer.get(&format!("/api/v1/recordings/{recording}/files/..%2F..%2Fhub.db")).await.refused(404, "not-found");

    let copy = tempfile::tempdir().unwrap();
    for file in std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()) {
        std::fs::copy(&file, copy.path().join(file.file_name().unwrap())).unwrap();
    }
    verify(copy.path()).unwrap();
    let manifest = copy.path().join("manifest.jsonl");
    let changed = std::fs::read_to_string(&manifest).unwrap().replacen(NAME, "Usha Pawar", 1);
    std::fs::write(&manifest, changed).unwrap();
    let said = verify(copy.path()).unwrap_err();
    assert!(said.contains("BROKEN"), "{said}");
}

/// `champions-hub verify`, as somebody without the hub runs it.
fn verify(folder: &Path) -> Result<String, String> {
    let done = Command::new(env!("CARGO_BIN_EXE_champions-hub")).arg("verify").arg(folder).output().unwrap();
    let said = String::from_utf8([done.stdout, done.stderr].concat()).unwrap();
    if done.status.success() { Ok(said) } else { Err(said) }
}

async fn the_history_is_whole(people: &People, number: &str) {
    let history = people.officer.history(number).await;
    let kinds: Vec<&str> = history.iter().map(|line| line["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["filed", "routed", "attended", "replied", "decided", "hearing_fixed", "closed"]);
    let seq: Vec<i64> = history.iter().map(|line| line["seq"].as_i64().unwrap()).collect();
    assert!(seq.is_sorted_by(|one, next| one < next), "{seq:?}");
    let times: Vec<jiff::Timestamp> =
        history.iter().map(|line| line["at"].as_str().unwrap().parse().unwrap()).collect();
    assert!(times.is_sorted(), "{times:?}");
    let roles: Vec<&str> = history.iter().map(|line| line["by"]["role"].as_str().unwrap()).collect();
    assert_eq!((roles[0], &roles[2..]), ("room", &["officer"; 5][..]));
    assert_eq!(people.secretary.history(number).await, history, "all who may read it read the same");
}

/// The folders of recordings, oldest first.
fn folders(hub: &Hub) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(hub.data().join("recordings")) else { return Vec::new() };
    let mut folders: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    folders
}

/// Whoever knocked was there: the officer cannot go on without the unit, whatever else is in order.
async fn a_unit_that_waits_is_not_absent(hub: &Hub, people: &People) {
    let (officer, number) = (&people.officer, needs_a_hearing(people).await);
    let hearing = filing::hearing(officer, &number, "video", hub.now().await + 1.hour()).await;
    let (id, room) = (id(&hearing), hearing["room"].as_str().unwrap());
    let (token, party) = ticket(officer, room, NAME, "party").await;
    let mut unit = Seat::enter(hub, room, &token).await;
    unit.hear("waiting").await;
    unit.say(json!({ "type": "leave" })).await;
    until("the ledger shows the going", async || has_line(officer, &id, &party, "left", "not_started").await).await;
    hub.advance("PT2H").await;
    officer.hear(&id, "serve", json!({})).await.ok();
    three_attempts(officer, &id).await;
    officer.hear(&id, "ex_parte", json!({ "reason": "absent" })).await.refused(409, "party-was-present");
    officer.act(&number, "close", json!({ "text": "closed" })).await.refused(409, "hearing-required");
}

async fn nobody_came_and_nobody_was_reached(hub: &Hub, people: &People) {
    let (officer, number) = (&people.officer, needs_a_hearing(people).await);
    let id = id(&filing::hearing(officer, &number, "video", hub.now().await + 1.hour()).await);
    let ex_parte = async || officer.hear(&id, "ex_parte", json!({ "reason": "served, and did not come" })).await;
    ex_parte().await.refused(409, "hearing-not-due");
    hub.advance("PT2H").await;
    ex_parte().await.refused(409, "not-served");
    officer.hear(&id, "serve", json!({ "channel": "visit" })).await.ok();
    ex_parte().await.refused(409, "attempts-missing");
    for _ in 0..2 {
        officer.hear(&id, "attempt", json!({ "channel": "telephone", "result": "no answer" })).await.ok();
        ex_parte().await.refused(409, "attempts-missing");
    }
    officer.hear(&id, "attempt", json!({ "channel": "visit", "result": "locked" })).await.ok();
    officer.act(&number, "close", json!({ "text": "closed" })).await.refused(409, "hearing-required");
    let held = ex_parte().await.ok();
    assert_eq!((held["status"].as_str(), &held["party_heard"]), (Some("ended"), &json!(false)));
    officer.act(&number, "close", json!({ "text": "closed" })).await.refused(409, "hearing-required");
    officer.hear(&id, "record", json!({ "text": "The unit did not come." })).await.ok();
    officer.act(&number, "close", json!({ "text": "closed" })).await.refused(409, "hearing-required");
    officer
        .hear(&id, "order", json!({ "findings": [{ "issue": "Loan", "finding": "Refused on the papers." }] }))
        .await
        .ok();
    assert_eq!(officer.act(&number, "close", json!({ "text": "closed" })).await.ok()["status"], "closed");
}

async fn a_session_without_the_unit_is_no_hearing(hub: &Hub, people: &People) {
    let (officer, number) = (&people.officer, needs_a_hearing(people).await);
    let id = id(&filing::hearing(officer, &number, "video", hub.now().await).await);
    officer.hear(&id, "start", json!({})).await.ok();
    officer.hear(&id, "end", json!({})).await.ok();
    officer.hear(&id, "record", json!({ "text": "The unit was heard." })).await.ok();
    let findings = json!({ "findings": [{ "issue": "Loan", "finding": "Refused." }] });
    officer.hear(&id, "order", findings).await.refused(409, "party-not-heard");
    officer.act(&number, "close", json!({ "text": "closed" })).await.refused(409, "hearing-required");
}

/// Undue delay is a fact: past the seventh day it holds by itself, whatever was ticked.
async fn past_the_seventh_day(hub: &Hub, people: &People) {
    let officer = &people.officer;
    let early = filing::decided(officer, filing::complaint(), "partly", json!({})).await;
    let late = filing::file(officer, filing::complaint()).await;
    let granted = filing::file(officer, filing::complaint()).await;
    hub.advance("P8D").await;
    for number in [&late, &granted] {
        let case = officer.act(number, "attend", json!({})).await.ok();
        assert_eq!(case["grounds"]["undue_delay"], true, "{case}");
    }
    let decision = json!({ "outcome": "adverse", "reasons": "The bank's reasons hold.", "grounds": {} });
    let case = officer.act(&late, "decide", decision).await.ok();
    assert_eq!((&case["grounds"]["undue_delay"], &case["hearing_required"]), (&json!(true), &json!(true)));
    for number in [&early, &late] {
        for person in [&people.officer, &people.head, &people.secretary] {
            person.act(number, "close", json!({ "text": "closed" })).await.refused(409, "hearing-required");
        }
        let history = officer.history(number).await;
        assert_eq!(history.iter().filter(|line| line["kind"] == "conclude_overdue").count(), 1, "{history:?}");
    }
    let decision = json!({ "outcome": "favourable", "reasons": "The bank has given the loan." });
    officer.act(&granted, "decide", decision).await.ok();
    officer.act(&granted, "close", json!({ "text": "granted" })).await.ok();
}

async fn needs_a_hearing(people: &People) -> String {
    filing::decided(&people.officer, filing::complaint_without_address(), "adverse", json!({ "injustice": true })).await
}

async fn three_attempts(officer: &Client, hearing: &str) {
    for _ in 0..3 {
        officer.hear(hearing, "attempt", json!({ "channel": "telephone", "result": "no answer" })).await.ok();
    }
}

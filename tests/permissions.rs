//! The table of permissions, at the door: each role, at home and elsewhere, tries each act on a case. What the table forbids is answered
//! with 403 or 404 and changes nothing; what it allows is not refused for who asks.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

mod support;

use champions_hub::domain::policy::{Act, Role, Scope, scope};
use jiff::ToSpan as _;
use reqwest::Method;
use serde_json::{Value, json};
use support::Hub;
use support::client::{Answer, Client};
use support::database::Database;
use support::filing;

/// Accounts of each role: at the desk or in the state of the case (finance, Maharashtra), and elsewhere.
const PEOPLE: [(Role, &str, bool); 8] = [
    (Role::Officer, "officer.finance", true),
    (Role::Officer, "officer.tax", false),
    (Role::Head, "head.finance", true),
    (Role::Head, "head.taxation", false),
    (Role::Room, "room.mum", true),
    (Role::Room, "room.agt", false),
    (Role::Secretary, "secretary", true),
    (Role::Admin, "admin", true),
];

/// A case in the state in which a step can be taken.
#[derive(Clone, Copy)]
enum Stage {
    Filed,
    Attended,
    Decided,
    Closed,
}

/// What is tried.
enum Try {
    /// A step with a case at this stage.
    Step(Stage, &'static str, Value),
    /// Something read below a case.
    ReadCase(&'static str),
    /// Something read below a hearing.
    ReadHearing(&'static str),
    /// A step in a hearing.
    HearingStep(&'static str, Value),
    /// A hearing to be fixed.
    Fix,
    /// A token to its room.
    Token(&'static str),
    /// A case filed.
    File,
    /// A page or document of no case.
    Page(&'static str),
}

fn tries(act: Act) -> Vec<Try> {
    let later = "2027-06-01T10:00:00+05:30";
    match act {
        Act::File => vec![Try::File],
        Act::Read => vec![
            Try::ReadCase(""),
            Try::ReadCase("/history"),
            Try::ReadHearing(""),
            Try::ReadHearing("/log"),
            Try::ReadHearing("/recordings"),
        ],
        Act::Work => vec![
            Try::Step(Stage::Filed, "attend", json!({ "note": "read" })),
            Try::Step(Stage::Attended, "reply", json!({ "text": "a letter" })),
            Try::Step(Stage::Filed, "interim_reply", json!({ "text": "a letter", "expected_at": later })),
        ],
        Act::Transfer => vec![Try::Step(Stage::Filed, "transfer", json!({ "to": "credit", "reason": "theirs" }))],
        Act::Decide => vec![
            Try::Step(Stage::Attended, "decide", json!({ "outcome": "favourable", "reasons": "granted" })),
            Try::Step(Stage::Decided, "close", json!({ "text": "granted" })),
        ],
        Act::Reopen => vec![
            Try::Step(Stage::Closed, "reopen", json!({ "reason": "not granted after all" })),
            Try::Step(Stage::Closed, "appeal", json!({ "reason": "not granted after all" })),
        ],
        Act::Hear => vec![
            Try::Fix,
            Try::HearingStep("serve", json!({})),
            Try::HearingStep("attempt", json!({ "channel": "telephone", "result": "no answer" })),
            Try::HearingStep("start", json!({})),
            Try::Token("presiding_officer"),
        ],
        Act::Assist => vec![Try::Token("coordinator"), Try::Token("party")],
        Act::Review => vec![Try::Page("/api/v1/review"), Try::Page("/review")],
        Act::Administer => vec![Try::Page("/admin")],
    }
}

#[tokio::test]
async fn nobody_does_what_the_table_forbids() {
    let hub = Hub::open(Database::Sqlite).await;
    let secretary = hub.sign_in("secretary").await;
    let (mut allowed, mut forbidden) = (0, 0);
    for (role, username, at_home) in PEOPLE {
        let person = hub.sign_in(username).await;
        for act in Act::ALL {
            let may = match scope(role, act) {
                Scope::Never => false,
                Scope::OwnDesk | Scope::OwnState => at_home,
                Scope::All => true,
            };
            for attempt in tries(act) {
                let said = format!("{username}, {act:?}, {}", name(&attempt));
                if may {
                    let (answer, _) = made(&hub, &secretary, &person, &attempt).await;
                    assert!((200..300).contains(&answer.status), "{said}: {} {}", answer.status, answer.text);
                    allowed += 1;
                } else {
                    let (answer, changed) = made(&hub, &secretary, &person, &attempt).await;
                    assert!(matches!(answer.status, 403 | 404), "{said}: {} {}", answer.status, answer.text);
                    assert!(!changed, "{said}: refused, and yet something changed");
                    forbidden += 1;
                }
            }
        }
    }
    eprintln!("{allowed} tries allowed, {forbidden} forbidden");
    assert!(allowed > 60 && forbidden > 60);
}

/// Nobody at all, and somebody with a token of an earlier day: neither gets further than the door.
#[tokio::test]
async fn nobody_comes_in_without_a_session() {
    let hub = Hub::open(Database::Sqlite).await;
    let secretary = hub.sign_in("secretary").await;
    let gone = hub.sign_in("officer.finance").await;
    gone.send(gone.request(Method::DELETE, "/api/v1/session")).await;
    for person in [hub.visitor(), hub.bearer("forged"), gone] {
        for act in Act::ALL {
            for attempt in tries(act) {
                let (answer, changed) = made(&hub, &secretary, &person, &attempt).await;
                assert!(!changed);
                if matches!(attempt, Try::Page(page) if !page.starts_with("/api/")) {
                    assert!(answer.text.contains("type=\"password\""), "a page asks to sign in: {}", answer.text);
                } else {
                    answer.refused(401, "not-signed-in");
                }
            }
        }
    }
}

fn name(attempt: &Try) -> String {
    match attempt {
        Try::Step(_, step, _) | Try::HearingStep(step, _) => (*step).to_owned(),
        Try::ReadCase(path) | Try::ReadHearing(path) | Try::Page(path) => format!("read {path}"),
        Try::Fix => "fix".to_owned(),
        Try::Token(role) => format!("token for {role}"),
        Try::File => "file".to_owned(),
    }
}

/// Makes a case of its own for the try, tries, and answers whether case, history, hearing or its log are different after it.
async fn made(hub: &Hub, secretary: &Client, person: &Client, attempt: &Try) -> (Answer, bool) {
    match attempt {
        Try::Page(path) => (person.get(path).await, false),
        Try::File => {
            let count =
                async || secretary.get("/api/v1/cases?limit=1000").await.ok()["items"].as_array().unwrap().len();
            let before = count().await;
            let answer = person.post("/api/v1/cases", filing::complaint_without_address()).await;
            (answer, count().await != before)
        }
        Try::Step(stage, step, body) => {
            let number = case_at(secretary, *stage).await;
            watched(secretary, &number, None, person.act(&number, step, body.clone())).await
        }
        Try::ReadCase(path) => {
            let number = case_at(secretary, Stage::Filed).await;
            let path = format!("/api/v1/cases/{number}{path}");
            watched(secretary, &number, None, person.get(&path)).await
        }
        Try::Fix => {
            let number = case_at(secretary, Stage::Attended).await;
            let fixing = json!({ "medium": "telephone", "starts_at": (hub.now().await + 1.hour()).to_string() });
            let path = format!("/api/v1/cases/{number}/hearings");
            watched(secretary, &number, None, person.post(&path, fixing)).await
        }
        Try::ReadHearing(_) | Try::HearingStep(..) | Try::Token(_) => {
            let number = case_at(secretary, Stage::Attended).await;
            let hearing = filing::hearing(secretary, &number, "video", hub.now().await + 1.hour()).await;
            let id = filing::id(&hearing);
            let asking = async {
                match attempt {
                    Try::ReadHearing(path) => person.get(&format!("/api/v1/hearings/{id}{path}")).await,
                    Try::HearingStep(step, body) => person.hear(&id, step, body.clone()).await,
                    Try::Token(role) => {
                        let path = format!("/api/v1/rooms/{}/tokens", hearing["room"].as_str().unwrap());
                        person.post(&path, json!({ "name": "Somebody", "role": role })).await
                    }
                    Try::Step(..) | Try::ReadCase(_) | Try::Fix | Try::File | Try::Page(_) => {
                        unreachable!("no try in a hearing")
                    }
                }
            };
            watched(secretary, &number, Some(&id), asking).await
        }
    }
}

async fn watched(
    secretary: &Client,
    number: &str,
    hearing: Option<&str>,
    asking: impl Future<Output = Answer>,
) -> (Answer, bool) {
    let look = async || {
        let hearing = match hearing {
            Some(id) => (secretary.hearing(id).await, secretary.get(&format!("/api/v1/hearings/{id}/log")).await.ok()),
            None => (Value::Null, Value::Null),
        };
        (secretary.case(number).await, secretary.history(number).await, hearing)
    };
    let before = look().await;
    let answer = asking.await;
    (answer, look().await != before)
}

async fn case_at(secretary: &Client, stage: Stage) -> String {
    let number = filing::file(secretary, filing::complaint_without_address()).await;
    let steps = [
        ("attend", json!({ "note": "read" })),
        ("decide", json!({ "outcome": "favourable", "reasons": "granted" })),
        ("close", json!({ "text": "granted" })),
    ];
    let wanted = match stage {
        Stage::Filed => 0,
        Stage::Attended => 1,
        Stage::Decided => 2,
        Stage::Closed => 3,
    };
    for (step, body) in steps.into_iter().take(wanted) {
        secretary.act(&number, step, body).await.ok();
    }
    number
}

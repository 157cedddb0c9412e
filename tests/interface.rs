//! The interface for programs: what it says of itself is what is there, and whatever is sent to it gets a clear answer.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

mod support;

use champions_hub::domain::presence::Part;
use champions_hub::service::links::{JoinToken, Links};
use champions_hub::time::Timestamp;
use futures_util::future::join_all;
use jiff::ToSpan as _;
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use support::Hub;
use support::client::{Answer, Client};
use support::database::Database;
use support::filing;
use support::room::{Seat, ticket};

const METHODS: [Method; 5] = [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];

/// What programs may rely upon.
const PROMISED: [(&str, &str); 17] = [
    ("post", "/api/v1/session"),
    ("delete", "/api/v1/session"),
    ("post", "/api/v1/cases"),
    ("get", "/api/v1/cases"),
    ("get", "/api/v1/cases/{number}"),
    ("get", "/api/v1/cases/{number}/history"),
    ("post", "/api/v1/cases/{number}/actions/{action}"),
    ("get", "/api/v1/cases/{number}/attachments/{id}"),
    ("post", "/api/v1/cases/{number}/hearings"),
    ("get", "/api/v1/hearings/{id}"),
    ("post", "/api/v1/hearings/{id}/actions/{action}"),
    ("get", "/api/v1/hearings/{id}/recordings"),
    ("get", "/api/v1/recordings/{id}/files/{name}"),
    ("get", "/api/v1/recordings/{id}/verify"),
    ("post", "/api/v1/rooms/{room}/tokens"),
    ("get", "/api/v1/control-rooms"),
    ("get", "/api/v1/review"),
];

#[tokio::test]
async fn the_interface_answers_clearly() {
    let hub = Hub::open(Database::Sqlite).await;
    let officer = hub.sign_in("officer.finance").await;
    it_describes_what_is_there(&hub).await;
    every_answer_keeps_browsers_safe(&hub, &officer).await;
    wrong_requests_are_told_what_is_wrong(&hub, &officer).await;
    bodies_have_a_size_and_a_form(&officer).await;
    numbers_are_read_as_people_write_them(&officer).await;
    lists_are_paged(&hub).await;
    another_site_sends_nothing(&hub, &officer).await;
    tokens_open_their_room_in_their_time(&hub, &officer).await;
}

#[tokio::test]
async fn a_repeated_request_is_one_on_sqlite() {
    a_repeated_request_is_one(&Hub::open(Database::Sqlite).await).await;
}

#[tokio::test]
async fn a_repeated_request_is_one_on_postgres() {
    let Some(database) = Database::postgres().await else { return };
    a_repeated_request_is_one(&Hub::open(database).await).await;
}

async fn it_describes_what_is_there(hub: &Hub) {
    let visitor = hub.visitor();
    let described = visitor.get("/api/openapi.json").await.ok();
    let paths = described["paths"].as_object().unwrap();
    for (method, path) in PROMISED {
        assert!(described["paths"][path][method].is_object(), "{method} {path} is not described");
    }
    for (path, operations) in paths {
        let concrete =
            path.split('/').map(|part| if part.starts_with('{') { "x" } else { part }).collect::<Vec<_>>().join("/");
        for method in METHODS {
            let listed = operations.get(method.as_str().to_lowercase()).is_some();
            let answer = visitor.send(visitor.request(method.clone(), &concrete).json(&json!({}))).await;
            // Whoever has not signed in is stopped at every door but the one for signing in.
            let there = if path == "/api/v1/session" && method == Method::POST {
                answer.status == 422
            } else {
                answer.status == 401
            };
            assert_eq!(there, listed, "{method} {path}: {} {}", answer.status, answer.text);
            assert!(listed || answer.status == 405, "{method} {path}: {}", answer.status);
        }
    }
    for path in ["/api", "/api/v1", "/api/v1/case", "/api/v1/cases/x/y", "/api/v2/cases", "/api/v1/hearings"] {
        assert!(!paths.contains_key(path));
        assert_eq!(visitor.get(path).await.status, 404, "{path}");
    }
}

async fn every_answer_keeps_browsers_safe(hub: &Hub, officer: &Client) {
    let visitor = hub.visitor();
    let answers = [
        visitor.get("/api/openapi.json").await,
        visitor.get("/readyz").await,
        visitor.get("/api/v1/cases").await,
        officer.get("/api/v1/cases?limit=1").await,
        officer.get("/api/v1/nothing-here").await,
        officer.post("/api/v1/cases", json!({})).await,
    ];
    for answer in answers {
        let policy = answer.header("content-security-policy");
        for rule in ["default-src 'self'", "object-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"] {
            assert!(policy.contains(rule), "{policy}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
        assert_eq!(answer.header("cross-origin-opener-policy"), "same-origin");
        assert_eq!(answer.header("strict-transport-security"), "", "the demo must not bind localhost to HTTPS");
    }
}

async fn wrong_requests_are_told_what_is_wrong(hub: &Hub, officer: &Client) {
    let visitor = hub.visitor();
    visitor.get("/api/v1/cases").await.refused(401, "not-signed-in");
    let credentials = json!({ "username": "officer.finance", "password": "wrong" });
    visitor.post("/api/v1/session", credentials).await.refused(401, "wrong-password");
    let nobody = json!({ "username": "nobody", "password": "wrong" });
    visitor.post("/api/v1/session", nobody).await.refused(401, "wrong-password");
    officer.get("/api/v1/review").await.refused(403, "forbidden");
    for path in [
        "/api/v1/nothing-here",
        "/api/v1/cases/GR26-0000000-0",
        "/api/v1/hearings/hrg_0",
        "/api/v1/recordings/rec_0/verify",
    ] {
        assert_eq!(officer.get(path).await.status, 404, "{path}");
    }
    let number = filing::file(officer, filing::complaint_without_address()).await;
    officer.act(&number, "dance", json!({})).await.refused(404, "not-found");
    officer.act(&number, "close", json!({ "text": "closed" })).await.refused(409, "not-attended");

    let wrong = json!({
        "series": "GR", "text": "", "subject": "weather",
        "applicant": { "name": "n".repeat(301), "mobile": "12345", "email": "nobody", "state": "Atlantis" },
    });
    let problem = officer.post("/api/v1/cases", wrong).await.refused(422, "invalid");
    let fields: BTreeSet<&str> =
        problem["errors"].as_array().unwrap().iter().map(|e| e["field"].as_str().unwrap()).collect();
    assert_eq!(
        fields,
        BTreeSet::from(["email", "mobile", "name", "state", "subject", "text"]),
        "all that is wrong at once"
    );
    for error in problem["errors"].as_array().unwrap() {
        let message = error["message"].as_str().unwrap();
        assert!(message.contains(' ') && !message.starts_with("error-"), "{message}");
    }
    let bad = [("series", json!("XX")), ("applicant", json!({ "kind": "planet" }))];
    for (field, value) in bad {
        let mut complaint = filing::complaint();
        complaint[field] = value;
        officer.post("/api/v1/cases", complaint).await.refused(422, "invalid");
    }
    for limit in ["0", "1001", "-1"] {
        officer.get(&format!("/api/v1/cases?limit={limit}")).await.refused(422, "invalid");
    }
    let fixing = |medium: &str, starts_at: &str, room: &str| json!({ "medium": medium, "starts_at": starts_at, "control_room": room });
    officer.act(&number, "attend", json!({})).await.ok();
    for wrong in [
        fixing("telepathy", "2027-06-01T10:00:00+05:30", "MUM"),
        fixing("video", "tomorrow", "MUM"),
        fixing("video", "2020-06-01T10:00:00+05:30", "MUM"),
        fixing("video", "2027-06-01T10:00:00+05:30", "XXX"),
    ] {
        officer.post(&format!("/api/v1/cases/{number}/hearings"), wrong).await.refused(422, "invalid");
    }
    let late = json!({ "text": "later", "expected_at": "2020-06-01T10:00:00+05:30" });
    officer.act(&number, "interim_reply", late).await.refused(422, "invalid");
    officer.act(&number, "transfer", json!({ "to": "nowhere", "reason": "theirs" })).await.refused(422, "invalid");
}

async fn bodies_have_a_size_and_a_form(officer: &Client) {
    let before = count(officer).await;
    let send = async |body: String, kind: &str| {
        let request = officer.request(Method::POST, "/api/v1/cases").header("content-type", kind).body(body);
        officer.send(request).await
    };
    let sized = |octets: usize| {
        let mut complaint = filing::complaint();
        complaint["text"] = Value::String("a".repeat(octets));
        complaint.to_string()
    };
    let problem = send(sized(100_000), "application/json").await.refused(422, "invalid");
    assert_eq!(problem["errors"][0]["field"], "text");
    send(sized(20_001), "application/json").await.refused(422, "invalid");
    send(sized(600_000), "application/json").await.refused(413, "too-large");
    for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"] {
        send(filing::complaint().to_string(), kind).await.refused(415, "not-json");
    }
    for broken in
        ["", "{", "[]", "null", "{\"series\":", "{\"series\":1}", "\u{0}", "{\"series\":\"GR\",\"text\":\"x\"}"]
    {
        let problem = send(broken.to_owned(), "application/json").await.refused(422, "not-understood");
        assert!(problem["detail"].is_string(), "{problem}");
    }
    let deep = "[".repeat(100_000);
    send(deep, "application/json").await.refused(422, "not-understood");
    assert_eq!(count(officer).await, before, "nothing of it became a case");

    assert_eq!(send(sized(20_000), "application/json; charset=utf-8").await.status, 201, "the longest text is taken");
    let mut odd = filing::complaint();
    odd["text"] = json!("मेरी इकाई पुणे में है \u{202e}\"'<script>alert(1)</script>; DROP TABLE cases; --");
    odd["subject"] = json!("finance");
    let case = officer.post("/api/v1/cases", odd.clone()).await.ok();
    assert_eq!(officer.case(&filing::number(&case)).await["text"], odd["text"], "every sign comes back as it was sent");
}

async fn numbers_are_read_as_people_write_them(officer: &Client) {
    let number = filing::file(officer, filing::complaint_without_address()).await;
    let plain = number.replace('-', "");
    for written in [number.clone(), number.to_lowercase(), plain.clone(), format!("{}%20{}", &plain[..2], &plain[2..])]
    {
        assert_eq!(filing::number(&officer.case(&written).await), number);
    }
    let (body, check) = number.split_at(number.len() - 1);
    let right: u32 = check.parse().unwrap();
    for wrong in (0..10).filter(|digit| *digit != right) {
        officer.get(&format!("/api/v1/cases/{body}{wrong}")).await.refused(404, "wrong-check-digit");
        officer.act(&format!("{body}{wrong}"), "attend", json!({})).await.refused(404, "wrong-check-digit");
    }
    for shape in ["GR", "XX26-0000001-4", "GR26-1-1", "..%2F..%2Fetc"] {
        officer.get(&format!("/api/v1/cases/{shape}")).await.refused(404, "not-found");
    }
}

async fn lists_are_paged(hub: &Hub) {
    let secretary = hub.sign_in("secretary").await;
    let numbers =
        |page: &Value| -> Vec<String> { page["items"].as_array().unwrap().iter().map(filing::number).collect() };
    let whole = secretary.get("/api/v1/cases?limit=1000").await.ok();
    assert!(whole["next"].is_null());
    let whole = numbers(&whole);
    assert!(whole.len() > 20, "the demo's world has cases");
    let mut walked = Vec::new();
    let mut after = String::new();
    for _ in 0..whole.len() {
        let page = secretary.get(&format!("/api/v1/cases?limit=7{after}")).await.ok();
        walked.extend(numbers(&page));
        match page["next"].as_str() {
            Some(next) => {
                assert_eq!(page["items"].as_array().unwrap().len(), 7);
                after = format!("&after={next}");
            }
            None => break,
        }
    }
    assert_eq!(walked, whole, "page by page, each case once, in the same order");
    let mine = secretary.get("/api/v1/cases?limit=1000&series=GR&subject=finance&state=MH&status=routed").await.ok();
    assert!(!mine["items"].as_array().unwrap().is_empty());
    for case in mine["items"].as_array().unwrap() {
        let found = ["series", "subject", "state", "status"].map(|key| case[key].as_str().unwrap());
        assert_eq!(found, ["GR", "finance", "MH", "routed"]);
    }
}

async fn a_repeated_request_is_one(hub: &Hub) {
    let (officer, room) = (hub.sign_in("officer.finance").await, hub.sign_in("room.mum").await);
    let keyed = async |by: &Client, path: &str, key: &str, body: &Value| -> Answer {
        by.send(by.request(Method::POST, path).header("idempotency-key", key).json(body)).await
    };
    let path = "/api/v1/cases";
    let before = count(&officer).await;
    let first = keyed(&officer, path, "one", &filing::complaint()).await;
    let second = keyed(&officer, path, "one", &filing::complaint()).await;
    assert_eq!((first.status, second.status), (201, 201));
    assert_eq!(filing::number(&first.json()), filing::number(&second.json()));
    let mut other = filing::complaint();
    other["text"] = json!("Something else, in Pune");
    let problem = keyed(&officer, path, "one", &other).await.refused(422, "invalid");
    assert_eq!(problem["errors"][0]["field"], "Idempotency-Key");

    let parallel =
        join_all((0..12).map(|_| async { keyed(&officer, path, "at once", &filing::complaint()).await })).await;
    let numbers: BTreeSet<String> = parallel.iter().map(|answer| filing::number(&answer.ok())).collect();
    assert_eq!(numbers.len(), 1, "twelve at once are one: {numbers:?}");
    assert_eq!(count(&officer).await, before + 2);

    let theirs = keyed(&room, path, "one", &filing::complaint()).await;
    assert_eq!(theirs.status, 201);
    assert_ne!(filing::number(&theirs.json()), filing::number(&first.json()), "another's key is another key");
    let unkeyed = filing::file(&officer, filing::complaint()).await;
    assert_ne!(unkeyed, filing::number(&first.json()));

    let number = filing::number(&first.json());
    officer.act(&number, "attend", json!({})).await.ok();
    let fixing = json!({ "medium": "video", "starts_at": (hub.now().await + 1.hour()).to_string() });
    let path = format!("/api/v1/cases/{number}/hearings");
    let parallel = join_all((0..8).map(|_| async { keyed(&officer, &path, "hearing", &fixing).await })).await;
    let hearings: BTreeSet<String> = parallel.iter().map(|answer| filing::id(&answer.ok())).collect();
    assert_eq!(hearings.len(), 1, "{hearings:?}");
    assert_eq!(officer.case(&number).await["hearings"].as_array().unwrap().len(), 1);
}

async fn count(by: &Client) -> usize {
    by.get("/api/v1/cases?limit=1000").await.ok()["items"].as_array().unwrap().len()
}

/// A page of another site may make a browser send our cookie; it may not make it do anything.
async fn another_site_sends_nothing(hub: &Hub, officer: &Client) {
    let visitor = hub.visitor();
    let before = count(officer).await;
    let cookie = format!("session={}", officer.token());
    let ask = async |headers: &[(&str, &str)]| {
        let mut request = visitor
            .request(Method::POST, "/api/v1/cases")
            .header("cookie", &cookie)
            .json(&filing::complaint_without_address());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        visitor.send(request).await
    };
    for headers in [
        &[("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")][..],
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site")],
        &[("origin", "https://evil.example")],
        &[("origin", "null")],
    ] {
        assert_eq!(ask(headers).await.status, 403, "{headers:?}");
    }
    assert_eq!(count(officer).await, before);
    assert_eq!(ask(&[("sec-fetch-site", "same-origin")]).await.status, 201);
    assert_eq!(count(officer).await, before + 1);
}

async fn tokens_open_their_room_in_their_time(hub: &Hub, officer: &Client) {
    let rooms: Vec<String> = {
        let mut rooms = Vec::new();
        for _ in 0..2 {
            let number = filing::file(officer, filing::complaint_without_address()).await;
            officer.act(&number, "attend", json!({})).await.ok();
            let hearing = filing::hearing(officer, &number, "video", hub.now().await + 1.hour()).await;
            rooms.push(hearing["room"].as_str().unwrap().to_owned());
        }
        rooms
    };
    let (token, _) = ticket(officer, &rooms[0], "Asha", "party").await;
    assert!(Seat::open(hub, &rooms[0], &token).await.is_ok(), "the token itself is good");
    let flipped = |at: usize| {
        let other = if token.as_bytes()[at] == b'A' { "B" } else { "A" };
        format!("{}{other}{}", &token[..at], &token[at + 1..])
    };
    let links = Links::open(&hub.data().join("keys/link.key"), "https://hub.example").unwrap();
    let until = |millis: i64| {
        let until = Timestamp::from_millis(hub_millis(&token) + millis);
        links.join_token(&JoinToken {
            room: rooms[0].clone(),
            member: "party".into(),
            name: "Asha".into(),
            part: Part::Party,
            until,
        })
    };
    assert!(Seat::open(hub, &rooms[0], &until(0)).await.is_ok(), "signed with the hub's key");
    let refused = BTreeMap::from([
        ("forged body", (0, flipped(10))),
        ("forged signature", (0, flipped(token.len() - 10))),
        ("expired", (0, until(-13 * 3_600_000))),
        ("of another room", (1, token.clone())),
        ("cut", (0, token[..token.len() - 1].to_owned())),
        ("none", (0, String::new())),
        ("a session's", (0, officer.token().to_owned())),
    ]);
    for (what, (room, token)) in refused {
        assert_eq!(Seat::open(hub, &rooms[room], &token).await.err(), Some(401), "{what}");
    }
    let nobody = json!({ "name": "Asha", "role": "king" });
    officer.post(&format!("/api/v1/rooms/{}/tokens", rooms[0]), nobody).await.refused(422, "invalid");
    officer.post("/api/v1/rooms/hearing-none/tokens", json!({ "role": "party" })).await.refused(404, "not-found");
}

/// Until when a token is good: its body is readable, though not to be changed.
fn hub_millis(token: &str) -> i64 {
    use base64::Engine as _;
    let body = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(token.split_once('.').unwrap().0).unwrap();
    serde_json::from_slice::<Value>(&body).unwrap()["until"].as_i64().unwrap()
}

//! Cases to work on.

use super::client::Client;
use serde_json::{Value, json};

/// The unit of the stories.
pub const NAME: &str = "Asha Pawar";
pub const MOBILE: &str = "+919812345670";
pub const EMAIL: &str = "asha.pawar@unit.example";
pub const TEXT: &str = "My bank refused my working capital loan, unit in Pune";

/// What the unit of the stories files.
pub fn complaint() -> Value {
    json!({
        "series": "GR",
        "text": TEXT,
        "language": "en",
        "applicant": { "kind": "unit", "name": NAME, "mobile": "098123 45670", "email": EMAIL, "unit": "Pawar Castings" },
    })
}

/// A complaint of a unit that nobody can write to.
pub fn complaint_without_address() -> Value {
    json!({ "series": "GR", "text": TEXT, "language": "en", "applicant": { "kind": "unit", "name": NAME } })
}

/// Files and answers the case's number.
pub async fn file(by: &Client, complaint: Value) -> String {
    number(&by.post("/api/v1/cases", complaint).await.ok())
}

/// Files, attends and decides; answers the case's number.
pub async fn decided(by: &Client, complaint: Value, outcome: &str, grounds: Value) -> String {
    let number = file(by, complaint).await;
    by.act(&number, "attend", json!({ "note": "read" })).await.ok();
    let decision = json!({ "outcome": outcome, "reasons": "The bank's reasons hold.", "grounds": grounds });
    by.act(&number, "decide", decision).await.ok();
    number
}

/// Fixes a hearing and answers its document.
pub async fn hearing(by: &Client, case: &str, medium: &str, starts_at: jiff::Timestamp) -> Value {
    let fixing = json!({ "medium": medium, "starts_at": starts_at.to_string(), "control_room": "MUM" });
    by.post(&format!("/api/v1/cases/{case}/hearings"), fixing).await.ok()
}

pub fn number(case: &Value) -> String {
    case["number"].as_str().unwrap().to_owned()
}

pub fn id(document: &Value) -> String {
    document["id"].as_str().unwrap().to_owned()
}

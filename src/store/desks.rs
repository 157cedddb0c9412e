//! Reference data that an administrator edits: control rooms, subjects, desks and routing rules.

use super::{Row, StoreError, Tx, args, statements};
use crate::domain::routing::Rule;
use crate::id::DeskId;

statements! {
    PUT_ROOM = "INSERT INTO control_room (code, city, state) VALUES ($1, $2, $3)
        ON CONFLICT (code) DO UPDATE SET city = $2, state = $3";
    ROOMS = "SELECT * FROM control_room ORDER BY code";
    ROOM = "SELECT * FROM control_room WHERE code = $1";
    PUT_SUBJECT = "INSERT INTO subject (code, position, name_en, name_hi) VALUES ($1, $2, $3, $4)
        ON CONFLICT (code) DO UPDATE SET position = $2, name_en = $3, name_hi = $4";
    SUBJECTS = "SELECT * FROM subject ORDER BY position";
    PUT_DESK = "INSERT INTO desk (id, code, name_en, name_hi, kind) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (code) DO UPDATE SET name_en = $3, name_hi = $4, kind = $5";
    DESKS = "SELECT * FROM desk ORDER BY code";
    CLEAR_RULES = "DELETE FROM routing_rule";
    INSERT_RULE = "INSERT INTO routing_rule (id, priority, series, subject, state, desk_id, account_id)
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    RULES = "SELECT * FROM routing_rule ORDER BY priority, id";
}

/// A control room of the mission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ControlRoom {
    /// Three letters.
    pub code: String,
    /// City.
    pub city: String,
    /// State code.
    pub state: String,
}

/// A subject of cases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// Fixed code.
    pub code: String,
    /// Place in lists.
    pub position: i64,
    /// English name.
    pub name_en: String,
    /// Hindi name.
    pub name_hi: String,
}

/// A branch, bureau, office or outside body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Desk {
    /// Identifier.
    pub id: DeskId,
    /// Short code.
    pub code: String,
    /// English name.
    pub name_en: String,
    /// Hindi name.
    pub name_hi: String,
    /// `branch`, `bureau`, `office`, `external` or `triage`.
    pub kind: String,
}

/// Stores a control room, or brings it up to date.
///
/// # Errors
/// What the database says.
pub async fn put_room(tx: &mut Tx, room: &ControlRoom) -> Result<(), StoreError> {
    tx.run_one(PUT_ROOM, args![&room.code, &room.city, &room.state]).await
}

/// Every control room by code.
///
/// # Errors
/// What the database says.
pub async fn rooms(tx: &mut Tx) -> Result<Vec<ControlRoom>, StoreError> {
    tx.all(ROOMS, &[]).await?.iter().map(read_room).collect()
}

/// A control room.
///
/// # Errors
/// What the database says.
pub async fn room(tx: &mut Tx, code: &str) -> Result<Option<ControlRoom>, StoreError> {
    tx.first(ROOM, args![code]).await?.as_ref().map(read_room).transpose()
}

/// Stores a subject, or brings it up to date.
///
/// # Errors
/// What the database says.
pub async fn put_subject(tx: &mut Tx, s: &Subject) -> Result<(), StoreError> {
    tx.run_one(PUT_SUBJECT, args![&s.code, s.position, &s.name_en, &s.name_hi]).await
}

/// Every subject in order.
///
/// # Errors
/// What the database says.
pub async fn subjects(tx: &mut Tx) -> Result<Vec<Subject>, StoreError> {
    tx.all(SUBJECTS, &[])
        .await?
        .iter()
        .map(|row| {
            Ok(Subject {
                code: row.text("code")?,
                position: row.int("position")?,
                name_en: row.text("name_en")?,
                name_hi: row.text("name_hi")?,
            })
        })
        .collect()
}

/// Stores a desk, or brings the one of that code up to date; its identifier stays.
///
/// # Errors
/// What the database says.
pub async fn put_desk(tx: &mut Tx, d: &Desk) -> Result<(), StoreError> {
    tx.run_one(PUT_DESK, args![d.id.as_str(), &d.code, &d.name_en, &d.name_hi, &d.kind]).await
}

/// Every desk by code.
///
/// # Errors
/// What the database says.
pub async fn desks(tx: &mut Tx) -> Result<Vec<Desk>, StoreError> {
    tx.all(DESKS, &[])
        .await?
        .iter()
        .map(|row| {
            Ok(Desk {
                id: row.parsed("id")?,
                code: row.text("code")?,
                name_en: row.text("name_en")?,
                name_hi: row.text("name_hi")?,
                kind: row.text("kind")?,
            })
        })
        .collect()
}

/// Forgets all routing rules.
///
/// # Errors
/// What the database says.
pub async fn clear_rules(tx: &mut Tx) -> Result<(), StoreError> {
    tx.run(CLEAR_RULES, &[]).await.map(|_| ())
}

/// Stores a routing rule under an identifier of its own.
///
/// # Errors
/// What the database says.
pub async fn insert_rule(tx: &mut Tx, id: &str, rule: &Rule) -> Result<(), StoreError> {
    tx.run_one(
        INSERT_RULE,
        args![
            id,
            rule.priority,
            rule.series.clone(),
            rule.subject.clone(),
            rule.state.clone(),
            rule.desk.as_str(),
            rule.assignee.as_ref().map(String::from)
        ],
    )
    .await
}

/// Every routing rule in order of priority.
///
/// # Errors
/// What the database says.
pub async fn rules(tx: &mut Tx) -> Result<Vec<Rule>, StoreError> {
    tx.all(RULES, &[])
        .await?
        .iter()
        .map(|row| {
            Ok(Rule {
                priority: row.int("priority")?,
                series: row.opt_text("series")?,
                subject: row.opt_text("subject")?,
                state: row.opt_text("state")?,
                desk: row.parsed("desk_id")?,
                assignee: row.opt_parsed("account_id")?,
            })
        })
        .collect()
}

fn read_room(row: &Row) -> Result<ControlRoom, StoreError> {
    Ok(ControlRoom { code: row.text("code")?, city: row.text("city")?, state: row.text("state")? })
}

//! Hearings, their log and the ledger of presence.

use super::cases::{Author, HistoryLine, history_line, to_json};
use super::{Row, StoreError, Tx, args, statements};
use crate::domain::calendar::Timestamp;
use crate::domain::hearing::{Hearing, HearingEvent, Medium, Phase};
use crate::domain::presence::{Part, PartyPresence, Presence};
use crate::id::{CaseId, HearingId};

statements! {
    INSERT = "INSERT INTO hearing (id, case_id, medium, starts_at, control_room, room, phase, served_at, began_at, ended_at,
        attempts, ex_parte, record, signed_order, signed_at, version)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)";
    UPDATE = "UPDATE hearing SET phase = $1, served_at = $2, began_at = $3, ended_at = $4, attempts = $5, ex_parte = $6,
        record = $7, signed_order = $8, signed_at = $9, version = $10 WHERE id = $11 AND version = $12";
    BY_ID = "SELECT * FROM hearing WHERE id = $1";
    BY_ROOM = "SELECT * FROM hearing WHERE room = $1";
    OF_CASE = "SELECT * FROM hearing WHERE case_id = $1 ORDER BY starts_at, id";
    BETWEEN = "SELECT * FROM hearing WHERE starts_at >= $1 AND starts_at < $2
        AND (CAST($3 AS TEXT) IS NULL OR control_room = $3) ORDER BY starts_at, id LIMIT 200";
    OPEN_ROOMS = "SELECT * FROM hearing WHERE phase IN ('in_session', 'paused')";
    INSERT_EVENT = "INSERT INTO hearing_event (hearing_id, seq, at, actor_id, actor_name, actor_role, kind, data)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    EVENTS = "SELECT * FROM hearing_event WHERE hearing_id = $1 ORDER BY seq";
    INSERT_PRESENCE = "INSERT INTO presence (id, hearing_id, at, member, name, part, what, phase, detail)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    LEDGER = "SELECT * FROM presence WHERE hearing_id = $1 ORDER BY at, id";
    COUNT_DUE = "SELECT COUNT(*) AS n FROM hearing WHERE starts_at >= $1 AND starts_at < $2";
    COUNT_BEGAN = "SELECT COUNT(*) AS n FROM hearing WHERE began_at >= $1 AND began_at < $2";
}

/// A line of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerLine {
    /// When.
    pub at: Timestamp,
    /// Identifier of the member in the room.
    pub member: String,
    /// Name as shown.
    pub name: String,
    /// Their part.
    pub part: Part,
    /// What happened.
    pub what: Presence,
    /// Where the session stood then.
    pub phase: Phase,
    /// More, such as the version of a notice or why somebody left.
    pub detail: String,
}

/// Stores a new hearing.
///
/// # Errors
/// What the database says.
pub async fn insert(tx: &mut Tx, h: &Hearing) -> Result<(), StoreError> {
    tx.run_one(
        INSERT,
        args![
            h.id.as_str(),
            h.case.as_str(),
            h.medium.code(),
            h.starts_at,
            h.control_room.clone(),
            &h.room,
            h.phase.code(),
            h.served_at,
            h.began_at,
            h.ended_at,
            to_json(&h.attempts),
            h.ex_parte.clone(),
            h.record.clone(),
            h.order.as_ref().map(to_json),
            h.signed_at,
            h.version
        ],
    )
    .await
}

/// Stores a changed hearing; its version is one more than the one it was loaded with.
///
/// # Errors
/// [`StoreError::Stale`] when somebody else changed it meanwhile.
pub async fn update(tx: &mut Tx, h: &Hearing) -> Result<(), StoreError> {
    tx.run_one(
        UPDATE,
        args![
            h.phase.code(),
            h.served_at,
            h.began_at,
            h.ended_at,
            to_json(&h.attempts),
            h.ex_parte.clone(),
            h.record.clone(),
            h.order.as_ref().map(to_json),
            h.signed_at,
            h.version,
            h.id.as_str(),
            h.version - 1
        ],
    )
    .await
}

/// A hearing.
///
/// # Errors
/// What the database says.
pub async fn by_id(tx: &mut Tx, id: &HearingId) -> Result<Option<Hearing>, StoreError> {
    tx.first(BY_ID, args![id.as_str()]).await?.as_ref().map(read).transpose()
}

/// The hearing that a media room belongs to.
///
/// # Errors
/// What the database says.
pub async fn by_room(tx: &mut Tx, room: &str) -> Result<Option<Hearing>, StoreError> {
    tx.first(BY_ROOM, args![room]).await?.as_ref().map(read).transpose()
}

/// The hearings of a case.
///
/// # Errors
/// What the database says.
pub async fn of_case(tx: &mut Tx, case: &CaseId) -> Result<Vec<Hearing>, StoreError> {
    tx.all(OF_CASE, args![case.as_str()]).await?.iter().map(read).collect()
}

/// Hearings that begin from `from` until `until`, of one control room or of all.
///
/// # Errors
/// What the database says.
pub async fn between(
    tx: &mut Tx,
    from: Timestamp,
    until: Timestamp,
    room: Option<&str>,
) -> Result<Vec<Hearing>, StoreError> {
    tx.all(BETWEEN, args![from, until, room]).await?.iter().map(read).collect()
}

/// Hearings that are going on, as after a restart.
///
/// # Errors
/// What the database says.
pub async fn going_on(tx: &mut Tx) -> Result<Vec<Hearing>, StoreError> {
    tx.all(OPEN_ROOMS, &[]).await?.iter().map(read).collect()
}

/// Adds a line to the log, at the version that the event led to.
///
/// # Errors
/// [`StoreError::Taken`] when somebody else wrote that line meanwhile.
pub async fn append(
    tx: &mut Tx,
    hearing: &HearingId,
    seq: i64,
    at: Timestamp,
    by: &Author,
    event: &HearingEvent,
) -> Result<(), StoreError> {
    tx.run_one(
        INSERT_EVENT,
        args![hearing.as_str(), seq, at, by.id.clone(), &by.name, &by.role, event.kind(), to_json(event)],
    )
    .await
}

/// The whole log of a hearing.
///
/// # Errors
/// What the database says.
pub async fn log(tx: &mut Tx, hearing: &HearingId) -> Result<Vec<HistoryLine<HearingEvent>>, StoreError> {
    tx.all(EVENTS, args![hearing.as_str()]).await?.iter().map(history_line).collect()
}

/// Adds a line to the ledger.
///
/// # Errors
/// What the database says.
pub async fn append_presence(tx: &mut Tx, id: &str, hearing: &HearingId, line: &LedgerLine) -> Result<(), StoreError> {
    tx.run_one(
        INSERT_PRESENCE,
        args![
            id,
            hearing.as_str(),
            line.at,
            &line.member,
            &line.name,
            line.part.code(),
            line.what.code(),
            line.phase.code(),
            &line.detail
        ],
    )
    .await
}

/// The whole ledger of a hearing.
///
/// # Errors
/// What the database says.
pub async fn ledger(tx: &mut Tx, hearing: &HearingId) -> Result<Vec<LedgerLine>, StoreError> {
    let code = |what| StoreError::Corrupt { what };
    tx.all(LEDGER, args![hearing.as_str()])
        .await?
        .iter()
        .map(|row| {
            Ok(LedgerLine {
                at: row.time("at")?,
                member: row.text("member")?,
                name: row.text("name")?,
                part: Part::from_code(&row.text("part")?).ok_or_else(|| code("part"))?,
                what: Presence::from_code(&row.text("what")?).ok_or_else(|| code("what"))?,
                phase: Phase::from_code(&row.text("phase")?).ok_or_else(|| code("phase"))?,
                detail: row.text("detail")?,
            })
        })
        .collect()
}

/// What the ledger says of the unit's side. It was in session when it was in the room while the session went on: let in
/// during it, or in already when it began.
///
/// # Errors
/// What the database says.
pub async fn party_presence(tx: &mut Tx, hearing: &HearingId) -> Result<PartyPresence, StoreError> {
    let ledger = ledger(tx, hearing).await?;
    let of_party = || ledger.iter().filter(|line| line.part.is_party());
    Ok(PartyPresence {
        came: of_party().any(|l| matches!(l.what, Presence::Knocked | Presence::Admitted)),
        was_in_session: of_party().any(|l| l.what == Presence::Admitted && l.phase == Phase::InSession),
    })
}

/// Number of hearings that began from `from` until `until`.
///
/// # Errors
/// What the database says.
pub async fn count_began(tx: &mut Tx, from: Timestamp, until: Timestamp) -> Result<i64, StoreError> {
    tx.first(COUNT_BEGAN, args![from, until]).await?.ok_or(StoreError::Stale)?.int("n")
}

/// Number of hearings fixed for the time from `from` until `until`.
///
/// # Errors
/// What the database says.
pub async fn count_due(tx: &mut Tx, from: Timestamp, until: Timestamp) -> Result<i64, StoreError> {
    tx.first(COUNT_DUE, args![from, until]).await?.ok_or(StoreError::Stale)?.int("n")
}

fn read(row: &Row) -> Result<Hearing, StoreError> {
    let code = |what| StoreError::Corrupt { what };
    let order = row.opt_text("signed_order")?;
    Ok(Hearing {
        id: row.parsed("id")?,
        case: row.parsed("case_id")?,
        medium: Medium::from_code(&row.text("medium")?).ok_or_else(|| code("medium"))?,
        starts_at: row.time("starts_at")?,
        control_room: row.opt_text("control_room")?,
        room: row.text("room")?,
        phase: Phase::from_code(&row.text("phase")?).ok_or_else(|| code("phase"))?,
        served_at: row.opt_time("served_at")?,
        began_at: row.opt_time("began_at")?,
        ended_at: row.opt_time("ended_at")?,
        attempts: row.json("attempts")?,
        ex_parte: row.opt_text("ex_parte")?,
        record: row.opt_text("record")?,
        order: order.map(|o| serde_json::from_str(&o).map_err(|_| code("signed_order"))).transpose()?,
        signed_at: row.opt_time("signed_at")?,
        version: row.int("version")?,
    })
}

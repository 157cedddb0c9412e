//! Recordings: which folder holds the recording of which hearing.

use super::{Row, StoreError, Tx, args, statements};
use crate::domain::calendar::Timestamp;
use crate::id::{HearingId, RecordingId};

statements! {
    INSERT = "INSERT INTO recording (id, hearing_id, folder, started_at) VALUES ($1, $2, $3, $4)";
    FINISH = "UPDATE recording SET ended_at = $1, head = $2 WHERE id = $3";
    FAIL = "UPDATE recording SET failure = $1 WHERE id = $2";
    OF_HEARING = "SELECT * FROM recording WHERE hearing_id = $1 ORDER BY id";
    BY_ID = "SELECT * FROM recording WHERE id = $1";
    UNFINISHED = "SELECT * FROM recording WHERE ended_at IS NULL";
}

/// A recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recording {
    /// Identifier.
    pub id: RecordingId,
    /// Of this hearing.
    pub hearing: HearingId,
    /// Folder below the data folder.
    pub folder: String,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Last hash of its chain.
    pub head: Option<String>,
    /// What went wrong, if anything did.
    pub failure: Option<String>,
}

/// Stores a recording that begins.
///
/// # Errors
/// What the database says.
pub async fn insert(tx: &mut Tx, r: &Recording) -> Result<(), StoreError> {
    tx.run_one(INSERT, args![r.id.as_str(), r.hearing.as_str(), &r.folder, r.started_at]).await
}

/// Marks it finished, with the last hash of its chain.
///
/// # Errors
/// What the database says.
pub async fn finish(tx: &mut Tx, id: &RecordingId, at: Timestamp, head: &str) -> Result<(), StoreError> {
    tx.run_one(FINISH, args![at, head, id.as_str()]).await
}

/// Notes what went wrong.
///
/// # Errors
/// What the database says.
pub async fn fail(tx: &mut Tx, id: &RecordingId, why: &str) -> Result<(), StoreError> {
    tx.run_one(FAIL, args![why, id.as_str()]).await
}

/// The recordings of a hearing.
///
/// # Errors
/// What the database says.
pub async fn of_hearing(tx: &mut Tx, hearing: &HearingId) -> Result<Vec<Recording>, StoreError> {
    tx.all(OF_HEARING, args![hearing.as_str()]).await?.iter().map(read).collect()
}

/// A recording.
///
/// # Errors
/// What the database says.
pub async fn by_id(tx: &mut Tx, id: &RecordingId) -> Result<Option<Recording>, StoreError> {
    tx.first(BY_ID, args![id.as_str()]).await?.as_ref().map(read).transpose()
}

/// Recordings without an end, as a killed process leaves them.
///
/// # Errors
/// What the database says.
pub async fn unfinished(tx: &mut Tx) -> Result<Vec<Recording>, StoreError> {
    tx.all(UNFINISHED, &[]).await?.iter().map(read).collect()
}

fn read(row: &Row) -> Result<Recording, StoreError> {
    Ok(Recording {
        id: row.parsed("id")?,
        hearing: row.parsed("hearing_id")?,
        folder: row.text("folder")?,
        started_at: row.time("started_at")?,
        ended_at: row.opt_time("ended_at")?,
        head: row.opt_text("head")?,
        failure: row.opt_text("failure")?,
    })
}

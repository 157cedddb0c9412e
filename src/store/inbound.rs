//! What providers sent, stored before it is acted on; calls; and what is known of a telephone number.

use super::{Row, StoreError, Tx, args, statements};
use crate::domain::calendar::Timestamp;
use crate::id::{CallId, CaseId, InboundId};

statements! {
    INSERT = "INSERT INTO inbound_event (id, provider, external_id, kind, payload, received_at) VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (provider, external_id) DO NOTHING";
    LOCK = "UPDATE inbound_event SET kind = kind WHERE provider = $1 AND external_id = $2";
    FIND = "SELECT * FROM inbound_event WHERE provider = $1 AND external_id = $2";
    ANSWER = "UPDATE inbound_event SET answer = $1, done_at = $2 WHERE id = $3";
    OPEN = "SELECT * FROM inbound_event WHERE done_at IS NULL AND received_at < $1 ORDER BY received_at LIMIT $2";
    INSERT_CALL = "INSERT INTO telephone_call (id, provider, external_id, caller, session, started_at, version)
        VALUES ($1, $2, $3, $4, $5, $6, 0) ON CONFLICT (provider, external_id) DO NOTHING";
    LOCK_CALL = "UPDATE telephone_call SET version = version WHERE provider = $1 AND external_id = $2";
    CALL = "SELECT * FROM telephone_call WHERE provider = $1 AND external_id = $2";
    UPDATE_CALL = "UPDATE telephone_call SET session = $1, case_id = $2, ended_at = $3, version = version + 1
        WHERE id = $4 AND version = $5";
    SILENT_CALLS = "SELECT * FROM telephone_call WHERE ended_at IS NULL AND started_at < $1 ORDER BY started_at LIMIT $2";
    CORRESPONDENT = "SELECT * FROM correspondent WHERE number = $1";
    MEET = "INSERT INTO correspondent (number, language, dialogue, opted_out) VALUES ($1, '', '', 0) ON CONFLICT (number) DO NOTHING";
    LOCK_CORRESPONDENT = "UPDATE correspondent SET number = number WHERE number = $1";
    NEWEST_OF_KIND = "SELECT * FROM inbound_event WHERE kind = $1 ORDER BY received_at DESC, id DESC LIMIT $2";
    PUT_CORRESPONDENT = "INSERT INTO correspondent (number, language, dialogue, opted_out) VALUES ($1, $2, $3, $4)
        ON CONFLICT (number) DO UPDATE SET language = $2, dialogue = $3, opted_out = $4";
}

/// A stored event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inbound {
    /// Identifier.
    pub id: InboundId,
    /// Which provider.
    pub provider: String,
    /// The provider's own identifier of the event.
    pub external_id: String,
    /// What kind.
    pub kind: String,
    /// What it said (JSON).
    pub payload: String,
    /// When it came.
    pub received_at: Timestamp,
    /// What we answered, once we did.
    pub answer: Option<String>,
    /// When it was done with.
    pub done_at: Option<Timestamp>,
}

/// A call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Identifier.
    pub id: CallId,
    /// Which provider.
    pub provider: String,
    /// The provider's own identifier.
    pub external_id: String,
    /// The caller's number as stored.
    pub caller: String,
    /// Where the flow stands (JSON).
    pub session: String,
    /// The case it became.
    pub case: Option<CaseId>,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Grows with each change.
    pub version: i64,
}

/// What is known of a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Correspondent {
    /// The number.
    pub number: String,
    /// The language they chose; empty before they did.
    pub language: String,
    /// Where the SMS dialogue stands (JSON, may be empty).
    pub dialogue: String,
    /// Whether they asked for silence.
    pub opted_out: bool,
}

/// Stores an event unless it is there already. Answers whether it was new.
///
/// # Errors
/// What the database says.
pub async fn store(tx: &mut Tx, event: &Inbound) -> Result<bool, StoreError> {
    let changed = tx
        .run(
            INSERT,
            args![
                event.id.as_str(),
                &event.provider,
                &event.external_id,
                &event.kind,
                &event.payload,
                event.received_at
            ],
        )
        .await?;
    Ok(changed == 1)
}

/// Takes the row of an event for this transaction alone, so that the same event in parallel waits, and reads it.
///
/// # Errors
/// What the database says.
pub async fn take(tx: &mut Tx, provider: &str, external_id: &str) -> Result<Option<Inbound>, StoreError> {
    tx.run(LOCK, args![provider, external_id]).await?;
    tx.first(FIND, args![provider, external_id]).await?.as_ref().map(read).transpose()
}

/// Keeps what we answered: a repetition gets the same.
///
/// # Errors
/// What the database says.
pub async fn done(tx: &mut Tx, id: &InboundId, answer: &str, at: Timestamp) -> Result<(), StoreError> {
    tx.run_one(ANSWER, args![answer, at, id.as_str()]).await
}

/// Events that came before `before` and were never done with: a killed process leaves them.
///
/// # Errors
/// What the database says.
pub async fn left_open(tx: &mut Tx, before: Timestamp, limit: i64) -> Result<Vec<Inbound>, StoreError> {
    tx.all(OPEN, args![before, limit]).await?.iter().map(read).collect()
}

/// The newest events of a kind, newest first.
///
/// # Errors
/// What the database says.
pub async fn newest_of_kind(tx: &mut Tx, kind: &str, limit: i64) -> Result<Vec<Inbound>, StoreError> {
    tx.all(NEWEST_OF_KIND, args![kind, limit]).await?.iter().map(read).collect()
}

/// Takes a call for this transaction alone, so that events of the same call in parallel wait, and reads it. `new` is
/// stored first when the call is not known yet.
///
/// # Errors
/// What the database says.
pub async fn take_call(tx: &mut Tx, new: &Call) -> Result<Call, StoreError> {
    tx.run(
        INSERT_CALL,
        args![new.id.as_str(), &new.provider, &new.external_id, &new.caller, &new.session, new.started_at],
    )
    .await?;
    tx.run_one(LOCK_CALL, args![&new.provider, &new.external_id]).await?;
    call(tx, &new.provider, &new.external_id).await?.ok_or(StoreError::Stale)
}

/// Finds a call.
///
/// # Errors
/// What the database says.
pub async fn call(tx: &mut Tx, provider: &str, external_id: &str) -> Result<Option<Call>, StoreError> {
    tx.first(CALL, args![provider, external_id]).await?.as_ref().map(read_call).transpose()
}

/// Stores where a call stands.
///
/// # Errors
/// [`StoreError::Stale`] when another event of the same call came between.
pub async fn update_call(tx: &mut Tx, c: &Call) -> Result<(), StoreError> {
    tx.run_one(UPDATE_CALL, args![&c.session, c.case.as_ref().map(String::from), c.ended_at, c.id.as_str(), c.version])
        .await
}

/// Calls that began before `before` and never ended: their end was not told to us.
///
/// # Errors
/// What the database says.
pub async fn calls_without_end(tx: &mut Tx, before: Timestamp, limit: i64) -> Result<Vec<Call>, StoreError> {
    tx.all(SILENT_CALLS, args![before, limit]).await?.iter().map(read_call).collect()
}

/// What is known of a number.
///
/// # Errors
/// What the database says.
pub async fn correspondent(tx: &mut Tx, number: &str) -> Result<Option<Correspondent>, StoreError> {
    tx.first(CORRESPONDENT, args![number])
        .await?
        .map(|row| {
            Ok(Correspondent {
                number: row.text("number")?,
                language: row.text("language")?,
                dialogue: row.text("dialogue")?,
                opted_out: row.flag("opted_out")?,
            })
        })
        .transpose()
}

/// Takes what is known of a number for this transaction alone, so that texts of the same number in parallel wait, and
/// reads it. A number that never wrote or rang before has no language and no dialogue.
///
/// # Errors
/// What the database says.
pub async fn take_correspondent(tx: &mut Tx, number: &str) -> Result<Correspondent, StoreError> {
    tx.run(MEET, args![number]).await?;
    tx.run_one(LOCK_CORRESPONDENT, args![number]).await?;
    correspondent(tx, number).await?.ok_or(StoreError::Stale)
}

/// Stores what is known of a number.
///
/// # Errors
/// What the database says.
pub async fn put_correspondent(tx: &mut Tx, c: &Correspondent) -> Result<(), StoreError> {
    tx.run_one(PUT_CORRESPONDENT, args![&c.number, &c.language, &c.dialogue, c.opted_out]).await
}

fn read(row: &Row) -> Result<Inbound, StoreError> {
    Ok(Inbound {
        id: row.parsed("id")?,
        provider: row.text("provider")?,
        external_id: row.text("external_id")?,
        kind: row.text("kind")?,
        payload: row.text("payload")?,
        received_at: row.time("received_at")?,
        answer: row.opt_text("answer")?,
        done_at: row.opt_time("done_at")?,
    })
}

fn read_call(row: &Row) -> Result<Call, StoreError> {
    Ok(Call {
        id: row.parsed("id")?,
        provider: row.text("provider")?,
        external_id: row.text("external_id")?,
        caller: row.text("caller")?,
        session: row.text("session")?,
        case: row.opt_parsed("case_id")?,
        started_at: row.time("started_at")?,
        ended_at: row.opt_time("ended_at")?,
        version: row.int("version")?,
    })
}

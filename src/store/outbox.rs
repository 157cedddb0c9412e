//! What goes out: follow-up work, and the messages that people get.

use super::{Row, Store, StoreError, Tx, args, statements};
use crate::domain::calendar::Timestamp;
use crate::id::{JobId, MessageId};

statements! {
    ENQUEUE = "INSERT INTO job (id, kind, payload, run_at, attempts, locked_until) VALUES ($1, $2, $3, $4, 0, 0)";
    CLAIM_SQLITE = "UPDATE job SET locked_until = $1, attempts = attempts + 1 WHERE id IN (SELECT id FROM job
        WHERE done_at IS NULL AND dead_at IS NULL AND run_at <= $2 AND locked_until <= $2 ORDER BY run_at LIMIT $3) RETURNING *";
    CLAIM_POSTGRES = "UPDATE job SET locked_until = $1, attempts = attempts + 1 WHERE id IN (SELECT id FROM job
        WHERE done_at IS NULL AND dead_at IS NULL AND run_at <= $2 AND locked_until <= $2 ORDER BY run_at LIMIT $3
        FOR UPDATE SKIP LOCKED) RETURNING *";
    DUE = "SELECT id FROM job WHERE done_at IS NULL AND dead_at IS NULL AND run_at <= $1 AND locked_until <= $1 LIMIT 1";
    DONE = "UPDATE job SET done_at = $1, last_error = NULL WHERE id = $2";
    AGAIN = "UPDATE job SET run_at = $1, locked_until = 0, last_error = $2 WHERE id = $3";
    DEAD = "UPDATE job SET dead_at = $1, last_error = $2 WHERE id = $3";
    COUNTS = "SELECT COUNT(*) AS n FROM job WHERE done_at IS NULL AND dead_at IS NULL";
    DEAD_COUNT = "SELECT COUNT(*) AS n FROM job WHERE dead_at IS NOT NULL";
    INSERT_MESSAGE = "INSERT INTO message (id, channel, recipient, language, template, subject, text, case_id, hearing_id,
        serves_notice, status, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'queued', $11)";
    MESSAGE = "SELECT * FROM message WHERE id = $1";
    SENT = "UPDATE message SET status = 'sent', sent_at = $1, provider_ref = $2 WHERE id = $3";
    FAILED = "UPDATE message SET status = 'failed' WHERE id = $1";
    DELIVERY = "UPDATE message SET status = CASE WHEN status = 'delivered' THEN status ELSE $1 END WHERE provider_ref = $2";
    TO_RECIPIENT = "SELECT * FROM message WHERE recipient = $1 AND channel = $2 ORDER BY created_at, id LIMIT 200";
    NEWEST = "SELECT * FROM message WHERE channel = $1 ORDER BY created_at DESC, id DESC LIMIT $2";
}

/// A piece of work to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Identifier.
    pub id: JobId,
    /// What to do.
    pub kind: String,
    /// With what (JSON).
    pub payload: String,
    /// How often it was tried, this time included.
    pub attempts: i64,
}

/// A message to a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Identifier.
    pub id: MessageId,
    /// `mail` or `sms`.
    pub channel: String,
    /// Address or number.
    pub recipient: String,
    /// Language it is written in.
    pub language: String,
    /// Which template it was made from.
    pub template: String,
    /// Subject line of a mail.
    pub subject: String,
    /// The words.
    pub text: String,
    /// The case it is about.
    pub case: Option<String>,
    /// The hearing it is about.
    pub hearing: Option<String>,
    /// Whether its sending is the service of a notice of hearing on the party.
    pub serves_notice: bool,
    /// `queued`, `sent`, `delivered` or `failed`.
    pub status: String,
    /// When it was written.
    pub created_at: Timestamp,
}

/// Puts work into the outbox.
///
/// # Errors
/// What the database says.
pub async fn enqueue(tx: &mut Tx, id: &JobId, kind: &str, payload: &str, run_at: Timestamp) -> Result<(), StoreError> {
    tx.run_one(ENQUEUE, args![id.as_str(), kind, payload, run_at]).await
}

/// Whether any work is due: asked before taking it, so that an idle hub does not write.
///
/// # Errors
/// What the database says.
pub async fn is_due(tx: &mut Tx, now: Timestamp) -> Result<bool, StoreError> {
    Ok(tx.first(DUE, args![now]).await?.is_some())
}

/// Takes up to `limit` pieces of due work until `until`; nobody else gets them before.
///
/// # Errors
/// What the database says.
pub async fn claim(
    store: &Store,
    tx: &mut Tx,
    now: Timestamp,
    until: Timestamp,
    limit: i64,
) -> Result<Vec<Job>, StoreError> {
    let sql = store.claim_sql(CLAIM_SQLITE, CLAIM_POSTGRES);
    tx.all(sql, args![until, now, limit])
        .await?
        .iter()
        .map(|row| {
            Ok(Job {
                id: row.parsed("id")?,
                kind: row.text("kind")?,
                payload: row.text("payload")?,
                attempts: row.int("attempts")?,
            })
        })
        .collect()
}

/// Marks work done.
///
/// # Errors
/// What the database says.
pub async fn done(tx: &mut Tx, id: &JobId, at: Timestamp) -> Result<(), StoreError> {
    tx.run_one(DONE, args![at, id.as_str()]).await
}

/// Puts failed work back for later.
///
/// # Errors
/// What the database says.
pub async fn again(tx: &mut Tx, id: &JobId, at: Timestamp, why: &str) -> Result<(), StoreError> {
    tx.run_one(AGAIN, args![at, why, id.as_str()]).await
}

/// Gives work up: a person must look.
///
/// # Errors
/// What the database says.
pub async fn dead(tx: &mut Tx, id: &JobId, at: Timestamp, why: &str) -> Result<(), StoreError> {
    tx.run_one(DEAD, args![at, why, id.as_str()]).await
}

/// Number of pieces waiting, and given up.
///
/// # Errors
/// What the database says.
pub async fn counts(tx: &mut Tx) -> Result<(i64, i64), StoreError> {
    let waiting = tx.first(COUNTS, &[]).await?.ok_or(StoreError::Stale)?.int("n")?;
    let dead = tx.first(DEAD_COUNT, &[]).await?.ok_or(StoreError::Stale)?.int("n")?;
    Ok((waiting, dead))
}

/// Stores a message to be sent.
///
/// # Errors
/// What the database says.
pub async fn insert_message(tx: &mut Tx, m: &Message) -> Result<(), StoreError> {
    tx.run_one(
        INSERT_MESSAGE,
        args![
            m.id.as_str(),
            &m.channel,
            &m.recipient,
            &m.language,
            &m.template,
            &m.subject,
            &m.text,
            m.case.clone(),
            m.hearing.clone(),
            m.serves_notice,
            m.created_at
        ],
    )
    .await
}

/// A message.
///
/// # Errors
/// What the database says.
pub async fn message(tx: &mut Tx, id: &str) -> Result<Option<Message>, StoreError> {
    tx.first(MESSAGE, args![id]).await?.as_ref().map(read_message).transpose()
}

/// Marks a message sent, with the provider's reference.
///
/// # Errors
/// What the database says.
pub async fn message_sent(
    tx: &mut Tx,
    id: &MessageId,
    at: Timestamp,
    reference: Option<&str>,
) -> Result<(), StoreError> {
    tx.run_one(SENT, args![at, reference, id.as_str()]).await
}

/// Marks a message failed for good.
///
/// # Errors
/// What the database says.
pub async fn message_failed(tx: &mut Tx, id: &MessageId) -> Result<(), StoreError> {
    tx.run_one(FAILED, args![id.as_str()]).await
}

/// Notes a provider's report on a message. Reports overtake each other, so what was delivered stays delivered. Answers
/// whether we know the message.
///
/// # Errors
/// What the database says.
pub async fn delivery(tx: &mut Tx, reference: &str, status: &str) -> Result<bool, StoreError> {
    Ok(tx.run(DELIVERY, args![status, reference]).await? > 0)
}

/// The messages of a channel to somebody, oldest first.
///
/// # Errors
/// What the database says.
pub async fn to_recipient(tx: &mut Tx, recipient: &str, channel: &str) -> Result<Vec<Message>, StoreError> {
    tx.all(TO_RECIPIENT, args![recipient, channel]).await?.iter().map(read_message).collect()
}

/// The newest messages of a channel.
///
/// # Errors
/// What the database says.
pub async fn newest(tx: &mut Tx, channel: &str, limit: i64) -> Result<Vec<Message>, StoreError> {
    tx.all(NEWEST, args![channel, limit]).await?.iter().map(read_message).collect()
}

fn read_message(row: &Row) -> Result<Message, StoreError> {
    Ok(Message {
        id: row.parsed("id")?,
        channel: row.text("channel")?,
        recipient: row.text("recipient")?,
        language: row.text("language")?,
        template: row.text("template")?,
        subject: row.text("subject")?,
        text: row.text("text")?,
        case: row.opt_text("case_id")?,
        hearing: row.opt_text("hearing_id")?,
        serves_notice: row.flag("serves_notice")?,
        status: row.text("status")?,
        created_at: row.time("created_at")?,
    })
}

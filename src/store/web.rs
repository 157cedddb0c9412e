//! What the web keeps for itself: drafts of filings, answers to repeated requests, settings.

use super::{StoreError, Tx, args, statements};
use crate::domain::calendar::Timestamp;

statements! {
    DRAFT = "SELECT data, case_id FROM draft WHERE id = $1";
    PUT_DRAFT = "INSERT INTO draft (id, data, updated_at) VALUES ($1, $2, $3)
        ON CONFLICT (id) DO UPDATE SET data = $2, updated_at = $3";
    FINISH_DRAFT = "UPDATE draft SET case_id = $1, data = '{}' WHERE id = $2 AND case_id IS NULL";
    OLD_DRAFTS = "DELETE FROM draft WHERE updated_at < $1";
    ANSWER = "SELECT request, status, answer FROM idempotency WHERE account_id = $1 AND key = $2";
    KEEP_ANSWER = "INSERT INTO idempotency (account_id, key, request, status, answer, created_at) VALUES ($1, $2, $3, $4, $5, $6)";
    OLD_ANSWERS = "DELETE FROM idempotency WHERE created_at < $1";
    SETTING = "SELECT value FROM setting WHERE key = $1";
    PUT_SETTING = "INSERT INTO setting (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = $2";
}

/// A draft: its data (JSON) and the case it became.
///
/// # Errors
/// What the database says.
pub async fn draft(tx: &mut Tx, id: &str) -> Result<Option<(String, Option<String>)>, StoreError> {
    tx.first(DRAFT, args![id]).await?.map(|row| Ok((row.text("data")?, row.opt_text("case_id")?))).transpose()
}

/// Stores a draft.
///
/// # Errors
/// What the database says.
pub async fn put_draft(tx: &mut Tx, id: &str, data: &str, now: Timestamp) -> Result<(), StoreError> {
    tx.run_one(PUT_DRAFT, args![id, data, now]).await
}

/// Marks a draft filed. Answers whether it was not filed before.
///
/// # Errors
/// What the database says.
pub async fn finish_draft(tx: &mut Tx, id: &str, case: &str) -> Result<bool, StoreError> {
    Ok(tx.run(FINISH_DRAFT, args![case, id]).await? == 1)
}

/// Forgets drafts untouched since `before`, and answers kept before it.
///
/// # Errors
/// What the database says.
pub async fn forget_old(tx: &mut Tx, before: Timestamp) -> Result<(), StoreError> {
    tx.run(OLD_DRAFTS, args![before]).await?;
    tx.run(OLD_ANSWERS, args![before]).await.map(|_| ())
}

/// What was answered to a request before: the request's fingerprint, the status, the body.
///
/// # Errors
/// What the database says.
pub async fn kept_answer(tx: &mut Tx, account: &str, key: &str) -> Result<Option<(String, i64, String)>, StoreError> {
    tx.first(ANSWER, args![account, key])
        .await?
        .map(|row| Ok((row.text("request")?, row.int("status")?, row.text("answer")?)))
        .transpose()
}

/// Keeps an answer for a repetition.
///
/// # Errors
/// [`StoreError::Taken`] when the same request in parallel was answered first.
pub async fn keep_answer(
    tx: &mut Tx,
    (account, key): (&str, &str),
    request: &str,
    (status, body): (i64, &str),
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.run_one(KEEP_ANSWER, args![account, key, request, status, body, now]).await
}

/// A setting.
///
/// # Errors
/// What the database says.
pub async fn setting(tx: &mut Tx, key: &str) -> Result<Option<String>, StoreError> {
    tx.first(SETTING, args![key]).await?.map(|row| row.text("value")).transpose()
}

/// Stores a setting.
///
/// # Errors
/// What the database says.
pub async fn put_setting(tx: &mut Tx, key: &str, value: &str) -> Result<(), StoreError> {
    tx.run_one(PUT_SETTING, args![key, value]).await
}

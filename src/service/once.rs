//! Doing a thing once: a request that carries a key and comes again gets what came of it the first time. The key is kept in
//! the transaction of the deed, so that neither a crash nor a repetition in parallel does it twice.

use super::ServiceError;
use super::error::Check;
use crate::domain::refusal::Refusal;
use crate::store::{StoreError, Tx, web};
use crate::time::Timestamp;

/// The key of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Once {
    /// Whose key it is.
    pub account: String,
    /// The key.
    pub key: String,
    /// Fingerprint of the request: the same key with another request is a mistake.
    pub request: String,
}

/// What came of the request before, if it came before: a number or an identifier.
pub(super) async fn seen(tx: &mut Tx, once: Option<&Once>) -> Result<Option<String>, ServiceError> {
    let Some(once) = once else { return Ok(None) };
    let Some((request, _, reference)) = web::kept_answer(tx, &once.account, &once.key).await? else { return Ok(None) };
    Check::default().that(request == once.request, "Idempotency-Key", "error-key-reused").done()?;
    Ok(Some(reference))
}

/// Keeps what came of it.
pub(super) async fn keep(tx: &mut Tx, once: Option<&Once>, reference: &str, now: Timestamp) -> Result<(), StoreError> {
    let Some(once) = once else { return Ok(()) };
    web::keep_answer(tx, (&once.account, &once.key), &once.request, (0, reference), now).await
}

/// Whether the deed may have failed only because the same request in parallel was first: it had taken the key, or changed what
/// the deed was to change. Looking again tells.
pub(super) fn may_be_done_elsewhere(error: &ServiceError, once: Option<&Once>) -> bool {
    match error {
        ServiceError::Store(StoreError::Taken { constraint }) => constraint.contains("idempotency"),
        ServiceError::Refused(refusal) => once.is_some() && *refusal == Refusal::ChangedMeanwhile,
        ServiceError::NotFound
        | ServiceError::Forbidden
        | ServiceError::Invalid(_)
        | ServiceError::TooMany
        | ServiceError::Media(_)
        | ServiceError::Store(_)
        | ServiceError::File(_) => false,
    }
}

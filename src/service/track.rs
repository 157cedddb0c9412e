//! What the unit does with its own case: follow it, add to it, open it again. The signed link is its permission.

use super::error::Check;
use super::notices::Post;
use super::{Hub, ServiceError, casework, party};
use crate::domain::case::{Case, CaseEvent, Command};
use crate::domain::hearing::Hearing;
use crate::domain::number::CaseNumber;
use crate::domain::party::indian_mobile;
use crate::store::cases::{self, HistoryLine};
use crate::store::{Tx, hearings};

const LONGEST_ADDITION: usize = 4_000;

/// A case as its unit sees it.
#[derive(Debug)]
pub struct Tracked {
    /// The case.
    pub case: Case,
    /// Its history.
    pub history: Vec<HistoryLine<CaseEvent>>,
    /// Its hearings.
    pub hearings: Vec<Hearing>,
}

/// Opens a case for the holder of its link.
///
/// # Errors
/// [`ServiceError::NotFound`] for an unknown number as for a wrong key.
pub async fn open(hub: &Hub, number: CaseNumber, key: &str) -> Result<Tracked, ServiceError> {
    let mut tx = hub.store.read().await?;
    let case = opened(&mut tx, hub, number, key).await?;
    let history = cases::history(&mut tx, &case.id).await?;
    let hearings = hearings::of_case(&mut tx, &case.id).await?;
    Ok(Tracked { case, history, hearings })
}

/// The unit adds something to its case.
///
/// # Errors
/// As [`open`]; [`ServiceError::Invalid`] for nothing or too much.
pub async fn add(hub: &Hub, number: CaseNumber, key: &str, text: &str) -> Result<Case, ServiceError> {
    let text = text.trim().to_owned();
    Check::default()
        .that(!text.is_empty(), "text", "error-text-missing")
        .that(text.chars().count() <= LONGEST_ADDITION, "text", "error-text-long")
        .done()?;
    step(hub, number, key, Command::AddFromParty { text }).await
}

/// The unit opens its case again.
///
/// # Errors
/// As [`open`]; refused when it is not closed or too late.
pub async fn reopen(hub: &Hub, number: CaseNumber, key: &str, reason: &str) -> Result<Case, ServiceError> {
    let reason = reason.trim().to_owned();
    Check::default()
        .that(!reason.is_empty(), "reason", "error-reason-missing")
        .that(reason.chars().count() <= LONGEST_ADDITION, "reason", "error-text-long")
        .done()?;
    step(hub, number, key, Command::Reopen { reason }).await
}

/// Sends the link of a case to its telephone when number and telephone fit. Says nothing of whether they did.
///
/// # Errors
/// When the database does not answer.
pub async fn send_link(hub: &Hub, number: CaseNumber, mobile: &str) -> Result<(), ServiceError> {
    let now = hub.clock.now();
    let mut tx = hub.store.write().await?;
    if let Some(case) = cases::by_number(&mut tx, number).await?
        && let Some(e164) = indian_mobile(mobile)
        && case.applicant.mobile.as_deref() == Some(e164.as_str())
    {
        Post { tx: &mut tx, links: &hub.links, now }.tracking_link(&case).await?;
    }
    Ok(tx.commit().await?)
}

async fn step(hub: &Hub, number: CaseNumber, key: &str, command: Command) -> Result<Case, ServiceError> {
    let mut tx = hub.store.write().await?;
    let case = opened(&mut tx, hub, number, key).await?;
    let by = party(&case.applicant.name);
    let case = casework::apply(&mut tx, hub, case, command, &by, hub.clock.now()).await?;
    tx.commit().await?;
    Ok(case)
}

async fn opened(tx: &mut Tx, hub: &Hub, number: CaseNumber, key: &str) -> Result<Case, ServiceError> {
    let case = cases::by_number(tx, number).await?.ok_or(ServiceError::NotFound)?;
    if hub.links.opens_case(&case.id, key) { Ok(case) } else { Err(ServiceError::NotFound) }
}

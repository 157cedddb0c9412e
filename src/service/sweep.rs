//! The sweep over the clocks: marks cases whose third or seventh day passed and tells who answers for them. Deadlines are
//! columns, so a hub that was down for a day catches up with its first sweep; a mark makes it tell once.

use super::notices::Post;
use super::{Hub, ServiceError, system};
use crate::domain::case::CaseEvent;
use crate::store::{StoreError, cases};

/// Cases marked in one transaction.
const BATCH: i64 = 200;

/// Sweeps until nothing is left to tell. Answers how many cases it told of.
///
/// # Errors
/// When the database does not answer.
pub async fn sweep(hub: &Hub) -> Result<usize, ServiceError> {
    let mut told = 0;
    for event in [CaseEvent::AttendOverdue, CaseEvent::ConcludeOverdue] {
        loop {
            let batch = batch(hub, &event).await?;
            told += batch;
            if batch == 0 {
                break;
            }
        }
    }
    Ok(told)
}

async fn batch(hub: &Hub, event: &CaseEvent) -> Result<usize, ServiceError> {
    let now = hub.clock.now();
    let mut tx = hub.store.write().await?;
    let overdue = match event {
        CaseEvent::AttendOverdue => cases::attend_overdue(&mut tx, now, BATCH).await?,
        _ => cases::conclude_overdue(&mut tx, now, BATCH).await?,
    };
    for case in &overdue {
        match cases::mark_told(&mut tx, case, event).await {
            Ok(()) => {}
            // Somebody is working on it this very moment; the next sweep looks again.
            Err(StoreError::Stale) => return Ok(0),
            Err(error) => return Err(error.into()),
        }
        cases::append(&mut tx, &case.id, case.version + 1, now, &system(), event).await?;
        Post { tx: &mut tx, links: &hub.links, now }.overdue(case, event).await?;
    }
    tx.commit().await?;
    Ok(overdue.len())
}

//! What nobody will tell us any more: events that a killed process left, and calls whose end never came.

use ivr::{CallEvent, CallRef, Caller, Event, EventId, Input};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

use super::door::{self, Arrival};
use super::{Carrier, Telephony};
use crate::domain::calendar::Timestamp;
use crate::service::{Hub, ServiceError};
use crate::store::inbound;

const ROUND: Duration = Duration::from_secs(60);
/// What came just now is still being acted on by whom it came to.
const FRESH_MILLIS: i64 = 20_000;
/// The flow ends a call after half an hour; one that is silent for so long is over.
const LONGEST_CALL_MILLIS: i64 = 2 * 3_600_000;
/// Taken at once, of each kind.
const BATCH: i64 = 200;

/// What a round did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Round {
    /// Events that were done with.
    pub done: usize,
    /// Events that still could not be.
    pub left: usize,
    /// Calls that were ended.
    pub ended: usize,
}

/// Goes round at the start and every minute until told to stop.
pub async fn run(hub: Arc<Hub>, lines: Arc<Telephony>, mut stop: watch::Receiver<bool>) {
    let mut fresh = 0;
    loop {
        match round(&hub, &lines, hub.clock.now().plus_millis(-fresh)).await {
            Ok(Round { done: 0, left: 0, ended: 0 }) => {}
            Ok(round) => {
                tracing::info!(done = round.done, left = round.left, ended = round.ended, "open events were taken up")
            }
            Err(error) => tracing::error!(%error, "open events could not be looked for"),
        }
        fresh = FRESH_MILLIS;
        tokio::select! {
            _ = stop.changed() => return,
            () = tokio::time::sleep(ROUND) => {}
        }
    }
}

/// Acts on the events that came before `before` and were never done with, then ends the calls that must be over.
///
/// # Errors
/// When the database does not answer.
pub async fn round(hub: &Hub, lines: &Telephony, before: Timestamp) -> Result<Round, ServiceError> {
    let mut round = Round::default();
    // The bound belongs to the statement: what came at this very moment counts too.
    let open = inbound::left_open(&mut hub.store.read().await?, before.plus_millis(1), BATCH).await?;
    for stored in &open {
        match door::again(hub, lines, stored).await {
            Ok(()) => round.done += 1,
            Err(error) => {
                round.left += 1;
                tracing::error!(event = stored.id.as_str(), %error, "event {} is still open", stored.id);
            }
        }
    }
    let over = hub.clock.now().plus_millis(-LONGEST_CALL_MILLIS);
    let calls = inbound::calls_without_end(&mut hub.store.read().await?, over, BATCH).await?;
    for call in calls {
        let Some(carrier) = Carrier::from_code(&call.provider) else { continue };
        let event = Event::Call(CallEvent {
            id: EventId(format!("hub:{}:over", call.id)),
            call: CallRef(call.external_id),
            from: Caller::parse(&call.caller),
            inputs: vec![Input::HungUp],
            on_line: false,
        });
        door::receive(hub, lines, Arrival { carrier, event, sound: None }).await?;
        round.ended += 1;
    }
    Ok(round)
}

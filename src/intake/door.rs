//! The one door: an event is committed before it is acted upon; acting and its answer are one transaction; the same
//! event again, or at the same time, gets the same answer. What fails stays open for [`watch`](super::watch), and a
//! caller hears a sentence all the same.

use ivr::provider::Answer;
use ivr::{CallEvent, DeliveryReport, DeliveryStatus, Event};
use std::time::Duration;

use super::{Carrier, Telephony, call, text};
use crate::domain::calendar::Timestamp;
use crate::domain::refusal::Refusal;
use crate::id::InboundId;
use crate::service::{Hub, ServiceError};
use crate::store::cases::{self, Attachment};
use crate::store::inbound::{self, Inbound};
use crate::store::{StoreError, Tx, outbox};

/// A provider gives up after 15 seconds: the caller must have heard something by then.
const PATIENCE: Duration = Duration::from_secs(8);
const PATIENCE_FOR_AN_APOLOGY: Duration = Duration::from_secs(2);
/// Events that change the same case at once are tried again at once.
const TRIES: u32 = 5;
/// A report may come before we noted what it reports on; so long it is waited for.
const REPORT_WAITS_MILLIS: i64 = 10 * 60_000;

/// What kind of event a text message is, as stored.
pub const SMS: &str = "sms";

/// What comes to the door.
#[derive(Debug)]
pub struct Arrival {
    /// Who brings it.
    pub carrier: Carrier,
    /// What happened.
    pub event: Event,
    /// A sound that came with it, on the disk already.
    pub sound: Option<Attachment>,
}

/// Takes an event and answers it.
///
/// # Errors
/// For what nobody listens to: then the provider should bring it again. On a call there is always an answer.
pub async fn receive(hub: &Hub, lines: &Telephony, arrival: Arrival) -> Result<Answer, ServiceError> {
    let Arrival { carrier, event, sound } = arrival;
    let mut is_stored = false;
    let taken = async {
        let is_new = store(hub, carrier, &event, sound.as_ref()).await?;
        is_stored = true;
        metrics::counter!("hub_inbound_events", "provider" => carrier.code(), "kind" => kind_of(&event)).increment(1);
        if let (false, Some(sound)) = (is_new, &sound) {
            hub.files.discard(sound).await;
        }
        act(hub, lines, carrier, &event).await
    };
    let taken = tokio::time::timeout(PATIENCE, taken).await;
    let error = match taken {
        Ok(Ok(answer)) => return Ok(answer),
        Ok(Err(error)) => Some(error),
        Err(_) => None,
    };
    let why = error.as_ref().map_or_else(|| "the database took too long".to_owned(), ToString::to_string);
    tracing::error!(provider = carrier.code(), kind = kind_of(&event), is_stored, "an event was not acted on: {why}");
    metrics::counter!("hub_inbound_failures", "provider" => carrier.code()).increment(1);
    match (&event, error) {
        (Event::Call(call), _) if call.on_line => Ok(apologise(hub, lines, carrier, call, is_stored).await),
        // Stored is as good as done: the watch acts on it.
        (_, _) if is_stored => Ok(Telephony::silent(carrier)),
        (_, Some(error)) => Err(error),
        (_, None) => Err(ServiceError::File(std::io::ErrorKind::TimedOut.into())),
    }
}

/// Acts on a stored event that was never done with.
///
/// # Errors
/// What stands against it still.
pub(super) async fn again(hub: &Hub, lines: &Telephony, stored: &Inbound) -> Result<(), ServiceError> {
    let carrier = Carrier::from_code(&stored.provider).ok_or(StoreError::Corrupt { what: "provider" })?;
    let event = event_of(stored)?;
    act(hub, lines, carrier, &event).await.map(drop)
}

/// Reads a stored event.
///
/// # Errors
/// When it does not read back.
pub fn event_of(stored: &Inbound) -> Result<Event, StoreError> {
    serde_json::from_str(&stored.payload).map_err(|_| StoreError::Corrupt { what: "payload" })
}

/// Commits an event, with the sound that came with it. Answers whether it is new.
async fn store(hub: &Hub, carrier: Carrier, event: &Event, sound: Option<&Attachment>) -> Result<bool, StoreError> {
    let now = hub.clock.now();
    let inbound = Inbound {
        id: InboundId::generate(now.millis()),
        provider: carrier.code().to_owned(),
        external_id: event.id().0.clone(),
        kind: kind_of(event).to_owned(),
        payload: serde_json::to_string(event).map_err(|_| StoreError::Corrupt { what: "payload" })?,
        received_at: now,
        answer: None,
        done_at: None,
    };
    let mut tx = hub.store.write().await?;
    let is_new = inbound::store(&mut tx, &inbound).await?;
    if let (true, Some(sound)) = (is_new, sound) {
        cases::insert_attachment(&mut tx, sound).await?;
    }
    tx.commit().await?;
    Ok(is_new)
}

async fn act(hub: &Hub, lines: &Telephony, carrier: Carrier, event: &Event) -> Result<Answer, ServiceError> {
    let mut tries = 1;
    loop {
        match act_once(hub, lines, carrier, event).await {
            Err(ServiceError::Refused(Refusal::ChangedMeanwhile) | ServiceError::Store(StoreError::Taken { .. }))
                if tries < TRIES =>
            {
                tries += 1;
            }
            outcome => return outcome,
        }
    }
}

async fn act_once(hub: &Hub, lines: &Telephony, carrier: Carrier, event: &Event) -> Result<Answer, ServiceError> {
    let now = hub.clock.now();
    let mut tx = hub.store.write().await?;
    let stored = inbound::take(&mut tx, carrier.code(), &event.id().0).await?.ok_or(ServiceError::NotFound)?;
    if let Some(body) = stored.answer {
        return Ok(Telephony::again(carrier, body));
    }
    // What was stored counts: a second sender may have put other words under the same name.
    let event = event_of(&stored)?;
    let body = match &event {
        Event::Call(event) => call::hear(&mut tx, hub, lines, carrier, event, now).await?,
        Event::Sms(event) => {
            text::read(&mut tx, hub, event, now).await?;
            Telephony::silent(carrier).body
        }
        Event::Delivery(report) => {
            if !note(&mut tx, report, stored.received_at, now).await? {
                return Ok(Telephony::silent(carrier));
            }
            Telephony::silent(carrier).body
        }
    };
    inbound::done(&mut tx, &stored.id, &body, now).await?;
    tx.commit().await?;
    Ok(Telephony::again(carrier, body))
}

/// Notes what became of a message. Answers whether the report is done with.
async fn note(
    tx: &mut Tx,
    report: &DeliveryReport,
    received_at: Timestamp,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let status = match report.status {
        DeliveryStatus::Underway => return Ok(true),
        DeliveryStatus::Sent => "sent",
        DeliveryStatus::Delivered => "delivered",
        DeliveryStatus::Failed => "failed",
    };
    if outbox::delivery(tx, &report.message, status).await? {
        return Ok(true);
    }
    Ok(now.millis().saturating_sub(received_at.millis()) > REPORT_WAITS_MILLIS)
}

/// A caller always hears a sentence.
async fn apologise(hub: &Hub, lines: &Telephony, carrier: Carrier, event: &CallEvent, is_stored: bool) -> Answer {
    let session = tokio::time::timeout(PATIENCE_FOR_AN_APOLOGY, call::stored_session(hub, carrier, event)).await;
    let session = session.ok().and_then(Result::ok).flatten();
    let (turn, effects) = call::apology(session, event, is_stored, hub.clock.now());
    Telephony::again(carrier, lines.say(carrier, true, turn, &effects))
}

const fn kind_of(event: &Event) -> &'static str {
    match event {
        Event::Call(_) => "call",
        Event::Sms(_) => SMS,
        Event::Delivery(_) => "delivery",
    }
}

//! Keeping how people's lines were with the hearing.

use super::ServiceError;
use crate::domain::calendar::Timestamp;
use crate::domain::hearing::Hearing;
use crate::domain::line::{Level, Meter, Reading, Spell, spells};
use crate::id::LineReadingId;
use crate::store::hearings::LedgerLine;
use crate::store::{Tx, lines as store};
use signaling::message::Layer;
use signaling::{Meter as By, QualityLevel, RoomEventKind};

/// Readings of one person in one hearing. A line that changes more often says nothing new, and somebody may be playing with it.
const MOST_READINGS: i64 = 1_000;

/// What a room tells of a line; None for everything else that it tells.
pub(super) fn reading(kind: &RoomEventKind, at: Timestamp) -> Option<Reading> {
    let RoomEventKind::Quality { member, level, by, rtt_ms, loss_percent, jitter_ms, freezes, layer } = kind else {
        return None;
    };
    Some(Reading {
        at,
        member: member.as_str().to_owned(),
        meter: match by {
            By::Client => Meter::Client,
            By::Hub => Meter::Hub,
        },
        level: match level {
            QualityLevel::Good => Level::Good,
            QualityLevel::Fair => Level::Fair,
            QualityLevel::Poor => Level::Poor,
        },
        loss_percent: i64::from(*loss_percent),
        round_trip_ms: i64::from(*rtt_ms),
        jitter_ms: jitter_ms.map(i64::from),
        freezes: freezes.map(i64::from),
        layer: layer.map(|layer| {
            match layer {
                Layer::Low => "low",
                Layer::Mid => "mid",
                Layer::High => "high",
            }
            .to_owned()
        }),
    })
}

/// Stores it with the hearing.
pub(super) async fn keep(tx: &mut Tx, hearing: &Hearing, reading: &Reading) -> Result<(), ServiceError> {
    if store::count(tx, &hearing.id, &reading.member).await? < MOST_READINGS {
        let id = LineReadingId::generate(reading.at.millis());
        store::append(tx, id.as_str(), &hearing.id, reading).await?;
    }
    Ok(())
}

/// When whose line was in trouble, so far.
pub(super) async fn of_hearing(
    tx: &mut Tx,
    hearing: &Hearing,
    ledger: &[LedgerLine],
    now: Timestamp,
) -> Result<Vec<Spell>, ServiceError> {
    let readings = store::of_hearing(tx, &hearing.id).await?;
    let ledger: Vec<_> = ledger.iter().map(|line| (line.at, line.member.as_str(), line.what)).collect();
    Ok(spells(&readings, &ledger, hearing.ended_at.unwrap_or(now)))
}

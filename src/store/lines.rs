//! How people's lines were during hearings, change by change.

use super::{StoreError, Tx, args, statements};
use crate::domain::line::{Level, Meter, Reading};
use crate::id::HearingId;

statements! {
    INSERT = "INSERT INTO line_reading (id, hearing_id, at, member, meter, level, loss_percent, round_trip_ms, jitter_ms, freezes, layer)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    COUNT = "SELECT COUNT(*) AS n FROM line_reading WHERE hearing_id = $1 AND member = $2";
    OF_HEARING = "SELECT * FROM line_reading WHERE hearing_id = $1 ORDER BY at, id";
}

/// Adds a reading.
///
/// # Errors
/// What the database says.
pub async fn append(tx: &mut Tx, id: &str, hearing: &HearingId, reading: &Reading) -> Result<(), StoreError> {
    tx.run_one(
        INSERT,
        args![
            id,
            hearing.as_str(),
            reading.at,
            &reading.member,
            reading.meter.code(),
            reading.level.code(),
            reading.loss_percent,
            reading.round_trip_ms,
            reading.jitter_ms,
            reading.freezes,
            reading.layer.clone()
        ],
    )
    .await
}

/// Number of readings of one person's line.
///
/// # Errors
/// What the database says.
pub async fn count(tx: &mut Tx, hearing: &HearingId, member: &str) -> Result<i64, StoreError> {
    tx.first(COUNT, args![hearing.as_str(), member]).await?.ok_or(StoreError::Stale)?.int("n")
}

/// All readings of a hearing, oldest first.
///
/// # Errors
/// What the database says.
pub async fn of_hearing(tx: &mut Tx, hearing: &HearingId) -> Result<Vec<Reading>, StoreError> {
    let code = |what| StoreError::Corrupt { what };
    tx.all(OF_HEARING, args![hearing.as_str()])
        .await?
        .iter()
        .map(|row| {
            Ok(Reading {
                at: row.time("at")?,
                member: row.text("member")?,
                meter: Meter::from_code(&row.text("meter")?).ok_or_else(|| code("meter"))?,
                level: Level::from_code(&row.text("level")?).ok_or_else(|| code("level"))?,
                loss_percent: row.int("loss_percent")?,
                round_trip_ms: row.int("round_trip_ms")?,
                jitter_ms: row.opt_int("jitter_ms")?,
                freezes: row.opt_int("freezes")?,
                layer: row.opt_text("layer")?,
            })
        })
        .collect()
}

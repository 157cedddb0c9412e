//! What only the demo has: a clock that moves ahead.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};

use super::App;
use super::extract::Body;
use super::problem::ApiError;
use crate::service::{ServiceError, sweep};
use crate::store::web as settings;

/// Where the demo keeps how far its clock is ahead.
pub const CLOCK_AHEAD: &str = "clock_ahead";
/// A year ahead is far enough, and cannot overflow anything.
const FARTHEST_MILLIS: i64 = 366 * 86_400_000;

/// How far to move it.
#[derive(Debug, Deserialize)]
pub(super) struct Advance {
    /// ISO 8601, such as `PT72H` or `P8D`.
    advance: String,
}

/// The new time.
#[derive(Debug, Serialize)]
pub(super) struct Now {
    now: String,
}

/// Moves the clock ahead; deadlines that passed are told of before the answer.
pub(super) async fn advance(State(app): State<App>, Body(body): Body<Advance>) -> Result<Json<Now>, ApiError> {
    let millis = parse(&body.advance).ok_or_else(|| ApiError::field("advance", "error-duration"))?;
    let hub = &app.hub;
    let ahead = hub.clock.advance(millis);
    let kept = async {
        let mut tx = hub.store.write().await?;
        settings::put_setting(&mut tx, CLOCK_AHEAD, &ahead.to_string()).await?;
        tx.commit().await
    };
    kept.await.map_err(ServiceError::from)?;
    sweep::sweep(hub).await?;
    Ok(Json(Now { now: hub.clock.now().rfc3339() }))
}

fn parse(text: &str) -> Option<i64> {
    let span: jiff::Span = text.parse().ok()?;
    let duration = span.to_duration(jiff::SpanRelativeTo::days_are_24_hours()).ok()?;
    let millis = i64::try_from(duration.as_millis()).ok()?;
    (0..=FARTHEST_MILLIS).contains(&millis).then_some(millis)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn durations_are_read_and_never_back() {
        assert_eq!(parse("PT72H"), Some(72 * 3_600_000));
        assert_eq!(parse("P8D"), Some(8 * 86_400_000));
        assert_eq!(parse("PT1H30M"), Some(5_400_000));
        for bad in ["", "72", "-PT1H", "P9999Y", "soon"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}

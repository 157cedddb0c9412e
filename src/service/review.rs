//! The Secretary's figures: today beside yesterday and last week, what is open, what is past its day.

use super::{Hub, ServiceError};
use crate::domain::calendar::Timestamp;
use crate::domain::case::Case;
use crate::domain::policy::{Act, Actor};
use crate::store::cases::{self, Figures, Filter};
use crate::store::hearings;

/// How many overdue cases the review lists by name.
const LISTED: i64 = 50;

/// The figures of a moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Review {
    /// The moment.
    pub as_of: Timestamp,
    /// Since midnight.
    pub today: Figures,
    /// The whole day before.
    pub yesterday: Figures,
    /// The same day last week.
    pub last_week: Figures,
    /// Open now.
    pub open: i64,
    /// Open and unattended beyond the third day.
    pub attend_overdue: i64,
    /// Open beyond the seventh day.
    pub conclude_overdue: i64,
    /// Hearings begun today.
    pub hearings_today: i64,
    /// Open cases of each state.
    pub open_by_state: Vec<(String, i64)>,
    /// What is past its day, longest first.
    pub overdue: Vec<Case>,
}

/// Computes the figures.
///
/// # Errors
/// [`ServiceError::Forbidden`] for who may not see them.
pub async fn review(hub: &Hub, actor: &Actor) -> Result<Review, ServiceError> {
    if !actor.may_ever(Act::Review) {
        return Err(ServiceError::Forbidden);
    }
    let now = hub.clock.now();
    let midnight = now.start_of_ist_day();
    let mut tx = hub.store.read().await?;
    let (open, attend_overdue, conclude_overdue) = cases::open_and_overdue(&mut tx, now).await?;
    let filter = Filter { due_before: Some(now), ..Filter::default() };
    Ok(Review {
        as_of: now,
        today: cases::figures(&mut tx, midnight, now.plus_millis(1)).await?,
        yesterday: cases::figures(&mut tx, midnight.plus_days(-1), midnight).await?,
        last_week: cases::figures(&mut tx, midnight.plus_days(-7), midnight.plus_days(-6)).await?,
        open,
        attend_overdue,
        conclude_overdue,
        hearings_today: hearings::count_began(&mut tx, midnight, now.plus_millis(1)).await?,
        open_by_state: cases::open_by_state(&mut tx).await?,
        overdue: cases::due_first(&mut tx, &filter, (i64::MIN, ""), LISTED).await?,
    })
}

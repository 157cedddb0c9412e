//! The Secretary's figures: today beside yesterday and last week, what is open, what is past its day.

use super::{Hub, ServiceError};
use crate::domain::calendar::Timestamp;
use crate::domain::case::Case;
use crate::domain::policy::{Act, Actor};
use crate::store::cases::{self, Figures, Filter, Standing};
use crate::store::hearings;

/// How many overdue cases the review lists by name.
const LISTED: i64 = 50;

/// What is counted by state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Map {
    /// Open now.
    Open,
    /// Past its day.
    Overdue,
    /// Filed since midnight.
    FiledToday,
}

/// A figure now, a day ago and a week ago.
pub type Trend = [i64; 3];

/// The figures of a moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Review {
    /// The moment.
    pub as_of: Timestamp,
    /// Since midnight, the whole day before, and the same day last week.
    pub days: [Figures; 3],
    /// Open; not attended beyond the third day; open beyond the seventh; each now, a day ago and a week ago.
    pub standing: [Standing; 3],
    /// Hearings begun on the three days.
    pub hearings: Trend,
    /// Hearings fixed for the three days.
    pub hearings_due: Trend,
    /// Counts of each state.
    pub by_state: Vec<(String, i64)>,
    /// What is past its day, longest first.
    pub overdue: Vec<Case>,
}

/// Computes the figures.
///
/// # Errors
/// [`ServiceError::Forbidden`] for who may not see them.
pub async fn review(hub: &Hub, actor: &Actor, map: Map) -> Result<Review, ServiceError> {
    if !actor.may_ever(Act::Review) {
        return Err(ServiceError::Forbidden);
    }
    let now = hub.clock.now();
    let midnight = now.start_of_ist_day();
    let mut tx = hub.store.read().await?;
    let filter = Filter { due_before: Some(now), ..Filter::default() };
    let spans = [
        (midnight, now.plus_millis(1)),
        (midnight.plus_days(-1), midnight),
        (midnight.plus_days(-7), midnight.plus_days(-6)),
    ];
    let mut review = Review {
        as_of: now,
        days: [Figures::default(); 3],
        standing: [Standing::default(); 3],
        hearings: [0; 3],
        hearings_due: [0; 3],
        by_state: match map {
            Map::Open => cases::open_by_state(&mut tx).await?,
            Map::Overdue => cases::overdue_by_state(&mut tx, now).await?,
            Map::FiledToday => cases::filed_by_state(&mut tx, midnight).await?,
        },
        overdue: cases::due_first(&mut tx, &filter, (i64::MIN, ""), LISTED).await?,
    };
    let moments = [now, now.plus_days(-1), now.plus_days(-7)];
    for (place, ((from, until), moment)) in spans.into_iter().zip(moments).enumerate() {
        let (Some(day), Some(standing)) = (review.days.get_mut(place), review.standing.get_mut(place)) else {
            continue;
        };
        *day = cases::figures(&mut tx, from, until).await?;
        *standing = cases::standing(&mut tx, moment).await?;
        let day_end = from.plus_days(1);
        let (began, due) =
            (hearings::count_began(&mut tx, from, until).await?, hearings::count_due(&mut tx, from, day_end).await?);
        if let (Some(b), Some(d)) = (review.hearings.get_mut(place), review.hearings_due.get_mut(place)) {
            (*b, *d) = (began, due);
        }
    }
    Ok(review)
}

impl Review {
    /// The seven numbers by name: received, unattended, open, overdue, to hear, heard, closed.
    #[must_use]
    pub fn figures(&self) -> [(&'static str, Trend); 7] {
        [
            ("received", self.days.map(|d| d.filed)),
            ("unattended", self.standing.map(|s| s.attend_overdue)),
            ("open", self.standing.map(|s| s.open)),
            ("overdue", self.standing.map(|s| s.conclude_overdue)),
            ("to-hear", self.hearings_due),
            ("heard", self.hearings),
            ("closed", self.days.map(|d| d.concluded)),
        ]
    }
}

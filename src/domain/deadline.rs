//! The two statutory clocks: attended within three days, concluded within seven. Calendar days of India; never paused.

use super::calendar::Timestamp;

/// Nothing stays unattended for more than so many days.
pub const ATTEND_DAYS: i64 = 3;
/// Nothing stays inconclusive for more than so many days.
pub const CONCLUDE_DAYS: i64 = 7;
/// A closed case can be opened again within so many days.
pub const REOPEN_DAYS: i64 = 30;

/// The two ends that begin to run with a filing or a reopening.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadlines {
    /// Last second in which attending is in time.
    pub attend_by: Timestamp,
    /// Last second in which concluding is in time.
    pub conclude_by: Timestamp,
}

impl Deadlines {
    /// Ends of the clocks that begin at `start`.
    #[must_use]
    pub fn from(start: Timestamp) -> Self {
        Self {
            attend_by: start.end_of_ist_day_after(ATTEND_DAYS),
            conclude_by: start.end_of_ist_day_after(CONCLUDE_DAYS),
        }
    }
}

/// Whether a deadline has passed: it has from the second after its last second.
#[must_use]
pub fn has_passed(by: Timestamp, now: Timestamp) -> bool {
    now.millis() >= by.millis() + 1_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_second_is_in_time_and_the_next_is_not() {
        let filed = Timestamp::parse_rfc3339("2026-11-21T00:10:00+05:30").unwrap();
        let ends = Deadlines::from(filed);
        assert_eq!(ends.attend_by.rfc3339(), "2026-11-24T23:59:59+05:30");
        assert!(!has_passed(ends.attend_by, ends.attend_by.plus_millis(999)));
        assert!(has_passed(ends.attend_by, ends.attend_by.plus_millis(1_000)));
        assert_eq!(ends.conclude_by.rfc3339(), "2026-11-28T23:59:59+05:30");
    }
}

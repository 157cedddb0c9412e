//! Moments and the calendar of India. Moments are milliseconds of the Unix epoch; days are those of Indian Standard Time,
//! which has one offset all year, so no time zone database is needed.

use jiff::civil::{Date, DateTime};
use jiff::tz::{Offset, TimeZone};
use serde::{Deserialize, Serialize};

/// Five hours and thirty minutes.
const IST_SECONDS: i32 = 5 * 3_600 + 30 * 60;
const DAY_MILLIS: i64 = 86_400_000;

/// A moment in milliseconds of the Unix epoch (UTC).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From milliseconds of the Unix epoch.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds of the Unix epoch.
    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// This moment and so many milliseconds.
    #[must_use]
    pub const fn plus_millis(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    /// This moment and so many times 24 hours.
    #[must_use]
    pub const fn plus_days(self, days: i64) -> Self {
        self.plus_millis(days.saturating_mul(DAY_MILLIS))
    }

    /// Reads RFC 3339 text with an offset.
    #[must_use]
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        text.parse::<jiff::Timestamp>().ok().map(|t| Self(t.as_millisecond()))
    }

    /// Reads a date and a wall-clock time of India, `2026-11-21` and `14:05`, as a form sends them.
    #[must_use]
    pub fn parse_ist(date: &str, time: &str) -> Option<Self> {
        let civil: DateTime = format!("{date}T{time}:00").parse().ok()?;
        Some(from_civil(civil))
    }

    /// RFC 3339 with India's offset, to the second.
    #[must_use]
    pub fn rfc3339(self) -> String {
        let c = self.ist();
        format!(
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}+05:30",
            c.year(),
            c.month(),
            c.day(),
            c.hour(),
            c.minute(),
            c.second()
        )
    }

    /// The date and time on a wall clock in India.
    #[must_use]
    pub fn ist(self) -> DateTime {
        jiff::Timestamp::from_millisecond(self.0).map_or(DateTime::ZERO, |t| zone().to_datetime(t))
    }

    /// The calendar day in India.
    #[must_use]
    pub fn ist_date(self) -> Date {
        self.ist().date()
    }

    /// The first moment of this moment's day in India.
    #[must_use]
    pub fn start_of_ist_day(self) -> Self {
        from_civil(self.ist_date().at(0, 0, 0, 0))
    }

    /// The last second of the `days`-th calendar day after this one in India. The day itself is not counted, the last day
    /// is: section 9 of the General Clauses Act.
    #[must_use]
    pub fn end_of_ist_day_after(self, days: i64) -> Self {
        self.start_of_ist_day().plus_days(days + 1).plus_millis(-1_000)
    }
}

fn zone() -> TimeZone {
    TimeZone::fixed(Offset::from_seconds(IST_SECONDS).unwrap_or(Offset::UTC))
}

fn from_civil(civil: DateTime) -> Timestamp {
    zone().to_timestamp(civil).map_or(Timestamp::default(), |t| Timestamp(t.as_millisecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse_rfc3339(text).unwrap()
    }

    #[test]
    fn the_day_is_indias_not_greenwichs() {
        let evening_in_london = at("2026-11-21T19:00:00Z");
        assert_eq!(evening_in_london.rfc3339(), "2026-11-22T00:30:00+05:30");
        assert_eq!(evening_in_london.end_of_ist_day_after(3).rfc3339(), "2026-11-25T23:59:59+05:30");
    }

    #[test]
    fn a_leap_day_and_the_years_end_count_as_days() {
        assert_eq!(at("2028-02-27T10:00:00+05:30").end_of_ist_day_after(3).rfc3339(), "2028-03-01T23:59:59+05:30");
        assert_eq!(at("2026-12-30T10:00:00+05:30").end_of_ist_day_after(7).rfc3339(), "2027-01-06T23:59:59+05:30");
    }

    #[test]
    fn a_form_says_indian_wall_time() {
        assert_eq!(Timestamp::parse_ist("2026-11-24", "14:30").unwrap(), at("2026-11-24T09:00:00Z"));
        assert_eq!(Timestamp::parse_ist("2026-02-30", "14:30"), None);
    }
}

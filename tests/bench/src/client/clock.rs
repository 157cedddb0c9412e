//! The wall clock, which the kernel stamps arrivals with.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Since 1970, in nanoseconds.
#[expect(clippy::disallowed_methods, reason = "the kernel's arrival stamps are wall time, and this decides no date")]
pub fn now() -> u64 {
    nanoseconds(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default())
}

pub fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

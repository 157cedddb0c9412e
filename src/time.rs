//! The one clock. Everything else is told the time.

pub use crate::domain::calendar::Timestamp;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// The wall clock, which the demo may move ahead.
#[derive(Debug, Default)]
pub struct Clock {
    ahead_millis: AtomicI64,
}

impl Clock {
    /// A clock so far ahead of the machine's.
    #[must_use]
    pub const fn ahead(millis: i64) -> Self {
        Self { ahead_millis: AtomicI64::new(millis) }
    }

    /// The present moment, as deadlines and histories see it.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.machine_now().plus_millis(self.ahead_millis.load(Ordering::Relaxed))
    }

    /// The present moment on the machine's clock: sessions and tokens run out by it, however far the demo is ahead.
    #[must_use]
    pub fn machine_now(&self) -> Timestamp {
        #[expect(clippy::disallowed_methods, reason = "the one place that reads the wall clock")]
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let millis = i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX);
        Timestamp::from_millis(millis)
    }

    /// Moves it further ahead; answers by how much it is ahead now, in milliseconds.
    pub fn advance(&self, millis: i64) -> i64 {
        self.ahead_millis.fetch_add(millis, Ordering::Relaxed).saturating_add(millis)
    }
}

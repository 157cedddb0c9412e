//! Key frame requests: many subscribers ask, the publisher is asked once in a while.

use std::time::{Duration, Instant};

/// No publisher is asked more often. An encoder needs about this long to answer, and a key frame is ten times a usual one.
pub(crate) const SHORTEST_INTERVAL: Duration = Duration::from_millis(300);

/// Merges and limits the requests for one source.
#[derive(Debug, Default)]
pub(crate) struct KeyframeLimiter {
    last: Option<Instant>,
    pending: bool,
}

impl KeyframeLimiter {
    /// Somebody needs one. True: ask now. Otherwise it is remembered for [`Self::due`].
    pub fn request(&mut self, now: Instant) -> bool {
        self.pending = true;
        self.due(now)
    }

    /// True when a remembered request may go out now.
    pub fn due(&mut self, now: Instant) -> bool {
        let free = self.last.is_none_or(|last| now.saturating_duration_since(last) >= SHORTEST_INTERVAL);
        if self.pending && free {
            self.pending = false;
            self.last = Some(now);
            return true;
        }
        false
    }

    #[cfg(test)]
    /// When [`Self::due`] will be true.
    pub fn deadline(&self) -> Option<Instant> {
        self.last.filter(|_| self.pending).map(|last| last + SHORTEST_INTERVAL)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixty_requests_become_two() {
        let start = Instant::now();
        let mut limiter = KeyframeLimiter::default();
        let asked = (0..60).filter(|n| limiter.request(start + Duration::from_millis(*n))).count();
        assert_eq!(asked, 1);
        let deadline = limiter.deadline().unwrap();
        assert_eq!(deadline, start + SHORTEST_INTERVAL);
        assert!(!limiter.due(deadline - Duration::from_millis(1)));
        assert!(limiter.due(deadline));
        assert_eq!(limiter.deadline(), None);
    }
}

//! A narrow last mile: what comes in waits its turn at a bit rate, and is dropped when the queue is too long.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// IPv4 and UDP headers count on a real line.
const HEADERS: usize = 28;

pub struct Link {
    bits_per_second: u32,
    /// A packet that would wait longer is dropped (the buffer of a cheap router).
    longest_queue: Duration,
    free_at: Instant,
    waiting: VecDeque<Waiting>,
    pub dropped: u64,
}

/// A datagram on its way.
pub struct Waiting {
    pub due: Instant,
    pub datagram: Vec<u8>,
    pub source: SocketAddr,
}

impl Link {
    pub fn new(bits_per_second: u32, longest_queue: Duration, now: Instant) -> Self {
        Self { bits_per_second, longest_queue, free_at: now, waiting: VecDeque::new(), dropped: 0 }
    }

    pub fn push(&mut self, datagram: &[u8], source: SocketAddr, now: Instant) {
        let begins = self.free_at.max(now);
        if begins - now > self.longest_queue {
            self.dropped += 1;
            return;
        }
        let bits = u32::try_from((datagram.len() + HEADERS) * 8).unwrap_or(u32::MAX);
        self.free_at = begins + Duration::from_secs(1) * bits / self.bits_per_second.max(1);
        self.waiting.push_back(Waiting { due: self.free_at, datagram: datagram.to_vec(), source });
    }

    /// The next that has come through.
    pub fn pop(&mut self, now: Instant) -> Option<Waiting> {
        self.waiting.pop_front_if(|waiting| waiting.due <= now)
    }

    pub fn deadline(&self) -> Option<Instant> {
        self.waiting.front().map(|waiting| waiting.due)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_carries_its_rate_and_drops_the_rest() {
        let now = Instant::now();
        let mut link = Link::new(500_000, Duration::from_millis(200), now);
        let source = SocketAddr::from(([127, 0, 0, 1], 9));
        (0..100).for_each(|_| link.push(&[0; 1_222], source, now));
        // 10,000 bits each: twenty milliseconds, so that eleven find room.
        assert_eq!((link.waiting.len(), link.dropped), (11, 89));
        assert!(link.pop(now + Duration::from_millis(19)).is_none());
        assert!(link.pop(now + Duration::from_millis(20)).is_some());
        assert!(link.pop(now + Duration::from_millis(39)).is_none());
        assert_eq!(link.deadline(), Some(now + Duration::from_millis(40)));
    }
}

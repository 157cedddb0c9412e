//! What the media plane counts, for metrics and for tests. Numbers only ever grow.

use std::sync::atomic::{AtomicU64, Ordering};

#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub strangers: AtomicU64,
    pub bad_checks: AtomicU64,
    pub received: AtomicU64,
    pub forwarded: AtomicU64,
    pub refused_by_stack: AtomicU64,
    pub tap_dropped: AtomicU64,
    pub keyframes_asked: AtomicU64,
    pub path_changes: AtomicU64,
}

/// A reading of the media plane's counters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct MediaCounters {
    /// Datagrams of nobody we know, dropped.
    pub strangers: u64,
    /// Connectivity checks with a wrong password, dropped.
    pub bad_checks: u64,
    /// RTP packets taken from publishers.
    pub received: u64,
    /// RTP packets sent to subscribers.
    pub forwarded: u64,
    /// Packets that the WebRTC stack would not take, in or out.
    pub refused_by_stack: u64,
    /// Packets that a recorder was too slow for. Anything but 0 is a fault.
    pub tap_dropped: u64,
    /// Key frames asked of publishers, after merging.
    pub keyframes_asked: u64,
    /// Times that a connection moved to another address of its client.
    pub path_changes: u64,
}

impl Counters {
    pub fn add(counter: &AtomicU64, n: u64) {
        counter.fetch_add(n, Ordering::Relaxed);
    }

    pub fn read(&self) -> MediaCounters {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        MediaCounters {
            strangers: get(&self.strangers),
            bad_checks: get(&self.bad_checks),
            received: get(&self.received),
            forwarded: get(&self.forwarded),
            refused_by_stack: get(&self.refused_by_stack),
            tap_dropped: get(&self.tap_dropped),
            keyframes_asked: get(&self.keyframes_asked),
            path_changes: get(&self.path_changes),
        }
    }
}

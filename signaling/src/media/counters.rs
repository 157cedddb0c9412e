//! What the media plane counts, for metrics and for tests. Numbers only ever grow.

use std::sync::atomic::{AtomicU64, Ordering};

#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub strangers: AtomicU64,
    pub bad_checks: AtomicU64,
    pub received: AtomicU64,
    pub forwarded: AtomicU64,
    pub refused: AtomicU64,
    pub tap_dropped: AtomicU64,
    pub keyframes_asked: AtomicU64,
    pub path_changes: AtomicU64,
    pub sent: AtomicU64,
    pub send_calls: AtomicU64,
    pub dropped: AtomicU64,
    pub shed: AtomicU64,
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
    /// RTP packets handed to viewers' egresses.
    pub forwarded: u64,
    /// Packets of clients that were not authentic, repeated, or not understood.
    pub refused: u64,
    /// Packets that a recorder was too slow for. Anything but 0 is a fault.
    pub tap_dropped: u64,
    /// Key frames asked of publishers, after merging.
    pub keyframes_asked: u64,
    /// Times that a connection moved to another address of its client.
    pub path_changes: u64,
    /// Datagrams sent to viewers.
    pub sent: u64,
    /// Calls of the kernel for them: several leave in one.
    pub send_calls: u64,
    /// Packets that did not leave: a worker or the kernel did not keep up.
    pub dropped: u64,
    /// Packets of pictures that a viewer's line was too narrow for.
    pub shed: u64,
}

impl Counters {
    pub fn add(counter: &AtomicU64, n: u64) {
        counter.fetch_add(n, Ordering::Relaxed);
    }

    pub fn add_usize(counter: &AtomicU64, n: usize) {
        Self::add(counter, u64::try_from(n).unwrap_or(u64::MAX));
    }

    pub fn read(&self) -> MediaCounters {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        MediaCounters {
            strangers: get(&self.strangers),
            bad_checks: get(&self.bad_checks),
            received: get(&self.received),
            forwarded: get(&self.forwarded),
            refused: get(&self.refused),
            tap_dropped: get(&self.tap_dropped),
            keyframes_asked: get(&self.keyframes_asked),
            path_changes: get(&self.path_changes),
            sent: get(&self.sent),
            send_calls: get(&self.send_calls),
            dropped: get(&self.dropped),
            shed: get(&self.shed),
        }
    }
}

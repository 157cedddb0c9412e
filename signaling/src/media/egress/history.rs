//! What was sent lately, for viewers that ask for it again.

use bytes::Bytes;
use std::collections::VecDeque;

/// At most so many packets of a stream are kept (80 bytes each, and the payload's share of the publisher's datagram or a sealed copy).
const MOST: usize = 512;
/// For so long, in microseconds: the shortest time, and the longest, which pictures are kept on a slow way …
const KEPT: i64 = 200_000;
const KEPT_LONGEST: i64 = 1_000_000;
/// … for there are so many round trips in which to ask again.
const KEPT_ROUND_TRIPS: i64 = 5;
/// So often those that are too old are dropped; all at once, for each lies in cold memory.
const FORGET_EVERY: i64 = 50_000;
/// A packet is sent again at most so often …
const MOST_TRIES: u8 = 4;
/// … and no sooner than this after the last time, in microseconds, or half a round trip.
const SHORTEST_PAUSE: i64 = 10_000;
/// Kept packets' numbers lie no further apart, so that their order is one (RFC 1982).
const WIDEST: i16 = 0x4000;

/// In which form a packet can leave once more.
#[derive(Debug)]
pub(super) enum Again {
    /// In a packet of the retransmission stream: this is its payload.
    Wrapped { payload: Bytes, timestamp: u32, payload_type: u8, marker: bool },
    /// As the very datagram it was, under the transport-wide number it had: to seal its number once more with other contents would give
    /// the key away (RFC 7714, section 8.4).
    Sealed { datagram: Bytes, number: Option<u16> },
}

#[derive(Debug)]
pub(super) struct Kept {
    pub again: Again,
    sequence: u16,
    tries: u8,
    sent: i64,
    tried: Option<i64>,
}

impl Again {
    /// Bytes, without the header of the wrapping.
    fn len(&self) -> usize {
        match self {
            Self::Wrapped { payload, .. } => payload.len(),
            Self::Sealed { datagram, .. } => datagram.len(),
        }
    }
}

/// The packets of one stream in the order of their sequence numbers.
#[derive(Debug)]
pub(super) struct History {
    packets: VecDeque<Kept>,
    /// The highest number that has left, also when its packet is forgotten.
    highest: Option<u16>,
    is_audio: bool,
    /// Microseconds.
    keep: i64,
    forgotten: i64,
}

impl History {
    pub fn new(is_audio: bool) -> Self {
        Self { packets: VecDeque::new(), highest: None, is_audio, keep: longest(is_audio), forgotten: 0 }
    }

    /// Whether a packet with this number may leave: not when one with the same number has (see [`Again::Sealed`]), nor when it is so late
    /// that this can no longer be told.
    pub fn admits(&self, sequence: u16) -> bool {
        if self.highest.is_none_or(|highest| is_after(sequence, highest)) {
            return true;
        }
        // Between two that are known: those further down are forgotten in the order of their numbers.
        self.place(sequence).is_err_and(|place| (1..self.packets.len()).contains(&place))
    }

    pub fn keep(&mut self, sequence: u16, again: Again, round_trip: i64, now: i64) {
        if now - self.forgotten >= FORGET_EVERY {
            self.forgotten = now;
            self.keep = (KEPT + KEPT_ROUND_TRIPS * round_trip).min(longest(self.is_audio));
            self.forget(now);
        }
        if self.packets.len() >= MOST {
            self.packets.pop_front();
        }
        if self.highest.is_none_or(|highest| is_after(sequence, highest)) {
            self.highest = Some(sequence);
            let is_near = |kept: &Kept| (1..=WIDEST).contains(&distance(kept.sequence, sequence));
            while self.packets.front().is_some_and(|kept| !is_near(kept)) {
                self.packets.pop_front();
            }
        }
        let kept = Kept { again, sequence, tries: 0, sent: now, tried: None };
        if self.highest == Some(sequence) {
            self.packets.push_back(kept);
        } else if let Err(place @ 1..) = self.place(sequence) {
            // Not before the first: what lay between them may have been forgotten just now.
            self.packets.insert(place, kept);
        }
    }

    /// Takes note that the viewer asked for a packet. Some is its size when it may be sent once more.
    pub fn ask(&mut self, sequence: u16, round_trip: i64, now: i64) -> Option<usize> {
        let keep = self.keep;
        let place = self.place(sequence).ok()?;
        let kept = self.packets.get_mut(place)?;
        let is_due = kept.tried.is_none_or(|tried| now - tried >= SHORTEST_PAUSE.max(round_trip / 2));
        (is_due && kept.tries < MOST_TRIES && now - kept.sent <= keep).then(|| kept.again.len())
    }

    /// Its resend is queued.
    pub fn tried(&mut self, sequence: u16, now: i64) {
        if let Ok(place) = self.place(sequence)
            && let Some(kept) = self.packets.get_mut(place)
        {
            kept.tries += 1;
            kept.tried = Some(now);
        }
    }

    pub fn find(&self, sequence: u16) -> Option<&Kept> {
        self.packets.get(self.place(sequence).ok()?)
    }

    pub fn forget(&mut self, now: i64) {
        while self.packets.front().is_some_and(|kept| now - kept.sent > self.keep) {
            self.packets.pop_front();
        }
    }

    /// Nothing can be asked for any more. What has left stays known.
    pub fn clear(&mut self) {
        self.packets.clear();
    }

    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.packets.len()
    }

    fn place(&self, sequence: u16) -> Result<usize, usize> {
        let Some(first) = self.packets.front() else { return Err(0) };
        let sought = distance(first.sequence, sequence);
        self.packets.binary_search_by_key(&sought, |kept| distance(first.sequence, kept.sequence))
    }
}

fn longest(is_audio: bool) -> i64 {
    if is_audio { KEPT } else { KEPT_LONGEST }
}

/// By serial number arithmetic (RFC 1982).
fn is_after(sequence: u16, other: u16) -> bool {
    distance(other, sequence) > 0
}

fn distance(from: u16, to: u16) -> i16 {
    to.wrapping_sub(from).cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashSet;

    fn send(history: &mut History, sequence: u16, now: i64) -> bool {
        let admitted = history.admits(sequence);
        if admitted {
            history.keep(sequence, Again::Sealed { datagram: Bytes::new(), number: None }, 50_000, now);
        }
        admitted
    }

    #[test]
    fn a_number_that_left_is_known_when_its_packet_is_forgotten() {
        let mut history = History::new(false);
        assert!(send(&mut history, 7, 0));
        history.forget(10_000_000);
        assert!(history.packets.is_empty());
        assert!(!send(&mut history, 7, 10_000_000) && !send(&mut history, 6, 10_000_000));
        assert!(send(&mut history, 8, 10_000_000));
        history.clear();
        assert!(!send(&mut history, 8, 10_000_000) && send(&mut history, 9, 10_000_000));
    }

    proptest! {
        /// A publisher may jump as it likes: with AES-GCM, one number under two contents would give the key away.
        #[test]
        fn no_number_leaves_twice(steps in prop::collection::vec((any::<u16>(), 0..300_000_i64), 1..200), few in any::<bool>()) {
            let mut history = History::new(false);
            let mut sent = HashSet::new();
            // As SRTP counts on (RFC 3711, 3.3.1): the number with its turns.
            let (mut highest, mut now) = (None, 0);
            for (number, wait) in steps {
                let sequence = if few { number & 0xe000 } else { number };
                now += wait;
                if send(&mut history, sequence, now) {
                    let index = highest.map_or((1 << 16) + i64::from(sequence), |highest: i64| {
                        highest + i64::from(distance(u16::try_from(highest & 0xffff).unwrap(), sequence))
                    });
                    prop_assert!(sent.insert(index), "{} again", sequence);
                    highest = highest.max(Some(index));
                }
            }
        }
    }
}

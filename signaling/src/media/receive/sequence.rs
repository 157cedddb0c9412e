//! Sequence numbers without end: 16 bits on the wire, 64 here, and which of the latest have come (RFC 3550, A.1).

/// So many sequence numbers back it is known whether a packet has come already; older ones are not taken.
pub(super) const WINDOW: u64 = 1024;

/// A resend may be so far ahead of all that has come.
const AHEAD: u64 = 64;

const WORDS: usize = 16;
const BITS: u64 = 64;
const _: () = assert!(WINDOW == 16 * BITS);

/// What a sequence number is to those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arrival {
    /// Newer than all; so many were skipped just before it.
    Newer { sequence: u64, skipped: u64 },
    /// Fills a hole.
    Late { sequence: u64 },
    /// Has come already, or is too old to tell.
    Repeat,
    /// The second of two that follow each other, far behind all others: the sender has begun anew, and so must everything that counts.
    Restart { sequence: u64 },
}

/// The latest [`WINDOW`] sequence numbers of one stream.
#[derive(Debug)]
pub(super) struct Window {
    highest: u64,
    /// A bit each, at the number modulo the window.
    came: [u64; WORDS],
    /// What would follow the last packet that was too old.
    stray: Option<u16>,
}

impl Window {
    /// Opens just before the first packet. One turn is added, so that packets which it overtook have numbers as well.
    pub fn before(first: u16) -> Self {
        Self { highest: (1 << 16) + u64::from(first) - 1, came: [0; WORDS], stray: None }
    }

    pub fn highest(&self) -> u64 {
        self.highest
    }

    /// Where the number belongs, nearest to the highest.
    pub fn extend(&self, sequence: u16) -> u64 {
        extend(self.highest, sequence)
    }

    pub fn has(&self, sequence: u64) -> bool {
        sequence <= self.highest && self.highest - sequence < WINDOW && {
            let (word, bit) = position(sequence);
            self.came.get(word).is_some_and(|word| word & bit != 0)
        }
    }

    /// Takes a packet's number in.
    pub fn take(&mut self, wire: u16) -> Arrival {
        let sequence = self.extend(wire);
        if sequence > self.highest {
            let skipped = sequence - self.highest - 1;
            if skipped >= WINDOW {
                self.came = [0; WORDS];
            } else {
                for missing in self.highest + 1..sequence {
                    self.unmark(missing);
                }
            }
            self.highest = sequence;
            self.mark(sequence);
            self.stray = None;
            return Arrival::Newer { sequence, skipped };
        }
        if self.highest - sequence >= WINDOW {
            if self.stray == Some(wire) {
                // A turn further on, so that numbers only ever grow.
                let restart = (self.highest | 0xffff) + 1 + (1 << 16) + u64::from(wire);
                *self = Self { highest: restart, came: [0; WORDS], stray: None };
                self.mark(restart);
                return Arrival::Restart { sequence: restart };
            }
            self.stray = Some(wire.wrapping_add(1));
            return Arrival::Repeat;
        }
        if self.has(sequence) {
            return Arrival::Repeat;
        }
        self.mark(sequence);
        Arrival::Late { sequence }
    }

    /// Takes the number of a resend in. It fills a hole, or goes a little ahead when the stream's end was lost; senders that probe for bandwidth repeat
    /// packets of any age, and nothing follows from those.
    pub fn fill(&mut self, wire: u16) -> Arrival {
        let sequence = self.extend(wire);
        if sequence > self.highest + AHEAD || self.highest.saturating_sub(sequence) >= WINDOW {
            return Arrival::Repeat;
        }
        self.take(wire)
    }

    fn mark(&mut self, sequence: u64) {
        let (word, bit) = position(sequence);
        if let Some(word) = self.came.get_mut(word) {
            *word |= bit;
        }
    }

    fn unmark(&mut self, sequence: u64) {
        let (word, bit) = position(sequence);
        if let Some(word) = self.came.get_mut(word) {
            *word &= !bit;
        }
    }
}

/// The number on the wire nearest to `near` (serial number arithmetic, RFC 1982).
pub(super) fn extend(near: u64, wire: u16) -> u64 {
    let ahead = wire.wrapping_sub(low(near));
    if ahead < 0x8000 { near + u64::from(ahead) } else { near.saturating_sub(u64::from(ahead.wrapping_neg())) }
}

/// As it stands on the wire.
pub(super) fn low(sequence: u64) -> u16 {
    u16::try_from(sequence & 0xffff).unwrap_or_default()
}

fn position(sequence: u64) -> (usize, u64) {
    let at = sequence % WINDOW;
    (usize::try_from(at / BITS).unwrap_or_default(), 1 << (at % BITS))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    #[test]
    fn numbers_go_on_over_the_turn_and_holes_are_filled_once() {
        let mut window = Window::before(65_534);
        let first = window.highest() + 1;
        assert_eq!(window.take(65_534), Arrival::Newer { sequence: first, skipped: 0 });
        assert_eq!(window.take(65_534), Arrival::Repeat);
        assert_eq!(window.take(1), Arrival::Newer { sequence: first + 3, skipped: 2 });
        assert_eq!(window.take(65_535), Arrival::Late { sequence: first + 1 });
        assert_eq!(window.take(65_535), Arrival::Repeat);
        assert_eq!(window.take(65_533), Arrival::Late { sequence: first - 1 }, "overtaken by the first");
        assert!(!window.has(first + 2) && window.has(first + 3) && !window.has(first + 4));
    }

    #[test]
    fn only_two_old_ones_in_a_row_begin_anew() {
        let mut window = Window::before(20_000);
        window.take(20_000);
        let first = window.highest();
        assert_eq!(window.take(10), Arrival::Repeat);
        assert_eq!(window.take(12), Arrival::Repeat);
        assert_eq!(window.take(20_001), Arrival::Newer { sequence: first + 1, skipped: 0 });
        assert_eq!(window.take(13), Arrival::Repeat, "one in between");
        let Arrival::Restart { sequence } = window.take(14) else { panic!("begins anew") };
        assert!(sequence > first + 1 && low(sequence) == 14);
        assert_eq!(window.take(15), Arrival::Newer { sequence: sequence + 1, skipped: 0 });
    }

    #[test]
    fn resends_of_any_age_move_nothing() {
        let mut window = Window::before(20_000);
        window.take(20_000);
        let first = window.highest();
        for old in [10, 11, 12, 18_976, 20_065] {
            assert_eq!(window.fill(old), Arrival::Repeat);
        }
        assert_eq!(window.fill(18_977), Arrival::Late { sequence: first - 1023 });
        assert_eq!(window.fill(20_064), Arrival::Newer { sequence: first + 64, skipped: 63 });
    }

    proptest! {
        /// Against a set that forgets nothing, over jumps, turns and repeats.
        #[test]
        fn it_agrees_with_a_set(start in any::<u16>(), steps in prop::collection::vec(-600i32..900, 1..300)) {
            let mut window = Window::before(start);
            let mut highest = window.highest();
            let mut all = BTreeSet::new();
            for step in steps {
                let sequence = highest.saturating_add_signed(i64::from(step));
                let arrival = window.take(low(sequence));
                if sequence > highest {
                    prop_assert_eq!(arrival, Arrival::Newer { sequence, skipped: sequence - highest - 1 });
                    highest = sequence;
                } else if all.contains(&sequence) {
                    prop_assert_eq!(arrival, Arrival::Repeat);
                } else {
                    prop_assert_eq!(arrival, Arrival::Late { sequence });
                }
                all.insert(sequence);
                prop_assert_eq!(window.highest(), highest);
            }
        }
    }
}

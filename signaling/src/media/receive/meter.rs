//! Bits and frames of the last second.

use std::time::{Duration, Instant};

const SLOT: Duration = Duration::from_millis(100);
const SLOTS: usize = 11;

#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    number: u64,
    bytes: u64,
    frames: u64,
}

/// Ten whole slots of 100 ms, and the one that is being filled.
#[derive(Debug)]
pub(super) struct Meter {
    start: Instant,
    slots: [Slot; SLOTS],
}

impl Meter {
    pub fn new(now: Instant) -> Self {
        Self { start: now, slots: [Slot::default(); SLOTS] }
    }

    pub fn add(&mut self, bytes: usize, new_frame: bool, now: Instant) {
        let number = self.number(now);
        let at = usize::try_from(number).unwrap_or_default() % SLOTS;
        let Some(slot) = self.slots.get_mut(at) else { return };
        if slot.number != number {
            *slot = Slot { number, ..Slot::default() };
        }
        slot.bytes += u64::try_from(bytes).unwrap_or_default();
        slot.frames += u64::from(new_frame);
    }

    /// Bits and frames in a second: over the last ten whole slots, over fewer while there are fewer, and by the first as long as it is alone.
    pub fn rates(&self, now: Instant) -> (u64, u64) {
        let current = self.number(now);
        let (from, to) = if current == 0 { (0, 1) } else { (current.saturating_sub(10), current) };
        let (bytes, frames) = self
            .slots
            .iter()
            .filter(|slot| (from..to).contains(&slot.number))
            .fold((0, 0), |(bytes, frames), slot| (bytes + slot.bytes, frames + slot.frames));
        let tenths = to - from;
        (bytes * 8 * 10 / tenths, (frames * 10 + tenths / 2) / tenths)
    }

    fn number(&self, now: Instant) -> u64 {
        let slots = now.saturating_duration_since(self.start).as_millis() / SLOT.as_millis();
        u64::try_from(slots).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steady_stream_is_measured_from_the_start_and_silence_after_a_second() {
        let start = Instant::now();
        let mut meter = Meter::new(start);
        let mut seen = Vec::new();
        for packet in 0..300u32 {
            // 100 packets a second of 1,000 bytes, four to a frame.
            let now = start + Duration::from_millis(10) * packet;
            meter.add(1000, packet % 4 == 0, now);
            if packet % 50 == 49 {
                seen.push(meter.rates(now));
            }
        }
        assert_eq!(seen[0], (800_000, 25));
        assert!(seen.iter().all(|(bits, frames)| *bits == 800_000 && (24..=26).contains(frames)), "{seen:?}");
        assert_eq!(meter.rates(start + Duration::from_millis(3500)), (400_000, 12));
        assert_eq!(meter.rates(start + Duration::from_millis(4100)), (0, 0));
        assert_eq!(Meter::new(start).rates(start), (0, 0));
    }
}

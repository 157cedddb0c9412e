//! What a client has received: packets, holes, delays, whole key frames. Can be begun anew, so that a measurement counts its own time only.

use super::picture::Note;
use std::collections::HashMap;
use std::time::Instant;

/// Delays up to 10 ms are kept in steps of 10 µs, up to a second in steps of a millisecond.
const FINE_STEPS: usize = 1_000;
const COARSE_STEPS: usize = 1_000;

#[derive(Debug, Clone)]
pub struct Delays {
    steps: Vec<u32>,
}

impl Default for Delays {
    fn default() -> Self {
        Self { steps: vec![0; FINE_STEPS + COARSE_STEPS] }
    }
}

impl Delays {
    pub fn add(&mut self, nanoseconds: u64) {
        let fine = usize::try_from(nanoseconds / 10_000).unwrap_or(usize::MAX);
        let coarse = usize::try_from(nanoseconds / 1_000_000).unwrap_or(usize::MAX);
        let at = if fine < FINE_STEPS { fine } else { FINE_STEPS + coarse.min(COARSE_STEPS - 1) };
        if let Some(step) = self.steps.get_mut(at) {
            *step += 1;
        }
    }

    pub fn merge(&mut self, other: &Self) {
        self.steps.iter_mut().zip(&other.steps).for_each(|(mine, theirs)| *mine += theirs);
    }

    /// The delay in milliseconds that this share (0 to 1) of all packets stayed below.
    pub fn percentile(&self, share: f64) -> f64 {
        let total: u64 = self.steps.iter().map(|n| u64::from(*n)).sum();
        let mut rest = share * float(total);
        for (at, count) in self.steps.iter().enumerate() {
            rest -= f64::from(*count);
            if rest <= 0.0 && total > 0 {
                let upper = |n: usize| f64::from(u32::try_from(n + 1).unwrap_or(u32::MAX));
                return if at < FINE_STEPS { upper(at) / 100.0 } else { upper(at - FINE_STEPS) };
            }
        }
        f64::NAN
    }
}

/// One numbered stream.
#[derive(Debug, Clone, Copy)]
struct Sequence {
    base: u64,
    highest: u64,
    received: u64,
    /// The picture under way, and how many packets of it came.
    picture: Option<(Note, u16)>,
}

/// What came of one layer of one member.
#[derive(Debug, Clone, Copy, Default)]
pub struct Heard {
    pub packets: u64,
    pub bytes: u64,
}

#[derive(Debug, Default)]
pub struct Tally {
    sequences: HashMap<u32, Sequence>,
    /// By member and layer; sound is layer [`SOUND`].
    pub heard: HashMap<(u32, u8), Heard>,
    pub packets: u64,
    pub bytes: u64,
    pub delays: Delays,
    /// Packets without a note: padding that fills a gap, probes.
    pub padding: u64,
    /// When the first whole key frame was there.
    pub first_key: Option<Instant>,
    pub key_frames: u64,
    /// Pictures that were followed by another of the same layer before all their packets had come.
    pub torn: u64,
}

/// In place of a layer.
pub const SOUND: u8 = 255;

impl Tally {
    /// A packet of a stream came, its number already extended past 16 bits; `arrived` in nanoseconds since 1970.
    pub fn packet(&mut self, ssrc: u32, number: u64, payload: &[u8], arrived: u64, now: Instant) {
        let fresh = Sequence { base: number, highest: number, received: 0, picture: None };
        let sequence = self.sequences.entry(ssrc).or_insert(fresh);
        if number < sequence.base {
            return;
        }
        sequence.highest = sequence.highest.max(number);
        sequence.received += 1;
        self.packets += 1;
        self.bytes += u64::try_from(payload.len()).unwrap_or_default();
        let Some(note) = Note::read(payload) else {
            self.padding += 1;
            return;
        };
        let heard = self.heard.entry((note.member, note.layer)).or_default();
        heard.packets += 1;
        heard.bytes += u64::try_from(payload.len()).unwrap_or_default();
        self.delays.add(arrived.saturating_sub(note.sent_ns));
        if note.layer == SOUND {
            return;
        }
        let is_same = |before: &Note| (before.member, before.layer) == (note.member, note.layer);
        let got = match sequence.picture {
            Some((before, got)) if is_same(&before) && before.picture == note.picture => got + 1,
            Some((before, got)) if is_same(&before) && before.picture < note.picture && got < before.parts => {
                self.torn += 1;
                1
            }
            _ => 1,
        };
        sequence.picture = Some((note, got));
        if note.is_key && got == note.parts {
            self.key_frames += 1;
            self.first_key.get_or_insert(now);
        }
    }

    /// Packets that never came: holes in the numbers, after all repairs.
    pub fn lost(&self) -> u64 {
        self.sequences.values().map(|s| (s.highest + 1 - s.base).saturating_sub(s.received)).sum()
    }

    /// Begins a measurement: counts from here on.
    pub fn restart(&mut self) {
        for sequence in self.sequences.values_mut() {
            (sequence.base, sequence.received) = (sequence.highest + 1, 0);
            sequence.highest = sequence.base.saturating_sub(1);
        }
        let sequences = std::mem::take(&mut self.sequences);
        *self = Self { sequences, first_key: self.first_key, ..Self::default() };
    }
}

/// A count as a number to divide by. Counts here stay far below 2^52.
pub fn float(count: u64) -> f64 {
    let (high, low) = (u32::try_from(count >> 32).unwrap_or(u32::MAX), u32::try_from(count & 0xffff_ffff).unwrap_or(0));
    f64::from(high) * 4_294_967_296.0 + f64::from(low)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::picture::vp8;

    #[test]
    fn holes_are_counted_and_forgotten() {
        let (now, mut tally) = (Instant::now(), Tally::default());
        let note = Note { member: 1, layer: 0, is_key: true, picture: 9, part: 0, parts: 2, sent_ns: 0 };
        for number in [10, 11, 14, 13] {
            tally.packet(5, number, &vp8(100, note), 1_000_000, now);
        }
        assert_eq!((tally.packets, tally.lost(), tally.key_frames), (4, 1, 1));
        tally.restart();
        tally.packet(5, 12, &vp8(100, note), 1_000_000, now);
        assert_eq!((tally.packets, tally.lost()), (0, 0));
        tally.packet(5, 17, &vp8(100, note), 1_000_000, now);
        assert_eq!((tally.packets, tally.lost()), (1, 2));
        assert_eq!((tally.heard.get(&(1, 0)).unwrap().packets, tally.torn), (1, 0));
        tally.packet(5, 18, &vp8(100, Note { picture: 10, ..note }), 1_000_000, now);
        tally.packet(5, 19, &vp8(100, Note { picture: 11, ..note }), 1_000_000, now);
        assert_eq!(tally.torn, 1);
    }

    #[test]
    fn delays_have_percentiles() {
        let mut delays = Delays::default();
        assert!(delays.percentile(0.5).is_nan());
        (0..100u64).for_each(|n| delays.add(n * 100_000));
        assert!((delays.percentile(0.5) - 4.91).abs() < 0.02, "{}", delays.percentile(0.5));
        delays.add(5_000_000_000);
        assert!(delays.percentile(1.0) >= 1_000.0);
        assert!((float(1 << 40) - 1_099_511_627_776.0).abs() < 1.0);
    }
}

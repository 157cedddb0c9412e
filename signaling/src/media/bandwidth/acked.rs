//! How many bits a second really arrive: the mean of the last half second of the receiver's clock.

const STEP: i64 = 50_000;
const STEPS: usize = 10;
const STEPS_SIGNED: i64 = 10;
const RECENT: usize = 3;

#[derive(Debug, Default)]
pub(super) struct AckedRate {
    /// Bytes of each step; the step of a moment is at its number modulo their count.
    steps: [u64; STEPS],
    /// The number of the newest step.
    newest: Option<i64>,
    /// Steps seen since the last long pause, the newest one not counted.
    seen: usize,
}

impl AckedRate {
    /// Bits a second, as soon as half a window was seen.
    pub fn rate(&self) -> Option<f64> {
        self.mean(STEPS - 1)
    }

    /// The same over the last moments alone: what passes while more comes than can pass, however little came before.
    pub fn peak(&self) -> Option<f64> {
        let rate = self.rate()?;
        Some(self.mean(RECENT).map_or(rate, |recent| recent.max(rate)))
    }

    /// Over so many of the last whole steps.
    fn mean(&self, steps: usize) -> Option<f64> {
        let newest = self.newest?;
        let steps = steps.min(self.seen);
        let whole = (1..STEPS_SIGNED).take(steps).filter_map(|back| self.steps.get(slot(newest - back)));
        let bytes: u64 = whole.sum();
        (self.seen >= STEPS / 2).then(|| bytes as f64 * 8_000_000.0 / (steps as f64 * STEP as f64))
    }

    /// `arrived` in microseconds of the receiver's clock.
    pub fn arrived(&mut self, arrived: i64, bytes: u32) {
        let step = arrived.div_euclid(STEP);
        let newest = *self.newest.get_or_insert(step);
        let ahead = usize::try_from(step - newest).unwrap_or(0);
        let jumped_back = newest - step > 4 * STEPS_SIGNED;
        if ahead > 4 * STEPS || jumped_back {
            *self = Self { newest: Some(step), ..Self::default() };
        } else if ahead > 0 {
            (newest + 1..=step).take(STEPS).for_each(|passed| self.clear(passed));
            self.newest = Some(step);
            self.seen = (self.seen + ahead).min(STEPS);
        } else if newest - step >= STEPS_SIGNED - 1 {
            return;
        }
        if let Some(sum) = self.steps.get_mut(slot(step)) {
            *sum += u64::from(bytes);
        }
    }

    fn clear(&mut self, step: i64) {
        if let Some(sum) = self.steps.get_mut(slot(step)) {
            *sum = 0;
        }
    }
}

fn slot(step: i64) -> usize {
    usize::try_from(step.rem_euclid(STEPS_SIGNED)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A packet of 1,250 bytes each 10 ms is 1 Mbit/s.
    fn second(acked: &mut AckedRate, from: i64) {
        for packet in 0..100 {
            acked.arrived(from + packet * 10_000, 1_250);
        }
    }

    fn is_about(rate: Option<f64>, expected: f64) -> bool {
        rate.is_some_and(|rate| (0.95 * expected..1.05 * expected).contains(&rate))
    }

    #[test]
    fn the_rate_of_the_last_half_second_is_told() {
        let mut acked = AckedRate::default();
        acked.arrived(0, 1_250);
        assert_eq!(acked.rate(), None);
        second(&mut acked, 10_000);
        assert!(is_about(acked.rate(), 1_000_000.0), "{acked:?}");
        for packet in 0..20 {
            acked.arrived(1_010_000 + packet * 10_000, 2_500);
        }
        assert!(is_about(acked.peak(), 2_000_000.0), "{acked:?}");
        assert!(acked.rate() < acked.peak());
        acked.arrived(1_910_000, 1_250);
        assert!(acked.rate() < Some(10_000.0), "a pause counts: {acked:?}");
    }

    #[test]
    fn a_clock_that_jumps_starts_afresh() {
        for jump in [-1_000_000_000, 1_000_000_000] {
            let mut acked = AckedRate::default();
            second(&mut acked, 5_000_000);
            acked.arrived(jump, 1_250);
            assert_eq!(acked.rate(), None);
            second(&mut acked, jump + 10_000);
            assert!(is_about(acked.rate(), 1_000_000.0), "{acked:?}");
        }
    }
}

//! How many bits a second really arrive: the mean of the last half second of the receiver's clock.

const STEP: i64 = 50_000;
const STEPS: usize = 10;
const STEPS_SIGNED: i64 = 10;

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
        let newest = self.steps.get(slot(self.newest?)).copied().unwrap_or(0);
        let bytes: u64 = self.steps.iter().sum();
        // The newest step is not over; but after a stall it has all that waited, and to leave that out would tell of a way that carries nothing.
        let is_stall = newest > bytes / 3;
        let (bytes, steps) = if is_stall { (bytes, STEPS) } else { (bytes - newest, STEPS - 1) };
        let micros = self.seen.min(steps) as f64 * STEP as f64;
        (self.seen >= STEPS / 2).then(|| bytes as f64 * 8_000_000.0 / micros)
    }

    /// `arrived` in microseconds of the receiver's clock.
    pub fn arrived(&mut self, arrived: i64, bytes: u32) {
        let step = arrived.div_euclid(STEP);
        let newest = *self.newest.get_or_insert(step);
        let ahead = usize::try_from(step - newest).unwrap_or(0);
        if ahead > 4 * STEPS {
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

    #[test]
    fn a_stall_makes_the_way_no_narrower() {
        let mut acked = AckedRate::default();
        // 1,000 bytes every 10 ms are 800 kbit/s; nothing arrives for 400 ms, and then all of it at once.
        for n in 0..100 {
            let at = n * 10_000;
            acked.arrived(if (500_000..900_000).contains(&at) { 900_000 } else { at }, 1_000);
            if at >= 890_000 {
                let rate = acked.rate().unwrap();
                assert!((700_000.0..900_000.0).contains(&rate), "{rate} at {at}");
            }
        }
    }
}

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
        let newest = slot(self.newest?);
        let bytes: u64 =
            self.steps.iter().enumerate().filter(|(index, _)| *index != newest).map(|(_, bytes)| bytes).sum();
        let micros = self.seen.min(STEPS - 1) as f64 * STEP as f64;
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

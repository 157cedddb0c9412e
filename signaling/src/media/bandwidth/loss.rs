//! The loss-based bound (draft-ietf-rmcat-gcc-02, section 6): above 10 % loss the rate falls by half the loss, below 2 % it rises.
//!
//! Two things are added. A radio link may lose a fifth of everything whatever is sent; halving for ever would help nobody there. Loss that
//! stays the same after we sent less is taken for the path's own and no longer answered. And what is lost while nothing at all comes through
//! is not counted ([`Run`]).

/// A decision needs this many packets …
const ENOUGH: u32 = 20;
/// … and this many microseconds.
const SHORTEST: i64 = 200_000;
/// After such a time the packets that came decide, however few.
const LONGEST: i64 = 1_500_000;
const HIGH: f64 = 0.10;
const LOW: f64 = 0.02;
const INCREASE_A_SECOND: f64 = 1.08;
/// Loss is blamed on the path only up to here.
const MOST_INHERENT: f64 = 0.30;

/// Nothing has arrived of what was sent for so long, in microseconds: no queue loses that.
const INTERRUPTION: i64 = 300_000;

#[derive(Debug)]
pub(super) struct LossBound {
    /// Bits a second; none is no bound.
    bound: Option<f64>,
    arrived: u32,
    lost: u32,
    began: i64,
    decreased: i64,
    /// The share that was lost when the rate was last lowered for it.
    at_decrease: Option<f64>,
    /// The path's own share of loss.
    inherent: f64,
    /// Smoothed, for the statistics.
    share: f64,
}

impl LossBound {
    pub fn new(now: i64) -> Self {
        Self {
            bound: None,
            arrived: 0,
            lost: 0,
            began: now,
            decreased: i64::MIN / 2,
            at_decrease: None,
            inherent: 0.0,
            share: 0.0,
        }
    }

    pub fn bound(&self) -> Option<f64> {
        self.bound
    }

    /// 0 to 1.
    pub fn share(&self) -> f64 {
        self.share
    }

    /// More loss than the path has of its own.
    pub fn is_high(&self) -> bool {
        self.share > HIGH + self.inherent
    }

    pub fn count(&mut self, arrived: u32, lost: u32) {
        self.arrived = self.arrived.saturating_add(arrived);
        self.lost = self.lost.saturating_add(lost);
    }

    /// A packet that was called lost has arrived after all.
    pub fn found(&mut self) {
        self.lost = self.lost.saturating_sub(1);
        self.arrived = self.arrived.saturating_add(1);
    }

    /// `rate` is the estimate in force, `arriving` what really comes through, bits/s: the bound does not fall below it. None without feedback;
    /// then nothing else would notice a queue either.
    pub fn decide(&mut self, rate: f64, arriving: Option<f64>, round_trip: i64, now: i64) {
        let seen = self.arrived.saturating_add(self.lost);
        let passed = now - self.began;
        if seen == 0 || passed < SHORTEST.max(round_trip) || (seen < ENOUGH && passed < LONGEST) {
            return;
        }
        let loss = f64::from(self.lost) / f64::from(seen);
        self.share += 0.4 * (loss - self.share);
        (self.arrived, self.lost, self.began) = (0, 0, now);

        if loss > HIGH {
            let settled = now - self.decreased >= 300_000 + round_trip;
            if !settled {
                return;
            }
            // We send less than at the last decrease; that the loss is no smaller says that it is not ours.
            if self.at_decrease.is_some_and(|before| self.share > 0.75 * before) {
                self.inherent = (self.inherent + 0.5 * (self.share - self.inherent)).min(MOST_INHERENT);
            }
            let ours = loss - self.inherent;
            if ours > HIGH / 2.0 {
                self.bound =
                    Some((self.bound.unwrap_or(rate).min(rate) * (1.0 - 0.5 * ours)).max(arriving.unwrap_or(0.0)));
                self.at_decrease = Some(self.share);
                self.decreased = now;
                return;
            }
            if arriving.is_none() {
                return;
            }
        } else if loss < LOW {
            self.at_decrease = None;
            self.inherent *= 0.9;
        } else {
            self.inherent = self.inherent.min(loss + 0.02);
        }
        let rises = loss < LOW || loss < self.inherent;
        if rises && let Some(bound) = &mut self.bound {
            let seconds = (passed.min(LONGEST)) as f64 / 1_000_000.0;
            *bound = *bound * INCREASE_A_SECOND.powf(seconds) + 1_000.0;
            if *bound > 2.0 * rate {
                self.bound = None;
            }
        }
    }

    /// What a probe has carried without loss binds no longer.
    pub fn proved(&mut self, rate: f64) {
        if let Some(bound) = &mut self.bound {
            *bound = bound.max(rate);
        }
    }
}

/// Packets lost one after the other.
#[derive(Debug, Default)]
pub(super) struct Run {
    count: u32,
    /// When the first and the last of them left.
    sent: Option<(i64, i64)>,
}

impl Run {
    pub fn add(&mut self, sent: i64) {
        self.count += 1;
        self.sent = Some(self.sent.map_or((sent, sent), |(first, last)| (first.min(sent), last.max(sent))));
    }

    /// As many as count. Of a queue that is full some packets always pass; when none does for so long, the way was interrupted, and that
    /// says nothing of how much it carries.
    pub fn lost(&self) -> u32 {
        if self.sent.is_some_and(|(first, last)| last - first >= INTERRUPTION) { 0 } else { self.count }
    }
}

//! The loss-based bound (draft-ietf-rmcat-gcc-02, section 6): above 10 % loss the rate falls by half the loss, below 2 % it rises.
//!
//! One thing is added. A radio link may lose a fifth of everything whatever is sent; to go down for ever would help nobody there. Where a
//! queue overflows, as much arrives as before when less is sent, and less is lost; loss that stays is taken for the path's own and no
//! longer answered.

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
    bytes: u64,
    began: i64,
    decreased: i64,
    /// What was sent, bits/s, and what share of it was lost, when the rate was lowered for it.
    at_decrease: Option<(f64, f64)>,
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
            bytes: 0,
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

    /// Packets and what was sent in them, in bytes.
    pub fn count(&mut self, arrived: u32, lost: u32, bytes: u64) {
        self.bytes = self.bytes.saturating_add(bytes);
        self.arrived = self.arrived.saturating_add(arrived);
        self.lost = self.lost.saturating_add(lost);
    }

    /// A packet that was called lost has arrived after all.
    pub fn found(&mut self) {
        self.lost = self.lost.saturating_sub(1);
        self.arrived = self.arrived.saturating_add(1);
    }

    /// `rate` is the estimate in force, bits/s.
    pub fn decide(&mut self, rate: f64, round_trip: i64, now: i64) {
        let seen = self.arrived.saturating_add(self.lost);
        let passed = now - self.began;
        if seen == 0 || passed < SHORTEST.max(round_trip) || (seen < ENOUGH && passed < LONGEST) {
            return;
        }
        let loss = f64::from(self.lost) / f64::from(seen);
        self.share += 0.4 * (loss - self.share);
        let sent = self.bytes as f64 * 8_000_000.0 / passed as f64;
        (self.arrived, self.lost, self.bytes, self.began) = (0, 0, 0, now);

        if loss > HIGH {
            let settled = now - self.decreased >= 300_000 + round_trip;
            if !settled {
                return;
            }
            self.blame(sent, loss);
            let ours = loss - self.inherent;
            if ours > HIGH / 2.0 {
                self.bound = Some(self.bound.unwrap_or(rate).min(rate) * (1.0 - 0.5 * ours));
                self.at_decrease.get_or_insert((sent, loss));
                self.decreased = now;
            }
            return;
        }
        if loss < LOW {
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

    /// Learns from sending less whose loss it is.
    fn blame(&mut self, sent: f64, loss: f64) {
        let Some((sent_before, loss_before)) = self.at_decrease else { return };
        if sent > 0.92 * sent_before {
            return;
        }
        self.at_decrease = None;
        // Were it ours, as much would arrive as before.
        let if_ours = (1.0 - (1.0 - loss_before) * sent_before / sent.max(1.0)).max(0.0);
        if loss > 0.5 * (if_ours + loss_before) {
            self.inherent = (self.inherent + 0.5 * (loss - self.inherent)).min(MOST_INHERENT);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::bandwidth::whole;

    const ROUND_TRIP: i64 = 50_000;

    /// One decision a second, each over a hundred packets.
    fn after(bound: &mut LossBound, lost: &[u32], from: i64) -> Option<f64> {
        for (second, lost) in (1_i64..).zip(lost) {
            let rate = bound.bound().unwrap_or(1_000_000.0).min(1_000_000.0);
            bound.count(100 - lost, *lost, whole(rate / 8.0));
            bound.decide(rate, ROUND_TRIP, from + second * 1_000_000);
        }
        bound.bound()
    }

    #[test]
    fn much_loss_lowers_the_rate_by_half_of_it_and_little_does_not() {
        let mut bound = LossBound::new(0);
        assert_eq!(after(&mut bound, &[5, 10, 2], 0), None);
        let lowered = after(&mut bound, &[20], 3_000_000).unwrap();
        assert!((lowered - 900_000.0).abs() < 1.0, "{lowered}");
        assert_eq!(after(&mut bound, &[5], 4_000_000), Some(lowered), "in between it stays");
        assert!(after(&mut bound, &[0], 5_000_000) > Some(1.05 * lowered));
    }

    #[test]
    fn the_bound_goes_when_it_binds_no_longer() {
        let mut bound = LossBound::new(0);
        assert!(after(&mut bound, &[30], 0).is_some());
        assert_eq!(after(&mut bound, &[0; 30], 1_000_000), None);
    }

    #[test]
    fn loss_that_falls_with_the_rate_is_answered_to_the_end() {
        // A way of 400 kbit/s that drops what is too much.
        let mut bound = LossBound::new(0);
        for second in 1..=60 {
            let rate = bound.bound().unwrap_or(1_000_000.0).min(1_000_000.0);
            let lost = u32::try_from(whole(100.0 * (1.0 - 400_000.0 / rate))).unwrap();
            bound.count(100 - lost, lost, whole(rate / 8.0));
            bound.decide(rate, ROUND_TRIP, second * 1_000_000);
        }
        let found = bound.bound().unwrap();
        assert!((300_000.0..480_000.0).contains(&found), "{found}");
    }

    #[test]
    fn loss_that_stays_whatever_is_sent_is_the_paths_own() {
        let mut bound = LossBound::new(0);
        let kept = after(&mut bound, &[20; 60], 0).unwrap();
        assert!(kept > 500_000.0, "{kept}");
        assert!(!bound.is_high(), "and does not keep from probing");
    }

    #[test]
    fn few_packets_decide_only_after_a_while() {
        let mut bound = LossBound::new(0);
        bound.count(5, 5, 10_000);
        bound.decide(1_000_000.0, ROUND_TRIP, 1_000_000);
        assert_eq!(bound.bound(), None);
        bound.found();
        bound.decide(1_000_000.0, ROUND_TRIP, 1_600_000);
        let lowered = bound.bound().unwrap();
        assert!((lowered - 800_000.0).abs() < 1.0, "what was found after all is not lost: {lowered}");
    }
}

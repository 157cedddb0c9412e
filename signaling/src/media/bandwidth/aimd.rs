//! From "the queue grows" to a rate: additive or multiplicative increase, decrease to 85 % of what arrives
//! (draft-ietf-rmcat-gcc-02, section 5.5; the constants are libwebrtc's `AimdRateControl`).

use super::trend::Usage;

const DECREASE: f64 = 0.85;
const INCREASE_A_SECOND: f64 = 1.08;
/// An increase goes no further above what arrives: so many times and this many bits/s. Less where probes tell what more there is, for
/// what was never sent proves nothing.
const HEADROOM: f64 = 1.5;
const HEADROOM_PROBED: f64 = 1.05;
const HEADROOM_BITS: f64 = 10_000.0;
const SLOWEST_INCREASE: f64 = 4_000.0;
const PACKET_BITS: f64 = 1_200.0 * 8.0;
const FRAMES_A_SECOND: f64 = 30.0;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Hold,
    Increase,
}

#[derive(Debug)]
pub(super) struct Aimd {
    /// Bits a second.
    pub rate: f64,
    state: State,
    /// Probes find out what lies above.
    is_probed: bool,
    capacity: Capacity,
    changed: i64,
}

impl Aimd {
    pub fn new(start: f64, now: i64) -> Self {
        Self { rate: start, state: State::Hold, is_probed: false, capacity: Capacity::default(), changed: now }
    }

    /// `acked` is what arrives in bits/s; times in microseconds. True when the rate was lowered.
    pub fn update(&mut self, usage: Usage, acked: Option<f64>, round_trip: i64, now: i64) -> bool {
        match usage {
            Usage::Overusing => return self.decrease(acked, round_trip, now),
            Usage::Underusing => self.state = State::Hold,
            Usage::Normal => {
                if self.state == State::Hold {
                    self.state = State::Increase;
                    self.changed = now;
                }
                self.increase(acked, round_trip, now);
            }
        }
        false
    }

    /// Grows as long as nobody complains: to the headroom above what arrives, or to what is wanted.
    pub fn explore(&mut self, arriving: f64, wanted: f64, round_trip: i64, now: i64) {
        let carried = arriving.max((wanted - HEADROOM_BITS) / HEADROOM);
        self.update(Usage::Normal, Some(carried), round_trip, now);
    }

    /// A probe has shown that this much goes through; when it filled the way, that no more does.
    pub fn proved(&mut self, rate: f64, is_full: bool, acked: Option<f64>, now: i64) {
        self.is_probed = true;
        self.capacity.sample(rate, 0.5);
        if rate > self.rate {
            self.rate = rate;
            self.changed = now;
        } else if is_full && let Some(acked) = acked {
            // A burst is short and may have met with chance: half way there, and not below what arrives.
            self.rate = self.rate.min((0.5 * (self.rate + rate)).max(acked));
        }
    }

    pub fn cannot_be_probed(&mut self) {
        self.is_probed = false;
    }

    fn increase(&mut self, acked: Option<f64>, round_trip: i64, now: i64) {
        let passed = (now - self.changed).clamp(0, 1_000_000) as f64 / 1_000_000.0;
        self.changed = now;
        let Some(acked) = acked else { return };
        if self.capacity.is_below(acked) {
            self.capacity = Capacity::default();
        }
        let headroom = if self.is_probed { HEADROOM_PROBED } else { HEADROOM };
        let limit = headroom * acked + HEADROOM_BITS;
        if self.rate >= limit {
            return;
        }
        let more = if self.capacity.is_known() {
            self.near_capacity(round_trip) * passed
        } else {
            self.rate * (INCREASE_A_SECOND.powf(passed) - 1.0)
        };
        self.rate = (self.rate + more).min(limit);
    }

    /// One packet more for each response time.
    fn near_capacity(&self, round_trip: i64) -> f64 {
        let frame = self.rate / FRAMES_A_SECOND;
        let packet = frame / (frame / PACKET_BITS).ceil().max(1.0);
        let response = (round_trip + 100_000) as f64 / 1_000_000.0;
        (packet / response).max(SLOWEST_INCREASE)
    }

    fn decrease(&mut self, acked: Option<f64>, round_trip: i64, now: i64) -> bool {
        let wait = round_trip.clamp(10_000, 200_000);
        let far_off = acked.is_some_and(|acked| acked < 0.5 * self.rate);
        if now - self.changed < wait && !far_off && self.state == State::Hold {
            return false;
        }
        let before = self.rate;
        match acked {
            None => self.rate *= 0.5,
            Some(acked) => {
                let mut lower = DECREASE * acked;
                if lower > self.rate
                    && let Some(capacity) = self.capacity.estimate()
                {
                    lower = DECREASE * capacity;
                }
                self.rate = self.rate.min(lower);
                if self.capacity.is_above(acked) {
                    self.capacity = Capacity::default();
                }
                self.capacity.sample(acked, 0.05);
            }
        }
        self.state = State::Hold;
        self.changed = now;
        self.rate < before
    }
}

/// What the way was seen to carry when it was overused, in kbit/s, and how far that scatters.
#[derive(Debug, Default)]
struct Capacity {
    known: Option<(f64, f64)>,
}

impl Capacity {
    const LEAST_SCATTER: f64 = 0.4;
    const MOST_SCATTER: f64 = 2.5;

    fn is_known(&self) -> bool {
        self.known.is_some()
    }

    fn estimate(&self) -> Option<f64> {
        self.known.map(|(kilobits, _)| kilobits * 1000.0)
    }

    fn is_below(&self, rate: f64) -> bool {
        self.known.is_some_and(|(kilobits, scatter)| rate / 1000.0 > kilobits + spread(kilobits, scatter))
    }

    fn is_above(&self, rate: f64) -> bool {
        self.known.is_some_and(|(kilobits, scatter)| rate / 1000.0 < kilobits - spread(kilobits, scatter))
    }

    fn sample(&mut self, rate: f64, weight: f64) {
        let sample = rate / 1000.0;
        self.known = Some(match self.known {
            None => (sample, Self::LEAST_SCATTER),
            Some((kilobits, scatter)) => {
                let kilobits = (1.0 - weight) * kilobits + weight * sample;
                let error = kilobits - sample;
                let scatter = (1.0 - weight) * scatter + weight * error * error / kilobits.max(1.0);
                (kilobits, scatter.clamp(Self::LEAST_SCATTER, Self::MOST_SCATTER))
            }
        });
    }
}

fn spread(kilobits: f64, scatter: f64) -> f64 {
    3.0 * (scatter * kilobits.max(0.0)).sqrt()
}

//! How much one viewer's way carries: Google's congestion control (draft-ietf-rmcat-gcc-02) on the sender's side, pure and in virtual time.
//!
//! * [`twcc`] reads the viewer's feedback; [`sent`] remembers what was sent under which number.
//! * [`trend`] sees queues grow, [`aimd`] turns that into a rate, bounded by [`loss`] and by what really arrives ([`acked`]).
//! * [`train`] frees the pacer on fast lines; [`probe`] finds out quickly whether more goes through.
//!
//! Rates are bits/s on the wire, IP and UDP included; times are microseconds on the owner's clock ([`micros_between`]). Without transport-wide feedback the rate follows receiver reports and REMB.

mod acked;
mod aimd;
mod loss;
mod probe;
mod sent;
mod train;
mod trend;
pub(crate) mod twcc;

use acked::AckedRate;
use aimd::Aimd;
use loss::{LossBound, Run};
use probe::Prober;
use sent::{Fate, Sent, SentLog};
use std::time::Instant;
use train::Trains;
use trend::{Trend, Usage};
use twcc::{Feedback, ReferenceClock, Status};

/// What IPv4 and UDP add to a datagram, in bytes.
const WIRE_OVERHEAD: u32 = 28;
/// The pacer sends faster than the estimate, lest a picture be spread over the time of the next.
const PACE: f64 = 2.5;
/// … and at this share of what the narrowest link was seen to pass.
const PACE_ON_LINE: f64 = 0.8;
/// Before anything is known, microseconds.
const FIRST_ROUND_TRIP: i64 = 100_000;
const LONGEST_ROUND_TRIP: i64 = 10_000_000;
/// So long after an overuse nothing is probed.
const PROBE_AFTER_OVERUSE: i64 = 1_500_000;
/// So long nothing is heard before the rate falls, and between falls.
const SILENCE: i64 = 1_000_000;
const SILENCE_STEP: i64 = 500_000;
/// In silence the rate falls to this share of what it was, and no further: nothing more is learned from more silence.
const SILENCE_FLOOR: f64 = 0.25;

/// Between which rates the estimate moves and where it starts, bits/s.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    pub start: u64,
    pub floor: u64,
    pub ceiling: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { start: 1_000_000, floor: 50_000, ceiling: 8_000_000 }
    }
}

#[derive(Debug)]
pub(crate) struct Estimator {
    limits: Limits,
    log: SentLog,
    clock: ReferenceClock,
    /// Scratch space: (arrived, sent, bytes) of one feedback message.
    arrivals: Vec<(i64, i64, u32)>,
    trend: Trend,
    aimd: Aimd,
    acked: AckedRate,
    trains: Trains,
    loss: LossBound,
    prober: Prober,
    remb: Option<f64>,
    round_trip: Option<i64>,
    /// From reports; better than what feedback tells.
    is_round_trip_reported: bool,
    last_feedback: Option<i64>,
    /// When the first packet left that no feedback has followed.
    unanswered: Option<i64>,
    /// The rate when the silence began, and when it next falls.
    silence: Option<(f64, i64)>,
    /// What was sent lately, for viewers without feedback: bytes since the last report and since the rate was last told, and that in bits/s.
    sent_bytes: u64,
    sent_lately: u64,
    sent_since: i64,
    sent_rate: f64,
    estimate: f64,
}

impl Estimator {
    pub fn new(limits: Limits, now: i64) -> Self {
        let start = limits.start as f64;
        Self {
            limits,
            log: SentLog::new(),
            clock: ReferenceClock::default(),
            arrivals: Vec::new(),
            trend: Trend::new(),
            aimd: Aimd::new(start, now),
            acked: AckedRate::default(),
            trains: Trains::default(),
            loss: LossBound::new(now),
            prober: Prober::new(),
            remb: None,
            round_trip: None,
            is_round_trip_reported: false,
            last_feedback: None,
            unanswered: None,
            silence: None,
            sent_bytes: 0,
            sent_lately: 0,
            sent_since: now,
            sent_rate: 0.0,
            estimate: start,
        }
    }

    /// The transport-wide number of the next packet.
    pub fn next_number(&self) -> u16 {
        self.log.next()
    }

    /// A packet with [`Self::next_number`] in its header has left; `bytes` is the datagram.
    pub fn sent(&mut self, bytes: usize, now: i64) {
        let bytes = on_wire(bytes);
        self.count_sent(bytes);
        self.unanswered.get_or_insert(now);
        let probe = self.prober.sent(bytes);
        self.log.push(Sent { at: now, bytes, probe, fate: Fate::Unknown });
    }

    /// A packet without a number has left.
    pub fn sent_unnumbered(&mut self, bytes: usize) {
        self.count_sent(on_wire(bytes));
    }

    /// The very same packet has left again, under the number it had.
    pub fn sent_again(&mut self, number: Option<u16>, bytes: usize, now: i64) {
        self.count_sent(on_wire(bytes));
        if let Some(number) = number {
            self.log.sent_again(number, now);
        }
    }

    pub fn feedback(&mut self, feedback: &Feedback<'_>, now: i64) {
        let reference = self.clock.unwrap(feedback.reference);
        self.arrivals.clear();
        let (mut arrived, mut lost, mut bytes) = (0, 0, 0);
        let mut run = Run::default();
        let Self { log, arrivals, loss, prober, .. } = self;
        let mut newest_sent = None;
        feedback.each(|place, status| {
            let came = status != Status::Lost;
            let Some(sent) = log.tell(feedback.base.wrapping_add(place), came) else { return };
            if sent.fate == Fate::Unknown {
                bytes += u64::from(sent.bytes);
            }
            match (came, sent.fate) {
                (true, Fate::Unknown) => arrived += 1,
                (false, _) => run.add(sent.at),
                (true, _) => loss.found(),
            }
            if came {
                lost += std::mem::take(&mut run).lost();
            }
            let at = if let Status::Arrived(after) = status { Some(reference + after) } else { None };
            if sent.probe != 0 && sent.fate == Fate::Unknown {
                prober.told(sent.probe, sent.at, sent.bytes, at);
            }
            if let Some(at) = at {
                arrivals.push((at, sent.at, sent.bytes));
                newest_sent = newest_sent.max(Some(sent.at));
            }
        });
        lost += run.lost();
        if arrived == 0 && lost == 0 && self.arrivals.is_empty() {
            return;
        }
        if let Some(sent) = newest_sent
            && !self.is_round_trip_reported
        {
            self.smooth_round_trip(now - sent);
        }
        self.loss.count(arrived, lost, bytes);
        self.last_feedback = Some(now);
        self.unanswered = None;
        if self.silence.take().is_some() {
            self.prober.soon(now);
        }
        self.arrivals.sort_unstable();
        for (arrived, sent, bytes) in &self.arrivals {
            self.acked.arrived(*arrived, *bytes);
            self.trend.arrived(*sent, *arrived);
            self.trains.arrived(*sent, *arrived, *bytes);
        }
        self.log.forget_before(now);
        self.decide(now);
    }

    /// What receiver reports tell: packets expected and lost since the last ones.
    pub fn reported(&mut self, expected: u32, lost: u32, now: i64) {
        if self.last_feedback.is_some() {
            return;
        }
        let lost = lost.min(expected);
        // Reports of several streams come together; what was sent is counted with the first.
        let bytes = std::mem::take(&mut self.sent_bytes);
        self.loss.count(expected - lost, lost, bytes);
        self.sent_lately += bytes;
        let passed = now - self.sent_since;
        if passed >= 500_000 {
            self.sent_rate = self.sent_lately as f64 * 8_000_000.0 / passed as f64;
            (self.sent_lately, self.sent_since) = (0, now);
        }
        // Nothing can be probed: to find out whether more goes through, more must be sent, up to what is wanted.
        let arriving = self.sent_rate * (1.0 - self.loss.share());
        self.aimd.explore(arriving, self.prober.wanted(), self.round_trip(), now);
        self.loss.decide(self.estimate, self.round_trip(), now);
        self.settle();
    }

    /// The receiver's own estimate, bits/s: a cap while there is feedback, else the rate itself.
    pub fn remb(&mut self, rate: u64) {
        self.remb = Some(rate as f64);
        self.settle();
    }

    /// From a sender report and its answer.
    pub fn round_trip_reported(&mut self, micros: i64) {
        if !self.is_round_trip_reported {
            self.round_trip = None;
        }
        self.is_round_trip_reported = true;
        self.smooth_round_trip(micros);
    }

    /// What the viewer could use, bits/s. Above the estimate it is probed for.
    pub fn want(&mut self, rate: u64) {
        self.prober.want(rate as f64);
    }

    pub fn tick(&mut self, now: i64) {
        self.log.forget_before(now);
        self.notice_silence(now);
        self.probe_result(now);
        if self.may_probe() {
            self.prober.begin(self.estimate, self.limits.ceiling as f64, now);
        }
    }

    /// When [`Self::tick`] has something to do, in microseconds.
    pub fn due(&self) -> Option<i64> {
        let probe = self.prober.due(self.estimate, self.limits.ceiling as f64, self.may_probe());
        let silence = self
            .silence
            .map(|(_, next)| next)
            .or_else(|| self.unanswered.filter(|_| self.last_feedback.is_some()).map(|since| since + self.patience()));
        probe.into_iter().chain(silence).min()
    }

    /// A probe needs one more packet, and nothing else is there to send.
    pub fn wants_padding(&self, now: i64) -> bool {
        self.prober.wants_packet(now)
    }

    /// When a probe needs one more packet.
    pub fn padding_due(&self) -> Option<i64> {
        self.prober.packet_due()
    }

    pub fn cannot_pad(&mut self, now: i64) {
        self.aimd.cannot_be_probed();
        self.prober.cancel(now);
    }

    /// What the viewer's way carries, bits/s.
    pub fn estimate(&self) -> u64 {
        whole(self.estimate)
    }

    /// How fast the pacer may send, bits/s.
    pub fn pace(&self) -> f64 {
        let line = self.trains.rate().unwrap_or(0.0);
        (PACE * self.estimate).max(PACE_ON_LINE * line).max(self.prober.rate().unwrap_or(0.0))
    }

    /// 0 to 1.
    pub fn loss(&self) -> f64 {
        self.loss.share()
    }

    /// Microseconds; none before anything was heard.
    pub fn known_round_trip(&self) -> Option<i64> {
        self.round_trip
    }

    pub fn round_trip(&self) -> i64 {
        self.round_trip.unwrap_or(FIRST_ROUND_TRIP)
    }

    fn may_probe(&self) -> bool {
        self.last_feedback.is_some()
            && self.silence.is_none()
            && self.trend.usage() == Usage::Normal
            && !self.loss.is_high()
    }

    fn decide(&mut self, now: i64) {
        let usage = self.trend.usage();
        let round_trip = self.round_trip();
        self.probe_result(now);
        if usage == Usage::Overusing {
            self.prober.not_before(now + PROBE_AFTER_OVERUSE);
        }
        // The queue that a probe made is gone by itself; less than what flows beside it would be the answer to nothing.
        if usage != Usage::Overusing || !self.prober.disturbs(now) {
            let acked = if usage == Usage::Overusing { self.acked.peak() } else { self.acked.rate() };
            self.aimd.update(usage, acked, round_trip, now);
        }
        self.loss.decide(self.estimate, round_trip, now);
        self.settle();
    }

    fn probe_result(&mut self, now: i64) {
        if let Some(proof) = self.prober.result(now)
            && self.trend.usage() != Usage::Overusing
        {
            self.aimd.proved(proof.rate, proof.is_full, self.acked.rate(), now);
            self.loss.proved(proof.rate);
            self.settle();
        }
    }

    fn notice_silence(&mut self, now: i64) {
        let is_silent =
            self.last_feedback.is_some() && self.unanswered.is_some_and(|since| now - since >= self.patience());
        if !is_silent {
            return;
        }
        let (before, next) = self.silence.unwrap_or((self.aimd.rate, now));
        if now >= next {
            self.aimd.rate = (0.8 * self.aimd.rate).max(SILENCE_FLOOR * before);
            self.silence = Some((before, now + SILENCE_STEP));
            self.settle();
        }
    }

    fn patience(&self) -> i64 {
        SILENCE.max(3 * self.round_trip())
    }

    fn smooth_round_trip(&mut self, sample: i64) {
        let sample = sample.clamp(0, LONGEST_ROUND_TRIP);
        self.round_trip = Some(self.round_trip.map_or(sample, |smoothed| smoothed + (sample - smoothed) / 8));
    }

    fn count_sent(&mut self, bytes: u32) {
        self.sent_bytes += u64::from(bytes);
    }

    fn settle(&mut self) {
        let (floor, ceiling) = (self.limits.floor as f64, self.limits.ceiling as f64);
        self.aimd.rate = self.aimd.rate.clamp(floor, ceiling);
        let mut rate = self.aimd.rate;
        match self.remb {
            Some(remb) if self.last_feedback.is_none() => rate = remb,
            Some(remb) => rate = rate.min(remb),
            None => (),
        }
        if let Some(bound) = self.loss.bound() {
            rate = rate.min(bound);
        }
        self.estimate = rate.clamp(floor, ceiling);
    }
}

/// Microseconds from `epoch`, not negative.
pub(crate) fn micros_between(epoch: Instant, now: Instant) -> i64 {
    let passed = now.saturating_duration_since(epoch);
    i64::try_from(passed.as_secs()).unwrap_or(i64::MAX / 2_000_000).saturating_mul(1_000_000)
        + i64::from(passed.subsec_micros())
}

/// The whole part of a rate or a number of bytes; what is no number or below zero is 0.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "this conversion saturates, which is what is wanted"
)]
pub(crate) fn whole(value: f64) -> u64 {
    value as u64
}

/// The same for times.
pub(crate) fn micros_of(value: f64) -> i64 {
    i64::try_from(whole(value)).unwrap_or(i64::MAX)
}

fn on_wire(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX / 2) + WIRE_OVERHEAD
}

//! From a member's clocks to the recording's.
//!
//! Sound and picture come on ways of their own: a picture waits for its key frame, for resends, for the line. What they share is the sender's
//! clock, which its sender reports tell (RFC 3550, 6.4.1). One [`MemberClock`] maps that onto the recording's by the fastest packet of any of the
//! member's streams; a [`StreamClock`] maps one stream's timestamps, by the sender's clock where it is known, by arrival where not.

use crate::media::Codec;
use crate::message::Kind;
use std::collections::BTreeMap;

/// A jump of a stream's timestamps against our clock that cannot be delay.
const JUMP_MS: f64 = 500.0;
/// The part of the difference to our clock that each packet corrects: slow enough for jitter, fast enough for 100 ppm of drift.
const FOLLOW: f64 = 0.002;
/// A packet is placed no further than this before its arrival: the network's delay and the wait for a resend,
const MOST_LATE_MS: f64 = 1_000.0;
/// and no further than this after it.
const MOST_EARLY_MS: f64 = 500.0;
/// The fastest packet is looked for in two windows of this length.
const WINDOW_MS: u64 = 10_000;
/// When the fastest packet becomes slower (drift, a longer way), the mapping follows by so many milliseconds each millisecond: unheard, and ten
/// times what clocks drift.
const RISE: f64 = 0.001;
/// When nothing has agreed with the mapping for so long, whatever tells another clock is believed: the member came back from another machine.
const DISAGREE_MS: u64 = 1_000;
/// The part of a new measure of lateness that counts.
const LATENESS: f64 = 0.05;

/// A member's own clock against the recording's.
#[derive(Debug, Default)]
pub(crate) struct MemberClock {
    mapping: Option<Mapping>,
    /// How much later than the fastest each kind of stream comes: what to think of it while its own clock is unknown.
    lateness: BTreeMap<Kind, f64>,
}

#[derive(Debug)]
struct Mapping {
    /// The sender's time (NTP, 32.32 bits) that its milliseconds count from.
    zero: u64,
    /// Added to the sender's milliseconds, the recording's.
    offset: f64,
    /// The smallest difference in this window and in the one before.
    lowest: (f64, f64),
    window: u64,
    agreed: u64,
}

impl MemberClock {
    /// The recording's time, in milliseconds, of a moment of the sender's clock, from a packet that came now. None while it contradicts what the
    /// member's other packets tell.
    fn place(&mut self, captured: u64, now_ms: u64) -> Option<f64> {
        let fresh = self.mapping.is_none();
        let mapping = self.mapping.get_or_insert_with(|| Mapping::new(captured, now_ms));
        let sent = mapping.milliseconds(captured);
        let apart = milliseconds(now_ms) - sent;
        let agrees = fresh || (apart - mapping.offset).abs() <= MOST_LATE_MS;
        if !agrees && now_ms.saturating_sub(mapping.agreed) < DISAGREE_MS {
            return None;
        }
        if !agrees || now_ms.saturating_sub(mapping.agreed) > 2 * WINDOW_MS {
            *mapping = Mapping::new(captured, now_ms);
            return Some(milliseconds(now_ms));
        }
        mapping.learn(apart, now_ms);
        Some(sent + mapping.offset)
    }

    fn lateness(&self, kind: Kind) -> f64 {
        self.lateness.get(&kind).copied().unwrap_or(0.0)
    }

    fn was_late(&mut self, kind: Kind, by: f64) {
        let by = by.clamp(0.0, MOST_LATE_MS);
        self.lateness.entry(kind).and_modify(|known| *known += (by - *known) * LATENESS).or_insert(by);
    }
}

impl Mapping {
    fn new(captured: u64, now_ms: u64) -> Self {
        let offset = milliseconds(now_ms);
        Self { zero: captured, offset, lowest: (offset, f64::INFINITY), window: now_ms, agreed: now_ms }
    }

    fn milliseconds(&self, captured: u64) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "a day is 2^49 of these, and a strange clock is no use anyway")]
        let since = captured.wrapping_sub(self.zero).cast_signed() as f64;
        since * 1_000.0 / 4_294_967_296.0
    }

    fn learn(&mut self, apart: f64, now_ms: u64) {
        if now_ms >= self.window + WINDOW_MS {
            self.lowest = (apart, self.lowest.0);
            self.window = now_ms;
        }
        self.lowest.0 = self.lowest.0.min(apart);
        let fastest = self.lowest.0.min(self.lowest.1);
        let most = milliseconds(now_ms.saturating_sub(self.agreed)) * RISE;
        self.offset = fastest.min(self.offset + most);
        self.agreed = now_ms;
    }
}

/// Moves one stream's timestamps onto the recording's clock.
#[derive(Debug)]
pub(crate) struct StreamClock {
    kind: Kind,
    ticks_per_ms: f64,
    /// Timestamp, and the same without wrap-around.
    last: Option<(u32, i64)>,
    /// The recording's time of tick 0 of that count.
    zero_ms: Option<f64>,
}

impl StreamClock {
    pub fn new(kind: Kind, codec: Codec) -> Self {
        Self { kind, ticks_per_ms: f64::from(codec.clock_rate()) / 1_000.0, last: None, zero_ms: None }
    }

    /// The recording's time, in milliseconds, of a packet that came now. Only the newest packet tells anything about the clocks.
    pub fn stamp(
        &mut self,
        (timestamp, captured): (u32, Option<u64>),
        member: &mut MemberClock,
        now_ms: u64,
        is_newest: bool,
    ) -> u64 {
        let now = milliseconds(now_ms);
        let ticks = match self.last {
            None => i64::from(timestamp),
            Some((last, ticks)) => ticks + i64::from(timestamp.wrapping_sub(last).cast_signed()),
        };
        #[expect(clippy::cast_precision_loss, reason = "2^52 ticks of 90 kHz are 1,500 years")]
        let since_zero = ticks as f64 / self.ticks_per_ms;
        let zero_ms = match self.zero_ms {
            Some(zero_ms) if !is_newest => zero_ms,
            before => {
                self.last = Some((timestamp, ticks));
                if let Some(at) = captured.and_then(|captured| member.place(captured, now_ms)) {
                    member.was_late(self.kind, now - at);
                    at - since_zero
                } else {
                    follow(before, now - member.lateness(self.kind) - since_zero)
                }
            }
        };
        self.zero_ms = Some(zero_ms);
        // A late packet's timestamp is taken on trust, so it is kept near the present, whatever it says.
        let at = (zero_ms + since_zero).clamp((now - MOST_LATE_MS).max(0.0), now + MOST_EARLY_MS).round();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "not negative, and near the present"
        )]
        let at = at as u64;
        at
    }
}

/// By arrival: the first packet counts, the later ones correct it slowly.
fn follow(before: Option<f64>, arrived: f64) -> f64 {
    match before {
        Some(before) if (arrived - before).abs() <= JUMP_MS => before + (arrived - before) * FOLLOW,
        _ => arrived,
    }
}

#[expect(clippy::cast_precision_loss, reason = "2^52 ms are 142,000 years")]
fn milliseconds(ms: u64) -> f64 {
    ms as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A stream of a sender whose clock began at any number; 20 ms a packet.
    struct Sender {
        clock: StreamClock,
        ntp: u64,
        has_clock: bool,
    }

    impl Sender {
        fn new(kind: Kind, codec: Codec, has_clock: bool) -> Self {
            Self { clock: StreamClock::new(kind, codec), ntp: 0xdead_0000_4000_0000, has_clock }
        }

        /// What was sampled at this time, as it arrives then.
        fn at(&mut self, sampled_ms: u64, arrives_ms: u64, member: &mut MemberClock) -> u64 {
            let ticks = sampled_ms * if self.clock.kind == Kind::Audio { 48 } else { 90 };
            let timestamp = u32::try_from(ticks & 0xffff_ffff).unwrap().wrapping_sub(7_000);
            let captured = self.has_clock.then(|| self.ntp.wrapping_add((sampled_ms << 32) / 1_000));
            self.clock.stamp((timestamp, captured), member, arrives_ms, true)
        }
    }

    #[test]
    fn a_late_packet_cannot_move_the_file_into_the_future() {
        let mut clock = StreamClock::new(Kind::Video, Codec::Vp8);
        let member = &mut MemberClock::default();
        assert_eq!(clock.stamp((0, None), member, 1_000, true), 1_000);
        assert_eq!(clock.stamp((90_000 * 3_600, None), member, 1_040, false), 1_540);
        assert_eq!(clock.stamp((3_600, None), member, 1_040, true), 1_040);
    }

    #[test]
    fn without_a_clock_the_stream_follows_drift_and_jumps() {
        let mut clock = StreamClock::new(Kind::Audio, Codec::Opus);
        let member = &mut MemberClock::default();
        // 200 ppm fast for ten minutes: without following, 120 ms off.
        let mut last = 0;
        for n in 0..30_000u32 {
            let now = u64::from(n) * 20 - u64::from(n) * 20 / 5_000;
            last = clock.stamp((n * 960, None), member, now, true);
            assert!(last.abs_diff(now) < 10, "{n}: {last} at {now}");
        }
        let jumped = clock.stamp((5, None), member, last + 1_000, true);
        assert_eq!(jumped, last + 1_000);
    }

    #[test]
    fn a_picture_on_a_slow_way_is_placed_beside_its_sound() {
        let member = &mut MemberClock::default();
        let mut voice = Sender::new(Kind::Audio, Codec::Opus, true);
        let mut camera = Sender::new(Kind::Video, Codec::Vp8, true);
        for n in 0..100 {
            let sampled = 1_000 + n * 20;
            let heard = voice.at(sampled, sampled + 30 + n * 7 % 40, member);
            let seen = camera.at(sampled, sampled + 330 + n * 11 % 60, member);
            assert!(n < 3 || heard.abs_diff(seen) <= 2, "{n}: {heard} and {seen}");
            assert!(n < 50 || heard.abs_diff(sampled + 30) <= 2, "the fastest packet counts: {heard}");
        }
    }

    #[test]
    fn a_stream_that_comes_back_without_a_clock_is_as_late_as_it_was() {
        let member = &mut MemberClock::default();
        let mut voice = Sender::new(Kind::Audio, Codec::Opus, true);
        let mut camera = Sender::new(Kind::Video, Codec::Vp8, true);
        for sampled in (0..4_000).step_by(20) {
            voice.at(sampled, sampled + 30, member);
            camera.at(sampled, sampled + 330, member);
        }
        let mut again = Sender::new(Kind::Video, Codec::Vp8, false);
        for sampled in (4_000..5_000).step_by(20) {
            let seen = again.at(sampled, sampled + 330, member);
            assert!(seen.abs_diff(sampled + 30) < 5, "{seen} for {sampled}");
        }
    }

    #[test]
    fn another_machines_clock_is_believed_once_the_old_one_is_silent() {
        let member = &mut MemberClock::default();
        let mut voice = Sender::new(Kind::Audio, Codec::Opus, true);
        let mut camera = Sender::new(Kind::Video, Codec::Vp8, true);
        for sampled in (0..2_000).step_by(20) {
            voice.at(sampled, sampled + 30, member);
        }
        // Sound and picture that do not share a clock: the picture is placed by its arrival, and the sound is not disturbed.
        camera.ntp = 5 << 40;
        for sampled in (2_000..8_000).step_by(20) {
            assert_eq!(voice.at(sampled, sampled + 30, member), sampled + 30);
            assert!(camera.at(sampled, sampled + 100, member).abs_diff(sampled + 100) < 3);
        }
        // Then the voice comes from the other machine as well.
        voice.ntp = 5 << 40;
        for sampled in (8_000..12_000).step_by(20) {
            let (heard, seen) = (voice.at(sampled, sampled + 30, member), camera.at(sampled, sampled + 330, member));
            assert!(heard.abs_diff(sampled + 30) < 60, "{heard} for {sampled}");
            assert!(sampled < 9_200 || heard.abs_diff(seen) <= 2, "{heard} and {seen}");
        }
    }

    #[test]
    fn clocks_that_drift_and_ways_that_grow_are_followed_slowly() {
        let member = &mut MemberClock::default();
        let mut voice = Sender::new(Kind::Audio, Codec::Opus, true);
        let mut before = 0;
        for n in 0..15_000u64 {
            // The sender's clock loses 100 ppm, and after two minutes the way is 150 ms longer.
            let way = if n < 6_000 { 30 } else { 180 };
            let arrives = n * 20 + n * 20 / 10_000 + way;
            let at = voice.at(n * 20, arrives, member);
            assert!(n == 0 || (19..=21).contains(&(at - before)), "{n}: from {before} to {at}");
            assert!(arrives - at <= if n < 6_000 { 3 } else { 153 }, "{n}: {at} of {arrives}");
            before = at;
        }
        assert!(before.abs_diff(14_999 * 20 + 30 + 180) < 15, "{before}");
    }

    #[test]
    fn no_clock_however_strange_moves_a_packet_far() {
        let member = &mut MemberClock::default();
        let mut clock = StreamClock::new(Kind::Video, Codec::Vp8);
        let mut random = 1u64;
        for n in 0..20_000u64 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let timestamp = u32::try_from(random >> 32).unwrap();
            let at = clock.stamp((timestamp, Some(random)), member, n * 10, random & 4 == 0);
            assert!(at + 1_000 >= n * 10 && at <= n * 10 + 500, "{at} at {}", n * 10);
        }
    }
}

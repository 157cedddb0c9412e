//! One viewer's copy of one stream: which layer it takes, when it may begin or change, and under which numbers it goes out.

use super::Codec;
use super::egress::{Class, OutPacket};
use super::packet::MediaPacket;
use super::rewrite::{Rewriter, Stamp};
use crate::MemberId;
use crate::message::Kind;
use std::time::{Duration, Instant};

/// What a stream is called in its room, whichever connection carries it: it outlives reconnections.
pub(crate) type StreamKey = (MemberId, Kind);

/// While a picture cannot begin, its key frame is asked for again this often.
const ASK_AGAIN: Duration = Duration::from_millis(500);

/// A place that one stream at a time is forwarded into.
#[derive(Debug)]
pub(crate) struct Output {
    ssrc: u32,
    class: Class,
    /// The layer that goes out now; none before the first key frame and while paused.
    current: Option<usize>,
    /// The layer that should; none pauses.
    target: Option<usize>,
    rewriter: Rewriter,
    /// The layer whose key frame was asked for last, and when.
    asked: Option<(usize, Instant)>,
    /// The layer that is aimed at has come.
    target_flows: bool,
}

/// What became of a packet at an output.
#[derive(Debug, PartialEq)]
pub(crate) enum Step {
    Send(OutPacket),
    /// A key frame of this layer is needed first.
    NeedsKeyframe(usize),
    Nothing,
}

impl Output {
    pub fn new(ssrc: u32, kind: Kind) -> Self {
        let (class, clock_rate) = match kind {
            Kind::Audio => (Class::Audio, Codec::Opus.clock_rate()),
            Kind::Video => (Class::Video, Codec::Vp8.clock_rate()),
            Kind::Screen => (Class::Screen, Codec::Vp8.clock_rate()),
        };
        Self {
            ssrc,
            class,
            current: None,
            target: None,
            rewriter: Rewriter::new(clock_rate),
            asked: None,
            target_flows: false,
        }
    }

    /// The layer that this viewer should get; none pauses it. The change happens on the layer's next key frame. Until something goes out
    /// a smaller layer will do: the larger one may have to be switched on first, or its sender's line does not carry it.
    pub fn aim(&mut self, target: Option<usize>) {
        if self.target != target {
            self.target = target;
            self.asked = None;
            self.target_flows = false;
            if target.is_none() {
                self.current = None;
                self.rewriter.interrupt();
            }
        }
    }

    pub fn target(&self) -> Option<usize> {
        self.target
    }

    /// The layer that goes out now.
    pub fn current(&self) -> Option<usize> {
        self.current
    }

    /// The next packet begins anew: another member's stream comes in this place, or the same after muting.
    pub fn interrupt(&mut self) {
        self.current = None;
        self.rewriter.interrupt();
        self.asked = None;
        self.target_flows = false;
    }

    /// Turns a publisher's packet into this viewer's.
    pub fn step(&mut self, packet: &MediaPacket, payload_type: u8, now: Instant) -> Step {
        let Some(target) = self.target else { return Step::Nothing };
        let stamp = Stamp { sequence: packet.sequence, timestamp: packet.timestamp, captured: packet.captured };
        let goes_on = self.current == Some(packet.layer) && self.rewriter.follows(packet.ssrc);
        self.target_flows |= packet.layer == target;
        let may_begin = packet.layer == target || (packet.layer < target && self.current.is_none());
        if may_begin && !goes_on {
            if packet.payload.is_empty() {
                return Step::Nothing;
            }
            if !packet.starts_key_frame {
                let is_needed = packet.layer == target || !self.target_flows;
                return if is_needed { self.ask(packet.layer, now) } else { Step::Nothing };
            }
            // The same member's layers have one clock; what was interrupted may be another member's.
            let same_clock = self.current.is_some();
            self.rewriter.begin(packet.ssrc, &stamp, packet.codec, &packet.payload, same_clock, now);
            self.current = Some(packet.layer);
            self.asked = None;
        } else if !goes_on {
            return Step::Nothing;
        }
        if packet.payload.is_empty() {
            self.rewriter.leave_out(packet.sequence);
            return Step::Nothing;
        }
        let Some(outgoing) = self.rewriter.pass(&stamp, now) else { return Step::Nothing };
        Step::Send(OutPacket {
            ssrc: self.ssrc,
            payload_type,
            sequence: outgoing.sequence,
            timestamp: outgoing.timestamp,
            marker: packet.marker,
            payload: self.rewriter.payload(packet.codec, &packet.payload),
            captured: packet.captured,
            class: self.class,
        })
    }

    fn ask(&mut self, layer: usize, now: Instant) -> Step {
        let again = |(asked, at): (usize, Instant)| asked == layer && now.saturating_duration_since(at) < ASK_AGAIN;
        if self.asked.is_some_and(again) {
            return Step::Nothing;
        }
        self.asked = Some((layer, now));
        Step::NeedsKeyframe(layer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::rewrite::is_newer;
    use crate::media::vp8;
    use bytes::Bytes;
    use rand::{Rng as _, SeedableRng as _};

    const VP8: u8 = 96;

    /// Three layers of one camera, as a browser sends them: own numbers, one clock.
    struct Camera {
        layers: [Layer; 3],
        frame: u32,
        start: Instant,
    }

    struct Layer {
        ssrc: u32,
        sequence: u16,
        timestamp: u32,
        picture: u16,
        tl0: u8,
    }

    impl Camera {
        fn new(random: &mut rand::rngs::StdRng, start: Instant) -> Self {
            let layers = [1, 2, 3].map(|ssrc| Layer {
                ssrc,
                sequence: random.random(),
                timestamp: random.random(),
                picture: random.random_range(0..0x7fff),
                tl0: random.random(),
            });
            Self { layers, frame: 0, start }
        }

        /// One picture of one layer, as packets.
        fn picture(&mut self, layer: usize, is_key: bool, packets: u16) -> Vec<MediaPacket> {
            let at = Duration::from_millis(u64::from(self.frame) * 40);
            let of = &mut self.layers[layer];
            of.picture = (of.picture + 1) & 0x7fff;
            of.tl0 = of.tl0.wrapping_add(1);
            let captured = (1u64 << 40) + ((u64::from(self.frame) * 40) << 32) / 1000;
            (0..packets)
                .map(|n| {
                    let [high, low] = of.picture.to_be_bytes();
                    let start = if n == 0 { 0x90 } else { 0x80 };
                    let mut payload = vec![start, 0xc0, 0x80 | high, low, of.tl0];
                    if n == 0 && is_key {
                        payload.extend_from_slice(&[0x10, 0, 0, 0x9d, 0x01, 0x2a, 0x80, 2, 0x68, 1]);
                    } else {
                        payload.extend_from_slice(&[0x11, 0, 0]);
                    }
                    of.sequence = of.sequence.wrapping_add(1);
                    MediaPacket {
                        ssrc: of.ssrc,
                        sequence: of.sequence,
                        timestamp: of.timestamp.wrapping_add(self.frame * 3_600),
                        marker: n + 1 == packets,
                        codec: Codec::Vp8,
                        layer,
                        starts_key_frame: n == 0 && is_key,
                        payload: payload.into(),
                        level: None,
                        captured: Some(captured),
                        recovered: false,
                        arrived: self.start + at,
                    }
                })
                .collect()
        }
    }

    /// 10,000 changes of layer, pauses and interruptions, with padding, losses and packets that overtake each other.
    #[test]
    fn what_goes_out_has_no_hole_and_no_repeat_whatever_is_chosen() {
        let mut random = rand::rngs::StdRng::seed_from_u64(3);
        let start = Instant::now();
        let mut camera = Camera::new(&mut random, start);
        let mut output = Output::new(9, Kind::Video);
        output.aim(Some(0));
        let mut sent: Vec<OutPacket> = Vec::new();
        let (mut changes, mut switched, mut last) = (0, 0, None);
        let mut needs_key = [false; 3];
        while changes < 10_000 {
            camera.frame += 1;
            let now = start + Duration::from_millis(u64::from(camera.frame) * 40);
            if random.random_ratio(1, 3) {
                changes += 1;
                match random.random_range(0..10) {
                    0 => output.aim(None),
                    1 => output.interrupt(),
                    layer => output.aim(Some(layer % 3)),
                }
            }
            for layer in 0..3 {
                let is_key = std::mem::take(&mut needs_key[layer]);
                let mut packets = camera.picture(layer, is_key, random.random_range(1..4));
                if random.random_ratio(1, 20) {
                    // Padding that a browser probes the line with.
                    camera.layers[layer].sequence = camera.layers[layer].sequence.wrapping_add(1);
                    let last = packets[packets.len() - 1].clone();
                    let sequence = camera.layers[layer].sequence;
                    packets.push(MediaPacket { sequence, payload: Bytes::new(), starts_key_frame: false, ..last });
                }
                if packets.len() > 2 && random.random_ratio(1, 10) {
                    packets.swap(1, 2);
                }
                for packet in packets {
                    match output.step(&packet, VP8, now) {
                        Step::Send(out) => {
                            if last != Some(layer) {
                                switched += 1;
                                last = Some(layer);
                            }
                            sent.push(out);
                        }
                        Step::NeedsKeyframe(layer) => needs_key[layer] = true,
                        Step::Nothing => {}
                    }
                }
            }
        }
        assert!(switched > 1_000, "{switched} layers went out one after the other");
        let first = sent[0].sequence;
        let mut numbers: Vec<u64> = Vec::new();
        let (mut high, mut before) = (0u64, first);
        for packet in &sent {
            let step = packet.sequence.wrapping_sub(before);
            let number = if is_newer(packet.sequence, before) || step == 0 {
                high + u64::from(step)
            } else {
                high - u64::from(before.wrapping_sub(packet.sequence))
            };
            if number > high {
                (high, before) = (number, packet.sequence);
            }
            numbers.push(number);
        }
        numbers.sort_unstable();
        let missing = numbers.windows(2).filter(|pair| pair[1] != pair[0] + 1).count();
        assert_eq!(missing, 0, "of {} packets", numbers.len());
        // Where the numbers go on, time and picture ids do.
        for pair in sent.windows(2).filter(|pair| is_newer(pair[1].sequence, pair[0].sequence)) {
            let forward = pair[1].timestamp.wrapping_sub(pair[0].timestamp);
            assert!(forward < 1 << 31, "time falls: {pair:?}");
            let (old, new) = (vp8::picture_ids(&pair[0].payload).unwrap(), vp8::picture_ids(&pair[1].payload).unwrap());
            let step = new.0.wrapping_sub(old.0) & 0x7fff;
            assert!(step <= 1, "picture ids jump: {old:?} to {new:?}");
            assert_eq!(step == 0, forward == 0, "one picture, one time");
        }
    }

    /// At its beginning a viewer sees what flows; the larger layer it is to have takes over with a key frame of its own.
    #[test]
    fn a_smaller_layer_will_do_until_the_larger_one_comes() {
        let mut random = rand::rngs::StdRng::seed_from_u64(5);
        let start = Instant::now();
        let mut camera = Camera::new(&mut random, start);
        let mut output = Output::new(9, Kind::Video);
        output.aim(Some(2));
        let mut step = |output: &mut Output, layer, is_key| {
            camera.frame += 1;
            let now = start + Duration::from_millis(u64::from(camera.frame) * 40);
            output.step(&camera.picture(layer, is_key, 1)[0], VP8, now)
        };
        assert_eq!(step(&mut output, 0, false), Step::NeedsKeyframe(0), "the largest has not come yet");
        assert!(matches!(step(&mut output, 0, true), Step::Send(_)));
        assert_eq!(output.current(), Some(0));
        assert_eq!(
            step(&mut output, 2, false),
            Step::NeedsKeyframe(2),
            "at once, though another was asked for just now"
        );
        assert!(matches!(step(&mut output, 0, false), Step::Send(_)), "the smaller one goes on meanwhile");
        assert!(matches!(step(&mut output, 2, true), Step::Send(_)));
        assert_eq!(step(&mut output, 0, true), Step::Nothing, "never down by itself");
        // Begun anew while the largest flows, nothing smaller is asked for.
        output.interrupt();
        assert_eq!(step(&mut output, 2, false), Step::NeedsKeyframe(2));
        assert_eq!(step(&mut output, 0, false), Step::Nothing);
        output.aim(Some(0));
        assert_eq!(step(&mut output, 2, true), Step::Nothing, "never above what the line takes");
    }

    /// Losses that come after all, sent again, around switches and pauses: no number is used twice, and time and picture ids stay in its order.
    #[test]
    fn what_comes_late_takes_its_own_number_or_none() {
        let mut random = rand::rngs::StdRng::seed_from_u64(5);
        let start = Instant::now();
        let mut camera = Camera::new(&mut random, start);
        let mut output = Output::new(9, Kind::Video);
        output.aim(Some(0));
        // By the number that it went out under: time and picture.
        let mut sent = std::collections::BTreeMap::new();
        let (mut under_way, mut needs_key) = (Vec::new(), [false; 3]);
        let (mut changes, mut lost, mut high) = (0, 0, None::<(u16, i64)>);
        while changes < 2_000 {
            camera.frame += 1;
            let now = start + Duration::from_millis(u64::from(camera.frame) * 40);
            if random.random_ratio(1, 6) {
                changes += 1;
                match random.random_range(0..10) {
                    0 => output.aim(None),
                    1 => output.interrupt(),
                    layer => output.aim(Some(layer % 3)),
                }
            }
            let mut packets = Vec::new();
            for (layer, needs_key) in needs_key.iter_mut().enumerate() {
                for packet in camera.picture(layer, std::mem::take(needs_key), 3) {
                    if random.random_ratio(1, 10) {
                        lost += 1;
                        let again = MediaPacket { recovered: true, ..packet };
                        under_way.push((camera.frame + random.random_range(0..12), again));
                    } else {
                        packets.push(packet);
                    }
                }
            }
            packets.extend(under_way.extract_if(.., |(frame, _)| *frame <= camera.frame).map(|(_, packet)| packet));
            for packet in packets {
                match output.step(&packet, VP8, now) {
                    Step::Send(out) => {
                        let (last, number) = high.unwrap_or((out.sequence, 1 << 20));
                        let number = number + i64::from(out.sequence.wrapping_sub(last).cast_signed());
                        if high.is_none_or(|(_, high)| number > high) {
                            high = Some((out.sequence, number));
                        }
                        let picture = vp8::picture_ids(&out.payload).unwrap().0;
                        assert_eq!(sent.insert(number, (out.timestamp, picture)), None, "{number} twice");
                    }
                    Step::NeedsKeyframe(layer) => needs_key[layer] = true,
                    Step::Nothing => {}
                }
            }
        }
        let sent: Vec<_> = sent.into_iter().collect();
        for pair in sent.windows(2) {
            let ((_, (time, picture)), (_, (next_time, next_picture))) = (pair[0], pair[1]);
            assert!(next_time.wrapping_sub(time) < 1 << 31, "time falls: {pair:?}");
            let step = next_picture.wrapping_sub(picture) & 0x7fff;
            assert!(step < 0x4000, "picture ids fall: {pair:?}");
            assert_eq!(step == 0, next_time == time, "one picture, one time: {pair:?}");
        }
        let holes = sent[sent.len() - 1].0 - sent[0].0 + 1 - i64::try_from(sent.len()).unwrap();
        assert!(sent.len() > 5_000 && holes < lost, "{holes} holes among {} for {lost} lost on all layers", sent.len());
    }
}

//! From one stream's RTP packets to frames with a time: a buffer that knows their order and waits for resends.

use super::RtpSample;
use super::clock::{MemberClock, StreamClock};
use super::picture::{Picture, Pictures, Whole};
use crate::media::Codec;
use crate::message::Kind;
use std::collections::BTreeMap;

/// How long after its time a picture is waited for, in milliseconds, when a packet is missing. On a line of 200 ms there and back a resend takes some
/// 220, and one of five is lost itself: four tries come in within this. Without them the picture stands until the next key frame.
pub(crate) const HOLD_MS: u64 = 850;
/// A picture that is late by its clock has so much patience nevertheless, counted from the packet behind the gap.
const HOLD_LEAST_MS: u64 = 250;
/// A key frame is asked for so long before the patience ends, to be there then.
const ASK_BEFORE_MS: u64 = 250;
/// Sound is not sent again: this is for packets that overtook each other.
const HOLD_SOUND_MS: u64 = 200;
/// Packets that wait at most. Past this the oldest gap is given up.
const MAX_WAITING: usize = 2_000;
/// Without a packet for this long, a stream is not waited for by the others.
const ALIVE_MS: u64 = 500;
/// Where the clocks set a stream back, its frames come closer together by this until they have caught up: times never fall.
const SQUEEZE: u64 = 4;

/// One frame, whole.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Frame {
    pub codec: Codec,
    /// Since the recording's start.
    pub at_ms: u64,
    pub is_key: bool,
    pub data: Vec<u8>,
    /// What the file's header must tell, with a key frame.
    pub picture: Option<Picture>,
}

/// A packet that waits for its turn.
#[derive(Debug)]
struct Held {
    /// When it came, and when it was, in milliseconds since the recording's start.
    came_ms: u64,
    at_ms: u64,
    sample: RtpSample,
}

/// Puts one stream together. A new stream (another SSRC) needs a new one.
#[derive(Debug)]
pub(crate) struct Assembler {
    codec: Codec,
    pub ssrc: u32,
    clock: StreamClock,
    /// By sequence number without wrap-around.
    waiting: BTreeMap<u64, Held>,
    highest: u64,
    next: u64,
    /// Something was released: what is older comes too late.
    has_begun: bool,
    /// When the last packet came.
    heard: u64,
    /// Pictures lean on each other: after a loss nothing is written until the next key frame.
    needs_key: bool,
    pictures: Pictures,
    /// The last frame: when it would have been by the clocks alone, and where it is.
    last: Option<(u64, u64)>,
    /// No frame before this is to come.
    reached: u64,
}

impl Assembler {
    /// Begins with the first packet seen.
    pub fn new(first: &RtpSample) -> Self {
        // Well above zero, so that numbers before the first can be told.
        let start = (1 << 32) | u64::from(first.sequence);
        Self {
            codec: first.codec,
            ssrc: first.ssrc,
            clock: StreamClock::new(first.kind, first.codec),
            waiting: BTreeMap::new(),
            highest: start,
            next: start,
            has_begun: false,
            heard: 0,
            needs_key: first.codec != Codec::Opus,
            pictures: Pictures::default(),
            last: None,
            reached: 0,
        }
    }

    /// A whole picture is needed, or will be soon.
    pub fn needs_key(&self, now_ms: u64) -> bool {
        let gap = || self.waiting.first_key_value().filter(|(number, _)| **number != self.next).map(|(_, held)| held);
        let is_hopeless = |held: &Held| self.held_until(held) <= now_ms + ASK_BEFORE_MS;
        self.needs_key || (self.codec != Codec::Opus && gap().is_some_and(is_hopeless))
    }

    /// Frames up to this time may be written as far as this stream is concerned; none when it is silent.
    pub fn reached(&self, now_ms: u64) -> Option<u64> {
        (!self.waiting.is_empty() || now_ms < self.heard + ALIVE_MS).then_some(self.reached)
    }

    /// Takes a packet that came `now_ms` after the recording's start. Repeats and what comes too late are dropped.
    pub fn push(&mut self, sample: RtpSample, member: &mut MemberClock, now_ms: u64) {
        let low = u16::try_from(self.highest & 0xffff).unwrap_or(0);
        let ahead = sample.sequence.wrapping_sub(low);
        let number = if ahead < 0x8000 {
            self.highest + u64::from(ahead)
        } else {
            self.highest - u64::from(low.wrapping_sub(sample.sequence))
        };
        if number < self.next {
            if self.has_begun {
                return;
            }
            // The first packets may have overtaken each other, too.
            self.next = number;
        }
        let is_newest = number >= self.highest;
        self.highest = self.highest.max(number);
        self.heard = now_ms;
        let at_ms = self.clock.stamp((sample.timestamp, sample.captured), member, now_ms, is_newest);
        self.waiting.entry(number).or_insert(Held { came_ms: now_ms, at_ms, sample });
    }

    /// Frames that are whole by now, in order. With `all`, nothing is waited for.
    pub fn release(&mut self, now_ms: u64, all: bool) -> Vec<Frame> {
        let mut frames = Vec::new();
        while let Some((&number, held)) = self.waiting.first_key_value() {
            if number != self.next {
                let is_over = all || self.held_until(held) <= now_ms || self.highest - self.next > MAX_WAITING as u64;
                if !is_over {
                    break;
                }
                self.lose();
            }
            self.next = number + 1;
            self.has_begun = true;
            if let Some((_, held)) = self.waiting.pop_first() {
                self.reached = self.reached.max(held.at_ms);
                frames.extend(self.take(&held.sample, held.at_ms));
            }
        }
        frames
    }

    /// When the gap before this packet is given up.
    fn held_until(&self, behind: &Held) -> u64 {
        if self.codec.kind() == Kind::Audio {
            behind.came_ms + HOLD_SOUND_MS
        } else {
            (behind.at_ms + HOLD_MS).max(behind.came_ms + HOLD_LEAST_MS)
        }
    }

    fn lose(&mut self) {
        self.pictures.lose();
        self.needs_key = self.codec != Codec::Opus;
    }

    fn take(&mut self, sample: &RtpSample, at_ms: u64) -> Option<Frame> {
        if sample.payload.is_empty() {
            return None;
        }
        if self.codec == Codec::Opus {
            return Some(self.frame(sample.payload.to_vec(), at_ms, true, None));
        }
        let whole = self.pictures.push(sample, at_ms).or_else(|_| {
            self.lose();
            // What does not fit may still begin anew.
            self.pictures.push(sample, at_ms)
        });
        match whole {
            Ok(None) => None,
            Ok(Some(Whole { data, at_ms, key })) => {
                self.needs_key &= key.is_none();
                (!self.needs_key).then(|| self.frame(data, at_ms, key.is_some(), key))
            }
            Err(_) => {
                self.lose();
                None
            }
        }
    }

    fn frame(&mut self, data: Vec<u8>, at_ms: u64, is_key: bool, picture: Option<Picture>) -> Frame {
        let told_ms = at_ms;
        let at_ms = match self.last {
            Some((_, at)) if at_ms > at => at_ms,
            Some((told, at)) => at + (at_ms.saturating_sub(told) / SQUEEZE).max(1),
            None => at_ms,
        };
        self.last = Some((told_ms, at_ms));
        self.reached = self.reached.max(at_ms);
        Frame { codec: self.codec, at_ms, is_key, data, picture }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recording::clock::MemberClock;
    use std::time::Instant;

    fn packet(codec: Codec, sequence: u16, timestamp: u32, marker: bool, payload: &[u8]) -> RtpSample {
        RtpSample {
            kind: codec.kind(),
            captured: None,
            member: "m".into(),
            codec,
            ssrc: 9,
            sequence,
            timestamp,
            marker,
            payload: payload.to_vec().into(),
            arrived: Instant::now(),
        }
    }

    const KEY: [u8; 12] = [0x10, 0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0x68, 0x01, 0x55];
    const INTER: [u8; 4] = [0x10, 0x11, 0x02, 0x00];

    #[test]
    fn order_is_restored_and_a_wrap_is_no_gap() {
        let mut track = Assembler::new(&packet(Codec::Opus, 65_534, 0, false, &[1]));
        for (sequence, at) in [(65_534u16, 0u64), (0, 40), (65_535, 45), (1, 60)] {
            let timestamp = u32::from(sequence.wrapping_sub(65_534)) * 960;
            track.push(packet(Codec::Opus, sequence, timestamp, false, &[1]), &mut MemberClock::default(), 100 + at);
        }
        let times: Vec<_> = track.release(200, false).iter().map(|frame| frame.at_ms).collect();
        assert_eq!(times, [100, 120, 140, 160]);
    }

    #[test]
    fn a_lost_packet_costs_pictures_until_the_next_key_frame() {
        let mut track = Assembler::new(&packet(Codec::Vp8, 10, 0, true, &KEY));
        for (sequence, timestamp, payload) in
            [(10, 0, &KEY[..]), (11, 3_000, &INTER), (13, 9_000, &INTER), (14, 12_000, &KEY)]
        {
            track.push(packet(Codec::Vp8, sequence, timestamp, true, payload), &mut MemberClock::default(), 100);
        }
        let frames = track.release(150, false);
        assert_eq!(frames.iter().map(|f| f.is_key).collect::<Vec<_>>(), [true, false]);
        assert_eq!(frames[0].picture, Some(Picture::Vp8 { size: (640, 360) }));
        assert!(!track.needs_key(150), "the gap may still be filled");
        assert!(track.needs_key(200 + HOLD_MS - ASK_BEFORE_MS), "but not for ever");
        let frames = track.release(200 + HOLD_MS, false);
        assert_eq!(frames.iter().map(|f| f.is_key).collect::<Vec<_>>(), [true]);
        track.push(packet(Codec::Vp8, 12, 6_000, true, &INTER), &mut MemberClock::default(), 1_100);
        assert!(track.release(2_000, false).is_empty(), "too late, and no repeat");
        assert!(!track.needs_key(2_000));
    }

    #[test]
    fn a_recovered_packet_costs_nothing() {
        let mut track = Assembler::new(&packet(Codec::Vp8, 1, 0, true, &KEY));
        for sequence in [1u16, 3, 2] {
            let payload: &[u8] = if sequence == 1 { &KEY } else { &INTER };
            track.push(
                packet(Codec::Vp8, sequence, u32::from(sequence) * 3_000, true, payload),
                &mut MemberClock::default(),
                100,
            );
        }
        assert_eq!(track.release(120, false).len(), 3);
    }

    #[test]
    fn pictures_begin_with_a_key_frame_and_fragments_come_together() {
        let mut track = Assembler::new(&packet(Codec::Vp8, 1, 0, true, &INTER));
        track.push(packet(Codec::Vp8, 1, 0, true, &INTER), &mut MemberClock::default(), 0);
        assert!(track.release(10, false).is_empty());
        assert!(track.needs_key(10));
        track.push(packet(Codec::Vp8, 2, 3_000, false, &KEY), &mut MemberClock::default(), 33);
        track.push(packet(Codec::Vp8, 3, 3_000, true, &[0x00, 7, 7]), &mut MemberClock::default(), 33);
        let frames = track.release(40, false);
        assert_eq!(frames.len(), 1);
        assert!(frames[0].data.ends_with(&[0x55, 7, 7]));
    }
}

//! From one stream's RTP packets to frames with a time: a sequence-aware buffer of 200 ms, depacketizing, and the room's clock.

use super::RtpSample;
use crate::media::{Codec, h264, vp8};
use std::collections::BTreeMap;

/// How long a missing packet is waited for, in milliseconds: a retransmission over a bad line takes about this.
pub(crate) const HOLD_MS: u64 = 200;
/// Packets that wait at most. Past this the oldest gap is given up.
const MAX_WAITING: usize = 2_000;
/// A jump of the stream's clock against ours that cannot be delay.
const CLOCK_JUMP_MS: f64 = 500.0;
/// The part of the difference to our clock that each packet corrects: slow enough for jitter, fast enough for 100 ppm of drift.
const CLOCK_FOLLOW: f64 = 0.002;
/// The largest frame that is put together. A 4K key frame is under 1 MiB.
const MAX_FRAME_BYTES: usize = 4 << 20;

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

/// What a header tells of the pictures. Later changes of size are in the stream itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Picture {
    Vp8 { size: (u16, u16) },
    H264 { size: (u16, u16), configuration: Vec<u8> },
}

/// Puts one stream together. A new stream (another SSRC) needs a new one.
#[derive(Debug)]
pub(crate) struct Assembler {
    codec: Codec,
    pub ssrc: u32,
    clock: StreamClock,
    /// By sequence number without wrap-around: when it came, and what it is.
    waiting: BTreeMap<u64, (u64, u64, RtpSample)>,
    highest: u64,
    next: u64,
    /// Pictures lean on each other: after a loss nothing is written until the next key frame.
    needs_key: bool,
    frame: Vec<u8>,
    units: h264::Assembler,
    frame_at: Option<(u32, u64)>,
    sets: (Vec<u8>, Vec<u8>),
}

impl Assembler {
    /// Begins with the first packet seen.
    pub fn new(first: &RtpSample) -> Self {
        // Well above zero, so that numbers before the first can be told.
        let start = (1 << 32) | u64::from(first.sequence);
        Self {
            codec: first.codec,
            ssrc: first.ssrc,
            clock: StreamClock::new(first.codec),
            waiting: BTreeMap::new(),
            highest: start,
            next: start,
            needs_key: first.codec != Codec::Opus,
            frame: Vec::new(),
            units: h264::Assembler::default(),
            frame_at: None,
            sets: (Vec::new(), Vec::new()),
        }
    }

    pub fn needs_key(&self) -> bool {
        self.needs_key
    }

    /// Takes a packet that came `now_ms` after the recording's start. Repeats and what comes too late are dropped.
    pub fn push(&mut self, sample: RtpSample, now_ms: u64) {
        let low = u16::try_from(self.highest & 0xffff).unwrap_or(0);
        let ahead = sample.sequence.wrapping_sub(low);
        let number = if ahead < 0x8000 {
            self.highest + u64::from(ahead)
        } else {
            self.highest - u64::from(low.wrapping_sub(sample.sequence))
        };
        if number < self.next {
            return;
        }
        let is_newest = number >= self.highest;
        self.highest = self.highest.max(number);
        let at_ms = self.clock.stamp(sample.timestamp, now_ms, is_newest);
        self.waiting.entry(number).or_insert((now_ms, at_ms, sample));
    }

    /// Frames that are whole by now, in order.
    pub fn release(&mut self, now_ms: u64) -> Vec<Frame> {
        let mut frames = Vec::new();
        while let Some((number, came)) = self.waiting.first_key_value().map(|(number, (came, ..))| (*number, *came)) {
            if number != self.next {
                let is_over = came + HOLD_MS <= now_ms || self.highest - self.next > MAX_WAITING as u64;
                if !is_over {
                    break;
                }
                self.lose();
            }
            self.next = number + 1;
            if let Some((_, (_, at_ms, sample))) = self.waiting.pop_first() {
                frames.extend(self.take(&sample, at_ms));
            }
        }
        frames
    }

    fn lose(&mut self) {
        self.frame.clear();
        self.units = h264::Assembler::default();
        self.frame_at = None;
        self.needs_key = self.codec != Codec::Opus;
    }

    fn take(&mut self, sample: &RtpSample, at_ms: u64) -> Option<Frame> {
        if sample.payload.is_empty() {
            return None;
        }
        match self.codec {
            Codec::Opus => {
                Some(Frame { codec: Codec::Opus, at_ms, is_key: true, data: sample.payload.to_vec(), picture: None })
            }
            Codec::Vp8 => self.take_vp8(sample, at_ms),
            Codec::Vp9 | Codec::Av1 => None,
            Codec::H264 => self.take_h264(sample, at_ms),
        }
    }

    fn take_vp8(&mut self, sample: &RtpSample, at_ms: u64) -> Option<Frame> {
        let Some(descriptor) = vp8::descriptor(&sample.payload) else {
            self.lose();
            return None;
        };
        let data = sample.payload.get(descriptor.data..)?;
        if descriptor.start && descriptor.partition == 0 {
            self.frame.clear();
            self.frame_at = Some((sample.timestamp, at_ms));
        }
        let (timestamp, at_ms) = self.frame_at?;
        if timestamp != sample.timestamp || self.frame.len() + data.len() > MAX_FRAME_BYTES {
            self.lose();
            return None;
        }
        self.frame.extend_from_slice(data);
        if !sample.marker {
            return None;
        }
        self.frame_at = None;
        let data = std::mem::take(&mut self.frame);
        let size = vp8::key_frame_size(&data);
        self.finish(data, at_ms, size.is_some(), size.map(|size| Picture::Vp8 { size }))
    }

    fn take_h264(&mut self, sample: &RtpSample, at_ms: u64) -> Option<Frame> {
        let (timestamp, at_ms) = *self.frame_at.get_or_insert((sample.timestamp, at_ms));
        if timestamp != sample.timestamp || !self.units.push(&sample.payload) {
            self.lose();
            return None;
        }
        if !sample.marker {
            return None;
        }
        self.frame_at = None;
        let units = self.units.take()?;
        let mut data = Vec::new();
        let mut is_key = false;
        for unit in units {
            match h264::unit_type(&unit) {
                h264::SPS => self.sets.0 = unit,
                h264::PPS => self.sets.1 = unit,
                _ => {
                    is_key |= h264::is_idr(&unit);
                    data.extend_from_slice(&u32::try_from(unit.len()).unwrap_or(0).to_be_bytes());
                    data.extend_from_slice(&unit);
                }
            }
        }
        if data.is_empty() || data.len() > MAX_FRAME_BYTES {
            return None;
        }
        let picture = if is_key { self.h264_picture() } else { None };
        let is_key = picture.is_some();
        self.finish(data, at_ms, is_key, picture)
    }

    fn finish(&mut self, data: Vec<u8>, at_ms: u64, is_key: bool, picture: Option<Picture>) -> Option<Frame> {
        self.needs_key &= !is_key;
        (!self.needs_key).then_some(Frame { codec: self.codec, at_ms, is_key, data, picture })
    }

    /// The AVC configuration record (ISO/IEC 14496-15, 5.3.3.1).
    fn h264_picture(&self) -> Option<Picture> {
        let (sps, pps) = &self.sets;
        let size = h264::sps_size(sps)?;
        let [_, profile, constraints, level, ..] = sps.as_slice() else { return None };
        let mut record = vec![1, *profile, *constraints, *level, 0xff, 0xe1];
        record.extend_from_slice(&u16::try_from(sps.len()).ok()?.to_be_bytes());
        record.extend_from_slice(sps);
        record.push(1);
        record.extend_from_slice(&u16::try_from(pps.len()).ok()?.to_be_bytes());
        record.extend_from_slice(pps);
        Some(Picture::H264 { size, configuration: record })
    }
}

/// Moves a stream's timestamps onto the room's clock: by the first packet's arrival, then slowly after the later ones'.
#[derive(Debug)]
struct StreamClock {
    ticks_per_ms: f64,
    /// Timestamp without wrap-around, and the room's time of tick 0 of that count.
    last: Option<(u32, i64)>,
    zero_ms: f64,
}

impl StreamClock {
    fn new(codec: Codec) -> Self {
        Self { ticks_per_ms: f64::from(codec.clock_rate()) / 1000.0, last: None, zero_ms: 0.0 }
    }

    /// The room's time of a timestamp, in milliseconds. Only packets in order tell anything about the clocks.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_possible_wrap,
        clippy::cast_sign_loss,
        reason = "milliseconds of one recording: far below 2^52, and never below 0 after max"
    )]
    fn stamp(&mut self, timestamp: u32, now_ms: u64, is_newest: bool) -> u64 {
        let now = now_ms as f64;
        let ticks = match self.last {
            None => i64::from(timestamp),
            Some((last, ticks)) => ticks + i64::from(timestamp.wrapping_sub(last) as i32),
        };
        let since_zero = ticks as f64 / self.ticks_per_ms;
        let late = now - (self.zero_ms + since_zero);
        if self.last.is_none() || (is_newest && late.abs() > CLOCK_JUMP_MS) {
            self.zero_ms = now - since_zero;
        } else if is_newest {
            self.zero_ms += late * CLOCK_FOLLOW;
        }
        if is_newest {
            self.last = Some((timestamp, ticks));
        }
        // A late packet's timestamp is taken on trust, so it is kept near the present, whatever it says.
        (self.zero_ms + since_zero).clamp((now - CLOCK_JUMP_MS).max(0.0), now + CLOCK_JUMP_MS).round() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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
            track.push(packet(Codec::Opus, sequence, timestamp, false, &[1]), 100 + at);
        }
        let times: Vec<_> = track.release(200).iter().map(|frame| frame.at_ms).collect();
        assert_eq!(times, [100, 120, 140, 160]);
    }

    #[test]
    fn a_lost_packet_costs_pictures_until_the_next_key_frame() {
        let mut track = Assembler::new(&packet(Codec::Vp8, 10, 0, true, &KEY));
        for (sequence, timestamp, payload) in
            [(10, 0, &KEY[..]), (11, 3_000, &INTER), (13, 9_000, &INTER), (14, 12_000, &KEY)]
        {
            track.push(packet(Codec::Vp8, sequence, timestamp, true, payload), 100);
        }
        let frames = track.release(150);
        assert_eq!(frames.iter().map(|f| f.is_key).collect::<Vec<_>>(), [true, false]);
        assert_eq!(frames[0].picture, Some(Picture::Vp8 { size: (640, 360) }));
        assert!(!track.needs_key(), "the gap may still be filled");
        let frames = track.release(100 + HOLD_MS);
        assert_eq!(frames.iter().map(|f| f.is_key).collect::<Vec<_>>(), [true]);
        track.push(packet(Codec::Vp8, 12, 6_000, true, &INTER), 400);
        assert!(track.release(1_000).is_empty(), "too late, and no repeat");
    }

    #[test]
    fn a_recovered_packet_costs_nothing() {
        let mut track = Assembler::new(&packet(Codec::Vp8, 1, 0, true, &KEY));
        for sequence in [1u16, 3, 2] {
            let payload: &[u8] = if sequence == 1 { &KEY } else { &INTER };
            track.push(packet(Codec::Vp8, sequence, u32::from(sequence) * 3_000, true, payload), 100);
        }
        assert_eq!(track.release(120).len(), 3);
    }

    #[test]
    fn pictures_begin_with_a_key_frame_and_fragments_come_together() {
        let mut track = Assembler::new(&packet(Codec::Vp8, 1, 0, true, &INTER));
        track.push(packet(Codec::Vp8, 1, 0, true, &INTER), 0);
        assert!(track.release(10).is_empty());
        assert!(track.needs_key());
        track.push(packet(Codec::Vp8, 2, 3_000, false, &KEY), 33);
        track.push(packet(Codec::Vp8, 3, 3_000, true, &[0x00, 7, 7]), 33);
        let frames = track.release(40);
        assert_eq!(frames.len(), 1);
        assert!(frames[0].data.ends_with(&[0x55, 7, 7]));
    }

    #[test]
    fn a_late_packet_cannot_move_the_file_into_the_future() {
        let mut clock = StreamClock::new(Codec::Vp8);
        assert_eq!(clock.stamp(0, 1_000, true), 1_000);
        assert_eq!(clock.stamp(90_000 * 3_600, 1_040, false), 1_540);
        assert_eq!(clock.stamp(3_600, 1_040, true), 1_040);
    }

    #[test]
    fn the_clock_follows_drift_and_jumps() {
        let mut clock = StreamClock::new(Codec::Opus);
        // 200 ppm fast for ten minutes: without following, 120 ms off.
        let mut last = 0;
        for n in 0..30_000u32 {
            let now = u64::from(n) * 20 - u64::from(n) * 20 / 5_000;
            last = clock.stamp(n * 960, now, true);
            assert!(last.abs_diff(now) < 10, "{n}: {last} at {now}");
        }
        let jumped = clock.stamp(5, last + 1_000, true);
        assert_eq!(jumped, last + 1_000);
    }
}

//! One stream (one SSRC) of a publisher: what came, what is missing, how it is spread in time (RFC 3550, 6.4.1 and A.3 to A.8).

use super::control::Block;
use super::meter::Meter;
use super::missing::{Limits, Missing};
use super::sequence::{Arrival, Window};
use crate::media::{Codec, packet::MediaPacket};
use crate::message::Kind;
use bytes::Bytes;
use std::time::{Duration, Instant};

/// Timestamps that jump by more than these seconds tell nothing of jitter.
const JUMP_SECONDS: u32 = 5;

/// One packet out of its wrapping.
#[derive(Debug)]
pub(super) struct Incoming {
    pub sequence: u16,
    pub timestamp: u32,
    pub marker: bool,
    pub codec: Codec,
    pub payload: Bytes,
    pub level: Option<u8>,
    /// It came as a resend.
    pub repair: bool,
}

/// Packets, since the stream began.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    /// That should have come.
    pub expected: u64,
    /// That came by themselves, each once.
    pub packets: u64,
    /// That came by being sent again.
    pub recovered: u64,
    pub duplicates: u64,
    /// Requests for a packet.
    pub requests: u64,
}

impl Counts {
    pub fn add(&mut self, other: Self) {
        self.expected += other.expected;
        self.packets += other.packets;
        self.recovered += other.recovered;
        self.duplicates += other.duplicates;
        self.requests += other.requests;
    }
}

/// The sender's clocks at one moment, and when it told them.
#[derive(Debug, Clone, Copy)]
struct Clocks {
    ntp: u64,
    timestamp: u32,
    told: Instant,
}

#[derive(Debug)]
pub(super) struct Stream {
    ssrc: u32,
    kind: Kind,
    codec: Codec,
    window: Window,
    /// Where counting began; `counts` has what was expected before the sender last began anew.
    base: u64,
    counts: Counts,
    /// Expected and come by themselves, at the last report.
    reported: (u64, u64),
    fraction_lost: u8,
    clocks: Option<Clocks>,
    began: Instant,
    /// The timestamp of the newest packet with something in it.
    newest: Option<u32>,
    /// Arrival less timestamp in ticks, of the last packet that began a frame.
    transit: Option<u32>,
    /// In ticks, times 16 (RFC 3550, A.8).
    jitter: u32,
    meter: Meter,
    missing: Missing,
    /// The start of the newest key frame, and the newest packet without which pictures cannot go on.
    key_frame: Option<u64>,
    broken: Option<u64>,
    /// Width and height of the latest key frame.
    size: Option<(u16, u16)>,
    /// The last packet with something in it; none after a goodbye.
    heard: Option<Instant>,
}

impl Stream {
    /// Begins with its first packet, which is still to be taken in.
    pub fn new(ssrc: u32, kind: Kind, first: &Incoming, now: Instant) -> Self {
        let window = Window::before(first.sequence);
        Self {
            ssrc,
            kind,
            codec: first.codec,
            base: window.highest() + 1,
            window,
            counts: Counts::default(),
            reported: (0, 0),
            fraction_lost: 0,
            clocks: None,
            began: now,
            newest: None,
            transit: None,
            jitter: 0,
            meter: Meter::new(now),
            missing: Missing::default(),
            key_frame: None,
            broken: None,
            size: None,
            heard: None,
        }
    }

    pub fn ssrc(&self) -> u32 {
        self.ssrc
    }

    pub fn codec(&self) -> Codec {
        self.codec
    }

    pub fn heard(&self) -> Option<Instant> {
        self.heard
    }

    /// Width and height in pixels, where the codec's headers tell.
    pub fn size(&self) -> Option<(u16, u16)> {
        self.size
    }

    /// Bits and frames in a second.
    pub fn rates(&self, now: Instant) -> (u64, u64) {
        self.meter.rates(now)
    }

    pub fn counts(&self) -> Counts {
        Counts { expected: self.expected(), ..self.counts }
    }

    pub fn jitter(&self) -> Duration {
        let micros = u64::from(self.jitter) * 1_000_000 / (16 * u64::from(self.codec.clock_rate()));
        Duration::from_micros(micros)
    }

    /// Takes a packet in. None when it is a repeat, or closes no gap and has nothing in it. Its layer is for the caller to fill in.
    pub fn take(&mut self, packet: Incoming, limits: &mut Limits, now: Instant) -> Option<MediaPacket> {
        let expected = self.expected();
        let arrival = if packet.repair { self.window.fill(packet.sequence) } else { self.window.take(packet.sequence) };
        let (sequence, newer, asked) = match arrival {
            Arrival::Repeat => {
                self.counts.duplicates += 1;
                let sequence = self.window.extend(packet.sequence);
                if let Some(round_trip) = self.missing.repeat(sequence) {
                    limits.learn(round_trip);
                }
                return None;
            }
            Arrival::Newer { sequence, skipped } => {
                if self.asks() && !self.missing.skip(sequence, skipped, now) {
                    self.broken = Some(sequence);
                }
                (sequence, true, false)
            }
            Arrival::Late { sequence } => {
                // Overtaken by the first one.
                self.base = self.base.min(sequence);
                let filled = self.missing.fill(sequence, now);
                if let Some(round_trip) = filled.and_then(|filled| filled.round_trip) {
                    limits.learn(round_trip);
                }
                (sequence, false, filled.is_some_and(|filled| filled.asked))
            }
            Arrival::Restart { sequence } => {
                self.begin_anew(expected, sequence);
                (sequence, true, false)
            }
        };
        if packet.repair {
            self.counts.recovered += 1;
        } else {
            self.counts.packets += 1;
        }
        self.codec = packet.codec;
        let empty = packet.payload.is_empty();
        if empty && !newer {
            return None;
        }
        let starts_key_frame = !empty && packet.codec.starts_key_frame(&packet.payload);
        if starts_key_frame {
            self.key_frame = self.key_frame.max(Some(sequence));
            self.broken = self.broken.filter(|broken| *broken > sequence);
            self.size = packet.codec.picture_size(&packet.payload).or(self.size);
        }
        if !empty {
            self.heard = Some(now);
            let new_frame = newer && self.newest.replace(packet.timestamp) != Some(packet.timestamp);
            self.meter.add(RTP_HEADER + packet.payload.len(), new_frame, now);
            if new_frame && !packet.repair {
                self.measure_jitter(packet.timestamp, now);
            }
        }
        Some(MediaPacket {
            ssrc: self.ssrc,
            sequence: packet.sequence,
            timestamp: packet.timestamp,
            marker: packet.marker,
            codec: packet.codec,
            layer: 0,
            payload: packet.payload,
            starts_key_frame,
            level: packet.level,
            captured: self.captured(packet.timestamp),
            recovered: packet.repair || asked,
            arrived: now,
        })
    }

    /// A sender report of this stream.
    pub fn clocks(&mut self, ntp: u64, timestamp: u32, now: Instant) {
        // Senders without a clock say 0 (RFC 3550, 6.4.1).
        if ntp != 0 {
            self.clocks = Some(Clocks { ntp, timestamp, told: now });
        }
    }

    pub fn goodbye(&mut self) {
        self.heard = None;
        self.missing.clear();
    }

    /// How it was received since the last time this was asked; none when nothing came.
    pub fn report(&mut self, now: Instant) -> Option<Block> {
        let (expected, received) = (self.expected(), self.counts.packets);
        let (expected_now, received_now) = (expected.saturating_sub(self.reported.0), received - self.reported.1);
        self.reported = (expected, received);
        let lost_now = expected_now.saturating_sub(received_now);
        let fraction = (lost_now * 256).checked_div(expected_now).unwrap_or(0);
        self.fraction_lost = u8::try_from(fraction).unwrap_or(u8::MAX);
        if received_now == 0 {
            return None;
        }
        let (last_report, delay) = self.clocks.map_or((0, 0), |clocks| {
            let delay = now.saturating_duration_since(clocks.told).as_micros() * 65_536 / 1_000_000;
            (low32(clocks.ntp >> 16), u32::try_from(delay).unwrap_or(u32::MAX))
        });
        Some(Block {
            ssrc: self.ssrc,
            fraction_lost: self.fraction_lost,
            lost: i32::try_from(expected.saturating_sub(received)).unwrap_or(i32::MAX),
            // Turns are counted from the stream's beginning.
            highest: low32(self.window.highest() - (1 << 16)),
            jitter: self.jitter / 16,
            last_report,
            delay,
        })
    }

    /// When [`Self::ask`] has to be called.
    pub fn due(&self) -> Option<Instant> {
        self.missing.due()
    }

    /// What to ask for again now, at most `room` packets.
    pub fn ask(&mut self, limits: &mut Limits, room: usize, now: Instant) -> Vec<u16> {
        let mut wanted = Vec::new();
        let given_up = self.missing.ask(self.window.highest(), now, limits, room, &mut wanted);
        self.counts.requests += u64::try_from(wanted.len()).unwrap_or_default();
        // Before a key frame nothing matters any more.
        if let Some(given_up) = given_up.filter(|given_up| self.key_frame.is_none_or(|start| start < *given_up)) {
            self.broken = self.broken.max(Some(given_up));
        }
        wanted
    }

    /// A packet is gone for good and no key frame has come since; told once.
    pub fn take_lost(&mut self) -> bool {
        self.broken.take().is_some()
    }

    /// Sound that is late is useless, and browsers keep none for resending unless that was negotiated.
    fn asks(&self) -> bool {
        self.kind != Kind::Audio
    }

    fn expected(&self) -> u64 {
        self.counts.expected + (self.window.highest() + 1).saturating_sub(self.base)
    }

    /// The sender has begun anew under the same SSRC.
    fn begin_anew(&mut self, expected: u64, sequence: u64) {
        self.counts.expected = expected;
        self.base = sequence;
        self.missing.clear();
        (self.clocks, self.newest, self.transit, self.jitter) = (None, None, None, 0);
        (self.key_frame, self.broken) = (None, self.asks().then_some(sequence));
    }

    /// RFC 3550, A.8; once for each frame, since the packets of one are sent in a row under one timestamp.
    fn measure_jitter(&mut self, timestamp: u32, now: Instant) {
        let rate = u128::from(self.codec.clock_rate());
        let ticks = now.saturating_duration_since(self.began).as_micros() * rate / 1_000_000;
        let transit = u32::try_from(ticks & u128::from(u32::MAX)).unwrap_or_default().wrapping_sub(timestamp);
        if let Some(before) = self.transit.replace(transit) {
            let difference = transit.wrapping_sub(before).cast_signed().unsigned_abs();
            if difference < JUMP_SECONDS * self.codec.clock_rate() {
                self.jitter = self.jitter + difference - ((self.jitter + 8) >> 4);
            }
        }
    }

    fn captured(&self, timestamp: u32) -> Option<u64> {
        let clocks = self.clocks?;
        let ticks = i64::from(timestamp.wrapping_sub(clocks.timestamp).cast_signed());
        Some(clocks.ntp.wrapping_add_signed((ticks << 32) / i64::from(self.codec.clock_rate())))
    }
}

/// What a packet has before its payload, at least.
const RTP_HEADER: usize = 12;

fn low32(value: u64) -> u32 {
    u32::try_from(value & u64::from(u32::MAX)).unwrap_or_default()
}

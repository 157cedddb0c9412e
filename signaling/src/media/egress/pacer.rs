//! What waits to leave, and when it may: sound at once, pictures at the pacer's rate.
//!
//! First in, first out within each queue: the packets of one picture have equal sizes and stay neighbours, which is what UDP GSO wants.

use super::{Class, OutPacket};
use crate::media::bandwidth::micros_of;
use std::collections::VecDeque;

/// So much may leave at once after a pause, in microseconds of the pacer's rate …
const BURST: f64 = 5_000.0;
/// … but always so many bytes, lest a slow line get every packet singly.
const SMALLEST_BURST: f64 = 2_600.0;
/// The queue holds so much of the pacer's rate, in seconds …
const LONGEST: f64 = 0.25;
/// … but always so many bytes (a small key frame), and never more packets than this.
const SMALLEST_QUEUE: f64 = 16_000.0;
const MOST_PACKETS: usize = 512;
/// Sound that nobody fetched: half a second of three voices and to spare.
const MOST_AUDIO: usize = 128;
const MOST_RESENDS: usize = 256;

/// A packet of the history that is to leave again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Resend {
    pub ssrc: u32,
    pub sequence: u16,
}

#[derive(Debug)]
pub(super) struct Pacer {
    audio: VecDeque<OutPacket>,
    video: VecDeque<OutPacket>,
    resends: VecDeque<Resend>,
    video_bytes: usize,
    /// Microseconds a byte takes.
    byte_time: f64,
    burst: f64,
    most_bytes: f64,
    /// When all that has left is through at the pacer's rate, in microseconds.
    free_at: f64,
}

impl Pacer {
    pub fn new(rate: f64) -> Self {
        let mut pacer = Self {
            audio: VecDeque::new(),
            video: VecDeque::new(),
            resends: VecDeque::new(),
            video_bytes: 0,
            byte_time: 0.0,
            burst: 0.0,
            most_bytes: 0.0,
            free_at: f64::MIN,
        };
        pacer.set_rate(rate);
        pacer
    }

    /// Bits a second.
    pub fn set_rate(&mut self, rate: f64) {
        self.byte_time = 8_000_000.0 / rate.max(1_000.0);
        self.burst = BURST.max(SMALLEST_BURST * self.byte_time);
        self.most_bytes = (rate * LONGEST / 8.0).max(SMALLEST_QUEUE);
    }

    /// Gives back a packet that had to make room.
    pub fn push(&mut self, packet: OutPacket) -> Option<OutPacket> {
        if packet.class == Class::Audio {
            let dropped = if self.audio.len() >= MOST_AUDIO { self.audio.pop_front() } else { None };
            self.audio.push_back(packet);
            return dropped;
        }
        self.video_bytes += packet.payload.len();
        self.video.push_back(packet);
        None
    }

    pub fn is_overfull(&self) -> bool {
        self.video.len() > MOST_PACKETS || self.video_bytes as f64 > self.most_bytes
    }

    /// Drops the oldest picture, of a camera before one of a screen. What is left of a picture without its first packets is of no use,
    /// so all of it goes. The stream and the number of packets.
    pub fn drop_oldest_picture(&mut self) -> Option<(u32, u64)> {
        let oldest = self.video.iter().find(|packet| packet.class == Class::Video).or_else(|| self.video.front())?;
        let (ssrc, timestamp) = (oldest.ssrc, oldest.timestamp);
        let mut dropped = 0;
        let mut bytes = 0;
        self.video.retain(|packet| {
            let is_of_it = packet.ssrc == ssrc && packet.timestamp == timestamp;
            if is_of_it {
                dropped += 1;
                bytes += packet.payload.len();
            }
            !is_of_it
        });
        self.video_bytes = self.video_bytes.saturating_sub(bytes);
        Some((ssrc, dropped))
    }

    /// Forgets what waits for streams that are gone.
    pub fn retain(&mut self, is_known: impl Fn(u32) -> bool) {
        self.audio.retain(|packet| is_known(packet.ssrc));
        self.video.retain(|packet| is_known(packet.ssrc));
        self.resends.retain(|resend| is_known(resend.ssrc));
        self.video_bytes = self.video.iter().map(|packet| packet.payload.len()).sum();
    }

    pub fn push_resend(&mut self, resend: Resend) -> bool {
        let has_room = self.resends.len() < MOST_RESENDS;
        if has_room {
            self.resends.push_back(resend);
        }
        has_room
    }

    pub fn pop_audio(&mut self) -> Option<OutPacket> {
        self.audio.pop_front()
    }

    pub fn pop_resend(&mut self) -> Option<Resend> {
        self.resends.pop_front()
    }

    pub fn pop_video(&mut self) -> Option<OutPacket> {
        let packet = self.video.pop_front()?;
        self.video_bytes = self.video_bytes.saturating_sub(packet.payload.len());
        Some(packet)
    }

    /// Whether pictures may leave now; `now` in microseconds.
    pub fn is_free(&self, now: i64) -> bool {
        self.free_at <= now as f64
    }

    /// A datagram has left.
    pub fn sent(&mut self, bytes: usize, now: i64) {
        self.free_at = self.free_at.max(now as f64 - self.burst) + bytes as f64 * self.byte_time;
    }

    pub fn has_paced(&self) -> bool {
        !self.video.is_empty() || !self.resends.is_empty()
    }

    pub fn has_audio(&self) -> bool {
        !self.audio.is_empty()
    }

    /// When the next picture's packet may leave, in microseconds, rounded up.
    pub fn free_at(&self) -> i64 {
        micros_of(self.free_at.ceil())
    }

    /// How long the pictures that wait will take, in microseconds.
    pub fn queue_time(&self) -> i64 {
        micros_of(self.video_bytes as f64 * self.byte_time)
    }
}

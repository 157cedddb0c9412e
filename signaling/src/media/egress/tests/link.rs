//! A viewer at the end of a simulated line, in virtual time and with a fixed seed.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "a simulation of seconds and kilobytes stays far from every limit"
)]

use super::viewer::Viewer;
use super::{Plain, SLOT, audio_stream, packet, video_stream};
use crate::media::egress::{Class, Egress, EgressEvent, OutPacket};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use rtc::rtcp::packet::Packet as Rtcp;
use rtc::rtcp::payload_feedbacks::receiver_estimated_maximum_bitrate::ReceiverEstimatedMaximumBitrate;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

pub const AUDIO: u32 = 1;
pub const VIDEO: u32 = SLOT;
pub const RTX: u32 = SLOT + 1;

/// The line from the hub to the viewer; the way back has the delay alone. Times in microseconds.
#[derive(Debug, Clone)]
pub struct Line {
    /// Bits a second.
    pub capacity: u64,
    pub delay: i64,
    pub jitter: i64,
    /// 0 to 1.
    pub loss: f64,
    /// How many microseconds of the capacity the router's queue holds.
    pub queue: i64,
}

impl Line {
    pub fn of(capacity: u64) -> Self {
        Self { capacity, delay: 25_000, jitter: 0, loss: 0.0, queue: 300_000 }
    }
}

#[derive(Debug)]
pub struct World {
    pub egress: Egress<Plain>,
    pub line: Line,
    /// Bits a second of each layer; the world sends the best that the estimate carries, as the plane would.
    pub layers: Vec<u64>,
    pub sends_feedback: bool,
    pub sends_nacks: bool,
    /// The estimate every 100 ms.
    pub estimates: Vec<u64>,
    pub numbers: Vec<u16>,
    pub lost: u64,
    pub overflows: u64,
    pub sent_video: u64,
    start: Instant,
    now: i64,
    rng: StdRng,
    viewer: Viewer,
    /// When the line is through with all it was given.
    line_free: i64,
    last_arrival: i64,
    on_the_way: VecDeque<(i64, Vec<u8>)>,
    back: VecDeque<(i64, Vec<u8>)>,
    sequence: u16,
    audio_sequence: u16,
    /// When each video packet was pushed.
    pushed: VecDeque<i64>,
    /// How long video packets waited for the pacer, microseconds.
    waited: Vec<i64>,
}

impl World {
    pub fn new(line: Line, seed: u64) -> Self {
        let start = Instant::now();
        let mut egress = Egress::new(Plain::default(), "hub", start);
        egress.negotiated(vec![audio_stream(AUDIO), video_stream(VIDEO, Some(RTX))], Some(5));
        let layers = vec![150_000, 400_000, 1_200_000, 2_500_000];
        egress.want(2_700_000);
        Self {
            egress,
            line,
            layers,
            sends_feedback: true,
            sends_nacks: true,
            estimates: Vec::new(),
            numbers: Vec::new(),
            lost: 0,
            overflows: 0,
            sent_video: 0,
            start,
            now: 0,
            rng: StdRng::seed_from_u64(seed),
            viewer: Viewer::default(),
            line_free: 0,
            last_arrival: 0,
            on_the_way: VecDeque::new(),
            back: VecDeque::new(),
            sequence: 1_000,
            audio_sequence: 1_000,
            pushed: VecDeque::new(),
            waited: Vec::new(),
        }
    }

    /// Runs in steps of a millisecond.
    pub fn run(&mut self, seconds: f64) {
        let end = self.now + (seconds * 1_000_000.0) as i64;
        while self.now < end {
            self.now += 1_000;
            self.publish();
            self.feed_back();
            let now = self.instant();
            let mut rounds = 0;
            loop {
                while let Some(datagram) = self.egress.poll_transmit(now) {
                    self.carry(datagram.to_vec());
                }
                if self.egress.deadline(now) > now {
                    break;
                }
                self.egress.tick(now);
                rounds += 1;
                assert!(rounds < 5, "who waits for the deadline would spin");
            }
            while let Some(event) = self.egress.poll_event() {
                self.overflows += u64::from(matches!(event, EgressEvent::Overflow(_)));
            }
            self.deliver();
            if self.now % 100_000 == 0 {
                self.estimates.push(self.egress.estimate());
            }
        }
    }

    pub fn hear_remb(&mut self, rate: u64) {
        let now = self.instant();
        let remb = ReceiverEstimatedMaximumBitrate { sender_ssrc: 7, bitrate: rate as f32, ssrcs: vec![VIDEO] };
        self.egress.rtcp(&rtc::rtcp::packet::marshal(&[Box::new(remb) as Box<dyn Rtcp>]).unwrap(), now);
    }

    /// So many of a hundred video packets of the last `seconds` waited no longer for the pacer; microseconds.
    pub fn waited(&self, percent: usize, seconds: usize) -> i64 {
        let mut last = self.waited[self.waited.len().saturating_sub(seconds * 300)..].to_vec();
        last.sort_unstable();
        last[(last.len() - 1) * percent / 100]
    }

    /// Estimates of the last so many seconds.
    pub fn last(&self, seconds: f64) -> &[u64] {
        let count = (seconds * 10.0) as usize;
        &self.estimates[self.estimates.len().saturating_sub(count)..]
    }

    pub fn mean(&self, seconds: f64) -> u64 {
        let last = self.last(seconds);
        last.iter().sum::<u64>() / last.len() as u64
    }

    /// The share of video packets that are with the viewer, of those sent more than a second ago.
    pub fn video_share(&self) -> f64 {
        self.viewer.video.len() as f64 / self.sent_video as f64
    }

    pub fn audio_share(&self) -> f64 {
        self.viewer.audio.len() as f64 / f64::from(self.audio_sequence - 1_000)
    }

    fn instant(&self) -> Instant {
        self.start + Duration::from_micros(self.now as u64)
    }

    fn publish(&mut self) {
        let now = self.instant();
        if self.now % 20_000 == 0 {
            let sound = OutPacket {
                timestamp: (self.now / 20_000 * 960) as u32,
                ..packet(AUDIO, self.audio_sequence, 80, Class::Audio)
            };
            self.audio_sequence += 1;
            self.egress.push(sound, now);
        }
        if self.now % 33_000 == 0 {
            let estimate = self.egress.estimate().saturating_sub(60_000);
            let lowest = self.layers[0];
            let rate = self.layers.iter().copied().filter(|rate| *rate <= estimate).max().unwrap_or(lowest);
            let size = (rate as f64 * 0.033 / 8.0 * self.rng.random_range(0.8..1.2)) as usize;
            let packets = size.div_ceil(1_150).max(1);
            for index in 0..packets {
                let part = OutPacket {
                    timestamp: (self.now / 1_000 * 90) as u32,
                    marker: index + 1 == packets,
                    ..packet(VIDEO, self.sequence, size / packets, Class::Video)
                };
                self.sequence = self.sequence.wrapping_add(1);
                self.sent_video += 1;
                self.pushed.push_back(self.now);
                self.egress.push(part, now);
            }
        }
    }

    fn carry(&mut self, datagram: Vec<u8>) {
        let is_rtcp = (192..=223).contains(&datagram[1]);
        if !is_rtcp {
            self.numbers.push(u16::from_be_bytes([datagram[17], datagram[18]]));
            if u32::from_be_bytes(datagram[8..12].try_into().unwrap()) == VIDEO {
                self.waited.extend(self.pushed.pop_front().map(|pushed| self.now - pushed));
            }
        }
        if self.rng.random_bool(self.line.loss) {
            self.lost += u64::from(!is_rtcp);
            return;
        }
        let bits = (datagram.len() as i64 + 28) * 8;
        let free = self.line_free.max(self.now);
        if free - self.now > self.line.queue {
            self.lost += u64::from(!is_rtcp);
            return;
        }
        self.line_free = free + bits * 1_000_000 / self.line.capacity as i64;
        let jitter = if self.line.jitter > 0 { self.rng.random_range(0..self.line.jitter) } else { 0 };
        let arrival = (self.line_free + self.line.delay + jitter).max(self.last_arrival + 1);
        self.last_arrival = arrival;
        self.on_the_way.push_back((arrival, datagram));
    }

    fn deliver(&mut self) {
        while self.on_the_way.front().is_some_and(|(at, _)| *at <= self.now) {
            let (at, datagram) = self.on_the_way.pop_front().unwrap();
            self.viewer.take(&datagram, at);
        }
        if self.now % 50_000 == 0 && self.sends_feedback {
            let feedback = self.viewer.transport_feedback();
            self.answer(feedback);
        }
        if self.now % 20_000 == 0 && self.sends_nacks {
            let nack = self.viewer.nack(self.now);
            self.answer(nack);
        }
        if self.now % 1_000_000 == 0 {
            let report = self.viewer.report(self.now);
            self.answer(report);
        }
    }

    fn answer(&mut self, message: Option<Box<dyn Rtcp>>) {
        if let Some(message) = message {
            let bytes = rtc::rtcp::packet::marshal(&[message]).unwrap();
            self.back.push_back((self.now + self.line.delay, bytes.to_vec()));
        }
    }

    fn feed_back(&mut self) {
        while self.back.front().is_some_and(|(at, _)| *at <= self.now) {
            let (_, bytes) = self.back.pop_front().unwrap();
            let now = self.instant();
            self.egress.rtcp(&bytes, now);
        }
    }
}

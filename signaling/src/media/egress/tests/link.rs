//! A viewer at the end of a simulated line, in virtual time and with a fixed seed.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "a simulation of seconds and kilobytes stays far from every limit"
)]

use super::{Plain, SLOT, audio_stream, packet, video_stream};
use crate::media::egress::{Class, Egress, EgressEvent, OutPacket};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use rtc::rtcp::packet::Packet as Rtcp;
use rtc::rtcp::payload_feedbacks::receiver_estimated_maximum_bitrate::ReceiverEstimatedMaximumBitrate;
use rtc::rtcp::receiver_report::ReceiverReport;
use rtc::rtcp::reception_report::ReceptionReport;
use rtc::rtcp::transport_feedbacks::transport_layer_cc::{
    PacketStatusChunk, RecvDelta, StatusChunkTypeTcc, StatusVectorChunk, SymbolSizeTypeTcc, SymbolTypeTcc,
    TransportLayerCc,
};
use rtc::rtcp::transport_feedbacks::transport_layer_nack::{TransportLayerNack, nack_pairs_from_sequence_numbers};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};

pub const AUDIO: u32 = 1;
pub const VIDEO: u32 = SLOT;
const RTX: u32 = SLOT + 1;

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

/// What the viewer keeps of the packets it got.
#[derive(Debug, Default)]
struct Viewer {
    arrived: BTreeMap<u64, i64>,
    highest: Option<u64>,
    told_up_to: Option<u64>,
    feedback_count: u8,
    /// Extended sequence numbers of the video.
    video: BTreeSet<u64>,
    /// Those that did not need a second try.
    first_time: u64,
    video_highest: Option<u64>,
    missing: BTreeMap<u64, (i64, u8)>,
    audio: BTreeSet<u16>,
    last_report: Option<(u32, i64)>,
    reported: (u64, u64),
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

impl Viewer {
    fn take(&mut self, datagram: &[u8], at: i64) {
        let word = |place: usize| u32::from_be_bytes(datagram[place..place + 4].try_into().unwrap());
        if datagram[1] == 200 {
            self.last_report = Some((word(10), at));
            return;
        }
        let number = extend(self.highest, u16::from_be_bytes([datagram[17], datagram[18]]));
        self.highest = self.highest.max(Some(number));
        self.arrived.insert(number, at);
        let sequence = u16::from_be_bytes([datagram[2], datagram[3]]);
        match word(8) {
            AUDIO => _ = self.audio.insert(sequence),
            VIDEO => {
                self.first_time += 1;
                self.take_video(sequence, at);
            }
            RTX if datagram[0] & 0x20 == 0 => {
                self.take_video(u16::from_be_bytes([datagram[20], datagram[21]]), at);
            }
            _ => (),
        }
    }

    fn take_video(&mut self, sequence: u16, at: i64) {
        let sequence = extend(self.video_highest, sequence);
        if let Some(highest) = self.video_highest {
            for missing in highest + 1..sequence {
                self.missing.insert(missing, (at, 0));
            }
        }
        self.video_highest = self.video_highest.max(Some(sequence));
        self.missing.remove(&sequence);
        self.video.insert(sequence);
    }

    fn nack(&mut self, now: i64) -> Option<Box<dyn Rtcp>> {
        self.missing.retain(|_, (_, tries)| *tries < 10);
        let mut sequences = Vec::new();
        for (sequence, (asked, tries)) in &mut self.missing {
            if *tries == 0 || now - *asked > 60_000 {
                *tries += 1;
                *asked = now;
                sequences.push(*sequence as u16);
            }
        }
        let nacks = nack_pairs_from_sequence_numbers(&sequences);
        (!nacks.is_empty()).then(|| Box::new(TransportLayerNack { sender_ssrc: 7, media_ssrc: VIDEO, nacks }) as _)
    }

    fn transport_feedback(&mut self) -> Option<Box<dyn Rtcp>> {
        let highest = self.highest?;
        let base = self.told_up_to.map_or_else(|| *self.arrived.keys().next().unwrap(), |told| told + 1);
        if base > highest {
            return None;
        }
        self.told_up_to = Some(highest);
        let first = *self.arrived.range(base..).next()?.1;
        let reference = first / 64_000;
        let mut before = reference * 64_000;
        let (mut symbols, mut recv_deltas) = (Vec::new(), Vec::new());
        for number in base..=highest {
            let Some(at) = self.arrived.get(&number) else {
                symbols.push(SymbolTypeTcc::PacketNotReceived);
                continue;
            };
            let delta = (at - before) / 250 * 250;
            before += delta;
            let is_small = (0..=63_750).contains(&delta);
            let type_tcc_packet = if is_small {
                SymbolTypeTcc::PacketReceivedSmallDelta
            } else {
                SymbolTypeTcc::PacketReceivedLargeDelta
            };
            symbols.push(type_tcc_packet);
            recv_deltas.push(RecvDelta { type_tcc_packet, delta });
        }
        let chunks = symbols.chunks(7).map(|seven| {
            let mut symbol_list = seven.to_vec();
            symbol_list.resize(7, SymbolTypeTcc::PacketNotReceived);
            PacketStatusChunk::StatusVectorChunk(StatusVectorChunk {
                type_tcc: StatusChunkTypeTcc::StatusVectorChunk,
                symbol_size: SymbolSizeTypeTcc::TwoBit,
                symbol_list,
            })
        });
        self.feedback_count = self.feedback_count.wrapping_add(1);
        Some(Box::new(TransportLayerCc {
            sender_ssrc: 7,
            media_ssrc: VIDEO,
            base_sequence_number: base as u16,
            packet_status_count: symbols.len() as u16,
            reference_time: (reference & 0xff_ffff) as u32,
            fb_pkt_count: self.feedback_count,
            packet_chunks: chunks.collect(),
            recv_deltas,
        }))
    }

    fn report(&mut self, now: i64) -> Option<Box<dyn Rtcp>> {
        let highest = self.video_highest?;
        let got = self.first_time;
        let (last_highest, last_got) = std::mem::replace(&mut self.reported, (highest, got));
        let expected = highest.saturating_sub(last_highest).max(1);
        let lost = expected.saturating_sub(got - last_got);
        let (last_sender_report, delay) =
            self.last_report.map_or((0, 0), |(middle, at)| (middle, ((now - at) * 65_536 / 1_000_000) as u32));
        let reception = ReceptionReport {
            ssrc: VIDEO,
            fraction_lost: (lost * 256 / expected).min(255) as u8,
            last_sequence_number: highest as u32,
            last_sender_report,
            delay,
            ..ReceptionReport::default()
        };
        Some(Box::new(ReceiverReport { ssrc: 7, reports: vec![reception], ..ReceiverReport::default() }))
    }
}

fn extend(highest: Option<u64>, number: u16) -> u64 {
    let Some(highest) = highest else { return u64::from(number) + 65_536 };
    let ahead = number.wrapping_sub(highest as u16) as i16;
    highest.saturating_add_signed(i64::from(ahead))
}

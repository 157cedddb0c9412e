//! The way out to one viewer: from packets whose numbers are already the viewer's own to sealed datagrams, at the rate its way carries.
//!
//! * [`pacer`] holds what waits; sound overtakes. [`wire`] writes headers, the [`Seal`] encrypts.
//! * [`history`] answers NACKs, within a budget; [`report`] tells the clocks and measures the round trip; [`feedback`] reads what the viewer says.
//! * The estimate itself is made in [`super::bandwidth`].
//!
//! No I/O and no clock of its own: `now` is an argument, and what may leave is fetched by [`Egress::poll_transmit`].
//!
//! Memory of one viewer: at most 512 packets wait (and their payloads' bytes for 250 ms), 512 are kept a stream for a second, 4,096 short
//! records await feedback.

mod feedback;
mod history;
mod pacer;
mod report;
mod wire;

use super::bandwidth::{Estimator, Limits, micros_between};
use bytes::{Bytes, BytesMut};
use feedback::Message;
use history::{Again, History};
use pacer::{Pacer, Resend};
use report::{Reception, Reporter};
use rtc::rtcp::packet::Packet;
use rtc::rtcp::sender_report::SenderReport;
use rtc::rtcp::source_description::{SdesType, SourceDescription, SourceDescriptionChunk, SourceDescriptionItem};
use std::collections::VecDeque;
use std::time::{Duration, Instant};
use wire::{Head, Writer};

/// Resends may take this share of the estimate for good, and this share of a second's worth at once: together a fifth in any second.
const RESEND_SHARE: f64 = 0.12;
const RESEND_BURST: f64 = 0.08;
/// … but always so many bytes at once.
const SMALLEST_RESEND_BURST: f64 = 6_000.0;
/// Nothing is sent again while the queue is longer than this, in microseconds.
const RESEND_QUEUE: i64 = 100_000;
/// Reports in one RTCP datagram (28 bytes each and a name of up to 40): they fit 1,200 bytes.
const REPORTS_TOGETHER: usize = 16;
/// Sealed RTCP that nobody fetched.
const MOST_CONTROL: usize = 16;
/// Events that nobody fetched.
const MOST_EVENTS: usize = 64;
/// Without anything to do, one looks again after this.
const IDLE: Duration = Duration::from_secs(1);

/// Encrypts for one viewer (SRTP). None when the key is used up.
pub(crate) trait Seal {
    /// `packet` is the whole packet; `header` its header, of which only the size, the SSRC and the sequence number matter.
    fn seal_rtp(&mut self, header: &rtc::rtp::Header, packet: &[u8]) -> Option<BytesMut>;
    fn seal_rtcp(&mut self, compound: &[u8]) -> Option<BytesMut>;
}

/// What a packet is, for who goes first and who is dropped last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    Audio,
    Video,
    Screen,
}

/// One packet for one viewer, its numbers already rewritten.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct OutPacket {
    pub ssrc: u32,
    pub payload_type: u8,
    pub sequence: u16,
    pub timestamp: u32,
    pub marker: bool,
    /// Shared with the other viewers; copied only into the datagram.
    pub payload: Bytes,
    /// When the publisher sampled it, by its own clock (NTP, 32.32 bits).
    pub captured: Option<u64>,
    pub class: Class,
}

/// A stream that was negotiated with the viewer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Stream {
    pub ssrc: u32,
    /// Ticks of the RTP clock in a second.
    pub clock_rate: u32,
    /// The retransmission stream's SSRC, and its payload type for each of the media's (RFC 4588).
    pub rtx: Option<(u32, Vec<(u8, u8)>)>,
    pub is_audio: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EgressEvent {
    /// The viewer cannot decode this stream (SSRC) without a whole picture.
    KeyframeWanted(u32),
    /// More came for the viewer than its way carries, and a picture of this stream (SSRC) was dropped: lower its layer, ask for a key frame.
    Overflow(u32),
}

#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct EgressStats {
    /// Everything that was sealed, resends and probes included.
    pub sent_packets: u64,
    /// Datagram bytes, without IP and UDP.
    pub sent_bytes: u64,
    pub resent: u64,
    /// Padding that was sent to find out whether more goes through.
    pub probes: u64,
    /// Dropped because the queue was full.
    pub dropped: u64,
    /// Not sent: unknown stream, number used before or far too late, or the key is used up.
    pub refused: u64,
    /// 0 to 1, as the viewer tells.
    pub loss: f64,
    pub rtt_ms: Option<f64>,
    /// Bits a second.
    pub estimate: u64,
    pub queue_ms: f64,
}

#[derive(Debug)]
pub(crate) struct Egress<S> {
    sealer: S,
    cname: Bytes,
    epoch: Instant,
    streams: Vec<Outgoing>,
    writer: Writer,
    transport_cc: Option<u8>,
    pacer: Pacer,
    estimator: Estimator,
    resend_budget: Budget,
    control: VecDeque<BytesMut>,
    events: VecDeque<EgressEvent>,
    /// When the next sender report is due, microseconds.
    next_report: Option<i64>,
    stats: EgressStats,
}

/// One stream's state.
#[derive(Debug)]
struct Outgoing {
    stream: Stream,
    rtx_sequence: u16,
    last_payload_type: u8,
    history: History,
    reporter: Reporter,
    reception: Reception,
}

impl<S: Seal> Egress<S> {
    pub fn new(sealer: S, cname: &str, now: Instant) -> Self {
        Self::with_limits(sealer, cname, Limits::default(), now)
    }

    pub fn with_limits(sealer: S, cname: &str, limits: Limits, now: Instant) -> Self {
        let estimator = Estimator::new(limits, 0);
        Self {
            sealer,
            cname: Bytes::copy_from_slice(cname.as_bytes()),
            epoch: now,
            streams: Vec::new(),
            writer: Writer::new(None),
            transport_cc: None,
            pacer: Pacer::new(estimator.pace()),
            resend_budget: Budget::default(),
            estimator,
            control: VecDeque::new(),
            events: VecDeque::new(),
            next_report: None,
            stats: EgressStats::default(),
        }
    }

    /// What may be sent from now on. Streams that stay keep their state; `transport_cc` is the id of that header extension.
    pub fn negotiated(&mut self, streams: Vec<Stream>, transport_cc: Option<u8>) {
        let transport_cc = transport_cc.filter(|id| *id != 0 && *id != 15);
        let mut known = std::mem::take(&mut self.streams);
        if transport_cc != self.transport_cc {
            self.transport_cc = transport_cc;
            self.writer = Writer::new(transport_cc);
            // Datagrams that are kept carry the old id.
            for outgoing in &mut known {
                outgoing.history = History::new(outgoing.stream.is_audio);
            }
        }
        self.streams = streams
            .into_iter()
            .map(|stream| {
                let place = known.iter().position(|outgoing| outgoing.stream.ssrc == stream.ssrc);
                match place.map(|place| known.swap_remove(place)) {
                    Some(outgoing) => Outgoing { stream, ..outgoing },
                    None => Outgoing::new(stream),
                }
            })
            .collect();
        let streams = &self.streams;
        self.pacer.retain(|ssrc| streams.iter().any(|outgoing| outgoing.stream.ssrc == ssrc));
    }

    pub fn push(&mut self, packet: OutPacket, _now: Instant) {
        if self.pacer.push(packet).is_some() {
            self.stats.dropped += 1;
        }
        while self.pacer.is_overfull() {
            let Some((ssrc, packets)) = self.pacer.drop_oldest_picture() else { break };
            self.stats.dropped += packets;
            self.report_event(EgressEvent::Overflow(ssrc));
        }
    }

    /// What the viewer says. Resends are queued, the estimate follows; the rest is for the plane.
    pub fn rtcp(&mut self, compound: &[u8], now: Instant) -> Vec<EgressEvent> {
        let now = self.micros(now);
        feedback::each(compound, |message| match message {
            Message::Nack(ssrc, sequence) => self.asked_again(ssrc, sequence, now),
            Message::TransportCc(feedback) => self.estimator.feedback(&feedback, now),
            Message::Remb(rate) => self.estimator.remb(rate),
            Message::Keyframe(ssrc) => {
                if self.streams.iter().any(|outgoing| outgoing.stream.ssrc == ssrc) {
                    self.report_event(EgressEvent::KeyframeWanted(ssrc));
                }
            }
            Message::Reception(report) => {
                let Some(outgoing) = find(&mut self.streams, report.ssrc) else { return };
                let reporter = &outgoing.reporter;
                if let Some(round_trip) = reporter.round_trip(report.last_sender_report, report.delay, now) {
                    self.estimator.round_trip_reported(round_trip);
                }
                let reception = &mut outgoing.reception;
                if let Some((expected, lost)) = reception.since(report.last_sequence_number, report.fraction_lost) {
                    self.estimator.reported(expected, lost, now);
                }
            }
        });
        self.pacer.set_rate(self.estimator.pace());
        self.events.drain(..).collect()
    }

    /// The next datagram that may leave now, sealed.
    pub fn poll_transmit(&mut self, now: Instant) -> Option<BytesMut> {
        if let Some(control) = self.control.pop_front() {
            return Some(control);
        }
        let now = self.micros(now);
        while let Some(packet) = self.pacer.pop_audio() {
            let sent = self.transmit(packet, now);
            if sent.is_some() {
                return sent;
            }
        }
        while self.pacer.has_paced() {
            if !self.pacer.is_free(now) {
                return None;
            }
            let sent = if let Some(resend) = self.pacer.pop_resend() {
                self.resend(resend, now)
            } else if let Some(packet) = self.pacer.pop_video() {
                self.transmit(packet, now)
            } else {
                None
            };
            if sent.is_some() {
                return sent;
            }
        }
        if self.estimator.wants_padding(now) { self.pad(now) } else { None }
    }

    /// Does what time demands: sender reports, probes, the answer to silence.
    pub fn tick(&mut self, now: Instant) {
        let now = self.micros(now);
        self.estimator.tick(now);
        self.pacer.set_rate(self.estimator.pace());
        if self.next_report.is_some_and(|due| due <= now) {
            self.send_reports(now);
        }
    }

    /// When to call [`Self::tick`] and [`Self::poll_transmit`] next. In the past when something waits that may leave at once.
    pub fn deadline(&self, now: Instant) -> Instant {
        if !self.control.is_empty() || self.pacer.has_audio() {
            return now;
        }
        // While pictures wait, they and not padding fill a probe.
        let paced = if self.pacer.has_paced() { Some(self.pacer.free_at()) } else { self.estimator.padding_due() };
        let due = self.next_report.into_iter().chain(paced).chain(self.estimator.due()).min();
        let Some(due) = due.and_then(|due| u64::try_from(due).ok()) else { return now + IDLE };
        (self.epoch + Duration::from_micros(due)).min(now + IDLE)
    }

    /// What the viewer could use in all, bits/s: above the estimate it is probed for. 0 stops that.
    pub fn want(&mut self, rate: u64) {
        self.estimator.want(rate);
    }

    /// What the viewer's way carries in all, bits/s, IP and UDP headers included.
    pub fn estimate(&self) -> u64 {
        self.estimator.estimate()
    }

    /// Something for the plane that did not come by [`Self::rtcp`].
    pub fn poll_event(&mut self) -> Option<EgressEvent> {
        self.events.pop_front()
    }

    pub fn stats(&self) -> EgressStats {
        EgressStats {
            loss: self.estimator.loss(),
            rtt_ms: self.estimator.known_round_trip().map(|micros| micros as f64 / 1_000.0),
            estimate: self.estimate(),
            queue_ms: self.pacer.queue_time() as f64 / 1_000.0,
            ..self.stats
        }
    }

    fn micros(&self, now: Instant) -> i64 {
        micros_between(self.epoch, now)
    }

    fn transmit(&mut self, packet: OutPacket, now: i64) -> Option<BytesMut> {
        let outgoing = find(&mut self.streams, packet.ssrc).filter(|outgoing| outgoing.history.admits(packet.sequence));
        let Some(outgoing) = outgoing else {
            self.stats.refused += 1;
            return None;
        };
        let head = Head {
            ssrc: packet.ssrc,
            payload_type: packet.payload_type,
            sequence: packet.sequence,
            timestamp: packet.timestamp,
            marker: packet.marker,
            is_padding: false,
        };
        let number = self.estimator.next_number();
        self.writer.begin(head, number);
        self.writer.buffer.extend_from_slice(&packet.payload);
        let Some(sealed) = self.sealer.seal_rtp(self.writer.header(), &self.writer.buffer) else {
            self.stats.refused += 1;
            return None;
        };
        let octets = packet.payload.len();
        let clock_rate = outgoing.stream.clock_rate;
        if outgoing.reporter.sent(packet.timestamp, packet.captured, octets, clock_rate, now) {
            self.next_report = Some(now);
        }
        outgoing.last_payload_type = packet.payload_type;
        let again = if outgoing.rtx_type(packet.payload_type).is_some() {
            let OutPacket { payload, timestamp, payload_type, marker, .. } = packet;
            Again::Wrapped { payload, timestamp, payload_type, marker }
        } else {
            let number = self.writer.is_numbered().then_some(number);
            Again::Sealed { datagram: Bytes::copy_from_slice(&sealed), number }
        };
        outgoing.history.keep(packet.sequence, again, now);
        self.count_sent(sealed.len(), now);
        Some(sealed)
    }

    fn asked_again(&mut self, ssrc: u32, sequence: u16, now: i64) {
        if self.pacer.queue_time() > RESEND_QUEUE {
            return;
        }
        let Some(outgoing) = find(&mut self.streams, ssrc) else { return };
        let Some(size) = outgoing.history.ask(sequence, self.estimator.round_trip(), now) else { return };
        let rate = self.estimator.estimate() as f64 / 8.0;
        if self.resend_budget.spend(size + wire::HEADER, rate, now) && self.pacer.push_resend(Resend { ssrc, sequence })
        {
            outgoing.history.tried(sequence, now);
        }
    }

    fn resend(&mut self, resend: Resend, now: i64) -> Option<BytesMut> {
        let outgoing = find(&mut self.streams, resend.ssrc)?;
        let sealed = match &outgoing.history.find(resend.sequence)?.again {
            Again::Sealed { datagram, number } => {
                self.stats.sent_packets += 1;
                self.stats.sent_bytes += datagram.len() as u64;
                self.pacer.sent(datagram.len(), now);
                self.estimator.sent_again(*number, datagram.len(), now);
                BytesMut::from(&datagram[..])
            }
            Again::Wrapped { payload, timestamp, payload_type, marker } => {
                let (ssrc, payload_type) = outgoing.rtx_type(*payload_type)?;
                let head = Head {
                    ssrc,
                    payload_type,
                    sequence: outgoing.rtx_sequence,
                    timestamp: *timestamp,
                    marker: *marker,
                    is_padding: false,
                };
                self.writer.begin(head, self.estimator.next_number());
                self.writer.buffer.extend_from_slice(&resend.sequence.to_be_bytes());
                self.writer.buffer.extend_from_slice(payload);
                let sealed = self.sealer.seal_rtp(self.writer.header(), &self.writer.buffer)?;
                outgoing.rtx_sequence = outgoing.rtx_sequence.wrapping_add(1);
                self.count_sent(sealed.len(), now);
                sealed
            }
        };
        self.stats.resent += 1;
        Some(sealed)
    }

    /// Padding on a retransmission stream, which carries nothing and so disturbs nothing.
    fn pad(&mut self, now: i64) -> Option<BytesMut> {
        let number = self.estimator.next_number();
        let usable = self.streams.iter_mut().filter(|outgoing| outgoing.reporter.packets() > 0).find_map(|outgoing| {
            let (ssrc, payload_type) = outgoing.rtx_type(outgoing.last_payload_type)?;
            Some((ssrc, payload_type, outgoing))
        });
        let Some((ssrc, payload_type, outgoing)) = usable.filter(|_| self.writer.is_numbered()) else {
            self.estimator.cannot_pad(now);
            return None;
        };
        let head = Head {
            ssrc,
            payload_type,
            sequence: outgoing.rtx_sequence,
            timestamp: outgoing.reporter.last_timestamp(),
            marker: false,
            is_padding: true,
        };
        outgoing.rtx_sequence = outgoing.rtx_sequence.wrapping_add(1);
        self.writer.begin(head, number);
        let padding = wire::MOST_PADDING;
        self.writer.buffer.resize(wire::HEADER + usize::from(padding) - 1, 0);
        self.writer.buffer.push(padding);
        let Some(sealed) = self.sealer.seal_rtp(self.writer.header(), &self.writer.buffer) else {
            self.estimator.cannot_pad(now);
            return None;
        };
        self.stats.probes += 1;
        self.count_sent(sealed.len(), now);
        Some(sealed)
    }

    fn count_sent(&mut self, bytes: usize, now: i64) {
        self.stats.sent_packets += 1;
        self.stats.sent_bytes += bytes as u64;
        self.pacer.sent(bytes, now);
        if self.writer.is_numbered() {
            self.estimator.sent(bytes, now);
        } else {
            self.estimator.sent_unnumbered(bytes);
        }
    }

    fn send_reports(&mut self, now: i64) {
        let mut reports = Vec::new();
        for outgoing in &mut self.streams {
            outgoing.history.forget(now);
            reports.extend(outgoing.reporter.report(outgoing.stream.ssrc, outgoing.stream.clock_rate, now));
        }
        self.next_report = self.streams.iter().filter_map(|outgoing| outgoing.reporter.due()).min();
        for together in reports.chunks(REPORTS_TOGETHER) {
            let sealed = compound(together, &self.cname).and_then(|compound| self.sealer.seal_rtcp(&compound));
            if let Some(sealed) = sealed
                && self.control.len() < MOST_CONTROL
            {
                self.control.push_back(sealed);
            }
        }
    }

    fn report_event(&mut self, event: EgressEvent) {
        if self.events.len() < MOST_EVENTS && !self.events.contains(&event) {
            self.events.push_back(event);
        }
    }
}

impl Outgoing {
    fn new(stream: Stream) -> Self {
        Self {
            rtx_sequence: rand::random::<u16>() >> 1,
            last_payload_type: 0,
            history: History::new(stream.is_audio),
            reporter: Reporter::new(),
            reception: Reception::default(),
            stream,
        }
    }

    /// The retransmission stream's SSRC and its payload type for this one of the media.
    fn rtx_type(&self, payload_type: u8) -> Option<(u32, u8)> {
        let (ssrc, types) = self.stream.rtx.as_ref()?;
        types.iter().find(|(media, _)| *media == payload_type).map(|(_, rtx)| (*ssrc, *rtx))
    }
}

/// A token bucket in bytes.
#[derive(Debug, Default)]
struct Budget {
    left: f64,
    filled: Option<i64>,
}

impl Budget {
    /// `rate` is the whole way's, in bytes/s.
    fn spend(&mut self, bytes: usize, rate: f64, now: i64) -> bool {
        let most = (RESEND_BURST * rate).max(SMALLEST_RESEND_BURST);
        self.left = match self.filled.replace(now) {
            None => most,
            Some(filled) => (self.left + RESEND_SHARE * rate * (now - filled) as f64 / 1_000_000.0).min(most),
        };
        let bytes = bytes as f64;
        let has_enough = self.left >= bytes;
        if has_enough {
            self.left -= bytes;
        }
        has_enough
    }
}

fn find(streams: &mut [Outgoing], ssrc: u32) -> Option<&mut Outgoing> {
    streams.iter_mut().find(|outgoing| outgoing.stream.ssrc == ssrc)
}

/// The reports and whose they are (RFC 3550, section 6.1: no compound without a name).
fn compound(reports: &[SenderReport], cname: &Bytes) -> Option<BytesMut> {
    let chunks = reports.iter().map(|report| SourceDescriptionChunk {
        source: report.ssrc,
        items: vec![SourceDescriptionItem { sdes_type: SdesType::SdesCname, text: cname.clone() }],
    });
    let names = SourceDescription { chunks: chunks.collect() };
    let reports = reports.iter().map(|report| Box::new(report.clone()) as Box<dyn Packet>);
    let packets: Vec<Box<dyn Packet>> = reports.chain([Box::new(names) as Box<dyn Packet>]).collect();
    rtc::rtcp::packet::marshal(&packets).ok()
}

#[cfg(test)]
mod tests;

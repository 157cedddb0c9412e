//! The way out to one viewer: from packets whose numbers are already the viewer's own to sealed datagrams, at the rate its way carries.
//!
//! * [`pacer`] holds what waits; sound overtakes. [`send`] makes datagrams of it: [`wire`] writes headers, the [`Seal`] encrypts.
//! * [`history`] answers NACKs, within a budget; [`report`] tells the clocks and measures the round trip; [`feedback`] reads what the viewer says.
//! * The estimate itself is made in [`super::bandwidth`].
//!
//! No I/O and no clock of its own: `now` is an argument, and what may leave is fetched by [`Egress::poll_transmit`].
//!
//! Memory of one viewer: at most 512 packets wait (and no more bytes than leave in 250 ms), at most 512 are kept a stream for at most a
//! second (72 bytes each; payloads are shared, sealed datagrams of streams without retransmission are not), and 4,096 records of 24 bytes
//! await feedback.

mod feedback;
mod history;
mod pacer;
mod report;
mod send;
mod streams;
mod wire;

use super::bandwidth::{Estimator, Limits, micros_between};
use bytes::{Bytes, BytesMut};
use feedback::Message;
use pacer::{Pacer, Resend};
use std::collections::VecDeque;
use std::time::{Duration, Instant};
use streams::{Budget, Outgoing, Streams};
use wire::Writer;

/// Nothing is sent again while the queue is longer than this, in microseconds.
const RESEND_QUEUE: i64 = 100_000;
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
    streams: Streams,
    writer: Writer,
    transport_cc: Option<u8>,
    pacer: Pacer,
    estimator: Estimator,
    resend_budget: Budget,
    control: VecDeque<BytesMut>,
    events: VecDeque<EgressEvent>,
    /// When the next sender report is due, microseconds.
    next_report: Option<i64>,
    /// When anything is due, microseconds ([`Self::deadline`] is asked for far more often than this changes).
    due: i64,
    stats: EgressStats,
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
            streams: Streams::default(),
            writer: Writer::new(None),
            transport_cc: None,
            pacer: Pacer::new(estimator.pace()),
            resend_budget: Budget::default(),
            estimator,
            control: VecDeque::new(),
            events: VecDeque::new(),
            next_report: None,
            due: i64::MAX,
            stats: EgressStats::default(),
        }
    }

    /// What may be sent from now on. Streams that stay keep their state; an SSRC that was left out must not come back, for its numbers are
    /// forgotten and the key is the same; `transport_cc` is the id of that header extension.
    pub fn negotiated(&mut self, streams: Vec<Stream>, transport_cc: Option<u8>) {
        let transport_cc = transport_cc.filter(|id| *id != 0 && *id != 15);
        let mut known = std::mem::take(&mut self.streams).all;
        if transport_cc != self.transport_cc {
            self.transport_cc = transport_cc;
            self.writer = Writer::new(transport_cc);
            // Datagrams that are kept carry the old id.
            for outgoing in &mut known {
                outgoing.history.clear();
            }
        }
        for stream in streams {
            let place = known.iter().position(|outgoing| outgoing.stream.ssrc == stream.ssrc);
            self.streams.push(match place.map(|place| known.swap_remove(place)) {
                Some(outgoing) => Outgoing { stream, ..outgoing },
                None => Outgoing::new(stream),
            });
        }
        let streams = &self.streams;
        self.pacer.retain(|ssrc| streams.has(ssrc));
        self.plan();
    }

    pub fn push(&mut self, packet: OutPacket, now: Instant) {
        self.due = self.due.min(self.micros(now));
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
                if self.streams.has(ssrc) {
                    self.report_event(EgressEvent::KeyframeWanted(ssrc));
                }
            }
            Message::Reception(report) => {
                let Some(outgoing) = self.streams.find(report.ssrc) else { return };
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
        self.plan();
        self.events.drain(..).collect()
    }

    /// The next datagram that may leave now, sealed.
    pub fn poll_transmit(&mut self, now: Instant) -> Option<BytesMut> {
        let next = self.next_datagram(self.micros(now));
        if next.is_none() {
            self.plan();
        }
        next
    }

    /// Does what time demands: sender reports, probes, the answer to silence.
    pub fn tick(&mut self, now: Instant) {
        let now = self.micros(now);
        self.estimator.tick(now);
        self.pacer.set_rate(self.estimator.pace());
        if self.next_report.is_some_and(|due| due <= now) {
            self.send_reports(now);
        }
        self.plan();
    }

    /// When to call [`Self::tick`] and [`Self::poll_transmit`] next. In the past when something waits that may leave at once.
    pub fn deadline(&self, now: Instant) -> Instant {
        let latest = now + IDLE;
        u64::try_from(self.due)
            .ok()
            .and_then(|due| self.epoch.checked_add(Duration::from_micros(due)))
            .map_or(latest, |due| due.min(latest))
    }

    /// What the viewer could use in all, bits/s: above the estimate it is probed for. 0 stops that.
    pub fn want(&mut self, rate: u64) {
        self.estimator.want(rate);
        self.plan();
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

    /// Works out when something is due next.
    fn plan(&mut self) {
        if !self.control.is_empty() || self.pacer.has_audio() {
            self.due = 0;
            return;
        }
        // While pictures wait, they and not padding fill a probe.
        let paced = if self.pacer.has_paced() { Some(self.pacer.free_at()) } else { self.estimator.padding_due() };
        let due = self.next_report.into_iter().chain(paced).chain(self.estimator.due()).min();
        self.due = due.unwrap_or(i64::MAX).max(0);
    }

    fn asked_again(&mut self, ssrc: u32, sequence: u16, now: i64) {
        if self.pacer.queue_time() > RESEND_QUEUE {
            return;
        }
        let Some(outgoing) = self.streams.find(ssrc) else { return };
        let Some(size) = outgoing.history.ask(sequence, self.estimator.round_trip(), now) else { return };
        let rate = self.estimator.estimate() as f64 / 8.0;
        if self.resend_budget.spend(size + wire::HEADER, rate, now) && self.pacer.push_resend(Resend { ssrc, sequence })
        {
            outgoing.history.tried(sequence, now);
        }
    }

    fn report_event(&mut self, event: EgressEvent) {
        if self.events.len() < MOST_EVENTS && !self.events.contains(&event) {
            self.events.push_back(event);
        }
    }
}

#[cfg(test)]
mod tests;

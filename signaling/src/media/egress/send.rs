//! Header, encryption, bookkeeping: what happens to each packet as it leaves.

use super::history::Again;
use super::pacer::Resend;
use super::wire::{self, Head};
use super::{Egress, OutPacket, Seal};
use bytes::{Bytes, BytesMut};
use rtc::rtcp::packet::Packet;
use rtc::rtcp::sender_report::SenderReport;
use rtc::rtcp::source_description::{SdesType, SourceDescription, SourceDescriptionChunk, SourceDescriptionItem};

/// Reports in one RTCP datagram (28 bytes each and a name of up to 40): they fit 1,200 bytes.
const REPORTS_TOGETHER: usize = 16;
/// Sealed RTCP that nobody fetched.
const MOST_CONTROL: usize = 16;

impl<S: Seal> Egress<S> {
    /// Sound, resends, pictures, padding: the first that is there and may go.
    pub(super) fn next_datagram(&mut self, now: i64) -> Option<BytesMut> {
        if let Some(control) = self.control.pop_front() {
            return Some(control);
        }
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

    fn transmit(&mut self, packet: OutPacket, now: i64) -> Option<BytesMut> {
        let outgoing = self.streams.find(packet.ssrc).filter(|outgoing| outgoing.history.admits(packet.sequence));
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
        outgoing.history.keep(packet.sequence, again, self.estimator.round_trip(), now);
        self.count_sent(sealed.len(), now);
        Some(sealed)
    }

    fn resend(&mut self, resend: Resend, now: i64) -> Option<BytesMut> {
        let outgoing = self.streams.find(resend.ssrc)?;
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
        let usable =
            self.streams.all.iter_mut().filter(|outgoing| outgoing.reporter.packets() > 0).find_map(|outgoing| {
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

    pub(super) fn send_reports(&mut self, now: i64) {
        let mut reports = Vec::new();
        for outgoing in &mut self.streams.all {
            outgoing.history.forget(now);
            reports.extend(outgoing.reporter.report(outgoing.stream.ssrc, outgoing.stream.clock_rate, now));
        }
        self.next_report = self.streams.all.iter().filter_map(|outgoing| outgoing.reporter.due()).min();
        for together in reports.chunks(REPORTS_TOGETHER) {
            let sealed = compound(together, &self.cname).and_then(|compound| self.sealer.seal_rtcp(&compound));
            if let Some(sealed) = sealed
                && self.control.len() < MOST_CONTROL
            {
                self.control.push_back(sealed);
            }
        }
    }
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

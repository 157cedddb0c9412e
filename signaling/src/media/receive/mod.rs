//! A publisher's connection, seen from our side: decrypted RTP and RTCP in, [`MediaPacket`]s and the feedback to the sender out. It decides and does no
//! input or output; the time is an argument.
//!
//! * [`tracks`] tells whose packet it is; [`stream`] keeps one SSRC's numbers ([`sequence`], [`meter`]) and what it lacks ([`missing`]).
//! * [`arrivals`] is the feedback for the sender's bandwidth estimate; [`control`] reads and writes RTCP.
//!
//! Memory is bounded: 16 sections of 4 layers, 16 SSRCs, for each stream 512 holes and 1,024 sequence numbers, 2,048 arrivals for a connection.

mod arrivals;
mod control;
mod meter;
mod missing;
mod sequence;
mod stream;
#[cfg(test)]
mod tests;
mod tracks;

use super::packet::MediaPacket;
use super::sdp::Section;
use crate::message::Kind;
use arrivals::Arrivals;
use bytes::{Buf, Bytes, BytesMut};
use control::Said;
use missing::Limits;
use rtc::rtp::Header;
use std::ops::Range;
use std::time::{Duration, Instant};
use stream::{Counts, Incoming, Stream};
use tracks::{Layer, Tracks, named};

/// Receiver reports go out so often (RFC 3550, 6.2, with the reduced minimum of a small session).
const REPORTS: Duration = Duration::from_secs(1);
/// A layer that was heard so recently is alive; a still screen has few pictures.
const ALIVE: Duration = Duration::from_secs(1);
const SCREEN_ALIVE: Duration = Duration::from_secs(3);

/// How one layer comes in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LayerRate {
    /// As in [`MediaPacket::layer`].
    pub layer: usize,
    /// Empty without simulcast.
    pub rid: String,
    /// Width and height in pixels of the latest key frame, where the codec's headers are read (VP8, H.264).
    pub size: Option<(u16, u16)>,
    /// Over the last second, RTP headers included, padding not.
    pub bits_per_second: u64,
    pub frames_per_second: u64,
    /// Something with a payload came within the last second, of a screen within the last three.
    pub alive: bool,
}

/// What was received since the connection began.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct ReceiveStats {
    /// That came by themselves, each counted once.
    pub packets: u64,
    /// That did not, whether they were recovered later or not.
    pub lost: u64,
    pub recovered: u64,
    pub duplicates: u64,
    /// Packets that we asked for again, counted at each request.
    pub requests: u64,
    /// Of no known stream, or of a form that we do not read.
    pub unknown: u64,
    /// The largest of the streams heard now (RFC 3550, A.8).
    pub jitter_ms: f64,
    /// 0 to 1, over all streams in the second before the last report.
    pub fraction_lost: f64,
    /// From a request to its answer.
    pub round_trip_ms: f64,
}

/// The receiving end of one publisher's connection.
#[derive(Debug)]
pub(crate) struct Receiver {
    tracks: Tracks,
    arrivals: Arrivals,
    limits: Limits,
    /// We send no media; all our RTCP comes from this SSRC.
    sender: u32,
    cname: String,
    next_reports: Instant,
    /// Of the latest packet, for feedback that concerns no stream but has to name one.
    latest: u32,
    unknown: u64,
    /// Expected and come by themselves at the last report, and before.
    lately: (u64, u64),
    fraction_lost: f64,
}

impl Receiver {
    pub fn new(now: Instant) -> Self {
        let sender = rand::random::<u32>().max(1);
        // The connections of a room do not report all at once.
        let spread = Duration::from_millis(u64::from(sender % 1000));
        Self {
            tracks: Tracks::default(),
            arrivals: Arrivals::new(now),
            limits: Limits::new(now),
            sender,
            // RFC 7022: random, and of this connection only.
            cname: format!("{:016x}", rand::random::<u64>()),
            next_reports: now + spread,
            latest: 0,
            unknown: 0,
            lately: (0, 0),
            fraction_lost: 0.0,
        }
    }

    /// After each negotiation. What was learned of SSRCs and layers stays.
    pub fn negotiated(&mut self, sections: &[Section]) {
        self.tracks.negotiated(sections);
    }

    /// A decrypted packet: its header, and all its plain bytes. Layers are numbered as the description names them, until key frames show that it
    /// names the largest picture first.
    ///
    /// None for what nobody needs: padding that closes no gap, probes, repeats, unknown streams.
    pub fn rtp(&mut self, header: &Header, packet: BytesMut, now: Instant) -> Option<(Kind, MediaPacket)> {
        if let Some([high, low]) = named(header, self.tracks.ids().transport) {
            self.arrivals.record(u16::from_be_bytes([*high, *low]), now);
        }
        let taken = self.take(header, packet, now);
        if taken.is_none() {
            self.unknown += 1;
        }
        if taken.is_some() || self.latest == 0 {
            self.latest = header.ssrc;
        }
        taken.flatten()
    }

    /// The outer none: of no known stream.
    fn take(&mut self, header: &Header, mut packet: BytesMut, now: Instant) -> Option<Option<(Kind, MediaPacket)>> {
        let Range { start, end } = payload_of(header, &packet)?;
        packet.truncate(end);
        packet.advance(start);
        let place = self.tracks.place(header, now)?;
        let level = match named(header, self.tracks.ids().level) {
            Some([level, ..]) => Some(level & 0x7f),
            _ => None,
        };
        let track = self.tracks.get(place.track)?;
        let kind = track.section.kind;
        let told = track.codec(header.payload_type);
        let layer = track.layers.get_mut(place.layer)?;
        let codec = match (told, &layer.stream) {
            (Some((codec, repair)), _) if repair == place.repair => codec,
            // Something else on a known SSRC (comfort noise, tones): its number is taken, or it would be missed and asked for.
            (_, Some(stream)) if !place.repair => {
                self.unknown += 1;
                packet.clear();
                stream.codec()
            }
            _ => return None,
        };
        let Header { sequence_number: sequence, timestamp, marker, .. } = *header;
        let mut incoming =
            Incoming { sequence, timestamp, marker, codec, payload: Bytes::new(), level, repair: place.repair };
        let stream = if place.repair {
            // RFC 4588, 4: the number that it had at first stands before the payload. What has nothing behind it is padding.
            let stream = layer.stream.as_mut()?;
            if packet.len() <= 2 {
                return Some(None);
            }
            (incoming.sequence, incoming.level) = (packet.get_u16(), None);
            stream
        } else {
            if layer.stream.as_ref().is_some_and(|stream| stream.ssrc() != header.ssrc) {
                layer.end();
            }
            layer.stream.get_or_insert_with(|| Stream::new(header.ssrc, kind, &incoming, now))
        };
        incoming.payload = packet.freeze();
        let Some(mut taken) = stream.take(incoming, &mut self.limits, now) else { return Some(None) };
        if track.layers.len() > 1 {
            if taken.starts_key_frame {
                track.compare_sizes();
            }
            taken.layer = track.number(place.layer);
        }
        Some(Some((kind, taken)))
    }

    /// A decrypted compound packet of the publisher.
    pub fn rtcp(&mut self, compound: &[u8], now: Instant) {
        control::read(compound, |said| {
            let (Said::Report { ssrc, .. } | Said::Goodbye { ssrc }) = said;
            let Some(stream) = self.tracks.streams_mut().find(|stream| stream.ssrc() == ssrc) else { return };
            match said {
                Said::Report { ntp, timestamp, .. } => stream.clocks(ntp, timestamp, now),
                Said::Goodbye { .. } => stream.goodbye(),
            }
        });
    }

    /// A request for a key frame of this layer (PLI), if anything of it was ever heard. How often is for the caller to limit.
    pub fn keyframe_request(&mut self, kind: Kind, layer: usize) -> Option<Vec<u8>> {
        let stream = self.tracks.current(kind)?.layer(layer)?.stream.as_ref()?;
        Some(control::picture_loss(self.sender, stream.ssrc()))
    }

    /// A packet of this layer is gone for good and no key frame has come since: a key frame has to be asked for. Told once for each time.
    pub fn take_lost(&mut self, kind: Kind, layer: usize) -> bool {
        let layer = self.tracks.current_mut(kind).and_then(|track| track.layer_mut(layer));
        layer.and_then(|layer| layer.stream.as_mut()).is_some_and(Stream::take_lost)
    }

    /// The next compound packet that is due. To be asked until there is none.
    pub fn poll_rtcp(&mut self, now: Instant) -> Option<Vec<u8>> {
        if now < self.deadline() {
            return None;
        }
        let mut out = Vec::new();
        if now >= self.next_reports {
            // After a pause it goes on from now.
            self.next_reports = (self.next_reports + REPORTS).max(now + REPORTS / 2);
            self.report(&mut out, now);
        }
        for stream in self.tracks.streams_mut().filter(|stream| stream.due().is_some_and(|due| due <= now)) {
            // Four bytes each in the worst case, after header and SSRCs.
            let room = control::LONGEST.saturating_sub(out.len() + 12) / 4;
            let wanted = stream.ask(&mut self.limits, room, now);
            if !wanted.is_empty() {
                control::nack(&mut out, self.sender, stream.ssrc(), &wanted);
            }
        }
        let is_due =
            self.arrivals.due().is_some_and(|due| due <= now) || (!out.is_empty() && self.arrivals.is_soon(now));
        if is_due
            && (out.is_empty() || out.len() + arrivals::LONGEST_REPORT <= control::LONGEST)
            && let Some(report) = self.arrivals.report(now)
        {
            control::transport_feedback(&mut out, self.sender, self.latest, &report);
        }
        (!out.is_empty()).then_some(out)
    }

    /// When [`Self::poll_rtcp`] has something to do.
    pub fn deadline(&self) -> Instant {
        let streams = self.tracks.streams().filter_map(Stream::due);
        streams.chain(self.arrivals.due()).fold(self.next_reports, Instant::min)
    }

    /// How the layers of the section of this kind come in, smallest first; those that never sent are not among them.
    pub fn layers(&self, kind: Kind, now: Instant) -> Vec<LayerRate> {
        let patience = if kind == Kind::Screen { SCREEN_ALIVE } else { ALIVE };
        let Some(track) = self.tracks.current(kind) else { return Vec::new() };
        (0..track.layers.len())
            .filter_map(|number| {
                let Layer { rid, stream: Some(stream), .. } = track.layer(number)? else { return None };
                let (bits_per_second, frames_per_second) = stream.rates(now);
                let alive = stream.heard().is_some_and(|heard| now.saturating_duration_since(heard) < patience);
                let (layer, rid, size) = (number, rid.clone(), stream.size());
                Some(LayerRate { layer, rid, size, bits_per_second, frames_per_second, alive })
            })
            .collect()
    }

    pub fn stats(&self) -> ReceiveStats {
        let counts = self.counts();
        let alive = self.tracks.streams().filter(|stream| stream.heard().is_some());
        let jitter = alive.map(Stream::jitter).max().unwrap_or_default();
        ReceiveStats {
            packets: counts.packets,
            lost: counts.expected.saturating_sub(counts.packets),
            recovered: counts.recovered,
            duplicates: counts.duplicates,
            requests: counts.requests,
            unknown: self.unknown,
            jitter_ms: jitter.as_secs_f64() * 1000.0,
            fraction_lost: self.fraction_lost,
            round_trip_ms: self.limits.round_trip().as_secs_f64() * 1000.0,
        }
    }

    fn counts(&self) -> Counts {
        let mut all = Counts::default();
        for layer in self.tracks.layers() {
            all.add(layer.past);
            if let Some(stream) = &layer.stream {
                all.add(stream.counts());
            }
        }
        all
    }

    fn report(&mut self, out: &mut Vec<u8>, now: Instant) {
        let blocks: Vec<_> = self.tracks.streams_mut().filter_map(|stream| stream.report(now)).collect();
        if !blocks.is_empty() {
            control::receiver_report(out, self.sender, &self.cname, &blocks);
        }
        let Counts { expected, packets, .. } = self.counts();
        let (expected_now, packets_now) = (expected.saturating_sub(self.lately.0), packets - self.lately.1);
        self.lately = (expected, packets);
        let lost = u32::try_from(expected_now.saturating_sub(packets_now)).unwrap_or(u32::MAX);
        self.fraction_lost = f64::from(lost) / f64::from(u32::try_from(expected_now).unwrap_or(u32::MAX).max(1));
    }
}

/// Where the payload stands, without padding (RFC 3550, 5.1 and 5.3.1). Read from the bytes: of a header with reserved extension ids the parsed form
/// does not tell the length.
fn payload_of(header: &Header, packet: &[u8]) -> Option<Range<usize>> {
    let first = *packet.first()?;
    let mut start = 12 + 4 * usize::from(first & 0x0f);
    if header.extension {
        let words = packet.get(start + 2..)?.first_chunk::<2>()?;
        start += 4 + 4 * usize::from(u16::from_be_bytes(*words));
    }
    let padding = if header.padding { usize::from(*packet.last()?) } else { 0 };
    let end = packet.len().checked_sub(padding)?;
    (start <= end && (padding > 0) == header.padding).then_some(start..end)
}

//! What one viewer gets, packet by packet. How the rate behaves is told in [`rate`], strangers' bytes in [`hostile`].

mod cost;
mod hostile;
mod link;
mod rate;
mod sealed;
mod viewer;

use super::*;
use rtc::rtcp::packet::Packet;
use rtc::rtcp::payload_feedbacks::full_intra_request::{FirEntry, FullIntraRequest};
use rtc::rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;
use rtc::rtcp::sender_report::SenderReport;
use rtc::rtcp::source_description::SourceDescription;
use rtc::rtcp::transport_feedbacks::transport_layer_nack::{TransportLayerNack, nack_pairs_from_sequence_numbers};
use rtc::shared::marshal::{MarshalSize, Unmarshal};

pub const SLOT: u32 = 100;
const RTX: u32 = 101;
const TAG: usize = 16;

/// Encrypts nothing, but adds a tag's length and checks that the header has the size it says.
#[derive(Debug, Default)]
pub struct Plain {
    is_used_up: bool,
}

impl Seal for Plain {
    fn seal_rtp(&mut self, header: &rtc::rtp::Header, packet: &[u8]) -> Option<BytesMut> {
        let written = rtc::rtp::Header::unmarshal(&mut &*packet).unwrap();
        assert_eq!(written.marshal_size(), header.marshal_size());
        assert_eq!((written.ssrc, written.sequence_number), (header.ssrc, header.sequence_number));
        assert_eq!((written.padding, written.marker), (header.padding, header.marker));
        if self.is_used_up {
            return None;
        }
        let mut sealed = BytesMut::from(packet);
        sealed.extend_from_slice(&[0; TAG]);
        Some(sealed)
    }

    fn seal_rtcp(&mut self, compound: &[u8]) -> Option<BytesMut> {
        Some(BytesMut::from(compound))
    }
}

pub fn audio_stream(ssrc: u32) -> Stream {
    Stream { ssrc, clock_rate: 48_000, rtx: None, is_audio: true }
}

pub fn video_stream(ssrc: u32, rtx: Option<u32>) -> Stream {
    Stream { ssrc, clock_rate: 90_000, rtx: rtx.map(|rtx| (rtx, vec![(96, 97), (98, 99)])), is_audio: false }
}

pub fn packet(ssrc: u32, sequence: u16, size: usize, class: Class) -> OutPacket {
    OutPacket {
        ssrc,
        payload_type: if class == Class::Audio { 111 } else { 96 },
        sequence,
        timestamp: u32::from(sequence) * 3_000,
        marker: false,
        payload: Bytes::from(vec![7; size]),
        captured: None,
        class,
    }
}

fn egress(streams: Vec<Stream>, now: Instant) -> Egress<Plain> {
    let mut egress = Egress::new(Plain::default(), "hub", now);
    egress.negotiated(streams, Some(5));
    egress
}

/// Everything that leaves until `until`, as the plane would fetch it.
fn drain(egress: &mut Egress<Plain>, from: Instant, millis: u64) -> Vec<rtc::rtp::Packet> {
    let mut all = Vec::new();
    for passed in 0..=millis {
        let now = from + Duration::from_millis(passed);
        while let Some(datagram) = egress.poll_transmit(now) {
            if !(192..224).contains(&datagram[1]) {
                let plain = datagram.freeze().slice(..).split_to_end(TAG);
                all.push(rtc::rtp::Packet::unmarshal(&mut &*plain).unwrap());
            }
        }
    }
    all
}

trait SplitToEnd {
    fn split_to_end(self, tail: usize) -> Bytes;
}

impl SplitToEnd for Bytes {
    fn split_to_end(mut self, tail: usize) -> Bytes {
        self.split_to(self.len() - tail)
    }
}

fn nack(ssrc: u32, sequences: &[u16]) -> Vec<u8> {
    let nacks = nack_pairs_from_sequence_numbers(sequences);
    marshal(TransportLayerNack { sender_ssrc: 7, media_ssrc: ssrc, nacks })
}

fn marshal(message: impl Packet + 'static) -> Vec<u8> {
    rtc::rtcp::packet::marshal(&[Box::new(message) as Box<dyn Packet>]).unwrap().to_vec()
}

fn after(now: Instant, millis: u64) -> Instant {
    now + Duration::from_millis(millis)
}

#[test]
fn a_packet_leaves_with_its_numbers_and_the_transport_wide_one() {
    let now = Instant::now();
    for (id, size) in [(Some(5), 20), (Some(200), 20), (None, 12)] {
        let mut egress = egress(vec![video_stream(SLOT, None)], now);
        egress.negotiated(vec![video_stream(SLOT, None)], id);
        egress.push(OutPacket { marker: true, timestamp: 4_711, ..packet(SLOT, 65_535, 10, Class::Video) }, now);
        let sent = drain(&mut egress, now, 0);
        let header = &sent[0].header;
        assert_eq!((header.ssrc, header.sequence_number, header.timestamp), (SLOT, 65_535, 4_711));
        assert_eq!((header.payload_type, header.marker, header.padding), (96, true, false));
        assert_eq!(&sent[0].payload[..], &[7; 10]);
        assert_eq!(header.marshal_size(), size);
        assert_eq!(id.and_then(|id| header.get_extension(id)).as_deref(), id.map(|_| &[0_u8, 0][..]));
    }
}

#[test]
fn transport_wide_numbers_have_no_holes_across_streams_resends_and_the_wrap() {
    let now = Instant::now();
    let mut egress = egress(vec![audio_stream(1), video_stream(SLOT, Some(RTX))], now);
    let mut numbers = Vec::new();
    for step in 0..40_000_u16 {
        let at = after(now, u64::from(step) * 20);
        egress.push(packet(SLOT, step, 100, Class::Video), at);
        egress.push(packet(1, step, 50, Class::Audio), at);
        if step % 10 == 9 {
            egress.rtcp(&nack(SLOT, &[step - 5]), at);
        }
        numbers.extend(drain(&mut egress, at, 5).iter().map(|packet| {
            let extension = packet.header.get_extension(5).unwrap();
            u16::from_be_bytes([extension[0], extension[1]])
        }));
    }
    assert!(egress.stats().resent > 3_000);
    assert!(numbers.len() > 80_000);
    assert!(numbers.windows(2).all(|pair| pair[1] == pair[0].wrapping_add(1)));
}

#[test]
fn sound_overtakes_and_never_waits() {
    let now = Instant::now();
    let mut egress = egress(vec![audio_stream(1), video_stream(SLOT, None)], now);
    for sequence in 0..20 {
        egress.push(packet(SLOT, sequence, 1_000, Class::Video), now);
    }
    egress.push(packet(1, 0, 50, Class::Audio), now);
    let sent = drain(&mut egress, now, 0);
    assert_eq!(sent[0].header.ssrc, 1);
    assert!(sent.len() < 8, "the pictures are paced: {}", sent.len());
    egress.push(packet(1, 1, 50, Class::Audio), now);
    assert_eq!(drain(&mut egress, now, 0)[0].header.ssrc, 1);
    let rest = drain(&mut egress, now, 200);
    assert_eq!(sent.len() - 1 + rest.len(), 20, "everything leaves in the end");
    assert!(rest.windows(2).all(|pair| pair[0].header.sequence_number < pair[1].header.sequence_number));
}

#[test]
fn on_a_line_with_room_a_picture_leaves_at_once() {
    let now = Instant::now();
    let limits = Limits { start: 8_000_000, ..Limits::default() };
    let mut egress = Egress::with_limits(Plain::default(), "hub", limits, now);
    egress.negotiated(vec![video_stream(SLOT, None)], Some(5));
    for sequence in 0..8 {
        egress.push(packet(SLOT, sequence, 1_200, Class::Video), now);
    }
    assert_eq!(drain(&mut egress, now, 0).len(), 8);
}

#[test]
fn a_full_queue_drops_the_oldest_camera_picture_whole_and_says_so() {
    let now = Instant::now();
    let mut egress = egress(vec![video_stream(SLOT, None), video_stream(200, None), audio_stream(1)], now);
    egress.push(OutPacket { timestamp: 1, ..packet(200, 0, 1_000, Class::Screen) }, now);
    for sequence in 0..200 {
        egress.push(OutPacket { timestamp: 5, ..packet(SLOT, sequence, 1_000, Class::Video) }, now);
    }
    for sequence in 200..230 {
        egress.push(OutPacket { timestamp: 6, ..packet(SLOT, sequence, 1_000, Class::Video) }, now);
    }
    egress.push(packet(1, 0, 50, Class::Audio), now);
    assert_eq!(egress.poll_event(), Some(EgressEvent::Overflow(SLOT)));
    assert_eq!(egress.poll_event(), None, "once");
    let stats = egress.stats();
    assert!(stats.dropped > 70 && stats.queue_ms <= 260.0, "{stats:?}");
    let sent = drain(&mut egress, now, 400);
    assert_eq!(sent.len() as u64 + stats.dropped, 232);
    assert!(sent.iter().any(|packet| packet.header.ssrc == 200), "the screen's packet was older but stays");
    assert!(sent.iter().any(|packet| packet.header.ssrc == 1));
}

#[test]
fn what_was_asked_for_comes_again_on_the_retransmission_stream() {
    let now = Instant::now();
    let mut egress = egress(vec![video_stream(SLOT, Some(RTX))], now);
    egress.push(packet(SLOT, 500, 30, Class::Video), now);
    egress.push(packet(SLOT, 501, 40, Class::Video), now);
    drain(&mut egress, now, 10);
    let later = after(now, 100);
    egress.rtcp(&nack(SLOT, &[501, 499]), later);
    egress.rtcp(&nack(SLOT, &[501]), later);
    let again = drain(&mut egress, later, 10);
    assert_eq!(again.len(), 1, "once, and what was never sent not at all");
    let header = &again[0].header;
    assert_eq!((header.ssrc, header.payload_type, header.timestamp), (RTX, 97, 501 * 3_000));
    assert_eq!(again[0].payload[..2], 501_u16.to_be_bytes());
    assert_eq!(again[0].payload[2..], [7; 40]);

    let mut tries = 1;
    for round in 1..20 {
        let at = after(later, 60 * round);
        egress.rtcp(&nack(SLOT, &[501]), at);
        let again = drain(&mut egress, at, 5);
        tries += again.len();
        let expected = header.sequence_number.wrapping_add(u16::try_from(tries).unwrap() - 1);
        assert!(again.iter().all(|packet| packet.header.sequence_number == expected));
    }
    assert_eq!(tries, 4);
}

#[test]
fn nothing_is_sent_again_after_a_second() {
    let now = Instant::now();
    let mut egress = egress(vec![video_stream(SLOT, Some(RTX)), audio_stream(1)], now);
    egress.push(packet(SLOT, 1, 30, Class::Video), now);
    egress.push(packet(1, 1, 30, Class::Audio), now);
    drain(&mut egress, now, 0);
    let later = after(now, 300);
    egress.rtcp(&nack(1, &[1]), later);
    assert_eq!(drain(&mut egress, later, 5).len(), 0, "sound sooner than that");
    let later = after(now, 1_001);
    egress.rtcp(&nack(SLOT, &[1]), later);
    assert_eq!(drain(&mut egress, later, 5).len(), 0);
}

#[test]
fn without_a_retransmission_stream_the_very_same_bytes_leave_again() {
    let now = Instant::now();
    let mut egress = egress(vec![video_stream(SLOT, None)], now);
    for sequence in 0..3 {
        egress.push(packet(SLOT, sequence, 30, Class::Video), now);
    }
    let first: Vec<_> = std::iter::from_fn(|| egress.poll_transmit(now)).collect();
    let later = after(now, 100);
    egress.rtcp(&nack(SLOT, &[1]), later);
    assert_eq!(egress.poll_transmit(later).as_ref(), first.get(1));
    egress.push(packet(SLOT, 3, 30, Class::Video), later);
    let next = drain(&mut egress, later, 5);
    assert_eq!(next[0].header.get_extension(5).unwrap()[..], [0, 3], "no number was used up");

    // With another extension the viewer would not understand the bytes.
    egress.negotiated(vec![video_stream(SLOT, None)], Some(6));
    let later = after(now, 200);
    egress.rtcp(&nack(SLOT, &[1, 2, 3]), later);
    assert_eq!(drain(&mut egress, later, 5).len(), 0);
}

#[test]
fn one_number_is_never_used_for_two_packets() {
    let now = Instant::now();
    let mut egress = egress(vec![video_stream(SLOT, None)], now);
    for sequence in [10, 11, 13, 12, 13, 10, 5, 14] {
        egress.push(packet(SLOT, sequence, 30, Class::Video), now);
    }
    egress.push(packet(999, 1, 30, Class::Video), now);
    let sent: Vec<u16> = drain(&mut egress, now, 20).iter().map(|packet| packet.header.sequence_number).collect();
    assert_eq!(sent, [10, 11, 13, 12, 14]);
    assert_eq!(egress.stats().refused, 4, "13 and 10 twice, 5 too late to tell, 999 unknown");
}

#[test]
fn resends_stay_within_a_fifth_of_the_estimate() {
    let now = Instant::now();
    let mut egress = egress(vec![video_stream(SLOT, Some(RTX))], now);
    let (mut sent, mut again) = (0, 0);
    for step in 0..500_u16 {
        let at = after(now, u64::from(step) * 10);
        egress.push(packet(SLOT, step, 1_000, Class::Video), at);
        let all: Vec<u16> = (step.saturating_sub(60)..step).collect();
        egress.rtcp(&nack(SLOT, &all), at);
        for packet in drain(&mut egress, at, 9) {
            let bytes = packet.payload.len() + 20;
            if packet.header.ssrc == RTX { again += bytes } else { sent += bytes }
        }
    }
    assert!(sent >= 499 * 1_020, "the media itself goes first: {sent}");
    // Five seconds at an estimate of 1 Mbit/s.
    assert!(again > 50_000 && again * 8 < 5 * 200_000, "{again}");
}

#[test]
fn key_frame_wishes_are_passed_on_for_streams_that_exist() {
    let now = Instant::now();
    let mut egress = egress(vec![video_stream(SLOT, None), video_stream(200, None)], now);
    let mut compound = marshal(PictureLossIndication { sender_ssrc: 7, media_ssrc: SLOT });
    let entry = |ssrc| FirEntry { ssrc, sequence_number: 1 };
    let fir = vec![entry(200), entry(200), entry(404)];
    compound.extend(marshal(FullIntraRequest { sender_ssrc: 7, media_ssrc: 0, fir }));
    compound.extend(marshal(PictureLossIndication { sender_ssrc: 7, media_ssrc: 405 }));
    let events = egress.rtcp(&compound, now);
    assert_eq!(events, [EgressEvent::KeyframeWanted(SLOT), EgressEvent::KeyframeWanted(200)]);
}

#[test]
fn sender_reports_leave_soon_and_every_second_with_a_name() {
    let now = Instant::now();
    let mut egress = egress(vec![video_stream(SLOT, None), audio_stream(1), audio_stream(2)], now);
    egress.push(packet(SLOT, 1, 30, Class::Video), now);
    egress.push(packet(1, 1, 30, Class::Audio), now);
    drain(&mut egress, now, 0);
    assert!(egress.deadline(now) <= now);
    egress.tick(now);
    let compound = egress.poll_transmit(now).unwrap();
    let messages = rtc::rtcp::packet::unmarshal(&mut compound.freeze()).unwrap();
    let reports: Vec<u32> = messages
        .iter()
        .filter_map(|message| message.as_any().downcast_ref::<SenderReport>())
        .map(|it| it.ssrc)
        .collect();
    assert_eq!(reports, [SLOT, 1], "2 has sent nothing");
    let names = messages.last().unwrap().as_any().downcast_ref::<SourceDescription>().unwrap();
    assert!(names.chunks.iter().all(|chunk| chunk.items[0].text == "hub"));
    assert!(egress.poll_transmit(now).is_none());
    assert_eq!(egress.deadline(now), after(now, 1_000));
    egress.tick(after(now, 999));
    assert!(egress.poll_transmit(after(now, 999)).is_none());
    egress.tick(after(now, 1_000));
    assert!(egress.poll_transmit(after(now, 1_000)).is_some());
}

#[test]
fn streams_that_stay_keep_their_state_over_negotiation() {
    let now = Instant::now();
    let mut egress = egress(vec![video_stream(SLOT, Some(RTX)), video_stream(200, None)], now);
    egress.push(packet(SLOT, 1, 30, Class::Video), now);
    egress.push(packet(SLOT, 2, 1_000, Class::Video), now);
    egress.push(packet(200, 2, 1_000, Class::Video), now);
    egress.poll_transmit(now).unwrap();
    egress.negotiated(vec![audio_stream(1), video_stream(SLOT, Some(RTX))], Some(5));
    let later = after(now, 100);
    egress.rtcp(&nack(SLOT, &[1]), later);
    let sent = drain(&mut egress, later, 10);
    let ssrcs: Vec<u32> = sent.iter().map(|packet| packet.header.ssrc).collect();
    assert_eq!(ssrcs, [RTX, SLOT], "what waited for the stream that is gone is gone");
}

#[test]
fn a_key_that_is_used_up_stops_the_viewer_and_is_counted() {
    let now = Instant::now();
    let mut egress = egress(vec![audio_stream(1)], now);
    egress.sealer.is_used_up = true;
    egress.push(packet(1, 1, 30, Class::Audio), now);
    assert!(egress.poll_transmit(now).is_none());
    assert_eq!(egress.stats().refused, 1);
}

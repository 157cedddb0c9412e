//! A publisher's connection as browsers, encoders and the network treat it, in virtual time.

use super::*;
use crate::media::Codec;
use crate::media::sdp::{CodecEntry, Extension};
use bytes::Buf;
use proptest::prelude::*;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use rtc::rtcp::goodbye::Goodbye;
use rtc::rtcp::packet::{Packet, marshal, unmarshal};
use rtc::rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;
use rtc::rtcp::receiver_report::ReceiverReport;
use rtc::rtcp::sender_report::SenderReport;
use rtc::rtcp::transport_feedbacks::transport_layer_cc::TransportLayerCc;
use rtc::rtcp::transport_feedbacks::transport_layer_nack::TransportLayerNack;
use rtc::shared::marshal::{Marshal, Unmarshal};
use std::collections::BTreeMap;

const LEVEL: u8 = 1;
const TRANSPORT: u8 = 3;
const MID: u8 = 4;
const RID: u8 = 10;
const REPAIRED: u8 = 11;
const OPUS: u8 = 111;
const VP8: u8 = 96;
const RESEND: u8 = 97;

/// The first bytes of a VP8 key frame and of another frame, behind a descriptor without anything.
const KEY_FRAME: [u8; 11] = [0x10, 0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0x68, 0x01];
const FRAME: [u8; 4] = [0x10, 0x11, 0x02, 0x00];

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn section(mid: &str, kind: Kind, rids: &[&str]) -> Section {
    let codec = match kind {
        Kind::Audio => CodecEntry { payload_type: OPUS, codec: Codec::Opus, rtx: None },
        Kind::Video | Kind::Screen => CodecEntry { payload_type: VP8, codec: Codec::Vp8, rtx: Some(RESEND) },
    };
    Section {
        mid: mid.to_owned(),
        kind,
        sends: true,
        takes: false,
        codecs: vec![codec],
        extensions: vec![
            (LEVEL, Extension::AudioLevel),
            (TRANSPORT, Extension::TransportCc),
            (MID, Extension::Mid),
            (RID, Extension::Rid),
            (REPAIRED, Extension::RepairedRid),
        ],
        rids: rids.iter().map(|rid| (*rid).to_owned()).collect(),
        ssrcs: Vec::new(),
        rtx_ssrcs: Vec::new(),
    }
}

fn audio() -> Section {
    Section { ssrcs: vec![1], ..section("0", Kind::Audio, &[]) }
}

fn camera() -> Section {
    Section { ssrcs: vec![2], rtx_ssrcs: vec![(3, 2)], ..section("1", Kind::Video, &[]) }
}

/// A packet in the making.
#[derive(Debug, Clone)]
struct Sent {
    header: Header,
    payload: Vec<u8>,
    padding: u8,
}

fn sent(ssrc: u32, payload_type: u8, sequence: u16, timestamp: u32, payload: &[u8]) -> Sent {
    let header = Header {
        version: 2,
        ssrc,
        payload_type,
        sequence_number: sequence,
        timestamp,
        marker: true,
        ..Header::default()
    };
    Sent { header, payload: payload.to_vec(), padding: 0 }
}

impl Sent {
    fn with(mut self, id: u8, value: &[u8]) -> Self {
        self.header.set_extension(id, Bytes::copy_from_slice(value)).unwrap();
        self
    }

    fn padded(mut self, padding: u8) -> Self {
        (self.padding, self.header.padding) = (padding, padding > 0);
        self
    }

    /// As a resend: under its own SSRC and number, the original number before the payload (RFC 4588).
    fn again(&self, ssrc: u32, sequence: u16) -> Self {
        let mut again = self.clone();
        (again.header.ssrc, again.header.payload_type, again.header.sequence_number) = (ssrc, RESEND, sequence);
        again.payload.splice(0..0, self.header.sequence_number.to_be_bytes());
        again
    }

    fn to(&self, receiver: &mut Receiver, now: Instant) -> Option<(Kind, MediaPacket)> {
        let mut bytes = BytesMut::from(&self.header.marshal().unwrap()[..]);
        bytes.extend_from_slice(&self.payload);
        bytes.extend_from_slice(&vec![self.padding; self.padding.into()]);
        let header = Header::unmarshal(&mut &bytes[..]).unwrap();
        receiver.rtp(&header, bytes, now)
    }
}

/// What goes back to the sender now.
fn feedback(receiver: &mut Receiver, now: Instant) -> Vec<Box<dyn Packet>> {
    let mut all = Vec::new();
    while let Some(compound) = receiver.poll_rtcp(now) {
        assert!(compound.len() <= control::LONGEST, "{}", compound.len());
        all.extend(unmarshal(&mut &compound[..]).unwrap());
    }
    assert!(receiver.deadline() > now);
    all
}

fn of<P: 'static>(packets: &[Box<dyn Packet>]) -> impl Iterator<Item = &P> {
    packets.iter().filter_map(|packet| packet.as_any().downcast_ref())
}

fn nacks(packets: &[Box<dyn Packet>]) -> Vec<u16> {
    of::<TransportLayerNack>(packets).flat_map(|nack| &nack.nacks).flat_map(|pair| pair.packet_list()).collect()
}

fn report(receiver: &mut Receiver, ssrc: u32, ntp: u64, timestamp: u32, now: Instant) {
    let report = SenderReport { ssrc, ntp_time: ntp, rtp_time: timestamp, ..Default::default() };
    receiver.rtcp(&marshal(&[Box::new(report)]).unwrap(), now);
}

/// What became of a stream over a lossy line.
#[derive(Debug)]
struct Outcome {
    stats: ReceiveStats,
    dropped: u64,
    passed: u64,
}

/// Twenty seconds of video, 30 pictures a second of six packets, through a line that loses media, resends and requests alike.
fn over_a_lossy_line(seed: u64, loss: f64, delay: Duration) -> Outcome {
    enum Event {
        Arrives(Sent),
        Requests(Vec<u16>),
    }
    let mut random = StdRng::seed_from_u64(seed);
    let start = Instant::now();
    let mut receiver = Receiver::new(start);
    receiver.negotiated(&[camera()]);
    let (mut line, mut entries) = (BTreeMap::new(), 0u64);
    let (mut history, mut resends, mut dropped, mut passed) = (BTreeMap::new(), 0u16, 0, 0);
    let mut put = |line: &mut BTreeMap<_, _>, at: Instant, event| {
        entries += 1;
        line.insert((at, entries), event);
    };
    let mut sequence = 65_000u16;
    for step in 0..21_000u64 {
        let now = start + ms(step);
        if step % 33 == 0 && step < 20_000 {
            for part in 0..6 {
                let body = if step == 0 && part == 0 { &KEY_FRAME[..] } else { &FRAME[..] };
                let packet = sent(2, VP8, sequence, u32::try_from(step * 90).unwrap(), body);
                history.insert(sequence, packet.clone());
                sequence = sequence.wrapping_add(1);
                // The line's end is not lost: nobody would notice.
                if step > 0 && step < 19_900 && random.random_bool(loss) {
                    dropped += 1;
                } else {
                    put(&mut line, now + delay, Event::Arrives(packet));
                }
            }
        }
        while let Some(entry) = line.first_entry().filter(|entry| entry.key().0 <= now) {
            match entry.remove() {
                Event::Arrives(packet) => passed += u64::from(packet.to(&mut receiver, now).is_some()),
                Event::Requests(wanted) => {
                    for wanted in wanted {
                        resends = resends.wrapping_add(1);
                        if !random.random_bool(loss) {
                            put(&mut line, now + delay, Event::Arrives(history[&wanted].again(3, resends)));
                        }
                    }
                }
            }
        }
        let requests = nacks(&feedback(&mut receiver, now));
        if !requests.is_empty() && !random.random_bool(loss) {
            put(&mut line, now + delay, Event::Requests(requests));
        }
    }
    Outcome { stats: receiver.stats(), dropped, passed }
}

#[test]
fn five_percent_of_loss_are_recovered_without_a_storm() {
    for (seed, delay) in [(1, 10), (2, 50), (3, 100), (4, 200)] {
        let outcome = over_a_lossy_line(seed, 0.05, ms(delay));
        let Outcome { stats, dropped, passed } = outcome;
        assert!(dropped > 100 && stats.lost == dropped, "{outcome:?}");
        assert!(stats.recovered * 100 > dropped * 95, "{outcome:?}");
        assert!(stats.requests < dropped * 2, "{outcome:?}");
        assert_eq!(passed, stats.packets + stats.recovered);
        assert!(
            (stats.round_trip_ms - 2.0 * Duration::from_millis(delay).as_secs_f64() * 1000.0).abs() < 30.0 + 20.0,
            "{outcome:?}"
        );
    }
}

#[test]
fn twenty_percent_of_loss_are_recovered_without_a_storm() {
    for (seed, delay) in [(5, 10), (6, 50), (7, 100)] {
        let outcome = over_a_lossy_line(seed, 0.2, ms(delay));
        let Outcome { stats, dropped, .. } = outcome;
        assert!(dropped > 600 && stats.recovered * 100 > dropped * 90, "{outcome:?}");
        assert!(stats.requests < dropped * 3, "{outcome:?}");
        assert!(stats.duplicates < dropped, "{outcome:?}");
    }
}

#[test]
fn layers_are_learned_once_and_stay_over_negotiations() {
    let start = Instant::now();
    let mut receiver = Receiver::new(start);
    let sections = [audio(), section("1", Kind::Video, &["q", "h", "f"]), section("2", Kind::Screen, &["q", "f"])];
    receiver.negotiated(&sections);
    for (ssrc, mid, rid) in [(20, "1", "q"), (21, "1", "h"), (22, "1", "f"), (30, "2", "q"), (31, "2", "f")] {
        let named = sent(ssrc, VP8, 100, 0, &KEY_FRAME).with(MID, mid.as_bytes()).with(RID, rid.as_bytes());
        assert!(named.to(&mut receiver, start).is_some());
        let resend = sent(ssrc, VP8, 100, 0, &KEY_FRAME).again(ssrc + 100, 7);
        let resend = resend.with(MID, mid.as_bytes()).with(REPAIRED, rid.as_bytes());
        assert!(resend.to(&mut receiver, start).is_none(), "a repeat, but its SSRC is learned by it");
    }
    assert_eq!(receiver.stats().unknown, 0);
    let without_layers = [audio(), section("1", Kind::Video, &[]), section("2", Kind::Screen, &[])];
    for (round, sections) in [&sections, &without_layers, &sections].into_iter().enumerate() {
        receiver.negotiated(sections);
        let sequence = 102 + 2 * u16::try_from(round).unwrap();
        for (ssrc, kind, layer) in [
            (20, Kind::Video, 0),
            (21, Kind::Video, 1),
            (22, Kind::Video, 2),
            (30, Kind::Screen, 0),
            (31, Kind::Screen, 1),
        ] {
            let (found, packet) = sent(ssrc, VP8, sequence, 0, &FRAME).to(&mut receiver, start).unwrap();
            assert_eq!((found, packet.layer, packet.ssrc, packet.recovered), (kind, layer, ssrc, false));
            let resend = sent(ssrc, VP8, sequence - 1, 0, &FRAME).again(ssrc + 100, sequence);
            let (found, packet) = resend.to(&mut receiver, start).unwrap();
            assert_eq!((found, packet.layer, packet.ssrc, packet.recovered), (kind, layer, ssrc, true));
            assert_eq!((packet.sequence, &packet.payload[..]), (sequence - 1, &FRAME[..]));
        }
    }
    assert_eq!(receiver.layers(Kind::Video, start).len(), 3);
    let request = receiver.keyframe_request(Kind::Screen, 1).unwrap();
    let request = unmarshal(&mut &request[..]).unwrap();
    assert_eq!(of::<PictureLossIndication>(&request).next().map(|request| request.media_ssrc), Some(31));
}

#[test]
fn a_layer_that_begins_anew_with_another_ssrc_is_followed() {
    let start = Instant::now();
    let mut receiver = Receiver::new(start);
    receiver.negotiated(&[section("1", Kind::Video, &["q", "h"])]);
    let named =
        |ssrc, sequence, rid: &str| sent(ssrc, VP8, sequence, 0, &FRAME).with(MID, b"1").with(RID, rid.as_bytes());
    assert!(named(20, 1, "q").to(&mut receiver, start).is_some());
    assert!(named(40, 900, "q").to(&mut receiver, start).is_some());
    assert!(named(20, 2, "q").to(&mut receiver, start).is_none(), "what was still under way");
    assert_eq!(
        sent(40, VP8, 901, 0, &FRAME).to(&mut receiver, start).map(|(_, packet)| (packet.ssrc, packet.layer)),
        Some((40, 0))
    );
    assert!(named(20, 3, "q").to(&mut receiver, start + ms(1100)).is_some(), "it is used again");
    let stats = receiver.stats();
    assert_eq!((stats.packets, stats.unknown), (4, 1));
}

#[test]
fn no_more_than_sixteen_ssrcs_are_learned() {
    let start = Instant::now();
    let mut receiver = Receiver::new(start);
    receiver.negotiated(&[Section { ssrcs: (100..200).collect(), ..camera() }]);
    for ssrc in 100..200 {
        sent(ssrc, VP8, 1, 0, &FRAME).to(&mut receiver, start);
    }
    assert_eq!(receiver.stats().unknown, 0, "each takes the place of the one before");
    let mut receiver = Receiver::new(start);
    let rids = ["a", "b", "c", "d"];
    let sections: Vec<_> = (0..10)
        .map(|mid| section(&mid.to_string(), [Kind::Video, Kind::Screen, Kind::Audio][mid % 3], &rids))
        .collect();
    receiver.negotiated(&sections);
    let (mut ssrc, mut taken) = (1000, 0);
    for mid in 0..10 {
        for rid in rids {
            for extension in [RID, REPAIRED] {
                ssrc += 1;
                let first = sent(ssrc, if mid % 3 == 2 { OPUS } else { VP8 }, 1, 0, &FRAME);
                let packet = if extension == REPAIRED && mid % 3 != 2 { first.again(ssrc, 1) } else { first };
                let packet = packet.with(MID, mid.to_string().as_bytes());
                taken += u32::from(packet.with(extension, rid.as_bytes()).to(&mut receiver, start).is_some());
            }
        }
    }
    assert_eq!((taken, receiver.stats().unknown), (8, 10 * 4 * 2 - 16), "the first two sections");
}

#[test]
fn encoders_that_name_nothing_are_known_by_their_payload_type() {
    let start = Instant::now();
    let mut receiver = Receiver::new(start);
    receiver.negotiated(&[section("0", Kind::Audio, &[]), section("1", Kind::Video, &[])]);
    assert_eq!(sent(70, VP8, 1, 0, &FRAME).to(&mut receiver, start).map(|(kind, _)| kind), Some(Kind::Video));
    assert_eq!(sent(71, OPUS, 1, 0, &[1]).to(&mut receiver, start).map(|(kind, _)| kind), Some(Kind::Audio));
    let resend = sent(70, VP8, 0, 0, &FRAME).again(72, 1);
    assert_eq!(resend.to(&mut receiver, start).map(|(_, packet)| (packet.ssrc, packet.recovered)), Some((70, true)));
    assert!(sent(73, VP8, 1, 0, &FRAME).to(&mut receiver, start).is_none(), "the place is taken");
    assert!(sent(74, 50, 1, 0, &FRAME).to(&mut receiver, start).is_none(), "of no section");
    assert!(sent(73, VP8, 1, 0, &FRAME).to(&mut receiver, start + ms(1500)).is_some(), "and silent now");

    let mut receiver = Receiver::new(start);
    receiver.negotiated(&[section("1", Kind::Video, &[]), section("2", Kind::Screen, &[])]);
    assert!(sent(70, VP8, 1, 0, &FRAME).to(&mut receiver, start).is_none(), "it fits two");
    let named = sent(70, VP8, 2, 0, &FRAME).with(MID, b"2");
    assert_eq!(named.to(&mut receiver, start).map(|(kind, _)| kind), Some(Kind::Screen));
}

#[test]
fn a_section_that_stops_sending_is_silent_and_goes_on_where_it_was() {
    let start = Instant::now();
    let mut receiver = Receiver::new(start);
    receiver.negotiated(&[camera()]);
    assert!(sent(2, VP8, 1, 0, &FRAME).to(&mut receiver, start).is_some());
    for round in 0..10 {
        receiver.negotiated(&[Section { sends: false, ..camera() }]);
        assert!(sent(2, VP8, 2 + round, 0, &FRAME).to(&mut receiver, start).is_none());
        assert!(receiver.layers(Kind::Video, start).is_empty());
        receiver.negotiated(&[camera()]);
        assert!(sent(2, VP8, 2 + round, 0, &FRAME).to(&mut receiver, start).is_some());
    }
    assert_eq!(receiver.stats().packets, 11);
}

#[test]
fn padding_closes_gaps_and_probes_and_repeats_go_no_further() {
    let start = Instant::now();
    let mut receiver = Receiver::new(start);
    receiver.negotiated(&[camera()]);
    let whole = sent(2, VP8, 10, 0, &KEY_FRAME).padded(40);
    let (_, packet) = whole.to(&mut receiver, start).unwrap();
    assert_eq!((&packet.payload[..], packet.starts_key_frame), (&KEY_FRAME[..], true));
    assert!(whole.to(&mut receiver, start).is_none(), "a repeat");
    let (_, packet) = sent(2, VP8, 12, 0, &[]).padded(200).to(&mut receiver, start).unwrap();
    assert_eq!((packet.sequence, packet.payload.len(), packet.starts_key_frame), (12, 0, false));
    assert!(sent(2, VP8, 11, 0, &[]).padded(200).to(&mut receiver, start).is_none(), "padding that closes no gap");
    assert!(sent(2, VP8, 13, 0, &[]).padded(255).again(3, 1).to(&mut receiver, start).is_none(), "padding as a resend");
    assert!(
        sent(2, VP8, 10, 0, &KEY_FRAME).again(3, 2).to(&mut receiver, start).is_none(),
        "a probe with what has come"
    );
    assert!(sent(2, VP8, 13, 0, &FRAME).to(&mut receiver, start).is_some());
    let stats = receiver.stats();
    assert_eq!((stats.packets, stats.lost, stats.duplicates, stats.unknown), (4, 0, 2, 0));
    assert_eq!(nacks(&feedback(&mut receiver, start + ms(500))), [0; 0]);

    let mut malformed = sent(2, VP8, 14, 0, &FRAME).padded(4);
    malformed.payload.clear();
    malformed.padding = 0;
    let header = malformed.header.clone();
    for last in [0, 200] {
        let mut bytes = BytesMut::from(&header.marshal().unwrap()[..]);
        bytes.extend_from_slice(&[1, last]);
        assert!(receiver.rtp(&header, bytes, start).is_none(), "padding of no or too great a length");
    }
    assert_eq!(receiver.stats().unknown, 2);
}

#[test]
fn a_packet_without_meaning_leaves_no_hole() {
    let start = Instant::now();
    let mut receiver = Receiver::new(start);
    receiver.negotiated(&[audio()]);
    assert!(sent(1, OPUS, 10, 0, &[7]).to(&mut receiver, start).is_some());
    let (_, packet) = sent(1, 126, 11, 0, &[7]).to(&mut receiver, start).unwrap();
    assert_eq!((packet.sequence, packet.payload.len()), (11, 0));
    assert_eq!((receiver.stats().lost, receiver.stats().unknown), (0, 1));
}

#[test]
fn what_cannot_be_mended_asks_for_a_key_frame_once() {
    let start = Instant::now();
    let mut receiver = Receiver::new(start);
    receiver.negotiated(&[camera()]);
    sent(2, VP8, 1, 0, &KEY_FRAME).to(&mut receiver, start);
    assert!(!receiver.take_lost(Kind::Video, 0));
    sent(2, VP8, 300, 1, &FRAME).to(&mut receiver, start);
    assert_eq!(nacks(&feedback(&mut receiver, start + ms(50))), [0; 0], "too many");
    assert!(receiver.take_lost(Kind::Video, 0) && !receiver.take_lost(Kind::Video, 0));

    // A single one that never comes.
    sent(2, VP8, 302, 2, &FRAME).to(&mut receiver, start);
    let mut requests = 0;
    for step in 0..=1000 {
        assert!(!receiver.take_lost(Kind::Video, 0));
        requests += nacks(&feedback(&mut receiver, start + ms(step))).len();
    }
    assert!((4..=10).contains(&requests), "{requests}");
    assert!(receiver.take_lost(Kind::Video, 0));

    // The same, but a key frame comes meanwhile.
    let later = start + ms(2000);
    sent(2, VP8, 304, 3, &FRAME).to(&mut receiver, later);
    sent(2, VP8, 305, 4, &KEY_FRAME).to(&mut receiver, later);
    for step in 0..=1100 {
        feedback(&mut receiver, later + ms(step));
    }
    assert!(!receiver.take_lost(Kind::Video, 0));
    assert!(!receiver.take_lost(Kind::Video, 9) && !receiver.take_lost(Kind::Screen, 0));
}

#[test]
fn sound_is_not_asked_for_again() {
    let start = Instant::now();
    let mut receiver = Receiver::new(start);
    receiver.negotiated(&[audio(), camera()]);
    for sequence in [1, 5, 6, 7] {
        sent(1, OPUS, sequence, 0, &[7]).to(&mut receiver, start);
        sent(2, VP8, sequence, 0, &FRAME).to(&mut receiver, start);
    }
    let all = feedback(&mut receiver, start + ms(20));
    assert_eq!(of::<TransportLayerNack>(&all).map(|nack| nack.media_ssrc).collect::<Vec<_>>(), [2]);
    assert_eq!(nacks(&all), [2, 3, 4]);
}

#[test]
fn loudness_is_read_without_the_voice_bit() {
    let start = Instant::now();
    let mut receiver = Receiver::new(start);
    receiver.negotiated(&[audio()]);
    let mut level = |sequence, bytes: &[u8]| {
        let packet = sent(1, OPUS, sequence, 0, &[7]).with(LEVEL, bytes).to(&mut receiver, start).unwrap().1;
        assert!(packet.starts_key_frame);
        packet.level
    };
    assert_eq!((level(1, &[0x80 | 30]), level(2, &[30]), level(3, &[0xff])), (Some(30), Some(30), Some(127)));
    assert_eq!(sent(1, OPUS, 4, 0, &[7]).to(&mut receiver, start).unwrap().1.level, None);
}

#[test]
fn the_senders_clock_is_known_from_its_report_on() {
    let start = Instant::now();
    let mut receiver = Receiver::new(start);
    receiver.negotiated(&[camera()]);
    let captured = |receiver: &mut Receiver, sequence, timestamp| {
        sent(2, VP8, sequence, timestamp, &FRAME).to(receiver, start).unwrap().1.captured
    };
    assert_eq!(captured(&mut receiver, 1, 90_000), None);
    report(&mut receiver, 2, 0, 90_000, start);
    assert_eq!(captured(&mut receiver, 2, 90_000), None, "it has no clock");
    report(&mut receiver, 99, 1, 1, start);
    report(&mut receiver, 2, 1000 << 32, u32::MAX - 44_999, start);
    assert_eq!(captured(&mut receiver, 3, 0), Some((1000 << 32) + (1 << 31)), "half a second later, over the turn");
    assert_eq!(captured(&mut receiver, 4, u32::MAX - 134_999), Some(999 << 32), "and a second before");
}

#[test]
fn reports_count_over_the_turn_and_answer_the_senders() {
    let start = Instant::now();
    let mut receiver = Receiver::new(start);
    receiver.negotiated(&[camera()]);
    // Of 40 packets over the turn every fourth is missing; each comes after 10 ms, every other one 2 ms late.
    for packet in 0..40u16 {
        if packet % 4 != 3 {
            let now = start + ms(10 * u64::from(packet) + 2 * u64::from(packet % 2));
            sent(2, VP8, packet.wrapping_sub(20), 900 * u32::from(packet), &FRAME).to(&mut receiver, now);
        }
    }
    report(&mut receiver, 2, 0x1122_3344_5566_7788, 0, start + ms(500));
    receiver.next_reports = start + ms(600);
    let block = |receiver: &mut Receiver, at| {
        let all = feedback(receiver, start + ms(at));
        of::<ReceiverReport>(&all).next().map(|report| report.reports[0].clone())
    };
    assert_eq!(block(&mut receiver, 599), None);
    let first = block(&mut receiver, 600).unwrap();
    // The last of all is missing too, but nobody knows.
    assert_eq!((first.ssrc, first.total_lost, first.fraction_lost), (2, 9, 59));
    assert_eq!((first.last_sequence_number, first.last_sender_report, first.delay), (0x1_0012, 0x3344_5566, 6553));
    let differences = (0..39u16).filter(|packet| packet % 4 != 3).map(|packet| 180.0 * f64::from(packet % 2));
    let model = differences
        .clone()
        .zip(differences.skip(1))
        .fold(0.0, |jitter, (a, b)| jitter + ((a - b).abs() - jitter) / 16.0);
    assert!((f64::from(first.jitter) - model).abs() < 3.0, "{} {model}", first.jitter);
    assert!((receiver.stats().jitter_ms - model / 90.0).abs() < 0.05);
    assert!((receiver.stats().fraction_lost - 9.0 / 39.0).abs() < 1e-9);

    assert_eq!(block(&mut receiver, 1600), None, "nothing came");
    sent(2, VP8, 20, 36_000, &FRAME).to(&mut receiver, start + ms(1700));
    let next = block(&mut receiver, 2600).unwrap();
    assert_eq!((next.total_lost, next.fraction_lost, next.last_sequence_number), (10, 128, 0x1_0014));
    assert_eq!((next.last_sender_report, next.delay), (0x3344_5566, 137_625));
}

#[test]
fn layers_are_measured() {
    let start = Instant::now();
    let mut receiver = Receiver::new(start);
    receiver.negotiated(&[section("1", Kind::Video, &["q", "f"])]);
    for frame in 0..50u16 {
        let now = start + ms(40 * u64::from(frame));
        for (ssrc, rid, parts, bytes) in [(20, "q", 1, 488), (21, "f", 2, 988)] {
            for part in 0..parts {
                let packet = sent(ssrc, VP8, frame * parts + part, u32::from(frame) * 3600, &vec![0x11; bytes]);
                packet.with(MID, b"1").with(RID, rid.as_bytes()).to(&mut receiver, now);
            }
        }
    }
    let rates = |ms_: u64| receiver.layers(Kind::Video, start + ms(ms_));
    let rate = |layer, rid: &str, bits_per_second, alive| {
        let frames_per_second = if bits_per_second > 0 { 25 } else { 0 };
        LayerRate { layer, rid: rid.to_owned(), bits_per_second, frames_per_second, alive }
    };
    assert_eq!(rates(2000), [rate(0, "q", 100_000, true), rate(1, "f", 400_000, true)]);
    assert_eq!(rates(3100), [rate(0, "q", 0, false), rate(1, "f", 0, false)]);
    assert_eq!(receiver.layers(Kind::Screen, start), []);
}

#[test]
fn a_goodbye_ends_a_layer_until_it_is_heard_again() {
    let start = Instant::now();
    let mut receiver = Receiver::new(start);
    receiver.negotiated(&[camera()]);
    sent(2, VP8, 1, 0, &FRAME).to(&mut receiver, start);
    let alive = |receiver: &Receiver| receiver.layers(Kind::Video, start)[0].alive;
    assert!(alive(&receiver));
    receiver.rtcp(&marshal(&[Box::new(Goodbye { sources: vec![9, 2], ..Default::default() })]).unwrap(), start);
    assert!(!alive(&receiver));
    sent(2, VP8, 2, 0, &FRAME).to(&mut receiver, start);
    assert!(alive(&receiver));
}

#[test]
fn arrivals_are_fed_back_with_all_that_bears_a_number() {
    let start = Instant::now();
    let mut receiver = Receiver::new(start);
    receiver.next_reports = start + ms(10_000);
    receiver.negotiated(&[camera()]);
    let number = |packet: Sent, number: u16| packet.with(TRANSPORT, &number.to_be_bytes());
    number(sent(2, VP8, 1, 0, &FRAME), 500).to(&mut receiver, start);
    number(sent(2, VP8, 1, 0, &FRAME).again(3, 1), 501).to(&mut receiver, start);
    number(sent(55, VP8, 1, 0, &FRAME), 503).to(&mut receiver, start);
    assert_eq!(receiver.deadline(), start + ms(100));
    let all = feedback(&mut receiver, start + ms(100));
    let report = of::<TransportLayerCc>(&all).next().unwrap();
    assert_eq!((report.base_sequence_number, report.packet_status_count, report.recv_deltas.len()), (500, 4, 3));
    assert_eq!(report.sender_ssrc, receiver.sender);
}

proptest! {
    /// Whatever an authenticated stranger sends: no panic, no endless feedback, nothing without bound.
    #[test]
    fn no_traffic_is_trouble(
        packets in prop::collection::vec((0u32..40, 94u8..113, any::<u16>(), any::<u32>(), prop::collection::vec(any::<u8>(), 0..30), 0u64..300), 1..200),
        extensions in prop::collection::vec((1u8..15, prop::collection::vec(any::<u8>(), 1..16)), 0..4),
        control in prop::collection::vec(any::<u8>(), 0..100),
        rids in prop::bool::ANY,
    ) {
        let mut now = Instant::now();
        let mut receiver = Receiver::new(now);
        let rids: &[&str] = if rids { &["q", "h", "f"] } else { &[] };
        let sections = [audio(), Section { rids: rids.iter().map(|rid| (*rid).to_owned()).collect(), ..camera() }, section("2", Kind::Screen, rids)];
        receiver.negotiated(&sections);
        for (number, (ssrc, payload_type, sequence, timestamp, payload, wait)) in packets.into_iter().enumerate() {
            now += Duration::from_millis(wait);
            let mut packet = sent(ssrc, payload_type, sequence, timestamp, &payload);
            for (id, value) in &extensions {
                packet = packet.with(*id, value);
            }
            packet.header.padding = sequence % 3 == 0;
            packet.to(&mut receiver, now);
            if number % 7 == 0 {
                receiver.rtcp(&control, now);
                receiver.negotiated(&sections[number % 3..]);
            }
            feedback(&mut receiver, now);
            for kind in [Kind::Audio, Kind::Video, Kind::Screen] {
                receiver.layers(kind, now);
                receiver.take_lost(kind, number % 4);
                receiver.keyframe_request(kind, number % 4);
            }
        }
        let stats = receiver.stats();
        prop_assert!((0.0..=1.0).contains(&stats.fraction_lost));
    }

    /// The same with bytes that are no packet at all behind a header that claims to be one.
    #[test]
    fn no_bytes_are_trouble(bytes in prop::collection::vec(any::<u8>(), 0..80), cut in 0usize..80) {
        let now = Instant::now();
        let mut receiver = Receiver::new(now);
        receiver.negotiated(&[audio(), camera()]);
        let mut bytes = BytesMut::from(&bytes[..]);
        if let Ok(mut header) = Header::unmarshal(&mut &bytes[..]) {
            header.ssrc = 1 + header.ssrc % 3;
            header.payload_type = [OPUS, VP8, RESEND][usize::from(header.payload_type % 3)];
            receiver.rtp(&header, bytes.clone(), now);
            bytes.truncate(cut);
            receiver.rtp(&header, bytes.clone(), now);
            bytes.advance(bytes.remaining() / 2);
            receiver.rtp(&header, bytes, now);
        }
    }
}

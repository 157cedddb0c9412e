//! Whose packet it is, and which are passed on.

use super::*;

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
    // The camera's last packets are not taken for the screen's, although the payload type would fit; only when they name it.
    receiver.negotiated(&[Section { sends: false, ..camera() }, section("2", Kind::Screen, &[])]);
    assert!(sent(2, VP8, 12, 0, &FRAME).to(&mut receiver, start).is_none());
    assert!(sent(2, VP8, 13, 0, &FRAME).with(MID, b"1").to(&mut receiver, start).is_none());
    let moved = sent(2, VP8, 14, 0, &FRAME).with(MID, b"2");
    assert_eq!(moved.to(&mut receiver, start).map(|(kind, _)| kind), Some(Kind::Screen));
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
fn layer_0_is_the_smallest_picture_whichever_way_they_are_named() {
    let start = Instant::now();
    let mut receiver = Receiver::new(start);
    receiver.negotiated(&[section("1", Kind::Video, &["0", "1"])]);
    let mut layer = |ssrc, sequence, rid: &str, width: u16| {
        let mut picture = KEY_FRAME;
        picture[7..9].copy_from_slice(&width.to_le_bytes());
        let packet = sent(ssrc, VP8, sequence, 0, &picture).with(MID, b"1").with(RID, rid.as_bytes());
        packet.to(&mut receiver, start).unwrap().1.layer
    };
    assert_eq!(layer(20, 1, "0", 1280), 0, "nothing to compare with so far");
    assert_eq!(layer(21, 1, "1", 320), 0);
    assert_eq!(layer(20, 2, "0", 1280), 1);
    let known: Vec<_> =
        receiver.layers(Kind::Video, start).into_iter().map(|rate| (rate.layer, rate.rid, rate.size)).collect();
    assert_eq!(known, [(0, "1".to_owned(), Some((320, 360))), (1, "0".to_owned(), Some((1280, 360)))]);
    for (number, ssrc) in [(0, 21), (1, 20)] {
        let request = receiver.keyframe_request(Kind::Video, number).unwrap();
        assert_eq!(request[8..], u32::to_be_bytes(ssrc));
    }
    sent(20, VP8, 500, 0, &FRAME).to(&mut receiver, start);
    assert!(receiver.take_lost(Kind::Video, 1) && !receiver.take_lost(Kind::Video, 0));
}

#[test]
fn ssrcs_that_are_announced_beside_layers_do_not_say_which_layer() {
    let start = Instant::now();
    let mut receiver = Receiver::new(start);
    let ssrcs = Section {
        ssrcs: vec![20, 21],
        rtx_ssrcs: vec![(120, 20), (121, 21)],
        ..section("1", Kind::Video, &["q", "h"])
    };
    receiver.negotiated(&[ssrcs]);
    assert!(sent(21, VP8, 5, 0, &FRAME).to(&mut receiver, start).is_none());
    let named = sent(21, VP8, 5, 0, &FRAME).with(MID, b"1").with(RID, b"h");
    assert_eq!(named.to(&mut receiver, start).map(|(_, packet)| packet.layer), Some(1));
    let resend = sent(21, VP8, 4, 0, &FRAME).again(121, 1);
    assert_eq!(resend.to(&mut receiver, start).map(|(_, packet)| (packet.layer, packet.ssrc)), Some((1, 21)));
}

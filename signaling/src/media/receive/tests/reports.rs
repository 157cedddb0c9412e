//! Clocks, reports and measurements.

use super::*;

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
        LayerRate { layer, rid: rid.to_owned(), size: None, bits_per_second, frames_per_second, alive }
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

//! Whatever an authenticated stranger sends.

use super::*;

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

//! Strangers' bytes.

use super::*;
use proptest::prelude::*;

fn busy(now: Instant) -> Egress<Plain> {
    let mut egress = egress(vec![audio_stream(1), video_stream(SLOT, Some(RTX))], now);
    for sequence in 0..50 {
        egress.push(packet(SLOT, sequence, 100, Class::Video), now);
        egress.push(packet(1, sequence, 100, Class::Audio), now);
    }
    drain(&mut egress, now, 100);
    egress
}

/// One RTCP message with a true length and anything else.
fn message() -> impl Strategy<Value = Vec<u8>> {
    let kind = prop_oneof![
        Just((205_u8, 15_u8)),
        Just((205, 1)),
        Just((206, 15)),
        Just((206, 1)),
        Just((206, 4)),
        Just((201, 1)),
        Just((200, 1)),
        (200_u8..=207, 0_u8..32)
    ];
    (kind, prop::collection::vec(any::<[u8; 4]>(), 0..40)).prop_map(|((packet_type, count), words)| {
        let length = u16::try_from(words.len()).unwrap().to_be_bytes();
        let mut bytes = vec![0x80 | count, packet_type, length[0], length[1]];
        bytes.extend(words.into_iter().flatten());
        bytes
    })
}

proptest! {
    #[test]
    fn no_rtcp_is_trouble(messages in prop::collection::vec(message(), 1..5), cut in 0_usize..8, times in prop::collection::vec(0_u64..2_000, 1..5)) {
        let now = Instant::now();
        let mut egress = busy(now);
        let mut compound = messages.concat();
        compound.truncate(compound.len().saturating_sub(cut));
        for time in times {
            let at = after(now, 100 + time);
            egress.rtcp(&compound, at);
            egress.tick(at);
            while egress.poll_transmit(at).is_some() {}
            let estimate = egress.estimate();
            prop_assert!((50_000..=8_000_000).contains(&estimate), "{}", estimate);
            prop_assert!(egress.deadline(at) <= at + IDLE);
        }
    }

    #[test]
    fn no_bytes_are_trouble(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let now = Instant::now();
        busy(now).rtcp(&bytes, after(now, 150));
    }
}

#[test]
fn memory_is_bounded_whatever_is_pushed_and_never_fetched() {
    let now = Instant::now();
    let mut egress = egress(vec![audio_stream(1), video_stream(SLOT, Some(RTX))], now);
    for sequence in 0..5_000 {
        egress.push(packet(SLOT, sequence, 1, Class::Video), now);
        egress.push(packet(1, sequence, 1, Class::Audio), now);
    }
    assert!(drain(&mut egress, now, 1_000).len() <= 512 + 128);
    assert!(egress.streams.all.iter().all(|outgoing| outgoing.history.len() <= 512));
}

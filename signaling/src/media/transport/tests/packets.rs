//! Packets are opened once, for whom they were sealed, and strangers' do no harm.

use super::*;

fn rtcp(ssrc: u32) -> Vec<u8> {
    let [a, b, c, d] = ssrc.to_be_bytes();
    // A receiver report without reports (RFC 3550, 6.4.2).
    vec![0x80, 201, 0, 1, a, b, c, d]
}

#[test]
fn packets_pass_both_ways_with_both_profiles() {
    for profile in [GCM, SHA1] {
        let mut world = World::up(profile);
        let (mut sealing, mut opening) = world.client.contexts();
        // Over the end of the numbers, where the rollover counter comes in (RFC 3711, 3.3.1).
        for number in [65_533, 65_534, 65_535, 0, 1] {
            let (plain, sealed) = packet(&mut sealing, 7, number);
            assert_ne!(plain, sealed);
            match world.hub.read(&sealed, path(1), world.now) {
                Read::Rtp(header, opened) => {
                    assert_eq!((header.ssrc, header.sequence_number), (7, number));
                    assert_eq!(opened, plain);
                }
                other => panic!("{other:?}"),
            }
        }
        let sealed = sealing.encrypt_rtcp(&rtcp(7)).unwrap();
        assert_eq!(world.hub.read(&sealed, path(1), world.now), Read::Rtcp(BytesMut::from(rtcp(7).as_slice())));

        let mut sealer = world.hub.take_sealer().unwrap();
        for number in [65_535, 0, 1] {
            let (header, plain) = plain_packet(9, number);
            let sealed = sealer.seal_rtp(&header, &plain).unwrap();
            assert_eq!(opening.decrypt_rtp(&sealed).unwrap(), plain);
        }
        let sealed = sealer.seal_rtcp(&rtcp(9)).unwrap();
        assert_eq!(opening.decrypt_rtcp(&sealed).unwrap(), rtcp(9));
    }
}

#[test]
fn a_late_number_is_sealed_too_and_the_same_packet_twice_is_the_same() {
    let world = &mut World::up(GCM);
    let (_, mut opening) = world.client.contexts();
    let mut sealer = world.hub.take_sealer().unwrap();
    for number in [65_535, 1, 0, 3, 2] {
        let (header, plain) = plain_packet(9, number);
        let sealed = sealer.seal_rtp(&header, &plain).unwrap();
        assert_eq!(sealer.seal_rtp(&header, &plain).unwrap(), sealed, "{number}");
        assert_eq!(opening.decrypt_rtp(&sealed).unwrap(), plain, "{number}");
    }
}

#[test]
fn a_packet_before_the_keys_is_dropped() {
    let now = Instant::now();
    let client = Client::new(Client::config(&CLIENT, vec![GCM], 1200), Repeats::Doubling(50), now);
    let mut world = World::new(GOOD, client, now, 1);
    let (_, plain) = plain_packet(7, 1);
    assert_eq!(world.hub.read(&plain, path(1), now), Read::Refused("no keys yet"));
    assert!(world.run(ms(500)).is_some());
}

#[test]
fn repeated_packets_are_refused() {
    let mut world = World::up(GCM);
    let (mut sealing, _) = world.client.contexts();
    let packets: Vec<_> = (1..=2000).map(|number| packet(&mut sealing, 7, number).1).collect();
    let reports: Vec<_> = (0..3).map(|_| sealing.encrypt_rtcp(&rtcp(7)).unwrap()).collect();
    // Late is not repeated.
    for index in [1, 0, 2].into_iter().chain(3..2000) {
        assert!(matches!(world.hub.read(&packets[index], path(1), world.now), Read::Rtp(..)), "{index}");
    }
    for report in &reports {
        assert!(matches!(world.hub.read(report, path(1), world.now), Read::Rtcp(_)));
    }
    for repeated in packets.iter().chain(&reports) {
        assert_eq!(world.hub.read(repeated, path(1), world.now), Read::Refused("repeated"));
    }
}

#[test]
fn forged_packets_are_refused_and_shut_nobody_out() {
    for profile in [GCM, SHA1] {
        let mut world = World::up(profile);
        let (mut sealing, _) = world.client.contexts();
        let (mut strange, _) = World::up(profile).client.contexts();
        // A stranger names the stream first, with a number far ahead of its own.
        let (_, forged) = packet(&mut strange, 7, 30_000);
        let report = strange.encrypt_rtcp(&rtcp(7)).unwrap();
        assert_eq!(world.hub.read(&forged, path(1), world.now), Read::Refused("forged"));
        assert_eq!(world.hub.read(&report, path(1), world.now), Read::Refused("forged"));
        for ssrc in 1000..2000 {
            let (_, forged) = packet(&mut strange, ssrc, 1);
            assert_eq!(world.hub.read(&forged, path(1), world.now), Read::Refused("forged"));
        }
        let (plain, mut sealed) = packet(&mut sealing, 7, 1);
        assert!(matches!(world.hub.read(&sealed, path(1), world.now), Read::Rtp(_, opened) if opened == plain));
        let report = sealing.encrypt_rtcp(&rtcp(7)).unwrap();
        assert!(matches!(world.hub.read(&report, path(1), world.now), Read::Rtcp(_)));
        // One bit of a good one.
        sealed = packet(&mut sealing, 7, 2).1;
        let middle = sealed.len() / 2;
        sealed[middle] ^= 1;
        assert_eq!(world.hub.read(&sealed, path(1), world.now), Read::Refused("forged"));
        sealed[middle] ^= 1;
        assert!(matches!(world.hub.read(&sealed, path(1), world.now), Read::Rtp(..)));
    }
}

#[test]
fn a_client_has_so_many_streams_and_no_more() {
    let mut world = World::up(GCM);
    let (mut sealing, _) = world.client.contexts();
    let taken = (0..1000).filter(|ssrc| {
        let (_, sealed) = packet(&mut sealing, *ssrc, 1);
        matches!(world.hub.read(&sealed, path(1), world.now), Read::Rtp(..))
    });
    assert_eq!(taken.count(), 256);
    let (_, sealed) = packet(&mut sealing, 0, 2);
    assert!(matches!(world.hub.read(&sealed, path(1), world.now), Read::Rtp(..)), "the old ones go on");
}

static CONNECTED: LazyLock<std::sync::Mutex<World>> = LazyLock::new(|| std::sync::Mutex::new(World::up(GCM)));

proptest! {
    /// From a proven path, before and after the handshake, as any kind of datagram.
    #[test]
    fn no_bytes_are_trouble(first in any::<u8>(), second in any::<u8>(), bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut datagram = vec![first, second];
        datagram.extend_from_slice(&bytes);
        let records = [&[22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, u8::try_from(bytes.len()).unwrap()], bytes.as_slice()].concat();
        let packet = [&[0x80 | (first & 0x3F), second], bytes.as_slice()].concat();
        let mut connected = CONNECTED.lock().unwrap();
        let mut new = Transport::new(&HUB, connected.now);
        new.check(&check(new.ufrag(), new.pwd(), true), path(1), connected.now);
        for datagram in [&datagram, &records, &packet] {
            classify(datagram);
            claimed_ufrag(datagram);
            let now = connected.now;
            prop_assert_eq!(connected.hub.check(datagram, path(1), now), Checked::Refused);
            prop_assert!(matches!(connected.hub.read(datagram, path(1), now), Read::Nothing | Read::Refused(_)));
            prop_assert_eq!(connected.hub.state(), State::Up);
            prop_assert!(matches!(new.read(datagram, path(1), now), Read::Nothing | Read::Refused(_)));
        }
        while connected.hub.poll_transmit().is_some() {}
    }
}

//! Handshakes end, on whatever line, and give keys to the announced client alone.

use super::*;

/// Sixty lines of each kind. A seed that fails is to be kept here.
fn all_end(repeats: Repeats, most_lost: f64, mtu: usize, limit: Duration) {
    let config = Client::config(&CLIENT, vec![SHA1, GCM], mtu);
    for seed in 0..60 {
        let mut random = StdRng::seed_from_u64(1000 + seed);
        let line = Line {
            lost: random.random_range(0.0..=most_lost),
            doubled: random.random_range(0.0..0.2),
            delay: random.random_range(1..150),
            jitter: random.random_range(0..100),
        };
        let now = Instant::now();
        let mut world = World::new(line, Client::new(config.clone(), repeats, now), now, seed);
        assert!(world.run(limit).is_some(), "seed {seed}: {line:?}, hub {:?}", world.hub.state());
    }
}

#[test]
fn a_browsers_handshake_ends_on_a_bad_line() {
    all_end(Repeats::Doubling(50), 0.3, 1200, Duration::from_secs(15));
}

#[test]
fn a_handshake_in_many_small_datagrams_ends_on_a_bad_line() {
    all_end(Repeats::Doubling(50), 0.2, 200, Duration::from_secs(20));
}

#[test]
fn an_openssl_handshake_ends_on_a_bad_line() {
    all_end(Repeats::Doubling(1000), 0.2, 1200, Duration::from_secs(20));
}

#[test]
fn an_rtc_handshake_ends_on_a_bad_line() {
    all_end(Repeats::Rtc, 0.1, 1200, Duration::from_secs(10));
}

#[test]
fn our_flights_fit_one_datagram_each() {
    let now = Instant::now();
    let client = Client::new(Client::config(&CLIENT, vec![GCM], 1200), Repeats::Doubling(50), now);
    let mut world = World::new(GOOD, client, now, 1);
    let mut sent = Vec::new();
    while world.hub.state() != State::Up {
        while let Some(datagram) = world.client.out.pop_front() {
            world.hub.read(&datagram, path(1), now);
        }
        let mut flight = Vec::new();
        while let Some((datagram, _)) = world.hub.poll_transmit() {
            world.client.read(&datagram, now);
            flight.push(datagram.len());
        }
        sent.push(flight);
    }
    // Verify request, certificate flight, finished. A flight sent again byte for byte comes whole or not at all.
    assert_eq!(sent.iter().map(Vec::len).collect::<Vec<_>>(), [1, 1, 1]);
    assert!(sent.iter().flatten().all(|length| *length < 1200), "{sent:?}");
}

#[test]
fn a_flood_of_repetitions_is_answered_once() {
    let now = Instant::now();
    let client = Client::new(Client::config(&CLIENT, vec![GCM], 1200), Repeats::Doubling(50), now);
    let mut world = World::new(GOOD, client, now, 1);
    let hello = world.client.out.pop_front().unwrap();
    for _ in 0..100 {
        let hello = world.client.renumber(&hello);
        assert_eq!(world.hub.read(&hello, path(1), now), Read::Nothing);
    }
    assert!(world.hub.poll_transmit().is_some(), "the verify request");
    assert!(world.hub.poll_transmit().is_none());
    world.hub.read(&hello, path(1), now + ms(50));
    assert!(world.hub.poll_transmit().is_some(), "it may have been lost");
}

#[test]
fn the_last_flight_is_sent_unasked_until_the_client_speaks() {
    let mut world = World::up(GCM);
    let (mut sealing, _) = world.client.contexts();
    world.now = world.hub.deadline().unwrap();
    world.hub.tick(world.now);
    assert!(world.hub.poll_transmit().is_some());
    let (_, sealed) = packet(&mut sealing, 7, 1);
    world.hub.read(&sealed, path(1), world.now);
    assert_eq!(world.hub.deadline(), Some(world.now + SILENT), "nothing more to repeat");
}

#[test]
fn a_repeated_last_flight_of_the_client_is_answered() {
    let now = Instant::now();
    let client = Client::new(Client::config(&CLIENT, vec![GCM], 1200), Repeats::Doubling(50), now);
    let mut world = World::new(GOOD, client, now, 1);
    while world.hub.state() != State::Up {
        while let Some(datagram) = world.client.out.pop_front() {
            world.hub.read(&datagram, path(1), now);
        }
        if world.hub.state() != State::Up {
            let (datagram, _) = world.hub.poll_transmit().unwrap();
            world.client.read(&datagram, now);
        }
    }
    let (lost, _) = world.hub.poll_transmit().unwrap();
    world.client.tick(now + ms(50));
    while let Some(datagram) = world.client.out.pop_front() {
        world.hub.read(&datagram, path(1), now + ms(60));
    }
    assert_eq!(world.hub.poll_transmit(), Some((lost.clone(), path(1))));
    world.client.read(&lost, now + ms(70));
    assert!(world.client.complete);
}

#[test]
fn another_certificate_than_the_announced_gets_no_keys() {
    let now = Instant::now();
    let client = Client::new(Client::config(&certificate(), vec![GCM], 1200), Repeats::Doubling(50), now);
    let mut world = World::new(GOOD, client, now, 1);
    assert_eq!(world.run(ms(500)), None);
    assert_eq!(world.hub.state(), State::Failed);
    assert!(world.hub.take_sealer().is_none());
    assert!(world.client.closed, "the client is told");
    assert_eq!(world.hub.read(&plain_packet(7, 1).1, path(1), world.now), Read::Nothing);
    assert_eq!(world.hub.check(&check(world.hub.ufrag(), world.hub.pwd(), true), path(1), world.now), Checked::Refused);
    assert_eq!(world.hub.deadline(), None);
}

#[test]
fn a_client_without_a_certificate_gets_no_keys() {
    let now = Instant::now();
    let config = ConfigBuilder::default()
        .with_crypto_provider(rtc::crypto::default_provider().unwrap())
        .with_cipher_suites(vec![CipherSuiteId::Tls_Ecdhe_Ecdsa_With_Aes_128_Gcm_Sha256])
        .with_srtp_protection_profiles(vec![GCM])
        .with_insecure_skip_verify(true)
        .build(true, None);
    let client = Client::new(Arc::new(config.unwrap()), Repeats::Doubling(50), now);
    let mut world = World::new(GOOD, client, now, 1);
    assert_eq!(world.run(ms(500)), None);
    assert_eq!(world.hub.state(), State::Failed);
    assert!(world.hub.take_sealer().is_none());
}

#[test]
fn keys_wait_for_the_description() {
    let now = Instant::now();
    let client = Client::new(Client::config(&CLIENT, vec![GCM], 1200), Repeats::Doubling(50), now);
    let mut world = World::new(GOOD, client, now, 1);
    world.hub.announced = None;
    assert_eq!(world.run(ms(500)), None);
    assert!(world.client.complete);
    assert_eq!(world.hub.state(), State::Connecting);
    assert!(world.hub.take_sealer().is_none());
    world.hub.set_remote(&remote(&CLIENT), world.now);
    assert_eq!(world.hub.state(), State::Up);
    assert!(world.hub.take_sealer().is_some());
    assert!(world.hub.take_sealer().is_none(), "once");
}

#[test]
fn the_certificate_may_be_announced_again_but_not_changed() {
    let mut world = World::up(GCM);
    world.hub.set_remote(&remote(&CLIENT), world.now);
    assert_eq!(world.hub.state(), State::Up);
    world.hub.set_remote(&remote(&certificate()), world.now);
    assert_eq!(world.hub.state(), State::Failed);
}

#[test]
fn both_profiles_and_the_cheaper_of_the_two() {
    for (offered, expected) in [(vec![SHA1, GCM], GCM), (vec![GCM, SHA1], GCM), (vec![SHA1], SHA1), (vec![GCM], GCM)] {
        let now = Instant::now();
        let client = Client::new(Client::config(&CLIENT, offered, 1200), Repeats::Doubling(50), now);
        let mut world = World::new(GOOD, client, now, 1);
        assert!(world.run(ms(500)).is_some());
        let state = world.client.endpoint.get_connection_state(Client::HUB).unwrap();
        assert_eq!(state.srtp_protection_profile(), expected);
    }
}

#[test]
fn either_side_says_goodbye() {
    let mut world = World::up(GCM);
    world.hub.close(world.now);
    assert_eq!(world.hub.state(), State::Closed);
    let (goodbye, to) = world.hub.poll_transmit().unwrap();
    assert_eq!(to, path(1));
    world.client.read(&goodbye, world.now);
    assert!(world.client.closed);

    let mut world = World::up(GCM);
    world.client.endpoint.close(world.now).unwrap();
    world.client.collect(world.now);
    let goodbye = world.client.out.pop_front().unwrap();
    world.hub.read(&goodbye, path(1), world.now);
    assert_eq!(world.hub.state(), State::Closed);
}

#[test]
fn an_alert_in_the_clear_ends_nothing() {
    let fatal = [21, 254, 253, 0, 0, 0, 0, 0, 0, 9, 9, 0, 2, 2, 40];
    let now = Instant::now();
    let client = Client::new(Client::config(&CLIENT, vec![GCM], 1200), Repeats::Doubling(50), now);
    let mut world = World::new(GOOD, client, now, 1);
    world.hub.read(&fatal, path(1), now);
    assert!(world.run(ms(500)).is_some());
    world.hub.read(&fatal, path(1), world.now);
    assert_eq!(world.hub.state(), State::Up);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// A handshake whose datagrams are mangled on the way may fail; it does no harm.
    #[test]
    fn no_mangled_handshake_is_trouble(
        mtu in 60_usize..1200,
        mangled in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        which in 0_usize..6,
    ) {
        let now = Instant::now();
        let client = Client::new(Client::config(&CLIENT, vec![GCM], mtu), Repeats::Doubling(50), now);
        let mut world = World::new(GOOD, client, now, 1);
        let mut sent = 0;
        for _ in 0..4 {
            while let Some(mut datagram) = world.client.out.pop_front() {
                if sent == which {
                    for (at, byte) in &mangled {
                        let at = at.index(datagram.len());
                        datagram[at] ^= byte;
                    }
                }
                sent += 1;
                world.hub.read(&datagram, path(1), now);
            }
            while let Some((datagram, _)) = world.hub.poll_transmit() {
                world.client.read(&datagram, now);
            }
        }
        prop_assert_ne!(world.hub.state(), State::New);
    }
}

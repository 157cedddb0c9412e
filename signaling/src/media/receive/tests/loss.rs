//! Lossy and disorderly lines.

use super::*;

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
        assert!(stats.recovered * 100 > dropped * 98, "{outcome:?}");
        assert!(stats.requests * 2 < dropped * 3, "{outcome:?}");
        assert_eq!(passed, stats.packets + stats.recovered);
        let round_trip = 2.0 * ms(delay).as_secs_f64() * 1000.0;
        assert!((stats.round_trip_ms - round_trip).abs() < 10.0, "{outcome:?}");
    }
}

#[test]
fn twenty_percent_of_loss_are_recovered_without_a_storm() {
    for (seed, delay) in [(5, 10), (6, 50), (7, 100)] {
        let outcome = over_a_lossy_line(seed, 0.2, ms(delay));
        let Outcome { stats, dropped, .. } = outcome;
        assert!(dropped > 600 && stats.recovered * 100 > dropped * 95, "{outcome:?}");
        assert!(stats.requests < dropped * 2, "{outcome:?}");
        assert!(stats.duplicates * 10 < dropped, "{outcome:?}");
    }
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
fn neighbours_that_overtake_each_other_are_not_asked_for() {
    let start = Instant::now();
    let mut receiver = Receiver::new(start);
    receiver.negotiated(&[camera()]);
    let mut passed = 0;
    for pair in 0..500u16 {
        for (part, sequence) in [2 * pair + 1, 2 * pair].into_iter().enumerate() {
            let now = start + ms(5 * u64::from(2 * pair) + 5 * u64::try_from(part).unwrap());
            passed += usize::from(sent(2, VP8, sequence, 0, &FRAME).to(&mut receiver, now).is_some());
            assert_eq!(nacks(&feedback(&mut receiver, now)), [0; 0]);
        }
    }
    assert_eq!((passed, receiver.stats().lost), (1000, 0));
}

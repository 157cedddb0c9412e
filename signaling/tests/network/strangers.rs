//! Caught and forged packets of a real session, from a stranger's address, from another member's and from the client's own: refused, counted,
//! and nobody is disturbed.

use crate::relay::{Recorded, Way};
use crate::site::Plan;
use crate::{Hearing, alone, until};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use std::net::UdpSocket;
use std::time::Duration;

fn is_check(datagram: &[u8]) -> bool {
    datagram.first().is_some_and(|first| *first < 4)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn caught_and_forged_packets_disturb_nobody() {
    let _turn = alone().await;
    let mut hearing = Hearing::prepare(2, 13).await;
    // From the first check on: handshakes are among what is caught.
    hearing.relays[1].record();
    hearing.enter(&Plan::default()).await;
    hearing.all_flow(100).await;
    let caught = hearing.relays[1].recorded();
    let up: Vec<_> = caught.iter().filter(|recorded| recorded.way == Way::Up).collect();
    let count = |wanted: fn(&Recorded) -> bool| u64::try_from(up.iter().filter(|r| wanted(r)).count()).unwrap();
    let (all, checks) = (count(|_| true), count(|r| is_check(&r.datagram)));
    assert!(checks > 2 && all > 200, "{checks} checks among {all} datagrams");
    let start = hearing.hub.server.counters();

    let stranger = UdpSocket::bind("127.0.0.1:0").unwrap();
    stranger.set_nonblocking(true).unwrap();
    for (n, recorded) in up.iter().enumerate() {
        stranger.send_to(&recorded.datagram, hearing.hub.server.local_addr()).unwrap();
        if n % 50 == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    until("all are counted", || {
        let now = hearing.hub.server.counters();
        now.strangers - start.strangers >= all - checks && now.bad_checks - start.bad_checks >= checks
    })
    .await;
    assert!(stranger.recv_from(&mut [0; 2_000]).is_err(), "a stranger gets no word back");

    // From the officer's addresses, which are known: what the client sent, and what the hub did.
    let before = hearing.hub.server.counters();
    let known = caught.iter().filter(|recorded| !is_check(&recorded.datagram)).count();
    for recorded in &caught {
        hearing.relays[0].inject(&recorded.datagram).await;
    }
    until("another member's packets are refused", || {
        hearing.hub.server.counters().refused - before.refused >= u64::try_from(known).unwrap()
    })
    .await;

    // From the client's own addresses: again, mangled, and cut short.
    let before = hearing.hub.server.counters();
    let mut random = StdRng::seed_from_u64(13);
    let packets: Vec<_> = up.iter().filter(|recorded| recorded.datagram[0] >= 128).collect();
    for recorded in &packets {
        let mut forged = recorded.datagram.clone();
        let at = random.random_range(0..forged.len());
        forged[at] ^= 1 << random.random_range(0..8);
        hearing.relays[1].inject(&recorded.datagram).await;
        hearing.relays[1].inject(&forged).await;
        hearing.relays[1].inject(&forged[..at]).await;
    }
    until("repeated and forged packets are refused", || {
        hearing.hub.server.counters().refused - before.refused >= 2 * u64::try_from(packets.len()).unwrap()
    })
    .await;
    // The handshake's too, once more from the start.
    for recorded in up.iter().filter(|recorded| (20..64).contains(&recorded.datagram[0])) {
        hearing.relays[1].inject(&recorded.datagram).await;
    }
    hearing.all_flow(50).await;
    let end = hearing.hub.server.counters();
    assert_eq!(end.path_changes, start.path_changes, "nobody was led elsewhere");
    for (name, site) in &hearing.sites {
        let from = if name == "officer" { "party1" } else { "officer" };
        for kind in [signaling::message::Kind::Audio, signaling::message::Kind::Video] {
            let (came, span) = site.seen.whole(from, kind, 0);
            assert_eq!(came, span, "{name} has all of {from}'s {kind:?}");
        }
        assert!(site.is_up());
    }
    assert!(!hearing.hub.told().contains(&"left".to_owned()));
    println!("{all} caught datagrams: {end:?}");
}

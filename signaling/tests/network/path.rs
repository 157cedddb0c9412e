//! Ways to the hub: TCP where UDP is blocked, and an address that changes under way.

use crate::site::Plan;
use crate::{Hearing, alone, flows, until};
use std::time::Duration;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_udp_is_blocked_tcp_takes_over() {
    let _turn = alone().await;
    let mut hearing = Hearing::prepare(2, 4).await;
    hearing.relays[1].cut();
    hearing.enter(&Plan { tcp: true, ..Plan::default() }).await;
    let took = hearing.all_flow(50).await;
    println!("UDP blocked: sound and picture by TCP both ways after {took:.1?}");
}

/// An address translator forgets a client. It restarts nothing, since it does not know.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_address_is_followed_without_a_restart() {
    let _turn = alone().await;
    let mut hearing = Hearing::prepare(2, 5).await;
    hearing.enter(&Plan::default()).await;
    hearing.all_flow(20).await;
    for _ in 0..3 {
        let before = hearing.hub.server.counters();
        let (old, offers) = (hearing.relays[1].seen_as(), hearing.site(1).seen.offers());
        hearing.relays[1].change_address();
        let (officer, party) = (hearing.site(0), hearing.site(1));
        let (to, from) = tokio::join!(flows(party, "officer", 20), flows(officer, "party1", 20));
        until("both connections have moved", || hearing.hub.server.counters().path_changes >= before.path_changes + 2)
            .await;
        assert!(hearing.relays[1].seen_as().iter().all(|address| !old.contains(address)));
        assert_eq!(party.seen.offers(), offers, "nothing was negotiated");
        println!("a new address: 20 packets of each to the client after {to:.1?}, from it after {from:.1?}");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

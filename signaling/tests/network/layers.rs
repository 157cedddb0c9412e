//! Simulcast that outlives renegotiation: a publisher names its layers only at first, and every ICE restart keeps them (D1 of the peer connections
//! that this engine replaced, which lost them all).

use crate::site::{Plan, Site};
use crate::{Hearing, alone, until};
use signaling::ClientMessage;
use signaling::message::Layout;

/// So many packets of a layer and no others, from now on.
async fn gets(site: &Site, from: &str, layer: usize) {
    until(&format!("layer {layer} of {from}"), || {
        let arrivals = site.seen.arrivals(from, signaling::message::Kind::Video);
        arrivals.len() > 40 && arrivals[arrivals.len() - 40..].iter().all(|arrival| usize::from(arrival.layer) == layer)
    })
    .await;
}

fn pinned(member: Option<&str>) -> ClientMessage {
    ClientMessage::View { layout: Layout::Podium, tiles: 9, pinned: member.map(Into::into) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_restarts_leave_every_layer_where_it_was() {
    let _turn = alone().await;
    // Of three pictures one is large; two would both fill the window.
    let mut hearing = Hearing::prepare(4, 6).await;
    for n in 0..4 {
        hearing.enter_one(n, Plan { layers: n == 1, ..Plan::default() }).await;
    }
    let (officer, publisher, viewer) = (hearing.site(0), hearing.site(1), hearing.site(2));
    // Large for the one, a tile for the other.
    officer.say(pinned(Some("party1"))).await;
    viewer.say(pinned(Some("officer"))).await;
    gets(officer, "party1", 2).await;
    gets(viewer, "party1", 1).await;
    for restart in 1..=3 {
        let answers = publisher.answers();
        publisher.restart().await;
        until("the restart is answered", || publisher.answers() > answers).await;
        let before = [officer, viewer].map(|site| site.seen.layers("party1"));
        let both = || {
            let after = [officer, viewer].map(|site| site.seen.layers("party1"));
            after[0][2] > before[0][2] + 40 && after[1][1] > before[1][1] + 40
        };
        let took = until("both layers go on", both).await;
        println!("after restart {restart}: 40 packets of layers 2 and 1 in {took:.1?}");
    }
    // The other way round: each is still found, by itself and by its key frame.
    officer.say(pinned(Some("party2"))).await;
    viewer.say(pinned(Some("party1"))).await;
    gets(officer, "party1", 1).await;
    gets(viewer, "party1", 2).await;
}

//! Retransmission at 5 % loss: nearly everything is recovered, and nobody asks or answers without end (D3 of the peer connections that this engine
//! replaced: 108 lost packets made 3,400 resends).

use crate::relay::{Relay, Way, Weather};
use crate::site::Plan;
use crate::{Hearing, alone, flows, until};
use signaling::message::Kind;
use std::time::Duration;

const LOSS: f64 = 0.05;
const FAR: Duration = Duration::from_millis(30);
/// Packets of pictures watched in each direction.
const WATCHED: usize = 1_000;
/// Payload types of pictures and of their resends, as both stacks have them.
const VP8: u8 = 96;
const RTX: u8 = 97;

/// What was lost of the pictures, and what was sent again, as the network saw it.
fn tally(relay: &Relay, way: Way) -> (u64, u64) {
    let (first, again) = (relay.tally(way, VP8), relay.tally(way, RTX));
    (first.lost, again.passed + again.lost)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_publisher_lost_is_asked_for_once_and_comes() {
    let _turn = alone().await;
    let mut hearing = Hearing::prepare(2, 7).await;
    hearing.enter(&Plan::default()).await;
    hearing.all_flow(20).await;
    let (relay, officer) = (&hearing.relays[1], hearing.site(0));
    relay.both(Weather::lossy(LOSS, FAR));
    flows(officer, "party1", 20).await;
    relay.clear_tallies();
    let since = officer.seen.packets("party1", Kind::Video);
    until("many pictures", || officer.seen.packets("party1", Kind::Video) > since + WATCHED).await;
    let (lost, again) = tally(relay, Way::Up);
    let (came, span) = officer.seen.whole("party1", Kind::Video, since);
    println!("publisher: {lost} lost, {again} sent again, {} of {span} missing in the end", span - came);
    assert!(lost > 20, "{lost}");
    // A resend is lost as often as anything: 5 % more, and the answers to requests that crossed.
    assert!(again < 2 * lost, "{again} resends for {lost} losses");
    assert!(10 * (span - came) < usize::try_from(lost).unwrap(), "over 90 % are recovered");
}

/// This stack asks again and again for what it has already (its NACKs never see recovered packets): the hub answers four times and no more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_viewer_lost_is_sent_again_within_bounds() {
    let _turn = alone().await;
    let mut hearing = Hearing::prepare(2, 8).await;
    hearing.enter(&Plan::default()).await;
    hearing.all_flow(20).await;
    let (relay, party) = (&hearing.relays[1], hearing.site(1));
    relay.both(Weather::lossy(LOSS, FAR));
    flows(party, "officer", 20).await;
    relay.clear_tallies();
    let since = party.seen.packets("officer", Kind::Video);
    until("many pictures", || party.seen.packets("officer", Kind::Video) > since + WATCHED).await;
    let (lost, again) = tally(relay, Way::Down);
    let (came, span) = party.seen.whole("officer", Kind::Video, since);
    println!("viewer: {lost} lost, {again} sent again, {} of {span} missing in the end", span - came);
    assert!(lost > 20, "{lost}");
    // Probes of the line are padding on the same stream.
    assert!(again <= 6 * lost, "{again} resends for {lost} losses");
    assert!(10 * (span - came) < usize::try_from(lost).unwrap(), "over 90 % are recovered");
}

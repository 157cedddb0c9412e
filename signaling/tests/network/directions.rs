//! Directions: a publisher's sections go off and on again and again, and media flows each time (D4 of the peer connections that this engine
//! replaced, where the second `inactive` failed).

use crate::site::{Plan, Site};
use crate::{Hearing, alone, flows, until};
use rtc::rtp_transceiver::RTCRtpTransceiverDirection as Direction;

async fn turn(site: &Site, direction: Direction) {
    for transceiver in site.publishing.get_transceivers().await {
        transceiver.set_direction(direction).await.unwrap();
    }
    let answers = site.answers();
    site.offer().await;
    until("an answer", || site.answers() > answers).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sections_go_off_and_on_ten_times() {
    let _turn = alone().await;
    let mut hearing = Hearing::prepare(2, 9).await;
    hearing.enter(&Plan::default()).await;
    hearing.all_flow(20).await;
    let (officer, party) = (hearing.site(0), hearing.site(1));
    for _ in 0..10 {
        turn(party, Direction::Inactive).await;
        turn(party, Direction::Sendonly).await;
        flows(officer, "party1", 10).await;
    }
    hearing.all_flow(20).await;
}

//! Losses: everybody gets everybody's sound and picture, and after a burst they go on by themselves.

use crate::relay::Weather;
use crate::site::Plan;
use crate::{Hearing, alone, flows};
use std::time::Duration;

const FAR: Duration = Duration::from_millis(100);

/// Ten connections under random loss in both directions, then a second without anything.
async fn everybody_gets_everybody_under(loss: f64, seed: u64) {
    let _turn = alone().await;
    let mut hearing = Hearing::prepare(5, seed).await;
    for relay in &hearing.relays {
        relay.both(Weather::lossy(loss, FAR));
    }
    hearing.enter(&Plan::default()).await;
    let joined = hearing.all_flow(20).await;
    hearing.relays[1].cut();
    tokio::time::sleep(Duration::from_secs(1)).await;
    hearing.relays[1].both(Weather::lossy(loss, FAR));
    let heard = flows(hearing.site(1), "officer", 10).await;
    let seen = flows(hearing.site(0), "party1", 10).await;
    println!(
        "{:.0} % loss, {} ms each way: all have all after {joined:.1?}; after a second without anything ten packets of each in {heard:.1?} and {seen:.1?}",
        loss * 100.0,
        FAR.as_millis()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_three_percent_loss_everybody_gets_everybody() {
    everybody_gets_everybody_under(0.03, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_five_percent_loss_everybody_gets_everybody() {
    everybody_gets_everybody_under(0.05, 2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_twenty_percent_loss_everybody_gets_everybody() {
    everybody_gets_everybody_under(0.20, 3).await;
}

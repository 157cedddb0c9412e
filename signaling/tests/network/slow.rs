//! One member on a narrow line among others: it keeps the sound, and nobody else notices.

use crate::relay::Weather;
use crate::site::Plan;
use crate::{Hearing, alone, until};
use signaling::message::Kind;
use std::time::Duration;

/// Bits a second, and the queue before it.
const NARROW: (u64, Duration) = (500_000, Duration::from_millis(200));
/// Packets of sound watched, after the line is found narrow.
const WATCHED: usize = 500;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_member_keeps_the_sound_and_slows_nobody() {
    let _turn = alone().await;
    let mut hearing = Hearing::prepare(4, 14).await;
    hearing.enter(&Plan { layers: true, ..Plan::default() }).await;
    hearing.all_flow(50).await;
    let marks: Vec<_> = (0..3).map(|n| mark(&hearing, n)).collect();
    let slow = hearing.site(3);
    hearing.relays[3].set(Weather::default(), Weather { narrow: Some(NARROW), ..Weather::default() });
    let start = slow.seen.packets("officer", Kind::Audio);
    until("the hub has had time to see it", || slow.seen.packets("officer", Kind::Audio) > start + 400).await;
    let since: Vec<_> = (0..3).map(|n| slow.seen.packets(&hearing.sites[n].0, Kind::Audio)).collect();
    let pictures = slow.seen.packets("officer", Kind::Video);
    until("sound goes on", || slow.seen.packets("officer", Kind::Audio) > since[0] + WATCHED).await;
    for (n, since) in since.iter().enumerate() {
        let (came, span) = slow.seen.whole(&hearing.sites[n].0, Kind::Audio, *since);
        println!("the slow one has {came} of {span} packets of {}'s sound", hearing.sites[n].0);
        // The queue drops whatever comes while it is full, and a probe may fill it; Opus mends single losses.
        assert!(10 * came >= 9 * span, "{came} of {span}");
    }
    println!(
        "and {} of the officer's pictures, by layer {:?}",
        slow.seen.packets("officer", Kind::Video) - pictures,
        slow.seen.layers("officer")
    );
    for (n, marks) in marks.into_iter().enumerate() {
        for (from, kind, since) in marks {
            let (came, span) = hearing.site(n).seen.whole(&from, kind, since);
            assert_eq!(came, span, "{}: {from}'s {kind:?}", hearing.sites[n].0);
        }
    }
    println!("{:?}", hearing.hub.server.counters());
}

/// What this one had of everybody.
fn mark(hearing: &Hearing, n: usize) -> Vec<(String, Kind, usize)> {
    let others = hearing.sites.iter().enumerate().filter(|(m, _)| *m != n);
    others
        .flat_map(|(_, (from, _))| [Kind::Audio, Kind::Video].map(|kind| (from.clone(), kind)))
        .map(|(from, kind)| {
            let count = hearing.site(n).seen.packets(&from, kind);
            (from, kind, count - 1)
        })
        .collect()
}

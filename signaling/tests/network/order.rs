//! Reordering and duplication: each packet once, none lost, time in step with the numbers.

use crate::relay::{Way, Weather};
use crate::site::{Plan, unwrapped};
use crate::{Hearing, alone, until};
use signaling::message::Kind;
use std::collections::BTreeMap;
use std::time::Duration;

/// Packets of each kind watched.
const WATCHED: usize = 500;
/// The payload type of resends.
const RTX: u8 = 97;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_comes_disordered_and_twice_goes_on_once() {
    let _turn = alone().await;
    let mut hearing = Hearing::prepare(2, 11).await;
    hearing.relays[1].both(Weather {
        repeat: 0.1,
        delay: Duration::from_millis(20),
        jitter: Duration::from_millis(60),
        ..Weather::default()
    });
    hearing.enter(&Plan::default()).await;
    hearing.all_flow(20).await;
    let before = hearing.hub.server.counters();
    let officer = hearing.site(0);
    for kind in [Kind::Audio, Kind::Video] {
        let since = officer.seen.packets("party1", kind);
        until("many packets", || officer.seen.packets("party1", kind) > since + WATCHED).await;
        let arrivals = officer.seen.arrivals("party1", kind);
        let numbers = unwrapped(&arrivals);
        let by_number: BTreeMap<_, _> = numbers.iter().zip(&arrivals).collect();
        let (came, span) = officer.seen.whole("party1", kind, since);
        let late = numbers.windows(2).filter(|pair| pair[1] < pair[0]).count();
        println!("{kind:?}: {came} of {span}, {late} overtaken, {} twice", arrivals.len() - by_number.len());
        assert_eq!(came, span, "none is lost");
        // The viewer's stack asks for what is only late, and takes both.
        let again = hearing.relays[0].tally(Way::Down, RTX).passed;
        let twice = u64::try_from(arrivals.len() - by_number.len()).unwrap();
        assert!(twice <= if kind == Kind::Audio { 0 } else { again }, "{twice} come twice, {again} were asked for");
        let times: Vec<_> = by_number.values().map(|arrival| arrival.timestamp).collect();
        assert!(times.windows(2).all(|pair| pair[1].wrapping_sub(pair[0]) < 1 << 31), "time goes on with the numbers");
        if kind == Kind::Video {
            assert!(late > 0, "the network did disorder them");
        }
    }
    let after = hearing.hub.server.counters();
    assert!(after.refused > before.refused, "what comes twice is refused and counted");
}

//! Ten seconds without a network: seat and recording stay, media comes back by itself, and the file has the gap and nothing else.

use crate::relay::Weather;
use crate::site::Plan;
use crate::webm::gaps;
use crate::{Hearing, alone, flows, until};
use signaling::recording::verify;
use signaling::{Reply, RoomCommand};
use std::time::Duration;

const OUTAGE: Duration = Duration::from_secs(10);
/// Nothing else may be missing from the file for so long, in milliseconds.
const PAUSE: u64 = 500;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_leaves_a_gap_and_nothing_else() {
    let _turn = alone().await;
    let mut hearing = Hearing::prepare(2, 12).await;
    let base = tempfile::tempdir().unwrap();
    let dir = base.path().join("hearing");
    let recording = RoomCommand::StartRecording { dir: dir.clone(), meta: serde_json::Value::Null };
    hearing.hub.order(recording).await;
    hearing.enter(&Plan { restarts: true, ..Plan::default() }).await;
    hearing.all_flow(50).await;
    let seat = hearing.site(1).seen.seat();

    hearing.relays[1].cut();
    tokio::time::sleep(OUTAGE).await;
    hearing.relays[1].both(Weather::default());
    let (officer, party) = (hearing.site(0), hearing.site(1));
    let (to, from) = tokio::join!(flows(party, "officer", 10), flows(officer, "party1", 10));
    println!(
        "after {OUTAGE:?} without a network: 10 packets of each to the client after {to:.1?}, from it after {from:.1?}"
    );
    until("both connections are up", || party.is_up()).await;
    hearing.all_flow(100).await;
    let told = hearing.hub.told();
    assert!(!told.contains(&"left".to_owned()), "{told:?}");
    assert_eq!(hearing.site(1).seen.seat(), seat, "the same seat");

    let Ok(Reply::Recorded(summary)) = hearing.hub.room.command(RoomCommand::StopRecording).await else {
        panic!("stopped")
    };
    assert_eq!(summary.files.len(), 2, "one file a member, whatever the line did");
    let report = verify(&dir).unwrap();
    assert!(report.complete);
    for file in &report.files {
        let gaps = gaps(&std::fs::read(dir.join(&file.name)).unwrap(), PAUSE);
        println!("{}: gaps {gaps:?} ms by track", file.name);
        let is_cut = file.member == "party1";
        for (track, of_track) in gaps {
            assert_eq!(of_track.len(), usize::from(is_cut), "{}, track {track}", file.name);
            // What the outage took, and the way back.
            let longest = OUTAGE + from + Duration::from_secs(1);
            assert!(of_track.iter().all(|gap| u128::from(*gap) < longest.as_millis()), "{of_track:?}");
        }
    }
}

//! What the recorder keeps of a member on a bad line: sound has no longer gap than the line had, and pictures that were sent again are there.

use crate::relay::Weather;
use crate::site::Plan;
use crate::webm::gaps;
use crate::{Hearing, alone};
use signaling::recording::verify;
use signaling::{Reply, RoomCommand};
use std::time::Duration;

/// Each way: 200 ms there and back.
const FAR: Duration = Duration::from_millis(100);
const BURSTS_MS: [u64; 2] = [300, 1_000];
/// Pauses from here on are told, in milliseconds.
const TOLD: u64 = 120;
/// How much longer a pause in the file may be than the line's, in milliseconds: until the next key frame, on a busy machine.
const MORE: u64 = 1_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_file_of_a_member_on_a_bad_line_has_no_longer_gap_than_the_line() {
    let _turn = alone().await;
    let mut hearing = Hearing::prepare(2, 31).await;
    let base = tempfile::tempdir().unwrap();
    let dir = base.path().join("hearing");
    hearing.enter(&Plan::default()).await;
    hearing.all_flow(20).await;
    let weather = Weather::lossy(0.03, FAR);
    hearing.relays[1].both(weather);
    tokio::time::sleep(Duration::from_secs(1)).await;
    let recording = RoomCommand::StartRecording { dir: dir.clone(), meta: serde_json::Value::Null };
    hearing.hub.order(recording).await;
    for burst in BURSTS_MS {
        tokio::time::sleep(Duration::from_secs(4)).await;
        hearing.relays[1].cut();
        tokio::time::sleep(Duration::from_millis(burst)).await;
        hearing.relays[1].both(weather);
    }
    tokio::time::sleep(Duration::from_secs(4)).await;
    let Ok(Reply::Recorded(summary)) = hearing.hub.room.command(RoomCommand::StopRecording).await else {
        panic!("stopped")
    };
    assert!(verify(&dir).unwrap().complete);
    let file = summary.files.iter().find(|file| file.member.as_str() == "party1").unwrap();
    let pauses = gaps(&std::fs::read(dir.join(&file.name)).unwrap(), TOLD);
    println!(
        "3 % loss, 200 ms there and back, nothing for {BURSTS_MS:?} ms: pauses in sound (1) and picture (2): {pauses:?}"
    );
    for (track, pauses) in &pauses {
        assert!(pauses.iter().all(|pause| *pause <= BURSTS_MS[1] + MORE), "track {track}: {pauses:?}");
    }
    assert!(pauses[&1].len() >= BURSTS_MS.len(), "sound is not sent again: {pauses:?}");
}

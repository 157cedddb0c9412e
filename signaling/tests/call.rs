//! A hearing's media as a story: real sockets on loopback, an independent WebRTC stack at the other end, a recording that verifies.

mod peer;

use peer::{Hub, Tab, until};
use signaling::message::{ErrorCode, Kind};
use signaling::recording::verify;
use signaling::{ClientMessage, MediaSurvey, Refusal, Reply, Role, RoomCommand, ServerMessage, SessionState};
use std::net::UdpSocket;

async fn hearing(hub: &Hub) -> (Tab, Tab) {
    let officer = Tab::open(hub.join("officer", Role::PresidingOfficer, true).await, None).await;
    let party = Tab::open(hub.join("party", Role::Party, false).await, None).await;
    until("the party waits", || party.seen.has(|m| matches!(m, ServerMessage::Waiting { .. }))).await;
    hub.order(RoomCommand::Admit("party".into())).await;
    both_hear(&officer, &party).await;
    (officer, party)
}

/// Sound and picture flow both ways, from now on.
async fn both_hear(officer: &Tab, party: &Tab) {
    for (tab, from) in [(officer, "party"), (party, "officer")] {
        for kind in [Kind::Audio, Kind::Video] {
            let before = tab.seen.packets(from, kind);
            until(&format!("{from}'s {kind:?}"), || tab.seen.packets(from, kind) > before + 20).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_are_heard_and_recorded_and_who_waits_is_not() {
    let hub = Hub::open();
    let base = tempfile::tempdir().unwrap();
    let dir = base.path().join("hearing");
    let recording = RoomCommand::StartRecording { dir: dir.clone(), meta: serde_json::json!({"case": "x"}) };
    hub.order(recording.clone()).await;
    assert!(dir.join("manifest.jsonl").exists(), "the first line is on the disk when the answer comes");
    assert_eq!(hub.room.command(recording).await, Err(Refusal::AlreadyRecording));
    let (officer, party) = hearing(&hub).await;
    let waiting = Tab::open(hub.join("witness", Role::Witness, false).await, None).await;
    until("the witness waits", || waiting.seen.has(|m| matches!(m, ServerMessage::Waiting { .. }))).await;
    waiting.say(ClientMessage::Offer { sdp: "v=0\r\n".to_owned() }).await;
    until("and may not publish", || waiting.seen.has(|m| *m == ServerMessage::error(ErrorCode::NotAdmitted))).await;
    both_hear(&officer, &party).await;
    assert_eq!(waiting.seen.offers(), 0);

    let sequence = officer.seen.video.lock().unwrap().clone();
    let holes = sequence.windows(2).filter(|pair| pair[1].wrapping_sub(pair[0]) != 1).count();
    assert_eq!(holes, 0, "{} packets in order", sequence.len());

    let Ok(Reply::Recorded(summary)) = hub.room.command(RoomCommand::StopRecording).await else { panic!("stopped") };
    assert_eq!(summary.files.len(), 2);
    let report = verify(&dir).unwrap();
    assert!(report.complete && report.tail.is_empty() && report.end_ms > 400, "{report:?}");
    assert_eq!(report.head, summary.head);
    assert!(report.events >= 4, "who came is in the chain");
    assert_eq!(hub.server.counters().tap_dropped, 0);
    hub.order(RoomCommand::Close).await;
    until("everybody is told", || officer.seen.has(|m| *m == ServerMessage::Ended)).await;
    until("and the socket ends", || officer.seen.closed.load(std::sync::atomic::Ordering::SeqCst)).await;
    assert!(hub.told().starts_with(&["recording_started".to_owned(), "admitted".to_owned()]), "{:?}", hub.told());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_ice_restart_keeps_seat_and_sections() {
    let hub = Hub::open();
    let (officer, party) = hearing(&hub).await;
    let offers = party.seen.offers();
    party.restart().await;
    until("the hub restarts the other connection", || party.seen.offers() > offers).await;
    both_hear(&officer, &party).await;
    assert!(!hub.told().contains(&"left".to_owned()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tab_that_died_comes_back_to_its_seat_and_its_file() {
    let hub = Hub::open();
    let base = tempfile::tempdir().unwrap();
    let dir = base.path().join("hearing");
    hub.order(RoomCommand::StartRecording { dir: dir.clone(), meta: serde_json::Value::Null }).await;
    let (officer, party) = hearing(&hub).await;
    let seat = party.seen.seat();
    party.die();
    until("the loss is told", || hub.told().contains(&"reconnecting".to_owned())).await;
    let party = Tab::open(hub.join("party", Role::Party, false).await, seat).await;
    both_hear(&officer, &party).await;
    assert!(hub.told().contains(&"reconnected".to_owned()) && !hub.told().contains(&"left".to_owned()));
    let Ok(Reply::Recorded(summary)) = hub.room.command(RoomCommand::StopRecording).await else { panic!("stopped") };
    assert_eq!(summary.files.len(), 2, "one file a member, whatever the line did");
    assert!(verify(&dir).unwrap().complete);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_newer_tab_takes_over() {
    let hub = Hub::open();
    let (officer, older) = hearing(&hub).await;
    let newer = Tab::open(hub.join("party", Role::Party, false).await, None).await;
    until("the older is told", || older.seen.has(|m| *m == ServerMessage::Replaced)).await;
    until("and its socket ends", || older.seen.closed.load(std::sync::atomic::Ordering::SeqCst)).await;
    both_hear(&officer, &newer).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rubbish_is_answered_and_the_call_goes_on() {
    let hub = Hub::open();
    let (officer, party) = hearing(&hub).await;
    let huge = format!("v=0\r\n{}", "a=x\r\n".repeat(20_000));
    for sdp in [
        "",
        "rubbish",
        "v=0\r\nm=audio\r\n",
        "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\nm=video 9 X 96\r\n",
        &huge,
    ] {
        party.say(ClientMessage::Offer { sdp: sdp.to_owned() }).await;
    }
    party.say(ClientMessage::Answer { sdp: "rubbish".to_owned() }).await;
    until("each is answered", || {
        let messages = party.seen.messages.lock().unwrap();
        messages.iter().filter(|m| **m == ServerMessage::error(ErrorCode::BadSdp)).count() == 5
    })
    .await;
    until("so is the answer to nothing", || {
        party.seen.has(|m| *m == ServerMessage::error(ErrorCode::UnexpectedAnswer))
    })
    .await;
    both_hear(&officer, &party).await;
    assert!(hub.server.is_healthy());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strangers_are_dropped_and_counted() {
    let hub = Hub::open();
    let (officer, party) = hearing(&hub).await;
    let before = hub.server.counters();
    let stranger = UdpSocket::bind("127.0.0.1:0").unwrap();
    let mut rtp = vec![0x80, 96, 0, 1, 0, 0, 0, 1, 0x5E, 0xED, 0, 2];
    rtp.extend_from_slice(&[0x10; 200]);
    let dtls = [22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let mut check = vec![0, 1, 0, 8, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
    check.extend_from_slice(&[0, 6, 0, 3, b'a', b':', b'b', 0]);
    for datagram in [&rtp[..], &dtls, &check, &[0xff; 50], &[]] {
        stranger.send_to(datagram, hub.server.local_addr()).unwrap();
    }
    until("all are counted", || hub.server.counters().strangers >= before.strangers + 5).await;
    both_hear(&officer, &party).await;
    let mut answer = [0; 1500];
    stranger.set_nonblocking(true).unwrap();
    assert!(stranger.recv_from(&mut answer).is_err(), "a stranger gets no word back");
}

/// A small file system of its own, which really gets full. Mounting takes root; without it the test says that it was not tried.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn of(size: &str) -> Option<Self> {
        let disk = Self(tempfile::tempdir().ok()?);
        if disk.mount(&format!("size={size}")) {
            return Some(disk);
        }
        eprintln!("SKIPPED: a full disk, since this user may not mount a small one");
        None
    }

    fn grow(&self, size: &str) {
        assert!(self.mount(&format!("remount,size={size}")));
    }

    fn mount(&self, options: &str) -> bool {
        let mut mount = std::process::Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(self.0.path());
        mount.stderr(std::process::Stdio::null()).status().is_ok_and(|status| status.success())
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg("--lazy").arg(self.0.path()).status();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_is_full_is_told_and_what_follows_is_recorded_when_there_is_room_again() {
    let Some(disk) = SmallDisk::of("48k") else { return };
    let hub = Hub::open();
    let dir = disk.0.path().join("hearing");
    hub.order(RoomCommand::StartRecording { dir: dir.clone(), meta: serde_json::json!({"case": "x"}) }).await;
    let (officer, party) = hearing(&hub).await;
    let has = |name: &str| hub.told().iter().any(|told| told == name);
    until("the room is told that nothing is written", || has("recording_failed")).await;
    both_hear(&officer, &party).await;
    verify(&dir).expect("what was written before is whole");

    disk.grow("64m");
    until("it is written again", || has("recording_resumed")).await;
    both_hear(&officer, &party).await;
    let Ok(Reply::Recorded(summary)) = hub.room.command(RoomCommand::StopRecording).await else { panic!("stopped") };
    let report = verify(&dir).unwrap();
    assert!(report.complete, "{report:?}");
    assert_eq!(report.head, summary.head);
    let manifest = std::fs::read_to_string(dir.join("manifest.jsonl")).unwrap();
    assert!(manifest.contains("recording_failed") && manifest.contains("recording_resumed"), "the gap is in the chain");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_monitoring_sees_are_lines_and_nobodys_name() {
    let hub = Hub::open();
    // Whoever got an answer knows that the room has told the media plane of itself.
    hub.order(RoomCommand::SetSession(SessionState::NotStarted)).await;
    let before = hub.server.survey().await.unwrap();
    assert_eq!((before.rooms, before.members, before.downlinks.len()), (1, 0, 0), "the room is open, nobody is in it");
    let one = Tab::open(hub.join("officer", Role::PresidingOfficer, true).await, None).await;
    let other = Tab::open(hub.join("party", Role::Party, true).await, None).await;
    until("they hear each other", || {
        one.seen.packets("party", Kind::Audio) > 20 && other.seen.packets("officer", Kind::Audio) > 20
    })
    .await;

    let seen = hub.server.survey().await.unwrap();
    assert_eq!((seen.rooms, seen.recorded_rooms, seen.members, seen.largest_room), (1, 0, 2, 2), "{seen:?}");
    assert_eq!((seen.over_udp, seen.over_tcp, seen.probes), (4, 0, 0), "each has two connections: {seen:?}");
    assert_eq!((seen.uplinks.len(), seen.downlinks.len()), (2, 2), "{seen:?}");
    assert!(seen.downlinks.iter().all(|line| line.bits_per_second > 0 && !line.sound_only), "{seen:?}");
    let text = format!("{seen:?}");
    assert!(!text.contains("officer") && !text.contains("party"), "{text}");

    hub.order(RoomCommand::Close).await;
    let mut after = hub.server.survey().await.unwrap();
    while after.rooms > 0 {
        after = hub.server.survey().await.unwrap();
    }
    assert_eq!(after, MediaSurvey::default(), "lines end with their room");
}

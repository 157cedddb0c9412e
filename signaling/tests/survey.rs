//! What monitoring sees of two people who talk: figures, and nobody's name.

mod peer;

use peer::{Hub, Tab, until};
use signaling::message::Kind;
use signaling::{MediaSurvey, Role, RoomCommand};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lines_are_seen_while_they_are_there() {
    let hub = Hub::open();
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

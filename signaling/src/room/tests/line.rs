//! Lines: what client and hub measure, who is told, what the media plane says to one tab.

use super::*;
use crate::event::{Meter, QualityLevel};
use crate::message::{IceServer, Layer, TrackView};

fn stats(rtt_ms: f64, loss: f64) -> ClientMessage {
    ClientMessage::Stats { rtt_ms, loss, jitter_ms: Some(12.7), freezes: Some(2), layer: Some(Layer::Mid) }
}

fn line(rtt_ms: u32, loss_percent: u32, audio_only: bool) -> MediaEventKind {
    MediaEventKind::Line { rtt_ms, loss_percent, bits_per_second: 500_000, audio_only }
}

#[test]
fn others_see_the_worse_of_both_measures() {
    let (mut world, officer, party) = World::hearing();
    let seen = |world: &World| world.members(officer)[1].quality;
    assert_eq!(seen(&world), QualityLevel::Good);
    world.say(party, stats(300.0, 0.0));
    assert_eq!(seen(&world), QualityLevel::Fair);
    let event = RoomEventKind::Quality {
        member: "party".into(),
        level: QualityLevel::Fair,
        by: Meter::Client,
        rtt_ms: 300,
        loss_percent: 0,
        jitter_ms: Some(12),
        freezes: Some(2),
        layer: Some(Layer::Mid),
    };
    assert_eq!(world.events.last(), Some(&event));
    let events = world.events.len();
    world.say(party, stats(310.0, 0.0));
    assert_eq!(world.events.len(), events, "the level is the same");

    world.media(party, "party", line(40, 20, false));
    assert_eq!(seen(&world), QualityLevel::Poor);
    let told = |level, rtt_ms, loss_percent, audio_only| ServerMessage::Line {
        level,
        rtt_ms,
        loss_percent,
        bits_per_second: 500_000,
        audio_only,
    };
    assert!(world.got(party, &told(QualityLevel::Poor, 40, 20, false)));
    assert!(!world.got(officer, &told(QualityLevel::Poor, 40, 20, false)), "it is the party's own line");
    world.media(party, "party", line(40, 0, false));
    assert_eq!(seen(&world), QualityLevel::Fair);
    world.media(party, "party", line(40, 0, true));
    assert_eq!(seen(&world), QualityLevel::Poor, "it takes no picture");
    assert!(world.got(party, &told(QualityLevel::Poor, 40, 0, true)));
    let told = world.events.iter().filter(|event| matches!(event, RoomEventKind::Quality { by: Meter::Hub, .. }));
    assert_eq!(told.count(), 3);
}

#[test]
fn wild_figures_are_kept_in_bounds() {
    let (mut world, _, party) = World::hearing();
    for wild in [f64::INFINITY, f64::NEG_INFINITY, f64::NAN, -1.0, 1e300] {
        let message =
            ClientMessage::Stats { rtt_ms: wild, loss: wild, jitter_ms: Some(wild), freezes: None, layer: None };
        world.say(party, message);
        world.say(party, stats(0.0, 0.0));
    }
    for event in &world.events {
        if let RoomEventKind::Quality { rtt_ms, loss_percent, jitter_ms, .. } = event {
            assert!(*rtt_ms <= 60_000 && *loss_percent <= 100 && jitter_ms.unwrap() <= 60_000, "{event:?}");
        }
    }
}

#[test]
fn tracks_and_demand_go_to_the_tab_that_they_are_for() {
    let (mut world, officer, party) = World::hearing();
    let tracks = vec![TrackView { mid: "3".to_owned(), member: "officer".into(), kind: Kind::Screen }];
    world.media(party, "party", MediaEventKind::Tracks(tracks.clone()));
    assert_eq!(world.last(party), Some(&ServerMessage::Tracks { tracks }));
    let rids = vec!["l".to_owned(), "m".to_owned()];
    world.media(party, "party", MediaEventKind::Demand { kind: Kind::Video, on: true, rids: rids.clone() });
    let demand = ServerMessage::Demand { kind: Kind::Video, on: true, rids };
    assert_eq!(world.last(party), Some(&demand));
    assert!(!world.got(officer, &demand));
    world.media(officer, "party", MediaEventKind::Demand { kind: Kind::Screen, on: false, rids: Vec::new() });
    assert!(!matches!(world.last(officer), Some(ServerMessage::Demand { .. })), "not the holder of the seat");
}

#[test]
fn welcome_hands_out_the_servers_of_this_join() {
    let mut world = World::new(true, None);
    let server = IceServer {
        urls: vec!["turns:turn.example.in:443?transport=tcp".to_owned()],
        username: Some("1700000000:party".to_owned()),
        credential: Some("secret".to_owned()),
    };
    assert!(!format!("{server:?}").contains("secret"));
    let join = Join {
        member: "party".into(),
        name: "Party".to_owned(),
        role: Role::Party,
        admitted: true,
        ice_servers: vec![server.clone()],
    };
    world.core.join(ConnectionId(77), join, SeatToken::from("token")).unwrap();
    world.say(ConnectionId(77), ClientMessage::Hello { resume: None });
    let welcome = world.inboxes[&ConnectionId(77)].first();
    assert!(matches!(welcome, Some(ServerMessage::Welcome { ice_servers, .. }) if *ice_servers == [server]));
}

//! The floor: who stands on the podium, whose screen is shown, who speaks.

use super::*;
use crate::message::{Layout, PodiumBy};

fn pin(member: &str) -> ClientMessage {
    ClientMessage::Pin { member: Some(member.into()) }
}

/// What this one was told last of the podium.
fn podium(world: &World, connection: ConnectionId) -> (Option<String>, PodiumBy) {
    let told = world.inboxes[&connection].iter().rev().find_map(|message| match message {
        ServerMessage::Podium { member, by } => Some((member.as_ref().map(ToString::to_string), *by)),
        _ => None,
    });
    told.unwrap()
}

fn by(member: &str, by: PodiumBy) -> (Option<String>, PodiumBy) {
    (Some(member.to_owned()), by)
}

#[test]
fn pin_share_speaker_chair_in_this_order() {
    let (mut world, officer, parties) = World::conference(9);
    assert_eq!(podium(&world, parties[8]), by("officer", PodiumBy::Chair));
    world.speak(&["p1", "p2"]);
    world.settle();
    assert_eq!(podium(&world, parties[8]), by("p1", PodiumBy::Speaker));
    world.say(parties[1], ClientMessage::Share { on: true });
    world.settle();
    assert_eq!(podium(&world, parties[8]), by("p2", PodiumBy::Share));
    world.say(officer, pin("p3"));
    assert_eq!(podium(&world, parties[8]), by("p3", PodiumBy::Chair), "a pin does not wait");
    assert_eq!(world.seen("p9")["podium"], "p3");
    assert_eq!(world.seen("p9")["screen"], "p2");
    world.say(officer, ClientMessage::Pin { member: None });
    world.say(parties[1], ClientMessage::Mute { kind: Kind::Screen });
    world.settle();
    assert_eq!(podium(&world, parties[8]), by("p1", PodiumBy::Speaker));
    assert!(!world.seen("p9").contains_key("screen"));
    world.speak(&[]);
    world.settle();
    assert_eq!(podium(&world, parties[8]), by("p1", PodiumBy::Speaker), "who spoke last stays in silence");
    let changes: Vec<_> = world.events.iter().filter(|e| matches!(e, RoomEventKind::PodiumChanged { .. })).collect();
    assert!(changes.iter().all(|event| event.is_evidence()));
    let last = RoomEventKind::PodiumChanged { member: Some("p1".into()), by: PodiumBy::Speaker };
    assert_eq!(changes.last(), Some(&&last));
}

#[test]
fn who_leaves_takes_pin_and_share_along() {
    let (mut world, officer, parties) = World::conference(9);
    world.say(officer, pin("p3"));
    world.say(parties[2], ClientMessage::Share { on: true });
    world.settle();
    world.say(parties[2], ClientMessage::Leave);
    assert_eq!(podium(&world, parties[8]), by("officer", PodiumBy::Chair));
    world.enter("p3", Role::Party, true);
    world.settle();
    assert_eq!(podium(&world, parties[8]), by("officer", PodiumBy::Chair));
    assert!(world.table().viewers.iter().all(|v| v.video.iter().all(|slot| slot.kind != Kind::Screen)));

    world.say(officer, pin("p4"));
    world.order(&RoomCommand::SendBack("p4".into())).unwrap();
    assert_eq!(podium(&world, parties[8]), by("officer", PodiumBy::Chair));
}

#[test]
fn on_the_podium_one_sees_the_next() {
    let (mut world, officer, parties) = World::conference(9);
    world.speak(&["p1"]);
    world.settle();
    world.speak(&["p2"]);
    world.settle();
    assert_eq!(world.seen("p9")["podium"], "p2");
    assert_eq!(world.seen("p2")["podium"], "p1", "who spoke before");
    world.say(officer, pin("p5"));
    assert_eq!(world.seen("p5")["podium"], "p2");
    world.say(parties[0], ClientMessage::View { layout: Layout::Podium, tiles: 9, pinned: Some("p7".into()) });
    world.settle();
    assert_eq!(world.seen("p1")["podium"], "p7", "one's own pin is one's own");
    assert_eq!(world.seen("p9")["podium"], "p5");
    world.say(parties[0], ClientMessage::View { layout: Layout::Podium, tiles: 9, pinned: Some("nobody".into()) });
    world.settle();
    assert_eq!(world.seen("p1")["podium"], "p5", "a pin on nobody is none");
    assert!(!matches!(world.last(parties[0]), Some(ServerMessage::Error { .. })));
}

#[test]
fn the_podium_is_for_moderators_to_give() {
    let (mut world, officer, party) = World::hearing();
    world.enter("observer", Role::Observer, true);
    let waiting = world.enter("witness", Role::Witness, false);
    world.say(party, pin("party"));
    assert_eq!(world.last(party), Some(&error(ErrorCode::NotAllowed)));
    world.say(waiting, pin("party"));
    assert_eq!(world.last(waiting), Some(&error(ErrorCode::NotAdmitted)));
    for (member, code) in
        [("nobody", ErrorCode::NoSuchMember), ("witness", ErrorCode::NoSuchMember), ("observer", ErrorCode::NotAllowed)]
    {
        world.say(officer, pin(member));
        assert_eq!(world.last(officer), Some(&error(code)), "{member}");
    }
    assert_eq!(podium(&world, party), by("officer", PodiumBy::Chair));
    world.say(officer, pin("party"));
    assert_eq!(podium(&world, party), by("party", PodiumBy::Chair));
    assert_eq!(world.table().favoured, ["party".into(), "officer".into()]);
}

#[test]
fn a_screen_is_shown_to_all_others_of_this_room() {
    let (mut first, officer, party) = World::hearing();
    let (second, ..) = World::hearing();
    let unchanged = second.table();
    first.say(party, ClientMessage::Share { on: true });
    assert_eq!(first.pictures("officer").last().unwrap(), &("screen".to_owned(), "party".to_owned(), Size::Screen));
    assert!(first.members(officer)[1].screen && first.table().route(&"party".into()).unwrap().is_on(Kind::Screen));
    assert!(!first.seen("party").contains_key("screen"), "one's own one does not get back");
    first.say(officer, ClientMessage::Unmute { kind: Kind::Screen });
    assert_eq!(first.seen("party")["screen"], "officer");
    assert_eq!(first.seen("officer")["screen"], "party", "and the sharer sees the other's");
    assert_eq!(second.table(), unchanged);
    first.say(officer, ClientMessage::View { layout: Layout::Audio, tiles: 0, pinned: None });
    assert_eq!(first.seen("officer").len(), 1, "the screen is shown in every layout");
    first.say(party, ClientMessage::Share { on: false });
    assert!(first.seen("officer").is_empty());
}

#[test]
fn a_share_ends_with_its_tab() {
    let (mut world, officer, party) = World::hearing();
    let token = world.seat(party);
    world.say(party, ClientMessage::Share { on: true });
    world.lose(party);
    assert!(!world.seen("officer").contains_key("screen") && !world.members(officer)[1].screen);
    let back = world.open("party", Role::Party, false).unwrap();
    world.say(back, ClientMessage::Hello { resume: Some(token) });
    assert!(!world.seen("officer").contains_key("screen"));
    world.say(back, ClientMessage::Share { on: true });
    assert!(world.seen("officer").contains_key("screen"));
    world.enter("party", Role::Party, false);
    assert!(!world.seen("officer").contains_key("screen"), "nor does it pass to a newer tab");
}

#[test]
fn who_may_not_speak_or_waits_shares_nothing() {
    let (mut world, officer, _) = World::hearing();
    let observer = world.enter("observer", Role::Observer, true);
    let waiting = world.enter("witness", Role::Witness, false);
    for message in [ClientMessage::Share { on: true }, ClientMessage::Unmute { kind: Kind::Screen }] {
        world.say(observer, message.clone());
        assert_eq!(world.last(observer), Some(&error(ErrorCode::NotAllowed)));
        world.say(waiting, message);
        assert_eq!(world.last(waiting), Some(&error(ErrorCode::NotAdmitted)));
    }
    assert!(!world.seen("officer").contains_key("screen"));
    assert!(world.members(officer).iter().all(|member| !member.screen));
}

#[test]
fn speakers_are_told_to_the_room_and_not_too_often() {
    let (mut world, _, party) = World::hearing();
    let waiting = world.enter("witness", Role::Witness, false);
    let told = |world: &World, to: ConnectionId| {
        world.inboxes[&to].iter().filter(|message| matches!(message, ServerMessage::Speakers { .. })).count()
    };
    let before = told(&world, party);
    world.speak(&["party", "officer", "stranger", "witness"]);
    let expected =
        ServerMessage::Speakers { active: Some("party".into()), loud: vec!["party".into(), "officer".into()] };
    assert!(world.got(party, &expected) && told(&world, waiting) == 0);
    for _ in 0..10 {
        world.speak(&["officer"]);
        world.speak(&["party"]);
    }
    assert_eq!(told(&world, party), before + 1);
    world.wait(200);
    assert_eq!(told(&world, party), before + 2);
    let expected = ServerMessage::Speakers { active: Some("party".into()), loud: vec!["party".into()] };
    assert!(world.got(party, &expected));
    world.order(&RoomCommand::Admit("witness".into())).unwrap();
    assert!(world.got(waiting, &expected), "who comes in is told");
}

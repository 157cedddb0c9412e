//! The hub went down and is up again: whoever was in the room is in it again, nobody else.

use super::*;

/// A new room under the old hearing; the hub tells it who was in the room.
fn after_the_restart(inside: &[&str]) -> World {
    let mut world = World::new(true, Some("v3"));
    let inside = inside.iter().map(|name| MemberId::from(*name)).collect();
    world.order(&RoomCommand::Readmit(inside)).unwrap();
    world
}

#[test]
fn who_was_let_in_before_does_not_wait_again() {
    let mut world = after_the_restart(&["party"]);
    let stranger = world.enter("witness", Role::Witness, false);
    world.say(stranger, ClientMessage::Acknowledge { version: "v3".to_owned() });
    assert_eq!(world.last(stranger), Some(&ServerMessage::Waiting { position: 1 }));

    let party = world.enter("party", Role::Party, false);
    assert!(!world.got(party, &ServerMessage::Admitted), "the notice comes first, as for everybody");
    world.say(party, ClientMessage::Acknowledge { version: "v3".to_owned() });
    assert!(world.got(party, &ServerMessage::Admitted));
    let returned =
        RoomEventKind::Returned { member: "party".into(), name: "party's name".to_owned(), role: Role::Party };
    assert!(world.events.contains(&returned));
    let let_in = |event: &RoomEventKind| matches!(event, RoomEventKind::Admitted { .. });
    assert!(!world.events.iter().any(let_in), "the officer did nothing");
}

#[test]
fn it_holds_for_one_return() {
    let mut world = after_the_restart(&["party"]);
    let acknowledge = ClientMessage::Acknowledge { version: "v3".to_owned() };
    let party = world.enter("party", Role::Party, false);
    world.say(party, acknowledge);
    world.say(party, ClientMessage::Leave);
    let again = world.enter("party", Role::Party, false);
    assert_eq!(world.last(again), Some(&ServerMessage::Waiting { position: 1 }), "left of its own will");
}

#[test]
fn who_is_sent_back_waits() {
    let mut world = after_the_restart(&["party"]);
    let party = world.enter("party", Role::Party, false);
    world.say(party, ClientMessage::Acknowledge { version: "v3".to_owned() });
    world.order(&RoomCommand::SendBack("party".into())).unwrap();
    assert_eq!(world.last(party), Some(&ServerMessage::Waiting { position: 1 }));
}

//! Whatever comes in whatever order.

use super::*;
use proptest::prelude::*;

#[derive(Debug, Clone)]
enum Act {
    Enter(u8, bool),
    Say(u8, u8),
    Order(u8, u8),
    Lose(u8),
    Wait(i64),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        (0..4u8, any::<bool>()).prop_map(|(who, admitted)| Act::Enter(who, admitted)),
        (0..12u8, 0..6u8).prop_map(|(tab, what)| Act::Say(tab, what)),
        (0..4u8, 0..4u8).prop_map(|(who, what)| Act::Order(who, what)),
        (0..12u8).prop_map(Act::Lose),
        (0..40_000i64).prop_map(Act::Wait),
    ]
}

proptest! {
    /// Whatever happens: media flows only between members whom the events call admitted, never to itself.
    #[test]
    fn only_the_admitted_send_and_get(acts in prop::collection::vec(act(), 1..80)) {
        let mut world = World::new(true, None);
        for act in acts {
            match act {
                Act::Enter(who, admitted) => {
                    if let Ok(connection) = world.open(&format!("m{who}"), Role::Party, admitted) {
                        world.say(connection, ClientMessage::Hello { resume: None });
                    }
                }
                Act::Say(tab, what) => {
                    let message = match what {
                        0 => ClientMessage::Leave,
                        1 => ClientMessage::Mute { kind: Kind::Audio },
                        2 => ClientMessage::Unmute { kind: Kind::Audio },
                        3 => ClientMessage::Hand { up: true },
                        4 => ClientMessage::Hello { resume: None },
                        _ => ClientMessage::Offer { sdp: String::new() },
                    };
                    world.say(ConnectionId(u64::from(tab)), message);
                }
                Act::Order(who, what) => {
                    let who = MemberId::new(format!("m{who}"));
                    let _ = world.order(&match what {
                        0 | 1 => RoomCommand::Admit(who),
                        2 => RoomCommand::SendBack(who),
                        _ => RoomCommand::Remove(who, String::new()),
                    });
                }
                Act::Lose(tab) => world.lose(ConnectionId(u64::from(tab))),
                Act::Wait(ms) => world.wait(ms),
            }
            let mut inside = BTreeSet::new();
            for event in &world.events {
                match event {
                    RoomEventKind::Admitted { member, .. } => { inside.insert(member.to_string()); }
                    RoomEventKind::SentBack { member } | RoomEventKind::Left { member, .. } => { inside.remove(member.as_str()); }
                    _ => {}
                }
            }
            let expected: BTreeSet<String> = inside
                .iter()
                .flat_map(|from| inside.iter().filter(move |to| *to != from).map(move |to| format!("{from}>{to}")))
                .collect();
            prop_assert_eq!(world.flows(), expected);
        }
    }
}

//! What members say and the hub orders, in any order.

use super::Input;
use crate::event::{Join, RoomCommand, RoomEventKind};
use crate::media::{MediaEvent, MediaEventKind};
use crate::message::{ClientMessage, Direction, Kind, Layout, ServerMessage};
use crate::room::core::{MediaAction, Output, RoomCore};
use crate::room::{ForwardingTable, Speakers, Voices};
use crate::{ConnectionId, MemberId, Role, SeatToken, SessionState};
use std::collections::BTreeSet;

const ROLES: [Role; 5] = [Role::PresidingOfficer, Role::Party, Role::Observer, Role::Recorder, Role::Interpreter];

struct World {
    core: RoomCore,
    now: i64,
    inside: BTreeSet<MemberId>,
    table: ForwardingTable,
}

/// The wire protocol and the room behind it.
pub fn room(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let start = input.byte();
    let notice = (start & 2 != 0).then(|| "1".to_owned());
    let core = RoomCore::new("room".into(), start & 1 == 0, notice, 1_000);
    let mut world = World { core, now: 1_000, inside: BTreeSet::new(), table: ForwardingTable::default() };
    let mut connections = 0;
    while !input.is_over() {
        match input.byte() % 8 {
            0 => {
                connections += 1;
                let (who, how) = (input.byte(), input.byte());
                let role = ROLES.get(usize::from(how >> 4) % ROLES.len()).copied().unwrap_or(Role::Party);
                let (name, admitted) = ("name".to_owned(), how & 1 == 1);
                let join = Join { member: member(who), name, role, admitted, ice_servers: Vec::new() };
                let token = SeatToken::from(format!("token-{connections}").as_str());
                let connection = ConnectionId(connections);
                if world.core.join(connection, join, token).is_ok() && how & 2 == 0 {
                    world.say(connection, ClientMessage::Hello { resume: None });
                }
            }
            1 => {
                let connection = ConnectionId(u64::from(input.byte()) % (connections + 1));
                let text = String::from_utf8_lossy(input.long_piece());
                match ClientMessage::parse(&text) {
                    Ok(message) => {
                        let again = serde_json::to_string(&message).unwrap_or_default();
                        let read = ClientMessage::parse(&again);
                        // A number that JSON has no word for (1e999) is written as null.
                        assert!(read.as_ref() == Ok(&message) || again.contains("null"), "{again}");
                        world.say(connection, message);
                    }
                    Err(answer) => assert!(matches!(answer, ServerMessage::Error { .. })),
                }
            }
            2 | 3 => {
                let connection = ConnectionId(u64::from(input.byte()) % (connections + 1));
                let message = message(&mut input);
                world.say(connection, message);
            }
            4 => {
                let who = member(input.byte());
                let command = match input.byte() % 8 {
                    0 | 1 => RoomCommand::Admit(who),
                    2 => RoomCommand::SendBack(who),
                    3 => RoomCommand::Remove(who, "reason".to_owned()),
                    4 => RoomCommand::Mute(who),
                    5 => RoomCommand::Readmit(vec![who, member(input.byte())]),
                    6 => RoomCommand::SetSession(SessionState::Paused),
                    _ => RoomCommand::SetSession(SessionState::Ended),
                };
                let (_, outputs) = world.core.command(&command, world.now);
                world.keep(outputs);
            }
            5 => {
                let connection = ConnectionId(u64::from(input.byte()) % (connections + 1));
                let outputs = world.core.gone(connection, world.now);
                world.keep(outputs);
            }
            6 => {
                let (who, connection) = (member(input.byte()), ConnectionId(input.byte().into()));
                let kind = match input.byte() % 4 {
                    0 => MediaEventKind::Up(Direction::Publish),
                    1 => MediaEventKind::Down(Direction::Subscribe),
                    2 => MediaEventKind::Line {
                        rtt_ms: input.word(),
                        loss_percent: input.byte().into(),
                        bits_per_second: input.word().into(),
                        audio_only: input.flag(),
                    },
                    _ => {
                        let loud = vec![who.clone(), member(input.byte())];
                        let outputs = world.core.speakers(Speakers { active: Some(who), loud }, world.now);
                        world.keep(outputs);
                        continue;
                    }
                };
                let outputs = world.core.media(MediaEvent { member: who, connection, kind }, world.now);
                world.keep(outputs);
            }
            _ => {
                world.now += i64::from(input.short());
                let outputs = world.core.tick(world.now);
                world.keep(outputs);
                let now = world.now;
                assert!(world.core.next_tick().is_none_or(|next| next > now), "it would be called without end");
            }
        }
        world.check();
    }
    assert!(world.core.close().len() <= 2_000);
}

fn member(number: u8) -> MemberId {
    MemberId::new(format!("m{}", number % 12))
}

/// What a client could say, without the detour of its text.
fn message(input: &mut Input<'_>) -> ClientMessage {
    let kind = match input.byte() % 3 {
        0 => Kind::Audio,
        1 => Kind::Video,
        _ => Kind::Screen,
    };
    match input.byte() % 16 {
        0 => ClientMessage::Hello { resume: Some(SeatToken::from(format!("token-{}", input.byte()).as_str())) },
        1 => ClientMessage::Acknowledge { version: "1".to_owned() },
        2 => ClientMessage::Mute { kind },
        3 => ClientMessage::Unmute { kind },
        4 => ClientMessage::MuteMember { member: member(input.byte()) },
        5 => {
            let layout = match input.byte() % 4 {
                0 => Layout::Podium,
                1 => Layout::Grid,
                2 => Layout::Wall,
                _ => Layout::Audio,
            };
            let pinned = input.flag().then(|| member(input.byte()));
            ClientMessage::View { layout, tiles: input.byte(), pinned }
        }
        6 => ClientMessage::Pin { member: input.flag().then(|| member(input.byte())) },
        7 => ClientMessage::Share { on: input.flag() },
        8 => ClientMessage::Hand { up: input.flag() },
        9 => ClientMessage::Leave,
        10 => ClientMessage::Offer { sdp: String::new() },
        11 => ClientMessage::Answer { sdp: String::new() },
        12 => ClientMessage::Watch { sdp: String::new(), member: input.flag().then(|| member(input.byte())) },
        13 => ClientMessage::RestartIce,
        14 => ClientMessage::Chat { text: String::from_utf8_lossy(input.piece()).into_owned() },
        _ => ClientMessage::Hello { resume: None },
    }
}

impl World {
    fn say(&mut self, connection: ConnectionId, message: ClientMessage) {
        let outputs = self.core.client(connection, message, self.now);
        self.keep(outputs);
    }

    fn keep(&mut self, outputs: Vec<Output>) {
        assert!(outputs.len() <= 2_000, "{} outputs", outputs.len());
        for output in outputs {
            match output {
                Output::Send(_, message) => assert!(!message.to_json().is_empty()),
                Output::Event(RoomEventKind::Admitted { member, .. } | RoomEventKind::Returned { member, .. }) => {
                    self.inside.insert(member);
                }
                Output::Event(RoomEventKind::SentBack { member } | RoomEventKind::Left { member, .. }) => {
                    self.inside.remove(&member);
                }
                Output::Media(MediaAction::Forward(table)) => self.table = table,
                Output::Event(_) | Output::Media(_) | Output::Hangup(_) | Output::PauseRecording(_) => {}
            }
        }
    }

    /// Nothing flows from or to anybody whom the events do not call admitted, and to nobody the own.
    fn check(&self) {
        for route in &self.table.routes {
            assert!(self.inside.contains(&route.from), "{} is heard, and not admitted", route.from);
        }
        for viewer in &self.table.viewers {
            assert!(self.inside.contains(&viewer.member), "{} hears, and is not admitted", viewer.member);
            assert!(viewer.video.len() <= 121);
            let mut names = BTreeSet::new();
            for slot in &viewer.video {
                assert!(names.insert(&slot.name), "two places of one name");
                assert!(slot.from != viewer.member && self.inside.contains(&slot.from));
            }
            if let Voices::Everybody(voices) = &viewer.audio {
                assert!(voices.iter().all(|from| *from != viewer.member && self.inside.contains(from)));
            }
        }
    }
}

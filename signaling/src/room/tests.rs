//! The room's rules as stories, in virtual time.

#![expect(clippy::wildcard_enum_match_arm, reason = "a story looks for one thing among many")]

mod floor;
mod large;
mod line;
mod random;
mod restart;

use super::core::{MAX_MEMBERS, MediaAction, Output, RoomCore, SEAT_KEPT_MS};
use super::{ForwardingTable, Size, Speakers};
use crate::event::{Join, JoinError, LeaveReason, Refusal, RoomCommand, RoomEventKind};
use crate::media::{MediaEvent, MediaEventKind};
use crate::message::{
    ClientMessage, Direction, ErrorCode, Kind, MemberStatus, MemberView, RecordingState, ServerMessage, SessionState,
};
use crate::recording::RecorderEvent;
use crate::{ConnectionId, MemberId, Role, SeatToken};
use std::collections::{BTreeMap, BTreeSet};

/// A room with its tabs: keeps what was sent to whom, and the forwarding table.
struct World {
    core: RoomCore,
    now: i64,
    connections: u64,
    inboxes: BTreeMap<ConnectionId, Vec<ServerMessage>>,
    hung_up: BTreeSet<ConnectionId>,
    events: Vec<RoomEventKind>,
    media: Vec<MediaAction>,
    pauses: Vec<bool>,
}

impl World {
    fn new(waiting_room: bool, notice: Option<&str>) -> Self {
        Self {
            core: RoomCore::new("room".into(), waiting_room, notice.map(str::to_owned), 1_000),
            now: 1_000,
            connections: 0,
            inboxes: BTreeMap::new(),
            hung_up: BTreeSet::new(),
            events: Vec::new(),
            media: Vec::new(),
            pauses: Vec::new(),
        }
    }

    fn open(&mut self, member: &str, role: Role, admitted: bool) -> Result<ConnectionId, JoinError> {
        self.connections += 1;
        let connection = ConnectionId(self.connections);
        let join =
            Join { member: member.into(), name: format!("{member}'s name"), role, admitted, ice_servers: Vec::new() };
        let token = SeatToken::from(format!("token-{}", self.connections).as_str());
        self.core.join(connection, join, token).map(|()| connection)
    }

    fn enter(&mut self, member: &str, role: Role, admitted: bool) -> ConnectionId {
        let connection = self.open(member, role, admitted).unwrap();
        self.say(connection, ClientMessage::Hello { resume: None });
        connection
    }

    /// Officer and party, both inside.
    fn hearing() -> (Self, ConnectionId, ConnectionId) {
        let mut world = Self::new(true, None);
        let officer = world.enter("officer", Role::PresidingOfficer, true);
        let party = world.enter("party", Role::Party, false);
        world.order(&RoomCommand::Admit("party".into())).unwrap();
        (world, officer, party)
    }

    fn say(&mut self, connection: ConnectionId, message: ClientMessage) {
        let outputs = self.core.client(connection, message, self.now);
        self.keep(outputs);
    }

    fn order(&mut self, command: &RoomCommand) -> Result<(), Refusal> {
        let (result, outputs) = self.core.command(command, self.now);
        self.keep(outputs);
        result
    }

    fn media(&mut self, connection: ConnectionId, member: &str, kind: MediaEventKind) {
        let outputs = self.core.media(MediaEvent { member: member.into(), connection, kind }, self.now);
        self.keep(outputs);
    }

    /// Lets pass what is put off.
    fn settle(&mut self) {
        for _ in 0..20 {
            self.wait(100);
        }
    }

    /// The plane heard them; the first is the active speaker.
    fn speak(&mut self, loud: &[&str]) {
        let loud: Vec<MemberId> = loud.iter().map(|name| MemberId::from(*name)).collect();
        let outputs = self.core.speakers(Speakers { active: loud.first().cloned(), loud }, self.now);
        self.keep(outputs);
    }

    /// Slot, owner and size of the pictures that this one gets, in the table's order.
    fn pictures(&self, viewer: &str) -> Vec<(String, String, Size)> {
        let table = self.table();
        let viewer = table.viewer(&viewer.into()).map(|viewer| viewer.video.as_slice()).unwrap_or_default();
        viewer.iter().map(|slot| (slot.name.as_str().to_owned(), slot.from.to_string(), slot.size)).collect()
    }

    /// The owners' names by slot.
    fn seen(&self, viewer: &str) -> BTreeMap<String, String> {
        self.pictures(viewer).into_iter().map(|(slot, from, _)| (slot, from)).collect()
    }

    /// The officer and so many parties, `p1` and so on, all in the room and settled.
    fn conference(parties: usize) -> (Self, ConnectionId, Vec<ConnectionId>) {
        let mut world = Self::new(true, None);
        let officer = world.enter("officer", Role::PresidingOfficer, true);
        let parties = (1..=parties).map(|n| world.enter(&format!("p{n}"), Role::Party, true)).collect();
        world.settle();
        (world, officer, parties)
    }

    fn lose(&mut self, connection: ConnectionId) {
        let outputs = self.core.gone(connection, self.now);
        self.keep(outputs);
    }

    fn wait(&mut self, ms: i64) {
        self.now += ms;
        let outputs = self.core.tick(self.now);
        self.keep(outputs);
    }

    fn keep(&mut self, outputs: Vec<Output>) {
        for output in outputs {
            match output {
                Output::Send(to, message) => self.inboxes.entry(to).or_default().push(message),
                Output::Hangup(connection) => {
                    self.hung_up.insert(connection);
                }
                Output::Event(kind) => self.events.push(kind),
                Output::Media(action) => self.media.push(action),
                Output::PauseRecording(paused) => self.pauses.push(paused),
            }
        }
    }

    /// The latest table.
    fn table(&self) -> ForwardingTable {
        let table = self.media.iter().rev().find_map(|action| match action {
            MediaAction::Forward(table) => Some(table.clone()),
            _ => None,
        });
        table.unwrap_or_default()
    }

    /// Who gets whose sound by the latest table of a small room, as `from>to` pairs.
    fn flows(&self) -> BTreeSet<String> {
        let table = self.table();
        let pairs = table.routes.iter().flat_map(|route| table.listeners(&route.from).map(move |to| (&route.from, to)));
        pairs.map(|(from, to)| format!("{from}>{to}")).collect()
    }

    fn last(&self, connection: ConnectionId) -> Option<&ServerMessage> {
        self.inboxes.get(&connection).and_then(|inbox| inbox.last())
    }

    fn got(&self, connection: ConnectionId, message: &ServerMessage) -> bool {
        self.inboxes.get(&connection).is_some_and(|inbox| inbox.contains(message))
    }

    fn members(&self, connection: ConnectionId) -> Vec<MemberView> {
        let inbox = self.inboxes.get(&connection).map(Vec::as_slice).unwrap_or_default();
        let list = inbox.iter().rev().find_map(|message| match message {
            ServerMessage::Members { members } => Some(members.clone()),
            _ => None,
        });
        list.unwrap_or_default()
    }

    fn seat(&self, connection: ConnectionId) -> SeatToken {
        let inbox = &self.inboxes[&connection];
        let token = inbox.iter().find_map(|message| match message {
            ServerMessage::Welcome { seat, .. } => Some(seat.clone()),
            _ => None,
        });
        token.unwrap()
    }
}

fn error(code: ErrorCode) -> ServerMessage {
    ServerMessage::error(code)
}

#[test]
fn a_party_reads_the_notice_waits_and_is_let_in() {
    let mut world = World::new(true, Some("v3"));
    let party = world.enter("party", Role::Party, false);
    assert!(matches!(world.last(party), Some(ServerMessage::Welcome { notice_version: Some(v), .. }) if v == "v3"));
    assert_eq!(world.order(&RoomCommand::Admit("party".into())), Err(Refusal::NotWaiting), "not before the notice");
    world.say(party, ClientMessage::Acknowledge { version: "v2".to_owned() });
    assert_eq!(world.last(party), Some(&error(ErrorCode::WrongNotice)));
    world.say(party, ClientMessage::Acknowledge { version: "v3".to_owned() });
    assert_eq!(world.last(party), Some(&ServerMessage::Waiting { position: 1 }));
    assert!(world.flows().is_empty());
    world.say(party, ClientMessage::Offer { sdp: "v=0".to_owned() });
    assert_eq!(world.last(party), Some(&error(ErrorCode::NotAdmitted)));
    world.order(&RoomCommand::Admit("party".into())).unwrap();
    assert!(world.got(party, &ServerMessage::Admitted));
    world.say(party, ClientMessage::Offer { sdp: "v=0".to_owned() });
    assert!(world.media.contains(&MediaAction::PublishOffer("party".into(), party, "v=0".to_owned())));
    let told: Vec<_> = world.events.iter().map(|event| serde_json::to_value(event).unwrap()["event"].clone()).collect();
    assert_eq!(told, ["notice_acknowledged", "knocked", "admitted"]);
}

#[test]
fn two_rooms_of_the_same_shape_do_not_mix() {
    let (mut first, officer, party) = World::hearing();
    let (mut second, other_officer, other_party) = World::hearing();
    let both: BTreeSet<String> = ["officer>party", "party>officer"].map(str::to_owned).into();
    assert_eq!(first.flows(), both);
    first.say(party, ClientMessage::Chat { text: "good morning".to_owned() });
    for inside in [officer, party] {
        assert!(matches!(first.last(inside), Some(ServerMessage::Chat { text, .. }) if text == "good morning"));
    }
    for outside in [other_officer, other_party] {
        assert!(!second.inboxes[&outside].iter().any(|message| matches!(message, ServerMessage::Chat { .. })));
    }
    first.order(&RoomCommand::SendBack("party".into())).unwrap();
    assert!(first.flows().is_empty(), "who was sent back neither sends nor gets");
    assert!(first.media.contains(&MediaAction::Release("party".into())));
    assert_eq!(first.last(party), Some(&ServerMessage::Waiting { position: 1 }));
    assert_eq!(second.flows(), both, "the other room goes on");
    second.say(other_party, ClientMessage::Leave);
    assert!(second.flows().is_empty());
}

#[test]
fn who_waits_is_seen_by_those_who_let_in_only() {
    let (mut world, officer, party) = World::hearing();
    let witness = world.enter("witness", Role::Witness, false);
    let names = |members: Vec<MemberView>| members.into_iter().map(|m| m.id.to_string()).collect::<Vec<_>>();
    assert_eq!(names(world.members(officer)), ["officer", "party", "witness"]);
    assert_eq!(names(world.members(party)), ["officer", "party"]);
    assert!(world.members(witness).is_empty());
    assert!(world.members(party).iter().all(|member| member.me == (member.id.as_str() == "party")));
    world.say(witness, ClientMessage::Chat { text: "let me in".to_owned() });
    assert_eq!(world.last(witness), Some(&error(ErrorCode::NotAdmitted)));
}

#[test]
fn places_in_the_queue_move_up() {
    let mut world = World::new(true, None);
    let first = world.enter("first", Role::Party, false);
    let second = world.enter("second", Role::Witness, false);
    assert_eq!(world.last(second), Some(&ServerMessage::Waiting { position: 2 }));
    world.order(&RoomCommand::Admit("first".into())).unwrap();
    assert_eq!(world.last(second), Some(&ServerMessage::Waiting { position: 1 }));
    assert!(world.got(first, &ServerMessage::Admitted));
}

#[test]
fn an_observer_gets_everything_and_sends_nothing() {
    let (mut world, _, _) = World::hearing();
    let observer = world.enter("observer", Role::Observer, true);
    assert!(world.flows().contains("party>observer"));
    assert!(!world.flows().iter().any(|flow| flow.starts_with("observer>")));
    world.say(observer, ClientMessage::Offer { sdp: String::new() });
    assert_eq!(world.last(observer), Some(&error(ErrorCode::NotAllowed)));
    world.say(observer, ClientMessage::MuteMember { member: "party".into() });
    assert_eq!(world.last(observer), Some(&error(ErrorCode::NotAllowed)));
}

#[test]
fn the_officer_mutes_and_the_member_may_speak_again() {
    let (mut world, officer, party) = World::hearing();
    let sound = |world: &World| world.table().route(&"party".into()).unwrap().is_on(Kind::Audio);
    assert!(sound(&world));
    world.say(officer, ClientMessage::MuteMember { member: "party".into() });
    assert!(!sound(&world) && world.got(party, &ServerMessage::Muted));
    assert_eq!(world.events.last(), Some(&RoomEventKind::Muted { member: "party".into(), by: Some("officer".into()) }));
    assert!(!world.members(officer)[1].audio);
    world.say(party, ClientMessage::Unmute { kind: Kind::Audio });
    assert!(sound(&world));
    world.say(officer, ClientMessage::MuteMember { member: "nobody".into() });
    assert_eq!(world.last(officer), Some(&error(ErrorCode::NoSuchMember)));
}

#[test]
fn a_seat_is_kept_for_half_a_minute() {
    let (mut world, officer, party) = World::hearing();
    let token = world.seat(party);
    world.media(party, "party", MediaEventKind::Up(Direction::Publish));
    world.lose(party);
    assert_eq!(world.members(officer)[1].status, MemberStatus::Away);
    world.wait(SEAT_KEPT_MS - 1);
    assert!(world.flows().contains("officer>party"), "the seat is still there");
    let back = world.open("party", Role::Party, false).unwrap();
    world.say(back, ClientMessage::Hello { resume: Some(token.clone()) });
    assert!(world.got(back, &ServerMessage::Admitted), "no second wait");
    assert_eq!(world.seat(back), token);
    assert_eq!(world.events.last(), Some(&RoomEventKind::Reconnected { member: "party".into() }));
    assert!(world.media.contains(&MediaAction::Subscribe("party".into(), back)));
    world.media(party, "party", MediaEventKind::Down(Direction::Publish));
    assert_eq!(world.members(officer)[1].status, MemberStatus::InRoom, "the old connection's end is stale news");

    world.lose(back);
    assert_eq!(world.core.next_tick(), Some(world.now + SEAT_KEPT_MS));
    world.wait(SEAT_KEPT_MS);
    let left = RoomEventKind::Left { member: "party".into(), reason: LeaveReason::Lost };
    assert_eq!(world.events.last(), Some(&left));
    assert!(world.flows().is_empty());
    let late = world.open("party", Role::Party, false).unwrap();
    world.say(late, ClientMessage::Hello { resume: Some(token) });
    assert_eq!(world.inboxes[&late][1], ServerMessage::Waiting { position: 1 }, "after that one waits again");
}

#[test]
fn the_newer_tab_takes_the_seat_and_the_older_cannot_take_it_back() {
    let (mut world, _, older) = World::hearing();
    let token = world.seat(older);
    let newer = world.enter("party", Role::Party, false);
    assert_eq!(world.last(older), Some(&ServerMessage::Replaced));
    assert!(world.hung_up.contains(&older) && !world.hung_up.contains(&newer));
    assert!(world.got(newer, &ServerMessage::Admitted), "the seat was in the room");
    world.lose(older);
    assert!(!world.events.iter().any(|event| matches!(event, RoomEventKind::Reconnecting { .. })));
    let again = world.open("party", Role::Party, false).unwrap();
    world.say(again, ClientMessage::Hello { resume: Some(token) });
    assert_eq!(world.last(again), Some(&ServerMessage::Replaced));
    assert!(world.hung_up.contains(&again));
    world.say(newer, ClientMessage::Ping);
    assert_eq!(world.last(newer), Some(&ServerMessage::Pong));
}

#[test]
fn who_was_removed_stays_out() {
    let (mut world, officer, party) = World::hearing();
    world.order(&RoomCommand::Remove("party".into(), "disturbs".to_owned())).unwrap();
    assert_eq!(world.last(party), Some(&ServerMessage::Removed { reason: "disturbs".to_owned() }));
    assert!(world.hung_up.contains(&party));
    assert_eq!(world.members(officer).len(), 1);
    assert_eq!(world.open("party", Role::Party, false), Err(JoinError::Removed));
    assert_eq!(world.order(&RoomCommand::Admit("party".into())), Err(Refusal::NoSuchMember));
}

#[test]
fn nothing_goes_before_hello_and_hello_goes_once() {
    let mut world = World::new(true, None);
    let connection = world.open("party", Role::Party, false).unwrap();
    world.say(connection, ClientMessage::Hand { up: true });
    assert_eq!(world.last(connection), Some(&error(ErrorCode::HelloFirst)));
    world.say(connection, ClientMessage::Hello { resume: None });
    world.say(connection, ClientMessage::Hello { resume: None });
    assert_eq!(world.last(connection), Some(&error(ErrorCode::HelloFirst)));
}

#[test]
fn a_pause_stops_the_recording_and_an_ended_session_stays_ended() {
    let (mut world, officer, _) = World::hearing();
    let outputs = world.core.recorder(RecorderEvent::Started);
    world.keep(outputs);
    for state in [SessionState::InSession, SessionState::Paused, SessionState::InSession] {
        world.now += 60_000;
        world.order(&RoomCommand::SetSession(state)).unwrap();
        let Some(ServerMessage::Session(view)) = world.last(officer) else { panic!("the officer is told") };
        assert_eq!((view.state, view.since, view.recording), (state, world.now, RecordingState::On));
    }
    assert_eq!(world.pauses, [false, true, false]);
    assert_eq!(
        world.order(&RoomCommand::StartRecording { dir: "x".into(), meta: serde_json::Value::Null }),
        Err(Refusal::AlreadyRecording)
    );
    world.order(&RoomCommand::SetSession(SessionState::Ended)).unwrap();
    assert_eq!(world.order(&RoomCommand::SetSession(SessionState::InSession)), Err(Refusal::SessionEnded));
    let outputs = world.core.recorder(RecorderEvent::Failed { reason: "no space left".to_owned() });
    world.keep(outputs);
    assert!(
        matches!(world.last(officer), Some(ServerMessage::Session(view)) if view.recording == RecordingState::Failed)
    );
}

#[test]
fn what_cannot_be_recorded_stays_paused() {
    let (mut world, _, _) = World::hearing();
    let told = |world: &mut World, event| {
        let outputs = world.core.recorder(event);
        world.keep(outputs);
    };
    told(&mut world, RecorderEvent::Started);
    world.order(&RoomCommand::SetSession(SessionState::InSession)).unwrap();
    told(&mut world, RecorderEvent::Failed { reason: "no space left".to_owned() });
    world.order(&RoomCommand::SetSession(SessionState::Paused)).unwrap();
    assert_eq!(world.order(&RoomCommand::SetSession(SessionState::InSession)), Err(Refusal::RecordingFailed));
    told(&mut world, RecorderEvent::Resumed { gap_ms: 3_000 });
    assert_eq!(world.pauses.last(), Some(&true), "the disk takes data again, the session is still paused");
    world.order(&RoomCommand::SetSession(SessionState::InSession)).unwrap();
    assert_eq!(world.pauses.last(), Some(&false));
}

#[test]
fn closing_tells_everybody_also_at_the_door() {
    let (mut world, officer, party) = World::hearing();
    let door = world.open("late", Role::Witness, false).unwrap();
    let outputs = world.core.close();
    world.keep(outputs);
    for connection in [officer, party, door] {
        assert_eq!(world.last(connection), Some(&ServerMessage::Ended));
        assert!(world.hung_up.contains(&connection));
    }
    assert!(world.flows().is_empty());
    assert_eq!(world.events.last(), Some(&RoomEventKind::Closed));
}

#[test]
fn a_room_takes_so_many() {
    let mut world = World::new(true, None);
    for n in 0..MAX_MEMBERS {
        world.enter(&format!("m{n}"), Role::Party, false);
    }
    assert_eq!(world.open("one more", Role::Party, false), Err(JoinError::Full));
    assert!(world.open("m7", Role::Party, false).is_ok(), "who has a seat may come back");
}

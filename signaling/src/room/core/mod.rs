//! The room's decisions, pure: what comes in, with the time, gives a list of what to do. No clock, no channel, no chance.
//! [`client`] is what members say, [`command`] what the hub orders, [`tell`] what everybody is told of it.

mod client;
mod command;
mod tell;

use self::tell::{SOON_MS, Told};
use super::floor::Floor;
use super::layout::ForwardingTable;
use super::member::{Line, Member};
use crate::event::{Join, JoinError, LeaveReason, Meter, QualityLevel, Refusal, RoomCommand, RoomEventKind};
use crate::media::{MediaEvent, MediaEventKind};
use crate::message::{
    ClientMessage, Direction, ErrorCode, MemberView, RecordingState, ServerMessage, SessionState, SessionView,
};
use crate::recording::RecorderEvent;
use crate::{ConnectionId, MemberId, RoomId, SeatToken};
use std::collections::{BTreeMap, BTreeSet};

/// How long a seat is kept for a member whose tab is gone, in milliseconds.
pub(crate) const SEAT_KEPT_MS: i64 = 30_000;
/// As many as one room takes, the waiting room included.
pub(crate) const MAX_MEMBERS: usize = 200;

/// What the shell is to do. In order.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Output {
    Send(ConnectionId, ServerMessage),
    /// Close the socket, after what was sent to it.
    Hangup(ConnectionId),
    Event(RoomEventKind),
    Media(MediaAction),
    /// Stop or go on writing.
    PauseRecording(bool),
}

/// What the media plane is to do.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum MediaAction {
    Forward(ForwardingTable),
    /// Make the subscribe connection of a member and offer it.
    Subscribe(MemberId, ConnectionId),
    PublishOffer(MemberId, ConnectionId, String),
    SubscribeAnswer(MemberId, ConnectionId, String),
    /// A player's own offer to receive.
    WatchOffer {
        member: MemberId,
        connection: ConnectionId,
        sdp: String,
        /// The one member that it wants; else the podium.
        only: Option<MemberId>,
    },
    RestartSubscribe(MemberId, ConnectionId),
    /// One of the two connections of a tab is over.
    End(MemberId, ConnectionId, Direction),
    /// Both connections of a member are over.
    Release(MemberId),
}

#[derive(Debug)]
pub(crate) struct RoomCore {
    id: RoomId,
    waiting_room: bool,
    notice: Option<String>,
    session: SessionView,
    /// In the order of arrival. Rooms are small; a list keeps the order for free.
    members: Vec<Member>,
    /// Connections that have not said hello.
    doors: BTreeMap<ConnectionId, (Join, SeatToken)>,
    acknowledged: BTreeSet<MemberId>,
    removed: BTreeSet<MemberId>,
    /// Were in the room before the hub's restart, and have not come back yet.
    awaited: BTreeSet<MemberId>,
    floor: Floor,
    table: ForwardingTable,
    told: Told,
    /// Epoch milliseconds of what is being handled.
    now: i64,
}

impl RoomCore {
    pub fn new(id: RoomId, waiting_room: bool, notice: Option<String>, now: i64) -> Self {
        let session = SessionView { state: SessionState::NotStarted, since: now, recording: RecordingState::Off };
        Self {
            id,
            waiting_room,
            notice,
            session,
            members: Vec::new(),
            doors: BTreeMap::new(),
            acknowledged: BTreeSet::new(),
            removed: BTreeSet::new(),
            awaited: BTreeSet::new(),
            floor: Floor::default(),
            table: ForwardingTable::default(),
            told: Told::default(),
            now,
        }
    }

    /// A socket was opened. The seat is taken with `hello`; `token` becomes the seat's if it does.
    pub fn join(&mut self, connection: ConnectionId, join: Join, token: SeatToken) -> Result<(), JoinError> {
        if self.removed.contains(&join.member) {
            return Err(JoinError::Removed);
        }
        if self.members.len() + self.doors.len() >= MAX_MEMBERS && self.member(&join.member).is_none() {
            return Err(JoinError::Full);
        }
        self.doors.insert(connection, (join, token));
        Ok(())
    }

    /// The socket is gone.
    pub fn gone(&mut self, connection: ConnectionId, now: i64) -> Vec<Output> {
        self.doors.remove(&connection);
        let Some(member) = self.members.iter_mut().find(|member| member.tab == Ok(connection)) else {
            return Vec::new();
        };
        member.tab = Err(now);
        self.now = now;
        let mut out = Vec::new();
        // The screen went with the tab; the client says so again when it comes back.
        let shared = std::mem::take(&mut member.screen);
        self.floor.share(&member.id, false);
        if member.line != Line::Broken {
            member.line = Line::Broken;
            out.push(Output::Event(RoomEventKind::Reconnecting { member: member.id.clone() }));
        }
        if shared {
            self.arrange_soon(SOON_MS, &mut out);
        }
        self.tell_members(&mut out);
        out
    }

    /// A client's message.
    pub fn client(&mut self, connection: ConnectionId, message: ClientMessage, now: i64) -> Vec<Output> {
        self.now = now;
        let mut out = Vec::new();
        if let ClientMessage::Hello { resume } = message {
            self.hello(connection, resume, &mut out);
        } else if message == ClientMessage::Ping {
            out.push(Output::Send(connection, ServerMessage::Pong));
        } else if let Some(at) = self.members.iter().position(|member| member.tab == Ok(connection)) {
            if let Err(code) = self.seated(at, connection, message, now, &mut out) {
                out.push(Output::Send(connection, ServerMessage::error(code)));
            }
        } else {
            out.push(Output::Send(connection, ServerMessage::error(ErrorCode::HelloFirst)));
        }
        out
    }

    /// The hub's command. Starting and stopping a recording is the shell's: it does disk work and then tells [`Self::recorder`].
    pub fn command(&mut self, command: &RoomCommand, now: i64) -> (Result<(), Refusal>, Vec<Output>) {
        self.now = now;
        let mut out = Vec::new();
        let result = self.obey(command, now, &mut out);
        (result, out)
    }

    /// What the media plane reports. Reports of a connection that no longer holds its seat are stale and dropped.
    pub fn media(&mut self, event: MediaEvent, now: i64) -> Vec<Output> {
        self.now = now;
        let mut out = Vec::new();
        let Some(member) = self.members.iter_mut().find(|m| m.id == event.member && m.tab == Ok(event.connection))
        else {
            return out;
        };
        let to = event.connection;
        match event.kind {
            MediaEventKind::Answer(sdp) => out.push(Output::Send(to, ServerMessage::Answer { sdp })),
            MediaEventKind::Offer { sdp, tracks } => {
                out.push(Output::Send(to, ServerMessage::Offer { sdp, tracks }));
            }
            MediaEventKind::Tracks(tracks) => out.push(Output::Send(to, ServerMessage::Tracks { tracks })),
            MediaEventKind::Demand { kind, on, rids } => {
                out.push(Output::Send(to, ServerMessage::Demand { kind, on, rids }));
            }
            MediaEventKind::Line { rtt_ms, loss_percent, bits_per_second, audio_only } => {
                let measured = QualityLevel::of(f64::from(rtt_ms), f64::from(loss_percent) / 100.0);
                // A line that takes no picture is poor, however few packets it loses.
                let level = if audio_only { QualityLevel::Poor } else { measured };
                let line = ServerMessage::Line { level, rtt_ms, loss_percent, bits_per_second, audio_only };
                out.push(Output::Send(to, line));
                if std::mem::replace(&mut member.by_hub, level) != level {
                    out.push(Output::Event(RoomEventKind::Quality {
                        member: event.member,
                        level,
                        by: Meter::Hub,
                        rtt_ms,
                        loss_percent,
                        jitter_ms: None,
                        freezes: None,
                        layer: None,
                    }));
                    self.tell_members(&mut out);
                }
            }
            MediaEventKind::Refused(code) => out.push(Output::Send(to, ServerMessage::error(code))),
            MediaEventKind::Up(direction) => {
                out.push(Output::Send(to, ServerMessage::Transport { direction, up: true }));
                let before = std::mem::replace(&mut member.line, Line::Up);
                let id = member.id.clone();
                match before {
                    Line::Up => return out,
                    Line::New => out.push(Output::Event(RoomEventKind::Connected { member: id })),
                    Line::Broken => out.push(Output::Event(RoomEventKind::Reconnected { member: id })),
                }
                self.tell_members(&mut out);
            }
            MediaEventKind::Down(direction) => {
                out.push(Output::Send(to, ServerMessage::Transport { direction, up: false }));
                if member.line == Line::Up {
                    member.line = Line::Broken;
                    out.push(Output::Event(RoomEventKind::Reconnecting { member: member.id.clone() }));
                    self.tell_members(&mut out);
                }
            }
        }
        out
    }

    /// What became of the recording.
    pub fn recorder(&mut self, event: RecorderEvent) -> Vec<Output> {
        let (state, event) = match event {
            RecorderEvent::Started => (RecordingState::On, RoomEventKind::RecordingStarted),
            RecorderEvent::Failed { reason } => (RecordingState::Failed, RoomEventKind::RecordingFailed { reason }),
            RecorderEvent::Resumed { gap_ms } => (RecordingState::On, RoomEventKind::RecordingResumed { gap_ms }),
            RecorderEvent::Stopped { summary } => (RecordingState::Off, RoomEventKind::RecordingStopped { summary }),
        };
        self.session.recording = state;
        let mut out = vec![Output::Event(event)];
        if state == RecordingState::On && self.session.state == SessionState::Paused {
            out.push(Output::PauseRecording(true));
        }
        self.tell_session(&mut out);
        out
    }

    /// Time passed: seats whose members did not come back are freed, and what was put off is told.
    pub fn tick(&mut self, now: i64) -> Vec<Output> {
        self.now = now;
        let mut out = Vec::new();
        while let Some(at) =
            self.members.iter().position(|member| matches!(member.tab, Err(since) if now - since >= SEAT_KEPT_MS))
        {
            self.free(at, LeaveReason::Lost, &mut out);
        }
        self.tell_what_is_due(&mut out);
        out
    }

    /// Everybody who has a seat, for the recording's first lines: who came before it is in no later event.
    pub fn present(&self) -> Vec<MemberView> {
        let nobody = MemberId::new("");
        self.members.iter().map(|member| member.view(&nobody)).collect()
    }

    /// The session's state.
    pub fn session(&self) -> SessionState {
        self.session.state
    }

    /// When [`Self::tick`] is wanted next, epoch milliseconds.
    pub fn next_tick(&self) -> Option<i64> {
        let seats = self.members.iter().filter_map(|member| member.tab.err()).map(|since| since + SEAT_KEPT_MS);
        seats.chain(self.told.due()).min()
    }

    /// The room closes: everybody is told.
    pub fn close(&mut self) -> Vec<Output> {
        let mut out = Vec::new();
        for (connection, _) in std::mem::take(&mut self.doors) {
            out.push(Output::Send(connection, ServerMessage::Ended));
            out.push(Output::Hangup(connection));
        }
        for member in std::mem::take(&mut self.members) {
            if let Ok(connection) = member.tab {
                out.push(Output::Send(connection, ServerMessage::Ended));
                out.push(Output::Hangup(connection));
            }
            out.push(Output::Media(MediaAction::Release(member.id.clone())));
            out.push(Output::Event(RoomEventKind::Left { member: member.id, reason: LeaveReason::Closed }));
        }
        self.forget_floor();
        self.arrange(&mut out);
        out.push(Output::Event(RoomEventKind::Closed));
        out
    }

    fn inside(&self) -> impl Iterator<Item = ConnectionId> + '_ {
        self.members.iter().filter(|member| member.is_in_room()).filter_map(Member::connection)
    }

    fn member(&self, id: &MemberId) -> Option<&Member> {
        self.members.iter().find(|member| &member.id == id)
    }

    fn member_mut(&mut self, id: &MemberId) -> Option<&mut Member> {
        self.members.iter_mut().find(|member| &member.id == id)
    }
}

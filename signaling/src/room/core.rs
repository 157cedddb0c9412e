//! The room's decisions, pure: what comes in, with the time, gives a list of what to do. No clock, no channel, no chance.

use super::floor::{ForwardingTable, forwarding};
use super::member::{Line, Member, Place};
use crate::event::{Join, JoinError, LeaveReason, QualityLevel, Refusal, RoomCommand, RoomEventKind};
use crate::media::MediaEvent;
use crate::message::{
    ClientMessage, ErrorCode, Kind, MAX_CHAT_CHARS, RecordingState, RoomView, ServerMessage, SessionState, SessionView,
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
    RestartSubscribe(MemberId, ConnectionId),
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
    table: ForwardingTable,
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
            table: ForwardingTable::default(),
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
        let mut out = Vec::new();
        if member.line != Line::Broken {
            member.line = Line::Broken;
            out.push(Output::Event(RoomEventKind::Reconnecting { member: member.id.clone() }));
        }
        self.tell_members(&mut out);
        out
    }

    /// A client's message.
    pub fn client(&mut self, connection: ConnectionId, message: ClientMessage, now: i64) -> Vec<Output> {
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
        let mut out = Vec::new();
        let result = self.obey(command, now, &mut out);
        (result, out)
    }

    /// What the media plane reports. Reports of a connection that no longer holds its seat are stale and dropped.
    pub fn media(&mut self, event: MediaEvent, _now: i64) -> Vec<Output> {
        let mut out = Vec::new();
        let Some(member) = self.members.iter_mut().find(|m| m.id == event.member && m.tab == Ok(event.connection)) else {
            return out;
        };
        let to = event.connection;
        match event.kind {
            crate::media::MediaEventKind::Answer(sdp) => out.push(Output::Send(to, ServerMessage::Answer { sdp })),
            crate::media::MediaEventKind::Offer { sdp, tracks } => {
                out.push(Output::Send(to, ServerMessage::Offer { sdp, tracks }));
            }
            crate::media::MediaEventKind::Refused(code) => out.push(Output::Send(to, ServerMessage::error(code))),
            crate::media::MediaEventKind::Up => {
                let before = std::mem::replace(&mut member.line, Line::Up);
                let id = member.id.clone();
                match before {
                    Line::Up => return out,
                    Line::New => out.push(Output::Event(RoomEventKind::Connected { member: id })),
                    Line::Broken => out.push(Output::Event(RoomEventKind::Reconnected { member: id })),
                }
                self.tell_members(&mut out);
            }
            crate::media::MediaEventKind::Down => {
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

    /// Time passed: seats whose members did not come back are freed.
    pub fn tick(&mut self, now: i64) -> Vec<Output> {
        let mut out = Vec::new();
        while let Some(at) = self
            .members
            .iter()
            .position(|member| matches!(member.tab, Err(since) if now - since >= SEAT_KEPT_MS))
        {
            self.free(at, LeaveReason::Lost, &mut out);
        }
        out
    }

    /// When [`Self::tick`] is wanted next, epoch milliseconds.
    pub fn next_tick(&self) -> Option<i64> {
        self.members.iter().filter_map(|member| member.tab.err()).min().map(|since| since + SEAT_KEPT_MS)
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
        self.publish_table(&mut out);
        out.push(Output::Event(RoomEventKind::Closed));
        out
    }

    fn hello(&mut self, connection: ConnectionId, resume: Option<SeatToken>, out: &mut Vec<Output>) {
        let Some((join, fresh)) = self.doors.remove(&connection) else {
            out.push(Output::Send(connection, ServerMessage::error(ErrorCode::HelloFirst)));
            return;
        };
        let id = join.member.clone();
        if let Some(member) = self.members.iter_mut().find(|member| member.id == id) {
            match resume {
                // A tab whose seat was taken by a newer one comes back late: it must not take the seat back, or two tabs would fight.
                Some(token) if token != member.token => {
                    out.push(Output::Send(connection, ServerMessage::Replaced));
                    out.push(Output::Hangup(connection));
                    return;
                }
                Some(_) => {}
                None => member.token = fresh,
            }
            let older = std::mem::replace(&mut member.tab, Ok(connection));
            member.name = join.name;
            member.role = join.role;
            member.admitted = join.admitted;
            if let Ok(older) = older {
                out.push(Output::Send(older, ServerMessage::Replaced));
                out.push(Output::Hangup(older));
                out.push(Output::Event(RoomEventKind::Replaced { member: id.clone() }));
            }
            // Whoever comes back sits again at once; whether media follows is told by the next report of the media plane.
            if member.line == Line::Broken {
                member.line = Line::Up;
                out.push(Output::Event(RoomEventKind::Reconnected { member: id.clone() }));
            }
            out.push(Output::Media(MediaAction::Release(id.clone())));
        } else {
            self.members.push(Member {
                id: id.clone(),
                name: join.name,
                role: join.role,
                admitted: join.admitted,
                token: fresh,
                place: Place::Notice,
                tab: Ok(connection),
                line: Line::New,
                audio: true,
                video: true,
                hand: false,
                quality: QualityLevel::Good,
            });
        }
        self.welcome(&id, connection, out);
    }

    fn welcome(&mut self, id: &MemberId, connection: ConnectionId, out: &mut Vec<Output>) {
        let Some(member) = self.member(id) else { return };
        let notice = self.notice.clone().filter(|_| member.role.reads_notice() && !self.acknowledged.contains(id));
        let (place, must_read) = (member.place, notice.is_some());
        out.push(Output::Send(
            connection,
            ServerMessage::Welcome {
                me: id.clone(),
                seat: member.token.clone(),
                notice_version: notice,
                room: RoomView { id: self.id.clone(), session: self.session },
            },
        ));
        match place {
            Place::Notice if must_read => {}
            Place::Notice => self.knock(id, out),
            Place::Waiting => self.tell_waiting(out),
            Place::InRoom => self.seat_in_room(id, connection, out),
        }
    }

    /// Past the notice: to the waiting room, or straight in.
    fn knock(&mut self, id: &MemberId, out: &mut Vec<Output>) {
        let waiting_room = self.waiting_room;
        let Some(member) = self.member_mut(id) else { return };
        if waiting_room && !member.admitted {
            member.place = Place::Waiting;
            let (name, role) = (member.name.clone(), member.role);
            out.push(Output::Event(RoomEventKind::Knocked { member: id.clone(), name, role }));
            self.tell_waiting(out);
            self.tell_members(out);
        } else {
            self.let_in(id, out);
        }
    }

    fn let_in(&mut self, id: &MemberId, out: &mut Vec<Output>) {
        let Some(member) = self.member_mut(id) else { return };
        member.place = Place::InRoom;
        let (name, role, connection) = (member.name.clone(), member.role, member.connection());
        out.push(Output::Event(RoomEventKind::Admitted { member: id.clone(), name, role }));
        if let Some(connection) = connection {
            self.seat_in_room(id, connection, out);
        } else {
            // Let in while the line is broken: the seat is in the room when its member comes back.
            self.publish_table(out);
            self.tell_members(out);
        }
        self.tell_waiting(out);
    }

    fn seat_in_room(&mut self, id: &MemberId, connection: ConnectionId, out: &mut Vec<Output>) {
        out.push(Output::Send(connection, ServerMessage::Admitted));
        out.push(Output::Send(connection, ServerMessage::Session(self.session)));
        self.publish_table(out);
        out.push(Output::Media(MediaAction::Subscribe(id.clone(), connection)));
        self.tell_members(out);
    }

    /// A message of a member who holds a seat.
    fn seated(
        &mut self,
        at: usize,
        connection: ConnectionId,
        message: ClientMessage,
        now: i64,
        out: &mut Vec<Output>,
    ) -> Result<(), ErrorCode> {
        let Some(member) = self.members.get_mut(at) else { return Err(ErrorCode::HelloFirst) };
        let id = member.id.clone();
        let inside = if member.is_in_room() { Ok(()) } else { Err(ErrorCode::NotAdmitted) };
        match message {
            ClientMessage::Hello { .. } => return Err(ErrorCode::HelloFirst),
            ClientMessage::Ping | ClientMessage::Candidate { .. } => {}
            ClientMessage::Acknowledge { version } => {
                if self.notice.as_deref() != Some(version.as_str()) {
                    return Err(ErrorCode::WrongNotice);
                }
                if self.acknowledged.insert(id.clone()) {
                    let (name, role) = (member.name.clone(), member.role);
                    out.push(Output::Event(RoomEventKind::NoticeAcknowledged { member: id.clone(), name, role, version }));
                }
                if member.place == Place::Notice {
                    self.knock(&id, out);
                }
            }
            ClientMessage::Offer { sdp } => {
                inside?;
                if !member.role.may_speak() {
                    return Err(ErrorCode::NotAllowed);
                }
                out.push(Output::Media(MediaAction::PublishOffer(id, connection, sdp)));
            }
            ClientMessage::Answer { sdp } => {
                inside?;
                out.push(Output::Media(MediaAction::SubscribeAnswer(id, connection, sdp)));
            }
            ClientMessage::RestartIce => {
                inside?;
                out.push(Output::Media(MediaAction::RestartSubscribe(id, connection)));
            }
            ClientMessage::Mute { kind } => self.switch(at, kind, false, out),
            ClientMessage::Unmute { kind } => self.switch(at, kind, true, out),
            ClientMessage::MuteMember { member: other } => {
                inside?;
                if !member.role.may_moderate() {
                    return Err(ErrorCode::NotAllowed);
                }
                self.mute(&other, Some(id), out).map_err(|_| ErrorCode::NoSuchMember)?;
            }
            ClientMessage::Hand { up } => {
                inside?;
                if member.hand != up {
                    member.hand = up;
                    let event = if up {
                        RoomEventKind::HandRaised { member: id }
                    } else {
                        RoomEventKind::HandLowered { member: id }
                    };
                    out.push(Output::Event(event));
                    self.tell_members(out);
                }
            }
            ClientMessage::Chat { text } => {
                inside?;
                if text.trim().is_empty() || text.chars().count() > MAX_CHAT_CHARS {
                    return Err(ErrorCode::BadChat);
                }
                let name = member.name.clone();
                let line = ServerMessage::Chat { member: id.clone(), name, text: text.clone(), at: now };
                for to in self.inside() {
                    out.push(Output::Send(to, line.clone()));
                }
                out.push(Output::Event(RoomEventKind::Chat { member: id, text }));
            }
            ClientMessage::Stats { rtt_ms, loss } => {
                let (rtt_ms, loss) = (rtt_ms.clamp(0.0, 60_000.0), loss.clamp(0.0, 1.0));
                let level = QualityLevel::of(rtt_ms, loss);
                if member.quality != level {
                    member.quality = level;
                    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped above")]
                    let (rtt_ms, loss_percent) = (rtt_ms as u32, (loss * 100.0) as u32);
                    out.push(Output::Event(RoomEventKind::Quality { member: id, level, rtt_ms, loss_percent }));
                }
            }
            ClientMessage::Leave => {
                out.push(Output::Hangup(connection));
                self.free(at, LeaveReason::Left, out);
            }
        }
        Ok(())
    }

    fn obey(&mut self, command: &RoomCommand, now: i64, out: &mut Vec<Output>) -> Result<(), Refusal> {
        match command {
            RoomCommand::Admit(id) => {
                if self.member(id).ok_or(Refusal::NoSuchMember)?.place != Place::Waiting {
                    return Err(Refusal::NotWaiting);
                }
                self.let_in(id, out);
            }
            RoomCommand::SendBack(id) => {
                let member = self.member_mut(id).ok_or(Refusal::NoSuchMember)?;
                if !member.is_in_room() {
                    return Err(Refusal::NotInRoom);
                }
                member.place = Place::Waiting;
                member.line = Line::New;
                member.hand = false;
                out.push(Output::Media(MediaAction::Release(id.clone())));
                out.push(Output::Event(RoomEventKind::SentBack { member: id.clone() }));
                self.publish_table(out);
                self.tell_waiting(out);
                self.tell_members(out);
            }
            RoomCommand::Remove(id, reason) => {
                let at = self.members.iter().position(|m| &m.id == id).ok_or(Refusal::NoSuchMember)?;
                self.removed.insert(id.clone());
                if let Some(connection) = self.members.get(at).and_then(Member::connection) {
                    out.push(Output::Send(connection, ServerMessage::Removed { reason: reason.clone() }));
                    out.push(Output::Hangup(connection));
                }
                self.free(at, LeaveReason::Removed(reason.clone()), out);
            }
            RoomCommand::Mute(id) => self.mute(id, None, out)?,
            RoomCommand::SetSession(state) => self.set_session(*state, now, out)?,
            RoomCommand::StartRecording { .. } => {
                if self.session.recording != RecordingState::Off {
                    return Err(Refusal::AlreadyRecording);
                }
            }
            RoomCommand::StopRecording => {
                if self.session.recording == RecordingState::Off {
                    return Err(Refusal::NotRecording);
                }
            }
            RoomCommand::Close => {}
        }
        Ok(())
    }

    fn set_session(&mut self, state: SessionState, now: i64, out: &mut Vec<Output>) -> Result<(), Refusal> {
        if self.session.state == state {
            return Ok(());
        }
        if self.session.state == SessionState::Ended {
            return Err(Refusal::SessionEnded);
        }
        self.session.state = state;
        self.session.since = now;
        out.push(Output::Event(RoomEventKind::SessionChanged { state }));
        out.push(Output::PauseRecording(state == SessionState::Paused));
        self.tell_session(out);
        Ok(())
    }

    fn mute(&mut self, id: &MemberId, by: Option<MemberId>, out: &mut Vec<Output>) -> Result<(), Refusal> {
        let member = self.member_mut(id).ok_or(Refusal::NoSuchMember)?;
        if !member.is_in_room() {
            return Err(Refusal::NotInRoom);
        }
        member.audio = false;
        if let Ok(connection) = member.tab {
            out.push(Output::Send(connection, ServerMessage::Muted));
        }
        out.push(Output::Event(RoomEventKind::Muted { member: id.clone(), by }));
        self.publish_table(out);
        self.tell_members(out);
        Ok(())
    }

    fn switch(&mut self, at: usize, kind: Kind, on: bool, out: &mut Vec<Output>) {
        let Some(member) = self.members.get_mut(at) else { return };
        let switch = match kind {
            Kind::Audio => &mut member.audio,
            Kind::Video => &mut member.video,
        };
        if std::mem::replace(switch, on) != on {
            self.publish_table(out);
            self.tell_members(out);
        }
    }

    fn free(&mut self, at: usize, reason: LeaveReason, out: &mut Vec<Output>) {
        let member = self.members.remove(at);
        out.push(Output::Media(MediaAction::Release(member.id.clone())));
        out.push(Output::Event(RoomEventKind::Left { member: member.id, reason }));
        self.publish_table(out);
        self.tell_waiting(out);
        self.tell_members(out);
    }

    /// Tells the media plane, when anything changed for it.
    fn publish_table(&mut self, out: &mut Vec<Output>) {
        let table = forwarding(self.members.iter());
        if table != self.table {
            self.table = table.clone();
            out.push(Output::Media(MediaAction::Forward(table)));
        }
    }

    fn tell_members(&self, out: &mut Vec<Output>) {
        for reader in self.members.iter().filter(|member| member.is_in_room()) {
            let Ok(connection) = reader.tab else { continue };
            let members = self
                .members
                .iter()
                .filter(|member| member.is_in_room() || reader.role.sees_waiting_room())
                .map(|member| member.view(&reader.id))
                .collect();
            out.push(Output::Send(connection, ServerMessage::Members { members }));
        }
    }

    fn tell_waiting(&self, out: &mut Vec<Output>) {
        let waiting = self.members.iter().filter(|member| member.place == Place::Waiting);
        for (index, member) in waiting.enumerate() {
            if let Ok(connection) = member.tab {
                out.push(Output::Send(connection, ServerMessage::Waiting { position: index + 1 }));
            }
        }
    }

    fn tell_session(&self, out: &mut Vec<Output>) {
        out.extend(
            self.members
                .iter()
                .filter_map(Member::connection)
                .map(|connection| Output::Send(connection, ServerMessage::Session(self.session))),
        );
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

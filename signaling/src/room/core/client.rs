//! What a client's messages do: taking a seat, the way in, and what a seated member may say.

use super::{MediaAction, Output, RoomCore};
use crate::event::{LeaveReason, Meter, QualityLevel, RoomEventKind};
use crate::message::{ClientMessage, ErrorCode, Kind, MAX_CHAT_CHARS, MAX_TILES, RoomView, ServerMessage};
use crate::room::member::{Line, Member, Place, View};
use crate::{ConnectionId, MemberId, SeatToken};

impl RoomCore {
    pub(super) fn hello(&mut self, connection: ConnectionId, resume: Option<SeatToken>, out: &mut Vec<Output>) {
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
            // A fresh pair of connections carries no screen until the client says so.
            member.screen = false;
            self.floor.share(&id, false);
            let older = std::mem::replace(&mut member.tab, Ok(connection));
            member.name = join.name;
            member.role = join.role;
            member.admitted = join.admitted;
            member.ice_servers = join.ice_servers;
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
                screen: false,
                ice_servers: join.ice_servers,
                hand: false,
                view: View::default(),
                by_client: QualityLevel::Good,
                by_hub: QualityLevel::Good,
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
                room: Box::new(RoomView { id: self.id.clone(), session: self.session }),
                ice_servers: member.ice_servers.clone(),
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
        let returns = self.awaited.remove(id);
        let Some(member) = self.member_mut(id) else { return };
        if waiting_room && !member.admitted && returns {
            let (name, role) = (member.name.clone(), member.role);
            out.push(Output::Event(RoomEventKind::Returned { member: id.clone(), name, role }));
            self.seat(id, out);
        } else if waiting_room && !member.admitted {
            member.place = Place::Waiting;
            let (name, role) = (member.name.clone(), member.role);
            out.push(Output::Event(RoomEventKind::Knocked { member: id.clone(), name, role }));
            self.tell_waiting(out);
            self.tell_members(out);
        } else {
            self.let_in(id, out);
        }
    }

    pub(super) fn let_in(&mut self, id: &MemberId, out: &mut Vec<Output>) {
        let Some(member) = self.member(id) else { return };
        let (name, role) = (member.name.clone(), member.role);
        out.push(Output::Event(RoomEventKind::Admitted { member: id.clone(), name, role }));
        self.seat(id, out);
    }

    fn seat(&mut self, id: &MemberId, out: &mut Vec<Output>) {
        let Some(member) = self.member_mut(id) else { return };
        member.place = Place::InRoom;
        let connection = member.connection();
        if let Some(connection) = connection {
            self.seat_in_room(id, connection, out);
        } else {
            // Let in while the line is broken: the seat is in the room when its member comes back.
            self.arrange(out);
            self.tell_members(out);
        }
        self.tell_waiting(out);
    }

    fn seat_in_room(&mut self, id: &MemberId, connection: ConnectionId, out: &mut Vec<Output>) {
        out.push(Output::Send(connection, ServerMessage::Admitted));
        out.push(Output::Send(connection, ServerMessage::Session(self.session)));
        self.tell_state(id, connection, out);
        self.arrange(out);
        out.push(Output::Media(MediaAction::Subscribe(id.clone(), connection)));
        self.tell_members(out);
    }

    /// A message of a member who holds a seat.
    pub(super) fn seated(
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
                    out.push(Output::Event(RoomEventKind::NoticeAcknowledged {
                        member: id.clone(),
                        name,
                        role,
                        version,
                    }));
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
            ClientMessage::Watch { sdp, member: only } => {
                inside?;
                out.push(Output::Media(MediaAction::WatchOffer { member: id, connection, sdp, only }));
            }
            ClientMessage::Close { direction } => {
                inside?;
                out.push(Output::Media(MediaAction::End(id, connection, direction)));
            }
            ClientMessage::RestartIce => {
                inside?;
                out.push(Output::Media(MediaAction::RestartSubscribe(id, connection)));
            }
            ClientMessage::Mute { kind: Kind::Screen } | ClientMessage::Share { on: false } => {
                self.share(at, false, out)
            }
            ClientMessage::Unmute { kind: Kind::Screen } | ClientMessage::Share { on: true } => {
                inside?;
                if !member.role.may_speak() {
                    return Err(ErrorCode::NotAllowed);
                }
                self.share(at, true, out);
            }
            ClientMessage::Mute { kind } => self.switch(at, kind, false, out),
            ClientMessage::Unmute { kind } => self.switch(at, kind, true, out),
            ClientMessage::View { layout, tiles, pinned } => {
                // A pin on somebody who is not here is no reason to refuse the rest: the member may just have left.
                let pinned = pinned.filter(|pinned| self.member(pinned).is_some_and(Member::is_in_room));
                self.view(at, View { layout, tiles: tiles.min(MAX_TILES), pinned }, out);
            }
            ClientMessage::Pin { member: other } => {
                inside?;
                if !member.role.may_moderate() {
                    return Err(ErrorCode::NotAllowed);
                }
                self.pin(other, out)?;
            }
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
            ClientMessage::Stats { rtt_ms, loss, jitter_ms, freezes, layer } => {
                let (rtt_ms, loss) = (rtt_ms.clamp(0.0, 60_000.0), loss.clamp(0.0, 1.0));
                let jitter_ms = jitter_ms.map(|ms| ms.clamp(0.0, 60_000.0));
                let level = QualityLevel::of(rtt_ms, loss);
                if std::mem::replace(&mut member.by_client, level) != level {
                    let (rtt_ms, loss_percent) = (whole(rtt_ms), whole(loss * 100.0));
                    let jitter_ms = jitter_ms.map(whole);
                    out.push(Output::Event(RoomEventKind::Quality {
                        member: id,
                        level,
                        by: Meter::Client,
                        rtt_ms,
                        loss_percent,
                        jitter_ms,
                        freezes,
                        layer,
                    }));
                    self.tell_members(out);
                }
            }
            ClientMessage::Leave => {
                out.push(Output::Hangup(connection));
                self.free(at, LeaveReason::Left, out);
            }
        }
        Ok(())
    }
}

/// A measure that was clamped to a small range, without its fraction.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast saturates, and not a number is 0"
)]
fn whole(measure: f64) -> u32 {
    measure as u32
}

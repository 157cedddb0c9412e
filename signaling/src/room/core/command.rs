//! What the hub's commands do, and what clients' messages and commands share.

use super::tell::SOON_MS;
use super::{MAX_MEMBERS, MediaAction, Output, RoomCore};
use crate::MemberId;
use crate::event::{LeaveReason, Refusal, RoomCommand, RoomEventKind};
use crate::message::{ErrorCode, Kind, RecordingState, ServerMessage, SessionState};
use crate::room::member::{Line, Member, Place, View};

impl RoomCore {
    pub(super) fn obey(&mut self, command: &RoomCommand, now: i64, out: &mut Vec<Output>) -> Result<(), Refusal> {
        match command {
            RoomCommand::Admit(id) => {
                if self.member(id).ok_or(Refusal::NoSuchMember)?.place != Place::Waiting {
                    return Err(Refusal::NotWaiting);
                }
                self.let_in(id, out);
            }
            RoomCommand::Readmit(members) => self.awaited.extend(members.iter().take(MAX_MEMBERS).cloned()),
            RoomCommand::SendBack(id) => {
                let member = self.member_mut(id).ok_or(Refusal::NoSuchMember)?;
                if !member.is_in_room() {
                    return Err(Refusal::NotInRoom);
                }
                member.place = Place::Waiting;
                member.line = Line::New;
                member.hand = false;
                member.screen = false;
                self.floor.forget(id);
                out.push(Output::Media(MediaAction::Release(id.clone())));
                out.push(Output::Event(RoomEventKind::SentBack { member: id.clone() }));
                self.arrange(out);
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
        if state == SessionState::InSession && self.session.recording == RecordingState::Failed {
            return Err(Refusal::RecordingFailed);
        }
        self.session.state = state;
        self.session.since = now;
        out.push(Output::Event(RoomEventKind::SessionChanged { state }));
        out.push(Output::PauseRecording(state == SessionState::Paused));
        self.tell_session(out);
        Ok(())
    }

    pub(super) fn mute(&mut self, id: &MemberId, by: Option<MemberId>, out: &mut Vec<Output>) -> Result<(), Refusal> {
        let member = self.member_mut(id).ok_or(Refusal::NoSuchMember)?;
        if !member.is_in_room() {
            return Err(Refusal::NotInRoom);
        }
        member.audio = false;
        if let Ok(connection) = member.tab {
            out.push(Output::Send(connection, ServerMessage::Muted));
        }
        out.push(Output::Event(RoomEventKind::Muted { member: id.clone(), by }));
        self.arrange(out);
        self.tell_members(out);
        Ok(())
    }

    /// A member's own switch of microphone or camera.
    pub(super) fn switch(&mut self, at: usize, kind: Kind, on: bool, out: &mut Vec<Output>) {
        let Some(member) = self.members.get_mut(at) else { return };
        let switch = match kind {
            Kind::Audio => &mut member.audio,
            Kind::Video => &mut member.video,
            Kind::Screen => return self.share(at, on, out),
        };
        if std::mem::replace(switch, on) != on {
            self.arrange_soon(SOON_MS, out);
            self.tell_members(out);
        }
    }

    /// A member begins or ends its screen share.
    pub(super) fn share(&mut self, at: usize, on: bool, out: &mut Vec<Output>) {
        let Some(member) = self.members.get_mut(at) else { return };
        if std::mem::replace(&mut member.screen, on) == on {
            return;
        }
        self.floor.share(&member.id, on);
        self.arrange_soon(SOON_MS, out);
        self.tell_members(out);
    }

    /// How a member wants to see the room, in the room or still before it.
    pub(super) fn view(&mut self, at: usize, view: View, out: &mut Vec<Output>) {
        let Some(member) = self.members.get_mut(at) else { return };
        if std::mem::replace(&mut member.view, view.clone()) != view {
            self.arrange_soon(SOON_MS, out);
        }
    }

    /// Who stands on the podium for everybody.
    pub(super) fn pin(&mut self, member: Option<MemberId>, out: &mut Vec<Output>) -> Result<(), ErrorCode> {
        if let Some(id) = &member {
            let pinned = self.member(id).filter(|member| member.is_in_room()).ok_or(ErrorCode::NoSuchMember)?;
            if !pinned.role.may_speak() {
                return Err(ErrorCode::NotAllowed);
            }
        }
        self.floor.pin(member);
        self.arrange(out);
        Ok(())
    }

    pub(super) fn free(&mut self, at: usize, reason: LeaveReason, out: &mut Vec<Output>) {
        let member = self.members.remove(at);
        self.floor.forget(&member.id);
        out.push(Output::Media(MediaAction::Release(member.id.clone())));
        out.push(Output::Event(RoomEventKind::Left { member: member.id, reason }));
        self.arrange(out);
        self.tell_waiting(out);
        self.tell_members(out);
    }
}

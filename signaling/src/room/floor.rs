//! Who has the floor: the chair's pin, who spoke last, who shares a screen, and by these the podium.

use super::member::Member;
use crate::message::{Kind, PodiumBy};
use crate::{MemberId, Role};

/// As many members who may speak make a small room, in which everybody gets everybody.
pub(crate) const SMALL_ROOM: usize = 8;
/// A large room becomes small again only here: the ninth who comes and goes shall not make everybody's sections anew each time.
pub(crate) const SMALL_AGAIN: usize = 6;

/// What the room remembers for its layouts. Its lists hold members only, each at most once.
#[derive(Debug, Default)]
pub(crate) struct Floor {
    pin: Option<MemberId>,
    /// The latest speaker first.
    recent: Vec<MemberId>,
    /// The latest share last.
    shares: Vec<MemberId>,
    is_large: bool,
}

impl Floor {
    /// The chair's choice for everybody.
    pub fn pin(&mut self, member: Option<MemberId>) {
        self.pin = member;
    }

    /// Became the active speaker.
    pub fn spoke(&mut self, member: MemberId) {
        self.recent.retain(|id| *id != member);
        self.recent.insert(0, member);
    }

    /// Began or ended a screen share.
    pub fn share(&mut self, member: &MemberId, on: bool) {
        self.shares.retain(|id| id != member);
        if on {
            self.shares.push(member.clone());
        }
    }

    /// Is no longer in the room.
    pub fn forget(&mut self, member: &MemberId) {
        self.pin.take_if(|id| id == member);
        self.recent.retain(|id| id != member);
        self.shares.retain(|id| id != member);
    }

    /// Takes note of how many may speak here now.
    pub fn count(&mut self, speakers: usize) {
        self.is_large = speakers > if self.is_large { SMALL_AGAIN } else { SMALL_ROOM };
    }

    /// Not everybody gets everybody.
    pub fn is_large(&self) -> bool {
        self.is_large
    }

    /// The latest speakers, the last one first.
    pub fn recent(&self) -> &[MemberId] {
        &self.recent
    }

    /// Whose screen a viewer sees: the latest share of another's.
    pub fn screen_for<'a>(&'a self, viewer: &MemberId) -> Option<&'a MemberId> {
        self.shares.iter().rev().find(|id| *id != viewer)
    }

    /// Who stands on the podium for everybody.
    pub fn podium(&self, members: &[Member]) -> (Option<MemberId>, PodiumBy) {
        let first = self.callers(members).find(|(id, _)| is_heard(members, id));
        first.map_or((None, PodiumBy::Chair), |(id, by)| (Some(id.clone()), by))
    }

    /// Whom one viewer sees there: its own pin before the room's podium, never itself, and rather anybody with a picture than nobody.
    pub fn podium_for<'a>(&'a self, viewer: &'a Member, members: &'a [Member]) -> Option<&'a MemberId> {
        let own = viewer.view.pinned.iter();
        let called = self.callers(members).map(|(id, _)| id);
        let anybody = members.iter().filter(|member| member.shows()).map(|member| &member.id);
        own.chain(called).chain(anybody).find(|id| **id != viewer.id && is_heard(members, id))
    }

    fn callers<'a>(&'a self, members: &'a [Member]) -> impl Iterator<Item = (&'a MemberId, PodiumBy)> {
        let pinned = self.pin.iter().map(|id| (id, PodiumBy::Chair));
        let shares = self.shares.iter().rev().map(|id| (id, PodiumBy::Share));
        let speakers = self.recent.iter().map(|id| (id, PodiumBy::Speaker));
        let chair = members.iter().filter(|member| member.role == Role::PresidingOfficer);
        pinned.chain(shares).chain(speakers).chain(chair.map(|member| (&member.id, PodiumBy::Chair)))
    }
}

/// Is in the room and may be seen or heard there.
fn is_heard(members: &[Member], id: &MemberId) -> bool {
    members.iter().any(|member| &member.id == id && member.is_in_room() && member.role.may_speak())
}

impl Member {
    /// Takes up a place for pictures, whether the camera is on or not. A telephone has none.
    pub fn may_show(&self) -> bool {
        self.is_in_room() && self.role.may_speak() && self.role != Role::Telephone
    }

    /// Is seen now.
    pub fn shows(&self) -> bool {
        self.is_in_room() && self.sends(Kind::Video)
    }
}

//! What everybody is told: lists, floor and layout. In a large room these are put off a little and told once for many changes,
//! since each costs a message to everybody about everybody.

use super::{Output, RoomCore};
use crate::ConnectionId;
use crate::MemberId;
use crate::event::RoomEventKind;
use crate::message::{PodiumBy, ServerMessage};
use crate::room::MediaAction;
use crate::room::floor::Floor;
use crate::room::layout::{VOICES, lay};
use crate::room::member::{Member, Place};
use crate::room::speaker::Speakers;

/// A large room's layout follows switches and wishes after this long, in milliseconds.
pub(super) const SOON_MS: i64 = 100;
/// And any room's follows who speaks at most this often.
const SPEAKERS_LAY_MS: i64 = 1_000;
/// Who speaks is told at most this often.
const SPEAKERS_TOLD_MS: i64 = 200;
/// With more members than this (the waiting room included), the list of members is put off.
const MANY: usize = 16;
/// The list is told at most this often for each hundred members, and never more often than each [`SOON_MS`].
const LIST_MS_FOR_HUNDRED: i64 = 400;

/// What was told last, and when what is owed is due (epoch ms).
#[derive(Debug)]
pub(super) struct Told {
    speakers: Speakers,
    podium: (Option<MemberId>, PodiumBy),
    /// The latest layout.
    laid: i64,
    /// The latest message of who speaks.
    spoken: i64,
    layout_due: Option<i64>,
    members_due: Option<i64>,
    speakers_due: Option<i64>,
}

impl Default for Told {
    fn default() -> Self {
        Self {
            speakers: Speakers::default(),
            podium: (None, PodiumBy::Chair),
            laid: i64::MIN / 2,
            spoken: i64::MIN / 2,
            layout_due: None,
            members_due: None,
            speakers_due: None,
        }
    }
}

impl Told {
    /// When something is owed.
    pub fn due(&self) -> Option<i64> {
        [self.layout_due, self.members_due, self.speakers_due].into_iter().flatten().min()
    }
}

impl RoomCore {
    /// Who speaks, by the media plane's ear. Who left meanwhile does not.
    pub fn speakers(&mut self, mut speakers: Speakers, now: i64) -> Vec<Output> {
        self.now = now;
        let mut out = Vec::new();
        let is_here = |id: &MemberId| self.member(id).is_some_and(Member::is_in_room);
        speakers.active.take_if(|id| !is_here(id));
        speakers.loud.retain(is_here);
        speakers.loud.truncate(VOICES);
        if speakers.active != self.told.speakers.active
            && let Some(active) = speakers.active.clone()
        {
            self.floor.spoke(active);
            self.put_off_layout((self.told.laid + SPEAKERS_LAY_MS - now).max(0));
        }
        if speakers != self.told.speakers {
            self.told.speakers = speakers;
            let due = (self.told.spoken + SPEAKERS_TOLD_MS).max(now);
            self.told.speakers_due.get_or_insert(due);
        }
        self.tell_what_is_due(&mut out);
        out
    }

    /// Does what was put off, once its time has come.
    pub(super) fn tell_what_is_due(&mut self, out: &mut Vec<Output>) {
        let now = self.now;
        if self.told.layout_due.is_some_and(|due| due <= now) {
            self.arrange(out);
        }
        if self.told.members_due.is_some_and(|due| due <= now) {
            self.list_members(out);
        }
        if self.told.speakers_due.is_some_and(|due| due <= now) {
            self.told.speakers_due = None;
            self.told.spoken = now;
            let message = self.speakers_message();
            out.extend(self.inside().map(|connection| Output::Send(connection, message.clone())));
        }
    }

    /// Lays the room out now; tells the media plane when anything changed for it, and everybody when somebody else has the podium.
    pub(super) fn arrange(&mut self, out: &mut Vec<Output>) {
        self.told.layout_due = None;
        self.told.laid = self.now;
        let speakers = self.members.iter().filter(|member| member.is_in_room() && member.role.may_speak()).count();
        self.floor.count(speakers);
        let table = lay(&self.members, &self.floor, &self.table);
        if table != self.table {
            self.table = table.clone();
            out.push(Output::Media(MediaAction::Forward(table)));
        }
        let podium = self.floor.podium(&self.members);
        if podium != self.told.podium {
            self.told.podium = podium.clone();
            let (member, by) = podium;
            let message = ServerMessage::Podium { member: member.clone(), by };
            out.extend(self.inside().map(|connection| Output::Send(connection, message.clone())));
            out.push(Output::Event(RoomEventKind::PodiumChanged { member, by }));
        }
    }

    /// Lays the room out for a change that nobody's safety hangs on: at once in a small room, else after so many milliseconds.
    pub(super) fn arrange_soon(&mut self, wait: i64, out: &mut Vec<Output>) {
        if self.floor.is_large() {
            self.put_off_layout(wait);
        } else {
            self.arrange(out);
        }
    }

    fn put_off_layout(&mut self, wait: i64) {
        let due = self.now + wait;
        let layout_due = &mut self.told.layout_due;
        *layout_due = Some(layout_due.map_or(due, |earlier| earlier.min(due)));
    }

    /// For whoever came in: who is here, who stands on the podium and who speaks.
    pub(super) fn tell_state(&self, id: &MemberId, connection: ConnectionId, out: &mut Vec<Output>) {
        out.extend(self.member(id).and_then(|reader| self.list_for(reader)));
        let (member, by) = self.told.podium.clone();
        out.push(Output::Send(connection, ServerMessage::Podium { member, by }));
        out.push(Output::Send(connection, self.speakers_message()));
    }

    fn speakers_message(&self) -> ServerMessage {
        let is_here = |id: &MemberId| self.member(id).is_some_and(Member::is_in_room);
        let Speakers { mut active, mut loud } = self.told.speakers.clone();
        active.take_if(|id| !is_here(id));
        loud.retain(is_here);
        ServerMessage::Speakers { active, loud }
    }

    /// Nobody has the floor any more, and there is nobody to tell.
    pub(super) fn forget_floor(&mut self) {
        self.floor = Floor::default();
        self.told = Told::default();
    }

    pub(super) fn tell_members(&mut self, out: &mut Vec<Output>) {
        if self.members.len() <= MANY {
            self.list_members(out);
            return;
        }
        let members = i64::try_from(self.members.len()).unwrap_or(i64::MAX / LIST_MS_FOR_HUNDRED);
        let wait = (members * LIST_MS_FOR_HUNDRED / 100).max(SOON_MS);
        self.told.members_due.get_or_insert(self.now + wait);
    }

    fn list_members(&mut self, out: &mut Vec<Output>) {
        self.told.members_due = None;
        out.extend(self.members.iter().filter_map(|reader| self.list_for(reader)));
    }

    /// Everybody whom this member may see. None for who is not in the room or has no tab.
    fn list_for(&self, reader: &Member) -> Option<Output> {
        let connection = reader.connection().filter(|_| reader.is_in_room())?;
        let seen = self.members.iter().filter(|member| member.is_in_room() || reader.role.sees_waiting_room());
        let members = seen.map(|member| member.view(&reader.id)).collect();
        Some(Output::Send(connection, ServerMessage::Members { members }))
    }

    pub(super) fn tell_waiting(&self, out: &mut Vec<Output>) {
        let waiting = self.members.iter().filter(|member| member.place == Place::Waiting);
        for (index, member) in waiting.enumerate() {
            if let Ok(connection) = member.tab {
                out.push(Output::Send(connection, ServerMessage::Waiting { position: index + 1 }));
            }
        }
    }

    pub(super) fn tell_session(&self, out: &mut Vec<Output>) {
        out.extend(
            self.members
                .iter()
                .filter_map(Member::connection)
                .map(|connection| Output::Send(connection, ServerMessage::Session(self.session))),
        );
    }
}

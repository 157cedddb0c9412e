//! A seat: one member's place in the room, which outlives tabs and lines.

use crate::event::QualityLevel;
use crate::message::{DEFAULT_TILES, IceServer, Kind, Layout, MemberStatus, MemberView};
use crate::{ConnectionId, MemberId, Role, SeatToken};

/// How far a member has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Has not acknowledged the recording notice.
    Notice,
    /// In the waiting room.
    Waiting,
    /// In the room.
    InRoom,
}

/// Whether media flows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Line {
    /// Never did.
    New,
    /// Does.
    Up,
    /// Did, and broke.
    Broken,
}

#[derive(Debug, Clone)]
pub(crate) struct Member {
    pub id: MemberId,
    pub name: String,
    pub role: Role,
    /// Skips the waiting room.
    pub admitted: bool,
    pub token: SeatToken,
    pub place: Place,
    /// The tab that holds the seat, or since when there is none (epoch ms).
    pub tab: Result<ConnectionId, i64>,
    pub line: Line,
    pub audio: bool,
    pub video: bool,
    /// The screen is shared.
    pub screen: bool,
    pub ice_servers: Vec<IceServer>,
    pub hand: bool,
    pub view: View,
    /// The line as the member's browser measures it.
    pub by_client: QualityLevel,
    /// And as the hub does.
    pub by_hub: QualityLevel,
}

/// How a member wants to see the room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct View {
    pub layout: Layout,
    /// At most [`crate::message::MAX_TILES`].
    pub tiles: u8,
    pub pinned: Option<MemberId>,
}

impl Default for View {
    fn default() -> Self {
        Self { layout: Layout::default(), tiles: DEFAULT_TILES, pinned: None }
    }
}

impl Member {
    pub fn is_in_room(&self) -> bool {
        self.place == Place::InRoom
    }

    pub fn connection(&self) -> Option<ConnectionId> {
        self.tab.ok()
    }

    /// Lets the hub pass on this kind: the role may speak and the switch is on. A telephone has no camera.
    pub fn sends(&self, kind: Kind) -> bool {
        let on = match kind {
            Kind::Audio => self.audio,
            Kind::Video => self.video && self.role != Role::Telephone,
            Kind::Screen => self.screen && self.role != Role::Telephone,
        };
        on && self.role.may_speak()
    }

    pub fn view(&self, reader: &MemberId) -> MemberView {
        let status = match (self.place, self.tab) {
            (Place::Notice | Place::Waiting, _) => MemberStatus::Waiting,
            (Place::InRoom, Ok(_)) if self.line != Line::Broken => MemberStatus::InRoom,
            (Place::InRoom, _) => MemberStatus::Away,
        };
        MemberView {
            id: self.id.clone(),
            name: self.name.clone(),
            role: self.role,
            status,
            audio: self.sends(Kind::Audio),
            video: self.sends(Kind::Video),
            screen: self.sends(Kind::Screen),
            quality: self.by_client.max(self.by_hub),
            hand: self.hand,
            me: &self.id == reader,
        }
    }
}

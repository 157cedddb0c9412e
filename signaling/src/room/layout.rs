//! Who is seen and heard by whom: a function from the members to a table, and nothing else.

use super::member::Member;
use crate::MemberId;
use crate::message::Kind;

/// As many members who may speak make a small room, in which everybody gets everybody.
pub(crate) const SMALL_ROOM: usize = 8;

/// What the media plane forwards. It holds for everything that is not named: nothing goes anywhere.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ForwardingTable {
    /// One route for each member in the room who may speak, in the order of arrival.
    pub routes: Vec<Route>,
    /// One for each member in the room, in the order of arrival.
    pub viewers: Vec<Viewer>,
}

/// What is let through of one member's media, whoever gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Route {
    pub from: MemberId,
    /// The microphone is on; else its packets are dropped, whatever the browser sends.
    pub audio: bool,
    /// The camera is on.
    pub video: bool,
    /// The screen is shared.
    pub screen: bool,
}

/// What one member gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Viewer {
    pub member: MemberId,
    pub audio: Voices,
    /// Names are unique here.
    pub video: Vec<Slot>,
}

/// Whose sound a viewer gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Voices {
    /// These, a section for each, named after the member.
    Everybody(Vec<MemberId>),
    /// So many sections, for the loudest that the plane hears at the time (never the viewer's own).
    Loudest(usize),
}

/// A picture's section at a viewer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Slot {
    pub name: SlotName,
    pub from: MemberId,
    /// Video or screen.
    pub kind: Kind,
    pub size: Size,
}

#[expect(dead_code, reason = "all sizes come with the layouts")]
/// How large the viewer shows a picture; [`crate::media::allocate`] makes a layer of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Size {
    Thumb,
    Tile,
    Podium,
    Screen,
}

/// A section's lasting name, and its msid: sound and picture under one name are kept in step by the browser. In a small room
/// it is the member's id, else `podium`, `tile-3`, `wall-17`; `screen` in both.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct SlotName(String);

impl SlotName {
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    #[expect(dead_code, reason = "taken into use with the next change of the plane")]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl ForwardingTable {
    pub fn route(&self, from: &MemberId) -> Option<&Route> {
        self.routes.iter().find(|route| &route.from == from)
    }

    #[expect(dead_code, reason = "taken into use with the next change of the plane")]
    pub fn viewer(&self, member: &MemberId) -> Option<&Viewer> {
        self.viewers.iter().find(|viewer| &viewer.member == member)
    }

    /// The members whose media this one gets, in a small room.
    pub fn heard_by<'a>(&'a self, listener: &'a MemberId) -> impl Iterator<Item = &'a Route> {
        self.routes.iter().filter(move |route| self.listeners(&route.from).any(|to| to == listener))
    }

    /// The members who get this one's media, in a small room.
    pub fn listeners<'a>(&'a self, from: &'a MemberId) -> impl Iterator<Item = &'a MemberId> {
        let hears = move |viewer: &&Viewer| match &viewer.audio {
            Voices::Everybody(voices) => voices.contains(from),
            Voices::Loudest(_) => false,
        };
        self.viewers.iter().filter(hears).map(|viewer| &viewer.member)
    }
}

impl Route {
    pub fn is_on(&self, kind: Kind) -> bool {
        match kind {
            Kind::Audio => self.audio,
            Kind::Video => self.video,
            Kind::Screen => self.screen,
        }
    }
}

/// Everybody in the room hears and sees everybody else in it; those who wait neither send nor get.
pub(crate) fn forwarding<'a>(members: impl Iterator<Item = &'a Member> + Clone) -> ForwardingTable {
    let inside = members.filter(|member| member.is_in_room());
    let speakers = inside.clone().filter(|member| member.role.may_speak());
    let routes = speakers
        .clone()
        .map(|from| Route {
            from: from.id.clone(),
            audio: from.sends(Kind::Audio),
            video: from.sends(Kind::Video),
            screen: from.sends(Kind::Screen),
        })
        .collect();
    let viewers = inside
        .map(|viewer| {
            let others = speakers.clone().filter(|from| from.id != viewer.id).map(|from| &from.id);
            Viewer {
                member: viewer.id.clone(),
                audio: Voices::Everybody(others.clone().cloned().collect()),
                video: others
                    .map(|from| Slot {
                        name: SlotName::new(from.as_str()),
                        from: from.clone(),
                        kind: Kind::Video,
                        size: Size::Tile,
                    })
                    .collect(),
            }
        })
        .collect();
    ForwardingTable { routes, viewers }
}

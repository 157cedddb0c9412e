//! Who is seen and heard by whom: a function from the members and the floor to a table, and nothing else.

use super::floor::Floor;
use super::member::Member;
use crate::message::{Kind, Layout, MAX_TILES};
use crate::{MemberId, Role};
use std::collections::{HashMap, HashSet};

/// Voices at a time in a large room: more at once nobody understands.
pub(crate) const VOICES: usize = 3;

/// What the media plane forwards. It holds for everything that is not named: nothing goes anywhere.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ForwardingTable {
    /// One route for each member in the room who may speak, in the order of arrival.
    pub routes: Vec<Route>,
    /// One for each member in the room, in the order of arrival.
    pub viewers: Vec<Viewer>,
    /// The podium's member and the chair, at most two: whoever of them speaks is among the loudest.
    pub favoured: Vec<MemberId>,
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

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl ForwardingTable {
    pub fn route(&self, from: &MemberId) -> Option<&Route> {
        self.routes.iter().find(|route| &route.from == from)
    }

    pub fn viewer(&self, member: &MemberId) -> Option<&Viewer> {
        self.viewers.iter().find(|viewer| &viewer.member == member)
    }

    /// The members who get this one's media, in a small room.
    #[cfg(test)]
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

/// Lays the room out for each of its viewers. `before` is the latest table: who had a tile keeps it while still chosen.
/// Those who wait neither send nor get.
pub(crate) fn lay(members: &[Member], floor: &Floor, before: &ForwardingTable) -> ForwardingTable {
    let inside = || members.iter().filter(|member| member.is_in_room());
    let speakers = || inside().filter(|member| member.role.may_speak());
    let routes = speakers()
        .map(|from| Route {
            from: from.id.clone(),
            audio: from.sends(Kind::Audio),
            video: from.sends(Kind::Video),
            screen: from.sends(Kind::Screen),
        })
        .collect();
    let viewers = if floor.is_large() {
        let ranks = Ranks::of(members, floor);
        let kept: HashMap<_, _> = before.viewers.iter().map(|viewer| (&viewer.member, viewer)).collect();
        inside().map(|viewer| large(viewer, members, floor, &ranks, kept.get(&viewer.id).copied())).collect()
    } else {
        inside().map(|viewer| small(viewer, members, floor)).collect()
    };
    let podium = floor.podium(members).0;
    let chair = speakers().find(|member| member.role == Role::PresidingOfficer).map(|member| member.id.clone());
    let favoured = podium.iter().chain(chair.iter().filter(|chair| podium.as_ref() != Some(chair))).cloned().collect();
    ForwardingTable { routes, viewers, favoured }
}

/// Everybody gets everybody else, on sections that bear the member's name.
fn small(viewer: &Member, members: &[Member], floor: &Floor) -> Viewer {
    let speaks = |member: &&Member| member.is_in_room() && member.role.may_speak() && member.id != viewer.id;
    let others = || members.iter().filter(speaks);
    let shown: Vec<_> = others().filter(|member| member.may_show()).map(|member| &member.id).collect();
    let podium = floor.podium_for(viewer, members).filter(|_| viewer.view.layout == Layout::Podium);
    let mut video: Vec<_> = match viewer.view.layout {
        Layout::Audio => Vec::new(),
        Layout::Podium | Layout::Grid | Layout::Wall => shown
            .iter()
            .map(|from| {
                // One or two pictures fill the window.
                let is_large = shown.len() <= 2 || podium == Some(*from);
                let size = if is_large { Size::Podium } else { Size::Tile };
                Slot { name: SlotName::new(from.as_str()), from: (*from).clone(), kind: Kind::Video, size }
            })
            .collect(),
    };
    video.extend(screen(viewer, floor));
    let audio = Voices::Everybody(others().map(|member| member.id.clone()).collect());
    Viewer { member: viewer.id.clone(), audio, video }
}

/// Three voices, and the pictures that the viewer asks for.
fn large(viewer: &Member, members: &[Member], floor: &Floor, ranks: &Ranks<'_>, before: Option<&Viewer>) -> Viewer {
    let tiles = usize::from(viewer.view.tiles);
    let mut video = Vec::new();
    match viewer.view.layout {
        Layout::Audio => {}
        Layout::Podium => {
            let podium = floor.podium_for(viewer, members);
            video.extend(podium.map(|from| Slot {
                name: SlotName::new("podium"),
                from: from.clone(),
                kind: Kind::Video,
                size: Size::Podium,
            }));
            let beside = ranks.latest.iter().copied().filter(|id| Some(*id) != podium && **id != viewer.id);
            // A tenth of the window's width each.
            video.extend(places("tile", tiles, beside, Size::Thumb, before));
        }
        Layout::Grid => {
            // Whom the viewer pinned and who stands on the podium come first here too, in no larger a size.
            let first = floor.podium_for(viewer, members).filter(|id| ranks.latest.contains(id));
            let rest = ranks.latest.iter().copied().filter(|id| Some(*id) != first && **id != viewer.id);
            video.extend(places("tile", tiles, first.into_iter().chain(rest), Size::Tile, before));
        }
        Layout::Wall => {
            let others = ranks.wall.iter().copied().filter(|id| **id != viewer.id);
            video.extend(places("wall", usize::from(MAX_TILES), others, Size::Thumb, before));
        }
    }
    video.extend(screen(viewer, floor));
    Viewer { member: viewer.id.clone(), audio: Voices::Loudest(VOICES), video }
}

fn screen(viewer: &Member, floor: &Floor) -> Option<Slot> {
    let from = floor.screen_for(&viewer.id)?;
    Some(Slot { name: SlotName::new("screen"), from: from.clone(), kind: Kind::Screen, size: Size::Screen })
}

/// Puts the first so many into numbered places. Who has a place keeps it; the others take the free ones from the first on.
fn places<'a>(
    prefix: &str,
    most: usize,
    ranked: impl Iterator<Item = &'a MemberId>,
    size: Size,
    before: Option<&Viewer>,
) -> Vec<Slot> {
    let chosen: Vec<_> = ranked.take(most).collect();
    let mut homeless: HashSet<_> = chosen.iter().copied().collect();
    let slots = before.map(|viewer| viewer.video.as_slice()).unwrap_or_default();
    let sat: HashMap<_, _> = slots.iter().map(|slot| (slot.name.as_str(), &slot.from)).collect();
    let mut seats: Vec<_> = (1..=most)
        .map(|number| {
            let name = format!("{prefix}-{number}");
            let kept = sat.get(name.as_str()).and_then(|from| homeless.take(*from));
            (name, kept)
        })
        .collect();
    let mut waiting = chosen.into_iter().filter(|from| homeless.contains(from));
    for (_, seat) in seats.iter_mut().filter(|(_, seat)| seat.is_none()) {
        *seat = waiting.next();
    }
    seats
        .into_iter()
        .filter_map(|(name, from)| Some(Slot { name: SlotName(name), from: from?.clone(), kind: Kind::Video, size }))
        .collect()
}

/// Who comes first, the same for every viewer.
struct Ranks<'a> {
    /// Whose camera is on: the latest speakers, then the others by arrival.
    latest: Vec<&'a MemberId>,
    /// Everybody who may show a picture, by arrival, so that a camera switched off and on moves nobody. Only when the wall is too
    /// small, those whose camera is on come first.
    wall: Vec<&'a MemberId>,
}

impl<'a> Ranks<'a> {
    fn of(members: &'a [Member], floor: &Floor) -> Self {
        let spoke: HashMap<_, _> = floor.recent().iter().enumerate().map(|(rank, id)| (id, rank)).collect();
        let mut latest: Vec<_> = members.iter().filter(|member| member.shows()).map(|member| &member.id).collect();
        latest.sort_by_key(|id| spoke.get(id).copied().unwrap_or(usize::MAX));
        let mut wall: Vec<_> = members.iter().filter(|member| member.may_show()).collect();
        if wall.len() > usize::from(MAX_TILES) {
            wall.sort_by_key(|member| !member.shows());
        }
        Self { latest, wall: wall.into_iter().map(|member| &member.id).collect() }
    }
}

//! What the layout wants of a viewer, put into the sections of its connection. A section keeps its place and its name; who is in it
//! changes without an offer.

use super::{MediaRoom, Plane};
use crate::media::forward::{Output, StreamKey};
use crate::media::peer::{OutSlot, Peer, PeerId, Side, Subscribe};
use crate::media::{MediaEvent, MediaEventKind, sdp};
use crate::message::{Kind, TrackView};
use crate::room::{ForwardingTable, Size, SlotName, Viewer, Voices};
use crate::{MemberId, RoomId};
use std::collections::{BTreeSet, HashMap};
use std::time::Instant;

/// The large picture's section, and the sound's that is kept in step with it.
const PODIUM: &str = "podium";

/// One section's content.
struct Wanted {
    name: SlotName,
    stream: StreamKey,
    size: Size,
}

impl Plane {
    pub(super) fn set_table(&mut self, room: &RoomId, table: ForwardingTable, now: Instant) {
        let Some(state) = self.rooms.get_mut(room) else { return };
        state.speakers.favour(&table.favoured);
        let before = std::mem::replace(&mut state.table, table);
        // What was off and is on again begins anew: on a key frame, without a hole.
        let mut resumed = Vec::new();
        for route in &state.table.routes {
            for kind in [Kind::Audio, Kind::Video, Kind::Screen] {
                let was_on = before.route(&route.from).is_none_or(|old| old.is_on(kind));
                if route.is_on(kind) && !was_on {
                    resumed.push((route.from.clone(), kind));
                }
            }
        }
        // In a large room most changes concern few.
        let old: HashMap<_, _> = before.viewers.iter().map(|viewer| (&viewer.member, viewer)).collect();
        let changed = |viewer: &&Viewer| old.get(&viewer.member) != Some(viewer);
        let concerned: Vec<_> = state
            .table
            .viewers
            .iter()
            .filter(changed)
            .filter_map(|viewer| state.subscribe.get(&viewer.member).copied())
            .collect();
        for stream in &resumed {
            let listeners =
                self.rooms.get(room).and_then(|state| state.sources.get(stream)).map(|s| s.listeners.clone());
            for (id, at) in listeners.unwrap_or_default() {
                if let Some(slot) = self.slot_mut(id, at) {
                    slot.output.interrupt();
                }
            }
            self.ask_keyframe(room, stream, 0, now);
        }
        for id in concerned {
            self.reconcile(id, now);
        }
    }

    pub(super) fn slot_mut(&mut self, id: PeerId, at: usize) -> Option<&mut OutSlot> {
        self.peers.get_mut(&id)?.subscribe_mut()?.slots.get_mut(at)
    }

    /// Brings a viewer's sections in line with what it should get, and offers the change when there is one. One offer is open at a time.
    pub(super) fn reconcile(&mut self, id: PeerId, now: Instant) {
        let Some(peer) = self.peers.get(&id) else { return };
        let (Some(state), Some(subscribe)) = (self.rooms.get(&peer.room), peer.subscribe()) else { return };
        let wanted =
            state.table.viewer(&peer.member).map(|viewer| wanted(state, viewer, subscribe)).unwrap_or_default();
        let may_offer = subscribe.we_offer && !subscribe.awaiting_answer;
        let mut places = BTreeSet::new();
        let mut changed = subscribe.restart && !subscribe.slots.is_empty();
        let mut left = false;
        // The voices' sections are there before anybody speaks: nobody's first word waits for an offer.
        for name in lasting_voices(peer, state) {
            left |= self.place(id, &name, Kind::Audio, may_offer, &mut changed).is_none();
        }
        for Wanted { name, stream, size } in wanted {
            let Some(at) = self.place(id, &name, stream.1, may_offer, &mut changed) else {
                left = true;
                continue;
            };
            places.insert(at);
            if let Some(slot) = self.slot_mut(id, at) {
                slot.size = size;
            }
            self.carry(id, at, Some(stream), now);
        }
        let count = self.peers.get(&id).and_then(Peer::subscribe).map_or(0, |subscribe| subscribe.slots.len());
        for at in (0..count).filter(|at| !places.contains(at)) {
            self.carry(id, at, None, now);
            let Some(slot) = self.slot_mut(id, at).filter(|slot| slot.section.active && !slot.is_lasting()) else {
                continue;
            };
            if may_offer {
                slot.section.active = false;
                changed = true;
            } else {
                left = true;
            }
        }
        self.choose_layers(id, now);
        let Some(subscribe) = self.peers.get_mut(&id).and_then(Peer::subscribe_mut) else { return };
        subscribe.dirty = left && subscribe.we_offer;
        if changed && may_offer {
            self.offer(id);
        } else {
            subscribe.dirty |= changed;
            self.tell_tracks(id);
        }
    }

    /// The section of that name and kind: the one that there is, an idle one, or a new one. None while an offer is open and one would be needed.
    fn place(&mut self, id: PeerId, name: &SlotName, kind: Kind, may_offer: bool, changed: &mut bool) -> Option<usize> {
        let subscribe = self.peers.get_mut(&id)?.subscribe_mut()?;
        if !subscribe.we_offer {
            return subscribe.slots.iter().position(|slot| same_media(slot.section.kind, kind));
        }
        let named = |slot: &OutSlot| slot.section.kind == kind && &slot.name == name;
        if let Some(at) = subscribe.slots.iter().position(|slot| named(slot) && slot.section.active) {
            return Some(at);
        }
        if !may_offer {
            return None;
        }
        *changed = true;
        let idle = |slot: &OutSlot| slot.section.kind == kind && !slot.section.active;
        let at = subscribe
            .slots
            .iter()
            .position(|slot| named(slot) && idle(slot))
            .or_else(|| subscribe.slots.iter().position(idle));
        if let Some((at, slot)) = at.and_then(|at| Some((at, subscribe.slots.get_mut(at)?))) {
            slot.name = name.clone();
            slot.section.msid = name.as_str().to_owned();
            slot.section.active = true;
            return Some(at);
        }
        let at = subscribe.slots.len();
        if at >= sdp::MAX_SLOTS {
            return None;
        }
        let slot = self.new_slot(name.as_str(), kind, &at.to_string());
        self.peers.get_mut(&id)?.subscribe_mut()?.slots.push(slot);
        Some(at)
    }

    /// A section with numbers of its own: the stream's and its retransmissions'.
    pub(super) fn new_slot(&mut self, name: &str, kind: Kind, mid: &str) -> OutSlot {
        self.next_ssrc = self.next_ssrc.wrapping_add(2);
        let ssrc = self.next_ssrc;
        let rtx_ssrc = (kind != Kind::Audio).then(|| ssrc.wrapping_add(1));
        OutSlot {
            name: SlotName::new(name),
            section: sdp::Slot { mid: mid.to_owned(), kind, msid: name.to_owned(), ssrc, rtx_ssrc, active: true },
            codecs: Vec::new(),
            output: Output::new(ssrc, kind),
            carries: None,
            size: Size::Tile,
        }
    }

    /// Puts a stream into a section, or takes out what is in it.
    fn carry(&mut self, id: PeerId, at: usize, stream: Option<StreamKey>, now: Instant) {
        let Some(slot) = self.slot_mut(id, at) else { return };
        if slot.carries == stream {
            return;
        }
        let before = std::mem::replace(&mut slot.carries, stream.clone());
        slot.output.interrupt();
        slot.output.aim(stream.as_ref().map(|_| 0));
        let Some(room) = self.peers.get(&id).map(|peer| peer.room.clone()) else { return };
        let Some(state) = self.rooms.get_mut(&room) else { return };
        if let Some(source) = before.and_then(|before| state.sources.get_mut(&before)) {
            source.listeners.retain(|listener| *listener != (id, at));
        }
        if let Some(stream) = stream {
            if let Some(source) = state.sources.get_mut(&stream) {
                source.listeners.push((id, at));
            }
            self.ask_keyframe(&room, &stream, 0, now);
        }
    }

    /// Tells the client when its sections carry something else than it was told.
    fn tell_tracks(&mut self, id: PeerId) {
        let Some(peer) = self.peers.get_mut(&id) else { return };
        let Side::Subscribe(subscribe) = &mut peer.side else { return };
        let tracks = views(subscribe);
        // With an offer open the client would not know the sections; with none made yet there are none.
        if subscribe.awaiting_answer || subscribe.version == 0 || subscribe.told == tracks {
            return;
        }
        subscribe.told.clone_from(&tracks);
        let event = MediaEvent {
            member: peer.member.clone(),
            connection: peer.connection,
            kind: MediaEventKind::Tracks(tracks),
        };
        let room = peer.room.clone();
        self.report(&room, event);
    }
}

/// What each section carries, for the client.
pub(super) fn views(subscribe: &Subscribe) -> Vec<TrackView> {
    let view = |slot: &OutSlot| {
        let (member, kind) = slot.carries.clone().filter(|_| slot.section.active)?;
        Some(TrackView { mid: slot.section.mid.clone(), member, kind })
    };
    subscribe.slots.iter().filter_map(view).collect()
}

/// A WHEP player has one picture section, for cameras and screens alike.
fn same_media(a: Kind, b: Kind) -> bool {
    (a == Kind::Audio) == (b == Kind::Audio)
}

fn wanted(state: &MediaRoom, viewer: &Viewer, subscribe: &Subscribe) -> Vec<Wanted> {
    let flows = |stream: &StreamKey| state.sources.contains_key(stream);
    if !subscribe.we_offer {
        return watched(state, viewer, subscribe.only.as_ref()).into_iter().filter(|w| flows(&w.stream)).collect();
    }
    let mut list: Vec<_> = viewer
        .video
        .iter()
        .map(|slot| Wanted { name: slot.name.clone(), stream: (slot.from.clone(), slot.kind), size: slot.size })
        .collect();
    match &viewer.audio {
        Voices::Everybody(members) => list.extend(members.iter().map(|member| Wanted {
            name: SlotName::new(member.as_str()),
            stream: (member.clone(), Kind::Audio),
            size: Size::Tile,
        })),
        Voices::Loudest(count) => {
            // Under the podium's name sound and picture are kept in step; in silence there is nothing to keep.
            let podium = podium(viewer).filter(|member| state.loud.contains(member));
            list.extend(podium.map(|member| Wanted {
                name: SlotName::new(PODIUM),
                stream: (member.clone(), Kind::Audio),
                size: Size::Podium,
            }));
            let heard: Vec<_> = state
                .loud
                .iter()
                .filter(|member| **member != viewer.member && Some(*member) != podium)
                .take(count - usize::from(podium.is_some()))
                .cloned()
                .collect();
            list.extend(voices(&heard, *count, subscribe));
        }
    }
    list.retain(|wanted| flows(&wanted.stream));
    list
}

/// Who is large for this viewer.
fn podium(viewer: &Viewer) -> Option<&MemberId> {
    let of = |slot: &&crate::room::Slot| slot.name.as_str() == PODIUM && slot.kind == Kind::Video;
    viewer.video.iter().find(of).map(|slot| &slot.from)
}

/// The sections in which a large room's voices come.
fn lasting_voices(peer: &Peer, state: &MediaRoom) -> Vec<SlotName> {
    match state.table.viewer(&peer.member).map(|viewer| &viewer.audio) {
        Some(Voices::Loudest(count)) if peer.subscribe().is_some_and(|subscribe| subscribe.we_offer) => {
            std::iter::once(SlotName::new(PODIUM)).chain((0..*count).map(voice)).collect()
        }
        _ => Vec::new(),
    }
}

fn voice(n: usize) -> SlotName {
    SlotName::new(format!("voice-{n}"))
}

/// A voice keeps its section while it is heard; a new one takes a free section, or the quietest's before it.
fn voices(heard: &[MemberId], count: usize, subscribe: &Subscribe) -> Vec<Wanted> {
    let now_in = |n: usize| {
        let wanted = voice(n);
        let slot = subscribe.slots.iter().find(|slot| slot.name == wanted)?;
        slot.carries.as_ref().map(|(member, _)| member.clone())
    };
    let mut sections: Vec<Option<MemberId>> =
        (0..count).map(|n| now_in(n).filter(|member| heard.contains(member))).collect();
    for member in heard {
        if !sections.iter().flatten().any(|kept| kept == member)
            && let Some(free) = sections.iter_mut().find(|section| section.is_none())
        {
            *free = Some(member.clone());
        }
    }
    let wanted = |(n, member): (usize, Option<MemberId>)| {
        Some(Wanted { name: voice(n), stream: (member?, Kind::Audio), size: Size::Tile })
    };
    sections.into_iter().enumerate().filter_map(wanted).collect()
}

/// What a WHEP player gets: the one member that it named, else who is on the podium, with the loudest voice.
fn watched(state: &MediaRoom, viewer: &Viewer, only: Option<&MemberId>) -> Vec<Wanted> {
    let first = viewer.video.first().map(|slot| (slot.from.clone(), slot.kind));
    let picture = match only {
        Some(member) => Some((member.clone(), Kind::Video)),
        None => podium(viewer).map(|member| (member.clone(), Kind::Video)).or(first),
    };
    let of_picture = picture.as_ref().map(|(member, _)| member.clone());
    let loudest = state.loud.iter().find(|member| **member != viewer.member).cloned();
    let voice = only.cloned().or(loudest).or(of_picture).map(|member| (member, Kind::Audio));
    let wanted = |stream: StreamKey| Wanted { name: SlotName::new("whep"), stream, size: Size::Podium };
    picture.into_iter().chain(voice).map(wanted).collect()
}

impl OutSlot {
    /// Stays when nothing is in it: large rooms change too often to negotiate each time.
    fn is_lasting(&self) -> bool {
        let name = self.name.as_str();
        name == PODIUM || name == "screen" || ["tile-", "wall-", "voice-"].iter().any(|prefix| name.starts_with(prefix))
    }
}

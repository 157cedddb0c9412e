//! The way of a packet: from a publisher, through the forwarding table, to each viewer's output and the recorder.

use super::{MediaRoom, Plane};
use crate::media::counters::Counters;
use crate::media::dispatch::Job;
use crate::media::egress::Seal as _;
use crate::media::forward::{Output, Step, StreamKey};
use crate::media::packet::MediaPacket;
use crate::media::peer::{Peer, PeerId, Side};
use crate::media::source::Source;
use crate::message::Kind;
use crate::recording::{RecorderInput, RtpSample};
use crate::room::RoomReport;
use crate::{MemberId, RoomId};
use bytes::BytesMut;
use rtc::rtp::Header;
use std::time::Instant;
use tokio::sync::mpsc;

impl Plane {
    /// A publisher's packet, out of its encryption.
    pub(super) fn received(&mut self, id: PeerId, header: &Header, packet: BytesMut, now: Instant) {
        let Some(peer) = self.peers.get_mut(&id) else { return };
        let Side::Publish(publish) = &mut peer.side else { return };
        if let Some((kind, packet)) = publish.receiver.rtp(header, packet, now) {
            Counters::add(&self.counters.received, 1);
            self.forward(id, kind, &packet, now);
        }
    }

    /// What a client's browser reports: of what it sends, or of what it gets.
    pub(super) fn reported(&mut self, id: PeerId, compound: BytesMut, now: Instant) {
        let Some(peer) = self.peers.get_mut(&id) else { return };
        match &mut peer.side {
            Side::Publish(publish) => publish.receiver.rtcp(&compound, now),
            Side::Subscribe(subscribe) => {
                if let Some(worker) = subscribe.worker {
                    self.workers.order(worker, Job::Rtcp { peer: id, compound });
                }
            }
        }
    }

    /// One publisher's packet to everybody who gets it.
    fn forward(&mut self, from: PeerId, kind: Kind, packet: &MediaPacket, now: Instant) {
        let Some(peer) = self.peers.get(&from) else { return };
        let stream = (peer.member.clone(), kind);
        let room = peer.room.clone();
        let Some(state) = self.rooms.get_mut(&room) else { return };
        if state.sources.get(&stream).is_none_or(|source| source.peer != from) {
            self.new_source(&room, &stream, from, now);
        }
        let Some(state) = self.rooms.get_mut(&room) else { return };
        if !state.table.route(&stream.0).is_some_and(|route| route.is_on(kind)) {
            return;
        }
        if let Some(level) = packet.level.filter(|_| kind == Kind::Audio) {
            state.speakers.level(&stream.0, level, now);
        }
        let Some(source) = state.sources.get_mut(&stream) else { return };
        let mut wanted = 0u8;
        if let Some(tap) = &state.tap {
            record(&mut source.recorder, tap, &stream, packet, now, &mut wanted, &self.counters);
        }
        let mut forwarded = 0;
        for (id, at) in &source.listeners {
            let Some(peer) = self.peers.get_mut(id).filter(|peer| peer.up) else { continue };
            let Side::Subscribe(subscribe) = &mut peer.side else { continue };
            let (Some(worker), Some(slot)) = (subscribe.worker, subscribe.slots.get_mut(*at)) else { continue };
            let Some(payload_type) = slot.payload_type(packet.codec) else { continue };
            match slot.output.step(packet, payload_type, now) {
                Step::Nothing => {}
                Step::NeedsKeyframe(layer) => wanted |= 1 << layer,
                Step::Send(packet) => {
                    forwarded += 1;
                    self.workers.push(worker, *id, packet);
                }
            }
        }
        Counters::add(&self.counters.forwarded, forwarded);
        for layer in (0..crate::media::source::MAX_LAYERS).filter(|layer| wanted & (1 << layer) != 0) {
            self.ask_keyframe(&room, &stream, layer, now);
        }
    }

    /// A stream begins, or goes on over another connection: whoever gets it, begins anew.
    fn new_source(&mut self, room: &RoomId, stream: &StreamKey, from: PeerId, now: Instant) {
        self.next_ssrc = self.next_ssrc.wrapping_add(2);
        let fresh = Source::new(from, stream.1, self.next_ssrc);
        let Some(state) = self.rooms.get_mut(room) else { return };
        let listeners = state.sources.insert(stream.clone(), fresh).map(|before| before.listeners).unwrap_or_default();
        for (id, at) in &listeners {
            if let Some(slot) = self.slot_mut(*id, *at) {
                slot.output.interrupt();
            }
        }
        let Some(state) = self.rooms.get_mut(room) else { return };
        let viewers: Vec<_> = state.subscribe.values().copied().collect();
        let is_new = listeners.is_empty();
        if let Some(source) = state.sources.get_mut(stream) {
            source.listeners = listeners;
        }
        if is_new {
            for id in viewers {
                self.reconcile(id, now);
            }
        }
    }

    /// A member's streams are over.
    pub(super) fn forget_sources(&mut self, room: &RoomId, member: &MemberId, now: Instant) {
        let Some(state) = self.rooms.get_mut(room) else { return };
        let before = state.sources.len();
        state.sources.retain(|(owner, _), _| owner != member);
        state.speakers.forget(member);
        if state.sources.len() != before {
            for id in state.subscribe.values().copied().collect::<Vec<_>>() {
                self.reconcile(id, now);
            }
        }
    }

    pub(super) fn publisher_is_up(&mut self, id: PeerId, room: &RoomId, member: &MemberId, now: Instant) {
        if let Some(peer) = self.peers.get_mut(&id)
            && let Some(sealer) = peer.transport.take_sealer()
            && let Some(publish) = peer.publish_mut()
        {
            publish.sealer = Some(sealer);
        }
        // A restart loses some 200 ms; without a key frame the picture would stand for seconds.
        for kind in [Kind::Video, Kind::Screen] {
            self.ask_all_layers(room, &(member.clone(), kind), now);
        }
    }

    pub(super) fn viewer_is_up(&mut self, id: PeerId, now: Instant) {
        if self.peers.get(&id).and_then(Peer::subscribe).is_some_and(|subscribe| subscribe.worker.is_none()) {
            self.open_egress(id);
        } else {
            self.moved(id);
        }
        self.ask_keyframes_for(id, now);
    }

    /// Key frames of everything that a viewer gets.
    pub(super) fn ask_keyframes_for(&mut self, id: PeerId, now: Instant) {
        let Some(peer) = self.peers.get(&id) else { return };
        let Some(subscribe) = peer.subscribe() else { return };
        let room = peer.room.clone();
        let streams: Vec<_> =
            subscribe.slots.iter().filter_map(|slot| Some((slot.carries.clone()?, slot.output.target()?))).collect();
        for (stream, layer) in streams {
            self.ask_keyframe(&room, &stream, layer, now);
        }
    }

    pub(super) fn viewer_needs_keyframe(&mut self, id: PeerId, ssrc: u32, now: Instant) {
        let Some(peer) = self.peers.get(&id) else { return };
        let Some(subscribe) = peer.subscribe() else { return };
        let slot = subscribe.slots.iter().find(|slot| slot.section.ssrc == ssrc || slot.section.rtx_ssrc == Some(ssrc));
        let Some(slot) = slot else { return };
        let layer = slot.output.current().or(slot.output.target());
        if let (Some(stream), Some(layer)) = (slot.carries.clone(), layer) {
            let room = peer.room.clone();
            self.ask_keyframe(&room, &stream, layer, now);
        }
    }

    pub(super) fn ask_keyframe(&mut self, room: &RoomId, stream: &StreamKey, layer: usize, now: Instant) {
        if stream.1 == Kind::Audio {
            return;
        }
        let source = self.rooms.get_mut(room).and_then(|state| state.sources.get_mut(stream));
        let limiter = source.and_then(|source| source.keyframes.get_mut(layer));
        if limiter.is_some_and(|limiter| limiter.request(now)) {
            self.send_keyframe_request(room, stream, layer);
        }
    }

    fn ask_all_layers(&mut self, room: &RoomId, stream: &StreamKey, now: Instant) {
        for layer in 0..crate::media::source::MAX_LAYERS {
            self.ask_keyframe(room, stream, layer, now);
        }
    }

    /// Requests that were held back and may go now.
    pub(super) fn pending_keyframes(&mut self, now: Instant) {
        let mut due = Vec::new();
        for (room, state) in &mut self.rooms {
            for (stream, source) in &mut state.sources {
                for (layer, limiter) in source.keyframes.iter_mut().enumerate() {
                    if limiter.due(now) {
                        due.push((room.clone(), stream.clone(), layer));
                    }
                }
            }
        }
        for (room, stream, layer) in due {
            self.send_keyframe_request(&room, &stream, layer);
        }
    }

    fn send_keyframe_request(&mut self, room: &RoomId, stream: &StreamKey, layer: usize) {
        let Some(source) = self.rooms.get(room).and_then(|state| state.sources.get(stream)) else { return };
        let id = source.peer;
        let Some(publish) = self.peers.get_mut(&id).and_then(Peer::publish_mut) else { return };
        if let Some(request) = publish.receiver.keyframe_request(stream.1, layer) {
            Counters::add(&self.counters.keyframes_asked, 1);
            self.feed_back(id, &request);
        }
    }

    /// Sends a report or request of ours to a publisher.
    fn feed_back(&mut self, id: PeerId, compound: &[u8]) {
        let Some(peer) = self.peers.get_mut(&id) else { return };
        let Some(path) = peer.transport.path() else { return };
        let Some(sealer) = peer.publish_mut().and_then(|publish| publish.sealer.as_mut()) else { return };
        if let Some(datagram) = sealer.seal_rtcp(compound) {
            self.transmit.push_back((datagram, path));
        }
    }

    pub(super) fn tick_peer(&mut self, id: PeerId, now: Instant) {
        let Some(peer) = self.peers.get_mut(&id) else { return };
        if peer.transport.deadline().is_some_and(|at| at <= now) {
            peer.transport.tick(now);
            self.touched.insert(id);
            self.look_at_state(id, now);
        }
        loop {
            let Some(publish) = self.peers.get_mut(&id).and_then(Peer::publish_mut) else { return };
            if publish.sealer.is_none() {
                return;
            }
            let Some(compound) = publish.receiver.poll_rtcp(now) else { break };
            self.feed_back(id, &compound);
        }
        self.lost_pictures(id, now);
    }

    /// A gap too wide to be filled needs a whole picture.
    fn lost_pictures(&mut self, id: PeerId, now: Instant) {
        let Some(peer) = self.peers.get_mut(&id) else { return };
        let (room, member) = (peer.room.clone(), peer.member.clone());
        let Some(publish) = peer.publish_mut() else { return };
        let mut lost = Vec::new();
        for kind in [Kind::Video, Kind::Screen] {
            for layer in 0..crate::media::source::MAX_LAYERS {
                if publish.receiver.take_lost(kind, layer) {
                    lost.push((kind, layer));
                }
            }
        }
        for (kind, layer) in lost {
            self.ask_keyframe(&room, &(member.clone(), kind), layer, now);
        }
    }

    /// Looks who speaks.
    pub(super) fn listen(&mut self, now: Instant) {
        let mut changed = Vec::new();
        for (room, state) in &mut self.rooms {
            if let Some(speakers) = state.speakers.tick(now) {
                let voices_changed = state.loud != speakers.loud;
                state.loud.clone_from(&speakers.loud);
                let viewers = if voices_changed { state.subscribe.values().copied().collect() } else { Vec::new() };
                changed.push((room.clone(), speakers, viewers));
            }
        }
        for (room, speakers, viewers) in changed {
            for id in viewers {
                self.reconcile(id, now);
            }
            self.tell_room(&room, RoomReport::Speakers(speakers));
        }
    }

    pub(super) fn tap(&mut self, room: &RoomId, tap: Option<mpsc::Sender<RecorderInput>>, now: Instant) {
        let Some(state) = self.rooms.get_mut(room) else { return };
        state.tap = tap;
        let streams: Vec<_> = state.sources.keys().cloned().collect();
        for stream in streams {
            self.ask_all_layers(room, &stream, now);
        }
    }

    pub(super) fn recorder_needs_keyframe(&mut self, room: &RoomId, member: &MemberId, now: Instant) {
        for kind in [Kind::Video, Kind::Screen] {
            let stream = (member.clone(), kind);
            let layer = self
                .rooms
                .get(room)
                .and_then(|state| state.sources.get(&stream))
                .and_then(|source| source.recorder.current().or(source.recorder.target()));
            if let Some(layer) = layer {
                self.ask_keyframe(room, &stream, layer, now);
            }
        }
    }
}

/// Gives the recorder its copy: one stream under one SSRC, whatever layer it comes from.
fn record(
    output: &mut Output,
    tap: &mpsc::Sender<RecorderInput>,
    stream: &StreamKey,
    packet: &MediaPacket,
    now: Instant,
    wanted: &mut u8,
    counters: &Counters,
) {
    let out = match output.step(packet, 0, now) {
        Step::Send(out) => out,
        Step::NeedsKeyframe(layer) => {
            *wanted |= 1 << layer;
            return;
        }
        Step::Nothing => return,
    };
    let sample = RtpSample {
        member: stream.0.clone(),
        kind: stream.1,
        codec: packet.codec,
        ssrc: out.ssrc,
        sequence: out.sequence,
        timestamp: out.timestamp,
        marker: out.marker,
        payload: out.payload,
        captured: out.captured,
        arrived: now,
    };
    if tap.try_send(RecorderInput::Rtp(sample)).is_err() {
        Counters::add(&counters.tap_dropped, 1);
    }
}

impl MediaRoom {
    /// Everything is recorded: the best layer of each picture is watched.
    pub(super) fn is_recorded(&self) -> bool {
        self.tap.is_some()
    }
}

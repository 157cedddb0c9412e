//! Connections: made, offered, answered and ended, as the room's actions want it.

use super::{MAX_PROBES, PROBE_TIME, Plane};
use crate::QualityLevel;
use crate::media::allocate::Allocator;
use crate::media::dispatch::Job;
use crate::media::egress::Stream;
use crate::media::peer::{OutSlot, Peer, PeerId, Publish, Side, Subscribe};
use crate::media::sdp::{self, CodecEntry, Extension, Local};
use crate::media::transport::Transport;
use crate::media::{MediaEvent, MediaEventKind};
use crate::message::{Direction, ErrorCode, Kind};
use crate::room::MediaAction;
use crate::{ConnectionId, MemberId, RoomId};
use std::time::Instant;

/// What a viewer's line is taken for before it was measured, in bits a second: the first podium picture fits, and any DSL line.
const FIRST_ESTIMATE: u64 = 1_000_000;

impl Plane {
    pub(super) fn act(&mut self, room: &RoomId, action: MediaAction, now: Instant) {
        match action {
            MediaAction::Forward(table) => self.set_table(room, table, now),
            MediaAction::Subscribe(member, connection) => {
                let id = self.subscribe(room, &member, connection, true, now);
                self.reconcile(id, now);
            }
            MediaAction::PublishOffer(member, connection, sdp) => {
                let answer = self.publish(room, &member, connection, &sdp, now);
                self.answer(room, member, connection, answer);
            }
            MediaAction::WatchOffer { member, connection, sdp, only } => {
                let answer = self.watch(room, &member, connection, &sdp, only, now);
                self.answer(room, member, connection, answer);
            }
            MediaAction::SubscribeAnswer(member, connection, sdp) => {
                if let Err((code, error)) = self.answered(room, &member, connection, &sdp, now) {
                    tracing::info!(%room, %member, %error, "subscribe answer refused");
                    self.report(room, MediaEvent { member, connection, kind: MediaEventKind::Refused(code) });
                }
            }
            MediaAction::RestartSubscribe(member, connection) => {
                let Some(id) = self.rooms.get(room).and_then(|r| r.subscribe.get(&member)).copied() else { return };
                let Some(peer) = self.peers.get_mut(&id).filter(|peer| peer.connection == connection) else { return };
                if let Some(subscribe) = peer.subscribe_mut().filter(|subscribe| subscribe.we_offer) {
                    subscribe.restart = true;
                    self.reconcile(id, now);
                }
            }
            MediaAction::End(member, connection, direction) => {
                let Some(state) = self.rooms.get_mut(room) else { return };
                let side = match direction {
                    Direction::Publish => &mut state.publish,
                    Direction::Subscribe => &mut state.subscribe,
                };
                let ours = |id: &PeerId| self.peers.get(id).is_some_and(|peer| peer.connection == connection);
                let Some(id) = side.get(&member).copied().filter(ours) else { return };
                side.remove(&member);
                self.end(id, now);
                if direction == Direction::Publish {
                    self.forget_sources(room, &member, now);
                }
            }
            MediaAction::Release(member) => {
                let Some(state) = self.rooms.get_mut(room) else { return };
                let ended: Vec<_> =
                    [state.publish.remove(&member), state.subscribe.remove(&member)].into_iter().flatten().collect();
                for id in ended {
                    self.end(id, now);
                }
                self.forget_sources(room, &member, now);
            }
        }
    }

    fn answer(&mut self, room: &RoomId, member: MemberId, connection: ConnectionId, answer: Result<String, String>) {
        let kind = match answer {
            Ok(sdp) => MediaEventKind::Answer(sdp),
            Err(error) => {
                tracing::info!(%room, %member, %error, "offer refused");
                MediaEventKind::Refused(ErrorCode::BadSdp)
            }
        };
        self.report(room, MediaEvent { member, connection, kind });
    }

    /// Connects somebody to nothing: it has no room, so nothing that it sends goes anywhere.
    pub(super) fn probe(&mut self, sdp: &str, now: Instant) -> Option<String> {
        let (room, member) = (RoomId::new(""), MemberId::new("probe"));
        let side = Side::Publish(Box::new(Publish::new(now)));
        let id = self.insert(&room, &member, ConnectionId(0), side, now);
        let answer = self.answer_publish(id, sdp, now);
        if answer.is_err() {
            self.end(id, now);
            return None;
        }
        if self.probes.len() >= MAX_PROBES
            && let Some((_, oldest)) = self.probes.pop_front()
        {
            self.end(oldest, now);
        }
        self.probes.push_back((now + PROBE_TIME, id));
        answer.ok()
    }

    fn insert(
        &mut self,
        room: &RoomId,
        member: &MemberId,
        connection: ConnectionId,
        side: Side,
        now: Instant,
    ) -> PeerId {
        let transport = Transport::new(&self.identity, now);
        self.next_peer += 1;
        let id = PeerId(self.next_peer);
        self.fragments.insert(transport.ufrag().to_owned(), id);
        let (room, member) = (room.clone(), member.clone());
        self.peers.insert(id, Peer { room, member, connection, transport, remote_ufrag: None, up: false, side });
        id
    }

    pub(super) fn end(&mut self, id: PeerId, now: Instant) {
        let Some(mut peer) = self.peers.remove(&id) else { return };
        // The client's stack learns it at once by DTLS close_notify; the socket told it before.
        peer.transport.close(now);
        while let Some(out) = peer.transport.poll_transmit() {
            self.transmit.push_back(out);
        }
        if let Some(subscribe) = peer.subscribe() {
            if let Some(worker) = subscribe.worker {
                self.workers.release(worker, id);
            }
            if let Some(state) = self.rooms.get_mut(&peer.room) {
                for source in state.sources.values_mut() {
                    source.listeners.retain(|(listener, _)| *listener != id);
                }
            }
        }
        self.touched.remove(&id);
        self.fragments.retain(|_, owner| *owner != id);
        self.paths.retain(|_, owner| *owner != id);
    }

    fn local<'a>(&'a self, peer: &'a Peer) -> Local<'a> {
        Local {
            ufrag: peer.transport.ufrag(),
            pwd: peer.transport.pwd(),
            fingerprint: self.identity.fingerprint(),
            candidates: &self.candidates,
        }
    }

    /// The client offers its publish connection: made on the first offer of a tab, renegotiated after.
    fn publish(
        &mut self,
        room: &RoomId,
        member: &MemberId,
        connection: ConnectionId,
        sdp: &str,
        now: Instant,
    ) -> Result<String, String> {
        let state = self.rooms.get(room).ok_or("no such room")?;
        let known = state
            .publish
            .get(member)
            .copied()
            .filter(|id| self.peers.get(id).is_some_and(|peer| peer.connection == connection));
        let id = match known {
            Some(id) => id,
            None => self.insert(room, member, connection, Side::Publish(Box::new(Publish::new(now))), now),
        };
        let answer = self.answer_publish(id, sdp, now);
        match (&answer, known) {
            (Ok(_), None) => {
                let before = self.rooms.get_mut(room).and_then(|r| r.publish.insert(member.clone(), id));
                if let Some(before) = before {
                    self.end(before, now);
                }
            }
            // A connection that never worked is not worth keeping; one that works goes on with what it had.
            (Err(_), None) => self.end(id, now),
            (_, Some(_)) => {}
        }
        answer
    }

    fn answer_publish(&mut self, id: PeerId, sdp: &str, now: Instant) -> Result<String, String> {
        let offer = sdp::read_offer(sdp).map_err(|error| error.to_string())?;
        let peer = self.peers.get_mut(&id).ok_or("no such connection")?;
        if peer.set_remote(&offer.remote, now) {
            peer.transport.restart();
            self.fragments.insert(peer.transport.ufrag().to_owned(), id);
        }
        if let Side::Publish(publish) = &mut peer.side {
            publish.negotiated(&offer);
        }
        self.touched.insert(id);
        let peer = self.peers.get(&id).ok_or("no such connection")?;
        Ok(sdp::write_answer(&offer, self.local(peer), &[]))
    }

    fn subscribe(
        &mut self,
        room: &RoomId,
        member: &MemberId,
        connection: ConnectionId,
        we_offer: bool,
        now: Instant,
    ) -> PeerId {
        let side = Side::Subscribe(Box::new(Subscribe {
            we_offer,
            only: None,
            slots: Vec::new(),
            session: rand::random::<u32>().into(),
            version: 0,
            awaiting_answer: false,
            dirty: false,
            restart: false,
            transport_cc: None,
            worker: None,
            allocator: Allocator::default(),
            tried: None,
            overflowed: None,
            estimate: FIRST_ESTIMATE,
            audio_only: false,
            loss: 0.0,
            rtt_ms: None,
            level: QualityLevel::Good,
            reports: 0,
            told: Vec::new(),
        }));
        let id = self.insert(room, member, connection, side, now);
        let before = self.rooms.get_mut(room).and_then(|r| r.subscribe.insert(member.clone(), id));
        if let Some(before) = before {
            self.end(before, now);
        }
        id
    }

    /// The client offers to receive (WHEP): one section of each kind, into which the podium or the one named member is put.
    fn watch(
        &mut self,
        room: &RoomId,
        member: &MemberId,
        connection: ConnectionId,
        sdp: &str,
        only: Option<MemberId>,
        now: Instant,
    ) -> Result<String, String> {
        let offer = sdp::read_offer(sdp).map_err(|error| error.to_string())?;
        let known = self
            .rooms
            .get(room)
            .and_then(|state| state.subscribe.get(member))
            .copied()
            .filter(|id| self.peers.get(id).is_some_and(|peer| is_watching(peer, connection)));
        let id = match known {
            Some(id) => id,
            // The connection that every member is offered on entering gives way.
            None => self.subscribe(room, member, connection, false, now),
        };
        let mut fresh = Vec::new();
        for section in offer.sections.iter().filter(|section| section.takes && !section.codecs.is_empty()) {
            let mut slot = self.new_slot("whep", section.kind, &section.mid);
            slot.codecs.clone_from(&section.codecs);
            fresh.push(slot);
        }
        let peer = self.peers.get_mut(&id).ok_or("no such connection")?;
        if peer.set_remote(&offer.remote, now) {
            peer.transport.restart();
            self.fragments.insert(peer.transport.ufrag().to_owned(), id);
        }
        let Some(subscribe) = peer.subscribe_mut() else { return Err("not a receiving connection".to_owned()) };
        subscribe.only = only;
        if subscribe.slots.is_empty() {
            subscribe.slots = fresh;
        }
        subscribe.transport_cc = offer.sections.iter().find_map(|section| section.extension(Extension::TransportCc));
        self.touched.insert(id);
        self.tell_worker(id);
        self.reconcile(id, now);
        let peer = self.peers.get(&id).ok_or("no such connection")?;
        let slots: Vec<_> = peer.subscribe().into_iter().flat_map(|s| &s.slots).map(|s| s.section.clone()).collect();
        Ok(sdp::write_answer(&offer, self.local(peer), &slots))
    }

    /// The client's answer to our offer.
    fn answered(
        &mut self,
        room: &RoomId,
        member: &MemberId,
        connection: ConnectionId,
        sdp: &str,
        now: Instant,
    ) -> Result<(), (ErrorCode, String)> {
        let unexpected = || (ErrorCode::UnexpectedAnswer, "no offer is open".to_owned());
        let bad = |error: String| (ErrorCode::BadSdp, error);
        let id = self.rooms.get(room).and_then(|r| r.subscribe.get(member)).copied().ok_or_else(unexpected)?;
        let peer = self.peers.get_mut(&id).filter(|peer| peer.connection == connection).ok_or_else(unexpected)?;
        let Side::Subscribe(subscribe) = &mut peer.side else { return Err(unexpected()) };
        if !subscribe.awaiting_answer {
            return Err(unexpected());
        }
        let sections: Vec<_> = subscribe.slots.iter().map(|slot| slot.section.clone()).collect();
        let answer = sdp::read_answer(sdp, &sections).map_err(|error| bad(error.to_string()))?;
        subscribe.awaiting_answer = false;
        for section in &answer.sections {
            if let Some(slot) = subscribe.slots.iter_mut().find(|slot| slot.section.mid == section.mid) {
                slot.codecs.clone_from(&section.codecs);
            }
        }
        subscribe.transport_cc = answer.sections.iter().find_map(|section| section.extension(Extension::TransportCc));
        peer.set_remote(&answer.remote, now);
        self.touched.insert(id);
        self.tell_worker(id);
        self.ask_keyframes_for(id, now);
        self.reconcile(id, now);
        Ok(())
    }

    /// A viewer's handshake is over: its egress begins.
    pub(super) fn open_egress(&mut self, id: PeerId) {
        let Some(way) = self.way(id) else { return };
        let Some(peer) = self.peers.get_mut(&id) else { return };
        let Some(sealer) = peer.transport.take_sealer() else { return };
        let Some(subscribe) = peer.subscribe_mut() else { return };
        let worker = self.workers.assign();
        subscribe.worker = Some(worker);
        self.workers.order(worker, Job::Open { peer: id, sealer, way });
        self.tell_worker(id);
    }

    /// Tells a viewer's worker what was negotiated.
    fn tell_worker(&mut self, id: PeerId) {
        let Some(subscribe) = self.peers.get(&id).and_then(Peer::subscribe) else { return };
        let Some(worker) = subscribe.worker else { return };
        let streams = subscribe.slots.iter().map(stream).collect();
        self.workers.order(worker, Job::Negotiated { peer: id, streams, transport_cc: subscribe.transport_cc });
    }

    /// Offers a viewer its sections as they are now.
    pub(super) fn offer(&mut self, id: PeerId) {
        let Some(peer) = self.peers.get_mut(&id) else { return };
        let Side::Subscribe(subscribe) = &mut peer.side else { return };
        if std::mem::take(&mut subscribe.restart) {
            peer.transport.restart();
            self.fragments.insert(peer.transport.ufrag().to_owned(), id);
        }
        subscribe.awaiting_answer = true;
        subscribe.version += 1;
        subscribe.told = super::slots::views(subscribe);
        let sections: Vec<_> = subscribe.slots.iter().map(|slot| slot.section.clone()).collect();
        let (session, version, tracks) = (subscribe.session, subscribe.version, subscribe.told.clone());
        let (room, member, connection) = (peer.room.clone(), peer.member.clone(), peer.connection);
        let Some(peer) = self.peers.get(&id) else { return };
        let sdp = sdp::write_offer(self.local(peer), &sections, session, version);
        self.report(&room, MediaEvent { member, connection, kind: MediaEventKind::Offer { sdp, tracks } });
    }
}

fn is_watching(peer: &Peer, connection: ConnectionId) -> bool {
    peer.connection == connection && peer.subscribe().is_some_and(|subscribe| !subscribe.we_offer)
}

/// A section as its worker has to know it.
fn stream(slot: &OutSlot) -> Stream {
    let retransmitted = |entry: &CodecEntry| Some((entry.payload_type, entry.rtx?));
    Stream {
        ssrc: slot.section.ssrc,
        clock_rate: if slot.section.kind == Kind::Audio { 48_000 } else { 90_000 },
        rtx: slot
            .section
            .rtx_ssrc
            .map(|ssrc| (ssrc, slot.codecs.iter().filter_map(retransmitted).collect::<Vec<_>>()))
            .filter(|(_, types)| !types.is_empty()),
        is_audio: slot.section.kind == Kind::Audio,
    }
}

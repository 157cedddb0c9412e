//! Connections: made, offered, answered and ended, as the room's actions and the forwarding table want it.

use super::{MAX_PROBES, PROBE_TIME, Plane};
use crate::media::forward::{Output, StreamKey};
use crate::media::peer::{Peer, PeerId, Side, describe, guarded};
use crate::media::{Codec, MediaEvent, MediaEventKind, negotiate};
use crate::message::{ErrorCode, Kind, TrackView};
use crate::room::{ForwardingTable, MediaAction};
use crate::{ConnectionId, MemberId, RoomId};
use rtc::media_stream::MediaStreamTrack;
use rtc::rtp_transceiver::rtp_sender::{
    RTCRtpCodingParameters, RTCRtpEncodingParameters, RTCRtpRtxParameters, RtpCodecKind,
};
use rtc::rtp_transceiver::{RTCRtpTransceiverDirection, RTCRtpTransceiverInit};
use rtc::sansio::Protocol;
use rtc::shared::error::Error;
use std::time::Instant;
use webrtc::peer_connection::RTCSessionDescription;

impl Plane {
    pub(super) fn act(&mut self, room: &RoomId, action: MediaAction, now: Instant) {
        match action {
            MediaAction::Forward(table) => self.set_table(room, table, now),
            MediaAction::Subscribe(member, connection) => {
                match Peer::new(room.clone(), member.clone(), connection, Side::Subscribe, now) {
                    Ok(peer) => {
                        let id = self.insert(peer);
                        let before = self.rooms.get_mut(room).and_then(|r| r.subscribe.insert(member, id));
                        if let Some(before) = before {
                            self.end(before);
                        }
                        self.reconcile(id, now);
                    }
                    Err(error) => tracing::error!(%room, %error, "no subscribe connection could be made"),
                }
            }
            MediaAction::PublishOffer(member, connection, sdp) => {
                let kind = match self.publish(room, &member, connection, &sdp, now) {
                    Ok(sdp) => MediaEventKind::Answer(sdp),
                    Err(error) => {
                        tracing::info!(%room, %member, %error, "publish offer refused");
                        MediaEventKind::Refused(ErrorCode::BadSdp)
                    }
                };
                self.report(room, MediaEvent { member, connection, kind });
            }
            MediaAction::SubscribeAnswer(member, connection, sdp) => {
                if let Err((code, error)) = self.answered(room, &member, connection, &sdp, now) {
                    tracing::info!(%room, %member, %error, "subscribe answer refused");
                    self.report(room, MediaEvent { member, connection, kind: MediaEventKind::Refused(code) });
                }
            }
            MediaAction::RestartSubscribe(member, connection) => {
                let Some(id) = self.rooms.get(room).and_then(|r| r.subscribe.get(&member)).copied() else { return };
                if let Some(peer) = self.peers.get_mut(&id).filter(|peer| peer.connection == connection) {
                    peer.restart = true;
                    self.reconcile(id, now);
                }
            }
            MediaAction::Release(member) => {
                let Some(state) = self.rooms.get_mut(room) else { return };
                let ended: Vec<_> =
                    [state.publish.remove(&member), state.subscribe.remove(&member)].into_iter().flatten().collect();
                state.sources.retain(|(owner, _), _| owner != &member);
                for id in ended {
                    self.end(id);
                }
            }
        }
    }

    /// Connects somebody to nothing: it has no room, so nothing that it sends goes anywhere.
    pub(super) fn probe(&mut self, sdp: &str, now: Instant) -> Option<String> {
        if sdp.len() > negotiate::MAX_SDP_BYTES {
            return None;
        }
        let (room, member) = (RoomId::new(""), MemberId::new("probe"));
        let peer = Peer::new(room, member, ConnectionId(0), Side::Publish, now).ok()?;
        let id = self.insert(peer);
        let answer = self.answer_publish(id, sdp, now);
        if answer.is_err() {
            self.end(id);
            return None;
        }
        self.touched.insert(id);
        if self.probes.len() >= MAX_PROBES
            && let Some((_, oldest)) = self.probes.pop_front()
        {
            self.end(oldest);
        }
        self.probes.push_back((now + PROBE_TIME, id));
        answer.ok()
    }

    fn insert(&mut self, peer: Peer) -> PeerId {
        self.next_peer += 1;
        let id = PeerId(self.next_peer);
        self.peers.insert(id, peer);
        id
    }

    pub(super) fn end(&mut self, id: PeerId) {
        let Some(mut peer) = self.peers.remove(&id) else { return };
        // The client's stack learns it at once by DTLS close_notify; the socket told it before.
        if guarded(|| peer.pc.close()).is_ok() {
            while let Some(out) = peer.transmit() {
                self.transmit.push_back(out);
            }
        }
        self.touched.remove(&id);
        self.fragments.retain(|_, (owner, _)| *owner != id);
        self.paths.retain(|_, owner| *owner != id);
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
        if sdp.len() > negotiate::MAX_SDP_BYTES {
            return Err("too long".to_owned());
        }
        let state = self.rooms.get(room).ok_or("no such room")?;
        let known = state
            .publish
            .get(member)
            .copied()
            .filter(|id| self.peers.get(id).is_some_and(|peer| peer.connection == connection));
        let (id, is_new) = match known {
            Some(id) => (id, false),
            None => {
                let peer = Peer::new(room.clone(), member.clone(), connection, Side::Publish, now)
                    .map_err(|e| e.to_string())?;
                (self.insert(peer), true)
            }
        };
        match self.answer_publish(id, sdp, now) {
            Ok(answer) => {
                if is_new {
                    let before = self.rooms.get_mut(room).and_then(|r| r.publish.insert(member.clone(), id));
                    if let Some(before) = before {
                        self.end(before);
                    }
                }
                self.touched.insert(id);
                Ok(answer)
            }
            Err(error) => {
                // A connection that never worked is not worth keeping; one that works goes on with what it had.
                if is_new {
                    self.end(id);
                }
                Err(error)
            }
        }
    }

    fn answer_publish(&mut self, id: PeerId, sdp: &str, now: Instant) -> Result<String, String> {
        let peer = self.peers.get_mut(&id).ok_or("no such connection")?;
        let offer = negotiate::without_candidates(sdp);
        guarded(|| {
            let pc = &mut peer.pc;
            pc.set_remote_description(now, RTCSessionDescription::offer(offer.clone())?)?;
            // The stack does not intersect its answer's directions with the offer's (rtc 0.21.1).
            let offered = negotiate::directions(&offer);
            for transceiver in pc.get_transceivers().collect::<Vec<_>>() {
                let Some(mut transceiver) = pc.rtp_transceiver(transceiver) else { continue };
                let theirs = offered.iter().find(|(mid, _)| transceiver.mid().as_deref() == Some(mid));
                let Some((_, theirs)) = theirs else { continue };
                let ours = transceiver.direction().intersect(theirs.reverse());
                if ours != transceiver.direction() {
                    transceiver.set_direction(ours);
                }
            }
            let answer = pc.create_answer(None)?;
            pc.set_local_description(now, answer)
        })?;
        peer.learn_codecs();
        let local = peer.pc.local_description().ok_or("no local description")?;
        self.learn_fragment(id);
        Ok(negotiate::with_candidates(&local.sdp, &self.candidates))
    }

    fn answered(
        &mut self,
        room: &RoomId,
        member: &MemberId,
        connection: ConnectionId,
        sdp: &str,
        now: Instant,
    ) -> Result<(), (ErrorCode, String)> {
        let unexpected = || (ErrorCode::UnexpectedAnswer, "no offer is open".to_owned());
        let id = self.rooms.get(room).and_then(|r| r.subscribe.get(member)).copied().ok_or_else(unexpected)?;
        let peer = self.peers.get_mut(&id).ok_or_else(unexpected)?;
        if !peer.awaiting_answer || peer.connection != connection {
            return Err(unexpected());
        }
        let answer = negotiate::without_candidates(sdp);
        guarded(|| peer.pc.set_remote_description(now, RTCSessionDescription::answer(answer)?))
            .map_err(|error| (ErrorCode::BadSdp, error))?;
        peer.awaiting_answer = false;
        peer.learn_codecs();
        self.touched.insert(id);
        self.ask_keyframes_for(id, now);
        self.reconcile(id, now);
        Ok(())
    }

    fn learn_fragment(&mut self, id: PeerId) {
        if let Some((fragment, password)) = self.peers.get(&id).and_then(Peer::credentials) {
            self.fragments.insert(fragment, (id, password));
        }
    }

    fn set_table(&mut self, room: &RoomId, table: ForwardingTable, now: Instant) {
        let Some(state) = self.rooms.get_mut(room) else { return };
        let before = std::mem::replace(&mut state.table, table);
        // What was off and is on again begins anew: on a key frame, without a hole.
        let mut resumed = Vec::new();
        for route in &state.table.routes {
            for kind in [Kind::Audio, Kind::Video] {
                let was_on = before.route(&route.from).is_none_or(|old| old.is_on(kind));
                if route.is_on(kind) && !was_on {
                    resumed.push((route.from.clone(), kind));
                }
            }
        }
        let subscribers: Vec<_> = state.subscribe.values().copied().collect();
        for id in &subscribers {
            if let Some(peer) = self.peers.get_mut(id) {
                for output in peer.outputs.iter_mut().filter(|output| resumed.contains(&output.stream)) {
                    output.interrupt();
                }
            }
        }
        for stream in resumed {
            self.ask_keyframe(room, &stream, now);
        }
        for id in subscribers {
            self.reconcile(id, now);
        }
    }

    /// Brings a subscriber's sections in line with what it should get, and offers the change. One offer is open at a time.
    pub(super) fn reconcile(&mut self, id: PeerId, now: Instant) {
        let Some(peer) = self.peers.get_mut(&id) else { return };
        let Some(state) = self.rooms.get(&peer.room) else { return };
        if peer.awaiting_answer {
            peer.dirty = true;
            return;
        }
        peer.dirty = false;
        let mut changed = std::mem::take(&mut peer.restart) && !peer.outputs.is_empty();
        if changed {
            peer.pc.restart_ice();
        }
        let heard: Vec<_> = state.table.heard_by(&peer.member).map(|route| route.from.clone()).collect();
        for output in peer.outputs.iter_mut().filter(|output| output.active && !heard.contains(&output.stream.0)) {
            output.active = false;
            output.interrupt();
            if let Some(mut transceiver) = peer.pc.rtp_transceiver(output.transceiver) {
                transceiver.set_direction(RTCRtpTransceiverDirection::Inactive);
            }
            changed = true;
        }
        for from in heard {
            for kind in [Kind::Audio, Kind::Video] {
                let stream = (from.clone(), kind);
                let Some(source) = state.sources.get(&stream) else { continue };
                if peer.outputs.iter().any(|output| output.active && output.stream == stream) {
                    continue;
                }
                match activate(peer, &mut self.next_ssrc, stream, source.codec) {
                    Ok(()) => changed = true,
                    Err(error) => tracing::error!(member = %peer.member, %error, "no section could be added"),
                }
            }
        }
        if changed {
            self.offer(id, now);
        }
    }

    fn offer(&mut self, id: PeerId, now: Instant) {
        let Some(peer) = self.peers.get_mut(&id) else { return };
        let made = guarded(|| {
            let offer = peer.pc.create_offer(None)?;
            peer.pc.set_local_description(now, offer)
        });
        let Some(local) = made.ok().and_then(|()| peer.pc.local_description()) else {
            tracing::error!(member = %peer.member, "the stack made no offer");
            return;
        };
        peer.awaiting_answer = true;
        let mut tracks = Vec::new();
        for output in peer.outputs.iter().filter(|output| output.active) {
            let mid = peer.pc.rtp_transceiver(output.transceiver).and_then(|t| t.mid().clone());
            if let Some(mid) = mid {
                tracks.push(TrackView { mid, member: output.stream.0.clone(), kind: output.stream.1 });
            }
        }
        let sdp = negotiate::with_candidates(&local.sdp, &self.candidates);
        let (room, member, connection) = (peer.room.clone(), peer.member.clone(), peer.connection);
        self.learn_fragment(id);
        self.touched.insert(id);
        self.report(&room, MediaEvent { member, connection, kind: MediaEventKind::Offer { sdp, tracks } });
    }
}

/// Gives a stream a section: the member's own idle one, else any idle one of the kind, else a new one.
fn activate(peer: &mut Peer, next_ssrc: &mut u32, stream: StreamKey, codec: Codec) -> Result<(), Error> {
    let idle = |own: bool| {
        peer.outputs.iter().position(|o| !o.active && o.stream.1 == stream.1 && (!own || o.stream == stream))
    };
    let at = idle(true).or_else(|| idle(false));
    if let Some(output) = at.and_then(|at| peer.outputs.get_mut(at)) {
        if let Some(mut transceiver) = peer.pc.rtp_transceiver(output.transceiver) {
            transceiver.set_direction(RTCRtpTransceiverDirection::Sendonly);
        }
        if let Some(mut sender) = peer.pc.rtp_sender(output.sender) {
            sender.set_streams(vec![stream.0.to_string()]);
        }
        output.stream = stream;
        output.active = true;
        output.interrupt();
        return Ok(());
    }
    // Two numbers each: the stream's and its retransmissions'.
    *next_ssrc = next_ssrc.wrapping_add(2);
    let ssrc = *next_ssrc;
    let (kind, rtx) = match stream.1 {
        Kind::Audio => (RtpCodecKind::Audio, None),
        Kind::Video | Kind::Screen => (RtpCodecKind::Video, Some(RTCRtpRtxParameters { ssrc: ssrc.wrapping_add(1) })),
    };
    let coding = RTCRtpEncodingParameters {
        rtp_coding_parameters: RTCRtpCodingParameters { ssrc: Some(ssrc), rtx, ..Default::default() },
        codec: describe(codec),
        ..Default::default()
    };
    let name = format!("t{ssrc}");
    let track = MediaStreamTrack::new(stream.0.to_string(), name.clone(), name, kind, vec![coding]);
    let sendonly = RTCRtpTransceiverInit { direction: RTCRtpTransceiverDirection::Sendonly, ..Default::default() };
    let transceiver = peer.pc.add_transceiver_from_track(track, Some(sendonly))?;
    let sender = peer
        .pc
        .rtp_transceiver(transceiver)
        .and_then(|t| t.sender())
        .ok_or(Error::ErrRTPSenderNewTrackHasIncorrectKind)?;
    peer.outputs.push(Output::new(stream, transceiver, sender, ssrc, codec));
    Ok(())
}

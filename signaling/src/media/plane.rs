//! The media plane's state: rooms, connections, streams, and the way of a packet through them. Driven by values; no socket, no clock.

use super::counters::Counters;
use super::forward::{Output, Source, Step, StreamKey};
use super::peer::{Peer, PeerId, Side, describe, guarded};
use super::stun::{self, Check, Datagram};
use super::tcp::Path;
use super::{Codec, MediaCommand, MediaEvent, MediaEventKind, negotiate};
use crate::message::{ErrorCode, Kind, TrackView};
use crate::recording::{RecorderInput, RtpSample};
use crate::room::{ForwardingTable, MediaAction, RoomReport};
use crate::{ConnectionId, MemberId, RoomId};
use bytes::BytesMut;
use rtc::media_stream::MediaStreamTrack;
use rtc::peer_connection::message::RTCMessage;
use rtc::rtcp::payload_feedbacks::full_intra_request::FullIntraRequest;
use rtc::rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;
use rtc::rtp::Packet;
use rtc::rtp_transceiver::rtp_sender::{
    RTCRtpCodingParameters, RTCRtpEncodingParameters, RTCRtpRtxParameters, RtpCodecKind,
};
use rtc::rtp_transceiver::{RTCRtpTransceiverDirection, RTCRtpTransceiverInit};
use rtc::sansio::Protocol;
use rtc::shared::error::Error;
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use webrtc::peer_connection::{RTCPeerConnectionEvent, RTCPeerConnectionState, RTCSessionDescription, RTCTrackEvent};

/// The stack is asked again after this long at the latest, whatever it says.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);
/// A self-test gets this long, and so many run at a time; past that the oldest ends.
const PROBE_TIME: Duration = Duration::from_secs(15);
const MAX_PROBES: usize = 64;

pub(crate) struct Plane {
    candidates: Vec<String>,
    counters: Arc<Counters>,
    rooms: HashMap<RoomId, MediaRoom>,
    peers: HashMap<PeerId, Peer>,
    next_peer: u64,
    next_ssrc: u32,
    /// STUN user fragment → connection and password. Old ones stay after an ICE restart until the connection ends.
    fragments: HashMap<String, (PeerId, String)>,
    paths: HashMap<Path, PeerId>,
    /// Connections whose stack has something to give.
    touched: BTreeSet<PeerId>,
    arrived: VecDeque<(PeerId, Kind, Codec, Packet)>,
    transmit: VecDeque<(BytesMut, Path)>,
    /// Self-tests under way, the oldest first.
    probes: VecDeque<(Instant, PeerId)>,
}

struct MediaRoom {
    reports: mpsc::Sender<RoomReport>,
    table: ForwardingTable,
    sources: HashMap<StreamKey, Source>,
    publish: HashMap<MemberId, PeerId>,
    subscribe: HashMap<MemberId, PeerId>,
    tap: Option<mpsc::Sender<RecorderInput>>,
}

impl Plane {
    pub fn new(candidates: Vec<String>, counters: Arc<Counters>) -> Self {
        Self {
            candidates,
            counters,
            rooms: HashMap::new(),
            peers: HashMap::new(),
            next_peer: 0,
            next_ssrc: 0x1000_0000,
            fragments: HashMap::new(),
            paths: HashMap::new(),
            touched: BTreeSet::new(),
            arrived: VecDeque::new(),
            transmit: VecDeque::new(),
            probes: VecDeque::new(),
        }
    }

    /// A datagram came in. Call [`Self::process`] when the batch is through.
    pub fn datagram(&mut self, datagram: &[u8], from: Path, now: Instant) {
        let id = match stun::classify(datagram) {
            Datagram::Check => self.check(datagram, from),
            Datagram::Known => self.paths.get(&from).copied(),
            Datagram::Junk => None,
        };
        let Some((id, peer)) = id.and_then(|id| Some((id, self.peers.get_mut(&id)?))) else {
            Counters::add(&self.counters.strangers, 1);
            return;
        };
        if let Err(error) = peer.read(datagram, now) {
            Counters::add(&self.counters.refused_by_stack, 1);
            tracing::debug!(member = %peer.member, %error, "datagram refused");
        }
        self.touched.insert(id);
    }

    pub fn command(&mut self, command: MediaCommand, now: Instant) {
        match command {
            MediaCommand::Open { room, reports } => {
                let fresh = MediaRoom {
                    reports,
                    table: ForwardingTable::default(),
                    sources: HashMap::new(),
                    publish: HashMap::new(),
                    subscribe: HashMap::new(),
                    tap: None,
                };
                self.rooms.insert(room, fresh);
            }
            MediaCommand::Act { room, action } => self.act(&room, action, now),
            MediaCommand::Tap { room, tap } => {
                let Some(state) = self.rooms.get_mut(&room) else { return };
                state.tap = tap;
                let streams: Vec<_> = state.sources.keys().cloned().collect();
                for stream in streams {
                    self.ask_keyframe(&room, &stream, now);
                }
            }
            MediaCommand::Keyframe { room, member } => self.ask_keyframe(&room, &(member, Kind::Video), now),
            MediaCommand::Close { room } => {
                let Some(state) = self.rooms.remove(&room) else { return };
                for id in state.publish.into_values().chain(state.subscribe.into_values()) {
                    self.end(id);
                }
            }
            MediaCommand::Probe { sdp, answer } => {
                let _ = answer.send(self.probe(&sdp, now));
            }
            MediaCommand::Shutdown => {
                for id in self.peers.keys().copied().collect::<Vec<_>>() {
                    self.end(id);
                }
            }
        }
    }

    /// Lets everything that waits go its way: out of the stacks, through the table, into the stacks, out to the wire.
    pub fn process(&mut self, now: Instant) {
        loop {
            while let Some(id) = self.touched.pop_first() {
                self.drain(id, now);
            }
            if self.arrived.is_empty() {
                return;
            }
            while let Some((id, kind, codec, packet)) = self.arrived.pop_front() {
                self.forward(id, kind, codec, &packet, now);
            }
        }
    }

    /// Time passed.
    pub fn tick(&mut self, now: Instant) {
        while let Some((_, id)) = self.probes.pop_front_if(|(end, _)| *end <= now) {
            self.end(id);
        }
        for (id, peer) in &mut self.peers {
            if peer.deadline <= now {
                if let Err(error) = peer.tick(now) {
                    tracing::debug!(member = %peer.member, %error, "the stack's clock work failed");
                }
                self.touched.insert(*id);
            }
        }
        let due: Vec<_> =
            self.rooms
                .iter_mut()
                .flat_map(|(room, state)| {
                    state.sources.iter_mut().filter_map(|(stream, source)| {
                        source.keyframes.due(now).then(|| (room.clone(), stream.clone()))
                    })
                })
                .collect();
        for (room, stream) in due {
            self.send_keyframe_request(&room, &stream, now);
        }
        self.process(now);
    }

    /// When [`Self::tick`] is wanted.
    pub fn deadline(&self, now: Instant) -> Instant {
        let stacks = self.peers.values().map(|peer| peer.deadline);
        let keyframes =
            self.rooms.values().flat_map(|room| room.sources.values()).filter_map(|s| s.keyframes.deadline());
        stacks.chain(keyframes).min().unwrap_or(now + LONGEST_SLEEP).min(now + LONGEST_SLEEP)
    }

    /// Somebody has proved to be a client on this path.
    pub fn knows(&self, path: Path) -> bool {
        self.paths.contains_key(&path)
    }

    /// The next datagram for the wire.
    pub fn transmit(&mut self) -> Option<(BytesMut, Path)> {
        self.transmit.pop_front()
    }

    fn check(&mut self, datagram: &[u8], from: Path) -> Option<PeerId> {
        let mut check = Check::read(datagram)?;
        let (id, password) = self.fragments.get(&check.ufrag)?.clone();
        if !check.is_authentic(&password) {
            Counters::add(&self.counters.bad_checks, 1);
            return None;
        }
        let (forgotten, moved) = self.peers.get_mut(&id)?.follow(from, check.use_candidate);
        if moved {
            Counters::add(&self.counters.path_changes, 1);
        }
        if let Some(forgotten) = forgotten {
            self.paths.remove(&forgotten);
        }
        self.paths.insert(from, id);
        Some(id)
    }

    fn act(&mut self, room: &RoomId, action: MediaAction, now: Instant) {
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
    fn probe(&mut self, sdp: &str, now: Instant) -> Option<String> {
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

    fn end(&mut self, id: PeerId) {
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
    fn reconcile(&mut self, id: PeerId, now: Instant) {
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

    /// Takes everything that a stack has to give.
    fn drain(&mut self, id: PeerId, now: Instant) {
        let Some(peer) = self.peers.get_mut(&id) else { return };
        while let Some(out) = peer.transmit() {
            self.transmit.push_back(out);
        }
        let mut state = None;
        while let Some(event) = peer.pc.poll_event() {
            #[expect(clippy::wildcard_enum_match_arm, reason = "the stack tells much that nobody here needs")]
            match event {
                RTCPeerConnectionEvent::OnConnectionStateChangeEvent(new) => state = Some(new),
                RTCPeerConnectionEvent::OnTrack(RTCTrackEvent::OnOpen(track)) => {
                    let kind = peer.pc.rtp_receiver(track.receiver_id).map(|r| r.track().kind());
                    let kind = if kind == Some(RtpCodecKind::Video) { Kind::Video } else { Kind::Audio };
                    peer.streams.insert(track.ssrc, (track.receiver_id, kind));
                }
                _ => {}
            }
        }
        let mut wanted = Vec::new();
        let (mut received, mut unknown) = (0, 0);
        while let Some(tagged) = peer.pc.poll_read() {
            #[expect(
                clippy::wildcard_enum_match_arm,
                reason = "there are no data channels, and the stack's list is open"
            )]
            match tagged.message {
                RTCMessage::RtpPacket(_, packet) => {
                    let stream = peer.streams.get(&packet.header.ssrc);
                    match (stream, peer.codecs.get(&packet.header.payload_type)) {
                        (Some((_, kind)), Some(codec)) if codec.kind() == *kind => {
                            received += 1;
                            self.arrived.push_back((id, *kind, *codec, packet));
                        }
                        _ => unknown += 1,
                    }
                }
                RTCMessage::RtcpPacket(_, reports) => {
                    for report in &reports {
                        let report = report.as_any();
                        if let Some(pli) = report.downcast_ref::<PictureLossIndication>() {
                            wanted.push(pli.media_ssrc);
                        } else if let Some(fir) = report.downcast_ref::<FullIntraRequest>() {
                            wanted.extend(fir.fir.iter().map(|entry| entry.ssrc));
                        }
                    }
                }
                _ => {}
            }
        }
        peer.deadline = peer.pc.poll_timeout().unwrap_or(now + LONGEST_SLEEP);
        let room = peer.room.clone();
        let streams: Vec<_> =
            peer.outputs.iter().filter(|o| o.active && wanted.contains(&o.ssrc)).map(|o| o.stream.clone()).collect();
        Counters::add(&self.counters.received, received);
        Counters::add(&self.counters.refused_by_stack, unknown);
        for stream in streams {
            self.ask_keyframe(&room, &stream, now);
        }
        if let Some(state) = state {
            self.state_changed(id, state, now);
        }
    }

    fn state_changed(&mut self, id: PeerId, state: RTCPeerConnectionState, now: Instant) {
        let Some(peer) = self.peers.get_mut(&id) else { return };
        let up = state == RTCPeerConnectionState::Connected;
        let down = matches!(state, RTCPeerConnectionState::Disconnected | RTCPeerConnectionState::Failed);
        tracing::debug!(member = %peer.member, side = ?peer.side, %state, "connection");
        if !up && !down {
            return;
        }
        peer.up = up;
        let kind = if up { MediaEventKind::Up } else { MediaEventKind::Down };
        let (room, side) = (peer.room.clone(), peer.side);
        let event = MediaEvent { member: peer.member.clone(), connection: peer.connection, kind };
        let member = peer.member.clone();
        self.report(&room, event);
        if up {
            // A restart loses some 200 ms; without a key frame the picture would stand for seconds.
            match side {
                Side::Publish => self.ask_keyframe(&room, &(member, Kind::Video), now),
                Side::Subscribe => self.ask_keyframes_for(id, now),
            }
        }
    }

    /// One publisher's packet to everybody who gets it.
    fn forward(&mut self, from: PeerId, kind: Kind, codec: Codec, packet: &Packet, now: Instant) {
        let Some(peer) = self.peers.get(&from) else { return };
        let Some(state) = self.rooms.get_mut(&peer.room) else { return };
        let (room, ssrc) = (peer.room.clone(), packet.header.ssrc);
        let Some(receiver) = peer.streams.get(&ssrc).map(|(receiver, _)| *receiver) else { return };
        let stream = (peer.member.clone(), kind);
        let source = match state.sources.get_mut(&stream) {
            Some(source) if source.peer == from && source.ssrc == ssrc && source.codec == codec => source,
            // A new stream, or one that changed: whoever gets it, begins anew.
            _ => {
                let source = Source::new(from, receiver, ssrc, codec);
                let is_new = state.sources.insert(stream.clone(), source).is_none();
                let subscribers: Vec<_> = state.subscribe.values().copied().collect();
                if is_new {
                    for id in subscribers {
                        self.reconcile(id, now);
                    }
                }
                let Some(source) = self.rooms.get_mut(&room).and_then(|r| r.sources.get_mut(&stream)) else { return };
                source
            }
        };
        if !source.is_first_time(packet.header.sequence_number) {
            return;
        }
        let Some(state) = self.rooms.get(&room) else { return };
        let Some(route) = state.table.route(&stream.0).filter(|route| route.is_on(kind)) else { return };
        if let Some(tap) = &state.tap {
            let sample = RtpSample {
                member: stream.0.clone(),
                codec,
                ssrc,
                sequence: packet.header.sequence_number,
                timestamp: packet.header.timestamp,
                marker: packet.header.marker,
                payload: packet.payload.clone(),
                arrived: now,
            };
            if tap.try_send(RecorderInput::Rtp(sample)).is_err() {
                Counters::add(&self.counters.tap_dropped, 1);
            }
        }
        let is_key = codec.starts_key_frame(&packet.payload);
        let mut needs_keyframe = false;
        for listener in &route.to {
            let Some(id) = state.subscribe.get(listener).copied() else { continue };
            let Some(peer) = self.peers.get_mut(&id).filter(|peer| peer.up) else { continue };
            let Some(output) = peer.outputs.iter_mut().find(|o| o.active && o.stream == stream) else { continue };
            match output.step(codec, packet, is_key, now) {
                Step::Nothing => {}
                Step::NeedsKeyframe => needs_keyframe = true,
                Step::Send(packet) => {
                    let sent = peer.pc.rtp_sender(output.sender).map(|mut sender| sender.write_rtp(now, packet));
                    let counter = match sent {
                        Some(Ok(())) => &self.counters.forwarded,
                        _ => &self.counters.refused_by_stack,
                    };
                    Counters::add(counter, 1);
                    self.touched.insert(id);
                }
            }
        }
        if needs_keyframe {
            self.ask_keyframe(&room, &stream, now);
        }
    }

    /// Key frames of everything that a subscriber gets.
    fn ask_keyframes_for(&mut self, id: PeerId, now: Instant) {
        let Some(peer) = self.peers.get(&id) else { return };
        let room = peer.room.clone();
        let streams: Vec<_> = peer.outputs.iter().filter(|o| o.active).map(|o| o.stream.clone()).collect();
        for stream in streams {
            self.ask_keyframe(&room, &stream, now);
        }
    }

    fn ask_keyframe(&mut self, room: &RoomId, stream: &StreamKey, now: Instant) {
        if stream.1 == Kind::Audio {
            return;
        }
        let source = self.rooms.get_mut(room).and_then(|state| state.sources.get_mut(stream));
        if source.is_some_and(|source| source.keyframes.request(now)) {
            self.send_keyframe_request(room, stream, now);
        }
    }

    fn send_keyframe_request(&mut self, room: &RoomId, stream: &StreamKey, now: Instant) {
        let Some(source) = self.rooms.get(room).and_then(|state| state.sources.get(stream)) else { return };
        let Some(peer) = self.peers.get_mut(&source.peer) else { return };
        let request = PictureLossIndication { sender_ssrc: 1, media_ssrc: source.ssrc };
        let written = peer.pc.rtp_receiver(source.receiver).map(|mut r| r.write_rtcp(now, vec![Box::new(request)]));
        if matches!(written, Some(Ok(()))) {
            Counters::add(&self.counters.keyframes_asked, 1);
        }
        self.touched.insert(source.peer);
    }

    fn report(&self, room: &RoomId, event: MediaEvent) {
        let Some(state) = self.rooms.get(room) else { return };
        if state.reports.try_send(RoomReport::Media(event)).is_err() {
            tracing::error!(%room, "the room does not take its reports, one was dropped");
        }
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
        Kind::Video => (RtpCodecKind::Video, Some(RTCRtpRtxParameters { ssrc: ssrc.wrapping_add(1) })),
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

//! Packets: out of one stack, by the forwarding table, into the others; and key frame requests the other way.

use super::{LONGEST_SLEEP, Plane};
use crate::RoomId;
use crate::media::counters::Counters;
use crate::media::forward::{Source, Step, StreamKey};
use crate::media::peer::{PeerId, Side};
use crate::media::{Codec, MediaEvent, MediaEventKind};
use crate::message::Kind;
use crate::recording::{RecorderInput, RtpSample};
use rtc::peer_connection::message::RTCMessage;
use rtc::rtcp::payload_feedbacks::full_intra_request::FullIntraRequest;
use rtc::rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;
use rtc::rtp::Packet;
use rtc::rtp_transceiver::rtp_sender::RtpCodecKind;
use rtc::sansio::Protocol;
use std::time::Instant;
use webrtc::peer_connection::{RTCPeerConnectionEvent, RTCPeerConnectionState, RTCTrackEvent};

impl Plane {
    /// Takes everything that a stack has to give.
    pub(super) fn drain(&mut self, id: PeerId, now: Instant) {
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
    pub(super) fn forward(&mut self, from: PeerId, kind: Kind, codec: Codec, packet: &Packet, now: Instant) {
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
        for listener in state.table.listeners(&route.from) {
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
    pub(super) fn ask_keyframes_for(&mut self, id: PeerId, now: Instant) {
        let Some(peer) = self.peers.get(&id) else { return };
        let room = peer.room.clone();
        let streams: Vec<_> = peer.outputs.iter().filter(|o| o.active).map(|o| o.stream.clone()).collect();
        for stream in streams {
            self.ask_keyframe(&room, &stream, now);
        }
    }

    pub(super) fn ask_keyframe(&mut self, room: &RoomId, stream: &StreamKey, now: Instant) {
        if stream.1 == Kind::Audio {
            return;
        }
        let source = self.rooms.get_mut(room).and_then(|state| state.sources.get_mut(stream));
        if source.is_some_and(|source| source.keyframes.request(now)) {
            self.send_keyframe_request(room, stream, now);
        }
    }

    pub(super) fn send_keyframe_request(&mut self, room: &RoomId, stream: &StreamKey, now: Instant) {
        let Some(source) = self.rooms.get(room).and_then(|state| state.sources.get(stream)) else { return };
        let Some(peer) = self.peers.get_mut(&source.peer) else { return };
        let request = PictureLossIndication { sender_ssrc: 1, media_ssrc: source.ssrc };
        let written = peer.pc.rtp_receiver(source.receiver).map(|mut r| r.write_rtcp(now, vec![Box::new(request)]));
        if matches!(written, Some(Ok(()))) {
            Counters::add(&self.counters.keyframes_asked, 1);
        }
        self.touched.insert(source.peer);
    }
}

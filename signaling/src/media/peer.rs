//! One peer connection of the sans-I/O stack, with what the plane has to know about it.
//!
//! The stack is shown one virtual address for the client and one for us. Its selected pair never moves (rtc 0.21.1), a client's address
//! does: a NAT forgets, a telephone changes networks. So the plane checks each STUN request's password itself, follows
//! USE-CANDIDATE, and puts the real addresses in at the edge.

use super::feedback::{self, KeyframeFeedback};
use super::forward::Output;
use super::tcp::Path;
use super::{Codec, negotiate};
use crate::message::Kind;
use crate::{ConnectionId, MemberId, RoomId};
use bytes::BytesMut;
use rtc::interceptor::{NackGeneratorBuilder, NackResponderBuilder, Registry, Slot};
use rtc::peer_connection::RTCPeerConnectionBuilder;
use rtc::peer_connection::transport::RTCDtlsRole;
use rtc::rtp_transceiver::RTCRtpReceiverId;
use rtc::rtp_transceiver::rtp_sender::{RTCPFeedback, RTCRtpCodec, RTCRtpCodecParameters, RtpCodecKind};
use rtc::sansio::Protocol;
use rtc::shared::error::Error;
use rtc::shared::{TaggedBytesMut, TransportContext, TransportProtocol};
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};
use webrtc::peer_connection::{
    MediaEngine, RTCConfigurationBuilder, RTCIceCandidateInit, RTCPeerConnection, SettingEngineBuilder,
    configure_rtcp_reports, configure_simulcast_extension_headers, configure_twcc_receiver_only,
};

/// A peer connection's number in the plane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct PeerId(pub u64);

/// Which of a tab's two connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// The client sends.
    Publish,
    /// The hub sends.
    Subscribe,
}

/// We, as the stack sees us (RFC 5737, TEST-NET-1): never on any wire.
const VIRTUAL_LOCAL: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 9);
/// Every client, as its stack sees it.
const VIRTUAL_REMOTE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2)), 9);
/// Silence after which a line counts as broken, and as lost; how often the stack speaks.
const ICE_SILENCE: (Duration, Duration, Duration) =
    (Duration::from_secs(5), Duration::from_secs(25), Duration::from_secs(2));
/// Addresses that one client may have proved. Past this the oldest is forgotten.
pub(crate) const MAX_PATHS: usize = 8;
/// Packets within which repeats of secured packets are refused (RFC 3711, 3.3.2).
const REPLAY_WINDOW: usize = 1024;

pub(crate) struct Peer {
    pub room: RoomId,
    pub member: MemberId,
    pub connection: ConnectionId,
    pub side: Side,
    pub pc: RTCPeerConnection,
    pub up: bool,
    /// When the stack wants the time told.
    pub deadline: Instant,
    /// The path that the client chose, and the one that a STUN answer goes to.
    pub path: Option<Path>,
    pub check_from: Option<Path>,
    pub paths: Vec<Path>,
    /// Publish: payload types, and which stream is what.
    pub codecs: HashMap<u8, Codec>,
    pub streams: HashMap<u32, (RTCRtpReceiverId, Kind)>,
    /// Subscribe: the sections, and the negotiation under way.
    pub outputs: Vec<Output>,
    pub awaiting_answer: bool,
    pub dirty: bool,
    pub restart: bool,
}

impl Peer {
    pub fn new(
        room: RoomId,
        member: MemberId,
        connection: ConnectionId,
        side: Side,
        now: Instant,
    ) -> Result<Self, Error> {
        let mut media = MediaEngine::default();
        for (codec, payload_type) in codecs(side) {
            let kind = if codec.mime_type.starts_with("audio") { RtpCodecKind::Audio } else { RtpCodecKind::Video };
            media.register_codec(RTCRtpCodecParameters { rtp_codec: codec, payload_type }, kind)?;
        }
        let mut interceptors = Registry::new().with(feedback::slot(), KeyframeFeedback::default());
        interceptors = configure_rtcp_reports(interceptors);
        match side {
            Side::Publish => {
                configure_simulcast_extension_headers(&mut media)?;
                interceptors = configure_twcc_receiver_only(interceptors, &mut media)?;
                interceptors = interceptors.with(Slot::NackGenerator, NackGeneratorBuilder::new().build());
            }
            Side::Subscribe => {
                interceptors = interceptors.with(Slot::NackResponder, NackResponderBuilder::new().build());
            }
        }
        let (broken, lost, keepalive) = ICE_SILENCE;
        let settings = SettingEngineBuilder::new()
            .with_answering_dtls_role(RTCDtlsRole::Server)
            .with_lite(true)
            .with_ice_timeouts(Some(broken), Some(lost), Some(keepalive))
            .with_srtp_replay_protection_window(REPLAY_WINDOW)
            .with_srtcp_replay_protection_window(REPLAY_WINDOW)
            .build();
        let mut pc = RTCPeerConnectionBuilder::new()
            .with_configuration(RTCConfigurationBuilder::new().build())
            .with_setting_engine(settings)
            .with_media_engine(media)
            .with_interceptor_registry(interceptors)
            .build(now)?;
        let candidate =
            format!("candidate:1 1 udp 2130706431 {} {} typ host", VIRTUAL_LOCAL.ip(), VIRTUAL_LOCAL.port());
        pc.add_local_candidate(RTCIceCandidateInit { candidate, ..Default::default() })?;
        Ok(Self {
            room,
            member,
            connection,
            side,
            pc,
            up: false,
            deadline: now,
            path: None,
            check_from: None,
            paths: Vec::new(),
            codecs: HashMap::new(),
            streams: HashMap::new(),
            outputs: Vec::new(),
            awaiting_answer: false,
            dirty: false,
            restart: false,
        })
    }

    /// Gives a datagram to the stack.
    pub fn read(&mut self, datagram: &[u8], now: Instant) -> Result<(), String> {
        let transport = TransportContext {
            local_addr: VIRTUAL_LOCAL,
            peer_addr: VIRTUAL_REMOTE,
            transport_protocol: TransportProtocol::UDP,
            ecn: None,
        };
        let message = BytesMut::from(datagram);
        guarded(|| self.pc.handle_read(TaggedBytesMut { now, transport, message }))
    }

    /// Tells the stack the time.
    pub fn tick(&mut self, now: Instant) -> Result<(), String> {
        guarded(|| self.pc.handle_timeout(now))
    }

    /// The next datagram that the stack wants sent, with the real address. STUN answers go back where the request came from.
    pub fn transmit(&mut self) -> Option<(BytesMut, Path)> {
        while let Some(out) = self.pc.poll_write() {
            let is_stun = out.message.first().is_some_and(|byte| *byte <= 3);
            let to = if is_stun { self.check_from.or(self.path) } else { self.path };
            if let Some(to) = to {
                return Some((out.message, to));
            }
        }
        None
    }

    /// An authentic check came from here. Answers the path that is to be forgotten, if one is, and whether media moved.
    pub fn follow(&mut self, from: Path, use_candidate: bool) -> (Option<Path>, bool) {
        self.check_from = Some(from);
        let moved = self.path.is_some() && use_candidate && self.path != Some(from);
        if self.path.is_none() || use_candidate {
            self.path = Some(from);
        }
        if self.paths.contains(&from) {
            return (None, moved);
        }
        self.paths.push(from);
        let oldest = self.paths.iter().position(|path| Some(*path) != self.path && *path != from);
        let forgotten = oldest.filter(|_| self.paths.len() > MAX_PATHS).map(|at| self.paths.remove(at));
        (forgotten, moved)
    }

    /// Our user fragment and password in the latest local description.
    pub fn credentials(&self) -> Option<(String, String)> {
        negotiate::credentials(&self.pc.local_description()?.sdp)
    }

    /// Reads what was negotiated: payload types may differ for each connection and may change.
    pub fn learn_codecs(&mut self) {
        match self.side {
            Side::Publish => {
                let receivers: Vec<_> = self.pc.get_receivers().collect();
                for id in receivers {
                    let Some(mut receiver) = self.pc.rtp_receiver(id) else { continue };
                    for parameters in &receiver.get_parameters().rtp_parameters.codecs {
                        if let Some(codec) = Codec::of_mime(&parameters.rtp_codec.mime_type) {
                            self.codecs.insert(parameters.payload_type, codec);
                        }
                    }
                }
            }
            Side::Subscribe => {
                for output in &mut self.outputs {
                    let Some(mut sender) = self.pc.rtp_sender(output.sender) else { continue };
                    output.payload_types = sender
                        .get_parameters()
                        .rtp_parameters
                        .codecs
                        .iter()
                        .filter_map(|p| Some((Codec::of_mime(&p.rtp_codec.mime_type)?, p.payload_type)))
                        .collect();
                }
            }
        }
    }
}

/// Runs the stack on a stranger's bytes: its error as text, and its panic as an error, so that one client cannot end everybody's call.
pub(crate) fn guarded<T>(run: impl FnOnce() -> Result<T, Error>) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(result) => result.map_err(|error| error.to_string()),
        Err(_) => Err("the WebRTC stack panicked".to_owned()),
    }
}

/// The codec as the stack wants it described.
pub(crate) fn describe(codec: Codec) -> RTCRtpCodec {
    let feedback = |list: &[(&str, &str)]| {
        list.iter()
            .map(|(typ, parameter)| RTCPFeedback { typ: (*typ).into(), parameter: (*parameter).into() })
            .collect()
    };
    let video = feedback(&[("ccm", "fir"), ("nack", ""), ("nack", "pli"), ("transport-cc", "")]);
    let (mime, clock_rate, channels, fmtp, rtcp_feedback) = match codec {
        Codec::Opus => ("audio/opus", 48_000, 2, "minptime=10;useinbandfec=1", Vec::new()),
        Codec::Vp8 | Codec::Vp9 | Codec::Av1 => ("video/VP8", 90_000, 0, "", video),
        Codec::H264 => {
            let fmtp = "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f";
            ("video/H264", 90_000, 0, fmtp, video)
        }
    };
    RTCRtpCodec { mime_type: mime.into(), clock_rate, channels, sdp_fmtp_line: fmtp.into(), rtcp_feedback }
}

/// What each side speaks. No retransmission format towards publishers: they then resend lost packets as they were, which the stack's
/// request generator understands; it does not see what comes inside RTX (rtc 0.21.1), and asks without end.
fn codecs(side: Side) -> Vec<(RTCRtpCodec, u8)> {
    let rtx = |of: u8| RTCRtpCodec {
        mime_type: "video/rtx".into(),
        clock_rate: 90_000,
        channels: 0,
        sdp_fmtp_line: format!("apt={of}"),
        rtcp_feedback: Vec::new(),
    };
    let mut list = vec![(describe(Codec::Opus), 111), (describe(Codec::Vp8), 96), (describe(Codec::H264), 102)];
    if side == Side::Subscribe {
        list.extend([(rtx(96), 97), (rtx(102), 103)]);
    }
    list
}

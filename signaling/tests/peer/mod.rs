//! A participant for tests: the asynchronous `webrtc` stack as an independent peer, and a hub around the media server.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    reason = "test code"
)]

use rtc::media_stream::MediaStreamTrack;
use rtc::peer_connection::transport::RTCDtlsRole;
use rtc::rtp::{Header, Packet};
use rtc::rtp_transceiver::rtp_sender::{RTCRtpCodec, RTCRtpCodingParameters, RTCRtpEncodingParameters, RtpCodecKind};
use signaling::message::{Kind, TrackView};
use signaling::{
    ClientMessage, Clock, Connection, Join, MediaConfig, MediaServer, MemberId, Role, RoomCommand, RoomConfig,
    RoomEvent, RoomHandle, SeatToken, ServerMessage,
};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::mpsc;
use webrtc::media_stream::track_local::TrackLocal;
use webrtc::media_stream::track_local::static_rtp::TrackLocalStaticRTP;
use webrtc::media_stream::track_remote::{TrackRemote, TrackRemoteEvent};
use webrtc::peer_connection::{
    MediaEngine, PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler, RTCSessionDescription,
    SettingEngineBuilder,
};

const PATIENCE: Duration = Duration::from_secs(15);

/// Asks until the answer is true.
pub async fn until(what: &str, mut probe: impl FnMut() -> bool) {
    let end = tokio::time::Instant::now() + PATIENCE;
    while !probe() {
        assert!(tokio::time::Instant::now() < end, "not in time: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A media server with one room.
pub struct Hub {
    pub server: MediaServer,
    pub room: RoomHandle,
    pub events: Arc<Mutex<Vec<RoomEvent>>>,
}

impl Hub {
    pub fn open() -> Self {
        let server = MediaServer::bind(MediaConfig {
            listen: "127.0.0.1:0".parse().unwrap(),
            public_addresses: Vec::new(),
            workers: None,
            clock: Clock::default(),
        })
        .unwrap();
        let (sender, mut happened) = mpsc::channel(64);
        let events = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&events);
        tokio::spawn(async move {
            while let Some(event) = happened.recv().await {
                kept.lock().unwrap().push(event);
            }
        });
        let room = server.open_room(RoomConfig {
            id: "room".into(),
            waiting_room: true,
            notice_version: None,
            events: sender,
        });
        Self { server, room, events }
    }

    pub async fn join(&self, member: &str, role: Role, admitted: bool) -> Connection {
        self.room
            .join(Join { member: member.into(), name: member.to_owned(), role, admitted, ice_servers: Vec::new() })
            .await
            .unwrap()
    }

    pub async fn order(&self, command: RoomCommand) {
        self.room.command(command).await.unwrap();
    }

    /// The names of the events so far.
    pub fn told(&self) -> Vec<String> {
        let events = self.events.lock().unwrap();
        events.iter().map(|event| serde_json::to_value(event).unwrap()["event"].as_str().unwrap().to_owned()).collect()
    }
}

/// What a tab has got so far.
#[derive(Default)]
pub struct Seen {
    pub messages: Mutex<Vec<ServerMessage>>,
    /// Packets by the section they came on.
    pub packets: Mutex<HashMap<(MemberId, Kind), u64>>,
    /// Sequence numbers of video, in the order of arrival.
    pub video: Mutex<Vec<u16>>,
    tracks: Mutex<Vec<TrackView>>,
    offers: AtomicU64,
    pub closed: AtomicBool,
}

impl Seen {
    pub fn has(&self, wanted: impl Fn(&ServerMessage) -> bool) -> bool {
        self.messages.lock().unwrap().iter().any(wanted)
    }

    pub fn packets(&self, from: &str, kind: Kind) -> u64 {
        self.packets.lock().unwrap().get(&(from.into(), kind)).copied().unwrap_or(0)
    }

    pub fn offers(&self) -> u64 {
        self.offers.load(Ordering::SeqCst)
    }

    pub fn seat(&self) -> Option<SeatToken> {
        self.messages.lock().unwrap().iter().find_map(|message| match message {
            ServerMessage::Welcome { seat, .. } => Some(seat.clone()),
            _ => None,
        })
    }
}

struct Handler {
    seen: Arc<Seen>,
}

#[async_trait::async_trait]
impl PeerConnectionEventHandler for Handler {
    async fn on_track(&self, track: Arc<dyn TrackRemote>) {
        let seen = Arc::clone(&self.seen);
        let kind = if track.kind().await == RtpCodecKind::Video { Kind::Video } else { Kind::Audio };
        // The hub names a member's stream after the member.
        let member = MemberId::new(track.stream_id().await);
        tokio::spawn(async move {
            while let Some(event) = track.poll().await {
                if let TrackRemoteEvent::OnRtpPacket(packet) = event {
                    *seen.packets.lock().unwrap().entry((member.clone(), kind)).or_default() += 1;
                    if kind == Kind::Video {
                        seen.video.lock().unwrap().push(packet.header.sequence_number);
                    }
                }
            }
        });
    }
}

/// A browser tab: socket, publish and subscribe connection.
pub struct Tab {
    pub seen: Arc<Seen>,
    socket: mpsc::Sender<ClientMessage>,
    publishing: Arc<dyn PeerConnection>,
    sending: Arc<AtomicBool>,
    task: tokio::task::JoinHandle<()>,
}

impl Tab {
    /// Says hello and publishes once admitted: small pictures of one packet.
    pub async fn open(connection: Connection, resume: Option<SeatToken>) -> Self {
        Self::open_with(connection, resume, Picture { packets: 1, bytes: 16 }).await
    }

    /// The same with pictures of a chosen size.
    pub async fn open_with(connection: Connection, resume: Option<SeatToken>, picture: Picture) -> Self {
        let seen = Arc::new(Seen::default());
        let publishing: Arc<dyn PeerConnection> = Arc::new(connect(&seen).await);
        let subscribing: Arc<dyn PeerConnection> = Arc::new(connect(&seen).await);
        let sending = Arc::new(AtomicBool::new(true));
        for kind in [RtpCodecKind::Audio, RtpCodecKind::Video] {
            let track = Arc::new(TrackLocalStaticRTP::new(local_track(kind)));
            publishing.add_track(Arc::clone(&track) as Arc<dyn TrackLocal>).await.unwrap();
            tokio::spawn(send(track, kind, picture, Arc::clone(&sending)));
        }
        let socket = connection.inbox.clone();
        socket.send(ClientMessage::Hello { resume }).await.unwrap();
        let task = tokio::spawn(run(connection, Arc::clone(&seen), Arc::clone(&publishing), subscribing));
        Self { seen, socket, publishing, sending, task }
    }

    pub async fn say(&self, message: ClientMessage) {
        self.socket.send(message).await.unwrap();
    }

    /// Offers the publish connection, with an ICE restart.
    pub async fn restart(&self) {
        self.publishing.restart_ice().await.unwrap();
        let offer = self.publishing.create_offer(None).await.unwrap();
        self.publishing.set_local_description(offer).await.unwrap();
        let sdp = self.publishing.local_description().await.unwrap().sdp;
        self.say(ClientMessage::Offer { sdp }).await;
        self.say(ClientMessage::RestartIce).await;
    }

    /// The tab dies: socket and media end without a word.
    pub fn die(self) {
        self.sending.store(false, Ordering::SeqCst);
        self.task.abort();
    }
}

async fn run(
    mut connection: Connection,
    seen: Arc<Seen>,
    publishing: Arc<dyn PeerConnection>,
    subscribing: Arc<dyn PeerConnection>,
) {
    while let Some(message) = connection.outbox.recv().await {
        match &message {
            ServerMessage::Admitted => {
                let offer = publishing.create_offer(None).await.unwrap();
                publishing.set_local_description(offer).await.unwrap();
                let sdp = publishing.local_description().await.unwrap().sdp;
                connection.inbox.send(ClientMessage::Offer { sdp }).await.unwrap();
            }
            ServerMessage::Answer { sdp } => {
                let answer = RTCSessionDescription::answer(sdp.clone()).unwrap();
                publishing.set_remote_description(answer).await.unwrap();
            }
            ServerMessage::Offer { sdp, tracks } => {
                seen.tracks.lock().unwrap().clone_from(tracks);
                let offer = RTCSessionDescription::offer(sdp.clone()).unwrap();
                subscribing.set_remote_description(offer).await.unwrap();
                let answer = subscribing.create_answer(None).await.unwrap();
                subscribing.set_local_description(answer).await.unwrap();
                let sdp = subscribing.local_description().await.unwrap().sdp;
                connection.inbox.send(ClientMessage::Answer { sdp }).await.unwrap();
                seen.offers.fetch_add(1, Ordering::SeqCst);
            }
            _ => {}
        }
        seen.messages.lock().unwrap().push(message);
    }
    seen.closed.store(true, Ordering::SeqCst);
}

async fn connect(seen: &Arc<Seen>) -> impl PeerConnection {
    let mut media = MediaEngine::default();
    media.register_default_codecs().unwrap();
    PeerConnectionBuilder::new()
        .with_media_engine(media)
        // Left to itself this stack wants to be the DTLS server of an ICE-lite peer; browsers do not, and the hub always is.
        .with_setting_engine(SettingEngineBuilder::new().with_answering_dtls_role(RTCDtlsRole::Client).build())
        .with_handler(Arc::new(Handler { seen: Arc::clone(seen) }))
        .with_udp_addrs(vec!["127.0.0.1:0".to_owned()])
        .build()
        .await
        .unwrap_or_else(|error| panic!("{error}"))
}

fn ssrc(kind: RtpCodecKind) -> u32 {
    if kind == RtpCodecKind::Video { 0x5EED_0002 } else { 0x5EED_0001 }
}

fn local_track(kind: RtpCodecKind) -> MediaStreamTrack {
    let (name, mime, rate, channels) = match kind {
        RtpCodecKind::Video => ("video", "video/VP8", 90_000, 0),
        _ => ("audio", "audio/opus", 48_000, 2),
    };
    let codec = RTCRtpCodec { mime_type: mime.into(), clock_rate: rate, channels, ..Default::default() };
    let coding = RTCRtpEncodingParameters {
        rtp_coding_parameters: RTCRtpCodingParameters { ssrc: Some(ssrc(kind)), ..Default::default() },
        codec,
        ..Default::default()
    };
    MediaStreamTrack::new("stream".into(), name.into(), name.into(), kind, vec![coding])
}

/// What a picture is sent as.
#[derive(Debug, Clone, Copy)]
pub struct Picture {
    /// Packets for each.
    pub packets: u32,
    /// Payload bytes in each packet, 16 or more.
    pub bytes: usize,
}

/// 50 packets of sound or 25 pictures a second; every tenth picture is a key frame.
async fn send(track: Arc<TrackLocalStaticRTP>, kind: RtpCodecKind, picture: Picture, sending: Arc<AtomicBool>) {
    let is_video = kind == RtpCodecKind::Video;
    let (period, step, payload_type, packets) =
        if is_video { (40, 3_600, 96, picture.packets) } else { (20, 960, 111, 1) };
    let mut ticks = tokio::time::interval(Duration::from_millis(period));
    let mut sequence = 0u16;
    for n in 0u32.. {
        ticks.tick().await;
        if !sending.load(Ordering::SeqCst) {
            return;
        }
        for part in 0..packets {
            let mut payload = match (is_video, part, n % 10) {
                (false, ..) => vec![0xfc, 0xff, 0xfe],
                (true, 0, 0) => vec![0x10, 0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0x68, 0x01, 0x55],
                (true, 0, _) => vec![0x10, 0x11, 0x02, 0x00, 1, 2],
                (true, ..) => vec![0x00, 1, 2],
            };
            if is_video {
                payload.resize(picture.bytes, 7);
            }
            let header = Header {
                version: 2,
                marker: is_video && part + 1 == packets,
                payload_type,
                sequence_number: sequence,
                timestamp: n * step,
                ssrc: ssrc(kind),
                ..Header::default()
            };
            sequence = sequence.wrapping_add(1);
            // Before the connection is up there is nowhere to write to.
            let _ = track.write_rtp(Packet { header, payload: payload.into() }).await;
        }
    }
}

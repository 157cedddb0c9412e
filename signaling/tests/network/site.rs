//! A participant behind a network of its own: the asynchronous `webrtc` stack with repairs (NACK, RTX, transport-wide feedback) and simulcast,
//! which restarts ICE as the browser's client does.

use crate::relay::Relay;
use crate::send::{self, Source};
use rtc::media_stream::MediaStreamTrack;
use rtc::peer_connection::configuration::interceptor_registry::{
    configure_simulcast_extension_headers, register_default_interceptors,
};
use rtc::peer_connection::transport::{RTCDtlsRole, RTCIceCandidateInit};
use rtc::rtp_transceiver::rtp_sender::{
    RTCRtpCodec, RTCRtpCodingParameters, RTCRtpEncodingParameters, RTCRtpRtxParameters, RtpCodecKind,
};
use signaling::message::Kind;
use signaling::{ClientMessage, Connection, MemberId, SeatToken, ServerMessage};
use std::collections::{BTreeSet, HashMap};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{Notify, mpsc};
use webrtc::media_stream::track_local::TrackLocal;
use webrtc::media_stream::track_local::static_rtp::TrackLocalStaticRTP;
use webrtc::media_stream::track_remote::{TrackRemote, TrackRemoteEvent};
use webrtc::peer_connection::{
    MediaEngine, PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler, RTCPeerConnectionState,
    RTCSessionDescription, Registry, SettingEngineBuilder,
};

/// Restarts follow each other at this distance at least, as in the browser's client.
const RESTART_REST: Duration = Duration::from_secs(3);

/// How a site reaches the hub, and what it sends.
#[derive(Clone, Default)]
pub struct Plan {
    /// The hub's UDP candidates are this relay's; without one they are the hub's own.
    pub relay: Option<Arc<Relay>>,
    /// TCP candidates are tried, too.
    pub tcp: bool,
    /// Three layers of the picture.
    pub layers: bool,
    /// It answers to losses by restarts of ICE.
    pub restarts: bool,
    /// Stands at the end of each packet, with layers their number instead.
    pub mark: u8,
}

/// A packet as it came.
#[derive(Debug, Clone, Copy)]
pub struct Arrival {
    pub sequence: u16,
    pub timestamp: u32,
    /// The layer or mark that the publisher wrote into it.
    pub layer: u8,
}

/// What a site has got so far.
#[derive(Default)]
pub struct Seen {
    messages: Mutex<Vec<ServerMessage>>,
    arrivals: Mutex<HashMap<(MemberId, Kind), Vec<Arrival>>>,
    offers: AtomicU64,
}

impl Seen {
    pub fn arrivals(&self, from: &str, kind: Kind) -> Vec<Arrival> {
        self.arrivals.lock().unwrap().get(&(from.into(), kind)).cloned().unwrap_or_default()
    }

    pub fn packets(&self, from: &str, kind: Kind) -> usize {
        self.arrivals.lock().unwrap().get(&(from.into(), kind)).map_or(0, Vec::len)
    }

    /// Of each layer.
    pub fn layers(&self, from: &str) -> [usize; 3] {
        let arrivals = self.arrivals(from, Kind::Video);
        [0, 1, 2].map(|layer| arrivals.iter().filter(|arrival| arrival.layer == layer).count())
    }

    /// How many different packets came from an arrival on, and how many should have: up to fifty before the last, since what is
    /// under way may still come.
    pub fn whole(&self, from: &str, kind: Kind, since: usize) -> (usize, usize) {
        let numbers = unwrapped(&self.arrivals(from, kind));
        let (low, high) = (numbers[since], numbers[numbers.len() - 1] - 50);
        let came: BTreeSet<_> = numbers.into_iter().filter(|number| (low..high).contains(number)).collect();
        (came.len(), usize::try_from(high - low).unwrap())
    }

    pub fn seat(&self) -> Option<SeatToken> {
        self.messages.lock().unwrap().iter().rev().find_map(|message| match message {
            ServerMessage::Welcome { seat, .. } => Some(seat.clone()),
            _ => None,
        })
    }

    pub fn offers(&self) -> u64 {
        self.offers.load(Ordering::SeqCst)
    }
}

/// Sequence numbers without their wrapping round.
pub fn unwrapped(arrivals: &[Arrival]) -> Vec<i64> {
    let mut before: Option<(u16, i64)> = None;
    let number = |arrival: &Arrival| {
        let number = before.map_or(i64::from(arrival.sequence), |(sequence, number)| {
            number + i64::from(arrival.sequence.wrapping_sub(sequence).cast_signed())
        });
        before = Some((arrival.sequence, number));
        number
    };
    arrivals.iter().map(number).collect()
}

struct Handler {
    seen: Arc<Seen>,
    up: Arc<AtomicBool>,
    trouble: Arc<Notify>,
}

#[async_trait::async_trait]
impl PeerConnectionEventHandler for Handler {
    async fn on_connection_state_change(&self, state: RTCPeerConnectionState) {
        self.up.store(state == RTCPeerConnectionState::Connected, Ordering::SeqCst);
        if matches!(state, RTCPeerConnectionState::Disconnected | RTCPeerConnectionState::Failed) {
            self.trouble.notify_one();
        }
    }

    async fn on_track(&self, track: Arc<dyn TrackRemote>) {
        let seen = Arc::clone(&self.seen);
        let kind = if track.kind().await == RtpCodecKind::Video { Kind::Video } else { Kind::Audio };
        // In a small room the hub names a member's stream after the member.
        let member = MemberId::new(track.stream_id().await);
        tokio::spawn(async move {
            while let Some(event) = track.poll().await {
                if let TrackRemoteEvent::OnRtpPacket(packet) = event {
                    let arrival = Arrival {
                        sequence: packet.header.sequence_number,
                        timestamp: packet.header.timestamp,
                        layer: packet.payload.last().copied().unwrap_or_default(),
                    };
                    seen.arrivals.lock().unwrap().entry((member.clone(), kind)).or_default().push(arrival);
                }
            }
        });
    }
}

/// A browser tab somewhere.
pub struct Site {
    pub seen: Arc<Seen>,
    pub publishing: Arc<dyn PeerConnection>,
    link: Arc<Link>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

/// What the tasks of a site share.
struct Link {
    socket: mpsc::Sender<ClientMessage>,
    publishing: Arc<dyn PeerConnection>,
    subscribing: Arc<dyn PeerConnection>,
    publish_up: Arc<AtomicBool>,
    subscribe_up: Arc<AtomicBool>,
    hub: SocketAddr,
    plan: Plan,
}

impl Drop for Site {
    fn drop(&mut self) {
        self.tasks.iter().for_each(tokio::task::JoinHandle::abort);
    }
}

impl Site {
    /// Says hello, and publishes once admitted.
    pub async fn open(connection: Connection, hub: SocketAddr, plan: Plan) -> Self {
        Self::resume(connection, hub, plan, None).await
    }

    pub async fn resume(connection: Connection, hub: SocketAddr, plan: Plan, seat: Option<SeatToken>) -> Self {
        let seen = Arc::new(Seen::default());
        let trouble = Arc::new(Notify::new());
        let (publish_up, subscribe_up) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let handler = |up: &Arc<AtomicBool>| Handler {
            seen: Arc::clone(&seen),
            up: Arc::clone(up),
            trouble: Arc::clone(&trouble),
        };
        let publishing: Arc<dyn PeerConnection> = Arc::new(connect(handler(&publish_up), &plan).await);
        let subscribing: Arc<dyn PeerConnection> = Arc::new(connect(handler(&subscribe_up), &plan).await);
        let mut tasks = Vec::new();
        for kind in [RtpCodecKind::Audio, RtpCodecKind::Video] {
            let track = Arc::new(TrackLocalStaticRTP::new(local_track(kind, plan.layers)));
            let sender = publishing.add_track(Arc::clone(&track) as Arc<dyn TrackLocal>).await.unwrap();
            let source =
                Source { track, sender, kind, layers: plan.layers, mark: plan.mark, up: Arc::clone(&publish_up) };
            tasks.push(tokio::spawn(send::run(source)));
        }
        let socket = connection.inbox.clone();
        socket.send(ClientMessage::Hello { resume: seat }).await.unwrap();
        let link = Arc::new(Link {
            socket,
            publishing: Arc::clone(&publishing),
            subscribing,
            publish_up,
            subscribe_up,
            hub,
            plan,
        });
        tasks.push(tokio::spawn(run(connection, Arc::clone(&seen), Arc::clone(&link))));
        if link.plan.restarts {
            tasks.push(tokio::spawn(keep(Arc::clone(&link), trouble)));
        }
        Self { seen, publishing, link, tasks }
    }

    pub async fn say(&self, message: ClientMessage) {
        self.link.socket.send(message).await.unwrap();
    }

    /// Offers the publish connection anew.
    pub async fn offer(&self) {
        self.link.offer().await;
    }

    /// Restarts ICE on both connections.
    pub async fn restart(&self) {
        self.link.restart().await;
    }

    /// Both connections are up.
    pub fn is_up(&self) -> bool {
        self.link.is_up()
    }

    pub fn answers(&self) -> usize {
        let messages = self.seen.messages.lock().unwrap();
        messages.iter().filter(|message| matches!(message, ServerMessage::Answer { .. })).count()
    }
}

impl Link {
    async fn offer(&self) {
        let offer = self.publishing.create_offer(None).await.unwrap();
        self.publishing.set_local_description(offer).await.unwrap();
        let sdp = self.publishing.local_description().await.unwrap().sdp;
        let _ = self.socket.send(ClientMessage::Offer { sdp }).await;
    }

    async fn restart(&self) {
        self.publishing.restart_ice().await.unwrap();
        self.offer().await;
        let _ = self.socket.send(ClientMessage::RestartIce).await;
    }

    fn is_up(&self) -> bool {
        self.publish_up.load(Ordering::SeqCst) && self.subscribe_up.load(Ordering::SeqCst)
    }

    /// The hub's description as the network makes it: UDP by way of the relay, TCP apart, since this stack takes it only as a trickled candidate.
    fn read(&self, sdp: &str) -> (String, Vec<String>) {
        let (mut text, mut tcp) = (String::new(), Vec::new());
        let (before, after) = (self.hub, self.plan.relay.as_ref().map_or(self.hub, |relay| relay.address));
        for line in sdp.split_inclusive("\r\n") {
            let Some(candidate) = line.strip_prefix("a=candidate:") else {
                text.push_str(line);
                continue;
            };
            if candidate.contains(" tcp ") {
                let whole = format!("candidate:{}", candidate.trim_end());
                if self.plan.tcp && !tcp.contains(&whole) {
                    tcp.push(whole);
                }
            } else {
                let place = |at: SocketAddr| format!(" {} {} ", at.ip(), at.port());
                text.push_str(&line.replace(&place(before), &place(after)));
            }
        }
        (text, tcp)
    }
}

async fn run(mut connection: Connection, seen: Arc<Seen>, link: Arc<Link>) {
    while let Some(message) = connection.outbox.recv().await {
        match &message {
            ServerMessage::Admitted => link.offer().await,
            ServerMessage::Answer { sdp } => {
                let (sdp, tcp) = link.read(sdp);
                let answer = RTCSessionDescription::answer(sdp).unwrap();
                // An answer to an offer that a later one has overtaken is of no use.
                if link.publishing.set_remote_description(answer).await.is_ok() {
                    trickle(&link.publishing, tcp).await;
                }
            }
            ServerMessage::Offer { sdp, .. } => {
                let (sdp, tcp) = link.read(sdp);
                let offer = RTCSessionDescription::offer(sdp).unwrap();
                link.subscribing.set_remote_description(offer).await.unwrap();
                trickle(&link.subscribing, tcp).await;
                let answer = link.subscribing.create_answer(None).await.unwrap();
                link.subscribing.set_local_description(answer).await.unwrap();
                let sdp = link.subscribing.local_description().await.unwrap().sdp;
                let _ = connection.inbox.send(ClientMessage::Answer { sdp }).await;
                seen.offers.fetch_add(1, Ordering::SeqCst);
            }
            _ => {}
        }
        seen.messages.lock().unwrap().push(message);
    }
}

async fn trickle(connection: &Arc<dyn PeerConnection>, candidates: Vec<String>) {
    for candidate in candidates {
        let init = RTCIceCandidateInit { candidate, sdp_mid: Some("0".to_owned()), ..Default::default() };
        connection.add_ice_candidate(init).await.unwrap();
    }
}

/// Restarts while either connection is down.
async fn keep(link: Arc<Link>, trouble: Arc<Notify>) {
    loop {
        trouble.notified().await;
        while !link.is_up() {
            link.restart().await;
            tokio::time::sleep(RESTART_REST).await;
        }
    }
}

async fn connect(handler: Handler, plan: &Plan) -> impl PeerConnection {
    let mut media = MediaEngine::default();
    media.register_default_codecs().unwrap();
    configure_simulcast_extension_headers(&mut media).unwrap();
    let registry = register_default_interceptors(Registry::new(), &mut media).unwrap();
    let settings = SettingEngineBuilder::new()
        // Left to itself this stack wants to be the DTLS server of an ICE-lite peer; browsers do not, and the hub always is.
        .with_answering_dtls_role(RTCDtlsRole::Client)
        // Browsers look at their line about once a second.
        .with_ice_timeouts(None, None, Some(Duration::from_secs(1)))
        // Under heavy losses its seven checks of a pair are too few; browsers go on for half a minute.
        .with_ice_connection_attempts(Some(Duration::from_millis(100)), Some(250))
        .build();
    let local = || vec!["127.0.0.1:0".to_owned()];
    let mut builder = PeerConnectionBuilder::new()
        .with_media_engine(media)
        .with_interceptor_registry(registry)
        .with_setting_engine(settings)
        .with_handler(Arc::new(handler))
        .with_udp_addrs(local());
    if plan.tcp {
        builder = builder.with_tcp_addrs(local());
    }
    builder.build().await.unwrap_or_else(|error| panic!("{error}"))
}

fn local_track(kind: RtpCodecKind, layers: bool) -> MediaStreamTrack {
    let (name, mime, rate, channels) = match kind {
        RtpCodecKind::Video => ("video", "video/VP8", 90_000, 0),
        _ => ("audio", "audio/opus", 48_000, 2),
    };
    let coding = |layer: usize, rid: &str| {
        let ssrc = send::ssrc(kind, layer);
        let rtx = (kind == RtpCodecKind::Video).then_some(RTCRtpRtxParameters { ssrc: ssrc + 0x100 });
        RTCRtpEncodingParameters {
            rtp_coding_parameters: RTCRtpCodingParameters {
                rid: rid.to_owned(),
                ssrc: Some(ssrc),
                rtx,
                ..Default::default()
            },
            codec: RTCRtpCodec { mime_type: mime.into(), clock_rate: rate, channels, ..Default::default() },
            ..Default::default()
        }
    };
    let codings = if layers && kind == RtpCodecKind::Video {
        send::RIDS.iter().enumerate().map(|(layer, rid)| coding(layer, rid)).collect()
    } else {
        vec![coding(0, "")]
    };
    MediaStreamTrack::new("stream".into(), name.into(), name.into(), kind, codings)
}

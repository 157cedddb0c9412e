//! One peer connection of str0m on its own socket: publish or subscribe.

use super::clock;
use super::link::Link;
use super::picture::Layer;
use super::socket::{Buffers, Socket};
use super::tally::Tally;
use anyhow::{Context, Result, anyhow};
use mio::{Registry, Token};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};
use str0m::change::{SdpAnswer, SdpOffer, SdpPendingOffer};
use str0m::config::{CryptoProvider, DtlsCert};
use str0m::media::{Direction, MediaKind, Mid, Rid, Simulcast, SimulcastLayer};
use str0m::net::{Protocol, Receive};
use str0m::rtp::{ExtensionValues, RtpWrite};
use str0m::{Candidate, Event, Input, Output, Rtc};

/// Louder than this, in -dBov, is marked as voice.
const VOICE: i8 = -60;

/// What all peers of a fleet share.
pub struct Common {
    pub crypto: Arc<CryptoProvider>,
    pub certificate: DtlsCert,
    /// Where client sockets are bound.
    pub ip: IpAddr,
}

/// A section that we send on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Track {
    Sound,
    Picture,
}

pub struct Peer {
    rtc: Rtc,
    socket: Socket,
    pending: Option<SdpPendingOffer>,
    sound: Option<Mid>,
    picture: Option<Mid>,
    pub deadline: Instant,
    pub connected: Option<Instant>,
    /// Layers of which a key frame was asked; none is a stream without simulcast.
    pub keyframes_wanted: Vec<Option<String>>,
    pub keyframe_requests: u64,
    /// What comes in passes through here first.
    pub link: Option<Link>,
}

/// One packet to be sent.
pub struct Outgoing {
    pub track: Track,
    pub rid: Option<&'static str>,
    pub number: u64,
    pub timestamp: u32,
    pub marker: bool,
    /// Loudness in -dBov, with sound.
    pub level: Option<i8>,
    pub payload: Vec<u8>,
}

impl Peer {
    pub fn new(common: &Common, registry: &Registry, token: Token, now: Instant) -> Result<Self> {
        let mut rtc = Rtc::builder()
            .set_crypto_provider(Arc::clone(&common.crypto))
            .set_dtls_cert(common.certificate.clone())
            .clear_codecs()
            .enable_opus(true, false)
            .enable_vp8(true)
            .set_rtp_mode(true)
            .build(now);
        let socket = Socket::bind(common.ip, registry, token)?;
        rtc.add_local_candidate(Candidate::host(socket.local(), "udp")?);
        Ok(Self {
            rtc,
            socket,
            pending: None,
            sound: None,
            picture: None,
            deadline: now,
            connected: None,
            keyframes_wanted: Vec::new(),
            keyframe_requests: 0,
            link: None,
        })
    }

    pub fn is_connected(&self) -> bool {
        self.connected.is_some()
    }

    /// An offer that sends sound and, with layers, a picture.
    pub fn offer(&mut self, sound: bool, layers: &[Layer]) -> Result<String> {
        let mut changes = self.rtc.sdp_api();
        let send = Direction::SendOnly;
        if sound {
            self.sound = Some(changes.add_media(MediaKind::Audio, send, Some("m".to_owned()), None, None));
        }
        if !layers.is_empty() {
            let mut simulcast = Simulcast::new();
            let rids = layers.iter().filter_map(|layer| layer.rid);
            rids.for_each(|rid| simulcast.add_send_layer(SimulcastLayer::new(rid)));
            let simulcast = (!simulcast.send.is_empty()).then_some(simulcast);
            self.picture = Some(changes.add_media(MediaKind::Video, send, Some("m".to_owned()), None, simulcast));
        }
        let (offer, pending) = changes.apply().context("nothing to offer")?;
        self.pending = Some(pending);
        Ok(offer.to_sdp_string())
    }

    /// The server's answer to our offer.
    pub fn answered(&mut self, sdp: &str) -> Result<()> {
        let pending = self.pending.take().context("no offer is open")?;
        let answer = SdpAnswer::from_sdp_string(sdp).map_err(|error| anyhow!("{error:?}\n{sdp}"))?;
        self.rtc.sdp_api().accept_answer(pending, answer)?;
        Ok(())
    }

    /// Answers the server's offer. Where it leaves the choice, str0m would wait for the other to begin DTLS, and browsers begin (RFC 8842
    /// recommends it, our hub relies on it); so it is shown a server that waits.
    pub fn accept(&mut self, sdp: &str) -> Result<String> {
        let sdp = &sdp.replace("a=setup:actpass", "a=setup:passive");
        let offer = SdpOffer::from_sdp_string(sdp).map_err(|error| anyhow!("{error:?}\n{sdp}"))?;
        Ok(self.rtc.sdp_api().accept_offer(offer)?.to_sdp_string())
    }

    /// Reads the socket dry.
    pub fn readable(&mut self, buffers: &mut Buffers, tally: &mut Tally) {
        let now = Instant::now();
        let Self { rtc, socket, link, .. } = self;
        let mut rest = Rest { deadline: Some(self.deadline), ..Rest::default() };
        let destination = socket.local();
        socket.receive(buffers, |datagram, source, arrived| match link {
            Some(link) => link.push(datagram, source, now),
            None => read(rtc, datagram, (source, destination), (arrived, now), tally, &mut rest),
        });
        self.take(rest, now);
        self.pass(now, tally);
    }

    /// Time passed, or something was written: lets the stack do what is due.
    pub fn tick(&mut self, now: Instant, tally: &mut Tally) {
        let mut rest = Rest::default();
        if self.rtc.handle_input(Input::Timeout(now)).is_ok() {
            drain(&mut self.rtc, (clock::now(), now), tally, &mut rest);
        }
        self.take(rest, now);
        self.pass(now, tally);
    }

    /// What has come through the link.
    fn pass(&mut self, now: Instant, tally: &mut Tally) {
        let Some(mut link) = self.link.take() else { return };
        let mut rest = Rest { deadline: Some(self.deadline), ..Rest::default() };
        while let Some(waiting) = link.pop(now) {
            let addresses = (waiting.source, self.socket.local());
            read(&mut self.rtc, &waiting.datagram, addresses, (clock::now(), now), tally, &mut rest);
        }
        self.take(rest, now);
        self.deadline = link.deadline().map_or(self.deadline, |due| due.min(self.deadline));
        self.link = Some(link);
    }

    fn take(&mut self, rest: Rest, now: Instant) {
        rest.datagrams.iter().for_each(|(datagram, to)| self.socket.queue(datagram, *to));
        self.socket.flush();
        self.keyframe_requests += u64::try_from(rest.keyframes.len()).unwrap_or_default();
        self.keyframes_wanted.extend(rest.keyframes);
        if rest.connected {
            self.connected.get_or_insert(now);
        }
        // A stack that is closed asks for nothing any more.
        self.deadline = rest.deadline.unwrap_or(now + Duration::from_secs(1));
    }

    /// Gives a packet to the stack; [`Self::tick`] sends it. False before the connection and its sections are there.
    pub fn write(&mut self, packet: Outgoing, now: Instant) -> bool {
        if self.connected.is_none() {
            return false;
        }
        let Some(mid) = (if packet.track == Track::Sound { self.sound } else { self.picture }) else { return false };
        let Some(payload_type) = self.rtc.media(mid).and_then(|media| media.remote_pts().first().copied()) else {
            return false;
        };
        let mut direct = self.rtc.direct_api();
        let Some(stream) = direct.stream_tx_by_mid(mid, packet.rid.map(Rid::from)) else { return false };
        // str0m writes the level only together with a word on voice.
        let voice_activity = packet.level.map(|level| level > VOICE);
        let extensions = ExtensionValues { audio_level: packet.level, voice_activity, ..ExtensionValues::default() };
        let write = RtpWrite::new(payload_type, packet.number.into(), packet.timestamp, now, packet.payload)
            .marker(packet.marker)
            .nackable(packet.track == Track::Picture)
            .ext_vals(extensions);
        stream.write_rtp(write);
        true
    }
}

/// What a stack gave besides packets.
#[derive(Default)]
struct Rest {
    datagrams: Vec<(Vec<u8>, SocketAddr)>,
    keyframes: Vec<Option<String>>,
    connected: bool,
    deadline: Option<Instant>,
}

/// A datagram for the stack, and all that it makes of it. `times` is the arrival by the wall clock and now.
fn read(
    rtc: &mut Rtc,
    datagram: &[u8],
    (source, destination): (SocketAddr, SocketAddr),
    times: (u64, Instant),
    tally: &mut Tally,
    rest: &mut Rest,
) {
    let Ok(contents) = datagram.try_into() else { return };
    let receive = Receive { proto: Protocol::Udp, source, destination, contents };
    if rtc.handle_input(Input::Receive(times.1, receive)).is_ok() {
        drain(rtc, times, tally, rest);
    }
}

fn drain(rtc: &mut Rtc, (arrived, now): (u64, Instant), tally: &mut Tally, rest: &mut Rest) {
    loop {
        match rtc.poll_output() {
            Ok(Output::Timeout(at)) => {
                rest.deadline = Some(at);
                return;
            }
            Ok(Output::Transmit(transmit)) => rest.datagrams.push((transmit.contents.into(), transmit.destination)),
            Ok(Output::Event(Event::RtpPacket(packet))) => {
                tally.packet(*packet.header.ssrc, *packet.seq_no, &packet.payload, arrived, now);
            }
            Ok(Output::Event(Event::Connected)) => rest.connected = true,
            Ok(Output::Event(Event::KeyframeRequest(request))) => {
                rest.keyframes.push(request.rid.map(|rid| rid.to_string()));
            }
            Ok(Output::Event(_)) => {}
            Err(_) => return,
        }
    }
}

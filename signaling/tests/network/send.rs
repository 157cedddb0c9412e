//! What a site sends: sound, and pictures in one or three layers, which name themselves only at first, as browsers do.

use bytes::Bytes;
use rtc::rtp::header::Extension;
use rtc::rtp::{Header, Packet};
use rtc::rtp_transceiver::rtp_sender::RtpCodecKind;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use webrtc::media_stream::track_local::TrackLocal;
use webrtc::media_stream::track_local::static_rtp::TrackLocalStaticRTP;
use webrtc::rtp_transceiver::RtpSender;

/// Smallest picture first.
pub const RIDS: [&str; 3] = ["l", "m", "h"];
/// Packets of each picture, and their payload in bytes, in each layer.
const PICTURES: [(u32, usize); 3] = [(1, 100), (2, 200), (2, 600)];
/// A layer names its section and itself in so many packets; then the hub must know its SSRC.
const NAMED: u32 = 60;
const MID: &str = "urn:ietf:params:rtp-hdrext:sdes:mid";
const RID: &str = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id";

pub struct Source {
    pub track: Arc<TrackLocalStaticRTP>,
    pub sender: Arc<dyn RtpSender>,
    pub kind: RtpCodecKind,
    pub layers: bool,
    pub mark: u8,
    /// Before the connection is up there is nowhere to send to.
    pub up: Arc<AtomicBool>,
}

pub fn ssrc(kind: RtpCodecKind, layer: usize) -> u32 {
    let layer = u32::try_from(layer).unwrap();
    if kind == RtpCodecKind::Video { 0x5EED_0010 + layer } else { 0x5EED_0001 }
}

/// 50 packets of sound or 25 pictures a second; every tenth picture is a key frame.
pub async fn run(source: Source) {
    let is_video = source.kind == RtpCodecKind::Video;
    let (period, step) = if is_video { (40, 3_600) } else { (20, 960) };
    let mut ticks = tokio::time::interval(Duration::from_millis(period));
    let count = if is_video && source.layers { 3 } else { 1 };
    let mut sequences = [0u16; 3];
    let mut sent = 0;
    let mut names = None;
    for n in 0u32.. {
        ticks.tick().await;
        if !source.up.load(Ordering::SeqCst) && sent == 0 {
            continue;
        }
        if source.layers && is_video && names.is_none() {
            names = Some(ids(&source).await);
        }
        for (layer, sequence) in sequences.iter_mut().enumerate().take(count) {
            let (packets, bytes) = if is_video { PICTURES[if source.layers { layer } else { 1 }] } else { (1, 40) };
            let mark = if source.layers { u8::try_from(layer).unwrap() } else { source.mark };
            for part in 0..packets {
                let header = Header {
                    version: 2,
                    marker: is_video && part + 1 == packets,
                    payload_type: if is_video { 96 } else { 111 },
                    sequence_number: *sequence,
                    timestamp: n.wrapping_mul(step),
                    ssrc: ssrc(source.kind, layer),
                    ..Header::default()
                };
                *sequence = sequence.wrapping_add(1);
                let mut packet = Packet { header, payload: payload(is_video, part, n, bytes, layer, mark) };
                if let Some((mid, rid)) = names.filter(|_| sent < NAMED) {
                    name(&mut packet, mid, b"1");
                    name(&mut packet, rid, RIDS[layer].as_bytes());
                }
                let _ = source.track.write_rtp(packet).await;
            }
        }
        sent += 1;
    }
}

/// VP8 without picture ids, the mark in the last byte.
fn payload(is_video: bool, part: u32, picture: u32, bytes: usize, layer: usize, mark: u8) -> Bytes {
    let mut payload = match (is_video, part, picture % 10) {
        (false, ..) => vec![0xfc, 0xff, 0xfe],
        (true, 0, 0) => {
            let width = 320u16 << layer;
            let [low, high] = width.to_le_bytes();
            vec![0x10, 0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a, low, high, 0x68, 0x01, 0x55]
        }
        (true, 0, _) => vec![0x10, 0x11, 0x02, 0x00, 1, 2],
        (true, ..) => vec![0x00, 1, 2],
    };
    payload.resize(bytes - 1, 7);
    payload.push(mark);
    payload.into()
}

/// The negotiated ids of the names.
async fn ids(source: &Source) -> (u8, u8) {
    let parameters = source.sender.get_parameters().await.unwrap();
    let extensions = &parameters.rtp_parameters.header_extensions;
    let id = |uri| extensions.iter().find(|extension| extension.uri == uri).map(|extension| extension.id);
    let id = |uri| u8::try_from(id(uri).unwrap()).unwrap();
    (id(MID), id(RID))
}

fn name(packet: &mut Packet, id: u8, value: &'static [u8]) {
    packet.header.extension = true;
    packet.header.extension_profile = 0xBEDE;
    packet.header.extensions.push(Extension { id, payload: Bytes::from_static(value) });
}

//! What a section and we have in common: codecs with their retransmissions and feedback, header extensions, simulcast layers.

use super::text::{Media, is_token, number, parameter};
use super::{CodecEntry, Extension, MAX_EXTENSIONS, MAX_LAYERS, MAX_SSRCS, SdpError};
use crate::media::Codec;
use crate::message::Kind;

/// One codec as it is written: with its parameters and the feedback that both sides know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Format {
    pub entry: CodecEntry,
    /// What follows `a=fmtp:PT `.
    pub parameters: Option<String>,
    pub feedback: Feedback,
}

/// RFC 4585, RFC 5104 and the transport-wide draft. `goog-remb` is not among them: we estimate by transport-wide feedback.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Feedback {
    pub transport_cc: bool,
    pub fir: bool,
    pub nack: bool,
    pub pli: bool,
}

impl Feedback {
    /// All that makes sense for this kind.
    pub fn full(kind: Kind) -> Self {
        let picture = kind != Kind::Audio;
        Self { transport_cc: true, fir: picture, nack: true, pli: picture }
    }

    fn add(&mut self, text: &str, kind: Kind) {
        let full = Self::full(kind);
        let mut words = text.split_ascii_whitespace();
        match (words.next(), words.next()) {
            (Some("transport-cc"), None) => self.transport_cc = true,
            (Some("ccm"), Some("fir")) => self.fir = full.fir,
            (Some("nack"), None) => self.nack = true,
            (Some("nack"), Some("pli")) => self.pli = full.pli,
            _ => {}
        }
    }

    pub fn names(self) -> impl Iterator<Item = &'static str> {
        [(self.transport_cc, "transport-cc"), (self.fir, "ccm fir"), (self.nack, "nack"), (self.pli, "nack pli")]
            .into_iter()
            .filter_map(|(has, name)| has.then_some(name))
    }
}

/// As in `a=rtpmap`.
pub(super) fn rtpmap(codec: Codec) -> &'static str {
    match codec {
        Codec::Opus => "opus/48000/2",
        Codec::Vp8 => "VP8/90000",
        Codec::Vp9 => "VP9/90000",
        Codec::H264 => "H264/90000",
        Codec::Av1 => "AV1/90000",
    }
}

/// The codecs of a section that we know, in the section's order.
pub(super) fn formats(media: &Media<'_>, kind: Kind) -> Vec<Format> {
    let mut maps: Vec<Map<'_>> = Vec::new();
    for format in &media.formats {
        if let Some(payload_type) = number(format)
            && is_usable(payload_type)
            && !maps.iter().any(|map| map.payload_type == payload_type)
        {
            maps.push(Map { payload_type, name: "", parameters: "", feedback: Feedback::default() });
        }
    }
    for (name, value) in media.attributes.iter() {
        let Some((format, rest)) = value.split_once(' ') else { continue };
        if name == "rtcp-fb" && format == "*" {
            maps.iter_mut().for_each(|map| map.feedback.add(rest, kind));
            continue;
        }
        let Some(payload_type) = number::<u8>(format) else { continue };
        let Some(map) = maps.iter_mut().find(|map| map.payload_type == payload_type) else { continue };
        match name {
            "rtpmap" => map.name = rest.trim(),
            "fmtp" => map.parameters = rest.trim(),
            "rtcp-fb" => map.feedback.add(rest, kind),
            _ => {}
        }
    }
    // (media, retransmission), read once: parameters may be long.
    let repair = |map: &Map<'_>| Some((parameter(map.parameters, "apt").and_then(number::<u8>)?, map.payload_type));
    let repairs: Vec<_> =
        maps.iter().filter(|map| map.name.eq_ignore_ascii_case("rtx/90000")).filter_map(repair).collect();
    let retransmission = |of| repairs.iter().find(|(media, _)| *media == of).map(|(_, rtx)| *rtx);
    maps.iter()
        .filter_map(|map| {
            let (codec, parameters) = known(map.name, map.parameters, kind)?;
            let rtx = if kind == Kind::Audio { None } else { retransmission(map.payload_type) };
            let entry = CodecEntry { payload_type: map.payload_type, codec, rtx };
            Some(Format { entry, parameters, feedback: map.feedback })
        })
        .collect()
}

/// What a section says of one payload type.
struct Map<'a> {
    payload_type: u8,
    name: &'a str,
    parameters: &'a str,
    feedback: Feedback,
}

/// Under rtcp-mux 64 to 95 would be taken for RTCP (RFC 5761 section 4).
fn is_usable(payload_type: u8) -> bool {
    payload_type < 64 || (96..128).contains(&payload_type)
}

/// The codec behind a map, when we can forward it, with the parameters that we answer.
fn known(name: &str, parameters: &str, kind: Kind) -> Option<(Codec, Option<String>)> {
    let of = |name| parameter(parameters, name);
    let is = |codec| name.eq_ignore_ascii_case(rtpmap(codec));
    let is_zero = |name| of(name).is_none_or(|value| value == "0");
    if kind == Kind::Audio {
        // Forward error correction is what keeps speech whole at 5 % loss; discontinuous transmission stays off by default (RFC 7587 section 6.1).
        // GStreamer leaves the channels out now and then.
        let is_opus = is(Codec::Opus) || name.eq_ignore_ascii_case("opus/48000");
        return is_opus.then(|| (Codec::Opus, Some(OPUS_PARAMETERS.to_owned())));
    }
    if is(Codec::Vp8) {
        Some((Codec::Vp8, None))
    } else if is(Codec::Vp9) && is_zero("profile-id") {
        Some((Codec::Vp9, Some(VP9_PARAMETERS.to_owned())))
    } else if is(Codec::H264) && of("packetization-mode") == Some("1") {
        // RFC 6184 section 8.1: without a level it is baseline 1.0.
        let level = of("profile-level-id").unwrap_or("42000a");
        let is_known = level.len() == 6
            && level.bytes().all(|byte| byte.is_ascii_hexdigit())
            && level
                .get(..2)
                .is_some_and(|profile| ["42", "4d", "64"].iter().any(|known| profile.eq_ignore_ascii_case(known)));
        let asymmetry = if of("level-asymmetry-allowed") == Some("1") { "level-asymmetry-allowed=1;" } else { "" };
        is_known.then(|| (Codec::H264, Some(format!("{asymmetry}packetization-mode=1;profile-level-id={level}"))))
    } else if is(Codec::Av1) && is_zero("profile") {
        // The defaults of the AV1 payload format, section 7.2.
        let level: u8 = of("level-idx").and_then(number).unwrap_or(5);
        let tier: u8 = of("tier").and_then(number).unwrap_or(0);
        Some((Codec::Av1, Some(format!("level-idx={level};profile=0;tier={tier}"))))
    } else {
        None
    }
}

/// The id of transport-wide numbers in our offers; Chromium uses the same.
pub(super) const OFFERED_TRANSPORT_CC: u8 = 3;

const OPUS_PARAMETERS: &str = "minptime=10;useinbandfec=1";
const H264_PARAMETERS: &str = "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f";
const VP9_PARAMETERS: &str = "profile-id=0";

/// What we answer in: VP8 first, since every browser, telephone and decoder box knows it, and we never transcode; last what the fewest decode: AV1, and
/// H.264 above baseline, which is more than Firefox takes. Else as the client likes.
pub(super) fn by_reach(formats: &mut [Format]) {
    formats.sort_by_key(|format| match format.entry.codec {
        Codec::Vp8 | Codec::Opus => 0,
        Codec::H264 if !is_baseline(format) => 2,
        Codec::H264 | Codec::Vp9 => 1,
        Codec::Av1 => 3,
    });
}

fn is_baseline(format: &Format) -> bool {
    format
        .parameters
        .as_deref()
        .and_then(|parameters| parameter(parameters, "profile-level-id"))
        .is_some_and(|level| level.starts_with("42"))
}

/// What we offer, best first.
pub(super) fn offered(kind: Kind, rtx: bool) -> Vec<Format> {
    let format = |payload_type, retransmission, codec, parameters: Option<&str>| Format {
        entry: CodecEntry { payload_type, codec, rtx: rtx.then_some(retransmission) },
        parameters: parameters.map(str::to_owned),
        feedback: Feedback::full(kind),
    };
    if kind == Kind::Audio {
        let mut opus = format(111, 0, Codec::Opus, Some(OPUS_PARAMETERS));
        opus.entry.rtx = None;
        return vec![opus];
    }
    vec![
        format(96, 97, Codec::Vp8, None),
        // Constrained baseline is the one profile that every decoder of H.264 names. Nothing is gained by naming more: the stream tells its own profile, and
        // where it is another (room encoders), browsers that can decode it do so under this number too.
        format(102, 103, Codec::H264, Some(H264_PARAMETERS)),
        format(98, 99, Codec::Vp9, Some(VP9_PARAMETERS)),
        format(45, 46, Codec::Av1, Some("level-idx=5;profile=0;tier=0")),
    ]
}

impl Extension {
    pub(super) const ALL: [Self; 5] = [Self::AudioLevel, Self::Mid, Self::Rid, Self::RepairedRid, Self::TransportCc];

    pub(super) fn uri(self) -> &'static str {
        match self {
            Self::AudioLevel => "urn:ietf:params:rtp-hdrext:ssrc-audio-level",
            Self::Mid => "urn:ietf:params:rtp-hdrext:sdes:mid",
            Self::Rid => "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id",
            Self::RepairedRid => "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id",
            Self::TransportCc => "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
        }
    }

    fn suits(self, kind: Kind) -> bool {
        match self {
            Self::AudioLevel => kind == Kind::Audio,
            Self::Rid | Self::RepairedRid => kind != Kind::Audio,
            Self::Mid | Self::TransportCc => true,
        }
    }
}

/// One header extension as it was offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mapping {
    pub id: u8,
    pub extension: Extension,
    /// The client may send it, may receive it.
    pub ways: (bool, bool),
}

impl Mapping {
    /// As the answer has to say it (RFC 8285 section 6): the other way round.
    pub fn answered_way(self) -> &'static str {
        match self.ways {
            (true, false) => "/recvonly",
            (false, true) => "/sendonly",
            _ => "",
        }
    }
}

/// The extensions of a section that we know, each once, with ids that fit the one-byte form (RFC 8285 section 4.2), which is all that we read and write.
/// Transport-wide numbers are taken only with their feedback.
pub(super) fn extensions(
    media: &Media<'_>,
    kind: Kind,
    formats: &[Format],
    index: usize,
) -> Result<Vec<Mapping>, SdpError> {
    let mut found: Vec<Mapping> = Vec::new();
    for (count, value) in media.attributes.values("extmap").enumerate() {
        if count == MAX_EXTENSIONS {
            return Err(SdpError::TooManyExtensions(index));
        }
        let mut words = value.split_ascii_whitespace();
        let (Some(id), Some(uri)) = (words.next(), words.next()) else { continue };
        let (id, way) = id.split_once('/').unwrap_or((id, "sendrecv"));
        let ways = match way {
            "sendrecv" => (true, true),
            "sendonly" => (true, false),
            "recvonly" => (false, true),
            _ => continue,
        };
        let Some(id) = number(id).filter(|id| (1..15).contains(id)) else { continue };
        let Some(extension) = Extension::ALL.into_iter().find(|extension| extension.uri() == uri) else { continue };
        let is_agreed =
            extension != Extension::TransportCc || formats.iter().any(|format| format.feedback.transport_cc);
        let is_new = found.iter().all(|known| known.id != id && known.extension != extension);
        if extension.suits(kind) && is_agreed && is_new {
            found.push(Mapping { id, extension, ways });
        }
    }
    Ok(found)
}

/// One simulcast layer (RFC 8851) as it is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Layer {
    pub rid: String,
    /// What follows `a=rid:X recv`, with its leading space; the client's restrictions, which an answer may not loosen.
    pub restrictions: String,
}

/// The layers that the client will send, in its order: of alternatives the first, at most [`MAX_LAYERS`].
pub(super) fn layers(media: &Media<'_>, formats: &[Format]) -> Vec<Layer> {
    let mut words = media.attributes.value("simulcast").unwrap_or_default().split_ascii_whitespace();
    let sent = loop {
        match (words.next(), words.next()) {
            (Some("send"), Some(list)) => break list,
            (Some(_), Some(_)) => {}
            _ => return Vec::new(),
        }
    };
    let mut layers: Vec<Layer> = Vec::new();
    for stream in sent.split(';').take(MAX_FORMATS_OF_LAYERS) {
        let layer = stream.split(',').take(MAX_FORMATS_OF_LAYERS).find_map(|rid| {
            let rid = rid.trim_start_matches('~');
            let is_new = is_rid(rid) && !layers.iter().any(|layer| layer.rid == rid);
            is_new.then(|| restrictions(media, formats, rid)).flatten().map(|restrictions| (rid, restrictions))
        });
        if let Some((rid, restrictions)) = layer {
            layers.push(Layer { rid: rid.to_owned(), restrictions });
        }
        if layers.len() == MAX_LAYERS {
            break;
        }
    }
    layers
}

/// Each candidate layer costs a walk over the section's lines.
const MAX_FORMATS_OF_LAYERS: usize = 8;

/// RFC 8851 section 10, and short enough for the one-byte extension that carries it.
fn is_rid(text: &str) -> bool {
    (1..=16).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

/// What the section says of this layer; none when it is not sent, or only in codecs that we refused.
fn restrictions(media: &Media<'_>, formats: &[Format], rid: &str) -> Option<String> {
    let line = media.attributes.values("rid").find_map(|line| {
        let mut words = line.splitn(3, ' ');
        (words.next() == Some(rid) && words.next() == Some("send")).then(|| words.next().unwrap_or_default())
    })?;
    let mut kept = Vec::new();
    for pair in line.split(';').map(str::trim).filter(|pair| !pair.is_empty()).take(MAX_FORMATS_OF_LAYERS) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        if name == "pt" {
            let is_kept = |word: &&str| {
                let payload_type = number(word);
                formats.iter().any(|format| Some(format.entry.payload_type) == payload_type)
            };
            let numbers: Vec<_> = value.split(',').filter(is_kept).collect();
            if numbers.is_empty() {
                return None;
            }
            kept.push(format!("pt={}", numbers.join(",")));
        } else if is_token(name) && (value.is_empty() || is_token(value)) {
            kept.push(pair.to_owned());
        }
    }
    Some(if kept.is_empty() { String::new() } else { format!(" {}", kept.join(";")) })
}

/// SSRCs that carry media, and (retransmission, media) pairs, at most [`MAX_SSRCS`] of each. Of simulcast by SSRC groups, which predates RIDs and is not
/// answered, only the first stream counts: the others must not look like one more camera.
pub(super) fn ssrcs(media: &Media<'_>) -> (Vec<u32>, Vec<(u32, u32)>) {
    let numbers =
        |text: &str| -> Vec<u32> { text.split_ascii_whitespace().take(MAX_SSRCS).filter_map(number).collect() };
    let (mut pairs, mut hidden) = (Vec::new(), Vec::new());
    for group in media.attributes.values("ssrc-group").take(MAX_SSRCS) {
        let Some((semantics, rest)) = group.split_once(' ') else { continue };
        match (semantics, numbers(rest).as_slice()) {
            ("FID", [stream, retransmission]) if stream != retransmission => pairs.push((*retransmission, *stream)),
            ("SIM" | "FEC" | "FEC-FR", [_, others @ ..]) => hidden.extend_from_slice(others),
            _ => {}
        }
    }
    hidden.extend(pairs.iter().map(|(retransmission, _)| *retransmission));
    let mut found: Vec<u32> = Vec::new();
    for line in media.attributes.values("ssrc") {
        let Some(ssrc) = line.split_ascii_whitespace().next().and_then(number) else { continue };
        if !found.contains(&ssrc) && !hidden.contains(&ssrc) {
            found.push(ssrc);
        }
        if found.len() == MAX_SSRCS {
            break;
        }
    }
    pairs.retain(|(_, stream)| found.contains(stream));
    (found, pairs)
}

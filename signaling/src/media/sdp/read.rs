//! Offers and answers of clients, read and judged.

use super::codec::{self, Format, Layer, Mapping, OFFERED_TRANSPORT_CC};
use super::text::{Attributes, Description, Media, is_token};
use super::{Extension, Remote, SdpError, Section, Slot};
use crate::message::Kind;

/// What a client offers: its transport, and its sections as we answer them.
///
/// The sections may be narrowed before the answer is written: `sends` or `takes` set to false, codecs or RIDs left out. Nothing can be added that way.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Offer {
    pub remote: Remote,
    /// Sound and pictures in the order of the offer, refused ones (without codecs) among them; no data channels.
    pub sections: Vec<Section>,
    /// All sections in the order of the offer.
    pub(super) places: Vec<Place>,
    /// The mids of the bundle in its order. Empty for a lone section without one.
    pub(super) bundle: Vec<String>,
    /// Number and version of the client's session.
    pub(super) origin: (u64, u64),
}

/// What an answer has to repeat of one section.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Place {
    pub kind: String,
    pub protocol: String,
    /// Stands in for all in a refusal, which needs one.
    pub first_format: String,
    pub mid: Option<String>,
    /// Has its [`Section`]: all sound and pictures, taken or not.
    pub is_ours: bool,
    pub has_muxed_rtcp: bool,
    pub has_reduced_rtcp: bool,
    pub formats: Vec<Format>,
    pub mappings: Vec<Mapping>,
    pub layers: Vec<Layer>,
}

/// A client's answer to an offer of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub remote: Remote,
    /// One for each slot, in the same order; without codecs where the client takes nothing.
    pub sections: Vec<Section>,
}

/// Reads the offer of a publisher, of a WHIP encoder or of a WHEP player.
///
/// # Errors
/// What we cannot serve at all; a section that we cannot serve is refused by itself.
pub(crate) fn read_offer(sdp: &str) -> Result<Offer, SdpError> {
    let description = Description::read(sdp)?;
    let bundle = bundle(&description);
    let mids = mids(&description)?;
    let usual = direction(&description.session).unwrap_or((true, true));
    let mut places = Vec::with_capacity(description.media.len());
    let mut sections: Vec<Section> = Vec::new();
    let (mut sounds, mut pictures, mut outside) = (0, 0, 0);
    for (index, (media, mid)) in description.media.iter().zip(mids.iter().copied()).enumerate() {
        let kind = match media.kind {
            "audio" => Some(Kind::Audio),
            "video" if pictures == 0 => Some(Kind::Video),
            "video" => Some(Kind::Screen),
            _ => None,
        };
        let mut place = Place::of(media, mid);
        if let Some(kind) = kind {
            // By place, not by what is alive: a stopped camera must not make the screen the camera.
            let surplus = match kind {
                Kind::Audio => sounds > 0,
                Kind::Video | Kind::Screen => pictures > 1,
            };
            match kind {
                Kind::Audio => sounds += 1,
                Kind::Video | Kind::Screen => pictures += 1,
            }
            place.is_ours = true;
            let name = mid.map_or_else(|| index.to_string(), str::to_owned);
            let mut section = Section::refused(name, kind);
            if !surplus && is_possible(media) {
                let mut formats = codec::formats(media, kind);
                codec::by_reach(&mut formats);
                let is_inside = mid.is_some_and(|mid| bundle.contains(&mid));
                if !bundle.is_empty() && !is_inside {
                    formats.clear();
                }
                outside += usize::from(!is_inside && !formats.is_empty());
                let mappings = codec::extensions(media, kind, &formats, index)?;
                if !formats.is_empty() {
                    place.fill(&mut section, media, formats, mappings, direction(&media.attributes).unwrap_or(usual));
                }
            }
            sections.push(section);
        }
        places.push(place);
    }
    if bundle.is_empty() && outside > 1 {
        return Err(SdpError::NotBundled);
    }
    let transport = TransportLines::of(&description, &mids, &bundle);
    let remote = transport.remote()?;
    match transport.value("setup") {
        // RFC 4145 section 4.1: active when nothing is said.
        None | Some("actpass" | "active") => {}
        Some(_) => return Err(SdpError::ClientIsDtlsServer),
    }
    let bundle = bundle.into_iter().map(str::to_owned).collect();
    Ok(Offer { remote, sections, places, bundle, origin: description.origin.unwrap_or((1, 1)) })
}

/// Reads the answer to our offer of these slots.
///
/// # Errors
/// An answer that does not fit the offer, or names no transport that we can talk to.
pub(crate) fn read_answer(sdp: &str, slots: &[Slot]) -> Result<Answer, SdpError> {
    let description = Description::read(sdp)?;
    let (found, offered) = (description.media.len(), slots.len());
    if found != offered {
        return Err(SdpError::OtherSections { found, offered });
    }
    let bundle = bundle(&description);
    let mids = mids(&description)?;
    let usual = direction(&description.session).unwrap_or((true, true));
    let mut sections = Vec::with_capacity(offered);
    let mut outside = 0;
    for (index, ((media, mid), slot)) in description.media.iter().zip(mids.iter().copied()).zip(slots).enumerate() {
        let is_fitting = media.kind == media_name(slot.kind) && mid.is_none_or(|mid| mid == slot.mid);
        // Only a refusal may leave its name out.
        if !is_fitting || (mid.is_none() && !media.is_refused() && offered > 1) {
            return Err(SdpError::OtherSection(index));
        }
        let mut section = Section::refused(slot.mid.clone(), slot.kind);
        let (_, takes) = direction(&media.attributes).unwrap_or(usual);
        if slot.active && takes && is_possible(media) {
            outside += usize::from(!bundle.contains(&slot.mid.as_str()));
            let formats = codec::formats(media, slot.kind);
            // An answer can only repeat what was offered.
            let is_ours = |mapping: &Mapping| {
                mapping.id == OFFERED_TRANSPORT_CC && mapping.extension == Extension::TransportCc && mapping.ways.1
            };
            let mappings = codec::extensions(media, slot.kind, &formats, index)?;
            let mappings = mappings.into_iter().filter(is_ours);
            section.extensions = mappings.map(|mapping| (mapping.id, mapping.extension)).collect();
            section.codecs = formats.into_iter().map(|format| format.entry).collect();
            if slot.rtx_ssrc.is_none() {
                section.codecs.iter_mut().for_each(|entry| entry.rtx = None);
            }
            section.takes = !section.codecs.is_empty();
        }
        sections.push(section);
    }
    if outside > usize::from(offered == 1) {
        return Err(SdpError::NotBundled);
    }
    let transport = TransportLines::of(&description, &mids, &bundle);
    let remote = transport.remote()?;
    if transport.value("setup") != Some("active") {
        return Err(SdpError::AnswerNotActive);
    }
    Ok(Answer { remote, sections })
}

impl Section {
    fn refused(mid: String, kind: Kind) -> Self {
        Self {
            mid,
            kind,
            sends: false,
            takes: false,
            codecs: Vec::new(),
            extensions: Vec::new(),
            rids: Vec::new(),
            ssrcs: Vec::new(),
            rtx_ssrcs: Vec::new(),
        }
    }
}

impl Place {
    fn of(media: &Media<'_>, mid: Option<&str>) -> Self {
        let first_format = media.formats.first().copied().filter(|format| is_token(format)).unwrap_or("0");
        Self {
            kind: media.kind.to_owned(),
            protocol: media.protocol.to_owned(),
            first_format: first_format.to_owned(),
            mid: mid.map(str::to_owned),
            is_ours: false,
            has_muxed_rtcp: media.attributes.has("rtcp-mux"),
            has_reduced_rtcp: media.attributes.has("rtcp-rsize"),
            formats: Vec::new(),
            mappings: Vec::new(),
            layers: Vec::new(),
        }
    }

    /// Takes the section with what is in common.
    fn fill(
        &mut self,
        section: &mut Section,
        media: &Media<'_>,
        formats: Vec<Format>,
        mut mappings: Vec<Mapping>,
        (sends, takes): (bool, bool),
    ) {
        mappings.retain(|mapping| (!sends || mapping.ways.0) && (!takes || mapping.ways.1));
        (section.sends, section.takes) = (sends, takes);
        section.codecs = formats.iter().map(|format| format.entry.clone()).collect();
        section.extensions = mappings.iter().map(|mapping| (mapping.id, mapping.extension)).collect();
        // Layers that packets cannot name would be one picture to us. They are agreed on whatever the direction: an answer without them ends a browser's
        // simulcast for good, also that of a camera which only pauses (RFC 8829 section 5.10).
        if section.extension(Extension::Rid).is_some() {
            self.layers = codec::layers(media, &formats);
        }
        section.rids = self.layers.iter().map(|layer| layer.rid.clone()).collect();
        // Firefox names numbers also where it only receives, for its reports.
        if sends && section.rids.is_empty() {
            (section.ssrcs, section.rtx_ssrcs) = codec::ssrcs(media);
        }
        self.formats = formats;
        self.mappings = mappings;
    }
}

pub(super) fn media_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Audio => "audio",
        Kind::Video | Kind::Screen => "video",
    }
}

/// RTP with RTCP on the same port, and not refused already.
fn is_possible(media: &Media<'_>) -> bool {
    !media.is_refused() && media.is_rtp() && media.attributes.has("rtcp-mux")
}

/// What the client does on a section, or on all that do not say it: it sends, it takes.
fn direction(attributes: &Attributes<'_>) -> Option<(bool, bool)> {
    attributes.iter().find_map(|(name, _)| match name {
        "sendrecv" => Some((true, true)),
        "sendonly" => Some((true, false)),
        "recvonly" => Some((false, true)),
        "inactive" => Some((false, false)),
        _ => None,
    })
}

/// The mids of the first bundle.
fn bundle<'a>(description: &Description<'a>) -> Vec<&'a str> {
    let group = description.session.values("group").find_map(|group| group.strip_prefix("BUNDLE"));
    let mut mids: Vec<&str> = Vec::new();
    for mid in group.unwrap_or_default().split_ascii_whitespace().take(super::MAX_SECTIONS) {
        if !mids.contains(&mid) {
            mids.push(mid);
        }
    }
    mids
}

/// The mid of each section; every section of several needs its own (RFC 9143 section 4).
fn mids<'a>(description: &Description<'a>) -> Result<Vec<Option<&'a str>>, SdpError> {
    let mut mids = Vec::with_capacity(description.media.len());
    for (index, media) in description.media.iter().enumerate() {
        let mid = media.attributes.value("mid");
        let is_needed = description.media.len() > 1 && !media.is_refused();
        if mid.map_or(is_needed, |mid| !is_token(mid) || mid.len() > MAX_MID_BYTES) {
            return Err(SdpError::BadMid(index));
        }
        if mid.is_some() && mids.contains(&mid) {
            return Err(SdpError::RepeatedMid);
        }
        mids.push(mid);
    }
    Ok(mids)
}

/// GStreamer's are the longest that were met (`video0`).
const MAX_MID_BYTES: usize = 32;

/// Where a description tells its transport: the section that stands for the bundle (RFC 9143 section 7), else the session's part, else any section that is alive.
struct TransportLines<'d, 'a> {
    tagged: Option<&'d Media<'a>>,
    description: &'d Description<'a>,
}

impl<'d, 'a> TransportLines<'d, 'a> {
    fn of(description: &'d Description<'a>, mids: &[Option<&str>], bundle: &[&str]) -> Self {
        let rank = |mid: Option<&str>| bundle.iter().position(|member| Some(*member) == mid).unwrap_or(usize::MAX);
        let alive = description.media.iter().zip(mids).filter(|(media, _)| !media.is_refused());
        let tagged = alive.min_by_key(|(_, mid)| rank(**mid)).map(|(media, _)| media);
        Self { tagged, description }
    }

    fn values(&self, name: &str) -> impl Iterator<Item = &'a str> {
        let tagged = self.tagged.into_iter().flat_map(move |media| media.attributes.values(name));
        let alive = self.description.media.iter().filter(|media| !media.is_refused());
        tagged
            .chain(self.description.session.values(name))
            .chain(alive.flat_map(move |media| media.attributes.values(name)))
    }

    fn value(&self, name: &str) -> Option<&'a str> {
        self.values(name).next()
    }

    fn remote(&self) -> Result<Remote, SdpError> {
        if self.description.session.has("ice-lite") {
            return Err(SdpError::BothLite);
        }
        let (ufrag, pwd) = credentials(self.value("ice-ufrag"), self.value("ice-pwd"))?;
        let fingerprint = self.values("fingerprint").find_map(sha256).ok_or(SdpError::NoFingerprint)?;
        Ok(Remote { ufrag, pwd, fingerprint })
    }
}

/// Checked by RFC 8839 section 5.4.
pub(super) fn credentials(ufrag: Option<&str>, pwd: Option<&str>) -> Result<(String, String), SdpError> {
    let is_ice = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/".contains(&byte));
    match (ufrag, pwd) {
        (Some(ufrag), Some(pwd))
            if is_ice(ufrag) && is_ice(pwd) && (4..=256).contains(&ufrag.len()) && (22..=256).contains(&pwd.len()) =>
        {
            Ok((ufrag.to_owned(), pwd.to_owned()))
        }
        _ => Err(SdpError::NoCredentials),
    }
}

/// `sha-256 AB:CD:…`; other hashes are none.
fn sha256(line: &str) -> Option<Vec<u8>> {
    let (name, digest) = line.split_once(' ')?;
    if !name.eq_ignore_ascii_case("sha-256") || digest.trim().len() != 32 * 3 - 1 {
        return None;
    }
    let is_hex = |pair: &&str| pair.len() == 2 && pair.bytes().all(|byte| byte.is_ascii_hexdigit());
    let byte = |pair| Some(pair).filter(is_hex).and_then(|pair| u8::from_str_radix(pair, 16).ok());
    let bytes: Option<Vec<u8>> = digest.trim().split(':').map(byte).collect();
    bytes.filter(|bytes| bytes.len() == 32)
}

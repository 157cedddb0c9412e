//! Our answers and offers as text.

use super::codec::{self, Format, Layer, Mapping, OFFERED_TRANSPORT_CC};
use super::read::{Place, media_name};
use super::{CNAME, Extension, Local, Offer, Section, Slot};
use std::fmt::{Arguments, Write};

/// Our answer. `slots` says what we send, by mid, on sections on which the client takes something; on all others we only receive.
///
/// Its session number and version are the offer's: they grow with the client's.
pub(crate) fn write_answer(offer: &Offer, local: Local<'_>, slots: &[Slot]) -> String {
    let taken: Vec<_> = offer.sections.iter().filter(|section| !section.codecs.is_empty()).collect();
    let in_bundle = |mid: &&String| taken.iter().any(|section| section.mid == **mid);
    let bundle: Vec<&str> = offer.bundle.iter().filter(in_bundle).map(String::as_str).collect();
    // RFC 9143 section 7.3: the first of the bundle stands for all.
    let first = bundle.first().copied().or_else(|| taken.first().map(|section| section.mid.as_str()));

    let mut text = Text::session(offer.origin, &bundle);
    let mut sections = offer.sections.iter();
    for place in &offer.places {
        let section = if place.is_ours { sections.next() } else { None };
        match section.filter(|section| !section.codecs.is_empty()) {
            Some(section) => {
                let slot = slots.iter().find(|slot| slot.mid == section.mid && slot.active && section.takes);
                let candidates = first == Some(section.mid.as_str());
                text.section(&Written::answer(place, section, slot), local, candidates);
            }
            None => text.refusal(place, local),
        }
    }
    text.0
}

/// Our offer for a subscribe connection. Sections are only ever appended; an idle one keeps its place. `version` has to grow with each offer.
///
/// Packets need not name their section (RFC 9143's mid extension is not offered): each has its SSRC announced, which every client of ours can tell apart,
/// and the numbers stay the same for the connection's life.
pub(crate) fn write_offer(local: Local<'_>, slots: &[Slot], session: u64, version: u64) -> String {
    let bundle: Vec<&str> = slots.iter().map(|slot| slot.mid.as_str()).collect();
    let mut text = Text::session((session, version), &bundle);
    for (index, slot) in slots.iter().enumerate() {
        text.section(&Written::offer(slot), local, index == 0);
    }
    text.0
}

/// One live section as it is written.
struct Written<'a> {
    kind: &'a str,
    protocol: &'a str,
    mid: Option<&'a str>,
    setup: &'a str,
    direction: &'a str,
    has_reduced_rtcp: bool,
    formats: Vec<Format>,
    mappings: Vec<Mapping>,
    layers: Vec<&'a Layer>,
    /// What we send on it.
    slot: Option<&'a Slot>,
}

impl<'a> Written<'a> {
    fn answer(place: &'a Place, section: &'a Section, slot: Option<&'a Slot>) -> Self {
        // The section's list is what counts, the place knows the rest: so an answer cannot claim what was not offered.
        let formats = section.codecs.iter().filter_map(|entry| {
            let format = place.formats.iter().find(|format| format.entry == *entry)?;
            Some(format.clone())
        });
        let mappings =
            place.mappings.iter().filter(|mapping| section.extensions.contains(&(mapping.id, mapping.extension)));
        let layers = place.layers.iter().filter(|layer| section.rids.contains(&layer.rid));
        Self {
            kind: &place.kind,
            protocol: &place.protocol,
            mid: place.mid.as_deref(),
            setup: "passive",
            direction: direction(slot.is_some(), section.sends),
            has_reduced_rtcp: place.has_reduced_rtcp,
            formats: formats.collect(),
            mappings: mappings.copied().collect(),
            layers: layers.collect(),
            slot,
        }
    }

    fn offer(slot: &'a Slot) -> Self {
        Self {
            kind: media_name(slot.kind),
            protocol: "UDP/TLS/RTP/SAVPF",
            mid: Some(&slot.mid),
            setup: "actpass",
            direction: direction(slot.active, false),
            has_reduced_rtcp: true,
            formats: codec::offered(slot.kind, slot.rtx_ssrc.is_some()),
            mappings: vec![Mapping { id: OFFERED_TRANSPORT_CC, extension: Extension::TransportCc, ways: (true, true) }],
            layers: Vec::new(),
            slot: slot.active.then_some(slot),
        }
    }
}

/// Ours: whether we send and receive.
fn direction(sends: bool, receives: bool) -> &'static str {
    match (sends, receives) {
        (true, true) => "sendrecv",
        (true, false) => "sendonly",
        (false, true) => "recvonly",
        (false, false) => "inactive",
    }
}

pub(super) struct Text(pub String);

impl Text {
    /// The session's part. It names no address: ours are candidates.
    fn session((number, version): (u64, u64), bundle: &[&str]) -> Self {
        let mut text = Self(String::with_capacity(16 * 1024));
        text.line(format_args!("v=0"));
        text.line(format_args!("o=- {number} {version} IN IP4 127.0.0.1"));
        text.line(format_args!("s=-"));
        text.line(format_args!("t=0 0"));
        text.agent(bundle);
        text
    }

    /// What we are, whatever the section.
    pub fn agent(&mut self, bundle: &[&str]) {
        if !bundle.is_empty() {
            self.line(format_args!("a=group:BUNDLE {}", bundle.join(" ")));
        }
        self.line(format_args!("a=ice-lite"));
        // We listen to trickled candidates, though we need none (RFC 8840).
        self.line(format_args!("a=ice-options:trickle"));
    }

    fn section(&mut self, section: &Written<'_>, local: Local<'_>, candidates: bool) {
        let Written { kind, protocol, .. } = section;
        let _ = write!(self.0, "m={kind} 9 {protocol}");
        for Format { entry, .. } in &section.formats {
            for payload_type in [Some(entry.payload_type), entry.rtx].into_iter().flatten() {
                let _ = write!(self.0, " {payload_type}");
            }
        }
        self.line(format_args!(""));
        self.line(format_args!("c=IN IP4 0.0.0.0"));
        if let Some(mid) = section.mid {
            self.line(format_args!("a=mid:{mid}"));
        }
        // Repeated in each section: libwebrtc reads the first, GStreamer wants them all alike.
        self.transport(local, section.setup);
        self.line(format_args!("a={}", section.direction));
        self.line(format_args!("a=rtcp-mux"));
        if section.has_reduced_rtcp {
            self.line(format_args!("a=rtcp-rsize"));
        }
        for mapping in &section.mappings {
            self.line(format_args!("a=extmap:{}{} {}", mapping.id, mapping.answered_way(), mapping.extension.uri()));
        }
        section.formats.iter().for_each(|format| self.format(format));
        self.layers(&section.layers);
        if let Some(slot) = section.slot {
            self.stream(slot, &section.formats);
        }
        if candidates {
            self.candidates(local);
        }
    }

    /// Port 0, and no part of the bundle. RFC 8829 section 5.3.1 wants no more than that, but aiortc and GStreamer refuse a description in which any section
    /// lacks the transport's lines, and nobody minds them.
    fn refusal(&mut self, place: &Place, local: Local<'_>) {
        self.line(format_args!("m={} 0 {} {}", place.kind, place.protocol, place.first_format));
        self.line(format_args!("c=IN IP4 0.0.0.0"));
        if let Some(mid) = &place.mid {
            self.line(format_args!("a=mid:{mid}"));
        }
        self.transport(local, "passive");
        self.line(format_args!("a=inactive"));
        if place.has_muxed_rtcp {
            self.line(format_args!("a=rtcp-mux"));
        }
    }

    fn transport(&mut self, local: Local<'_>, setup: &str) {
        self.credentials(local);
        self.line(format_args!("a=fingerprint:{}", local.fingerprint));
        self.line(format_args!("a=setup:{setup}"));
    }

    fn format(&mut self, format: &Format) {
        let number = format.entry.payload_type;
        self.line(format_args!("a=rtpmap:{number} {}", codec::rtpmap(format.entry.codec)));
        if let Some(parameters) = &format.parameters {
            self.line(format_args!("a=fmtp:{number} {parameters}"));
        }
        for name in format.feedback.names() {
            self.line(format_args!("a=rtcp-fb:{number} {name}"));
        }
        if let Some(rtx) = format.entry.rtx {
            self.line(format_args!("a=rtpmap:{rtx} rtx/90000"));
            self.line(format_args!("a=fmtp:{rtx} apt={number}"));
        }
    }

    /// RFC 8853.
    fn layers(&mut self, layers: &[&Layer]) {
        if layers.is_empty() {
            return;
        }
        for Layer { rid, restrictions } in layers {
            self.line(format_args!("a=rid:{rid} recv{restrictions}"));
        }
        let names: Vec<_> = layers.iter().map(|layer| layer.rid.as_str()).collect();
        self.line(format_args!("a=simulcast:recv {}", names.join(";")));
    }

    /// What we send: its name for scripts (RFC 8830), its numbers (RFC 5576).
    fn stream(&mut self, slot: &Slot, formats: &[Format]) {
        let Slot { mid, msid, ssrc, .. } = slot;
        self.line(format_args!("a=msid:{msid} {msid}-{mid}"));
        let rtx_ssrc = slot.rtx_ssrc.filter(|_| formats.iter().any(|format| format.entry.rtx.is_some()));
        if let Some(rtx_ssrc) = rtx_ssrc {
            self.line(format_args!("a=ssrc-group:FID {ssrc} {rtx_ssrc}"));
        }
        for ssrc in [Some(*ssrc), rtx_ssrc].into_iter().flatten() {
            self.line(format_args!("a=ssrc:{ssrc} cname:{CNAME}"));
        }
    }

    pub fn credentials(&mut self, local: Local<'_>) {
        self.line(format_args!("a=ice-ufrag:{}", local.ufrag));
        self.line(format_args!("a=ice-pwd:{}", local.pwd));
    }

    pub fn candidates(&mut self, local: Local<'_>) {
        for candidate in local.candidates {
            self.line(format_args!("a={candidate}"));
        }
        self.line(format_args!("a=end-of-candidates"));
    }

    pub fn line(&mut self, line: Arguments<'_>) {
        // Writing to a string cannot fail.
        let _ = self.0.write_fmt(line);
        self.0.push_str("\r\n");
    }
}

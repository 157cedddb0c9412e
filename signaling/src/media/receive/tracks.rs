//! Whose packet it is: sections of the description, their layers, and the SSRCs that were found to belong to them.
//!
//! An SSRC is known by the description; else by the section and layer that its first packets name (RFC 9143, RFC 8852); else by its payload type when
//! only one place fits. Browsers stop naming them after a while, so what was learned stays for the connection's life, through all negotiations.

use super::stream::{Counts, Stream};
use crate::media::Codec;
use crate::media::sdp::{Extension, Section};
use crate::message::Kind;
use rtc::rtp::Header;
use std::time::{Duration, Instant};

/// SSRCs that are known at a time, replaced ones among them. Two pictures of three layers with resends, and sound, are 13.
const SSRCS: usize = 16;
const SECTIONS: usize = 16;
const LAYERS: usize = 4;
/// A place that was heard so recently is not given to another SSRC for its payload type alone, nor back to one that was replaced.
const QUIET: Duration = Duration::from_secs(1);

/// Where a packet belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub track: usize,
    pub layer: usize,
    /// It is a resend (RFC 4588).
    pub repair: bool,
}

#[derive(Debug)]
struct Source {
    ssrc: u32,
    place: Place,
    /// Another SSRC has taken its place.
    replaced: bool,
}

/// A section and what is received by it.
#[derive(Debug)]
pub(super) struct Track {
    pub section: Section,
    /// The first of its kind that the client sends; packets of others are not taken.
    pub current: bool,
    /// At least one. The order is that of the description, and never changes.
    pub layers: Vec<Layer>,
    /// The description names the largest picture first.
    descending: bool,
}

#[derive(Debug, Default)]
pub(super) struct Layer {
    /// Empty without simulcast.
    pub rid: String,
    pub stream: Option<Stream>,
    /// Of streams that were here before.
    pub past: Counts,
}

impl Track {
    /// From a layer's place in the description to its number, smallest picture first, and back. Browsers name the smallest first because libwebrtc wants
    /// it so; RFC 8853 has the preferred one first, and so has OBS.
    pub fn number(&self, layer: usize) -> usize {
        if self.descending { (self.layers.len() - 1).saturating_sub(layer) } else { layer }
    }

    /// The layer of this number.
    pub fn layer(&self, number: usize) -> Option<&Layer> {
        self.layers.get(self.number(number))
    }

    pub fn layer_mut(&mut self, number: usize) -> Option<&mut Layer> {
        let at = self.number(number);
        self.layers.get_mut(at)
    }

    /// A key frame came: which way the layers are ordered may be known now.
    pub fn compare_sizes(&mut self) {
        let sizes = self.layers.iter().filter_map(|layer| layer.stream.as_ref()?.size());
        let areas: Vec<_> = sizes.map(|(width, height)| u32::from(width) * u32::from(height)).collect();
        if let (Some(first), Some(last)) = (areas.first(), areas.last())
            && first != last
        {
            self.descending = first > last;
        }
    }

    /// What a payload type means here: the codec, and whether it is a resend.
    pub fn codec(&self, payload_type: u8) -> Option<(Codec, bool)> {
        self.section.codecs.iter().find_map(|entry| {
            if entry.payload_type == payload_type {
                Some((entry.codec, false))
            } else {
                (entry.rtx == Some(payload_type)).then_some((entry.codec, true))
            }
        })
    }
}

impl Layer {
    /// Its stream is over; what was counted stays.
    pub fn end(&mut self) {
        if let Some(stream) = self.stream.take() {
            self.past.add(stream.counts());
        }
    }
}

/// Extension ids; the same in all sections of a bundle (RFC 8843, 9.1).
#[derive(Debug, Default)]
pub(super) struct Ids {
    pub level: Option<u8>,
    pub transport: Option<u8>,
    mid: Option<u8>,
    rid: Option<u8>,
    repaired: Option<u8>,
}

#[derive(Debug, Default)]
pub(super) struct Tracks {
    list: Vec<Track>,
    sources: Vec<Source>,
    ids: Ids,
}

impl Tracks {
    pub fn negotiated(&mut self, sections: &[Section]) {
        let id = |wanted| sections.iter().find_map(|section| section.extension(wanted));
        self.ids = Ids {
            level: id(Extension::AudioLevel),
            transport: id(Extension::TransportCc),
            mid: id(Extension::Mid),
            rid: id(Extension::Rid),
            repaired: id(Extension::RepairedRid),
        };
        for track in &mut self.list {
            (track.section.sends, track.current) = (false, false);
        }
        for section in sections.iter().take(SECTIONS) {
            let known = self.list.iter().position(|track| track.section.mid == section.mid);
            let at = known.unwrap_or(self.list.len());
            if let Some(track) = self.list.get_mut(at) {
                track.section = section.clone();
            } else if self.list.len() < SECTIONS {
                self.list.push(Track {
                    section: section.clone(),
                    current: false,
                    layers: vec![Layer::default()],
                    descending: false,
                });
            }
            self.settle_layers(at);
        }
        for kind in [Kind::Audio, Kind::Video, Kind::Screen] {
            let takes = |track: &&mut Track| {
                track.section.kind == kind && track.section.sends && !track.section.codecs.is_empty()
            };
            if let Some(track) = self.list.iter_mut().find(takes) {
                track.current = true;
            }
        }
        self.forget_moved();
    }

    /// Layers are added, never taken away: a later description may name fewer of them for a while.
    fn settle_layers(&mut self, at: usize) {
        let Some(track) = self.list.get_mut(at) else { return };
        if track.section.rids.is_empty() {
            return;
        }
        if track.layers.iter().any(|layer| layer.rid.is_empty()) {
            // Without simulcast until now.
            track.layers.clear();
            self.sources.retain(|source| source.place.track != at);
        }
        for rid in &track.section.rids {
            if track.layers.len() < LAYERS && track.layers.iter().all(|layer| layer.rid != *rid) {
                track.layers.push(Layer { rid: rid.clone(), ..Layer::default() });
            }
        }
        if track.layers.is_empty() {
            track.layers.push(Layer::default());
        }
    }

    /// The description is surer than what was learned.
    fn forget_moved(&mut self) {
        let list = &self.list;
        self.sources.retain(|source| {
            announced(list, source.ssrc)
                .is_none_or(|(track, media)| track == source.place.track && media.is_some() == source.place.repair)
        });
    }

    pub fn ids(&self) -> &Ids {
        &self.ids
    }

    pub fn get(&mut self, track: usize) -> Option<&mut Track> {
        self.list.get_mut(track)
    }

    pub fn current(&self, kind: Kind) -> Option<&Track> {
        self.list.iter().find(|track| track.current && track.section.kind == kind)
    }

    pub fn current_mut(&mut self, kind: Kind) -> Option<&mut Track> {
        self.list.iter_mut().find(|track| track.current && track.section.kind == kind)
    }

    pub fn layers(&self) -> impl Iterator<Item = &Layer> {
        self.list.iter().flat_map(|track| &track.layers)
    }

    pub fn streams(&self) -> impl Iterator<Item = &Stream> {
        self.layers().filter_map(|layer| layer.stream.as_ref())
    }

    pub fn streams_mut(&mut self) -> impl Iterator<Item = &mut Stream> {
        self.list.iter_mut().flat_map(|track| &mut track.layers).filter_map(|layer| layer.stream.as_mut())
    }

    /// Where a packet belongs; learns it from a first one.
    pub fn place(&mut self, header: &Header, now: Instant) -> Option<Place> {
        let known =
            self.sources.iter().find(|source| source.ssrc == header.ssrc).map(|source| (source.place, source.replaced));
        let place = match known {
            Some((place, false)) if self.is_current(place) => return Some(place),
            // Of a section that is silent now; only by name it may be another's.
            Some((_, false)) if named(header, self.ids.mid).is_none() => return None,
            Some((place, true)) if self.is_heard(place, now) => return None,
            _ => self.find(header, now)?,
        };
        self.learn(header.ssrc, place).then_some(place)
    }

    fn is_current(&self, place: Place) -> bool {
        self.list.get(place.track).is_some_and(|track| track.current)
    }

    fn is_heard(&self, place: Place, now: Instant) -> bool {
        let stream = self.list.get(place.track).and_then(|track| track.layers.get(place.layer)?.stream.as_ref());
        stream.and_then(Stream::heard).is_some_and(|heard| now.saturating_duration_since(heard) < QUIET)
    }

    fn find(&self, header: &Header, now: Instant) -> Option<Place> {
        if let Some((at, media)) = announced(&self.list, header.ssrc) {
            let (track, repair) = self.fits(at, header.payload_type)?;
            let media = media.and_then(|media| self.sources.iter().find(|source| source.ssrc == media));
            let layer = media.filter(|source| source.place.track == at).map(|source| source.place.layer);
            // Of several layers the SSRC alone does not tell which.
            if let Some(layer) = layer.or((track.layers.len() == 1).then_some(0)) {
                return Some(Place { track: at, layer, repair });
            }
        }
        let (mid, rid) =
            (named(header, self.ids.mid), named(header, self.ids.repaired).or(named(header, self.ids.rid)));
        if mid.is_none() && rid.is_none() {
            return self.only_place(header.payload_type, now);
        }
        let mut found = None;
        for (at, track) in self.list.iter().enumerate() {
            let Some((_, repair)) = self.fits(at, header.payload_type) else { continue };
            if mid.is_some_and(|mid| mid != track.section.mid.as_bytes()) {
                continue;
            }
            let layer = match (rid, track.layers.as_slice()) {
                (Some(rid), layers) if !track.section.rids.is_empty() || layers.len() > 1 => {
                    layers.iter().position(|layer| rid == layer.rid.as_bytes())
                }
                (_, [_]) if mid.is_some() => Some(0),
                _ => None,
            };
            let Some(layer) = layer else { continue };
            if found.replace(Place { track: at, layer, repair }).is_some() {
                return None;
            }
        }
        found
    }

    /// The one place that takes this payload type: of media if it is silent, of resends if it has media and no resends yet.
    fn only_place(&self, payload_type: u8, now: Instant) -> Option<Place> {
        let fitting = (0..self.list.len()).filter_map(|at| {
            let (track, repair) = self.fits(at, payload_type)?;
            Some(track.layers.iter().enumerate().map(move |(layer, state)| (Place { track: at, layer, repair }, state)))
        });
        let lacks_repair =
            |place: &Place| !self.sources.iter().any(|source| source.place == *place && !source.replaced);
        let mut possible = fitting
            .flatten()
            .filter(|(place, layer)| !place.repair || (layer.stream.is_some() && lacks_repair(place)))
            .map(|(place, _)| place);
        let place = possible.next()?;
        let alone = possible.next().is_none();
        (alone && (place.repair || !self.is_heard(place, now))).then_some(place)
    }

    fn fits(&self, track: usize, payload_type: u8) -> Option<(&Track, bool)> {
        let track = self.list.get(track).filter(|track| track.current)?;
        track.codec(payload_type).map(|(_, repair)| (track, repair))
    }

    /// False when there are too many.
    fn learn(&mut self, ssrc: u32, place: Place) -> bool {
        let before = self.sources.iter().position(|source| source.ssrc == ssrc).map(|at| self.sources.remove(at).place);
        if let Some(before) = before.filter(|before| *before != place && !before.repair) {
            let layer = self.list.get_mut(before.track).and_then(|track| track.layers.get_mut(before.layer));
            if let Some(layer) = layer.filter(|layer| layer.stream.as_ref().is_some_and(|stream| stream.ssrc() == ssrc))
            {
                layer.end();
            }
        }
        for source in self.sources.iter_mut().filter(|source| source.place == place) {
            source.replaced = true;
        }
        if self.sources.len() >= SSRCS {
            let Some(oldest) = self.sources.iter().position(|source| source.replaced) else { return false };
            self.sources.remove(oldest);
        }
        self.sources.push(Source { ssrc, place, replaced: false });
        true
    }
}

/// What an extension of the header says.
pub(super) fn named(header: &Header, id: Option<u8>) -> Option<&[u8]> {
    let id = id?;
    header.extensions.iter().find(|extension| extension.id == id).map(|extension| &*extension.payload)
}

/// The section whose description names the SSRC, and of a resend's SSRC that of the media.
fn announced(tracks: &[Track], ssrc: u32) -> Option<(usize, Option<u32>)> {
    tracks.iter().enumerate().filter(|(_, track)| track.section.sends).find_map(|(at, track)| {
        let repair = track.section.rtx_ssrcs.iter().find(|(resend, _)| *resend == ssrc);
        match repair {
            Some((_, media)) => Some((at, Some(*media))),
            None => track.section.ssrcs.contains(&ssrc).then_some((at, None)),
        }
    })
}

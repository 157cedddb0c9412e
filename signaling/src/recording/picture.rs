//! From packets in order to whole pictures, each format as its container wants it. Media is never transcoded.

use super::RtpSample;
use crate::media::{Codec, av1, h264, vp8, vp9};

/// The largest picture that is put together, in bytes. A 4K key frame is under 1 MiB.
const MAX_BYTES: usize = 4 << 20;
/// Frames of one VP9 picture, one for each spatial layer (VP9 bitstream specification, annex B).
const MAX_LAYERS: usize = 8;

/// What a header tells of the pictures. Later changes of size are in the stream itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Picture {
    Vp8 { size: (u16, u16) },
    Vp9 { size: (u16, u16) },
    H264 { size: (u16, u16), configuration: Vec<u8> },
    Av1 { size: (u16, u16), configuration: Vec<u8> },
}

/// A picture, or several that belong to one moment.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Whole {
    pub data: Vec<u8>,
    /// When its first packet was, in milliseconds.
    pub at_ms: u64,
    /// With a picture that needs no earlier one.
    pub key: Option<Picture>,
}

/// A picture's bytes and, with a key frame, what the header must tell.
type Parts = (Vec<u8>, Option<Picture>);

/// A packet does not follow the ones before it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Broken;

#[derive(Debug, Default)]
pub(super) struct Pictures {
    /// Timestamp and time of the picture that is under way.
    began: Option<(u32, u64)>,
    bytes: usize,
    frame: Vec<u8>,
    /// The lengths of a VP9 picture's frames, and whether the last one is open.
    layers: Vec<usize>,
    is_open: bool,
    /// An AV1 or VP9 picture began with a key frame.
    is_key: bool,
    nal_units: h264::Assembler,
    obus: av1::Assembler,
    /// Sequence and picture parameter set; they outlive a loss.
    sets: (Vec<u8>, Vec<u8>),
}

impl Pictures {
    /// A packet is lost: what is under way has a hole.
    pub fn lose(&mut self) {
        *self = Self { sets: std::mem::take(&mut self.sets), ..Self::default() };
    }

    /// Takes the next packet; its payload is not empty.
    pub fn push(&mut self, sample: &RtpSample, at_ms: u64) -> Result<Option<Whole>, Broken> {
        let starts = self.began.is_none();
        let (timestamp, began_ms) = *self.began.get_or_insert((sample.timestamp, at_ms));
        self.bytes += sample.payload.len();
        if timestamp != sample.timestamp || self.bytes > MAX_BYTES {
            return Err(Broken);
        }
        let payload = &sample.payload;
        match sample.codec {
            Codec::Opus => return Err(Broken),
            Codec::Vp8 => self.vp8(payload, starts)?,
            Codec::Vp9 => self.vp9(payload, starts)?,
            Codec::H264 => self.nal_units.push(payload).then_some(()).ok_or(Broken)?,
            Codec::Av1 => {
                self.is_key |= starts && av1::starts_key_frame(payload);
                self.obus.push(payload).then_some(()).ok_or(Broken)?;
            }
        }
        if !sample.marker {
            return Ok(None);
        }
        self.began = None;
        self.bytes = 0;
        let (data, key) = match sample.codec {
            Codec::Opus => None,
            Codec::Vp8 => self.whole_vp8(),
            Codec::Vp9 => self.whole_vp9(),
            Codec::H264 => self.whole_h264(),
            Codec::Av1 => self.whole_av1(),
        }
        .ok_or(Broken)?;
        // Parameter sets alone are no picture, and no loss either.
        Ok((!data.is_empty()).then_some(Whole { data, at_ms: began_ms, key }))
    }

    fn vp8(&mut self, payload: &[u8], starts: bool) -> Result<(), Broken> {
        let descriptor = vp8::descriptor(payload).ok_or(Broken)?;
        if starts != (descriptor.start && descriptor.partition == 0) {
            return Err(Broken);
        }
        self.frame.extend_from_slice(payload.get(descriptor.data..).ok_or(Broken)?);
        Ok(())
    }

    fn vp9(&mut self, payload: &[u8], starts: bool) -> Result<(), Broken> {
        let descriptor = vp9::descriptor(payload).ok_or(Broken)?;
        let data = payload.get(descriptor.data..).ok_or(Broken)?;
        if descriptor.start == self.is_open || self.layers.len() > MAX_LAYERS {
            return Err(Broken);
        }
        if descriptor.start {
            self.layers.push(0);
        }
        self.is_key |= starts && vp9::starts_key_frame(payload);
        *self.layers.last_mut().ok_or(Broken)? += data.len();
        self.is_open = !descriptor.end;
        self.frame.extend_from_slice(data);
        Ok(())
    }

    fn whole_vp8(&mut self) -> Option<Parts> {
        let data = std::mem::take(&mut self.frame);
        let key = vp8::key_frame_size(&data).map(|size| Picture::Vp8 { size });
        Some((data, key))
    }

    /// The frames of one picture's layers are a superframe: their lengths stand in an index at its end (VP9 bitstream specification, annex B).
    fn whole_vp9(&mut self) -> Option<Parts> {
        let mut data = std::mem::take(&mut self.frame);
        let layers = std::mem::take(&mut self.layers);
        let is_key = std::mem::take(&mut self.is_key);
        if std::mem::take(&mut self.is_open) {
            return None;
        }
        let key = vp9::key_frame_size(&data).filter(|_| is_key).map(|size| Picture::Vp9 { size });
        if layers.len() > 1 {
            let count = u8::try_from(layers.len() - 1).ok()?;
            // Four bytes for each length, lowest first.
            let marker = 0xc0 | (3 << 3) | count;
            data.push(marker);
            for layer in layers {
                data.extend_from_slice(&u32::try_from(layer).ok()?.to_le_bytes());
            }
            data.push(marker);
        }
        Some((data, key))
    }

    fn whole_h264(&mut self) -> Option<Parts> {
        let mut data = Vec::new();
        let (mut has_slice, mut is_key) = (false, false);
        for unit in self.nal_units.take()? {
            match h264::unit_type(&unit) {
                h264::SPS => self.sets.0.clone_from(&unit),
                h264::PPS => self.sets.1.clone_from(&unit),
                _ => {
                    has_slice = true;
                    is_key |= h264::is_idr(&unit);
                }
            }
            // Parameter sets stay in the stream, too: the next layer has others, and the header tells of the first only.
            data.extend_from_slice(&u32::try_from(unit.len()).unwrap_or(0).to_be_bytes());
            data.extend_from_slice(&unit);
        }
        if !has_slice {
            return Some((Vec::new(), None));
        }
        Some((data, if is_key { self.h264_picture() } else { None }))
    }

    /// The AVC configuration record (ISO/IEC 14496-15, 5.3.3.1).
    fn h264_picture(&self) -> Option<Picture> {
        let (sps, pps) = &self.sets;
        let size = h264::sps_size(sps)?;
        let [_, profile, constraints, level, ..] = sps.as_slice() else { return None };
        let mut record = vec![1, *profile, *constraints, *level, 0xff, 0xe1];
        record.extend_from_slice(&u16::try_from(sps.len()).ok()?.to_be_bytes());
        record.extend_from_slice(sps);
        record.push(1);
        record.extend_from_slice(&u16::try_from(pps.len()).ok()?.to_be_bytes());
        record.extend_from_slice(pps);
        Some(Picture::H264 { size, configuration: record })
    }

    fn whole_av1(&mut self) -> Option<Parts> {
        let is_key = std::mem::take(&mut self.is_key);
        let unit = av1::low_overhead(&self.obus.take()?)?;
        let key = unit.key.filter(|_| is_key).map(|(size, configuration)| Picture::Av1 { size, configuration });
        Some((unit.data, key))
    }
}

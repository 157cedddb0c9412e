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
            Codec::Vp9 => self.vp9(payload)?,
            Codec::H264 => self.nal_units.push(payload).then_some(()).ok_or(Broken)?,
            Codec::Av1 => self.obus.push(payload).then_some(()).ok_or(Broken)?,
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

    fn vp9(&mut self, payload: &[u8]) -> Result<(), Broken> {
        let descriptor = vp9::descriptor(payload).ok_or(Broken)?;
        let data = payload.get(descriptor.data..).ok_or(Broken)?;
        if descriptor.start == self.is_open || self.layers.len() > MAX_LAYERS {
            return Err(Broken);
        }
        if descriptor.start {
            self.layers.push(0);
        }
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
        if std::mem::take(&mut self.is_open) {
            return None;
        }
        let key = vp9::key_frame_size(&data).map(|size| Picture::Vp9 { size });
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
        let unit = av1::low_overhead(&self.obus.take()?)?;
        Some((unit.data, unit.key.map(|(size, configuration)| Picture::Av1 { size, configuration })))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    fn packet(codec: Codec, timestamp: u32, marker: bool, payload: &[u8]) -> RtpSample {
        RtpSample {
            kind: codec.kind(),
            captured: None,
            member: "m".into(),
            codec,
            ssrc: 9,
            sequence: 0,
            timestamp,
            marker,
            payload: payload.to_vec().into(),
            arrived: Instant::now(),
        }
    }

    #[test]
    fn the_layers_of_a_vp9_picture_are_one_superframe() {
        let mut pictures = Pictures::default();
        // Two spatial layers of a key picture: flags L, B or E, and the second predicted from the first (D).
        let key = [0x82, 0x49, 0x83, 0x42, 0x00, 0x13, 0xf0, 0x0b, 0x36, 0x0c];
        let first = [&[0x2c, 0x00, 7][..], &key].concat();
        assert_eq!(pictures.push(&packet(Codec::Vp9, 0, false, &first), 5), Ok(None));
        assert_eq!(pictures.push(&packet(Codec::Vp9, 0, false, &[0x28, 0x03, 7, 0x86, 1]), 6), Ok(None));
        let whole = pictures.push(&packet(Codec::Vp9, 0, true, &[0x24, 0x03, 7, 2]), 7).unwrap().unwrap();
        let expected = [&key[..], &[0x86, 1, 2, 0xd9, 10, 0, 0, 0, 3, 0, 0, 0, 0xd9]].concat();
        assert_eq!(whole, Whole { data: expected, at_ms: 5, key: Some(Picture::Vp9 { size: (320, 180) }) });
    }

    #[test]
    fn pieces_that_do_not_fit_break_the_picture() {
        let breaks = |codec, packets: &[(u32, bool, &[u8])]| {
            let mut pictures = Pictures::default();
            packets.iter().any(|(time, marker, bytes)| pictures.push(&packet(codec, *time, *marker, bytes), 0).is_err())
        };
        assert!(breaks(Codec::Vp9, &[(0, false, &[0x00, 1])]), "the middle of nothing");
        assert!(breaks(Codec::Vp9, &[(0, false, &[0x08, 1]), (0, true, &[0x00, 1])]), "a frame without end");
        assert!(breaks(Codec::Vp9, &[(0, false, &[0x08, 1]), (0, true, &[0x08, 1])]), "a beginning within a frame");
        assert!(breaks(Codec::Vp8, &[(0, false, &[0x10, 1]), (3_000, true, &[0x00, 1])]), "another moment");
        assert!(breaks(Codec::Vp8, &[(0, false, &[0x10, 1]), (0, true, &[0x10, 1])]), "a beginning within a frame");
        assert!(breaks(Codec::Av1, &[(0, true, &[0x50, 0x30, 1])]), "an OBU without end");
        assert!(!breaks(Codec::Vp9, &[(0, false, &[0x08, 1]), (0, true, &[0x04, 1]), (3_000, true, &[0x0c, 1])]));
    }

    #[test]
    fn a_picture_without_end_takes_no_more_than_its_bound() {
        for (codec, payload) in [
            (Codec::Vp8, vec![0x00; 1_200]),
            (Codec::Vp9, vec![0x00; 1_200]),
            (Codec::H264, [&[0x78][..], &[0, 1, 1].repeat(400)].concat()),
            (Codec::Av1, [&[0x00][..], &[1, 0x30].repeat(600)].concat()),
        ] {
            let mut pictures = Pictures::default();
            let taken = (0..20_000).take_while(|n| {
                let mut payload = payload.clone();
                if *n == 0 && matches!(codec, Codec::Vp8 | Codec::Vp9) {
                    payload[0] = if codec == Codec::Vp8 { 0x10 } else { 0x08 };
                }
                pictures.push(&packet(codec, 0, false, &payload), 0).is_ok()
            });
            assert!(taken.count() <= MAX_BYTES / 1_200, "{codec:?}");
        }
    }
}

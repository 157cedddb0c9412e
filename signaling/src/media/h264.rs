//! H.264 in RTP (RFC 6184, packetization-mode 1): single units, STAP-A and FU-A.

use super::bits::Bits;

const UNIT_TYPE: u8 = 0x1f;
const IDR: u8 = 5;
pub(crate) const SPS: u8 = 7;
pub(crate) const PPS: u8 = 8;
const STAP_A: u8 = 24;
const FU_A: u8 = 28;
/// No picture has so many units. Aggregates of tiny ones would take many times their own size of memory.
const UNITS: usize = 1_024;

/// The packet begins a picture that needs no earlier one (parameter sets or an IDR slice).
pub(crate) fn starts_key_frame(payload: &[u8]) -> bool {
    match payload.first().map(|byte| byte & UNIT_TYPE) {
        Some(IDR | SPS) => true,
        Some(STAP_A) => payload.get(3).is_some_and(|byte| matches!(byte & UNIT_TYPE, IDR | SPS)),
        Some(FU_A) => payload.get(1).is_some_and(|byte| byte & 0x80 != 0 && byte & UNIT_TYPE == IDR),
        _ => false,
    }
}

/// Width and height in pixels from a packet's sequence parameter set: alone, or the first of several units.
pub(crate) fn picture_size(payload: &[u8]) -> Option<(u16, u16)> {
    match payload {
        [first, ..] if first & UNIT_TYPE == SPS => sps_size(payload),
        [first, high, low, rest @ ..] if first & UNIT_TYPE == STAP_A => {
            let unit = rest.get(..usize::from(u16::from_be_bytes([*high, *low])))?;
            (unit_type(unit) == SPS).then(|| sps_size(unit)).flatten()
        }
        _ => None,
    }
}

/// Puts NAL units together from packets in order.
#[derive(Debug, Default)]
pub(crate) struct Assembler {
    units: Vec<Vec<u8>>,
    /// A fragmented unit is under way.
    open: bool,
}

impl Assembler {
    /// Takes a packet's payload. False when it does not fit what came before: the picture is broken.
    pub fn push(&mut self, payload: &[u8]) -> bool {
        let Some((&first, rest)) = payload.split_first() else { return false };
        if self.units.len() >= UNITS {
            return false;
        }
        match first & UNIT_TYPE {
            STAP_A => {
                let mut rest = rest;
                while let [high, low, tail @ ..] = rest {
                    let length = usize::from(u16::from_be_bytes([*high, *low]));
                    let Some((unit, tail)) = tail.split_at_checked(length) else { return false };
                    if unit.is_empty() {
                        return false;
                    }
                    self.units.push(unit.to_vec());
                    rest = tail;
                }
                rest.is_empty()
            }
            FU_A => {
                let Some((&header, data)) = rest.split_first() else { return false };
                if header & 0x80 != 0 {
                    let mut unit = vec![(first & 0xe0) | (header & UNIT_TYPE)];
                    unit.extend_from_slice(data);
                    self.units.push(unit);
                    self.open = true;
                } else {
                    let Some(unit) = self.units.last_mut().filter(|_| self.open) else { return false };
                    unit.extend_from_slice(data);
                }
                if header & 0x40 != 0 {
                    self.open = false;
                }
                true
            }
            1..=23 => {
                self.units.push(payload.to_vec());
                true
            }
            _ => false,
        }
    }

    /// The finished picture's units; none when one is still open.
    pub fn take(&mut self) -> Option<Vec<Vec<u8>>> {
        let whole = !std::mem::take(&mut self.open);
        let units = std::mem::take(&mut self.units);
        (whole && !units.is_empty()).then_some(units)
    }
}

/// The type of a NAL unit.
pub(crate) fn unit_type(unit: &[u8]) -> u8 {
    unit.first().map_or(0, |byte| byte & UNIT_TYPE)
}

/// The unit is a slice of an IDR picture.
pub(crate) fn is_idr(unit: &[u8]) -> bool {
    unit_type(unit) == IDR
}

/// Width and height in pixels from a sequence parameter set (H.264, 7.3.2.1.1). None for what we cannot read.
pub(crate) fn sps_size(sps: &[u8]) -> Option<(u16, u16)> {
    let sps = without_emulation(sps.get(1..)?);
    let mut bits = Bits::of(&sps);
    let profile = bits.read(8)?;
    bits.read(16)?;
    bits.exp()?;
    let mut chroma = 1;
    if matches!(profile, 100 | 110 | 122 | 244 | 44 | 83 | 86 | 118 | 128) {
        chroma = bits.exp()?;
        if chroma == 3 {
            bits.read(1)?;
        }
        bits.exp()?;
        bits.exp()?;
        bits.read(1)?;
        if bits.read(1)? == 1 {
            // Scaling matrices: no browser's real-time encoder sends them.
            return None;
        }
    }
    bits.exp()?;
    match bits.exp()? {
        0 => {
            bits.exp()?;
        }
        1 => return None,
        _ => {}
    }
    bits.exp()?;
    bits.read(1)?;
    let width = (bits.exp()? + 1) * 16;
    let map_height = bits.exp()? + 1;
    let frames_only = bits.read(1)?;
    if frames_only == 0 {
        bits.read(1)?;
    }
    bits.read(1)?;
    let height = map_height * 16 * (2 - frames_only);
    let (mut cut_x, mut cut_y) = (0, 0);
    if bits.read(1)? == 1 {
        let (unit_x, unit_y) = if chroma == 1 { (2, 2 * (2 - frames_only)) } else { (1, 2 - frames_only) };
        cut_x = (bits.exp()? + bits.exp()?) * unit_x;
        cut_y = (bits.exp()? + bits.exp()?) * unit_y;
    }
    Some((u16::try_from(width.checked_sub(cut_x)?).ok()?, u16::try_from(height.checked_sub(cut_y)?).ok()?))
}

/// A unit's bytes, emulation prevention bytes left out (H.264, 7.4.1).
fn without_emulation(unit: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(unit.len());
    let mut zeros = 0;
    for &byte in unit {
        if zeros >= 2 && byte == 3 {
            zeros = 0;
            continue;
        }
        zeros = if byte == 0 { zeros + 1 } else { 0 };
        bytes.push(byte);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_come_together() {
        let mut assembler = Assembler::default();
        assert!(starts_key_frame(&[0x78, 0, 2, 0x67, 1, 0, 1, 0x68]));
        assert!(assembler.push(&[0x78, 0, 2, 0x67, 1, 0, 1, 0x68]));
        assert!(starts_key_frame(&[0x7c, 0x85, 9]));
        assert!(assembler.push(&[0x7c, 0x85, 9]));
        assert!(assembler.push(&[0x7c, 0x45, 8]));
        assert_eq!(assembler.take().unwrap(), [vec![0x67, 1], vec![0x68], vec![0x65, 9, 8]]);
        assert!(!assembler.push(&[0x7c, 0x05, 8]), "the middle of nothing");
        assert!(!assembler.push(&[0x78, 0, 9, 1]), "an aggregate that says more than it holds");
        assert!(!assembler.push(&[]));
    }

    #[test]
    fn the_size_is_in_the_parameter_set() {
        // Constrained baseline 3.1, 640x360, as OpenH264 and x264 write it (cropped from 368 lines).
        let sps = [0x67, 0x42, 0xc0, 0x1f, 0x8c, 0x8d, 0x40, 0x50, 0x17, 0xfc, 0xb0, 0x0f, 0x08, 0x84, 0x6a];
        assert_eq!(sps_size(&sps), Some((640, 360)));
        assert_eq!(picture_size(&sps), Some((640, 360)));
        let mut several = vec![STAP_A, 0, u8::try_from(sps.len()).unwrap()];
        several.extend_from_slice(&sps);
        several.extend_from_slice(&[0, 1, PPS]);
        assert_eq!(picture_size(&several), Some((640, 360)));
        several[2] = 200;
        assert_eq!(picture_size(&several), None);
        for end in 0..sps.len() {
            let _ = sps_size(&sps[..end]);
        }
    }
}

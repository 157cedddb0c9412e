//! The sequence header (AV1 bitstream specification, 5.5): just what a file has to tell of it.

use crate::media::bits::Bits;

/// Color primaries, transfer characteristics and matrix of sRGB (6.4.2), which has no chroma subsampling.
const SRGB: (u32, u32, u32) = (1, 13, 0);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SequenceHeader {
    profile: u8,
    level: u8,
    tier: bool,
    color: Color,
    /// The largest picture's width and height in pixels.
    pub size: (u16, u16),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Color {
    high_bit_depth: bool,
    twelve_bit: bool,
    monochrome: bool,
    subsampling_x: bool,
    subsampling_y: bool,
    sample_position: u8,
}

impl SequenceHeader {
    /// From the bytes behind the OBU's header and size.
    pub fn read(body: &[u8]) -> Option<Self> {
        let mut bits = Bits::of(body);
        let profile = small(bits.read(3)?);
        bits.skip(1)?;
        let reduced = bits.flag()?;
        let (level, tier) = if reduced { (small(bits.read(5)?), false) } else { operating_points(&mut bits)? };
        let (width_bits, height_bits) = (bits.read(4)? + 1, bits.read(4)? + 1);
        let mut side = |count: u32| u16::try_from(bits.read(usize::try_from(count).ok()?)? + 1).ok();
        let size = (side(width_bits)?, side(height_bits)?);
        if !reduced && bits.flag()? {
            bits.skip(7)?;
        }
        // use_128x128_superblock, enable_filter_intra, enable_intra_edge_filter
        bits.skip(3)?;
        if !reduced {
            tools(&mut bits)?;
        }
        // enable_superres, enable_cdef, enable_restoration
        bits.skip(3)?;
        Some(Self { profile, level, tier, color: Color::read(&mut bits, profile)?, size })
    }

    /// The four bytes before the sequence header in a codec configuration record.
    pub fn configuration(&self) -> [u8; 4] {
        let flag = |on: bool, bit: u8| if on { bit } else { 0 };
        let color = &self.color;
        [
            // Marker and version 1.
            0x81,
            (self.profile << 5) | self.level,
            flag(self.tier, 0x80)
                | flag(color.high_bit_depth, 0x40)
                | flag(color.twelve_bit, 0x20)
                | flag(color.monochrome, 0x10)
                | flag(color.subsampling_x, 0x08)
                | flag(color.subsampling_y, 0x04)
                | color.sample_position,
            0,
        ]
    }
}

/// Timing, decoder model and operating points; answers level and tier of the first point, which has all layers.
fn operating_points(bits: &mut Bits<'_>) -> Option<(u8, bool)> {
    let mut delay_bits = None;
    if bits.flag()? {
        bits.skip(64)?;
        if bits.flag()? {
            bits.exp()?;
        }
        if bits.flag()? {
            delay_bits = Some(usize::try_from(bits.read(5)?).ok()? + 1);
            bits.skip(42)?;
        }
    }
    let has_display_delay = bits.flag()?;
    let mut first = None;
    for _ in 0..=bits.read(5)? {
        bits.skip(12)?;
        let level = small(bits.read(5)?);
        let tier = level > 7 && bits.flag()?;
        if let Some(delay_bits) = delay_bits
            && bits.flag()?
        {
            bits.skip(2 * delay_bits + 1)?;
        }
        if has_display_delay && bits.flag()? {
            bits.skip(4)?;
        }
        first.get_or_insert((level, tier));
    }
    first
}

/// The coding tools that only sequences of more than one picture have.
fn tools(bits: &mut Bits<'_>) -> Option<()> {
    // enable_interintra_compound, enable_masked_compound, enable_warped_motion, enable_dual_filter
    bits.skip(4)?;
    let order_hint = bits.flag()?;
    if order_hint {
        bits.skip(2)?;
    }
    let choose_screen_content = bits.flag()?;
    if (choose_screen_content || bits.flag()?) && !bits.flag()? {
        bits.skip(1)?;
    }
    if order_hint {
        bits.skip(3)?;
    }
    Some(())
}

impl Color {
    fn read(bits: &mut Bits<'_>, profile: u8) -> Option<Self> {
        let high_bit_depth = bits.flag()?;
        let twelve_bit = profile == 2 && high_bit_depth && bits.flag()?;
        let monochrome = profile != 1 && bits.flag()?;
        let described = if bits.flag()? { Some((bits.read(8)?, bits.read(8)?, bits.read(8)?)) } else { None };
        let mut color = Self {
            high_bit_depth,
            twelve_bit,
            monochrome,
            subsampling_x: true,
            subsampling_y: true,
            sample_position: 0,
        };
        if monochrome {
            return Some(color);
        }
        (color.subsampling_x, color.subsampling_y) = if described == Some(SRGB) {
            (false, false)
        } else {
            bits.skip(1)?;
            match (profile, twelve_bit) {
                (0, _) => (true, true),
                (1, _) => (false, false),
                (_, false) => (true, false),
                (_, true) => {
                    let x = bits.flag()?;
                    (x, x && bits.flag()?)
                }
            }
        };
        if color.subsampling_x && color.subsampling_y {
            color.sample_position = small(bits.read(2)?);
        }
        Some(color)
    }
}

/// A field of at most eight bits.
fn small(field: u32) -> u8 {
    u8::try_from(field).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// libaom, 320x180, RGB and YUV 4:2:0; the records are ffmpeg's.
    #[test]
    fn what_an_encoder_wrote_is_read() {
        let rgb = [0x20, 0x00, 0x00, 0x04, 0x3c, 0xfe, 0xcc, 0xda, 0xf9, 0x20, 0x21, 0xa0, 0x04];
        let header = SequenceHeader::read(&rgb).unwrap();
        assert_eq!((header.size, header.configuration()), ((320, 180), [0x81, 0x20, 0x00, 0x00]));
        let yuv = [0x00, 0x00, 0x00, 0x04, 0x3c, 0xfe, 0xcc, 0xda, 0xf9, 0x00, 0x40];
        let header = SequenceHeader::read(&yuv).unwrap();
        assert_eq!((header.size, header.configuration()), ((320, 180), [0x81, 0x00, 0x0c, 0x00]));
    }

    proptest! {
        #[test]
        fn no_bytes_are_trouble(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            if let Some(header) = SequenceHeader::read(&bytes) {
                prop_assert_eq!(header.configuration()[0], 0x81);
            }
        }
    }
}

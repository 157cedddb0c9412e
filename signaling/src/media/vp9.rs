//! VP9 in RTP (RFC 9628): the payload descriptor before each packet, and the first bits of the frame header (VP9 bitstream specification, 6.2).

use super::bits::Bits;

/// Where things stand in one packet's payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Descriptor {
    /// The first byte of the frame's data.
    pub data: usize,
    /// This packet begins a frame.
    pub start: bool,
    /// This packet ends a frame.
    pub end: bool,
    /// The frame builds upon earlier ones of its own spatial layer.
    pub predicted: bool,
    /// 0 where layers are not told.
    pub temporal: u8,
    pub spatial: u8,
    /// Position of the picture id, and whether it has 15 bits.
    picture_id: Option<(usize, bool)>,
    /// Position of TL0PICIDX.
    tl0: Option<usize>,
}

/// Reads the descriptor (RFC 9628, 4.2); none when the packet is too short for what it says.
pub(crate) fn descriptor(payload: &[u8]) -> Option<Descriptor> {
    let first = *payload.first()?;
    let flag = |bit: u8| first & bit != 0;
    let (mut at, mut picture_id, mut tl0, mut temporal, mut spatial) = (1, None, None, 0, 0);
    if flag(0x80) {
        let long = *payload.get(at)? & 0x80 != 0;
        picture_id = Some((at, long));
        at += if long { 2 } else { 1 };
    }
    let flexible = flag(0x10);
    if flag(0x20) {
        let layers = *payload.get(at)?;
        (temporal, spatial) = (layers >> 5, (layers >> 1) & 0x07);
        at += 1;
        if !flexible {
            tl0 = Some(at);
            at += 1;
        }
    }
    if flexible && flag(0x40) {
        // At most three reference distances; the last one says that it is the last.
        for _ in 0..3 {
            let more = *payload.get(at)? & 0x01 != 0;
            at += 1;
            if !more {
                break;
            }
        }
    }
    if flag(0x02) {
        at = after_scalability_structure(payload, at)?;
    }
    (at < payload.len()).then_some(Descriptor {
        data: at,
        start: flag(0x08),
        end: flag(0x04),
        predicted: flag(0x40),
        temporal,
        spatial,
        picture_id,
        tl0,
    })
}

/// RFC 9628, 4.2.1: sizes of the spatial layers and the pictures of a group.
fn after_scalability_structure(payload: &[u8], mut at: usize) -> Option<usize> {
    let first = *payload.get(at)?;
    at += 1;
    if first & 0x10 != 0 {
        at += 4 * (usize::from(first >> 5) + 1);
    }
    if first & 0x08 != 0 {
        let pictures = *payload.get(at)?;
        at += 1;
        for _ in 0..pictures {
            let references = usize::from((*payload.get(at)? >> 2) & 0x03);
            at += 1 + references;
        }
    }
    Some(at)
}

/// The packet begins a key frame.
pub(crate) fn starts_key_frame(payload: &[u8]) -> bool {
    descriptor(payload).is_some_and(|d| {
        d.start && !d.predicted && d.spatial == 0 && payload.get(d.data).copied().is_some_and(is_key_frame)
    })
}

/// The uncompressed header: marker `10`, profile (with one more bit for profile 3), show_existing_frame, frame_type. An intra-only frame is
/// not predicted either, but does not begin a picture that needs no earlier one.
fn is_key_frame(first: u8) -> bool {
    let after_profile = if first & 0x30 == 0x30 { first << 1 } else { first };
    first & 0xc0 == 0x80 && after_profile & 0x0c == 0
}

/// Width and height in pixels of a key frame; none for any other frame (VP9 bitstream specification, 6.2 and 6.2.2 to 6.2.3).
pub(crate) fn key_frame_size(frame: &[u8]) -> Option<(u16, u16)> {
    const SYNC: u32 = 0x49_8342;
    const SRGB: u32 = 7;
    frame.first().copied().filter(|first| is_key_frame(*first))?;
    let mut bits = Bits::of(frame);
    bits.skip(2)?;
    let profile = bits.read(1)? | (bits.read(1)? << 1);
    // With profile 3 a reserved bit; show_existing_frame, frame_type, show_frame, error_resilient_mode.
    bits.skip(if profile == 3 { 5 } else { 4 })?;
    if bits.read(24)? != SYNC {
        return None;
    }
    if profile >= 2 {
        bits.skip(1)?;
    }
    let has_subsampling = profile == 1 || profile == 3;
    if bits.read(3)? == SRGB {
        bits.skip(usize::from(has_subsampling))?;
    } else {
        bits.skip(if has_subsampling { 4 } else { 1 })?;
    }
    let mut side = || u16::try_from(bits.read(16)? + 1).ok();
    Some((side()?, side()?))
}

/// Picture id and TL0PICIDX of a packet, 0 where absent.
pub(crate) fn picture_ids(payload: &[u8]) -> Option<(u16, u8)> {
    let d = descriptor(payload)?;
    let (at, long) = d.picture_id?;
    let first = *payload.get(at)?;
    let id = if long { u16::from_be_bytes([first & 0x7f, *payload.get(at + 1)?]) } else { u16::from(first & 0x7f) };
    Some((id, d.tl0.and_then(|at| payload.get(at)).copied().unwrap_or(0)))
}

/// Moves picture id and TL0PICIDX on, in place; answers the new ones.
pub(crate) fn move_picture_ids(payload: &mut [u8], by: u16, tl0_by: u8) -> Option<(u16, u8)> {
    let d = descriptor(payload)?;
    let (id, tl0) = picture_ids(payload)?;
    let (at, long) = d.picture_id?;
    let id = id.wrapping_add(by) & if long { 0x7fff } else { 0x7f };
    let [high, low] = id.to_be_bytes();
    if long {
        *payload.get_mut(at)? = 0x80 | high;
        *payload.get_mut(at + 1)? = low;
    } else {
        *payload.get_mut(at)? = low;
    }
    let tl0 = tl0.wrapping_add(tl0_by);
    if let Some(byte) = d.tl0.and_then(|at| payload.get_mut(at)) {
        *byte = tl0;
    }
    Some((id, tl0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// As Chromium sends it: picture id of 15 bits, layers, not flexible, begins a frame, with a scalability structure of one size and a group of
    /// one picture with one reference; the frame is a key frame of profile 0.
    const KEY: [u8; 15] = [0xaa, 0x85, 0x39, 0x00, 7, 0x18, 0x02, 0x80, 0x01, 0x68, 0x01, 0x04, 0x01, 0x82, 0x49];
    /// The next picture: predicted.
    const DELTA: [u8; 6] = [0xe8, 0x85, 0x3a, 0x20, 7, 0x86];

    #[test]
    fn a_key_frame_is_known_with_its_ids() {
        let d = descriptor(&KEY).unwrap();
        assert_eq!((d.data, d.start, d.end, d.predicted, d.temporal, d.spatial), (13, true, false, false, 0, 0));
        assert!(starts_key_frame(&KEY));
        assert_eq!(picture_ids(&KEY), Some((0x0539, 7)));
        let mut moved = KEY;
        assert_eq!(move_picture_ids(&mut moved, 0x7fff, 250), Some((0x0538, 1)));
        assert_eq!(picture_ids(&moved), Some((0x0538, 1)));
        assert_eq!(moved[5..], KEY[5..]);
    }

    #[test]
    fn other_packets_are_not_key_frames() {
        assert!(!starts_key_frame(&DELTA));
        assert_eq!(descriptor(&DELTA).map(|d| (d.temporal, d.predicted)), Some((1, true)));
        let mut middle = KEY;
        middle[0] &= !0x08;
        assert!(!starts_key_frame(&middle), "not the frame's first packet");
        let mut upper = KEY;
        upper[3] = 0x02;
        assert!(!starts_key_frame(&upper), "a spatial layer above the first");
        let mut intra_only = KEY;
        intra_only[13] |= 0x04;
        assert!(!starts_key_frame(&intra_only), "frame_type says that it is none");
        let mut shown_again = KEY;
        shown_again[13] |= 0x08;
        assert!(!starts_key_frame(&shown_again), "an earlier frame shown again");
    }

    #[test]
    fn a_flexible_descriptor_has_references_in_the_place_of_tl0() {
        // I, P, L, F and B; picture id of 7 bits; layers; two reference distances.
        let mut packet = [0xf8, 0x7f, 0x20, 0x03, 0x04, 0x86];
        assert_eq!(descriptor(&packet).map(|d| d.data), Some(5));
        assert_eq!(move_picture_ids(&mut packet, 2, 1), Some((1, 1)));
        assert_eq!(packet, [0xf8, 0x01, 0x20, 0x03, 0x04, 0x86]);
    }

    #[test]
    fn the_size_is_in_the_key_frame() {
        // As libvpx writes it: profile 0, sync code, no colour space told, 320x180.
        let frame = [0x82, 0x49, 0x83, 0x42, 0x00, 0x13, 0xf0, 0x0b, 0x36, 0x0c];
        assert_eq!(key_frame_size(&frame), Some((320, 180)));
        assert_eq!(key_frame_size(&frame[..7]), None);
        assert_eq!(key_frame_size(&[0x86, 0x49, 0x83, 0x42, 0x00, 0x13, 0xf0, 0x0b, 0x36, 0x0c]), None, "no key frame");
        assert_eq!(key_frame_size(&[0x82, 0x49, 0x83, 0x43, 0x00, 0x13, 0xf0, 0x0b, 0x36, 0x0c]), None, "no sync code");
    }

    #[test]
    fn profile_three_has_one_bit_more() {
        assert!(is_key_frame(0b1011_0000) && !is_key_frame(0b1011_0010) && !is_key_frame(0b1011_0100));
        assert!(is_key_frame(0b1001_0000) && !is_key_frame(0b1001_0100) && !is_key_frame(0b0101_0000));
    }

    proptest! {
        #[test]
        fn no_bytes_are_trouble(mut bytes in prop::collection::vec(any::<u8>(), 0..40), by in any::<u16>(), tl0_by in any::<u8>()) {
            starts_key_frame(&bytes);
            key_frame_size(&bytes);
            let (before, ids) = (descriptor(&bytes), picture_ids(&bytes));
            let moved = move_picture_ids(&mut bytes, by, tl0_by);
            prop_assert_eq!(descriptor(&bytes), before);
            prop_assert_eq!(moved.is_some(), ids.is_some());
            if before.is_some_and(|d| d.tl0.is_some()) {
                prop_assert_eq!(picture_ids(&bytes), moved);
            }
        }
    }
}

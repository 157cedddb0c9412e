//! AV1 in RTP (RTP Payload Format For AV1 v1.0, aomediacodec.github.io/av1-rtp-spec): the aggregation header, and the types of the OBUs behind it.

mod sequence;
mod unit;

use sequence::SequenceHeader;
pub(crate) use unit::{Assembler, low_overhead};

/// OBU types (AV1 bitstream specification, 6.2.2).
const SEQUENCE_HEADER: u8 = 1;
/// A packet has few OBUs; what is behind these many is not looked at.
const OBUS: usize = 16;

/// The packet begins a coded video sequence: a key frame with its sequence header. The aggregation header says so (Z is 0, N is 1: section 4.4), and a
/// sequence header is among its OBUs.
pub(crate) fn starts_key_frame(payload: &[u8]) -> bool {
    match payload {
        [aggregation, obus @ ..] if aggregation & 0x88 == 0x08 => {
            sequence_header(obus, (aggregation >> 4) & 0x03).is_some()
        }
        _ => false,
    }
}

/// Width and height in pixels of the largest picture, from a packet that starts a key frame.
pub(crate) fn picture_size(payload: &[u8]) -> Option<(u16, u16)> {
    let (aggregation, obus) = payload.split_first()?;
    let (_, body) = unit::split(sequence_header(obus, (aggregation >> 4) & 0x03)?)?;
    Some(SequenceHeader::read(body)?.size)
}

fn sequence_header(obus: &[u8], count: u8) -> Option<&[u8]> {
    elements(obus, count).take(OBUS).map_while(|obu| obu).find(|obu| obu_type(obu) == Some(SEQUENCE_HEADER))
}

/// The OBUs, or pieces of them, behind an aggregation header. `count` of 0: each has its length before it; else the last one of so many has none.
/// None, once and last, where the bytes do not fit.
fn elements(mut rest: &[u8], count: u8) -> impl Iterator<Item = Option<&[u8]>> {
    let mut number = 0usize;
    let mut over = rest.is_empty();
    std::iter::from_fn(move || {
        if over {
            return None;
        }
        number += 1;
        let is_last = count != 0 && number == usize::from(count);
        let sized = if is_last { Some((rest.len(), rest)) } else { leb128(rest) };
        let Some((element, after)) = sized.and_then(|(length, rest)| rest.split_at_checked(length)) else {
            over = true;
            return Some(None);
        };
        rest = after;
        over = is_last || (after.is_empty() && count == 0);
        Some(Some(element))
    })
}

/// The type in an OBU's first byte (AV1 bitstream specification, 5.3.2).
fn obu_type(obu: &[u8]) -> Option<u8> {
    Some((obu.first()? >> 3) & 0x0f)
}

/// A length of at most four bytes of seven bits, lowest first (AV1 bitstream specification, 4.10.5); longer ones fit into no packet.
fn leb128(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut value = 0;
    for at in 0..4 {
        let byte = *bytes.get(at)?;
        value |= usize::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return Some((value, bytes.get(at + 1..)?));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_new_sequence_is_a_key_frame() {
        // As Chromium sends it: Y (goes on in the next packet), W 2, N; sequence header with its length, then a part of the frame.
        assert!(starts_key_frame(&[0x68, 3, 0x08, 0x00, 0x00, 0x30, 1, 2, 3]));
        // One OBU alone, without length.
        assert!(starts_key_frame(&[0x18, 0x08, 0x00]));
        // Lengths everywhere, and a temporal delimiter before.
        assert!(starts_key_frame(&[0x08, 2, 0x12, 0x00, 2, 0x0a, 0x00]));
    }

    #[test]
    fn anything_else_is_none() {
        assert!(!starts_key_frame(&[]));
        assert!(!starts_key_frame(&[0x08]));
        assert!(!starts_key_frame(&[0x10, 0x08, 0x00]), "N says that the sequence goes on");
        assert!(!starts_key_frame(&[0x98, 0x08, 0x00]), "Z says that the first OBU began earlier");
        assert!(!starts_key_frame(&[0x18, 0x30, 0x00]), "a frame without sequence header");
        assert!(!starts_key_frame(&[0x28, 9, 0x30, 0x08]), "a length beyond the end");
        assert!(!starts_key_frame(&[0x08, 0x80, 0x80, 0x80, 0x80, 0x08]), "a length without end");
    }

    proptest! {
        #[test]
        fn no_bytes_are_trouble(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            picture_size(&bytes);
            if starts_key_frame(&bytes) {
                prop_assert!(bytes.len() > 1);
            }
        }

        /// Wherever the sequence header stands and however lengths are told, it is found.
        #[test]
        fn the_sequence_header_is_found(before in 0usize..6, after in 0usize..6, size in 1usize..200) {
            let mut packet = vec![0x08];
            for at in 0..=before + after {
                packet.push(u8::try_from(size & 0x7f).unwrap() | if size > 127 { 0x80 } else { 0 });
                if size > 127 {
                    packet.push(1);
                }
                packet.push(if at == before { 0x08 } else { 0x28 });
                packet.extend(std::iter::repeat_n(0, size - 1));
            }
            prop_assert!(starts_key_frame(&packet));
        }
    }
}

//! Temporal units: from packets to OBUs, and from OBUs to what a file holds.

use super::sequence::SequenceHeader;
use super::{SEQUENCE_HEADER, elements, leb128, obu_type};

const TEMPORAL_DELIMITER: u8 = 2;
const FRAME_HEADER: u8 = 3;
const FRAME: u8 = 6;
const TILE_LIST: u8 = 8;
const PADDING: u8 = 15;
const HAS_EXTENSION: u8 = 0x04;
const HAS_SIZE: u8 = 0x02;
/// No temporal unit has so many OBUs.
const UNITS: usize = 1_024;

/// Puts OBUs together from packets in order.
#[derive(Debug, Default)]
pub(crate) struct Assembler {
    obus: Vec<Vec<u8>>,
    /// The last OBU goes on in the next packet.
    open: bool,
}

impl Assembler {
    /// Takes a packet's payload. False when it does not fit what came before: the unit is broken.
    pub fn push(&mut self, payload: &[u8]) -> bool {
        let Some((&aggregation, rest)) = payload.split_first() else { return false };
        let continues = aggregation & 0x80 != 0;
        if continues != self.open || self.obus.len() >= UNITS {
            return false;
        }
        for (number, element) in elements(rest, (aggregation >> 4) & 0x03).enumerate() {
            let Some(element) = element else { return false };
            match self.obus.last_mut() {
                Some(last) if number == 0 && continues => last.extend_from_slice(element),
                _ if element.is_empty() => return false,
                _ => self.obus.push(element.to_vec()),
            }
        }
        self.open = aggregation & 0x40 != 0;
        true
    }

    /// The finished unit's OBUs; none when one is still open.
    pub fn take(&mut self) -> Option<Vec<Vec<u8>>> {
        let whole = !std::mem::take(&mut self.open);
        let obus = std::mem::take(&mut self.obus);
        (whole && !obus.is_empty()).then_some(obus)
    }
}

/// A temporal unit as containers hold it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unit {
    pub data: Vec<u8>,
    /// With a key frame: width and height in pixels, and the AV1 codec configuration record (`av1C`, AV1 in ISO base media, 2.3).
    pub key: Option<((u16, u16), Vec<u8>)>,
}

/// The low-overhead format (AV1 bitstream specification, 5.2): each OBU tells its size, and temporal delimiters are left out, as Matroska wants it.
/// None when an OBU is not what it says.
pub(crate) fn low_overhead(obus: &[Vec<u8>]) -> Option<Unit> {
    let mut data = Vec::with_capacity(obus.iter().map(|obu| obu.len() + 4).sum());
    let (mut sequence, mut key_frame) = (None, None);
    for obu in obus {
        let kind = obu_type(obu)?;
        if matches!(kind, TEMPORAL_DELIMITER | TILE_LIST | PADDING) {
            continue;
        }
        let (head, body) = split(obu)?;
        let at = data.len();
        push(&mut data, head, body);
        match kind {
            SEQUENCE_HEADER => {
                let written = data.get(at..)?.to_vec();
                sequence = Some((SequenceHeader::read(body)?, written));
            }
            // show_existing_frame and frame_type; only the first frame counts: the others of a unit may lean on it.
            FRAME_HEADER | FRAME if key_frame.is_none() => key_frame = Some(body.first()? & 0xe0 == 0),
            _ => {}
        }
    }
    let key = sequence.filter(|_| key_frame == Some(true)).map(|(header, written)| {
        let mut record = header.configuration().to_vec();
        record.extend(written);
        (header.size, record)
    });
    (!data.is_empty()).then_some(Unit { data, key })
}

/// An OBU's one or two bytes of header, and what is behind header and size.
pub(super) fn split(obu: &[u8]) -> Option<(&[u8], &[u8])> {
    let first = *obu.first()?;
    let (head, rest) = obu.split_at_checked(if first & HAS_EXTENSION != 0 { 2 } else { 1 })?;
    if first & HAS_SIZE == 0 {
        return Some((head, rest));
    }
    let (length, rest) = leb128(rest)?;
    Some((head, rest.get(..length)?))
}

fn push(out: &mut Vec<u8>, head: &[u8], body: &[u8]) {
    out.extend(head.iter().enumerate().map(|(at, byte)| if at == 0 { byte | HAS_SIZE } else { *byte }));
    let mut length = body.len();
    while length > 0x7f {
        out.push(u8::try_from(length & 0x7f).unwrap_or(0) | 0x80);
        length >>= 7;
    }
    out.push(u8::try_from(length).unwrap_or(0));
    out.extend_from_slice(body);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_obu_over_three_packets_comes_together() {
        let mut assembler = Assembler::default();
        // A whole OBU and the beginning of another; its middle; its end and one more.
        assert!(assembler.push(&[0x68, 2, 0x12, 0x00, 0x30, 1]));
        assert!(assembler.push(&[0xd0, 2, 3]));
        assert!(assembler.push(&[0xa0, 1, 4, 0x28, 9]));
        let obus = assembler.take().unwrap();
        assert_eq!(obus, [vec![0x12, 0x00], vec![0x30, 1, 2, 3, 4], vec![0x28, 9]]);
        let unit = low_overhead(&obus).unwrap();
        assert_eq!(unit, Unit { data: vec![0x32, 4, 1, 2, 3, 4, 0x2a, 1, 9], key: None });
    }

    #[test]
    fn pieces_that_do_not_fit_are_told() {
        let mut assembler = Assembler::default();
        assert!(!assembler.push(&[0x90, 1]), "the middle of nothing");
        assert!(assembler.push(&[0x50, 0x30, 1]));
        assert!(!assembler.push(&[0x10, 0x30, 1]), "something else instead of the rest");
        assert_eq!(assembler.take(), None, "the unit has no end");
        assert!(!assembler.push(&[0x20, 9, 0x30]), "a length beyond the end");
        assert!(!assembler.push(&[]));
    }

    proptest! {
        #[test]
        fn no_bytes_are_trouble(packets in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..6)) {
            let mut assembler = Assembler::default();
            let bytes: usize = packets.iter().map(Vec::len).sum();
            for packet in &packets {
                if !assembler.push(packet) {
                    assembler = Assembler::default();
                }
            }
            if let Some(obus) = assembler.take() {
                prop_assert!(obus.iter().map(Vec::len).sum::<usize>() <= bytes);
                low_overhead(&obus);
            }
        }

        /// Written and read again, each OBU is the same.
        #[test]
        fn every_obu_tells_its_size(body in prop::collection::vec(any::<u8>(), 0..300)) {
            let mut obu = vec![0x30];
            obu.extend(&body);
            let mut data = low_overhead(&[obu]).map_or_else(Vec::new, |unit| unit.data);
            if body.is_empty() {
                prop_assert!(data.is_empty(), "a frame without a byte is none");
            } else {
                let (head, read) = split(&data).unwrap();
                prop_assert_eq!((head, read), (&[0x32][..], &body[..]));
                data.pop();
                prop_assert_eq!(split(&data), None);
            }
        }
    }
}

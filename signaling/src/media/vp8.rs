//! VP8 in RTP (RFC 7741): the payload descriptor before each packet, and the little of the frame header (RFC 6386, 9.1) that we need.

/// Where things stand in one packet's payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Descriptor {
    /// The first byte of the frame's data.
    pub data: usize,
    /// This packet begins a partition.
    pub start: bool,
    /// Which partition; 0 and `start` begin a frame.
    pub partition: u8,
    /// Position of the picture id, and whether it has 15 bits.
    picture_id: Option<(usize, bool)>,
    /// Position of TL0PICIDX.
    tl0: Option<usize>,
}

/// Reads the descriptor; none when the packet is too short for what it says.
pub(crate) fn descriptor(payload: &[u8]) -> Option<Descriptor> {
    let first = *payload.first()?;
    let (mut at, mut picture_id, mut tl0) = (1, None, None);
    if first & 0x80 != 0 {
        let extended = *payload.get(at)?;
        at += 1;
        if extended & 0x80 != 0 {
            let long = *payload.get(at)? & 0x80 != 0;
            picture_id = Some((at, long));
            at += if long { 2 } else { 1 };
        }
        if extended & 0x40 != 0 {
            tl0 = Some(at);
            at += 1;
        }
        if extended & 0x30 != 0 {
            at += 1;
        }
    }
    (at < payload.len()).then_some(Descriptor {
        data: at,
        start: first & 0x10 != 0,
        partition: first & 0x07,
        picture_id,
        tl0,
    })
}

/// The packet begins a key frame.
pub(crate) fn starts_key_frame(payload: &[u8]) -> bool {
    descriptor(payload).is_some_and(|d| {
        d.start && d.partition == 0 && payload.get(d.data..).is_some_and(|frame| key_frame_size(frame).is_some())
    })
}

/// Width and height in pixels of a whole key frame; none for any other frame.
pub(crate) fn key_frame_size(frame: &[u8]) -> Option<(u16, u16)> {
    match frame {
        [tag, _, _, 0x9d, 0x01, 0x2a, w0, w1, h0, h1, ..] if tag & 1 == 0 => {
            Some((u16::from_le_bytes([*w0, *w1]) & 0x3fff, u16::from_le_bytes([*h0, *h1]) & 0x3fff))
        }
        _ => None,
    }
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
    let id = if long {
        let id = id.wrapping_add(by) & 0x7fff;
        let [high, low] = id.to_be_bytes();
        *payload.get_mut(at)? = 0x80 | high;
        *payload.get_mut(at + 1)? = low;
        id
    } else {
        let id = id.wrapping_add(by) & 0x7f;
        *payload.get_mut(at)? = u8::try_from(id).unwrap_or(0);
        id
    };
    let tl0 = tl0.wrapping_add(tl0_by);
    if let Some(byte) = d.tl0.and_then(|at| payload.get_mut(at)) {
        *byte = tl0;
    }
    Some((id, tl0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: [u8; 15] = [0x90, 0xe0, 0x85, 0x39, 7, 0x20, 0x00, 0x10, 0x02, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0x68];

    #[test]
    fn a_key_frame_is_known_with_its_ids() {
        let mut packet = KEY.to_vec();
        packet.extend_from_slice(&[0x01, 0xff]);
        // X, I, L and T bits: picture id 15 bits 0x0539, TL0PICIDX 7, one byte of TID.
        assert!(!starts_key_frame(&packet[..8]));
        let d = descriptor(&packet).unwrap();
        assert_eq!((d.data, d.start, d.partition), (6, true, 0));
        assert!(starts_key_frame(&packet));
        assert_eq!(key_frame_size(&packet[d.data..]), Some((640, 360)));
        assert_eq!(picture_ids(&packet), Some((0x0539, 7)));
        assert_eq!(move_picture_ids(&mut packet, 0x7fff, 250), Some((0x0538, 1)));
        assert_eq!(picture_ids(&packet), Some((0x0538, 1)));
    }

    #[test]
    fn no_cut_of_a_packet_is_trouble() {
        for end in 0..KEY.len() {
            let mut cut = KEY[..end].to_vec();
            let _ = (starts_key_frame(&cut), picture_ids(&cut), move_picture_ids(&mut cut, 3, 3));
        }
    }
}

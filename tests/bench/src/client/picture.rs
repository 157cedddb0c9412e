//! Made-up sound and pictures: payloads that servers take for Opus and VP8, each with a note at its end that tells a receiver who sent
//! what and when. Both ends live on one machine, so that they share the clock.

use std::time::Duration;

/// The note at the end of each payload, in bytes.
pub const NOTE_BYTES: usize = 28;
const MAGIC: [u8; 4] = *b"note";
/// Before the first picture byte: VP8's descriptor with picture id and tl0picidx (RFC 7741), and the key frame's head (RFC 6386).
const HEAD_BYTES: usize = 15;

/// See [`Show::ramp`].
const RAMP: Duration = Duration::from_millis(1_500);

/// What one packet says about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Note {
    /// The sender's number in the fleet.
    pub member: u32,
    /// 0 is the smallest.
    pub layer: u8,
    /// Part of a picture that needs no earlier one.
    pub is_key: bool,
    /// The picture's number in its layer.
    pub picture: u32,
    /// This packet's place in the picture, and how many the picture has.
    pub part: u16,
    pub parts: u16,
    /// When it was written: nanoseconds since 1970.
    pub sent_ns: u64,
}

impl Note {
    fn write(self, to: &mut Vec<u8>) {
        to.extend_from_slice(&MAGIC);
        to.extend_from_slice(&self.member.to_be_bytes());
        to.extend_from_slice(&[self.layer, u8::from(self.is_key)]);
        to.extend_from_slice(&self.picture.to_be_bytes());
        to.extend_from_slice(&self.part.to_be_bytes());
        to.extend_from_slice(&self.parts.to_be_bytes());
        to.extend_from_slice(&[0; 2]);
        to.extend_from_slice(&self.sent_ns.to_be_bytes());
    }

    /// Reads the note off a payload's end.
    pub fn read(payload: &[u8]) -> Option<Self> {
        let at = payload.len().checked_sub(NOTE_BYTES)?;
        let (magic, rest) = payload.get(at..)?.split_first_chunk::<4>()?;
        if *magic != MAGIC {
            return None;
        }
        let (member, rest) = rest.split_first_chunk::<4>()?;
        let ([layer, is_key], rest) = rest.split_first_chunk::<2>()?;
        let (picture, rest) = rest.split_first_chunk::<4>()?;
        let (part, rest) = rest.split_first_chunk::<2>()?;
        let (parts, rest) = rest.split_first_chunk::<2>()?;
        let (_, rest) = rest.split_first_chunk::<2>()?;
        Some(Self {
            member: u32::from_be_bytes(*member),
            layer: *layer,
            is_key: *is_key == 1,
            picture: u32::from_be_bytes(*picture),
            part: u16::from_be_bytes(*part),
            parts: u16::from_be_bytes(*parts),
            sent_ns: u64::from_be_bytes(rest.try_into().ok()?),
        })
    }
}

/// A VP8 payload of `bytes` bytes, or a little more where the head and the note need it.
pub fn vp8(bytes: usize, note: Note) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.max(HEAD_BYTES + NOTE_BYTES));
    let starts = note.part == 0;
    let id = note.picture.to_be_bytes();
    // X; then I and L; the picture id's fifteen bits; tl0picidx.
    out.extend_from_slice(&[0x80 | u8::from(starts) << 4, 0xc0, 0x80 | (id[2] & 0x7f), id[3], id[3]]);
    if starts && note.is_key {
        out.extend_from_slice(&[0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0x68, 0x01]);
    } else if starts {
        out.extend_from_slice(&[0x11, 0x02, 0x00]);
    }
    out.resize(bytes.saturating_sub(NOTE_BYTES).max(out.len()), 7);
    note.write(&mut out);
    out
}

/// An Opus payload: 20 ms, CELT, full band, as far as the first byte tells (RFC 6716, 3.1).
pub fn opus(bytes: usize, note: Note) -> Vec<u8> {
    let mut out = vec![0xf8];
    out.resize(bytes.saturating_sub(NOTE_BYTES).max(1), 7);
    note.write(&mut out);
    out
}

/// One layer's size: what every picture is cut into.
#[derive(Debug, Clone, Copy)]
pub struct Layer {
    /// The RTP stream id; none without simulcast.
    pub rid: Option<&'static str>,
    /// Packets a picture.
    pub packets: u16,
    /// Payload bytes a packet.
    pub bytes: usize,
}

/// What a member sends.
#[derive(Debug, Clone)]
pub struct Show {
    /// Low to high; one without a rid when there is no simulcast; empty for sound alone.
    pub layers: Vec<Layer>,
    /// Between two pictures.
    pub period: Duration,
    /// Payload bytes of a packet of sound (one each 20 ms); none sends no sound.
    pub sound: Option<usize>,
    /// Pictures begin with two packets and get another each time this long passes, as a browser's encoder feels its way; none begins in full.
    pub ramp: Option<Duration>,
}

impl Show {
    /// One stream of large packets, in bursts as a camera's pictures come: 13 packets of 1,200 bytes, 30 times a second.
    pub fn heavy(packets: u16, ramp: bool) -> Self {
        let layer = Layer { rid: None, packets, bytes: 1_160 };
        let ramp = ramp.then_some(RAMP);
        Self { layers: vec![layer], period: Duration::from_micros(33_333), sound: Some(120), ramp }
    }

    /// Three layers of about 90, 250 and 700 kbit/s at 25 pictures a second, and sound.
    pub fn simulcast() -> Self {
        let layer = |rid, packets, bytes| Layer { rid: Some(rid), packets, bytes };
        let layers = vec![layer("l", 1, 450), layer("m", 2, 625), layer("h", 3, 1_166)];
        Self { layers, period: Duration::from_millis(40), sound: Some(120), ramp: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_read_as_written() {
        let note = Note { member: 7, layer: 2, is_key: true, picture: 300, part: 0, parts: 3, sent_ns: 1 << 40 };
        for payload in [vp8(1_160, note), vp8(0, note), opus(120, note), opus(0, note)] {
            assert_eq!(Note::read(&payload), Some(note));
            assert_eq!(Note::read(&payload[1..payload.len() - 1]), None);
        }
        assert_eq!(vp8(1_160, note).len(), 1_160);
        assert_eq!(Note::read(&[]), None);
    }
}

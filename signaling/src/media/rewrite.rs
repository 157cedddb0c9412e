//! One subscriber's copy of one stream: sequence numbers without holes, timestamps that go on, VP8 picture ids that follow each other,
//! through padding, muting and changes of the source.

use super::{Codec, vp8};
use bytes::Bytes;
use std::collections::VecDeque;
use std::time::Instant;

/// Left-out packets that are remembered for the sake of late ones.
const REMEMBERED: usize = 64;

/// What is read of a packet, and what is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub sequence: u16,
    pub timestamp: u32,
}

#[derive(Debug)]
pub(crate) struct Rewriter {
    codec_rate: u32,
    /// The stream that is passed on now; none before the first packet and after a pause.
    from: Option<u32>,
    /// Added to the incoming sequence number and timestamp.
    sequence_by: u16,
    timestamp_by: u32,
    picture_by: u16,
    tl0_by: u8,
    /// Incoming sequence numbers that were left out; `sequence_by` counts only those that fell out of the list.
    left_out: VecDeque<u16>,
    /// The highest incoming sequence number.
    highest_in: u16,
    /// The latest that went out.
    last: Option<(Stamp, Instant)>,
    last_picture: (u16, u8),
}

impl Rewriter {
    pub fn new(codec: Codec) -> Self {
        Self {
            codec_rate: codec.clock_rate(),
            from: None,
            sequence_by: 0,
            timestamp_by: 0,
            picture_by: 0,
            tl0_by: 0,
            left_out: VecDeque::new(),
            highest_in: 0,
            last: None,
            last_picture: (0, 0),
        }
    }

    /// The next packet begins anew (after muting, or another member's stream in the same place).
    pub fn interrupt(&mut self) {
        self.from = None;
    }

    /// A packet of this stream would go on from what was sent; else it has to begin anew, on a key frame.
    pub fn follows(&self, ssrc: u32) -> bool {
        self.from == Some(ssrc)
    }

    /// Begins anew with this packet.
    pub fn begin(&mut self, ssrc: u32, incoming: &Stamp, codec: Codec, payload: &[u8], now: Instant) {
        self.from = Some(ssrc);
        self.left_out.clear();
        self.highest_in = incoming.sequence.wrapping_sub(1);
        if let Some((last, at)) = &self.last {
            let elapsed = now.saturating_duration_since(*at).as_millis() * u128::from(self.codec_rate) / 1000;
            let step = u32::try_from(elapsed.max(1)).unwrap_or(u32::MAX);
            self.sequence_by = last.sequence.wrapping_add(1).wrapping_sub(incoming.sequence);
            self.timestamp_by = last.timestamp.wrapping_add(step).wrapping_sub(incoming.timestamp);
        }
        if let (Codec::Vp8, Some(_), Some((picture, tl0))) = (codec, &self.last, vp8::picture_ids(payload)) {
            self.picture_by = self.last_picture.0.wrapping_add(1).wrapping_sub(picture) & 0x7fff;
            self.tl0_by = self.last_picture.1.wrapping_add(1).wrapping_sub(tl0);
        }
    }

    /// This packet is not passed on (it is padding): what follows closes the gap. Late padding leaves its hole, since what followed it is out.
    pub fn leave_out(&mut self, sequence: u16) {
        if !is_newer(sequence, self.highest_in) {
            return;
        }
        self.highest_in = sequence;
        self.left_out.push_back(sequence);
        if self.left_out.len() > REMEMBERED {
            self.left_out.pop_front();
            self.sequence_by = self.sequence_by.wrapping_sub(1);
        }
    }

    /// The stamp under which the packet goes out.
    pub fn pass(&mut self, incoming: &Stamp, now: Instant) -> Stamp {
        let before = self.left_out.iter().filter(|left| is_newer(incoming.sequence, **left)).count();
        let before = u16::try_from(before).unwrap_or(0);
        if is_newer(incoming.sequence, self.highest_in) {
            self.highest_in = incoming.sequence;
        }
        let outgoing = Stamp {
            sequence: incoming.sequence.wrapping_add(self.sequence_by).wrapping_sub(before),
            timestamp: incoming.timestamp.wrapping_add(self.timestamp_by),
        };
        if self.last.as_ref().is_none_or(|(last, _)| is_newer(outgoing.sequence, last.sequence)) {
            self.last = Some((outgoing.clone(), now));
        }
        outgoing
    }

    /// The payload that goes out: the same bytes, unless VP8 picture ids have to move.
    pub fn payload(&mut self, codec: Codec, payload: &Bytes) -> Bytes {
        if codec != Codec::Vp8 {
            return payload.clone();
        }
        if self.picture_by == 0 && self.tl0_by == 0 {
            if let Some(ids) = vp8::picture_ids(payload) {
                self.last_picture = ids;
            }
            return payload.clone();
        }
        let mut bytes = payload.to_vec();
        if let Some(ids) = vp8::move_picture_ids(&mut bytes, self.picture_by, self.tl0_by) {
            self.last_picture = ids;
        }
        bytes.into()
    }
}

/// Serial number arithmetic (RFC 1982): `a` comes after `b`.
pub(crate) fn is_newer(a: u16, b: u16) -> bool {
    a != b && a.wrapping_sub(b) < 0x8000
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn stamp(sequence: u16, timestamp: u32) -> Stamp {
        Stamp { sequence, timestamp }
    }

    #[test]
    fn padding_leaves_no_hole_even_when_packets_overtake_each_other() {
        let now = Instant::now();
        let mut rewriter = Rewriter::new(Codec::Vp8);
        rewriter.begin(7, &stamp(65_534, 10), Codec::Vp8, &[], now);
        let mut out = Vec::new();
        for sequence in [65_534u16, 65_535, 1, 0, 4, 3, 5] {
            // 2 is padding and comes between; 3 comes after 4.
            if sequence == 4 {
                rewriter.leave_out(2);
            }
            out.push(rewriter.pass(&stamp(sequence, 10), now).sequence);
        }
        assert_eq!(out, [65_534, 65_535, 1, 0, 3, 2, 4]);
        rewriter.leave_out(5);
        assert_eq!(rewriter.pass(&stamp(6, 10), now).sequence, 5, "late padding is no gap to close");
    }

    #[test]
    fn many_left_out_packets_are_still_counted() {
        let now = Instant::now();
        let mut rewriter = Rewriter::new(Codec::Vp8);
        rewriter.begin(7, &stamp(0, 0), Codec::Vp8, &[], now);
        assert_eq!(rewriter.pass(&stamp(0, 0), now).sequence, 0);
        for sequence in 1..=300 {
            rewriter.leave_out(sequence);
        }
        assert_eq!(rewriter.pass(&stamp(301, 0), now).sequence, 1);
    }

    #[test]
    fn a_new_source_goes_on_where_the_old_one_stopped() {
        let now = Instant::now();
        let mut rewriter = Rewriter::new(Codec::Opus);
        rewriter.begin(1, &stamp(100, 5_000), Codec::Opus, &[], now);
        assert_eq!(rewriter.pass(&stamp(100, 5_000), now), stamp(100, 5_000));
        assert!(rewriter.follows(1) && !rewriter.follows(2));
        let later = now + Duration::from_millis(500);
        rewriter.begin(2, &stamp(9, 77), Codec::Opus, &[], later);
        assert_eq!(rewriter.pass(&stamp(9, 77), later), stamp(101, 5_000 + 24_000));
        assert_eq!(rewriter.pass(&stamp(10, 77 + 960), later), stamp(102, 5_000 + 24_000 + 960));
    }
}

//! One subscriber's copy of one stream: sequence numbers without holes, timestamps that go on, VP8 picture ids that follow each other,
//! through padding, muting and changes of the source.

use super::{Codec, vp8, vp9};
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
    /// The sender's clock (NTP, 32.32 bits), when it is known.
    pub captured: Option<u64>,
}

#[derive(Debug)]
pub(crate) struct Rewriter {
    /// Ticks of the RTP clock in a second.
    clock_rate: u32,
    /// The stream that is passed on now; none before the first packet and after a pause.
    from: Option<u32>,
    /// Added to the incoming sequence number and timestamp.
    sequence_by: u16,
    timestamp_by: u32,
    picture_by: u16,
    tl0_by: u8,
    /// Incoming sequence numbers that were left out; `sequence_by` counts only those that fell out of the list.
    left_out: VecDeque<u16>,
    /// The first incoming sequence number since it began anew: what is older belongs to nothing that goes out.
    first_in: u16,
    /// The highest incoming sequence number.
    highest_in: u16,
    /// The latest that went out.
    last: Option<(Stamp, Instant)>,
    /// The packet that was passed last is the latest, none that came late.
    is_latest: bool,
    last_picture: (u16, u8),
}

impl Rewriter {
    pub fn new(clock_rate: u32) -> Self {
        Self {
            clock_rate,
            from: None,
            sequence_by: 0,
            timestamp_by: 0,
            picture_by: 0,
            tl0_by: 0,
            left_out: VecDeque::new(),
            first_in: 0,
            highest_in: 0,
            last: None,
            is_latest: false,
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

    /// Begins anew with this packet. With `same_clock` it is another layer of what went out: the sender's clock then tells how far they lie apart.
    pub fn begin(&mut self, ssrc: u32, incoming: &Stamp, codec: Codec, payload: &[u8], same_clock: bool, now: Instant) {
        self.from = Some(ssrc);
        self.left_out.clear();
        self.first_in = incoming.sequence;
        self.highest_in = incoming.sequence.wrapping_sub(1);
        if let Some((last, at)) = &self.last {
            let by_sender = match (last.captured, incoming.captured) {
                (Some(last), Some(new)) if same_clock => apart(last, new, self.clock_rate),
                _ => None,
            };
            let by_arrival = || {
                let elapsed = now.saturating_duration_since(*at).as_millis() * u128::from(self.clock_rate) / 1000;
                u32::try_from(elapsed).unwrap_or(u32::MAX)
            };
            let step = by_sender.unwrap_or_else(by_arrival).max(1);
            self.sequence_by = last.sequence.wrapping_add(1).wrapping_sub(incoming.sequence);
            self.timestamp_by = last.timestamp.wrapping_add(step).wrapping_sub(incoming.timestamp);
        }
        if let (Some(_), Some((picture, tl0))) = (&self.last, picture_ids(codec, payload)) {
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

    /// The stamp under which the packet goes out; none when it is older than what went out under this numbering.
    pub fn pass(&mut self, incoming: &Stamp, now: Instant) -> Option<Stamp> {
        if is_newer(self.first_in, incoming.sequence) {
            return None;
        }
        let before = self.left_out.iter().filter(|left| is_newer(incoming.sequence, **left)).count();
        let before = u16::try_from(before).unwrap_or(0);
        if is_newer(incoming.sequence, self.highest_in) {
            self.highest_in = incoming.sequence;
            // Half the number space on, comparisons with the first would turn round.
            if incoming.sequence.wrapping_sub(self.first_in) > 0x4000 {
                self.first_in = incoming.sequence.wrapping_sub(0x2000);
            }
        }
        let outgoing = Stamp {
            sequence: incoming.sequence.wrapping_add(self.sequence_by).wrapping_sub(before),
            timestamp: incoming.timestamp.wrapping_add(self.timestamp_by),
            captured: incoming.captured,
        };
        self.is_latest = self.last.as_ref().is_none_or(|(last, _)| is_newer(outgoing.sequence, last.sequence));
        if self.is_latest {
            self.last = Some((outgoing.clone(), now));
        }
        Some(outgoing)
    }

    /// The payload of the packet that was just passed, as it goes out: the same bytes, unless picture ids have to move.
    pub fn payload(&mut self, codec: Codec, payload: &Bytes) -> Bytes {
        if self.picture_by == 0 && self.tl0_by == 0 {
            if let Some(ids) = picture_ids(codec, payload).filter(|_| self.is_latest) {
                self.last_picture = ids;
            }
            return payload.clone();
        }
        let mut bytes = payload.to_vec();
        let moved = match codec {
            Codec::Vp8 => vp8::move_picture_ids(&mut bytes, self.picture_by, self.tl0_by),
            Codec::Vp9 => vp9::move_picture_ids(&mut bytes, self.picture_by, self.tl0_by),
            Codec::Opus | Codec::H264 | Codec::Av1 => return payload.clone(),
        };
        if let Some(ids) = moved.filter(|_| self.is_latest) {
            self.last_picture = ids;
        }
        bytes.into()
    }
}

fn picture_ids(codec: Codec, payload: &[u8]) -> Option<(u16, u8)> {
    match codec {
        Codec::Vp8 => vp8::picture_ids(payload),
        Codec::Vp9 => vp9::picture_ids(payload),
        Codec::Opus | Codec::H264 | Codec::Av1 => None,
    }
}

/// Ticks from one moment of the sender's clock to a later one; none when it is not later, or by more than ten seconds.
fn apart(earlier: u64, later: u64, clock_rate: u32) -> Option<u32> {
    const TEN_SECONDS: u64 = 10 << 32;
    let distance = later.checked_sub(earlier).filter(|distance| *distance < TEN_SECONDS)?;
    u32::try_from((u128::from(distance) * u128::from(clock_rate)) >> 32).ok()
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
        Stamp { sequence, timestamp, captured: None }
    }

    #[test]
    fn padding_leaves_no_hole_even_when_packets_overtake_each_other() {
        let now = Instant::now();
        let mut rewriter = Rewriter::new(90_000);
        rewriter.begin(7, &stamp(65_534, 10), Codec::Vp8, &[], false, now);
        let mut out = Vec::new();
        for sequence in [65_534u16, 65_535, 1, 0, 4, 3, 5] {
            // 2 is padding and comes between; 3 comes after 4.
            if sequence == 4 {
                rewriter.leave_out(2);
            }
            out.push(rewriter.pass(&stamp(sequence, 10), now).unwrap().sequence);
        }
        assert_eq!(out, [65_534, 65_535, 1, 0, 3, 2, 4]);
        rewriter.leave_out(5);
        assert_eq!(rewriter.pass(&stamp(6, 10), now).unwrap().sequence, 5, "late padding is no gap to close");
    }

    #[test]
    fn many_left_out_packets_are_still_counted() {
        let now = Instant::now();
        let mut rewriter = Rewriter::new(90_000);
        rewriter.begin(7, &stamp(0, 0), Codec::Vp8, &[], false, now);
        assert_eq!(rewriter.pass(&stamp(0, 0), now).unwrap().sequence, 0);
        for sequence in 1..=300 {
            rewriter.leave_out(sequence);
        }
        assert_eq!(rewriter.pass(&stamp(301, 0), now).unwrap().sequence, 1);
    }

    #[test]
    fn a_new_source_goes_on_where_the_old_one_stopped() {
        let now = Instant::now();
        let mut rewriter = Rewriter::new(48_000);
        rewriter.begin(1, &stamp(100, 5_000), Codec::Opus, &[], false, now);
        assert_eq!(rewriter.pass(&stamp(100, 5_000), now).unwrap(), stamp(100, 5_000));
        assert!(rewriter.follows(1) && !rewriter.follows(2));
        let later = now + Duration::from_millis(500);
        rewriter.begin(2, &stamp(9, 77), Codec::Opus, &[], false, later);
        assert_eq!(rewriter.pass(&stamp(9, 77), later).unwrap(), stamp(101, 5_000 + 24_000));
        assert_eq!(rewriter.pass(&stamp(10, 77 + 960), later).unwrap(), stamp(102, 5_000 + 24_000 + 960));
    }
}

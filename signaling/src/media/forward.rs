//! From one publisher's stream to each subscriber's: what comes in ([`Source`]) and what goes out ([`Output`]).

use super::keyframe::KeyframeLimiter;
use super::rewrite::{Rewriter, Stamp, is_newer};
use super::{Codec, peer::PeerId};
use crate::MemberId;
use crate::message::Kind;
use rtc::rtp::{Header, Packet};
use rtc::rtp_transceiver::{RTCRtpReceiverId, RTCRtpSenderId, RTCRtpTransceiverId};
use std::time::{Duration, Instant};

/// What a stream is called in its room, whichever connection carries it: it outlives reconnections.
pub(crate) type StreamKey = (MemberId, Kind);

/// While a picture cannot begin, its key frame is asked for again this often.
const ASK_AGAIN: Duration = Duration::from_millis(500);
/// Sequence numbers that are remembered to drop repeats, in packets.
const SEEN: usize = 1024;

/// A stream that a member publishes now.
#[derive(Debug)]
pub(crate) struct Source {
    pub peer: PeerId,
    pub receiver: RTCRtpReceiverId,
    pub ssrc: u32,
    pub codec: Codec,
    pub keyframes: KeyframeLimiter,
    seen: Seen,
}

impl Source {
    pub fn new(peer: PeerId, receiver: RTCRtpReceiverId, ssrc: u32, codec: Codec) -> Self {
        Self { peer, receiver, ssrc, codec, keyframes: KeyframeLimiter::default(), seen: Seen::default() }
    }

    /// False for a repeat. Browsers probe the line with copies of what they sent.
    pub fn is_first_time(&mut self, sequence: u16) -> bool {
        self.seen.insert(sequence)
    }
}

/// A ring of the latest sequence numbers.
#[derive(Debug)]
struct Seen {
    ring: Vec<Option<u16>>,
    highest: Option<u16>,
}

impl Default for Seen {
    fn default() -> Self {
        Self { ring: vec![None; SEEN], highest: None }
    }
}

impl Seen {
    fn insert(&mut self, sequence: u16) -> bool {
        if let Some(highest) = self.highest {
            // Older than the ring remembers: nobody can use it any more.
            if !is_newer(sequence, highest) && usize::from(highest.wrapping_sub(sequence)) >= SEEN {
                return false;
            }
        }
        if self.highest.is_none_or(|highest| is_newer(sequence, highest)) {
            self.highest = Some(sequence);
        }
        match self.ring.get_mut(usize::from(sequence) % SEEN) {
            Some(slot) => slot.replace(sequence) != Some(sequence),
            None => false,
        }
    }
}

/// One section of a subscriber's connection.
#[derive(Debug)]
pub(crate) struct Output {
    /// What it carries, or carried when it is not active.
    pub stream: StreamKey,
    pub transceiver: RTCRtpTransceiverId,
    pub sender: RTCRtpSenderId,
    pub ssrc: u32,
    /// Carries something. An idle section waits for the next stream of its kind.
    pub active: bool,
    /// Codecs of the negotiated section with their payload types; empty before the client's first answer.
    pub payload_types: Vec<(Codec, u8)>,
    rewriter: Rewriter,
    asked: Option<Instant>,
}

/// What became of a packet at an output.
#[derive(Debug, PartialEq)]
pub(crate) enum Step {
    Send(Packet),
    /// A key frame is needed first.
    NeedsKeyframe,
    Nothing,
}

impl Output {
    pub fn new(
        stream: StreamKey,
        transceiver: RTCRtpTransceiverId,
        sender: RTCRtpSenderId,
        ssrc: u32,
        codec: Codec,
    ) -> Self {
        Self {
            stream,
            transceiver,
            sender,
            ssrc,
            active: true,
            payload_types: Vec::new(),
            rewriter: Rewriter::new(codec),
            asked: None,
        }
    }

    /// The next packet begins anew.
    pub fn interrupt(&mut self) {
        self.rewriter.interrupt();
        self.asked = None;
    }

    /// Turns a publisher's packet into this subscriber's.
    pub fn step(&mut self, codec: Codec, packet: &Packet, is_key: bool, now: Instant) -> Step {
        let Some(payload_type) = self.payload_types.iter().find(|(c, _)| *c == codec).map(|(_, pt)| *pt) else {
            return Step::Nothing;
        };
        let incoming = Stamp { sequence: packet.header.sequence_number, timestamp: packet.header.timestamp };
        if !self.rewriter.follows(packet.header.ssrc) {
            if packet.payload.is_empty() {
                return Step::Nothing;
            }
            if !is_key {
                let again = self.asked.is_none_or(|at| now.saturating_duration_since(at) >= ASK_AGAIN);
                if again {
                    self.asked = Some(now);
                    return Step::NeedsKeyframe;
                }
                return Step::Nothing;
            }
            self.rewriter.begin(packet.header.ssrc, &incoming, codec, &packet.payload, now);
            self.asked = None;
        }
        if packet.payload.is_empty() {
            self.rewriter.leave_out(incoming.sequence);
            return Step::Nothing;
        }
        let outgoing = self.rewriter.pass(&incoming, now);
        // A fresh header: what the publisher's extensions leave behind makes the stack drop the packet.
        Step::Send(Packet {
            header: Header {
                version: 2,
                marker: packet.header.marker,
                payload_type,
                sequence_number: outgoing.sequence,
                timestamp: outgoing.timestamp,
                ssrc: self.ssrc,
                ..Header::default()
            },
            payload: self.rewriter.payload(codec, &packet.payload),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeats_are_known_and_late_ones_pass_once() {
        let mut seen = Seen::default();
        assert!(seen.insert(65_535) && seen.insert(1) && seen.insert(0));
        assert!(!seen.insert(0) && !seen.insert(1) && !seen.insert(65_535));
        assert!(seen.insert(2_000));
        assert!(!seen.insert(900), "too old to matter");
        assert!(seen.insert(1_500));
    }
}

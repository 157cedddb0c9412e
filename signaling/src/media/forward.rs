//! One viewer's copy of one stream: which layer it takes, when it may begin or change, and under which numbers it goes out.

use super::Codec;
use super::egress::{Class, OutPacket};
use super::packet::MediaPacket;
use super::rewrite::{Rewriter, Stamp};
use crate::MemberId;
use crate::message::Kind;
use std::time::{Duration, Instant};

/// What a stream is called in its room, whichever connection carries it: it outlives reconnections.
pub(crate) type StreamKey = (MemberId, Kind);

/// While a picture cannot begin, its key frame is asked for again this often.
const ASK_AGAIN: Duration = Duration::from_millis(500);

/// A place that one stream at a time is forwarded into.
#[derive(Debug)]
pub(crate) struct Output {
    ssrc: u32,
    class: Class,
    /// The layer that goes out now; none before the first key frame and while paused.
    current: Option<usize>,
    /// The layer that should; none pauses.
    target: Option<usize>,
    rewriter: Rewriter,
    asked: Option<Instant>,
}

/// What became of a packet at an output.
#[derive(Debug, PartialEq)]
pub(crate) enum Step {
    Send(OutPacket),
    /// A key frame of this layer is needed first.
    NeedsKeyframe(usize),
    Nothing,
}

impl Output {
    pub fn new(ssrc: u32, kind: Kind) -> Self {
        let (class, clock_rate) = match kind {
            Kind::Audio => (Class::Audio, Codec::Opus.clock_rate()),
            Kind::Video => (Class::Video, Codec::Vp8.clock_rate()),
            Kind::Screen => (Class::Screen, Codec::Vp8.clock_rate()),
        };
        Self { ssrc, class, current: None, target: None, rewriter: Rewriter::new(clock_rate), asked: None }
    }

    /// The layer that this viewer should get; none pauses it. The change happens on the layer's next key frame.
    pub fn aim(&mut self, target: Option<usize>) {
        if self.target != target {
            self.target = target;
            self.asked = None;
            if target.is_none() {
                self.current = None;
                self.rewriter.interrupt();
            }
        }
    }

    pub fn target(&self) -> Option<usize> {
        self.target
    }

    /// The layer that goes out now.
    pub fn current(&self) -> Option<usize> {
        self.current
    }

    /// The next packet begins anew: another member's stream comes in this place, or the same after muting.
    pub fn interrupt(&mut self) {
        self.current = None;
        self.rewriter.interrupt();
        self.asked = None;
    }

    /// Turns a publisher's packet into this viewer's.
    pub fn step(&mut self, packet: &MediaPacket, payload_type: u8, now: Instant) -> Step {
        let Some(target) = self.target else { return Step::Nothing };
        let stamp =
            Stamp { sequence: packet.sequence, timestamp: packet.timestamp, captured: packet.captured };
        let goes_on = self.current == Some(packet.layer) && self.rewriter.follows(packet.ssrc);
        if packet.layer == target && !goes_on {
            if packet.payload.is_empty() {
                return Step::Nothing;
            }
            if !packet.starts_key_frame {
                return self.ask(target, now);
            }
            // The same member's layers have one clock; what was interrupted may be another member's.
            let same_clock = self.current.is_some();
            self.rewriter.begin(packet.ssrc, &stamp, packet.codec, &packet.payload, same_clock, now);
            self.current = Some(target);
            self.asked = None;
        } else if !goes_on {
            return Step::Nothing;
        }
        if packet.payload.is_empty() {
            self.rewriter.leave_out(packet.sequence);
            return Step::Nothing;
        }
        let Some(outgoing) = self.rewriter.pass(&stamp, now) else { return Step::Nothing };
        Step::Send(OutPacket {
            ssrc: self.ssrc,
            payload_type,
            sequence: outgoing.sequence,
            timestamp: outgoing.timestamp,
            marker: packet.marker,
            payload: self.rewriter.payload(packet.codec, &packet.payload),
            captured: packet.captured,
            class: self.class,
        })
    }

    fn ask(&mut self, layer: usize, now: Instant) -> Step {
        if self.asked.is_some_and(|at| now.saturating_duration_since(at) < ASK_AGAIN) {
            return Step::Nothing;
        }
        self.asked = Some(now);
        Step::NeedsKeyframe(layer)
    }
}

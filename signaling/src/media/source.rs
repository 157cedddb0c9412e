//! A stream that a member publishes now, and who takes it.

use super::forward::Output;
use super::keyframe::KeyframeLimiter;
use super::peer::PeerId;
use crate::message::Kind;
use std::time::Instant;

/// Simulcast layers of one picture at most.
pub(crate) const MAX_LAYERS: usize = 3;

pub(crate) struct Source {
    pub peer: PeerId,
    /// One limiter for each layer.
    pub keyframes: [KeyframeLimiter; MAX_LAYERS],
    /// How many layers the publisher negotiated, 1 without simulcast.
    pub layers: usize,
    /// Bits a second of each layer: as measured, or as usual before it flows; 0 when it is not to be had.
    pub rates: [u64; MAX_LAYERS],
    /// The viewers' sections that carry it: connection and place in its list.
    pub listeners: Vec<(PeerId, usize)>,
    /// The recorder's copy: one stream whatever layer it comes from.
    pub recorder: Output,
    /// What the publisher was last told is watched: a bit for each layer.
    pub demanded: Option<u8>,
    /// Since when each layer is asked for.
    pub demanded_since: [Option<Instant>; MAX_LAYERS],
    /// When each layer was last wanted by anybody.
    pub wanted_at: [Option<Instant>; MAX_LAYERS],
}

impl Source {
    pub fn new(peer: PeerId, kind: Kind, recorder_ssrc: u32) -> Self {
        let mut recorder = Output::new(recorder_ssrc, kind);
        recorder.aim(Some(0));
        Self {
            peer,
            keyframes: Default::default(),
            layers: 1,
            rates: [0; MAX_LAYERS],
            listeners: Vec::new(),
            recorder,
            demanded: None,
            demanded_since: [None; MAX_LAYERS],
            wanted_at: [None; MAX_LAYERS],
        }
    }
}

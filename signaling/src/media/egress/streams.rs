//! What is known of each stream to a viewer, and how much of its way resends may take.

use super::Stream;
use super::history::History;
use super::report::{Reception, Reporter};

/// Resends may take this share of the estimate for good, and this share of a second's worth at once: together a fifth in any second.
const RESEND_SHARE: f64 = 0.12;
const RESEND_BURST: f64 = 0.08;
/// … but always so many bytes at once.
const SMALLEST_RESEND_BURST: f64 = 6_000.0;

/// The streams, and their SSRCs side by side: one look finds a packet's stream among a dozen.
#[derive(Debug, Default)]
pub(super) struct Streams {
    ssrcs: Vec<u32>,
    pub all: Vec<Outgoing>,
}

/// One stream's state.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub stream: Stream,
    pub rtx_sequence: u16,
    pub last_payload_type: u8,
    pub history: History,
    pub reporter: Reporter,
    pub reception: Reception,
}

impl Streams {
    pub fn push(&mut self, outgoing: Outgoing) {
        self.ssrcs.push(outgoing.stream.ssrc);
        self.all.push(outgoing);
    }

    pub fn has(&self, ssrc: u32) -> bool {
        self.ssrcs.contains(&ssrc)
    }

    pub fn find(&mut self, ssrc: u32) -> Option<&mut Outgoing> {
        let place = self.ssrcs.iter().position(|known| *known == ssrc)?;
        self.all.get_mut(place)
    }
}

impl Outgoing {
    pub fn new(stream: Stream) -> Self {
        Self {
            rtx_sequence: rand::random::<u16>() >> 1,
            last_payload_type: 0,
            history: History::new(stream.is_audio),
            reporter: Reporter::new(),
            reception: Reception::default(),
            stream,
        }
    }

    /// The retransmission stream's SSRC and its payload type for this one of the media.
    pub fn rtx_type(&self, payload_type: u8) -> Option<(u32, u8)> {
        let (ssrc, types) = self.stream.rtx.as_ref()?;
        types.iter().find(|(media, _)| *media == payload_type).map(|(_, rtx)| (*ssrc, *rtx))
    }
}

/// A token bucket in bytes.
#[derive(Debug, Default)]
pub(super) struct Budget {
    left: f64,
    filled: Option<i64>,
}

impl Budget {
    /// `rate` is the whole way's, in bytes/s.
    pub fn spend(&mut self, bytes: usize, rate: f64, now: i64) -> bool {
        let most = (RESEND_BURST * rate).max(SMALLEST_RESEND_BURST);
        self.left = match self.filled.replace(now) {
            None => most,
            Some(filled) => (self.left + RESEND_SHARE * rate * (now - filled) as f64 / 1_000_000.0).min(most),
        };
        let bytes = bytes as f64;
        let has_enough = self.left >= bytes;
        if has_enough {
            self.left -= bytes;
        }
        has_enough
    }
}

//! A publisher's packet, read once: what forwarding, recording and measuring look at.

use super::Codec;
use bytes::Bytes;
use std::time::Instant;

/// One RTP packet of a publisher, out of its encryption and its retransmission wrapping.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct MediaPacket {
    /// The layer's own SSRC, also when the packet came by retransmission.
    pub ssrc: u32,
    pub sequence: u16,
    pub timestamp: u32,
    pub marker: bool,
    pub codec: Codec,
    /// 0 is the smallest picture; always 0 without simulcast.
    pub layer: usize,
    /// Empty for padding that only closes a gap.
    pub payload: Bytes,
    /// The first packet of a picture that needs no earlier one; true for all sound.
    pub starts_key_frame: bool,
    /// Loudness in -dBov, 0 (loudest) to 127 (silence), when the sender tells it (RFC 6464).
    pub level: Option<u8>,
    /// When the sender sampled it by its own clock (NTP, 32.32 bits), once a sender report has told how its clocks lie.
    pub captured: Option<u64>,
    /// Came by retransmission.
    pub recovered: bool,
    pub arrived: Instant,
}

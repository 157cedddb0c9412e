//! The media plane: every peer connection of every room on one port.
//!
//! ```text
//! port/ ─▶ plane (one thread) ─▶ transport/ ─▶ receive/ ─▶ forwarding table ─▶ forward, rewrite ─▶ dispatch ─▶ egress/ ─▶ port/
//!          whose is it?          ICE, DTLS,   layers,      who gets what      which layer, its     worker     history,
//!                                SRTP         repairs                          own numbers          threads    pacing, seal
//! ```
//!
//! * [`net`] keeps the plane's time and joins it to the [`port`] (UDP, and TCP for networks that pass no UDP).
//! * [`plane`] holds rooms and connections ([`peer`]: two for each tab) and is driven by values alone.
//! * [`transport`] is one connection's ICE-lite, DTLS and SRTP, and tells whose a datagram is; [`sdp`] what is said of it.
//! * [`receive`] turns a publisher's packets into [`packet::MediaPacket`]s and tells it what was lost; [`source`] is one stream of it in its room.
//! * [`forward`] and [`rewrite`] make each viewer's copy; [`allocate`] chooses layers by the line that [`bandwidth`] estimates.
//! * [`egress`] is one viewer's way out; [`dispatch`] spreads them over threads.
//! * [`vp8`], [`vp9`], [`h264`], [`av1`]: the little of each format that forwarding and recording need. Media is never transcoded.
//!
//! RTP never passes a room's inbox: the room publishes a forwarding table, the plane forwards by the latest one.
//!
//! Only DTLS, SRTP, STUN, RTP and RTCP are the `rtc` crate's; its peer connection is not used, since four of its defects bite an SFU (0.21.1: layers
//! lost on renegotiation, a selected pair that never moves, retransmissions that are asked for without end, directions) and it costs twice as much.

mod allocate;
pub(crate) mod av1;
mod bandwidth;
mod bits;
pub(crate) mod counters;
mod dispatch;
mod egress;
mod forward;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzz;
pub(crate) mod h264;
mod keyframe;
mod net;
pub(crate) mod packet;
mod peer;
mod plane;
mod port;
mod receive;
mod rewrite;
pub(crate) mod sdp;
mod source;
pub(crate) mod survey;
mod transport;
pub(crate) mod vp8;
pub(crate) mod vp9;

pub(crate) use net::start;

use crate::message::{Direction, ErrorCode, Kind, TrackView};
use crate::recording::RecorderInput;
use crate::room::{MediaAction, RoomReport};
use crate::{ConnectionId, MemberId, RoomId};
use survey::MediaSurvey;
use tokio::sync::{mpsc, oneshot};

/// Rooms → media plane. When full, the room waits.
pub(crate) const COMMANDS: usize = 1024;

/// What the plane is asked.
#[derive(Debug)]
pub(crate) enum MediaCommand {
    Open {
        room: RoomId,
        reports: mpsc::Sender<RoomReport>,
    },
    Act {
        room: RoomId,
        action: MediaAction,
    },
    /// Give the recorder a copy of everything that is forwarded; none ends it.
    Tap {
        room: RoomId,
        tap: Option<mpsc::Sender<RecorderInput>>,
    },
    /// The recorder needs a whole picture of this member.
    Keyframe {
        room: RoomId,
        member: MemberId,
    },
    Close {
        room: RoomId,
    },
    /// A browser tries its way to us before a hearing: connect it to nothing, for a while.
    Probe {
        sdp: String,
        answer: oneshot::Sender<Option<String>>,
    },
    /// How is it all?
    Survey(oneshot::Sender<MediaSurvey>),
    /// The server is gone.
    Shutdown,
}

/// What the plane reports to a room about one tab's connections.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct MediaEvent {
    pub member: MemberId,
    pub connection: ConnectionId,
    pub kind: MediaEventKind,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum MediaEventKind {
    Answer(String),
    Offer {
        sdp: String,
        tracks: Vec<TrackView>,
    },
    /// What comes on which section changed; no offer is needed for it.
    Tracks(Vec<TrackView>),
    /// Which layers of what this member publishes are watched.
    Demand {
        kind: Kind,
        on: bool,
        rids: Vec<String>,
    },
    /// The hub's measure of this member's line, every few seconds. Losses of the worse direction.
    Line {
        rtt_ms: u32,
        loss_percent: u32,
        bits_per_second: u64,
        audio_only: bool,
    },
    Refused(ErrorCode),
    /// This connection is up.
    Up(Direction),
    /// It is silent or failed.
    Down(Direction),
}

/// What is inside the packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Codec {
    Opus,
    Vp8,
    Vp9,
    H264,
    Av1,
}

impl Codec {
    pub fn kind(self) -> Kind {
        match self {
            Self::Opus => Kind::Audio,
            Self::Vp8 | Self::Vp9 | Self::H264 | Self::Av1 => Kind::Video,
        }
    }

    /// Ticks of the RTP clock in a second.
    pub fn clock_rate(self) -> u32 {
        match self {
            Self::Opus => 48_000,
            Self::Vp8 | Self::Vp9 | Self::H264 | Self::Av1 => 90_000,
        }
    }

    /// The first packet of a picture that needs no earlier one. Sound has none to wait for.
    pub fn starts_key_frame(self, payload: &[u8]) -> bool {
        match self {
            Self::Opus => true,
            Self::Vp8 => vp8::starts_key_frame(payload),
            Self::H264 => h264::starts_key_frame(payload),
            Self::Vp9 => vp9::starts_key_frame(payload),
            Self::Av1 => av1::starts_key_frame(payload),
        }
    }

    /// Width and height in pixels, from a packet that starts a key frame; none where it does not tell.
    pub fn picture_size(self, payload: &[u8]) -> Option<(u16, u16)> {
        match self {
            Self::Vp8 => vp8::key_frame_size(payload.get(vp8::descriptor(payload)?.data..)?),
            Self::Vp9 => vp9::key_frame_size(payload.get(vp9::descriptor(payload)?.data..)?),
            Self::H264 => h264::picture_size(payload),
            Self::Av1 => av1::picture_size(payload),
            Self::Opus => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Strangers' bytes reach these before anything is proved.
        #[test]
        fn no_bytes_are_trouble(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            for codec in [Codec::Opus, Codec::Vp8, Codec::Vp9, Codec::H264, Codec::Av1] {
                codec.starts_key_frame(&bytes);
                codec.picture_size(&bytes);
            }
            let mut moved = bytes.clone();
            vp8::move_picture_ids(&mut moved, 77, 7);
            prop_assert_eq!(moved.len(), bytes.len());
            h264::sps_size(&bytes);
            let mut assembler = h264::Assembler::default();
            for piece in bytes.chunks(9) {
                assembler.push(piece);
            }
        }
    }
}

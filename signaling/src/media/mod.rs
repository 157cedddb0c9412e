//! The media plane: every peer connection of every room on one UDP port, on one thread of its own.
//!
//! * [`net`] reads and writes the socket and keeps the time ([`tcp`] for networks that pass no UDP); [`plane`] holds the state and is driven by values alone.
//! * [`peer`] is one peer connection (two for each tab: publish and subscribe); [`negotiate`] is what we do to SDP around it.
//! * [`forward`], [`rewrite`], [`keyframe`], [`vp8`], [`h264`]: from one publisher's packets to each subscriber's own stream.
//! * [`transport`] is ICE-lite, DTLS and SRTP of one peer connection, without the stack's own ICE and retransmission.
//! * [`stun`] tells whose packet a datagram is; strangers' are dropped and counted.
//!
//! RTP never passes a room's inbox: the room publishes a forwarding table, the plane forwards by the latest one.
//! Simulcast has its place in [`forward::Source`] (one source a layer) and [`rewrite::Rewriter`] (which already changes streams at key frames).

pub(crate) mod counters;
mod feedback;
mod forward;
pub(crate) mod h264;
mod keyframe;
mod negotiate;
mod net;
pub(crate) mod packet;
mod peer;
mod plane;
mod rewrite;
#[expect(dead_code, reason = "taken into use with the next change of the plane")]
pub(crate) mod sdp;
mod stun;
mod tcp;
#[cfg_attr(not(test), expect(dead_code, unused_imports, reason = "taken into use with the next change of the plane"))]
pub(crate) mod transport;
pub(crate) mod vp8;

pub(crate) use net::start;

use crate::message::{ErrorCode, Kind, TrackView};
use crate::recording::RecorderInput;
use crate::room::{MediaAction, RoomReport};
use crate::{ConnectionId, MemberId, RoomId};
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
    Refused(ErrorCode),
    /// One of the two connections is up.
    Up,
    /// One of the two is silent or failed.
    Down,
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
    pub fn of_mime(mime: &str) -> Option<Self> {
        match mime.to_ascii_lowercase().as_str() {
            "audio/opus" => Some(Self::Opus),
            "video/vp8" => Some(Self::Vp8),
            "video/vp9" => Some(Self::Vp9),
            "video/h264" => Some(Self::H264),
            "video/av1" => Some(Self::Av1),
            _ => None,
        }
    }

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
            Self::Vp9 | Self::Av1 => false,
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
        fn no_bytes_are_trouble(bytes in prop::collection::vec(any::<u8>(), 0..200), text in ".{0,200}") {
            stun::classify(&bytes);
            let mut request = vec![0, 1];
            request.extend_from_slice(&bytes);
            if let Some(mut check) = stun::Check::read(&request) {
                prop_assert!(!check.is_authentic("secret"));
            }
            for codec in [Codec::Opus, Codec::Vp8, Codec::H264] {
                codec.starts_key_frame(&bytes);
            }
            let mut moved = bytes.clone();
            vp8::move_picture_ids(&mut moved, 77, 7);
            prop_assert_eq!(moved.len(), bytes.len());
            h264::sps_size(&bytes);
            let mut assembler = h264::Assembler::default();
            for piece in bytes.chunks(9) {
                assembler.push(piece);
            }
            negotiate::directions(&text);
            negotiate::with_candidates(&text, &[]);
        }
    }
}

//! The wire protocol between a browser and the hub: JSON text frames over one WebSocket, each `{"type": "…", …}`.
//!
//! # How a visit goes
//! 1. The client opens the socket and sends `hello` (with the seat token it holds, when it comes back). The hub answers
//!    `welcome`: who the client is, the seat token to keep for this tab, and the version of the recording notice.
//! 2. With a notice version that is not yet acknowledged, nothing goes on until `acknowledge`.
//! 3. The hub then says `waiting` (with the place in the queue) or `admitted`. Nobody publishes or receives before `admitted`.
//! 4. Media runs over two peer connections. *Publish*: the client sends `offer`, the hub answers `answer`; the first offer on a
//!    socket makes the connection, later ones renegotiate it. *Subscribe*: the hub sends `offer` with a list that names the
//!    member and kind behind each `mid`; the client sends `answer`. The hub has one subscribe offer open at a time.
//! 5. The hub is an ICE-lite agent: `candidate` is accepted and not needed, since it answers any authenticated check.
//! 6. After a network change the client re-offers publish with an ICE restart and sends `restart_ice` for subscribe. After the loss
//!    of the socket it has 30 s to come back with its seat token; both peer connections are then made anew in the same seat.
//!
//! # Who is seen
//! In a small room (at most 8 members who may speak) everybody gets everybody's sound and picture, each on sections that bear the
//! member's id as msid. In a larger one the hub sends three voices and the pictures that the viewer's `view` asks for, in sections
//! that keep their places: the message `tracks` says which member is on which `mid` now, and no new offer is needed for it.
//! * `podium` (default): one large picture, and as `tiles` those who spoke last, then by arrival. Who is on a tile stays on it.
//! * `grid`: the same, all of one size. `wall`: up to 120 thumbnails in the order of arrival. `audio`: no camera at all.
//!
//! A shared screen (`share`; the second video section of the publish connection) comes beside these in every layout.
//! On the podium stands whom a moderator put there (`pin`), else who shares the screen, else who speaks or did last, else the
//! presiding officer; who stands there oneself sees the next in that list. A viewer's own `pinned` goes before all of them, for that
//! viewer. `demand` tells a sender which of its layers anybody watches.
//!
//! A text that cannot be read gets `error` and the socket stays. Texts over [`MAX_MESSAGE_BYTES`] are refused.
//! Times are epoch milliseconds, UTC.

#[cfg(test)]
mod tests;
mod view;

pub use view::{
    Direction, IceServer, Layer, Layout, MemberStatus, MemberView, PodiumBy, RecordingState, RoomView, SessionState,
    SessionView, TrackView,
};

use crate::{MemberId, QualityLevel, SeatToken};
use serde::{Deserialize, Serialize};

/// The longest text frame that is read, in bytes. A browser's answer has about 1.5 KB for each section, and a wall has 120.
pub const MAX_MESSAGE_BYTES: usize = 240 * 1024;
/// The longest chat line, in characters.
pub const MAX_CHAT_CHARS: usize = 2_000;
/// As many pictures as one viewer gets at most, in any layout. Who asks for more gets this many.
pub const MAX_TILES: u8 = 120;
/// Tiles beside the podium for whoever does not say.
pub const DEFAULT_TILES: u8 = 9;

/// Sound or picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Opus.
    Audio,
    /// The camera: VP8, VP9, H.264 or AV1.
    Video,
    /// The shared screen, a picture beside the camera's.
    Screen,
}

/// What a client says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ClientMessage {
    /// First message on a socket. `resume` is the seat token of this tab, when it has one.
    Hello {
        /// The token of an earlier `welcome`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        resume: Option<SeatToken>,
    },
    /// The recording notice of this version was read and accepted.
    Acknowledge {
        /// The version that was shown.
        version: String,
    },
    /// An offer for the publish connection.
    Offer {
        /// SDP text.
        sdp: String,
    },
    /// The answer to the hub's latest offer for the subscribe connection.
    Answer {
        /// SDP text.
        sdp: String,
    },
    /// An offer of the client's for its receiving connection, answered by `answer` (WHEP players): one section of a kind gets one member, who may
    /// change without an offer. A browser's room client does not use it.
    Watch {
        /// SDP text.
        sdp: String,
        /// Whom; else who is on the podium.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        member: Option<MemberId>,
    },
    /// I am done with one of my two connections; the other one stays. A new offer makes it anew.
    Close {
        /// Which.
        direction: Direction,
    },
    /// A trickled candidate; accepted and ignored (see the module's text).
    Candidate {
        /// `candidate:…`, empty for the end of candidates.
        #[serde(default)]
        candidate: String,
    },
    /// I switched my microphone, camera or screen share off.
    Mute {
        /// Which.
        kind: Kind,
    },
    /// I switched it on again.
    Unmute {
        /// Which.
        kind: Kind,
    },
    /// Moderators only: switch a member's microphone off. The member may switch it on again.
    MuteMember {
        /// Whose.
        member: MemberId,
    },
    /// How I want to see the room. Mine alone; it holds until the next one, and for a new tab in the same seat.
    View {
        /// The arrangement.
        layout: Layout,
        /// The most pictures wanted beside the podium; more than [`MAX_TILES`] counts as [`MAX_TILES`].
        #[serde(default = "default_tiles")]
        tiles: u8,
        /// Whom I want large, whoever else stands on the podium.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pinned: Option<MemberId>,
    },
    /// Moderators only: put a member on the podium for everybody, or with null nobody in particular.
    Pin {
        /// Whom.
        #[serde(default)]
        member: Option<MemberId>,
    },
    /// I share my screen, or no longer. The same as `unmute` and `mute` of `screen`. A share ends with its socket: say so again
    /// after `welcome`.
    Share {
        /// From now on or no longer.
        on: bool,
    },
    /// I raise or lower my hand.
    Hand {
        /// Up or down.
        up: bool,
    },
    /// A line to everybody in the room.
    Chat {
        /// At most [`MAX_CHAT_CHARS`] characters.
        text: String,
    },
    /// Restart ICE on the subscribe connection.
    RestartIce,
    /// What the client measures of its line, every ten seconds or so.
    Stats {
        /// Round trip in milliseconds.
        #[serde(default)]
        rtt_ms: f64,
        /// Share of packets lost, 0 to 1.
        #[serde(default)]
        loss: f64,
        /// How unevenly packets arrive, in milliseconds (RFC 3550, 6.4.1).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        jitter_ms: Option<f64>,
        /// How often a picture stood still since the last `stats`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        freezes: Option<u32>,
        /// The layer of the largest picture.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        layer: Option<Layer>,
    },
    /// I leave for good: the seat is given up.
    Leave,
    /// Answered by `pong`.
    Ping,
}

fn default_tiles() -> u8 {
    DEFAULT_TILES
}

impl ClientMessage {
    /// Reads one text frame.
    ///
    /// # Errors
    /// A ready `error` message for the client when the text is too long or cannot be read. Keep the socket open.
    pub fn parse(text: &str) -> Result<Self, ServerMessage> {
        if text.len() > MAX_MESSAGE_BYTES {
            return Err(ServerMessage::error(ErrorCode::TooLarge));
        }
        serde_json::from_str(text).map_err(|_| ServerMessage::error(ErrorCode::BadMessage))
    }
}

/// What the hub says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ServerMessage {
    /// Answer to `hello`.
    Welcome {
        /// Who you are here.
        me: MemberId,
        /// Keep it for this tab; send it in `hello` after a reconnection.
        seat: SeatToken,
        /// The recording notice to show and acknowledge, or null when there is none or it was acknowledged.
        notice_version: Option<String>,
        /// The room.
        room: Box<RoomView>,
        /// STUN and TURN servers for both connections; empty when none are needed.
        #[serde(default)]
        ice_servers: Vec<IceServer>,
    },
    /// You are in the waiting room.
    Waiting {
        /// 1 is next. Counted in the order of arrival.
        position: usize,
    },
    /// You are in the room: publish now.
    Admitted,
    /// Everybody whom you may see.
    Members {
        /// In the order of arrival.
        members: Vec<MemberView>,
    },
    /// Answer to your publish offer.
    Answer {
        /// SDP text.
        sdp: String,
    },
    /// The hub's offer for the subscribe connection.
    Offer {
        /// SDP text.
        sdp: String,
        /// What comes on which section. A `mid` that is not named carries nothing now.
        tracks: Vec<TrackView>,
    },
    /// What comes on which section changed, without a new offer. It replaces the list of the latest `offer`.
    Tracks {
        /// As in `offer`.
        tracks: Vec<TrackView>,
    },
    /// Which of your own pictures are watched now. Pause what is not: nobody gets it.
    Demand {
        /// `video` or `screen`.
        kind: Kind,
        /// Anybody watches it at all.
        on: bool,
        /// The simulcast layers that are watched. Empty with `on`: the section has no simulcast, send it.
        rids: Vec<String>,
    },
    /// Who speaks.
    Speakers {
        /// Speaks, or did last.
        active: Option<MemberId>,
        /// The loudest, at most three, the active one among them while it is heard.
        loud: Vec<MemberId>,
    },
    /// Who stands on the podium for everybody (your own `pinned` is for you alone).
    Podium {
        /// Null: nobody.
        member: Option<MemberId>,
        /// Why.
        by: PodiumBy,
    },
    /// The hub's own measure of your line, every few seconds.
    Line {
        /// In three words.
        level: QualityLevel,
        /// Round trip in milliseconds.
        rtt_ms: u32,
        /// Packets lost of a hundred, the worse direction.
        loss_percent: u32,
        /// What the hub thinks that it can send you.
        bits_per_second: u64,
        /// The line is too narrow for any picture, so only sound comes.
        audio_only: bool,
    },
    /// One of your two connections came up (`up`), or nothing has come from you on it for 5 s, or it ended.
    Transport {
        /// Which.
        direction: Direction,
        /// Comes up again by itself with the first packet, unless it ended.
        up: bool,
    },
    /// The state of the session or of its recording changed.
    Session(SessionView),
    /// A moderator switched your microphone off.
    Muted,
    /// A line from a member.
    Chat {
        /// From whom.
        member: MemberId,
        /// The name shown.
        name: String,
        /// The text.
        text: String,
        /// When the hub got it.
        at: i64,
    },
    /// You were taken out of the room; the socket closes.
    Removed {
        /// The officer's reason.
        reason: String,
    },
    /// Another tab took your seat; the socket closes. Do not come back by yourself.
    Replaced,
    /// Something you sent was refused. The socket stays.
    Error {
        /// For programs.
        code: ErrorCode,
        /// The key of the sentence in the fluent files.
        message_key: String,
    },
    /// The room is closed; the socket closes.
    Ended,
    /// Answer to `ping`.
    Pong,
}

impl ServerMessage {
    /// An `error` with the text key that belongs to the code.
    #[must_use]
    pub fn error(code: ErrorCode) -> Self {
        Self::Error { code, message_key: code.message_key().to_owned() }
    }

    /// The text frame.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Only maps with keys that are not text can fail, and there are none here.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// After this one the hub closes the socket.
    #[must_use]
    pub fn is_last(&self) -> bool {
        matches!(self, Self::Removed { .. } | Self::Replaced | Self::Ended)
    }
}

/// Why something was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// The text is not a message of this protocol.
    BadMessage,
    /// The text is longer than [`MAX_MESSAGE_BYTES`].
    TooLarge,
    /// More messages than anybody needs; some were dropped.
    TooFast,
    /// `hello` comes first, and once.
    HelloFirst,
    /// That is not the version of the notice that is shown.
    WrongNotice,
    /// Only members who are admitted may do this.
    NotAdmitted,
    /// The role does not allow this.
    NotAllowed,
    /// The SDP cannot be read or used.
    BadSdp,
    /// There is no offer that this answers.
    UnexpectedAnswer,
    /// No such member here.
    NoSuchMember,
    /// The chat line is empty or too long.
    BadChat,
}

impl ErrorCode {
    /// The key of the user's sentence in the fluent files.
    #[must_use]
    pub fn message_key(self) -> &'static str {
        match self {
            Self::BadMessage => "room-error-bad-message",
            Self::TooLarge => "room-error-too-large",
            Self::TooFast => "room-error-too-fast",
            Self::HelloFirst => "room-error-hello-first",
            Self::WrongNotice => "room-error-wrong-notice",
            Self::NotAdmitted => "room-error-not-admitted",
            Self::NotAllowed => "room-error-not-allowed",
            Self::BadSdp => "room-error-bad-sdp",
            Self::UnexpectedAnswer => "room-error-unexpected-answer",
            Self::NoSuchMember => "room-error-no-such-member",
            Self::BadChat => "room-error-bad-chat",
        }
    }
}

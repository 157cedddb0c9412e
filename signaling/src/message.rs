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
//! A text that cannot be read gets `error` and the socket stays. Texts over [`MAX_MESSAGE_BYTES`] are refused.
//! Times are epoch milliseconds, UTC.

use crate::{MemberId, Role, RoomId, SeatToken};
use serde::{Deserialize, Serialize};

/// The longest text frame that is read, in bytes. An SDP of a dozen sections is about 20 KB.
pub const MAX_MESSAGE_BYTES: usize = 64 * 1024;
/// The longest chat line, in characters.
pub const MAX_CHAT_CHARS: usize = 2_000;

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
    /// A trickled candidate; accepted and ignored (see the module's text).
    Candidate {
        /// `candidate:…`, empty for the end of candidates.
        #[serde(default)]
        candidate: String,
    },
    /// I switched my microphone or camera off.
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
    },
    /// I leave for good: the seat is given up.
    Leave,
    /// Answered by `pong`.
    Ping,
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
        room: RoomView,
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

/// The room as a client sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RoomView {
    /// Its id.
    pub id: RoomId,
    /// The session and its recording.
    pub session: SessionView,
}

/// The session as a client sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionView {
    /// Where the session stands.
    pub state: SessionState,
    /// Since when.
    pub since: i64,
    /// Whether it is being recorded.
    pub recording: RecordingState,
}

/// Where the session of a hearing stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionState {
    /// People gather.
    NotStarted,
    /// The hearing runs.
    InSession,
    /// A break: nothing is recorded.
    Paused,
    /// The hearing is over; the room is still open.
    Ended,
}

/// Whether the session is being recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordingState {
    /// Not.
    Off,
    /// Yes.
    On,
    /// It should be, and cannot (a full disk); the hub keeps trying.
    Failed,
}

/// A member as others see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberView {
    /// Who.
    pub id: MemberId,
    /// The name shown.
    pub name: String,
    /// The part played.
    pub role: Role,
    /// Where the member is.
    pub status: MemberStatus,
    /// The microphone is on.
    pub audio: bool,
    /// The camera is on.
    pub video: bool,
    /// The hand is up.
    pub hand: bool,
    /// It is the one who reads this.
    pub me: bool,
}

/// Where a member is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MemberStatus {
    /// In the waiting room.
    Waiting,
    /// In the room.
    InRoom,
    /// The line broke; the seat is kept for a while.
    Away,
}

/// What one section of the subscribe offer carries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrackView {
    /// The section (`a=mid`).
    pub mid: String,
    /// Whose.
    pub member: MemberId,
    /// Sound or picture.
    pub kind: Kind,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_read_as_documented() {
        assert_eq!(ClientMessage::parse(r#"{"type":"hello"}"#), Ok(ClientMessage::Hello { resume: None }));
        assert_eq!(ClientMessage::parse(r#"{"type":"restart_ice"}"#), Ok(ClientMessage::RestartIce));
        assert_eq!(
            ClientMessage::parse(r#"{"type":"mute","kind":"video"}"#),
            Ok(ClientMessage::Mute { kind: Kind::Video })
        );
        let session = ServerMessage::Session(SessionView {
            state: SessionState::InSession,
            since: 5,
            recording: RecordingState::On,
        });
        assert_eq!(session.to_json(), r#"{"type":"session","state":"in_session","since":5,"recording":"on"}"#);
    }

    #[test]
    fn what_cannot_be_read_is_answered() {
        for text in ["", "{", "[]", r#"{"type":"no_such"}"#, r#"{"type":"offer"}"#, r#"{"type":"hand","up":3}"#] {
            assert_eq!(ClientMessage::parse(text), Err(ServerMessage::error(ErrorCode::BadMessage)), "{text}");
        }
        let long = format!(r#"{{"type":"offer","sdp":"{}"}}"#, "x".repeat(MAX_MESSAGE_BYTES));
        assert_eq!(ClientMessage::parse(&long), Err(ServerMessage::error(ErrorCode::TooLarge)));
    }
}

//! What goes into a room (commands) and what comes out of it (events). Together with the handle, the whole public face.

use crate::message::{IceServer, Layer, PodiumBy, SessionState};
use crate::recording::Summary;
use crate::{MemberId, Role, RoomId};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Something that happened in a room, as evidence: presence and recording are told by these alone.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RoomEvent {
    /// Where.
    pub room: RoomId,
    /// When, epoch milliseconds UTC.
    pub at_ms: i64,
    /// What.
    #[serde(flatten)]
    pub kind: RoomEventKind,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
#[expect(missing_docs, reason = "the variants' fields say what they are")]
pub enum RoomEventKind {
    /// The recording notice was accepted.
    NoticeAcknowledged {
        member: MemberId,
        name: String,
        role: Role,
        version: String,
    },
    /// Somebody waits to be let in.
    Knocked {
        member: MemberId,
        name: String,
        role: Role,
    },
    /// Let into the room (by the officer, or because no waiting room applies).
    Admitted {
        member: MemberId,
        name: String,
        role: Role,
    },
    /// In the room again after the hub's restart: whoever was let in before does not wait a second time.
    Returned {
        member: MemberId,
        name: String,
        role: Role,
    },
    /// Sent back to the waiting room.
    SentBack {
        member: MemberId,
    },
    /// Media flows for the first time.
    Connected {
        member: MemberId,
    },
    /// The line broke; the seat is kept.
    Reconnecting {
        member: MemberId,
    },
    /// The line is back, in the same seat.
    Reconnected {
        member: MemberId,
    },
    /// The seat is free again.
    Left {
        member: MemberId,
        reason: LeaveReason,
    },
    /// A newer tab of the same member took the seat.
    Replaced {
        member: MemberId,
    },
    /// A moderator switched the microphone off.
    Muted {
        member: MemberId,
        by: Option<MemberId>,
    },
    HandRaised {
        member: MemberId,
    },
    HandLowered {
        member: MemberId,
    },
    Chat {
        member: MemberId,
        text: String,
    },
    SessionChanged {
        state: SessionState,
    },
    RecordingStarted,
    /// Nothing is being written; the hub keeps trying.
    RecordingFailed {
        reason: String,
    },
    RecordingResumed {
        gap_ms: i64,
    },
    RecordingStopped {
        summary: Summary,
    },
    /// The line's quality moved to another level.
    Quality {
        member: MemberId,
        level: QualityLevel,
        by: Meter,
        rtt_ms: u32,
        loss_percent: u32,
        /// What only the client can tell, when it does.
        jitter_ms: Option<u32>,
        freezes: Option<u32>,
        layer: Option<Layer>,
    },
    /// Somebody else stands on the podium, or for another reason.
    PodiumChanged {
        member: Option<MemberId>,
        by: PodiumBy,
    },
    Closed,
}

impl RoomEventKind {
    /// Belongs into the recording's chain: who was present and when, and what the session was. Not chat, not line quality.
    pub(crate) fn is_evidence(&self) -> bool {
        match self {
            Self::Chat { .. } | Self::Quality { .. } | Self::RecordingStarted | Self::RecordingStopped { .. } => false,
            Self::NoticeAcknowledged { .. }
            | Self::Knocked { .. }
            | Self::Admitted { .. }
            | Self::Returned { .. }
            | Self::SentBack { .. }
            | Self::Connected { .. }
            | Self::Reconnecting { .. }
            | Self::Reconnected { .. }
            | Self::Left { .. }
            | Self::Replaced { .. }
            | Self::Muted { .. }
            | Self::HandRaised { .. }
            | Self::HandLowered { .. }
            | Self::SessionChanged { .. }
            | Self::PodiumChanged { .. }
            | Self::RecordingFailed { .. }
            | Self::RecordingResumed { .. }
            | Self::Closed => true,
        }
    }
}

/// Why a seat became free.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LeaveReason {
    /// The member said so.
    Left,
    /// The line broke and did not come back in time.
    Lost,
    /// The officer took the member out, for this reason.
    Removed(String),
    /// The room was closed.
    Closed,
}

/// Who measured a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Meter {
    /// The member's browser, by `stats`.
    Client,
    /// The hub, by RTCP and its own congestion control.
    Hub,
}

/// A line in three words, from better to worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum QualityLevel {
    Good,
    Fair,
    Poor,
}

impl QualityLevel {
    /// Voice holds to about 3 % loss and 250 ms; past 10 % or half a second people stop following (ITU-T G.114, G.107 in rough).
    #[must_use]
    pub fn of(rtt_ms: f64, loss: f64) -> Self {
        if loss > 0.10 || rtt_ms > 500.0 {
            Self::Poor
        } else if loss > 0.03 || rtt_ms > 250.0 {
            Self::Fair
        } else {
            Self::Good
        }
    }
}

/// What the hub asks of a room.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum RoomCommand {
    /// Let a waiting member in.
    Admit(MemberId),
    /// These were in the room when the hub went down: each comes in without waiting, the next time and once.
    Readmit(Vec<MemberId>),
    /// Back to the waiting room.
    SendBack(MemberId),
    /// Out of the room, and not to come back.
    Remove(MemberId, String),
    /// Switch a member's microphone off.
    Mute(MemberId),
    /// Move the session.
    SetSession(SessionState),
    /// Record everybody admitted, into a new folder. Answers once the manifest's first line is on disk.
    StartRecording {
        /// The folder; it is made, and must not hold a manifest yet.
        dir: PathBuf,
        /// Case number, hearing id and the like; goes into the manifest's first line.
        meta: serde_json::Value,
    },
    /// Finish all files. Answers [`Reply::Recorded`].
    StopRecording,
    /// Send everybody home and forget the room.
    Close,
}

/// A command's answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// Done.
    Done,
    /// The recording is finished.
    Recorded(Summary),
}

/// Why a command was not carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Nobody of that name here.
    #[error("no such member in this room")]
    NoSuchMember,
    /// The member is not in the waiting room (or has not acknowledged the notice yet).
    #[error("the member is not waiting")]
    NotWaiting,
    /// The member is not in the room.
    #[error("the member is not in the room")]
    NotInRoom,
    /// It is being recorded already.
    #[error("the room is being recorded already")]
    AlreadyRecording,
    /// There is no recording.
    #[error("the room is not being recorded")]
    NotRecording,
    /// The session is recorded, and just now cannot be: it stays paused until the disk takes data again.
    #[error("the session cannot be recorded now")]
    RecordingFailed,
    /// The recording's folder cannot be written.
    #[error("the recording cannot be written: {0}")]
    Storage(String),
    /// An ended session does not begin again.
    #[error("the session has ended")]
    SessionEnded,
    /// The room is closed.
    #[error("the room is closed")]
    RoomClosed,
}

/// Somebody at the door, already known to the caller: the token was checked before.
#[derive(Debug, Clone)]
pub struct Join {
    /// Who. The same member in a second tab is the same id.
    pub member: MemberId,
    /// The name shown to others.
    pub name: String,
    /// The part played.
    pub role: Role,
    /// Skips the waiting room (the presiding officer and the like).
    pub admitted: bool,
    /// Handed to the client in `welcome`. The caller makes their credentials; they should outlive a hearing.
    pub ice_servers: Vec<IceServer>,
}

/// Why nobody was let to the door.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JoinError {
    /// The officer took this member out.
    #[error("the member was removed from this room")]
    Removed,
    /// As many as the room takes are here.
    #[error("the room is full")]
    Full,
    /// The room is closed.
    #[error("the room is closed")]
    RoomClosed,
}

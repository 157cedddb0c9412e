//! What is shown to a client: the room, its session, its members, their sections.

use super::Kind;
use crate::{MemberId, QualityLevel, Role, RoomId};
use serde::{Deserialize, Serialize};
use std::fmt;

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
    /// The screen is shared.
    pub screen: bool,
    /// The line: the worse of what the client and the hub measure.
    pub quality: QualityLevel,
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

/// One of a client's two connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// On which the client sends.
    Publish,
    /// On which it receives.
    Subscribe,
}

/// How a viewer wants the room shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layout {
    /// One large picture, and tiles of those who spoke last beside it.
    #[default]
    Podium,
    /// Tiles of one size.
    Grid,
    /// Thumbnails of everybody, in an order that stays.
    Wall,
    /// Audio first: no pictures but a shared screen.
    Audio,
}

/// Why a member stands on the podium.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PodiumBy {
    /// The chair put the member there, or is the chair and nobody else is called for.
    Chair,
    /// The member speaks, or did last.
    Speaker,
    /// The member shares the screen.
    Share,
}

/// One of a picture's sizes, as its sender makes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layer {
    /// The smallest.
    Low,
    /// The middle one.
    Mid,
    /// The largest.
    High,
}

/// A STUN or TURN server for the client's two connections, as `RTCIceServer` takes it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IceServer {
    /// `turns:turn.example.in:443?transport=tcp` and the like.
    pub urls: Vec<String>,
    /// With its end of life, by the TURN REST convention.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// The short-lived password. `Debug` hides it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<String>,
}

impl fmt::Debug for IceServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IceServer").field("urls", &self.urls).finish_non_exhaustive()
    }
}

//! Rooms, the media plane and recording: everything of a hearing's sound and picture, and nothing of its case.
//!
//! ```text
//! hub ── join, command ──▶ RoomHandle ──▶ room (one task: pure core decides, actor performs) ──▶ RoomEvent ──▶ hub
//!                                           │ forwarding table, SDP            ▲ answers, offers, line states
//!                                           ▼                                  │
//! browsers ◀── ICE, DTLS, SRTP, one port ──▶ media plane (one thread decides, others seal and send) ── copies of packets ──▶ recorder (one thread each)
//! ```
//!
//! * [`message`] is the wire protocol between browser and hub; its docs are the specification.
//! * `room/` decides who waits, who is in, who hears whom. `media/` moves packets. `recording/` writes and verifies files.
//! * [`StandingOffer`] is for clients without a socket (WHIP, WHEP): their one offer, judged and kept.
//! * The hub carries text frames between its WebSocket and a [`Connection`], and turns its own actions into [`RoomCommand`]s.
//!
//! Nothing here knows cases, HTTP or storage. Time reaches the pure parts as an argument; [`Clock`] is the wall's.

mod clock;
mod event;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzz;
mod id;
mod media;
pub mod message;
pub mod recording;
mod role;
mod room;

pub use clock::Clock;
pub use event::{
    Join, JoinError, LeaveReason, Meter, QualityLevel, Refusal, Reply, RoomCommand, RoomEvent, RoomEventKind,
};
pub use id::{ConnectionId, MemberId, RoomId, SeatToken};
pub use media::counters::MediaCounters;
pub use media::sdp::standing::{Change, OfferError, StandingOffer, restart_fragment};
pub use media::survey::{Downlink, MediaSurvey, Uplink};
pub use message::{ClientMessage, ServerMessage, SessionState};
pub use role::Role;
pub use room::{Connection, RoomHandle};

use media::MediaCommand;
use media::counters::Counters;
use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{mpsc, oneshot};

/// How the media port is bound.
#[derive(Debug, Clone)]
pub struct MediaConfig {
    /// One UDP port for all peers. Port 0 takes a free one.
    pub listen: SocketAddr,
    /// What clients are told, best first. Empty: the listen address, or this machine's outward address and loopback when that is unspecified.
    pub public_addresses: Vec<IpAddr>,
    /// Threads that seal and send; none: one for each core but one.
    pub workers: Option<NonZeroUsize>,
    /// Stamps events and manifest lines.
    pub clock: Clock,
}

/// How a room is opened.
#[derive(Debug, Clone)]
pub struct RoomConfig {
    /// The hub's name for it.
    pub id: RoomId,
    /// Members wait until they are admitted.
    pub waiting_room: bool,
    /// The version of the recording notice that everybody must acknowledge before knocking.
    pub notice_version: Option<String>,
    /// Gets everything that happens. Take from it in a task of its own: it is evidence, and kept in memory only up to a bound.
    pub events: mpsc::Sender<RoomEvent>,
}

/// The media port and all rooms. Dropping it ends every call.
#[derive(Debug)]
pub struct MediaServer {
    local: SocketAddr,
    clock: Clock,
    media: mpsc::Sender<MediaCommand>,
    counters: Arc<Counters>,
    runtime: tokio::runtime::Handle,
    rooms: Mutex<HashMap<RoomId, RoomHandle>>,
}

impl MediaServer {
    /// Binds the port and starts the media thread. Rooms run on the tokio runtime that this is called in.
    ///
    /// # Errors
    /// When the port cannot be bound, or no tokio runtime is there.
    pub fn bind(config: MediaConfig) -> io::Result<Self> {
        let runtime = tokio::runtime::Handle::try_current().map_err(io::Error::other)?;
        let started = media::start(config.listen, &config.public_addresses, config.workers)?;
        Ok(Self {
            local: started.local,
            clock: config.clock,
            media: started.commands,
            counters: started.counters,
            runtime,
            rooms: Mutex::new(HashMap::new()),
        })
    }

    /// Where media is taken.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// The media thread runs.
    #[must_use]
    pub fn is_healthy(&self) -> bool {
        !self.media.is_closed()
    }

    /// Answers a self-test: a publish offer of somebody in no room. The connection comes up if there is a way, and ends after 15 s.
    /// None when the SDP cannot be used.
    pub async fn probe(&self, sdp: String) -> Option<String> {
        let (answer, answered) = oneshot::channel();
        self.media.send(MediaCommand::Probe { sdp, answer }).await.ok()?;
        answered.await.ok()?
    }

    /// What the media plane counted so far.
    #[must_use]
    pub fn counters(&self) -> MediaCounters {
        self.counters.read()
    }

    /// Looks at all rooms and lines. None when the media thread is gone.
    pub async fn survey(&self) -> Option<MediaSurvey> {
        let (answer, answered) = oneshot::channel();
        self.media.send(MediaCommand::Survey(answer)).await.ok()?;
        answered.await.ok()
    }

    /// Opens a room, or answers the open one of that id (its configuration stays).
    pub fn open_room(&self, config: RoomConfig) -> RoomHandle {
        let mut rooms = self.rooms.lock().unwrap_or_else(PoisonError::into_inner);
        rooms.retain(|_, room| !room.is_closed());
        if let Some(room) = rooms.get(&config.id) {
            return room.clone();
        }
        let id = config.id.clone();
        let room = room::open(config, self.clock.clone(), self.media.clone(), &self.runtime);
        rooms.insert(id, room.clone());
        room
    }

    /// An open room.
    #[must_use]
    pub fn room(&self, id: &RoomId) -> Option<RoomHandle> {
        let rooms = self.rooms.lock().unwrap_or_else(PoisonError::into_inner);
        rooms.get(id).filter(|room| !room.is_closed()).cloned()
    }
}

impl Drop for MediaServer {
    fn drop(&mut self) {
        let _ = self.media.try_send(MediaCommand::Shutdown);
    }
}

//! A room: the pure [`core`] decides, the task here performs. Everything that touches a room comes through its two bounded inboxes.

pub(crate) mod core;
mod floor;
mod layout;
mod member;
mod speaker;
#[cfg(test)]
mod tests;

pub(crate) use self::core::MediaAction;
pub(crate) use self::layout::ForwardingTable;
pub(crate) use self::layout::{Size, Slot, SlotName, Viewer, Voices};
pub(crate) use self::speaker::{SpeakerDetector, Speakers};

use self::core::{Output, RoomCore};
use crate::event::{Join, JoinError, Refusal, Reply, RoomCommand, RoomEvent, RoomEventKind};
use crate::media::{MediaCommand, MediaEvent};
use crate::message::{ClientMessage, ErrorCode, ServerMessage};
use crate::recording::{RecorderEvent, RecorderHandle};
use crate::{Clock, ConnectionId, RoomConfig, RoomId, SeatToken};
use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};

/// Tabs and commands → room. When full, the sender waits: a slow room slows its tabs.
const INBOX: usize = 256;
/// Media plane and recorder → room. When full, the media plane drops the report and says so in the log.
pub(crate) const REPORTS: usize = 1024;
/// Room → tab. When full, the tab is too slow and loses its socket; it may come back to its seat.
const OUTBOX: usize = 256;
/// Tab → room, before the room's inbox. When full, the tab's socket is not read; at the longest messages it is 2 MB.
const TAB_INBOX: usize = 8;
/// Events that wait for the hub. Past this the hub is not listening, and events are dropped with an error in the log.
const EVENT_BACKLOG: usize = 10_000;
/// A tab may send this many messages a second over any ten seconds (candidates and self-made bursts included).
const MESSAGES_IN_TEN_SECONDS: u32 = 300;

/// What reaches a room from its tabs and from the hub.
enum Inbox {
    Join(Join, mpsc::Sender<ServerMessage>, oneshot::Sender<Result<ConnectionId, JoinError>>),
    Client(ConnectionId, ClientMessage),
    TooFast(ConnectionId),
    Gone(ConnectionId),
    Command(RoomCommand, oneshot::Sender<Result<Reply, Refusal>>),
}

/// What reaches a room from below.
#[derive(Debug)]
pub(crate) enum RoomReport {
    Media(MediaEvent),
    Recorder(RecorderEvent),
    Speakers(Speakers),
}

/// A room, from outside. Cheap to clone; the room lives until [`RoomCommand::Close`].
#[derive(Debug, Clone)]
pub struct RoomHandle {
    id: RoomId,
    inbox: mpsc::Sender<Inbox>,
}

/// A tab's line to the room. Dropping it means that the tab is gone.
#[derive(Debug)]
pub struct Connection {
    /// Put what the client says here (see [`ClientMessage::parse`]).
    pub inbox: mpsc::Sender<ClientMessage>,
    /// Send what comes out to the client. The end of it means: close the socket.
    pub outbox: mpsc::Receiver<ServerMessage>,
}

impl RoomHandle {
    /// The room's id.
    #[must_use]
    pub fn id(&self) -> &RoomId {
        &self.id
    }

    /// True once the room was closed.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.inbox.is_closed()
    }

    /// Opens a line for a member whose token the caller has checked. The seat itself is taken with the client's `hello`.
    ///
    /// # Errors
    /// When the member was removed, the room is full, or closed.
    pub async fn join(&self, join: Join) -> Result<Connection, JoinError> {
        let (outbox, from_room) = mpsc::channel(OUTBOX);
        let (answer, answered) = oneshot::channel();
        self.inbox.send(Inbox::Join(join, outbox, answer)).await.map_err(|_| JoinError::RoomClosed)?;
        let id = answered.await.map_err(|_| JoinError::RoomClosed)??;
        let (to_room, from_tab) = mpsc::channel(TAB_INBOX);
        tokio::spawn(carry(id, from_tab, self.inbox.clone()));
        Ok(Connection { inbox: to_room, outbox: from_room })
    }

    /// Carries out a command.
    ///
    /// # Errors
    /// The rule that refuses it.
    pub async fn command(&self, command: RoomCommand) -> Result<Reply, Refusal> {
        let (answer, answered) = oneshot::channel();
        self.inbox.send(Inbox::Command(command, answer)).await.map_err(|_| Refusal::RoomClosed)?;
        answered.await.map_err(|_| Refusal::RoomClosed)?
    }
}

/// Carries one tab's messages into the room, no faster than anybody types; its end is the tab's.
async fn carry(id: ConnectionId, mut from_tab: mpsc::Receiver<ClientMessage>, inbox: mpsc::Sender<Inbox>) {
    let (mut window, mut count) = (Instant::now(), 0u32);
    while let Some(message) = from_tab.recv().await {
        if window.elapsed() > Duration::from_secs(10) {
            (window, count) = (Instant::now(), 0);
        }
        count += 1;
        let item = match count.cmp(&MESSAGES_IN_TEN_SECONDS) {
            std::cmp::Ordering::Less => Inbox::Client(id, message),
            std::cmp::Ordering::Equal => Inbox::TooFast(id),
            std::cmp::Ordering::Greater => continue,
        };
        if inbox.send(item).await.is_err() {
            return;
        }
    }
    let _ = inbox.send(Inbox::Gone(id)).await;
}

/// Starts a room's task.
pub(crate) fn open(
    config: RoomConfig,
    clock: Clock,
    media: mpsc::Sender<MediaCommand>,
    runtime: &tokio::runtime::Handle,
) -> RoomHandle {
    let (inbox, from_outside) = mpsc::channel(INBOX);
    let (reports, from_below) = mpsc::channel(REPORTS);
    let handle = RoomHandle { id: config.id.clone(), inbox };
    let room = Room {
        core: RoomCore::new(config.id.clone(), config.waiting_room, config.notice_version, clock.now_ms()),
        id: config.id,
        clock,
        media,
        reports,
        events: config.events,
        backlog: VecDeque::new(),
        tabs: HashMap::new(),
        next_connection: 0,
        recording: None,
    };
    runtime.spawn(room.run(from_outside, from_below));
    handle
}

struct Room {
    id: RoomId,
    core: RoomCore,
    clock: Clock,
    media: mpsc::Sender<MediaCommand>,
    /// Our own second inbox, for whom we start.
    reports: mpsc::Sender<RoomReport>,
    events: mpsc::Sender<RoomEvent>,
    backlog: VecDeque<RoomEvent>,
    tabs: HashMap<ConnectionId, mpsc::Sender<ServerMessage>>,
    next_connection: u64,
    recording: Option<RecorderHandle>,
}

impl Room {
    async fn run(mut self, mut from_outside: mpsc::Receiver<Inbox>, mut from_below: mpsc::Receiver<RoomReport>) {
        let open = MediaCommand::Open { room: self.id.clone(), reports: self.reports.clone() };
        if self.media.send(open).await.is_err() {
            return;
        }
        let events = self.events.clone();
        let mut events_open = true;
        loop {
            let tick = self.core.next_tick().map(|at| {
                Duration::from_millis(u64::try_from(at - self.clock.now_ms()).unwrap_or(0))
                    .max(Duration::from_millis(10))
            });
            let outputs = tokio::select! {
                biased;
                permit = events.reserve(), if events_open && !self.backlog.is_empty() => {
                    match (permit, self.backlog.pop_front()) {
                        (Ok(permit), Some(event)) => permit.send(event),
                        (Ok(_), None) => {}
                        (Err(_), _) => { events_open = false; self.backlog.clear(); }
                    }
                    continue;
                }
                Some(report) = from_below.recv() => match report {
                    RoomReport::Media(event) => self.core.media(event, self.clock.now_ms()),
                    RoomReport::Recorder(event) => self.core.recorder(event),
                    RoomReport::Speakers(speakers) => self.core.speakers(speakers, self.clock.now_ms()),
                },
                item = from_outside.recv() => match item {
                    None => break,
                    Some(Inbox::Command(RoomCommand::Close, answer)) => {
                        self.close(&mut from_below).await;
                        let _ = answer.send(Ok(Reply::Done));
                        break;
                    }
                    Some(item) => self.take(item).await,
                },
                () = tokio::time::sleep(tick.unwrap_or_default()), if tick.is_some() => self.core.tick(self.clock.now_ms()),
            };
            self.perform(outputs).await;
        }
        let _ = self.media.send(MediaCommand::Close { room: self.id.clone() }).await;
        for event in self.backlog.drain(..) {
            if self.events.send(event).await.is_err() {
                break;
            }
        }
    }

    async fn take(&mut self, item: Inbox) -> Vec<Output> {
        let now = self.clock.now_ms();
        match item {
            Inbox::Join(join, outbox, answer) => {
                self.next_connection += 1;
                let id = ConnectionId(self.next_connection);
                let result = self.core.join(id, join, SeatToken::random()).map(|()| id);
                if result.is_ok() {
                    self.tabs.insert(id, outbox);
                }
                let _ = answer.send(result);
                Vec::new()
            }
            Inbox::Client(id, message) => self.core.client(id, message, now),
            Inbox::TooFast(id) => vec![Output::Send(id, ServerMessage::error(ErrorCode::TooFast))],
            Inbox::Gone(id) => {
                self.tabs.remove(&id);
                self.core.gone(id, now)
            }
            Inbox::Command(command, answer) => {
                let (result, outputs) = self.core.command(&command, now);
                match (result, command) {
                    (Err(refusal), _) => {
                        let _ = answer.send(Err(refusal));
                    }
                    (Ok(()), RoomCommand::StartRecording { dir, meta }) => {
                        let started = self.start_recording(dir, meta).await;
                        let _ = answer.send(started.map(|()| Reply::Done));
                    }
                    (Ok(()), RoomCommand::StopRecording) => self.stop_recording(answer).await,
                    (Ok(()), _) => {
                        let _ = answer.send(Ok(Reply::Done));
                    }
                }
                outputs
            }
        }
    }

    async fn start_recording(&mut self, dir: std::path::PathBuf, meta: serde_json::Value) -> Result<(), Refusal> {
        if self.recording.is_some() {
            return Err(Refusal::AlreadyRecording);
        }
        let (room, clock, media, reports) =
            (self.id.clone(), self.clock.clone(), self.media.clone(), self.reports.clone());
        let present = serde_json::json!({
            "event": "present",
            "at_ms": clock.now_ms(),
            "session": self.core.session(),
            "members": self.core.present(),
        });
        let started =
            tokio::task::spawn_blocking(move || RecorderHandle::start(&dir, room, meta, clock, media, reports))
                .await
                .map_err(|error| Refusal::Storage(error.to_string()))?;
        let handle = started.map_err(|error| Refusal::Storage(error.to_string()))?;
        handle.note(present).await;
        let _ = self.media.send(MediaCommand::Tap { room: self.id.clone(), tap: Some(handle.tap()) }).await;
        self.recording = Some(handle);
        let outputs = self.core.recorder(RecorderEvent::Started);
        self.perform(outputs).await;
        Ok(())
    }

    async fn stop_recording(&mut self, answer: oneshot::Sender<Result<Reply, Refusal>>) {
        let _ = self.media.send(MediaCommand::Tap { room: self.id.clone(), tap: None }).await;
        let Some(handle) = self.recording.take() else {
            let _ = answer.send(Err(Refusal::NotRecording));
            return;
        };
        let reports = self.reports.clone();
        // Finishing many files takes a while; the room goes on meanwhile.
        tokio::spawn(async move {
            match handle.stop().await {
                Ok(summary) => {
                    let stopped = RecorderEvent::Stopped { summary: summary.clone() };
                    let _ = reports.send(RoomReport::Recorder(stopped)).await;
                    let _ = answer.send(Ok(Reply::Recorded(summary)));
                }
                Err(error) => {
                    let _ = answer.send(Err(Refusal::Storage(error.to_string())));
                }
            }
        });
    }

    /// Ends the recording first, so that the chain's last lines tell of everybody who left.
    async fn close(&mut self, from_below: &mut mpsc::Receiver<RoomReport>) {
        let outputs = self.core.close();
        self.perform(outputs).await;
        if self.recording.is_some() {
            let (answer, answered) = oneshot::channel();
            self.stop_recording(answer).await;
            let _ = answered.await;
            while let Ok(report) = from_below.try_recv() {
                if let RoomReport::Recorder(event) = report {
                    let outputs = self.core.recorder(event);
                    self.perform(outputs).await;
                }
            }
        }
    }

    async fn perform(&mut self, outputs: Vec<Output>) {
        for output in outputs {
            match output {
                Output::Send(to, message) => {
                    let full = self.tabs.get(&to).is_some_and(|tab| tab.try_send(message).is_err());
                    if full {
                        tracing::warn!(room = %self.id, connection = to.0, "tab too slow, socket closed");
                        self.tabs.remove(&to);
                    }
                }
                Output::Hangup(id) => {
                    self.tabs.remove(&id);
                }
                Output::Event(kind) => self.tell(kind).await,
                Output::Media(action) => {
                    let _ = self.media.send(MediaCommand::Act { room: self.id.clone(), action }).await;
                }
                Output::PauseRecording(paused) => {
                    if let Some(recording) = &self.recording {
                        recording.pause(paused).await;
                    }
                }
            }
        }
    }

    async fn tell(&mut self, kind: RoomEventKind) {
        let event = RoomEvent { room: self.id.clone(), at_ms: self.clock.now_ms(), kind };
        if let Some(recording) = self.recording.as_ref().filter(|_| event.kind.is_evidence()) {
            recording.event(&event).await;
        }
        if self.backlog.len() >= EVENT_BACKLOG {
            tracing::error!(room = %self.id, "nobody takes the room's events, one was dropped");
            return;
        }
        self.backlog.push_back(event);
    }
}

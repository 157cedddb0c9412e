//! The media rooms of hearings: opening them, letting people in, recording, and writing what happens in them into the
//! ledger. The room decides nothing about the hearing; it follows the hearing's phase.

use super::feeds::Feeds;
use super::links::JoinToken;
use super::notices::Post;
use super::{Hub, ServiceError, hearings, lines, system};
use crate::domain::case::Case;
use crate::domain::hearing::{Hearing, HearingCommand, Phase};
use crate::domain::policy::{Act, Actor};
use crate::domain::presence::{Part, Presence};
use crate::domain::refusal::Refusal;
use crate::id::{HearingId, LedgerLineId, RecordingId};
use crate::store::hearings::{self as store, LedgerLine};
use crate::store::recordings::{self, Recording};
use crate::store::{StoreError, Tx, cases};
use crate::time::Timestamp;
use sha2::{Digest as _, Sha256};
use signaling::message::{IceServer, SessionState};
use signaling::{
    Connection, Join, JoinError, LeaveReason, MediaCounters, MediaServer, MediaSurvey, MemberId, Reply, Role,
    RoomCommand, RoomConfig, RoomEvent, RoomEventKind, RoomHandle, RoomId,
};
use std::time::Duration;
use tokio::sync::mpsc;

/// Version of the recording notice that everybody acknowledges before the door.
pub const NOTICE_VERSION: &str = "2026-11";
/// A token to join lasts as long as a long hearing day.
const TOKEN_MILLIS: i64 = 12 * 3_600_000;
/// Events of all rooms on their way to the ledger. A full queue makes a room wait, it loses nothing.
pub const ROOMS_TO_LEDGER: usize = 1_024;
/// A media thread that has not answered by then moves no packets either.
const MEDIA_ANSWERS_WITHIN: Duration = Duration::from_secs(1);
/// In the ledger: left because the room was closed, at the hearing's end or with the hub.
pub(super) const CLOSED: &str = "closed";

/// The media server, where its rooms report to, and the seats of encoders and players.
#[derive(Debug)]
pub struct Rooms {
    server: MediaServer,
    events: mpsc::Sender<RoomEvent>,
    pub(super) feeds: Feeds,
}

/// Permission to enter a room, as given out.
#[derive(Debug)]
pub struct Seat {
    /// The signed token.
    pub token: String,
    /// What it says.
    pub join: JoinToken,
}

impl Rooms {
    /// Rooms on a media server; the receiver's events go to [`happened`].
    #[must_use]
    pub fn new(server: MediaServer) -> (Self, mpsc::Receiver<RoomEvent>) {
        let (events, receiver) = mpsc::channel(ROOMS_TO_LEDGER);
        (Self { server, events, feeds: Feeds::default() }, receiver)
    }

    /// Whether media can flow: the thread that moves it is there and answers.
    pub async fn is_healthy(&self) -> bool {
        tokio::time::timeout(MEDIA_ANSWERS_WITHIN, self.survey()).await.is_ok_and(|survey| survey.is_some())
    }

    /// What the media plane counted since the hub began.
    #[must_use]
    pub fn counters(&self) -> MediaCounters {
        self.server.counters()
    }

    /// How rooms and lines are now; None when nothing can flow.
    pub async fn survey(&self) -> Option<MediaSurvey> {
        self.server.survey().await
    }

    /// The port that media uses.
    #[must_use]
    pub fn local_addr(&self) -> std::net::SocketAddr {
        self.server.local_addr()
    }

    /// Answers the self-test's offer; None for an SDP that cannot be used.
    pub async fn probe(&self, offer: String) -> Option<String> {
        self.server.probe(offer).await
    }

    /// The room, if it is open.
    pub(super) fn find(&self, room: &str) -> Option<RoomHandle> {
        self.server.room(&RoomId::new(room))
    }

    pub(super) fn open(&self, room: &str) -> RoomHandle {
        self.server.open_room(RoomConfig {
            id: RoomId::new(room),
            waiting_room: true,
            notice_version: Some(NOTICE_VERSION.to_owned()),
            events: self.events.clone(),
        })
    }
}

/// Writes a token to join a hearing's room for somebody with an account, or for whom that somebody answers.
///
/// # Errors
/// [`ServiceError::NotFound`] for a room that is not theirs to know, [`ServiceError::Forbidden`] for a part that is not theirs to give.
pub async fn give_token(hub: &Hub, actor: &Actor, room: &str, name: &str, part: Part) -> Result<Seat, ServiceError> {
    let mut tx = hub.store.read().await?;
    let hearing = store::by_room(&mut tx, room).await?.ok_or(ServiceError::NotFound)?;
    let case = cases::by_id(&mut tx, &hearing.case).await?.ok_or(ServiceError::NotFound)?;
    if !actor.may(Act::Read, &case) {
        return Err(ServiceError::NotFound);
    }
    let may_give = actor.may(Act::Hear, &case) || (actor.may(Act::Assist, &case) && part != Part::PresidingOfficer);
    if !may_give {
        return Err(ServiceError::Forbidden);
    }
    let name = name.trim();
    let own = name.is_empty() || name == actor.name;
    let member = if own { actor.account.as_str().to_owned() } else { member_of(part, name) };
    let name = if own { actor.name.as_str() } else { name };
    Ok(seat(hub, room, member, name, part))
}

/// Writes a token for the holder of a hearing's link.
#[must_use]
pub fn token_for_link(hub: &Hub, hearing: &Hearing, part: Part, name: &str) -> Seat {
    // One link, one person: the same link in a second browser is the same member, and takes over the seat.
    seat(hub, &hearing.room, part.code().to_owned(), name, part)
}

fn seat(hub: &Hub, room: &str, member: String, name: &str, part: Part) -> Seat {
    let until = hub.clock.machine_now().plus_millis(TOKEN_MILLIS);
    let name: String = name.chars().filter(|c| !c.is_control()).take(100).collect();
    let join = JoinToken { room: room.to_owned(), member, name, part, until };
    Seat { token: hub.links.join_token(&join), join }
}

/// The same person gets the same name of a member, two persons two.
fn member_of(part: Part, name: &str) -> String {
    let digest = hex::encode(Sha256::digest(name.to_lowercase().as_bytes()));
    format!("{}-{}", part.code(), digest.get(..8).unwrap_or_default())
}

/// Enters a room with a checked token.
///
/// # Errors
/// [`ServiceError::NotFound`] for a room without hearing or a hearing that is over, [`ServiceError::Forbidden`] for somebody removed.
pub async fn join(hub: &Hub, token: &JoinToken) -> Result<Connection, ServiceError> {
    let hearing = {
        let mut tx = hub.store.read().await?;
        store::by_room(&mut tx, &token.room).await?.ok_or(ServiceError::NotFound)?
    };
    if hearing.phase == Phase::Ended {
        return Err(Refusal::HearingEnded.into());
    }
    let room = hub.rooms.open(&hearing.room);
    let join = Join {
        member: MemberId::new(&token.member),
        name: token.name.clone(),
        role: role_of(token.part),
        admitted: token.part.skips_the_waiting_room(),
        ice_servers: ice_servers(hub, token),
    };
    room.join(join).await.map_err(|error| match error {
        JoinError::Removed => ServiceError::Forbidden,
        JoinError::Full => ServiceError::TooMany,
        JoinError::RoomClosed => ServiceError::NotFound,
    })
}

/// The relays for the holder of a token, with a credential of their own.
#[must_use]
pub fn ice_servers(hub: &Hub, token: &JoinToken) -> Vec<IceServer> {
    // The machine's time, not the demo's: the TURN server has no other.
    hub.turn.iter().map(|turn| turn.server(&token.member, hub.clock.machine_now())).collect()
}

/// Opens the room and starts its recording; the facts of the recording go into the transaction of the hearing's start.
pub(super) async fn begin(
    hub: &Hub,
    tx: &mut Tx,
    hearing: &Hearing,
    case: &Case,
    now: Timestamp,
) -> Result<(), ServiceError> {
    let room = hub.rooms.open(&hearing.room);
    record(hub, tx, &room, hearing, case, now).await
}

pub(super) async fn record(
    hub: &Hub,
    tx: &mut Tx,
    room: &RoomHandle,
    hearing: &Hearing,
    case: &Case,
    now: Timestamp,
) -> Result<(), ServiceError> {
    let id = RecordingId::generate(now.millis());
    let (folder, dir) = hub.files.recording(&id);
    let meta = serde_json::json!({
        "recording": id.as_str(),
        "hearing": hearing.id.as_str(),
        "case": case.number.to_string(),
        "room": hearing.room,
        "started_at": now.rfc3339(),
    });
    room.command(RoomCommand::StartRecording { dir, meta }).await.map_err(|e| ServiceError::Media(e.to_string()))?;
    let recording = Recording {
        id,
        hearing: hearing.id.clone(),
        folder,
        started_at: now,
        ended_at: None,
        head: None,
        failure: None,
    };
    Ok(recordings::insert(tx, &recording).await?)
}

/// Ends a recording whose hearing did not begin after all.
pub(super) async fn stop_recording(hub: &Hub, room: &str) {
    if let Some(room) = hub.rooms.find(room) {
        let _ = room.command(RoomCommand::StopRecording).await;
    }
}

/// Goes on with the session, if it can be recorded.
pub(super) async fn resume(hub: &Hub, hearing: &Hearing) -> Result<(), ServiceError> {
    let Some(room) = hub.rooms.find(&hearing.room) else { return Ok(()) };
    let resumed = room.command(RoomCommand::SetSession(SessionState::InSession)).await;
    resumed.map(|_| ()).map_err(|refusal| ServiceError::Media(refusal.to_string()))
}

/// Takes [`resume`] back.
pub(super) async fn pause(hub: &Hub, hearing: &Hearing) {
    let Some(room) = hub.rooms.find(&hearing.room) else { return };
    let _ = room.command(RoomCommand::SetSession(SessionState::Paused)).await;
}

/// Brings the room into the phase of its hearing. When the session ends the recording is finished and everybody sent home.
pub(super) async fn follow(hub: &Hub, hearing: &Hearing) {
    let Some(room) = hub.rooms.find(&hearing.room) else { return };
    let state = match hearing.phase {
        Phase::NotStarted => SessionState::NotStarted,
        Phase::InSession => SessionState::InSession,
        Phase::Paused => SessionState::Paused,
        Phase::Ended => SessionState::Ended,
    };
    if let Err(refusal) = room.command(RoomCommand::SetSession(state)).await {
        tracing::warn!(hearing = hearing.id.as_str(), %refusal, "the room did not follow its hearing {}", hearing.id);
    }
    if hearing.phase == Phase::Ended {
        if let Ok(Reply::Recorded(summary)) = room.command(RoomCommand::StopRecording).await {
            finished(hub, &hearing.id, &summary.head).await;
        }
        let _ = room.command(RoomCommand::Close).await;
    }
}

/// Lets a waiting member in.
pub(super) async fn admit(hub: &Hub, room: &str, member: &str) -> Result<(), ServiceError> {
    command(hub, room, RoomCommand::Admit(MemberId::new(member))).await
}

/// Sends a member back to the waiting room.
pub(super) async fn send_back(hub: &Hub, room: &str, member: &str) -> Result<(), ServiceError> {
    command(hub, room, RoomCommand::SendBack(MemberId::new(member))).await
}

/// Switches a member's microphone off.
pub(super) async fn mute(hub: &Hub, room: &str, member: &str) -> Result<(), ServiceError> {
    command(hub, room, RoomCommand::Mute(MemberId::new(member))).await
}

async fn command(hub: &Hub, room: &str, command: RoomCommand) -> Result<(), ServiceError> {
    let room = hub.rooms.find(room).ok_or(ServiceError::Refused(Refusal::NotWaiting))?;
    room.command(command).await.map(|_| ()).map_err(|_| Refusal::NotWaiting.into())
}

/// Stores what happened in a room.
///
/// # Errors
/// When the database does not take it.
pub async fn happened(hub: &Hub, event: RoomEvent) -> Result<(), ServiceError> {
    let now = hub.clock.now();
    let mut tx = hub.store.write().await?;
    let Some(hearing) = store::by_room(&mut tx, event.room.as_str()).await? else { return Ok(()) };
    match event.kind {
        RoomEventKind::RecordingFailed { reason } => {
            tx.commit().await?;
            return recording_failed(hub, &hearing, &reason).await;
        }
        kind => {
            if let Some(reading) = lines::reading(&kind, now) {
                lines::keep(&mut tx, &hearing, &reading).await?;
            } else if let Some(line) = line(&mut tx, &hearing, kind, now).await? {
                write_line(&mut tx, &hearing.id, &line).await?;
            }
        }
    }
    Ok(tx.commit().await?)
}

/// The line of the ledger for an event, if it is one of presence.
async fn line(
    tx: &mut Tx,
    hearing: &Hearing,
    kind: RoomEventKind,
    now: Timestamp,
) -> Result<Option<LedgerLine>, StoreError> {
    let (member, what, detail, told) = match kind {
        RoomEventKind::Knocked { member, name, role } => (member, Presence::Knocked, String::new(), Some((name, role))),
        // Who came through the waiting room was written down by the act of admitting.
        RoomEventKind::Admitted { member, name, role } if part_of(role).is_some_and(Part::skips_the_waiting_room) => {
            (member, Presence::Admitted, String::new(), Some((name, role)))
        }
        // It comes before the first knock, so the ledger does not know the name yet.
        RoomEventKind::NoticeAcknowledged { member, name, role, version } => {
            (member, Presence::NoticeAcknowledged, version, Some((name, role)))
        }
        RoomEventKind::Returned { member, name, role } => {
            (member, Presence::Reconnected, String::new(), Some((name, role)))
        }
        RoomEventKind::SentBack { member } => (member, Presence::SentBack, String::new(), None),
        RoomEventKind::Reconnecting { member } => (member, Presence::Disconnected, String::new(), None),
        RoomEventKind::Reconnected { member } => (member, Presence::Reconnected, String::new(), None),
        RoomEventKind::Left { member, reason } => {
            let why = match reason {
                LeaveReason::Left => "left".to_owned(),
                LeaveReason::Lost => "lost".to_owned(),
                LeaveReason::Removed(why) => why,
                LeaveReason::Closed => CLOSED.to_owned(),
            };
            (member, Presence::Left, why, None)
        }
        _ => return Ok(None),
    };
    let (name, part) = match told {
        Some((name, role)) => (name, part_of(role).unwrap_or(Part::Observer)),
        None => {
            let ledger = store::ledger(tx, &hearing.id).await?;
            let known = ledger.iter().rev().find(|l| l.member == member.as_str() && !l.name.is_empty());
            known.map_or((String::new(), Part::Observer), |l| (l.name.clone(), l.part))
        }
    };
    Ok(Some(LedgerLine { at: now, member: member.as_str().to_owned(), name, part, what, phase: hearing.phase, detail }))
}

pub(super) async fn write_line(tx: &mut Tx, hearing: &HearingId, line: &LedgerLine) -> Result<(), StoreError> {
    let id = LedgerLineId::generate(line.at.millis());
    store::append_presence(tx, id.as_str(), hearing, line).await
}

/// A session that cannot be recorded does not go on: it is paused, with the reason on file, and the officer told.
async fn recording_failed(hub: &Hub, hearing: &Hearing, reason: &str) -> Result<(), ServiceError> {
    let now = hub.clock.now();
    tracing::error!(hearing = hearing.id.as_str(), reason, "the recording of hearing {} stopped", hearing.id);
    let mut tx = hub.store.write().await?;
    let (hearing, case) = hearings::load(&mut tx, &hearing.id).await?;
    for recording in recordings::of_hearing(&mut tx, &hearing.id).await?.iter().filter(|r| r.ended_at.is_none()) {
        recordings::fail(&mut tx, &recording.id, reason).await?;
    }
    Post { tx: &mut tx, links: &hub.links, now }.recording_failed(&case, &hearing, reason).await?;
    tx.commit().await?;
    if hearing.phase == Phase::InSession {
        let command = HearingCommand::Pause { reason: format!("recording: {reason}") };
        hearings::step(hub, &hearing.id, command, &system()).await?;
    }
    Ok(())
}

pub(super) async fn finished(hub: &Hub, hearing: &HearingId, head: &str) {
    let done = async {
        let mut tx = hub.store.write().await?;
        for recording in recordings::of_hearing(&mut tx, hearing).await?.iter().filter(|r| r.ended_at.is_none()) {
            recordings::finish(&mut tx, &recording.id, hub.clock.now(), head).await?;
        }
        tx.commit().await
    };
    if let Err(error) = done.await {
        tracing::error!(hearing = hearing.as_str(), %error, "the end of the recording of hearing {hearing} was not stored");
    }
}

const fn role_of(part: Part) -> Role {
    match part {
        Part::PresidingOfficer => Role::PresidingOfficer,
        Part::Party => Role::Party,
        Part::Representative => Role::Representative,
        Part::Witness => Role::Witness,
        Part::OtherSide => Role::OtherSide,
        Part::Interpreter => Role::Interpreter,
        Part::Scribe => Role::Scribe,
        Part::Observer => Role::Observer,
        Part::Coordinator => Role::Coordinator,
    }
}

fn part_of(role: Role) -> Option<Part> {
    Part::ALL.into_iter().find(|part| role_of(*part) == role)
}

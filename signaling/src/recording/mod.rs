//! Recording: the recorder is a member of the room that sees everybody admitted and writes one file for each, as it arrives.
//!
//! * [`recorder`] is the recording itself; the thread here feeds it. [`file`] is one member's file, [`track`] one stream in it.
//! * [`picture`] puts each format's pictures together; [`clock`] tells when they were, so that lips and sound stay together.
//! * [`webm`] writes the container, [`manifest`] the chain of hashes, [`disk`] is where both go.
//! * [`verify()`] checks a folder, also one that a killed process left.
//!
//! All times in a recording count from its start, on one clock for the room, so that the files of one folder line up.

mod clock;
pub(crate) mod disk;
mod file;
pub(crate) mod manifest;
mod picture;
pub(crate) mod recorder;
#[cfg(test)]
mod tests;
mod track;
mod verify;
mod webm;

pub use verify::{FileReport, Report, VerifyError, verify};

use crate::event::RoomEvent;
use crate::media::{Codec, MediaCommand};
use crate::message::Kind;
use crate::room::RoomReport;
use crate::{Clock, MemberId, RoomId};
use bytes::Bytes;
use disk::Folder;
use recorder::{Moment, Recorder};
use serde::Serialize;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};

/// Media plane and room → recorder: some ten seconds of a busy room. When full, packets are dropped and counted; events wait.
const QUEUE: usize = 16_384;
/// How long a room waits for its recorder to take something.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often the recorder looks what is complete.
const TICK: Duration = Duration::from_millis(50);

/// A finished recording.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// One or more for each member that sent something.
    pub files: Vec<FileSummary>,
    /// Media segments over all files.
    pub segments: u64,
    /// The hash of the manifest's last line. Keep it elsewhere: it makes a shortened manifest known.
    pub head: String,
    /// Lines in the manifest.
    pub lines: u64,
    /// From start to stop, in milliseconds.
    pub duration_ms: u64,
}

/// A finished file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileSummary {
    /// In the recording's folder.
    pub name: String,
    /// Whose sound and picture.
    pub member: MemberId,
    /// Sound, camera or screen. A member's shared screen has a file of its own.
    pub kinds: Vec<Kind>,
    /// Its length.
    pub bytes: u64,
    /// Media segments in it.
    pub segments: u64,
    /// When its last frame was, in milliseconds from the recording's start.
    pub end_ms: u64,
    /// SHA-256 of the whole file.
    pub sha256: String,
}

/// What a recorder tells its room.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum RecorderEvent {
    Started,
    Failed { reason: String },
    Resumed { gap_ms: i64 },
    Stopped { summary: Summary },
}

/// One RTP packet of somebody who is recorded.
#[derive(Debug, Clone)]
pub(crate) struct RtpSample {
    pub member: MemberId,
    /// Sound, camera or screen: the screen gets a file of its own.
    pub kind: Kind,
    pub codec: Codec,
    pub ssrc: u32,
    pub sequence: u16,
    pub timestamp: u32,
    pub marker: bool,
    pub payload: Bytes,
    /// The sender's clock (NTP, 32.32 bits), when it is known.
    pub captured: Option<u64>,
    pub arrived: Instant,
}

/// What a recorder is given.
#[derive(Debug)]
pub(crate) enum RecorderInput {
    Rtp(RtpSample),
    Event(serde_json::Value),
    Pause(bool),
    Stop(oneshot::Sender<io::Result<Summary>>),
}

/// A running recording.
#[derive(Debug)]
pub(crate) struct RecorderHandle {
    input: mpsc::Sender<RecorderInput>,
}

impl RecorderHandle {
    /// Writes the manifest's first line and starts the thread. Blocks on the disk.
    pub fn start(
        dir: &Path,
        room: RoomId,
        meta: serde_json::Value,
        clock: Clock,
        media: mpsc::Sender<MediaCommand>,
        reports: mpsc::Sender<RoomReport>,
    ) -> io::Result<Self> {
        let moment = Moment { wall_ms: clock.now_ms(), instant: Instant::now() };
        let recorder = Recorder::start(Folder::create(dir)?, &room, meta, moment)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
        let (input, inbox) = mpsc::channel(QUEUE);
        std::thread::Builder::new()
            .name("recorder".to_owned())
            .spawn(move || runtime.block_on(run(recorder, inbox, room, clock, media, reports)))?;
        Ok(Self { input })
    }

    /// Where the media plane puts packets.
    pub fn tap(&self) -> mpsc::Sender<RecorderInput> {
        self.input.clone()
    }

    pub async fn event(&self, event: &RoomEvent) {
        if let Ok(data) = serde_json::to_value(event) {
            self.note(data).await;
        }
    }

    /// Puts something into the chain that is no event of the room.
    pub async fn note(&self, data: serde_json::Value) {
        self.give(RecorderInput::Event(data)).await;
    }

    pub async fn pause(&self, paused: bool) {
        self.give(RecorderInput::Pause(paused)).await;
    }

    /// A disk that hangs must not hang the room.
    async fn give(&self, input: RecorderInput) {
        if self.input.send_timeout(input, PATIENCE).await.is_err() {
            tracing::error!("the recorder takes nothing, something that belongs into the chain was lost");
        }
    }

    /// Finishes all files.
    pub async fn stop(self) -> io::Result<Summary> {
        let gone = || io::Error::other("the recorder's thread is gone");
        let (answer, answered) = oneshot::channel();
        self.input.send(RecorderInput::Stop(answer)).await.map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }
}

async fn run(
    mut recorder: Recorder<Folder>,
    mut inbox: mpsc::Receiver<RecorderInput>,
    room: RoomId,
    clock: Clock,
    media: mpsc::Sender<MediaCommand>,
    reports: mpsc::Sender<RoomReport>,
) {
    let moment = || Moment { wall_ms: clock.now_ms(), instant: Instant::now() };
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        let events = tokio::select! {
            _ = ticks.tick() => {
                for member in recorder.keyframes_wanted(Instant::now()) {
                    let _ = media.try_send(MediaCommand::Keyframe { room: room.clone(), member });
                }
                recorder.tick(moment())
            }
            input = inbox.recv() => match input {
                Some(RecorderInput::Rtp(sample)) => recorder.rtp(sample, moment()),
                Some(RecorderInput::Event(data)) => recorder.event(data, moment()),
                Some(RecorderInput::Pause(paused)) => recorder.pause(paused, moment()),
                Some(RecorderInput::Stop(answer)) => {
                    let _ = answer.send(recorder.finish(moment()));
                    return;
                }
                // The room is gone without a word: what is there is finished.
                None => {
                    if let Err(error) = recorder.finish(moment()) {
                        tracing::error!(%room, %error, "recording not finished");
                    }
                    return;
                }
            },
        };
        for event in events {
            if let RecorderEvent::Failed { reason } = &event {
                tracing::error!(%room, %reason, "recording failed, trying again");
            }
            let _ = reports.send(RoomReport::Recorder(event)).await;
        }
    }
}

//! A recording, without its thread: packets, events and the time come in; clusters and manifest lines go to the disk.
//!
//! Order on the disk: a cluster's bytes, synced; then its line, synced. When the disk refuses, everything uncommitted is cut off, events are
//! kept in memory, and every few seconds the recorder tries again; the gap is told in the chain.

use super::clock::MemberClock;
use super::disk::Disk;
use super::file::MemberFile;
use super::manifest::{self, Body, Head};
use super::webm::{self, Cluster, HEADER_BYTES};
use super::{FileSummary, RecorderEvent, RtpSample, Summary};
use crate::media::Codec;
use crate::message::Kind;
use crate::{MemberId, RoomId};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::io;
use std::time::Instant;

/// How often a refusing disk is tried, in milliseconds.
const TRY_AGAIN_MS: u64 = 3_000;
/// Event lines that are kept while the disk refuses.
const MAX_KEPT_EVENTS: usize = 10_000;
/// How often the same member is asked for a key frame, in milliseconds.
const ASK_EVERY_MS: u64 = 500;

/// The two clocks at one moment: the wall's for the chain, ours for media.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    /// Epoch milliseconds.
    pub wall_ms: i64,
    pub instant: Instant,
}

pub(crate) struct Recorder<D> {
    disk: D,
    head: Head,
    started: Instant,
    files: Vec<MemberFile>,
    /// One for each member who ever sent something, over all its files.
    clocks: HashMap<MemberId, MemberClock>,
    finished: Vec<FileSummary>,
    paused: bool,
    /// Since when the disk refuses, and when it is tried next.
    failing: Option<(u64, u64)>,
    kept: Vec<(i64, serde_json::Value)>,
    asked: Vec<(MemberId, u64)>,
}

impl<D: Disk> Recorder<D> {
    /// Writes the manifest's first line. It is on the disk when this returns.
    ///
    /// # Errors
    /// When the folder holds a recording already, or the disk refuses.
    pub fn start(disk: D, room: &RoomId, meta: serde_json::Value, now: Moment) -> io::Result<Self> {
        let mut recorder = Self {
            disk,
            head: Head::default(),
            started: now.instant,
            files: Vec::new(),
            clocks: HashMap::new(),
            finished: Vec::new(),
            paused: false,
            failing: None,
            kept: Vec::new(),
            asked: Vec::new(),
        };
        recorder.disk.create(manifest::FILE)?;
        recorder.line(now.wall_ms, Body::Open { format: manifest::FORMAT, room: room.to_string(), meta })?;
        Ok(recorder)
    }

    /// A packet of a member who is in the room and not muted.
    pub fn rtp(&mut self, sample: RtpSample, now: Moment) -> Vec<RecorderEvent> {
        if self.paused || self.failing.is_some() {
            return Vec::new();
        }
        let arrived = self.since_start(sample.arrived);
        let is_screen = sample.kind == Kind::Screen;
        let known = self.files.iter().position(|file| file.member == sample.member && file.is_screen == is_screen);
        let mut events = Vec::new();
        let at = match known {
            Some(at) if self.files.get(at).is_some_and(|file| file.takes(sample.codec)) => at,
            known => {
                if let Some(at) = known {
                    let file = self.files.remove(at);
                    if let Err(error) = self.finish_file(file, now) {
                        events.extend(self.fail(&error, now));
                        return events;
                    }
                }
                self.open_slot(&sample.member, is_screen, sample.codec)
            }
        };
        if let Some(file) = self.files.get_mut(at) {
            let clock = self.clocks.entry(file.member.clone()).or_default();
            file.push(sample, clock, arrived);
        }
        events
    }

    /// Something that belongs into the chain.
    pub fn event(&mut self, data: serde_json::Value, now: Moment) -> Vec<RecorderEvent> {
        if self.failing.is_some() {
            if self.kept.len() < MAX_KEPT_EVENTS {
                self.kept.push((now.wall_ms, data));
            }
            return Vec::new();
        }
        match self.line(now.wall_ms, Body::Event { data: data.clone() }) {
            Ok(()) => Vec::new(),
            Err(error) => {
                self.kept.push((now.wall_ms, data));
                self.fail(&error, now).into_iter().collect()
            }
        }
    }

    /// Stops or goes on writing media. What came before the pause is written; the chain tells of the pause itself.
    pub fn pause(&mut self, paused: bool, now: Moment) -> Vec<RecorderEvent> {
        if self.paused == paused {
            return Vec::new();
        }
        let mut events = if paused { self.write_out(now, true) } else { Vec::new() };
        self.paused = paused;
        for file in &mut self.files {
            file.give_up();
        }
        let word = if paused { "recording_paused" } else { "recording_unpaused" };
        events.extend(self.event(serde_json::json!({"event": word, "at_ms": now.wall_ms}), now));
        events
    }

    /// Time passed: writes what is complete, or tries a refusing disk again.
    pub fn tick(&mut self, now: Moment) -> Vec<RecorderEvent> {
        let now_ms = self.since_start(now.instant);
        match self.failing {
            Some((_, next)) if now_ms < next => Vec::new(),
            Some((since, _)) => match self.try_again(since, now) {
                Ok(event) => vec![event],
                Err(_) => {
                    self.failing = Some((since, now_ms + TRY_AGAIN_MS));
                    Vec::new()
                }
            },
            None => self.write_out(now, false),
        }
    }

    /// Members whose next picture should be a whole one.
    pub fn keyframes_wanted(&mut self, now: Instant) -> Vec<MemberId> {
        let now_ms = self.since_start(now);
        if self.paused || self.failing.is_some() {
            return Vec::new();
        }
        self.asked.retain(|(_, at)| now_ms < at + ASK_EVERY_MS);
        let mut wanted = Vec::new();
        for file in self.files.iter().filter(|file| file.wants_keyframe(now_ms)) {
            if !self.asked.iter().any(|(member, _)| member == &file.member) {
                self.asked.push((file.member.clone(), now_ms));
                wanted.push(file.member.clone());
            }
        }
        wanted
    }

    /// Writes everything out and closes all files.
    ///
    /// # Errors
    /// When the disk refuses. What was committed before stays whole.
    pub fn finish(mut self, now: Moment) -> io::Result<Summary> {
        if let Some((since, _)) = self.failing {
            self.try_again(since, now)?;
        }
        let duration_ms = self.since_start(now.instant);
        for file in std::mem::take(&mut self.files) {
            self.finish_file(file, now)?;
        }
        self.line(now.wall_ms, Body::Close { file: None, length: None, sha256: None })?;
        Ok(Summary {
            segments: self.finished.iter().map(|file| file.segments).sum(),
            files: self.finished,
            lines: self.head.seq,
            head: self.head.hash,
            duration_ms,
        })
    }

    fn open_slot(&mut self, member: &MemberId, is_screen: bool, codec: Codec) -> usize {
        let number = self.files.len() + self.finished.len() + 1;
        self.files.push(MemberFile::new(number, member.clone(), is_screen, codec));
        self.files.len() - 1
    }

    fn write_out(&mut self, now: Moment, all: bool) -> Vec<RecorderEvent> {
        if self.failing.is_some() {
            return Vec::new();
        }
        let mut files = std::mem::take(&mut self.files);
        let result = files.iter_mut().try_for_each(|file| self.write_file(file, now, all));
        self.files = files;
        result.err().and_then(|error| self.fail(&error, now)).into_iter().collect()
    }

    fn write_file(&mut self, file: &mut MemberFile, now: Moment, all: bool) -> io::Result<()> {
        for cluster in file.collect(self.since_start(now.instant), all) {
            self.write_cluster(file, &cluster, now)?;
        }
        Ok(())
    }

    fn write_cluster(&mut self, file: &mut MemberFile, cluster: &Cluster, now: Moment) -> io::Result<()> {
        self.write_header(file, now)?;
        let bytes = cluster.bytes();
        self.append(file, &bytes, (cluster.start_ms, cluster.end_ms), now)?;
        file.committed(cluster, bytes.len() as u64);
        Ok(())
    }

    /// Data first, then its line.
    fn append(&mut self, file: &MemberFile, bytes: &[u8], (from_ms, to_ms): (u64, u64), now: Moment) -> io::Result<()> {
        self.disk.write(&file.name, file.length, bytes)?;
        self.disk.sync(&file.name)?;
        let body = Body::Segment {
            file: file.name.clone(),
            offset: file.length,
            length: bytes.len() as u64,
            sha256: manifest::sha256(bytes),
            from_ms,
            to_ms,
        };
        self.line(now.wall_ms, body)
    }

    /// Makes the file's header tell what is known by now.
    fn write_header(&mut self, file: &mut MemberFile, now: Moment) -> io::Result<()> {
        if file.written.as_ref() == Some(&file.header) {
            return Ok(());
        }
        let bytes = webm::header(&file.header);
        let body = Body::Header {
            file: file.name.clone(),
            member: file.member.to_string(),
            kinds: file.kinds(),
            offset: 0,
            length: HEADER_BYTES as u64,
            sha256: manifest::sha256(&bytes),
        };
        if file.written.is_none() {
            match self.disk.create(&file.name) {
                // It was made before the disk refused.
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                _ => {}
            }
            self.disk.write(&file.name, 0, &bytes)?;
            self.disk.sync(&file.name)?;
            self.line(now.wall_ms, body)?;
            file.opened();
        } else {
            // The line goes first: whenever the process dies, the header on the disk is this one or the one before.
            self.line(now.wall_ms, body)?;
            self.disk.write(&file.name, 0, &bytes)?;
            self.disk.sync(&file.name)?;
            file.written = Some(file.header.clone());
        }
        Ok(())
    }

    fn finish_file(&mut self, mut file: MemberFile, now: Moment) -> io::Result<()> {
        self.write_file(&mut file, now, true)?;
        if file.written.is_none() {
            return Ok(());
        }
        let cues = webm::cues(&file.header, &file.cues);
        self.append(&file, &cues, (file.end_ms, file.end_ms), now)?;
        file.finish(cues.len() as u64);
        file.length += cues.len() as u64;
        self.write_header(&mut file, now)?;
        let mut hash = Sha256::new();
        self.disk.read(&file.name, &mut |bytes| hash.update(bytes))?;
        let sha256 = hex::encode(hash.finalize());
        let closed =
            Body::Close { file: Some(file.name.clone()), length: Some(file.length), sha256: Some(sha256.clone()) };
        self.line(now.wall_ms, closed)?;
        self.finished.push(FileSummary {
            kinds: file.kinds(),
            name: file.name,
            member: file.member,
            bytes: file.length,
            segments: file.segments,
            end_ms: file.end_ms,
            sha256,
        });
        Ok(())
    }

    /// Appends a line; it is on the disk when this returns.
    fn line(&mut self, at: i64, body: Body) -> io::Result<()> {
        let (text, head) = self.head.next(at, body)?;
        let written = self
            .disk
            .write(manifest::FILE, self.head.length, text.as_bytes())
            .and_then(|()| self.disk.sync(manifest::FILE));
        if let Err(error) = written {
            // Half a line would stand before the next one.
            let _ = self.disk.truncate(manifest::FILE, self.head.length);
            return Err(error);
        }
        self.head = head;
        Ok(())
    }

    /// The disk refuses: nothing half-written stays, and nothing that could not be written is kept.
    fn fail(&mut self, error: &io::Error, now: Moment) -> Option<RecorderEvent> {
        if self.failing.is_some() {
            return None;
        }
        let now_ms = self.since_start(now.instant);
        self.failing = Some((now_ms, now_ms + TRY_AGAIN_MS));
        self.cut();
        for file in &mut self.files {
            file.give_up();
        }
        Some(RecorderEvent::Failed { reason: error.to_string() })
    }

    fn cut(&mut self) {
        for file in self.files.iter().filter(|file| file.written.is_some()) {
            let _ = self.disk.truncate(&file.name, file.length);
        }
        let _ = self.disk.truncate(manifest::FILE, self.head.length);
    }

    fn try_again(&mut self, since: u64, now: Moment) -> io::Result<RecorderEvent> {
        self.cut();
        while let Some((at, data)) = self.kept.first().cloned() {
            self.line(at, Body::Event { data })?;
            self.kept.remove(0);
        }
        let gap_ms = self.since_start(now.instant).saturating_sub(since);
        let data = serde_json::json!({"event": "gap", "gap_ms": gap_ms, "from_ms": since, "to_ms": since + gap_ms});
        self.line(now.wall_ms, Body::Event { data })?;
        self.failing = None;
        Ok(RecorderEvent::Resumed { gap_ms: i64::try_from(gap_ms).unwrap_or(i64::MAX) })
    }

    fn since_start(&self, now: Instant) -> u64 {
        u64::try_from(now.saturating_duration_since(self.started).as_millis()).unwrap_or(u64::MAX)
    }
}

//! One member's file: its streams come together here, in order, into clusters of at most a second.

use super::RtpSample;
use super::clock::MemberClock;
use super::track::{Assembler, Frame, HOLD_MS};
use super::webm::{AUDIO_TRACK, Cluster, Cue, Finish, HEADER_BYTES, Header, VIDEO_TRACK};
use crate::MemberId;
use crate::media::Codec;
use crate::message::Kind;
use std::collections::BTreeMap;

/// A cluster is closed after this much media,
const CLUSTER_MS: u64 = 650;
/// or when its first frame is so old: with a tick, everything older than a second is on the disk.
const CLOSE_MS: u64 = 900;
/// Sound and picture wait for each other this long. What comes even later is put where the file is.
const MOST_APART_MS: u64 = HOLD_MS;
/// A place to jump to at least this often: key frames are asked for, and sound alone gets cues.
pub(crate) const CUE_EVERY_MS: u64 = 10_000;

/// H.264 is not WebM's; browsers play it from Matroska, and the name should be true.
const WEBM: &str = ".webm";
const MATROSKA: &str = ".mkv";

#[derive(Debug)]
pub(crate) struct MemberFile {
    pub name: String,
    pub member: MemberId,
    /// Holds the member's shared screen, not the camera and the voice.
    pub is_screen: bool,
    /// What the header has to tell by now, and what the one on the disk does tell.
    pub header: Header,
    pub written: Option<Header>,
    /// The length of what is committed, in bytes.
    pub length: u64,
    pub segments: u64,
    pub cues: Vec<Cue>,
    pub end_ms: u64,
    video_codec: Option<Codec>,
    streams: BTreeMap<Kind, Assembler>,
    /// By time, then by arrival.
    queue: BTreeMap<(u64, u64), Frame>,
    arrivals: u64,
    cluster: Option<Cluster>,
    last_key_ms: Option<u64>,
}

impl MemberFile {
    /// `number` makes the name unique in the folder.
    pub fn new(number: usize, member: MemberId, is_screen: bool, codec: Codec) -> Self {
        let plain: String = member
            .as_str()
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' })
            .take(40)
            .collect();
        Self {
            name: file_name(&format!("{number:02}-{plain}{}", if is_screen { "-screen" } else { "" }), codec),
            member,
            is_screen,
            header: Header::default(),
            written: None,
            length: 0,
            segments: 0,
            cues: Vec::new(),
            end_ms: 0,
            video_codec: (codec.kind() == Kind::Video).then_some(codec),
            streams: BTreeMap::new(),
            queue: BTreeMap::new(),
            arrivals: 0,
            cluster: None,
            last_key_ms: None,
        }
    }

    /// A file holds one video codec. Any other needs a new file.
    pub fn takes(&self, codec: Codec) -> bool {
        // A name can still change while nothing is on the disk.
        let fits_name = codec != Codec::H264 || self.written.is_none() || self.name.ends_with(MATROSKA);
        codec.kind() == Kind::Audio || (self.video_codec.unwrap_or(codec) == codec && fits_name)
    }

    /// What the header tells of.
    pub fn kinds(&self) -> Vec<Kind> {
        let picture = if self.is_screen { Kind::Screen } else { Kind::Video };
        let has = [(Kind::Audio, self.header.audio), (picture, self.header.video.is_some())];
        has.into_iter().filter(|(_, is_there)| *is_there).map(|(kind, _)| kind).collect()
    }

    /// Takes a packet. A stream that changed (a reconnection) goes on in the same file.
    pub fn push(&mut self, sample: RtpSample, clock: &mut MemberClock, now_ms: u64) {
        let kind = sample.codec.kind();
        if kind == Kind::Video {
            self.video_codec = Some(sample.codec);
            if let Some(stem) = self.name.strip_suffix(WEBM).filter(|_| self.written.is_none()) {
                self.name = file_name(stem, sample.codec);
            }
        }
        let is_new = self.streams.get(&kind).is_none_or(|stream| stream.ssrc != sample.ssrc);
        if is_new {
            // What the old stream still holds back can only be whole frames or gaps: let the frames go.
            if let Some(mut old) = self.streams.insert(kind, Assembler::new(&sample)) {
                let frames = old.release(now_ms, true);
                self.enqueue(frames);
            }
        }
        if let Some(stream) = self.streams.get_mut(&kind) {
            stream.push(sample, clock, now_ms);
        }
    }

    /// Clusters that are complete by now; with `all`, everything.
    pub fn collect(&mut self, now_ms: u64, all: bool) -> Vec<Cluster> {
        let frames: Vec<_> = self.streams.values_mut().flat_map(|stream| stream.release(now_ms, all)).collect();
        self.enqueue(frames);
        let reached = self.streams.values().filter_map(|stream| stream.reached(now_ms)).min();
        let mut done = Vec::new();
        while let Some(((at_ms, _), _)) = self.queue.first_key_value() {
            let is_over = all || *at_ms + MOST_APART_MS <= now_ms || reached.is_none_or(|reached| *at_ms <= reached);
            if !is_over {
                break;
            }
            let Some(((at_ms, _), frame)) = self.queue.pop_first() else { break };
            self.add(at_ms, frame, &mut done);
        }
        let is_due = |cluster: &Cluster| all || now_ms >= cluster.start_ms + CLOSE_MS;
        if self.cluster.as_ref().is_some_and(is_due) {
            done.extend(self.cluster.take());
        }
        done
    }

    /// A whole picture is wanted: none came yet, some was lost, or the last is long ago.
    pub fn wants_keyframe(&self, now_ms: u64) -> bool {
        let Some(stream) = self.streams.get(&Kind::Video) else { return false };
        stream.needs_key(now_ms) || self.last_key_ms.is_none_or(|last| now_ms >= last + CUE_EVERY_MS)
    }

    /// Forgets what was not written (the disk is full); the next picture begins with a key frame.
    pub fn give_up(&mut self) {
        self.streams.clear();
        self.queue.clear();
        self.cluster = None;
    }

    /// The cluster is on the disk.
    pub fn committed(&mut self, cluster: &Cluster, length: u64) {
        let sound_only = self.header.video.is_none();
        let last = self.cues.last().map(|cue| cue.at_ms);
        let cue = |at_ms, track| Cue { at_ms, track, cluster_at: self.length };
        match cluster.first_key_ms {
            Some(at_ms) => self.cues.push(cue(at_ms, VIDEO_TRACK)),
            None if sound_only && last.is_none_or(|last| cluster.start_ms >= last + CUE_EVERY_MS) => {
                self.cues.push(cue(cluster.start_ms, AUDIO_TRACK));
            }
            None => {}
        }
        self.end_ms = self.end_ms.max(cluster.end_ms);
        self.length += length;
        self.segments += 1;
    }

    /// Where the media ends, and what the header says at the finish, with cues of this length.
    pub fn finish(&mut self, cues_length: u64) {
        // The last frame lasts, too; 20 ms is one packet of sound.
        let finish = Finish { duration_ms: self.end_ms + 20, cues_at: self.length, length: self.length + cues_length };
        self.header.finish = Some(finish);
    }

    /// The header was written for the first time.
    pub fn opened(&mut self) {
        self.length = HEADER_BYTES as u64;
        self.written = Some(self.header.clone());
    }

    fn enqueue(&mut self, frames: Vec<Frame>) {
        for frame in frames {
            self.arrivals += 1;
            self.queue.insert((frame.at_ms, self.arrivals), frame);
        }
    }

    fn add(&mut self, at_ms: u64, frame: Frame, done: &mut Vec<Cluster>) {
        let track = if frame.codec == Codec::Opus { AUDIO_TRACK } else { VIDEO_TRACK };
        match frame.codec {
            Codec::Opus => self.header.audio = true,
            Codec::Vp8 | Codec::Vp9 | Codec::H264 | Codec::Av1 => {
                if self.header.video.is_none() {
                    self.header.video = frame.picture;
                }
                if frame.is_key {
                    self.last_key_ms = Some(at_ms);
                }
            }
        }
        let full = self.cluster.as_ref().is_some_and(|cluster| at_ms >= cluster.start_ms + CLUSTER_MS);
        if full {
            done.extend(self.cluster.take());
        }
        // What comes late goes where the file is: times in a file never fall.
        let floor = done.last().map_or(self.end_ms, |cluster| cluster.end_ms.max(self.end_ms));
        let cluster = self.cluster.get_or_insert_with(|| Cluster::new(at_ms.max(floor)));
        let at_ms = at_ms.max(cluster.end_ms);
        cluster.push(track, at_ms, frame.is_key, &frame.data);
    }
}

fn file_name(stem: &str, codec: Codec) -> String {
    let ending = if codec == Codec::H264 { MATROSKA } else { WEBM };
    format!("{stem}{ending}")
}

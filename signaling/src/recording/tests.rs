//! A recording as a story: packets and time come in, a folder comes out, and `verify` names what was done to it.

mod lips;
mod players;

use super::disk::{Disk, Folder};
use super::recorder::{Moment, Recorder};
use super::{RecorderEvent, RtpSample, Summary, VerifyError, verify};
use crate::media::Codec;
use crate::message::Kind;
use serde_json::json;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

const KEY: [u8; 12] = [0x10, 0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0x68, 0x01, 0x55];
const INTER: [u8; 6] = [0x10, 0x11, 0x02, 0x00, 1, 2];

/// A disk that has so many bytes left, and writes what fits before it refuses.
struct Full {
    folder: Folder,
    left: Arc<AtomicU64>,
}

impl Disk for Full {
    fn create(&mut self, name: &str) -> io::Result<()> {
        self.folder.create(name)
    }

    fn write(&mut self, name: &str, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let left = self.left.load(Ordering::SeqCst);
        if left < bytes.len() as u64 {
            self.folder.write(name, offset, &bytes[..usize::try_from(left).unwrap()])?;
            self.left.store(0, Ordering::SeqCst);
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.left.store(left - bytes.len() as u64, Ordering::SeqCst);
        self.folder.write(name, offset, bytes)
    }

    fn sync(&mut self, name: &str) -> io::Result<()> {
        self.folder.sync(name)
    }

    fn truncate(&mut self, name: &str, length: u64) -> io::Result<()> {
        self.folder.truncate(name, length)
    }

    fn read(&mut self, name: &str, each: &mut dyn FnMut(&[u8])) -> io::Result<()> {
        self.folder.read(name, each)
    }
}

/// A recording in virtual time: 50 packets of sound and 25 pictures a second from each member.
struct Session<D> {
    recorder: Recorder<D>,
    zero: Instant,
    now_ms: u64,
    events: Vec<RecorderEvent>,
    ssrc: u32,
}

impl<D: Disk> Session<D> {
    fn start(disk: D) -> Self {
        let zero = Instant::now();
        let moment = Moment { wall_ms: 1_000_000, instant: zero };
        let recorder = Recorder::start(disk, &"room".into(), json!({"case": "GR26-0000001-9"}), moment).unwrap();
        Self { recorder, zero, now_ms: 0, events: Vec::new(), ssrc: 7 }
    }

    fn moment(&self) -> Moment {
        let wall_ms = 1_000_000 + i64::try_from(self.now_ms).unwrap();
        Moment { wall_ms, instant: self.zero + Duration::from_millis(self.now_ms) }
    }

    fn run(&mut self, members: &[&str], ms: u64) {
        let end = self.now_ms + ms;
        while self.now_ms < end {
            for member in members {
                let n = u32::try_from(self.now_ms / 20).unwrap();
                self.send(member, Codec::Opus, n, n * 960, &[0xfc, 1, 2, 3]);
                if self.now_ms.is_multiple_of(40) {
                    let n = u32::try_from(self.now_ms / 40).unwrap();
                    let payload: &[u8] = if n.is_multiple_of(50) { &KEY } else { &INTER };
                    self.send(member, Codec::Vp8, n, n * 3_600, payload);
                }
            }
            self.now_ms += 20;
            let events = self.recorder.tick(self.moment());
            self.events.extend(events);
        }
    }

    fn send(&mut self, member: &str, codec: Codec, n: u32, timestamp: u32, payload: &[u8]) {
        let sample = RtpSample {
            kind: codec.kind(),
            captured: None,
            member: member.into(),
            codec,
            ssrc: self.ssrc + u32::from(codec == Codec::Vp8),
            sequence: u16::try_from(n & 0xffff).unwrap(),
            timestamp,
            marker: true,
            payload: payload.to_vec().into(),
            arrived: self.moment().instant,
        };
        self.give(sample);
    }

    fn give(&mut self, sample: RtpSample) {
        let moment = self.moment();
        let events = self.recorder.rtp(sample, moment);
        self.events.extend(events);
    }

    fn finish(self) -> Summary {
        let moment = self.moment();
        self.recorder.finish(moment).unwrap()
    }
}

fn folder() -> (tempfile::TempDir, PathBuf) {
    let base = tempfile::tempdir().unwrap();
    let path = base.path().join("recording");
    (base, path)
}

fn recorded(path: &Path) -> Summary {
    let mut session = Session::start(Folder::create(path).unwrap());
    session.recorder.event(json!({"event": "admitted", "member": "party"}), session.moment());
    session.run(&["officer", "party"], 6_000);
    session.finish()
}

fn broken_at(path: &Path) -> (u64, String) {
    match verify(path) {
        Err(VerifyError::Broken { line, what, .. }) => (line, what),
        other => panic!("{other:?}"),
    }
}

fn manifest(path: &Path) -> Vec<String> {
    fs::read_to_string(path.join("manifest.jsonl")).unwrap().lines().map(str::to_owned).collect()
}

fn write_manifest(path: &Path, lines: &[String]) {
    fs::write(path.join("manifest.jsonl"), lines.iter().map(|line| format!("{line}\n")).collect::<String>()).unwrap();
}

#[test]
fn a_finished_recording_verifies() {
    let (_base, path) = folder();
    let summary = recorded(&path);
    assert_eq!(summary.files.len(), 2);
    let report = verify(&path).unwrap();
    assert!(report.complete && report.tail.is_empty() && report.unlisted.is_empty(), "{report:?}");
    assert_eq!((report.head.as_str(), report.lines), (summary.head.as_str(), summary.lines));
    assert_eq!((report.room.as_str(), report.meta["case"].as_str()), ("room", Some("GR26-0000001-9")));
    assert_eq!((report.events, report.end_ms), (1, 5_980));
    for (file, told) in report.files.iter().zip(&summary.files) {
        assert_eq!((file.sha256.as_ref(), file.closed), (Some(&told.sha256), true));
        assert_eq!(fs::metadata(path.join(&told.name)).unwrap().len(), told.bytes);
        assert!(told.segments >= 6, "a segment holds at most a second");
    }
    fs::write(path.join("stranger.txt"), "x").unwrap();
    assert_eq!(verify(&path).unwrap().unlisted, ["stranger.txt"]);
}

#[test]
fn every_flipped_byte_of_a_file_is_found() {
    let (_base, path) = folder();
    let summary = recorded(&path);
    let file = path.join(&summary.files[0].name);
    let whole = fs::read(&file).unwrap();
    let mut lines = std::collections::BTreeSet::new();
    for at in (0..whole.len()).step_by(97).chain([whole.len() - 1]) {
        let mut flipped = whole.clone();
        flipped[at] ^= 0x10;
        fs::write(&file, &flipped).unwrap();
        let (line, _) = broken_at(&path);
        lines.insert(line);
    }
    assert!(lines.len() > 5, "the broken segment is named, not the file alone: {lines:?}");
}

#[test]
fn every_change_of_the_manifest_is_found() {
    let (_base, path) = folder();
    recorded(&path);
    let lines = manifest(&path);
    for at in 0..lines.len() {
        let mut changed = lines.clone();
        changed[at] = changed[at].replacen("\"at\":1", "\"at\":2", 1);
        write_manifest(&path, &changed);
        assert_eq!(broken_at(&path), (at as u64 + 1, "its hash does not fit its text".to_owned()));
    }
    for at in 0..lines.len() - 1 {
        let mut dropped = lines.clone();
        dropped.remove(at);
        write_manifest(&path, &dropped);
        assert_eq!(broken_at(&path).0, at as u64 + 1, "dropped line {}", at + 1);
        let mut swapped = lines.clone();
        swapped.swap(at, at + 1);
        write_manifest(&path, &swapped);
        assert_eq!(broken_at(&path).0, at as u64 + 1, "swapped line {}", at + 1);
    }
    let mut doubled = lines.clone();
    doubled.push(lines[lines.len() - 1].clone());
    write_manifest(&path, &doubled);
    assert_eq!(broken_at(&path).0, doubled.len() as u64);
    write_manifest(&path, &[]);
    assert_eq!(broken_at(&path).0, 1);
}

#[test]
fn a_shortened_file_is_a_broken_link_and_a_shortened_manifest_is_told() {
    let (_base, path) = folder();
    let summary = recorded(&path);
    let lines = manifest(&path);
    write_manifest(&path, &lines[..lines.len() - 1]);
    let report = verify(&path).unwrap();
    assert!(!report.complete && report.head != summary.head);
    write_manifest(&path, &lines[..lines.len() - 4]);
    assert!(broken_at(&path).1.contains("header"), "a finished header without its line");
    write_manifest(&path, &lines);
    let file = path.join(&summary.files[1].name);
    let whole = fs::read(&file).unwrap();
    fs::write(&file, &whole[..whole.len() / 2]).unwrap();
    assert!(broken_at(&path).1.contains("ends too early"));
    fs::remove_file(&file).unwrap();
    assert!(broken_at(&path).1.contains("cannot be opened"));
}

#[test]
fn a_killed_recording_verifies_to_the_last_second_wherever_it_stopped() {
    let (_base, path) = folder();
    let mut session = Session::start(Folder::create(&path).unwrap());
    session.run(&["officer", "party"], 10_000);
    // The process dies here: nothing is finished.
    drop(session);
    let report = verify(&path).unwrap();
    assert!(!report.complete && report.tail.is_empty());
    assert!(report.end_ms >= 9_000, "{} of 10000 ms are on the disk", report.end_ms);
    // What a kill in the middle of a write leaves.
    let file = path.join(&report.files[0].name);
    let mut bytes = fs::read(&file).unwrap();
    bytes.extend_from_slice(&[0x1f, 0x43, 0xb6, 0x75, 1, 2]);
    fs::write(&file, &bytes).unwrap();
    let mut text = fs::read(path.join("manifest.jsonl")).unwrap();
    text.extend_from_slice(b"{\"seq\":99,\"at\":1,\"ki");
    fs::write(path.join("manifest.jsonl"), &text).unwrap();
    let report = verify(&path).unwrap();
    assert_eq!(report.tail.len(), 2, "{:?}", report.tail);
    assert_eq!(report.files[0].tail_bytes, 6);
}

#[test]
fn a_kill_between_a_header_line_and_the_header_is_no_broken_link() {
    let (_base, path) = folder();
    let mut session = Session::start(Folder::create(&path).unwrap());
    session.run(&["party"], 3_000);
    let before = fs::read(path.join("01-party.webm")).unwrap();
    let summary = session.finish();
    // The finish writes: cues, header line, header, close. Put the disk back to between line and header.
    let mut bytes = fs::read(path.join("01-party.webm")).unwrap();
    bytes[..4096].copy_from_slice(&before[..4096]);
    fs::write(path.join("01-party.webm"), &bytes).unwrap();
    assert!(broken_at(&path).1.contains("header"), "with the close line behind it, it is one");
    let lines = manifest(&path);
    write_manifest(&path, &lines[..lines.len() - 2]);
    let report = verify(&path).unwrap();
    assert_eq!(report.tail, ["01-party.webm: the header was about to be written again"]);
    assert!(!report.complete && summary.lines == report.lines + 2);
}

#[test]
fn a_full_disk_leaves_nothing_half_written_and_the_gap_is_told() {
    let (_base, path) = folder();
    let left = Arc::new(AtomicU64::new(u64::MAX));
    let disk = Full { folder: Folder::create(&path).unwrap(), left: Arc::clone(&left) };
    let mut session = Session::start(disk);
    session.run(&["officer", "party"], 3_000);
    left.store(700, Ordering::SeqCst);
    session.run(&["officer", "party"], 5_000);
    assert!(matches!(session.events.as_slice(), [RecorderEvent::Failed { .. }]), "{:?}", session.events);
    let middle = verify(&path).unwrap();
    assert!(middle.tail.is_empty() && middle.end_ms < 4_500, "{middle:?}");
    session.recorder.event(json!({"event": "left", "member": "party"}), session.moment());
    left.store(u64::MAX, Ordering::SeqCst);
    session.run(&["officer", "party"], 6_000);
    assert!(
        matches!(session.events.as_slice(), [_, RecorderEvent::Resumed { gap_ms: 3_000.. }]),
        "{:?}",
        session.events
    );
    let summary = session.finish();
    let report = verify(&path).unwrap();
    assert!(report.complete && report.tail.is_empty());
    assert_eq!(report.events, 2, "what happened meanwhile, and the gap");
    assert_eq!(report.head, summary.head);
    assert!(manifest(&path).iter().any(|line| line.contains("\"event\":\"gap\"")));
}

#[test]
fn a_pause_is_not_written_and_the_chain_says_so() {
    let (_base, path) = folder();
    let mut session = Session::start(Folder::create(&path).unwrap());
    session.run(&["party"], 2_000);
    session.recorder.pause(true, session.moment());
    session.run(&["party"], 5_000);
    assert!(session.recorder.keyframes_wanted(session.moment().instant).is_empty());
    let paused = verify(&path).unwrap().end_ms;
    assert!((1_900..2_100).contains(&paused), "{paused}");
    session.recorder.pause(false, session.moment());
    session.run(&["party"], 3_000);
    let summary = session.finish();
    assert_eq!(summary.files.len(), 1, "the same file goes on");
    let report = verify(&path).unwrap();
    assert_eq!((report.events, report.end_ms), (2, 9_980));
}

#[test]
fn a_new_stream_of_the_same_member_goes_on_in_its_file_and_another_codec_does_not() {
    let (_base, path) = folder();
    let mut session = Session::start(Folder::create(&path).unwrap());
    session.run(&["party"], 2_000);
    session.ssrc = 900;
    session.run(&["party"], 2_000);
    session.send("party", Codec::H264, 1, 0, &[0x67, 0x42]);
    session.run(&["party"], 400);
    let summary = session.finish();
    assert_eq!(summary.files[0].name, "01-party.webm");
    assert!(summary.files[0].end_ms >= 3_900, "{summary:?}");
    assert!(verify(&path).unwrap().complete);
}

#[test]
fn a_shared_screen_has_a_file_of_its_own_beside_the_camera_and_the_voice() {
    let (_base, path) = folder();
    let mut session = Session::start(Folder::create(&path).unwrap());
    session.run(&["party"], 1_000);
    let begin = session.now_ms;
    for n in 0..10u16 {
        let screen = RtpSample {
            member: "party".into(),
            kind: Kind::Screen,
            codec: Codec::Vp8,
            ssrc: 77,
            sequence: n,
            timestamp: u32::from(n) * 18_000,
            marker: true,
            payload: if n == 0 { KEY.to_vec() } else { INTER.to_vec() }.into(),
            captured: None,
            arrived: session.moment().instant,
        };
        session.give(screen);
        session.run(&["party"], 200);
    }
    session.send("telephone", Codec::Opus, 1, 0, &[0xfc, 1]);
    let summary = session.finish();
    let told = |summary: &Summary| -> Vec<_> {
        let files = summary.files.iter();
        files.map(|file| (file.name.clone(), file.member.to_string(), file.kinds.clone())).collect()
    };
    assert_eq!(
        told(&summary),
        [
            ("01-party.webm".to_owned(), "party".to_owned(), vec![Kind::Audio, Kind::Video]),
            ("02-party-screen.webm".to_owned(), "party".to_owned(), vec![Kind::Screen]),
            ("03-telephone.webm".to_owned(), "telephone".to_owned(), vec![Kind::Audio]),
        ]
    );
    let report = verify(&path).unwrap();
    assert!(report.complete);
    let checked: Vec<_> =
        report.files.iter().map(|file| (file.name.clone(), file.member.clone(), file.kinds.clone())).collect();
    assert_eq!(checked, told(&summary), "the chain tells the same");
    assert!(summary.files[1].end_ms.abs_diff(begin + 1_800) <= 20, "one clock for all files: {summary:?}");
}

#[test]
fn a_folder_that_holds_a_recording_is_not_written_again() {
    let (_base, path) = folder();
    recorded(&path);
    let now = Moment { wall_ms: 0, instant: Instant::now() };
    let again = Recorder::start(Folder::create(&path).unwrap(), &"room".into(), json!({}), now);
    assert_eq!(again.err().map(|error| error.kind()), Some(io::ErrorKind::AlreadyExists));
    assert!(verify(&path).unwrap().complete);
}

//! What members send, as the recorder writes it.

use super::Input;
use super::input::START;
use crate::MemberId;
use crate::media::Codec;
use crate::message::Kind;
use crate::recording::RtpSample;
use crate::recording::disk::Disk;
use crate::recording::manifest;
use crate::recording::recorder::{Moment, Recorder};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// A disk in memory, that may be full.
#[derive(Debug, Default)]
struct Memory {
    files: BTreeMap<String, Vec<u8>>,
    is_full: bool,
}

#[derive(Debug, Default, Clone)]
struct Shared(Arc<Mutex<Memory>>);

impl Shared {
    fn with<T>(&self, act: impl FnOnce(&mut Memory) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Disk for Shared {
    fn create(&mut self, name: &str) -> io::Result<()> {
        self.with(|memory| {
            if memory.is_full {
                return Err(io::ErrorKind::StorageFull.into());
            }
            let before = memory.files.insert(name.to_owned(), Vec::new());
            assert!(before.is_none(), "{name} is there already");
            Ok(())
        })
    }

    fn write(&mut self, name: &str, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.with(|memory| {
            let full = memory.is_full;
            let file = memory.files.get_mut(name).ok_or(io::ErrorKind::NotFound)?;
            let offset = usize::try_from(offset).map_err(io::Error::other)?;
            assert!(offset <= file.len(), "a hole in {name}");
            let end = offset + if full { bytes.len() / 2 } else { bytes.len() };
            if file.len() < end {
                file.resize(end, 0);
            }
            if let (Some(place), Some(bytes)) = (file.get_mut(offset..end), bytes.get(..end - offset)) {
                place.copy_from_slice(bytes);
            }
            if full { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
        })
    }

    fn sync(&mut self, _: &str) -> io::Result<()> {
        Ok(())
    }

    fn truncate(&mut self, name: &str, length: u64) -> io::Result<()> {
        self.with(|memory| {
            let file = memory.files.get_mut(name).ok_or(io::ErrorKind::NotFound)?;
            file.truncate(usize::try_from(length).map_err(io::Error::other)?);
            Ok(())
        })
    }

    fn read(&mut self, name: &str, each: &mut dyn FnMut(&[u8])) -> io::Result<()> {
        self.with(|memory| {
            each(memory.files.get(name).ok_or(io::ErrorKind::NotFound)?);
            Ok(())
        })
    }
}

/// Packets with any payloads, numbers and clocks; pauses, and a disk that is full for a while.
pub fn recorder(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let mut passed = 0_u64;
    let moment = |passed: u64| Moment {
        wall_ms: i64::try_from(passed).unwrap_or(i64::MAX),
        instant: *START + Duration::from_millis(passed),
    };
    let disk = Shared::default();
    let Ok(mut recorder) = Recorder::start(disk.clone(), &"room".into(), serde_json::Value::Null, moment(0)) else {
        return;
    };
    let mut sequences = [0_u16; 4];
    while !input.is_over() {
        match input.byte() % 8 {
            0..=4 => {
                let sample = sample(&mut input, &mut sequences, moment(passed));
                recorder.rtp(sample, moment(passed));
            }
            5 => {
                let paused = input.flag();
                recorder.pause(paused, moment(passed));
            }
            6 => {
                let is_full = input.flag();
                disk.with(|memory| memory.is_full = is_full);
                recorder.event(serde_json::json!({"event": "x"}), moment(passed));
            }
            _ => passed += u64::from(input.short()),
        }
        recorder.tick(moment(passed));
        assert!(recorder.keyframes_wanted(moment(passed).instant).len() <= 4);
    }
    disk.with(|memory| memory.is_full = false);
    let finished = recorder.finish(moment(passed + 10_000));
    let Ok(summary) = finished else { unreachable!("the disk has room: {finished:?}") };
    disk.with(|memory| {
        let written = memory.files.get(manifest::FILE).cloned().unwrap_or_default();
        let text = String::from_utf8(written).unwrap_or_default();
        let mut prev = "0".repeat(64);
        for (number, line) in text.lines().enumerate() {
            let read = manifest::read(line);
            assert!(read.is_ok(), "{line}");
            let Ok((line, hash)) = read else { return };
            assert_eq!((line.seq, line.prev), (number as u64, prev));
            prev = hash;
        }
        assert_eq!(summary.head, prev);
        for file in summary.files {
            let bytes = memory.files.get(&file.name).map(Vec::as_slice).unwrap_or_default();
            assert_eq!((file.bytes, file.sha256), (bytes.len() as u64, manifest::sha256(bytes)), "{}", file.name);
            elements(bytes.get(..).unwrap_or_default());
        }
    });
}

fn sample(input: &mut Input<'_>, sequences: &mut [u16; 4], now: Moment) -> RtpSample {
    let (who, flags) = (input.byte(), input.byte());
    let stream = usize::from(who % 4);
    let sequence = match sequences.get_mut(stream) {
        Some(last) => {
            *last = if flags & 1 == 0 { last.wrapping_add(u16::from(flags >> 6)) } else { input.short() };
            *last
        }
        None => 0,
    };
    let timestamp = if flags & 2 == 0 { u32::from(sequence).wrapping_mul(3_000) } else { input.word() };
    let codec = match input.byte() % 5 {
        0 => Codec::Opus,
        1 => Codec::Vp8,
        2 => Codec::H264,
        3 => Codec::Vp9,
        _ => Codec::Av1,
    };
    let kind = match codec.kind() {
        Kind::Video if flags & 4 != 0 => Kind::Screen,
        kind => kind,
    };
    RtpSample {
        member: MemberId::new(format!("m{}", who % 2)),
        kind,
        codec,
        ssrc: u32::from(who % 4) + (u32::from(flags & 8) << 4),
        sequence,
        timestamp,
        marker: flags & 16 == 0,
        payload: Bytes::copy_from_slice(input.piece()),
        captured: (flags & 32 != 0).then(|| u64::from(input.word()) << 24),
        arrived: now.instant,
    }
}

/// The file's outermost EBML elements end where it does (RFC 8794, 4 to 6).
fn elements(mut bytes: &[u8]) {
    while let Some(first) = bytes.first() {
        let id = usize::try_from(first.leading_zeros()).unwrap_or_default() + 1;
        let size_at = bytes.get(id..).and_then(|rest| Some((rest, *rest.first()?)));
        let Some((rest, first)) = size_at else { unreachable!("an element without a size") };
        let width = usize::try_from(first.leading_zeros()).unwrap_or_default() + 1;
        let Some(size) = rest.get(..width) else { unreachable!("a size that is cut off") };
        let size = size.iter().fold(0_u64, |size, byte| (size << 8) | u64::from(*byte)) & !(1 << (7 * width));
        let Some(after) = usize::try_from(size).ok().and_then(|size| rest.get(width + size..)) else {
            unreachable!("an element that is longer than its file")
        };
        bytes = after;
    }
}

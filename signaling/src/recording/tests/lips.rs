//! Lips and sound: what was said and seen at one moment stands at one moment in the file, whatever way it came.

use super::{INTER, KEY, Session, folder};
use crate::media::Codec;
use crate::message::Kind;
use crate::recording::RtpSample;
use crate::recording::disk::Folder;
use crate::recording::verify;
use crate::recording::webm::{AUDIO_TRACK, HEADER_BYTES, VIDEO_TRACK};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use std::collections::BTreeMap;
use std::path::Path;

/// The figure, in milliseconds.
const TOGETHER_MS: u64 = 80;
const SAMPLED_EVERY_MS: u64 = 40;

/// A member's tab: what its two streams send, and when each packet arrives.
struct Tab {
    random: StdRng,
    /// By arrival, then by order.
    packets: BTreeMap<(u64, u64), (u64, RtpSample)>,
    order: u64,
    ssrc: u32,
    /// Begin of its clock (NTP, 32.32 bits), told by sender reports from this moment on.
    ntp: u64,
    reports_from: u64,
    sequence: BTreeMap<Kind, u16>,
    /// How long the network takes with each, in milliseconds, and up to how much more at random.
    way: BTreeMap<Kind, (u64, u64)>,
    /// A picture's packet of so many is lost; it comes again after the second number of milliseconds, if that is not 0.
    loss: (u32, u64),
    needs_key: bool,
}

impl Tab {
    fn new(seed: u64) -> Self {
        Self {
            random: StdRng::seed_from_u64(seed),
            packets: BTreeMap::new(),
            order: 0,
            ssrc: 100,
            ntp: 0xe9f0_1234_0000_0000,
            reports_from: 0,
            sequence: BTreeMap::from([(Kind::Audio, 65_000), (Kind::Video, 65_400)]),
            way: BTreeMap::from([(Kind::Audio, (30, 20)), (Kind::Video, (330, 40))]),
            loss: (0, 0),
            needs_key: true,
        }
    }

    /// A moment of sound and a picture of three packets, both telling when they were sampled.
    fn sample(&mut self, session: &Session<Folder>, sampled: u64) {
        let told = u32::try_from(sampled).unwrap().to_be_bytes();
        self.send(session, Kind::Audio, sampled, true, &told);
        let is_key = std::mem::take(&mut self.needs_key);
        let first = if is_key { [&KEY[..], &told].concat() } else { [&INTER[..], &told].concat() };
        self.send(session, Kind::Video, sampled, false, &first);
        self.send(session, Kind::Video, sampled, false, &[0x00, 1]);
        self.send(session, Kind::Video, sampled, true, &[0x00, 2]);
    }

    fn send(&mut self, session: &Session<Folder>, kind: Kind, sampled: u64, marker: bool, payload: &[u8]) {
        let sequence = self.sequence.entry(kind).or_default();
        *sequence = sequence.wrapping_add(1);
        let (way, jitter) = self.way[&kind];
        let mut arrives = sampled + way + self.random.random_range(0..=jitter);
        let (one_of, again) = self.loss;
        if kind == Kind::Video && one_of > 0 && self.random.random_ratio(1, one_of) {
            if again == 0 {
                return;
            }
            arrives += again;
        }
        let (codec, ssrc) = if kind == Kind::Audio { (Codec::Opus, self.ssrc) } else { (Codec::Vp8, self.ssrc + 1) };
        let ticks = (sampled * u64::from(codec.clock_rate()) / 1_000 + 0xffff_0000) & 0xffff_ffff;
        let sample = RtpSample {
            member: "party".into(),
            kind,
            codec,
            ssrc,
            sequence: *sequence,
            timestamp: u32::try_from(ticks).unwrap(),
            marker,
            payload: payload.to_vec().into(),
            captured: (sampled >= self.reports_from).then(|| self.ntp.wrapping_add((sampled << 32) / 1_000)),
            arrived: session.zero,
        };
        self.order += 1;
        self.packets.insert((arrives, self.order), (arrives, sample));
    }
}

/// A recording of one tab, millisecond by millisecond.
struct Room {
    session: Session<Folder>,
    tab: Tab,
}

impl Room {
    fn open(path: &Path, seed: u64) -> Self {
        Self { session: Session::start(Folder::create(path).unwrap()), tab: Tab::new(seed) }
    }

    fn run(&mut self, ms: u64) {
        let end = self.session.now_ms + ms;
        while self.session.now_ms < end {
            let now = self.session.now_ms;
            if now.is_multiple_of(SAMPLED_EVERY_MS) {
                self.tab.sample(&self.session, now);
            }
            while let Some(entry) = self.tab.packets.first_entry().filter(|entry| entry.key().0 <= now) {
                let (_, sample) = entry.remove();
                self.session.give(RtpSample { arrived: self.session.moment().instant, ..sample });
            }
            self.session.now_ms += 1;
            if now.is_multiple_of(50) {
                let events = self.session.recorder.tick(self.session.moment());
                assert!(events.is_empty(), "{events:?}");
                // A request takes its time to the sender.
                self.tab.needs_key |= !self.session.recorder.keyframes_wanted(self.session.moment().instant).is_empty();
            }
        }
    }

    /// Where each moment of sound and each picture stands in the file, by when it was sampled.
    fn finish(self, path: &Path) -> (BTreeMap<u64, u64>, BTreeMap<u64, u64>) {
        let summary = self.session.finish();
        assert_eq!(summary.files.len(), 1);
        assert!(verify(path).unwrap().complete);
        let bytes = std::fs::read(path.join(&summary.files[0].name)).unwrap();
        let (mut sound, mut pictures) = (BTreeMap::new(), BTreeMap::new());
        let mut last = 0;
        for (track, at_ms, data) in blocks(&bytes[HEADER_BYTES..]) {
            assert!(at_ms >= last, "times never fall in a file");
            last = at_ms;
            let (into, told) = match track {
                AUDIO_TRACK => (&mut sound, &data[..4]),
                VIDEO_TRACK => {
                    let tail = data.len() - 6;
                    (&mut pictures, &data[tail..tail + 4])
                }
                other => panic!("track {other}"),
            };
            let sampled = u64::from(u32::from_be_bytes(told.try_into().unwrap()));
            // A picture's last bytes are those of its last two packets.
            assert!(into.insert(sampled, at_ms).is_none(), "{sampled} stands there twice");
        }
        (sound, pictures)
    }
}

/// Track, time and data of each block, in the file's order.
fn blocks(mut bytes: &[u8]) -> Vec<(u8, u64, Vec<u8>)> {
    let mut found = Vec::new();
    while let Some((id, cluster, rest)) = element(bytes) {
        bytes = rest;
        let mut inside = cluster;
        let mut start = 0;
        while let Some((child, body, rest)) = element(inside).filter(|_| id == 0x1F43_B675) {
            inside = rest;
            if child == 0xE7 {
                start = body.iter().fold(0, |value, byte| value << 8 | u64::from(*byte));
            } else if child == 0xA3 {
                let offset = u16::from_be_bytes([body[1], body[2]]);
                found.push((body[0] & 0x7f, start + u64::from(offset), body[4..].to_vec()));
            }
        }
    }
    found
}

/// One EBML element: ID, content, rest.
fn element(bytes: &[u8]) -> Option<(u32, &[u8], &[u8])> {
    let id_length = usize::try_from(bytes.first()?.leading_zeros()).unwrap() + 1;
    let id = bytes[..id_length].iter().fold(0u32, |id, byte| id << 8 | u32::from(*byte));
    let rest = &bytes[id_length..];
    let size_length = usize::try_from(rest[0].leading_zeros()).unwrap() + 1;
    let mark = 1u64 << (7 * size_length);
    let size = rest[..size_length].iter().fold(0u64, |size, byte| size << 8 | u64::from(*byte)) & (mark - 1);
    let (body, rest) = rest[size_length..].split_at(usize::try_from(size).unwrap());
    Some((id, body, rest))
}

/// The largest distance between sound and picture of one moment, from a moment on.
fn furthest(sound: &BTreeMap<u64, u64>, pictures: &BTreeMap<u64, u64>, from: u64) -> u64 {
    let both = pictures.range(from..).filter_map(|(sampled, at)| Some(sound.get(sampled)?.abs_diff(*at)));
    both.max().unwrap()
}

/// The longest time between two pictures.
fn longest_gap(pictures: &BTreeMap<u64, u64>) -> u64 {
    let sampled: Vec<_> = pictures.keys().copied().collect();
    sampled.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap()
}

#[test]
fn a_picture_that_comes_300_ms_after_its_sound_stands_beside_it() {
    let (_base, path) = folder();
    let mut room = Room::open(&path, 1);
    room.run(10_000);
    let (sound, pictures) = room.finish(&path);
    assert!(furthest(&sound, &pictures, 1_000) <= TOGETHER_MS);
    assert_eq!((longest_gap(&sound), longest_gap(&pictures)), (SAMPLED_EVERY_MS, SAMPLED_EVERY_MS));
    let (first, last) = (*pictures.keys().next().unwrap(), *pictures.keys().last().unwrap());
    assert!(first <= 400 && last >= 9_500, "pictures from {first} to {last}");
}

#[test]
fn without_sender_reports_arrival_counts_and_the_first_report_mends_it() {
    let (_base, path) = folder();
    let mut room = Room::open(&path, 2);
    room.tab.reports_from = 5_000;
    room.run(10_000);
    let (sound, pictures) = room.finish(&path);
    assert!(furthest(&sound, &pictures, 0) > 250, "nothing tells what belongs together");
    // The pictures come closer together until they have caught up; none is left out.
    assert!(furthest(&sound, &pictures, 5_600) <= TOGETHER_MS);
    assert_eq!(longest_gap(&pictures), SAMPLED_EVERY_MS);
    let steps: Vec<_> = pictures.values().copied().collect();
    assert!(steps.windows(2).all(|pair| pair[1] > pair[0]), "each at a time of its own");
}

#[test]
fn resends_and_losses_leave_sound_and_picture_together() {
    let (_base, path) = folder();
    let mut room = Room::open(&path, 3);
    // Three of a hundred packets come 250 ms later than the others.
    room.tab.loss = (33, 250);
    room.run(10_000);
    // Some do not come at all.
    room.tab.loss = (150, 0);
    room.run(20_000);
    let (sound, pictures) = room.finish(&path);
    assert!(furthest(&sound, &pictures, 1_000) <= TOGETHER_MS, "{}", furthest(&sound, &pictures, 1_000));
    let resent: BTreeMap<_, _> = pictures.range(..9_500).map(|(sampled, at)| (*sampled, *at)).collect();
    assert_eq!(longest_gap(&resent), SAMPLED_EVERY_MS, "what is sent again is not lost");
    let sampled: Vec<_> = pictures.keys().copied().collect();
    let mut gaps: Vec<_> =
        sampled.windows(2).map(|pair| pair[1] - pair[0]).filter(|gap| *gap > SAMPLED_EVERY_MS).collect();
    gaps.sort_unstable();
    // A key frame may be lost itself.
    assert!(gaps.len() >= 4 && gaps[gaps.len() / 2] <= 900, "until the next key frame: {gaps:?}");
    assert_eq!(longest_gap(&sound), SAMPLED_EVERY_MS);
}

#[test]
fn a_reconnection_keeps_them_together_also_from_another_machine() {
    let (_base, path) = folder();
    let mut room = Room::open(&path, 4);
    room.run(4_000);
    // A new connection of the same browser: new streams, and no sender report in the first second.
    room.tab.ssrc = 200;
    room.tab.sequence = BTreeMap::from([(Kind::Audio, 7), (Kind::Video, 9)]);
    room.tab.reports_from = 5_000;
    room.tab.needs_key = true;
    room.run(4_000);
    // Another machine takes the seat, with a clock of its own.
    room.tab.ssrc = 300;
    room.tab.ntp = 0x0123_4567_89ab_cdef;
    room.tab.reports_from = 9_000;
    room.tab.needs_key = true;
    room.run(6_000);
    let (sound, pictures) = room.finish(&path);
    assert!(furthest(&sound, &pictures, 1_000) <= TOGETHER_MS, "{}", furthest(&sound, &pictures, 1_000));
    assert!(longest_gap(&pictures) <= 1_000, "{}", longest_gap(&pictures));
}

/// A key frame of another layer: the engine goes on under the same numbers, without a sender report of the new layer for a while.
#[test]
fn a_change_of_layer_keeps_them_together() {
    let (_base, path) = folder();
    let mut room = Room::open(&path, 5);
    for _ in 0..8 {
        room.run(1_000);
        room.tab.reports_from = room.session.now_ms + 700;
        room.tab.needs_key = true;
    }
    let (sound, pictures) = room.finish(&path);
    assert!(furthest(&sound, &pictures, 1_000) <= TOGETHER_MS, "{}", furthest(&sound, &pictures, 1_000));
    assert_eq!(longest_gap(&pictures), SAMPLED_EVERY_MS);
}

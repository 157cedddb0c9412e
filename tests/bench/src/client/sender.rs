//! What a member sends, in time: pictures in bursts, sound each 20 ms, key frames when they are asked for, only the layers that are wanted.

use super::clock;
use super::peer::{Outgoing, Peer, Track};
use super::picture::{Note, Show, opus, vp8};
use super::tally::{Delays, SOUND};
use std::time::{Duration, Instant};

const SOUND_PERIOD: Duration = Duration::from_millis(20);
const SOUND_TICKS: u32 = 960;
const PICTURE_TICKS_A_SECOND: f64 = 90_000.0;
/// A sender that was held up longer than this goes on from now instead of making up for it.
const LONGEST_DELAY: Duration = Duration::from_millis(200);
/// What a microphone in a quiet room tells, in -dBov.
const QUIET: i8 = -90;
/// Speech is uneven: loudness of a syllable or two against the speaker's loudest, in dB, one figure each 20 ms. Every eighth time a pause
/// for breath takes their place.
const SYLLABLES: [i8; 16] = [-9, -2, 0, -1, -4, -10, -30, -45, -12, -3, -1, -2, -6, -14, -35, -50];
const WORDS: u32 = 8;

pub struct Sender {
    show: Show,
    member: u32,
    begin: Instant,
    next_picture: Instant,
    next_sound: Instant,
    pictures: u32,
    sounds: u32,
    layers: Vec<Sending>,
    sound_number: u64,
    /// The loudest in -dBov while speaking.
    pub speaking: Option<i8>,
    /// Packets given to the stack.
    pub sent: u64,
    /// From writing a burst to its being sent: our own part of every delay.
    pub own_delay: Delays,
}

#[derive(Debug, Clone, Copy)]
struct Sending {
    number: u64,
    is_wanted: bool,
    key_due: bool,
}

impl Sender {
    /// Members begin at different times of a period, as people do.
    pub fn new(show: Show, member: u32, now: Instant) -> Self {
        let sending = Sending { number: 1_000, is_wanted: true, key_due: true };
        let phase = member.wrapping_mul(7_919) % 1_000;
        Self {
            layers: vec![sending; show.layers.len()],
            next_picture: now + show.period * phase / 1_000,
            next_sound: now + SOUND_PERIOD * phase / 1_000,
            show,
            member,
            begin: now,
            pictures: 0,
            sounds: 0,
            sound_number: 1_000,
            speaking: None,
            sent: 0,
            own_delay: Delays::default(),
        }
    }

    pub fn show(&self) -> &Show {
        &self.show
    }

    pub fn deadline(&self) -> Instant {
        let sound = self.show.sound.map(|_| self.next_sound);
        let picture = (!self.show.layers.is_empty()).then_some(self.next_picture);
        sound.into_iter().chain(picture).min().unwrap_or(self.next_sound + Duration::from_secs(3_600))
    }

    /// The hub told which layers somebody watches; no names with `on` means all.
    pub fn demand(&mut self, on: bool, rids: &[String]) {
        for (layer, sending) in self.show.layers.iter().zip(&mut self.layers) {
            let named = layer.rid.is_none_or(|rid| rids.is_empty() || rids.iter().any(|wanted| wanted == rid));
            let is_wanted = on && named;
            sending.key_due |= is_wanted && !sending.is_wanted;
            sending.is_wanted = is_wanted;
        }
    }

    /// A key frame of a layer was asked for.
    pub fn ask_key(&mut self, rid: Option<&str>) {
        for (layer, sending) in self.show.layers.iter().zip(&mut self.layers) {
            sending.key_due |= rid.is_none() || layer.rid == rid;
        }
    }

    /// How many layers flow.
    pub fn layers_on(&self) -> usize {
        self.layers.iter().filter(|layer| layer.is_wanted).count()
    }

    /// Writes what is due. True when the peer has something to send now.
    pub fn work(&mut self, peer: &mut Peer, now: Instant) -> bool {
        let mut wrote = false;
        if let Some(bytes) = self.show.sound
            && self.next_sound <= now
        {
            wrote |= self.send_sound(bytes, peer, now);
            self.next_sound = following(self.next_sound, SOUND_PERIOD, now);
        }
        if !self.show.layers.is_empty() && self.next_picture <= now {
            wrote |= self.send_picture(peer, now);
            self.next_picture = following(self.next_picture, self.show.period, now);
        }
        wrote
    }

    fn send_sound(&mut self, bytes: usize, peer: &mut Peer, now: Instant) -> bool {
        self.sounds += 1;
        let note = Note {
            member: self.member,
            layer: SOUND,
            is_key: false,
            picture: self.sounds,
            part: 0,
            parts: 1,
            sent_ns: clock::now(),
        };
        let packet = Outgoing {
            track: Track::Sound,
            rid: None,
            number: self.sound_number,
            timestamp: self.sounds.wrapping_mul(SOUND_TICKS),
            marker: false,
            level: Some(self.level()),
            payload: opus(bytes, note),
        };
        let wrote = peer.write(packet, now);
        self.sound_number += u64::from(wrote);
        self.sent += u64::from(wrote);
        wrote
    }

    fn level(&self) -> i8 {
        let (Some(loudest), Ok(at)) = (self.speaking, usize::try_from(self.sounds)) else { return QUIET };
        let is_breath = (self.sounds >> 4) % WORDS == WORDS - 1;
        let syllable = SYLLABLES.get(at % SYLLABLES.len()).filter(|_| !is_breath);
        syllable.map_or(QUIET, |below| loudest.saturating_add(*below).max(QUIET))
    }

    fn send_picture(&mut self, peer: &mut Peer, now: Instant) -> bool {
        self.pictures += 1;
        let ticks = f64::from(self.pictures) * self.show.period.as_secs_f64() * PICTURE_TICKS_A_SECOND;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a run is shorter than 13 hours")]
        let timestamp = ticks as u32;
        let grown = self.show.ramp.map(|each| now.duration_since(self.begin).as_millis() / each.as_millis().max(1));
        let most = grown.map_or(u16::MAX, |steps| u16::try_from(2 + steps).unwrap_or(u16::MAX));
        let mut wrote_any = false;
        for (layer, sending) in self.show.layers.iter().zip(&mut self.layers).filter(|(_, s)| s.is_wanted) {
            let mut wrote = true;
            let packets = layer.packets.min(most);
            for part in 0..packets {
                let note = Note {
                    member: self.member,
                    layer: layer.rid.map_or(0, |rid| u8::from(rid == "m") + 2 * u8::from(rid == "h")),
                    is_key: sending.key_due,
                    picture: self.pictures,
                    part,
                    parts: packets,
                    sent_ns: clock::now(),
                };
                let packet = Outgoing {
                    track: Track::Picture,
                    rid: layer.rid,
                    number: sending.number,
                    timestamp,
                    marker: part + 1 == packets,
                    level: None,
                    payload: vp8(layer.bytes, note),
                };
                wrote = peer.write(packet, now);
                if !wrote {
                    break;
                }
                sending.number += 1;
                self.sent += 1;
            }
            sending.key_due &= !wrote;
            wrote_any |= wrote;
        }
        wrote_any
    }
}

fn following(due: Instant, period: Duration, now: Instant) -> Instant {
    let next = due + period;
    if next + LONGEST_DELAY < now { now + period } else { next }
}

//! Who speaks, from the loudness that senders write beside their packets (RFC 6464). Media time only; no packet is seen here.
//!
//! Simpler than dominant speaker identification by Volfin and Cohen (2012), which weighs activity over three spans of time by
//! likelihoods: here two moving averages of how far a voice stands above its own background. The fast one (60 ms) opens a voice's
//! way, so that nobody's first word is cut; the slow one (400 ms) decides who leads, and the lead must last, so that a cough
//! takes nobody's place. Loudness beyond a firm voice counts for nothing: who shouts is not more in the right.

use super::layout::VOICES;
use crate::MemberId;
use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

/// [`SpeakerDetector::tick`] is wanted this often while anybody sends sound.
pub(crate) const LISTEN: Duration = Duration::from_millis(50);
/// So many voices are followed; more are not heard. It is what a room takes, so nobody meets it.
const MOST: usize = 256;
/// A voice without packets is silent after this, and forgotten after that.
const LOST: Duration = Duration::from_millis(100);
const FORGOTTEN: Duration = Duration::from_secs(10);

/// -60 dBov: nobody speaks so softly into a microphone.
const SILENCE_DB: f32 = 67.0;
/// A voice stands so far above the background of its own room.
const ABOVE_NOISE_DB: f32 = 8.0;
/// The background is the least of what is heard, and rises so fast: speech has pauses, a fan has none.
const NOISE_RISE_DB_PER_S: f32 = 3.0;
/// -37 dBov: louder than that is no background.
const NOISE_MOST_DB: f32 = 90.0;
/// Counted at most so far above.
const FIRM_DB: f32 = 30.0;
/// Is a voice, by the fast average.
const VOICED_DB: f32 = 3.0;
/// Leads clearly, by the slow one.
const CLEAR_DB: f32 = 6.0;
const FAST_S: f32 = 0.06;
const SLOW_S: f32 = 0.4;

/// A new active speaker leads for this long, and is heard for this much of it.
const LEAD: Duration = Duration::from_secs(1);
const LEAD_VOICED: Duration = Duration::from_millis(600);
/// One of the loudest keeps its way open so long after its last word, unless another needs it after this pause.
const SLOW_OUT: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_millis(300);

/// Who speaks now. The plane reports it to the room and picks voices by it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Speakers {
    /// Speaks, or did last.
    pub active: Option<MemberId>,
    /// The loudest, at most three, in no order; who stays, keeps its place in the list as far as it can.
    pub loud: Vec<MemberId>,
}

/// Listens to one room.
#[derive(Debug, Default)]
pub(crate) struct SpeakerDetector {
    voices: HashMap<MemberId, Voice>,
    favoured: Vec<MemberId>,
    lead: Option<Lead>,
    ticked: Option<Instant>,
    told: Speakers,
}

#[derive(Debug)]
struct Voice {
    /// The latest packet.
    heard: Instant,
    /// The latest change of the averages.
    updated: Instant,
    /// The background, in dB above -127 dBov like all loudness here.
    noise: f32,
    fast: f32,
    slow: f32,
    /// The latest tick with a voice.
    spoke: Option<Instant>,
}

/// Who is about to become active.
#[derive(Debug)]
struct Lead {
    member: MemberId,
    since: Instant,
    voiced: Duration,
}

impl SpeakerDetector {
    /// Whose voice is always among the loudest while it speaks (see [`super::ForwardingTable::favoured`]).
    pub fn favour(&mut self, members: &[MemberId]) {
        if self.favoured != members {
            self.favoured = members.to_vec();
        }
    }

    /// A packet of sound that is let through: its level in -dBov, 0 (loudest) to 127 (silence).
    pub fn level(&mut self, member: &MemberId, level_dbov: u8, now: Instant) {
        let loudness = f32::from(127 - level_dbov.min(127));
        if let Some(voice) = self.voices.get_mut(member) {
            voice.hear(loudness, now);
        } else if self.voices.len() < MOST {
            let noise = SILENCE_DB - ABOVE_NOISE_DB;
            // As if one packet of 20 ms, the usual, had come before.
            let updated = now.checked_sub(Duration::from_millis(20)).unwrap_or(now);
            let mut voice = Voice { heard: updated, updated, noise, fast: 0.0, slow: 0.0, spoke: None };
            voice.hear(loudness, now);
            self.voices.insert(member.clone(), voice);
        }
    }

    /// Who left is not heard any more, and not the last speaker either.
    pub fn forget(&mut self, member: &MemberId) {
        self.voices.remove(member);
        self.told.loud.retain(|id| id != member);
        self.told.active.take_if(|id| id == member);
        self.lead.take_if(|lead| &lead.member == member);
    }

    #[cfg(test)]
    /// What was told last.
    pub fn speakers(&self) -> &Speakers {
        &self.told
    }

    /// Time passed. Some when the active speaker or the loudest changed.
    pub fn tick(&mut self, now: Instant) -> Option<Speakers> {
        let passed = self.ticked.map_or(Duration::ZERO, |at| now.saturating_duration_since(at)).min(2 * LISTEN);
        self.ticked = Some(now);
        self.voices.retain(|_, voice| now.saturating_duration_since(voice.heard) < FORGOTTEN);
        for voice in self.voices.values_mut() {
            if now.saturating_duration_since(voice.heard) > LOST {
                voice.average(0.0, now);
            }
            if voice.is_voiced() {
                voice.spoke = Some(now);
            }
        }
        let before = self.told.clone();
        self.find_active(passed, now);
        self.find_loud(now);
        (self.told != before).then(|| self.told.clone())
    }

    fn slow(&self, member: &MemberId) -> f32 {
        self.voices.get(member).map_or(0.0, |voice| voice.slow)
    }

    fn silence(&self, member: &MemberId, now: Instant) -> Duration {
        let spoke = self.voices.get(member).and_then(|voice| voice.spoke);
        spoke.map_or(Duration::MAX, |at| now.saturating_duration_since(at))
    }

    fn find_active(&mut self, passed: Duration, now: Instant) {
        let clear = self.told.active.as_ref().map_or(0.0, |active| self.slow(active)) + CLEAR_DB;
        let order = |a: &(&MemberId, &Voice), b: &(&MemberId, &Voice)| a.1.slow.total_cmp(&b.1.slow).then(a.0.cmp(b.0));
        let leader = self.voices.iter().filter(|(_, voice)| voice.slow >= clear).max_by(order);
        let Some((member, voice)) = leader.filter(|(member, _)| self.told.active.as_ref() != Some(member)) else {
            self.lead = None;
            return;
        };
        let mut lead = self.lead.take().filter(|lead| &lead.member == member).unwrap_or_else(|| Lead {
            member: member.clone(),
            since: now,
            voiced: Duration::ZERO,
        });
        if voice.is_voiced() {
            lead.voiced += passed;
        }
        if now.saturating_duration_since(lead.since) >= LEAD && lead.voiced >= LEAD_VOICED {
            self.told.active = Some(lead.member);
        } else {
            self.lead = Some(lead);
        }
    }

    fn find_loud(&mut self, now: Instant) {
        let mut loud = std::mem::take(&mut self.told.loud);
        loud.retain(|member| self.silence(member, now) < SLOW_OUT);
        let inside: HashSet<_> = loud.iter().cloned().collect();
        let mut knocking: Vec<_> =
            self.voices.iter().filter(|(member, voice)| voice.is_voiced() && !inside.contains(*member)).collect();
        knocking.sort_by(|a, b| {
            let by_right = self.is_favoured(b.0).cmp(&self.is_favoured(a.0));
            by_right.then(b.1.slow.total_cmp(&a.1.slow)).then(a.0.cmp(b.0))
        });
        for (member, voice) in knocking {
            if loud.len() < VOICES {
                loud.push(member.clone());
            } else if let Some(seat) = self.yielding(&mut loud, member, voice, now) {
                *seat = member.clone();
            }
        }
        self.told.loud = loud;
    }

    /// Who of the loudest makes room for this voice: the longest silent; else the faintest, for one who has a right or is clearly louder.
    fn yielding<'a>(
        &self,
        loud: &'a mut [MemberId],
        member: &MemberId,
        voice: &Voice,
        now: Instant,
    ) -> Option<&'a mut MemberId> {
        let silent = loud.iter().map(|id| self.silence(id, now)).enumerate().max_by_key(|(_, silence)| *silence);
        if let Some((at, _)) = silent.filter(|(_, silence)| *silence >= PAUSE) {
            return loud.get_mut(at);
        }
        let has_right = self.is_favoured(member);
        let keeps = |id: &MemberId| self.is_favoured(id) || (!has_right && self.told.active.as_ref() == Some(id));
        let faintest = loud
            .iter_mut()
            .filter(|id| !keeps(id))
            .min_by(|a, b| self.slow(a).total_cmp(&self.slow(b)).then_with(|| a.cmp(b)))?;
        (has_right || voice.slow >= self.slow(faintest) + CLEAR_DB).then_some(faintest)
    }

    fn is_favoured(&self, member: &MemberId) -> bool {
        self.favoured.contains(member)
    }
}

impl Voice {
    fn hear(&mut self, loudness: f32, now: Instant) {
        let passed = now.saturating_duration_since(self.heard).min(LOST).as_secs_f32();
        self.heard = now;
        self.noise = (self.noise + NOISE_RISE_DB_PER_S * passed).min(NOISE_MOST_DB).min(loudness);
        let above = loudness - (self.noise + ABOVE_NOISE_DB).max(SILENCE_DB);
        self.average(above.clamp(0.0, FIRM_DB), now);
    }

    fn average(&mut self, activity: f32, now: Instant) {
        let passed = now.saturating_duration_since(self.updated).as_secs_f32();
        self.updated = self.updated.max(now);
        self.fast += (activity - self.fast) * (1.0 - (-passed / FAST_S).exp());
        self.slow += (activity - self.slow) * (1.0 - (-passed / SLOW_S).exp());
    }

    fn is_voiced(&self) -> bool {
        self.fast >= VOICED_DB
    }
}

#[cfg(test)]
mod tests;

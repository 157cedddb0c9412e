//! Which packets of a stream are missing, and when to ask for each (generic NACK, RFC 4585, 6.2.1).
//!
//! Resends come back in here like first ones (they are unwrapped before), so that nothing is asked for that has come. What is given up is told, since
//! a picture with a hole is only mended by a key frame.

use super::sequence::low;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// The network may deliver out of order: so long, or until two newer packets have come, nothing is asked for.
const REORDERING: Duration = Duration::from_millis(10);
/// A wider hole is not asked for: the answer would be a burst into a network that just dropped one.
pub(super) const WIDEST: u64 = 256;
/// Neither is what lies so many packets back,
const OLDEST: u64 = 512;
/// or so long: the viewer's own buffer has gone on.
const PATIENCE: Duration = Duration::from_secs(1);
const TRIES: u8 = 10;
/// Requests for one packet are at least so far apart.
const SHORTEST: Duration = Duration::from_millis(20);
/// Requests of a whole connection in a second, and at once.
const REQUESTS_A_SECOND: u32 = 500;
const REQUESTS_AT_ONCE: u32 = 256;
/// Until a resend has told better.
const ROUND_TRIP: Duration = Duration::from_millis(100);
const LONGEST_ROUND_TRIP: Duration = Duration::from_secs(1);
/// Packets that came after several requests, remembered until the other answers come.
const ANSWERED: usize = 32;

#[derive(Debug)]
struct Hole {
    sequence: u64,
    /// The packet by which it was noticed, and when.
    noticed_by: u64,
    noticed: Instant,
    due: Instant,
    tries: u8,
    first_asked: Option<Instant>,
}

/// The holes of one stream, oldest first; never more than [`OLDEST`].
#[derive(Debug, Default)]
pub(super) struct Missing {
    holes: VecDeque<Hole>,
    /// The earliest `due`; may be too early, never too late.
    next: Option<Instant>,
    /// The newest that was given up since [`Missing::ask`] told of one.
    given_up: Option<u64>,
    /// Packets that came after several requests, and how long after the first.
    answered: VecDeque<(u64, Duration)>,
}

/// A packet that came after all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Filled {
    /// It was asked for.
    pub asked: bool,
    /// How long the answer took, where that is certain.
    pub round_trip: Option<Duration>,
}

impl Missing {
    /// The packets of `skipped` before `by` have not come. False when they are too many to ask for.
    pub fn skip(&mut self, by: u64, skipped: u64, now: Instant) -> bool {
        self.notice_order(by, now);
        if skipped == 0 {
            return true;
        }
        if skipped > WIDEST {
            self.clear();
            return false;
        }
        while let Some(old) = self.holes.front().map(|hole| hole.sequence).filter(|old| by - old >= OLDEST) {
            self.given_up = Some(old);
            self.holes.pop_front();
        }
        let due = if self.given_up.is_some() { now } else { now + REORDERING };
        self.next = Some(self.next.map_or(due, |next| next.min(due)));
        self.holes.extend((by.saturating_sub(skipped)..by).map(|sequence| Hole {
            sequence,
            noticed_by: by,
            noticed: now,
            due: now + REORDERING,
            tries: 0,
            first_asked: None,
        }));
        true
    }

    /// A second packet newer than the hole: it is none of order. Young holes stand last, and those that are due already end the walk.
    fn notice_order(&mut self, by: u64, now: Instant) {
        for hole in self.holes.iter_mut().rev() {
            if hole.tries > 0 || hole.due <= now {
                break;
            }
            if by > hole.noticed_by {
                hole.due = now;
                self.next = Some(now);
            }
        }
    }

    /// It came: late by itself or sent again. After several requests it is not known which was answered.
    pub fn fill(&mut self, sequence: u64, now: Instant) -> Option<Filled> {
        let at = self.holes.binary_search_by_key(&sequence, |hole| hole.sequence).ok()?;
        let hole = self.holes.remove(at)?;
        let waited = hole.first_asked.map(|asked| now.saturating_duration_since(asked));
        if let (2.., Some(waited)) = (hole.tries, waited) {
            if self.answered.len() >= ANSWERED {
                self.answered.pop_front();
            }
            self.answered.push_back((sequence, waited));
        }
        Some(Filled { asked: hole.tries > 0, round_trip: waited.filter(|_| hole.tries == 1) })
    }

    /// It was sent once more. If it came after several requests, those were too many, and the first was answered: this is how a round trip longer than
    /// thought is learned (compare RFC 3522).
    pub fn repeat(&mut self, sequence: u64) -> Option<Duration> {
        let at = self.answered.iter().position(|(answered, _)| *answered == sequence)?;
        self.answered.remove(at).map(|(_, waited)| waited)
    }

    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// When [`Self::ask`] has to be called.
    pub fn due(&self) -> Option<Instant> {
        self.next
    }

    /// What to ask for now, at most `room` of them, into `wanted`; answers the newest packet that was given up.
    pub fn ask(
        &mut self,
        highest: u64,
        now: Instant,
        limits: &mut Limits,
        room: usize,
        wanted: &mut Vec<u16>,
    ) -> Option<u64> {
        if self.next.is_none_or(|next| next > now) {
            return None;
        }
        let (mut given_up, mut next) = (self.given_up.take(), None::<Instant>);
        self.holes.retain_mut(|hole| {
            let too_late = highest.saturating_sub(hole.sequence) >= OLDEST
                || now.saturating_duration_since(hole.noticed) >= PATIENCE
                || (hole.due <= now && hole.tries >= TRIES);
            if too_late {
                given_up = Some(hole.sequence);
                return false;
            }
            if hole.due <= now && wanted.len() < room {
                if limits.take(now) {
                    wanted.push(low(hole.sequence));
                    hole.first_asked.get_or_insert(now);
                    hole.tries += 1;
                    hole.due = now + limits.wait(hole.tries);
                } else {
                    hole.due = now + SHORTEST;
                }
            }
            let due = hole.due.min(hole.noticed + PATIENCE);
            next = Some(next.map_or(due, |next| next.min(due)));
            true
        });
        self.next = next;
        given_up
    }

    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.holes.len()
    }
}

/// What all streams of a connection share: how long an answer takes, and how much may be asked.
#[derive(Debug)]
pub(super) struct Limits {
    round_trip: Duration,
    /// Requests that may still be made, and when that was counted.
    left: u32,
    counted: Instant,
}

impl Limits {
    pub fn new(now: Instant) -> Self {
        Self { round_trip: ROUND_TRIP, left: REQUESTS_AT_ONCE, counted: now }
    }

    pub fn round_trip(&self) -> Duration {
        self.round_trip
    }

    /// Learns from an answer.
    pub fn learn(&mut self, round_trip: Duration) {
        self.round_trip = (self.round_trip * 3 + round_trip.min(LONGEST_ROUND_TRIP)) / 4;
    }

    /// Until the next request for the same packet, after so many.
    fn wait(&self, tries: u8) -> Duration {
        (self.round_trip + REORDERING).max(SHORTEST) * (u32::from(tries) + 3) / 4
    }

    fn take(&mut self, now: Instant) -> bool {
        let elapsed = now.saturating_duration_since(self.counted).min(Duration::from_secs(1));
        let earned = elapsed.as_micros() * u128::from(REQUESTS_A_SECOND) / 1_000_000;
        if let Ok(earned @ 1..) = u32::try_from(earned) {
            self.left = (self.left + earned).min(REQUESTS_AT_ONCE);
            self.counted = now;
        }
        match self.left.checked_sub(1) {
            Some(left) => {
                self.left = left;
                true
            }
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn ask(missing: &mut Missing, highest: u64, now: Instant, limits: &mut Limits) -> (Vec<u16>, Option<u64>) {
        let mut wanted = Vec::new();
        let given_up = missing.ask(highest, now, limits, usize::MAX, &mut wanted);
        (wanted, given_up)
    }

    #[test]
    fn order_is_waited_for_then_each_hole_is_asked_for_until_it_is_filled() {
        let now = Instant::now();
        let (mut missing, mut limits) = (Missing::default(), Limits::new(now));
        assert!(missing.skip(102, 1, now));
        assert_eq!(ask(&mut missing, 102, now + 9 * MS, &mut limits).0, [0; 0]);
        assert_eq!(missing.due(), Some(now + REORDERING));
        assert_eq!(ask(&mut missing, 102, now + 10 * MS, &mut limits).0, [101]);
        assert_eq!(ask(&mut missing, 102, now + 119 * MS, &mut limits).0, [0; 0]);
        assert_eq!(ask(&mut missing, 102, now + 120 * MS, &mut limits).0, [101]);
        assert_eq!(missing.fill(101, now + 130 * MS), Some(Filled { asked: true, round_trip: None }));
        assert_eq!(missing.fill(101, now + 130 * MS), None);
        assert_eq!((missing.repeat(101), missing.repeat(101)), (Some(120 * MS), None));
        assert_eq!(ask(&mut missing, 102, now + 900 * MS, &mut limits), (vec![], None));
        assert_eq!(missing.due(), None);
    }

    #[test]
    fn a_second_newer_packet_shows_that_it_is_no_matter_of_order() {
        let now = Instant::now();
        let (mut missing, mut limits) = (Missing::default(), Limits::new(now));
        missing.skip(105, 4, now);
        assert_eq!(ask(&mut missing, 105, now, &mut limits).0, [0; 0]);
        missing.skip(106, 0, now + MS);
        assert_eq!(missing.due(), Some(now + MS));
        assert_eq!(ask(&mut missing, 106, now + MS, &mut limits).0, [101, 102, 103, 104]);
    }

    #[test]
    fn what_does_not_come_is_given_up_and_told() {
        let start = Instant::now();
        let (mut missing, mut limits) = (Missing::default(), Limits::new(start));
        missing.skip(102, 1, start);
        let (mut requests, mut given_up) = (0, None);
        for step in 0..1000 {
            let (wanted, gone) = ask(&mut missing, 102, start + step * MS, &mut limits);
            requests += wanted.len();
            given_up = given_up.or(gone);
        }
        assert_eq!((given_up, missing.len()), (None, 1));
        assert!((4..=10).contains(&requests), "{requests}");
        assert_eq!(ask(&mut missing, 102, start + PATIENCE, &mut limits), (vec![], Some(101)));
        assert_eq!(missing.due(), None);

        missing.skip(202, 1, start);
        missing.skip(201 + OLDEST, 0, start);
        assert_eq!(ask(&mut missing, 201 + OLDEST, start, &mut limits), (vec![], Some(201)), "too many packets ago");
    }

    #[test]
    fn quick_answers_let_it_try_ten_times() {
        let start = Instant::now();
        let (mut missing, mut limits) = (Missing::default(), Limits::new(start));
        for _ in 0..50 {
            limits.learn(5 * MS);
        }
        missing.skip(102, 1, start);
        let mut requests = 0;
        for step in 0..1000 {
            requests += ask(&mut missing, 102, start + step * MS, &mut limits).0.len();
        }
        assert_eq!((requests, missing.len()), (10, 0));
    }

    #[test]
    fn too_wide_a_hole_is_left_alone() {
        let now = Instant::now();
        let mut missing = Missing::default();
        assert!(missing.skip(1000, WIDEST, now));
        assert!(!missing.skip(1002 + WIDEST, WIDEST + 1, now));
        assert_eq!((missing.len(), missing.due()), (0, None));
    }

    #[test]
    fn what_is_kept_is_bounded_also_when_nobody_asks() {
        let now = Instant::now();
        let mut missing = Missing::default();
        for by in (1000..100_000).step_by(200) {
            missing.skip(by, 199, now);
            assert!(missing.len() as u64 <= OLDEST);
        }
        let (wanted, given_up) = ask(&mut missing, 99_800, now, &mut Limits::new(now));
        assert!(given_up.is_some_and(|old| old + OLDEST <= 99_800), "{given_up:?}, {}", wanted.len());
    }

    #[test]
    fn no_connection_asks_more_than_its_share() {
        let start = Instant::now();
        let mut limits = Limits::new(start);
        let mut asked = 0;
        for step in 0..3000 {
            let now = start + step * MS;
            asked += (0..100).filter(|_| limits.take(now)).count();
        }
        assert!((1700..=1756).contains(&asked), "256 at once and 500 a second: {asked}");
    }

    #[test]
    fn a_long_round_trip_is_learned_from_answers_that_come_twice() {
        let start = Instant::now();
        let (mut missing, mut limits) = (Missing::default(), Limits::new(start));
        for sequence in 1000..1020 {
            missing.skip(sequence + 1, 1, start);
            for step in 0..400 {
                ask(&mut missing, sequence + 1, start + step * MS, &mut limits);
            }
            let filled = missing.fill(sequence, start + 410 * MS).unwrap();
            match filled.round_trip.or_else(|| missing.repeat(sequence)) {
                Some(sample) => limits.learn(sample),
                None => panic!("asked once, or twice"),
            }
        }
        assert!(limits.round_trip() > 390 * MS && limits.round_trip() <= 400 * MS, "{:?}", limits.round_trip());
        limits.learn(40 * MS);
        assert!(limits.round_trip() < 320 * MS);
    }

    #[test]
    fn what_is_remembered_of_answers_is_bounded() {
        let start = Instant::now();
        let (mut missing, mut limits) = (Missing::default(), Limits::new(start));
        for sequence in 1000..1100 {
            missing.skip(sequence + 1, 1, start);
            for step in [10, 200] {
                ask(&mut missing, sequence + 1, start + step * MS, &mut limits);
            }
            missing.fill(sequence, start + 210 * MS);
        }
        assert_eq!(missing.answered.len(), ANSWERED);
        assert_eq!((missing.repeat(1000), missing.repeat(1099)), (None, Some(200 * MS)));
    }
}

//! Seeded voices in virtual time: a packet of 20 ms each, a tick each 50 ms.

use super::*;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// What somebody does with the microphone.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Does {
    /// Words of 150 to 400 ms at about -28 dBov with pauses of 50 to 250 ms between, over a background of -65.
    Talk,
    /// The background alone.
    Listen,
    /// A fan at -45 dBov.
    Fan,
    /// So loud, all the time.
    Tone(u8),
    /// No packets at all.
    Gone,
}

struct Hall {
    detector: SpeakerDetector,
    start: Instant,
    ms: u64,
    random: StdRng,
    /// What each does, and until when its word (true) or pause lasts.
    people: Vec<(MemberId, Does, bool, u64)>,
    told: Vec<(u64, Speakers)>,
}

impl Hall {
    fn of(names: &[&str], seed: u64) -> Self {
        let people = names.iter().map(|name| (MemberId::from(*name), Does::Listen, false, 0)).collect();
        let (detector, random) = (SpeakerDetector::default(), StdRng::seed_from_u64(seed));
        Self { detector, start: Instant::now(), ms: 0, random, people, told: Vec::new() }
    }

    fn does(&mut self, name: &str, does: Does) {
        let person = self.people.iter_mut().find(|(id, ..)| id.as_str() == name).unwrap();
        (person.1, person.2, person.3) = (does, false, 0);
    }

    fn run(&mut self, ms: u64) {
        let end = self.ms + ms;
        while self.ms < end {
            self.ms += 10;
            let now = self.start + Duration::from_millis(self.ms);
            if self.ms.is_multiple_of(20) {
                for (member, does, word, until) in &mut self.people {
                    if self.ms >= *until {
                        *word = !*word;
                        *until = self.ms + self.random.random_range(if *word { 150..400 } else { 50..250 });
                    }
                    let level = match does {
                        Does::Talk if *word => self.random.random_range(20..36),
                        Does::Talk | Does::Listen => self.random.random_range(62..70),
                        Does::Fan => self.random.random_range(44..47),
                        Does::Tone(level) => *level,
                        Does::Gone => continue,
                    };
                    self.detector.level(member, level, now);
                }
            }
            if self.ms.is_multiple_of(50) {
                self.told.extend(self.detector.tick(now).map(|speakers| (self.ms, speakers)));
            }
        }
    }

    fn active(&self) -> Option<&str> {
        self.detector.speakers().active.as_ref().map(MemberId::as_str)
    }

    fn loud(&self) -> Vec<&str> {
        let mut loud: Vec<_> = self.detector.speakers().loud.iter().map(MemberId::as_str).collect();
        loud.sort_unstable();
        loud
    }

    fn changes_of_active(&self) -> usize {
        let active: Vec<_> = self.told.iter().map(|(_, speakers)| speakers.active.clone()).collect();
        active.windows(2).filter(|pair| pair[0] != pair[1]).count()
    }
}

#[test]
fn the_first_word_is_heard_within_a_tenth_of_a_second() {
    for seed in 0..50 {
        let mut hall = Hall::of(&["a", "b"], seed);
        hall.run(1_000 + seed * 10);
        assert_eq!((hall.loud(), hall.active()), (vec![], None), "nobody speaks yet");
        hall.does("a", Does::Talk);
        hall.run(100);
        assert_eq!(hall.loud(), ["a"], "seed {seed}");
        assert_eq!(hall.active(), None, "and leads only after a while");
    }
}

#[test]
fn who_goes_on_becomes_active_and_stays_it_in_silence() {
    for seed in 0..50 {
        let mut hall = Hall::of(&["a", "b", "c"], seed);
        hall.does("a", Does::Talk);
        hall.run(3_000);
        assert_eq!(hall.active(), Some("a"), "seed {seed}");
        hall.does("a", Does::Listen);
        hall.run(10_000);
        assert_eq!((hall.active(), hall.loud()), (Some("a"), vec![]));
        hall.does("b", Does::Talk);
        hall.run(3_000);
        assert_eq!(hall.active(), Some("b"), "seed {seed}");
        assert_eq!(hall.changes_of_active(), 2, "none, a, b: {:?}", hall.told);
    }
}

#[test]
fn a_cough_takes_nobodys_place() {
    for length in [100, 200, 300, 400, 500] {
        let mut hall = Hall::of(&["a", "b"], length);
        hall.does("a", Does::Talk);
        hall.run(3_000);
        hall.does("a", Does::Listen);
        hall.run(1_000);
        hall.does("b", Does::Tone(5));
        hall.run(length);
        hall.does("b", Does::Listen);
        hall.run(5_000);
        assert_eq!(hall.active(), Some("a"), "{length} ms");
        assert!(hall.told.iter().any(|(_, speakers)| speakers.loud.contains(&"b".into())), "but it was heard");
    }
}

#[test]
fn two_at_once_do_not_take_turns() {
    for seed in 0..20 {
        let mut hall = Hall::of(&["a", "b"], seed);
        hall.does("a", Does::Talk);
        hall.run(3_000);
        hall.does("b", Does::Talk);
        hall.run(20_000);
        assert!(hall.changes_of_active() <= 3, "seed {seed}: {} changes in 20 s", hall.changes_of_active());
        assert_eq!(hall.loud(), ["a", "b"]);
    }
}

#[test]
fn a_fan_is_no_speaker() {
    let mut hall = Hall::of(&["fan", "a"], 7);
    hall.does("fan", Does::Fan);
    hall.run(20_000);
    assert!(hall.loud().is_empty());
    hall.does("a", Does::Talk);
    hall.run(3_000);
    assert_eq!((hall.active(), hall.loud()), (Some("a"), vec!["a"]));
    hall.does("fan", Does::Talk);
    hall.does("a", Does::Listen);
    hall.run(3_000);
    assert_eq!(hall.active(), Some("fan"), "who sits beside the fan may speak");
}

#[test]
fn there_are_three_voices_and_a_fourth_waits_for_a_pause() {
    for seed in 0..20 {
        let mut hall = Hall::of(&["a", "b", "c", "d"], seed);
        for name in ["a", "b", "c"] {
            hall.does(name, Does::Tone(30));
        }
        hall.run(500);
        hall.does("d", Does::Tone(30));
        hall.run(1_500);
        assert_eq!(hall.loud(), ["a", "b", "c"]);
        hall.does("b", Does::Listen);
        hall.run(600);
        assert_eq!(hall.loud(), ["a", "c", "d"]);
        hall.does("d", Does::Gone);
        hall.run(1_900);
        assert_eq!(hall.loud(), ["a", "c", "d"], "slow out");
        hall.run(600);
        assert_eq!(hall.loud(), ["a", "c"]);
    }
}

#[test]
fn podium_and_chair_are_heard_over_all_others() {
    let mut hall = Hall::of(&["a", "b", "c", "chair", "podium"], 3);
    hall.detector.favour(&["podium".into(), "chair".into()]);
    for name in ["a", "b", "c"] {
        hall.does(name, Does::Tone(10));
    }
    hall.run(1_000);
    assert_eq!(hall.loud(), ["a", "b", "c"]);
    hall.does("chair", Does::Tone(40));
    hall.run(100);
    assert!(hall.loud().contains(&"chair"), "{:?}", hall.loud());
    hall.does("podium", Does::Tone(40));
    hall.run(100);
    assert!(hall.loud().contains(&"chair") && hall.loud().contains(&"podium"), "{:?}", hall.loud());
    assert_eq!(hall.loud().len(), VOICES);
}

#[test]
fn who_left_is_forgotten_and_strangers_do_not_pile_up() {
    let mut hall = Hall::of(&["a"], 1);
    hall.does("a", Does::Talk);
    hall.run(3_000);
    hall.detector.forget(&"a".into());
    assert_eq!(*hall.detector.speakers(), Speakers::default());
    let now = hall.start + Duration::from_secs(100);
    for n in 0..10_000 {
        hall.detector.level(&MemberId::from(format!("m{n}")), 127, now);
    }
    assert_eq!(hall.detector.voices.len(), MOST);
    hall.detector.tick(now + FORGOTTEN);
    assert!(hall.detector.voices.is_empty());
}

#[test]
fn any_order_of_times_and_levels_keeps_the_bounds() {
    let mut random = StdRng::seed_from_u64(11);
    let start = Instant::now() + Duration::from_secs(1_000);
    let mut detector = SpeakerDetector::default();
    for _ in 0..20_000 {
        let now = start + Duration::from_millis(random.random_range(0..30_000));
        let member = MemberId::from(format!("m{}", random.random_range(0..9)));
        detector.level(&member, random.random(), now);
        detector.tick(now);
        assert!(detector.speakers().loud.len() <= VOICES);
        let unique: HashSet<_> = detector.speakers().loud.iter().collect();
        assert_eq!(unique.len(), detector.speakers().loud.len());
        assert!(
            detector.voices.values().all(|v| (0.0..=FIRM_DB).contains(&v.fast) && (0.0..=FIRM_DB).contains(&v.slow))
        );
    }
}

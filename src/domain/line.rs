//! How people's lines were during a hearing: from the changes that were noted to spells of trouble that an officer can read. Whether somebody
//! could follow the hearing is asked afterwards, so it is kept with its file.

use super::calendar::Timestamp;
use super::presence::Presence;
use std::collections::BTreeMap;

/// A spell of weak pictures or sound that was over sooner was noticed by nobody.
const SHORTEST_MILLIS: i64 = 5_000;

/// A line in three words, from better to worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Nothing to say.
    Good,
    /// Pictures may be coarse.
    Fair,
    /// Hard to follow.
    Poor,
}

impl Level {
    /// The name in stored data.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Fair => "fair",
            Self::Poor => "poor",
        }
    }

    /// Reads the stored name.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        [Self::Good, Self::Fair, Self::Poor].into_iter().find(|level| level.code() == code)
    }
}

/// Who measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meter {
    /// The person's browser.
    Client,
    /// The hub.
    Hub,
}

impl Meter {
    /// The name in stored data.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Hub => "hub",
        }
    }

    /// Reads the stored name.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        [Self::Client, Self::Hub].into_iter().find(|meter| meter.code() == code)
    }
}

/// A change of a line's level, as one meter saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// When.
    pub at: Timestamp,
    /// Whose line: identifier of the member in the room.
    pub member: String,
    /// By whom.
    pub meter: Meter,
    /// From then on.
    pub level: Level,
    /// Of a hundred packets.
    pub loss_percent: i64,
    /// Milliseconds there and back.
    pub round_trip_ms: i64,
    /// How unevenly packets came, in milliseconds, where the browser told it.
    pub jitter_ms: Option<i64>,
    /// How often a picture stood still, where the browser told it.
    pub freezes: Option<i64>,
    /// The layer of the largest picture, where the browser told it: `low`, `mid`, `high`.
    pub layer: Option<String>,
}

/// What was wrong with a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trouble {
    /// Pictures may have been coarse.
    Fair,
    /// Hard to follow.
    Poor,
    /// Nothing got through.
    Broken,
}

impl Trouble {
    /// The name in the interface and of the text.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Fair => "fair",
            Self::Poor => "poor",
            Self::Broken => "broken",
        }
    }
}

/// A line was in trouble for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spell {
    /// Whose line.
    pub member: String,
    /// What was wrong.
    pub trouble: Trouble,
    /// Since.
    pub from: Timestamp,
    /// Until.
    pub until: Timestamp,
    /// The worst that was read, of a hundred packets.
    pub loss_percent: i64,
    /// The worst that was read, in milliseconds.
    pub round_trip_ms: i64,
}

/// One person's line at one moment.
struct Line {
    by_client: Level,
    by_hub: Level,
    broken: bool,
    inside: bool,
    spell: Option<Spell>,
}

/// The spells of trouble in the order of their beginning, from the readings and the ledger (when, whose, what) of a hearing that went on
/// until `end`. A line is as bad as the worse of what browser and hub measure.
#[must_use]
pub fn spells(readings: &[Reading], ledger: &[(Timestamp, &str, Presence)], end: Timestamp) -> Vec<Spell> {
    enum Mark<'a> {
        Read(&'a Reading),
        Present(Presence),
    }
    let told = ledger.iter().map(|(at, member, what)| (*at, *member, Mark::Present(*what)));
    let read = readings.iter().map(|reading| (reading.at, reading.member.as_str(), Mark::Read(reading)));
    let mut marks: Vec<_> = told.chain(read).collect();
    marks.sort_by_key(|(at, _, _)| *at);

    let mut lines: BTreeMap<&str, Line> = BTreeMap::new();
    let mut spells = Vec::new();
    for (at, member, mark) in marks {
        let line = lines.entry(member).or_insert_with(Line::new);
        match mark {
            Mark::Read(reading) => line.read(reading),
            Mark::Present(what) => line.present(what),
        }
        spells.extend(line.turn(member, at));
        if let (Mark::Read(reading), Some(spell)) = (mark, &mut line.spell) {
            spell.loss_percent = spell.loss_percent.max(reading.loss_percent);
            spell.round_trip_ms = spell.round_trip_ms.max(reading.round_trip_ms);
        }
    }
    for (member, mut line) in lines {
        line.inside = false;
        spells.extend(line.turn(member, end));
    }
    spells.retain(|spell| {
        spell.trouble == Trouble::Broken || spell.until.millis() - spell.from.millis() >= SHORTEST_MILLIS
    });
    spells.sort_by_key(|spell| spell.from);
    spells
}

impl Line {
    const fn new() -> Self {
        Self { by_client: Level::Good, by_hub: Level::Good, broken: false, inside: false, spell: None }
    }

    const fn read(&mut self, reading: &Reading) {
        self.inside = true;
        match reading.meter {
            Meter::Client => self.by_client = reading.level,
            Meter::Hub => self.by_hub = reading.level,
        }
    }

    fn present(&mut self, what: Presence) {
        match what {
            // A new seat: what was measured before was another line's.
            Presence::Knocked | Presence::NoticeAcknowledged => {
                (self.by_client, self.by_hub, self.broken, self.inside) = (Level::Good, Level::Good, false, true);
            }
            Presence::Admitted => self.inside = true,
            Presence::Disconnected => (self.broken, self.inside) = (true, true),
            Presence::Reconnected => (self.broken, self.inside) = (false, true),
            // Outside nothing is sent, so nothing can be in trouble.
            Presence::SentBack | Presence::Left => self.inside = false,
        }
    }

    fn trouble(&self) -> Option<Trouble> {
        if !self.inside {
            return None;
        }
        if self.broken {
            return Some(Trouble::Broken);
        }
        match self.by_client.max(self.by_hub) {
            Level::Good => None,
            Level::Fair => Some(Trouble::Fair),
            Level::Poor => Some(Trouble::Poor),
        }
    }

    /// Ends the spell and begins another when the trouble is another; answers the one that ended.
    fn turn(&mut self, member: &str, at: Timestamp) -> Option<Spell> {
        let trouble = self.trouble();
        if self.spell.as_ref().map(|spell| spell.trouble) == trouble {
            return None;
        }
        let fresh = trouble.map(|trouble| Spell {
            member: member.to_owned(),
            trouble,
            from: at,
            until: at,
            loss_percent: 0,
            round_trip_ms: 0,
        });
        let ended = std::mem::replace(&mut self.spell, fresh);
        ended.map(|spell| Spell { until: at, ..spell })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1_000)
    }

    fn reading(seconds: i64, member: &str, meter: Meter, level: Level, loss_percent: i64) -> Reading {
        Reading {
            at: at(seconds),
            member: member.to_owned(),
            meter,
            level,
            loss_percent,
            round_trip_ms: loss_percent * 10,
            jitter_ms: None,
            freezes: None,
            layer: None,
        }
    }

    /// Member, trouble, from, until in seconds.
    fn told(spells: &[Spell]) -> Vec<(&str, &'static str, i64, i64)> {
        let seconds = |at: Timestamp| at.millis() / 1_000;
        spells.iter().map(|s| (s.member.as_str(), s.trouble.code(), seconds(s.from), seconds(s.until))).collect()
    }

    #[test]
    fn a_line_is_as_bad_as_the_worse_measure() {
        let readings = [
            reading(10, "party", Meter::Client, Level::Fair, 5),
            reading(20, "party", Meter::Hub, Level::Poor, 12),
            reading(30, "party", Meter::Client, Level::Good, 0),
            reading(40, "party", Meter::Hub, Level::Fair, 4),
            reading(50, "party", Meter::Hub, Level::Good, 0),
            reading(45, "officer", Meter::Hub, Level::Poor, 20),
        ];
        let spells = spells(&readings, &[], at(100));
        let expected = [
            ("party", "fair", 10, 20),
            ("party", "poor", 20, 40),
            ("party", "fair", 40, 50),
            ("officer", "poor", 45, 100),
        ];
        assert_eq!(told(&spells), expected);
        assert_eq!((spells[1].loss_percent, spells[1].round_trip_ms), (12, 120));
    }

    #[test]
    fn a_broken_line_is_the_worst_and_ends_with_the_seat() {
        let readings = [reading(10, "party", Meter::Hub, Level::Poor, 30)];
        let ledger = [
            (at(20), "party", Presence::Disconnected),
            (at(25), "party", Presence::Reconnected),
            (at(40), "party", Presence::Disconnected),
            (at(70), "party", Presence::Left),
        ];
        let spells = spells(&readings, &ledger, at(100));
        let expected = [
            ("party", "poor", 10, 20),
            ("party", "broken", 20, 25),
            ("party", "poor", 25, 40),
            ("party", "broken", 40, 70),
        ];
        assert_eq!(told(&spells), expected);
    }

    #[test]
    fn a_new_seat_has_a_new_line() {
        let readings = [reading(10, "party", Meter::Hub, Level::Poor, 30)];
        // The hub went down at 20 and nobody wrote it; whoever comes back reads the notice first.
        let ledger = [(at(60), "party", Presence::NoticeAcknowledged), (at(61), "party", Presence::Reconnected)];
        assert_eq!(told(&spells(&readings, &ledger, at(100))), [("party", "poor", 10, 60)]);
    }

    #[test]
    fn what_was_over_at_once_is_not_told_but_a_break_is() {
        let readings =
            [reading(10, "party", Meter::Client, Level::Poor, 30), reading(14, "party", Meter::Client, Level::Good, 0)];
        let ledger = [(at(50), "party", Presence::Disconnected), (at(51), "party", Presence::Reconnected)];
        assert_eq!(told(&spells(&readings, &ledger, at(100))), [("party", "broken", 50, 51)]);
    }

    proptest! {
        /// Whatever happens in whatever order: a member's spells follow each other, within the hearing.
        #[test]
        fn spells_of_one_line_do_not_overlap(
            changes in proptest::collection::vec((0..100_i64, 0..2_usize, 0..2_usize, 0..3_usize), 0..40),
            presences in proptest::collection::vec((0..100_i64, 0..2_usize, 0..7_usize), 0..40),
        ) {
            let members = ["officer", "party"];
            let what = [Presence::Knocked, Presence::NoticeAcknowledged, Presence::Admitted, Presence::SentBack,
                Presence::Disconnected, Presence::Reconnected, Presence::Left];
            let levels = [Level::Good, Level::Fair, Level::Poor];
            let meters = [Meter::Client, Meter::Hub];
            let readings: Vec<_> = changes.iter().map(|(s, m, by, l)| reading(*s, members[*m], meters[*by], levels[*l], 1)).collect();
            let ledger: Vec<_> = presences.iter().map(|(s, m, w)| (at(*s), members[*m], what[*w])).collect();
            let spells = spells(&readings, &ledger, at(100));
            for member in members {
                let own: Vec<_> = spells.iter().filter(|spell| spell.member == member).collect();
                prop_assert!(own.iter().all(|spell| spell.from <= spell.until && spell.until <= at(100)));
                prop_assert!(own.windows(2).all(|pair| pair[0].until <= pair[1].from));
            }
        }
    }
}

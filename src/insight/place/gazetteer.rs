//! The names and what they may mean.

use std::{collections::HashMap, sync::LazyLock};

use serde::Deserialize;

use crate::insight::{
    state::{StateCode, listed, states},
    words::{Word, folded_words},
};

static GAZETTEER: LazyLock<Gazetteer> = LazyLock::new(Gazetteer::load);
static NAMES: LazyLock<Names> = LazyLock::new(|| Names::of(&GAZETTEER));

/// A district or a town.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Its state.
    pub state: StateCode,
    /// Its name.
    pub name: String,
    /// The district that it lies in; its own name for a district.
    pub district: String,
    /// Its names in Hindi, the usual one first; empty where the table has none.
    pub hindi: Vec<String>,
    /// Other names people write.
    pub aliases: Vec<String>,
    /// True when the name is also an ordinary word or a personal name ("gaya", "mandi", "Anand").
    pub(super) also_a_word: bool,
}

/// All districts and towns that are known, state by state.
#[must_use]
pub fn places() -> &'static [Place] {
    &GAZETTEER.places
}

/// The districts of a state, in the order of the table.
pub fn districts(state: StateCode) -> impl Iterator<Item = &'static Place> {
    places().iter().filter(move |place| place.state == state && place.district == place.name)
}

/// What a name may mean.
#[derive(Debug, Clone, Copy)]
pub(super) enum Meaning {
    State(StateCode),
    Place(&'static Place),
    /// A name that only contains a place: "Bank of Baroda".
    NoPlace,
}

/// The longest name that starts at a word, as the count of its words, and all its meanings.
pub(super) fn longest(words: &[Word]) -> Option<(usize, Vec<Meaning>)> {
    let names = NAMES.by_first.get(words.first()?.folded.as_str())?;
    let fits = |name: &&Name| {
        name.words.len() <= words.len() && name.words.iter().zip(words).all(|(name, word)| *name == word.folded)
    };
    let length = names.iter().filter(fits).map(|name| name.words.len()).max()?;
    Some((
        length,
        names.iter().filter(fits).filter(|name| name.words.len() == length).map(|name| name.meaning).collect(),
    ))
}

struct Gazetteer {
    places: Vec<Place>,
    no_places: Vec<String>,
}

#[derive(Deserialize)]
struct Line {
    state: Option<StateCode>,
    place: String,
    district: String,
    hindi: String,
    aliases: String,
    word: String,
}

impl Gazetteer {
    fn load() -> Self {
        let mut gazetteer = Self { places: Vec::new(), no_places: Vec::new() };
        for line in lines() {
            let all = |cell: &str| listed(cell).map(str::to_owned).collect::<Vec<_>>();
            match line.state {
                Some(state) => gazetteer.places.push(Place {
                    state,
                    district: if line.district.is_empty() { line.place.clone() } else { line.district },
                    name: line.place,
                    hindi: all(&line.hindi),
                    aliases: all(&line.aliases),
                    also_a_word: !line.word.is_empty(),
                }),
                None => {
                    gazetteer.no_places.push(line.place);
                    gazetteer.no_places.extend(all(&line.hindi).into_iter().chain(all(&line.aliases)));
                }
            }
        }
        gazetteer
    }
}

fn lines() -> impl Iterator<Item = Line> {
    let reader = csv::ReaderBuilder::new().comment(Some(b'#')).from_reader(include_str!("../places.csv").as_bytes());
    reader.into_deserialize().filter_map(Result::ok)
}

struct Names {
    by_first: HashMap<String, Vec<Name>>,
}

struct Name {
    words: Vec<String>,
    meaning: Meaning,
}

impl Names {
    fn of(gazetteer: &'static Gazetteer) -> Self {
        let mut names = Self { by_first: HashMap::new() };
        for state in states() {
            for name in [&state.english, &state.hindi].into_iter().chain(&state.aliases) {
                names.add(name, Meaning::State(state.code));
            }
        }
        for place in &gazetteer.places {
            for name in [&place.name].into_iter().chain(&place.hindi).chain(&place.aliases) {
                names.add(name, Meaning::Place(place));
            }
        }
        for name in &gazetteer.no_places {
            names.add(name, Meaning::NoPlace);
        }
        names
    }

    fn add(&mut self, name: &str, meaning: Meaning) {
        let words = folded_words(name);
        if let Some(first) = words.first() {
            self.by_first.entry(first.clone()).or_default().push(Name { words, meaning });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_line_is_understood() {
        let written = include_str!("../places.csv").lines().filter(|line| !line.starts_with('#')).count() - 1;
        assert_eq!(lines().count(), written);
    }

    #[test]
    fn covers_the_country() {
        assert!(places().len() >= 800, "{}", places().len());
        for state in states() {
            assert!(districts(state.code).next().is_some(), "no district in {}", state.english);
        }
        let with_hindi = places().iter().filter(|place| !place.hindi.is_empty()).count();
        assert!(with_hindi >= 700, "{with_hindi}");
    }

    #[test]
    fn a_town_lies_in_a_district_and_nothing_is_said_twice() {
        let mut seen = HashSet::new();
        for place in places() {
            assert!(
                districts(place.state).any(|district| district.name == place.district),
                "{place:?} lies in no district"
            );
            for name in [&place.name].into_iter().chain(&place.hindi).chain(&place.aliases) {
                assert!(seen.insert((place.state, folded_words(name))), "{name} twice in {}", place.state);
            }
        }
    }
}

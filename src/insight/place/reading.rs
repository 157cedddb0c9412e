//! From the names in a text to one place, or to none.

use super::{
    Finding, Place,
    gazetteer::{Meaning, longest},
};
use crate::insight::{
    state::StateCode,
    words::{Word, is_udyam_number},
};

/// How far from a name, in words, another word may say whose place it is.
const NEAR: usize = 4;

/// Words that call a place the writer's own.
const OWN: &[&str] = &[
    "unit",
    "units",
    "factory",
    "workshop",
    "plant",
    "enterprise",
    "shop",
    "mill",
    "works",
    "based",
    "located",
    "situated",
    "firm",
    "proprietor",
    "resident",
    "live",
    "lives",
    "karkhana",
    "dukan",
    "dukaan",
    "इकाई",
    "यूनिट",
    "फैक्ट्री",
    "फैक्टरी",
    "कारखाना",
    "कारखाने",
    "उद्योग",
    "दुकान",
    "निवासी",
    "वर्कशॉप",
    "मिल",
];
/// Words that give a place to somebody else.
const OTHERS: &[&str] = &[
    "buyer",
    "buyers",
    "customer",
    "supplier",
    "vendor",
    "court",
    "tribunal",
    "headquarters",
    "head",
    "dealer",
    "client",
    "port",
    "office",
    "branch",
    "sold",
    "supplied",
    "supply",
    "export",
    "exported",
    "sent",
    "dispatched",
    "kharidar",
    "खरीदार",
    "खरीददार",
    "ग्राहक",
    "अदालत",
    "मुख्यालय",
    "शाखा",
    "सप्लाई",
    "कार्यालय",
];
/// Words that call the name beside them a district.
const DISTRICT: &[&str] = &["district", "dist", "distt", "zila", "zilla", "jila", "jilla", "जिला", "जिले"];
/// Words that make the name beside them a place even if it is also an ordinary word.
const PLACE_WORDS: &[&str] = &[
    "district",
    "dist",
    "distt",
    "zila",
    "zilla",
    "jila",
    "jilla",
    "city",
    "town",
    "tehsil",
    "taluka",
    "जिला",
    "जिले",
    "शहर",
    "तहसील",
];
/// Prepositions of place, and their Hindi kin that stand behind.
const BEFORE: &[&str] = &["in", "at", "from", "near", "of"];
const AFTER: &[&str] = &["में", "से", "के", "का", "की", "mein", "me", "se", "ke", "ka", "ki", "m"];
/// Letters that are also used alone for a state, where no place stands before them.
const COMMON_LETTERS: &[&str] = &["UP", "MP", "TN", "WB", "AP", "UK", "MH", "HP", "JK"];

/// A name in the text.
struct Hit {
    first: usize,
    count: usize,
    whose: Whose,
    meanings: Vec<Meaning>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Whose {
    Others,
    Unsaid,
    Own,
}

impl Hit {
    fn states(&self) -> impl Iterator<Item = StateCode> {
        self.meanings.iter().filter_map(|meaning| match meaning {
            Meaning::State(code) => Some(*code),
            Meaning::Place(_) | Meaning::NoPlace => None,
        })
    }

    fn places(&self) -> impl Iterator<Item = &'static Place> {
        self.meanings.iter().filter_map(|meaning| match meaning {
            Meaning::Place(place) => Some(*place),
            Meaning::State(_) | Meaning::NoPlace => None,
        })
    }

    /// The state that the hit leaves no doubt about.
    fn only_state(&self) -> Option<StateCode> {
        let mut all = self.states().chain(self.places().map(|place| place.state));
        let first = all.next()?;
        all.all(|state| state == first).then_some(first)
    }

    fn end(&self) -> usize {
        self.first + self.count
    }
}

pub(super) fn read(text: &str, words: &[Word]) -> Finding {
    let mut hits = names(text, words);
    drop_ordinary_words(text, words, &mut hits);
    say_whose(text, words, &mut hits);
    let Some(best) = hits.iter().map(|hit| hit.whose).max() else {
        return from_registration(text, words);
    };
    let considered: Vec<&Hit> = hits.iter().filter(|hit| hit.whose == best).collect();
    let Some(state) = one_state(&considered).or_else(|| helped_by_a_named_state(&considered, &hits)) else {
        let from_number = from_registration(text, words);
        return match from_number.state {
            Some(state) => decided(state, text, words, &considered),
            None => Finding {
                candidates: considered.iter().flat_map(|hit| hit.places()).collect(),
                words: said(text, words, &considered),
                ..Finding::default()
            },
        };
    };
    // "Unit at Bhosari. State: Maharashtra": the name of the state explains the place wherever it stands.
    let agreeing: Vec<&Hit> = hits
        .iter()
        .filter(|hit| hit.whose == best || (hit.whose != Whose::Others && hit.only_state() == Some(state)))
        .collect();
    decided(state, text, words, &agreeing)
}

/// The names in the order of the text, not overlapping; the letters of a state count beside a place.
fn names(text: &str, words: &[Word]) -> Vec<Hit> {
    let written_in_capitals = !text.chars().any(char::is_lowercase);
    let mut hits: Vec<Hit> = Vec::new();
    let mut at = 0;
    while let Some(rest) = words.get(at..).filter(|rest| !rest.is_empty()) {
        let after_a_place = hits.last().is_some_and(|hit| hit.end() == at && hit.places().next().is_some());
        let found = longest(rest).or_else(|| {
            let (count, state) = jammu_and_kashmir(text, rest)
                .or_else(|| letters(text, words, at, after_a_place, written_in_capitals).map(|state| (1, state)))?;
            Some((count, vec![Meaning::State(state)]))
        });
        let Some((count, meanings)) = found else {
            at += 1;
            continue;
        };
        hits.push(Hit { first: at, count, whose: Whose::Unsaid, meanings });
        at += count;
    }
    hits.retain(|hit| !hit.meanings.iter().any(|meaning| matches!(meaning, Meaning::NoPlace)));
    hits
}

/// "J&K" and "J & K": two words of one letter, so the sign between them has to be looked at.
fn jammu_and_kashmir(text: &str, rest: &[Word]) -> Option<(usize, StateCode)> {
    let (j, k) = (rest.first()?, rest.get(1)?);
    let written = j.folded == "j" && k.folded == "k" && text.get(j.at.end..k.at.start)?.trim() == "&";
    written.then(|| StateCode::parse("JK")).flatten().map(|state| (2, state))
}

/// Two capital letters as a state: after a place, or the common ones after "in", "from" and the like.
fn letters(text: &str, words: &[Word], at: usize, after_a_place: bool, written_in_capitals: bool) -> Option<StateCode> {
    let written = text.get(words.get(at)?.at.clone())?;
    if written.len() != 2 || !written.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return None;
    }
    let after_a_preposition = at
        .checked_sub(1)
        .and_then(|before| words.get(before))
        .is_some_and(|word| BEFORE.contains(&word.folded.as_str()));
    let common = COMMON_LETTERS.contains(&written) && after_a_preposition && !written_in_capitals;
    (after_a_place || common).then(|| StateCode::parse(written)).flatten()
}

/// Drops names that are also ordinary words, unless something beside them shows a place.
fn drop_ordinary_words(text: &str, words: &[Word], hits: &mut Vec<Hit>) {
    let named: Vec<(usize, StateCode)> =
        hits.iter().flat_map(|hit| hit.states().map(|state| (hit.first, state))).collect();
    hits.retain(|hit| {
        let doubtful = hit.states().next().is_none()
            && hit.places().all(|place| place.also_a_word && is_its_own_name(place, hit, words));
        if !doubtful {
            return true;
        }
        let before = hit.first.checked_sub(1).and_then(|at| words.get(at)).map_or("", |word| word.folded.as_str());
        let after = words.get(hit.end()).map_or("", |word| word.folded.as_str());
        let capital = words
            .get(hit.first)
            .and_then(|word| text.get(word.at.clone()))
            .is_some_and(|word| word.starts_with(|c: char| c.is_uppercase()));
        let latin = words.get(hit.first).is_some_and(|word| word.folded.is_ascii());
        let state_beside =
            named.iter().any(|(at, state)| *at == hit.end() && hit.places().any(|place| place.state == *state));
        let state_anywhere = named.iter().any(|(_, state)| hit.places().any(|place| place.state == *state));
        let shown_by_a_word = PLACE_WORDS.contains(&before) || PLACE_WORDS.contains(&after);
        let shown_by_grammar = (capital && BEFORE.contains(&before))
            || (state_anywhere && (capital || !latin) && (AFTER.contains(&after) || BEFORE.contains(&before)));
        state_beside || shown_by_a_word || shown_by_grammar
    });
}

/// True when the words are the place's name or Hindi name; an alias such as "Bodh Gaya" is no ordinary word.
fn is_its_own_name(place: &Place, hit: &Hit, words: &[Word]) -> bool {
    let written = words.get(hit.first..hit.end()).unwrap_or_default();
    [&place.name].into_iter().chain(&place.hindi).any(|name| {
        let name = crate::insight::words::folded_words(name);
        name.len() == written.len() && name.iter().zip(written).all(|(name, word)| *name == word.folded)
    })
}

/// Reads off the words around each name, in its sentence, whose place it is; the nearer word decides, one before the name
/// when both are as near.
fn say_whose(text: &str, words: &[Word], hits: &mut [Hit]) {
    let bounds: Vec<(usize, usize)> = hits.iter().map(|hit| (hit.first, hit.end())).collect();
    for (index, hit) in hits.iter_mut().enumerate() {
        let previous = index.checked_sub(1).and_then(|before| bounds.get(before)).map_or(0, |(_, end)| *end);
        let next = bounds.get(index + 1).map_or(words.len(), |(first, _)| *first);
        let before = words.get(previous..hit.first).unwrap_or_default();
        let after = words.get(hit.end()..next).unwrap_or_default();
        let mut near: Vec<(usize, &str)> = Vec::with_capacity(2 * NEAR);
        let mut edge = words.get(hit.first).map_or(0, |word| word.at.start);
        for (far, word) in before.iter().rev().enumerate().take(NEAR) {
            if ends_a_sentence(text.get(word.at.end..edge)) {
                break;
            }
            near.push((2 * far, &word.folded));
            edge = word.at.start;
        }
        let mut edge = words.get(hit.end() - 1).map_or(0, |word| word.at.end);
        for (far, word) in after.iter().enumerate().take(NEAR) {
            // A comma ends what is said of the name before it, but not what was begun before: "unit at Bhosari, Pune".
            let gap = text.get(edge..word.at.start);
            if ends_a_sentence(gap) || gap.is_some_and(|gap| gap.contains(',')) {
                break;
            }
            near.push((2 * far + 1, &word.folded));
            edge = word.at.end;
        }
        let said = |list: &[&str]| near.iter().filter(|(_, word)| list.contains(word)).map(|(far, _)| *far).min();
        hit.whose = match (said(OWN), said(OTHERS)) {
            (Some(own), Some(others)) if others < own => Whose::Others,
            (Some(_), _) => Whose::Own,
            (None, Some(_)) => Whose::Others,
            (None, None) => Whose::Unsaid,
        };
    }
}

fn ends_a_sentence(gap: Option<&str>) -> bool {
    gap.is_some_and(|gap| gap.contains(['.', '!', '?', ';', '।', '\n']))
}

/// The one state that all these names allow.
fn one_state(hits: &[&Hit]) -> Option<StateCode> {
    let mut allowed: Option<Vec<StateCode>> = None;
    for hit in hits {
        let means: Vec<StateCode> = hit.states().chain(hit.places().map(|place| place.state)).collect();
        allowed = Some(match allowed {
            None => means,
            Some(before) => before.into_iter().filter(|state| means.contains(state)).collect(),
        });
    }
    let mut allowed = allowed?;
    allowed.sort();
    allowed.dedup();
    match allowed.as_slice() {
        [state] => Some(*state),
        _ => None,
    }
}

/// An ambiguous name is explained by a state named elsewhere in the text.
fn helped_by_a_named_state(considered: &[&Hit], all: &[Hit]) -> Option<StateCode> {
    let mut named = all.iter().filter(|hit| hit.whose != Whose::Others).flat_map(Hit::states).filter(|state| {
        considered
            .iter()
            .all(|hit| hit.states().chain(hit.places().map(|place| place.state)).any(|means| means == *state))
    });
    let first = named.next()?;
    named.all(|state| state == first).then_some(first)
}

/// An Udyam number carries its state's letters: `UDYAM-MH-26-0012345`.
fn from_registration(text: &str, words: &[Word]) -> Finding {
    let number = words.windows(4).filter(|four| is_udyam_number(four)).find_map(|four| match four {
        [name, letters, _, serial] => {
            Some((StateCode::parse(&letters.folded)?, text.get(name.at.start..serial.at.end)?))
        }
        _ => None,
    });
    number.map_or_else(Finding::default, |(state, written)| Finding {
        state: Some(state),
        words: vec![written.to_owned()],
        ..Finding::default()
    })
}

fn decided(state: StateCode, text: &str, words: &[Word], hits: &[&Hit]) -> Finding {
    let in_state: Vec<&Hit> = hits
        .iter()
        .copied()
        .filter(|hit| hit.states().any(|code| code == state) || hit.places().any(|place| place.state == state))
        .collect();
    let mut by_whose = in_state.clone();
    by_whose.sort_by_key(|hit| std::cmp::Reverse(hit.whose));
    let named: Vec<&'static Place> =
        by_whose.iter().filter_map(|hit| hit.places().find(|place| place.state == state)).collect();
    // "Rampur, district Saharanpur": who says district means it. "Pune, Bhosari": both name one district, the town says more.
    // Otherwise the first place named, the writer's own before the others.
    let first = called_a_district(words, &in_state, state).or_else(|| named.first().copied());
    let place = first.map(|first| {
        named
            .iter()
            .copied()
            .find(|place| place.district == first.district && place.name != place.district)
            .unwrap_or(first)
    });
    Finding {
        state: Some(state),
        district: place.map(|place| place.district.as_str()),
        place: place.map(|place| place.name.as_str()),
        words: said(text, words, &in_state),
        candidates: Vec::new(),
    }
}

/// The district that the text calls one: "district Saharanpur", else "Saharanpur district".
fn called_a_district(words: &[Word], hits: &[&Hit], state: StateCode) -> Option<&'static Place> {
    let says_district = |at: Option<usize>| {
        at.and_then(|at| words.get(at)).is_some_and(|word| DISTRICT.contains(&word.folded.as_str()))
    };
    let district = |hit: &&Hit| hit.places().find(|place| place.state == state && place.name == place.district);
    let before = hits.iter().filter(|hit| says_district(hit.first.checked_sub(1))).find_map(district);
    before.or_else(|| hits.iter().filter(|hit| says_district(Some(hit.end()))).find_map(district))
}

fn said(text: &str, words: &[Word], hits: &[&Hit]) -> Vec<String> {
    hits.iter()
        .filter_map(|hit| Some(text.get(words.get(hit.first)?.at.start..words.get(hit.end() - 1)?.at.end)?.to_owned()))
        .collect()
}

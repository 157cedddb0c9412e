//! The 36 states and union territories: codes, names, zones and the letters and digits that registrations carry.
//!
//! Source of the table: `states.csv`. A code is two letters as in an Udyam number of today (`MH`, `OD`, `TS`); older letters are aliases.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

static STATES: LazyLock<Vec<State>> = LazyLock::new(|| {
    let mut reader = csv::ReaderBuilder::new().comment(Some(b'#')).from_reader(include_str!("states.csv").as_bytes());
    reader.deserialize::<Line>().filter_map(Result::ok).filter_map(Line::into_state).collect()
});

/// The code of a state or union territory: two capital letters, one of the 36.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct StateCode([u8; 2]);

impl StateCode {
    /// Reads a code or one of its older spellings (`OR`, `TG`, `ua`). `None` for letters that name no state.
    #[must_use]
    pub fn parse(letters: &str) -> Option<Self> {
        let letters = letters.trim();
        states()
            .iter()
            .find(|state| state.letters.iter().any(|one| one.eq_ignore_ascii_case(letters)))
            .map(|state| state.code)
    }

    /// The two letters of today.
    #[must_use]
    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The state's row.
    #[must_use]
    pub fn state(self) -> Option<&'static State> {
        states().iter().find(|state| state.code == self)
    }
}

impl std::fmt::Debug for StateCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::fmt::Display for StateCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Letters that name no state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not the code of a state or union territory")]
pub struct UnknownState(String);

impl TryFrom<String> for StateCode {
    type Error = UnknownState;

    fn try_from(letters: String) -> Result<Self, UnknownState> {
        Self::parse(&letters).ok_or(UnknownState(letters))
    }
}

impl From<StateCode> for String {
    fn from(code: StateCode) -> Self {
        code.as_str().to_owned()
    }
}

/// A state or union territory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// Its code.
    pub code: StateCode,
    /// Its name in English.
    pub english: String,
    /// Its name in Hindi.
    pub hindi: String,
    /// The zone that its control rooms are shown under.
    pub zone: Zone,
    /// Two digits that open a GST number registered there: today's first, then older ones.
    pub gst: Vec<String>,
    /// Two letters seen in registration numbers: today's first.
    pub letters: Vec<String>,
    /// Other names people write.
    pub aliases: Vec<String>,
}

/// A group of states, after the zonal councils.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Zone {
    Northern,
    Central,
    Eastern,
    Western,
    Southern,
    NorthEastern,
}

impl Zone {
    /// The word that stands for the zone in data and addresses: `north-eastern`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Northern => "northern",
            Self::Central => "central",
            Self::Eastern => "eastern",
            Self::Western => "western",
            Self::Southern => "southern",
            Self::NorthEastern => "north-eastern",
        }
    }
}

/// All states and union territories, ordered by code.
#[must_use]
pub fn states() -> &'static [State] {
    &STATES
}

#[derive(Deserialize)]
struct Line {
    code: String,
    english: String,
    hindi: String,
    zone: Zone,
    gst: String,
    letters: String,
    aliases: String,
}

impl Line {
    fn into_state(self) -> Option<State> {
        // The table itself says which codes there are, so a code is not looked up here.
        let code = StateCode(
            self.code
                .as_bytes()
                .try_into()
                .ok()
                .filter(|letters: &[u8; 2]| letters.iter().all(u8::is_ascii_uppercase))?,
        );
        let several = |cell: &str| listed(cell).map(str::to_owned).collect();
        Some(State {
            code,
            english: self.english,
            hindi: self.hindi,
            zone: self.zone,
            gst: several(&self.gst),
            letters: several(&self.letters),
            aliases: several(&self.aliases),
        })
    }
}

/// The parts of a cell that holds several, `|` between them.
pub(super) fn listed(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('|').map(str::trim).filter(|part| !part.is_empty())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn there_are_thirty_six_and_nothing_is_said_twice() {
        assert_eq!(states().len(), 36);
        assert!(states().is_sorted_by_key(|state| state.code));
        for part in [|state: &State| state.letters.clone(), |state: &State| state.gst.clone()] {
            let all: Vec<_> = states().iter().flat_map(part).collect();
            assert_eq!(all.len(), all.iter().collect::<HashSet<_>>().len(), "{all:?}");
        }
        for state in states() {
            assert_eq!(state.letters.first().map(String::as_str), Some(state.code.as_str()));
            assert!(
                state.gst.iter().all(|digits| digits.len() == 2 && digits.bytes().all(|b| b.is_ascii_digit())),
                "{state:?}"
            );
            assert!(state.hindi.chars().any(|c| ('\u{0900}'..='\u{097F}').contains(&c)), "{state:?}");
        }
    }

    #[test]
    fn old_and_new_letters_are_one_state() {
        for (letters, code) in [
            ("MH", "MH"),
            ("OR", "OD"),
            ("od", "OD"),
            ("UT", "UK"),
            ("UA", "UK"),
            ("CT", "CG"),
            (" TG ", "TS"),
            ("DD", "DH"),
        ] {
            assert_eq!(StateCode::parse(letters).map(String::from).as_deref(), Some(code), "{letters}");
        }
        assert_eq!(StateCode::parse("XX"), None);
        assert_eq!(StateCode::parse(""), None);
    }
}

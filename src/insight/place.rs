//! Where a text says the unit is: state, district and town, by the gazetteer in `places.csv` and the names in `states.csv`.
//!
//! Names match whole words, the longest first ("Bank of Baroda" is no place, "Kanpur Dehat" is not Kanpur). A name in two states says no
//! state unless the text does. Of several places the one that the words around it call the writer's own wins over a neutral mention, and
//! that over the place of a buyer, a court or a head office. What stays in doubt is left out and offered as candidates.

mod gazetteer;
mod reading;

pub use gazetteer::{Place, districts, places};

use super::{state::StateCode, words::words};

/// What a text says of its place.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Finding {
    /// The state, when it is certain.
    pub state: Option<StateCode>,
    /// The district, when the text names it or a town in it and the state is certain.
    pub district: Option<&'static str>,
    /// The town or district named.
    pub place: Option<&'static str>,
    /// The words that decided, as the text has them.
    pub words: Vec<String>,
    /// What the text may mean when it left the state open: Bilaspur in Chhattisgarh or in Himachal Pradesh.
    pub candidates: Vec<&'static Place>,
}

/// Finds the place in a text. Nothing is found in a text that names none.
#[must_use]
pub fn find(text: &str) -> Finding {
    reading::read(text, &words(text))
}

#[cfg(test)]
mod tests;

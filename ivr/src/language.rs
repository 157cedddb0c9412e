//! The languages a caller can be spoken to in today. A new one is a variant here, a folder of texts and a folder of
//! sounds.

use serde::{Deserialize, Serialize};

/// A language with a full set of prompts and texts. Stored as its BCP-47 tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Language {
    /// English as spoken in India.
    #[serde(rename = "en")]
    English,
    /// Hindi in Devanagari.
    #[serde(rename = "hi")]
    Hindi,
}

impl Language {
    /// Every language, in the order in which the menu offers them (key 1, key 2, …).
    pub const ALL: [Self; 2] = [Self::Hindi, Self::English];

    /// Where nothing is known of the caller: the language that most callers of the line understand.
    pub const DEFAULT: Self = Self::Hindi;

    /// The BCP-47 tag, also the name of the folder of texts and sounds.
    #[must_use]
    pub fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Hindi => "hi",
        }
    }

    /// Reads a BCP-47 tag; region and script are ignored (`hi-IN` is Hindi). `None` for a language without prompts.
    #[must_use]
    pub fn from_tag(tag: &str) -> Option<Self> {
        let primary = tag.split(['-', '_']).next()?.to_ascii_lowercase();
        Self::ALL.into_iter().find(|language| language.tag() == primary)
    }

    /// Guesses from the script of a written text: Devanagari is Hindi, Latin letters are English, and `None` when
    /// neither leads (digits or signs alone, or another script). Hindi in Latin letters counts as English: the answer
    /// is readable to its writer, and LANGUAGE changes it.
    #[must_use]
    pub fn of_script(text: &str) -> Option<Self> {
        let (mut devanagari, mut latin) = (0_usize, 0_usize);
        for c in text.chars() {
            match c {
                '\u{0900}'..='\u{097F}' if !is_devanagari_sign(c) => devanagari += 1,
                'a'..='z' | 'A'..='Z' => latin += 1,
                _ => {}
            }
        }
        match devanagari.cmp(&latin) {
            std::cmp::Ordering::Greater => Some(Self::Hindi),
            std::cmp::Ordering::Less => Some(Self::English),
            std::cmp::Ordering::Equal => None,
        }
    }
}

/// Devanagari digits and the danda stand in texts of several languages and say nothing about this one.
fn is_devanagari_sign(c: char) -> bool {
    matches!(c, '\u{0964}'..='\u{096F}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_read_with_or_without_region() {
        assert_eq!(Language::from_tag("hi-IN"), Some(Language::Hindi));
        assert_eq!(Language::from_tag("EN"), Some(Language::English));
        assert_eq!(Language::from_tag("ta"), None);
        assert_eq!(Language::from_tag(""), None);
    }

    #[test]
    fn the_script_tells_the_language() {
        assert_eq!(Language::of_script("मेरे बैंक ने loan मना किया"), Some(Language::Hindi));
        assert_eq!(Language::of_script("Bank ne mana kiya"), Some(Language::English));
        assert_eq!(Language::of_script("९८७ 12 🙏"), None);
        assert_eq!(Language::of_script("வங்கி"), None);
    }
}

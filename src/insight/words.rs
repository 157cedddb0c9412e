//! Words of a text, folded so that the usual spellings of one word are equal.
//!
//! Folding: lower case; Devanagari without nukta (ज़िला = जिला), with anusvara for chandrabindu and for a nasal before its own consonant
//! (मुम्बई = मुंबई, हिन्दी = हिंदी), and with Western digits. Joiners are dropped.

use std::ops::Range;

/// A word as it is compared, and where it stands in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    /// The folded form.
    pub folded: String,
    /// Byte range in the text.
    pub at: Range<usize>,
}

/// Splits a text into words. A word is a run of letters, digits and Devanagari signs; everything else separates.
pub(super) fn words(text: &str) -> Vec<Word> {
    let mut found = Vec::new();
    let mut start = None;
    for (at, character) in text.char_indices() {
        match (belongs(character), start) {
            (true, None) => start = Some(at),
            (false, Some(from)) => {
                found.extend(word(text, from..at));
                start = None;
            }
            (true, Some(_)) | (false, None) => {}
        }
    }
    if let Some(from) = start {
        found.extend(word(text, from..text.len()));
    }
    found
}

/// The folded words alone, for names and rules.
pub(super) fn folded_words(text: &str) -> Vec<String> {
    words(text).into_iter().map(|word| word.folded).collect()
}

/// Whether four words are an Udyam number: `UDYAM-MH-26-0012345`.
pub(super) fn is_udyam_number(words: &[Word]) -> bool {
    let digits =
        |word: &Word, count: usize| word.folded.len() == count && word.folded.bytes().all(|b| b.is_ascii_digit());
    let letters = |word: &Word| word.folded.len() == 2 && word.folded.bytes().all(|b| b.is_ascii_lowercase());
    match words {
        [name, state, district, serial] => {
            name.folded == "udyam" && letters(state) && digits(district, 2) && digits(serial, 7)
        }
        _ => false,
    }
}

fn word(text: &str, at: Range<usize>) -> Option<Word> {
    let folded = fold(text.get(at.clone())?);
    (!folded.is_empty()).then_some(Word { folded, at })
}

fn belongs(character: char) -> bool {
    match character {
        '\u{0964}' | '\u{0965}' => false, // danda and double danda are full stops
        '\u{0900}'..='\u{097F}' | '\u{200C}' | '\u{200D}' => true,
        other => other.is_alphanumeric(),
    }
}

fn fold(word: &str) -> String {
    let mut folded: Vec<char> = Vec::with_capacity(word.len());
    for character in word.chars() {
        match character {
            '\u{093C}' | '\u{200C}' | '\u{200D}' => {}
            '\u{0901}' => folded.push('\u{0902}'),
            '\u{0958}'..='\u{095F}' => folded.push(without_nukta(character)),
            '०'..='९' => folded.extend(char::from_digit(u32::from(character) - u32::from('०'), 10)),
            _ if character.is_ascii() => folded.push(character.to_ascii_lowercase()),
            _ => folded.extend(character.to_lowercase()),
        }
    }
    with_anusvara(&folded)
}

fn without_nukta(character: char) -> char {
    match character {
        '\u{0958}' => 'क',
        '\u{0959}' => 'ख',
        '\u{095A}' => 'ग',
        '\u{095B}' => 'ज',
        '\u{095C}' => 'ड',
        '\u{095D}' => 'ढ',
        '\u{095E}' => 'फ',
        _ => 'य',
    }
}

/// Writes a nasal and virama before a consonant of the nasal's own row as anusvara.
fn with_anusvara(characters: &[char]) -> String {
    const VIRAMA: char = '\u{094D}';
    let mut out = String::with_capacity(characters.len() * 3);
    let mut rest = characters;
    while let [first, tail @ ..] = rest {
        rest = tail;
        if let [second, third, ..] = tail
            && *second == VIRAMA
            && row(*first).is_some_and(|consonants| consonants.contains(third))
        {
            out.push('\u{0902}');
            rest = tail.split_first().map_or(&[], |(_, after)| after);
        } else {
            out.push(*first);
        }
    }
    out
}

/// The stops that a nasal consonant shares its place of articulation with.
fn row(nasal: char) -> Option<[char; 4]> {
    Some(match nasal {
        'ङ' => ['क', 'ख', 'ग', 'घ'],
        'ञ' => ['च', 'छ', 'ज', 'झ'],
        'ण' => ['ट', 'ठ', 'ड', 'ढ'],
        'न' => ['त', 'थ', 'द', 'ध'],
        'म' => ['प', 'फ', 'ब', 'भ'],
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_at_punctuation_and_keeps_positions() {
        let text = "Unit in Pune-based cluster। पुणे!";
        let found = words(text);
        assert_eq!(
            found.iter().map(|w| w.folded.as_str()).collect::<Vec<_>>(),
            ["unit", "in", "pune", "based", "cluster", "पुणे"]
        );
        assert_eq!(&text[found[5].at.clone()], "पुणे");
        assert!(words("").is_empty() && words("🙂 — …").is_empty());
    }

    #[test]
    fn spellings_of_one_word_are_equal() {
        for (one, other) in [
            ("मुम्बई", "मुंबई"),
            ("ज़िला", "जिला"),
            ("ज\u{093C}िला", "\u{095B}िला"),
            ("हिन्दी", "हिंदी"),
            ("चण्डीगढ़", "चंडीगढ"),
            ("रांची", "राँची"),
            ("PUNE", "pune"),
            ("२०२६", "2026"),
            ("इन्\u{200D}दौर", "इंदौर"),
        ] {
            assert_eq!(folded_words(one), folded_words(other), "{one} and {other}");
        }
        assert_ne!(folded_words("जन्म"), folded_words("जंम"), "a nasal before another nasal stays");
    }
}

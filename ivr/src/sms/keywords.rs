//! Words that mean something to the SMS dialogue, in English, in Hindi, and in Hindi written with Latin letters.

use crate::language::Language;

/// What a first word asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keyword {
    Status,
    Add,
    Help,
    Stop,
    Start,
    Language,
}

const KEYWORDS: [(Keyword, &[&str]); 6] = [
    (Keyword::Status, &["status", "track", "sthiti", "stithi", "sthithi", "haal", "स्थिति", "स्थिती", "हाल"]),
    (Keyword::Add, &["add", "jodo", "joden", "jodein", "jode", "jod", "जोड़ें", "जोड़े", "जोड़ो", "जोड़"]),
    (Keyword::Help, &["help", "info", "madad", "sahayata", "मदद", "सहायता"]),
    (Keyword::Stop, &["stop", "unsubscribe", "stopall", "band", "roko", "बंद", "बन्द", "रोको", "रोकें"]),
    (Keyword::Start, &["start", "unstop", "shuru", "chalu", "शुरू", "शुरु", "चालू"]),
    (Keyword::Language, &["language", "lang", "bhasha", "भाषा"]),
];

const LANGUAGES: [(Language, &[&str]); 2] = [
    (Language::English, &["english", "angrezi", "अंग्रेज़ी", "अंग्रेजी", "इंग्लिश"]),
    (Language::Hindi, &["hindi", "हिंदी", "हिन्दी"]),
];

/// Words around a keyword or a number that say nothing more.
const COURTESY: &[&str] = &[
    "please",
    "pls",
    "plz",
    "kindly",
    "sir",
    "madam",
    "the",
    "of",
    "for",
    "my",
    "our",
    "is",
    "what",
    "case",
    "number",
    "no",
    "complaint",
    "grievance",
    "batao",
    "bataye",
    "bataiye",
    "bataen",
    "kya",
    "hai",
    "mera",
    "meri",
    "mere",
    "ka",
    "ki",
    "ke",
    "कृपया",
    "बताओ",
    "बताएँ",
    "बताएं",
    "बताइए",
    "बताइये",
    "क्या",
    "है",
    "मेरा",
    "मेरी",
    "मेरे",
    "का",
    "की",
    "के",
    "केस",
    "मामला",
    "मामले",
    "शिकायत",
    "नंबर",
];

/// Words that open or close a talk and are no grievance.
const GREETINGS: &[&str] = &[
    "hi",
    "hello",
    "hey",
    "ok",
    "okay",
    "yes",
    "no",
    "thanks",
    "thank",
    "you",
    "good",
    "morning",
    "evening",
    "sir",
    "madam",
    "namaste",
    "namaskar",
    "dhanyavad",
    "shukriya",
    "नमस्ते",
    "नमस्कार",
    "धन्यवाद",
    "शुक्रिया",
    "हेलो",
    "जी",
    "हाँ",
    "हां",
    "ठीक",
];

impl Keyword {
    /// Reads a word; case, punctuation around it and ways of writing a nukta do not matter.
    pub(super) fn of(word: &str) -> Option<Self> {
        find(&KEYWORDS, word)
    }
}

/// The language whose name a word is.
pub(super) fn language_name(word: &str) -> Option<Language> {
    find(&LANGUAGES, word)
}

/// Whether a text says nothing besides politeness. An empty one does not.
pub(super) fn is_courtesy(text: &str) -> bool {
    all_words_in(text, COURTESY)
}

/// Whether a text is a greeting or thanks and nothing else. An empty one is not.
pub(super) fn is_greeting(text: &str) -> bool {
    text.chars().any(char::is_alphabetic) && all_words_in(text, GREETINGS)
}

fn find<T: Copy>(table: &[(T, &[&str])], word: &str) -> Option<T> {
    let word = normal(word);
    table.iter().find(|(_, names)| names.iter().any(|name| normal(name) == word)).map(|(meaning, _)| *meaning)
}

fn all_words_in(text: &str, words: &[&str]) -> bool {
    text.split_whitespace()
        .map(normal)
        .filter(|word| !word.is_empty())
        .all(|word| words.iter().any(|known| normal(known) == word))
}

/// Small letters, no punctuation, no joiners, and letters with a nukta as their base letter: `ड़` is written in two
/// ways, and often without its dot.
fn normal(word: &str) -> String {
    word.chars()
        .filter(|c| c.is_alphanumeric() || is_devanagari_mark(*c))
        .map(|c| match c {
            '\u{0958}' => 'क',
            '\u{0959}' => 'ख',
            '\u{095A}' => 'ग',
            '\u{095B}' => 'ज',
            '\u{095C}' => 'ड',
            '\u{095D}' => 'ढ',
            '\u{095E}' => 'फ',
            // Chandrabindu and anusvara are often written for one another.
            '\u{0901}' => '\u{0902}',
            c => c,
        })
        .flat_map(char::to_lowercase)
        .collect()
}

/// Vowel signs, virama and nasal signs, but not the nukta (U+093C).
fn is_devanagari_mark(c: char) -> bool {
    matches!(c, '\u{0900}'..='\u{0903}' | '\u{093E}'..='\u{094F}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_keyword_is_known_in_both_languages_and_scripts() {
        for word in ["STATUS", "Status:", "स्थिति", "sthiti", "“status”"] {
            assert_eq!(Keyword::of(word), Some(Keyword::Status), "{word}");
        }
        // The same letter in its two spellings, and without its dot.
        for word in ["जो\u{0921}\u{093C}ें", "जो\u{095C}ें", "जोडें", "ADD"] {
            assert_eq!(Keyword::of(word), Some(Keyword::Add), "{word}");
        }
        assert_eq!(Keyword::of("बन्द"), Some(Keyword::Stop));
        assert_eq!(Keyword::of("bank"), None);
        assert_eq!(Keyword::of(""), None);
    }

    #[test]
    fn a_language_is_known_by_its_names() {
        assert_eq!(language_name("हिन्दी"), Some(Language::Hindi));
        assert_eq!(language_name("अंग्रेज़ी"), Some(Language::English));
        assert_eq!(language_name("tamil"), None);
    }

    #[test]
    fn politeness_is_no_grievance() {
        assert!(is_courtesy("of my case please?"));
        assert!(!is_courtesy("of my loan"));
        assert!(is_greeting("Hello sir!"));
        assert!(!is_greeting("🙏"));
    }
}

//! The language of a text, guessed from its script and, in Latin letters, from a few words.
//!
//! A guess for choosing the language of an answer, not a finding: a script that several languages share is given to the most spoken one
//! unless letters or words of another stand out.

use super::words::words;

/// Hindi and English words in Latin letters that hardly occur in the other language.
const HINDI_IN_LATIN: &[&str] = &[
    "hai", "hain", "nahi", "nahin", "mera", "meri", "mere", "mujhe", "hum", "humko", "hamara", "hamari", "hamare",
    "aur", "ka", "ki", "ke", "ko", "se", "mein", "ne", "kya", "kab", "kaise", "kyon", "kyu", "kripya", "kripaya",
    "paisa", "paise", "raha", "rahi", "rahe", "diya", "gaya", "gayi", "karo", "kare", "karein", "karna", "chahiye",
    "bahut", "abhi", "tak", "liye", "wala", "wale", "sahayata", "madad", "ji", "namaste", "namaskar", "ho", "tha",
    "thi", "par", "bhi", "yojana", "shikayat",
];
const MARATHI: &[&str] = &[
    "आहे",
    "आहेत",
    "नाही",
    "माझे",
    "माझी",
    "माझा",
    "माझ्या",
    "आम्ही",
    "आमचे",
    "आमची",
    "आमच्या",
    "मला",
    "आणि",
    "झाले",
    "झाली",
    "पाहिजे",
    "होते",
    "केले",
];

/// The BCP-47 tag that fits a text best: `en`, `hi`, `hi-Latn` for Hindi in Latin letters, or the tag of another Indian language. `None`
/// when the text has no letters that decide.
#[must_use]
pub fn guess(text: &str) -> Option<&'static str> {
    let mut counts = [0_usize; SCRIPTS.len()];
    for script in text.chars().filter_map(script_of) {
        if let Some(count) = counts.get_mut(script) {
            *count += 1;
        }
    }
    let (script, count) =
        counts.iter().enumerate().max_by_key(|(script, count)| (**count, std::cmp::Reverse(*script)))?;
    if *count == 0 {
        return None;
    }
    match SCRIPTS.get(script)?.tag {
        "en" if is_hindi_in_latin(text) => Some("hi-Latn"),
        "hi" if says(text, MARATHI) > 1 => Some("mr"),
        // These two letters are Assamese alone.
        "bn" if text.contains(['ৰ', 'ৱ']) => Some("as"),
        tag => Some(tag),
    }
}

/// The language alone, without script or region: `hi` for `hi-Latn`.
#[must_use]
pub fn base(tag: &str) -> &str {
    tag.split_once('-').map_or(tag, |(language, _)| language)
}

/// A block of letters and the language that it most likely writes here.
struct Script {
    first: char,
    last: char,
    tag: &'static str,
}

const fn script(first: char, last: char, tag: &'static str) -> Script {
    Script { first, last, tag }
}

// Unicode blocks, from https://www.unicode.org/Public/UNIDATA/Blocks.txt
const SCRIPTS: [Script; 14] = [
    script('\u{0041}', '\u{024F}', "en"),
    script('\u{0900}', '\u{097F}', "hi"),
    script('\u{0980}', '\u{09FF}', "bn"),
    script('\u{0A00}', '\u{0A7F}', "pa"),
    script('\u{0A80}', '\u{0AFF}', "gu"),
    script('\u{0B00}', '\u{0B7F}', "or"),
    script('\u{0B80}', '\u{0BFF}', "ta"),
    script('\u{0C00}', '\u{0C7F}', "te"),
    script('\u{0C80}', '\u{0CFF}', "kn"),
    script('\u{0D00}', '\u{0D7F}', "ml"),
    script('\u{0600}', '\u{06FF}', "ur"),
    script('\u{0750}', '\u{077F}', "ur"),
    script('\u{ABC0}', '\u{ABFF}', "mni"),
    script('\u{1C50}', '\u{1C7F}', "sat"),
];

fn script_of(character: char) -> Option<usize> {
    if !character.is_alphabetic() {
        return None;
    }
    SCRIPTS.iter().position(|script| (script.first..=script.last).contains(&character))
}

/// Two Hindi words, and at least every sixth word one: "ki" or "ho" may stand in an English text by chance.
fn is_hindi_in_latin(text: &str) -> bool {
    let hindi = says(text, HINDI_IN_LATIN);
    hindi >= 2 && hindi * 6 >= words(text).len()
}

fn says(text: &str, list: &[&str]) -> usize {
    words(text).iter().filter(|word| list.contains(&word.folded.as_str())).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_scripts_apart() {
        for (text, tag) in [
            ("My bank refused my working capital loan, unit in Pune", "en"),
            ("बैंक ने ऋण नहीं दिया", "hi"),
            ("बँकेने कर्ज दिले नाही, माझी कंपनी पुण्यात आहे", "mr"),
            ("ব্যাংক ঋণ দেয়নি", "bn"),
            ("বেংকে ঋণ দিয়া নাই, মোৰ কাৰখানা", "as"),
            ("ਬੈਂਕ ਨੇ ਕਰਜ਼ਾ ਨਹੀਂ ਦਿੱਤਾ", "pa"),
            ("બેંકે લોન આપી નથી", "gu"),
            ("ବ୍ୟାଙ୍କ ଋଣ ଦେଲା ନାହିଁ", "or"),
            ("வங்கி கடன் தரவில்லை", "ta"),
            ("బ్యాంకు రుణం ఇవ్వలేదు", "te"),
            ("ಬ್ಯಾಂಕ್ ಸಾಲ ನೀಡಿಲ್ಲ", "kn"),
            ("ബാങ്ക് വായ്പ നൽകിയില്ല", "ml"),
            ("بینک نے قرض نہیں دیا", "ur"),
            ("ꯕꯦꯡꯛ", "mni"),
            ("ᱵᱮᱸᱠ", "sat"),
        ] {
            assert_eq!(guess(text), Some(tag), "{text}");
        }
    }

    #[test]
    fn hindi_in_latin_letters_is_hindi() {
        assert_eq!(guess("bank loan nahi de raha hai, madad karo"), Some("hi-Latn"));
        assert_eq!(base("hi-Latn"), "hi");
        assert_eq!(base("en"), "en");
        assert_eq!(
            guess(
                "Please tell Ho and Ki that the loan of the unit in the estate was refused by the branch manager again"
            ),
            Some("en")
        );
    }

    #[test]
    fn the_script_of_most_letters_decides() {
        assert_eq!(guess("मेरा GST रिफंड अटका हुआ है"), Some("hi"));
        assert_eq!(guess("GST refund pending, नमस्ते"), Some("en"));
    }

    #[test]
    fn no_letters_no_guess() {
        for text in ["", "12345", "🙂🙂", "… — !", "Привет"] {
            assert_eq!(guess(text), None, "{text}");
        }
    }
}

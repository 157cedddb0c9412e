//! Who rings or writes: Indian mobile numbers in any spelling become one form, everything else is kept as it was given.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The other end of a call or an SMS. Shown by `Debug` with its digits hidden, since numbers never enter a log.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", content = "number", rename_all = "snake_case")]
pub enum Caller {
    /// An Indian mobile number in E.164, `+91` and ten digits of which the first is 6 to 9.
    Mobile(String),
    /// A landline, a foreign number or a short code, as the provider gave it (white space trimmed).
    Other(String),
    /// The number is withheld.
    Anonymous,
}

/// What providers write when a number is withheld. The digits are Twilio's: the words on a telephone's keypad.
const WITHHELD: [&str; 10] = [
    "",
    "anonymous",
    "restricted",
    "unknown",
    "unavailable",
    "private",
    "+266696687",
    "+7378742833",
    "+2562533",
    "+86282452253",
];

impl Caller {
    /// Reads a number in any of the spellings in use: `+91 98765 43210`, `0091…`, `09876543210`, `98765-43210`,
    /// `tel:+91…`.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let trimmed = text.trim();
        let bare = trimmed.strip_prefix("tel:").unwrap_or(trimmed);
        if WITHHELD.contains(&bare.to_ascii_lowercase().as_str()) {
            return Self::Anonymous;
        }
        match mobile_digits(bare) {
            Some(digits) => Self::Mobile(format!("+91{digits}")),
            None => Self::Other(bare.to_owned()),
        }
    }

    /// The number as it is stored and dialled; `None` when it is withheld.
    #[must_use]
    pub fn number(&self) -> Option<&str> {
        match self {
            Self::Mobile(number) | Self::Other(number) => Some(number),
            Self::Anonymous => None,
        }
    }

    /// Whether an SMS can be promised to this caller.
    #[must_use]
    pub fn takes_sms(&self) -> bool {
        matches!(self, Self::Mobile(_))
    }
}

impl fmt::Debug for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mobile(_) => "Mobile(…)",
            Self::Other(_) => "Other(…)",
            Self::Anonymous => "Anonymous",
        })
    }
}

/// The ten digits of an Indian mobile number, if `text` is one and nothing else.
fn mobile_digits(text: &str) -> Option<String> {
    let mut digits = String::with_capacity(14);
    for (at, c) in text.chars().enumerate() {
        match c {
            '0'..='9' => digits.push(c),
            '+' if at == 0 => {}
            ' ' | '-' | '.' | '(' | ')' | '\u{00A0}' => {}
            _ => return None,
        }
    }
    let has_plus = text.starts_with('+');
    let national = match (has_plus, digits.len()) {
        (_, 12) => digits.strip_prefix("91")?,
        (false, 10) => &digits,
        (false, 11) => digits.strip_prefix('0')?,
        (false, 13) => digits.strip_prefix("091")?,
        (false, 14) => digits.strip_prefix("0091")?,
        _ => return None,
    };
    national.starts_with(['6', '7', '8', '9']).then(|| national.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_spelling_of_a_mobile_number_is_one_caller() {
        for spelling in [
            "+919876543210",
            "+91 98765 43210",
            "00919876543210",
            "919876543210",
            "09876543210",
            "9876543210",
            "98765-43210",
            " (+91) 98765.43210 ",
            "tel:+919876543210",
            "0919876543210",
        ] {
            let spelling = spelling.replace("(+91)", "+91");
            assert_eq!(Caller::parse(&spelling), Caller::Mobile("+919876543210".into()), "{spelling}");
        }
    }

    #[test]
    fn what_is_no_mobile_number_is_kept_as_given() {
        for given in [
            "+911123063800",
            "011-23063800",
            "+14155550123",
            "1800",
            "sip:udyami@example.in",
            "5876543210",
            "+9198765",
            "98765x43210",
        ] {
            assert_eq!(Caller::parse(given), Caller::Other(given.into()), "{given}");
        }
    }

    #[test]
    fn a_withheld_number_is_anonymous() {
        for given in ["", "  ", "Anonymous", "RESTRICTED", "+266696687"] {
            assert_eq!(Caller::parse(given), Caller::Anonymous, "{given}");
        }
    }

    #[test]
    fn no_digit_reaches_a_log() {
        for caller in [Caller::parse("9876543210"), Caller::parse("01123063800")] {
            assert!(!format!("{caller:?}").contains(|c: char| c.is_ascii_digit()));
        }
    }

    proptest! {
        #[test]
        fn reading_never_fails_and_is_stable(text in ".{0,40}") {
            let once = Caller::parse(&text);
            if let Some(number) = once.number() {
                prop_assert_eq!(Caller::parse(number), once.clone());
            }
        }
    }
}

//! Case numbers as people write, type and say them.
//!
//! `GR` + 2-digit year + 7-digit serial + 1 check digit (Luhn over the nine digits before it), written
//! `GR26-0000123-0`. On a keypad or in an SMS the ten digits are enough; spaces, hyphens, dots, lower case, Devanagari
//! digits and a missing series are understood.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The five intakes, each of which counts by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Series {
    /// Grievances.
    Gr,
    /// Grievances from CPGRAMS and other portals.
    Cp,
    /// Ideas and collaboration.
    Co,
    /// The Ministry's own interventions.
    In,
    /// References from ministers and other dignitaries.
    Vi,
}

impl Series {
    /// All series in their fixed order.
    pub const ALL: [Self; 5] = [Self::Gr, Self::Cp, Self::Co, Self::In, Self::Vi];

    /// The two letters.
    #[must_use]
    pub fn letters(self) -> &'static str {
        match self {
            Self::Gr => "GR",
            Self::Cp => "CP",
            Self::Co => "CO",
            Self::In => "IN",
            Self::Vi => "VI",
        }
    }

    /// Reads the two letters, in any case.
    #[must_use]
    pub fn from_letters(letters: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|series| series.letters().eq_ignore_ascii_case(letters))
    }
}

/// The ten digits of a number whose check digit is right: year, serial, check digit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TenDigits([u8; 10]);

impl TenDigits {
    /// Puts year (last two digits) and serial together and works out the check digit. `None` outside 0–99 and
    /// 0–9,999,999.
    #[must_use]
    pub fn new(year: u8, serial: u32) -> Option<Self> {
        if year > 99 || serial > 9_999_999 {
            return None;
        }
        let nine = format!("{year:02}{serial:07}");
        let check = luhn(nine.bytes().map(|b| b - b'0'));
        Self::checked(&format!("{nine}{check}")).ok()
    }

    /// Each digit, 0 to 9, from left to right.
    #[must_use]
    pub fn digits(&self) -> [u8; 10] {
        self.0
    }

    fn checked(ten: &str) -> Result<Self, NumberError> {
        let mut digits = [0_u8; 10];
        let mut count = 0;
        for (place, b) in digits.iter_mut().zip(ten.bytes()) {
            *place = b.wrapping_sub(b'0');
            count += 1;
        }
        if count != 10 || ten.len() != 10 || digits.iter().any(|d| *d > 9) {
            return Err(NumberError::WrongLength { digits: ten.len() });
        }
        let (check, nine) = digits.split_last().unwrap_or((&0, &[]));
        if luhn(nine.iter().copied()) != *check {
            return Err(NumberError::WrongCheckDigit);
        }
        Ok(Self(digits))
    }
}

impl fmt::Display for TenDigits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|digit| write!(f, "{digit}"))
    }
}

impl TryFrom<String> for TenDigits {
    type Error = NumberError;
    fn try_from(text: String) -> Result<Self, NumberError> {
        Self::checked(&text)
    }
}

impl From<TenDigits> for String {
    fn from(ten: TenDigits) -> Self {
        ten.to_string()
    }
}

/// A whole case number with a right check digit. Text form `GR26-0000123-0`, also in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CaseNumber {
    /// The series.
    pub series: Series,
    /// Year, serial and check digit.
    pub ten: TenDigits,
}

impl fmt::Display for CaseNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ten = self.ten.to_string();
        let (year, rest) = ten.split_at(2);
        let (serial, check) = rest.split_at(7);
        write!(f, "{}{year}-{serial}-{check}", self.series.letters())
    }
}

impl TryFrom<String> for CaseNumber {
    type Error = NumberError;
    fn try_from(text: String) -> Result<Self, NumberError> {
        text.parse()
    }
}

impl From<CaseNumber> for String {
    fn from(number: CaseNumber) -> Self {
        number.to_string()
    }
}

impl std::str::FromStr for CaseNumber {
    type Err = NumberError;
    fn from_str(text: &str) -> Result<Self, NumberError> {
        match Given::read(text)? {
            Given { series: Some(series), ten } => Ok(Self { series, ten }),
            Given { series: None, .. } => Err(NumberError::NoSeries),
        }
    }
}

/// What a person gave: the ten digits, with the series or without it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Given {
    /// The series, where it was said.
    pub series: Option<Series>,
    /// Year, serial and check digit (right).
    pub ten: TenDigits,
}

impl Given {
    /// Reads a text that is a case number and nothing else.
    ///
    /// # Errors
    /// [`NumberError`] says which of the things went wrong that a person can be told.
    pub fn read(text: &str) -> Result<Self, NumberError> {
        let signs: String = text.chars().filter_map(plain).collect();
        let letters_end = signs.find(|c: char| c.is_ascii_digit()).ok_or(NumberError::NotANumber)?;
        let (letters, digits) = signs.split_at(letters_end);
        if !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(NumberError::NotANumber);
        }
        let series = match letters {
            "" => None,
            letters => Some(Series::from_letters(letters).ok_or(NumberError::NotANumber)?),
        };
        if digits.len() != 10 {
            return Err(NumberError::WrongLength { digits: digits.len() });
        }
        Ok(Self { series, ten: TenDigits::checked(digits)? })
    }

    /// The number whole, once the series is known.
    #[must_use]
    pub fn with_series(self, series: Series) -> CaseNumber {
        CaseNumber { series, ten: self.ten }
    }
}

impl From<CaseNumber> for Given {
    fn from(number: CaseNumber) -> Self {
        Self { series: Some(number.series), ten: number.ten }
    }
}

impl fmt::Display for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.series {
            Some(series) => self.with_series(series).fmt(f),
            None => self.ten.fmt(f),
        }
    }
}

/// Why a text is no case number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NumberError {
    /// It holds something else than a series and digits.
    #[error("not a case number")]
    NotANumber,
    /// A case number has ten digits.
    #[error("a case number has ten digits, not {digits}")]
    WrongLength {
        /// How many there were.
        digits: usize,
    },
    /// A digit was mistyped or two were swapped.
    #[error("the check digit does not fit")]
    WrongCheckDigit,
    /// The digits are right but a whole number was needed.
    #[error("the series is missing")]
    NoSeries,
}

/// A sign reduced to what counts: ASCII digits (Devanagari and full-width ones too) and capital letters. Separators
/// vanish; anything else becomes `*`, which no number holds.
fn plain(c: char) -> Option<char> {
    let digit = |base: u32| char::from_digit(u32::from(c).saturating_sub(base), 10);
    match c {
        '0'..='9' => Some(c),
        '\u{0966}'..='\u{096F}' => digit(0x0966),
        '\u{FF10}'..='\u{FF19}' => digit(0xFF10),
        'a'..='z' | 'A'..='Z' => Some(c.to_ascii_uppercase()),
        '-'
        | '.'
        | ','
        | '/'
        | '_'
        | '#'
        | ':'
        | ';'
        | '?'
        | '!'
        | '('
        | ')'
        | '\''
        | '"'
        | '\u{2010}'..='\u{2015}' => None,
        c if c.is_whitespace() || matches!(c, '\u{200B}'..='\u{200F}' | '\u{FEFF}') => None,
        _ => Some('*'),
    }
}

/// The Luhn check digit for `digits`, of which the last is doubled first.
fn luhn(digits: impl DoubleEndedIterator<Item = u8>) -> u8 {
    let sum: u32 = digits
        .rev()
        .enumerate()
        .map(|(place, digit)| {
            let value = if place % 2 == 0 { u32::from(digit) * 2 } else { u32::from(digit) };
            value / 10 + value % 10
        })
        .sum();
    u8::try_from((10 - sum % 10) % 10).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn number(year: u8, serial: u32) -> CaseNumber {
        CaseNumber { series: Series::Gr, ten: TenDigits::new(year, serial).unwrap() }
    }

    #[test]
    fn the_check_digit_is_luhn() {
        // 7992739871 with check digit 3 is the textbook example of Luhn's formula.
        assert_eq!(luhn([7, 9, 9, 2, 7, 3, 9, 8, 7, 1].into_iter()), 3);
        // 26 0000123: doubled from the right 3→6, 2, 1→2, 0, 0, 0, 0, 6, 2→4: 6+2+2+6+4 = 20.
        assert_eq!(number(26, 123).to_string(), "GR26-0000123-0");
    }

    #[test]
    fn any_usual_spelling_is_understood() {
        let written = number(26, 123);
        for spelling in [
            "GR26-0000123-0",
            "gr26-0000123-0",
            "GR 26 0000123 0",
            "Gr.26/0000123/0",
            "GR2600001230",
            " gr–26–0000123–0 ",
            "GR२६-००००१२३-०",
            "#GR26-0000123-0",
        ] {
            assert_eq!(Given::read(spelling), Ok(written.into()), "{spelling}");
        }
        for spelling in ["2600001230", "26 0000123 0", "२६००००१२३०"] {
            assert_eq!(Given::read(spelling), Ok(Given { series: None, ten: written.ten }), "{spelling}");
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        assert_eq!(Given::read("GR26-0000123-4"), Err(NumberError::WrongCheckDigit));
        assert_eq!(Given::read("GR26-0000123"), Err(NumberError::WrongLength { digits: 9 }));
        assert_eq!(Given::read("26000012300000"), Err(NumberError::WrongLength { digits: 14 }));
        assert_eq!(Given::read("XY26-0000123-0"), Err(NumberError::NotANumber));
        assert_eq!(Given::read("my bank"), Err(NumberError::NotANumber));
        assert_eq!(Given::read(""), Err(NumberError::NotANumber));
        assert_eq!(Given::read("GR26-00É0123-0"), Err(NumberError::NotANumber));
        assert_eq!("2600001230".parse::<CaseNumber>(), Err(NumberError::NoSeries));
    }

    #[test]
    fn json_refuses_a_wrong_number() {
        let json = serde_json::to_string(&number(26, 7)).unwrap();
        assert_eq!(serde_json::from_str::<CaseNumber>(&json).unwrap(), number(26, 7));
        assert!(serde_json::from_str::<CaseNumber>("\"GR26-0000123-4\"").is_err());
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(year in 0_u8..=99, serial in 0_u32..=9_999_999) {
            let written = number(year, serial);
            prop_assert_eq!(written.to_string().parse::<CaseNumber>(), Ok(written));
        }

        #[test]
        fn one_wrong_digit_is_always_found(serial in 0_u32..=9_999_999, place in 0_usize..10, shift in 1_u8..=9) {
            let mut digits: Vec<u8> = number(26, serial).ten.to_string().into_bytes();
            digits[place] = b'0' + (digits[place] - b'0' + shift) % 10;
            let wrong = String::from_utf8(digits).unwrap();
            prop_assert_eq!(Given::read(&wrong), Err(NumberError::WrongCheckDigit));
        }

        #[test]
        fn no_text_makes_the_reader_fail(text in ".{0,60}") {
            let _verdict = Given::read(&text);
        }
    }
}

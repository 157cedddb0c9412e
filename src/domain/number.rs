//! Case numbers: `GR26-0000123-4`, two letters of the series, two digits of the year, a serial of seven digits that counts
//! without gaps inside series and year, and a Luhn check digit over year and serial.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The five intakes of the control room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Series {
    /// Grievances of units and stakeholders.
    #[serde(rename = "GR")]
    Grievance,
    /// Grievances registered on CPGRAMS or another portal.
    #[serde(rename = "CP")]
    Portal,
    /// Ideas, experts, collaboration.
    #[serde(rename = "CO")]
    Idea,
    /// The ministry's own interventions.
    #[serde(rename = "IN")]
    Intervention,
    /// References from ministers and other dignitaries.
    #[serde(rename = "VI")]
    Reference,
}

impl Series {
    /// Every series, in the order of the operating procedure.
    pub const ALL: [Self; 5] = [Self::Grievance, Self::Portal, Self::Idea, Self::Intervention, Self::Reference];

    /// The two letters.
    #[must_use]
    pub const fn letters(self) -> &'static str {
        match self {
            Self::Grievance => "GR",
            Self::Portal => "CP",
            Self::Idea => "CO",
            Self::Intervention => "IN",
            Self::Reference => "VI",
        }
    }
}

impl fmt::Display for Series {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.letters())
    }
}

impl FromStr for Series {
    type Err = InvalidNumber;
    fn from_str(text: &str) -> Result<Self, InvalidNumber> {
        Self::ALL.into_iter().find(|s| s.letters().eq_ignore_ascii_case(text)).ok_or(InvalidNumber::Shape)
    }
}

/// Why a text is not a case number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidNumber {
    /// Not two letters of a series and ten digits.
    #[error("not shaped like a case number")]
    Shape,
    /// Shaped right, but the last digit does not fit: a slip of the pen or of a key.
    #[error("the check digit does not fit")]
    CheckDigit,
}

/// The number of a case as people write it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CaseNumber {
    series: Series,
    year: u8,
    serial: u32,
}

impl CaseNumber {
    /// The largest serial that seven digits hold.
    pub const LAST_SERIAL: u32 = 9_999_999;

    /// The number of the `serial`-th case of a year (two digits). `None` when it no longer fits.
    #[must_use]
    pub const fn new(series: Series, year: u8, serial: u32) -> Option<Self> {
        if year > 99 || serial == 0 || serial > Self::LAST_SERIAL {
            return None;
        }
        Some(Self { series, year, serial })
    }

    /// The series.
    #[must_use]
    pub const fn series(self) -> Series {
        self.series
    }

    /// Ten digits, enough on a keypad: year, serial, check digit.
    #[must_use]
    pub fn digits(self) -> String {
        let body = self.body();
        format!("{body}{}", luhn(&body))
    }

    /// Reads ten digits for a series that is known otherwise; spaces and hyphens are passed over.
    ///
    /// # Errors
    /// [`InvalidNumber`] for the wrong shape or a check digit that does not fit.
    pub fn from_digits(series: Series, text: &str) -> Result<Self, InvalidNumber> {
        let digits: String = text.chars().filter(|c| !matches!(c, ' ' | '-' | '\u{2010}'..='\u{2015}')).collect();
        if digits.len() != 10 || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(InvalidNumber::Shape);
        }
        let (body, check) = digits.split_at(9);
        if luhn(body).to_string() != check {
            return Err(InvalidNumber::CheckDigit);
        }
        let (year, serial) = body.split_at(2);
        let year = year.parse().map_err(|_| InvalidNumber::Shape)?;
        let serial = serial.parse().map_err(|_| InvalidNumber::Shape)?;
        Self::new(series, year, serial).ok_or(InvalidNumber::Shape)
    }

    fn body(self) -> String {
        format!("{:02}{:07}", self.year, self.serial)
    }
}

impl fmt::Display for CaseNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{:02}-{:07}-{}", self.series, self.year, self.serial, luhn(&self.body()))
    }
}

impl FromStr for CaseNumber {
    type Err = InvalidNumber;

    /// Understands lower case, spaces and hyphens in any place.
    fn from_str(text: &str) -> Result<Self, InvalidNumber> {
        let text = text.trim();
        let (Some(letters), Some(digits)) = (text.get(..2), text.get(2..)) else {
            return Err(InvalidNumber::Shape);
        };
        Self::from_digits(letters.parse()?, digits)
    }
}

impl Serialize for CaseNumber {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for CaseNumber {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// The Luhn check digit of a row of digits (ISO/IEC 7812-1, annex B).
fn luhn(digits: &str) -> u32 {
    let sum: u32 = digits
        .chars()
        .rev()
        .filter_map(|c| c.to_digit(10))
        .enumerate()
        .map(|(place, digit)| {
            let weighted = if place % 2 == 0 { digit * 2 } else { digit };
            weighted / 10 + weighted % 10
        })
        .sum();
    (10 - sum % 10) % 10
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_check_digit_is_luhns() {
        // The textbook example of ISO/IEC 7812-1.
        assert_eq!(luhn("7992739871"), 3);
    }

    #[test]
    fn people_write_numbers_in_many_ways() {
        let number = CaseNumber::new(Series::Grievance, 26, 123).unwrap();
        let digits = number.digits();
        for text in [
            number.to_string(),
            number.to_string().to_lowercase(),
            format!(" gr {} {} {}", &digits[..2], &digits[2..9], &digits[9..]),
            format!("GR{digits}"),
        ] {
            assert_eq!(text.parse(), Ok(number), "{text}");
        }
    }

    #[test]
    fn nonsense_is_told_from_a_slip() {
        assert_eq!("GR26-0000123".parse::<CaseNumber>(), Err(InvalidNumber::Shape));
        assert_eq!("XX26-0000123-4".parse::<CaseNumber>(), Err(InvalidNumber::Shape));
        assert_eq!("म".parse::<CaseNumber>(), Err(InvalidNumber::Shape));
        assert_eq!("GR00-0000000-0".parse::<CaseNumber>(), Err(InvalidNumber::Shape));
    }

    proptest! {
        #[test]
        fn every_number_reads_back_and_no_single_slip_passes(year in 0u8..100, serial in 1u32..10_000_000, place in 0usize..10, slip in 1u8..10) {
            let number = CaseNumber::new(Series::Idea, year, serial).unwrap();
            prop_assert_eq!(number.to_string().parse(), Ok(number));
            let mut digits = number.digits().into_bytes();
            digits[place] = b'0' + (digits[place] - b'0' + slip) % 10;
            let wrong = String::from_utf8(digits).unwrap();
            prop_assert_eq!(CaseNumber::from_digits(Series::Idea, &wrong), Err(InvalidNumber::CheckDigit));
        }

        #[test]
        fn any_text_is_answered(text in ".{0,40}") {
            let _ = text.parse::<CaseNumber>();
        }
    }
}

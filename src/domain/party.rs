//! Who files: the four kinds of applicant and the formats of what they say about themselves. Wrong formats are hints for
//! the form, never a reason to turn a grievance away; a telephone number is the one thing stored in a single spelling.

use serde::{Deserialize, Serialize};

/// The kind of person or body that files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum ApplicantKind {
    /// A unit registered under Udyam or UAM.
    UnitWithUdyam,
    /// A unit without registration.
    Unit,
    /// A single person.
    #[default]
    Individual,
    /// An association of units.
    Association,
}

impl ApplicantKind {
    /// Every kind, in the order of the form.
    pub const ALL: [Self; 4] = [Self::UnitWithUdyam, Self::Unit, Self::Individual, Self::Association];

    /// The name in stored data and forms.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::UnitWithUdyam => "unit_with_udyam",
            Self::Unit => "unit",
            Self::Individual => "individual",
            Self::Association => "association",
        }
    }

    /// Reads the name used in stored data and forms; words that people and other portals use for the same are understood.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        match code {
            "unit_with_udyam" | "udyam" | "registered_unit" => Some(Self::UnitWithUdyam),
            "unit" | "unit_without_udyam" => Some(Self::Unit),
            "individual" | "other" => Some(Self::Individual),
            "association" => Some(Self::Association),
            _ => None,
        }
    }
}

/// The person or unit that a case is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct Applicant {
    /// The kind.
    pub kind: ApplicantKind,
    /// The person's name; empty where a caller gave none.
    pub name: String,
    /// Mobile in E.164, or another number as the network gave it.
    pub mobile: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
    /// Name of the unit.
    pub unit: Option<String>,
    /// Udyam or UAM number as given.
    pub udyam: Option<String>,
    /// State code, two letters.
    pub state: Option<String>,
    /// District as given or found.
    pub district: Option<String>,
}

/// Brings an Indian mobile number to E.164: ten digits, the first 6 to 9; `+91`, `0091`, a leading zero, spaces and hyphens
/// are accepted.
#[must_use]
pub fn indian_mobile(text: &str) -> Option<String> {
    let digits: String = text.chars().filter(|c| !matches!(c, ' ' | '-' | '(' | ')' | '.' | '\u{a0}')).collect();
    let digits = digits.strip_prefix('+').unwrap_or(&digits);
    let national = match digits.len() {
        10 => digits,
        11 => digits.strip_prefix('0')?,
        12 => digits.strip_prefix("91")?,
        14 => digits.strip_prefix("0091")?,
        _ => return None,
    };
    let fits = national.bytes().all(|b| b.is_ascii_digit()) && matches!(national.bytes().next(), Some(b'6'..=b'9'));
    fits.then(|| format!("+91{national}"))
}

/// Whether a text has the shape of a Udyam number, `UDYAM-MH-26-0123456`.
#[must_use]
pub fn is_udyam(text: &str) -> bool {
    let mut parts = text.trim().split('-');
    let shaped =
        |part: Option<&str>, len: usize, of: fn(u8) -> bool| part.is_some_and(|p| p.len() == len && p.bytes().all(of));
    parts.next().is_some_and(|p| p.eq_ignore_ascii_case("UDYAM"))
        && shaped(parts.next(), 2, |b| b.is_ascii_alphabetic())
        && shaped(parts.next(), 2, |b| b.is_ascii_digit())
        && shaped(parts.next(), 7, |b| b.is_ascii_digit())
        && parts.next().is_none()
}

/// Whether a text could be an e-mail address: something, one @, a host with a dot, no blanks.
#[must_use]
pub fn is_email(text: &str) -> bool {
    let Some((local, host)) = text.rsplit_once('@') else {
        return false;
    };
    !local.is_empty()
        && host.contains('.')
        && !host.starts_with('.')
        && !host.ends_with('.')
        && text.len() <= 254
        && !text.chars().any(|c| c.is_whitespace() || c.is_control())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mobiles_come_to_one_spelling() {
        for text in ["98765 43210", "+91 98765-43210", "09876543210", "0091 9876543210", "919876543210"] {
            assert_eq!(indian_mobile(text).as_deref(), Some("+919876543210"), "{text}");
        }
        for text in ["", "12345", "5876543210", "+1 212 555 0100", "98765abcde", "९८७६५४३२१०"] {
            assert_eq!(indian_mobile(text), None, "{text}");
        }
    }

    #[test]
    fn a_udyam_number_has_its_shape() {
        assert!(is_udyam("UDYAM-MH-26-0123456"));
        assert!(is_udyam("udyam-od-01-0000001"));
        assert!(!is_udyam("UDYAM-MH-26-012345"));
        assert!(!is_udyam("DL05E0003086"));
    }

    #[test]
    fn an_address_is_recognised() {
        assert!(is_email("unit@example.in"));
        for bad in ["", "a@b", "@example.in", "a b@example.in", "a@.in", "a@example."] {
            assert!(!is_email(bad), "{bad}");
        }
    }
}

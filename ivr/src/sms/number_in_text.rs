//! Finds the case number that a text begins with, however it is spaced.

use crate::number::{Given, NumberError, Series};

/// The most words that a number can be spread over: `GR 26 0000123 0` with room for `No.` like habits of one more.
const MOST_WORDS: usize = 5;

/// The number at the beginning of `text`, read or plainly meant but wrong, and the text after it. `None` when the text
/// begins otherwise.
///
/// Ten bare digits that begin with 6 to 9 are somebody's mobile number: years 60 to 99 are far, and texts full of
/// telephone numbers are daily.
pub(super) fn leading_number(text: &str) -> Option<(Result<Given, NumberError>, &str)> {
    let mut wrong = None;
    for (head, rest) in prefixes(text).into_iter().rev() {
        match Given::read(head) {
            Ok(number) if number.series.is_none() && starts_like_mobile(number) => return None,
            Ok(number) => return Some((Ok(number), rest)),
            Err(error) if is_meant_as_number(head) => wrong = Some(closer(wrong, (error, rest))),
            Err(_) => {}
        }
    }
    wrong.map(|(error, rest)| (Err(error), rest))
}

/// The first one, two, … words of `text`, each with what follows.
fn prefixes(text: &str) -> Vec<(&str, &str)> {
    let text = text.trim_start();
    let mut found = Vec::new();
    let mut in_word = false;
    for (at, c) in text.char_indices() {
        if c.is_whitespace() && in_word {
            found.push(text.split_at(at));
            if found.len() == MOST_WORDS {
                return trimmed(found);
            }
        }
        in_word = !c.is_whitespace();
    }
    found.push((text, ""));
    trimmed(found)
}

fn trimmed<'a>(pairs: Vec<(&'a str, &'a str)>) -> Vec<(&'a str, &'a str)> {
    pairs
        .into_iter()
        .map(|(head, rest)| {
            (head, rest.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, ':' | ',' | '-' | '.')))
        })
        .collect()
}

/// Letters of a series and five digits after them, or seven digits and more: nobody writes that by chance at the
/// beginning.
fn is_meant_as_number(head: &str) -> bool {
    if head.starts_with('+') {
        return false;
    }
    let signs: String = head.chars().filter(|c| c.is_alphanumeric()).collect();
    let digits = signs.chars().filter(|c| c.is_numeric()).count();
    let letters: String = signs.chars().take_while(char::is_ascii_alphabetic).collect();
    let all_else_digits = signs.chars().skip(letters.len()).all(char::is_numeric);
    let is_mobile = letters.is_empty() && digits >= 10 && signs.starts_with(['6', '7', '8', '9']);
    all_else_digits
        && !is_mobile
        && if letters.is_empty() { digits >= 7 } else { digits >= 5 && Series::from_letters(&letters).is_some() }
}

fn starts_like_mobile(number: Given) -> bool {
    number.ten.digits().first().is_some_and(|first| *first >= 6)
}

/// Of two wrong readings the one that tells more: a wrong check digit means that all ten digits were there.
fn closer<'a>(known: Option<(NumberError, &'a str)>, new: (NumberError, &'a str)) -> (NumberError, &'a str) {
    match known {
        Some(known) if known.0 == NumberError::WrongCheckDigit => known,
        Some(_) | None => new,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Option<(Result<String, NumberError>, &str)> {
        leading_number(text).map(|(number, rest)| (number.map(|n| n.to_string()), rest))
    }

    #[test]
    fn the_number_is_found_however_it_is_spaced() {
        for text in [
            "GR26-0000123-0 bank called",
            "gr 26 0000123 0 bank called",
            "GR26 - 0000123 - 0: bank called",
            "GR-2600001230, bank called",
        ] {
            assert_eq!(found(text), Some((Ok("GR26-0000123-0".into()), "bank called")), "{text}");
        }
        assert_eq!(found("2600001230"), Some((Ok("2600001230".into()), "")));
        // A figure after the number does not belong to it.
        assert_eq!(found("GR26-0000123-0 5 lakh due"), Some((Ok("GR26-0000123-0".into()), "5 lakh due")));
    }

    #[test]
    fn a_wrong_number_is_known_as_one() {
        assert_eq!(found("GR26-0000123-4"), Some((Err(NumberError::WrongCheckDigit), "")));
        assert_eq!(found("GR 26 0000123 4 please"), Some((Err(NumberError::WrongCheckDigit), "please")));
        assert_eq!(found("GR26-123"), Some((Err(NumberError::WrongLength { digits: 5 }), "")));
        assert_eq!(found("12345678"), Some((Err(NumberError::WrongLength { digits: 8 }), "")));
    }

    #[test]
    fn other_texts_begin_with_no_number() {
        for text in [
            "",
            "   ",
            "My bank refused",
            "9876543210 is my mobile",
            "+91 98765 43210",
            "5 workers left",
            "In 2024 we paid",
            "IN my unit",
            "🙏🙏",
        ] {
            assert_eq!(found(text), None, "{text}");
        }
    }
}

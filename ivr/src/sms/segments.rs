//! How many SMS a text costs (3GPP TS 23.038): 160 signs of GSM-7 alone or 153 a part, 70 UCS-2 units alone or 67 a
//! part.

/// How a text travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// The 7-bit default alphabet with its extension table.
    Gsm7,
    /// UTF-16 units.
    Ucs2,
}

/// The encoding and the number of SMS of a text. An empty text is one SMS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segments {
    /// How it travels.
    pub encoding: Encoding,
    /// How many SMS.
    pub count: usize,
}

/// Signs of the default alphabet outside ASCII. ASCII's own exceptions are in [`gsm7_width`].
const GSM7_BEYOND_ASCII: &str = "£¥èéùìòÇØøÅåΔΦΓΛΩΠΨΣΘΞÆæßÉ¤¡ÄÖÑÜ§¿äöñüà";

/// Measures a text.
#[must_use]
pub fn segments(text: &str) -> Segments {
    let gsm7: Option<Vec<usize>> = text.chars().map(gsm7_width).collect();
    match gsm7 {
        Some(widths) => Segments { encoding: Encoding::Gsm7, count: parts(&widths, 160, 153) },
        None => {
            let widths: Vec<usize> = text.chars().map(char::len_utf16).collect();
            Segments { encoding: Encoding::Ucs2, count: parts(&widths, 70, 67) }
        }
    }
}

/// Septets that a sign takes: 2 for the extension table; `None` when the alphabet lacks it.
fn gsm7_width(c: char) -> Option<usize> {
    match c {
        '^' | '{' | '}' | '\\' | '[' | '~' | ']' | '|' | '€' | '\u{000C}' => Some(2),
        '`' | '\t' => None,
        '\n' | '\r' | ' '..='~' => Some(1),
        c if GSM7_BEYOND_ASCII.contains(c) => Some(1),
        _ => None,
    }
}

/// A sign of two units (an escape, a surrogate pair) is never cut in two, so a part may stay one short.
fn parts(widths: &[usize], alone: usize, each: usize) -> usize {
    if widths.iter().sum::<usize>() <= alone {
        return 1;
    }
    let (mut count, mut used) = (1, 0);
    for width in widths {
        if used + width > each {
            count += 1;
            used = 0;
        }
        used += width;
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> (Encoding, usize) {
        let found = segments(text);
        (found.encoding, found.count)
    }

    #[test]
    fn plain_text_breaks_at_160_and_153() {
        assert_eq!(of(""), (Encoding::Gsm7, 1));
        assert_eq!(of(&"a".repeat(160)), (Encoding::Gsm7, 1));
        assert_eq!(of(&"a".repeat(161)), (Encoding::Gsm7, 2));
        assert_eq!(of(&"a".repeat(306)), (Encoding::Gsm7, 2));
        assert_eq!(of(&"a".repeat(307)), (Encoding::Gsm7, 3));
    }

    #[test]
    fn hindi_breaks_at_70_and_67() {
        assert_eq!(of(&"क".repeat(70)), (Encoding::Ucs2, 1));
        assert_eq!(of(&"क".repeat(71)), (Encoding::Ucs2, 2));
        assert_eq!(of(&"क".repeat(134)), (Encoding::Ucs2, 2));
        assert_eq!(of(&"क".repeat(135)), (Encoding::Ucs2, 3));
    }

    #[test]
    fn a_sign_of_two_units_is_not_cut() {
        assert_eq!(of(&"€".repeat(80)), (Encoding::Gsm7, 1));
        // 153 is odd: 76 signs a part, so 153 signs need three parts and not two.
        assert_eq!(of(&"€".repeat(153)), (Encoding::Gsm7, 3));
        assert_eq!(of(&"🙏".repeat(35)), (Encoding::Ucs2, 1));
        assert_eq!(of(&"🙏".repeat(67)), (Encoding::Ucs2, 3));
    }

    #[test]
    fn the_alphabet_is_that_of_the_standard() {
        assert_eq!(of("Ää Öö Üü ß é è ñ @ _ £ $ Ω"), (Encoding::Gsm7, 1));
        for outside in ["₹", "`", "ê", "\t", "“"] {
            assert_eq!(of(outside).0, Encoding::Ucs2, "{outside:?}");
        }
    }
}

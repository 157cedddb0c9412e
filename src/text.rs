//! The words of the product: fluent texts, and how dates, spans of time and numbers are written for an Indian reader.
//!
//! The only home of `fluent-templates`. A [`Text`] is a language; everything a person reads is asked of it. Texts live in
//! `src/locales/<tag>/*.ftl`; a key that a language lacks is read in English, and one that English lacks too shows as
//! `⟦key⟧`, which the page tests look for. No clock is read here: every time arrives as epoch milliseconds.

use std::borrow::Cow;
use std::collections::HashMap;

use fluent_templates::fluent_bundle::FluentValue;
use fluent_templates::{LanguageIdentifier, Loader, langid, static_loader};
use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};

static_loader! {
    static LOCALES = {
        locales: "./src/locales",
        fallback_language: "en",
        // Isolation marks are for mixing directions. Both shipped scripts run left to right, and the marks would get
        // into page titles, mails and SMS.
        customise: |bundle| bundle.set_use_isolating(false),
    };
}

/// India Standard Time is UTC+5:30 all year, so no time zone database is needed.
const IST_SECONDS: i32 = 5 * 3600 + 30 * 60;

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;

/// A language that the pages speak.
#[derive(Debug, PartialEq, Eq)]
pub struct Language {
    /// BCP-47 tag, as in the `lang` attribute and in `?lang=`.
    pub tag: &'static str,
    /// What its speakers call it.
    pub own_name: &'static str,
    /// `ltr` or `rtl`, as in the `dir` attribute.
    pub direction: &'static str,
    identifier: LanguageIdentifier,
}

/// The languages that are shipped, in the order of the switch. The first is the one to fall back on.
pub static LANGUAGES: [Language; 2] = [
    Language { tag: "en", own_name: "English", direction: "ltr", identifier: langid!("en") },
    Language { tag: "hi", own_name: "हिन्दी", direction: "ltr", identifier: langid!("hi") },
];

/// A language to speak in. Cheap to copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Text {
    language: &'static Language,
}

impl Default for Text {
    fn default() -> Self {
        let [first, ..] = &LANGUAGES;
        Self { language: first }
    }
}

impl Text {
    /// The shipped language of this tag (`hi`, `hi-IN`, `HI`), else English.
    #[must_use]
    pub fn new(tag: &str) -> Self {
        Self::shipped(tag).unwrap_or_default()
    }

    /// The shipped language of this tag, if there is one.
    #[must_use]
    pub fn shipped(tag: &str) -> Option<Self> {
        let primary = tag.trim().split(['-', '_']).next().unwrap_or_default();
        LANGUAGES.iter().find(|language| language.tag.eq_ignore_ascii_case(primary)).map(|language| Self { language })
    }

    /// The best shipped language for an `Accept-Language` header (RFC 9110, 12.5.4), else English.
    #[must_use]
    pub fn negotiate(accept_language: &str) -> Self {
        let mut best: Option<(f32, Self)> = None;
        for range in accept_language.split(',') {
            let mut parts = range.split(';');
            let Some(text) = parts.next().and_then(Self::shipped) else { continue };
            let weight = parts
                .find_map(|part| part.trim().strip_prefix("q=").and_then(|q| q.parse::<f32>().ok()))
                .unwrap_or(1.0);
            if weight > 0.0 && best.is_none_or(|(heaviest, _)| weight > heaviest) {
                best = Some((weight, text));
            }
        }
        best.map_or_else(Self::default, |(_, text)| text)
    }

    /// The language itself.
    #[must_use]
    pub fn language(self) -> &'static Language {
        self.language
    }

    /// The BCP-47 tag.
    #[must_use]
    pub fn tag(self) -> &'static str {
        self.language.tag
    }

    /// The text of this id.
    #[must_use]
    pub fn say(self, id: &str) -> String {
        self.look_up(id, None)
    }

    /// The text of this id with its `{ $name }` places filled in.
    #[must_use]
    pub fn say_with(self, id: &str, arguments: &[(&str, &str)]) -> String {
        let arguments =
            arguments.iter().map(|(name, value)| (Cow::Owned((*name).to_owned()), FluentValue::from(*value))).collect();
        self.look_up(id, Some(&arguments))
    }

    /// The text of this id for a count: `$count` chooses the plural, `$n` is the number in Indian grouping.
    #[must_use]
    pub fn say_count(self, id: &str, count: i64) -> String {
        let arguments = HashMap::from([
            (Cow::Borrowed("count"), FluentValue::from(count)),
            (Cow::Borrowed("n"), FluentValue::from(self.number(count))),
        ]);
        self.look_up(id, Some(&arguments))
    }

    /// Whether the language itself (not its fallback) has this id.
    #[must_use]
    pub fn has(self, id: &str) -> bool {
        let no_arguments: Option<&HashMap<String, FluentValue<'_>>> = None;
        LOCALES.lookup_single_language(&self.language.identifier, id, no_arguments).is_ok()
    }

    fn look_up(self, id: &str, arguments: Option<&HashMap<Cow<'static, str>, FluentValue<'_>>>) -> String {
        LOCALES.try_lookup_complete(&self.language.identifier, id, arguments).unwrap_or_else(|| format!("⟦{id}⟧"))
    }

    /// A number in Indian grouping: `12,34,567`.
    #[must_use]
    pub fn number(self, number: i64) -> String {
        group_indian(number)
    }

    /// A date in IST: `21 Nov 2026`.
    #[must_use]
    pub fn date(self, at_ms: i64) -> String {
        let at = ist(at_ms);
        let month = self.say(&format!("month-{}", at.month()));
        format!("{} {month} {}", at.day(), at.year())
    }

    /// A time of day in IST, 24 h: `14:05`.
    #[must_use]
    pub fn time(self, at_ms: i64) -> String {
        let at = ist(at_ms);
        format!("{:02}:{:02}", at.hour(), at.minute())
    }

    /// Date and time in IST: `21 Nov 2026, 14:05`.
    #[must_use]
    pub fn date_time(self, at_ms: i64) -> String {
        format!("{}, {}", self.date(at_ms), self.time(at_ms))
    }

    /// The day of the week in IST: `Saturday`.
    #[must_use]
    pub fn weekday(self, at_ms: i64) -> String {
        self.say(&format!("weekday-{}", ist(at_ms).weekday().to_monday_one_offset()))
    }

    /// A span of time in its largest whole unit: `3 days`, `18 hours`, `1 minute`. The sign is dropped. Days only from
    /// two on, because "1 day" hides half a day from someone with a deadline.
    #[must_use]
    pub fn span(self, milliseconds: i64) -> String {
        let span = milliseconds.saturating_abs();
        if span >= 2 * DAY_MS {
            self.say_count("span-days", span / DAY_MS)
        } else if span >= HOUR_MS {
            self.say_count("span-hours", span / HOUR_MS)
        } else {
            self.say_count("span-minutes", span / MINUTE_MS)
        }
    }

    /// How far off a due time is: `18 hours left`, `3 days late`.
    #[must_use]
    pub fn time_left(self, due_ms: i64, now_ms: i64) -> String {
        let left = due_ms.saturating_sub(now_ms);
        let id = if left >= 0 { "span-left" } else { "span-late" };
        self.say_with(id, &[("span", &self.span(left))])
    }

    /// A length of sound or picture: `02:05`, `1:02:05`.
    #[must_use]
    pub fn length(self, seconds: i64) -> String {
        let seconds = seconds.max(0);
        let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes:02}:{seconds:02}") }
    }
}

/// Machine-readable time for `<time datetime>`: RFC 3339 with the offset of IST, to the second.
#[must_use]
pub fn rfc3339(at_ms: i64) -> String {
    let at = ist(at_ms);
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}+05:30",
        at.year(),
        at.month(),
        at.day(),
        at.hour(),
        at.minute(),
        at.second()
    )
}

/// The date of an `<input type=date>`, in IST: `2026-11-21`.
#[must_use]
pub fn iso_date(at_ms: i64) -> String {
    let at = ist(at_ms);
    format!("{:04}-{:02}-{:02}", at.year(), at.month(), at.day())
}

fn ist(at_ms: i64) -> jiff::Zoned {
    let zone = TimeZone::fixed(Offset::from_seconds(IST_SECONDS).unwrap_or(Offset::UTC));
    Timestamp::from_millisecond(at_ms).unwrap_or(Timestamp::UNIX_EPOCH).to_zoned(zone)
}

/// Groups the last three digits, then pairs: thousand, lakh, crore.
fn group_indian(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let last = digits.len().saturating_sub(1);
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 2 + 1);
    if number < 0 {
        grouped.push('−');
    }
    for (index, digit) in digits.chars().enumerate() {
        grouped.push(digit);
        let after = last - index;
        if after >= 3 && after % 2 == 1 {
            grouped.push(',');
        }
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-21 08:35:09 UTC.
    const AFTERNOON: i64 = 1_795_250_109_000;

    #[test]
    fn numbers_are_grouped_by_lakh_and_crore() {
        let cases = [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (99_999, "99,999"),
            (100_000, "1,00,000"),
            (1_234_567, "12,34,567"),
            (123_456_789, "12,34,56,789"),
            (-26_693, "−26,693"),
        ];
        for (number, written) in cases {
            assert_eq!(Text::default().number(number), written);
        }
    }

    #[test]
    fn dates_are_told_in_ist() {
        let english = Text::new("en");
        assert_eq!(english.date_time(AFTERNOON), "21 Nov 2026, 14:05");
        assert_eq!(english.weekday(AFTERNOON), "Saturday");
        assert_eq!(rfc3339(AFTERNOON), "2026-11-21T14:05:09+05:30");
        assert_eq!(Text::new("hi").date(AFTERNOON), "21 नवंबर 2026");
        // 20:00 UTC is already the next day in India.
        assert_eq!(iso_date(AFTERNOON + 12 * HOUR_MS), "2026-11-22");
    }

    #[test]
    fn time_left_is_told_in_words() {
        let english = Text::new("en");
        assert_eq!(english.time_left(18 * HOUR_MS, 0), "18 hours left");
        assert_eq!(english.time_left(HOUR_MS, 0), "1 hour left");
        assert_eq!(english.time_left(3 * DAY_MS, 0), "3 days left");
        assert_eq!(english.time_left(0, 47 * HOUR_MS), "47 hours late");
        assert_eq!(english.time_left(0, 2 * DAY_MS), "2 days late");
        assert_eq!(Text::new("hi").time_left(18 * HOUR_MS, 0), "18 घंटे शेष");
    }

    #[test]
    fn the_language_is_negotiated() {
        assert_eq!(Text::negotiate("ta;q=0.9, hi-IN;q=0.8, en;q=0.5").tag(), "hi");
        assert_eq!(Text::negotiate("en-GB,en;q=0.9,hi;q=0.2").tag(), "en");
        assert_eq!(Text::negotiate("hi;q=0, fr").tag(), "en");
        assert_eq!(Text::new("HI_in").tag(), "hi");
        assert_eq!(Text::new("xx").tag(), "en");
    }

    #[test]
    fn an_unknown_id_is_seen() {
        assert_eq!(Text::new("hi").say("no-such-text"), "⟦no-such-text⟧");
    }
}

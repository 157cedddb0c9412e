//! The frame of every page: who reads it, in which language, when, and what leads on from it.

pub use crate::domain::policy::Role;
use crate::text::{self, LANGUAGES, Language, Text};
use crate::web::assets;

/// What all pages share. Field order: who reads, where, when.
#[derive(Debug, Clone)]
pub struct Page {
    pub text: Text,
    /// Path and query of this page without `lang`, for the language switch and for coming back after signing in.
    pub path: String,
    /// Epoch milliseconds.
    pub now_ms: i64,
    pub user: Option<User>,
    pub flash: Option<Flash>,
    /// Whether this is the demo, which shows its telephone and mails in the navigation.
    pub demo: bool,
}

/// Who is signed in.
#[derive(Debug, Clone)]
pub struct User {
    pub name: String,
    pub role: Role,
    /// Code of the control room, for an account of one.
    pub room: Option<String>,
}

/// One sentence about what was just done, or why it was not.
#[derive(Debug, Clone)]
pub enum Flash {
    Done(String),
    Problem(String),
}

/// One entry of the navigation.
#[derive(Debug)]
pub struct NavEntry {
    pub href: String,
    pub label: String,
    pub here: bool,
}

impl Page {
    /// A page of a visitor who is not signed in.
    #[must_use]
    pub fn new(text: Text, path: &str, now_ms: i64) -> Self {
        Self { text, path: path.to_owned(), now_ms, user: None, flash: None, demo: false }
    }

    #[must_use]
    pub fn say(&self, id: &str) -> String {
        self.text.say(id)
    }

    /// Says `{prefix}-{code}`: the name of a subject, state, status, medium and so on.
    #[must_use]
    pub fn name(&self, prefix: &str, code: &str) -> String {
        self.text.say(&format!("{prefix}-{code}"))
    }

    #[must_use]
    pub fn say1(&self, id: &str, name: &str, value: impl AsRef<str>) -> String {
        self.text.say_with(id, &[(name, value.as_ref())])
    }

    #[must_use]
    pub fn say2(&self, id: &str, first: (&str, &str), second: (&str, &str)) -> String {
        self.text.say_with(id, &[first, second])
    }

    #[must_use]
    pub fn count(&self, id: &str, count: &usize) -> String {
        self.text.say_count(id, i64::try_from(*count).unwrap_or(i64::MAX))
    }

    #[must_use]
    pub fn number(&self, number: &i64) -> String {
        self.text.number(*number)
    }

    #[must_use]
    pub fn date(&self, at_ms: &i64) -> String {
        self.text.date(*at_ms)
    }

    #[must_use]
    pub fn time(&self, at_ms: &i64) -> String {
        self.text.time(*at_ms)
    }

    #[must_use]
    pub fn date_time(&self, at_ms: &i64) -> String {
        self.text.date_time(*at_ms)
    }

    /// Weekday, date and time, as an invitation says it.
    #[must_use]
    pub fn moment(&self, at_ms: &i64) -> String {
        format!("{}, {}", self.text.weekday(*at_ms), self.text.date_time(*at_ms))
    }

    #[must_use]
    pub fn rfc3339(&self, at_ms: &i64) -> String {
        text::rfc3339(*at_ms)
    }

    #[must_use]
    pub fn time_left(&self, due_ms: &i64) -> String {
        self.text.time_left(*due_ms, self.now_ms)
    }

    #[must_use]
    pub fn length(&self, seconds: &i64) -> String {
        self.text.length(*seconds)
    }

    /// Today's date for the lower bound of a date field.
    #[must_use]
    pub fn today(&self) -> String {
        text::iso_date(self.now_ms)
    }

    #[must_use]
    pub fn urgency(&self, due_ms: &i64) -> Urgency {
        Urgency::of(*due_ms, self.now_ms)
    }

    #[must_use]
    pub fn asset(&self, path: &str) -> String {
        assets::url(path)
    }

    #[must_use]
    pub fn languages(&self) -> &'static [Language] {
        &LANGUAGES
    }

    #[must_use]
    pub fn speaks(&self, language: &Language) -> bool {
        self.text.language() == language
    }

    /// This page in another language.
    #[must_use]
    pub fn in_language(&self, tag: &str) -> String {
        let joint = if self.path.contains('?') { '&' } else { '?' };
        format!("{}{joint}lang={tag}", self.path)
    }

    /// The texts of these ids as one JSON object, for a script. `</` cannot occur in it.
    #[must_use]
    pub fn script_texts(&self, ids: &[&str]) -> serde_json::Value {
        ids.iter().map(|id| ((*id).to_owned(), serde_json::Value::String(self.text.say(id)))).collect()
    }

    /// The navigation of this reader's role.
    #[must_use]
    pub fn nav(&self) -> Vec<NavEntry> {
        let mut entries = Vec::new();
        let mut add = |href: &str, id: &str| {
            let here = match href {
                "/" => self.path == "/",
                "/desk" => self.path.starts_with("/desk") && !self.path.starts_with("/desk/rules"),
                _ => self.path.starts_with(href),
            };
            entries.push(NavEntry { href: href.to_owned(), label: self.text.say(id), here });
        };
        match self.user.as_ref().map(|user| (user.role, user.room.as_deref())) {
            None => {
                add("/file", "nav-file");
                add("/track", "nav-track");
            }
            Some((Role::Officer, _)) => {
                add("/desk", "nav-desk");
                add("/desk/rules", "nav-rules");
            }
            Some((Role::Head, _)) => {
                add("/desk", "nav-desk");
                add("/desk/rules", "nav-rules");
                add("/review", "nav-review");
            }
            Some((Role::Room, room)) => {
                if let Some(code) = room {
                    add(&format!("/rooms/{code}"), "nav-room");
                }
                add("/file", "nav-walk-in");
            }
            Some((Role::Secretary, _)) => {
                add("/review", "nav-review");
                add("/desk", "nav-desk");
                add("/desk/rules", "nav-rules");
            }
            Some((Role::Admin, _)) => {
                add("/admin", "nav-admin");
                add("/desk/rules", "nav-rules");
            }
        }
        if self.demo {
            add("/demo/phone", "nav-phone");
            add("/demo/mails", "nav-mails");
        }
        entries
    }
}

/// A JSON value made safe to stand in a `<script type="application/json">`: no `<` is left that could end the element.
#[must_use]
pub fn json_block(value: &serde_json::Value) -> String {
    value.to_string().replace('<', "\\u003c")
}

/// The three states that a due time can be in. Each has a colour and always a word beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Urgency {
    InTime,
    /// Within a day.
    DueSoon,
    Overdue,
}

impl Urgency {
    #[must_use]
    pub fn of(due_ms: i64, now_ms: i64) -> Self {
        const DAY_MS: i64 = 86_400_000;
        match due_ms.saturating_sub(now_ms) {
            left if left < 0 => Self::Overdue,
            left if left <= DAY_MS => Self::DueSoon,
            _ => Self::InTime,
        }
    }

    /// The style class.
    #[must_use]
    pub fn class(self) -> &'static str {
        match self {
            Self::InTime => "in-time",
            Self::DueSoon => "due-soon",
            Self::Overdue => "overdue",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_switch_keeps_the_place() {
        let page = Page::new(Text::default(), "/desk?whose=mine", 0);
        assert_eq!(page.in_language("hi"), "/desk?whose=mine&lang=hi");
        assert_eq!(Page::new(Text::default(), "/track", 0).in_language("hi"), "/track?lang=hi");
    }

    #[test]
    fn a_data_block_cannot_be_ended_from_inside() {
        let block = json_block(&serde_json::json!({ "name": "</script><script>alert(1)" }));
        assert!(!block.contains('<'));
        assert_eq!(serde_json::from_str::<serde_json::Value>(&block).unwrap()["name"], "</script><script>alert(1)");
    }

    #[test]
    fn urgency_changes_a_day_before_and_at_the_time() {
        const DAY: i64 = 86_400_000;
        assert_eq!(Urgency::of(DAY + 1, 0), Urgency::InTime);
        assert_eq!(Urgency::of(DAY, 0), Urgency::DueSoon);
        assert_eq!(Urgency::of(0, 0), Urgency::DueSoon);
        assert_eq!(Urgency::of(0, 1), Urgency::Overdue);
    }
}

//! The desk: an officer's list, the case in the middle, what is due on the right.

use askama::Template;

use super::case::{Action, CaseView};
use super::{Choice, Flash, Page};

/// `GET /desk` and `GET /desk/cases/{number}`; both show the list, the second also the case.
#[derive(Debug, Template)]
#[template(path = "desk.html")]
pub struct Desk {
    pub page: Page,
    pub filter: Filter,
    pub rows: Vec<Row>,
    /// How many cases the filter finds in all.
    pub total: usize,
    /// Value of `after` for the following rows, if there are more.
    pub next: Option<String>,
    pub case: Option<Box<CaseView>>,
}

/// What the list shows; the query of the address: `whose`, `overdue=1`, `q`, `state`, `after`.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// `mine`, `unit` (the whole branch), `all`.
    pub whose: String,
    pub overdue: bool,
    /// Words, a number, a unit, a place.
    pub query: String,
    /// Code of a state, or empty.
    pub state: String,
}

/// One case in the list.
#[derive(Debug)]
pub struct Row {
    pub number: String,
    pub subject: String,
    /// The unit's name, else the person's, else the telephone number as it may be shown.
    pub who: String,
    pub district: Option<String>,
    /// Code of the state.
    pub state: Option<String>,
    /// `filed routed attended decided hearing closed`.
    pub status: String,
    pub due: Option<Due>,
    /// The rule says that the unit must be heard before closing.
    pub hearing_required: bool,
    /// It came with sound.
    pub has_sound: bool,
}

/// What is due on a case, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    Attend(i64),
    Conclude(i64),
    Hearing(i64),
}

impl Due {
    #[must_use]
    pub fn at_ms(self) -> i64 {
        match self {
            Self::Attend(at) | Self::Conclude(at) | Self::Hearing(at) => at,
        }
    }

    fn text_id(self) -> &'static str {
        match self {
            Self::Attend(_) => "due-attend",
            Self::Conclude(_) => "due-conclude",
            Self::Hearing(_) => "due-hearing",
        }
    }
}

impl Desk {
    fn whose(&self) -> Vec<Choice> {
        Choice::named(self.page.text, "whose", &["mine", "unit", "all"])
    }

    /// "18 hours left to attend".
    fn due_words(&self, due: &Due) -> String {
        self.page.say1(due.text_id(), "left", self.page.text.time_left(due.at_ms(), self.page.now_ms))
    }

    fn due_class(&self, due: &Due) -> &'static str {
        self.page.urgency(&due.at_ms()).class()
    }

    fn is_open(&self, number: &str) -> bool {
        self.case.as_ref().is_some_and(|case| case.number == number)
    }

    /// The address of a case, with the list kept as it is.
    fn case_link(&self, number: &str) -> String {
        format!("/desk/cases/{number}{}", self.filter.as_query(None))
    }

    fn next_link(&self, after: &str) -> String {
        format!("/desk{}", self.filter.as_query(Some(after)))
    }
}

impl Filter {
    /// The query of the address, with its question mark; empty when everything is as usual.
    #[must_use]
    pub fn as_query(&self, after: Option<&str>) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        if !self.whose.is_empty() && self.whose != "mine" {
            query.append_pair("whose", &self.whose);
        }
        if self.overdue {
            query.append_pair("overdue", "1");
        }
        if !self.query.is_empty() {
            query.append_pair("q", &self.query);
        }
        if !self.state.is_empty() {
            query.append_pair("state", &self.state);
        }
        if let Some(after) = after {
            query.append_pair("after", after);
        }
        match query.finish() {
            empty if empty.is_empty() => empty,
            query => format!("?{query}"),
        }
    }
}

#[cfg(test)]
pub(super) mod samples {
    use super::*;
    use crate::text::Text;
    use crate::web::views::case::samples::{adverse, fresh, refused, with_sound};
    use crate::web::views::tests::{DAY, HOUR, NOW, Samples, officer};

    fn rows() -> Vec<Row> {
        let row = |number: &str, subject: &str, who: &str, place: (&str, &str), status: &str, due| Row {
            number: number.into(),
            subject: subject.into(),
            who: who.into(),
            district: Some(place.0.into()).filter(|district: &String| !district.is_empty()),
            state: Some(place.1.into()),
            status: status.into(),
            due,
            hearing_required: status == "decided",
            has_sound: subject == "labour",
        };
        let mut rows = vec![
            row(
                "GR26-0000098-8",
                "delayed-payment",
                "Vaigai Fasteners",
                ("Madurai", "TN"),
                "attended",
                Some(Due::Conclude(NOW - 2 * DAY)),
            ),
            row(
                "GR26-0000123-4",
                "finance",
                "Sahyadri Precision Works",
                ("Pune", "MH"),
                "routed",
                Some(Due::Attend(NOW + 18 * HOUR)),
            ),
            row(
                "GR26-0000119-2",
                "finance",
                "Lakshmi Stone Crusher and Aggregates Private Limited",
                ("Dakshin Dinajpur", "WB"),
                "decided",
                Some(Due::Hearing(NOW + 22 * HOUR)),
            ),
            row("GR26-0000125-9", "labour", "+91 98••• ••417", ("", "DH"), "filed", Some(Due::Attend(NOW + 2 * DAY))),
        ];
        for serial in 0..8 {
            rows.push(row(
                &format!("GR26-00001{:02}-0", 30 + serial),
                "scheme",
                "Unit of the hills",
                ("Solan", "HP"),
                "attended",
                Some(Due::Conclude(NOW + (3 + serial) * DAY)),
            ));
        }
        rows
    }

    pub fn desk(text: Text) -> Samples<Desk> {
        let desk = |path: &str, case: Option<CaseView>| Desk {
            page: officer(text, path),
            filter: Filter { whose: "mine".into(), ..Filter::default() },
            rows: rows(),
            total: 1_204,
            next: Some("x1".into()),
            case: case.map(Box::new),
        };
        let mut empty = desk("/desk?q=zzz", None);
        empty.filter = Filter { whose: "all".into(), overdue: true, query: "zzz".into(), state: "TN".into() };
        empty.rows.clear();
        empty.total = 0;
        empty.next = None;
        vec![
            ("desk", desk("/desk", None)),
            ("desk-empty", empty),
            ("desk-case", desk("/desk/cases/GR26-0000123-4", Some(fresh(text)))),
            ("desk-case-sound", desk("/desk/cases/GR26-0000125-9", Some(with_sound(text)))),
            ("desk-case-adverse", desk("/desk/cases/GR26-0000119-2", Some(adverse(text)))),
            ("desk-case-refused", desk("/desk/cases/GR26-0000119-2", Some(refused(text)))),
        ]
    }
}

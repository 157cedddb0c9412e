//! A control room's console: readable from three metres, workable without a keyboard.

use askama::Template;

use super::{Flash, Page};

/// `GET /rooms/{code}`. Loads itself again every minute.
#[derive(Debug, Template)]
#[template(path = "room.html")]
pub struct Console {
    pub page: Page,
    pub code: String,
    pub city: String,
    /// Code of the state.
    pub state: String,
    /// Today's hearings of this room, earliest first, those that are over included.
    pub today: Vec<Sitting>,
    /// The next one of a later day, when today has none left.
    pub later: Option<Sitting>,
}

#[derive(Debug)]
pub struct Sitting {
    pub id: String,
    pub starts_at_ms: i64,
    pub case_number: String,
    pub unit: String,
    pub officer: String,
    /// As in [`super::hearing::Hearing::state`].
    pub state: String,
    /// `None` when there is nothing to join (any more).
    pub join: Option<String>,
}

impl Sitting {
    fn is_now(&self) -> bool {
        matches!(self.state.as_str(), "waiting" | "in_session" | "paused")
    }
}

impl Console {
    /// The one that is on, else the next that can be joined.
    fn next(&self) -> Option<&Sitting> {
        let on = self.today.iter().find(|sitting| sitting.is_now());
        on.or_else(|| self.today.iter().find(|sitting| sitting.join.is_some()))
    }
}

#[cfg(test)]
pub(super) mod samples {
    use super::*;
    use crate::text::Text;
    use crate::web::views::tests::{DAY, HOUR, NOW, Samples, control_room};

    pub fn console(text: Text) -> Samples<Console> {
        let sitting = |id: &str, in_ms: i64, unit: &str, state: &str, open: bool| Sitting {
            id: id.into(),
            starts_at_ms: NOW + in_ms,
            case_number: "GR26-0000119-2".into(),
            unit: unit.into(),
            officer: "R. Banerjee".into(),
            state: state.into(),
            join: open.then(|| format!("/hearings/{id}")),
        };
        let console = |today, later| Console {
            page: control_room(text, "/rooms/PUN"),
            code: "PUN".into(),
            city: "Pune".into(),
            state: "MH".into(),
            today,
            later,
        };
        vec![
            (
                "room",
                console(
                    vec![
                        sitting("h1", -3 * HOUR, "Vaigai Fasteners", "ordered", false),
                        sitting("h2", HOUR / 4, "Sahyadri Precision Works", "served", true),
                        sitting(
                            "h3",
                            3 * HOUR,
                            "Lakshmi Stone Crusher and Aggregates Private Limited",
                            "scheduled",
                            true,
                        ),
                    ],
                    None,
                ),
            ),
            ("room-now", console(vec![sitting("h2", -HOUR / 4, "Sahyadri Precision Works", "in_session", true)], None)),
            ("room-later", console(vec![], Some(sitting("h9", 2 * DAY, "Vaigai Fasteners", "scheduled", false)))),
            ("room-nothing", console(vec![], None)),
        ]
    }
}

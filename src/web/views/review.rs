//! The Secretary's review: seven numbers, the map, what is past its day.

use askama::Template;

use super::cartogram::{self, Tile};
use super::{Choice, Flash, Page};

/// `GET /review`, with `?figure=` for the map: `open`, `overdue`, `filed`.
#[derive(Debug, Template)]
#[template(path = "review.html")]
pub struct Review {
    pub page: Page,
    pub as_of_ms: i64,
    /// In the order of [`FIGURES`].
    pub figures: Vec<Figure>,
    /// Which figure the map shows: one of [`MAPS`].
    pub map: String,
    /// Count by state code.
    pub by_state: Vec<(String, i64)>,
    /// Longest overdue first.
    pub overdue: Vec<OverdueRow>,
}

/// The seven figures of a day.
pub const FIGURES: [&str; 7] = ["received", "unattended", "open", "overdue", "to-hear", "heard", "closed"];

/// What the map can show.
pub const MAPS: [&str; 3] = ["open", "overdue", "filed"];

/// One of the seven, by its code in [`FIGURES`].
#[derive(Debug)]
pub struct Figure {
    pub code: String,
    pub today: i64,
    pub yesterday: i64,
    pub last_week: i64,
    /// The list behind the number.
    pub link: String,
}

#[derive(Debug)]
pub struct OverdueRow {
    pub number: String,
    pub subject: String,
    pub who: String,
    /// Desk and officer.
    pub assignee: String,
    pub state: Option<String>,
    pub due_ms: i64,
    /// Which clock ran out: `attend` or `conclude`.
    pub clock: String,
}

impl Figure {
    /// "+3", "−2", "±0".
    fn change(page: &Page, from: &i64, to: &i64) -> String {
        match to - from {
            0 => "±0".to_owned(),
            more if more > 0 => format!("+{}", page.number(&more)),
            less => page.number(&less),
        }
    }
}

impl Review {
    fn tiles(&self) -> Vec<Tile> {
        cartogram::tiles(&self.by_state)
    }

    fn map_size() -> (u32, u32) {
        cartogram::SIZE
    }

    fn maps(&self) -> Vec<Choice> {
        Choice::named(self.page.text, "map", &MAPS)
    }

    /// The table twin of the map: largest first, zeros left out.
    fn states(&self) -> Vec<(String, i64)> {
        let mut states: Vec<_> = self
            .by_state
            .iter()
            .filter(|(_, count)| *count != 0)
            .map(|(code, count)| (self.page.name("state", code), *count))
            .collect();
        states.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
        states
    }
}

#[cfg(test)]
pub(super) mod samples {
    use super::*;
    use crate::text::Text;
    use crate::web::views::tests::{DAY, NOW, Samples, secretary};

    pub fn review(text: Text) -> Samples<Review> {
        let figures = FIGURES
            .iter()
            .zip([61_i64, 14, 1_204, 37, 9, 4, 55])
            .map(|(code, today)| Figure {
                code: (*code).into(),
                today,
                yesterday: today - 3,
                last_week: today + today / 8,
                link: "/desk?whose=all".into(),
            })
            .collect();
        let row = |number: &str, who: &str, days: i64, clock: &str| OverdueRow {
            number: number.into(),
            subject: "delayed-payment".into(),
            who: who.into(),
            assignee: "Procurement branch · P. Selvam".into(),
            state: Some("TN".into()),
            due_ms: NOW - days * DAY,
            clock: clock.into(),
        };
        let review = |by_state, overdue| Review {
            page: secretary(text, "/review"),
            as_of_ms: NOW,
            figures,
            map: "open".into(),
            by_state,
            overdue,
        };
        let counts = [("MH", 212), ("UP", 188), ("TN", 141), ("GJ", 96), ("KA", 90), ("WB", 61), ("AS", 22), ("LA", 1)]
            .map(|(code, count)| (code.to_owned(), count))
            .to_vec();
        vec![(
            "review",
            review(
                counts,
                vec![
                    row("GR26-0000041-0", "Vaigai Fasteners", 6, "conclude"),
                    row("GR26-0000098-8", "Kaveri Textiles", 2, "attend"),
                ],
            ),
        )]
    }
}

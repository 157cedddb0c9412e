//! Where a case stands, for the person who filed it.

use askama::Template;

use super::{Flash, Form, Page};

/// `GET /track` and `POST /track` with `number` and `mobile`. Whether they match is never told on the page.
#[derive(Debug, Template)]
#[template(path = "track-ask.html")]
pub struct TrackAsk {
    pub page: Page,
    pub form: Form,
    /// The link was asked for: the page says what happens now.
    pub asked: bool,
}

/// `GET /track/{number}` for whoever holds the link.
#[derive(Debug, Template)]
#[template(path = "track.html")]
pub struct Track {
    pub page: Page,
    pub number: String,
    /// A code of the subject list.
    pub subject: String,
    pub unit: Option<String>,
    pub steps: Vec<TrackStep>,
    pub next: Option<TrackNext>,
    pub hearing: Option<TrackHearing>,
    /// The decision as it was told, once there is one.
    pub decision: Option<String>,
    /// Of the box to add something: field `text`.
    pub form: Form,
    /// Where that form goes: `/track/{number}/add`, with whatever proves that the reader holds the link.
    pub add_to: String,
    pub closed: bool,
}

/// One dated step, in plain words of the reader's language.
#[derive(Debug)]
pub struct TrackStep {
    pub at_ms: i64,
    pub what: String,
    /// The officer's own words, or the person's.
    pub words: Option<String>,
}

/// What comes next and by when.
#[derive(Debug)]
pub struct TrackNext {
    pub what: String,
    pub by_ms: i64,
}

#[derive(Debug)]
pub struct TrackHearing {
    pub starts_at_ms: i64,
    /// `video`, `control_room`, `telephone`, `in_person`, `mixed`.
    pub medium: String,
    /// The control room or place, if one is meant.
    pub place: Option<String>,
    pub officer: String,
    /// `/hearings/{id}…` for this party: both the test and the joining are there.
    pub link: Option<String>,
}

#[cfg(test)]
pub(super) mod samples {
    use super::*;
    use crate::text::Text;
    use crate::web::views::tests::{DAY, NOW, Samples, visitor};

    pub fn ask(text: Text) -> Samples<TrackAsk> {
        let mut wrong = Form::from_pairs([("number", "GR26-0000123-5"), ("mobile", "9800000321")]);
        wrong.refuse("number", text.say("error-number"));
        let page = || visitor(text, "/track");
        vec![
            ("track-ask", TrackAsk { page: page(), form: Form::empty(), asked: false }),
            ("track-ask-refused", TrackAsk { page: page(), form: wrong, asked: false }),
            ("track-asked", TrackAsk { page: page(), form: Form::empty(), asked: true }),
        ]
    }

    pub fn track(text: Text) -> Samples<Track> {
        let mut page = visitor(text, "/track/GR26-0000123-4");
        page.flash = Some(Flash::Done(text.say("track-added")));
        let open = Track {
            page,
            number: "GR26-0000123-4".into(),
            subject: "finance".into(),
            unit: Some("Sahyadri Precision Works".into()),
            steps: vec![
                TrackStep {
                    at_ms: NOW - 4 * DAY,
                    what: text.say("track-step-filed"),
                    words: Some("My bank refused my working capital loan, unit in Pune".into()),
                },
                TrackStep { at_ms: NOW - 4 * DAY + 60_000, what: text.say("track-step-routed"), words: None },
                TrackStep { at_ms: NOW - 3 * DAY, what: text.say("track-step-attended"), words: None },
                TrackStep {
                    at_ms: NOW - DAY,
                    what: text.say("track-step-reply"),
                    words: Some(
                        "We have asked the bank for its reasons. <b>Please</b> keep your last two returns ready."
                            .into(),
                    ),
                },
                TrackStep { at_ms: NOW - DAY / 2, what: text.say("track-step-hearing"), words: None },
            ],
            next: Some(TrackNext { what: text.say("track-next-hearing"), by_ms: NOW + DAY }),
            hearing: Some(TrackHearing {
                starts_at_ms: NOW + DAY,
                medium: "video".into(),
                place: None,
                officer: "R. Banerjee".into(),
                link: Some("/hearings/0197f3c2-0000-7000-8000-000000000001?key=sample".into()),
            }),
            decision: None,
            form: Form::empty(),
            add_to: "/track/GR26-0000123-4/add?key=sample".into(),
            closed: false,
        };
        let closed = Track {
            page: visitor(text, "/track/GR26-0000007-5"),
            number: "GR26-0000007-5".into(),
            subject: "delayed-payment".into(),
            unit: None,
            steps: vec![
                TrackStep { at_ms: NOW - 9 * DAY, what: text.say("track-step-filed"), words: None },
                TrackStep { at_ms: NOW - 2 * DAY, what: text.say("track-step-closed"), words: None },
            ],
            next: None,
            hearing: None,
            decision: Some("The buyer has paid the whole amount with interest.".into()),
            form: Form::empty(),
            add_to: "/track/GR26-0000007-5/add?key=sample".into(),
            closed: true,
        };
        vec![("track", open), ("track-closed", closed)]
    }
}

//! The front door, signing in, and the pages that say what went wrong.

use askama::Template;

use super::{Flash, Form, Page};

/// `/`: three doors and the four steps that follow.
#[derive(Debug, Template)]
#[template(path = "home.html")]
pub struct Home {
    pub page: Page,
    /// The number to ring, written for reading.
    pub call_number: String,
    /// The number to text.
    pub text_number: String,
}

impl Home {
    /// A number as `tel:` and `sms:` links want it.
    fn dialled(number: &str) -> String {
        number.chars().filter(|character| character.is_ascii_digit() || *character == '+').collect()
    }
}

/// `GET /signin`; the form goes to `POST /signin` with `username`, `password` and `next`.
#[derive(Debug, Template)]
#[template(path = "sign-in.html")]
pub struct SignIn {
    pub page: Page,
    pub form: Form,
    /// Where to go afterwards: a path of this hub.
    pub next: String,
}

/// Any page that had to be refused. Says what happened and how to go on; no internal detail.
#[derive(Debug, Template)]
#[template(path = "problem.html")]
pub struct Problem {
    pub page: Page,
    /// The HTTP status. 400, 403, 404, 409, 413, 422, 429, 503 have their own words, all others those of 500.
    pub status: u16,
    /// For 409 and 422: which rule refused, as a sentence in the reader's language.
    pub reason: Option<String>,
    /// What to quote when asking for help: an id that stands in the log.
    pub reference: Option<String>,
}

impl Problem {
    fn words(&self) -> &'static str {
        match self.status {
            400 => "400",
            403 => "403",
            404 => "404",
            409 => "409",
            413 => "413",
            422 => "422",
            429 => "429",
            503 => "503",
            _ => "500",
        }
    }
}

#[cfg(test)]
pub(super) mod samples {
    use super::*;
    use crate::text::Text;
    use crate::web::views::tests::{Samples, visitor};

    pub fn home(text: Text) -> Samples<Home> {
        let mut demo = visitor(text, "/");
        demo.demo = true;
        vec![("home", Home { page: demo, call_number: "1800 000 0001".into(), text_number: "+91 90000 00001".into() })]
    }

    pub fn sign_in(text: Text) -> Samples<SignIn> {
        let mut refused = Form::from_pairs([("username", "officer.finance")]);
        refused.refuse("username", text.say("error-sign-in"));
        vec![
            ("sign-in", SignIn { page: visitor(text, "/signin"), form: Form::empty(), next: "/desk".into() }),
            ("sign-in-refused", SignIn { page: visitor(text, "/signin"), form: refused, next: "/desk".into() }),
        ]
    }

    pub fn problem(text: Text) -> Samples<Problem> {
        let page = || visitor(text, "/desk");
        let plain = |status| Problem { page: page(), status, reason: None, reference: None };
        vec![
            ("problem-400", plain(400)),
            ("problem-403", plain(403)),
            ("problem-404", plain(404)),
            (
                "problem-409",
                Problem { page: page(), status: 409, reason: Some(text.say("rule-hearing-required")), reference: None },
            ),
            ("problem-413", plain(413)),
            ("problem-422", plain(422)),
            ("problem-429", plain(429)),
            ("problem-500", Problem { page: page(), status: 500, reason: None, reference: Some("0197f3c2".into()) }),
            ("problem-503", plain(503)),
        ]
    }
}

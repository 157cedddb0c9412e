//! Filing a grievance, one question a page.

use askama::Template;

use super::{Choice, Flash, Form, Page};
use crate::text::LANGUAGES;

/// The pages of filing, in their order. Each but the last posts to `/file/{step}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Fields `kind` (`unit_with_udyam`, `unit`, `individual`, `association`) and `name`.
    Who,
    /// Fields `unit`, `udyam`, `state`, `district`.
    Unit,
    /// Fields `mobile`, `email`.
    Contact,
    /// Fields `text`, `subject`, `language`.
    Problem,
    /// No fields: everything once more, then sending.
    Check,
}

impl Step {
    pub const ALL: [Self; 5] = [Self::Who, Self::Unit, Self::Contact, Self::Problem, Self::Check];

    /// The name in the address.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Who => "who",
            Self::Unit => "unit",
            Self::Contact => "contact",
            Self::Problem => "problem",
            Self::Check => "check",
        }
    }

    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|step| step.code() == code)
    }

    /// The step before, for the link back.
    #[must_use]
    pub fn before(self) -> Option<Self> {
        match self {
            Self::Who => None,
            Self::Unit => Some(Self::Who),
            Self::Contact => Some(Self::Unit),
            Self::Problem => Some(Self::Contact),
            Self::Check => Some(Self::Problem),
        }
    }

    /// The step after; checking is followed by sending.
    #[must_use]
    pub fn after(self) -> Option<Self> {
        match self {
            Self::Who => Some(Self::Unit),
            Self::Unit => Some(Self::Contact),
            Self::Contact => Some(Self::Problem),
            Self::Problem => Some(Self::Check),
            Self::Check => None,
        }
    }

    fn number(self) -> usize {
        Self::ALL.iter().position(|step| *step == self).unwrap_or_default() + 1
    }
}

/// `GET /file/{step}` and a refused `POST`. `form` holds everything told so far, in all steps.
#[derive(Debug, Template)]
#[template(path = "filing.html")]
pub struct Filing {
    pub page: Page,
    pub step: Step,
    pub form: Form,
}

/// One line of the summary.
struct Answer {
    label: String,
    value: String,
    step: Step,
}

impl Filing {
    const KINDS: [&'static str; 4] = ["unit_with_udyam", "unit", "individual", "association"];

    /// Longest text of a complaint on the web, in characters.
    pub const TEXT_LIMIT: usize = 4000;

    fn kinds(&self) -> Vec<Choice> {
        Choice::named(self.page.text, "kind", &Self::KINDS)
    }

    fn states(&self) -> Vec<Choice> {
        Choice::states(self.page.text)
    }

    fn subjects(&self) -> Vec<Choice> {
        Choice::subjects(self.page.text)
    }

    fn languages() -> Vec<Choice> {
        LANGUAGES.iter().map(|language| Choice::new(language.tag, language.own_name)).collect()
    }

    fn chosen_language(&self) -> &str {
        match self.form.value("language") {
            "" => self.page.text.tag(),
            chosen => chosen,
        }
    }

    fn title(&self) -> String {
        self.page.name("file-title", self.step.code())
    }

    fn of_five(&self) -> String {
        let (number, all) = (self.step.number().to_string(), Step::ALL.len().to_string());
        self.page.say2("file-step", ("number", &number), ("all", &all))
    }

    /// The summary to check. What was left empty is named as such, so that it can still be added.
    fn answers(&self) -> Vec<Answer> {
        let fields = [
            ("kind", Step::Who),
            ("name", Step::Who),
            ("unit", Step::Unit),
            ("udyam", Step::Unit),
            ("state", Step::Unit),
            ("district", Step::Unit),
            ("mobile", Step::Contact),
            ("email", Step::Contact),
            ("subject", Step::Problem),
            ("text", Step::Problem),
        ];
        fields
            .into_iter()
            .map(|(field, step)| {
                let typed = self.form.value(field);
                let value = match field {
                    _ if typed.is_empty() => {
                        self.page.name("file-empty", if field == "subject" { "subject" } else { "any" })
                    }
                    "kind" | "state" | "subject" => self.page.name(field, typed),
                    _ => typed.to_owned(),
                };
                Answer { label: self.page.name("file-label", field), value, step }
            })
            .collect()
    }
}

/// After sending: the number, large.
#[derive(Debug, Template)]
#[template(path = "filed.html")]
pub struct Filed {
    pub page: Page,
    /// The case number as written: `GR26-0000123-4`.
    pub number: String,
    /// Where it was sent, partly hidden: `******3210`.
    pub mobile: Option<String>,
    pub email: Option<String>,
    /// A link that opens the case without asking.
    pub track_link: String,
    pub attend_by_ms: i64,
    pub conclude_by_ms: i64,
}

#[cfg(test)]
pub(super) mod samples {
    use super::*;
    use crate::text::Text;
    use crate::web::views::tests::{NOW, Samples, visitor};

    fn told() -> Form {
        Form::from_pairs([
            ("kind", "unit_with_udyam"),
            ("name", "Meera Kulkarni"),
            ("unit", "Sahyadri Precision Works"),
            ("udyam", "UDYAM-MH-26-0012345"),
            ("state", "MH"),
            ("district", "Pune"),
            ("mobile", "98000 00321"),
            ("email", ""),
            ("subject", ""),
            (
                "text",
                "My bank refused my working capital loan.\nThe branch gave no reason in writing & does not answer.",
            ),
            ("language", "en"),
        ])
    }

    pub fn filing(text: Text) -> Samples<Filing> {
        let page = |step: Step| visitor(text, &format!("/file/{}", step.code()));
        let mut samples: Samples<Filing> = vec![
            ("file-who", Filing { page: page(Step::Who), step: Step::Who, form: Form::empty() }),
            ("file-unit", Filing { page: page(Step::Unit), step: Step::Unit, form: told() }),
            ("file-contact", Filing { page: page(Step::Contact), step: Step::Contact, form: told() }),
            ("file-problem", Filing { page: page(Step::Problem), step: Step::Problem, form: told() }),
            ("file-check", Filing { page: page(Step::Check), step: Step::Check, form: told() }),
        ];
        let mut refused = Form::from_pairs([("mobile", "12345"), ("email", "nobody")]);
        refused.refuse("mobile", text.say("error-mobile"));
        refused.refuse("email", text.say("error-email"));
        samples.push(("file-refused", Filing { page: page(Step::Contact), step: Step::Contact, form: refused }));
        let mut nobody = Form::empty();
        nobody.refuse("kind", text.say("error-kind"));
        nobody.refuse("name", text.say("error-name"));
        samples.push(("file-who-refused", Filing { page: page(Step::Who), step: Step::Who, form: nobody }));
        samples
    }

    pub fn filed(text: Text) -> Samples<Filed> {
        vec![(
            "file-done",
            Filed {
                page: visitor(text, "/file/done"),
                number: "GR26-0000123-4".into(),
                mobile: Some("******0321".into()),
                email: Some("m****@example.in".into()),
                track_link: "/track/GR26-0000123-4?key=sample".into(),
                attend_by_ms: NOW + 3 * 86_400_000,
                conclude_by_ms: NOW + 7 * 86_400_000,
            },
        )]
    }
}

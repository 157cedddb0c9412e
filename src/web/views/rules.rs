//! Where cases go: the routing rules as a table, and why one case went where it is.

use askama::Template;

use super::{Flash, Form, Page};

/// `GET /desk/rules`, with `?number=` to ask about one case.
#[derive(Debug, Template)]
#[template(path = "rules.html")]
pub struct Rules {
    pub page: Page,
    /// In the order in which they are tried.
    pub rules: Vec<RuleRow>,
    /// Of the question, field `number`.
    pub form: Form,
    pub answer: Option<Why>,
}

/// One rule. What is `None` matches anything.
#[derive(Debug)]
pub struct RuleRow {
    pub priority: i64,
    pub subject: Option<String>,
    pub state: Option<String>,
    pub desk: String,
    pub officer: Option<String>,
}

/// Why a case went where it is.
#[derive(Debug)]
pub struct Why {
    pub number: String,
    /// Subject and state as they were understood; the words that decided them.
    pub subject: Option<String>,
    pub subject_words: Vec<String>,
    pub state: Option<String>,
    pub place_words: Vec<String>,
    /// Priority of the rule that took it; `None` is the triage desk.
    pub rule: Option<i64>,
    pub desk: String,
    pub officer: Option<String>,
    /// Later transfers: sentences, oldest first.
    pub since: Vec<String>,
}

impl Rules {
    fn took(&self, rule: &RuleRow) -> bool {
        self.answer.as_ref().is_some_and(|why| why.rule == Some(rule.priority))
    }
}

#[cfg(test)]
pub(super) mod samples {
    use super::*;
    use crate::text::Text;
    use crate::web::views::tests::{Samples, officer};

    pub fn rules(text: Text) -> Samples<Rules> {
        let rule = |priority, subject: Option<&str>, state: Option<&str>, desk: &str, officer: Option<&str>| RuleRow {
            priority,
            subject: subject.map(Into::into),
            state: state.map(Into::into),
            desk: desk.into(),
            officer: officer.map(Into::into),
        };
        let table = || {
            vec![
                rule(10, Some("finance"), Some("MH"), "Credit branch, west", Some("R. Banerjee")),
                rule(20, Some("finance"), None, "Credit branch", Some("P. Selvam")),
                rule(90, None, Some("LA"), "Northern office", None),
                rule(100, None, None, "Triage", None),
            ]
        };
        let why = Why {
            number: "GR26-0000123-4".into(),
            subject: Some("finance".into()),
            subject_words: vec!["bank".into(), "working capital".into(), "loan".into()],
            state: Some("MH".into()),
            place_words: vec!["Pune".into()],
            rule: Some(10),
            desk: "Credit branch, west".into(),
            officer: Some("R. Banerjee".into()),
            since: vec![],
        };
        let untaken = Why {
            number: "GR26-0000125-9".into(),
            subject: None,
            subject_words: vec![],
            state: None,
            place_words: vec![],
            rule: None,
            desk: "Triage".into(),
            officer: None,
            since: vec!["Credit branch → Triage".into()],
        };
        let page = || officer(text, "/desk/rules");
        let asked = Form::from_pairs([("number", "GR26-0000123-4")]);
        vec![
            ("rules", Rules { page: page(), rules: table(), form: Form::empty(), answer: None }),
            ("rules-why", Rules { page: page(), rules: table(), form: asked.clone(), answer: Some(why) }),
            ("rules-triage", Rules { page: page(), rules: table(), form: asked, answer: Some(untaken) }),
        ]
    }
}

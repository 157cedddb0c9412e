//! One case as the officer sees it, and the forms of what may be done with it.

pub use super::action::Action;
use super::{Choice, Form, Page};

/// A case in the middle of the desk. `actions` are the ones the rules allow this reader now.
#[derive(Debug)]
pub struct CaseView {
    pub number: String,
    /// Two letters.
    pub series: String,
    pub subject: String,
    pub status: String,
    pub filed_at_ms: i64,
    /// `web`, `phone`, `sms`, `email`, `walk-in`, `portal`.
    pub channel: String,
    pub complaint: Complaint,
    pub applicant: Applicant,
    /// Desk and officer, as one line.
    pub assignee: Option<String>,
    pub attend: Clock,
    pub conclude: Clock,
    /// `favourable`, `partly`, `adverse`.
    pub outcome: Option<String>,
    pub grounds: Grounds,
    /// Why the unit must be heard before closing, as sentences; empty when it need not be.
    pub must_hear: Vec<String>,
    /// What the rules have just refused.
    pub refusal: Option<String>,
    /// Oldest first.
    pub thread: Vec<Entry>,
    pub hearings: Vec<HearingLine>,
    pub actions: Vec<Action>,
    /// The one that is due now: shown first and full.
    pub due_action: Option<Action>,
    /// The action whose form came back, with what was typed and what was wrong.
    pub returned: Option<(Action, Form)>,
    /// Desks and officers to transfer to.
    pub desks: Vec<Choice>,
    pub control_rooms: Vec<Choice>,
}

/// What the person said.
#[derive(Debug, Default)]
pub struct Complaint {
    /// BCP-47 tag of the language it was told in.
    pub language: String,
    pub text: Option<String>,
    /// Address of the sound, if it was spoken.
    pub sound: Option<String>,
}

/// Who it is. Empty fields are left out.
#[derive(Debug, Default)]
pub struct Applicant {
    /// `unit_with_udyam`, `unit`, `individual`, `association`.
    pub kind: String,
    pub name: Option<String>,
    pub unit: Option<String>,
    pub udyam: Option<String>,
    pub mobile: Option<String>,
    pub email: Option<String>,
    pub district: Option<String>,
    pub state: Option<String>,
}

/// One of the two clocks.
#[derive(Debug)]
pub struct Clock {
    pub due_ms: i64,
    pub done_at_ms: Option<i64>,
}

/// The four grounds on which an adverse decision must be heard.
#[derive(Debug, Clone, Copy, Default)]
pub struct Grounds {
    pub humanitarian: bool,
    pub injustice: bool,
    pub harassment: bool,
    pub undue_delay: bool,
}

impl Grounds {
    fn all(self) -> [(&'static str, bool); 4] {
        [
            ("humanitarian", self.humanitarian),
            ("injustice", self.injustice),
            ("harassment", self.harassment),
            ("undue_delay", self.undue_delay),
        ]
    }
}

/// One step of the history.
#[derive(Debug)]
pub struct Entry {
    pub at_ms: i64,
    pub who: String,
    /// Whether the unit wrote it.
    pub from_unit: bool,
    /// One sentence.
    pub what: String,
    /// The words that were said or written.
    pub words: Option<String>,
}

/// One hearing of the case.
#[derive(Debug)]
pub struct HearingLine {
    pub id: String,
    pub starts_at_ms: i64,
    pub medium: String,
    pub place: Option<String>,
    /// `scheduled served waiting in_session paused ended recorded ordered ex_parte cancelled`.
    pub state: String,
    pub has_recording: bool,
    /// Whether the record or the order is still to be written.
    pub unfinished: bool,
}

impl CaseView {
    pub(super) const OUTCOMES: [&'static str; 3] = ["favourable", "partly", "adverse"];
    pub(super) const MEDIA: [&'static str; 5] = ["video", "control_room", "telephone", "in_person", "mixed"];

    /// The due action first, then the others in their usual order.
    pub(super) fn ordered_actions(&self) -> Vec<Action> {
        let mut actions: Vec<Action> = Action::ALL.into_iter().filter(|action| self.actions.contains(action)).collect();
        actions.sort_by_key(|action| Some(*action) != self.due_action);
        actions
    }

    pub(super) fn allows(&self, action: &Action) -> bool {
        self.actions.contains(action)
    }

    pub(super) fn is_due(&self, action: &Action) -> bool {
        self.due_action == Some(*action)
    }

    pub(super) fn key_of(&self, action: &Action) -> &'static str {
        action.key().unwrap_or_default()
    }

    /// Open are the form that came back and, before anything else was tried, the one that is due.
    pub(super) fn is_open(&self, action: &Action) -> bool {
        match &self.returned {
            Some((returned, _)) => returned == action,
            None => false,
        }
    }

    pub(super) fn form(&self, action: &Action) -> Form {
        match &self.returned {
            Some((returned, form)) if returned == action => form.clone(),
            _ => Form::empty(),
        }
    }

    pub(super) fn told_grounds(&self) -> Vec<&'static str> {
        self.grounds.all().into_iter().filter(|(_, holds)| *holds).map(|(code, _)| code).collect()
    }

    pub(super) fn all_grounds(&self) -> [&'static str; 4] {
        self.grounds.all().map(|(code, _)| code)
    }

    pub(super) fn yes_no(&self, page: &Page) -> Vec<Choice> {
        Choice::named(page.text, "answer", &["yes", "no"])
    }

    pub(super) fn outcomes(&self, page: &Page) -> Vec<Choice> {
        Choice::named(page.text, "outcome", &Self::OUTCOMES)
    }

    pub(super) fn subjects(&self, page: &Page) -> Vec<Choice> {
        Choice::subjects(page.text)
    }

    pub(super) fn media(&self, page: &Page) -> Vec<Choice> {
        Choice::named(page.text, "medium", &Self::MEDIA)
    }

    /// Label and value of what is known of the applicant.
    pub(super) fn applicant_lines(&self, page: &Page) -> Vec<(String, String)> {
        let who = &self.applicant;
        let state = who.state.as_ref().map(|code| page.name("state", code));
        let place = match (who.district.clone(), state) {
            (Some(district), Some(state)) => Some(format!("{district}, {state}")),
            (district, state) => district.or(state),
        };
        [
            ("unit", who.unit.clone()),
            ("name", who.name.clone()),
            ("kind", Some(page.name("kind", &who.kind)).filter(|_| !who.kind.is_empty())),
            ("udyam", who.udyam.clone()),
            ("place", place),
            ("mobile", who.mobile.clone()),
            ("email", who.email.clone()),
        ]
        .into_iter()
        .filter_map(|(field, value)| value.map(|value| (page.name("applicant", field), value)))
        .collect()
    }

    /// "18 hours left", "done 20 Nov 2026, 10:00", "2 days late".
    pub(super) fn clock_words(&self, page: &Page, clock: &Clock) -> String {
        match clock.done_at_ms {
            Some(done) => page.say1("clock-done", "date", page.text.date_time(done)),
            None => page.text.time_left(clock.due_ms, page.now_ms),
        }
    }

    /// A done clock is judged by when it was done.
    pub(super) fn clock_class(&self, page: &Page, clock: &Clock) -> &'static str {
        match clock.done_at_ms {
            Some(done) if done > clock.due_ms => "overdue",
            Some(_) => "in-time",
            None => page.urgency(&clock.due_ms).class(),
        }
    }

    pub(super) fn hearing_link_words(&self, page: &Page, hearing: &HearingLine) -> String {
        let id = match hearing.state.as_str() {
            "ended" | "ex_parte" if hearing.unfinished => "hearing-go-write",
            "ended" | "recorded" | "ordered" | "ex_parte" | "cancelled" => "hearing-go-see",
            _ => "hearing-go-join",
        };
        page.say(id)
    }
}

#[cfg(test)]
pub(super) mod samples {
    use super::*;
    use crate::text::Text;
    use crate::web::views::tests::{DAY, HOUR, NOW};

    fn rooms() -> Vec<Choice> {
        vec![Choice::new("PUN", "Pune"), Choice::new("MUM", "Mumbai"), Choice::new("NGP", "Nagpur")]
    }

    pub fn fresh(text: Text) -> CaseView {
        CaseView {
            number: "GR26-0000123-4".into(),
            series: "GR".into(),
            subject: "finance".into(),
            status: "routed".into(),
            filed_at_ms: NOW - 2 * DAY - 6 * HOUR,
            channel: "sms".into(),
            complaint: Complaint {
                language: "en".into(),
                text: Some(
                    "My bank refused my working capital loan, unit in Pune.\nThe branch <manager> gave no reason."
                        .into(),
                ),
                sound: None,
            },
            applicant: Applicant {
                kind: "unit_with_udyam".into(),
                name: Some("Meera Kulkarni".into()),
                unit: Some("Sahyadri Precision Works".into()),
                udyam: Some("UDYAM-MH-26-0012345".into()),
                mobile: Some("+91 98000 00321".into()),
                email: Some("meera.kulkarni@example.in".into()),
                district: Some("Pune".into()),
                state: Some("MH".into()),
            },
            assignee: Some("Credit branch · R. Banerjee".into()),
            attend: Clock { due_ms: NOW + 18 * HOUR, done_at_ms: None },
            conclude: Clock { due_ms: NOW + 4 * DAY, done_at_ms: None },
            outcome: None,
            grounds: Grounds::default(),
            must_hear: vec![],
            refusal: None,
            thread: vec![
                Entry {
                    at_ms: NOW - 2 * DAY,
                    who: "Meera Kulkarni".into(),
                    from_unit: true,
                    what: text.say("thread-filed"),
                    words: None,
                },
                Entry {
                    at_ms: NOW - 2 * DAY + 1000,
                    who: text.say("the-hub"),
                    from_unit: false,
                    what: text.say_with("thread-routed", &[("to", "R. Banerjee")]),
                    words: None,
                },
                Entry {
                    at_ms: NOW - DAY,
                    who: "Meera Kulkarni".into(),
                    from_unit: true,
                    what: text.say("thread-added"),
                    words: Some("The bank wrote today: limit exceeded.".into()),
                },
            ],
            hearings: vec![],
            actions: vec![Action::Attend, Action::Reply, Action::InterimReply, Action::Transfer, Action::Decide],
            due_action: Some(Action::Attend),
            returned: None,
            desks: vec![Choice::new("triage", "Triage desk"), Choice::new("tax", "Tax cell · K. Lyngdoh")],
            control_rooms: rooms(),
        }
    }

    pub fn with_sound(text: Text) -> CaseView {
        CaseView {
            number: "GR26-0000125-9".into(),
            subject: "labour".into(),
            channel: "phone".into(),
            complaint: Complaint { language: "hi".into(), text: None, sound: Some("/recordings/sample.wav".into()) },
            applicant: Applicant { mobile: Some("+91 98000 00417".into()), ..Applicant::default() },
            assignee: None,
            ..fresh(text)
        }
    }

    /// Decided against the unit with a ground: it must be heard.
    pub fn adverse(text: Text) -> CaseView {
        CaseView {
            number: "GR26-0000119-2".into(),
            status: "decided".into(),
            outcome: Some("adverse".into()),
            attend: Clock { due_ms: NOW - 2 * DAY, done_at_ms: Some(NOW - 3 * DAY) },
            conclude: Clock { due_ms: NOW + 22 * HOUR, done_at_ms: None },
            grounds: Grounds { harassment: true, undue_delay: true, ..Grounds::default() },
            must_hear: vec![text.say("must-hear-grounds"), text.say("must-hear-late")],
            hearings: vec![
                HearingLine {
                    id: "h1".into(),
                    starts_at_ms: NOW + 20 * HOUR,
                    medium: "control_room".into(),
                    place: Some("Pune".into()),
                    state: "served".into(),
                    has_recording: false,
                    unfinished: false,
                },
                HearingLine {
                    id: "h0".into(),
                    starts_at_ms: NOW - 20 * HOUR,
                    medium: "video".into(),
                    place: None,
                    state: "ended".into(),
                    has_recording: true,
                    unfinished: true,
                },
            ],
            actions: vec![Action::Hearing, Action::Reply, Action::Close, Action::Transfer],
            due_action: Some(Action::Hearing),
            ..fresh(text)
        }
    }

    /// A decision form that came back, and closing that was refused by the rule.
    pub fn refused(text: Text) -> CaseView {
        let mut form = Form::from_pairs([("outcome", "adverse"), ("reasons", ""), ("harassment", "yes")]);
        form.refuse("reasons", text.say("error-reasons"));
        form.refuse("humanitarian", text.say("error-ground"));
        CaseView {
            refusal: Some(text.say("rule-hearing-required")),
            actions: Action::ALL.to_vec(),
            due_action: Some(Action::Decide),
            returned: Some((Action::Decide, form)),
            ..adverse(text)
        }
    }
}

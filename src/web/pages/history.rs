//! A case's history in plain words: one sentence a step for the unit, one for the desk.

use crate::domain::case::CaseEvent;
use crate::domain::hearing::HearingEvent;
use crate::text::Text;

/// What the unit reads of a step: key of the sentence, and the words that a person wrote. `None` for what is ours alone.
pub(super) fn for_the_unit(event: &CaseEvent) -> Option<(&'static str, Option<String>)> {
    let words = |text: &String| (!text.is_empty()).then(|| text.clone());
    Some(match event {
        CaseEvent::Filed { .. } => ("track-step-filed", None),
        CaseEvent::Routed { .. } => ("track-step-routed", None),
        CaseEvent::Attended { .. } => ("track-step-attended", None),
        CaseEvent::Replied { text } => ("track-step-reply", words(text)),
        CaseEvent::Transferred { reason, .. } => ("track-step-transferred", words(reason)),
        CaseEvent::InterimReplied { text, .. } => ("track-step-interim", words(text)),
        CaseEvent::Decided { reasons, .. } => ("track-step-decided", words(reasons)),
        CaseEvent::HearingFixed { .. } => ("track-step-hearing", None),
        CaseEvent::Closed { text } => ("track-step-closed", words(text)),
        CaseEvent::Reopened { reason } | CaseEvent::Appealed { reason, .. } => ("track-step-reopened", words(reason)),
        CaseEvent::PartyAdded { text } => ("track-step-added", words(text)),
        CaseEvent::AttendOverdue | CaseEvent::ConcludeOverdue | CaseEvent::SoundLost { .. } => return None,
    })
}

/// What the desk reads of a step: key of the sentence, and the words that belong to it.
pub(super) fn for_the_desk(event: &CaseEvent, t: Text) -> (&'static str, Option<String>) {
    let words = |text: &String| (!text.is_empty()).then(|| text.clone());
    match event {
        CaseEvent::Filed { .. } => ("history-filed", None),
        CaseEvent::Routed { why, .. } => ("history-routed", words(&rule_in_words(why, t))),
        CaseEvent::Attended { note } => ("history-attended", words(note)),
        CaseEvent::Replied { text } => ("history-replied", words(text)),
        CaseEvent::Transferred { reason, .. } => ("history-transferred", words(reason)),
        CaseEvent::InterimReplied { text, .. } => ("history-interim_replied", words(text)),
        CaseEvent::Decided { reasons, .. } => ("history-decided", words(reasons)),
        CaseEvent::HearingFixed { .. } => ("history-hearing_fixed", None),
        CaseEvent::Closed { text } => ("history-closed", words(text)),
        CaseEvent::Reopened { reason } => ("history-reopened", words(reason)),
        CaseEvent::Appealed { reason, .. } => ("history-appealed", words(reason)),
        CaseEvent::PartyAdded { text } => ("thread-added", words(text)),
        CaseEvent::SoundLost { .. } => ("history-sound_lost", None),
        CaseEvent::AttendOverdue => ("history-attend_overdue", None),
        CaseEvent::ConcludeOverdue => ("history-conclude_overdue", None),
    }
}

/// What the desk reads of a step of a hearing. Fixing it is told by the case itself.
pub(super) fn of_a_hearing(event: &HearingEvent, was_heard: bool) -> Option<(&'static str, Option<String>)> {
    match event {
        HearingEvent::Served { .. } => Some(("thread-notice-served", None)),
        HearingEvent::Ended if was_heard => Some(("thread-hearing-held", None)),
        HearingEvent::HeldExParte { reason } => Some(("thread-ex-parte", Some(reason.clone()))),
        HearingEvent::Recorded { text } => Some(("thread-recorded", Some(text.clone()))),
        HearingEvent::Ordered { reasons, .. } => Some(("thread-ordered", Some(reasons.clone()))),
        HearingEvent::Fixed { .. }
        | HearingEvent::Started
        | HearingEvent::Paused { .. }
        | HearingEvent::Resumed
        | HearingEvent::Ended
        | HearingEvent::Attempted { .. } => None,
    }
}

/// What the unit reads of a step of a hearing.
pub(super) fn of_a_hearing_for_the_unit(
    event: &HearingEvent,
    was_heard: bool,
) -> Option<(&'static str, Option<String>)> {
    match event {
        HearingEvent::Ended if was_heard => Some(("track-step-heard", None)),
        HearingEvent::Recorded { text } => Some(("track-step-recorded", Some(text.clone()))),
        HearingEvent::Ordered { reasons, .. } => Some(("track-step-ordered", Some(reasons.clone()))),
        HearingEvent::Fixed { .. }
        | HearingEvent::Served { .. }
        | HearingEvent::Started
        | HearingEvent::Paused { .. }
        | HearingEvent::Resumed
        | HearingEvent::Ended
        | HearingEvent::HeldExParte { .. }
        | HearingEvent::Attempted { .. } => None,
    }
}

/// Why a case went where it went: `subject=finance state=MH (bank, loan)` as a person says it.
fn rule_in_words(why: &str, t: Text) -> String {
    let (rule, words) = why.split_once(" (").unwrap_or((why, ""));
    let mut said: Vec<String> = rule
        .split_whitespace()
        .map(|part| match part.split_once('=') {
            Some(("series", code)) => code.to_owned(),
            Some((what, code)) => t.say(&format!("{what}-{code}")),
            None if part == "triage" => t.say("why-triage"),
            None => part.to_owned(),
        })
        .collect();
    let words = words.trim_end_matches(')');
    if !words.is_empty() {
        said.push(t.say_with("why-words", &[("words", words)]));
    }
    said.join(" · ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_told_in_words() {
        let t = Text::new("en");
        let told = rule_in_words("subject=finance state=MH (bank, loan)", t);
        assert_eq!(told, "Credit and finance · Maharashtra · from the words: bank, loan");
        assert_eq!(rule_in_words("triage", t), t.say("why-triage"));
    }
}

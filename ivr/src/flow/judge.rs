//! What an input means at each question.

use super::keep::{
    another_recording_follows, bring_to_end, file, file_leftovers, hang_up, keep, leave, over, recording_ready,
    safe_but_late,
};
use super::session::{Purpose, State};
use super::speak::Flow;
use super::{MAX_CALL_MS, MAX_TURNS, TRIES};
use crate::effect::Ask;
use crate::event::Input;
use crate::language::Language;
use crate::number::{Given, NumberError};
use crate::prompt::Phrase;

/// A recording below this is a slip of the finger.
const SHORTEST_RECORDING_S: u32 = 1;

/// What the line did, once answers and reports beside the line are out of the way.
enum Heard {
    Key(String),
    Silence,
    Recording { seconds: u32 },
    NoRecording,
}

pub(super) fn hear(flow: &mut Flow, input: Input, now_ms: i64) {
    flow.session.turn = flow.session.turn.saturating_add(1);
    let heard = match input {
        Input::Started { from, language_hint } => return start(flow, from, language_hint, now_ms),
        Input::HungUp => return hang_up(flow),
        Input::RecordingReady { recording } => return recording_ready(flow, recording),
        answer @ (Input::Filed { .. }
        | Input::FilingFailed
        | Input::Added
        | Input::AddingFailed
        | Input::Found { .. }
        | Input::NotFound
        | Input::Several { .. }
        | Input::LookUpFailed) => return answered(flow, answer),
        Input::Recorded { recording, seconds } => {
            if flow.session.heard.contains(&recording) {
                return;
            }
            flow.session.heard.push(recording.clone());
            keep(flow, recording);
            Heard::Recording { seconds }
        }
        Input::Digits(keys) => Heard::Key(keys),
        Input::Silence => Heard::Silence,
        Input::RecordingFailed => Heard::NoRecording,
    };
    match flow.session.state {
        // Another answer is due; a recording that came meanwhile is among the unkept and follows.
        State::Awaiting { .. } => {}
        State::Ended => file_leftovers(flow),
        // An input for a call whose start was never reported: begin, so that the caller hears something.
        State::Fresh => {
            flow.session.started_ms = now_ms;
            flow.welcome();
            flow.ask_language();
        }
        State::ChoosingLanguage
        | State::Menu
        | State::Recording
        | State::Reviewing
        | State::EnteringNumber
        | State::ChoosingSeries { .. }
        | State::AfterFiled { .. }
        | State::AfterStatus { .. } => {
            if is_too_long(flow, now_ms) {
                bring_to_end(flow);
            } else {
                on_line(flow, heard);
            }
        }
    }
}

fn start(flow: &mut Flow, from: crate::Caller, hint: Option<Language>, now_ms: i64) {
    if flow.session.state != State::Fresh {
        return;
    }
    flow.session.caller = from;
    flow.session.hint = hint;
    flow.session.started_ms = now_ms;
    flow.welcome();
    flow.ask_language();
}

/// The caller did something at a question.
fn on_line(flow: &mut Flow, heard: Heard) {
    // A recording that nobody asked for at this question is heard back and filed like any other.
    if let Heard::Recording { seconds } = heard {
        return recorded(flow, seconds);
    }
    match flow.session.state.clone() {
        State::ChoosingLanguage => choosing_language(flow, heard),
        State::Menu => menu(flow, heard),
        State::Recording => not_recorded(flow, heard),
        State::Reviewing => reviewing(flow, heard),
        State::EnteringNumber => entering_number(flow, heard),
        State::ChoosingSeries { ten, series } => match key(&heard) {
            Some('0') => record_for(flow, Purpose::Message),
            Some(key) => match key.to_digit(10).and_then(|n| series.get((n as usize).checked_sub(1)?)) {
                Some(chosen) => flow.look_up(Given { series: Some(*chosen), ten }),
                None => retry(flow, &heard, |flow| flow.ask_series(ten, series.clone()), speak_anyway),
            },
            None => retry(flow, &heard, |flow| flow.ask_series(ten, series.clone()), speak_anyway),
        },
        State::AfterFiled { number } => match key(&heard) {
            Some('0') => record_for(flow, Purpose::Addition { number, call_back: true }),
            Some('1') => flow.repeat_number(number),
            Some('2') => record_for(flow, Purpose::Addition { number, call_back: false }),
            Some(_) => retry(flow, &heard, |flow| flow.offer_after_filing(number), |flow| leave(flow, &[])),
            None => leave(flow, &[]),
        },
        State::AfterStatus { number, stage } => match key(&heard) {
            Some('0') => record_for(flow, Purpose::Addition { number, call_back: true }),
            Some('1') => flow.tell_stage(number, stage),
            Some('2') => record_for(flow, Purpose::Addition { number, call_back: false }),
            Some(_) => retry(flow, &heard, |flow| flow.offer_after_status(number, stage), |flow| leave(flow, &[])),
            None => leave(flow, &[]),
        },
        State::Fresh | State::Awaiting { .. } | State::Ended => {}
    }
}

fn choosing_language(flow: &mut Flow, heard: Heard) {
    let chosen = key(&heard).and_then(|key| Language::ALL.get((key.to_digit(10)? as usize).checked_sub(1)?));
    match (chosen, key(&heard)) {
        (Some(language), _) => {
            flow.session.language = Some(*language);
            arrive(flow, Flow::menu);
        }
        (None, Some('0')) => record_for(flow, Purpose::Message),
        // Whoever is known and says nothing goes on as last time.
        (None, None) if flow.session.hint.is_some() => arrive(flow, Flow::menu),
        (None, _) => retry(flow, &heard, Flow::ask_language, |flow| arrive(flow, Flow::menu)),
    }
}

fn menu(flow: &mut Flow, heard: Heard) {
    match key(&heard) {
        Some('0') => record_for(flow, Purpose::Message),
        Some('1') => record_for(flow, Purpose::Grievance),
        Some('2') => arrive(flow, Flow::ask_number),
        Some(_) | None => retry(flow, &heard, Flow::menu, |flow| {
            flow.say(&[Phrase::SpeakAnyway]);
            record_for(flow, Purpose::Grievance);
        }),
    }
}

fn recorded(flow: &mut Flow, seconds: u32) {
    if seconds < SHORTEST_RECORDING_S && flow.session.tries + 1 < TRIES {
        flow.session.tries += 1;
        flow.say(&[Phrase::TooShort]);
        return flow.record_now();
    }
    match flow.session.purpose {
        Purpose::Grievance => arrive(flow, Flow::hear_back),
        Purpose::Message | Purpose::Addition { .. } => file(flow, false),
    }
}

/// The line was to record and did not.
fn not_recorded(flow: &mut Flow, heard: Heard) {
    if key(&heard) == Some('0') && flow.session.purpose == Purpose::Grievance {
        return record_for(flow, Purpose::Message);
    }
    flow.session.tries += 1;
    if flow.session.tries < TRIES {
        let phrase = match heard {
            Heard::NoRecording => Phrase::RecordingFailed,
            Heard::Key(_) | Heard::Silence | Heard::Recording { .. } => Phrase::NothingHeard,
        };
        flow.say(&[phrase]);
        return flow.record();
    }
    if !flow.session.unkept.is_empty() {
        return file(flow, false);
    }
    flow.offer_call_back();
    leave(flow, &[Phrase::CannotRecord]);
}

fn reviewing(flow: &mut Flow, heard: Heard) {
    match key(&heard) {
        // What was said is kept, and a person will ring.
        Some('0') => {
            flow.session.purpose = Purpose::Message;
            file(flow, false);
        }
        Some('1') => file(flow, false),
        Some('2') => arrive(flow, Flow::record),
        Some(_) | None => retry(flow, &heard, Flow::review, |flow| file(flow, false)),
    }
}

fn entering_number(flow: &mut Flow, heard: Heard) {
    let wrong = match &heard {
        Heard::Key(keys) if keys.trim_matches('#') == "0" => return record_for(flow, Purpose::Message),
        Heard::Key(keys) => match Given::read(keys) {
            Ok(number) => return flow.look_up(number),
            Err(NumberError::WrongCheckDigit) => Phrase::WrongCheckDigit,
            Err(NumberError::WrongLength { .. }) => Phrase::WrongLength,
            Err(NumberError::NotANumber | NumberError::NoSeries) => Phrase::NotUnderstood,
        },
        Heard::Silence | Heard::Recording { .. } | Heard::NoRecording => Phrase::NothingHeard,
    };
    wrong_number(flow, wrong);
}

fn wrong_number(flow: &mut Flow, phrase: Phrase) {
    flow.session.tries += 1;
    flow.say(&[phrase]);
    if flow.session.tries < TRIES { flow.ask_number() } else { speak_anyway(flow) }
}

/// The hub answered.
fn answered(flow: &mut Flow, answer: Input) {
    let State::Awaiting { ask, hung_up } = flow.session.state.clone() else { return };
    match (&ask, answer) {
        (Ask::FileGrievance { .. }, Input::Filed { number }) => {
            flow.session.filed = Some(number);
            flow.session.served = true;
            if another_recording_follows(flow, Purpose::Addition { number, call_back: false }, hung_up) {
                return;
            }
            if hung_up { over(flow) } else { arrive(flow, |flow| flow.tell_number(number)) }
        }
        (Ask::AddRecording { number, .. }, Input::Added) => {
            if another_recording_follows(flow, Purpose::Addition { number: *number, call_back: false }, hung_up) {
                return;
            }
            if hung_up { over(flow) } else { leave(flow, &[Phrase::Added]) }
        }
        // Any other answer to these two is a failure to do what was asked.
        (Ask::FileGrievance { .. }, _) => safe_but_late(flow, Phrase::FilingFailed, hung_up),
        (Ask::AddRecording { .. }, _) => safe_but_late(flow, Phrase::AddingFailed, hung_up),
        (Ask::LookUp { .. }, _) if hung_up => {
            over(flow);
            file_leftovers(flow);
        }
        (Ask::LookUp { .. }, Input::Found { number, stage }) => {
            flow.session.served = true;
            arrive(flow, |flow| flow.tell_stage(number, stage));
        }
        (Ask::LookUp { .. }, Input::NotFound) => wrong_number(flow, Phrase::NoSuchCase),
        (Ask::LookUp { number }, Input::Several { series }) if number.series.is_none() && !series.is_empty() => {
            let ten = number.ten;
            arrive(flow, |flow| flow.ask_series(ten, series));
        }
        (Ask::LookUp { .. }, _) => {
            flow.say(&[Phrase::LookupFailed]);
            arrive(flow, Flow::menu);
        }
    }
}

fn is_too_long(flow: &Flow, now_ms: i64) -> bool {
    flow.session.turn > MAX_TURNS || now_ms.saturating_sub(flow.session.started_ms) > MAX_CALL_MS
}

/// A new question begins with its full number of tries.
fn arrive(flow: &mut Flow, question: impl FnOnce(&mut Flow)) {
    flow.session.tries = 0;
    question(flow);
}

/// On to the tone; with `Purpose::Message` this is the voice box, which key 0 reaches from everywhere.
fn record_for(flow: &mut Flow, purpose: Purpose) {
    flow.session.purpose = purpose;
    arrive(flow, Flow::record);
}

/// The keys do not work for this caller, the voice may.
fn speak_anyway(flow: &mut Flow) {
    flow.say(&[Phrase::SpeakAnyway]);
    record_for(flow, Purpose::Message);
}

/// Says what went wrong and asks again, or goes kindly on after the last try.
fn retry(flow: &mut Flow, heard: &Heard, again: impl FnOnce(&mut Flow), go_on: impl FnOnce(&mut Flow)) {
    flow.session.tries += 1;
    if flow.session.tries >= TRIES {
        return go_on(flow);
    }
    let phrase = match heard {
        Heard::Key(_) => Phrase::NotUnderstood,
        Heard::Silence | Heard::Recording { .. } | Heard::NoRecording => Phrase::NothingHeard,
    };
    flow.say(&[phrase]);
    again(flow);
}

/// The one key that was pressed. Several at once, or none that counts, is `'?'`; silence is `None`.
fn key(heard: &Heard) -> Option<char> {
    match heard {
        Heard::Key(keys) => {
            let mut signs = keys.trim_end_matches('#').chars();
            match (signs.next(), signs.next()) {
                (Some(key), None) => Some(key),
                _ => Some('?'),
            }
        }
        Heard::Silence | Heard::Recording { .. } | Heard::NoRecording => None,
    }
}

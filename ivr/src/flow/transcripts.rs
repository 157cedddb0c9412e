//! Calls as texts (`transcripts/*.txt`). Lines of the caller and of the hub's answers are the script; what the line
//! does is compared.

use super::{Session, step};
use crate::caller::Caller;
use crate::effect::{Ask, Effect};
use crate::event::{Input, RecordingRef, Stage};
use crate::language::Language;
use crate::number::Series;
use crate::prompt::Prompt;

#[test]
fn calls_read_as_written() {
    crate::transcript::check("src/flow/transcripts", 12, play);
}

fn play(written: &str) -> String {
    let mut session = Session::new();
    let mut heard = String::new();
    let mut now = 0;
    for line in written.lines() {
        if line.starts_with('#') || line.is_empty() {
            heard.push_str(line);
            heard.push('\n');
        } else if let Some(minutes) = line.strip_prefix("after ").and_then(|rest| rest.strip_suffix(" minutes")) {
            now += minutes.parse::<i64>().unwrap() * 60_000;
            heard.push_str(line);
            heard.push('\n');
        } else if let Some(input) = input(line) {
            heard.push_str(line);
            heard.push('\n');
            let (next, effects) = step(session, input, now);
            session = next;
            if effects.is_empty() {
                heard.push_str("        (nothing)\n");
            }
            for effect in &effects {
                heard.push_str(&told(effect));
                heard.push('\n');
            }
        }
    }
    heard
}

/// Reads a line of the script; `None` for a line that is an effect.
fn input(line: &str) -> Option<Input> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let number = |text: &str| text.parse().unwrap();
    Some(match words.as_slice() {
        ["caller:", "rings", "from", from] => Input::Started { from: Caller::parse(from), language_hint: None },
        ["caller:", "rings", "from", from, "known", "for", tag] => {
            Input::Started { from: Caller::parse(from), language_hint: Language::from_tag(tag) }
        }
        ["caller:", "presses", keys] => Input::Digits((*keys).to_owned()),
        ["caller:", "waits"] => Input::Silence,
        ["caller:", "speaks", seconds, "seconds,", name] => {
            Input::Recorded { recording: RecordingRef((*name).to_owned()), seconds: seconds.parse().unwrap() }
        }
        ["caller:", "hangs", "up"] => Input::HungUp,
        ["line:", "has", name] => Input::RecordingReady { recording: RecordingRef((*name).to_owned()) },
        ["line:", "cannot", "record"] => Input::RecordingFailed,
        ["hub:", "filed", case] => Input::Filed { number: number(case) },
        ["hub:", "filing", "failed"] => Input::FilingFailed,
        ["hub:", "added"] => Input::Added,
        ["hub:", "adding", "failed"] => Input::AddingFailed,
        ["hub:", "found", case, stage] => {
            let stage: Stage = serde_json::from_value(serde_json::Value::String((*stage).to_owned())).unwrap();
            Input::Found { number: number(case), stage }
        }
        ["hub:", "not", "found"] => Input::NotFound,
        ["hub:", "several", series @ ..] => {
            Input::Several { series: series.iter().map(|letters| Series::from_letters(letters).unwrap()).collect() }
        }
        ["hub:", "look-up", "failed"] => Input::LookUpFailed,
        [speaker, ..] => {
            assert!(!matches!(*speaker, "caller:" | "hub:"), "no such line in a script: {line}");
            return None;
        }
        [] => return None,
    })
}

fn told(effect: &Effect) -> String {
    match effect {
        Effect::Say { prompts, barge_in } => {
            let words: Vec<String> = prompts.iter().map(Prompt::text).filter(|text| !text.is_empty()).collect();
            format!("        says{} \"{}\"", if *barge_in { "" } else { " (to the end)" }, words.join(" "))
        }
        Effect::PlayBack { recording } => format!("        plays {}", recording.0),
        Effect::Gather(gather) => format!("        waits for {} key(s)", gather.digits),
        Effect::Record(_) => "        records".to_owned(),
        Effect::HangUp => "        hangs up".to_owned(),
        Effect::OfferCallBack { language } => format!("        keeps an offer to ring back ({})", language.tag()),
        Effect::Ask(ask) => format!("        asks the hub: {}", asked(ask)),
    }
}

fn asked(ask: &Ask) -> String {
    let names = |recordings: &[RecordingRef]| {
        recordings.iter().map(|recording| recording.0.as_str()).collect::<Vec<_>>().join(", ")
    };
    let instead = |superseded: &[RecordingRef]| {
        if superseded.is_empty() { String::new() } else { format!(" instead of {}", names(superseded)) }
    };
    let ring = |call_back: &bool| if *call_back { ", ring back" } else { "" };
    match ask {
        Ask::FileGrievance { language, recording, superseded, call_back } => {
            format!("file {}{} ({}{})", recording.0, instead(superseded), language.tag(), ring(call_back))
        }
        Ask::AddRecording { number, recording, superseded, call_back } => {
            format!("add {}{} to {number}{}", recording.0, instead(superseded), ring(call_back))
        }
        Ask::LookUp { number } => format!("look up {number}"),
    }
}

/// The call of `grievance-english.txt`, left by the caller after each of its inputs: what the hub is told then.
#[test]
fn a_hang_up_at_any_step_loses_nothing() {
    let script = [
        "caller: rings from 9876543210",
        "caller: presses 2",
        "caller: presses 1",
        "caller: speaks 14 seconds, R1",
        "caller: presses 2",
        "caller: speaks 20 seconds, R2",
        "caller: presses 1",
        "hub: filed GR26-0000123-0",
        "caller: presses 2",
        "caller: speaks 5 seconds, R3",
        "hub: added",
    ];
    let mut told_at_each_step = String::new();
    for last in 0..script.len() {
        let mut session = Session::new();
        for line in script.iter().take(last + 1) {
            session = step(session, input(line).unwrap(), 0).0;
        }
        let (session, effects) = step(session, Input::HungUp, 0);
        let told: Vec<String> = effects.iter().map(|effect| told(effect).trim().to_owned()).collect();
        let owed = session.outstanding().map_or("nothing", |_| "an answer");
        told_at_each_step.push_str(&format!(
            "{} -> {} (open: {owed})\n",
            script[last],
            if told.is_empty() { "nothing to do".into() } else { told.join("; ") }
        ));
    }
    assert_eq!(
        told_at_each_step,
        "caller: rings from 9876543210 -> keeps an offer to ring back (hi) (open: nothing)\n\
         caller: presses 2 -> keeps an offer to ring back (en) (open: nothing)\n\
         caller: presses 1 -> keeps an offer to ring back (en) (open: nothing)\n\
         caller: speaks 14 seconds, R1 -> asks the hub: file R1 (en) (open: an answer)\n\
         caller: presses 2 -> asks the hub: file R1 (en) (open: an answer)\n\
         caller: speaks 20 seconds, R2 -> asks the hub: file R2 instead of R1 (en) (open: an answer)\n\
         caller: presses 1 -> nothing to do (open: an answer)\n\
         hub: filed GR26-0000123-0 -> nothing to do (open: nothing)\n\
         caller: presses 2 -> nothing to do (open: nothing)\n\
         caller: speaks 5 seconds, R3 -> nothing to do (open: an answer)\n\
         hub: added -> nothing to do (open: nothing)\n"
    );
}

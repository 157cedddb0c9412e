//! What holds for every call, whatever the caller, the line and the hub do.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::{MAX_TURNS, Session, Turn, step};
use crate::caller::Caller;
use crate::effect::{Ask, Effect};
use crate::event::{Input, RecordingRef, Stage};
use crate::language::Language;
use crate::number::{CaseNumber, Series, TenDigits};
use crate::prompt::{Phrase, Prompt, Sound};

fn number() -> impl Strategy<Value = CaseNumber> {
    (prop::sample::select(&Series::ALL[..]), 1_u32..9_999_999)
        .prop_map(|(series, serial)| CaseNumber { series, ten: TenDigits::new(26, serial).unwrap() })
}

fn recording() -> impl Strategy<Value = RecordingRef> {
    // Few names, so that the same recording is often reported twice.
    (0_u8..12).prop_map(|n| RecordingRef(format!("R{n}")))
}

fn from_the_line() -> impl Strategy<Value = Input> {
    let keys = prop_oneof![
        6 => prop::sample::select(vec!["0", "1", "2", "3", "9", "*", "#", "", "1#", "12"]).prop_map(str::to_owned),
        2 => number().prop_map(|number| number.ten.to_string()),
        1 => "[0-9*#]{0,12}",
    ];
    prop_oneof![
        8 => keys.prop_map(Input::Digits),
        3 => Just(Input::Silence),
        4 => (recording(), 0_u32..200).prop_map(|(recording, seconds)| Input::Recorded { recording, seconds }),
        1 => recording().prop_map(|recording| Input::RecordingReady { recording }),
        1 => Just(Input::RecordingFailed),
        1 => Just(Input::Started { from: Caller::parse("9876543210"), language_hint: Some(Language::English) }),
    ]
}

fn from_the_hub() -> impl Strategy<Value = Input> {
    prop_oneof![
        4 => number().prop_map(|number| Input::Filed { number }),
        1 => Just(Input::FilingFailed),
        2 => Just(Input::Added),
        1 => Just(Input::AddingFailed),
        3 => (number(), prop::sample::select(&Stage::ALL[..]))
            .prop_map(|(number, stage)| Input::Found { number, stage }),
        1 => Just(Input::NotFound),
        1 => prop::collection::vec(prop::sample::select(&Series::ALL[..]), 0..5)
            .prop_map(|series| Input::Several { series }),
        1 => Just(Input::LookUpFailed),
    ]
}

/// One event of a random call: mostly the line in good order, sometimes a hang-up, an answer nobody asked for, a
/// passing of time.
fn event() -> impl Strategy<Value = (Input, Input, i64)> {
    let line = prop_oneof![20 => from_the_line(), 1 => Just(Input::HungUp), 1 => from_the_hub()];
    (line, from_the_hub(), prop_oneof![30 => 0_i64..20_000, 1 => Just(31 * 60_000)])
}

/// A call being made, with what the rules watch.
struct Call {
    session: Session,
    now: i64,
    /// Recordings that the line delivered.
    heard: BTreeSet<RecordingRef>,
    /// Those, and the ones that were reported beside the line.
    reported: BTreeSet<RecordingRef>,
    carried: BTreeSet<RecordingRef>,
    carried_twice: bool,
    noticed: bool,
}

impl Call {
    fn new(hint: Option<Language>) -> Self {
        let mut call = Self {
            session: Session::new(),
            now: 1_800_000_000_000,
            heard: BTreeSet::new(),
            reported: BTreeSet::new(),
            carried: BTreeSet::new(),
            carried_twice: false,
            noticed: false,
        };
        call.hear(Input::Started { from: Caller::parse("9876543210"), language_hint: hint }, &Input::FilingFailed);
        call
    }

    /// Hears `input`, lets the hub answer every question with `answer`, and returns what the line is to do.
    fn hear(&mut self, input: Input, answer: &Input) -> Vec<Effect> {
        if let Input::Recorded { recording, .. } | Input::RecordingReady { recording } = &input {
            self.reported.insert(recording.clone());
        }
        let came_before = matches!(&input, Input::Recorded { recording, .. } if !self.heard.insert(recording.clone()));
        let was_awaiting = self.session.outstanding().is_some();
        assert!(!was_awaiting, "the driver leaves no question open");
        let mut turn = Turn::begin(self.session.clone(), input, self.now);
        let mut questions = 0;
        while let Some(ask) = turn.ask() {
            questions += 1;
            assert!(questions < 8, "the hub is asked without end");
            self.watch(&ask.clone());
            turn = turn.answer(answer.clone(), self.now);
        }
        let (session, effects) = turn.finish();
        self.session = session;
        self.check(&effects);
        assert!(!came_before || effects.is_empty(), "a recording that came twice was heard twice: {effects:?}");
        if self.session.is_over() {
            assert_eq!(self.reported, self.carried, "the call is over, and a recording has no case");
        }
        effects
    }

    fn watch(&mut self, ask: &Ask) {
        let (recording, superseded) = match ask {
            Ask::FileGrievance { recording, superseded, .. } | Ask::AddRecording { recording, superseded, .. } => {
                (recording, superseded)
            }
            Ask::LookUp { .. } => return,
        };
        for recording in superseded.iter().chain([recording]) {
            self.carried_twice |= !self.carried.insert(recording.clone());
        }
    }

    fn check(&mut self, effects: &[Effect]) {
        let waits = |effect: &Effect| matches!(effect, Effect::Gather(_) | Effect::Record(_) | Effect::HangUp);
        assert!(effects.iter().rev().skip(1).all(|effect| !waits(effect)), "only the last effect waits: {effects:?}");
        for effect in effects {
            match effect {
                Effect::Say { prompts, barge_in } => {
                    assert!(!prompts.is_empty());
                    let notice = Prompt::new(Phrase::Notice, self.session.language());
                    if prompts.contains(&notice) {
                        assert!(!barge_in, "the notice may not be cut short");
                        self.noticed = true;
                    }
                    assert!(prompts.iter().all(|prompt| prompt.sound != Sound::Digit(10)));
                }
                Effect::Record(_) => assert!(self.noticed, "nobody is recorded before the notice"),
                Effect::Ask(_) => panic!("the driver keeps questions to itself"),
                Effect::PlayBack { .. } | Effect::Gather(_) | Effect::OfferCallBack { .. } | Effect::HangUp => {}
            }
        }
        let speaks = effects.iter().any(|effect| matches!(effect, Effect::Say { .. } | Effect::Record(_)));
        if effects.iter().any(waits) {
            assert!(speaks, "a caller always hears a sentence: {effects:?}");
        }
    }
}

/// The one thing a caller can do for ever is to have the number said again.
#[test]
fn a_caller_who_wants_the_number_again_and_again_is_let_go() {
    let mut call = Call::new(Some(Language::English));
    let filed = Input::Filed { number: "GR26-0000123-0".parse().unwrap() };
    for keys in ["2", "1"] {
        call.hear(Input::Digits(keys.to_owned()), &filed);
    }
    call.hear(Input::Recorded { recording: RecordingRef("R1".to_owned()), seconds: 5 }, &filed);
    let repeated = (0..200).take_while(|_| {
        call.hear(Input::Digits("1".to_owned()), &filed);
        !call.session.is_over()
    });
    let repeated = repeated.count();
    assert!((40..=60).contains(&repeated), "{repeated} times");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn every_call_ends_and_no_recording_is_left_without_a_case(
        hint in prop::option::of(prop::sample::select(&Language::ALL[..])),
        events in prop::collection::vec(event(), 0..120),
    ) {
        let mut call = Call::new(hint);
        for (input, answer, passed) in events {
            call.now += passed;
            let was_over = call.session.is_over();
            let is_move = matches!(input, Input::Digits(_) | Input::Silence | Input::RecordingFailed);
            let effects = call.hear(input, &answer);
            if !was_over && is_move {
                prop_assert!(!effects.is_empty(), "the line was left without a word");
            }
        }
        call.hear(Input::HungUp, &Input::FilingFailed);
        prop_assert!(call.session.is_over());
        prop_assert_eq!(&call.reported, &call.carried);
        prop_assert!(!call.carried_twice, "a recording was carried by two questions");
    }

    #[test]
    fn a_caller_who_never_stops_pressing_is_let_go(
        events in prop::collection::vec((from_the_line(), from_the_hub()), 200),
    ) {
        let mut call = Call::new(None);
        let mut inputs = 0;
        let is_report = |input: &Input| matches!(input, Input::RecordingReady { .. } | Input::Started { .. });
        for (input, answer) in events.into_iter().filter(|(input, _)| !is_report(input)) {
            if call.session.is_over() {
                break;
            }
            inputs += 1;
            call.hear(input, &answer);
        }
        prop_assert!(call.session.is_over() && inputs <= MAX_TURNS + 3, "still going after {inputs} inputs");
    }

    #[test]
    fn a_silent_line_ends_within_a_dozen_silences(
        hint in prop::option::of(Just(Language::Hindi)),
        keys in prop::collection::vec(from_the_line(), 0..6),
    ) {
        let mut call = Call::new(hint);
        for input in keys {
            call.hear(input, &Input::NotFound);
        }
        for _ in 0..12 {
            if !call.session.is_over() {
                call.hear(Input::Silence, &Input::LookUpFailed);
            }
        }
        prop_assert!(call.session.is_over());
    }

    #[test]
    fn the_session_survives_its_storage(events in prop::collection::vec((from_the_line(), from_the_hub()), 0..30)) {
        let mut session = Session::new();
        for (input, answer) in events {
            for input in [input, answer] {
                let (next, effects) = step(session, input, 0);
                let stored = serde_json::to_string(&(&next, &effects)).unwrap();
                let read: (Session, Vec<Effect>) = serde_json::from_str(&stored).unwrap();
                prop_assert_eq!(&read, &(next.clone(), effects));
                session = next;
            }
        }
    }
}

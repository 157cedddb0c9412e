//! What is remembered of a call between two inputs. Plain data: the hub stores it as JSON beside the call.

use serde::{Deserialize, Serialize};

use crate::caller::Caller;
use crate::effect::Ask;
use crate::event::{RecordingRef, Stage};
use crate::language::Language;
use crate::number::{CaseNumber, Series, TenDigits};

/// One call. Made by [`Session::new`], changed by [`step`](super::step) alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    pub(super) state: State,
    pub(super) caller: Caller,
    pub(super) language: Option<Language>,
    pub(super) hint: Option<Language>,
    /// When the call started, epoch milliseconds.
    pub(super) started_ms: i64,
    /// Inputs so far.
    pub(super) turn: u32,
    /// Silences and wrong keys at this question.
    pub(super) tries: u8,
    /// The caller has heard the recording notice.
    pub(super) noticed: bool,
    /// The caller got an answer, so a hang-up leaves nothing open.
    pub(super) served: bool,
    /// What the next recording is for.
    pub(super) purpose: Purpose,
    /// Recordings that the line reported.
    pub(super) heard: Vec<RecordingRef>,
    /// Recordings that no `Ask` has carried yet, oldest first.
    pub(super) unkept: Vec<RecordingRef>,
    /// Recordings that an `Ask` has carried.
    pub(super) carried: Vec<RecordingRef>,
    /// The case that this call made.
    pub(super) filed: Option<CaseNumber>,
}

/// The question that the call stands at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    Fresh,
    ChoosingLanguage,
    Menu,
    Recording,
    Reviewing,
    EnteringNumber,
    ChoosingSeries { ten: TenDigits, series: Vec<Series> },
    Awaiting { ask: Ask, hung_up: bool },
    AfterFiled { number: CaseNumber },
    AfterStatus { number: CaseNumber, stage: Stage },
    Ended,
}

/// What a recording is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Purpose {
    Grievance,
    /// A message in the voice box: a case too, with a wish to be rung back.
    Message,
    Addition {
        number: CaseNumber,
        call_back: bool,
    },
}

impl Session {
    /// A call that has not begun; `Input::Started` tells the rest.
    #[must_use]
    pub fn new() -> Self {
        Self {
            state: State::Fresh,
            caller: Caller::Anonymous,
            language: None,
            hint: None,
            started_ms: 0,
            turn: 0,
            tries: 0,
            noticed: false,
            served: false,
            purpose: Purpose::Grievance,
            heard: Vec::new(),
            unkept: Vec::new(),
            carried: Vec::new(),
            filed: None,
        }
    }

    /// Who rings.
    #[must_use]
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// The language that the call is held in: chosen, else remembered, else [`Language::DEFAULT`].
    #[must_use]
    pub fn language(&self) -> Language {
        self.language.or(self.hint).unwrap_or(Language::DEFAULT)
    }

    /// The language that the caller chose on the keypad, worth remembering for the number.
    #[must_use]
    pub fn chosen_language(&self) -> Option<Language> {
        self.language
    }

    /// How many inputs the call has had: names the step in an event's id.
    #[must_use]
    pub fn turn(&self) -> u32 {
        self.turn
    }

    /// Whether the call is over and owes nothing.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.state == State::Ended
    }

    /// The question to the hub that has no answer yet: a hub that was killed while answering asks itself again after
    /// its start.
    #[must_use]
    pub fn outstanding(&self) -> Option<&Ask> {
        match &self.state {
            State::Awaiting { ask, .. } => Some(ask),
            State::Fresh
            | State::ChoosingLanguage
            | State::Menu
            | State::Recording
            | State::Reviewing
            | State::EnteringNumber
            | State::ChoosingSeries { .. }
            | State::AfterFiled { .. }
            | State::AfterStatus { .. }
            | State::Ended => None,
        }
    }

    /// The case that this call made, if it made one.
    #[must_use]
    pub fn filed(&self) -> Option<CaseNumber> {
        self.filed
    }
}

impl Default for Session {
    fn default() -> Self {
        Self::new()
    }
}

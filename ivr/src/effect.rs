//! What the call flow wants done. Effects are carried out in their order.

use serde::{Deserialize, Serialize};

use crate::event::RecordingRef;
use crate::language::Language;
use crate::number::{CaseNumber, Given};
use crate::prompt::Prompt;

/// One thing to do on the line or in the hub.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Say prompts one after the other.
    Say {
        /// What to say.
        prompts: Vec<Prompt>,
        /// Whether a key may cut it short. The recording notice may not be cut.
        barge_in: bool,
    },
    /// Play a recording of this call back to the caller; a key may cut it short.
    PlayBack {
        /// Which one.
        recording: RecordingRef,
    },
    /// Wait for keys. The next input is `Digits` or `Silence`.
    Gather(Gather),
    /// Record what the caller says. The next input is `Recorded`, `Silence` or `RecordingFailed`.
    Record(Record),
    /// Ask the hub; the call goes on with its answer. Always the last effect of a step.
    Ask(Ask),
    /// The caller hung up, or had to be sent away, before anything was said that could become a case. The hub keeps one
    /// offer for each number to ring it back; a further one changes nothing. Not made for a withheld number.
    OfferCallBack {
        /// In which language.
        language: Language,
    },
    /// End the call.
    HangUp,
}

/// How keys are waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gather {
    /// How many keys at most.
    pub digits: u8,
    /// Silence after the last word or key that ends the wait, in seconds.
    pub timeout_s: u16,
    /// A key that ends the wait early and is not part of the digits.
    pub finish_on: Option<char>,
}

/// How speech is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The longest recording, in seconds.
    pub max_seconds: u16,
    /// Silence that ends it, in seconds.
    pub silence_s: u16,
    /// A key that ends it.
    pub finish_on: char,
    /// Whether a tone comes first.
    pub beep: bool,
}

/// A question to the hub. Each may be asked again after a crash, so the hub keys its work by the recording.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ask {
    /// Make a case of a recording. Answer: `Filed` or `FilingFailed`; after the latter the hub still owes the case, for
    /// it has the recording.
    FileGrievance {
        /// The language of the call.
        language: Language,
        /// What the caller said.
        recording: RecordingRef,
        /// Earlier takes that the caller chose to say again: kept or deleted by the hub's rules on retention.
        superseded: Vec<RecordingRef>,
        /// The caller asked for a person: ring back.
        call_back: bool,
    },
    /// Add a recording to a case. Answer: `Added` or `AddingFailed`.
    AddRecording {
        /// The case.
        number: CaseNumber,
        /// What the caller said.
        recording: RecordingRef,
        /// Earlier takes.
        superseded: Vec<RecordingRef>,
        /// The caller asked for a person: ring back.
        call_back: bool,
    },
    /// Where does a case stand? The check digit is right already. Answer: `Found`, `NotFound`, `Several` or
    /// `LookUpFailed`.
    LookUp {
        /// Ten digits, and the series once it is known. Without it the caller's own case comes first.
        number: Given,
    },
}

//! What happens: [`Input`] is what the flow hears, [`Event`] is what a provider reports.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::caller::Caller;
use crate::language::Language;
use crate::number::{CaseNumber, Series};

/// A recording, by the name that whoever stores it gave. Opaque here; the same recording always has the same name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RecordingRef(pub String);

/// Where a case stands, as far as it is told on the telephone and by SMS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Received, not yet with an officer.
    Filed,
    /// With the responsible officer.
    Routed,
    /// Attended.
    Attended,
    /// Decided, not yet closed.
    Decided,
    /// A hearing is to be held.
    Hearing,
    /// Closed.
    Closed,
    /// Closed once and opened again.
    Reopened,
}

impl Stage {
    /// Every stage in the order of a case's life.
    pub const ALL: [Self; 7] =
        [Self::Filed, Self::Routed, Self::Attended, Self::Decided, Self::Hearing, Self::Closed, Self::Reopened];
}

/// What the flow hears: from the line, or from the hub as the answer to an [`Ask`](crate::Ask).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Input {
    /// The call is up.
    Started {
        /// Who rings.
        from: Caller,
        /// The language that this number used last.
        language_hint: Option<Language>,
    },
    /// Keys pressed: `0`–`9`, `*`, `#`.
    Digits(String),
    /// Nothing was pressed or said in time.
    Silence,
    /// A recording ended on the line.
    Recorded {
        /// Its name.
        recording: RecordingRef,
        /// Its length.
        seconds: u32,
    },
    /// A recording is known to exist, reported beside the line and perhaps after its end. Safe to report besides
    /// `Recorded`.
    RecordingReady {
        /// Its name.
        recording: RecordingRef,
    },
    /// No recording could be made.
    RecordingFailed,
    /// The caller is gone.
    HungUp,

    /// The case was made.
    Filed {
        /// Its number.
        number: CaseNumber,
    },
    /// The case could not be made yet.
    FilingFailed,
    /// The recording is with the case.
    Added,
    /// It could not be added yet.
    AddingFailed,
    /// The case was found.
    Found {
        /// Its number.
        number: CaseNumber,
        /// Where it stands.
        stage: Stage,
    },
    /// There is none.
    NotFound,
    /// The ten digits fit cases of several series, none of them the caller's own.
    Several {
        /// Which (nine at most can be chosen on a keypad; there are five).
        series: Vec<Series>,
    },
    /// The look-up failed.
    LookUpFailed,
}

/// The provider's name of a call.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CallRef(pub String);

/// A stable name of one report: the same report sent twice has the same name, two reports never share one. Prefixed
/// with the provider.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EventId(pub String);

/// What a provider reports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// Something on a call.
    Call(CallEvent),
    /// An SMS came in.
    Sms(SmsEvent),
    /// What became of an SMS that we sent.
    Delivery(DeliveryReport),
}

impl Event {
    /// The name for de-duplication.
    #[must_use]
    pub fn id(&self) -> &EventId {
        match self {
            Self::Call(event) => &event.id,
            Self::Sms(event) => &event.id,
            Self::Delivery(event) => &event.id,
        }
    }
}

/// Something on a call: inputs for the flow, in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallEvent {
    /// For de-duplication.
    pub id: EventId,
    /// Which call.
    pub call: CallRef,
    /// Who rings (on an outgoing call: who was rung).
    pub from: Caller,
    /// What the flow hears. Empty for reports that change nothing (ringing, answered).
    pub inputs: Vec<Input>,
    /// True when the provider waits for what to say next; false for reports beside the line, whose answer nobody hears.
    pub on_line: bool,
}

impl CallEvent {
    /// The event with what the hub remembers of the number: no provider knows the language that it used last.
    #[must_use]
    pub fn with_language_hint(mut self, remembered: Option<Language>) -> Self {
        for input in &mut self.inputs {
            if let Input::Started { language_hint, .. } = input {
                *language_hint = language_hint.or(remembered);
            }
        }
        self
    }
}

/// An SMS that came in. Its text and sender stay out of `Debug`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SmsEvent {
    /// For de-duplication.
    pub id: EventId,
    /// The sender.
    pub from: Caller,
    /// The number or keyword it was sent to, where the provider says so.
    pub to: Option<String>,
    /// The text as sent.
    pub text: String,
}

impl fmt::Debug for SmsEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SmsEvent").field("id", &self.id).field("bytes", &self.text.len()).finish_non_exhaustive()
    }
}

/// What became of an SMS that we sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryReport {
    /// For de-duplication.
    pub id: EventId,
    /// The provider's name of the message.
    pub message: String,
    /// How far it got.
    pub status: DeliveryStatus,
    /// The provider's error code, if it failed.
    pub error_code: Option<String>,
}

/// How far an SMS got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryStatus {
    /// On its way.
    Underway,
    /// The operator took it.
    Sent,
    /// The handset has it.
    Delivered,
    /// It will not arrive.
    Failed,
}

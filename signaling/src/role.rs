//! Who a member is in the hearing room, and what that lets it do.

use serde::{Deserialize, Serialize};

/// The part a member plays. The list is open: a telephone leg and the recorder are members like any other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Role {
    /// Hears and decides.
    PresidingOfficer,
    /// The unit or person whose case it is.
    Party,
    /// Speaks for the party.
    Representative,
    /// Is heard on facts.
    Witness,
    /// The bank, department or buyer complained of.
    OtherSide,
    /// Interprets between languages.
    Interpreter,
    /// Writes the record.
    Scribe,
    /// Watches and listens only.
    Observer,
    /// Helps at one end (a control room's coordinator).
    Coordinator,
    /// A machine that records.
    Recorder,
    /// A telephone leg.
    Telephone,
}

impl Role {
    /// May send sound and picture.
    #[must_use]
    pub fn may_speak(self) -> bool {
        !matches!(self, Self::Observer | Self::Recorder)
    }

    /// Sees who waits, and may mute others (operating procedure: the officer and those who help).
    #[must_use]
    pub fn may_moderate(self) -> bool {
        matches!(self, Self::PresidingOfficer | Self::Coordinator)
    }

    /// Sees the names in the waiting room.
    #[must_use]
    pub fn sees_waiting_room(self) -> bool {
        self.may_moderate() || matches!(self, Self::Scribe)
    }

    /// Acknowledges the recording notice on a screen. Telephone callers hear it and press a key instead; machines do neither.
    #[must_use]
    pub fn reads_notice(self) -> bool {
        !matches!(self, Self::Recorder | Self::Telephone)
    }
}

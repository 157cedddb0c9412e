//! The ledger of presence: who knocked, waited, came in and went. Waiting counts as presence; the ledger, not anybody's
//! word, says whether a party was absent.

use serde::{Deserialize, Serialize};

/// The part somebody has in a hearing or conference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Conducts the hearing.
    PresidingOfficer,
    /// The person or unit whose case it is.
    Party,
    /// Speaks for the party.
    Representative,
    /// Called to say what they saw.
    Witness,
    /// Whom the grievance is against.
    OtherSide,
    /// Translates.
    Interpreter,
    /// Writes the record.
    Scribe,
    /// Looks on.
    Observer,
    /// Helps at a control room.
    Coordinator,
}

impl Part {
    /// Every part.
    pub const ALL: [Self; 9] = [
        Self::PresidingOfficer,
        Self::Party,
        Self::Representative,
        Self::Witness,
        Self::OtherSide,
        Self::Interpreter,
        Self::Scribe,
        Self::Observer,
        Self::Coordinator,
    ];

    /// The name in stored data and the interface.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::PresidingOfficer => "presiding_officer",
            Self::Party => "party",
            Self::Representative => "representative",
            Self::Witness => "witness",
            Self::OtherSide => "other_side",
            Self::Interpreter => "interpreter",
            Self::Scribe => "scribe",
            Self::Observer => "observer",
            Self::Coordinator => "coordinator",
        }
    }

    /// Reads the stored name; `officer` is understood as who presides.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        if code == "officer" {
            return Some(Self::PresidingOfficer);
        }
        Self::ALL.into_iter().find(|p| p.code() == code)
    }

    /// Whether this is the unit's own side.
    #[must_use]
    pub const fn is_party(self) -> bool {
        match self {
            Self::Party | Self::Representative => true,
            Self::PresidingOfficer
            | Self::Witness
            | Self::OtherSide
            | Self::Interpreter
            | Self::Scribe
            | Self::Observer
            | Self::Coordinator => false,
        }
    }

    /// Whether somebody with this part comes in without waiting to be admitted.
    #[must_use]
    pub const fn skips_the_waiting_room(self) -> bool {
        match self {
            Self::PresidingOfficer => true,
            Self::Party
            | Self::Representative
            | Self::Witness
            | Self::OtherSide
            | Self::Interpreter
            | Self::Scribe
            | Self::Observer
            | Self::Coordinator => false,
        }
    }
}

/// One line of the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// Came to the door and waits.
    Knocked,
    /// Acknowledged the recording notice.
    NoticeAcknowledged,
    /// Was let in.
    Admitted,
    /// Was asked to wait outside again.
    SentBack,
    /// The line was lost.
    Disconnected,
    /// The line is back.
    Reconnected,
    /// Went.
    Left,
}

impl Presence {
    /// The name in stored data.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Knocked => "knocked",
            Self::NoticeAcknowledged => "notice_acknowledged",
            Self::Admitted => "admitted",
            Self::SentBack => "sent_back",
            Self::Disconnected => "disconnected",
            Self::Reconnected => "reconnected",
            Self::Left => "left",
        }
    }

    /// Reads the stored name.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        [
            Self::Knocked,
            Self::NoticeAcknowledged,
            Self::Admitted,
            Self::SentBack,
            Self::Disconnected,
            Self::Reconnected,
            Self::Left,
        ]
        .into_iter()
        .find(|p| p.code() == code)
    }
}

/// What the ledger says of the unit's side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PartyPresence {
    /// Came to the door at any time.
    pub came: bool,
    /// Was in the room while the hearing was in session.
    pub was_in_session: bool,
}

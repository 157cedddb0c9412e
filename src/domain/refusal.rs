//! A rule's "no". Every refused step names the rule that refused it; the name ends the `type` of the problem document and
//! keys the sentence that the person reads.

/// Why a step was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Refusal {
    /// Nobody has taken the case up yet.
    #[error("the case has not been attended")]
    NotAttended,
    /// The case was taken up before.
    #[error("the case is attended already")]
    AlreadyAttended,
    /// There is no decision yet.
    #[error("the case has not been decided")]
    NotDecided,
    /// The case has been decided; it no longer moves between desks.
    #[error("the case is decided already")]
    AlreadyDecided,
    /// The case is closed.
    #[error("the case is closed")]
    CaseClosed,
    /// Only a closed case can be reopened or appealed.
    #[error("the case is not closed")]
    NotClosed,
    /// More than thirty days have passed since it was closed.
    #[error("the time to reopen has passed")]
    ReopenTooLate,
    /// The decision goes against the unit and one of the four grounds holds: the unit must be heard first.
    #[error("the unit must be heard before this decision can stand")]
    HearingRequired,
    /// The hearing has begun or ended already.
    #[error("the hearing has begun already")]
    HearingBegun,
    /// The hearing is not in session.
    #[error("the hearing is not in session")]
    NotInSession,
    /// The hearing is not paused.
    #[error("the hearing is not paused")]
    NotPaused,
    /// The hearing has not ended.
    #[error("the hearing has not ended")]
    HearingNotEnded,
    /// The hearing has ended.
    #[error("the hearing has ended")]
    HearingEnded,
    /// Its time has not come.
    #[error("the time of the hearing has not come")]
    HearingNotDue,
    /// The person is not in the waiting room.
    #[error("nobody of that name is waiting")]
    NotWaiting,
    /// No notice was served.
    #[error("no notice was served")]
    NotServed,
    /// Fewer than three attempts to reach the party are on file.
    #[error("three logged attempts to reach the party are needed")]
    AttemptsMissing,
    /// The ledger shows the party waiting or connected: it was not absent.
    #[error("the party was present")]
    PartyWasPresent,
    /// Neither the ledger nor the officer's log shows that the party was heard.
    #[error("the party was not heard")]
    PartyNotHeard,
    /// The record of hearing is not written.
    #[error("the record of hearing is missing")]
    RecordMissing,
    /// The order is signed already.
    #[error("the order is signed already")]
    OrderSigned,
    /// Somebody else changed it meanwhile.
    #[error("somebody else changed it meanwhile")]
    ChangedMeanwhile,
}

impl Refusal {
    /// The rule's name in addresses and text keys.
    #[must_use]
    pub const fn rule(self) -> &'static str {
        match self {
            Self::NotAttended => "not-attended",
            Self::AlreadyAttended => "already-attended",
            Self::NotDecided => "not-decided",
            Self::AlreadyDecided => "already-decided",
            Self::CaseClosed => "case-closed",
            Self::NotClosed => "not-closed",
            Self::ReopenTooLate => "reopen-too-late",
            Self::HearingRequired => "hearing-required",
            Self::HearingBegun => "hearing-begun",
            Self::NotInSession => "not-in-session",
            Self::NotPaused => "not-paused",
            Self::HearingNotEnded => "hearing-not-ended",
            Self::HearingEnded => "hearing-ended",
            Self::HearingNotDue => "hearing-not-due",
            Self::NotWaiting => "not-waiting",
            Self::NotServed => "not-served",
            Self::AttemptsMissing => "attempts-missing",
            Self::PartyWasPresent => "party-was-present",
            Self::PartyNotHeard => "party-not-heard",
            Self::RecordMissing => "record-missing",
            Self::OrderSigned => "order-signed",
            Self::ChangedMeanwhile => "changed-meanwhile",
        }
    }
}

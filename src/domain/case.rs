//! The life of a case: filed → routed → attended → decided → (hearing) → closed, and reopened. One exhaustive table says
//! which step is possible from where; a step consumes the case and gives the changed one with the event for its history.

use super::calendar::Timestamp;
use super::closing_gate::{self, Heard};
use super::deadline::{self, Deadlines};
use super::number::{CaseNumber, Series};
use super::party::Applicant;
use super::refusal::Refusal;
use crate::id::{AccountId, CaseId, DeskId};
use serde::{Deserialize, Serialize};

/// Where a case stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Received, at no desk yet.
    Filed,
    /// At a desk.
    Routed,
    /// A person has taken it up.
    Attended,
    /// Decided.
    Decided,
    /// Decided or about to be, and a hearing is fixed.
    Hearing,
    /// Concluded.
    Closed,
}

impl Status {
    /// Every state, in the order of a case's life.
    pub const ALL: [Self; 6] = [Self::Filed, Self::Routed, Self::Attended, Self::Decided, Self::Hearing, Self::Closed];

    /// The name in stored data and the interface.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Filed => "filed",
            Self::Routed => "routed",
            Self::Attended => "attended",
            Self::Decided => "decided",
            Self::Hearing => "hearing",
            Self::Closed => "closed",
        }
    }

    /// Reads the stored name.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.code() == code)
    }
}

/// What was decided, seen from the unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// What was asked for is given.
    Favourable,
    /// Part of it is refused; this counts as against the unit.
    Partly,
    /// It is refused.
    Adverse,
}

impl Outcome {
    /// The name in stored data and the interface.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Favourable => "favourable",
            Self::Partly => "partly",
            Self::Adverse => "adverse",
        }
    }

    /// Reads the stored name.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        [Self::Favourable, Self::Partly, Self::Adverse].into_iter().find(|o| o.code() == code)
    }

    /// Whether the decision goes against the unit.
    #[must_use]
    pub const fn is_against_the_unit(self) -> bool {
        match self {
            Self::Favourable => false,
            Self::Partly | Self::Adverse => true,
        }
    }
}

/// The four grounds on which a unit must be heard before a decision against it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Grounds {
    /// Extreme humanitarian need.
    pub humanitarian: bool,
    /// Injustice.
    pub injustice: bool,
    /// Harassment.
    pub harassment: bool,
    /// Undue delay.
    pub undue_delay: bool,
}

impl Grounds {
    /// Whether any of the four holds.
    #[must_use]
    pub const fn any(self) -> bool {
        self.humanitarian || self.injustice || self.harassment || self.undue_delay
    }

    /// What holds in one or the other.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self {
            humanitarian: self.humanitarian || other.humanitarian,
            injustice: self.injustice || other.injustice,
            harassment: self.harassment || other.harassment,
            undue_delay: self.undue_delay || other.undue_delay,
        }
    }
}

/// How a case came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// The public pages.
    Web,
    /// A call.
    Telephone,
    /// A text message.
    Sms,
    /// The interface for programs.
    Api,
    /// Somebody at a control room typed it for a visitor.
    WalkIn,
}

impl Channel {
    /// The name in stored data.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Web => "web",
            Self::Telephone => "telephone",
            Self::Sms => "sms",
            Self::Api => "api",
            Self::WalkIn => "walk_in",
        }
    }

    /// Reads the stored name.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        [Self::Web, Self::Telephone, Self::Sms, Self::Api, Self::WalkIn].into_iter().find(|c| c.code() == code)
    }
}

/// A case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// Identifier.
    pub id: CaseId,
    /// Number as people write it.
    pub number: CaseNumber,
    /// Where it stands.
    pub status: Status,
    /// How it came.
    pub channel: Channel,
    /// Subject code.
    pub subject: String,
    /// State code of the unit; empty when unknown.
    pub state: String,
    /// District; empty when unknown.
    pub district: String,
    /// Language of the applicant (BCP 47).
    pub language: String,
    /// What they said, in their words; empty for a call that was only recorded.
    pub text: String,
    /// Who they are.
    pub applicant: Applicant,
    /// The desk it is at.
    pub desk: Option<DeskId>,
    /// The person responsible.
    pub assignee: Option<AccountId>,
    /// When it was filed.
    pub filed_at: Timestamp,
    /// When its present clocks began: the filing or the last reopening.
    pub clock_from: Timestamp,
    /// Last second to attend in time.
    pub attend_by: Timestamp,
    /// Last second to conclude in time.
    pub conclude_by: Timestamp,
    /// First act of a person on the matter.
    pub attended_at: Option<Timestamp>,
    /// Last decision.
    pub decided_at: Option<Timestamp>,
    /// Closing.
    pub concluded_at: Option<Timestamp>,
    /// What was decided.
    pub outcome: Option<Outcome>,
    /// Why.
    pub reasons: String,
    /// The four grounds as answered. An answer "yes" is never taken back by a later decision.
    pub grounds: Grounds,
    /// Grows with each change; two people acting at once are told apart by it.
    pub version: i64,
}

impl Case {
    /// A case just received.
    #[must_use]
    #[expect(clippy::too_many_arguments, reason = "a filing has these facts and no others")]
    pub fn file(
        id: CaseId,
        number: CaseNumber,
        channel: Channel,
        subject: String,
        state: String,
        district: String,
        language: String,
        text: String,
        applicant: Applicant,
        now: Timestamp,
    ) -> Self {
        let ends = Deadlines::from(now);
        Self {
            id,
            number,
            status: Status::Filed,
            channel,
            subject,
            state,
            district,
            language,
            text,
            applicant,
            desk: None,
            assignee: None,
            filed_at: now,
            clock_from: now,
            attend_by: ends.attend_by,
            conclude_by: ends.conclude_by,
            attended_at: None,
            decided_at: None,
            concluded_at: None,
            outcome: None,
            reasons: String::new(),
            grounds: Grounds::default(),
            version: 0,
        }
    }

    /// The series.
    #[must_use]
    pub const fn series(&self) -> Series {
        self.number.series()
    }

    /// Whether the case waits for a person beyond its third day.
    #[must_use]
    pub fn is_attend_overdue(&self, now: Timestamp) -> bool {
        self.status != Status::Closed && self.attended_at.is_none() && deadline::has_passed(self.attend_by, now)
    }

    /// Whether the case is open beyond its seventh day.
    #[must_use]
    pub fn is_conclude_overdue(&self, now: Timestamp) -> bool {
        self.status != Status::Closed && deadline::has_passed(self.conclude_by, now)
    }

    /// The grounds that hold now: as answered, and undue delay as a fact past the seventh day.
    #[must_use]
    pub fn grounds_at(&self, now: Timestamp) -> Grounds {
        let late = deadline::has_passed(self.conclude_by, self.concluded_at.unwrap_or(now));
        self.grounds.or(Grounds { undue_delay: late, ..Grounds::default() })
    }
}

/// A step somebody wants to take on a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Put it at a desk.
    Route { desk: DeskId, assignee: Option<AccountId>, why: String },
    /// A person takes it up.
    Attend { note: String },
    /// A person writes to the unit; the first such letter attends the case.
    Reply { text: String },
    /// Hand it to another desk or person, putting its subject right where that is said: a call has no words to read it from.
    Transfer { desk: DeskId, assignee: Option<AccountId>, reason: String, subject: Option<String> },
    /// Tell the unit why it takes longer and until when.
    InterimReply { text: String, expected_at: Timestamp },
    /// Decide.
    Decide { outcome: Outcome, reasons: String, grounds: Grounds },
    /// A hearing was fixed.
    FixHearing { hearing: crate::id::HearingId, starts_at: Timestamp },
    /// Conclude.
    Close { text: String },
    /// Open again.
    Reopen { reason: String },
    /// Bring it to the next senior.
    Appeal { reason: String, desk: DeskId, assignee: Option<AccountId> },
    /// The unit adds something.
    AddFromParty { text: String },
}

/// What happened to a case, as its history keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum CaseEvent {
    /// It was received.
    Filed { channel: Channel },
    /// It was put at a desk.
    Routed { desk: DeskId, assignee: Option<AccountId>, why: String },
    /// A person took it up.
    Attended { note: String },
    /// A person wrote to the unit.
    Replied { text: String },
    /// It was handed on.
    Transferred {
        desk: DeskId,
        assignee: Option<AccountId>,
        reason: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        subject: Option<String>,
    },
    /// The unit was told why it takes longer.
    InterimReplied { text: String, expected_at: Timestamp },
    /// It was decided.
    Decided { outcome: Outcome, reasons: String, grounds: Grounds },
    /// A hearing was fixed.
    HearingFixed { hearing: crate::id::HearingId, starts_at: Timestamp },
    /// It was concluded.
    Closed { text: String },
    /// It was opened again.
    Reopened { reason: String },
    /// It went to the next senior.
    Appealed { reason: String, desk: DeskId, assignee: Option<AccountId> },
    /// The unit added something.
    PartyAdded { text: String },
    /// The sound of a call could not be fetched from the provider: somebody must ask the caller again.
    SoundLost { why: String },
    /// The third day passed and nobody had taken it up.
    AttendOverdue,
    /// The seventh day passed.
    ConcludeOverdue,
}

impl CaseEvent {
    /// The name of the kind, as in stored data.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Filed { .. } => "filed",
            Self::Routed { .. } => "routed",
            Self::Attended { .. } => "attended",
            Self::Replied { .. } => "replied",
            Self::Transferred { .. } => "transferred",
            Self::InterimReplied { .. } => "interim_replied",
            Self::Decided { .. } => "decided",
            Self::HearingFixed { .. } => "hearing_fixed",
            Self::Closed { .. } => "closed",
            Self::Reopened { .. } => "reopened",
            Self::Appealed { .. } => "appealed",
            Self::PartyAdded { .. } => "party_added",
            Self::SoundLost { .. } => "sound_lost",
            Self::AttendOverdue => "attend_overdue",
            Self::ConcludeOverdue => "conclude_overdue",
        }
    }
}

/// The transition table: where a step leads from a state, or why it does not.
///
/// # Errors
/// The rule that stands against it.
pub const fn next_status(from: Status, command: &Command) -> Result<Status, Refusal> {
    use Status::{Attended, Closed, Decided, Filed, Hearing, Routed};
    match (command, from) {
        (Command::Route { .. } | Command::Transfer { .. }, Filed | Routed) => Ok(Routed),
        (Command::Transfer { .. }, Attended) => Ok(Attended),
        (Command::Route { .. }, Attended) => Err(Refusal::AlreadyAttended),
        (Command::Route { .. } | Command::Transfer { .. }, Decided | Hearing) => Err(Refusal::AlreadyDecided),

        (Command::Attend { .. }, Filed | Routed) => Ok(Attended),
        (Command::Attend { .. }, Attended | Decided | Hearing) => Err(Refusal::AlreadyAttended),

        (Command::Reply { .. } | Command::InterimReply { .. }, Filed | Routed | Attended) => Ok(Attended),
        (Command::Reply { .. } | Command::InterimReply { .. }, Decided | Hearing) => Ok(from),

        (Command::Decide { .. } | Command::FixHearing { .. } | Command::Close { .. }, Filed | Routed) => {
            Err(Refusal::NotAttended)
        }
        (Command::Decide { .. }, Attended | Decided) => Ok(Decided),
        (Command::Decide { .. }, Hearing) => Ok(Hearing),

        (Command::FixHearing { .. }, Attended | Decided | Hearing) => Ok(Hearing),

        (Command::Close { .. }, Attended) => Err(Refusal::NotDecided),
        (Command::Close { .. }, Decided | Hearing) => Ok(Closed),

        (Command::Reopen { .. } | Command::Appeal { .. }, Filed | Routed | Attended | Decided | Hearing) => {
            Err(Refusal::NotClosed)
        }
        (Command::Reopen { .. } | Command::Appeal { .. }, Closed) => Ok(Routed),

        (Command::AddFromParty { .. }, Filed | Routed | Attended | Decided | Hearing | Closed) => Ok(from),

        (
            Command::Route { .. }
            | Command::Attend { .. }
            | Command::Reply { .. }
            | Command::Transfer { .. }
            | Command::InterimReply { .. }
            | Command::Decide { .. }
            | Command::FixHearing { .. }
            | Command::Close { .. },
            Closed,
        ) => Err(Refusal::CaseClosed),
    }
}

/// Takes a step: the changed case and what its history keeps. `heard` lists the case's hearings for the closing gate.
///
/// # Errors
/// The rule that stands against it; the case is then unchanged.
pub fn decide(case: Case, command: Command, heard: &[Heard], now: Timestamp) -> Result<(Case, CaseEvent), Refusal> {
    let status = next_status(case.status, &command)?;
    let mut case = Case { status, version: case.version + 1, ..case };
    let event = match command {
        Command::Route { desk, assignee, why } => {
            case.desk = Some(desk.clone());
            case.assignee = assignee.clone();
            CaseEvent::Routed { desk, assignee, why }
        }
        Command::Attend { note } => {
            case.attended_at = Some(now);
            CaseEvent::Attended { note }
        }
        Command::Reply { text } => {
            case.attended_at.get_or_insert(now);
            CaseEvent::Replied { text }
        }
        Command::Transfer { desk, assignee, reason, subject } => {
            if let Some(subject) = &subject {
                case.subject.clone_from(subject);
            }
            case.desk = Some(desk.clone());
            case.assignee = assignee.clone();
            CaseEvent::Transferred { desk, assignee, reason, subject }
        }
        Command::InterimReply { text, expected_at } => {
            case.attended_at.get_or_insert(now);
            CaseEvent::InterimReplied { text, expected_at }
        }
        Command::Decide { outcome, reasons, grounds } => {
            case.outcome = Some(outcome);
            case.reasons.clone_from(&reasons);
            case.grounds = case.grounds.or(grounds);
            case.decided_at = Some(now);
            CaseEvent::Decided { outcome, reasons, grounds: case.grounds }
        }
        Command::FixHearing { hearing, starts_at } => CaseEvent::HearingFixed { hearing, starts_at },
        Command::Close { text } => {
            closing_gate::check(&case, heard, now)?;
            case.concluded_at = Some(now);
            CaseEvent::Closed { text }
        }
        Command::Reopen { reason } => {
            case.open_again(now)?;
            CaseEvent::Reopened { reason }
        }
        Command::Appeal { reason, desk, assignee } => {
            case.open_again(now)?;
            case.desk = Some(desk.clone());
            case.assignee = assignee.clone();
            CaseEvent::Appealed { reason, desk, assignee }
        }
        Command::AddFromParty { text } => CaseEvent::PartyAdded { text },
    };
    Ok((case, event))
}

impl Case {
    /// New clocks run; the old decision no longer stands, the grounds once found do.
    fn open_again(&mut self, now: Timestamp) -> Result<(), Refusal> {
        let closed = self.concluded_at.ok_or(Refusal::NotClosed)?;
        if deadline::has_passed(closed.end_of_ist_day_after(deadline::REOPEN_DAYS), now) {
            return Err(Refusal::ReopenTooLate);
        }
        let ends = Deadlines::from(now);
        self.clock_from = now;
        self.attend_by = ends.attend_by;
        self.conclude_by = ends.conclude_by;
        self.attended_at = None;
        self.decided_at = None;
        self.concluded_at = None;
        self.outcome = None;
        self.reasons = String::new();
        Ok(())
    }
}

//! The life of a hearing: fixed → served → in session ⇄ paused → ended → record → order; or ex parte, when the party was
//! served, could not be reached three times, and never came to the door.

use super::calendar::Timestamp;
use super::closing_gate::Heard;
use super::presence::PartyPresence;
use super::refusal::Refusal;
use crate::id::{CaseId, HearingId};
use serde::{Deserialize, Serialize};

/// Attempts to reach the party that must be on file before a hearing goes on without it.
pub const ATTEMPTS_BEFORE_EX_PARTE: usize = 3;

/// By what means the unit is heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Medium {
    /// Video from anywhere.
    Video,
    /// Video from a control room.
    ControlRoom,
    /// Telephone.
    Telephone,
    /// At the officer's place.
    InPerson,
    /// Some by one means, some by another.
    Mixed,
}

impl Medium {
    /// Every means, in the order of the form.
    pub const ALL: [Self; 5] = [Self::Video, Self::ControlRoom, Self::Telephone, Self::InPerson, Self::Mixed];

    /// The name in stored data and the interface.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Video => "video",
            Self::ControlRoom => "control_room",
            Self::Telephone => "telephone",
            Self::InPerson => "in_person",
            Self::Mixed => "mixed",
        }
    }

    /// Reads the stored name.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|m| m.code() == code)
    }

    /// Whether the room's ledger is the proof that the party was heard. For a telephone or a visit the officer's log is.
    #[must_use]
    pub const fn is_proven_by_ledger(self) -> bool {
        match self {
            Self::Video | Self::ControlRoom | Self::Mixed => true,
            Self::Telephone | Self::InPerson => false,
        }
    }
}

/// Where the session stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Not begun.
    NotStarted,
    /// Going on.
    InSession,
    /// Interrupted.
    Paused,
    /// Over.
    Ended,
}

impl Phase {
    /// The name in stored data and the interface.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotStarted => "not_started",
            Self::InSession => "in_session",
            Self::Paused => "paused",
            Self::Ended => "ended",
        }
    }

    /// Reads the stored name.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        [Self::NotStarted, Self::InSession, Self::Paused, Self::Ended].into_iter().find(|p| p.code() == code)
    }
}

/// One issue and what was found on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What was raised.
    pub issue: String,
    /// What was found, with the reason.
    pub finding: String,
}

/// The order that follows a hearing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// A finding for each issue raised.
    pub findings: Vec<Finding>,
    /// Why, as a whole.
    #[serde(default)]
    pub reasons: String,
}

/// A try to reach the party.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// Telephone, SMS, e-mail, visit.
    pub channel: String,
    /// What came of it.
    pub result: String,
    /// When.
    pub at: Timestamp,
}

/// How a hearing came to its end in law.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conclusion {
    /// The unit was heard.
    Heard,
    /// The unit was served, could not be reached, and did not come.
    ExParte,
}

/// A hearing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hearing {
    /// Identifier.
    pub id: HearingId,
    /// The case it is about.
    pub case: CaseId,
    /// Means.
    pub medium: Medium,
    /// When it is to begin.
    pub starts_at: Timestamp,
    /// Code of the control room that serves for it.
    pub control_room: Option<String>,
    /// Name of the media room.
    pub room: String,
    /// Where the session stands.
    pub phase: Phase,
    /// First proof that the notice reached the party.
    pub served_at: Option<Timestamp>,
    /// When the session began.
    pub began_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Tries to reach the party.
    pub attempts: Vec<Attempt>,
    /// Why it went on without the party.
    pub ex_parte: Option<String>,
    /// The record of hearing.
    pub record: Option<String>,
    /// The order.
    pub order: Option<Order>,
    /// When the order was signed.
    pub signed_at: Option<Timestamp>,
    /// Grows with each change.
    pub version: i64,
}

/// A step somebody wants to take in a hearing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HearingCommand {
    /// The notice reached the party by this channel.
    Serve { channel: String },
    /// Begin.
    Start,
    /// Interrupt.
    Pause { reason: String },
    /// Go on.
    Resume,
    /// Finish.
    End,
    /// A try to reach the party.
    Attempt { channel: String, result: String },
    /// Go on without the party.
    ExParte { reason: String },
    /// Write the record of hearing.
    Record { text: String },
    /// Sign the order.
    Order { findings: Vec<Finding>, reasons: String },
}

/// What happened in a hearing, as its log keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum HearingEvent {
    /// It was fixed.
    Fixed { medium: Medium, starts_at: Timestamp },
    /// The notice reached the party.
    Served { channel: String },
    /// The session began.
    Started,
    /// It was interrupted.
    Paused { reason: String },
    /// It went on.
    Resumed,
    /// It ended.
    Ended,
    /// A try to reach the party.
    Attempted { channel: String, result: String },
    /// It went on without the party.
    HeldExParte { reason: String },
    /// The record was written.
    Recorded { text: String },
    /// The order was signed.
    Ordered {
        findings: Vec<Finding>,
        #[serde(default)]
        reasons: String,
    },
}

impl HearingEvent {
    /// The name of the kind, as in stored data.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Fixed { .. } => "fixed",
            Self::Served { .. } => "served",
            Self::Started => "started",
            Self::Paused { .. } => "paused",
            Self::Resumed => "resumed",
            Self::Ended => "ended",
            Self::Attempted { .. } => "attempted",
            Self::HeldExParte { .. } => "held_ex_parte",
            Self::Recorded { .. } => "recorded",
            Self::Ordered { .. } => "ordered",
        }
    }
}

/// The transition table of the session.
///
/// # Errors
/// The rule that stands against the step.
pub const fn next_phase(from: Phase, command: &HearingCommand) -> Result<Phase, Refusal> {
    use HearingCommand as C;
    use Phase::{Ended, InSession, NotStarted, Paused};
    match (command, from) {
        (C::Serve { .. } | C::Attempt { .. }, NotStarted | InSession | Paused) => Ok(from),
        (C::Serve { .. } | C::Attempt { .. }, Ended) => Err(Refusal::HearingEnded),
        (C::Start, NotStarted) => Ok(InSession),
        (C::Start, InSession | Paused) => Err(Refusal::HearingBegun),
        (C::Pause { .. }, InSession) => Ok(Paused),
        (C::Pause { .. }, NotStarted | Paused) => Err(Refusal::NotInSession),
        (C::Resume, Paused) => Ok(InSession),
        (C::Resume, NotStarted | InSession) => Err(Refusal::NotPaused),
        (C::End, InSession | Paused) => Ok(Ended),
        (C::End, NotStarted) => Err(Refusal::NotInSession),
        (C::Start | C::Pause { .. } | C::Resume | C::End, Ended) => Err(Refusal::HearingEnded),
        (C::ExParte { .. }, NotStarted | InSession | Paused | Ended) => Ok(Ended),
        (C::Record { .. } | C::Order { .. }, NotStarted | InSession | Paused) => Err(Refusal::HearingNotEnded),
        (C::Record { .. } | C::Order { .. }, Ended) => Ok(Ended),
    }
}

/// Takes a step: the changed hearing and what its log keeps. `presence` is what the ledger says of the unit's side.
///
/// # Errors
/// The rule that stands against it; the hearing is then unchanged.
pub fn decide(
    hearing: Hearing,
    command: HearingCommand,
    presence: PartyPresence,
    now: Timestamp,
) -> Result<(Hearing, HearingEvent), Refusal> {
    let phase = next_phase(hearing.phase, &command)?;
    let mut hearing = Hearing { phase, version: hearing.version + 1, ..hearing };
    let event = match command {
        HearingCommand::Serve { channel } => {
            hearing.served_at.get_or_insert(now);
            HearingEvent::Served { channel }
        }
        HearingCommand::Start => {
            hearing.began_at = Some(now);
            HearingEvent::Started
        }
        HearingCommand::Pause { reason } => HearingEvent::Paused { reason },
        HearingCommand::Resume => HearingEvent::Resumed,
        HearingCommand::End => {
            hearing.ended_at = Some(now);
            HearingEvent::Ended
        }
        HearingCommand::Attempt { channel, result } => {
            hearing.attempts.push(Attempt { channel: channel.clone(), result: result.clone(), at: now });
            HearingEvent::Attempted { channel, result }
        }
        HearingCommand::ExParte { reason } => {
            hearing.may_go_on_without_the_party(presence, now)?;
            hearing.began_at.get_or_insert(now);
            hearing.ended_at.get_or_insert(now);
            hearing.ex_parte = Some(reason.clone());
            HearingEvent::HeldExParte { reason }
        }
        HearingCommand::Record { text } => {
            if hearing.order.is_some() {
                return Err(Refusal::OrderSigned);
            }
            hearing.record = Some(text.clone());
            HearingEvent::Recorded { text }
        }
        HearingCommand::Order { findings, reasons } => {
            hearing.may_be_ordered(presence)?;
            hearing.order = Some(Order { findings: findings.clone(), reasons: reasons.clone() });
            hearing.signed_at = Some(now);
            HearingEvent::Ordered { findings, reasons }
        }
    };
    Ok((hearing, event))
}

impl Hearing {
    /// A hearing just fixed.
    #[must_use]
    pub fn fix(
        id: HearingId,
        case: CaseId,
        medium: Medium,
        starts_at: Timestamp,
        control_room: Option<String>,
    ) -> Self {
        let room = format!("hearing-{}", id.as_str().trim_start_matches("hrg_"));
        Self {
            id,
            case,
            medium,
            starts_at,
            control_room,
            room,
            phase: Phase::NotStarted,
            served_at: None,
            began_at: None,
            ended_at: None,
            attempts: Vec::new(),
            ex_parte: None,
            record: None,
            order: None,
            signed_at: None,
            version: 0,
        }
    }

    /// Whether the unit's side was heard: by the ledger, or for a telephone or a visit by the officer's log.
    #[must_use]
    pub const fn was_party_heard(&self, presence: PartyPresence) -> bool {
        self.ended_at.is_some()
            && self.ex_parte.is_none()
            && (presence.was_in_session || !self.medium.is_proven_by_ledger())
    }

    /// How it came to its end, once record and order are there.
    #[must_use]
    pub const fn conclusion(&self, presence: PartyPresence) -> Option<Conclusion> {
        if self.record.is_none() || self.order.is_none() {
            return None;
        }
        if self.ex_parte.is_some() {
            return Some(Conclusion::ExParte);
        }
        if self.was_party_heard(presence) { Some(Conclusion::Heard) } else { None }
    }

    /// What the closing gate wants to know.
    #[must_use]
    pub fn for_the_gate(&self, presence: PartyPresence) -> Heard {
        Heard { case: self.case.clone(), began_at: self.began_at, conclusion: self.conclusion(presence) }
    }

    fn may_go_on_without_the_party(&self, presence: PartyPresence, now: Timestamp) -> Result<(), Refusal> {
        if self.order.is_some() {
            return Err(Refusal::OrderSigned);
        }
        if presence.came || self.was_party_heard(presence) {
            return Err(Refusal::PartyWasPresent);
        }
        if now < self.starts_at {
            return Err(Refusal::HearingNotDue);
        }
        if self.served_at.is_none() {
            return Err(Refusal::NotServed);
        }
        if self.attempts.len() < ATTEMPTS_BEFORE_EX_PARTE {
            return Err(Refusal::AttemptsMissing);
        }
        Ok(())
    }

    fn may_be_ordered(&self, presence: PartyPresence) -> Result<(), Refusal> {
        if self.order.is_some() {
            return Err(Refusal::OrderSigned);
        }
        if self.record.is_none() {
            return Err(Refusal::RecordMissing);
        }
        if self.ex_parte.is_none() && !self.was_party_heard(presence) {
            return Err(Refusal::PartyNotHeard);
        }
        Ok(())
    }
}
